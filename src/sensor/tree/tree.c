/* SPDX-License-Identifier: MIT */
#include "sensor/tree/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "foreign/mounts.h"
#include "sensor/tree/state.h"
#include "sensor/tree/storage.h"

int tree_new(const struct tree_options *options, struct tree **ret, struct err *err)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (!t)
        return err_set(err, -ENOMEM, "index of the tree");
    t->options = *options;
    t->root_fd = -EBADF;
    if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) != sizeof(t->seed))
        t->seed = (uint64_t)(uintptr_t)t * 0x9e3779b97f4a7c15ull; /* ASLR is better than nothing */
    *ret = t;
    return 0;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    tree_walk_done(t);
    tree_clear(t);
    free(t->frames);
    foreign_mounts_free(t->mounts);
    free(t);
}
