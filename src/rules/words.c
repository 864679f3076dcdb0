/* SPDX-License-Identifier: MIT */
#include "rules/words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

#define GUESS_MAX 32 /* longer words are not guessed at */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int words_split(struct bytes line, struct words *ret, struct err *err)
{
    struct words w = { .memory = malloc(line.len + 1) };
    char *out = w.memory;
    size_t i = 0;

    if (!w.memory)
        return err_set(err, -ENOMEM, "rule");
    if (line.len && memchr(line.data, '\0', line.len)) {
        free(w.memory);
        return err_say(err, -EINVAL, "a NUL byte in it: this is no rule file");
    }
    for (;;) {
        while (i < line.len && is_space(line.data[i]))
            i++;
        if (i == line.len)
            break;
        if (w.count == WORDS_MAX) {
            free(w.memory);
            return err_say(err, -EINVAL, "more than %d words", WORDS_MAX);
        }
        w.word[w.count++] = out;
        while (i < line.len && !is_space(line.data[i])) {
            if (line.data[i] == '\\' && i + 1 < line.len &&
                (line.data[i + 1] == ' ' || line.data[i + 1] == '\\'))
                i++;
            *out++ = line.data[i++];
        }
        /* a word's end takes the place of the separator behind it */
        *out++ = '\0';
    }
    *ret = w;
    return 0;
}

void words_done(struct words *words)
{
    free(words->memory);
    words->memory = NULL;
    words->count = 0;
}

/* ---- guesses ---- */

/* Letters to insert, drop, change or swap with a neighbour (optimal string alignment). */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][GUESS_MAX + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > GUESS_MAX || m > GUESS_MAX)
        return GUESS_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);

            row[j] = MIN(MIN(row[j - 1], last[j]) + 1, last[j - 1] + !same);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void guess_begin(struct guess *guess, const char *word)
{
    size_t n = strlen(word);

    /* a third of the letters may be wrong: more is another word */
    *guess = (struct guess){ .word = word, .distance = n < 3 ? 2 : n < 6 ? 3 : 4 };
}

void guess_offer(struct guess *guess, const char *name)
{
    unsigned d;

    if (!name || strlen(name) >= sizeof(guess->best))
        return;
    d = distance(guess->word, name);
    if (d < guess->distance) {
        guess->distance = d;
        snprintf(guess->best, sizeof(guess->best), "%s", name);
    }
}

const char *guess_text(const struct guess *guess, char *buffer, size_t size)
{
    if (!guess->best[0])
        return "";
    snprintf(buffer, size, "; did you mean %s?", guess->best);
    return buffer;
}
