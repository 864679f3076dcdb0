/* SPDX-License-Identifier: MIT */
#include "watch/facts.h"

#include "event/operation.h"
#include "util/macro.h"

static void take(struct event *to, struct bytes *field, struct bytes value)
{
    if (!field->data && value.data)
        event_set(to, field, value);
}

static void take_state(struct event *e, struct file_state *to, const struct file_state *from, uint64_t *contradictions)
{
#define FACT(bit, member)                                                                          \
    if (from->known & (bit)) {                                                                     \
        if (!(to->known & (bit)))                                                                  \
            to->member = from->member;                                                             \
        else if (to->member != from->member)                                                       \
            ++*contradictions;                                                                     \
    }
    FACT(FILE_MODE, mode)
    FACT(FILE_UID, uid)
    FACT(FILE_GID, gid)
    FACT(FILE_SIZE, size)
    FACT(FILE_INODE, inode)
    FACT(FILE_DEVICE, device)
    FACT(FILE_LINKS, links)
    FACT(FILE_MTIME, mtime_ns)
    FACT(FILE_FLAGS, flags)
    FACT(FILE_ATIME, atime_ns)
    FACT(FILE_CTIME, ctime_ns)
#undef FACT
    to->known |= from->known;
    take(e, &to->owner, from->owner);
    take(e, &to->group, from->group);
}

static void take_actor(struct event *e, const struct actor *from)
{
    struct actor *to = &e->actor;

    if (!to->tid)
        to->tid = from->tid;
    if (!to->parent_pid)
        to->parent_pid = from->parent_pid;
    if (!to->start_ns)
        to->start_ns = from->start_ns;
    if (!to->cred.known) {
        to->cred = from->cred;
        to->login_uid = from->login_uid;
        to->session = from->session;
    }
    take(e, &to->executable, from->executable);
    take(e, &to->name, from->name);
    take(e, &to->args, from->args);
    take(e, &to->working_directory, from->working_directory);
    take(e, &to->tty, from->tty);
    take(e, &to->script, from->script);
    to->inside |= from->inside;
}

/* Who sees the call alone does not see which attribute it sets; a look at the file shows what became of it. */
static void take_operation(struct event *to, const struct event *from)
{
    if ((to->operation == OPERATION_SETXATTR || to->operation == OPERATION_REMOVEXATTR) && !to->xattr.len &&
        from->operation == OPERATION_SETACL && !from->operation_presumed)
        to->operation = OPERATION_SETACL;
}

void facts_unite(struct event *to, const struct event *from, uint64_t *contradictions)
{
    take_operation(to, from);
    to->sensors |= from->sensors;
    if (!to->boot_ns)
        to->boot_ns = from->boot_ns;
    if (to->route == ROUTE_UNKNOWN) {
        to->route = from->route;
        to->syscall_arch = from->syscall_arch;
        to->syscall = from->syscall;
    }
    if (from->actor_presumed == to->actor_presumed)
        take_actor(to, &from->actor);
    take(to, &to->previous_path, from->previous_path);
    take(to, &to->host_path, from->host_path);
    take(to, &to->previous_host_path, from->previous_host_path);
    take(to, &to->target_path, from->target_path);
    take(to, &to->xattr, from->xattr);
    if (!from->actor_presumed && !from->operation_presumed) /* else the note says what is known now */
        take(to, &to->note, from->note);
    take_state(to, &to->file, &from->file, contradictions);
    take_state(to, &to->before, &from->before, contradictions);
    take_state(to, &to->after, &from->after, contradictions);
    if (!to->bytes_known && from->bytes_known) {
        to->bytes = from->bytes;
        to->bytes_known = true;
    }
}

bool facts_are_timed(const struct event *e)
{
    return !e->boot_from_ns;
}

void facts_bound_time(struct event *e, uint64_t time_ns)
{
    e->time_ns = MIN(e->time_ns, time_ns);
}

uint64_t facts_earliest(const struct event *e)
{
    return e->time_ns - (e->boot_from_ns && e->boot_from_ns < e->boot_ns ? e->boot_ns - e->boot_from_ns : 0);
}
