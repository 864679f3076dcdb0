/* SPDX-License-Identifier: MIT */
#include "sensor/audit/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/audit/facts_read.h"
#include "sensor/audit/spot.h"
#include "util/clock.h"
#include "util/macro.h"

#define PIECE 5000  /* looks in one turn: some 10 ms */
#define SHARE 20    /* of the time, one part in so many for what others do to files elsewhere */
#define RECORD_MS 500 /* what a call did not reach is looked at no sooner */
#define NAMED_MS 200  /* from a find to its event: the records of all calls that may have made it have come by then */
#define NOBODYS_MS 1000 /* the same where they name nobody: of a busy machine the records may come later than that */
#define SETTLED_MS 100 /* from a find until its call's record has come, on a busy machine */
#define NO_RECORD (1ull << 63) /* in the serial of an event that no record led to: one of a record has 32 bits */
#define CALLS_MAX 256
#define CALLS_BYTES (1u << 20) /* room for some hundred whose strings are as long as may be */
#define FOUND_MAX 256

struct flag_found { /* what differed, and whose it is is not decided */
    struct flags_change change;
    struct file_state file;
    uint64_t found_ms; /* CLOCK_MONOTONIC */
    struct event *events[AUDIT_FLAGS_EVENTS_MAX];
    unsigned event_count;
    bool decided;
};

struct audit_flags_open {
    struct flags_call calls[CALLS_MAX];
    size_t call_count;
    struct startup_buffer *groups; /* their records */
    struct flag_found found[FOUND_MAX];
    size_t found_count;
    bool overflow; /* more calls than are kept: nobody is named */
    bool taken;    /* since the last clean-up; the caller still reads its call's records */
};

/* ---- calls that are kept ---- */

static struct audit_flags_open *open_flags(struct sensor *s)
{
    if (!s->flags.open)
        s->flags.open = calloc(1, sizeof(*s->flags.open));
    return s->flags.open;
}

static bool may_have_made_any(const struct audit_flags_open *open, const struct flags_call *call)
{
    for (size_t i = 0; i < open->found_count; i++)
        if (audit_flags_may_be_by(&open->found[i].change, call))
            return true;
    return false;
}

/* One that is not needed any more: it made what it made, or nothing that is found from now on. */
static bool is_done(const struct audit_flags_open *open, const struct flags_call *call)
{
    return call->kept == FLAGS_CALL_USED || (call->looked && !may_have_made_any(open, call));
}

static bool is_of_none(void *data, const struct audit_group *group)
{
    const struct audit_flags_open *open = data;

    for (size_t i = 0; i < open->call_count; i++)
        if (open->calls[i].time_ms == group->time_ms && open->calls[i].serial == group->serial)
            return false;
    return true;
}

static void drop_calls(struct audit_flags_open *open, bool all)
{
    size_t kept = 0;

    for (size_t i = 0; !all && i < open->call_count; i++)
        if (!is_done(open, &open->calls[i]))
            open->calls[kept++] = open->calls[i];
    open->call_count = kept;
    if (open->groups)
        audit_startup_replay(open->groups, is_of_none, open);
}

/* Nothing waits: calls are kept for what a round may find yet. */
static void clean_up(struct sensor *s)
{
    s->flags.open->overflow &= s->flags.due_ms != 0;
    s->flags.open->taken = false;
    drop_calls(s->flags.open, !s->flags.due_ms);
}

/* ---- rounds ---- */

/* All files have been looked at since those calls ended: what is found from now on is not theirs. */
static void note_looked(struct audit_flags *f, uint64_t until)
{
    for (size_t i = 0; f->open && i < f->open->call_count; i++)
        if (f->open->calls[i].number <= until && !f->open->calls[i].looked)
            f->open->calls[i].looked = f->number;
}

/* Goes through all, from where it is now. One that is due is not put off: somebody may change flags all day. */
static void begin_round(struct sensor *s)
{
    for (struct audit_object *o = s->objects; o; o = o->next)
        o->flags_left = audit_flags_names(o);
    s->flags.round_number = s->flags.number;
    s->flags.round_unseen = false;
    if (!s->flags.due_ms)
        s->flags.due_ms = clock_ms(CLOCK_MONOTONIC) + RECORD_MS;
}

static void rest(struct audit_flags *f, uint64_t begun_ns)
{
    f->next_ms = clock_ms(CLOCK_MONOTONIC) + SHARE * (clock_ns(CLOCK_MONOTONIC) - begun_ns) / NS_PER_MS;
}

