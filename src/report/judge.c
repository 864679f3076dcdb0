/* SPDX-License-Identifier: MIT */
/* Judging: how much harm, what is mere noise, whom to name first. */
#include "report/judge.h"

#include <stdlib.h>

#include "cause/engine_client.h"
#include "event/operation.h"
#include "report/case.h"
#include "report/case_state.h"
#include "report/culprit.h"
#include "report/tally.h"
#include "report/trace.h"

static bool is_permission_change(enum operation op)
{
    return op == OPERATION_CHMOD || op == OPERATION_CHOWN || op == OPERATION_SETACL || op == OPERATION_SETFLAGS;
}

static bool makes_or_looks(enum operation op)
{
    return op == OPERATION_CREATE || op == OPERATION_MKDIR || op == OPERATION_MKNOD || op == OPERATION_SYMLINK ||
           op == OPERATION_LINK || op == OPERATION_READ || op == OPERATION_EXEC;
}

unsigned tally_harm(const struct tally *t)
{
    enum operation op = t->operation;

    if (t->error > 0 || !t->reported) /* an outcome that is not known may be harm */
        return 0;
    if (t->variant == VARIANT_OWN || t->variant == VARIANT_UNCHANGED || tally_is_around(t) || makes_or_looks(op))
        return 0;
    if (operation_removes(op) || op == OPERATION_MOUNT || op == OPERATION_TRUNCATE || t->variant == VARIANT_AWAY ||
        t->variant == VARIANT_CARRIED)
        return 3;
    return is_permission_change(op) || op == OPERATION_RENAME ? 2 : 1;
}

uint64_t culprit_reported(const struct culprit *s)
{
    uint64_t sum = 0;

    for (const struct tally *t = s->tallies; t; t = t->next)
        sum += t->reported;
    return sum;
}

uint64_t culprit_folded(const struct culprit *s)
{
    uint64_t sum = 0;

    for (const struct tally *t = s->tallies; t; t = t->next)
        sum += tally_folded(t);
    return sum;
}

bool case_lives_in_victim(const struct culprit *s)
{
    const struct process *p = s->actor.process;

    for (const struct tally *t = s->tallies; t; t = t->next)
        if (p && p->container && t->victim && case_victim_same(p->container, t->victim))
            return true;
    return false;
}

bool case_is_explained(const struct case_ *c, enum explanation kind)
{
    for (size_t i = 0; i < c->explained_count; i++)
        if (c->explained[i].kind == kind)
            return true;
    return false;
}

static bool case_was_recreated(const struct case_ *c)
{
    return case_is_explained(c, EXPLANATION_RECREATED) || case_is_explained(c, EXPLANATION_REMOVED);
}

static bool harms(const struct culprit *s, unsigned least, bool in_layer)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if ((t->victim_kind == VICTIM_CONTAINER) == in_layer && tally_harm(t) >= least)
            return true;
    return false;
}

/* Something says where the files went: an engine's set-up is none of it. */
static bool loss_is_explained(const struct case_ *c)
{
    return case_was_recreated(c) || case_is_explained(c, EXPLANATION_MOUNTED);
}

/* What was recorded says that it was removed, and that its engine deleted files of its layer. */
static void explain_removal(struct case_ *c)
{
    bool deleted = false;

    for (const struct culprit *s = c->culprits; s; s = s->next)
        deleted |= culprit_is_runtime(s) && harms(s, 3, true);
    if (c->removed.len && deleted && !case_was_recreated(c))
        (void)case_add_explanation(c, EXPLANATION_REMOVED, 0, 0, c->removed);
}

static bool is_around_only(const struct culprit *s)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (!tally_is_around(t) && (t->reported || tally_folded(t)))
            return false;
    return true;
}

/* Somebody had an engine copy files: that is no set-up of a container. */
static bool is_copy(const struct culprit *s)
{
    return s->cause.launcher.kind == LAUNCHER_COPY || (s->cause.run.kind == RUN_COMMAND && engine_client_copies(s->cause.run.args));
}

/*
 * Noise is only who made new files: a change to what was there before is reported, whoever made it. A runtime that
 * drops the layer of a container that was created anew is reported by that explanation, not as a culprit. A volume does not go by
 * itself: what is done to that is reported.
 */
static enum noise noise_of(const struct case_ *c, const struct culprit *s)
{
    if (culprit_is_runtime(s) && case_was_recreated(c) && !harms(s, 1, false))
        return NOISE_REMOVED;
    if (s->harm > 0)
        return NOISE_NONE;
    if (culprit_is_runtime(s) && is_around_only(s))
        return NOISE_AROUND;
    if (culprit_is_runtime(s))
        return is_copy(s) ? NOISE_NONE : NOISE_ENGINE;
    if (case_lives_in_victim(s))
        return NOISE_CONTAINER;
    return s->own_command ? NOISE_COMMAND : NOISE_NONE;
}

