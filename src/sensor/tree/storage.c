/* SPDX-License-Identifier: MIT */
/* What the records of the index share and how they are found: devices, looks, the tables of identities and names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/tree/state.h"
#include "sensor/tree/storage.h"

#define DEVICES_MAX 65535u

/* ---- life ---- */

void tree_clear(struct tree *t)
{
    struct record record;

    if (t->options.forget)
        for (uint32_t n = 0; (n = records_next(&t->records, n));)
            if (records_get(&t->records, n, &record) && record.directory)
                t->options.forget(t->options.data, n);
    for (uint32_t l = 1; l < t->attributes_count; l++)
        free(t->attributes[l].xattrs);
    for (uint32_t c = 1; c < t->children_count; c++)
        slots_done(&t->children[c]);
    records_done(&t->records);
    slots_done(&t->by_identity);
    slots_done(&t->by_attributes);
    free(t->children);
    free(t->attributes);
    free(t->devices);
    *t = (struct tree){ .options = t->options,
                        .seed = t->seed,
                        .mounts = t->mounts,
                        .frames = t->frames,
                        .frame_size = t->frame_size,
                        .root_fd = -EBADF };
}

/* ---- hashing: keyed, since names are chosen by others ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t m = (__uint128_t)(a ^ 0x9e3779b97f4a7c15ull) * (b ^ 0xd6e8feb86659fd93ull);

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint32_t hash_bytes(uint64_t seed, const void *data, size_t len)
{
    const unsigned char *p = data;
    uint64_t h = seed ^ len, word;

    for (; len >= 8; len -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = mix(h ^ word, seed + 0x2545f4914f6cdd1dull);
    }
    word = 0;
    if (len)
        memcpy(&word, p, len);
    h = mix(h ^ word, seed + 0x632be59bd9b4e019ull);
    return (uint32_t)(h >> 32);
}

static uint32_t tree_hash_identity(const struct tree *t, uint16_t device, uint64_t inode)
{
    return (uint32_t)(mix(inode ^ t->seed, ((uint64_t)device << 32) + (t->seed >> 7)) >> 32);
}

uint32_t tree_hash_name(const struct tree *t, struct bytes name)
{
    return hash_bytes(t->seed, name.data, name.len);
}

static uint32_t hash_of_object(const void *data, uint32_t object)
{
    const struct tree *t = data;
    struct record r;

    if (!records_get(&t->records, object, &r))
        return 0;
    return tree_hash_identity(t, t->attributes[r.attributes].device, r.inode);
}

static uint32_t hash_of_name(const void *data, uint32_t name)
{
    const struct tree *t = data;
    struct record r;

    if (!records_get(&t->records, name, &r))
        return 0;
    return tree_hash_name(t, r.name);
}

/* ---- devices ---- */

int tree_device_find(const struct tree *t, uint64_t device)
{
    for (uint32_t i = 0; i < t->device_count; i++)
        if (t->devices[i] == device)
            return (int)i;
    return -ENOENT;
}

int tree_device_number(struct tree *t, uint64_t device)
{
    int i = tree_device_find(t, device);
    uint64_t *devices;

    if (i >= 0)
        return i;
    if (t->device_count == DEVICES_MAX)
        return -E2BIG;
    devices = reallocarray(t->devices, t->device_count + 1, sizeof(*devices));
    if (!devices)
        return -ENOMEM;
    t->devices = devices;
    devices[t->device_count] = device;
    return (int)t->device_count++;
}

/* ---- by identity ---- */

uint32_t tree_find_identity(const struct tree *t, uint16_t device, uint64_t inode)
{
    uint32_t hash = tree_hash_identity(t, device, inode), at, left, o;
    struct record r;

    slots_start(&t->by_identity, hash, &at, &left);
    while ((o = slots_next(&t->by_identity, hash, &at, &left)))
        if (records_get(&t->records, o, &r) && r.inode == inode && t->attributes[r.attributes].device == device)
            return o;
    return 0;
}

