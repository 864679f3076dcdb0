/* SPDX-License-Identifier: MIT */
/* The parsers of ext4's journal and of its directories' blocks, by bytes that are written here. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "clues/deleted_burst.h"
#include "clues/ext4_directory.h"
#include "clues/ext4_journal.h"

#define BLOCK 1024
#define BLOCKS 16
#define FIRST 1
#define WIDE 2
#define SUMS_2 8
#define SUMS_3 16
#define FAST 32
#define COMMIT_S 1795896800u

static uint32_t crc32c(uint32_t start, const unsigned char *data, size_t len)
{
    for (; len--; data++) {
        start ^= *data;
        for (unsigned bit = 0; bit < 8; bit++)
            start = start >> 1 ^ (start & 1 ? 0x82F63B78u : 0);
    }
    return start;
}

static void put16(unsigned char *p, uint32_t value)
{
    p[0] = (unsigned char)(value >> 8);
    p[1] = (unsigned char)value;
}

static void put32(unsigned char *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* ---- the journal ---- */

struct written {
    unsigned char blocks[BLOCKS][BLOCK];
    uint32_t features, seed;
};

enum harm { NONE, NO_COMMIT, OTHER_COMMIT, TORN_COPY, OVERWRITTEN, TORN_DESCRIPTOR, TORN_COMMIT, NO_HEAD, OTHER_SIZE, LONG };

static void put_head(unsigned char *p, uint32_t type, uint32_t sequence)
{
    put32(p, 0xC03B3998);
    put32(p + 4, type);
    put32(p + 8, sequence);
}

static unsigned char *in_ring(struct written *w, unsigned at)
{
    unsigned count = BLOCKS - FIRST - (w->features & FAST ? 2 : 0);

    return w->blocks[FIRST + at % count];
}

static void sum_at(struct written *w, unsigned char *p, size_t field)
{
    put32(p + field, 0);
    if (w->features & (SUMS_2 | SUMS_3))
        put32(p + field, crc32c(w->seed, p, BLOCK));
}

static size_t put_tag(struct written *w, unsigned char *p, uint64_t block, uint32_t flags, const unsigned char *copy, uint32_t sequence)
{
    unsigned char number[4];
    uint32_t sum;
    size_t len = 8;

    put32(number, sequence);
    sum = crc32c(crc32c(w->seed, number, 4), copy, BLOCK);
    put32(p, (uint32_t)block);
    if (w->features & SUMS_3) {
        put32(p + 4, flags);
        put32(p + 8, (uint32_t)(block >> 32));
        put32(p + 12, sum);
        len = 16;
    } else {
        put16(p + 4, w->features & SUMS_2 ? sum : 0);
        put16(p + 6, flags);
        if (w->features & WIDE)
            put32(p + 8, (uint32_t)(block >> 32));
        len += (w->features & WIDE ? 4u : 0) + (w->features & SUMS_2 ? 2u : 0);
    }
    return flags & 2 ? len : len + 16;
}

