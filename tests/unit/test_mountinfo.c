/* SPDX-License-Identifier: MIT */
/* The kernel's table of mounts, and which of them stand at a watched path. */
#include "test.h"

#include <sys/sysmacros.h>

#include "sensor/audit/mounts.h"
#include "util/mountinfo.h"

#define LINE(device, point) "36 35 " device " /root " point " rw,noatime master:1 - ext3 /dev/root rw\n"

/* What another machine or a program answers for; options and names may read like it. */
static void may_hang(void **state)
{
    static const struct {
        const char *line;
        bool expected;
    } rows[] = {
        { "36 35 0:50 / /m rw - fuse hangfuse rw\n", true },
        { "36 35 0:50 / /m rw shared:1 master:2 - fuse.sshfs ann@host: rw\n", true },
        { "36 35 0:50 / /m rw - nfs4 server:/export rw,vers=4.2\n", true },
        { "36 35 0:50 / /m rw - autofs systemd-1 rw\n", true },
        { "36 35 0:50 / /proc/sys/fs/binfmt_misc rw shared:9 - autofs systemd-1 rw\n", false },
        { "36 35 8:1 / /m rw - ext4 /dev/sda1 rw\n", false },
        { "36 35 0:51 / /m rw - fusectl fusectl rw\n", false },
        { "36 35 0:52 / /nfs rw - tmpfs nfs rw\n", false },
        { "36 35 0:52 / /m rw - \n", false },
        { "36 35 0:52 / /m rw\n", false },
        { "36 35 0:52 / /m - fuse x rw\n", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bytes text = bytes_of(rows[i].line);
        struct mountinfo m;

        assert_true(mountinfo_next(&text, &m));
        if (mountinfo_may_hang(&m) != rows[i].expected)
            fail_msg("%s", rows[i].line);
    }
}

static void lines(void **state)
{
    struct bytes text = bytes_of(LINE("98:7", "/w/a\\040b") "torn\n\n" "x 1 y /r /w2");
    struct mountinfo m;
    char point[64];

    (void)state;
    assert_true(mountinfo_next(&text, &m));
    assert_int_equal(m.id, 36);
    assert_int_equal(m.device, makedev(98, 7));
    assert_int_equal(mountinfo_unescape(m.point, point), 6);
    assert_memory_equal(point, "/w/a b", 6);
    assert_true(bytes_starts_with(m.rest, bytes_of("rw,noatime")));
    assert_true(mountinfo_next(&text, &m)); /* numbers that are none */
    assert_int_equal(m.id, 0);
    assert_int_equal(m.device, 0);
    assert_true(bytes_equal_str(m.point, "/w2"));
    assert_false(mountinfo_next(&text, &m));
}

static const struct octal {
    const char *name, *text, *plain;
} octals[] = {
    { "newline and tab", "a\\012\\011b", "a\n\tb" },
    { "a backslash", "a\\134040", "a\\040" },
    { "cut off", "a\\04", "a\\04" },
    { "no octal digit", "\\098", "\\098" },
    { "more than a byte", "\\400", "\\400" },
    { "nothing", "", "" },
};

static void unescapes(void **state)
{
    const struct octal *row = *state;
    char out[64];
    size_t n = mountinfo_unescape(bytes_of(row->text), out);

    assert_int_equal(n, strlen(row->plain));
    assert_memory_equal(out, row->plain, n);
}

static void mounts_of_a_path(void **state)
{
    struct bytes table = bytes_of(LINE("0:5", "/") LINE("0:6", "/w/m") LINE("0:7", "/w/m") LINE("0:8", "/w2/m"));
    struct audit_mounts m = { 0 };

    (void)state;
    audit_mounts_look(&m, table, bytes_of("/w"));
    audit_mounts_look(&m, table, bytes_of("/w")); /* the same again */
    assert_int_equal(m.count, 2);
    assert_true(audit_mounts_at(&m, bytes_of("/w/m"), makedev(0, 6)));
    assert_true(audit_mounts_at(&m, bytes_of("/w/m"), makedev(0, 7)));
    assert_false(audit_mounts_at(&m, bytes_of("/w/m"), makedev(0, 8))); /* another namespace's */
    assert_false(audit_mounts_at(&m, bytes_of("/w"), makedev(0, 6)));
    assert_true(audit_mounts_cover(&m, bytes_of("/w/m/d"), makedev(0, 6)));
    assert_false(audit_mounts_cover(&m, bytes_of("/w/n"), makedev(0, 6)));
    /* by records: what is on top goes first */
    audit_mounts_add(&m, bytes_of("/w/n"));
    audit_mounts_add(&m, bytes_of("/w/n"));
    assert_true(audit_mounts_at(&m, bytes_of("/w/n"), makedev(0, 9)));
    audit_mounts_remove(&m, bytes_of("/w/n"));
    assert_true(audit_mounts_at(&m, bytes_of("/w/n"), 0));
    audit_mounts_remove(&m, bytes_of("/w/n"));
    assert_false(audit_mounts_at(&m, bytes_of("/w/n"), 0));
    audit_mounts_done(&m);
}

static void too_many(void **state)
{
    struct audit_mounts m = { 0 };

    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        audit_mounts_add(&m, bytes_of("/w/m"));
    assert_int_equal(m.count, 4096);
    assert_true(audit_mounts_at(&m, bytes_of("/w/x"), 1)); /* not known: reported rather than lost */
    audit_mounts_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines), cmocka_unit_test(may_hang),
        cmocka_unit_test(mounts_of_a_path),
        cmocka_unit_test(too_many),
    };

    return RUN_ROWS(octals, unescapes) + cmocka_run_group_tests(tests, NULL, NULL);
}
