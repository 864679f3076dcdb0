/* SPDX-License-Identifier: MIT */
#include "daemon/arm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/groups.h"
#include "foreign/answers.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "watch/plan.h"

#define ANSWER_MS 5000        /* how long a target's file system may take to answer */
#define RELOAD_ANSWER_MS 500  /* the same during a reload, when events are waiting to be read */

/* ---- a set of asks ---- */

static void forget_targets(struct arming_set *set)
{
    for (size_t i = 0; i < set->count && set->targets; i++)
        target_done(&set->targets[i]);
    free(TAKE_PTR(set->targets));
}

static void set_done(struct arming_set *set)
{
    forget_targets(set);
    free(set->asks);
    free(set->unarmed);
    arena_done(&set->arena);
    *set = (struct arming_set){ 0 };
}

void arming_done(struct arming *a)
{
    set_done(&a->set);
    transients_done(&a->transients);
}

/* Ask for the host's paths in a separate process first: this thread would miss events while it waits for a dead NFS server. */
bool arming_answers(struct arming *a, struct bytes text)
{
    struct target target;
    bool answers = true;

    if (target_parse(text, bytes_of("/"), &target, NULL) < 0)
        return true; /* plan_make() says it */
    if (target.selector.kind == SELECTOR_NONE)
        answers = foreign_answers(target.path.data, a->under_way ? RELOAD_ANSWER_MS : ANSWER_MS);
    target_done(&target);
    a->alive(a->data);
    return answers;
}

static int add_unarmed(struct arming *a, struct arming_set *set, struct bytes text, const char *why)
{
    struct arming_unarmed *grown = reallocarray(set->unarmed, set->unarmed_count + 1, sizeof(*grown));
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal(&shown, text);
    log_warn(a->log, "%.300s is not watched: %s; reload when it can be", sbuf_str(&shown), why);
    if (!grown)
        return -ENOMEM;
    set->unarmed = grown;
    grown[set->unarmed_count++] = (struct arming_unarmed){ text, arena_copy(&set->arena, bytes_of(why)).data };
    return 0;
}

static int add_ask(struct arming *a, struct arming_set *set, const struct plan_ask *ask)
{
    struct plan_ask *grown, own = *ask;

    own.text = arena_copy(&set->arena, ask->text);
    own.key = arena_copy(&set->arena, ask->key);
    if (!own.text.data || (ask->key.data && !own.key.data))
        return -ENOMEM;
    if (!arming_answers(a, ask->text))
        return add_unarmed(a, set, own.text, "its file system does not answer (FUSE, NFS?)");
    grown = reallocarray(set->asks, set->count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    set->asks = grown;
    grown[set->count++] = own;
    set->permissions |= ask->permissions;
    return 0;
}

/* On a merged /usr the old places are links into it. */
static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_group(struct arming *a, struct arming_set *set, const struct config *c, struct bytes name)
{
    const struct config_group *g;
    int r = 0;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++) {
        if (!bytes_equal_str(name, g->name))
            continue;
        for (const struct config_group_path *p = g->paths; r == 0 && p->path; p++) {
            struct plan_ask ask = { bytes_of(p->path), bytes_of(g->name), config_permissions(c, NULL), true };

            if (!p->if_there || is_there(p->path))
                r = add_ask(a, set, &ask);
        }
    }
    return r;
}

/* Groups first: if the user watches the same path as well, the user's key is used. */
static int make_asks(struct arming *a, struct arming_set *set, const struct config *c)
{
    const struct config_value *groups = &c->values[CONFIG_GROUPS];
    int r = 0;

    for (size_t i = 0; r == 0 && i < groups->count; i++)
        r = add_group(a, set, c, groups->items[i]);
    for (size_t i = 0; r == 0 && i < c->blocks[CONFIG_WATCH].count; i++) {
        const struct config_block *w = &c->blocks[CONFIG_WATCH].items[i];
        const struct config_value *targets = &w->values[CONFIG_WATCH_TARGETS];

        for (size_t k = 0; r == 0 && k < targets->count; k++) {
            struct plan_ask ask = { targets->items[k], config_watch_key(w), config_permissions(c, w), false };

            r = add_ask(a, set, &ask);
        }
    }
    return r;
}