/* Transaction 7 at `at` of the ring: blocks 100 and 101, of which the second begins with the magic number; a revocation; its commit. */
static void write_journal(struct written *w, uint32_t features, unsigned at, enum harm harm)
{
    unsigned char *head = w->blocks[0], *p;
    uint64_t high = features & WIDE ? UINT64_C(5) << 32 : 0;
    size_t len = 12;

    *w = (struct written){ .features = features };
    put_head(head, 4, 0);
    put32(head + 12, harm == OTHER_SIZE ? 4096 : BLOCK);
    put32(head + 16, harm == LONG ? 0xffffffff : BLOCKS);
    put32(head + 20, FIRST);
    put32(head + 40, features);
    memset(head + 48, 'u', 16);
    put32(head + 84, 2);
    w->seed = crc32c(~0u, head + 48, 16);
    memset(in_ring(w, at + 1), 'a', BLOCK);
    memset(in_ring(w, at + 2), 'b', BLOCK);
    put32(in_ring(w, at + 2), 0);
    p = in_ring(w, at);
    put_head(p, 1, 7);
    len += put_tag(w, p + len, high | 100, 0, in_ring(w, at + 1), 7);
    put_tag(w, p + len, high | 101, 2 | 8 | 1, in_ring(w, at + 2), 7);
    if (features & (SUMS_2 | SUMS_3))
        sum_at(w, p, BLOCK - 4);
    p = in_ring(w, at + 3);
    put_head(p, 5, 7);
    put32(p + 12, 20);
    put32(p + 16, 100);
    p = in_ring(w, at + 4);
    if (harm != NO_COMMIT)
        put_head(p, 2, harm == OTHER_COMMIT ? 8 : 7);
    put32(p + 52, COMMIT_S);
    put32(p + 56, 5);
    if (features & (SUMS_2 | SUMS_3))
        sum_at(w, p, 16);
    if (harm == TORN_COPY)
        in_ring(w, at + 1)[500] = 'x';
    if (harm == OVERWRITTEN)
        put_head(in_ring(w, at + 1), 2, 99);
    if (harm == TORN_DESCRIPTOR)
        in_ring(w, at)[900] = 'x';
    if (harm == TORN_COMMIT)
        in_ring(w, at + 4)[900] = 'x';
    if (harm == NO_HEAD)
        head[0] = 0;
}

struct seen {
    const struct written *w;
    unsigned copies, reads;
    uint64_t high;
};

static int read_block(void *data, uint32_t n, char *to)
{
    struct seen *s = data;

    assert_true(n < BLOCKS);
    s->reads++;
    memcpy(to, s->w->blocks[n], BLOCK);
    return 0;
}

static int take_copy(void *data, const struct ext4_copy *copy)
{
    static const unsigned char magic[] = { 0xC0, 0x3B, 0x39, 0x98 };
    struct seen *s = data;

    assert_int_equal(copy->sequence, 7);
    assert_int_equal(copy->commit_ns, COMMIT_S * NS_PER_S + 5);
    assert_int_equal(copy->bytes.len, BLOCK);
    if (copy->block == (s->high | 100)) {
        assert_int_equal(copy->bytes.data[0], 'a');
    } else {
        assert_int_equal(copy->block, s->high | 101);
        assert_memory_equal(copy->bytes.data, magic, 4);
        assert_int_equal(copy->bytes.data[4], 'b');
    }
    s->copies++;
    return 0;
}

static const struct journal_row {
    const char *name;
    uint32_t features;
    unsigned at; /* in the ring */
    enum harm harm;
    int r;
    unsigned copies;
    unsigned start; /* block of the journal; 0: all is written back */
} journals[] = {
    { "plain", 0, 0, NONE, 0, 2 },
    { "wide numbers", WIDE, 3, NONE, 0, 2 },
    { "sums of 16 bits", SUMS_2, 3, NONE, 0, 2 },
    { "sums of 16 bits, wide numbers", SUMS_2 | WIDE, 3, NONE, 0, 2 },
    { "sums of 32 bits", SUMS_3, 3, NONE, 0, 2 },
    { "sums of 32 bits, wide numbers", SUMS_3 | WIDE, 3, NONE, 0, 2 },
    { "around the end of the ring", SUMS_3, 13, NONE, 0, 2 },
    { "not written back yet", SUMS_3, 3, NONE, 0, 2, FIRST + 3 },
    { "not written back, around the end", SUMS_3, 13, NONE, 0, 2, FIRST + 13 },
    { "written back, and newer ones are not", SUMS_3, 3, NONE, 0, 2, FIRST + 9 },
    { "the start is in the middle of it", SUMS_3, 3, NONE, 0, 2, FIRST + 5 },
    { "the start is nowhere", SUMS_3, 3, NONE, 0, 2, 0xffffffff },
    { "around the end, which fast commits have moved", FAST, 11, NONE, 0, 2 },
    { "without a commit", 0, 3, NO_COMMIT, 0, 0 },
    { "with that of another one", 0, 3, OTHER_COMMIT, 0, 0 },
    { "a torn copy", SUMS_3, 3, TORN_COPY, 0, 1 },
    { "a torn copy, sums of 16 bits", SUMS_2 | WIDE, 3, TORN_COPY, 0, 1 },
    { "a copy that is overwritten", 0, 3, OVERWRITTEN, 0, 1 },
    { "a torn descriptor", SUMS_3, 3, TORN_DESCRIPTOR, 0, 0 },
    { "a torn commit", SUMS_3, 3, TORN_COMMIT, 0, 0 },
    { "no head", 0, 3, NO_HEAD, -EBADMSG, 0 },
    { "blocks of another size", 0, 3, OTHER_SIZE, -EBADMSG, 0 },
    { "longer than it is", 0, 3, LONG, 0, 2 },
};

