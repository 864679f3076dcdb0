/* SPDX-License-Identifier: MIT */
#include "util/fingerprint.h"

#include <endian.h>
#include <string.h>

void fingerprint_begin(struct fingerprint_maker *of)
{
    (void)SHA256_Init(&of->sha256);
}

void fingerprint_add_word(struct fingerprint_maker *of, uint64_t word)
{
    word = htobe64(word);
    (void)SHA256_Update(&of->sha256, &word, sizeof(word));
}

void fingerprint_add(struct fingerprint_maker *of, struct bytes b)
{
    fingerprint_add_word(of, b.len);
    if (b.len)
        (void)SHA256_Update(&of->sha256, b.data, b.len);
}

struct fingerprint fingerprint_end(struct fingerprint_maker *of)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    uint64_t number, rest;

    (void)SHA256_Final(digest, &of->sha256);
    memcpy(&number, digest, sizeof(number));
    memcpy(&rest, digest + sizeof(number), sizeof(rest));
    number = be64toh(number);
    return (struct fingerprint){ number ? number : 1, be64toh(rest) };
}

struct fingerprint fingerprint_of(struct bytes b)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, b);
    return fingerprint_end(&of);
}
