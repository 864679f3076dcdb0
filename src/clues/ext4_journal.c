/* SPDX-License-Identifier: MIT */
/*
 * A transaction is: descriptors, each followed by the blocks that it lists; blocks of revocations; at last the commit with its time. All of
 * it is big-endian and begins with a magic number, which no copied block does: there it is replaced by zeros, and its tag says so.
 * Therefore the whole ring can be looked through, also what is behind the tail: it was replayed, or written back, and not overwritten yet.
 *
 * Revocations are passed over: they say that a block was given to something else since and must not be replayed over that, which is
 * exactly what becomes of a removed directory's blocks. Whose block a copy is, is for the caller to prove.
 */
#include "clues/ext4_journal.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"
#include "util/load.h"
#include "util/macro.h"

#define MAGIC 0xC03B3998u
#define HEAD 12 /* magic, type, sequence */
#define UUID 16

enum block_type { DESCRIPTOR = 1, COMMIT = 2, HEAD_OLD = 3, HEAD_NEW = 4, REVOCATIONS = 5 };
enum feature { WIDE = 2, CHECKSUMS_2 = 8, CHECKSUMS_3 = 16, FAST_COMMITS = 32 };
enum tag_flag { ESCAPED = 1, SAME_UUID = 2, LAST = 8 };

struct journal_walk {
    const struct ext4_journal *journal;
    char *head, *block; /* a descriptor or another head; a copy */
    uint32_t first, count; /* the ring */
    uint32_t start;        /* in it: the oldest transaction that is not written back; then the newest ones follow */
    uint32_t features, seed;
};

static bool has_checksums(const struct journal_walk *w)
{
    return w->journal->crc32c && (w->features & (CHECKSUMS_2 | CHECKSUMS_3));
}

static uint32_t sum(uint32_t start, const struct journal_walk *w, const char *p, size_t len)
{
    return w->journal->crc32c(start, (const unsigned char *)p, len);
}

/* Of a block whose own field for it, at `field`, counts as zero. */
static bool sum_fits(const struct journal_walk *w, const char *p, size_t field)
{
    static const char zero[4];
    uint32_t got = sum(sum(w->seed, w, p, field), w, zero, sizeof(zero));

    return load_be32(p + field) == sum(got, w, p + field + 4, w->journal->block_size - field - 4);
}

/* ---- tags ---- */

struct tag {
    uint64_t block;
    uint32_t flags, checksum;
};

struct tags {
    struct bytes rest; /* of the descriptor */
    bool last;
};

static size_t tag_size(const struct journal_walk *w)
{
    if (w->features & CHECKSUMS_3)
        return 16;
    return 8u + (w->features & CHECKSUMS_2 ? 2u : 0) + (w->features & WIDE ? 4u : 0);
}

static struct tags tags_of(const struct journal_walk *w)
{
    size_t tail = w->features & (CHECKSUMS_2 | CHECKSUMS_3) ? 4 : 0;

    return (struct tags){ .rest = { w->head + HEAD, w->journal->block_size - HEAD - tail } };
}

static bool next_tag(const struct journal_walk *w, struct tags *t, struct tag *ret)
{
    size_t size = tag_size(w);
    const char *p = t->rest.data;

    if (t->last || t->rest.len < size)
        return false;
    if (w->features & CHECKSUMS_3)
        *ret = (struct tag){ load_be32(p), load_be32(p + 4), load_be32(p + 12) };
    else
        *ret = (struct tag){ load_be32(p), load_be16(p + 6), load_be16(p + 4) };
    if (w->features & WIDE)
        ret->block |= (uint64_t)load_be32(p + 8) << 32;
    if (!(ret->flags & SAME_UUID))
        size += UUID;
    size = MIN(size, t->rest.len);
    t->rest = (struct bytes){ p + size, t->rest.len - size };
    t->last = ret->flags & LAST;
    return true;
}

/* ---- the ring ---- */

static int read_ring(const struct journal_walk *w, uint64_t at, char *to)
{
    return w->journal->read(w->journal->data, w->first + (uint32_t)(at % w->count), to);
}

static bool is_head(const char *p, enum block_type *ret_type, uint32_t *ret_sequence)
{
    if (load_be32(p) != MAGIC)
        return false;
    *ret_type = (enum block_type)load_be32(p + 4);
    *ret_sequence = load_be32(p + 8);
    return true;
}

struct journal_transaction {
    uint32_t sequence;
    uint64_t from, end; /* in the ring; end: behind its commit, or of what is no part of it */
    uint64_t commit_ns;  /* 0: it has none */
};

static uint64_t commit_time(const char *p)
{
    uint64_t ns;

    return __builtin_mul_overflow(load_be64(p + 48), NS_PER_S, &ns) || __builtin_add_overflow(ns, load_be32(p + 56), &ns) ? 0 : ns;
}

