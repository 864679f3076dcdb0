/* SPDX-License-Identifier: MIT */
/* Hashes of 64 bits: not for what an enemy could make collide to his gain. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a (Fowler, Noll, Vo). */
#define HASH_START 0xcbf29ce484222325ull

static inline uint64_t hash_add(uint64_t hash, const void *data, size_t len) /* hash: HASH_START, or of what came before */
{
    const unsigned char *at = (const unsigned char *)data;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ at[i]) * 0x100000001b3ull;
    return hash;
}

static inline uint64_t hash_word(uint64_t hash, uint64_t word) /* another hash than hash_add()'s, in one step */
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    return hash ^ hash >> 32;
}

/* Eight bytes at a time; another value than hash_add()'s, and another one on a machine of the other byte order. */
static inline uint64_t hash_words(uint64_t hash, const void *data, size_t len)
{
    const char *at = (const char *)data;
    uint64_t word = 0;

    hash = hash_word(hash, len);
    if (len < sizeof(word)) {
        for (size_t i = 0; i < len; i++)
            word = word << 8 | (unsigned char)at[i];
        return hash_word(hash, word);
    }
    for (; len > sizeof(word); at += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        hash = hash_word(hash, word);
    }
    memcpy(&word, at + len - sizeof(word), sizeof(word)); /* the last eight, some of them again */
    return hash_word(hash, word);
}
