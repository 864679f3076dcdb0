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

int main(void)
{
    return RUN_ROWS(rows, boots);
}
