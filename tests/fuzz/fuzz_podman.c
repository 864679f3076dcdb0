/* SPDX-License-Identifier: MIT */
/* The input is a user's database of containers as Podman keeps it: 's' and SQLite's bytes, or 'b' and bbolt's. */
#include <stdlib.h>

#include "engine/podman_db.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct container *c;
    struct podman_db *db = NULL;
    uint64_t start_ns = 0;
    struct bytes file;
    char *copy;

    if (!size)
        return 0;
    c = container_new();
    copy = malloc(size); /* it is written to */
    if (!c || !copy)
        abort();
    memcpy(copy, data, size);
    file = (struct bytes){ copy + 1, size - 1 };
    container_set(c, &c->id, bytes_of("id"));
    if (podman_db_open(*copy == 's' ? file : BYTES_NULL, *copy == 's' ? BYTES_NULL : file, &db) == 0) {
        (void)podman_db_read(db, c);
        (void)podman_db_start(db, c->id, &start_ns);
        podman_db_close(db);
    }
    container_unref(c);
    free(copy);
    return 0;
}
