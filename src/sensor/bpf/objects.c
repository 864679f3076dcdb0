/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "event/operation.h"
#include "sensor/bpf/below.h"
#include "sensor/bpf/skeleton.h"
#include "util/cleanup.h"
#include "util/limits.h"

/* One inode of the map `watched`: who uses it, as what. */
struct inode_entry {
    uint64_t inode;
    uint64_t filter; /* its key there */
    unsigned roots, anchors;
    struct bpf_object_watch **objects; /* whose root it is */
    UT_hash_handle hh;
};

/* One user of a name below a directory. */
struct name_use {
    struct bpf_object_watch *object;
    size_t end;  /* the name is the component of the object's path that ends here */
    bool above;
};

struct name_entry {
    struct wire_name_key key;
    struct name_use *uses;
    unsigned count;
    UT_hash_handle hh;
};

struct bpf_objects {
    struct programs *programs;
    struct bpf_object_watch *first;
    struct inode_entry *inodes;
    struct inode_entry *asked; /* what was looked for last, NULL: none */
    struct name_entry *names;
    uint8_t *bits; /* how many set each bit of the filter; 255 stays */
    uint32_t supers[WIRE_SUPERS]; /* how many set each byte of those */
    unsigned below; /* how many objects are mounts below others */
    bool needs_recheck; /* one of them may be */
    struct foreign_mounts *mounts;
};

/* Names come and go by these: they are always emitted, so that a path can be followed. */
#define NAME_OPERATIONS                                                                            \
    (1u << OPERATION_CREATE | 1u << OPERATION_MKDIR | 1u << OPERATION_MKNOD |                      \
     1u << OPERATION_SYMLINK | 1u << OPERATION_LINK | 1u << OPERATION_UNLINK |                     \
     1u << OPERATION_RMDIR | 1u << OPERATION_RENAME | 1u << OPERATION_REPLACE |                    \
     1u << OPERATION_MOUNT | 1u << OPERATION_UNMOUNT)

static uint32_t operations_of(unsigned permissions)
{
    uint32_t operations = NAME_OPERATIONS;

    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if (operation_info((enum operation)i)->permission & permissions)
            operations |= 1u << i;
    return operations;
}

int bpf_objects_new(struct programs *programs, struct bpf_objects **ret, struct err *err)
{
    struct bpf_objects *o = calloc(1, sizeof(*o));

    if (o)
        o->bits = calloc(WIRE_FILTER_BITS, 1);
    if (!o || !o->bits) {
        free(o);
        return err_set(err, -ENOMEM, "watched objects");
    }
    o->programs = programs;
    o->mounts = foreign_mounts_new(0);
    *ret = o;
    return 0;
}

uint64_t bpf_objects_take_unanswered(struct bpf_objects *o)
{
    return foreign_mounts_take_unanswered(o->mounts);
}

struct bpf_object_watch *bpf_objects_first(struct bpf_objects *o)
{
    return o->first;
}

/* ---- the maps ---- */

static void filter_add(struct bpf_objects *o, uint64_t key)
{
    uint64_t h = WIRE_FILTER_HASH(key);

    if (o->bits[h] < UINT8_MAX)
        o->bits[h]++;
    o->programs->skeleton->bss->filter[h >> 6] |= 1ull << (h & 63);
}

static void filter_remove(struct bpf_objects *o, uint64_t key)
{
    uint64_t h = WIRE_FILTER_HASH(key);

    if (o->bits[h] == UINT8_MAX || o->bits[h] == 0)
        return;
    if (--o->bits[h] == 0)
        o->programs->skeleton->bss->filter[h >> 6] &= ~(1ull << (h & 63));
}

static void super_add(struct bpf_objects *o, unsigned slot)
{
    if (o->supers[slot]++ == 0)
        o->programs->skeleton->bss->supers[slot] = 1;
}

static void super_remove(struct bpf_objects *o, unsigned slot)
{
    if (--o->supers[slot] == 0)
        o->programs->skeleton->bss->supers[slot] = 0;
}

