/* SPDX-License-Identifier: MIT */
/*
 * Who or what something is, in 128 bits: SHA-256 (FIPS 180-4) of all that distinguishes it from others, cut. Two are one only
 * if all of it is the same, also where somebody chooses names so that a hash of 64 bits, of which two equal ones are
 * found within hours, would merge him with another.
 */
#pragma once

#ifndef OPENSSL_SUPPRESS_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED /* what 3.0 has instead asks for memory, and may fail where an event is emitted */
#endif
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

/* {0}: nobody. Nobody's number is 0, nobody else's is. */
struct fingerprint {
    uint64_t number; /* to look it up by */
    uint64_t rest;   /* compared on a hit */
};

static inline bool fingerprint_equal(struct fingerprint a, struct fingerprint b) /* by both parts: equal numbers alone may be two */
{
    return a.number == b.number && a.rest == b.rest;
}

/* What it is made of, added one by one. Each says where it ends, so that "a", "bc" is not "ab", "c". */
struct fingerprint_maker {
    unsigned char bytes[448]; /* of it, what is not in sha256 yet: mostly all */
    size_t len;
    bool begun;               /* sha256 has been, since it is longer */
    SHA256_CTX sha256;
};

/* begin, any number of parts, end: a maker is used again after begin. Neither fails nor asks for memory. */
void fingerprint_begin(struct fingerprint_maker *of);
void fingerprint_add_word(struct fingerprint_maker *of, uint64_t word);
void fingerprint_add(struct fingerprint_maker *of, struct bytes b);
struct fingerprint fingerprint_end(struct fingerprint_maker *of);
/* Of one text. */
struct fingerprint fingerprint_of(struct bytes b);

#define FINGERPRINT_TEXT 33 /* bytes, with the NUL */
/* As 32 hexadecimal digits. */
void fingerprint_text(struct fingerprint f, char ret[FINGERPRINT_TEXT]);
/* -EINVAL: it is no such text, or nobody's. */
int fingerprint_parse(struct bytes text, struct fingerprint *ret);