/* From its first descriptor, at t->from, to its commit. */
static int find_commit(const struct journal_walk *w, struct journal_transaction *t)
{
    uint64_t at = t->from;

    t->commit_ns = 0;
    for (;;) {
        enum block_type type;
        uint32_t sequence;
        struct tags tags;
        struct tag tag;
        int r;

        t->end = at;
        if (at - t->from >= w->count)
            return 0;
        r = read_ring(w, at, w->head);
        if (r < 0)
            return r;
        if (!is_head(w->head, &type, &sequence) || sequence != t->sequence)
            return 0;
        at++;
        if (type == COMMIT) {
            if (has_checksums(w) && !sum_fits(w, w->head, 16))
                return 0;
            t->end = at;
            t->commit_ns = commit_time(w->head);
            return 0;
        }
        if (type != DESCRIPTOR && type != REVOCATIONS)
            return 0;
        tags = tags_of(w);
        while (type == DESCRIPTOR && next_tag(w, &tags, &tag))
            at++;
    }
}

static bool is_whole(const struct journal_walk *w, const struct journal_transaction *t, const struct tag *tag)
{
    char sequence[4] = { (char)(t->sequence >> 24), (char)(t->sequence >> 16), (char)(t->sequence >> 8), (char)t->sequence };
    uint32_t got;

    if (load_be32(w->block) == MAGIC)
        return false; /* a head: what was copied here has been overwritten */
    if (!has_checksums(w))
        return true;
    got = sum(sum(w->seed, w, sequence, sizeof(sequence)), w, w->block, w->journal->block_size);
    return w->features & CHECKSUMS_3 ? got == tag->checksum : (got & 0xffff) == tag->checksum;
}

static int put_copies(const struct journal_walk *w, const struct journal_transaction *t)
{
    static const char magic[] = { (char)0xC0, 0x3B, 0x39, (char)0x98 };
    uint64_t at = t->from;
    int r = 0;

    while (r == 0 && at < t->end) {
        enum block_type type;
        uint32_t sequence;
        struct tags tags = { .last = true };
        struct tag tag;
        bool sound = false;

        r = read_ring(w, at++, w->head);
        if (r == 0 && is_head(w->head, &type, &sequence) && type == DESCRIPTOR) {
            tags = tags_of(w);
            sound = !has_checksums(w) || sum_fits(w, w->head, w->journal->block_size - 4);
        }
        /* where the descriptor's own sum is wrong, so may be the numbers of blocks: it is passed over */
        while (r == 0 && next_tag(w, &tags, &tag)) {
            struct ext4_copy copy = { tag.block, t->sequence, t->commit_ns, { w->block, w->journal->block_size } };

            r = sound ? read_ring(w, at, w->block) : 0;
            at++;
            if (r < 0 || !sound || !is_whole(w, t, &tag))
                continue;
            if (tag.flags & ESCAPED)
                memcpy(w->block, magic, sizeof(magic));
            r = w->journal->copy(w->journal->data, &copy);
        }
    }
    return r;
}

static int open_head(struct journal_walk *w)
{
    const struct ext4_journal *j = w->journal;
    enum block_type type;
    uint32_t sequence, start, end, fast;
    int r = j->blocks ? j->read(j->data, 0, w->head) : -EBADMSG;

    if (r < 0)
        return r;
    if (!is_head(w->head, &type, &sequence) || (type != HEAD_OLD && type != HEAD_NEW) || load_be32(w->head + 12) != j->block_size)
        return -EBADMSG;
    end = MIN(load_be32(w->head + 16), j->blocks);
    w->first = load_be32(w->head + 20);
    w->features = type == HEAD_NEW ? load_be32(w->head + 40) : 0;
    if (w->features & FAST_COMMITS) { /* they are in blocks of their own, at the end */
        fast = load_be32(w->head + 84);
        fast = fast ? fast : 256;
        end -= MIN(fast, end);
    }
    if (!w->first || w->first >= end)
        return -EBADMSG;
    w->count = end - w->first;
    start = load_be32(w->head + 28);
    w->start = start >= w->first && start < end ? start - w->first : 0;
    if (has_checksums(w))
        w->seed = sum(~0u, w, w->head + 48, UUID);
    return 0;
}

int ext4_journal_walk(const struct ext4_journal *journal)
{
    _cleanup_free_ char *head = NULL, *block = NULL;
    struct journal_walk w = { .journal = journal };
    int r;

    if (journal->block_size < 1024 || journal->block_size > 65536)
        return -EBADMSG;
    w.head = head = calloc(1, journal->block_size);
    w.block = block = calloc(1, journal->block_size);
    if (!head || !block)
        return -ENOMEM;
    r = open_head(&w);
    /* the newest first: there may be no time for all of a long one */
    for (uint64_t at = w.start; r == 0 && at < (uint64_t)w.start + w.count;) {
        struct journal_transaction t = { .from = at };
        enum block_type type;

        r = read_ring(&w, at, w.head);
        if (r < 0)
            break;
        if (!is_head(w.head, &type, &t.sequence) || type != DESCRIPTOR) {
            at++;
            continue;
        }
        r = find_commit(&w, &t);
        if (r == 0 && t.commit_ns)
            r = put_copies(&w, &t);
        at = MAX(t.end, at + 1);
    }
    return r;
}
