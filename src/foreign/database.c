/* SPDX-License-Identifier: MIT */
#include "foreign/database.h"

#include <errno.h>
#include <stdint.h>

#define HEADER_SIZE 100

static int too_long(void *data)
{
    (void)data;
    return 1;
}

int foreign_database_open(struct bytes file, int value_max, int steps, sqlite3 **ret)
{
    char *data = (char *)(uintptr_t)file.data; /* gathered for this */
    sqlite3 *db = NULL;

    if (file.len < HEADER_SIZE)
        return -EBADMSG;
    data[18] = data[19] = 1; /* a database in memory has no write-ahead log */
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_deserialize(db, "main", (unsigned char *)data, (sqlite3_int64)file.len, (sqlite3_int64)file.len,
                            SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
        sqlite3_close(db);
        return -EBADMSG;
    }
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, value_max);
    sqlite3_progress_handler(db, steps, too_long, NULL);
    *ret = db;
    return 0;
}
