/* SPDX-License-Identifier: MIT */
#include "store/rows_in_use.h"

#include "store/message.h"
#include "util/macro.h"

int rows_are_there(sqlite3 *db, const char *path, const struct rows_in_use *in_use, struct err *err)
{
    static const char *const sql[] = { "SELECT 1 FROM process WHERE row = ?", "SELECT 1 FROM container WHERE row = ?" };
    const int64_t *const rows[] = { in_use->processes, in_use->containers };
    int r = 0;

    for (size_t t = 0; t < ARRAY_SIZE(sql) && r == 0; t++) {
        sqlite3_stmt *s = NULL;

        r = db_prepare(db, path, sql[t], &s, err);
        for (size_t i = 0; i < in_use->count && r == 0; i++) {
            if (!rows[t][i])
                continue;
            sqlite3_bind_int64(s, 1, rows[t][i]);
            r = sqlite3_step(s) == SQLITE_ROW ? 0 : MESSAGE_MALFORMED;
            sqlite3_reset(s);
        }
        sqlite3_finalize(s);
    }
    return r;
}
