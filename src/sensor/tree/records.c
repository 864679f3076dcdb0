/* SPDX-License-Identifier: MIT */
#include "sensor/tree/records.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/fold.h"
#include "util/macro.h"

#define PER_BLOCK 32u
#define SLACK 8u           /* bytes behind the last record: numbers are read eight bytes at a time */
#define STEP 64u           /* bytes that a block grows by while it is filled */
#define RECORD_MAX 352u    /* everything at its longest, with a name of 255 bytes */

/*
 * A record: two bytes of code, a third of its name and birth, of an object two of its birth if that is known, then what the code
 * says is there, then the name to the end, without what it begins with as the block's does. A NUL at the end only makes the
 * length even: names have none.
 */
enum {
    CODE_INODE = 0,          /* 3 bits each: how many bytes, see widths */
    CODE_SIZE = 3,
    CODE_MTIME = 6,
    CODE_CTIME = 9,
    CODE_PARENT = 1 << 12,   /* another than the block's: 4 bytes */
    CODE_LOOKS = 1 << 13,    /* the same */
    CODE_DIRECTORY = 1 << 14,
    CODE_MORE = 1 << 15,     /* a byte of what is rare */
};
enum { MORE_ALIAS = 1, MORE_NEXT = 2, MORE_CHILDREN = 4 }; /* 4 bytes each */
enum { SHARED_MAX = 127, SHARED_BORN = 128 }; /* the third byte: how much of the block's name; there is a birth */

static const uint8_t widths[8] = { 0, 1, 2, 3, 4, 5, 6, 8 };
#define WIDTH_ALL 7u /* its place in widths */

struct records_block {
    uint32_t used;        /* a bit for each record */
    uint32_t next_free, previous_free; /* index + 1 of the next block with room, of the one before; 0 = none */
    uint32_t parent, attributes;
    uint64_t inode;
    int64_t mtime_ns;
    uint16_t length, size; /* bytes of data: in use, there */
    bool has_room;        /* it is in the list of those */
    uint8_t name_len;     /* with that name the data begin */
    uint8_t halves[PER_BLOCK]; /* length of each record, in units of 2 bytes */
    unsigned char data[];
};

static struct records_block *block_of(const struct records *r, uint32_t index)
{
    uintptr_t p = index < r->count ? r->blocks[index] : 1;

    return p & 1 ? NULL : (struct records_block *)p;
}

static size_t offset_of(const struct records_block *b, uint32_t i)
{
    size_t sum = 0;

    for (uint32_t word = 0; word < i; word += 8) {
        uint64_t v, even;

        memcpy(&v, b->halves + word, 8);
        v = le64toh(v);
        if (i - word < 8)
            v &= (1ull << (8 * (i - word))) - 1;
        even = (v & 0x00ff00ff00ff00ffull) + ((v >> 8) & 0x00ff00ff00ff00ffull);
        sum += (even * 0x0001000100010001ull) >> 48;
    }
    return b->name_len + sum * 2;
}

/* ---- one record as bytes ---- */

static unsigned width_of(uint64_t v)
{
    unsigned w = 0;

    while (w < WIDTH_ALL && v >> (8 * widths[w]))
        w++;
    return w;
}

static unsigned char *put_number(unsigned char *p, uint64_t v, unsigned bytes)
{
    v = htole64(v);
    memcpy(p, &v, 8);
    return p + bytes;
}

static uint64_t take_number(const unsigned char **p, unsigned bytes)
{
    uint64_t v;

    memcpy(&v, *p, 8);
    *p += bytes;
    v = le64toh(v);
    return bytes == 8 ? v : v & ((1ull << (8 * bytes)) - 1);
}

/* So many bytes does the name begin with that the block's begins with. */
static unsigned shared_with(const struct records_block *b, struct bytes name)
{
    unsigned n = 0, most = (unsigned)MIN(name.len, (size_t)b->name_len);

    while (n < most && (unsigned char)name.data[n] == b->data[n])
        n++;
    return n;
}

static size_t encode(const struct records_block *b, const struct record *r, unsigned char out[RECORD_MAX])
{
    uint64_t values[4] = { fold(r->inode - b->inode), r->size + 1, fold((uint64_t)r->mtime_ns - (uint64_t)b->mtime_ns),
                           fold((uint64_t)r->ctime_ns - (uint64_t)r->mtime_ns) };
    unsigned code = 0, more = (r->object ? MORE_ALIAS : 0) | (r->next_alias ? MORE_NEXT : 0) | (r->children ? MORE_CHILDREN : 0);
    unsigned shared = shared_with(b, r->name);
    unsigned char *p = out + 3;
    size_t len;

    if (r->object)
        memset(values, 0, sizeof(values));
    if (r->parent != b->parent) {
        code |= CODE_PARENT;
        p = put_number(p, r->parent, 4);
    }
    if (r->attributes != b->attributes) {
        code |= CODE_LOOKS;
        p = put_number(p, r->attributes, 4);
    }
    if (r->directory)
        code |= CODE_DIRECTORY;
    if (more) {
        code |= CODE_MORE;
        *p++ = (unsigned char)more;
    }
    if (more & MORE_ALIAS)
        p = put_number(p, r->object, 4);
    if (more & MORE_NEXT)
        p = put_number(p, r->next_alias, 4);
    if (more & MORE_CHILDREN)
        p = put_number(p, r->children, 4);
    if (r->born && !r->object)
        p = put_number(p, r->born, 2);
    for (unsigned i = 0; i < 4; i++) {
        unsigned width = width_of(values[i]);

        code |= width << (3 * i);
        p = put_number(p, values[i], widths[width]);
    }
    out[0] = (unsigned char)code;
    out[1] = (unsigned char)(code >> 8);
    out[2] = (unsigned char)(shared | (r->born && !r->object ? SHARED_BORN : 0));
    if (r->name.len > shared)
        memcpy(p, r->name.data + shared, r->name.len - shared);
    p += r->name.len - shared;
    len = (size_t)(p - out);
    if (len & 1)
        out[len++] = 0;
    return len;
}