static bool search_piece(struct audit_flags_search *f)
{
    for (struct audit_object *o = f->s->objects; o; o = o->next) {
        if (o->flags_left && audit_flags_look(f, o, &o->flags_left))
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

/* What is known of the call behind a change that no record names. */
static struct audit_facts facts_of_nobody(struct sensor *s, int64_t ctime_ns)
{
    return (struct audit_facts){ .time_ms = (uint64_t)ctime_ns / NS_PER_MS, .serial = NO_RECORD | s->flags.serial++ };
}

static void put(struct audit_flags_search *f, struct audit_change *ret)
{
    *ret = (struct audit_change){ .operation = OPERATION_SETFLAGS, .fd = -1, .match = AUDIT_MATCH_UNSURE, .object = &f->s->completion.files[1] };
    ret->note = f->set_again ? EVENT_NOTE_SAME : NULL;
    f->s->facts = facts_of_nobody(f->s, ret->object->file.ctime_ns);
}

bool audit_flags_find(struct sensor *s, bool now, struct audit_flags_search *search, struct audit_change *ret)
{
    uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);

    if (!s->flags.due_ms || (!now && clock_ms(CLOCK_MONOTONIC) < MAX(s->flags.due_ms, s->flags.next_ms)))
        return false;
    *search = (struct audit_flags_search){ .s = s, .budget = PIECE };
    if (search_piece(search)) {
        put(search, ret);
        s->flags.round_unseen |= search->unseen;
        return true;
    }
    s->flags.round_unseen |= search->unseen;
    rest(&s->flags, begun_ns);
    if (is_over(s)) {
        s->flags.due_ms = 0;
        if (!s->flags.round_unseen)
            note_looked(&s->flags, s->flags.round_number);
        if (s->flags.open && !s->flags.open->found_count)
            clean_up(s);
    }
    return false;
}

/* ---- a call ---- */

void audit_flags_begin(struct sensor *s, struct audit_flags_search *search)
{
    *search = (struct audit_flags_search){ .s = s, .budget = PIECE, .object = s->objects, .begun_ns = clock_ns(CLOCK_MONOTONIC),
                                             .call_ms = s->facts.time_ms };
    search->left = s->objects ? audit_flags_names(s->objects) : 0;
    search->resting = clock_ms(CLOCK_MONOTONIC) < s->flags.next_ms;
}

bool audit_flags_next(struct audit_flags_search *f, struct audit_change *ret)
{
    while (f->object && !f->resting) {
        if (audit_flags_look(f, f->object, &f->left)) {
            put(f, ret);
            return true;
        }
        f->unreached |= f->left > 0;
        f->object = f->object->next;
        f->left = f->object ? audit_flags_names(f->object) : 0;
    }
    return false;
}

static bool is_file(const struct sensor *s, const struct flag_found *f, const struct audit_change *c)
{
    for (const struct audit_object *o = s->objects; o; o = o->next)
        if (audit_path_is_state(o, &f->file, c->object))
            return true;
    return false;
}

static void drop_found(struct audit_flags_open *open, size_t i)
{
    memmove(&open->found[i], &open->found[i + 1], (--open->found_count - i) * sizeof(open->found[0]));
}

/* The call says itself which file it was, and that was found before its record was read. */
static bool take_found(struct sensor *s, const struct audit_change *c)
{
    struct audit_flags_open *open = s->flags.open;

    for (size_t i = 0; open && i < open->found_count; i++) {
        struct flag_found *f = &open->found[i];

        if ((uint64_t)f->file.ctime_ns / NS_PER_MS < s->facts.time_ms || !is_file(s, f, c))
            continue;
        for (unsigned n = 0; n < f->event_count; n++)
            event_free(f->events[n]);
        drop_found(open, i);
        return true;
    }
    return false;
}

/* Of flags that were changed: it may be another file that has the descriptor's number now. */
static bool is_unsure(const struct sensor *s, const struct audit_change *c)
{
    for (const struct audit_object *o = s->objects; o; o = o->next)
        if (audit_flags_are_as_known(o, c))
            return true;
    return false;
}

bool audit_flags_is_certain(struct sensor *s, const struct audit_change *c, bool is_known)
{
    return c->error || (is_known && (take_found(s, c) || !is_unsure(s, c)));
}

static struct flags_call call_of(struct sensor *s)
{
    return (struct flags_call){ .time_ms = s->facts.time_ms,
                                .serial = s->facts.serial,
                                .read_ns = (int64_t)clock_ns(CLOCK_REALTIME),
                                .pid = s->facts.pid,
                                .number = ++s->flags.number };
}

void audit_flags_end(struct audit_flags_search *f, struct audit_change *c, bool is_known)
{
    struct sensor *s = f->s;
    struct flags_call call = call_of(s);
    bool unreached = f->unreached || f->stale || f->resting;

    if (!f->resting && !f->any)
        rest(&s->flags, f->begun_ns);
    if (unreached)
        begin_round(s);
    else if (!f->unseen)
        call.looked = call.number;
    if (is_known && (take_found(s, c) || !s->flags.open || !may_have_made_any(s->flags.open, &call)))
        return; /* to what they were, then */
    c->object = NULL;
    c->name = BYTES_NULL;
    s->flags.call = call;
    s->flags.serial = MAX(s->flags.serial, s->facts.serial);
}

void audit_flags_keep(struct sensor *s, const struct audit_group *group)
{
    struct flags_call call = s->flags.call;
    struct audit_flags_open *open = s->flags.open;

    s->flags.call = (struct flags_call){ 0 };
    if (!call.number || (call.looked && !(open && open->found_count)))
        return; /* none, or elsewhere */
    open = open_flags(s);
    if (!open)
        return;
    if (open->call_count == CALLS_MAX)
        drop_calls(open, false);
    if (open->call_count == CALLS_MAX) {
        open->overflow = true;
        return;
    }
    if (!open->groups)
        open->groups = startup_buffer_new(CALLS_BYTES);
    if (open->groups)
        audit_startup_add(open->groups, group, clock_ms(CLOCK_MONOTONIC));
    open->calls[open->call_count++] = call;
}

/* ---- whose ---- */

bool audit_flags_found(struct audit_flags_search *f, const struct audit_change *c, struct event **events, unsigned count)
{
    struct audit_flags_open *open = open_flags(f->s);
    struct flag_found *ret;

    if (!open || open->found_count == FOUND_MAX)
        return false;
    ret = &open->found[open->found_count++];
    *ret = (struct flag_found){ .file = c->object->file, .found_ms = clock_ms(CLOCK_MONOTONIC), .event_count = count };
    ret->change = (struct flags_change){ .ctime_ns = ret->file.ctime_ns, .is_of_flags = f->is_of_flags, .found = ++f->s->flags.number };
    memcpy(ret->events, events, count * sizeof(events[0]));
    return true;
}

/* No record of a call from before it is still coming in. */
static bool is_read(const struct sensor *s, const struct flag_found *f)
{
    return !s->grouper || audit_grouper_oldest(s->grouper) > (uint64_t)f->file.ctime_ns / NS_PER_MS;
}

/* By all that is known now: of what was found a moment ago, whose record may be under way, nothing is concluded. */
static void decide(const struct sensor *s, struct audit_flags_open *open, bool now)
{
    struct flags_change *changes[FOUND_MAX];
    uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);
    size_t count = 0;

    for (size_t i = 0; i < open->call_count; i++)
        open->calls[i].use = open->calls[i].kept;
    for (size_t i = 0; i < open->found_count; i++) {
        struct flag_found *f = &open->found[i];

        f->change.by = NULL;
        if (now || (now_ms - f->found_ms >= SETTLED_MS && is_read(s, f)))
            changes[count++] = &f->change;
    }
    if (!open->overflow)
        audit_flags_whose(changes, count, open->calls, open->call_count);
    for (size_t i = 0; i < open->found_count; i++) {
        struct flag_found *f = &open->found[i];

        f->decided = now || (now_ms - f->found_ms >= (f->change.by ? NAMED_MS : NOBODYS_MS) && is_read(s, f));
        if (f->decided && f->change.by)
            f->change.by->kept = f->change.by->use;
    }
}

