/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/guard_links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "sensor/bpf/guard_tree.h"
#include "sensor/bpf/skeleton.h"
#include "util/cleanup.h"

struct registering {
    struct programs *programs;
    struct bpf_objects *objects;
    struct wire_chain *chain;
    size_t count;
    struct err *err;
};

/* By the numbers that the kernel works with, which stat() does not always give. */
static int add(void *data, int fd, const struct stat *st)
{
    struct registering *r = data;
    struct wire_link_key key = { 0 };
    struct wire_watched all = { .kinds = WIRE_WATCHED_ROOT, .operations = ~0u };
    int result;

    if (st->st_nlink < 2)
        return 0;
    result = bpf_objects_query(r->objects, fd, r->chain);
    if (result < 0)
        return err_set(r->err, result, "asking the kernel for a file with several names");
    if (++r->count > LIMIT_GUARD_LINKS)
        return err_say(r->err, -E2BIG, "more than %d files of the target have several names: guard a part of it", LIMIT_GUARD_LINKS);
    key.inode = r->chain->entries[0].number;
    key.device = r->chain->entries[0].device;
    if (bpf_map_update_elem(bpf_map__fd(r->programs->skeleton->maps.links), &key, &all, BPF_ANY) < 0)
        return err_set(r->err, -errno, "a file with several names");
    r->programs->skeleton->bss->links_watched = 1;
    return 0;
}

int guard_links_register(struct programs *programs, struct bpf_objects *objects, struct err *err)
{
    _cleanup_free_ struct wire_chain *chain = malloc(sizeof(*chain));
    struct registering r = { .programs = programs, .objects = objects, .chain = chain, .err = err };
    int result = chain ? 0 : err_set(err, -ENOMEM, "files with several names");

    for (struct bpf_object_watch *w = bpf_objects_first(objects); w && result == 0; w = w->next)
        if (w->exists)
            result = guard_tree_each(bpf_object_watch_fd(w), add, &r, err);
    return result;
}
