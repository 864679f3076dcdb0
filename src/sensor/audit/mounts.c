/* SPDX-License-Identifier: MIT */
#include "sensor/audit/mounts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/mountinfo.h"

#define MOUNTS_MAX 4096

void audit_mounts_done(struct audit_mounts *m)
{
    for (unsigned i = 0; i < m->count; i++)
        free(m->list[i].path);
    free(m->list);
    *m = (struct audit_mounts){ 0 };
}

static void add(struct audit_mounts *m, struct bytes path, uint64_t device)
{
    struct audit_mount *list = NULL;
    char *copy = NULL;

    if (m->count < MOUNTS_MAX)
        list = reallocarray(m->list, m->count + 1, sizeof(*list));
    if (list) {
        m->list = list;
        copy = strndup(path.data, path.len);
    }
    if (copy)
        m->list[m->count++] = (struct audit_mount){ copy, device };
    else
        m->overflowed = true;
}

static bool knows(const struct audit_mounts *m, struct bytes path, uint64_t device)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->list[i].device == device && bytes_equal_str(path, m->list[i].path))
            return true;
    return false;
}

void audit_mounts_look(struct audit_mounts *m, struct bytes mountinfo, struct bytes path)
{
    struct mountinfo mount;

    while (mountinfo_next(&mountinfo, &mount)) {
        char point[PATH_MAX];
        struct bytes at;

        if (mount.point.len > sizeof(point))
            continue;
        at = (struct bytes){ point, mountinfo_unescape(mount.point, point) };
        if (bytes_path_covers(path, at) && !knows(m, at, mount.device))
            add(m, at, mount.device);
    }
}

void audit_mounts_add(struct audit_mounts *m, struct bytes path)
{
    add(m, path, 0);
}

void audit_mounts_remove(struct audit_mounts *m, struct bytes path)
{
    for (unsigned i = m->count; i > 0; i--) {
        if (!bytes_equal_str(path, m->list[i - 1].path))
            continue;
        free(m->list[i - 1].path);
        memmove(&m->list[i - 1], &m->list[i], (m->count - i) * sizeof(m->list[0]));
        m->count--;
        return;
    }
}

static bool is_device(const struct audit_mount *mount, uint64_t device)
{
    return !device || !mount->device || mount->device == device;
}

bool audit_mounts_at(const struct audit_mounts *m, struct bytes path, uint64_t device)
{
    for (unsigned i = 0; i < m->count; i++)
        if (is_device(&m->list[i], device) && bytes_equal_str(path, m->list[i].path))
            return true;
    return m->overflowed;
}

bool audit_mounts_cover(const struct audit_mounts *m, struct bytes path, uint64_t device)
{
    for (unsigned i = 0; i < m->count; i++)
        if (is_device(&m->list[i], device) && bytes_path_covers(bytes_of(m->list[i].path), path))
            return true;
    return m->overflowed;
}
