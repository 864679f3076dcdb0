/* SPDX-License-Identifier: MIT */
#include "report/follow.h"

/*
 * What becomes of files: by their names through creations, moves and deletions. A change to a file that its
 * culprit has made waits in the file's trace: only what becomes of the file says as what it counts (a
 * temporary file, the new content of another one, something that stays). Each event is counted once.
 */
#include <string.h>

#include "event/sentence.h"
#include "event/syscall_name.h"
#include "report/culprit.h"
#include "report/tally.h"
#include "report/trace.h"

#define ANEW_NS (60 * NS_PER_S)    /* who deletes a name and takes it again so soon replaces the file */
#define HALVES_NS (2 * NS_PER_S) /* two events of one system call: the same moment, or when a sensor on a busy machine looked */

static struct fingerprint name_key(const struct event *e, struct bytes path)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, e->victim ? e->victim->id : BYTES_NULL);
    fingerprint_add(&of, path);
    return fingerprint_end(&of);
}

static void count(struct case_ *c, struct tally *t, const struct event *e, struct bytes path, struct bytes other)
{
    struct part part = trace_part(t, e);

    if (t)
        tally_add(c, t, &part, &(struct sample){ path, other });
    else
        c->beyond++;
}

/* ---- one event ---- */

/* Who did it, and where it is counted; not counted: it only shows what became of the file. */
struct step {
    struct case_ *c;
    struct culprit *s;
    const struct event *e;
    bool counted;
};

static struct tally *tally_for(const struct step *step, enum variant variant)
{
    struct tally *t = step->counted ? case_tally(step->c, step->s, step->e, variant) : NULL;

    if (t)
        tally_describe(step->c, t, step->e);
    return t;
}

static void count_step(const struct step *step, enum variant variant, struct bytes path, struct bytes other)
{
    if (step->counted)
        count(step->c, tally_for(step, variant), step->e, path, other);
}

/* Counted at once where the trace has no room for it. */
static void wait_step(const struct step *step, struct trace *trace, enum variant variant, struct bytes path,
                      struct bytes other)
{
    struct tally *t = tally_for(step, variant);

    if (!step->counted || (t && trace && trace_wait(trace, t, step->e)))
        return;
    count(step->c, t, step->e, path, other);
}

static void fold_step(const struct step *step, enum variant variant, enum fold why)
{
    struct tally *t = tally_for(step, variant);

    if (t)
        t->folded[why]++;
    else if (step->counted)
        step->c->beyond++;
}

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

static void created(const struct step *step)
{
    const struct event *e = step->e;
    struct trace *trace = trace_find(step->c, e, e->path);
    bool anew = taken_again(step, trace, BYTES_NULL);

    trace_forget(step->c, trace); /* what was known of a file of that name is of another one */
    trace = trace_add(step->c, e, e->path, BYTES_NULL, e->target_path);
    if (trace) {
        trace->maker = step->s;
        trace->anew = anew;
    }
    if (anew)
        fold_step(step, VARIANT_PLAIN, FOLD_REPLACEMENT);
    else
        wait_step(step, trace, VARIANT_PLAIN, e->path, e->target_path);
}

/* The name is free now, and who took it away may take it again. */
static void gone(const struct step *step, struct bytes other)
{
    const struct event *e = step->e;
    struct trace *trace = step->counted && !other.len ? trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL) : NULL;

    if (trace)
        trace->gone_by = step->s;
    if (trace)
        wait_step(step, trace, VARIANT_PLAIN, e->path, BYTES_NULL);
    else
        count_step(step, VARIANT_PLAIN, e->path, other);
}

/*
 * Moved away, then deleted under another name: the old name's disappearance is the story. Where its culprit has made a new
 * file of that name, or does so now, it was replaced: a log that is rotated and compressed.
 */
