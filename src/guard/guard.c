/* SPDX-License-Identifier: MIT */
#include "guard/guard.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/macro.h"
#include "util/mountinfo.h"

static const struct guard_method *const methods[] = { &guard_immutable, &guard_bpf };

const struct guard_method *guard_method_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcmp(methods[i]->name, name) == 0)
            return methods[i];
    return NULL;
}

/* The programs are gone with their process, and so is all that they denied. */
static struct guard_released release_nothing(const struct guard_list *list, const struct guard_set *others)
{
    (void)list;
    (void)others;
    return (struct guard_released){ 0 };
}

static const struct guard_lack bpf_lacks[] = {
    { "what is stored through mappings that were writable before; the block device; umount of the whole file system; whoever ends culprit",
      LACK_ALWAYS },
    { "ptrace of, or LD_PRELOAD into, a program that may", LACK_OF_ALLOWED },
    { NULL, LACK_ALWAYS },
};

const struct guard_method guard_bpf = { .name = "bpf", .lacks = bpf_lacks, .release = release_nothing };

void guard_list_done(struct guard_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].path);
    for (size_t i = 0; i < list->mount_count; i++)
        free(list->mounts[i]);
    free(list->mounts);
    free(list->entries);
    guard_set_done(&list->set);
    *list = (struct guard_list){ 0 };
}

int guard_list_add(struct guard_list *list, const char *path, uint64_t device, uint64_t inode, bool directory)
{
    char *copy;
    int r;

    if (guard_set_has(&list->set, device, inode))
        return 0;
    if (list->count >= LIMIT_GUARD_FILES)
        return -E2BIG;
    if (ARRAY_ROOM(list->entries, list->count, list->size, 64) < 0)
        return -ENOMEM;
    copy = strdup(path);
    r = copy ? guard_set_add(&list->set, device, inode) : -ENOMEM;
    if (r < 0) {
        free(copy);
        return r;
    }
    list->entries[list->count++] = (struct guard_entry){ copy, device, inode, directory };
    return 0;
}

int guard_list_add_mount(struct guard_list *list, struct bytes point)
{
    char **more;

    for (size_t i = 0; i < list->mount_count; i++)
        if (bytes_equal_str(point, list->mounts[i]))
            return 0;
    more = reallocarray(list->mounts, list->mount_count + 1, sizeof(*more));
    if (!more)
        return -ENOMEM;
    list->mounts = more;
    more[list->mount_count] = strndup(point.data, point.len);
    return more[list->mount_count] ? (list->mount_count++, 0) : -ENOMEM;
}

bool guard_list_is_mounted(const struct guard_list *list, struct bytes table, const char *path)
{
    struct bytes point = BYTES_NULL;
    struct mountinfo mount;

    for (size_t i = 0; i < list->mount_count; i++) {
        struct bytes candidate = bytes_of(list->mounts[i]);

        if (bytes_path_covers(candidate, bytes_of(path)) && candidate.len > point.len)
            point = candidate;
    }
    if (!point.len)
        return true;
    while (mountinfo_next(&table, &mount)) {
        char text[PATH_MAX];

        if (bytes_equal(point, mountinfo_plain(mount.point, text)))
            return true;
    }
    return false;
}
