/* SPDX-License-Identifier: MIT */
#include "report/follow_names.h"

#include <string.h>

#include "report/culprit.h"
#include "report/follow_watched.h"
#include "report/tally.h"
#include "util/cleanup.h"

#define ANEW_NS (60 * NS_PER_S)    /* who deletes a name and takes it again so soon replaces the file */
#define HALVES_NS (2 * NS_PER_S) /* two events of one system call: the same moment, or when a sensor on a busy machine looked */

/* The name that the culprit itself had deleted a moment ago is taken again: reported as a replacement. */
static bool taken_again(const struct step *step, struct trace *gone, struct bytes from)
{
    struct part *part = gone && gone->part_count ? &gone->parts[0] : NULL;
    struct tally *t;

    if (!part || gone->gone_by != step->s || step->e->time_ns > part->last_ns + ANEW_NS)
        return false;
    t = tally_of_variant(step->c, step->s, part->tally, VARIANT_ANEW);
    if (!t)
        return false;
    tally_add(step->c, t, part, &(struct sample){ trace_path(gone), from });
    gone->part_count = 0;
    return true;
}

/* The culprit's last rename took the name from the file that had it, and it did nothing else to that: NULL if not. */
static struct trace *moved_aside(const struct step *step)
{
    const struct half *r = &step->s->renamed;
    const struct event *e = step->e;
    struct trace *moved;

    if (!step->counted || !r->tally || !fingerprint_equal(r->old_key, step_name_key(e, e->path)) || e->time_ns > r->time_ns + ANEW_NS)
        return NULL;
    moved = trace_find(step->c, e, sbuf_bytes(&step->s->renamed_to));
    return moved && !moved->maker && moved->mover == step->s && moved->part_count == 1 && moved->parts[0].tally == r->tally &&
                   moved->parts[0].count == 1 && bytes_equal(moved->previous, e->path) && r->tally->directory == changes_directory(e)
               ? moved
               : NULL;
}

/* It makes a new file of that name now: an editor that keeps the old one. Reported as a replacement, with the name that the old one has. */
static bool kept_aside(const struct step *step)
{
    struct trace *moved = moved_aside(step);
    struct tally *t = moved ? tally_of_variant(step->c, step->s, moved->parts[0].tally, VARIANT_KEPT) : NULL;

    if (!t)
        return false;
    moved->parts[0].tally = t;
    step->s->renamed.tally = NULL;
    return true;
}

void follow_created(const struct step *step)
{
    const struct event *e = step->e;
    struct trace *trace = trace_find(step->c, e, e->path);
    bool anew = taken_again(step, trace, BYTES_NULL) || kept_aside(step);

    trace_lost(trace);
    trace_forget(step->c, trace); /* what was known of a file of that name is of another one */
    trace = trace_add(step->c, e, e->path, BYTES_NULL, e->target_path);
    if (trace) {
        trace->maker = step->s;
        trace->anew = anew;
    }
    if (anew)
        step_fold(step, VARIANT_PLAIN, FOLD_REPLACEMENT);
    else
        step_wait(step, trace, VARIANT_PLAIN, e->path, e->target_path);
}

/* The name is free now, and who took it away may take it again. */
static void gone(const struct step *step, struct bytes other)
{
    const struct event *e = step->e;
    struct trace *trace = step->counted && !other.len ? trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL) : NULL;

    if (trace)
        trace->gone_by = step->s;
    if (trace)
        step_wait(step, trace, VARIANT_PLAIN, e->path, BYTES_NULL);
    else
        step_count(step, VARIANT_PLAIN, e->path, other);
}

/*
 * Moved away, then deleted under another name: the old name's disappearance is the story. Where its culprit has made a new
 * file of that name, or does so now, it was replaced: a log that is rotated and compressed.
 */
static void moved_and_deleted(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;
    struct trace *there = trace_find(step->c, e, trace->original);
    struct tally *anew = there && there->maker == step->s && (there->part_count || there->anew) ? step_tally(step, VARIANT_ANEW) : NULL;
    struct trace *free_name;

    if (anew) {
        trace_fold(there, FOLD_REPLACEMENT);
        there->anew = true;
        step_count_in(step->c, anew, e, trace->original, BYTES_NULL);
        trace_drop(step->c, trace);
        return;
    }
    free_name = there ? NULL : trace_add(step->c, e, trace->original, BYTES_NULL, e->path);
    if (free_name) {
        free_name->gone_by = step->s;
        step_wait(step, free_name, VARIANT_PLAIN, trace->original, e->path);
    } else {
        struct tally *t = step_tally(step, VARIANT_PLAIN);

        step_count_in(step->c, t, e, trace->original, e->path);
        if (t)
            t->moved_first++;
    }
    trace_drop(step->c, trace);
}

