/* SPDX-License-Identifier: MIT */
/* rpm's lists of files, out of its database: what is said of each file, and what is said of a database that cannot be read to its end. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "foreign/rpm_database.h"
#include "util/cleanup.h"

#define PACKAGES 200 /* more than one page of the database has */

static void be32(struct sbuf *out, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        sbuf_add_char(out, (char)(v >> shift));
}

/* As rpm's library writes it: index entries, then data. A file, and a link to it. */
static void make_header(struct sbuf *out)
{
    static const char data[] = "x\0" "1\0" "f\0l\0" "/d/\0" "\0f\0" "\0\0\0\0\0\0\0\0" "\x81\xa4\xa1\xff";
    static const uint32_t tags[][3] = { { 1000, 0, 1 }, { 1001, 2, 1 }, { 1117, 4, 2 }, { 1118, 8, 1 }, { 1036, 12, 2 }, { 1116, 15, 2 }, { 1030, 23, 2 } };

    be32(out, ARRAY_SIZE(tags));
    be32(out, sizeof(data) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        be32(out, tags[i][0]);
        be32(out, 6);
        be32(out, tags[i][1]);
        be32(out, tags[i][2]);
    }
    sbuf_add(out, data, sizeof(data) - 1);
}

/* The caller frees by sqlite3_free(). */
static struct bytes make_database(const char *header_sql)
{
    _cleanup_sbuf_ struct sbuf header = SBUF_INIT;
    sqlite3_int64 size = 0;
    sqlite3_stmt *s = NULL;
    unsigned char *file;
    sqlite3 *db = NULL;

    make_header(&header);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB); CREATE TABLE Dirnames (key TEXT, hnum INTEGER, idx INTEGER)", NULL,
                                  NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, header_sql, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_blob(s, 1, header.data, (int)header.len, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, PACKAGES);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    assert_int_equal(sqlite3_exec(db, "INSERT INTO Dirnames SELECT '/d/', hnum, 0 FROM Packages", NULL, NULL, NULL), SQLITE_OK);
    file = sqlite3_serialize(db, "main", &size, 0);
    assert_non_null(file);
    sqlite3_close(db);
    return (struct bytes){ (const char *)file, (size_t)size };
}

static const char sql[] = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?2) INSERT INTO Packages SELECT x, ?1 FROM n";

struct seen {
    unsigned files, links;
};

static void note(void *data, const struct rpm_file *f)
{
    struct seen *seen = data;

    seen->files++;
    assert_bytes(f->directory, "/d/");
    if (S_ISLNK(f->mode)) {
        assert_bytes(f->name, "l");
        assert_bytes(f->link, "f");
        seen->links++;
        return;
    }
    assert_int_equal(f->mode, S_IFREG | 0644);
    assert_bytes(f->name, "f");
    assert_int_equal(f->link.len, 0);
}

static void says_where_a_link_leads(void **state)
{
    struct bytes file = make_database(sql);
    struct seen seen = { 0 };

    (void)state;
    assert_int_equal(rpm_files(file, bytes_of("/d"), note, &seen), 0);
    assert_int_equal(seen.files, 2 * PACKAGES);
    assert_int_equal(seen.links, PACKAGES);
    sqlite3_free((void *)(uintptr_t)file.data);
}

static void says_that_it_is_damaged(void **state)
{
    struct bytes file = make_database(sql);
    _cleanup_free_ char *text = calloc(1, 5000);
    struct seen seen = { 0 };

    (void)state;
    assert_int_equal(rpm_files((struct bytes){ file.data, file.len / 2 }, bytes_of("/d"), note, &seen), -EBADMSG);
    assert_true(seen.files < 2 * PACKAGES);
    memset(text, 'x', 5000);
    assert_int_equal(rpm_files((struct bytes){ text, 5000 }, bytes_of("/d"), note, &seen), -EBADMSG);
    assert_int_equal(rpm_files((struct bytes){ text, 5 }, bytes_of("/d"), note, &seen), -EBADMSG);
    assert_int_equal(rpm_files(BYTES_NULL, bytes_of("/d"), note, &seen), 0);
    sqlite3_free((void *)(uintptr_t)file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_where_a_link_leads), cmocka_unit_test(says_that_it_is_damaged) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
