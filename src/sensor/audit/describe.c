/* SPDX-License-Identifier: MIT */
#include "sensor/audit/describe.h"

#include <string.h>

#include "util/limits.h"

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ull; /* FNV-1a */
    return h;
}

void audit_event_id(struct bytes host, const struct audit_facts *f, unsigned index, uint8_t ret[16])
{
    uint64_t parts[3] = { f->time_ms, f->serial, index };
    uint64_t half[2] = { 0xcbf29ce484222325ull, 0x9e3779b97f4a7c15ull };

    for (int i = 0; i < 2; i++) {
        half[i] = mix(half[i], host.data, host.len);
        half[i] = mix(half[i], parts, sizeof(parts));
    }
    memcpy(ret, half, sizeof(half));
}

void audit_describe(const struct audit_facts *f, struct event *e)
{
    e->time_ns = f->time_ms * NS_PER_MS;
    e->route = f->route;
    if (f->route == ROUTE_SYSCALL) {
        e->syscall_arch = f->arch;
        e->syscall = f->number;
    }
    e->actor.pid = f->pid;
    e->actor.parent_pid = f->parent_pid;
    e->actor.cred = f->cred;
    e->actor.login_uid = f->login_uid;
    e->actor.session = f->session;
    event_set(e, &e->actor.executable, f->executable);
    event_set(e, &e->actor.name, f->name);
    event_set(e, &e->actor.args, bytes_known(f->argv) ? f->argv : f->args_text);
    event_set(e, &e->actor.working_directory, f->cwd);
    event_set(e, &e->actor.tty, f->tty); /* "(none)" is no value for the decoder */
}
