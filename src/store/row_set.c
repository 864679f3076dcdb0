/* SPDX-License-Identifier: MIT */
#include "store/row_set.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_BITS 15 /* rows of a piece: 4 KiB */
#define PIECE_WORDS ((size_t)1 << (PIECE_BITS - 6))
#define PIECES_MAX ((int64_t)1 << 24) /* 550 thousand million rows: more than any store has */

bool row_set_add(struct row_set *set, int64_t row)
{
    size_t piece = (size_t)(row >> PIECE_BITS);

    if (row <= 0 || row >> PIECE_BITS >= PIECES_MAX)
        return false;
    if (piece >= set->count) {
        size_t count = piece + piece / 2 + 16;
        uint64_t **grown = reallocarray(set->pieces, count, sizeof(*grown));

        if (!grown)
            return false;
        memset(grown + set->count, 0, (count - set->count) * sizeof(*grown));
        set->pieces = grown;
        set->count = count;
    }
    if (!set->pieces[piece] && !(set->pieces[piece] = calloc(PIECE_WORDS, sizeof(uint64_t))))
        return false;
    set->pieces[piece][row >> 6 & (PIECE_WORDS - 1)] |= 1ull << (row & 63);
    return true;
}

bool row_set_has(const struct row_set *set, int64_t row)
{
    size_t piece = (size_t)(row >> PIECE_BITS);

    return row > 0 && piece < set->count && set->pieces[piece] && set->pieces[piece][row >> 6 & (PIECE_WORDS - 1)] >> (row & 63) & 1;
}

void row_set_done(struct row_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->pieces[i]);
    free(set->pieces);
    *set = (struct row_set){ 0 };
}
