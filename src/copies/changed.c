/* SPDX-License-Identifier: MIT */
#include "copies/changed.h"

#include <stdlib.h>
#include <string.h>

#define CHANGED_MAX 100000

struct changed_file *changed_of(struct changed_file **changed, struct bytes path, bool make)
{
    struct changed_file *c;

    HASH_FIND(hh, *changed, path.data, path.len, c);
    if (!c && make && HASH_COUNT(*changed) < CHANGED_MAX && (c = calloc(1, sizeof(*c) + path.len))) {
        c->len = path.len;
        memcpy(c->path, path.data, path.len);
        HASH_ADD_KEYPTR(hh, *changed, c->path, c->len, c);
        HASH_FREE_IF_OUT(hh, c);
    }
    return c;
}
