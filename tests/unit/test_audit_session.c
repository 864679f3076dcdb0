/* SPDX-License-Identifier: MIT */
/* Whether the kernel was booted with auditing; who listens; one at a time. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/audit/session.h"
#include "sensor/audit/session_found.h"

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

/* Who comes at the same moment: forked while the lock is held, it has the descriptor as well. Writes "1" when it has the lock, "0": not in time. */
static pid_t begin_other(const char *dir, int ret[2])
{
    pid_t pid;

    assert_int_equal(pipe(ret), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int lock = audit_session_lock(dir, false);

        _exit(write(ret[1], lock >= 0 ? "1" : "0", 1) == 1 ? 0 : 1);
    }
    close(ret[1]);
    return pid;
}

static void one_at_a_time(void **state)
{
    char dir[] = "/tmp/culprit-session.XXXXXX", path[64], got = 0;
    int lock, ends[2], status;
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(audit_session_lock(dir, false), -EBADF); /* nothing is there that somebody could have left */
    for (unsigned tries = 0; got != '1' && tries < 5; tries++) { /* a machine may stand still for two seconds: then it is done without */
        lock = audit_session_lock(dir, true);
        assert_true(lock >= 0);
        pid = begin_other(dir, ends);
        usleep(50 * 1000);
        if (poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 0) == 1) {
            assert_int_equal(read(ends[0], &got, 1), 1);
            assert_int_equal(got, '0');
        }
        audit_session_unlock(lock);
        if (!got)
            assert_int_equal(read(ends[0], &got, 1), 1);
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        if (got == '0' && tries < 4)
            got = 0;
    }
    assert_int_equal(got, '1');
    snprintf(path, sizeof(path), "%s/" AUDIT_STATE_FILE ".lock", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(knows_listeners), cmocka_unit_test(one_at_a_time) };

    return RUN_ROWS(rows, boots) + cmocka_run_group_tests(tests, NULL, NULL);
}
