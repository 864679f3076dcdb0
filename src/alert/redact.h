/* SPDX-License-Identifier: MIT */
/*
 * What alerts do not say: users, arguments, home directories. It is taken away from a copy of each event before anything is made of it, so
 * that no sentence, page or field has it, however it is cut or escaped there; the record and what is expected know the truth. One thread.
 *
 * users: names of people (of users from number 1000 on; of those without a known number all but root), where they are alone, and
 *        as whole words wherever else, also in paths. Numbers stay: whoever may read the record finds the name by them.
 * arguments: of every program, shells' texts, cron's lines: the program's own name is left.
 * homes: NAME of /home/NAME, wherever that is. users take it away too.
 */
#pragma once

#include <stdbool.h>

#include "event/event.h"
#include "util/sbuf.h"

#define REDACTED "[redacted]"
#define REDACT_NAMES_MAX 256      /* that are remembered; the oldest give way */
#define REDACT_NAME_MAX 255       /* bytes */
#define REDACT_PROCESSES_MAX 256  /* of one event: launchers, and what they executed before */
#define REDACT_CONTAINERS_MAX 16

struct redact_rules {
    bool users, arguments, homes;
};

struct redact_name {
    char text[REDACT_NAME_MAX + 1];
    size_t len;
};

/* What was redacted already: the next event is most often of the same process. */
struct redact_process {
    struct process *from, *to;     /* owned references; to NULL: not yet */
};
struct redact_container {
    struct container *from, *to;   /* owned references */
};

struct redact {
    struct redact_rules rules;
    struct redact_name *names;     /* NULL: none yet */
    size_t name_count, next_name;
    bool learned;                  /* names that what was redacted already may have */
    struct redact_process *processes; /* NULL: none yet */
    size_t process_count;
    struct redact_container containers[REDACT_CONTAINERS_MAX];
    size_t container_count;
};

/* From now on by these rules, a copy; names that were learned stay. A zeroed struct redact takes nothing away. */
void redact_set(struct redact *r, struct redact_rules rules);
/* Frees what it holds and zeroes it. */
void redact_done(struct redact *r);
/* Is anything at all to be taken away? */
static inline bool redact_is_on(const struct redact *r)
{
    return r->rules.users || r->rules.arguments || r->rules.homes;
}

/* From now on it is a name. uid: UID_UNKNOWN where it is not known. Nothing where names of users are not redacted. */
void redact_learn(struct redact *r, struct bytes name, uint32_t uid);
/* The name of a user, whole. */
void redact_user(const struct redact *r, struct bytes name, uint32_t uid, struct sbuf *out);
/* Any text, raw or escaped, also of several parts that end in NULs: without the names that are known, and home directories'. */
void redact_text(const struct redact *r, struct bytes text, struct sbuf *out);
/* A path, of which a part may have a space in it. */
void redact_path(const struct redact *r, struct bytes path, struct sbuf *out);
/* A command line: arguments that each end in a NUL, or one text. */
void redact_command(const struct redact *r, struct bytes args, struct sbuf *out);
/* A copy in its own memory, that refers to copies of its processes and containers; NULL: out of memory. event_free() */
struct event *redact_event(struct redact *r, const struct event *e);
