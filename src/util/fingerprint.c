/* SPDX-License-Identifier: MIT */
#include "util/fingerprint.h"

#include <endian.h>
#include <string.h>

#include "util/macro.h"

static uint32_t turn(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

static void mix_block(uint32_t state[8], const uint8_t block[64])
{
    static const uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
        0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
        0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
        0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
        0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
        0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };
    uint32_t w[64], s[8];

    memcpy(w, block, 64);
    for (unsigned i = 0; i < 16; i++)
        w[i] = be32toh(w[i]);
    for (unsigned i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, state, sizeof(s));
    for (unsigned i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
        uint32_t t2 = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof(*s));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        state[i] += s[i];
}

static void add_raw(struct fingerprint_maker *of, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        size_t used = of->length % sizeof(of->block), n = MIN(len, sizeof(of->block) - used);

        memcpy(of->block + used, at, n);
        of->length += n;
        at += n;
        len -= n;
        if (used + n == sizeof(of->block))
            mix_block(of->state, of->block);
    }
}

void fingerprint_begin(struct fingerprint_maker *of)
{
    *of = (struct fingerprint_maker){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
                                          0x5be0cd19 } };
}

void fingerprint_add_word(struct fingerprint_maker *of, uint64_t word)
{
    word = htobe64(word);
    add_raw(of, &word, sizeof(word));
}

void fingerprint_add(struct fingerprint_maker *of, struct bytes b)
{
    fingerprint_add_word(of, b.len);
    if (b.len)
        add_raw(of, b.data, b.len);
}

struct fingerprint fingerprint_end(struct fingerprint_maker *of)
{
    uint64_t bits = of->length * 8, number, rest;

    add_raw(of, "\x80", 1);
    while (of->length % sizeof(of->block) != sizeof(of->block) - sizeof(bits))
        add_raw(of, "", 1);
    fingerprint_add_word(of, bits);
    number = (uint64_t)of->state[0] << 32 | of->state[1];
    rest = (uint64_t)of->state[2] << 32 | of->state[3];
    return (struct fingerprint){ number ? number : 1, rest };
}

struct fingerprint fingerprint_of(struct bytes b)
{
    struct fingerprint_maker of;

    fingerprint_begin(&of);
    fingerprint_add(&of, b);
    return fingerprint_end(&of);
}
