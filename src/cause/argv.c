/* SPDX-License-Identifier: MIT */
#include "cause/argv.h"

bool argv_take(struct bytes *rest, struct bytes *ret)
{
    const char *end;

    if (!rest->len)
        return false;
    end = bytes_char(*rest, '\0');
    *ret = (struct bytes){ rest->data, end ? (size_t)(end - rest->data) : rest->len };
    rest->data += ret->len + (end != NULL);
    rest->len -= ret->len + (end != NULL);
    return true;
}

struct bytes argv_at(struct bytes args, unsigned index)
{
    struct argv a = argv_of(args);
    struct bytes word;

    for (unsigned i = 0; argv_next(&a, &word); i++)
        if (i == index)
            return word;
    return BYTES_NULL;
}

struct bytes argv_without_nuls(struct bytes args)
{
    while (args.len && !args.data[args.len - 1])
        args.len--;
    return args;
}

unsigned argv_count(struct bytes args, unsigned max)
{
    struct argv a = argv_of(args);
    struct bytes word;
    unsigned n = 0;

    while (n < max && argv_next(&a, &word))
        n++;
    return n;
}

bool argv_has(struct bytes args, const char *word, unsigned max)
{
    struct argv a = argv_of(args);
    struct bytes found;

    if (!argv_next(&a, &found))
        return false;
    while (max-- > 0 && argv_next(&a, &found))
        if (bytes_equal_str(found, word))
            return true;
    return false;
}

bool word_in(const char *list, struct bytes word)
{
    while (list && *list) {
        const char *end = strchr(list, ' ');

        if (!end)
            return false;
        if (bytes_equal(word, (struct bytes){ list, (size_t)(end - list) }))
            return true;
        list = end + 1;
    }
    return false;
}
