/* SPDX-License-Identifier: MIT */
#include "sensor/audit/flags.h"

#include <errno.h>

#include "sensor/audit/facts_read.h"
#include "sensor/tree/statx.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define PIECE 5000  /* looks in one turn: some 10 ms */
#define OPENING 4u  /* a directory costs as much as so many */
#define SHARE 20    /* of the time, one part in so many for what others do to files elsewhere */
#define RECORD_MS 500 /* from a change of flags to its record */
#define PASSED_MAX 32 /* calls that may be older than a change that waits for its own: after these, looked for as rarely as ever */
#define NO_RECORD (1ull << 63) /* in the serial of an event that no record led to: one of a record has 32 bits */
#define CALLS_MAX 64
#define CALLS_BYTES (1u << 20) /* room for as many whose strings are as long as may be */

struct flag_search {
    struct sensor *s;
    uint64_t call_ms;         /* CLOCK_REALTIME; 0: all calls have been read, but for those of the span below */
    int64_t from_ns, to_ns;   /* what was changed then, not before and not after, may have a record that comes */
    unsigned budget;
    bool later;               /* something was changed after the call */
    bool stale;               /* a directory has moved since: its names were not looked at */
};

/* ---- looking ---- */

static bool differs(struct flag_search *f, const struct file_state *known, const struct file_state *now)
{
    if (now->inode != known->inode || !(known->known & now->known & FILE_FLAGS) || known->flags == now->flags)
        return false;
    /* left as it is known, for the call that did it */
    if (f->call_ms ? audit_match_of(f->call_ms, now->ctime_ns) == AUDIT_MATCH_LATER : now->ctime_ns > f->from_ns && now->ctime_ns <= f->to_ns) {
        f->later = true;
        return false;
    }
    return true;
}

static bool found(struct flag_search *f, const struct file_state *now)
{
    f->s->completion.files[0] = (struct audit_path){ .type = AUDIT_NAME_NORMAL, .file = *now };
    return true;
}

/* What is at the path itself. */
static bool search_root(struct flag_search *f, struct audit_object *o, int root)
{
    struct file_state now;

    if (tree_stat_known(root, &now) < 0 || now.device != o->flagged.device || !differs(f, &o->flagged, &now))
        return false;
    o->flagged = o->root = now;
    return found(f, &now);
}

static bool search_name(struct flag_search *f, struct audit_object *o, int directory, uint32_t name)
{
    char *text = f->s->completion.names[0];
    struct file_state known, now;
    struct tree_change change;

    (void)tree_name(o->tree, name, text);
    tree_state(o->tree, tree_object_of(o->tree, name), &known);
    return tree_stat_at(o->tree, directory, text, &now) == 0 && differs(f, &known, &now) && audit_object_look(o, directory, name, &change) &&
           change.same_object && change.after.flags != known.flags && found(f, &change.after);
}

/* By the numbers of names, which stay as others come and go. Goes on where the search before this one ended, and from the last to the
 * first. */
static bool search(struct flag_search *f, struct audit_object *o, uint64_t *left)
{
    _cleanup_close_ int root = o->gone ? -EBADF : watched_open(&o->watched), fd = -EBADF;
    uint32_t directory = 0;

    if (root < 0) {
        *left = 0;
        return false;
    }
    if (search_root(f, o, root))
        return true;
    for (; o->tree && *left && f->budget; (*left)--, f->budget--) {
        uint32_t parent;

        o->flags_at = tree_next(o->tree, o->flags_at);
        if (!o->flags_at)
            o->flags_at = tree_next(o->tree, 0);
        parent = tree_parent_of(o->tree, o->flags_at);
        if (!parent)
            break;
        if (parent != directory) {
            closep(&fd);
            fd = tree_open_directory(o->tree, root, parent, NULL);
            directory = parent;
            f->stale |= fd == -ESTALE;
            f->budget -= MIN(f->budget - 1, OPENING);
        }
        if (fd >= 0 && search_name(f, o, fd, o->flags_at)) {
            (*left)--;
            return true;
        }
    }
    if (f->budget)
        *left = 0;
    return false;
}

/* With the path itself. */
static uint64_t names_of(const struct audit_object *o)
{
    struct tree_counts counts = { 0 };

    if (o->tree)
        tree_count(o->tree, &counts);
    return counts.names + 1;
}

/* ---- rounds ---- */

/* Goes through all, from where it is now. One that is due is not put off: somebody may change flags all day. */
static void begin_round(struct sensor *s)
{
    for (struct audit_object *o = s->objects; o; o = o->next)
        o->flags_left = names_of(o);
    if (!s->flags.due_ms) {
        s->flags.due_ms = clock_ms(CLOCK_MONOTONIC) + RECORD_MS;
        s->flags.serial = MAX(s->flags.serial, s->facts.serial & ~NO_RECORD);
    }
}

static void end_round(struct sensor *s)
{
    struct audit_flags *f = &s->flags;

    f->due_ms = 0;
    if (f->again)
        begin_round(s);
    f->again = false;
    if (f->due_ms)
        return;
    f->passed = f->call_count = 0;
    if (f->calls)
        startup_buffer_clear(f->calls);
}

static void rest(struct audit_flags *f, uint64_t begun_ns)
{
    f->next_ms = clock_ms(CLOCK_MONOTONIC) + SHARE * (clock_ns(CLOCK_MONOTONIC) - begun_ns) / NS_PER_MS;
}

