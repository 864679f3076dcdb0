/* SPDX-License-Identifier: MIT */
#include "store/rows_in_use.h"

#include <errno.h>

#include "store/message.h"
#include "store/process_pack.h"
#include "util/macro.h"

/* Also one that is in a pack by now. */
static int find_process(struct process_packs *packs, int64_t row, struct err *err)
{
    const struct process_values *v;
    int r = process_packs_find(packs, row, &v, err);

    return r == -ENOENT ? MESSAGE_MALFORMED : r;
}

static int find_rows(sqlite3 *db, const char *path, const char *sql, const int64_t *rows, size_t count, struct process_packs *packs,
                     struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(db, path, sql, &s, err);

    for (size_t i = 0; i < count && r == 0; i++) {
        bool found;

        if (!rows[i])
            continue;
        sqlite3_bind_int64(s, 1, rows[i]);
        found = sqlite3_step(s) == SQLITE_ROW;
        sqlite3_reset(s);
        if (!found)
            r = packs ? find_process(packs, rows[i], err) : MESSAGE_MALFORMED;
    }
    sqlite3_finalize(s);
    return r;
}

int rows_are_there(sqlite3 *db, const char *path, const struct rows_in_use *in_use, struct err *err)
{
    struct process_packs *packs = NULL;
    int r = process_packs_new(db, path, &packs, err);

    if (r == 0)
        r = find_rows(db, path, "SELECT 1 FROM process WHERE row = ?", in_use->processes, in_use->count, packs, err);
    if (r == 0)
        r = find_rows(db, path, "SELECT 1 FROM container WHERE row = ?", in_use->containers, in_use->count, NULL, err);
    process_packs_free(packs);
    return r;
}
