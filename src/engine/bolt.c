/* SPDX-License-Identifier: MIT */
#include "engine/bolt.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/hash.h"
#include "util/load.h"

#define MAGIC 0xED0CDAEDu
#define VERSION 2
#define PAGE_HEADER 16
#define DEPTH_MAX 64 /* levels of one tree: damaged files have circles */

enum { FLAG_BRANCH = 0x01, FLAG_LEAF = 0x02, FLAG_META = 0x04 };
#define ELEMENT 16
#define ELEMENT_BUCKET 0x01

/* A page as it lies in the file, its overflow pages included. */
struct bolt_page {
    struct bytes bytes;
    uint16_t flags, count;
};

struct bolt_tree {
    struct bytes file;
    uint32_t page_size;
    uint64_t root;
    struct bytes inline_page; /* a small bucket lies within its value; BYTES_NULL: it has pages */
};

static int page_of(struct bytes bytes, struct bolt_page *ret)
{
    if (bytes.len < PAGE_HEADER)
        return -EBADMSG;
    *ret = (struct bolt_page){ bytes, load_u16(bytes.data + 8), load_u16(bytes.data + 10) };
    return (size_t)ret->count * ELEMENT > bytes.len - PAGE_HEADER ? -EBADMSG : 0;
}

static int page_at(const struct bolt_tree *t, uint64_t number, struct bolt_page *ret)
{
    uint64_t start, len;

    if (t->inline_page.data)
        return page_of(t->inline_page, ret);
    if (__builtin_mul_overflow(number, (uint64_t)t->page_size, &start) ||
        start > t->file.len || t->file.len - start < t->page_size)
        return -EBADMSG;
    len = ((uint64_t)load_u32(t->file.data + start + 12) + 1) * t->page_size;
    if (len > t->file.len - start)
        return -EBADMSG;
    return page_of((struct bytes){ t->file.data + start, (size_t)len }, ret);
}

/* FNV-1a, 64 bits, over the bytes before it. */
static bool meta_is_whole(const char *meta)
{
    return hash_add(HASH_START, meta, 56) == load_u64(meta + 56);
}

/* Two meta pages are written in turn: the newer one that is whole counts. */
static int open_root(struct bytes file, struct bolt_tree *ret)
{
    static const uint32_t sizes[] = { 4096, 8192, 16384, 65536 };
    uint64_t newest = 0;
    bool found = false;
    uint32_t size = 0;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 2; i++) {
        uint64_t at = (i % 2) * sizes[i / 2];
        const char *meta;

        if (at > file.len || file.len - at < PAGE_HEADER + 64)
            continue;
        meta = file.data + at + PAGE_HEADER;
        if (load_u32(meta) != MAGIC || load_u32(meta + 4) != VERSION || !meta_is_whole(meta) ||
            (found && load_u64(meta + 48) < newest))
            continue;
        size = load_u32(meta + 8);
        if (size < 1024 || size > 1024 * 1024)
            continue;
        found = true;
        newest = load_u64(meta + 48);
        *ret = (struct bolt_tree){ .file = file, .page_size = size, .root = load_u64(meta + 16) };
    }
    return found ? 0 : -EBADMSG;
}

/* `len` bytes, `offset` behind the element itself. */
static bool slice(const struct bolt_page *p, size_t element, uint64_t offset, uint64_t len, struct bytes *ret)
{
    uint64_t at;

    if (__builtin_add_overflow(element, offset, &at) || at > p->bytes.len || len > p->bytes.len - at)
        return false;
    *ret = (struct bytes){ p->bytes.data + at, (size_t)len };
    return true;
}

static int compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int r = n ? memcmp(a.data, b.data, n) : 0;

    return r ? r : a.len < b.len ? -1 : a.len > b.len;
}

/* The key's place in a leaf: value and whether it is a bucket. */
static int find_in_leaf(const struct bolt_page *p, struct bytes key, struct bytes *ret, bool *ret_bucket)
{
    for (unsigned i = 0; i < p->count; i++) {
        size_t element = PAGE_HEADER + (size_t)i * ELEMENT;
        const char *e = p->bytes.data + element;
        struct bytes found, value;
        uint64_t key_len = load_u32(e + 8), value_len = load_u32(e + 12), offset = load_u32(e + 4);

        if (!slice(p, element, offset, key_len, &found) ||
            !slice(p, element, offset + key_len, value_len, &value))
            return -EBADMSG;
        if (!bytes_equal(found, key))
            continue;
        *ret = value;
        *ret_bucket = load_u32(e) & ELEMENT_BUCKET;
        return 0;
    }
    return -ENOENT;
}

/* The child that holds the key: the last one that does not begin behind it. */
static int child_for(const struct bolt_page *p, struct bytes key, uint64_t *ret)
{
    if (!p->count)
        return -EBADMSG;
    for (unsigned i = 0; i < p->count; i++) {
        size_t element = PAGE_HEADER + (size_t)i * ELEMENT;
        const char *e = p->bytes.data + element;
        struct bytes first;

        if (!slice(p, element, load_u32(e), load_u32(e + 4), &first))
            return -EBADMSG;
        if (i > 0 && compare(first, key) > 0)
            break;
        *ret = load_u64(e + 8);
    }
    return 0;
}

static int find(const struct bolt_tree *t, struct bytes key, struct bytes *ret, bool *ret_bucket)
{
    uint64_t number = t->root;

    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        struct bolt_page p;
        int r = page_at(t, number, &p);

        if (r < 0)
            return r;
        if (p.flags & FLAG_LEAF)
            return find_in_leaf(&p, key, ret, ret_bucket);
        if (!(p.flags & FLAG_BRANCH) || t->inline_page.data)
            return -EBADMSG;
        r = child_for(&p, key, &number);
        if (r < 0)
            return r;
    }
    return -EBADMSG;
}

int bolt_get(struct bytes file, const struct bytes *path, size_t count, struct bytes *ret)
{
    struct bolt_tree t = { 0 };
    int r = open_root(file, &t);

    for (size_t i = 0; i < count && r == 0; i++) {
        struct bytes value;
        bool bucket = false;

        r = find(&t, path[i], &value, &bucket);
        if (r < 0)
            return r;
        if (i + 1 == count) {
            if (bucket)
                return -ENOENT;
            *ret = value;
            return 0;
        }
        if (!bucket)
            return -ENOENT;
        if (value.len < 16)
            return -EBADMSG;
        t.root = load_u64(value.data);
        t.inline_page = t.root ? BYTES_NULL : (struct bytes){ value.data + 16, value.len - 16 };
    }
    return r < 0 ? r : -ENOENT;
}
