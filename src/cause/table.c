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

static const void *row_at(const struct name_table *t, size_t index)
{
    return (const char *)t->rows + index * t->size;
}

const char *table_name(const struct name_table *t, size_t index)
{
    return index < t->count ? *(const char *const *)row_at(t, index) : NULL;
}

const void *table_find(const struct name_table *t, struct bytes name)
{
    size_t from = 0, to = t->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = compare(name, table_name(t, middle));

        if (order == 0)
            return row_at(t, middle);
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
