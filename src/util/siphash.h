/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 (Aumasson, Bernstein): for what must not be merged with something else that somebody has named to that
 * end. The hash so far is half of the key, so that calls can be chained. Little endian on every machine.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "util/bytes.h"

struct siphash {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_turn(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void siphash_rounds(struct siphash *s, unsigned rounds)
{
    while (rounds--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = siphash_turn(s->v1, 13) ^ s->v0;
        s->v3 = siphash_turn(s->v3, 16) ^ s->v2;
        s->v0 = siphash_turn(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = siphash_turn(s->v1, 17) ^ s->v2;
        s->v3 = siphash_turn(s->v3, 21) ^ s->v0;
        s->v2 = siphash_turn(s->v2, 32);
    }
}

static inline void siphash_word(struct siphash *s, uint64_t word)
{
    s->v3 ^= word;
    siphash_rounds(s, 2);
    s->v0 ^= word;
}

static inline uint64_t siphash(uint64_t key0, uint64_t key1, struct bytes b)
{
    struct siphash s = { key0 ^ 0x736f6d6570736575ull, key1 ^ 0x646f72616e646f6dull, key0 ^ 0x6c7967656e657261ull,
                         key1 ^ 0x7465646279746573ull };
    uint64_t word, last = (uint64_t)b.len << 56;
    size_t i = 0;

    for (; i + sizeof(word) <= b.len; i += sizeof(word)) {
        memcpy(&word, b.data + i, sizeof(word));
        siphash_word(&s, le64toh(word));
    }
    for (size_t j = 0; i + j < b.len; j++)
        last |= (uint64_t)(unsigned char)b.data[i + j] << 8 * j;
    siphash_word(&s, last);
    s.v2 ^= 0xff;
    siphash_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