static void test_journal(void **state)
{
    const struct journal_row *row = *state;
    static struct written w;
    struct seen seen = { .w = &w, .high = row->features & WIDE ? UINT64_C(5) << 32 : 0 };
    struct ext4_journal journal = { read_block, take_copy, &seen, BLOCK, BLOCKS, crc32c };

    write_journal(&w, row->features, row->at, row->harm);
    put32(w.blocks[0] + 28, row->start);
    assert_int_equal(ext4_journal_walk(&journal), row->r);
    assert_int_equal(seen.copies, row->copies);
    assert_true(seen.reads <= 5 * BLOCKS);
}

static int fail_to_read(void *data, uint32_t n, char *to)
{
    return n == 4 ? -ETIMEDOUT : read_block(data, n, to);
}

static void test_ended(void **state)
{
    static struct written w;
    struct seen seen = { .w = &w };
    struct ext4_journal journal = { fail_to_read, take_copy, &seen, BLOCK, BLOCKS, NULL };

    (void)state;
    write_journal(&w, 0, 3, NONE);
    assert_int_equal(ext4_journal_walk(&journal), -ETIMEDOUT);
    journal.blocks = 0;
    assert_int_equal(ext4_journal_walk(&journal), -EBADMSG);
    journal.block_size = 512;
    assert_int_equal(ext4_journal_walk(&journal), -EBADMSG);
}

/* ---- a directory's block ---- */

struct raw {
    uint32_t inode;
    unsigned len;
    const char *name;
};

static const struct directory_row {
    const char *name;
    struct raw entries[5];
    size_t size;
    bool is_one;
    uint32_t own, parent;
    const char *names; /* with a blank behind each */
} directories[] = {
    { "the first one", { { 12, 12, "." }, { 2, 12, ".." }, { 13, 12, "a" }, { 14, 28, "b" } }, 64, true, 12, 2, "a b " },
    { "another one", { { 13, 12, "a" }, { 0, 12, "gone" }, { 14, 40, "b" } }, 64, true, 0, 0, "a b " },
    { "with the place for its checksum", { { 13, 52, "a" }, { 0, 12, "" } }, 64, true, 0, 0, "a " },
    { "an inner node", { { 0, 64, "" } }, 64, true, 0, 0, "" },
    { "the root of an index", { { 12, 12, "." }, { 2, 52, ".." } }, 64, true, 12, 2, "" },
    { "of no length", { { 13, 0, "a" } }, 64, false },
    { "too short for its name", { { 13, 8, "a" }, { 14, 56, "b" } }, 64, false },
    { "no multiple of four", { { 13, 13, "a" }, { 14, 51, "b" } }, 64, false },
    { "beyond the block", { { 13, 12, "a" }, { 14, 56, "b" } }, 64, false },
    { "it does not end with the block", { { 13, 12, "a" }, { 14, 44, "b" } }, 64, false },
    { "a name with a slash", { { 13, 64, "a/b" } }, 64, false },
    { "an empty name", { { 13, 64, "" } }, 64, false },
    { "an inode that there is not", { { 1001, 64, "a" } }, 64, false },
    { "\".\" in between", { { 13, 12, "a" }, { 12, 52, "." } }, 64, false },
    { "\"..\" alone", { { 2, 64, ".." } }, 64, false },
    { "\".\" alone", { { 12, 12, "." }, { 13, 52, "a" } }, 64, false },
    { "nothing", { { 0, 0, NULL } }, 0, false },
    { "less than an entry", { { 0, 0, NULL } }, 4, false },
    { "one of 64 KiB", { { 13, 65535, "a" } }, 65536, true, 0, 0, "a " },
};

