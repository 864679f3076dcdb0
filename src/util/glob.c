/* SPDX-License-Identifier: MIT */
#include "util/glob.h"

#include <stdint.h>

/* Where a star began: what it matches grows by one byte each time the rest does not fit. */
struct retry {
    size_t pattern, text; /* SIZE_MAX: there is none */
    bool components;      /* of what begins a component: a double star with the '/' behind it */
};

/* One byte against the set at pattern[*at] == '['; *at is moved behind it. A set without end is a plain '['. */
static bool matches_set(struct bytes pattern, size_t *at, char c)
{
    size_t i = *at + 1, first;
    bool negated = i < pattern.len && (pattern.data[i] == '!' || pattern.data[i] == '^'), found = false;

    i += negated;
    for (first = i; i < pattern.len && (pattern.data[i] != ']' || i == first); i++) {
        unsigned char from = (unsigned char)pattern.data[i], to = from;

        if (i + 2 < pattern.len && pattern.data[i + 1] == '-' && pattern.data[i + 2] != ']') {
            to = (unsigned char)pattern.data[i + 2];
            i += 2;
        }
        found |= (unsigned char)c >= from && (unsigned char)c <= to;
    }
    if (i >= pattern.len) {
        ++*at;
        return c == '[';
    }
    *at = i + 1;
    return found != negated && c != '/';
}

/* One byte against the element at pattern[*at], which is no star; *at is moved behind it. */
static bool matches_one(struct bytes pattern, size_t *at, char c)
{
    switch (pattern.data[*at]) {
    case '?':
        ++*at;
        return c != '/';
    case '[':
        return matches_set(pattern, at, c);
    case '\\':
        *at += *at + 1 < pattern.len;
        return pattern.data[(*at)++] == c;
    default:
        return pattern.data[(*at)++] == c;
    }
}

/* Goes back to the last star that can take one byte more. A single one cannot take a '/': then the last double one. */
static bool go_back(struct retry *single, struct retry *twice, struct bytes text, size_t *p, size_t *t)
{
    if (single->pattern != SIZE_MAX && single->text < text.len && text.data[single->text] != '/') {
        *t = ++single->text;
        *p = single->pattern;
        return true;
    }
    single->pattern = SIZE_MAX;
    if (twice->pattern == SIZE_MAX || twice->text >= text.len)
        return false;
    while (twice->components && twice->text < text.len && text.data[twice->text] != '/')
        twice->text++;
    if (twice->text >= text.len)
        return false;
    *t = ++twice->text;
    *p = twice->pattern;
    return true;
}

bool glob_matches(struct bytes pattern, struct bytes text)
{
    struct retry single = { .pattern = SIZE_MAX }, twice = { .pattern = SIZE_MAX };
    size_t p = 0, t = 0;

    for (;;) {
        if (p < pattern.len && pattern.data[p] == '*') {
            struct retry *star = p + 1 < pattern.len && pattern.data[p + 1] == '*' ? &twice : &single;
            bool components;

            while (p < pattern.len && pattern.data[p] == '*')
                p++;
            components = star == &twice && p < pattern.len && pattern.data[p] == '/' && (t == 0 || text.data[t - 1] == '/');
            p += components; /* no directory between is a match too */
            if (star == &twice)
                single.pattern = SIZE_MAX;
            *star = (struct retry){ p, t, components };
            continue;
        }
        if (p == pattern.len && t == text.len)
            return true;
        if (p < pattern.len && t < text.len && matches_one(pattern, &p, text.data[t])) {
            t++;
            continue;
        }
        if (!go_back(&single, &twice, text, &p, &t))
            return false;
    }
}

bool glob_covers(struct bytes pattern, struct bytes path)
{
    while (pattern.len > 1 && pattern.data[pattern.len - 1] == '/')
        pattern.len--;
    for (size_t i = 1; i < path.len; i++)
        if (path.data[i] == '/' && glob_matches(pattern, (struct bytes){ path.data, i }))
            return true;
    return glob_matches(pattern, path);
}

