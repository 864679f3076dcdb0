/* SPDX-License-Identifier: MIT */
#include "util/suggest.h"

#include "util/macro.h"

static int fold(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* Optimal string alignment: three rows of the table are enough. */
unsigned edit_distance(struct bytes a, struct bytes b)
{
    unsigned rows[3][SUGGEST_WORD_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *now = rows[2];

    if (a.len > SUGGEST_WORD_MAX || b.len > SUGGEST_WORD_MAX)
        return SUGGEST_WORD_MAX + 1;
    for (unsigned j = 0; j <= b.len; j++)
        above[j] = before[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *oldest = before;

        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            bool equal = fold(a.data[i - 1]) == fold(b.data[j - 1]);

            now[j] = MIN(above[j - 1] + !equal, MIN(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a.data[i - 1]) == fold(b.data[j - 2]) &&
                fold(a.data[i - 2]) == fold(b.data[j - 1]))
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        before = above;
        above = now;
        now = oldest;
    }
    return above[b.len];
}

void suggest_offer(struct suggestion *s, struct bytes known)
{
    unsigned distance = edit_distance(s->typed, known);
    unsigned limit = s->typed.len < 4 ? 1 : s->typed.len < 7 ? 2 : 3;

    if (distance > limit || distance >= known.len || (s->best.data && distance >= s->distance))
        return;
    s->best = known;
    s->distance = distance;
}
