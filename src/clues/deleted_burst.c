/* SPDX-License-Identifier: MIT */
#include "clues/deleted_burst.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define NEAR_NS NS_PER_S /* what has whole seconds is up to one before */

static bool is_asked_for(const struct clue_question *q, uint64_t ns)
{
    for (size_t i = 0; i < q->span_count; i++)
        if (ns + NEAR_NS >= q->spans[i].from_ns && ns <= q->spans[i].to_ns + NEAR_NS)
            return true;
    return false;
}

void deleted_add(struct deleted_inodes *all, const struct deleted_inode *d)
{
    uint64_t ns = d->deleted_s * NS_PER_S + d->deleted_ns;

    if (!is_asked_for(all->question, ns))
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct deleted_burst *b = &all->bursts[i];

        if (b->mode != d->mode || b->uid != d->uid || b->gid != d->gid || b->from_ns / NS_PER_S != d->deleted_s)
            continue;
        b->from_ns = MIN(b->from_ns, ns);
        b->to_ns = MAX(b->to_ns, ns);
        b->born_from_s = MIN(b->born_from_s, d->born_s);
        b->born_to_s = MAX(b->born_to_s, d->born_s);
        b->count++;
        return;
    }
    if (all->count == DELETED_BURSTS_MAX)
        all->left_out++;
    else
        all->bursts[all->count++] = (struct deleted_burst){ d->mode, d->uid, d->gid, ns, ns, d->born_s, d->born_s, d->number, 1 };
}

static void add_date(struct sbuf *s, uint32_t seconds)
{
    time_t t = seconds;
    struct tm tm;

    gmtime_r(&t, &tm);
    sbuf_addf(s, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void deleted_put(struct sbuf *answer, const struct deleted_inodes *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct deleted_burst *b = &all->bursts[i];
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_EXACT, .from_ns = b->from_ns, .to_ns = b->to_ns };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
        const char *what = S_ISDIR(b->mode) ? "director" : S_ISREG(b->mode) ? "file" : S_ISLNK(b->mode) ? "link" : "special file";

        sbuf_addf(&text, "%u %s%s deleted on this file system near here, whose names are gone: mode %04o, owner %u:%u, inode %llu%s", b->count,
                  what, S_ISDIR(b->mode) ? (b->count == 1 ? "y was" : "ies were") : b->count == 1 ? " was" : "s were", b->mode & 07777, b->uid,
                  b->gid, (unsigned long long)b->first, b->count > 1 ? " ..." : "");
        if (b->born_from_s) {
            sbuf_add_str(&text, ", made ");
            add_date(&text, b->born_from_s);
        }
        if (b->born_from_s && b->born_to_s != b->born_from_s) {
            sbuf_add_str(&text, " to ");
            add_date(&text, b->born_to_s);
        }
        f.text = sbuf_bytes(&text);
        clue_put(answer, &f);
    }
    if (all->left_out)
        clue_put_note(answer, "%u more deleted inodes are not shown", all->left_out);
}