/* After the maps were written: what the programs found before is not what is there now. */
static int written(struct bpf_objects *o, int result)
{
    __atomic_fetch_add(&o->programs->skeleton->bss->generation, 1, __ATOMIC_SEQ_CST);
    return result;
}

static int write_inode(struct bpf_objects *o, const struct inode_entry *e)
{
    int fd = bpf_map__fd(o->programs->skeleton->maps.watched);
    struct wire_watched w = { .kinds = (e->roots ? WIRE_WATCHED_ROOT : 0) |
                                       (e->anchors ? WIRE_WATCHED_ANCHOR : 0) };

    if (!w.kinds)
        return written(o, bpf_map_delete_elem(fd, &e->inode));
    for (unsigned i = 0; i < e->roots; i++)
        w.operations |= e->objects[i]->operations;
    return written(o, bpf_map_update_elem(fd, &e->inode, &w, BPF_ANY));
}

static int write_name(struct bpf_objects *o, const struct name_entry *e)
{
    int fd = bpf_map__fd(o->programs->skeleton->maps.names);
    struct wire_watched w = { 0 };

    if (!e->count)
        return written(o, bpf_map_delete_elem(fd, &e->key));
    for (unsigned i = 0; i < e->count; i++) {
        w.kinds |= e->uses[i].above ? WIRE_WATCHED_ABOVE : WIRE_WATCHED_NAME;
        w.operations |= e->uses[i].above ? NAME_OPERATIONS : e->uses[i].object->operations;
    }
    return written(o, bpf_map_update_elem(fd, &e->key, &w, BPF_ANY));
}

static struct inode_entry *find_inode(struct bpf_objects *o, uint64_t inode)
{
    struct inode_entry *e = o->asked;

    if (e && e->inode == inode)
        return e;
    HASH_FIND(hh, o->inodes, &inode, sizeof(inode), e);
    if (e)
        o->asked = e;
    return e;
}

static struct inode_entry *make_inode(struct bpf_objects *o, const struct wire_chain_entry *entry)
{
    struct inode_entry *e = find_inode(o, entry->inode);

    if (e)
        return e;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->inode = entry->inode;
    e->filter = WIRE_FILTER_INODE(entry->device, entry->number);
    HASH_ADD(hh, o->inodes, inode, sizeof(e->inode), e);
    filter_add(o, e->filter);
    return e;
}

static void inode_done(struct bpf_objects *o, struct inode_entry *e)
{
    (void)write_inode(o, e);
    if (e->roots || e->anchors)
        return;
    filter_remove(o, e->filter);
    HASH_DELETE(hh, o->inodes, e);
    if (o->asked == e)
        o->asked = NULL;
    free(e->objects);
    free(e);
}

static int add_root(struct bpf_objects *o, struct bpf_object_watch *w,
                    const struct wire_chain_entry *entry)
{
    struct inode_entry *e = make_inode(o, entry);
    struct bpf_object_watch **more =
        e ? reallocarray(e->objects, e->roots + 1, sizeof(struct bpf_object_watch *)) : NULL;

    if (!more)
        return -ENOMEM;
    if (e->anchors) /* another path leads through it: watches within each other */
        o->programs->skeleton->bss->overlaps = 1;
    e->objects = more;
    e->objects[e->roots++] = w;
    w->root = entry->inode;
    return write_inode(o, e);
}

static void remove_root(struct bpf_objects *o, struct bpf_object_watch *w)
{
    struct inode_entry *e = w->root ? find_inode(o, w->root) : NULL;

    w->root = 0;
    for (unsigned i = 0; e && i < e->roots; i++) {
        if (e->objects[i] != w)
            continue;
        e->objects[i] = e->objects[--e->roots];
        inode_done(o, e);
        return;
    }
}

