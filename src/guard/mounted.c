/* SPDX-License-Identifier: MIT */
#include "guard/mounted.h"

#include <stdio.h>

#include "engine/layers.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

static bool is_kernels_own(const struct mountinfo *m)
{
    static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "debugfs", "tracefs", "securityfs", "bpf",
                                         "pstore", "configfs", "fusectl", "binfmt_misc", "efivarfs", "autofs", "nsfs" };
    struct bytes type = mountinfo_type(m);

    return BYTES_AMONG(type, types);
}

static bool is_below(struct bytes path, struct bytes point)
{
    return bytes_path_covers(path, point) && !bytes_equal(path, point);
}

/* What hides a part of /proc is of it. */
static bool is_of_proc(struct bytes point)
{
    return bytes_path_covers(bytes_of("/proc"), point) || bytes_path_covers(bytes_of("/sys"), point);
}

/* Of a table's mounts one at the same place was there before. */
static bool has(const struct guard_mounted *all, struct bytes point)
{
    for (size_t i = 0; i < all->named; i++)
        if (bytes_equal(all->paths[i], point))
            return true;
    return false;
}

static void add(struct guard_mounted *all, struct bytes point, struct arena *arena)
{
    if (has(all, point))
        return;
    all->count++;
    if (all->named < GUARD_MOUNTED_MAX && (all->paths[all->named] = arena_copy(arena, point)).data)
        all->named++;
}

static bool is_known(const struct container_mount *known, size_t count, struct bytes point)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(known[i].destination, point))
            return true;
    return false;
}

void guard_mounted_parse(struct bytes table, struct bytes path, const struct container_mount *known, size_t count, struct arena *arena,
                         struct guard_mounted *ret)
{
    struct mountinfo m;
    char room[PATH_MAX];

    while (mountinfo_next(&table, &m)) {
        struct bytes point = mountinfo_plain(m.point, room);

        if (point.len && is_below(path, point) && !is_kernels_own(&m) && !is_of_proc(point) && !is_known(known, count, point))
            add(ret, point, arena);
    }
}

static void of_table(const char *file, struct bytes path, const struct container_mount *known, size_t count, struct arena *arena, struct guard_mounted *ret)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;

    if (mountinfo_read(file, &table) == 0)
        guard_mounted_parse(sbuf_bytes(&table), path, known, count, arena, ret);
}

/* Where the target's links lead. */
static struct bytes resolve(const struct guard_target *target, struct arena *arena)
{
    struct layers l = { 0 };
    struct bytes real = BYTES_NULL;

    if (layers_of_container(target->view, &l, NULL) == 0)
        real = layers_resolve(&l, target->path, true, arena);
    layers_done(&l);
    return real.data ? real : target->path;
}

static void of_container(const struct guard_target *target, bool by_kernel, struct arena *arena, struct guard_mounted *ret)
{
    const struct container_view *view = target->view;
    struct bytes path = resolve(target, arena);
    size_t before;
    char file[64];

    for (size_t i = 0; i < view->mount_count && !by_kernel; i++)
        if (is_below(path, view->mounts[i].destination) && !is_of_proc(view->mounts[i].destination)) {
            before = ret->count;
            add(ret, view->mounts[i].destination, arena);
            ret->own += view->mounts[i].source.len ? 0 : ret->count - before;
        }
    snprintf(file, sizeof(file), "/proc/%d/mountinfo", (int)view->container->pid);
    before = ret->count;
    if (view->running && view->container->pid > 0)
        of_table(file, path, view->mounts, view->mount_count, arena, ret); /* those of the engine were added, or are guarded */
    ret->own += ret->count - before;
}

void guard_mounted_below(const struct guard_target *target, bool by_kernel, struct arena *arena, struct guard_mounted *ret)
{
    if (target->view)
        of_container(target, by_kernel, arena, ret);
    else if (!by_kernel)
        of_table("/proc/self/mountinfo", target->path, NULL, 0, arena, ret);
}