static void moved_and_deleted(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;
    struct trace *there = trace_find(step->c, e, trace->original);
    struct tally *anew = there && there->maker == step->s && there->part_count ? tally_for(step, VARIANT_ANEW) : NULL;
    struct trace *free_name;

    if (anew) {
        trace_fold(there, FOLD_REPLACEMENT);
        there->anew = true;
        count(step->c, anew, e, trace->original, BYTES_NULL);
        trace_drop(step->c, trace);
        return;
    }
    free_name = there ? NULL : trace_add(step->c, e, trace->original, BYTES_NULL, e->path);
    if (free_name) {
        free_name->gone_by = step->s;
        wait_step(step, free_name, VARIANT_PLAIN, trace->original, e->path);
    } else {
        struct tally *t = tally_for(step, VARIANT_PLAIN);

        count(step->c, t, e, trace->original, e->path);
        if (t)
            t->moved_first++;
    }
    trace_drop(step->c, trace);
}

static void deleted(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct trace *trace = trace_find(c, e, e->path);

    if (trace && trace->maker == step->s && !trace->anew) {
        trace_fold(trace, FOLD_TEMPORARY);
        fold_step(step, VARIANT_PLAIN, FOLD_TEMPORARY);
    } else if (step->counted && trace && trace->original.len && !trace->maker && trace->mover == step->s) {
        trace_fold(trace, FOLD_MOVED);
        moved_and_deleted(step, trace);
        return;
    } else {
        _cleanup_sbuf_ struct sbuf original = SBUF_INIT; /* the trace's is gone with it */

        if (trace && !trace->maker)
            sbuf_add_bytes(&original, trace->original);
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
    return is_moment(h, e) && fingerprint_equal(h->key, name_key(e, name));
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

static void replaced(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct culprit *s = step->s;
    struct trace *there = trace_find(c, e, e->path);
    bool joined = is_half(&s->renamed, e, e->path), own = joined ? s->renamed.own : there && there->maker == s;
    struct tally *t = tally_for(step, own ? VARIANT_OWN : VARIANT_PLAIN);

    if (t && joined) {
        join_halves(step, there, t);
        return;
    }
    if (!joined)
        trace_forget(c, there);
    if (step->counted) {
        count(c, t, e, e->path, BYTES_NULL);
        s->replaced = (struct half){ .time_ns = e->time_ns, .pid = e->actor.pid, .key = name_key(e, e->path),
                                     .tally = t, .own = own };
    }
}

/* The watched path as the victim sees it. BYTES_NULL: not known. */
static struct bytes watched_path(const struct event *e)
{
    struct bytes watched = e->watch_text;
    const char *colon = watched.len ? memmem(watched.data, watched.len, ":/", 2) : NULL;

    if (colon && watched.data[0] != '/' && watched.data[0] != '.')
        watched = (struct bytes){ colon + 1, watched.len - (size_t)(colon + 1 - watched.data) };
    while (watched.len > 1 && watched.data[watched.len - 1] == '/')
        watched.len--;
    return watched.len && watched.data[0] == '/' ? watched : BYTES_NULL;
}

/* A rename out of what is watched: to the user that file is gone. */
static bool leaves_watch(const struct event *e)
{
    struct bytes watched = e->previous_path.len ? watched_path(e) : BYTES_NULL;

    return watched.len && bytes_path_covers(watched, e->previous_path) && !bytes_path_covers(watched, e->path);
}

/* Neither the watched path nor what is above or below it, in the container's terms. */
static bool is_apart(struct bytes watched, struct bytes path)
{
    return watched.len && !bytes_path_covers(watched, path) && !bytes_path_covers(path, watched);
}

/* An engine that sets up a container: podman mounts its storage, runc the root, in mount namespaces of their own. */
static bool is_around(const struct event *e)
{
    return (e->operation == OPERATION_MOUNT || e->operation == OPERATION_UNMOUNT) && e->victim && is_apart(watched_path(e), e->path);
}

/* containerd renames a task's folder before it removes it, with the root that is mounted in it; no file of the container changes. */
static bool is_bundle(const struct step *step)
{
    const struct event *e = step->e;
    struct bytes watched = e->victim ? watched_path(e) : BYTES_NULL;

    return culprit_is_runtime(step->s) && bytes_equal(e->path, e->host_path) && bytes_equal(e->previous_path, e->previous_host_path) &&
           (watched.len == 1 || (is_apart(watched, e->path) && is_apart(watched, e->previous_path)));
}

/* fanotify saw it leave what is watched, to where it could not look any more. */
static bool is_out_of_watch(const struct event *e)
{
    return e->operation == OPERATION_RENAME && e->error == 0 && !e->path.len && e->previous_path.len && e->sensors == SENSOR_FANOTIFY;
}

/* The second half of an exchange: the first was taken for a plain rename. */
static bool exchanged(const struct step *step)
{
    const struct event *e = step->e;
    struct culprit *s = step->s;
    struct trace *first;
    struct tally *t;

    if (!is_half(&s->renamed, e, e->previous_path) || !fingerprint_equal(s->renamed.old_key, name_key(e, e->path)))
        return false;
    first = trace_find(step->c, e, e->previous_path);
    if (!first || !first->part_count || first->parts[first->part_count - 1].tally != s->renamed.tally)
        return false;
    t = tally_for(step, VARIANT_EXCHANGE);
    if (!t)
        return false;
    tally_add(step->c, t, &first->parts[--first->part_count], &(struct sample){ e->path, e->previous_path });
    count_step(step, VARIANT_EXCHANGE, e->path, e->previous_path);
    trace_forget(step->c, first);
    s->renamed.tally = NULL;
    return true;
}

/* The file's trace under its new name, with what waits. */
static struct trace *move_trace(struct case_ *c, const struct event *e, struct trace *old)
{
    struct bytes original = old && old->original.len ? old->original : e->previous_path;
    struct trace *now = trace_add(c, e, e->path, original, e->previous_path);

    if (!now) {
        if (old)
            trace_commit(c, old);
        return NULL;
    }
    if (old) {
        now->maker = old->maker;
        if (!old->maker) /* moved once more: the first move is reported by itself */
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
    fold_step(step, variant, FOLD_REPLACEMENT);
    if (!r->own)
        trace_drop(step->c, moved);
    r->tally = NULL;
}

static void renamed(const struct step *step)
{
    const struct event *e = step->e;
    struct case_ *c = step->c;
    struct culprit *s = step->s;
    struct trace *old = trace_find(c, e, e->previous_path), *there = trace_find(c, e, e->path), *now;
    bool own = old && old->maker == s, over_own = there && there->maker == s, over_anew, was_anew, joined, anew;
    enum variant variant = !e->previous_path.len ? VARIANT_ARRIVED : leaves_watch(e) ? VARIANT_AWAY : own ? VARIANT_OWN : VARIANT_PLAIN;

    if (is_bundle(step)) {
        count_step(step, VARIANT_BUNDLE, e->previous_path, e->path);
        return;
    }
    if (exchanged(step))
        return;
    if (old && old->gone_by) { /* another file has taken the name, unseen */
        trace_forget(c, old);
        old = NULL;
    }
    joined = is_half(&s->replaced, e, e->path);
    anew = !joined && taken_again(step, there, e->previous_path);
    over_anew = over_own && there->anew;
    if (over_own) /* what it had made there before is gone */
        trace_fold(there, over_anew ? FOLD_REPLACEMENT : FOLD_TEMPORARY);
    trace_forget(c, there);
    if (old && !own && old->maker)
        trace_commit(c, old);
    was_anew = old && old->anew;
    now = move_trace(c, e, old);
    trace_drop(c, old);
    if (joined && step->counted) {
        join_later_half(step, now, variant, own);
        return;
    }
    if (anew) {
        if (now)
            trace_fold(now, FOLD_REPLACEMENT);
        fold_step(step, variant, FOLD_REPLACEMENT);
        trace_drop(c, now);
        return;
    }
    if (e->previous_path.len)
        wait_step(step, now, variant, e->previous_path, e->path);
    else
        wait_step(step, now, variant, e->path, BYTES_NULL);
    if (now) {
        now->mover = s;
        now->away = own && variant == VARIANT_AWAY;
        now->anew = over_anew || (own && was_anew);
        if (over_anew && own)
            trace_fold(now, FOLD_REPLACEMENT); /* reported when the name was taken the first time */
    }
    s->renamed = (struct half){ .time_ns = e->time_ns, .pid = e->actor.pid, .key = name_key(e, e->path),
                                .old_key = name_key(e, e->previous_path), .own = over_own,
                                .tally = step->counted ? case_tally(c, s, e, variant) : NULL };
}

/* ---- contents and attributes ---- */

static bool is_unchanged(const struct event *e)
{
    const struct file_state *a = &e->before, *b = &e->after;

    if (e->operation == OPERATION_CHMOD)
        return (a->known & b->known & FILE_MODE) && (a->mode & 07777) == (b->mode & 07777);
    if (e->operation == OPERATION_CHOWN)
        return (a->known & b->known & (FILE_UID | FILE_GID)) && a->known == b->known &&
               (!(a->known & FILE_UID) || a->uid == b->uid) && (!(a->known & FILE_GID) || a->gid == b->gid);
    if (e->operation == OPERATION_SETFLAGS)
        return (a->known & b->known & FILE_FLAGS) && a->flags == b->flags;
    return event_attribute_is_unknown(e) && bytes_equal_str(e->note, EVENT_NOTE_SAME);
}

/* By audit's word alone: open(2) emptied the file, and what was written through the descriptor audit does not see. */
static bool is_open_alone(const struct event *e)
{
    const char *call = e->sensors == SENSOR_AUDIT || e->sensors == SENSOR_AUDIT_LOG ? event_call_name(e) : NULL;

    return call && (strncmp(call, "open", 4) == 0 || strcmp(call, "creat") == 0);
}

/* truncate(2) or ftruncate(2) to a length that leaves something: nothing was emptied to be filled. */
static bool is_cut(const struct event *e)
{
    const char *call = (e->after.known & FILE_SIZE) && e->after.size ? event_call_name(e) : NULL;

    return call && strstr(call, "truncate"); /* truncate64 as well */
}

/* fanotify, which sees no calls, reports the cut once more at the close of the file. */
static bool is_cut_again(const struct trace *trace, const struct event *e)
{
    return e->operation == OPERATION_WRITE && (e->before.known & e->after.known & FILE_SIZE) &&
           e->before.size == trace->cut_from && e->after.size == trace->cut_to;
}

static void cut(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;

    if (!trace)
        trace = trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL);
    if (trace) {
        trace->cut_by = step->s;
        trace->cut_from = e->before.size;
        trace->cut_to = e->after.size;
        trace->emptied_by = NULL;
    }
    count_step(step, VARIANT_PLAIN, e->path, BYTES_NULL);
}

/* Waits: if the same culprit writes to the file now, it was overwritten. */
static void emptied(const struct step *step, struct trace *trace)
{
    const struct event *e = step->e;

    if (!trace)
        trace = trace_add(step->c, e, e->path, BYTES_NULL, BYTES_NULL);
    if (trace && trace->emptied_by && trace->emptied_by != step->s)
        trace_commit(step->c, trace);
    if (trace) {
        trace->emptied_by = step->s;
        trace->cut_from = e->before.size;
        trace->cut_to = e->after.size;
    }
    wait_step(step, trace, is_open_alone(e) ? VARIANT_REOPENED : VARIANT_PLAIN, e->path, BYTES_NULL);
}

/* Opened or written by who has just emptied it. */
static void filled(const struct step *step, struct trace *trace)
{
    if (step->e->operation == OPERATION_OPEN_WRITE && (step->e->sensors & SENSOR_AUDIT) && trace->cut_to) {
        trace->cut_by = step->s; /* audit saw that it was not the opening which made it shorter */
        trace->emptied_by = NULL;
    } else if (step->e->operation == OPERATION_WRITE && !trace_overwritten(step->c, step->s, trace, step->e->time_ns)) {
        count_step(step, VARIANT_PLAIN, step->e->path, BYTES_NULL); /* the emptying was reported by itself long ago */
        return;
    }
    fold_step(step, VARIANT_OVERWRITTEN, FOLD_CONTENTS);
}

static void changed(const struct step *step)
{
    const struct event *e = step->e;
    struct trace *trace = trace_find(step->c, e, e->path);
    bool own = trace && trace->maker == step->s;
    enum variant variant = is_unchanged(e)         ? VARIANT_UNCHANGED
                           : is_around(e)          ? VARIANT_AROUND
                           : own                   ? VARIANT_OWN
                           : e->operation_presumed ? VARIANT_UNCERTAIN
                                                   : VARIANT_PLAIN;

    if (own)
        wait_step(step, trace, variant, e->path, BYTES_NULL);
    else if (step->counted && e->operation == OPERATION_TRUNCATE && variant == VARIANT_PLAIN && is_cut(e))
        cut(step, trace);
    else if (trace && trace->cut_by == step->s && is_cut_again(trace, e))
        fold_step(step, VARIANT_PLAIN, FOLD_CONTENTS);
    else if (step->counted && e->operation == OPERATION_TRUNCATE && variant == VARIANT_PLAIN && (!trace || (!trace->maker && !trace->gone_by)))
        emptied(step, trace);
    else if (trace && trace->emptied_by == step->s && (e->operation == OPERATION_WRITE || e->operation == OPERATION_OPEN_WRITE))
        filled(step, trace);
    else
        count_step(step, variant, e->path, BYTES_NULL);
}

/* Of a folder above what is watched: the file's own traces stay where they are. */
static void carried(const struct step *step)
{
    const struct event *e = step->e;
    bool came = e->operation == OPERATION_RENAME && !bytes_path_covers(e->previous_path, e->carried);
    struct tally *t = tally_for(step, came ? VARIANT_BROUGHT : VARIANT_CARRIED);

    if (!step->counted)
        return;
    if (t && !t->above.len) {
        _cleanup_sbuf_ struct sbuf words = SBUF_INIT, meaning = SBUF_INIT;

        sentence_above(&words, e);
        sentence_carried(&meaning, e);
        t->above = arena_copy(&step->c->arena, sbuf_bytes(&words));
        t->carried = arena_copy(&step->c->arena, sbuf_bytes(&meaning));
    }
    count(step->c, t, e, e->previous_path.len ? e->previous_path : e->path, e->operation == OPERATION_RENAME ? e->path : BYTES_NULL);
}

void follow_event(struct case_ *c, struct culprit *s, const struct event *e, bool counted)
{
    const struct step step = { c, s, e, counted };

    trace_make_room(c);
    if (e->carried.len && e->error == 0)
        carried(&step);
    else if (e->error != 0 || !e->path.len)
        count_step(&step, is_out_of_watch(e) ? VARIANT_AWAY : VARIANT_PLAIN,
                  e->operation == OPERATION_RENAME && e->previous_path.len ? e->previous_path : e->path,
                  e->operation == OPERATION_RENAME ? e->path : BYTES_NULL);
    else if (trace_is_creation(e->operation))
        created(&step);
    else if (e->operation == OPERATION_UNLINK || e->operation == OPERATION_RMDIR)
        deleted(&step);
    else if (e->operation == OPERATION_REPLACE)
        replaced(&step);
    else if (e->operation == OPERATION_RENAME && !bytes_equal(e->previous_path, e->path))
        renamed(&step);
    else
        changed(&step); /* also a rename onto itself: nothing moved */
}
