/* SPDX-License-Identifier: MIT */
#include "copies/below.h"

#include <stdint.h>

#include "util/hash_table.h"

/* Counted: the names directly in it, and the folders directly in it that are here; so one that goes changes those above it only
 * where it was the last one. */
struct below_folder {
    uint64_t count;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

static struct below_folder *find(const struct names_below *b, struct bytes path)
{
    struct below_folder *f;

    HASH_FIND(hh, b->folders, path.data, path.len, f);
    return f;
}

static struct below_folder *make(struct names_below *b, struct bytes path)
{
    struct below_folder *f = calloc(1, sizeof(*f) + path.len);

    if (!f)
        return NULL;
    f->len = path.len;
    memcpy(f->path, path.data, path.len);
    HASH_ADD_KEYPTR(hh, b->folders, f->path, f->len, f);
    HASH_FREE_IF_OUT(hh, f);
    return f;
}

void below_add(struct names_below *b, struct bytes path)
{
    while (path.len > 1) {
        struct below_folder *f;

        path = bytes_dirname(path);
        f = find(b, path);
        if (f) {
            f->count++;
            return;
        }
        f = make(b, path);
        if (!f) {
            b->unsure = true;
            return;
        }
        f->count = 1; /* a new one in the folder above */
    }
}

void below_remove(struct names_below *b, struct bytes path)
{
    while (path.len > 1) {
        struct below_folder *f;

        path = bytes_dirname(path);
        f = find(b, path);
        if (!f || --f->count)
            return;
        HASH_DEL(b->folders, f);
        free(f);
    }
}

bool below_has(const struct names_below *b, struct bytes folder)
{
    return b->unsure || !folder.len || folder.data[folder.len - 1] == '/' || find(b, folder);
}

void below_forget(struct names_below *b)
{
    struct below_folder *f, *next;

    HASH_ITER(hh, b->folders, f, next) {
        HASH_DEL(b->folders, f);
        free(f);
    }
    b->unsure = false;
}
