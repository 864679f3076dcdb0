/* SPDX-License-Identifier: MIT */
/* A container's own words: its packages, its users; what it writes there to harm us does not. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "attribution/owner_inside.h"
#include "attribution/package_search.h"
#include "foreign/rpm_database.h"
#include "attribution/users.h"
#include "children.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"

#define PAUSE_US (100 * 1000)
#define PATIENCE 6000 /* pauses: a busy machine's worker may not come to its end in time, and is asked again a minute later */

static char base[] = "/tmp/culprit-test-inside-XXXXXX";

static void put(const char *path, const char *text)
{
    char command[512];
    FILE *f;

    snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", path);
    assert_int_equal(system(command), 0);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* ---- user namespaces ---- */

static const struct map_row {
    const char *name, *map;
    uint32_t id, inside;
} maps[] = {
    { "the host's own", "         0          0 4294967295\n", 1000, 1000 },
    { "remapped", "         0     100000      65536\n", 101000, 1000 },
    { "root of it", "0 100000 65536\n", 100000, 0 },
    { "below", "0 100000 65536\n", 99999, UINT32_MAX },
    { "above", "0 100000 65536\n", 165536, UINT32_MAX },
    { "rootless: two lines, the user", "0 1000 1\n1 100000 65536\n", 1000, 0 },
    { "rootless: two lines, a sub-id", "0 1000 1\n1 100000 65536\n", 100999, 1000 },
    { "nothing", "", 0, UINT32_MAX },
    { "no numbers", "a b c\n0 5 1\n", 5, 0 },
    { "overflow", "4294967295 0 10\n", 5, UINT32_MAX },
};

static void maps_ids(void **state)
{
    const struct map_row *row = *state;

    assert_int_equal(users_map(bytes_of(row->map), row->id), row->inside);
}

/* ---- packages ---- */

static const struct package_row {
    const char *name, *root, *path, *package, *version; /* NULL: none */
} packages[] = {
    { "dpkg", "deb", "/usr/bin/tool", "tool", "1.2-3" },
    { "dpkg, by the other name of /usr", "deb", "/bin/tool", "tool", "1.2-3" },
    { "dpkg, architecture in the list's name", "deb", "/usr/lib/libx.so", "libx", "9" },
    { "dpkg, part of a path is not the path", "deb", "/usr/bin/too", NULL, NULL },
    { "dpkg, nobody's", "deb", "/opt/own", NULL, NULL },
    { "distroless", "less", "/usr/bin/app", "app", "7.1" },
    { "apk", "apk", "/bin/busybox", "busybox", "1.36.1-r2" },
    { "apk, the same name in another directory", "apk", "/sbin/busybox", NULL, NULL },
    { "rpm", "rpm", "/usr/bin/hello", "hello", "2.10-5.fc39" },
    { "rpm, another directory", "rpm", "/bin2/hello", NULL, NULL },
    { "rpm, no database", "badrpm", "/usr/bin/hello", NULL, NULL },
    { "lists are a link out of the root", "evil", "/usr/bin/tool", NULL, NULL },
    { "newline", "deb", "/usr/bin/tool\n/x", NULL, NULL },
};

static void by_root(struct sbuf *place, const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    inside_by_root(place, bytes_of(path));
}

static void finds_packages(void **state)
{
    const struct package_row *row = *state;
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct image_packages *p = NULL;
    struct bytes package = BYTES_NULL, version = BYTES_NULL;
    int r;

    by_root(&place, row->root);
    assert_int_equal(image_packages_new(&p, NULL), 0);
    for (int again = 0; again < 2; again++) { /* the second time from the cache */
        r = image_packages_find(p, BYTES_NULL, sbuf_bytes(&place), bytes_of(row->path), &package, &version);
        for (unsigned i = 0; i < PATIENCE && row->package && r == -ENOENT; i++) {
            usleep(PAUSE_US);
            r = image_packages_find(p, BYTES_NULL, sbuf_bytes(&place), bytes_of(row->path), &package, &version);
        }
        assert_int_equal(r, row->package ? 0 : -ENOENT);
        if (row->package) {
            assert_bytes(package, row->package);
            assert_bytes(version, row->version);
        }
    }
    image_packages_free(p);
}

static size_t be32(char *at, uint32_t v)
{
    at[0] = (char)(v >> 24), at[1] = (char)(v >> 16), at[2] = (char)(v >> 8), at[3] = (char)v;
    return 4;
}

/* A header as rpm's library writes it: index entries, then data. */
static size_t make_header(char *out)
{
    static const char names[] = "hello\0" "2.10\0" "5.fc39\0" "hello\0README\0" "/usr/bin/\0/usr/share/doc/";
    const uint32_t tags[][3] = { { 1000, 0, 1 }, { 1001, 6, 1 }, { 1002, 11, 1 }, { 1117, 18, 2 },
                                 { 1118, 31, 2 }, { 1116, sizeof(names), 2 } };
    size_t n = be32(out, ARRAY_SIZE(tags));

    n += be32(out + n, sizeof(names) + 8);
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        n += be32(out + n, tags[i][0]);
        n += be32(out + n, 6);
        n += be32(out + n, tags[i][1]);
        n += be32(out + n, tags[i][2]);
    }
    memcpy(out + n, names, sizeof(names));
    n += sizeof(names);
    n += be32(out + n, 0);
    n += be32(out + n, 1);
    return n;
}

