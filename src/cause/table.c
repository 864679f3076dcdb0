/* SPDX-License-Identifier: MIT */
#include "cause/table.h"

const void *table_find(const void *rows, size_t count, size_t size, struct bytes name)
{
    size_t from = 0, to = count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const void *row = (const char *)rows + middle * size;
        struct bytes have = bytes_of(*(const char *const *)row);
        int order = memcmp(name.data ? name.data : "", have.data, MIN(name.len, have.len));

        if (order == 0 && name.len == have.len)
            return row;
        if (order < 0 || (order == 0 && name.len < have.len))
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
