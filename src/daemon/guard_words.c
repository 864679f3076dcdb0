/* SPDX-License-Identifier: MIT */
#include "daemon/guard_words.h"

#include <stdio.h>
#include <string.h>

#include "util/macro.h"
#include "util/parse.h"

size_t guard_words_take(struct sbuf *words, char **ret)
{
    size_t count = 0;

    for (size_t at = 0; at < words->len && count < GUARD_ARGUMENTS_MAX; at += strlen(words->data + at) + 1)
        ret[count++] = words->data + at;
    return count;
}

size_t guard_words_count(struct bytes words)
{
    size_t count = 0;

    for (size_t i = 0; i < words.len; i++)
        count += words.data[i] == '\0';
    return count;
}

static void add_word(struct sbuf *out, const char *word)
{
    sbuf_add(out, word, strlen(word) + 1);
}

/* An option that limits it in time: what is left of that. False: nothing is. */
static bool add_limit(const char *option, const char *value, uint64_t gone_ns, struct sbuf *out)
{
    uint64_t ns = 0;
    char text[32];

    if (parse_duration(value, &ns, NULL) < 0 || ns <= gone_ns)
        return false;
    snprintf(text, sizeof(text), "%llums", (unsigned long long)((ns - gone_ns) / NS_PER_MS + 1));
    add_word(out, option);
    add_word(out, text);
    return true;
}

bool guard_words_left(struct bytes words, uint64_t gone_ns, bool confirmed, struct sbuf *out)
{
    static const char *const alone[] = { "--no-store", "--best-effort" };
    const char *at = words.data, *end = at + words.len;

    while (at < end && strcmp(at, "--") != 0) {
        const char *value = at + strlen(at) + 1, *next = value < end ? value + strlen(value) + 1 : value;

        if (BYTES_AMONG(bytes_of(at), alone) || value == end) {
            add_word(out, at);
            next = value;
        } else if (strcmp(at, "--for") != 0 && strcmp(at, "--confirm") != 0) {
            sbuf_add(out, at, (size_t)(next - at));
        } else if (!(confirmed && strcmp(at, "--confirm") == 0) && !add_limit(at, value, gone_ns, out)) {
            return false;
        }
        at = next;
    }
    sbuf_add(out, at, (size_t)(end - at));
    return true;
}