void follow_deleted(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct trace *trace = trace_find(c, e, e->path);

    if (trace && trace->maker == step->s && !trace->anew) {
        trace_fold(trace, FOLD_TEMPORARY);
        step_fold(step, VARIANT_PLAIN, FOLD_TEMPORARY);
    } else if (step->counted && trace && trace->original.len && !trace->maker && trace->mover == step->s) {
        trace_fold(trace, FOLD_MOVED);
        moved_and_deleted(step, trace);
        return;
    } else {
        _cleanup_sbuf_ struct sbuf original = SBUF_INIT; /* the trace's is gone with it */

        if (trace && !trace->maker)
            sbuf_add_bytes(&original, trace->original);
        trace_lost(trace);
        trace_forget(c, trace);
        gone(step, sbuf_bytes(&original));
        return;
    }
    trace_drop(c, trace);
}

/* ---- two halves ---- */

static bool is_moment(const struct half *h, const struct event *e)
{
    uint64_t apart = h->time_ns > e->time_ns ? h->time_ns - e->time_ns : e->time_ns - h->time_ns;

    return h->tally && h->pid == e->actor.pid && apart < HALVES_NS;
}

static bool is_half(const struct half *h, const struct event *e, struct bytes name)
{
    return is_moment(h, e) && fingerprint_equal(h->key, step_name_key(e, name));
}

/* The rename and the replacement are one change of the name that both have. */
static void join_halves(const struct step *step, struct trace *moved, struct tally *t)
{
    const struct event *e = step->e;
    struct culprit *s = step->s;
    struct part part = trace_part(t, e);

    if (s->renamed.own && moved && moved->maker == s) { /* both were its own: the name stays, as it created it */
        t->folded[FOLD_REPLACEMENT]++;
        s->renamed.tally = NULL;
        return;
    }
    tally_add(step->c, t, &part, &(struct sample){ e->path, moved ? moved->previous : BYTES_NULL });
    t->written_new += moved && moved->maker == s;
    if (moved) {
        trace_fold(moved, FOLD_REPLACEMENT);
        if (!s->renamed.own) /* it took the place of a file that was there before */
            trace_drop(step->c, moved);
    }
    s->renamed.tally = NULL;
}

void follow_replaced(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct culprit *s = step->s;
    struct trace *there = trace_find(c, e, e->path);
    bool joined = is_half(&s->renamed, e, e->path), own = joined ? s->renamed.own : there && there->maker == s;
    struct tally *t = step_tally(step, own ? VARIANT_OWN : VARIANT_PLAIN);

    if (t && joined) {
        join_halves(step, there, t);
        return;
    }
    if (!joined) {
        trace_lost(there);
        trace_forget(c, there);
    }
    if (step->counted) {
        step_count_in(c, t, e, e->path, BYTES_NULL);
        s->replaced = (struct half){ .time_ns = e->time_ns, .pid = e->actor.pid, .key = step_name_key(e, e->path),
                                     .tally = t, .own = own };
    }
}

/* The second half of an exchange: the first was taken for a plain rename. The same file twice was renamed and renamed back. */
static bool exchanged(const struct step *step)
{
    const struct event *e = step->e;
    struct culprit *s = step->s;
    struct trace *first;
    struct tally *t;

    if (!is_half(&s->renamed, e, e->previous_path) || !fingerprint_equal(s->renamed.old_key, step_name_key(e, e->path)))
        return false;
    if (!s->renamed.inode || !event_inode(e) || s->renamed.inode == event_inode(e))
        return false;
    first = trace_find(step->c, e, e->previous_path);
    if (!first || !first->part_count || first->parts[first->part_count - 1].tally != s->renamed.tally)
        return false;
    t = step_tally(step, VARIANT_EXCHANGE);
    if (!t)
        return false;
    tally_add(step->c, t, &first->parts[--first->part_count], &(struct sample){ e->path, e->previous_path });
    step_count(step, VARIANT_EXCHANGE, e->path, e->previous_path);
    trace_forget(step->c, first);
    s->renamed.tally = NULL;
    return true;
}

/* The culprit itself gave the file this name a moment ago, and that is all it did to it: the file is renamed once, to the last name. */
static bool is_passing(const struct step *step, const struct trace *old)
{
    const struct half *r = &step->s->renamed;
    const struct event *e = step->e;

    return old && !old->maker && old->mover == step->s && old->part_count == 1 && old->parts[0].tally == r->tally && old->parts[0].count == 1 &&
           old->previous.len && !bytes_equal(old->previous, e->path) && e->time_ns - r->time_ns < HALVES_NS && !watched_is_left(e) &&
           fingerprint_equal(r->key, step_name_key(e, e->previous_path));
}

/* It has the name again that the culprit had taken from it, and nothing else was done to it: one file, whenever that was. */
static bool is_back(const struct step *step, const struct trace *old)
{
    const struct part *part = old && old->part_count == 1 ? &old->parts[0] : NULL;

    return part && step->counted && !old->maker && old->mover == step->s && part->tally->operation == OPERATION_RENAME && part->count == 1 &&
           bytes_equal(old->previous, step->e->path);
}

static bool came_back(const struct step *step, struct trace *old)
{
    const struct event *e = step->e;
    struct part *part = &old->parts[0];
    struct tally *t = tally_of_variant(step->c, step->s, part->tally, VARIANT_BACK);

    if (!t)
        return false;
    part->last_ns = MAX(part->last_ns, e->time_ns);
    tally_add(step->c, t, part, &(struct sample){ e->path, e->previous_path });
    old->part_count = 0;
    step_fold(step, VARIANT_BACK, FOLD_PASSING);
    trace_drop(step->c, old);
    return true;
}

