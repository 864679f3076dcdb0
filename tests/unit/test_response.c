/* SPDX-License-Identifier: MIT */
/* Against whom nothing is ever done, and how often anything is. */
#include "test.h"

#include <stdio.h>

#include "daemon/response_judge.h"
#include "util/clock.h"

static const struct response_own own = { .pid = 77, .executable = { "/usr/bin/culprit", 16 }, .cgroup = { "/system.slice/culprit.service", 29 } };

static void never(void **state)
{
    static const struct {
        pid_t pid, parent;
        const char *executable, *cgroup;
        bool expected, contained, others;
    } rows[] = {
        { 500, 1, "/opt/s1/s1-agent", "/system.slice/s1.service", false },
        { 500, 400, "/usr/bin/rm", "/user.slice/x", false },
        { 500, 400, "/usr/bin/bash", "/user.slice/x", false },
        { 500, 400, "/usr/bin/rm", "/", false },
        { 1, 0, "/usr/lib/systemd/systemd", "/init.scope", true },
        { 1, 0, "/sbin/tini", "/", true },
        { 0, 0, "/usr/bin/rm", "/", true },
        { 2, 0, "", "/", true },
        { 60, 2, "", "/", true },
        { 500, 400, "", "/", true },
        { 500, 2, "/usr/bin/rm", "/", true },
        { 77, 1, "/usr/bin/other", "/x", true },
        { 500, 1, "/usr/bin/culprit", "/x", true },
        { 500, 1, "/opt/culprit", "/x", true },
        { 500, 1, "/usr/bin/rm", "/system.slice/culprit.service", true },
        { 500, 1, "/usr/bin/rm", "/system.slice/culprit.service/inner", true },
        { 500, 1, "/usr/bin/rm", "/system.slice/culprit.service2", false },
        { 500, 1, "/usr/sbin/sshd", "/x", true },
        { 500, 1, "/usr/sbin/sshd (deleted)", "/x", true },
        { 500, 1, "/usr/lib/openssh/sshd-session", "/x", true },
        { 500, 1, "/usr/bin/sshd-like", "/x", false },
        { 500, 1, "/usr/bin/ssh", "/x", false },
        { 500, 1, "/usr/bin/dockerd", "/x", true },
        { 500, 1, "/usr/bin/containerd", "/x", true },
        { 500, 1, "/usr/bin/containerd-shim-runc-v2", "/x", true },
        { 500, 1, "/usr/bin/runc", "/x", true },
        { 500, 1, "/usr/lib/systemd/systemd-journald", "/x", true },
        { 500, 1, "/usr/bin/kubelet", "/x", true },
        /* a name that somebody chose */
        { 500, 1, "/usr/sbin/sshd", "/x", false, .contained = true },
        { 500, 1, "/usr/bin/runc", "/x", false, .contained = true },
        { 500, 1, "/usr/bin/culprit", "/x", false, .contained = true },
        { 77, 1, "/usr/bin/culprit", "/x", true, .contained = true },
        { 1, 0, "/usr/lib/systemd/systemd", "/init.scope", true, .contained = true },
        { 500, 1, "/usr/bin/rm", "/system.slice/culprit.service", true, .contained = true },
        { 500, 1, "/opt/u/sshd", "/x", false, .others = true },
        { 500, 1, "/opt/u/containerd-shim", "/x", false, .others = true },
        { 500, 1, "/usr/bin/culprit", "/x", true, .others = true }, /* the daemon's own is what its owner may write */
        { 500, 1, "/tmp/sshd", "/x", false },
        { 500, 1, "/tmp/sshd (deleted)", "/x", false },
        { 500, 1, "/var/tmp/a/su", "/x", false },
        { 500, 1, "/dev/shm/runc", "/x", false },
        { 500, 1, "/home/u/culprit", "/x", false },
        { 500, 1, "/run/user/1000/systemd-x", "/x", false },
        { 500, 1, "/homes/sshd", "/x", true },
        { 500, 1, "/run/sshd", "/x", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct response_process p = { rows[i].pid, rows[i].parent, bytes_of(rows[i].executable), bytes_of(rows[i].cgroup), rows[i].contained, rows[i].others };

        if ((response_never(&p, &own) != NULL) != rows[i].expected)
            fail_msg("row %zu: %s", i, rows[i].executable);
    }
}

static void never_cgroups(void **state)
{
    static const struct {
        const char *cgroup;
        bool expected;
    } rows[] = {
        { "", true },
        { "/", true },
        { "/system.slice", true }, /* the daemon is below it */
        { "/system.slice/culprit.service", true },
        { "/system.slice/culprit.service/inner", true },
        { "/..", true }, /* as somebody in a namespace of cgroups sees what is outside of it */
        { "/../s1.service", true },
        { "/../../system.slice/s1.service", true },
        { "/..s1.service", false },
        { "/system.slice/s1.service", false },
        { "/user.slice/user-1000.slice/session-3.scope", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((response_never_cgroup(bytes_of(rows[i].cgroup), &own) != NULL) != rows[i].expected)
            fail_msg("row %zu: %s", i, rows[i].cgroup);
}

static void limits(void **state)
{
    struct response_limit l = { .max = 3 };
    const uint64_t hour = 3600 * NS_PER_S, begin = 5 * NS_PER_S;

    (void)state;
    assert_true(response_limit_take(&l, begin));
    assert_true(response_limit_take(&l, begin + 1));
    response_limit_give_back(&l); /* it was none */
    assert_true(response_limit_take(&l, begin + 2));
    assert_true(response_limit_take(&l, begin + hour - 1));
    assert_true(response_limit_take(&l, begin + hour)); /* the first one is an hour ago */
    assert_false(l.disarmed);
    assert_false(response_limit_take(&l, begin + hour + 1));
    assert_true(l.disarmed);
    assert_false(response_limit_take(&l, begin + 100 * hour)); /* for good */
    l = (struct response_limit){ .max = RESPONSE_LIMIT_MAX + 5 };
    for (size_t i = 0; i < RESPONSE_LIMIT_MAX; i++)
        assert_true(response_limit_take(&l, begin));
    assert_false(response_limit_take(&l, begin));
    response_limit_give_back(&(struct response_limit){ 0 });
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(never), cmocka_unit_test(never_cgroups), cmocka_unit_test(limits) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
