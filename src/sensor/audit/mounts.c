/* SPDX-License-Identifier: MIT */
#include "sensor/audit/mounts.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/object/mounts.h"

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
    _cleanup_sbuf_ struct sbuf room = SBUF_INIT;
    struct mount_seen seen;

    while (mounts_next(&mountinfo, path, &room, &seen))
        if (seen.where != MOUNT_ABOVE && !knows(m, seen.point, seen.mount.device))
            add(m, seen.point, seen.mount.device);
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
