/* SPDX-License-Identifier: MIT */
#include "guard/judge.h"

#include "event/operation.h"
#include "event/selector.h"

#define KTHREADD 2 /* pid of the parent of the kernel's own threads, and itself one */

/* Do these facts fit? */
enum fit {
    FIT_NO,
    FIT_UNKNOWN,
    FIT_YES,
};

/* ---- is it asked for? ---- */

/* Others make their own view of the files. */
static bool is_of_other_space(const struct guard_rules *rules, const struct event *e)
{
    const struct process *p = e->actor.process;
    uint64_t space = e->actor.mnt_ns ? e->actor.mnt_ns : p ? p->mnt_ns : 0;

    if (space && rules->mnt_ns)
        return space != rules->mnt_ns;
    return p && p->origin == ORIGIN_CONTAINER;
}

bool guard_judges(const struct guard_rules *rules, const struct event *e)
{
    if (e->error > 0 && !(e->sensors & SENSOR_GUARD)) /* it had failed anyway */
        return false;
    if (bytes_known(e->carried))
        return e->operation == OPERATION_RENAME;
    if (e->operation == OPERATION_MOUNT)
        return !is_of_other_space(rules, e);
    return e->operation != OPERATION_UNMOUNT &&
           (e->operation == OPERATION_OPEN_WRITE || (operation_info(e->operation)->permission & (PERMISSION_WRITE | PERMISSION_ATTR)));
}

/* ---- who asks? ---- */

static enum fit is_kernels(const struct event *e)
{
    pid_t parent = e->actor.parent_pid ? e->actor.parent_pid : e->actor.process ? e->actor.process->parent_pid : 0;

    if (event_actor_executable(e).len)
        return FIT_NO;
    if (e->actor.pid == KTHREADD || parent == KTHREADD)
        return FIT_YES;
    return parent ? FIT_NO : FIT_UNKNOWN;
}

/* In a container the same path is another file. */
static enum fit fits_executable(const struct guard_rule *rule, const struct event *e)
{
    struct bytes executable = event_actor_executable(e);
    const struct process *p = e->actor.process;

    if (!bytes_known(rule->executable))
        return FIT_NO;
    if (!executable.len)
        return FIT_UNKNOWN;
    if (p && p->executable_inode && rule->inode && p->executable_inode == rule->inode && p->executable_device == rule->device)
        return FIT_YES;
    if (!bytes_equal(executable, rule->executable))
        return FIT_NO;
    if (!p || p->origin == ORIGIN_UNKNOWN)
        return FIT_UNKNOWN;
    return p->origin == ORIGIN_HOST ? FIT_YES : FIT_NO;
}

static enum fit fits_user(const struct guard_rule *rule, const struct event *e)
{
    const struct credentials *cred = actor_credentials(&e->actor);

    if (rule->uid == UID_UNKNOWN)
        return FIT_NO;
    return !cred->known ? FIT_UNKNOWN : cred->uid == rule->uid ? FIT_YES : FIT_NO;
}

/* Its own cgroup or one above. */
static bool is_in_cgroup(struct bytes path, struct bytes name)
{
    while (path.len)
        if (bytes_equal(bytes_next_field(&path, '/'), name))
            return true;
    return false;
}

static enum fit fits_unit(const struct guard_rule *rule, const struct event *e)
{
    const struct process *p = e->actor.process;
    struct bytes cgroup = e->actor.cgroup.len || !p ? e->actor.cgroup : p->cgroup;

    if (!bytes_known(rule->unit))
        return FIT_NO;
    if (is_in_cgroup(cgroup, rule->unit) || (p && bytes_equal(p->owner.unit, rule->unit)))
        return FIT_YES;
    return cgroup.len || (p && p->owner.unit.len) ? FIT_NO : FIT_UNKNOWN;
}

static enum fit fits_container(const struct guard_rule *rule, const struct event *e)
{
    const struct selector selector = { .kind = SELECTOR_NAME, .text = rule->container };
    const struct process *p = e->actor.process;

    if (!bytes_known(rule->container))
        return FIT_NO;
    if (!p || p->origin == ORIGIN_UNKNOWN)
        return FIT_UNKNOWN;
    return p->origin == ORIGIN_CONTAINER && p->container && selector_matches(&selector, p->container) ? FIT_YES : FIT_NO;
}

static enum fit fits(const struct guard_rule *rule, const struct event *e)
{
    enum fit best = fits_executable(rule, e);

    best = MAX(best, fits_user(rule, e));
    best = MAX(best, fits_unit(rule, e));
    return MAX(best, fits_container(rule, e));
}

enum guard_judgement guard_judge(const struct guard_rules *rules, const struct event *e)
{
    enum fit best;

    if (!e->actor.pid || e->actor_presumed)
        return GUARD_UNKNOWN;
    if (e->actor.pid == 1 || (rules->own_pid && e->actor.pid == rules->own_pid))
        return GUARD_ALLOWED;
    best = is_kernels(e);
    for (size_t i = 0; i < rules->count && best != FIT_YES; i++) {
        enum fit fit = fits(&rules->all[i], e);

        rules->all[i].fitted += fit == FIT_YES;
        best = MAX(best, fit);
    }
    return best == FIT_YES ? GUARD_ALLOWED : best == FIT_UNKNOWN ? GUARD_UNKNOWN : GUARD_REFUSED;
}
