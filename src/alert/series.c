/* SPDX-License-Identifier: MIT */
#include "alert/series.h"

#include <stdlib.h>
#include <string.h>

#include "util/limits.h"
#include "util/macro.h"

#define SERIES_MAX 130 /* and those of ALERT_SERIES_OTHER */

static struct alert_series *find(struct alert_counts_by_watch *c, bool expected, unsigned which, struct bytes watch)
{
    char key[ALERT_SERIES_WATCH + LIMIT_NAME];
    const size_t len = MIN(watch.len, (size_t)LIMIT_NAME);
    struct alert_series *found;

    key[0] = (char)expected;
    key[1] = (char)which;
    if (len)
        memcpy(key + ALERT_SERIES_WATCH, watch.data, len);
    HASH_FIND(hh, c->series, key, ALERT_SERIES_WATCH + len, found);
    if (found || (c->count >= SERIES_MAX && !bytes_equal_str(watch, ALERT_SERIES_OTHER)))
        return found;
    found = calloc(1, sizeof(*found) + ALERT_SERIES_WATCH + len);
    if (!found)
        return NULL;
    memcpy(found->key, key, ALERT_SERIES_WATCH + len);
    found->expected = expected;
    found->which = which;
    found->len = len;
    HASH_ADD_KEYPTR(hh, c->series, found->key, ALERT_SERIES_WATCH + len, found);
    HASH_FREE_IF_OUT(hh, found);
    c->count += found != NULL;
    return found;
}

void alert_series_add(struct alert_counts_by_watch *c, bool expected, unsigned which, struct bytes watch)
{
    struct alert_series *one = find(c, expected, which, bytes_known(watch) ? watch : bytes_of(ALERT_SERIES_OWN));

    if (!one)
        one = find(c, expected, which, bytes_of(ALERT_SERIES_OTHER));
    if (one)
        one->count++;
}

void alert_series_done(struct alert_counts_by_watch *c)
{
    struct alert_series *one, *next;

    HASH_ITER(hh, c->series, one, next) {
        HASH_DEL(c->series, one);
        free(one);
    }
    c->count = 0;
}