static int add_name(struct bpf_objects *o, struct bpf_object_watch *w,
                    const struct wire_chain_entry *parent, uint64_t name, size_t end, bool above)
{
    struct wire_name_key key = { .parent = parent->inode, .name = name };
    struct inode_entry *anchor = make_inode(o, parent);
    struct wire_name_key *keys;
    struct name_use *more;
    struct name_entry *e;

    HASH_FIND(hh, o->names, &key, sizeof(key), e);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            return -ENOMEM;
        e->key = key;
        HASH_ADD(hh, o->names, key, sizeof(e->key), e);
    }
    more = reallocarray(e->uses, e->count + 1, sizeof(*more));
    if (more)
        e->uses = more;
    keys = reallocarray(w->keys, w->key_count + 1, sizeof(*keys));
    if (keys)
        w->keys = keys;
    if (!anchor || !more || !keys)
        return -ENOMEM;
    w->keys[w->key_count++] = key;
    e->uses[e->count++] = (struct name_use){ w, end, above };
    anchor->anchors++;
    if (anchor->roots)
        o->programs->skeleton->bss->overlaps = 1;
    return write_name(o, e) < 0 || write_inode(o, anchor) < 0 ? -errno : 0;
}

static void remove_name(struct bpf_objects *o, struct name_entry *e, const struct bpf_object_watch *w)
{
    struct inode_entry *anchor = find_inode(o, e->key.parent);

    for (unsigned i = 0; i < e->count; i++) {
        if (e->uses[i].object != w)
            continue;
        e->uses[i] = e->uses[--e->count];
        break;
    }
    (void)write_name(o, e);
    if (anchor) {
        anchor->anchors--;
        inode_done(o, anchor);
    }
    if (e->count == 0) {
        HASH_DELETE(hh, o->names, e);
        free(e->uses);
        free(e);
    }
}

static void remove_names(struct bpf_objects *o, struct bpf_object_watch *w)
{
    for (unsigned i = 0; i < w->key_count; i++) {
        struct name_entry *e;

        HASH_FIND(hh, o->names, &w->keys[i], sizeof(w->keys[i]), e);
        if (e)
            remove_name(o, e, w);
    }
    free(w->keys);
    w->keys = NULL;
    w->key_count = 0;
}

/* ---- placing ---- */

static int query(struct bpf_objects *o, int fd, struct wire_chain *ret)
{
    uint64_t arguments[1] = { (uint64_t)fd };
    LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments, .ctx_size_in = sizeof(arguments));

    if (bpf_prog_test_run_opts(bpf_program__fd(o->programs->skeleton->progs.query), &options) < 0)
        return -errno;
    *ret = o->programs->skeleton->bss->chain;
    if (ret->error == 1)
        return -EBADF;
    return ret->count ? 0 : -EIO;
}

static uint64_t key_of(struct bytes name)
{
    uint64_t first = 0, last = 0;

    if (name.len >= 8) {
        memcpy(&first, name.data, 8);
        memcpy(&last, name.data + name.len - 8, 8);
    } else {
        memcpy(&first, name.data, name.len);
    }
    return WIRE_NAME_KEY(name.len, first, last);
}

static size_t trim(struct bytes path, size_t len)
{
    while (len && path.data[len - 1] == '/')
        len--;
    return len;
}

/* Where the component before `end` begins. */
static size_t component_start(struct bytes path, size_t end)
{
    while (end && path.data[end - 1] != '/')
        end--;
    return end;
}

