/* SPDX-License-Identifier: MIT */
/*
 * Numbers as they lie in bytes, at any alignment. In this machine's order: what the kernel hands out, and files that a
 * program of this machine wrote. Big (be) or little endian (le): files whose format says so. The caller has seen that the bytes are there.
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_u16(const char *at) /* this machine's order; `at` need not be aligned */
{
    uint16_t v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static inline uint32_t load_u32(const char *at) /* the same */
{
    uint32_t v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static inline uint64_t load_u64(const char *at) /* the same */
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
    return v;
}

static inline uint16_t load_be16(const char *at) /* the first byte is the greatest */
{
    return be16toh(load_u16(at));
}

static inline uint32_t load_be32(const char *at) /* the same */
{
    return be32toh(load_u32(at));
}

static inline uint64_t load_be64(const char *at) /* the same */
{
    return be64toh(load_u64(at));
}

static inline uint16_t load_le16(const char *at) /* the first byte is the least */
{
    return le16toh(load_u16(at));
}

static inline uint32_t load_le32(const char *at) /* the same */
{
    return le32toh(load_u32(at));
}
