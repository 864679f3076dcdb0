/* SPDX-License-Identifier: MIT */
#include "attribution/origin.h"

#include "cause/argv.h"
#include "engine/cgroup.h"
#include "engine/engine.h"
#include "event/process.h"
#include "util/limits.h"
#include "util/macro.h"

/* A container's first processes are forked by its runtime on the host and moved into their cgroup
 * afterwards: what such a parent's child inherited proves nothing. */
static bool cgroup_is_guess(const struct process *p)
{
    static const char *const runtimes[] = { "runc", "crun", "containerd-shim", "conmon", "youki" };

    for (unsigned depth = 0; p && depth < LIMIT_LINEAGE; depth++, p = p->parent) {
        struct bytes name = bytes_basename(p->executable);

        if (!p->executable.len)
            return true;
        for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
            if (bytes_starts_with(name, bytes_of(runtimes[i])))
                return true;
        if (!p->cgroup_inherited)
            return false;
    }
    return true;
}

static bool is_oci_runtime(struct bytes executable)
{
    struct bytes name = bytes_basename(executable);

    return bytes_equal_str(name, "runc") || bytes_equal_str(name, "crun") || bytes_equal_str(name, "youki");
}

/* The runtime that started it in another mount namespace than its own: a hook of a container runs in the
 * runtime's. NULL: nobody did, as far as is known. */
static const struct process *placed_by(const struct process *p)
{
    uint64_t mnt_ns = p->mnt_ns;

    for (unsigned depth = 0; mnt_ns && p->parent && depth < LIMIT_LINEAGE; depth++) {
        p = p->parent;
        if (is_oci_runtime(p->executable))
            return p->mnt_ns && p->mnt_ns != mnt_ns ? p : NULL;
    }
    return NULL;
}

/* The container that "runc [OPTIONS] run|create [OPTIONS] ID" makes: it may be gone before its state could be
 * read. Only root's runtime is believed: others may call a program of theirs so. */
static struct container *started_by_runtime(struct engines *engines, const struct process *runtime)
{
    struct bytes rest = runtime->args, word, last = BYTES_NULL;
    struct container *c;
    bool makes = false;

    if (!runtime->cred.known || runtime->cred.uid != 0 || runtime->args_truncated)
        return NULL;
    while (argv_take(&rest, &word)) {
        makes |= bytes_equal_str(word, "run") || bytes_equal_str(word, "create");
        last = word;
    }
    if (!makes || !last.len || last.data[0] == '-')
        return NULL;
    c = engines ? engines_known(engines, last) : NULL;
    if (c)
        return container_ref(c);
    c = container_new();
    if (!c)
        return NULL;
    container_set(c, &c->id, last);
    if (last.len < 64) /* whoever starts one by hand calls it what he likes */
        container_set(c, &c->name, last);
    container_set(c, &c->runtime, bytes_basename(runtime->executable));
    return c;
}

/* The container that "runc [OPTIONS] exec [OPTIONS] ID COMMAND" names. Only exec: with create, the
 * runtime has children on the host too, its hooks. */
static struct container *executed_in(struct engines *engines, const struct process *runtime)
{
    struct bytes rest = runtime->args, word;
    bool exec = false;

    while (argv_take(&rest, &word)) {
        if (exec) {
            struct container *c = engines_known(engines, word);

            if (c)
                return c;
        }
        exec |= bytes_equal_str(word, "exec");
    }
    return NULL;
}

/* Gone before its cgroup could be read: the container in which a runtime was asked to execute it, if it was. */
static struct container *executed_by_runtime(struct engines *engines, const struct process *p)
{
    if (!p->cgroup_inherited || !engines || is_oci_runtime(p->executable))
        return NULL;
    for (unsigned depth = 0; p->parent && depth < 8; depth++) {
        p = p->parent;
        if (is_oci_runtime(p->executable))
            return executed_in(engines, p);
        if (!p->cgroup_inherited)
            return NULL;
    }
    return NULL;
}

void origin_find(struct engines *engines, struct process *p)
{
    struct cgroup_container found;
    const struct process *runtime;
    struct container *c = engines ? engines_by_cgroup(engines, p->cgroup) : NULL;

    if (c || cgroup_container(p->cgroup, &found)) {
        p->origin = ORIGIN_CONTAINER;
        if (c) {
            p->container = container_ref(c);
        } else if ((p->container = container_new())) {
            container_set(p->container, &p->container->id, found.id);
            if (found.runtime)
                container_set(p->container, &p->container->runtime, bytes_of(found.runtime));
        }
        return;
    }
    c = executed_by_runtime(engines, p);
    if (c) {
        p->origin = ORIGIN_CONTAINER;
        p->container = container_ref(c);
        return;
    }
    /* not by its cgroup: a descendant of a container's first process all the same? */
    for (const struct process *at = p; at && engines; at = at->parent) {
        c = engines_by_pid(engines, at->pid);
        if (c) {
            p->origin = ORIGIN_CONTAINER;
            p->container = container_ref(c);
            return;
        }
    }
    runtime = is_oci_runtime(p->executable) ? NULL : placed_by(p);
    if (runtime && (p->container = started_by_runtime(engines, runtime))) {
        p->origin = ORIGIN_CONTAINER;
        return;
    }
    p->origin = p->cgroup.data && !runtime && !(p->cgroup_inherited && cgroup_is_guess(p)) ? ORIGIN_HOST
                                                                               : ORIGIN_UNKNOWN;
}
