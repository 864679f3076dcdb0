/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/watched_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/bpf/skeleton.h"
#include "util/hash_table.h"

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

struct bpf_watched_maps {
    struct programs *programs;
    struct inode_entry *inodes;
    struct inode_entry *asked; /* what was looked for last, NULL: none */
    struct name_entry *names;
    uint8_t *bits; /* how many set each bit of the filter; 255 stays */
    uint32_t supers[WIRE_SUPERS]; /* how many set each byte of those */
};

struct bpf_watched_maps *bpf_maps_new(struct programs *programs)
{
    struct bpf_watched_maps *m = calloc(1, sizeof(*m));

    if (m)
        m->bits = calloc(WIRE_FILTER_BITS, 1);
    if (!m || !m->bits) {
        free(m);
        return NULL;
    }
    m->programs = programs;
    return m;
}

void bpf_maps_free(struct bpf_watched_maps *m)
{
    if (!m)
        return;
    free(m->bits);
    free(m);
}

void bpf_maps_add_filter(struct bpf_watched_maps *m, uint64_t key)
{
    uint64_t h = WIRE_FILTER_HASH(key);

    if (m->bits[h] < UINT8_MAX)
        m->bits[h]++;
    m->programs->skeleton->bss->filter[h >> 6] |= 1ull << (h & 63);
}

void bpf_maps_remove_filter(struct bpf_watched_maps *m, uint64_t key)
{
    uint64_t h = WIRE_FILTER_HASH(key);

    if (m->bits[h] == UINT8_MAX || m->bits[h] == 0)
        return;
    if (--m->bits[h] == 0)
        m->programs->skeleton->bss->filter[h >> 6] &= ~(1ull << (h & 63));
}

void bpf_maps_add_super(struct bpf_watched_maps *m, unsigned slot)
{
    if (m->supers[slot]++ == 0)
        m->programs->skeleton->bss->supers[slot] = 1;
}

void bpf_maps_remove_super(struct bpf_watched_maps *m, unsigned slot)
{
    if (--m->supers[slot] == 0)
        m->programs->skeleton->bss->supers[slot] = 0;
}

/* After the maps were written: what the programs found before is not what is there now. */
static int written(struct bpf_watched_maps *m, int result)
{
    __atomic_fetch_add(&m->programs->skeleton->bss->generation, 1, __ATOMIC_SEQ_CST);
    return result;
}

static int write_inode(struct bpf_watched_maps *m, const struct inode_entry *e)
{
    int fd = bpf_map__fd(m->programs->skeleton->maps.watched);
    struct wire_watched w = { .kinds = (e->roots ? WIRE_WATCHED_ROOT : 0) |
                                       (e->anchors ? WIRE_WATCHED_ANCHOR : 0) };

    if (!w.kinds)
        return written(m, bpf_map_delete_elem(fd, &e->inode));
    for (unsigned i = 0; i < e->roots; i++)
        w.operations |= e->objects[i]->operations;
    return written(m, bpf_map_update_elem(fd, &e->inode, &w, BPF_ANY));
}

static int write_name(struct bpf_watched_maps *m, const struct name_entry *e)
{
    int fd = bpf_map__fd(m->programs->skeleton->maps.names);
    struct wire_watched w = { 0 };

    if (!e->count)
        return written(m, bpf_map_delete_elem(fd, &e->key));
    for (unsigned i = 0; i < e->count; i++) {
        w.kinds |= e->uses[i].above ? WIRE_WATCHED_ABOVE : WIRE_WATCHED_NAME;
        w.operations |= e->uses[i].above ? BPF_NAME_OPERATIONS : e->uses[i].object->operations;
    }
    return written(m, bpf_map_update_elem(fd, &e->key, &w, BPF_ANY));
}

static struct inode_entry *find_inode(struct bpf_watched_maps *m, uint64_t inode)
{
    struct inode_entry *e = m->asked;

    if (e && e->inode == inode)
        return e;
    HASH_FIND(hh, m->inodes, &inode, sizeof(inode), e);
    if (e)
        m->asked = e;
    return e;
}

static struct inode_entry *make_inode(struct bpf_watched_maps *m, const struct wire_chain_entry *entry)
{
    struct inode_entry *e = find_inode(m, entry->inode);

    if (e)
        return e;
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->inode = entry->inode;
    e->filter = WIRE_FILTER_INODE(entry->device, entry->number);
    HASH_ADD(hh, m->inodes, inode, sizeof(e->inode), e);
    HASH_FREE_IF_OUT(hh, e);
    if (!e)
        return NULL;
    bpf_maps_add_filter(m, e->filter);
    return e;
}

static void inode_done(struct bpf_watched_maps *m, struct inode_entry *e)
{
    (void)write_inode(m, e);
    if (e->roots || e->anchors)
        return;
    bpf_maps_remove_filter(m, e->filter);
    HASH_DELETE(hh, m->inodes, e);
    if (m->asked == e)
        m->asked = NULL;
    free(e->objects);
    free(e);
}

int bpf_maps_add_root(struct bpf_watched_maps *m, struct bpf_object_watch *w,
                      const struct wire_chain_entry *entry)
{
    struct inode_entry *e = make_inode(m, entry);
    struct bpf_object_watch **more =
        e ? reallocarray(e->objects, e->roots + 1, sizeof(struct bpf_object_watch *)) : NULL;

    if (!more)
        return -ENOMEM;
    if (e->anchors) /* another path leads through it: watches within each other */
        m->programs->skeleton->bss->overlaps = 1;
    e->objects = more;
    if (!e->roots)
        bpf_maps_add_filter(m, WIRE_FILTER_ROOT(e->inode));
    e->objects[e->roots++] = w;
    w->root = entry->inode;
    return write_inode(m, e);
}

