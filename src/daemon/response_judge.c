/* SPDX-License-Identifier: MIT */
#include "daemon/response_judge.h"

#include <string.h>

#include "util/clock.h"
#include "util/macro.h"

#define KTHREADD 2
#define HOUR_NS (3600 * NS_PER_S)

/* Never acted upon: executables of the host that root owns, by name. Without them nobody could log in any more, or containers would be lost. */
static const char *const never_names[] = {
    "systemd", "init", "dbus-daemon", "dbus-broker", "dbus-broker-launch", "login", "agetty", "getty", "sudo", "su", "polkitd",
    "sshd", "sshd-session", "sshd-auth", "dropbear", "dockerd", "containerd", "docker-proxy", "docker-init", "runc", "crun", "conmon", "podman", "crio", "kubelet", "lxc-start",
    "lxd", "incusd", "culprit",
};

static const char *const never_beginnings[] = { "systemd-", "containerd-shim" };

static bool is_needed(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(never_beginnings); i++)
        if (bytes_starts_with(name, bytes_of(never_beginnings[i])))
            return true;
    return BYTES_AMONG(name, never_names);
}

/* An executable that was replaced on disk is judged by the path that it had. */
static struct bytes name_of(struct bytes executable)
{
    const struct bytes deleted = bytes_of(" (deleted)");

    if (bytes_ends_with(executable, deleted))
        executable.len -= deleted.len;
    return bytes_basename(executable);
}

/* Not where any user can place an executable of that name, nor in a container: there the name proves nothing. */
static bool is_of_the_host(const struct response_process *p)
{
    static const char *const anybodys[] = { "/tmp", "/var/tmp", "/dev/shm", "/home", "/run/user" };

    for (size_t i = 0; i < ARRAY_SIZE(anybodys); i++)
        if (bytes_path_covers(bytes_of(anybodys[i]), p->executable))
            return false;
    return !p->contained && !p->others;
}

static bool is_in(struct bytes cgroup, struct bytes own)
{
    return own.len > 1 && bytes_path_covers(own, cgroup);
}

const char *response_never(const struct response_process *p, const struct response_own *own)
{
    if (p->pid <= 1)
        return "it is process 1";
    if (p->pid == KTHREADD || p->parent == KTHREADD || !p->executable.len)
        return "it is a thread of the kernel, or what it runs is not known";
    if (p->pid == own->pid || (!p->contained && bytes_equal(p->executable, own->executable)) || is_in(p->cgroup, own->cgroup))
        return "it is culprit's own";
    if (is_needed(name_of(p->executable)) && is_of_the_host(p))
        return "the service manager, logins and engines are let be";
    return NULL;
}

const char *response_never_cgroup(struct bytes cgroup, const struct response_own *own)
{
    if (cgroup.len < 2)
        return "it has no cgroup of version 2 of its own";
    if (bytes_path_covers(bytes_of("/.."), cgroup))
        return "its cgroup is outside of the daemon's namespace of cgroups";
    if (bytes_path_covers(cgroup, own->cgroup) || is_in(cgroup, own->cgroup))
        return "the daemon is in its cgroup";
    return NULL;
}

bool response_limit_take(struct response_limit *l, uint64_t now_ns)
{
    size_t kept = 0;

    if (l->disarmed)
        return false;
    for (size_t i = 0; i < l->count; i++)
        if (now_ns - l->acts[i] < HOUR_NS)
            l->acts[kept++] = l->acts[i];
    l->count = kept;
    l->disarmed = l->count >= MIN(l->max, (size_t)RESPONSE_LIMIT_MAX);
    if (!l->disarmed)
        l->acts[l->count++] = now_ns;
    return !l->disarmed;
}

void response_limit_give_back(struct response_limit *l)
{
    if (l->count)
        l->count--;
}