int tree_identity_reserve(struct tree *t, uint32_t object)
{
    return slots_reserve(&t->by_identity, object, hash_of_object, t);
}

void tree_identity_add(struct tree *t, uint16_t device, uint64_t inode, uint32_t object)
{
    slots_add(&t->by_identity, tree_hash_identity(t, device, inode), object);
}

void tree_identity_remove(struct tree *t, uint32_t object)
{
    slots_remove(&t->by_identity, hash_of_object(t, object), object);
}

/* ---- numbered elements of an array ---- */

/* A new one at the end. The arrays grow by a quarter; what was not yet written of a large block takes no memory. */
static uint32_t take_number(void **array, size_t element, uint32_t *count, uint32_t *size)
{
    if (*count == *size) {
        uint32_t bigger;
        void *p;

        if (__builtin_add_overflow(*size, *size / 4 + 16, &bigger))
            return 0;
        p = reallocarray(*array, bigger, element);
        if (!p)
            return 0;
        *array = p;
        *size = bigger;
        if (*count == 0)
            *count = 1; /* number 0 is "none" */
    }
    return (*count)++;
}

/* ---- the names in a directory ---- */

/* The directory's table, made if it has none. */
static struct slots *children_of(struct tree *t, uint32_t directory, bool make)
{
    struct record r;
    uint32_t c;

    if (!records_get(&t->records, directory, &r))
        return NULL;
    if (r.children)
        return &t->children[r.children];
    if (!make)
        return NULL;
    c = t->children_free;
    if (c)
        t->children_free = t->children[c].first;
    else
        c = take_number((void **)&t->children, sizeof(*t->children), &t->children_count, &t->children_size);
    if (!c)
        return NULL;
    t->children[c] = (struct slots){ 0 };
    r.children = c;
    if (records_set(&t->records, directory, &r) < 0) {
        t->children[c].first = t->children_free;
        t->children_free = c;
        return NULL;
    }
    return &t->children[c];
}

int tree_children_reserve(struct tree *t, uint32_t directory, uint32_t name)
{
    struct slots *s = children_of(t, directory, true);
    uint32_t size;
    int r;

    if (!s)
        return -ENOMEM;
    size = s->size;
    r = slots_reserve(s, name, hash_of_name, t);
    t->children_memory += ((uint64_t)s->size - size) * sizeof(uint32_t);
    return r;
}

/* A table of the index that is made anew, and what that takes. */
static void settle_children(struct tree *t, struct slots *s)
{
    uint32_t size = s->size;

    slots_settle(s, hash_of_name, t);
    t->children_memory += ((uint64_t)s->size - size) * sizeof(uint32_t);
}

void tree_expect(struct tree *t, uint32_t directory, uint32_t more)
{
    struct slots *s = t->expecting ? children_of(t, t->expecting, false) : NULL;
    uint32_t last, size;

    if (s)
        settle_children(t, s);
    if (t->expecting)
        slots_settle(&t->by_identity, hash_of_object, t);
    t->expecting = 0;
    s = directory ? children_of(t, directory, true) : NULL;
    if (!s || more <= s->used || __builtin_add_overflow(t->records.count * 32, more, &last))
        return;
    more -= s->used;
    size = s->size;
    slots_expect(s, more, last, hash_of_name, t);
    t->children_memory += ((uint64_t)s->size - size) * sizeof(uint32_t);
    slots_expect(&t->by_identity, more, last, hash_of_object, t);
    t->expecting = directory;
}

void tree_children_add(struct tree *t, uint32_t directory, uint32_t name)
{
    slots_add(children_of(t, directory, false), hash_of_name(t, name), name);
}

void tree_children_add_named(struct tree *t, uint32_t directory, uint32_t name, struct bytes text)
{
    slots_add(children_of(t, directory, false), tree_hash_name(t, text), name);
}

void tree_children_remove(struct tree *t, uint32_t directory, uint32_t name)
{
    struct slots *s = children_of(t, directory, false);

    if (s)
        slots_remove(s, hash_of_name(t, name), name);
}

