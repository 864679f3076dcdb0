/* SPDX-License-Identifier: MIT */
#include "restore/packages.h"

#include <errno.h>
#include <stdlib.h>

#include "util/array.h"
#include "util/limits.h"

int package_set_add(struct package_set *set, const struct package_file *f)
{
    if (set->file_count == LIMIT_RESTORE_ITEMS)
        return -E2BIG;
    if (ARRAY_ROOM(set->files, set->file_count, set->file_size, 256) < 0)
        return -ENOMEM;
    set->files[set->file_count] = (struct package_file){ arena_copy(&set->arena, f->path), arena_copy(&set->arena, f->listed), f->package, f->more };
    return set->files[set->file_count].listed.data ? (set->file_count++, 0) : -ENOMEM;
}

struct package *package_set_add_package(struct package_set *set)
{
    struct package *more = reallocarray(set->packages, set->package_count + 1, sizeof(*more));

    if (!more)
        return NULL;
    set->packages = more;
    more[set->package_count] = (struct package){ 0 };
    return &more[set->package_count++];
}

static int by_path(const void *a, const void *b)
{
    struct bytes x = ((const struct package_file *)a)->path, y = ((const struct package_file *)b)->path;
    int r = memcmp(x.data, y.data, MIN(x.len, y.len));

    return r ? r : x.len < y.len ? -1 : x.len > y.len;
}

void package_set_sort(struct package_set *set)
{
    if (set->file_count)
        qsort(set->files, set->file_count, sizeof(*set->files), by_path);
}

void package_set_done(struct package_set *set)
{
    free(set->files);
    free(set->packages);
    arena_done(&set->arena);
    *set = (struct package_set){ 0 };
}
