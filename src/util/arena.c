/* SPDX-License-Identifier: MIT */
#include "util/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(8) char data[];
};

void arena_done(struct arena *a)
{
    struct arena_block *b = a->blocks;

    while (b) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    a->blocks = NULL;
    a->failed = false;
}

struct shared_arena *shared_arena_new(void)
{
    struct shared_arena *s = calloc(1, sizeof(*s));

    if (s)
        s->refs = 1;
    return s;
}

struct shared_arena *shared_arena_ref(struct shared_arena *s)
{
    if (s)
        s->refs++;
    return s;
}

void shared_arena_unref(struct shared_arena *s)
{
    if (!s || --s->refs > 0)
        return;
    arena_done(&s->arena);
    free(s);
}

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *b = a->blocks;
    void *p;

    if (size > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    size = (size + 7) & ~(size_t)7;
    if (!b || b->size - b->used < size) {
        /* 480 + header fits one 512-byte malloc class: an ordinary event needs one block */
        size_t first = a->first_size ? a->first_size : 480;
        size_t next = b && b->size < 480 ? (size_t)480 : (size_t)2000;
        size_t block_size = MAX(size, b ? next : first);

        b = malloc(sizeof(*b) + block_size);
        if (!b) {
            a->failed = true;
            return NULL;
        }
        b->next = a->blocks;
        b->used = 0;
        b->size = block_size;
        a->blocks = b;
    }
    p = b->data + b->used;
    b->used += size;
    return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    char *p;

    if (!b.data)
        return BYTES_NULL;
    p = arena_alloc(a, b.len + 1);
    if (!p)
        return BYTES_NULL;
    if (b.len)
        memcpy(p, b.data, b.len);
    p[b.len] = '\0';
    return (struct bytes){ p, b.len };
}

struct bytes arena_join_path(struct arena *a, struct bytes dir, struct bytes rest)
{
    size_t len = 0;
    char *p;

    while (dir.len > 0 && dir.data[dir.len - 1] == '/')
        dir.len--;
    while (rest.len > 0 && rest.data[0] == '/') {
        rest.data++;
        rest.len--;
    }
    p = arena_alloc(a, dir.len + rest.len + 2);
    if (!p)
        return BYTES_NULL;
    if (dir.len)
        memcpy(p, dir.data, dir.len);
    len = dir.len;
    if (rest.len || len == 0)
        p[len++] = '/';
    if (rest.len)
        memcpy(p + len, rest.data, rest.len);
    len += rest.len;
    p[len] = '\0';
    return (struct bytes){ p, len };
}
