/* SPDX-License-Identifier: MIT */
#include "sensor/audit/flags_whose.h"

#include "util/clock.h"

#define CALL_MS 100 /* between the beginning of a call and its change, on a busy machine */

/* The stamp of a record is that of the same ticks as a file's, cut to milliseconds. */
bool audit_flags_may_be_by(const struct flags_change *c, const struct flags_call *call)
{
    uint64_t changed_ms = c->ctime_ns > 0 ? (uint64_t)c->ctime_ns / NS_PER_MS : 0;

    if (changed_ms < call->time_ms || (call->looked && c->found > call->looked))
        return false;
    return !c->is_of_flags || (changed_ms - call->time_ms <= CALL_MS && c->ctime_ns <= call->read_ns);
}

struct flags_candidates {
    size_t count;
    bool mixed;               /* of several processes */
    struct flags_call *first; /* the earliest that is free */
};

static bool is_before(const struct flags_call *a, const struct flags_call *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->number < b->number;
}

static struct flags_candidates candidates_of(const struct flags_change *c, struct flags_call *calls, size_t count)
{
    struct flags_candidates ret = { 0 };
    pid_t pid = 0;

    for (size_t i = 0; i < count; i++) {
        if (calls[i].use == FLAGS_CALL_USED || !audit_flags_may_be_by(c, &calls[i]))
            continue;
        ret.mixed |= ret.count++ && calls[i].pid != pid;
        pid = calls[i].pid;
        if (calls[i].use == FLAGS_CALL_FREE && (!ret.first || is_before(&calls[i], ret.first)))
            ret.first = &calls[i];
    }
    return ret;
}

/* Those that have one process's calls alone, and first those that have one call: the others get what these leave. */
static bool name_some(struct flags_change **changes, size_t count, struct flags_call *calls, size_t call_count, bool one)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        struct flags_candidates of;

        if (changes[i]->by)
            continue;
        of = candidates_of(changes[i], calls, call_count);
        if (!of.first || of.mixed || (one && of.count > 1))
            continue;
        changes[i]->by = of.first;
        of.first->use = FLAGS_CALL_TAKEN;
        any = true;
    }
    return any;
}

static bool has_another(const struct flags_change *c, const struct flags_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i].use != FLAGS_CALL_USED && audit_flags_may_be_by(c, &calls[i]))
            return true;
    return false;
}

/* A process changed two files by two of its three calls: which call is left is not known, and that one may be a third file's. */
static void find_used(struct flags_change **changes, size_t count, struct flags_call *calls, size_t call_count)
{
    bool again = true;

    for (size_t i = 0; i < count; i++)
        if (changes[i]->by)
            changes[i]->by->use = FLAGS_CALL_USED;
    while (again) {
        again = false;
        for (size_t i = 0; i < count; i++)
            if (changes[i]->by && changes[i]->by->use == FLAGS_CALL_USED && has_another(changes[i], calls, call_count)) {
                changes[i]->by->use = FLAGS_CALL_TAKEN;
                again = true;
            }
    }
}

void audit_flags_whose(struct flags_change **changes, size_t count, struct flags_call *calls, size_t call_count)
{
    while (name_some(changes, count, calls, call_count, true) || name_some(changes, count, calls, call_count, false))
        find_used(changes, count, calls, call_count);
}
