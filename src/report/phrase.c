/* SPDX-License-Identifier: MIT */
/* What was done, in words: the object, how often, whose. */
#include "report/phrase.h"

#include <stdio.h>

#include "event/operation.h"
#include "event/sentence.h"
#include "report/case_state.h"
#include "report/names.h"
#include "report/phrase_words.h"
#include "util/err.h"
#include "util/escape.h"

#define PATH_COLUMNS 80
#define PAIRS_SHOWN 2

/* ---- the object ---- */

uint64_t tally_files(const struct tally *t)
{
    if (t->reported == 1 && t->files_beyond)
        return 1;
    /* each time that a file goes away, or appears, it is another one: what nobody looked at is counted so */
    if (t->files_beyond && (operation_removes(t->operation) || t->operation == OPERATION_CREATE ||
                            t->operation == OPERATION_MKDIR || t->operation == OPERATION_RENAME))
        return t->reported;
    return t->files_beyond ? 0 : t->files;
}

static void add_times(uint64_t n, struct sbuf *out)
{
    if (n == 2)
        sbuf_add_str(out, " twice");
    else if (n > 2)
        sbuf_addf(out, " %llu times", (unsigned long long)n);
}

static bool has_own_noun(const struct tally *t)
{
    return t->operation == OPERATION_SYMLINK || t->operation == OPERATION_LINK || t->operation == OPERATION_MKNOD ||
           t->operation == OPERATION_MKDIR || t->operation == OPERATION_RMDIR;
}

/* Of what is counted; a variant's words have none where the operation's own fits. */
static const char *noun(const struct tally *t, const struct phrase_words *w, bool many)
{
    if (!w->one && has_own_noun(t))
        w = phrase_words_of_operation(t->operation);
    if (!w->one)
        return many ? (t->directory ? "directories" : "files") : t->directory ? "directory" : "file";
    return many ? w->many : w->one;
}

static void add_count(const struct tally *t, const struct phrase_words *w, uint64_t n, struct sbuf *out)
{
    sbuf_addf(out, "%llu %s", (unsigned long long)n, noun(t, w, n != 1));
}

static bool is_one(const struct tally *t)
{
    return t->sample_count == 1 && t->files == 1 && !t->files_beyond;
}

/* One of them holds the others: that is its name. "2 directories in /srv" would not say that /srv/data was one. */
static bool has_top(const struct tally *t)
{
    return t->directory && t->files > 1 && !t->files_beyond && !t->unread && !t->victim && t->top.len > 1 && t->directory_of.len &&
           !bytes_equal(t->top, t->directory_of) && t->operation != OPERATION_RENAME;
}

static void add_place(const struct tally *t, struct sbuf *out)
{
    if (!t->directory_of.len || is_one(t) || has_top(t))
        return;
    sbuf_add_str(out, t->directory_of.len == 1 ? " below " : " in ");
    escape_terminal_path(out, t->directory_of, PATH_COLUMNS);
    if (t->place_unsure)
        sbuf_add_str(out, " and perhaps elsewhere");
}

/* "to /b": the other name, where there are two; an exchange is of both alike. */
static void add_other(const struct tally *t, struct bytes name, struct sbuf *out)
{
    if (!name.len || t->variant == VARIANT_EXCHANGE || t->variant == VARIANT_KEPT ||
        (t->operation != OPERATION_RENAME && t->operation != OPERATION_LINK && t->operation != OPERATION_SYMLINK))
        return;
    sbuf_add_str(out, " to ");
    escape_terminal_path(out, name, PATH_COLUMNS);
}

static void add_name(const struct tally *t, const struct sample *s, struct sbuf *out)
{
    escape_terminal_path(out, s->path, PATH_COLUMNS);
    if (t->variant != VARIANT_EXCHANGE || !s->other.len)
        return;
    sbuf_add_str(out, " and ");
    escape_terminal_path(out, s->other, PATH_COLUMNS);
}

/* What writes and reads are many of, to one file, is not worth a number. */
static bool counts_times(const struct tally *t)
{
    return t->variant != VARIANT_EXCHANGE && t->operation != OPERATION_WRITE && t->operation != OPERATION_READ &&
           t->operation != OPERATION_OPEN_WRITE;
}

