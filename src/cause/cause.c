/* SPDX-License-Identifier: MIT */
#include "cause/cause.h"

#include "cause/chain.h"
#include "cause/one_off.h"

static bool add(struct chain *c, struct process *p)
{
    const struct cause_link *link = c->count < CHAIN_MAX ? link_of(p) : NULL;

    if (!link)
        return false;
    c->process[c->count] = p;
    c->link[c->count++] = link;
    return true;
}

static void chain_make(const struct event *e, struct chain *ret)
{
    struct process *actor = e->actor.process;

    ret->event = e;
    ret->count = 0;
    for (struct process *p = actor; p && ret->count < CHAIN_MAX; p = p->parent) /* deeper ones are cut */
        for (struct process *image = p; image && add(ret, image); image = image->earlier)
            ;
    ret->inside = 0;
    while (ret->inside < ret->count && process_lives_with(actor, ret->process[ret->inside]))
        ret->inside++;
    ret->end = ret->inside;
}

/* The actor's process is not known: what the sensor said of it. */
static void find_without_process(const struct event *e, struct cause *ret)
{
    ret->run.name = event_actor_name(e);
    ret->run.args = e->actor.args;
    ret->run.kind = ret->run.name.len ? RUN_PROGRAM : RUN_UNKNOWN;
}

/* Of a container that was made for one run. */
static struct bytes find_image(const struct chain *c)
{
    const struct container *container = c->process[0]->container;
    const struct process *first = c->inside ? c->process[c->inside - 1] : c->process[0];

    if (c->process[0]->origin != ORIGIN_CONTAINER || !one_off_container(container, cause_client_of(first)))
        return BYTES_NULL;
    return container->image_name;
}

void cause_find(const struct event *event, struct cause *ret)
{
    struct chain c;

    *ret = (struct cause){ .person = { .id = UID_UNKNOWN, .as_id = UID_UNKNOWN } };
    chain_make(event, &c);
    if (c.count) {
        cause_find_launcher(&c, &ret->launcher);
        cause_find_run(&c, ret);
        cause_find_person(&c, &ret->person);
        ret->image = find_image(&c);
    } else {
        find_without_process(event, ret);
    }
    ret->key = cause_find_key(&c, ret);
}

void cause_remember(struct event *event)
{
    struct cause found;

    cause_find(event, &found);
    cause_done(&event->cause);
    event->cause = found;
    event_remember_suspect(event);
}
