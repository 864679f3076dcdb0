/* SPDX-License-Identifier: MIT */
/* Whether the kernel was booted with auditing. */
#include "test.h"

#include "sensor/audit/session.h"

static const struct row {
    const char *name;
    bool on;
} rows[] = {
    { "audit=1", true },
    { "root=/dev/sda1 audit=1 quiet\n", true },
    { "quiet audit=on\n", true },
    { "audit=1 audit=0", false },
    { "audit=off audit=on", true },
    { "audit=0", false },
    { "noaudit=1 my_audit=1 audit=10", false },
    { "audit=1x", false },
    { "audit_backlog_limit=1 audit=", false },
    { "", false },
};

static void boots(void **state)
{
    const struct row *row = *state;

    assert_int_equal(audit_boot_option(bytes_of(row->name)), row->on);
}

static void knows_listeners(void **state)
{
    static const char head[] = "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n";
    static const char kernel[] = "00000000c436d13c 9   0          00000000 0        0        0     2        0        6\n";
    static const char journal[] = "00000000dce1c883 9   4121133146 00000001 0        0        0     2        0        8138132\n";
    static const char route[] = "00000000dce1c883 0   412        00000511 0        0        0     2        0        8138132\n";
    char all[512];

    (void)state;
    assert_false(audit_session_is_heard(bytes_of(head)));
    snprintf(all, sizeof(all), "%s%s%s", head, kernel, route);
    assert_false(audit_session_is_heard(bytes_of(all)));
    snprintf(all, sizeof(all), "%s%s%s%s", head, kernel, route, journal);
    assert_true(audit_session_is_heard(bytes_of(all)));
    assert_false(audit_session_is_heard(bytes_of("9 9 9")));
    assert_false(audit_session_is_heard(BYTES_NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(knows_listeners) };

    return RUN_ROWS(rows, boots) + cmocka_run_group_tests(tests, NULL, NULL);
}