/* One path by its name; several by their number and the directory that holds them. */
static void object(const struct tally *t, const struct phrase_words *w, struct sbuf *out)
{
    uint64_t n = tally_files(t);

    if (is_one(t)) {
        if (has_own_noun(t))
            sbuf_addf(out, "the %s ", noun(t, w, false));
        else if (t->directory && t->operation == OPERATION_RENAME && t->variant != VARIANT_ARRIVED)
            sbuf_add_str(out, "the directory ");
        add_name(t, &t->samples[0], out);
        return;
    }
    if (has_top(t)) {
        if (has_own_noun(t))
            sbuf_addf(out, "the %s ", noun(t, w, false));
        escape_terminal_path(out, t->top, PATH_COLUMNS);
        sbuf_add_str(out, " and ");
        add_count(t, w, n - 1, out);
        sbuf_add_str(out, " in it");
    } else if (n) {
        add_count(t, w, n, out);
    } else {
        sbuf_add_str(out, noun(t, w, true));
    }
}

/* Where all of them went, if it is one directory and another one. */
static void add_destination(const struct tally *t, struct sbuf *out)
{
    struct bytes to = t->sample_count ? bytes_dirname(t->samples[0].other) : BYTES_NULL;

    if (t->operation != OPERATION_RENAME || t->variant == VARIANT_EXCHANGE || t->variant == VARIANT_KEPT || !to.len || t->error ||
        t->sample_count != tally_files(t) || bytes_equal(to, t->directory_of))
        return;
    for (size_t i = 1; i < t->sample_count; i++)
        if (!bytes_equal(to, bytes_dirname(t->samples[i].other)))
            return;
    sbuf_add_str(out, " to ");
    escape_terminal_path(out, to, PATH_COLUMNS);
}

/* One bracket holds them all: "(4 times in all, each written new and renamed over the old one)". */
static void next_remark(struct sbuf *in)
{
    if (in->len)
        sbuf_add_str(in, ", ");
}

/* The name that the old file has since. */
static void add_kept(const struct tally *t, struct sbuf *in)
{
    next_remark(in);
    if (!is_one(t)) {
        sbuf_addf(in, "the old ones %s", t->kept_no_more ? "were kept by other names at first" : "are kept by other names");
        return;
    }
    sbuf_add_str(in, t->kept_no_more ? "the old one was kept as " : "the old one is kept as ");
    escape_terminal_path(in, t->samples[0].other, PATH_COLUMNS);
    sbuf_add_str(in, t->kept_no_more ? " at first" : "");
}

/* Where a replacement came from. */
static void add_source(const struct tally *t, struct sbuf *in)
{
    if (t->operation != OPERATION_REPLACE || t->error)
        return;
    if (is_one(t) && t->samples[0].other.len) {
        next_remark(in);
        sbuf_add_str(in, t->written_new ? "written new as " : "by ");
        escape_terminal_path(in, t->written_new ? bytes_basename(t->samples[0].other) : t->samples[0].other, PATH_COLUMNS);
        sbuf_add_str(in, ", renamed over it");
    } else if (t->written_new == t->reported && t->reported) {
        next_remark(in);
        sbuf_add_str(in, "each written new and renamed over the old one");
    }
}

/* What follows the object: how often, and where a replacement came from. */
static void remarks(const struct tally *t, bool with_times, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf in = SBUF_INIT;
    uint64_t n = tally_files(t);

    if (is_one(t))
        add_other(t, t->samples[0].other, out);
    else
        add_destination(t, out);
    if (t->variant == VARIANT_BACK)
        sbuf_add_str(out, " and back");
    if (with_times && counts_times(t) && n == 1)
        add_times(t->reported, out);
    if (t->variant == VARIANT_AWAY && is_one(t) && !t->samples[0].other.len)
        sbuf_add_str(&in, "where to is not known");
    if ((with_times && n > 1 && t->reported > n && counts_times(t)) || !n) {
        next_remark(&in);
        sbuf_addf(&in, n ? "%llu times in all" : "%llu times", (unsigned long long)t->reported);
    }
    if (t->variant == VARIANT_KEPT)
        add_kept(t, &in);
    if (t->variant == VARIANT_OWN) {
        next_remark(&in);
        sbuf_add_str(&in, "which it had created");
    }
    add_source(t, &in);
    if (!in.len)
        return;
    sbuf_add_str(out, " (");
    sbuf_add_bytes(out, sbuf_bytes(&in));
    sbuf_add_char(out, ')');
}