struct wanted_group {
    const struct flags_call *call;
    const struct audit_group *group;
};

static bool find_group(void *data, const struct audit_group *group)
{
    struct wanted_group *w = data;

    if (group->time_ms == w->call->time_ms && group->serial == w->call->serial)
        w->group = group;
    return false;
}

static enum audit_match read_call(struct sensor *s, const struct flag_found *f)
{
    struct wanted_group wanted = { .call = f->change.by };

    if (wanted.call && s->flags.open->groups)
        audit_startup_replay(s->flags.open->groups, find_group, &wanted);
    if (wanted.group && audit_facts_read(wanted.group, &s->scratch, &s->facts) == 0)
        return AUDIT_MATCH_TIMELY;
    s->facts = facts_of_nobody(s, f->file.ctime_ns);
    return AUDIT_MATCH_UNSURE;
}

bool audit_flags_take(struct sensor *s, bool now, struct event **ret, unsigned *ret_count, enum audit_match *ret_match)
{
    struct audit_flags_open *open = s->flags.open;

    if (open && open->taken && !open->found_count)
        clean_up(s);
    if (open && open->found_count && !open->found[0].decided && (now || clock_ms(CLOCK_MONOTONIC) - open->found[0].found_ms >= NAMED_MS))
        decide(s, open, now);
    if (!open || !open->found_count || !open->found[0].decided)
        return false;
    *ret_match = read_call(s, &open->found[0]);
    *ret_count = open->found[0].event_count;
    memcpy(ret, open->found[0].events, *ret_count * sizeof(ret[0]));
    drop_found(open, 0);
    open->taken = true;
    return true;
}

void audit_flags_done(struct sensor *s)
{
    struct audit_flags_open *open = s->flags.open;

    for (size_t i = 0; open && i < open->found_count; i++)
        for (unsigned n = 0; n < open->found[i].event_count; n++)
            event_free(open->found[i].events[n]);
    if (open)
        startup_buffer_free(open->groups);
    free(open);
    s->flags = (struct audit_flags){ 0 };
}