void bpf_maps_remove_root(struct bpf_watched_maps *m, struct bpf_object_watch *w)
{
    struct inode_entry *e = w->root ? find_inode(m, w->root) : NULL;

    w->root = 0;
    for (unsigned i = 0; e && i < e->roots; i++) {
        if (e->objects[i] != w)
            continue;
        e->objects[i] = e->objects[--e->roots];
        if (!e->roots)
            bpf_maps_remove_filter(m, WIRE_FILTER_ROOT(e->inode));
        inode_done(m, e);
        return;
    }
}

int bpf_maps_add_name(struct bpf_watched_maps *m, struct bpf_object_watch *w,
                      const struct wire_chain_entry *parent, uint64_t name, size_t end, bool above)
{
    struct wire_name_key key = { .parent = parent->inode, .name = name };
    struct inode_entry *anchor = make_inode(m, parent);
    struct wire_name_key *keys;
    struct name_use *more;
    struct name_entry *e;

    HASH_FIND(hh, m->names, &key, sizeof(key), e);
    if (!e) {
        e = calloc(1, sizeof(*e));
        if (!e)
            return -ENOMEM;
        e->key = key;
        HASH_ADD(hh, m->names, key, sizeof(e->key), e);
        HASH_FREE_IF_OUT(hh, e);
        if (!e)
            return -ENOMEM;
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
    if (anchor->anchors++ == 0)
        bpf_maps_add_filter(m, WIRE_FILTER_ANCHOR(anchor->inode));
    if (anchor->roots)
        m->programs->skeleton->bss->overlaps = 1;
    return write_name(m, e) < 0 || write_inode(m, anchor) < 0 ? -errno : 0;
}

static void remove_name(struct bpf_watched_maps *m, struct name_entry *e, const struct bpf_object_watch *w)
{
    struct inode_entry *anchor = find_inode(m, e->key.parent);

    for (unsigned i = 0; i < e->count; i++) {
        if (e->uses[i].object != w)
            continue;
        e->uses[i] = e->uses[--e->count];
        break;
    }
    (void)write_name(m, e);
    if (anchor) {
        if (--anchor->anchors == 0)
            bpf_maps_remove_filter(m, WIRE_FILTER_ANCHOR(anchor->inode));
        inode_done(m, anchor);
    }
    if (e->count == 0) {
        HASH_DELETE(hh, m->names, e);
        free(e->uses);
        free(e);
    }
}

void bpf_maps_remove_names(struct bpf_watched_maps *m, struct bpf_object_watch *w)
{
    for (unsigned i = 0; i < w->key_count; i++) {
        struct name_entry *e;

        HASH_FIND(hh, m->names, &w->keys[i], sizeof(w->keys[i]), e);
        if (e)
            remove_name(m, e, w);
    }
    free(w->keys);
    w->keys = NULL;
    w->key_count = 0;
}

uint64_t bpf_name_key(struct bytes name)
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

size_t bpf_path_trim(struct bytes path, size_t len)
{
    while (len && path.data[len - 1] == '/')
        len--;
    return len;
}

/* Where the component before `end` begins. */
size_t bpf_path_component(struct bytes path, size_t end)
{
    while (end && path.data[end - 1] != '/')
        end--;
    return end;
}

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

static unsigned places_of_name(struct bpf_watched_maps *m, const struct wire_hit *hit, struct bytes names,
                               struct bpf_place *places, unsigned size)
{
    struct wire_name_key key = { .parent = hit->anchor };
    struct bytes name;
    struct name_entry *e;
    unsigned n = 0;

    if (!hit->depth || !name_at(names, hit->depth - 1, &name))
        return 0;
    key.name = bpf_name_key(name);
    HASH_FIND(hh, m->names, &key, sizeof(key), e);
    for (unsigned i = 0; e && i < e->count && n < size; i++) {
        const struct name_use *u = &e->uses[i];
        size_t start = bpf_path_component(u->object->wanted.path, u->end);
        struct bytes expected = { u->object->wanted.path.data + start, u->end - start };

        /* an ancestor counts only as itself; a name by its key may be another one */
        if (!bytes_equal(expected, name) || (u->above && hit->depth != 1 && hit->kind != WIRE_HIT_NAME))
            continue; /* what was hit by a name has its place, also when that was found since */
        places[n++] = (struct bpf_place){ .object = u->object,
                                          .base_len = bpf_path_trim(u->object->wanted.path, start),
                                          .above = u->above && hit->kind != WIRE_HIT_NAME,
                                          .by_name = true };
    }
    return n;
}

unsigned bpf_maps_places(struct bpf_watched_maps *m, const struct wire_hit *hit, struct bytes names,
                         struct bpf_place *places, unsigned size)
{
    struct inode_entry *e;
    unsigned n = 0;

    if (hit->kind != WIRE_HIT_ROOT)
        return places_of_name(m, hit, names, places, size);
    e = find_inode(m, hit->anchor);
    for (unsigned i = 0; e && i < e->roots && n < size; i++)
        places[n++] = (struct bpf_place){ .object = e->objects[i],
                                          .base_len = e->objects[i]->wanted.path.len,
                                          .by_name = hit->depth > 0 };
    return n;
}
