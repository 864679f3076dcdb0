/* SPDX-License-Identifier: MIT */
#include "clues/original.h"

#include <errno.h>
#include <stdio.h>

#include "engine/flat.h"
#include "util/load.h"
#include "util/parse.h"

void original_put(struct sbuf *out, const struct original *o)
{
    flat_put_bytes(out, o->path);
    flat_put_bytes(out, o->owner);
    flat_put_bytes(out, o->digest);
    flat_put_u64(out, o->size);
    flat_put_u64(out, o->mtime_s);
    flat_put_u64(out, o->seen_ns);
    flat_put_u64(out, o->configuration);
}

int original_get(struct bytes *in, struct original *ret)
{
    struct original o = { 0 };
    uint64_t configuration = 0;

    if (flat_get_bytes(in, &o.path) < 0 || flat_get_bytes(in, &o.owner) < 0 || flat_get_bytes(in, &o.digest) < 0 ||
        flat_get_u64(in, &o.size) < 0 || flat_get_u64(in, &o.mtime_s) < 0 || flat_get_u64(in, &o.seen_ns) < 0 || flat_get_u64(in, &configuration) < 0 || !o.path.len || o.path.data[0] != '/' ||
        o.path.len > CLUE_PATH_MAX || o.owner.len > CLUE_TEXT_MAX)
        return -EBADMSG;
    o.configuration = configuration != 0;
    *ret = o;
    return 0;
}

bool original_covers(const struct clue_question *q, struct bytes path)
{
    static const struct bytes usr = { "/usr", 4 };

    if (bytes_path_covers(q->path, path))
        return true;
    return bytes_path_covers(usr, q->path) && q->path.len > usr.len &&
           bytes_path_covers((struct bytes){ q->path.data + usr.len, q->path.len - usr.len }, path);
}

/* ---- git's index: "DIRC", version, count, entries (gitformat-index) ---- */

/* Version 4 stores of a path how much of the one before stays. 0: damaged. */
static size_t take_name(const char *data, size_t len, unsigned version, char *name, size_t *name_len)
{
    size_t at = 0, keep = *name_len, end;

    if (version == 4) {
        uint64_t strip = 0;

        for (unsigned i = 0;; i++) {
            if (at >= len || i > 8)
                return 0;
            strip = ((i ? strip + 1 : 0) << 7) | (data[at] & 127);
            if (!(data[at++] & 128))
                break;
        }
        if (strip > keep)
            return 0;
        keep -= strip;
    } else {
        keep = 0;
    }
    for (end = at; end < len && data[end]; end++)
        ;
    if (end >= len || keep + (end - at) >= CLUE_PATH_MAX)
        return 0;
    memcpy(name + keep, data + at, end - at);
    *name_len = keep + end - at;
    return end + 1;
}

int original_git(struct sbuf *out, const struct clue_question *q, struct bytes tree, struct bytes index)
{
    const char *data = index.data;
    static char path[2 * CLUE_PATH_MAX], name[CLUE_PATH_MAX]; /* too large for a stack; a worker has one thread */
    char owner[CLUE_TEXT_MAX];
    uint32_t version, count;
    size_t at = 12, name_len = 0;

    if (index.len < 12 || memcmp(data, "DIRC", 4) != 0 || tree.len >= CLUE_PATH_MAX)
        return -EBADMSG;
    version = load_be32(data + 4);
    count = load_be32(data + 8);
    if (version < 2 || version > 4)
        return -EBADMSG;
    snprintf(owner, sizeof(owner), "git's index of %.*s", (int)MIN(tree.len, (size_t)300), tree.data);
    for (uint32_t i = 0; i < count; i++) {
        size_t fixed = 62, used;
        struct original o = { .owner = bytes_of(owner) };

        if (at + fixed + 2 > index.len)
            return -EBADMSG;
        o.mtime_s = load_be32(data + at + 8);
        o.size = load_be32(data + at + 36);
        if (version >= 3 && (data[at + 60] & 0x40))
            fixed += 2;
        used = take_name(data + at + fixed, index.len - at - fixed, version, name, &name_len);
        if (!used)
            return -EBADMSG;
        o.path = (struct bytes){ path, (size_t)snprintf(path, sizeof(path), "%.*s/%.*s", (int)tree.len, tree.data, (int)name_len, name) };
        if (o.path.len <= CLUE_PATH_MAX && bytes_path_covers(q->path, o.path) && (load_be32(data + at + 24) >> 12) == 8)
            original_put(out, &o);
        at += version == 4 ? fixed + used : (fixed + name_len + 8) & ~(size_t)7;
    }
    return 0;
}
