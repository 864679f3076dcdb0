/* SPDX-License-Identifier: MIT */
#include "sensor/audit/describe.h"

#include "util/hash.h"
#include "util/limits.h"

void audit_event_id(struct bytes host, uint64_t time_ms, uint64_t serial, unsigned index, uint8_t ret[16])
{
    uint64_t parts[2] = { serial, index };

    event_make_id(time_ms * NS_PER_MS, hash_add(hash_add(HASH_START, host.data, host.len), parts, sizeof(parts)), ret);
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
    e->actor.tty = process_terminal(&e->arena, f->tty); /* "(none)" is no value for the decoder */
}
