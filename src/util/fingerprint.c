/* SPDX-License-Identifier: MIT */
#include "util/fingerprint.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/hash.h"
#include "util/parse.h"

#define KNOWN 64 /* a power of two */

/*
 * The last that were made. The same few programs and causes come again with each event, and to compare some hundred
 * bytes takes a tenth of what SHA-256 of them does. Equal bytes have equal fingerprints: the result does not depend on this cache.
 */
static _Thread_local struct known_bytes {
    size_t len; /* 0: none */
    struct fingerprint fingerprint;
    unsigned char bytes[sizeof(((struct fingerprint_maker *)0)->bytes)];
} known[KNOWN];

static void spill(struct fingerprint_maker *of)
{
    if (!of->begun)
        (void)SHA256_Init(&of->sha256);
    (void)SHA256_Update(&of->sha256, of->bytes, of->len);
    of->begun = true;
    of->len = 0;
}

void fingerprint_begin(struct fingerprint_maker *of)
{
    of->len = 0;
    of->begun = false;
}

void fingerprint_add_word(struct fingerprint_maker *of, uint64_t word)
{
    word = htobe64(word);
    if (of->len + sizeof(word) > sizeof(of->bytes))
        spill(of);
    memcpy(of->bytes + of->len, &word, sizeof(word));
    of->len += sizeof(word);
}

void fingerprint_add(struct fingerprint_maker *of, struct bytes b)
{
    fingerprint_add_word(of, b.len);
    if (!b.len)
        return;
    if (of->len + b.len > sizeof(of->bytes))
        spill(of);
    if (b.len > sizeof(of->bytes)) {
        (void)SHA256_Update(&of->sha256, b.data, b.len);
        return;
    }
    memcpy(of->bytes + of->len, b.data, b.len);
    of->len += b.len;
}

static struct fingerprint calculate(struct fingerprint_maker *of)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    uint64_t number, rest;

    spill(of);
    (void)SHA256_Final(digest, &of->sha256);
    memcpy(&number, digest, sizeof(number));
    memcpy(&rest, digest + sizeof(number), sizeof(rest));
    number = be64toh(number);
    return (struct fingerprint){ number ? number : 1, be64toh(rest) };
}

struct fingerprint fingerprint_end(struct fingerprint_maker *of)
{
    size_t len = of->len;
    struct known_bytes *k;

    if (of->begun || !len)
        return calculate(of);
    k = &known[hash_words(HASH_START, of->bytes, len) % KNOWN];
    if (k->len != len || memcmp(k->bytes, of->bytes, len) != 0) {
        k->fingerprint = calculate(of);
        k->len = len;
        memcpy(k->bytes, of->bytes, len);
    }
    return k->fingerprint;
}

struct fingerprint fingerprint_of(struct bytes b)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, b);
    return fingerprint_end(&of);
}

void fingerprint_text(struct fingerprint f, char ret[FINGERPRINT_TEXT])
{
    snprintf(ret, FINGERPRINT_TEXT, "%016llx%016llx", (unsigned long long)f.number, (unsigned long long)f.rest);
}

int fingerprint_parse(struct bytes text, struct fingerprint *ret)
{
    struct fingerprint f;

    if (text.len != FINGERPRINT_TEXT - 1 || parse_u64((struct bytes){ text.data, 16 }, 16, &f.number) < 0 ||
        parse_u64((struct bytes){ text.data + 16, 16 }, 16, &f.rest) < 0 || !f.number)
        return -EINVAL;
    *ret = f;
    return 0;
}
