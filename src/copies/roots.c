/* SPDX-License-Identifier: MIT */
#include "copies/roots.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "copies/ended.h"
#include "util/macro.h"
#include "util/mountinfo.h"
#include "util/sbuf.h"

struct copies_root *roots_set(struct copies_roots *roots, struct bytes path, bool keep)
{
    struct copies_root *more, *r = NULL;

    for (size_t i = 0; i < roots->count; i++)
        if (bytes_equal_str(path, roots->items[i].path))
            r = &roots->items[i];
    if (!r) {
        more = reallocarray(roots->items, roots->count + 1, sizeof(*more));
        if (!more)
            return NULL;
        roots->items = more;
        r = &more[roots->count];
        *r = (struct copies_root){ .path = strndup(path.data, path.len) };
        if (!r->path)
            return NULL;
        roots->count++;
    }
    r->keep = keep;
    roots->left |= !keep;
    return r;
}

void roots_forget(struct copies_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        free(roots->items[i].path);
    free(roots->items);
    *roots = (struct copies_roots){ 0 };
}

static bool has_ended(const struct copies_root *root, struct bytes table)
{
    char point[PATH_MAX];
    struct stat st;

    if (!root->point_len || root->point_len >= sizeof(point) || ended_is_mounted(table, (struct bytes){ root->path, root->point_len }))
        return false;
    snprintf(point, sizeof(point), "%.*s", (int)root->point_len, root->path);
    return lstat(point, &st) < 0 && errno == ENOENT; /* not every engine mounts it */
}

void roots_forget_ended(struct copies_roots *roots)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    size_t of_containers = 0, left = 0;

    for (size_t i = 0; i < roots->count; i++)
        of_containers += roots->items[i].point_len > 0;
    if (of_containers < MAX(roots->next_look, (size_t)ROOTS_FEW) || mountinfo_read("/proc/self/mountinfo", &table) < 0)
        return;
    for (size_t i = 0; i < roots->count; i++) {
        if (has_ended(&roots->items[i], sbuf_bytes(&table))) {
            of_containers--;
            free(roots->items[i].path);
        } else {
            roots->items[left++] = roots->items[i];
        }
    }
    roots->count = left;
    roots->next_look = ended_next_look(of_containers);
}

bool roots_keep(const struct copies_roots *roots, struct bytes path)
{
    size_t longest = 0;
    bool keep = false;

    for (size_t i = 0; i < roots->count; i++) {
        struct bytes root = bytes_of(roots->items[i].path);

        if (root.len < longest || !bytes_path_covers(root, path))
            continue;
        longest = root.len;
        keep = roots->items[i].keep;
    }
    return keep;
}

bool roots_below(const struct copies_roots *roots, struct bytes path)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots->items[i].keep && bytes_path_covers(path, bytes_of(roots->items[i].path)))
            return true;
    return false;
}

bool roots_walked(const struct copies_roots *roots, struct bytes path)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots->items[i].walked && bytes_path_covers(bytes_of(roots->items[i].path), path))
            return roots_keep(roots, path);
    return false;
}

void roots_end_walk(struct copies_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++)
        roots->items[i].walked = false;
}
