/* SPDX-License-Identifier: MIT */
#include "util/path.h"

#include <string.h>

#include "util/macro.h"

struct bytes path_join(struct bytes dir, struct bytes name, char *to, size_t size)
{
    struct bytes parts[] = { dir, name }, part;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        while ((part = bytes_next_component(&parts[i])).len) {
            if (bytes_equal_str(part, "."))
                continue;
            if (bytes_equal_str(part, "..")) {
                while (n && to[--n] != '/')
                    ;
                continue;
            }
            if (part.len >= size - n)
                return BYTES_NULL;
            to[n++] = '/';
            memcpy(to + n, part.data, part.len);
            n += part.len;
        }
    if (!n)
        to[n++] = '/';
    return (struct bytes){ to, n };
}