/* rest: behind what it shares with the block's name. */
static void take_name(const struct records_block *b, unsigned shared, struct bytes rest, struct record *ret)
{
    if (rest.len && !rest.data[rest.len - 1])
        rest.len--;
    ret->name = rest;
    if (!shared)
        return;
    memcpy(ret->text, b->data, shared);
    memcpy(ret->text + shared, rest.data, rest.len);
    ret->name = (struct bytes){ ret->text, shared + rest.len };
}

static void decode(const struct records_block *b, const unsigned char *p, size_t len, struct record *ret)
{
    const unsigned char *end = p + len;
    unsigned code = (unsigned)take_number(&p, 2), shared = (unsigned)take_number(&p, 1), more = 0;
    uint64_t values[4];

    /* not all of *ret: its text is long, and this is done very often */
    ret->parent = code & CODE_PARENT ? (uint32_t)take_number(&p, 4) : b->parent;
    ret->attributes = code & CODE_LOOKS ? (uint32_t)take_number(&p, 4) : b->attributes;
    ret->directory = code & CODE_DIRECTORY;
    if (code & CODE_MORE)
        more = *p++;
    ret->object = more & MORE_ALIAS ? (uint32_t)take_number(&p, 4) : 0;
    ret->next_alias = more & MORE_NEXT ? (uint32_t)take_number(&p, 4) : 0;
    ret->children = more & MORE_CHILDREN ? (uint32_t)take_number(&p, 4) : 0;
    ret->born = shared & SHARED_BORN ? (uint16_t)take_number(&p, 2) : 0;
    for (unsigned i = 0; i < 4; i++)
        values[i] = take_number(&p, widths[code >> (3 * i) & 7]);
    ret->inode = ret->object ? 0 : b->inode + unfold(values[CODE_INODE / 3]);
    ret->size = ret->object ? 0 : values[CODE_SIZE / 3] - 1; /* so that "not known", the greatest, takes no byte */
    ret->mtime_ns = ret->object ? 0 : (int64_t)((uint64_t)b->mtime_ns + unfold(values[CODE_MTIME / 3]));
    ret->ctime_ns = ret->object ? 0 : (int64_t)((uint64_t)ret->mtime_ns + unfold(values[CODE_CTIME / 3]));
    take_name(b, shared & SHARED_MAX, (struct bytes){ (const char *)p, (size_t)(end - p) }, ret);
}

/* ---- blocks ---- */

static int resize(struct records *r, uint32_t index, size_t size)
{
    struct records_block *b = block_of(r, index);
    size_t old = b ? b->size : 0;

    size = size > UINT16_MAX ? UINT16_MAX : size;
    b = realloc(b, sizeof(*b) + size + SLACK);
    if (!b)
        return -ENOMEM;
    r->memory += size - old;
    b->size = (uint16_t)size;
    r->blocks[index] = (uintptr_t)b;
    return 0;
}

/* Replace record `i` by these bytes; none: it is gone. */
static int replace(struct records *r, uint32_t index, uint32_t i, const unsigned char *bytes, size_t len)
{
    struct records_block *b = block_of(r, index);
    size_t at = offset_of(b, i), old = b->halves[i] * 2u, length = b->length - old + len;

    if (length > b->size) {
        if (resize(r, index, length + STEP) < 0)
            return -ENOMEM;
        b = block_of(r, index);
    }
    memmove(b->data + at + len, b->data + at + old, b->length - at - old);
    if (len)
        memcpy(b->data + at, bytes, len);
    b->halves[i] = (uint8_t)(len / 2);
    b->length = (uint16_t)length;
    if (b->size > 2 * length + 4 * STEP)
        (void)resize(r, index, length + STEP);
    return 0;
}

static int one_more_place(struct records *r)
{
    uint32_t size;
    uintptr_t *p;

    if (r->count < r->size)
        return 0;
    if (__builtin_add_overflow(r->size, r->size / 4 + 16, &size) || size > UINT32_MAX / PER_BLOCK - 1)
        return -ENOMEM;
    p = reallocarray(r->blocks, size, sizeof(*p));
    if (!p)
        return -ENOMEM;
    r->blocks = p;
    r->size = size;
    return 0;
}

