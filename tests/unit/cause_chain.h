/* SPDX-License-Identifier: MIT */
/* What the tests of causes share: chains of processes from a table, and the event of the last of them. */
#pragma once

#include "make.h"

#include <stdlib.h>

#include "cause/cause.h"

/* One process, from pid 1 down. `args`: each followed by '|' but the last. */
struct step {
    const char *executable, *args, *directory;
    const char *script; /* of #!, as the kernel says */
    const char *tty, *unit, *product, *user, *input;
    const char *job;    /* of a CI runner, by its environment */
    const char *copier, *client; /* that asked for it, each argument followed by '|' but the last */
    bool inside;        /* in container web */
    bool executed;      /* the same process as the one above, after an exec */
    uint32_t uid;
    pid_t pid;
};

#define STEPS 10
#define CRON { "/usr/sbin/cron", "/usr/sbin/cron|-f", .unit = "cron.service" }
#define BASH { "/usr/bin/bash", "-bash", "/home/ann", .tty = "pts/3", .user = "ann" }
#define RM { "/usr/bin/rm", "rm|-f|/srv/x" }
#define PLAYBOOK { "/usr/bin/python3.11", "python3|/usr/bin/ansible-playbook|-i|hosts.yml|-e|@vars.yml|site.yml", .script = "/usr/bin/ansible-playbook" }
#define MODULE(name) { "/usr/bin/python3.11", "python3|/root/.ansible/tmp/ansible-tmp-1.2/AnsiballZ_" name ".py" }

static struct container *web;

static inline void set_words(struct process *p, struct bytes *field, const char *text)
{
    struct bytes args;
    char *copy = strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '|')
            *c = '\0';
    args = (struct bytes){ copy, *text ? strlen(text) + 1 : 0 };
    process_set(p, field, args);
    free(copy);
}

static inline void set_args(struct process *p, const char *text)
{
    set_words(p, &p->args, text);
}

/* A reference to the last of them. */
static inline struct process *make_chain(const struct step *steps)
{
    struct process *p = NULL;
    pid_t pid = 1;

    for (unsigned i = 0; i < STEPS && (steps[i].executable || steps[i].args); i++) {
        const struct step *s = &steps[i];
        struct process *above = p;

        if (s->executed) {
            p = make_process(above->pid, s->executable, process_ref(above->parent));
            p->earlier = above;
        } else {
            p = make_process(s->pid ? s->pid : pid++, s->executable, above);
        }
        if (s->args)
            set_args(p, s->args);
        process_set(p, &p->working_directory, bytes_of(s->directory));
        process_set(p, &p->script, bytes_of(s->script));
        process_set(p, &p->input, bytes_of(s->input));
        process_set(p, &p->tty, bytes_of(s->tty));
        process_set(p, &p->owner.unit, bytes_of(s->unit ? s->unit : above && !s->inside ? above->owner.unit.data : NULL));
        process_set(p, &p->owner.product, bytes_of(s->product));
        process_set(p, &p->launch.text, bytes_of(s->job));
        p->launch.kind = s->job ? LAUNCH_CI_JOB : s->client ? LAUNCH_EXEC : LAUNCH_UNKNOWN;
        if (s->copier)
            p->launch.kind = LAUNCH_COPY;
        if (s->client || s->copier)
            set_words(p, &p->launch.text, s->client ? s->client : s->copier);
        if (s->product)
            p->owner.product_kind = bytes_of("EDR");
        process_set(p, &p->real_user_name, bytes_of(s->user));
        p->cred = (struct credentials){ .known = true, .uid = s->uid, .euid = s->uid };
        if (s->inside) {
            p->origin = ORIGIN_CONTAINER;
            p->container = container_ref(web);
        }
    }
    return p;
}

static inline struct event *find(const struct step *steps)
{
    struct process *p = make_chain(steps);
    struct event *e = make_event(OPERATION_UNLINK, "/srv/x", p, NULL, 1);

    cause_remember(e);
    process_unref(p);
    return e;
}

/* Arguments of any length and content: nothing is read behind them. */
/* Another process, started as `p` was. */
static inline struct process *make_sibling(const struct process *p)
{
    struct process *s = make_process(p->pid + 100, p->executable.data, process_ref(p->parent));

    process_set(s, &s->executable, p->executable);
    process_set(s, &s->args, p->args);
    process_set(s, &s->working_directory, p->working_directory);
    process_set(s, &s->script, p->script);
    process_set(s, &s->input, p->input);
    process_set(s, &s->tty, p->tty);
    process_set(s, &s->cgroup, p->cgroup);
    process_set(s, &s->owner.unit, p->owner.unit);
    process_set(s, &s->owner.product, p->owner.product);
    s->owner.product_kind = p->owner.product_kind;
    process_set(s, &s->user_name, p->user_name);
    process_set(s, &s->real_user_name, p->real_user_name);
    s->earlier = process_ref(p->earlier);
    s->cred = p->cred;
    s->origin = p->origin;
    s->container = container_ref(p->container);
    return s;
}

static inline struct event *event_of(struct process *p)
{
    return make_event(OPERATION_UNLINK, "/srv/y", p, NULL, 1);
}