static void add_victim(const struct tally *t, struct sbuf *out)
{
    if (!t->victim)
        return;
    sbuf_add_str(out, " of container ");
    name_container(out, t->victim);
    if (t->sharers.len) {
        sbuf_add_str(out, " (also of ");
        sentence_names(out, t->sharers, 5);
        sbuf_add_char(out, ')');
    }
}

/* What a phrase says beside the deed. */
struct phrase_parts {
    bool place;      /* right behind the object */
    bool place_last; /* behind the verb */
    bool times, victim;
};

/* The phrase up to "%", the object, the rest. */
static void phrase(const char *text, const struct tally *t, struct phrase_parts parts, struct sbuf *out)
{
    const char *at = strchr(text, '%'), *rest;

    sbuf_add(out, text, (size_t)(at - text));
    object(t, phrase_words_of(t), out);
    if (parts.place)
        add_place(t, out);
    if (parts.victim)
        add_victim(t, out);
    rest = strchr(at, ',');
    if (!rest)
        rest = at + strlen(at);
    sbuf_add(out, at + 1, (size_t)(rest - at - 1));
    if (parts.place_last)
        add_place(t, out);
    remarks(t, parts.times, out);
    sbuf_add_str(out, rest); /* "touched /srv/a twice, nothing changed" */
}

static void add_one_change(const struct tally *t, enum operation operation, struct sbuf *out)
{
    struct event e = { .operation = operation, .before = t->before, .after = t->after };

    sentence_change(out, &e);
}

static void add_change(const struct tally *t, struct sbuf *out)
{
    bool mode = file_state_mode_differs(&t->before, &t->after), owner = file_state_owner_differs(&t->before, &t->after);

    if (t->operation != OPERATION_ATTRIBUTES) {
        add_one_change(t, t->operation, out);
        return;
    }
    if (mode)
        add_one_change(t, OPERATION_CHMOD, out);
    if (mode && owner)
        sbuf_add_str(out, ", ");
    if (owner)
        add_one_change(t, OPERATION_CHOWN, out);
}

static bool is_mode_or_owner(const struct tally *t)
{
    return t->error == 0 && (t->variant == VARIANT_PLAIN || phrase_is_known_change(t)) && t->same_change &&
           (t->operation == OPERATION_CHMOD || t->operation == OPERATION_CHOWN || phrase_is_known_change(t)) && !t->unread;
}

/* 40 bytes; of a sensor that sees sizes only, by how much they grew. */
static void add_bytes(const struct tally *t, struct sbuf *out)
{
    if (t->operation != OPERATION_WRITE || t->error || t->unread)
        return;
    if (t->bytes_known) {
        sbuf_add_str(out, t->bytes_unknown || t->growth_known ? ", at least " : ", ");
        sentence_size(out, t->bytes);
    } else if (t->growth_known && t->growth && !t->bytes_unknown) {
        sbuf_add_str(out, t->growth > 0 ? ", grown by " : ", shrunk by ");
        sentence_size(out, (uint64_t)(t->growth > 0 ? t->growth : -t->growth));
    }
}

/* What was deleted had another name before. */
static void add_move(const struct tally *t, struct sbuf *out)
{
    struct bytes name = is_one(t) ? t->samples[0].other : BYTES_NULL;

    if ((t->operation != OPERATION_UNLINK && t->operation != OPERATION_RMDIR) || t->variant == VARIANT_ANEW)
        return;
    if (t->moved_first && t->moved_first < t->reported) {
        sbuf_add_str(out, " (some moved away first)");
    } else if (t->moved_first) {
        sbuf_add_str(out, name.len ? " (moved to " : " (moved away first");
        escape_terminal_path(out, name, PATH_COLUMNS);
        sbuf_add_str(out, name.len ? " first)" : ")");
    } else if (name.len) {
        sbuf_add_str(out, " (which had been ");
        escape_terminal_path(out, name, PATH_COLUMNS);
        sbuf_add_char(out, ')');
    }
}