static void list_block(struct records *r, uint32_t index)
{
    struct records_block *b = block_of(r, index);

    b->has_room = true;
    b->previous_free = 0;
    b->next_free = r->free_block;
    if (b->next_free)
        block_of(r, b->next_free - 1)->previous_free = index + 1;
    r->free_block = index + 1;
}

static void unlist(struct records *r, uint32_t index)
{
    struct records_block *b = block_of(r, index);

    if (!b->has_room)
        return;
    b->has_room = false;
    *(b->previous_free ? &block_of(r, b->previous_free - 1)->next_free : &r->free_block) = b->next_free;
    if (b->next_free)
        block_of(r, b->next_free - 1)->previous_free = b->previous_free;
}

/* A block whose common values are those of this record. */
static int new_block(struct records *r, const struct record *record)
{
    uint32_t index = r->free_place;
    uint8_t name_len = (uint8_t)MIN(record->name.len, (size_t)SHARED_MAX);
    struct records_block *b;

    if (!index && one_more_place(r) < 0)
        return -ENOMEM;
    b = malloc(sizeof(*b) + name_len + STEP + SLACK);
    if (!b)
        return -ENOMEM;
    *b = (struct records_block){ .parent = record->parent,
                         .attributes = record->attributes,
                         .inode = record->inode,
                         .mtime_ns = record->mtime_ns,
                         .length = name_len,
                         .size = (uint16_t)(name_len + STEP),
                         .name_len = name_len };
    if (name_len)
        memcpy(b->data, record->name.data, name_len);
    if (index)
        r->free_place = (uint32_t)(r->blocks[--index] >> 1);
    else
        index = r->count++;
    r->blocks[index] = (uintptr_t)b;
    list_block(r, index);
    r->memory += sizeof(*b) + b->size + SLACK + sizeof(void *);
    return 0;
}

void records_done(struct records *r)
{
    for (uint32_t i = 0; i < r->count; i++)
        free(block_of(r, i));
    free(r->blocks);
    *r = (struct records){ 0 };
}

uint32_t records_new(struct records *r, const struct record *record)
{
    unsigned char bytes[RECORD_MAX];
    struct records_block *b;
    uint32_t index, i;

    if (!r->free_block && new_block(r, record) < 0)
        return 0;
    index = r->free_block - 1;
    b = block_of(r, index);
    i = (uint32_t)__builtin_ctz(~b->used);
    if (replace(r, index, i, bytes, encode(b, record, bytes)) < 0)
        return 0;
    b = block_of(r, index);
    b->used |= 1u << i;
    if (b->used == UINT32_MAX) {
        unlist(r, index);
        (void)resize(r, index, b->length); /* full: it needs no more */
    }
    return 1 + index * PER_BLOCK + i;
}

static struct records_block *find(const struct records *r, uint32_t number, uint32_t *ret_i)
{
    struct records_block *b = number ? block_of(r, (number - 1) / PER_BLOCK) : NULL;

    *ret_i = (number - 1) % PER_BLOCK;
    return b && b->used >> *ret_i & 1 ? b : NULL;
}

bool records_get(const struct records *r, uint32_t number, struct record *ret)
{
    uint32_t i;
    const struct records_block *b = find(r, number, &i);

    if (!b)
        return false;
    decode(b, b->data + offset_of(b, i), b->halves[i] * 2u, ret);
    return true;
}

int records_set(struct records *r, uint32_t number, const struct record *record)
{
    unsigned char bytes[RECORD_MAX];
    uint32_t i;
    const struct records_block *b = find(r, number, &i);

    return b ? replace(r, (number - 1) / PER_BLOCK, i, bytes, encode(b, record, bytes)) : -ENOENT;
}

static void drop_block(struct records *r, uint32_t index)
{
    struct records_block *b = block_of(r, index);

    unlist(r, index);
    r->memory -= sizeof(*b) + b->size + SLACK + sizeof(void *);
    free(b);
    r->blocks[index] = (uintptr_t)r->free_place << 1 | 1;
    r->free_place = index + 1;
}

void records_free(struct records *r, uint32_t number)
{
    uint32_t index = (number - 1) / PER_BLOCK, i;
    struct records_block *b = find(r, number, &i);

    if (!b)
        return;
    (void)replace(r, index, i, NULL, 0);
    b = block_of(r, index); /* it may be smaller now, and elsewhere */
    b->used &= ~(1u << i);
    if (!b->used)
        drop_block(r, index);
    else if (!b->has_room)
        list_block(r, index);
}

uint32_t records_next(const struct records *r, uint32_t number)
{
    for (uint32_t index = number / PER_BLOCK, i = number % PER_BLOCK; index < r->count; index++, i = 0) {
        const struct records_block *b = block_of(r, index);
        uint32_t rest = b ? b->used >> i : 0;

        if (rest)
            return 1 + index * PER_BLOCK + i + (uint32_t)__builtin_ctz(rest);
    }
    return 0;
}
