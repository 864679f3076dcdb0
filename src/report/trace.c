/* SPDX-License-Identifier: MIT */
/* The table of files that are followed by name, and the changes that wait in it. */
#include "report/trace.h"

#include <stdlib.h>

#include "report/tally.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/macro.h"

/* ---- the table ---- */

struct trace_key {
    struct bytes text; /* until the next is made */
    size_t path_at;
    unsigned hash;
};

static struct trace_key make_key(struct case_ *c, const struct event *e, struct bytes path)
{
    struct sbuf *buffer = &c->trace_key;
    size_t path_at;

    sbuf_clear(buffer);
    if (e->victim)
        sbuf_add_bytes(buffer, e->victim->id);
    sbuf_add_char(buffer, '\0');
    path_at = buffer->len;
    sbuf_add_bytes(buffer, path);
    return (struct trace_key){ sbuf_bytes(buffer), path_at,
                               (unsigned)hash_words(HASH_START, sbuf_str(buffer), buffer->len) };
}

struct trace *trace_find(struct case_ *c, const struct event *e, struct bytes path)
{
    struct trace_key key = make_key(c, e, path);
    struct trace *t;

    HASH_FIND_BYHASHVALUE(hh, c->traces, key.text.data, key.text.len, key.hash, t);
    return t;
}

void trace_drop(struct case_ *c, struct trace *t)
{
    if (!t)
        return;
    HASH_DEL(c->traces, t);
    free(t->parts);
    free(t);
}

/* One allocation holds the row and its strings: traces come and go with every temporary file. */
struct trace *trace_add(struct case_ *c, const struct event *e, struct bytes path,
                        struct bytes original, struct bytes previous)
{
    struct trace_key made = make_key(c, e, path);
    struct trace *t;
    char *at;

    if (sbuf_error(&c->trace_key))
        return NULL;
    t = malloc(sizeof(*t) + made.text.len + original.len + previous.len);
    if (!t)
        return NULL;
    *t = (struct trace){ .path_at = made.path_at };
    at = (char *)(t + 1);
    t->key = (struct bytes){ memcpy(at, made.text.data, made.text.len), made.text.len };
    at += made.text.len;
    if (original.len)
        t->original = (struct bytes){ memcpy(at, original.data, original.len), original.len };
    at += original.len;
    if (previous.len)
        t->previous = (struct bytes){ memcpy(at, previous.data, previous.len), previous.len };
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, c->traces, t->key.data, t->key.len, made.hash, t);
    if (!t->hh.tbl) {
        free(t);
        return NULL;
    }
    return t;
}

/* Only what was made here: another file is reported by the name that it had when it was moved or deleted. */
static bool is_made_below(const struct trace *t, struct bytes victim_and_path)
{
    return t->maker && t->key.len > victim_and_path.len && t->key.data[victim_and_path.len] == '/' &&
           bytes_starts_with(t->key, victim_and_path);
}

/* As one of the other name, with all that waits. It stays where there is no memory, or something of that name. */
static void move_to(struct case_ *c, const struct event *e, struct trace *t, struct bytes path)
{
    struct trace *now = trace_find(c, e, path) ? NULL : trace_add(c, e, path, t->original, t->previous);

    if (!now)
        return;
    now->maker = t->maker;
    now->mover = t->mover;
    now->gone_by = t->gone_by;
    now->emptied_by = t->emptied_by;
    now->cut_by = t->cut_by;
    now->cut_from = t->cut_from;
    now->cut_to = t->cut_to;
    now->away = t->away;
    now->anew = t->anew;
    now->overwritten = t->overwritten;
    now->parts = TAKE_PTR(t->parts);
    now->part_count = t->part_count;
    now->part_size = t->part_size;
    trace_drop(c, t);
}

void trace_move_below(struct case_ *c, const struct event *e)
{
    _cleanup_sbuf_ struct sbuf old = SBUF_INIT, path = SBUF_INIT;
    struct trace_key key = make_key(c, e, e->previous_path);
    struct trace *t, *next;

    if (c->looks < HASH_COUNT(c->traces))
        return;
    /* No folder goes below itself, but a damaged or forged record says so: what is moved would be met again, without end. */
    if (!e->previous_path.len || bytes_path_covers(e->previous_path, e->path))
        return;
    c->looks -= HASH_COUNT(c->traces);
    sbuf_add_bytes(&old, key.text);
    HASH_ITER(hh, c->traces, t, next)
    {
        if (t == &c->no_trace || !is_made_below(t, sbuf_bytes(&old)))
            continue;
        sbuf_clear(&path);
        sbuf_add_bytes(&path, e->path);
        sbuf_add_bytes(&path, (struct bytes){ t->key.data + old.len, t->key.len - old.len });
        if (sbuf_error(&path) || sbuf_error(&old))
            return;
        move_to(c, e, t, sbuf_bytes(&path));
    }
}

struct bytes trace_path(const struct trace *t)
{
    return (struct bytes){ t->key.data + t->path_at, t->key.len - t->path_at };
}

/* ---- what waits ---- */

bool trace_is_creation(enum operation operation)
{
    return operation == OPERATION_CREATE || operation == OPERATION_MKDIR ||
           operation == OPERATION_MKNOD || operation == OPERATION_SYMLINK ||
           operation == OPERATION_LINK;
}

/* As what a change to a file counts that its culprit had made, once it is known that the file
 * stays. */
