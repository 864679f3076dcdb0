/* SPDX-License-Identifier: MIT */
/*
 * The database of locate as a list of what was there when it was made: plocate's (blocks of names, each a frame of zstd) and mlocate's
 * (directories with their entries). Nothing of it is believed.
 */
#include "clues/original.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include <zstd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/load.h"

#define BLOCK_MAX (1024 * 1024) /* of names, unpacked; plocate makes them of 32 */
#define DICTIONARY_MAX (1024 * 1024)
#define READ_NS (1200 * NS_PER_MS)
#define ROWS_MAX 2000

struct name_list {
    struct sbuf *out;
    const struct clue_question *q;
    struct bytes owner;
    uint64_t made_ns, until_ns;
    unsigned rows;
};

static uint64_t little(const char *at, unsigned bytes)
{
    uint64_t n = 0;

    for (unsigned i = bytes; i > 0; i--)
        n = n << 8 | (unsigned char)at[i - 1];
    return n;
}

static bool is_over(const struct name_list *r)
{
    return r->rows >= ROWS_MAX || clock_ns(CLOCK_MONOTONIC) > r->until_ns;
}

static void one_name(struct name_list *r, struct bytes path)
{
    struct original o = { .path = path, .owner = r->owner, .seen_ns = r->made_ns };

    if (path.len < 2 || path.data[0] != '/' || path.len > CLUE_PATH_MAX || !bytes_path_covers(r->q->path, path) || r->rows >= ROWS_MAX)
        return;
    original_put(r->out, &o);
    r->rows++;
}

/* ---- plocate: db.h of plocate 1.1 ---- */

static int plocate(struct name_list *r, struct bytes db)
{
    uint64_t count, index, dictionary, dictionary_len;
    ZSTD_DDict *dict = NULL;
    ZSTD_DCtx *context;
    char *block;

    if (db.len < 112 || little(db.data + 8, 4) > 1)
        return -EBADMSG;
    count = little(db.data + 20, 4);
    index = little(db.data + 32, 8);
    dictionary_len = little(db.data + 44, 4);
    dictionary = little(db.data + 48, 8);
    if (index > db.len || count >= (db.len - index) / 8)
        return -EBADMSG;
    if (little(db.data + 8, 4) == 1 && dictionary_len && dictionary_len <= DICTIONARY_MAX && dictionary <= db.len && dictionary_len <= db.len - dictionary)
        dict = ZSTD_createDDict(db.data + dictionary, dictionary_len);
    context = ZSTD_createDCtx();
    block = malloc(BLOCK_MAX);
    for (uint64_t i = 0; context && block && i < count && ((i & 63) || !is_over(r)); i++) {
        uint64_t from = little(db.data + index + 8 * i, 8), to = little(db.data + index + 8 * i + 8, 8);
        struct bytes names;
        size_t len;

        if (from > to || to > db.len)
            break;
        len = dict ? ZSTD_decompress_usingDDict(context, block, BLOCK_MAX, db.data + from, to - from, dict)
                   : ZSTD_decompressDCtx(context, block, BLOCK_MAX, db.data + from, to - from);
        if (ZSTD_isError(len))
            continue;
        for (names = (struct bytes){ block, len }; names.len;)
            one_name(r, bytes_next_field(&names, '\0'));
    }
    free(block);
    ZSTD_freeDCtx(context);
    ZSTD_freeDDict(dict);
    return 0;
}

/* ---- mlocate: mlocate.db(5) ---- */

static struct bytes take_string(struct bytes *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
    struct bytes s = { rest->data, end ? (size_t)(end - rest->data) : 0 };

    *rest = end ? (struct bytes){ end + 1, rest->len - s.len - 1 } : (struct bytes){ rest->data + rest->len, 0 };
    return s;
}

