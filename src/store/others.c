/* SPDX-License-Identifier: MIT */
#include "store/others.h"

#include "store/observer.h"
#include "store/schema.h"
#include "util/macro.h"

int others_are_alive(sqlite3 *db, const char *path, uint64_t now_ns, bool *ret, struct err *err)
{
    const uint64_t dead_ns = now_ns - MIN(STORE_DEAD_NS, now_ns);
    sqlite3_stmt *s = NULL;
    int r = db_prepare(db, path, "SELECT alive_ns, observer FROM coverage WHERE to_ns = 0", &s, err), code = SQLITE_DONE;

    *ret = false;
    while (r == 0 && !*ret && (code = sqlite3_step(s)) == SQLITE_ROW) {
        enum observer_state state = observer_state(db_column_bytes(s, 1));

        *ret = state == OBSERVER_LIVES || (state == OBSERVER_UNKNOWN && (uint64_t)sqlite3_column_int64(s, 0) > dead_ns);
    }
    if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
        r = db_error(db, path, err);
    sqlite3_finalize(s);
    return r;
}