/* ---- with the record ---- */

/* Of flags that were changed: it may be another file that has the descriptor's number now. */
static bool is_unsure(const struct sensor *s, const struct audit_change *c)
{
    for (const struct audit_object *o = s->objects; c->error == 0 && o; o = o->next)
        if (audit_flags_are_as_known(o, c))
            return true;
    return false;
}

static bool search_for_call(struct flag_search *f, struct audit_change *c)
{
    for (struct audit_object *o = f->s->objects; o; o = o->next) {
        uint64_t left = names_of(o);

        if (!search(f, o, &left)) {
            f->s->flags.unreached |= left > 0;
            continue;
        }
        c->object = &f->s->completion.files[0];
        c->match = audit_match_of(f->call_ms, c->object->file.ctime_ns);
        c->name = BYTES_NULL; /* which of its names it was opened by is not known */
        return true;
    }
    return false;
}

void audit_flags_complete(struct sensor *s, struct audit_change *c, bool is_known)
{
    struct flag_search f = { .s = s, .call_ms = s->facts.time_ms, .budget = PIECE };
    uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
    bool unsure = is_known && is_unsure(s, c);

    s->flags.unreached = false;
    if (is_known && !unsure)
        return;
    if (clock_ms(CLOCK_MONOTONIC) < s->flags.next_ms)
        s->flags.unreached = true;
    else if (search_for_call(&f, c))
        return;
    else if (!(f.later && ++s->flags.passed < PASSED_MAX))
        rest(&s->flags, begun_ns);
    s->flags.unreached |= f.stale;
    if (f.later || s->flags.unreached)
        begin_round(s);
    if (unsure) { /* set to what they were, then */
        s->flags.unreached = false;
        c->object = NULL;
        c->name = BYTES_NULL;
        (void)audit_complete_files(&s->facts, c, 1, &s->completion);
    }
}

void audit_flags_keep(struct sensor *s, const struct audit_group *group)
{
    struct audit_flags *f = &s->flags;

    if (!f->unreached)
        return;
    f->unreached = false;
    if (!f->calls)
        f->calls = startup_buffer_new(CALLS_BYTES);
    if (f->calls && ++f->call_count <= CALLS_MAX)
        audit_startup_add(f->calls, group, clock_ms(CLOCK_MONOTONIC));
}

/* ---- with none ---- */

struct flag_call {
    const struct audit_flags *flags;
    int64_t ctime_ns;
    const struct audit_group *group;
    unsigned count;
};

static bool is_of_that_time(void *data, const struct audit_group *group)
{
    struct flag_call *call = data;

    if (group->time_ms == call->flags->named_ms && group->serial == call->flags->named_serial)
        return true; /* that one is done */
    if (audit_match_of(group->time_ms, call->ctime_ns) == AUDIT_MATCH_TIMELY) {
        call->group = group;
        call->count++;
    }
    return false;
}

/* The call of that time, if there is but one. It counts once: a second file is another call's, and would have its identity. */
static bool read_call(struct sensor *s, int64_t ctime_ns)
{
    struct flag_call call = { .flags = &s->flags, .ctime_ns = ctime_ns };

    if (s->flags.calls && s->flags.call_count <= CALLS_MAX)
        audit_startup_replay(s->flags.calls, is_of_that_time, &call);
    if (call.count != 1 || audit_facts_read(call.group, &s->scratch, &s->facts) < 0)
        return false;
    s->flags.named_ms = call.group->time_ms;
    s->flags.named_serial = call.group->serial;
    return true;
}

static bool search_piece(struct flag_search *f)
{
    for (struct audit_object *o = f->s->objects; o; o = o->next) {
        if (o->flags_left && search(f, o, &o->flags_left))
            return true;
        if (o->flags_left)
            return false;
    }
    return false;
}

static bool is_over(const struct sensor *s)
{
    for (const struct audit_object *o = s->objects; o; o = o->next)
        if (o->flags_left)
            return false;
    return true;
}

bool audit_flags_find(struct sensor *s, struct audit_change *ret, bool now)
{
    int64_t time_ns = (int64_t)clock_ns(CLOCK_REALTIME);
    struct flag_search f = { .s = s, .budget = PIECE, .from_ns = now ? time_ns : time_ns - RECORD_MS * (int64_t)NS_PER_MS, .to_ns = time_ns };
    uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);

    if (!s->flags.due_ms || (!now && clock_ms(CLOCK_MONOTONIC) < MAX(s->flags.due_ms, s->flags.next_ms)))
        return false;
    *ret = (struct audit_change){ .operation = OPERATION_SETFLAGS, .fd = -1, .match = AUDIT_MATCH_TIMELY };
    if (search_piece(&f)) {
        ret->object = &s->completion.files[0];
        if (!read_call(s, ret->object->file.ctime_ns)) {
            ret->match = AUDIT_MATCH_UNSURE;
            s->facts = (struct audit_facts){ .time_ms = (uint64_t)ret->object->file.ctime_ns / NS_PER_MS, .serial = NO_RECORD | s->flags.serial++ };
        }
        return true;
    }
    s->flags.again |= f.later;
    rest(&s->flags, begun_ns);
    if (is_over(s))
        end_round(s);
    return false;
}