/* Skip a group's path that no sensor can watch (a file system without file handles); the other paths are watched all the same. */
static bool do_without(struct arming *a, struct arming_set *set, size_t failed, const char *why)
{
    if (failed >= set->count || !set->asks[failed].optional || add_unarmed(a, set, set->asks[failed].text, why) < 0)
        return false;
    memmove(&set->asks[failed], &set->asks[failed + 1], (set->count - failed - 1) * sizeof(*set->asks));
    set->count--;
    return true;
}

static int take_apart(struct arming_set *set, struct err *err)
{
    int r = 0;

    set->targets = calloc(MAX(set->count, (size_t)1), sizeof(*set->targets));
    if (!set->targets)
        return err_set(err, -ENOMEM, "watches");
    for (size_t i = 0; r == 0 && i < set->count; i++)
        r = target_parse(set->asks[i].text, bytes_of("/"), &set->targets[i], err);
    return r;
}

/* ---- arming ---- */

static bool covers(const struct target *outer, const struct target *inner)
{
    return plan_same_place(outer, inner) && bytes_path_covers(outer->path, inner->path);
}

static unsigned uncovered(const struct arming_set *set, const struct target *target, unsigned permissions)
{
    for (size_t i = 0; i < set->count && set->targets; i++)
        if (covers(&set->targets[i], target))
            permissions &= ~set->asks[i].permissions;
    return permissions;
}

/*
 * What the configuration watches keeps its text and key in the record, whoever looks on: of a transient watch only the rest is
 * asked for.
 */
static size_t add_transients(const struct arming *a, const struct arming_set *set, struct plan_ask *asks, unsigned *permissions)
{
    size_t n = 0;

    for (const struct transient *t = a->transients.first; t; t = t->next) {
        unsigned rest = uncovered(set, &t->target, t->target.permissions);

        if (!rest)
            continue;
        asks[n++] = (struct plan_ask){ t->target.text, t->target.key, rest, false };
        *permissions |= rest;
    }
    return n;
}

static int change(struct arming *a, const struct arming_set *set, bool renew, struct watchset_difference *ret, struct err *err)
{
    struct plan_ask *asks = calloc(set->count + a->transients.count + 1, sizeof(*asks));
    unsigned permissions = set->permissions;
    struct plan plan = { 0 };
    size_t n;
    int r;

    ret->failed_ask = SIZE_MAX;
    if (!asks)
        return err_set(err, -ENOMEM, "watches");
    if (set->count)
        memcpy(asks, set->asks, set->count * sizeof(*asks));
    n = set->count + add_transients(a, set, asks + set->count, &permissions);
    r = plan_make(asks, n, &plan, err);
    if (r == 0)
        r = pipeline_change(a->pipeline, &plan, permissions, renew, ret, err);
    free(asks);
    return r;
}

int arm_configuration(struct arming *a, const struct config *c, struct watchset_difference *ret, struct err *err)
{
    struct arming_set set = { 0 };
    int r = make_asks(a, &set, c);
    bool again = r == 0;

    if (r < 0)
        err_set(err, r, "watches");
    while (again) {
        struct err why = ERR_INIT;

        ret->failed_ask = SIZE_MAX;
        r = take_apart(&set, &why);
        if (r == 0)
            r = change(a, &set, true, ret, &why);
        if (r < 0)
            forget_targets(&set);
        again = r < 0 && do_without(a, &set, ret->failed_ask, err_text(&why, r));
        if (r < 0 && !again)
            err_say(err, r, "%s", err_text(&why, r));
    }
    if (r < 0) {
        set_done(&set);
        return r;
    }
    set_done(&a->set);
    a->set = set;
    a->under_way = true;
    return 0;
}

int arm_transients(struct arming *a, bool renew, struct err *err)
{
    struct watchset_difference d;

    return change(a, &a->set, renew, &d, err);
}

unsigned arming_uncovered(const struct arming *a, const struct target *target, unsigned permissions)
{
    return uncovered(&a->set, target, permissions);
}

bool arming_has(const struct arming *a, const struct target *target, unsigned permissions)
{
    for (size_t i = 0; i < a->set.count; i++)
        if (plan_same_place(&a->set.targets[i], target) && bytes_equal(a->set.targets[i].path, target->path))
            permissions &= ~a->set.asks[i].permissions;
    return !permissions;
}
