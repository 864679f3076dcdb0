/* SPDX-License-Identifier: MIT */
#include "store/prune_state.h"

#include <string.h>

/* Prepared once: a sweep runs each of a few statements for thousands of rows. They are known by where their text is. */
static int find_statement(struct pruner *p, const char *sql, sqlite3_stmt **ret, struct err *err)
{
    struct prune_statement *at = p->statements;
    int r;

    while (at < p->statements + PRUNE_STATEMENTS && at->sql && at->sql != sql)
        at++;
    if (at == p->statements + PRUNE_STATEMENTS) { /* more of them than there is room for */
        at = p->statements;
        sqlite3_finalize(at->statement);
        *at = (struct prune_statement){ 0 };
    }
    if (!at->sql) {
        r = db_prepare(p->db, p->path, sql, &at->statement, err);
        if (r < 0)
            return r;
        at->sql = sql;
    }
    *ret = at->statement;
    return 0;
}

void prune_forget_statements(struct pruner *p)
{
    for (unsigned i = 0; i < PRUNE_STATEMENTS; i++)
        sqlite3_finalize(p->statements[i].statement);
    memset(p->statements, 0, sizeof(p->statements));
}

int64_t prune_run(struct pruner *p, const char *sql, const int64_t *values, unsigned count, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = find_statement(p, sql, &s, err);

    for (unsigned i = 0; r == 0 && i < count; i++)
        sqlite3_bind_int64(s, (int)i + 1, values[i]);
    if (r == 0)
        r = sqlite3_step(s) == SQLITE_DONE ? 0 : db_error(p->db, p->path, err);
    sqlite3_reset(s);
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