/* It destroyed files, and had created as many: of what was not looked at one by one nobody knows whether they were the same.
 * Who destroyed others' comes first. */
static bool is_likely_own(const struct culprit *s)
{
    uint64_t created = 0, deleted = 0, unread = 0;

    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (t->error || t->directory)
            continue;
        created += t->operation == OPERATION_CREATE ? t->reported : 0;
        deleted += t->operation == OPERATION_UNLINK ? t->reported : 0;
        unread += t->operation == OPERATION_UNLINK ? t->unread : 0;
    }
    return unread && created >= deleted;
}

static int compare_culprits(const void *a, const void *b)
{
    const struct culprit *x = *(const struct culprit *const *)a;
    const struct culprit *y = *(const struct culprit *const *)b;

    if ((x->noise != NOISE_NONE) != (y->noise != NOISE_NONE))
        return x->noise != NOISE_NONE ? 1 : -1;
    if (x->harm != y->harm)
        return x->harm < y->harm ? 1 : -1;
    if (is_likely_own(x) != is_likely_own(y))
        return is_likely_own(x) ? 1 : -1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void sort_culprits(struct case_ *c)
{
    struct culprit **list = calloc(c->culprit_count + 1, sizeof(struct culprit *));
    struct culprit **last = &c->culprits;
    size_t n = 0;

    if (!list)
        return;
    for (struct culprit *s = c->culprits; s; s = s->next)
        list[n++] = s;
    qsort(list, n, sizeof(*list), compare_culprits);
    for (size_t i = 0; i < n; i++) {
        *last = list[i];
        last = &list[i]->next;
    }
    *last = NULL;
    free(list);
}

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = *(const struct tally *const *)a;
    const struct tally *y = *(const struct tally *const *)b;
    unsigned harm_x = tally_harm(x), harm_y = tally_harm(y);

    if (harm_x != harm_y)
        return harm_x < harm_y ? 1 : -1;
    if ((x->error != 0) != (y->error != 0))
        return x->error != 0 ? 1 : -1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    if (x->operation != y->operation)
        return (int)x->operation - (int)y->operation;
    return (int)x->directory - (int)y->directory;
}

static void sort_tallies(struct culprit *s)
{
    struct tally *list[64], **last = &s->tallies;
    size_t n = 0;

    for (struct tally *t = s->tallies; t && n < ARRAY_SIZE(list); t = t->next)
        list[n++] = t;
    if (n == ARRAY_SIZE(list))
        return; /* too many kinds of changes by one program to sort: leave them in order of time */
    qsort(list, n, sizeof(list[0]), compare_tallies);
    for (size_t i = 0; i < n; i++) {
        *last = list[i];
        last = &list[i]->next;
    }
    *last = NULL;
}

/* Nothing was counted of it: beyond the limits, reported there, or asked for by nobody. */
static bool is_empty(const struct culprit *s)
{
    return !culprit_reported(s) && !culprit_folded(s);
}

/* What nobody looked at lies below what was asked for, and that is all that is known of it. */
static void find_place(const struct case_ *c, struct tally *t)
{
    struct bytes target = c->options.target;
    const char *colon = memchr(target.data ? target.data : "", ':', target.len);

    if (colon) /* web:/prd */
        target = (struct bytes){ colon + 1, target.len - (size_t)(colon + 1 - target.data) };
    t->place_unsure = t->unread && t->directory_of.len && !bytes_path_covers(t->directory_of, target);
}

void case_judge(struct case_ *c)
{
    bool somebody = false;

    if (c->judged)
        return;
    follow_commit(c);
    for (struct culprit *s = c->culprits; s; s = s->next) {
        s->harm = 0;
        for (struct tally *t = s->tallies; t; t = t->next) {
            find_place(c, t);
            s->harm = MAX(s->harm, tally_harm(t));
        }
    }
    explain_removal(c);
    for (struct culprit *s = c->culprits; s; s = s->next) {
        s->noise = is_empty(s) ? NOISE_EMPTY : noise_of(c, s);
        somebody |= s->noise == NOISE_NONE;
    }
    /* if noise is all there is, it is what happened: the runtime's stays noise all the same, where
     * something else explains the loss */
    if (!somebody && !loss_is_explained(c))
        for (struct culprit *s = c->culprits; s; s = s->next)
            s->noise = is_empty(s) ? NOISE_EMPTY : s->noise == NOISE_AROUND ? NOISE_AROUND : NOISE_NONE;
    for (struct culprit *s = c->culprits; s; s = s->next)
        sort_tallies(s);
    sort_culprits(c);
    c->judged = true;
}
