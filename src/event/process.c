/* SPDX-License-Identifier: MIT */
#include "event/process.h"

#include <stdlib.h>
#include <string.h>

#include "event/container.h"
#include "util/limits.h"
#include "util/macro.h"

struct process *process_new(pid_t pid, uint64_t start_ns)
{
    struct process *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->refs = 1;
    p->pid = pid;
    p->start_ns = start_ns;
    p->login_uid = UID_UNKNOWN;
    p->session = SESSION_UNKNOWN;
    return p;
}

struct process *process_ref(struct process *p)
{
    if (p)
        p->refs++;
    return p;
}

static void give_up(struct process *p, struct process **dead)
{
    if (p && --p->refs == 0) {
        p->next_dead = *dead;
        *dead = p;
    }
}

void process_unref(struct process *p)
{
    struct process *dead = NULL;

    /* a loop, not recursion: a chain of launchers is as long as an attacker likes */
    give_up(p, &dead);
    while ((p = dead)) {
        dead = p->next_dead;
        give_up(p->likeness, &dead);
        give_up(p->parent, &dead);
        give_up(p->earlier, &dead);
        container_unref(p->container);
        arena_done(&p->arena);
        free(p);
    }
}

void process_set_launch(struct process *to, const struct process *from)
{
    to->launch.looked = from->launch.looked;
    to->launch.kind = from->launch.kind;
    process_set(to, &to->launch.text, from->launch.text);
    process_set(to, &to->launch.place, from->launch.place);
    process_set(to, &to->launch.user, from->launch.user);
}

void process_set_likeness(struct process *to, struct process *from)
{
    struct process *whose = process_ref(from->likeness ? from->likeness : from), *before = to->likeness;

    to->likeness = whose;
    process_unref(before);
    to->executable = from->executable;
    to->executable_inode = from->executable_inode;
    to->executable_device = from->executable_device;
    to->executable_deleted = from->executable_deleted;
    to->executable_memfd = from->executable_memfd;
    to->script = from->script;
    to->input = from->input;
    to->args = from->args;
    to->args_truncated = from->args_truncated;
    to->working_directory = from->working_directory;
}

/* What one shows of itself, where both show it. */
static bool same_or_unknown(struct bytes a, struct bytes b)
{
    return !a.len || !b.len || bytes_equal(a, b);
}

static bool same_image(const struct process *a, const struct process *b)
{
    return bytes_equal(a->executable, b->executable) && same_or_unknown(a->args, b->args) &&
           same_or_unknown(a->script, b->script);
}

/* A record of the same facts in its own memory, of which the first image alone is an earlier one: others may hold
 * `p` and what it was before, so neither is changed. */
static struct process *copy_alone(const struct process *p, struct process *first)
{
    struct process *to = process_new(p->pid, p->start_ns);
    struct bytes *const to_bytes[] = { &to->executable, &to->script, &to->name, &to->args, &to->working_directory,
                                       &to->tty, &to->cgroup, &to->input };
    const struct bytes from_bytes[] = { p->executable, p->script, p->name, p->args, p->working_directory,
                                        p->tty, p->cgroup, p->input };

    if (!to)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(to_bytes); i++)
        process_set(to, to_bytes[i], from_bytes[i]);
    to->parent_pid = p->parent_pid;
    to->parent = process_ref(p->parent);
    to->earlier = process_ref(first);
    to->executable_inode = p->executable_inode;
    to->executable_device = p->executable_device;
    to->executable_deleted = p->executable_deleted;
    to->executable_memfd = p->executable_memfd;
    to->args_truncated = p->args_truncated;
    to->cred = p->cred;
    to->login_uid = p->login_uid;
    to->session = p->session;
    to->cgroup_inherited = p->cgroup_inherited;
    to->mnt_ns = p->mnt_ns;
    return to;
}

void process_set_earlier(struct process *to, struct process *before)
{
    struct process *first;
    unsigned images = 2; /* `to`, `before` */

    if (to->earlier || !before || before == to)
        return;
    if (!before->executable.len || same_image(to, before) || (before->parent && same_image(before, before->parent))) {
        to->earlier = process_ref(before->earlier);
        return;
    }
    for (first = before; first->earlier; first = first->earlier)
        images++;
    to->earlier = images <= PROCESS_IMAGES ? process_ref(before) : copy_alone(before, first);
}

void process_unrefp(struct process **p)
{
    process_unref(*p);
}

struct bytes process_terminal(struct arena *arena, struct bytes kernel_name)
{
    char text[32];

    if (kernel_name.len < 4 || kernel_name.len >= sizeof(text) || !bytes_starts_with(kernel_name, bytes_of("pts")) ||
        kernel_name.data[3] < '0' || kernel_name.data[3] > '9')
        return arena_copy(arena, kernel_name);
    memcpy(text, "pts/", 4);
    memcpy(text + 4, kernel_name.data + 3, kernel_name.len - 3);
    return arena_copy(arena, (struct bytes){ text, kernel_name.len + 1 });
}

void process_set(struct process *p, struct bytes *field, struct bytes value)
{
    *field = arena_copy(&p->arena, value);
}

struct bytes process_display_name(const struct process *p)
{
    if (p->executable.len)
        return bytes_basename(p->executable);
    return p->name;
}

/*
 * /proc counts starts in ticks of 10 ms, the kernel in nanoseconds, and the notification of a
 * fork carries its own time. Within two ticks no pid is used again.
 */
#define SAME_START_NS 20000000ull

bool process_starts_agree(uint64_t a, uint64_t b)
{
    return a && b && (a > b ? a - b : b - a) < SAME_START_NS;
}

bool process_same(const struct process *a, const struct process *b)
{
    return process_is(a, b->pid, b->start_ns);
}

bool process_lives_with(const struct process *a, const struct process *b)
{
    if (!a->container)
        return true;
    if (a->mnt_ns && b->mnt_ns && a->mnt_ns != b->mnt_ns)
        return false;
    if (b->container)
        return bytes_equal(a->container->id, b->container->id);
    return a->cgroup.len && bytes_equal(a->cgroup, b->cgroup);
}

bool process_is(const struct process *p, pid_t pid, uint64_t start_ns)
{
    return p->pid == pid && process_starts_agree(p->start_ns, start_ns);
}

bool process_descends_from(const struct process *p, pid_t pid, uint64_t start_ns)
{
    for (unsigned i = 0; p && i < LIMIT_LINEAGE; i++, p = p->parent)
        if (p->pid == pid && (start_ns == 0 || p->start_ns == 0 || process_starts_agree(p->start_ns, start_ns)))
            return true;
    return false;
}