/* The file's trace under its new name, with what waits. */
static struct trace *move_trace(struct case_ *c, const struct event *e, struct trace *old, bool passing)
{
    struct bytes original = old && old->original.len ? old->original : e->previous_path;
    struct trace *now = trace_add(c, e, e->path, original, passing ? old->previous : e->previous_path);

    if (!now) {
        if (old)
            trace_commit(c, old);
        return NULL;
    }
    if (old) {
        now->maker = old->maker;
        if (!old->maker && !passing) /* moved once more: the first move is reported by itself */
            trace_commit(c, old);
        now->parts = TAKE_PTR(old->parts);
        now->part_count = old->part_count;
        now->part_size = old->part_size;
        old->part_count = old->part_size = 0;
    }
    return now;
}

/* The replacement was reported first, and without a word of where the new file came from. */
static void join_later_half(const struct step *step, struct trace *moved, enum variant variant, bool own)
{
    struct half *r = &step->s->replaced;
    struct tally *t = r->tally;
    struct sample *last = t->sample_count ? &t->samples[t->sample_count - 1] : NULL;

    t->written_new += own;
    if (last && bytes_equal(last->path, step->e->path) && !last->other.len)
        last->other = arena_copy(&step->c->arena, step->e->previous_path);
    if (moved)
        trace_fold(moved, FOLD_REPLACEMENT);
    step_fold(step, variant, FOLD_REPLACEMENT);
    if (!r->own)
        trace_drop(step->c, moved);
    r->tally = NULL;
}

/* Not of what is watched, nor what the culprit has just moved out of it. A file that was there before is another story: a log takes
 * the place of an older one that was deleted. */
static bool is_from_elsewhere(const struct step *step)
{
    return !watched_had(step->e) && !bytes_equal(step->e->previous_path, sbuf_bytes(&step->s->renamed_to));
}

void follow_renamed(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct culprit *s = step->s;
    struct trace *old = trace_find(c, e, e->previous_path), *there = trace_find(c, e, e->path), *now;
    bool own = old && old->maker == s, over_own = there && there->maker == s, over_anew, was_anew, joined, anew, passing;
    enum variant variant = !e->previous_path.len ? VARIANT_ARRIVED : watched_is_left(e) ? VARIANT_AWAY : own ? VARIANT_OWN : VARIANT_PLAIN;

    if (watched_is_bundle(s, e)) {
        step_count(step, VARIANT_BUNDLE, e->previous_path, e->path);
        return;
    }
    if (exchanged(step))
        return;
    if (changes_directory(e) && e->previous_path.len && !watched_is_left(e))
        trace_move_below(c, e);
    if (old && old->gone_by) { /* another file has taken the name, unseen */
        trace_forget(c, old);
        old = NULL;
    }
    joined = is_half(&s->replaced, e, e->path);
    anew = !joined && (own || is_from_elsewhere(step)) && (taken_again(step, there, e->previous_path) || kept_aside(step));
    if (!joined && !anew && !there && is_back(step, old) && came_back(step, old))
        return;
    passing = !joined && !anew && !there && is_passing(step, old);
    over_anew = over_own && there->anew;
    if (over_own) /* what it had made there before is gone */
        trace_fold(there, over_anew ? FOLD_REPLACEMENT : FOLD_TEMPORARY);
    trace_lost(there);
    trace_forget(c, there);
    trace_lost(old);
    if (old && !own && old->maker)
        trace_commit(c, old);
    was_anew = old && old->anew;
    now = move_trace(c, e, old, passing);
    trace_drop(c, old);
    if (joined && step->counted) {
        join_later_half(step, now, variant, own);
        return;
    }
    if (anew) {
        if (now)
            trace_fold(now, FOLD_REPLACEMENT);
        step_fold(step, variant, FOLD_REPLACEMENT);
        trace_drop(c, now);
        return;
    }
    if (passing && now)
        step_fold(step, variant, FOLD_PASSING);
    else if (e->previous_path.len)
        step_wait(step, now, variant, e->previous_path, e->path);
    else
        step_wait(step, now, variant, e->path, BYTES_NULL);
    if (now) {
        now->mover = s;
        now->away = own && variant == VARIANT_AWAY;
        now->anew = over_anew || (own && was_anew);
        if (over_anew && own)
            trace_fold(now, FOLD_REPLACEMENT); /* reported when the name was taken the first time */
    }
    sbuf_clear(&s->renamed_to);
    sbuf_add_bytes(&s->renamed_to, e->path);
    s->renamed = (struct half){ .time_ns = e->time_ns, .pid = e->actor.pid, .key = step_name_key(e, e->path),
                                .old_key = step_name_key(e, e->previous_path), .inode = event_inode(e), .own = over_own,
                                .tally = step->counted ? case_tally(c, s, e, variant) : NULL };
}
