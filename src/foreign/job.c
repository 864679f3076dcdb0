/* SPDX-License-Identifier: MIT */
#include "foreign/job.h"

#include <errno.h>
#include <stdlib.h>

int gathered_add(struct gathered *g, const char *name, char *data, size_t len)
{
    struct gathered_file *files;

    if (len > g->max - g->total) {
        free(data);
        return -EFBIG;
    }
    files = reallocarray(g->files, g->count + 1, sizeof(*files));
    if (!files) {
        free(data);
        return -ENOMEM;
    }
    g->files = files;
    g->files[g->count++] = (struct gathered_file){ name, { data, len } };
    g->total += len;
    return 0;
}

struct bytes gathered_get(const struct gathered *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->files[i].name, name) == 0)
            return g->files[i].content;
    return BYTES_NULL;
}