/* The chain is what the kernel has from the deepest part of the path that exists up to the root. */
static int register_chain(struct bpf_objects *o, struct bpf_object_watch *w, const struct wire_chain *c)
{
    struct bytes path = w->wanted.path;
    size_t end = trim(path, path.len - w->pin.missing);
    int r = 0;

    w->mount_len = end;
    if (w->exists) {
        r = add_root(o, w, &c->entries[0]);
    } else {
        struct bytes rest = { path.data + path.len - w->pin.missing, w->pin.missing };
        const char *slash = memchr(rest.data, '/', rest.len);
        size_t n = slash ? (size_t)(slash - rest.data) : rest.len;

        r = add_name(o, w, &c->entries[0], key_of((struct bytes){ rest.data, n }),
                     path.len - w->pin.missing + n, false);
    }
    for (uint32_t i = 0; i < c->levels_in_mount; i++)
        w->mount_len = trim(path, component_start(path, w->mount_len));
    w->above_mount = c->levels_in_file_system;
    for (uint32_t i = 0; r >= 0 && i + 1 < c->count; i++) {
        const struct wire_chain_entry *e = &c->entries[i];
        bool itself = w->exists && end == trim(path, path.len);

        if (e->mount)
            continue; /* its name is that of the directory it is mounted on: the next entry */
        if (end == 0)
            break; /* above the root of the namespace's processes */
        r = add_name(o, w, &c->entries[i + 1], e->name, end, !itself);
        end = trim(path, component_start(path, end));
    }
    return r;
}

static void disarm(struct watched_object *watched, void *data)
{
    struct bpf_object_watch *w = (struct bpf_object_watch *)watched;
    struct bpf_objects *o = data;

    remove_root(o, w);
    remove_names(o, w);
    if (w->super)
        super_remove(o, w->super - 1);
    for (unsigned i = 0; i < w->device_count; i++)
        filter_remove(o, WIRE_FILTER_ABOVE(w->devices[i]));
    w->super = 0;
    w->device_count = 0;
    pin_close(&w->pin);
}

