/* SPDX-License-Identifier: MIT */
/* Who logged in, or called sudo; how the user changed on the way; at which terminal. */
#include "cause/chain.h"

#include "util/macro.h"

static const char *changer(const struct chain *c, unsigned at)
{
    return at < c->inside ? c->link[at]->changer : NULL;
}

/* The engine's own process, at work for a client. */
static bool is_for_client(const struct process *p)
{
    return p->launch.kind == LAUNCH_COPY || p->launch.kind == LAUNCH_REMOVE;
}

/* A daemon of the engine started whatever runs in its containers: who had logged in to start that daemon did not. */
static bool by_daemon(const struct process *p)
{
    static const char *const runtimes[] = { "docker", "containerd", "cri-o" };

    if (is_for_client(p))
        return true;
    return p->container && BYTES_AMONG(p->container->runtime, runtimes);
}

static void set_process(struct person *ret, struct process *p)
{
    process_unref(ret->process);
    ret->process = process_ref(p);
}

/* By the kernel's login user: it is set once, and no change of user changes it. */
static void find_login(const struct chain *c, uint32_t login, struct person *ret)
{
    const struct process *actor = c->process[0];
    struct process *outermost = NULL;

    ret->id = login;
    for (unsigned i = 0; i < c->inside; i++) {
        struct process *p = c->process[i];

        if (p->login_uid != login && p->login_uid != UID_UNKNOWN)
            break;
        if (p->login_uid == login && p->tty.len)
            outermost = p; /* sudo and script have terminals of their own: theirs is not the person's */
    }
    if (outermost) {
        set_process(ret, outermost);
        ret->terminal = outermost->tty;
    }
    ret->name = actor->login_uid == login ? actor->login_name : BYTES_NULL;
    if (!ret->name.len && outermost)
        ret->name = outermost->login_name;
    ret->remote = actor->remote.len ? actor->remote : outermost ? outermost->remote : BYTES_NULL;
}

/* Nobody logged in, as far as the kernel knows: who called the outermost sudo or su? Not root: he is whoever has become it. */
static void find_caller(const struct chain *c, struct person *ret)
{
    for (unsigned i = c->inside; i-- > 0;) {
        struct process *p = c->process[i];

        if (!changer(c, i))
            continue;
        if (!p->cred.known || p->cred.uid == 0) { /* it was called by him, and has become root itself since */
            unsigned above = i + 1;

            while (above < c->inside && changer(c, above))
                above++;
            p = above < c->inside ? c->process[above] : NULL;
        }
        if (!p || !p->cred.known || p->cred.uid == 0)
            continue;
        ret->id = p->cred.uid;
        ret->name = p->real_user_name;
        ret->terminal = p->tty;
        ret->remote = p->remote;
        set_process(ret, p);
        return;
    }
}

/* Into a container by `docker exec` or cp, or for `docker rm`: the client's user. Where it was root by a script or a job, that says more. */
static void find_client(const struct chain *c, struct person *ret)
{
    bool copied = is_for_client(c->process[0]);
    struct process *first = copied ? c->process[0] : c->process[c->inside - 1];

    if ((first->launch.kind != LAUNCH_EXEC && !copied) || !first->launch.user.len ||
        (bytes_equal_str(first->launch.user, "root") && first->launch.place.len))
        return;
    ret->known = true;
    ret->name = first->launch.user;
    ret->remote = first->launch.kind == LAUNCH_EXEC ? first->remote : BYTES_NULL;
    set_process(ret, first);
}

static bool runs_as(const struct process *p, uint32_t uid)
{
    return !p->cred.known || p->cred.uid == uid || p->cred.euid == uid;
}

/* What first made it the user that it is. */
static struct bytes find_change(const struct chain *c, const struct person *person)
{
    const struct credentials *first;
    const char *by;
    unsigned at = 0;

    if (person->id == UID_UNKNOWN || person->as_id == UID_UNKNOWN || person->id == person->as_id)
        return BYTES_NULL;
    for (unsigned i = 1; i < c->inside && runs_as(c->process[i], person->as_id); i++)
        if (c->process[i]->cred.known || changer(c, i))
            at = i;
    by = changer(c, at);
    if (!by)
        by = changer(c, at + 1);
    if (by)
        return bytes_of(by);
    first = &c->process[at]->cred;
    return first->known && first->uid == person->id && first->euid == person->as_id ? bytes_of("setuid") : BYTES_NULL;
}

void cause_find_person(const struct chain *c, struct person *ret)
{
    const struct event *e = c->event;
    const struct credentials *cred = actor_credentials(&e->actor);
    const struct process *actor = c->process[0];
    uint32_t login = actor_login_uid(&e->actor);

    ret->as_id = cred->known ? cred->euid : UID_UNKNOWN;
    if (cred->known && actor->cred.known && actor->cred.euid == cred->euid)
        ret->as_name = actor->user_name;
    if (login != UID_UNKNOWN && !by_daemon(actor))
        find_login(c, login, ret);
    else
        find_caller(c, ret);
    if (ret->id != UID_UNKNOWN)
        ret->known = true;
    else
        find_client(c, ret);
    if (!ret->terminal.len)
        ret->terminal = e->actor.tty.len ? e->actor.tty : actor->tty;
    ret->by = find_change(c, ret);
    for (unsigned i = 0; i < c->inside && !ret->interactive; i++)
        ret->interactive = c->link[i]->role == ROLE_TERMINAL;
}