static int mlocate(struct name_list *r, struct bytes db)
{
    static char path[2 * CLUE_PATH_MAX]; /* too large for a stack; a worker has one thread */
    struct bytes rest;
    uint32_t skip;
    unsigned n = 0;

    if (db.len < 16)
        return -EBADMSG;
    skip = load_be32(db.data + 8);
    rest = (struct bytes){ db.data + 16, db.len - 16 };
    (void)take_string(&rest); /* where it begins */
    if (skip >= rest.len) /* what is equal has no directory */
        return skip > rest.len ? -EBADMSG : 0;
    rest = (struct bytes){ rest.data + skip, rest.len - skip };
    while (rest.len > 16 && ((++n & 63) || !is_over(r))) {
        struct bytes directory;

        rest = (struct bytes){ rest.data + 16, rest.len - 16 }; /* its time */
        directory = take_string(&rest);
        while (rest.len) {
            char type = rest.data[0];
            struct bytes name;
            int len;

            rest = (struct bytes){ rest.data + 1, rest.len - 1 };
            if (type == 2)
                break;
            name = take_string(&rest);
            if (!directory.len || !name.len || directory.len > CLUE_PATH_MAX || name.len > 255)
                continue;
            len = snprintf(path, sizeof(path), "%.*s%s%.*s", (int)directory.len, directory.data, directory.len > 1 ? "/" : "", (int)name.len, name.data);
            one_name(r, (struct bytes){ path, (size_t)len });
        }
    }
    return 0;
}

int original_locate(struct sbuf *out, const struct clue_question *q, uint64_t made_ns, struct bytes db)
{
    struct name_list r = { .out = out, .q = q, .made_ns = made_ns, .until_ns = clock_ns(CLOCK_MONOTONIC) + clue_patience(q, READ_NS) };
    time_t t = (time_t)(made_ns / NS_PER_S);
    char owner[64], when[32] = "";
    struct tm tm;

    if (localtime_r(&t, &tm))
        (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
    snprintf(owner, sizeof(owner), "locate's database of %s", when);
    r.owner = bytes_of(owner);
    if (db.len > 8 && memcmp(db.data, "\0plocate", 8) == 0)
        return plocate(&r, db);
    if (db.len > 8 && memcmp(db.data, "\0mlocate", 8) == 0)
        return mlocate(&r, db);
    return -EBADMSG;
}

/* ---- gathering ---- */

/* updatedb makes the file when it begins to look, and writes until it ends: what is in it was there at its birth or later. */
static uint64_t begun_at(int root, const char *path)
{
    _cleanup_close_ int fd = beneath_open(root, bytes_of(path), O_PATH);
    struct statx st;

    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
        return 0;
    return st.stx_mask & STATX_BTIME ? clock_of(st.stx_btime) : 0;
}

static int gather(struct bytes request, struct gathered *g)
{
    static const char *const paths[] = { "/var/lib/plocate/plocate.db", "/var/lib/mlocate/mlocate.db" };
    _cleanup_close_ int root = clue_root();
    int r = root < 0 ? root : 0;

    (void)request;
    for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0; i++) {
        _cleanup_sbuf_ struct sbuf time = SBUF_INIT;
        size_t before = g->count;

        r = clue_gather_file(g, root, paths[i], ORIGINAL_LOCATE_MAX, false);
        if (r < 0 || g->count == before)
            continue;
        sbuf_addf(&time, "%llu", (unsigned long long)begun_at(root, paths[i]));
        return clue_gather_text(g, "begun", &time);
    }
    return r == 0 ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes begun = gathered_get(g, "begun");
    struct clue_question q;
    uint64_t ns = 0;

    if (clue_question_get(request, &q) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < begun.len; i++)
        ns = ns * 10 + (uint64_t)(begun.data[i] - '0');
    return original_locate(answer, &q, ns, g->files[0].content);
}

const struct foreign_job original_locate_job = { "the database of locate", ORIGINAL_LOCATE_MAX + 4096, gather, parse, false };
