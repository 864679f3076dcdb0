/* SPDX-License-Identifier: MIT */
/* Where the index keeps its objects, names, texts and looks, and how they are found by hash. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/tree/internal.h"

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

uint32_t tree_hash_identity(const struct tree *t, uint16_t device, uint64_t inode)
{
    return (uint32_t)(mix(inode ^ t->seed, ((uint64_t)device << 32) + (t->seed >> 7)) >> 32);
}

struct bytes tree_text(const struct tree *t, uint32_t text)
{
    const char *p = t->text + (size_t)text * TEXT_UNIT;

    return (struct bytes){ p + 1, (unsigned char)p[0] };
}

uint32_t tree_hash_name(const struct tree *t, uint32_t parent, struct bytes name)
{
    return hash_bytes(t->seed + parent * 0x9e3779b97f4a7c15ull, name.data, name.len);
}

uint32_t tree_hash_of_object(const struct tree *t, uint32_t o)
{
    return tree_hash_identity(t, t->objects[o].device, t->objects[o].inode);
}

uint32_t tree_hash_of_name(const struct tree *t, uint32_t n)
{
    return tree_hash_name(t, t->names[n].parent, tree_text(t, t->names[n].text));
}

uint32_t tree_table_home(const struct table *table, uint32_t hash)
{
    return (uint32_t)(((uint64_t)hash * table->size) >> 32);
}

void tree_table_insert(struct table *table, uint32_t hash, uint32_t number)
{
    uint32_t i = tree_table_home(table, hash);

    while (table->slots[i])
        i = i + 1 == table->size ? 0 : i + 1;
    table->slots[i] = number;
    table->count++;
}

/* Make room for one more. */
int tree_table_reserve(const struct tree *t, struct table *table, tree_hash_function *hash)
{
    struct table bigger = { .size = table->size + table->size / 2 + 64 };

    if (table->size && (uint64_t)(table->count + 1) * 100 <= (uint64_t)table->size * 85)
        return 0;
    bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
    if (!bigger.slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < table->size; i++)
        if (table->slots[i])
            tree_table_insert(&bigger, hash(t, table->slots[i]), table->slots[i]);
    free(table->slots);
    *table = bigger;
    return 0;
}

void tree_table_remove(const struct tree *t, struct table *table, tree_hash_function *hash,
                         uint32_t number)
{
    uint32_t i, j;

    if (!table->size)
        return;
    i = tree_table_home(table, hash(t, number));
    while (table->slots[i] != number) {
        if (!table->slots[i])
            return; /* not in the table: a ghost, see tree_object_put() */
        i = i + 1 == table->size ? 0 : i + 1;
    }
    /* close the hole: what was pushed past it moves back */
    for (j = i + 1 == table->size ? 0 : i + 1; table->slots[j];
         j = j + 1 == table->size ? 0 : j + 1) {
        uint32_t k = tree_table_home(table, hash(t, table->slots[j]));
        uint32_t from_home = j >= k ? j - k : j + table->size - k;
        uint32_t from_hole = j >= i ? j - i : j + table->size - i;

        if (from_home >= from_hole) {
            table->slots[i] = table->slots[j];
            i = j;
        }
    }
    table->slots[i] = 0;
    table->count--;
}

/* ---- storage ---- */

/* One more element: a free one, or a new one at the end. The arrays grow by half; what was not yet
 * written of a large block takes no memory. */
