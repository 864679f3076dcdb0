/* SPDX-License-Identifier: MIT */
#include "alert/decisions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

void decisions_add(struct decisions *d, const struct decision *decision)
{
    if (!d->ring)
        d->ring = calloc(DECISIONS_MAX, sizeof(*d->ring));
    if (d->ring) /* else nothing can be said of it later */
        d->ring[d->count++ % DECISIONS_MAX] = *decision;
}

int decisions_find(const struct decisions *d, struct bytes id, struct decision *ret)
{
    const struct decision *found = NULL;

    if (!id.len || id.len > sizeof(found->event))
        return -ENOENT;
    for (uint64_t i = 0; i < MIN(d->count, (uint64_t)DECISIONS_MAX); i++) {
        const struct decision *at = &d->ring[(d->count - 1 - i) % DECISIONS_MAX];

        if (memcmp(at->event, id.data, id.len) != 0)
            continue;
        if (found && memcmp(found->event, at->event, sizeof(at->event)) != 0)
            return -EEXIST;
        if (!found)
            found = at;
    }
    if (!found)
        return -ENOENT;
    *ret = *found;
    return 0;
}

void decisions_done(struct decisions *d)
{
    free(d->ring);
    *d = (struct decisions){ 0 };
}
