/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "sensor/bpf/below.h"
#include "sensor/bpf/skeleton.h"
#include "sensor/bpf/watched_maps.h"
#include "util/cleanup.h"

struct bpf_objects {
    struct programs *programs;
    struct bpf_object_watch *first;
    struct bpf_watched_maps *maps;
    unsigned below; /* how many objects are mounts below others */
    bool needs_recheck; /* one of them may be */
    struct foreign_mounts *mounts;
    void (*before_placing)(void);
};

static uint32_t operations_of(unsigned permissions)
{
    uint32_t operations = BPF_NAME_OPERATIONS;

    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if (operation_info((enum operation)i)->permission & permissions)
            operations |= 1u << i;
    return operations;
}

int bpf_objects_new(struct programs *programs, struct bpf_objects **ret, struct err *err)
{
    struct bpf_objects *o = calloc(1, sizeof(*o));

    if (o)
        o->maps = bpf_maps_new(programs);
    if (!o || !o->maps) {
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

unsigned bpf_objects_places(struct bpf_objects *o, const struct wire_hit *hit, struct bytes names, struct bpf_place *places, unsigned size)
{
    return bpf_maps_places(o->maps, hit, names, places, size);
}

unsigned bpf_objects_link_place(struct bpf_objects *o, uint32_t device, struct bpf_place *ret)
{
    for (struct bpf_object_watch *w = o->first; w; w = w->next) {
        if (!w->exists || w->kernel_device != device)
            continue;
        *ret = (struct bpf_place){ .object = w, .base_len = w->wanted.path.len };
        return 1;
    }
    return 0;
}

void bpf_objects_before_placing(struct bpf_objects *o, void (*before)(void))
{
    o->before_placing = before;
}

struct bpf_object_watch *bpf_objects_first(struct bpf_objects *o)
{
    return o->first;
}

/* ---- placing ---- */

int bpf_objects_query(struct bpf_objects *o, int fd, struct wire_chain *ret)
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

/* The chain is what the kernel has from the deepest part of the path that exists up to the root. */
static int register_chain(struct bpf_objects *o, struct bpf_object_watch *w, const struct wire_chain *c)
{
    struct bytes path = w->wanted.path;
    size_t end = bpf_path_trim(path, path.len - w->pin.missing);
    int r = 0;

    w->mount_len = end;
    if (w->exists) {
        r = bpf_maps_add_root(o->maps, w, &c->entries[0]);
    } else {
        struct bytes rest = { path.data + path.len - w->pin.missing, w->pin.missing };
        const char *slash = memchr(rest.data, '/', rest.len);
        size_t n = slash ? (size_t)(slash - rest.data) : rest.len;

        r = bpf_maps_add_name(o->maps, w, &c->entries[0], bpf_name_key((struct bytes){ rest.data, n }),
                              path.len - w->pin.missing + n, false);
    }
    for (uint32_t i = 0; i < c->levels_in_mount; i++)
        w->mount_len = bpf_path_trim(path, bpf_path_component(path, w->mount_len));
    w->above_mount = c->levels_in_file_system;
    for (uint32_t i = 0; r >= 0 && i + 1 < c->count; i++) {
        const struct wire_chain_entry *e = &c->entries[i];
        bool itself = w->exists && end == bpf_path_trim(path, path.len);

        if (e->mount)
            continue; /* its name is that of the directory it is mounted on: the next entry */
        if (end == 0)
            break; /* above the root of the namespace's processes */
        r = bpf_maps_add_name(o->maps, w, &c->entries[i + 1], e->name, end, !itself);
        end = bpf_path_trim(path, bpf_path_component(path, end));
    }
    return r;
}

static void disarm(struct watched_object *watched, void *data)
{
    struct bpf_object_watch *w = (struct bpf_object_watch *)watched;
    struct bpf_objects *o = data;

    bpf_maps_remove_root(o->maps, w);
    bpf_maps_remove_names(o->maps, w);
    if (w->super)
        bpf_maps_remove_super(o->maps, w->super - 1);
    for (unsigned i = 0; i < w->device_count; i++)
        bpf_maps_remove_filter(o->maps, WIRE_FILTER_ABOVE(w->devices[i]));
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
    bpf_maps_remove_root(o->maps, w);
    bpf_maps_remove_names(o->maps, w);
    if (was->super)
        bpf_maps_remove_super(o->maps, was->super - 1);
    for (unsigned i = 0; i < was->device_count; i++)
        bpf_maps_remove_filter(o->maps, WIRE_FILTER_ABOVE(was->devices[i]));
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
    r = bpf_objects_query(o, w->pin.fd, chain);
    if (r == 0 && fstat(w->pin.fd, &st) == 0)
        w->device = st.st_dev;
    if (r < 0) {
        pin_close(&w->pin);
        w->pin = old_pin;
        return err_set(err, r, "asking the kernel for a watched path");
    }
    if (o->before_placing)
        o->before_placing();
    was = *w;
    w->root = 0;
    w->keys = NULL;
    w->key_count = 0;
    w->exists = w->pin.missing == 0;
    w->kernel_device = chain->entries[0].device;
    w->served = chain->inode_flags & WIRE_INODE_NOCMTIME;
    w->device_count = 0;
    for (uint32_t i = 0; i < chain->count && w->device_count < ARRAY_SIZE(w->devices); i++) {
        if (w->device_count && w->devices[w->device_count - 1] == chain->entries[i].device)
            continue;
        w->devices[w->device_count++] = chain->entries[i].device;
        bpf_maps_add_filter(o->maps, WIRE_FILTER_ABOVE(chain->entries[i].device));
    }
    w->super = (unsigned)WIRE_SUPER(w->kernel_device) + 1;
    bpf_maps_add_super(o->maps, w->super - 1);
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
    bpf_maps_free(o->maps);
    free(o);
}
