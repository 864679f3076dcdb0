/* SPDX-License-Identifier: MIT */
/* What the tests of expectations and severities share: containers, and events that a row describes. */
#pragma once

#include "make.h"

enum side { HOST, WEB, DB }; /* where the actor lives, or whose file it is */

struct made {
    enum operation operation;
    const char *path, *previous;
    int error;
    const char *executable, *parent;
    const char *args; /* of the actor, a space between two */
    enum side actor, victim;
    enum victim_kind kind; /* 0: as the victim says */
    enum launcher_kind launcher;
    const char *launched_by; /* executable of the launcher's process */
    bool looks_like;
    enum run_kind run;
    const char *run_name, *directory, *tool;
    bool claimed;
    bool interactive;
    uint32_t person; /* 0: nobody */
    uint32_t file_uid;
    uint32_t mode, before, after; /* 0: not known */
    pid_t pid, parent_pid;
};

static struct container *containers[3];

static inline struct event *make_it(const struct made *m)
{
    struct process *parent = make_process(m->parent_pid ? m->parent_pid : 40, m->parent ? m->parent : "/usr/lib/systemd/systemd", NULL);
    struct process *actor = make_process(m->pid ? m->pid : 50, m->executable ? m->executable : "/usr/bin/rm", parent);
    struct event *e;

    if (m->actor != HOST) {
        actor->origin = ORIGIN_CONTAINER;
        actor->container = container_ref(containers[m->actor]);
    }
    if (m->args) {
        process_set(actor, &actor->args, (struct bytes){ m->args, strlen(m->args) + 1 });
        for (size_t i = 0; i < actor->args.len; i++)
            if (actor->args.data[i] == ' ')
                ((char *)(uintptr_t)actor->args.data)[i] = '\0';
    }
    e = make_event(m->operation ? m->operation : OPERATION_UNLINK, m->path, actor, m->victim == HOST ? NULL : containers[m->victim],
                   1700000000000000000ull);
    if (m->kind)
        e->victim_kind = m->kind;
    if (m->previous)
        event_set(e, &e->previous_path, bytes_of(m->previous));
    e->error = m->error;
    e->cause.launcher.kind = m->launcher;
    if (m->launched_by) {
        e->cause.launcher.process = make_process(30, m->launched_by, NULL);
        e->cause.launcher.process->owner.looks_like = m->looks_like;
    }
    e->cause.run.kind = m->run;
    e->cause.run.name = bytes_of(m->run_name);
    e->cause.run.directory = bytes_of(m->directory);
    e->cause.run.claimed = m->claimed;
    e->cause.tool = bytes_of(m->tool);
    e->cause.person.interactive = m->interactive;
    e->cause.person.known = m->person != 0;
    e->cause.person.id = m->person;
    if (m->file_uid) {
        e->file.known |= FILE_UID;
        e->file.uid = m->file_uid;
    }
    if (m->mode) {
        e->file.known |= FILE_MODE;
        e->file.mode = m->mode;
    }
    if (m->before)
        e->before = (struct file_state){ .known = FILE_MODE, .mode = m->before };
    if (m->after)
        e->after = (struct file_state){ .known = FILE_MODE, .mode = m->after };
    process_unref(actor);
    return e;
}
