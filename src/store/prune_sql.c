/* SPDX-License-Identifier: MIT */
#include "store/prune_state.h"

int64_t prune_run(struct pruner *p, const char *sql, const int64_t *values, unsigned count, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, sql, &s, err);

    for (unsigned i = 0; r == 0 && i < count; i++)
        sqlite3_bind_int64(s, (int)i + 1, values[i]);
    if (r == 0)
        r = sqlite3_step(s) == SQLITE_DONE ? 0 : db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    return r < 0 ? r : sqlite3_changes64(p->db);
}

int prune_number(struct pruner *p, const char *sql, const int64_t *values, unsigned count, uint64_t *ret, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(p->db, p->path, sql, &s, err);

    for (unsigned i = 0; r == 0 && i < count; i++)
        sqlite3_bind_int64(s, (int)i + 1, values[i]);
    if (r == 0 && sqlite3_step(s) == SQLITE_ROW)
        *ret = (uint64_t)sqlite3_column_int64(s, 0);
    else if (r == 0)
        r = db_error(p->db, p->path, err);
    sqlite3_finalize(s);
    return r;
}