static uint64_t namespace_of(pid_t pid)
{
    char path[64];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* Take out of the maps what `was` had of `w`. */
static void forget(struct bpf_objects *o, struct bpf_object_watch *w, struct bpf_object_watch *was)
{
    struct bpf_object_watch now = *w;

    w->root = was->root;
    w->keys = was->keys;
    w->key_count = was->key_count;
    remove_root(o, w);
    remove_names(o, w);
    if (was->super)
        super_remove(o, was->super - 1);
    for (unsigned i = 0; i < was->device_count; i++)
        filter_remove(o, WIRE_FILTER_ABOVE(was->devices[i]));
    w->root = now.root;
    w->keys = now.keys;
    w->key_count = now.key_count;
}

static int arm(struct watched_object *watched, void *data, struct err *err)
{
    struct bpf_object_watch *w = (struct bpf_object_watch *)watched;
    struct bpf_objects *o = data;
    _cleanup_free_ struct wire_chain *chain = malloc(sizeof(*chain));
    struct pin old_pin = w->pin;
    struct bpf_object_watch was;
    struct stat st;
    int r;

    if (!chain)
        return err_set(err, -ENOMEM, "watched objects");
    r = pin_open(w->wanted.ns_pid, w->wanted.path, &w->pin, err);
    if (r < 0) {
        w->pin = old_pin;
        return r == -EAGAIN ? -ENOBUFS : r; /* no process could be started for it: that does not mean that another file is there */
    }
    w->mnt_ns = w->wanted.ns_pid ? namespace_of(w->wanted.ns_pid) : 0;
    r = query(o, w->pin.fd, chain);
    if (r == 0 && fstat(w->pin.fd, &st) == 0)
        w->device = st.st_dev;
    if (r < 0) {
        pin_close(&w->pin);
        w->pin = old_pin;
        return err_set(err, r, "asking the kernel for a watched path");
    }
    was = *w;
    w->root = 0;
    w->keys = NULL;
    w->key_count = 0;
    w->exists = w->pin.missing == 0;
    w->kernel_device = chain->entries[0].device;
    w->device_count = 0;
    for (uint32_t i = 0; i < chain->count && w->device_count < ARRAY_SIZE(w->devices); i++) {
        if (w->device_count && w->devices[w->device_count - 1] == chain->entries[i].device)
            continue;
        w->devices[w->device_count++] = chain->entries[i].device;
        filter_add(o, WIRE_FILTER_ABOVE(chain->entries[i].device));
    }
    w->super = (unsigned)WIRE_SUPER(w->kernel_device) + 1;
    super_add(o, w->super - 1);
    r = register_chain(o, w, chain);
    /* insert the new map entry before deleting the old one, so that no change is missed */
    forget(o, w, &was);
    pin_close(&old_pin);
    if (w->pin.clone_fd >= 0) {
        close(w->pin.fd);
        w->pin.fd = -EBADF;
    }
    return r < 0 ? err_set(err, r, "registering a watched path") : 0;
}

static const struct watched_ops ops = { .arm = arm, .disarm = disarm };

static void update_wanted(struct bpf_objects *o)
{
    uint32_t operations = 0;

    for (const struct bpf_object_watch *w = o->first; w; w = w->next)
        operations |= w->operations;
    o->programs->skeleton->bss->wanted_operations = operations;
}

static void drop(struct bpf_objects *o, struct bpf_object_watch **at)
{
    struct bpf_object_watch *w = *at;

    *at = w->next;
    o->below -= w->below;
    ops.disarm(&w->watched, o);
    watched_done(&w->watched);
    free(w);
}

static int add(struct bpf_objects *o, const struct watch_object *wanted, bool below, struct err *err)
{
    struct bpf_object_watch *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return err_set(err, -ENOMEM, "watched objects");
    r = watched_init(&w->watched, wanted, err);
    if (r < 0) {
        free(w);
        return r;
    }
    w->pin = PIN_NULL;
    w->below = below;
    w->operations = operations_of(wanted->permissions);
    w->next = o->first;
    o->first = w;
    o->below += below;
    o->programs->skeleton->bss->wanted_operations |= w->operations;
    r = watched_place(&w->watched, &ops, o, err);
    if (r == 0 && w->gone)
        r = err_set(err, -ENOENT, "opening a watched path");
    if (r < 0) {
        drop(o, &o->first);
        update_wanted(o);
    }
    return r;
}

static struct bpf_object_watch *find_below(struct bpf_objects *o, uint32_t id, struct bytes path)
{
    for (struct bpf_object_watch *w = o->below ? o->first : NULL; w; w = w->next)
        if (w->below && w->wanted.id == id && bytes_equal(w->wanted.path, path))
            return w;
    return NULL;
}

/* Those of `parent`: new ones are watched, those that have gone are not any more. */
static bool follow_mounts_of(struct bpf_objects *o, const struct bpf_object_watch *parent)
{
    _cleanup_sbuf_ struct sbuf points = SBUF_INIT;
    struct watch_object wanted = parent->wanted;
    struct bytes all, rest, silent = BYTES_NULL;
    bool found = false;

    if (bpf_mounts_below(wanted.path, &points) < 0)
        return false;
    all = sbuf_bytes(&points);
    for (struct bpf_object_watch **at = &o->first; o->below && *at;) {
        struct bpf_object_watch *w = *at;
        bool there = !w->below || w->wanted.id != wanted.id;

        for (rest = all; !there && rest.len;) {
            struct bytes point = { rest.data, strlen(rest.data) };

            there = bytes_equal(point, w->wanted.path);
            rest = (struct bytes){ rest.data + point.len + 1, rest.len - point.len - 1 };
        }
        if (there)
            at = &w->next;
        else
            drop(o, at);
    }
    if (o->below)
        update_wanted(o);
    for (rest = all; rest.len;) {
        struct bytes point = { rest.data, strlen(rest.data) };
        struct bpf_object_watch *w = find_below(o, wanted.id, point);

        rest = (struct bytes){ rest.data + point.len + 1, rest.len - point.len - 1 };
        if (!bpf_mount_answers(o->mounts, point, &silent)) /* what was watched before is still */
            continue;
        if (w) {
            (void)watched_place(&w->watched, &ops, o, NULL); /* something else may be mounted there now */
            continue;
        }
        wanted.path = wanted.host_path = point;
        found |= add(o, &wanted, true, NULL) == 0;
    }
    return found;
}

bool bpf_objects_follow_mounts(struct bpf_objects *o)
{
    bool found = false;

    /* what is added goes to the front, what is dropped is never one of those asked for */
    for (struct bpf_object_watch *w = o->first; w; w = w->next)
        if (!w->below && w->wanted.view == VIEW_HOST && !w->wanted.ns_pid)
            found |= follow_mounts_of(o, w);
    return found;
}

int bpf_objects_add(struct bpf_objects *o, const struct watch_object *wanted, struct err *err)
{
    int r = add(o, wanted, false, err);

    if (r == 0 && wanted->view == VIEW_HOST && !wanted->ns_pid)
        (void)follow_mounts_of(o, o->first);
    return r;
}

int bpf_objects_remove(struct bpf_objects *o, uint32_t id)
{
    int r = -ENOENT;

    for (struct bpf_object_watch **at = &o->first; *at;) {
        if ((*at)->wanted.id != id) {
            at = &(*at)->next;
            continue;
        }
        drop(o, at);
        r = 0;
    }
    update_wanted(o);
    return r;
}

void bpf_objects_request_recheck(struct bpf_objects *o, struct bpf_object_watch *w)
{
    w->needs_recheck = o->needs_recheck = true;
}

void bpf_objects_refresh(struct bpf_objects *o)
{
    if (!o->needs_recheck) /* asked at every change, of however many watches */
        return;
    o->needs_recheck = false;
    for (struct bpf_object_watch *w = o->first; w; w = w->next)
        if (watched_is_stale(&w->watched, &ops))
            (void)watched_place(&w->watched, &ops, o, NULL); /* what cannot be opened now keeps its old place */
}

void bpf_objects_free(struct bpf_objects *o)
{
    if (!o)
        return;
    while (o->first)
        drop(o, &o->first);
    foreign_mounts_free(o->mounts);
    free(o->bits);
    free(o);
}

/* ---- hits ---- */

/* The name that has `below` names beneath it in a list that begins at the leaf. */
static bool name_at(struct bytes names, uint32_t below, struct bytes *ret)
{
    const char *p = names.data, *end = names.data + names.len;

    for (uint32_t i = 0; p < end; i++) {
        const char *nul = memchr(p, '\0', (size_t)(end - p));

        if (!nul)
            return false;
        if (i == below) {
            *ret = (struct bytes){ p, (size_t)(nul - p) };
            return true;
        }
        p = nul + 1;
    }
    return false;
}

static unsigned places_of_name(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names,
                               struct bpf_place *places, unsigned size)
{
    struct wire_name_key key = { .parent = hit->anchor };
    struct bytes name;
    struct name_entry *e;
    unsigned n = 0;

    if (!hit->depth || !name_at(names, hit->depth - 1, &name))
        return 0;
    key.name = key_of(name);
    HASH_FIND(hh, o->names, &key, sizeof(key), e);
    for (unsigned i = 0; e && i < e->count && n < size; i++) {
        const struct name_use *u = &e->uses[i];
        size_t start = component_start(u->object->wanted.path, u->end);
        struct bytes expected = { u->object->wanted.path.data + start, u->end - start };

        /* an ancestor counts only as itself; a name by its key may be another one */
        if (!bytes_equal(expected, name) || (u->above && hit->depth != 1 && hit->kind != WIRE_HIT_NAME))
            continue; /* what was hit by a name has its place, also when that was found since */
        places[n++] = (struct bpf_place){ .object = u->object,
                                          .base_len = trim(u->object->wanted.path, start),
                                          .above = u->above && hit->kind != WIRE_HIT_NAME,
                                          .by_name = true };
    }
    return n;
}

unsigned bpf_objects_places(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names,
                            struct bpf_place *places, unsigned size)
{
    struct inode_entry *e;
    unsigned n = 0;

    if (hit->kind != WIRE_HIT_ROOT)
        return places_of_name(o, hit, names, places, size);
    e = find_inode(o, hit->anchor);
    for (unsigned i = 0; e && i < e->roots && n < size; i++)
        places[n++] = (struct bpf_place){ .object = e->objects[i],
                                          .base_len = e->objects[i]->wanted.path.len,
                                          .by_name = hit->depth > 0 };
    return n;
}