static uint32_t take_number(void **array, size_t element, uint32_t *count, uint32_t *size)
{
    if (*count == *size) {
        uint32_t bigger;
        void *p;

        if (__builtin_add_overflow(*size, *size / 2 + 64, &bigger))
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

uint32_t tree_object_new(struct tree *t)
{
    uint32_t o = t->object_free;

    if (o)
        t->object_free = (uint32_t)t->objects[o].inode;
    else
        o = take_number((void **)&t->objects, sizeof(*t->objects), &t->object_count,
                        &t->object_size);
    if (o)
        t->objects[o] = (struct object){ 0 };
    return o;
}

uint32_t tree_name_new(struct tree *t)
{
    uint32_t n = t->name_free;

    if (n)
        t->name_free = t->names[n].parent;
    else
        n = take_number((void **)&t->names, sizeof(*t->names), &t->name_count, &t->name_size);
    if (n)
        t->names[n] = (struct name){ 0 };
    return n;
}

static uint32_t text_units(size_t len)
{
    return (uint32_t)((1 + len + TEXT_UNIT - 1) / TEXT_UNIT);
}

uint32_t tree_text_new(struct tree *t, struct bytes name)
{
    uint32_t units = text_units(name.len), at;
    char *p;

    if (t->text_free[units]) {
        at = t->text_free[units];
        memcpy(&t->text_free[units], t->text + (size_t)at * TEXT_UNIT, sizeof(uint32_t));
    } else {
        if (t->text_count == 0)
            t->text_count = 1;
        if (t->text_size - t->text_count < units || !t->text) {
            uint32_t bigger;

            if (__builtin_add_overflow(t->text_size, t->text_size / 2 + 1024, &bigger))
                return 0;
            p = reallocarray(t->text, bigger, TEXT_UNIT);
            if (!p)
                return 0;
            t->text = p;
            t->text_size = bigger;
        }
        at = t->text_count;
        t->text_count += units;
    }
    p = t->text + (size_t)at * TEXT_UNIT;
    p[0] = (char)(unsigned char)name.len;
    if (name.len)
        memcpy(p + 1, name.data, name.len);
    return at;
}

void tree_text_drop(struct tree *t, uint32_t at)
{
    uint32_t units = text_units(tree_text(t, at).len);

    memcpy(t->text + (size_t)at * TEXT_UNIT, &t->text_free[units], sizeof(uint32_t));
    t->text_free[units] = at;
}

/* ---- looks ---- */

static uint32_t looks_bucket(const struct tree *t, const struct looks *l)
{
    uint32_t key[6] = { l->mode, l->uid, l->gid, l->flags, l->known_flags,
                        hash_bytes(t->seed, l->xattrs, l->xattr_len) };

    return hash_bytes(t->seed, key, sizeof(key)) % LOOKS_BUCKETS;
}

static bool looks_equal(const struct looks *a, const struct looks *b)
{
    return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->flags == b->flags &&
           a->known_flags == b->known_flags && a->xattr_len == b->xattr_len &&
           (a->xattr_len == 0 || memcmp(a->xattrs, b->xattrs, a->xattr_len) == 0);
}

uint32_t tree_looks_get(struct tree *t, const struct looks *wanted)
{
    uint32_t bucket = looks_bucket(t, wanted), l;
    char *xattrs = NULL;

    for (l = t->looks_buckets[bucket]; l; l = t->looks[l].next)
        if (looks_equal(&t->looks[l], wanted)) {
            t->looks[l].refs++;
            return l;
        }
    if (wanted->xattr_len) {
        xattrs = malloc(wanted->xattr_len);
        if (!xattrs)
            return 0;
        memcpy(xattrs, wanted->xattrs, wanted->xattr_len);
    }
    l = t->looks_free;
    if (l)
        t->looks_free = t->looks[l].next;
    else
        l = take_number((void **)&t->looks, sizeof(*t->looks), &t->looks_count, &t->looks_size);
    if (!l) {
        free(xattrs);
        return 0;
    }
    t->looks[l] = *wanted;
    t->looks[l].xattrs = xattrs;
    t->looks[l].refs = 1;
    t->looks[l].next = t->looks_buckets[bucket];
    t->looks_buckets[bucket] = l;
    t->xattr_memory += wanted->xattr_len;
    return l;
}

void tree_looks_put(struct tree *t, uint32_t l)
{
    uint32_t *at;

    if (!l || --t->looks[l].refs)
        return;
    for (at = &t->looks_buckets[looks_bucket(t, &t->looks[l])]; *at != l; at = &t->looks[*at].next)
        ;
    *at = t->looks[l].next;
    t->xattr_memory -= t->looks[l].xattr_len;
    free(t->looks[l].xattrs);
    t->looks[l] = (struct looks){ .next = t->looks_free };
    t->looks_free = l;
}
