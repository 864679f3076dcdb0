/* SPDX-License-Identifier: MIT */
#include "report/names.h"

#include "util/escape.h"

#define SHORT_ID 12

uint64_t name_cause_key(const struct event *event)
{
    return event_suspect(event);
}

void name_program(struct sbuf *out, const struct event *event)
{
    struct bytes executable = event_actor_executable(event), name = event_actor_name(event);

    if (executable.len) {
        escape_terminal(out, executable);
    } else if (name.len) {
        escape_terminal(out, name);
        sbuf_add_str(out, " (name only)");
    } else {
        sbuf_add_str(out, "not known");
    }
}

void name_cause(struct sbuf *out, const struct event *event)
{
    name_program(out, event);
}

static void add_user(struct sbuf *out, uint32_t uid, struct bytes name)
{
    if (name.len)
        escape_terminal(out, name);
    else if (uid == 0)
        sbuf_add_str(out, "root");
    else
        sbuf_addf(out, "uid %u", uid);
}

void name_user(struct sbuf *out, const struct event *event)
{
    const struct process *p = event->actor.process;
    const struct credentials *cred = event->actor.cred.known || !p ? &event->actor.cred : &p->cred;

    if (!cred->known) {
        sbuf_add_str(out, "not known");
        return;
    }
    add_user(out, cred->euid, p && p->cred.known && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
}

void name_container(struct sbuf *out, const struct container *container)
{
    struct bytes id = container->id;

    escape_terminal(out, container->name.len ? container->name : (struct bytes){ id.data, MIN(id.len, (size_t)SHORT_ID) });
}