void tree_children_trim(struct tree *t, uint32_t directory)
{
    struct slots *s = children_of(t, directory, false);
    struct record r;

    if (!s || s->used || !records_get(&t->records, directory, &r))
        return;
    t->children_memory -= (uint64_t)s->size * sizeof(uint32_t);
    slots_done(s);
    s->first = t->children_free;
    t->children_free = r.children;
    r.children = 0;
    (void)records_set(&t->records, directory, &r);
}

/* ---- looks ---- */

static uint32_t hash_attributes(const struct tree *t, const struct object_attributes *l)
{
    uint32_t key[7] = { l->mode, l->uid, l->gid, l->flags, l->known_flags, (uint32_t)l->device << 16 | l->links,
                        hash_bytes(t->seed, l->xattrs, l->xattr_len) };

    return hash_bytes(t->seed, key, sizeof(key));
}

static uint32_t hash_of_attributes(const void *data, uint32_t l)
{
    const struct tree *t = data;

    return hash_attributes(t, &t->attributes[l]);
}

static bool attributes_equal(const struct object_attributes *a, const struct object_attributes *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->flags == b->flags &&
           a->known_flags == b->known_flags && a->device == b->device && a->links == b->links &&
           a->xattr_len == b->xattr_len &&
           (a->xattr_len == 0 || memcmp(a->xattrs, b->xattrs, a->xattr_len) == 0);
}

static uint32_t attributes_find(const struct tree *t, const struct object_attributes *wanted, uint32_t hash)
{
    uint32_t at, left, l;

    slots_start(&t->by_attributes, hash, &at, &left);
    while ((l = slots_next(&t->by_attributes, hash, &at, &left)))
        if (attributes_equal(&t->attributes[l], wanted))
            return l;
    return 0;
}

static uint32_t attributes_new(struct tree *t, const struct object_attributes *wanted, uint32_t hash)
{
    char *xattrs = NULL;
    uint32_t l;

    if (wanted->xattr_len) {
        xattrs = malloc(wanted->xattr_len);
        if (!xattrs)
            return 0;
        memcpy(xattrs, wanted->xattrs, wanted->xattr_len);
    }
    l = t->attributes_free;
    if (l)
        t->attributes_free = t->attributes[l].refs;
    else
        l = take_number((void **)&t->attributes, sizeof(*t->attributes), &t->attributes_count, &t->attributes_size);
    if (l && slots_reserve(&t->by_attributes, l, hash_of_attributes, t) < 0) {
        t->attributes[l] = (struct object_attributes){ .refs = t->attributes_free };
        t->attributes_free = l;
        l = 0;
    }
    if (!l) {
        free(xattrs);
        return 0;
    }
    t->attributes[l] = *wanted;
    t->attributes[l].xattrs = xattrs;
    t->attributes[l].refs = 0;
    slots_add(&t->by_attributes, hash, l);
    t->xattr_memory += wanted->xattr_len;
    return l;
}

uint32_t tree_attributes_get(struct tree *t, const struct object_attributes *wanted)
{
    uint32_t l = t->attributes_last, hash;

    if (!l || !attributes_equal(&t->attributes[l], wanted)) { /* neighbours look the same */
        hash = hash_attributes(t, wanted);
        l = attributes_find(t, wanted, hash);
        if (!l)
            l = attributes_new(t, wanted, hash);
    }
    if (l) {
        t->attributes[l].refs++;
        t->attributes_last = l;
    }
    return l;
}

void tree_attributes_put(struct tree *t, uint32_t l)
{
    if (!l || --t->attributes[l].refs)
        return;
    slots_remove(&t->by_attributes, hash_of_attributes(t, l), l);
    t->xattr_memory -= t->attributes[l].xattr_len;
    free(t->attributes[l].xattrs);
    if (t->attributes_last == l)
        t->attributes_last = 0;
    t->attributes[l] = (struct object_attributes){ .refs = t->attributes_free };
    t->attributes_free = l;
}