bool phrase_above(const struct tally *t, struct sbuf *out)
{
    if (!t->above.len)
        return false;
    sbuf_add_bytes(out, t->above);
    add_times(t->reported, out);
    return true;
}

/* "moved /data/mid to /data/gone (/data/mid/leaf/k went with it)" */
static bool is_above(const struct tally *t, struct sbuf *out)
{
    if (!phrase_above(t, out))
        return false;
    sbuf_add_str(out, " (");
    sbuf_add_bytes(out, t->carried);
    sbuf_add_char(out, ')');
    return true;
}

static const char *refused_by(const struct tally *t)
{
    const char *name = errno_name(t->error);

    return t->by_guard ? "by the guard" : name ? name : "?";
}

void phrase_did(const struct tally *t, bool with_times, bool with_victim, struct sbuf *out)
{
    const struct phrase_parts parts = { .place = !t->victim, .times = with_times, .victim = with_victim };

    if (is_above(t, out))
        return;
    if (t->error != 0) {
        sbuf_add_str(out, "tried to ");
        phrase(phrase_words_of(t)->attempt, t, parts, out);
        if (t->error > 0)
            sbuf_addf(out, " and was refused (%s)", refused_by(t));
        else
            sbuf_add_str(out, " (whether it did is not known)");
        return;
    }
    if (t->gains_write && is_one(t) && t->variant == VARIANT_PLAIN) {
        sbuf_add_str(out, "made ");
        object(t, phrase_words_of(t), out);
        if (with_victim)
            add_victim(t, out);
        sbuf_add_str(out, " writable");
        return;
    }
    phrase(phrase_words_of(t)->did, t, parts, out);
    if (is_mode_or_owner(t)) {
        _cleanup_sbuf_ struct sbuf change = SBUF_INIT;

        add_change(t, &change);
        if (change.len) {
            sbuf_add_str(out, ": ");
            sbuf_add_bytes(out, sbuf_bytes(&change));
        }
    }
    add_move(t, out);
}

static void add_pairs(const struct tally *t, struct sbuf *out)
{
    if (is_one(t) || t->error || t->operation != OPERATION_RENAME || t->variant == VARIANT_KEPT || !t->sample_count)
        return;
    sbuf_add_str(out, ": ");
    for (size_t i = 0; i < t->sample_count && i < PAIRS_SHOWN; i++) {
        sbuf_add_str(out, i ? ", " : "");
        add_name(t, &t->samples[i], out);
        add_other(t, t->samples[i].other, out);
    }
    if (tally_files(t) > PAIRS_SHOWN)
        sbuf_add_str(out, ", …");
}

void phrase_done(const struct tally *t, struct sbuf *out)
{
    const struct phrase_parts parts = { .place_last = true, .times = true };
    _cleanup_sbuf_ struct sbuf change = SBUF_INIT;
    const struct phrase_words *w = phrase_words_of(t);

    if (is_above(t, out))
        return;
    if (t->error != 0) {
        sbuf_addf(out, "attempt%s to ", t->reported == 1 ? "" : "s");
        phrase(w->attempt, t, parts, out);
        if (t->error > 0)
            sbuf_addf(out, " refused (%s)", refused_by(t));
        else
            sbuf_add_str(out, ", outcome not known");
        return;
    }
    if (is_mode_or_owner(t))
        add_change(t, &change);
    if (change.len && is_one(t)) {
        escape_terminal_path(out, t->samples[0].path, PATH_COLUMNS);
        sbuf_add_char(out, ' ');
        sbuf_add_bytes(out, sbuf_bytes(&change));
        add_times(t->reported, out);
        return;
    }
    phrase(w->done, t, parts, out);
    if (change.len) {
        sbuf_add_str(out, ": ");
        sbuf_add_bytes(out, sbuf_bytes(&change));
    }
    add_pairs(t, out);
    add_bytes(t, out);
    if (is_one(t) && t->operation == OPERATION_CREATE && t->samples[0].other.len) {
        sbuf_add_str(out, " (first named ");
        escape_terminal(out, bytes_basename(t->samples[0].other));
        sbuf_add_char(out, ')');
    }
    add_move(t, out);
}
