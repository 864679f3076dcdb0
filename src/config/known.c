/* SPDX-License-Identifier: MIT */
#include "config/known.h"

#include <errno.h>
#include <stdlib.h>

#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "watch/target.h"

struct config_known {
    struct fingerprint key;
    struct config_source from;
    UT_hash_handle hh;
};

static int key_of(struct bytes text, struct fingerprint *ret)
{
    struct fingerprint_maker of;
    struct target target;
    int r = target_parse(text, bytes_of("/"), &target, NULL);

    if (r < 0)
        return r;
    fingerprint_begin(&of);
    fingerprint_add_word(&of, target.selector.kind);
    fingerprint_add(&of, target.selector.runtime);
    fingerprint_add(&of, target.selector.text);
    fingerprint_add(&of, target.path);
    *ret = fingerprint_end(&of);
    target_done(&target);
    return 0;
}

int config_know(struct config_known **all, struct bytes target, const struct config_source *from,
                const struct config_source **ret_found)
{
    struct config_known *known;
    struct fingerprint key;
    int r = key_of(target, &key);

    if (r < 0)
        return r;
    HASH_FIND(hh, *all, &key, sizeof(key), known);
    if (known) {
        *ret_found = &known->from;
        return -EEXIST;
    }
    known = calloc(1, sizeof(*known));
    if (!known)
        return -ENOMEM;
    known->key = key;
    known->from = *from;
    HASH_ADD(hh, *all, key, sizeof(known->key), known);
    HASH_FREE_IF_OUT(hh, known);
    return known ? 0 : -ENOMEM;
}

void config_forget(struct config_known **all)
{
    struct config_known *known, *next;

    HASH_ITER(hh, *all, known, next) {
        HASH_DEL(*all, known);
        free(known);
    }
}
