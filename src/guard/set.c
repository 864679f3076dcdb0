/* SPDX-License-Identifier: MIT */
#include "guard/set.h"

#include <errno.h>
#include <stdlib.h>

#include "util/array.h"
#include "util/hash.h"

void guard_set_done(struct guard_set *set)
{
    slots_done(&set->by_identity);
    free(set->all);
    *set = (struct guard_set){ 0 };
}

static uint32_t hash_of(uint64_t device, uint64_t inode)
{
    return (uint32_t)hash_word(hash_word(HASH_START, device), inode);
}

static uint32_t hash_at(const void *data, uint32_t number)
{
    const struct guard_identity *i = &((const struct guard_set *)data)->all[number - 1];

    return hash_of(i->device, i->inode);
}

bool guard_set_has(const struct guard_set *set, uint64_t device, uint64_t inode)
{
    uint32_t hash = hash_of(device, inode), at, left, number;

    slots_start(&set->by_identity, hash, &at, &left);
    while ((number = slots_next(&set->by_identity, hash, &at, &left)))
        if (set->all[number - 1].inode == inode && set->all[number - 1].device == device)
            return true;
    return false;
}

int guard_set_add(struct guard_set *set, uint64_t device, uint64_t inode)
{
    if (guard_set_has(set, device, inode))
        return 0;
    if (ARRAY_ROOM(set->all, set->count, set->size, 64) < 0)
        return -ENOMEM;
    set->all[set->count] = (struct guard_identity){ device, inode };
    if (slots_reserve(&set->by_identity, (uint32_t)set->count + 1, hash_at, set) < 0)
        return -ENOMEM;
    slots_add(&set->by_identity, hash_of(device, inode), (uint32_t)++set->count);
    return 1;
}