static enum fold fold_of(const struct trace *trace, const struct tally *t)
{
    if (t->variant == VARIANT_UNCHANGED && trace->maker)
        return FOLD_CONTENTS;
    switch (t->operation) {
    case OPERATION_OPEN_WRITE:
    case OPERATION_WRITE:
    case OPERATION_TRUNCATE:
    case OPERATION_UTIME:
    case OPERATION_ATTRIBUTES:
        return t->variant == VARIANT_OWN ? FOLD_CONTENTS : FOLD_COUNT;
    case OPERATION_RENAME:
        return trace->maker && (t->variant == VARIANT_OWN || t->variant == VARIANT_AWAY)
                   ? FOLD_RENAMED
                   : FOLD_COUNT;
    default:
        return FOLD_COUNT;
    }
}

/* Its first name, unless it has that again; of a link that was never moved what it points to: of one that was nobody remembers it. */
static struct bytes former_name(const struct trace *trace, enum operation made_by)
{
    if (!trace->original.len)
        return trace->previous;
    if (made_by == OPERATION_SYMLINK || made_by == OPERATION_LINK)
        return BYTES_NULL;
    return bytes_equal(trace->original, trace_path(trace)) ? BYTES_NULL : trace->original;
}

void trace_commit(struct case_ *c, struct trace *trace)
{
    struct sample sample = { .path = trace_path(trace) };

    if (trace->away) {
        trace_fold(trace, FOLD_TEMPORARY);
        return;
    }
    for (unsigned i = 0; i < trace->part_count; i++) {
        const struct part *part = &trace->parts[i];
        enum fold fold = fold_of(trace, part->tally);

        if (fold != FOLD_COUNT) {
            part->tally->folded[fold] += part->count;
        } else if (part->tally->operation == OPERATION_RENAME && trace->previous.len) {
            tally_add(c, part->tally, part, &(struct sample){ trace->previous, trace_path(trace) });
        } else if (trace->gone_by && trace->previous.len) { /* it was moved there first */
            tally_add(c, part->tally, part, &(struct sample){ trace_path(trace), trace->previous });
            part->tally->moved_first += part->count;
        } else {
            sample.other = trace_is_creation(part->tally->operation) ? former_name(trace, part->tally->operation) : BYTES_NULL;
            tally_add(c, part->tally, part, &sample);
        }
    }
    trace->part_count = 0;
}

/* Two parts of one tally are one. */
static void join_parts(struct trace *trace, unsigned at)
{
    struct part *later = &trace->parts[at];

    for (unsigned i = 0; i < at; i++) {
        struct part *part = &trace->parts[i];

        if (part->tally != later->tally)
            continue;
        part->count += later->count;
        part->last_ns = MAX(part->last_ns, later->last_ns);
        *later = trace->parts[--trace->part_count];
        return;
    }
}

bool trace_overwritten(struct case_ *c, struct culprit *s, struct trace *trace, enum variant variant, uint64_t time_ns)
{
    for (unsigned i = trace->part_count; i-- > 0;) {
        struct part *part = &trace->parts[i];
        struct tally *t = part->tally->operation == OPERATION_TRUNCATE
                              ? tally_of_variant(c, s, part->tally, variant)
                              : NULL;

        if (!t)
            continue;
        part->tally = trace->overwritten = t;
        part->last_ns = MAX(part->last_ns, time_ns);
        join_parts(trace, i);
    }
    if (trace->overwritten && trace->overwritten->reported)
        trace->overwritten->last_ns = MAX(trace->overwritten->last_ns, time_ns);
    return trace->overwritten != NULL;
}

void trace_fold(struct trace *trace, enum fold why)
{
    for (unsigned i = 0; i < trace->part_count; i++)
        trace->parts[i].tally->folded[why] += trace->parts[i].count;
    trace->part_count = 0;
}

void trace_forget(struct case_ *c, struct trace *trace)
{
    if (!trace)
        return;
    trace_commit(c, trace);
    trace_drop(c, trace);
}

void trace_lost(struct trace *trace)
{
    for (unsigned i = 0; trace && i < trace->part_count; i++)
        trace->parts[i].tally->kept_no_more |= trace->parts[i].tally->variant == VARIANT_KEPT;
}

static uint64_t start_of(const struct event *e)
{
    return e->since_start_known ? e->time_ns - (uint64_t)e->since_start_ns : 0;
}

struct part trace_part(struct tally *t, const struct event *e)
{
    return (struct part){ t, 1, e->time_ns, e->time_ns, start_of(e) };
}

bool trace_wait(struct trace *trace, struct tally *t, const struct event *e)
{
    for (unsigned i = 0; i < trace->part_count; i++)
        if (trace->parts[i].tally == t) {
            trace->parts[i].count++;
            trace->parts[i].last_ns = MAX(trace->parts[i].last_ns, e->time_ns);
            return true;
        }
    if (trace->part_count == PARTS_MAX)
        return false;
    if (ARRAY_ROOM(trace->parts, trace->part_count, trace->part_size, 1) < 0)
        return false;
    trace->parts[trace->part_count++] = trace_part(t, e);
    return true;
}

/* The oldest one gives way: what is made and deleted again lives shortly. */
void trace_make_room(struct case_ *c)
{
    struct trace *oldest = c->traces;

    if (HASH_COUNT(c->traces) <= TRACES_MAX)
        return;
    if (oldest == &c->no_trace)
        oldest = oldest->hh.next;
    trace_forget(c, oldest);
}

void follow_commit(struct case_ *c)
{
    struct trace *trace, *next;

    HASH_ITER(hh, c->traces, trace, next)
    if (trace != &c->no_trace)
        trace_commit(c, trace);
}

void follow_done(struct case_ *c)
{
    struct trace *trace, *next;

    HASH_ITER(hh, c->traces, trace, next)
    {
        HASH_DEL(c->traces, trace);
        if (trace == &c->no_trace)
            continue;
        free(trace->parts);
        free(trace);
    }
    sbuf_done(&c->trace_key);
}