static void survives_any_header(void **state)
{
    char header[512];
    size_t len = make_header(header);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++)
        for (size_t flip = 0; flip < len; flip += 3) {
            _cleanup_sbuf_ struct sbuf name = SBUF_INIT, version = SBUF_INIT;
            _cleanup_free_ char *copy = malloc(cut + 1); /* the sanitizer sees each byte beyond */

            memcpy(copy, header, cut);
            if (flip < cut)
                copy[flip] = (char)~copy[flip];
            (void)rpm_header_has((struct bytes){ copy, cut }, bytes_of("/usr/bin/hello"), &name, &version);
        }
}

static void make_rpm(void)
{
    char header[512];
    size_t len = make_header(header);
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    put("rpm/var/lib/rpm/x", "");
    assert_int_equal(sqlite3_open("rpm/var/lib/rpm/rpmdb.sqlite", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode = WAL; CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB);"
                                  "CREATE TABLE Basenames (key TEXT, hnum INTEGER, idx INTEGER);"
                                  "INSERT INTO Basenames VALUES ('hello', 3, 0), ('README', 3, 1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_prepare_v2(db, "INSERT INTO Packages VALUES (3, ?)", -1, &s, NULL);
    sqlite3_bind_blob(s, 1, header, (int)len, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* A view that never ends, in the place of a table. */
static void bounds_a_hostile_database(void **state)
{
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    struct image_packages *p = NULL;
    struct bytes package, version;
    sqlite3 *db = NULL;

    (void)state;
    put("endless/var/lib/rpm/x", "");
    assert_int_equal(sqlite3_open("endless/var/lib/rpm/rpmdb.sqlite", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB);"
                                  "CREATE VIEW Basenames AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
                                  "SELECT 'hello' AS key, x AS hnum FROM n",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    by_root(&place, "endless");
    assert_int_equal(image_packages_new(&p, NULL), 0);
    assert_int_equal(image_packages_find(p, BYTES_NULL, sbuf_bytes(&place), bytes_of("/usr/bin/hello"), &package, &version), -ENOENT);
    image_packages_free(p);
}

/* ---- names ---- */

static void names_in_their_world(void **state)
{
    struct container *c = container_new(), *other = container_new();
    struct users *u = NULL;

    (void)state;
    assert_int_equal(users_new(NULL, "/", &u, NULL), 0);
    for (unsigned i = 0; i < PATIENCE && !bytes_known(users_name(u, NULL, 0)); i++)
        usleep(PAUSE_US);
    assert_bytes(users_name(u, NULL, 0), "root");
    container_set(c, &c->id, bytes_of("0123456789abcdef0"));
    container_set(other, &other->id, bytes_of("0123456789abcdef1")); /* the first 16 digits are the same */
    c->pid = getpid(); /* its root is ours: our passwd */
    for (unsigned i = 0; i < PATIENCE && !bytes_known(users_name(u, c, 0)); i++)
        usleep(PAUSE_US);
    assert_bytes(users_name(u, c, 0), "root");
    assert_bytes(users_group(u, c, 0), "root");
    assert_false(bytes_known(users_name(u, other, 0))); /* it does not run, and nobody knows its layers */
    assert_false(bytes_known(users_name(u, c, 4294967294u)));
    assert_false(bytes_known(users_name(u, c, UINT32_MAX)));
    container_unref(c);
    container_unref(other);
    users_free(u);
}

/* "many" has more members than any buffer of a usual size. */
static const char *group_of_many(void)
{
    static char text[40000];
    int n = snprintf(text, sizeof(text), "wheel:x:4201:im\nmany:x:4300:m0");

    for (int i = 1; i < 4000; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, ",m%d", i);
    snprintf(text + n, sizeof(text) - (size_t)n, "\nafter:x:4301:\n");
    return text;
}

static void names_of_the_host(void **state)
{
    char root[128];
    struct users *u = NULL;

    (void)state;
    snprintf(root, sizeof(root), "%s/host", base);
    put("host/etc/passwd", "root:x:0:0::/:/bin/sh\nim:x:4201:4201::/:/bin/sh\nsame:x:4201:1::/:/bin/sh\n");
    put("host/etc/group", group_of_many());
    assert_int_equal(foreign_start(), 0);
    signal_children(SIGSTOP);
    assert_int_equal(users_new(NULL, root, &u, NULL), 0);
    assert_bytes(users_name(u, NULL, 4201), "im");
    assert_bytes(users_group(u, NULL, 4201), "wheel");
    assert_bytes(users_group(u, NULL, 4300), "many");
    assert_bytes(users_group(u, NULL, 4301), "after");
    put("host/etc/passwd", "ann:x:4201:4201::/:/bin/sh\nnew:x:4202:4202::/:/bin/sh\n");
    assert_bytes(users_name(u, NULL, 4202), "new"); /* made just now */
    assert_bytes(users_name(u, NULL, 4201), "ann");
    assert_false(bytes_known(users_name(u, NULL, 4203)));
    assert_false(bytes_known(users_name(u, NULL, UINT32_MAX)));
    users_free(u);
    signal_children(SIGCONT);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(survives_any_header),
        cmocka_unit_test(bounds_a_hostile_database),
        cmocka_unit_test(names_in_their_world),
        cmocka_unit_test(names_of_the_host),
    };
    char command[128], out[128];
    int failed;

    if (!mkdtemp(base) || chdir(base) < 0)
        return 99;
    put("deb/var/lib/dpkg/info/tool.list", "/.\n/usr\n/usr/bin\n/usr/bin/tool\n");
    put("deb/var/lib/dpkg/info/libx:amd64.list", "/usr/lib/libx.so\n");
    put("deb/var/lib/dpkg/status", "Package: libx\nStatus: install ok installed\nVersion: 9\n\nPackage: tool\nVersion: 1.2-3\n");
    put("less/var/lib/dpkg/status.d/app", "Package: app\nVersion: 7.1\n");
    put("less/var/lib/dpkg/status.d/app.md5sums", "d41d8cd98f00b204e9800998ecf8427e  usr/bin/app\n");
    put("apk/lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2\nF:lib\nR:ld-musl.so\n\nP:busybox\nV:1.36.1-r2\nF:bin\nR:busybox\nF:sbin\n");
    put("badrpm/var/lib/rpm/rpmdb.sqlite", "SQLite format 3 not at all, but long enough to be looked at, as any file may be that somebody wrote there");
    make_rpm();
    put("evil/var/lib/dpkg/status", "Package: tool\nVersion: 1\n");
    snprintf(out, sizeof(out), "%s/deb/var/lib/dpkg/info", base);
    if (symlink(out, "evil/var/lib/dpkg/info") < 0)
        return 99;
    failed = RUN_ROWS(maps, maps_ids) + RUN_ROWS(packages, finds_packages) + cmocka_run_group_tests(more, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command) ? 98 : failed;
}
