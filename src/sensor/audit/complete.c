/* SPDX-License-Identifier: MIT */
#include "sensor/audit/complete.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/audit/spot.h"
#include "sensor/tree/statx.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* ---- descriptors ---- */

static bool complete_file(const struct audit_facts *f, struct audit_change *c,
                          struct audit_path *file, char name[LIMIT_NAME + 1])
{
    char path[64], target[LIMIT_PATH];
    struct bytes base;
    struct statx stx;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", f->pid, c->fd);
    n = readlink(path, target, sizeof(target));
    if (n <= 0 || statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &stx) < 0) /* it may be on any file system: one that is asked may not answer */
        return false;
    *file = (struct audit_path){ .type = AUDIT_NAME_NORMAL };
    tree_state_of_statx(&stx, &file->file);
    file->file.known &= FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE | FILE_FLAGS;
    base = bytes_basename((struct bytes){ target, (size_t)n });
    if (base.len && base.len <= LIMIT_NAME) {
        memcpy(name, base.data, base.len);
        c->name = (struct bytes){ name, base.len };
    }
    c->object = file;
    return true;
}

static bool is_by_descriptor(const struct audit_facts *f)
{
    switch (f->call) {
    case AUDIT_CALL_fchmod:
    case AUDIT_CALL_fchown:
    case AUDIT_CALL_fchown32:
    case AUDIT_CALL_fsetxattr:
    case AUDIT_CALL_fremovexattr:
        return f->args_known & 1;
    default:
        return false;
    }
}

/* The record identifies the file and has none of its names: the one that it was opened by, if it is still open. */
static void complete_name(const struct audit_facts *f, struct audit_change *c, char name[LIMIT_NAME + 1])
{
    const struct audit_path *object = c->object;
    struct audit_path file;

    if (object->name.len || c->parent || !is_by_descriptor(f))
        return;
    c->fd = (int)f->args[0];
    if (complete_file(f, c, &file, name) && file.file.inode != object->file.inode)
        c->name = object->name; /* it was closed, and opened for another */
    c->object = object;
    c->fd = -1;
}

bool audit_complete_files(const struct audit_facts *f, struct audit_change *changes,
                          unsigned count, struct audit_completion *memory)
{
    bool all = true;

    for (unsigned i = 0; i < count; i++)
        if (changes[i].fd >= 0 && !changes[i].object)
            all &= complete_file(f, &changes[i], &memory->files[i], memory->names[2 * i]);
        else if (changes[i].object)
            complete_name(f, &changes[i], memory->names[2 * i]);
    return all;
}

/* ---- names ---- */

static uint32_t find(const struct audit_object *o, const struct audit_path *p)
{
    return p ? tree_find(o->tree, audit_object_device(o, p->file.device), p->file.inode) : 0;
}

/* The name of `object` in `directory`, other than `not_this`. */
static struct bytes name_in(const struct audit_object *o, uint32_t object, uint32_t directory,
                            struct bytes not_this, char memory[LIMIT_NAME + 1])
{
    for (uint32_t n = object && directory ? tree_first_name(o->tree, object) : 0; n;
         n = tree_next_name(o->tree, n)) {
        struct bytes name;

        if (tree_parent_of(o->tree, n) != directory)
            continue;
        name = tree_name(o->tree, n, memory);
        if (!bytes_equal(name, not_this))
            return name;
    }
    return BYTES_NULL;
}

static void name_rename(struct audit_object *o, struct audit_change *c, char (*names)[LIMIT_NAME + 1])
{
    uint32_t from = find(o, c->previous_parent ? c->previous_parent : c->parent), to = find(o, c->parent);

    c->previous_name = name_in(o, find(o, c->object), from, BYTES_NULL, names[0]);
    if (!c->previous_name.len && c->previous_parent) { /* the parents came in the other order */
        const struct audit_path *swap = c->parent;

        c->previous_name = name_in(o, find(o, c->object), to, BYTES_NULL, names[0]);
        if (c->previous_name.len) {
            c->parent = c->previous_parent;
            c->previous_parent = swap;
            to = from;
        }
    }
    c->parents_unsure = false;
    if (to)
        audit_object_walk(o, to);
    c->name = name_in(o, find(o, c->object), to, c->previous_name, names[1]);
}

void audit_complete_names(struct audit_object *o, struct audit_change *changes, unsigned count,
                          struct audit_completion *memory)
{
    for (unsigned i = 0; i < count && o->tree; i++) {
        struct audit_change *c = &changes[i];

        if (c->name.len || c->previous_name.len || !c->parent || !c->object)
            continue;
        if (c->operation == OPERATION_RENAME) {
            name_rename(o, c, &memory->names[2 * i]);
            continue;
        }
        c->name = name_in(o, find(o, c->object), find(o, c->parent), BYTES_NULL,
                          memory->names[2 * i]);
        if (!c->name.len && c->error == 0 && find(o, c->parent)) {
            audit_object_walk(o, find(o, c->parent));
            c->name = name_in(o, find(o, c->object), find(o, c->parent), BYTES_NULL,
                              memory->names[2 * i]);
        }
    }
}

/* ---- flags ---- */

bool audit_flags_are_as_known(const struct audit_object *o, const struct audit_change *c)
{
    uint32_t object = o->tree && c->object ? find(o, c->object) : 0;
    struct file_state known = { 0 };

    if (c->object && audit_path_is_state(o, &o->flagged, c->object))
        known = o->flagged;
    else if (object)
        tree_state(o->tree, object, &known);
    return c->object && (known.known & c->object->file.known & FILE_FLAGS) && known.flags == c->object->file.flags;
}
