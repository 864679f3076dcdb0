/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits (Fowler, Noll, Vo): not for what an enemy could make collide to his gain. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ull

static inline uint64_t hash_add(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3ull;
    return hash;
}
