/* SPDX-License-Identifier: MIT */
#include "store/others.h"

#include "store/observer.h"

int others_are_alive(sqlite3 *db, const char *path, uint64_t now_ns, bool *ret, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(db, path, "SELECT max(alive_ns, ifnull(beat_ns, 0)), observer FROM coverage WHERE to_ns = 0", &s, err);
    int code = SQLITE_DONE;

    *ret = false;
    while (r == 0 && !*ret && (code = sqlite3_step(s)) == SQLITE_ROW)
        *ret = observer_is_alive(db_column_bytes(s, 1), (uint64_t)sqlite3_column_int64(s, 0), now_ns);
    if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
        r = db_error(db, path, err);
    sqlite3_finalize(s);
    return r;
}
