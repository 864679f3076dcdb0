/* SPDX-License-Identifier: MIT */
#include "clues/deleted_burst.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define NEAR_NS NS_PER_S /* what has whole seconds is up to one before */
#define NAMES_SIZE (8 * 1024) /* of one burst */
#define NAMES_SHOWN 100       /* bytes of them in one fact: the rest of its text has room */
#define DIRECTORY_SHOWN 60

static uint64_t time_of(const struct deleted_inode *d)
{
    return d->deleted_s * NS_PER_S + d->deleted_ns;
}

bool deleted_is_asked_for(const struct clue_question *q, const struct deleted_inode *d)
{
    uint64_t ns = time_of(d);

    for (size_t i = 0; i < q->span_count; i++)
        if (ns + NEAR_NS >= q->spans[i].from_ns && ns <= q->spans[i].to_ns + NEAR_NS)
            return true;
    return false;
}

static void add_name(struct deleted_burst *b, const struct deleted_inode *d)
{
    if (!d->name.len)
        return;
    if (b->names.len + d->name.len >= NAMES_SIZE) {
        b->unnamed++;
        return;
    }
    sbuf_add_bytes(&b->names, d->name);
    sbuf_add_char(&b->names, '\0');
    b->copy_ns = MAX(b->copy_ns, d->copy_ns);
}

void deleted_add(struct deleted_inodes *all, const struct deleted_inode *d)
{
    uint64_t ns = time_of(d);

    if (!deleted_is_asked_for(all->question, d))
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct deleted_burst *b = &all->bursts[i];

        if (b->mode != d->mode || b->uid != d->uid || b->gid != d->gid || b->from_ns / NS_PER_S != d->deleted_s ||
            b->below_gone != d->below_gone || !bytes_equal(b->directory, d->directory))
            continue;
        b->from_ns = MIN(b->from_ns, ns);
        b->to_ns = MAX(b->to_ns, ns);
        b->born_from_ns = MIN(b->born_from_ns, d->born_ns);
        b->born_to_ns = MAX(b->born_to_ns, d->born_ns);
        b->count++;
        add_name(b, d);
        return;
    }
    if (all->count == DELETED_BURSTS_MAX) {
        all->left_out++;
        return;
    }
    all->bursts[all->count] = (struct deleted_burst){ d->mode,   d->uid, d->gid, ns, ns, d->born_ns, d->born_ns, d->number, 1, d->directory, 0,
                                                      d->below_gone };
    add_name(&all->bursts[all->count++], d);
}

static void add_date(struct sbuf *s, uint64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return;
    sbuf_addf(s, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* As many as fit; *names is what is left. */
static void add_names(struct sbuf *s, struct bytes *names)
{
    size_t from = s->len;

    while (names->len) {
        struct bytes rest = *names, name = bytes_next_field(&rest, '\0');

        if (s->len > from && s->len - from + name.len > NAMES_SHOWN)
            return;
        sbuf_add_str(s, s->len > from ? ", " : "");
        sbuf_add_bytes(s, name);
        *names = rest;
    }
}

static void add_directory(struct sbuf *s, const struct deleted_burst *b)
{
    struct bytes shown = bytes_cut(b->directory, DIRECTORY_SHOWN);

    sbuf_add_str(s, b->below_gone ? "a directory that is gone of " : "");
    sbuf_add_bytes(s, shown);
    sbuf_add_str(s, shown.len < b->directory.len ? "..." : "");
}

static void add_what(struct sbuf *text, const struct deleted_burst *b)
{
    const char *what = S_ISDIR(b->mode) ? "director" : S_ISREG(b->mode) ? "file" : S_ISLNK(b->mode) ? "link" : "special file";

    sbuf_addf(text, "%u %s%s deleted", b->count, what,
              S_ISDIR(b->mode) ? (b->count == 1 ? "y was" : "ies were") : b->count == 1 ? " was" : "s were");
}

static void add_inodes(struct sbuf *text, const struct deleted_burst *b)
{
    sbuf_addf(text, "mode %04o, owner %u:%u, inode %llu%s", b->mode & 07777, b->uid, b->gid, (unsigned long long)b->first,
              b->count > 1 ? " ..." : "");
    if (b->born_from_ns) {
        sbuf_add_str(text, ", made ");
        add_date(text, b->born_from_ns / NS_PER_S);
    }
    if (b->born_from_ns && b->born_to_ns / NS_PER_S != b->born_from_ns / NS_PER_S) {
        sbuf_add_str(text, " to ");
        add_date(text, b->born_to_ns / NS_PER_S);
    }
}

static void put_one(struct sbuf *answer, struct clue_fact *f, const struct sbuf *text)
{
    f->text = sbuf_bytes(text);
    clue_put(answer, f);
}

/* The names of one burst may be those of several facts. */
static void put_named(struct sbuf *answer, struct clue_fact *f, const struct deleted_burst *b)
{
    struct bytes names = sbuf_bytes(&b->names);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    f->path = b->directory;
    add_what(&text, b);
    sbuf_add_str(&text, " (");
    add_inodes(&text, b);
    sbuf_add_str(&text, "): older copies of ");
    add_directory(&text, b);
    sbuf_add_str(&text, " in the journal, up to ");
    add_date(&text, b->copy_ns / NS_PER_S);
    sbuf_addf(&text, ", have %s as ", b->count == 1 ? "that inode" : "those inodes");
    for (;;) {
        add_names(&text, &names);
        if (!names.len && b->unnamed)
            sbuf_addf(&text, ", and %u more", b->unnamed);
        put_one(answer, f, &text);
        if (!names.len)
            return;
        sbuf_clear(&text);
        sbuf_add_str(&text, "and, in ");
        add_directory(&text, b);
        sbuf_add_str(&text, ": ");
    }
}

void deleted_put(struct sbuf *answer, const struct deleted_inodes *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct deleted_burst *b = &all->bursts[i];
        struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_EXACT, .from_ns = b->from_ns, .to_ns = b->to_ns };
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        if (b->names.len) {
            put_named(answer, &f, b);
            continue;
        }
        add_what(&text, b);
        sbuf_add_str(&text, " on this file system near here, whose names are gone: ");
        add_inodes(&text, b);
        put_one(answer, &f, &text);
    }
}

void deleted_done(struct deleted_inodes *all)
{
    for (size_t i = 0; i < all->count; i++)
        sbuf_done(&all->bursts[i].names);
    all->count = 0;
}
