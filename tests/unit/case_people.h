/* SPDX-License-Identifier: MIT */
/* What the tests of whole cases share: the people of case.h, a script and another one. */
#pragma once

#include "case.h"

#include <linux/audit.h>
#include <time.h>

enum who { AGENT = 1, APP, RUNC, SCRIPT, OTHER };

struct step {
    enum operation op;
    const char *path, *from; /* from: the old name, or what a link points to */
    enum who who;            /* 0: the agent */
    unsigned ms;
    int error;
    uint32_t before, after;  /* mode, with type; 0 = not known */
    uint32_t type;           /* of the object; 0 = not known */
    const char *note;
    bool presumed;           /* the actor */
    unsigned bytes;
    unsigned was, is;        /* sizes, both or none */
    int syscall;             /* 0: not known */
    unsigned sensors;        /* 0: audit */
    uint64_t inode;          /* 0: not known */
};

#define C OPERATION_CREATE
#define W OPERATION_WRITE
#define D OPERATION_UNLINK
#define R OPERATION_RENAME
#define M OPERATION_CHMOD

/* clang-format on */

static struct process *script, *other;

static inline struct process *person(enum who who)
{
    struct process *all[] = { agent, agent, app, runc, script, other };

    return all[who];
}

static inline void add_step(const struct step *s, struct container *victim)
{
    struct event *e = make_event(s->op, s->path, person(s->who), victim, T0 + (uint64_t)s->ms * NS_PER_MS);

    e->file.inode = s->inode;
    e->file.known |= s->inode ? FILE_INODE : 0;
    e->error = s->error;
    if (s->op == OPERATION_RENAME)
        event_set(e, &e->previous_path, bytes_of(s->from));
    else if (s->from)
        event_set(e, &e->target_path, bytes_of(s->from));
    if (s->before)
        e->before = (struct file_state){ .known = FILE_MODE, .mode = s->before };
    if (s->after)
        e->after = (struct file_state){ .known = FILE_MODE, .mode = s->after };
    if (s->was || s->is) {
        e->before = (struct file_state){ .known = FILE_SIZE, .size = s->was };
        e->after = (struct file_state){ .known = FILE_SIZE, .size = s->is };
    }
    if (s->syscall) {
        e->syscall_arch = AUDIT_ARCH_X86_64;
        e->syscall = s->syscall;
    }
    if (s->sensors)
        e->sensors = s->sensors;
    if (s->type)
        e->file = (struct file_state){ .known = FILE_MODE, .mode = s->type };
    e->note = bytes_of(s->note);
    e->actor_presumed = s->presumed;
    e->bytes = s->bytes;
    e->bytes_known = s->bytes > 0;
    event_set(e, &e->watch_text, bytes_of("/srv"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static inline int set_up_people(void **state)
{
    int r = set_up(state);

    setenv("TZ", "UTC", 1);
    tzset();
    script = make_process(40, "/bin/sh", process_ref(init));
    other = make_process(41, "/opt/x/other", process_ref(init));
    return r;
}

static inline int tear_down_people(void **state)
{
    process_unref(script);
    process_unref(other);
    return tear_down(state);
}

static inline void set_cause(struct event *e, enum run_kind run, const char *name, enum launcher_kind launcher, const char *by,
                      const char *tool)
{
    e->cause.run.kind = run;
    e->cause.run.name = bytes_of(name);
    e->cause.launcher.kind = launcher;
    e->cause.launcher.name = bytes_of(by);
    e->cause.tool = bytes_of(tool);
    e->cause.key.number = 42;
}

static inline void person_of(struct event *e)
{
    e->cause.person = (struct person){ .known = true, .id = 1000, .name = bytes_of("ann"), .as_id = 0, .as_name = bytes_of("root"),
                                       .by = bytes_of("sudo"), .terminal = bytes_of("pts/3"), .remote = bytes_of("10.0.0.7") };
}
