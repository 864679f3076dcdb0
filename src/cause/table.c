/* SPDX-License-Identifier: MIT */
#include "cause/table.h"

/* As strcmp(), but that `name` has a length: most rows differ in their first letters. */
static int compare(struct bytes name, const char *row)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] != row[i] || !row[i])
            return (unsigned char)name.data[i] < (unsigned char)row[i] ? -1 : 1;
    return row[name.len] ? -1 : 0;
}

const void *table_find(const void *rows, size_t count, size_t size, struct bytes name)
{
    size_t from = 0, to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const void *row = (const char *)rows + middle * size;
        int order = compare(name, *(const char *const *)row);

        if (order == 0)
            return row;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
