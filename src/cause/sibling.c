/* SPDX-License-Identifier: MIT */
/* A script that calls rm a thousand times: what was found for one of them holds for the others. */
#include "cause/cause.h"
#include "cause/link.h"

/* What explains the change stands above it: nothing of its own but the name of the tool is told. */
static bool is_led(const struct cause *c, const struct process *p)
{
    if (c->run.kind == RUN_ANSIBLE && c->run.text.len)
        return false; /* its arguments are the task's */
    return c->run.process && c->run.process != p && c->launcher.process != p;
}

static bool is_told_alike(const struct event *e, const struct process *p)
{
    return !e->node.len && (!e->actor.tty.len || bytes_equal(e->actor.tty, p->tty)) &&
           bytes_equal(event_actor_executable(e), p->executable);
}

/* The same program, called by the same name: "busybox rm" and "-sh" are other ones than "busybox mv" and "rm". */
static bool is_called_alike(struct bytes a, struct bytes b)
{
    size_t len = a.len ? strnlen(a.data, a.len) : 0;

    return a.len && b.len > len && a.len > len && memcmp(a.data, b.data, len + 1) == 0;
}

static bool is_same_user(const struct process *a, const struct process *b)
{
    return a->cred.known == b->cred.known && a->cred.uid == b->cred.uid && a->cred.euid == b->cred.euid &&
           a->login_uid == b->login_uid && a->session == b->session && bytes_equal(a->tty, b->tty) &&
           bytes_equal(a->remote, b->remote) && bytes_equal(a->user_name, b->user_name);
}

static bool is_at_same_place(const struct process *a, const struct process *b)
{
    return a->origin == b->origin && a->container == b->container && a->mnt_ns == b->mnt_ns &&
           bytes_equal(a->cgroup, b->cgroup) && bytes_equal(a->owner.unit, b->owner.unit);
}

/* By its parent's side: not the first process of its container, and nothing that it executed before. */
static bool is_plain(const struct process *p)
{
    return p->parent && p->parent->container == p->container && !p->earlier && !p->script.len && p->executable.len &&
           !p->launch.kind && !p->owner.product.len;
}

bool cause_suits_siblings(const struct event *event)
{
    struct process *p = event->actor.process;
    const struct cause_link *link = p ? p->cause_link : NULL;

    return link && link->plain && is_plain(p) && is_told_alike(event, p) && is_led(&event->cause, p);
}

bool cause_of_sibling(struct event *event, struct process *sibling, const struct cause *known)
{
    const struct process *p = event->actor.process;

    if (p->parent != sibling->parent || !bytes_equal(p->executable, sibling->executable) || !is_plain(p) ||
        !is_told_alike(event, p) || !is_called_alike(p->args, sibling->args) || !is_same_user(p, sibling) ||
        !is_at_same_place(p, sibling))
        return false;
    cause_copy(&event->cause, known);
    event->cause.run.exited = cause_has_exited(&event->cause, event);
    if (!event->cause.sibling)
        event->cause.sibling = process_ref(sibling);
    return true;
}
