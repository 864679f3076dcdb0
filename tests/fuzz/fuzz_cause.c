/* SPDX-License-Identifier: MIT */
/*
 * The input is a chain of processes, the first one first and each below the one before it, separated by 0x1e; of each what a
 * process says of itself or its user chooses, separated by 0x1f: executable, arguments (each ended by a NUL), working directory,
 * script, standard input, unit, terminal, user.
 */
#include <stdlib.h>

#include "cause/cause.h"
#include "event/sentence.h"
#include "fuzz.h"

#define CHAIN_MAX 12

static struct bytes take(struct bytes *rest, char separator)
{
    const char *end = rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct bytes part = { rest->data, end ? (size_t)(end - rest->data) : rest->len };
    size_t step = part.len + (end ? 1 : 0);

    *rest = (struct bytes){ rest->data + step, rest->len - step };
    return part;
}

static struct process *add(struct process *parent, struct bytes text, pid_t pid)
{
    struct process *p = process_new(pid, (uint64_t)pid * 1000000000ull);
    struct bytes *fields[] = { &p->executable, &p->args, &p->working_directory, &p->script,
                               &p->input, &p->owner.unit, &p->tty, &p->real_user_name };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        process_set(p, fields[i], take(&text, 0x1f));
    p->origin = ORIGIN_HOST;
    p->parent = parent;
    p->parent_pid = parent ? parent->pid : 0;
    return p;
}

/* Bytes of others move no cursor and make no second line. */
static void check_text(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = { (const char *)data, size };
    struct sentence_style style = { .containers = true };
    struct sbuf out = SBUF_INIT;
    struct process *p = NULL;
    struct event *e;

    for (pid_t pid = 1; rest.len && pid <= CHAIN_MAX; pid++)
        p = add(p, take(&rest, 0x1e), pid);
    if (!p)
        return 0;
    e = event_new();
    e->operation = OPERATION_UNLINK;
    e->time_ns = 1;
    event_set(e, &e->path, bytes_of("/srv/x"));
    e->actor.pid = p->pid;
    e->actor.process = p;
    cause_remember(e);
    if (!cause_run_name(e->cause.run.kind) || !cause_launcher_name(e->cause.launcher.kind))
        abort();
    sentence_event(&out, e, &style);
    check_text(sbuf_bytes(&out));
    sbuf_done(&out);
    event_free(e);
    return 0;
}
