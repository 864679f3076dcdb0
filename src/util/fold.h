/* SPDX-License-Identifier: MIT */
/* Differences of either sign as numbers that are small if the difference is: the sign becomes the lowest bit. */
#pragma once

#include <stdint.h>

/* difference: modulo 2^64. */
static inline uint64_t fold(uint64_t difference)
{
    return difference << 1 ^ -(difference >> 63);
}

/* What fold() was given. */
static inline uint64_t unfold(uint64_t folded)
{
    return folded >> 1 ^ -(folded & 1);
}