static void test_directory(void **state)
{
    const struct directory_row *row = *state;
    static unsigned char block[65536];
    char names[64] = "";
    struct ext4_directory d;
    struct ext4_entry e;
    size_t at = 0;

    memset(block, 0, sizeof(block));
    for (const struct raw *raw = row->entries; raw->name && at + 8 + strlen(raw->name) < row->size; raw++) {
        unsigned char *p = block + at;

        for (unsigned i = 0; i < 4; i++)
            p[i] = (unsigned char)(raw->inode >> 8 * i);
        p[4] = (unsigned char)raw->len;
        p[5] = (unsigned char)(raw->len >> 8);
        p[6] = (unsigned char)strlen(raw->name);
        memcpy(p + 8, raw->name, strlen(raw->name));
        at += raw->len;
    }
    assert_int_equal(ext4_directory_open((struct bytes){ (char *)block, row->size }, 1000, &d), row->is_one);
    if (!row->is_one)
        return;
    assert_int_equal(d.own, row->own);
    assert_int_equal(d.parent, row->parent);
    while (ext4_directory_next(&d, &e)) {
        strncat(names, e.name.data, e.name.len);
        strcat(names, " ");
    }
    assert_string_equal(names, row->names);
}

/* ---- names as facts ---- */

#define DELETED 300

static void test_names_of_many(void **state)
{
    struct clue_question q = { .path = bytes_of("/srv/d"), .spans = { { COMMIT_S * NS_PER_S, COMMIT_S * NS_PER_S } }, .span_count = 1 };
    static struct deleted_inodes all;
    static char names[DELETED][16];
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;
    unsigned facts = 0, commas = 0;

    (void)state;
    all = (struct deleted_inodes){ .question = &q };
    for (unsigned i = 0; i < DELETED; i++) {
        struct deleted_inode d = { .number = i + 12, .mode = 0100644, .deleted_s = COMMIT_S, .directory = bytes_of("/srv/d"), .copy_ns = NS_PER_S };

        snprintf(names[i], sizeof(names[i]), "name%u", i);
        d.name = bytes_of(names[i]);
        deleted_add(&all, &d);
        d.directory = BYTES_NULL; /* one whose name is gone is not among them */
        d.name = BYTES_NULL;
        deleted_add(&all, &d);
    }
    assert_int_equal(all.count, 2);
    deleted_put(&answer, &all);
    for (rest = sbuf_bytes(&answer); clue_take(&rest, &f, &cover) == CLUE_PART_FACT;) {
        assert_true(f.text.len < CLUE_TEXT_MAX);
        if (!f.path.len)
            continue;
        assert_bytes(f.path, "/srv/d");
        assert_false(bytes_ends_with(f.text, bytes_of("...")));
        assert_int_equal(f.marks, CLUE_EXACT);
        if (!facts++)
            assert_true(bytes_starts_with(f.text, bytes_of("300 files were deleted (mode 0644, owner 0:0, inode 12 ...): older copies of /srv/d in "
                                                           "the journal, up to 1970-01-01T00:00:01Z, have those inodes as name0, name1, ")));
        for (size_t i = 0; i < f.text.len; i++)
            commas += f.text.len - i > 5 && memcmp(f.text.data + i, " name", 5) == 0;
    }
    assert_int_equal(commas, DELETED); /* each is there once */
    assert_true(facts > 10);
    deleted_done(&all);
}

int main(void)
{
    static struct CMUnitTest tests[64];
    size_t n = 0;

#define ADD_ROWS(rows, function) \
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) \
    tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = function, .initial_state = (void *)(uintptr_t)&rows[i] }
    ADD_ROWS(journals, test_journal);
    ADD_ROWS(directories, test_directory);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_ended);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_names_of_many);
    return _cmocka_run_group_tests("clues_ext4_journal", tests, n, NULL, NULL);
}
