/* SPDX-License-Identifier: MIT */
/* The table of severities, a row each; the files that a matter made itself. */
#include "test.h"
#include "alert_made.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alert/severity.h"

/* ---- severities ---- */

static const struct severity_test {
    const char *name, *row;
    enum severity severity;
    struct made m;
    bool made; /* by the same cause, a moment ago */
} severities[] = {
    { "refused", "refused", SEVERITY_LOW, { .path = "/usr/bin/x", .error = EPERM } },
    { "culprit's store", "own", SEVERITY_CRITICAL, { .path = "/var/lib/culprit/culprit.db" } },
    { "culprit's configuration", "own", SEVERITY_CRITICAL, { .operation = OPERATION_WRITE, .path = "/etc/culprit/conf.d/a.conf" } },
    { "a name that begins so", "gone", SEVERITY_MEDIUM, { .path = "/etc/culprit2" } },
    { "a container's file of that name", "gone", SEVERITY_MEDIUM, { .path = "/etc/culprit/x", .victim = WEB, .actor = WEB } },
    { "library of a container, from outside", "program-gone-from-outside", SEVERITY_HIGH, { .path = "/usr/lib/libssl.so.3", .victim = WEB } },
    { "program of a container, from outside", "program-gone-from-outside", SEVERITY_HIGH,
      { .operation = OPERATION_REPLACE, .path = "/app/run", .mode = S_IFREG | 0755, .victim = WEB } },
    { "from inside", "program-gone", SEVERITY_HIGH, { .path = "/usr/lib/libssl.so.3", .victim = WEB, .actor = WEB } },
    { "data of a container, from outside", "gone", SEVERITY_MEDIUM, { .path = "/prd/conf", .mode = S_IFREG | 0644, .victim = WEB } },
    { "set-uid", "set-uid", SEVERITY_HIGH, { .operation = OPERATION_CHMOD, .path = "/a", .before = 0755, .after = 04755 } },
    { "set-uid stays", "mode", SEVERITY_MEDIUM, { .operation = OPERATION_CHMOD, .path = "/a", .before = 04755, .after = 04711 } },
    { "writable program", "program-writable", SEVERITY_HIGH, { .operation = OPERATION_CHMOD, .path = "/a", .before = 0755, .after = 0777 } },
    { "writable data", "mode", SEVERITY_MEDIUM, { .operation = OPERATION_CHMOD, .path = "/a", .before = 0644, .after = 0666 } },
    { "owner", "owner", SEVERITY_HIGH, { .operation = OPERATION_CHOWN, .path = "/a" } },
    { "contents", "contents", SEVERITY_MEDIUM, { .operation = OPERATION_WRITE, .path = "/etc/hosts" } },
    { "times", "times", SEVERITY_LOW, { .operation = OPERATION_UTIME, .path = "/a" } },
    { "xattr", "xattr", SEVERITY_LOW, { .operation = OPERATION_SETXATTR, .path = "/a" } },
    { "its own temporary program", "temporary", SEVERITY_LOW, { .path = "/usr/bin/x.tmp", .mode = S_IFREG | 0755 }, true },
    { "its own file given away", "temporary", SEVERITY_LOW, { .operation = OPERATION_CHOWN, .path = "/etc/sedXX" }, true },
    { "its own set-uid file", "set-uid", SEVERITY_HIGH, { .operation = OPERATION_CHMOD, .path = "/a", .before = 0755, .after = 04755 }, true },
    { "its own writable program", "program-writable", SEVERITY_HIGH, { .operation = OPERATION_CHMOD, .path = "/a", .before = 0755, .after = 0777 }, true },
    { "its own among culprit's", "own", SEVERITY_CRITICAL, { .path = "/etc/culprit/x" }, true },
    { "new", "new", SEVERITY_MEDIUM, { .operation = OPERATION_CREATE, .path = "/a" } },
};

static void grades(void **state)
{
    static const struct bytes own[] = { { "/var/lib/culprit/culprit.db", 27 }, { "/etc/culprit", 12 } };
    const struct severity_test *row = *state;
    struct event *e = make_it(&row->m);
    const struct severity_row *found = severity_row(severity_find(e, own, ARRAY_SIZE(own), row->made));

    assert_string_equal(found->name, row->row);
    assert_int_equal(found->severity, row->severity);
    event_free(e);
}

/* Whether the cause made the file itself is asked only where a row would say something else then. */
static void made_is_asked_where_it_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(severities); i++) {
        struct event *e = make_it(&severities[i].m);
        unsigned not_made = severity_find(e, NULL, 0, false), made = severity_find(e, NULL, 0, true);

        assert_int_equal(severity_depends_on_made(e, not_made), made != not_made);
        event_free(e);
    }
}

static void severities_are_whole(void **state)
{
    unsigned n = 0;

    (void)state;
    for (; severity_row(n); n++) {
        assert_true(severity_row(n)->name[0]);
        assert_true(severity_row(n)->severity >= SEVERITY_LOW && severity_row(n)->severity < SEVERITY_COUNT);
        if (severity_row(n)->numbers)
            assert_true(severity_row(n)->in_numbers > severity_row(n)->severity);
    }
    assert_true(n > 0 && n <= SEVERITY_ROWS_MAX);
    for (unsigned i = SEVERITY_LOW; i < SEVERITY_COUNT; i++)
        assert_int_equal(severity_by_name(bytes_of(severity_name((enum severity)i))), i);
    assert_int_equal(severity_by_name(BYTES("grave")), SEVERITY_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(severities_are_whole),
        cmocka_unit_test(made_is_asked_where_it_counts),
    };
    int failed;

    setenv("TZ", "UTC", 1); /* 2023-11-14 22:13:20 */
    containers[WEB] = make_container("111111111111", "web");
    containers[DB] = make_container("222222222222", "db");
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(severities, grades);
    container_unref(containers[WEB]);
    container_unref(containers[DB]);
    return failed;
}
