/* SPDX-License-Identifier: MIT */
/* Audit logs reported as events: who launched what, and what was run. */
#include "test.h"
#include "history_log.h"

#include <stdio.h>

#include "cause/cause.h"
#include "history/lineage.h"
#include "history/replay.h"
#include "util/limits.h"

/* What auditd added to a record names users, also of whoever launched; "unset" is nobody. */
static int keep_names(void *data, struct event *e)
{
    struct sbuf *out = data;

    for (const struct process *p = e->actor.process; p; p = p->parent) {
        sbuf_add_bytes(out, p->login_name);
        sbuf_addf(out, ",");
        sbuf_add_bytes(out, p->real_user_name);
        sbuf_addf(out, ",");
        sbuf_add_bytes(out, p->user_name);
        sbuf_addf(out, ",");
        sbuf_add_bytes(out, p->remote);
        sbuf_addf(out, ";");
    }
    event_free(e);
    return 0;
}

static void names_of_users(void **state)
{
    char path[] = "/tmp/culprit-history.XXXXXX";
    struct audit_log_files files = { 0 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct replay_options options = { .files = &files, .host = "here", .data = &out, .event = keep_names };
    struct replay_stats stats;

    (void)state;
    write_log(path,
              "type=USER_LOGIN msg=audit(1.400:4): pid=9 uid=0 auid=1000 ses=4 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" "
              "hostname=? addr=? terminal=/dev/pts/0 res=success'\n"
              "type=USER_LOGIN msg=audit(1.400:5): pid=9 uid=0 auid=1000 ses=3 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" "
              "hostname=10.0.0.7 addr=10.0.0.7 terminal=/dev/pts/0 res=success'\n"
              "type=USER_START msg=audit(1.400:6): pid=9 uid=0 auid=1000 ses=3 msg='op=PAM:session_open acct=\"root\" "
              "exe=\"/usr/bin/sudo\" hostname=? addr=? terminal=/dev/pts/0 res=success'\n"
              "type=USER_LOGIN msg=audit(1.400:7): pid=9 uid=0 auid=1000 ses=3 msg='op=login id=1000 exe=\"/usr/sbin/sshd\" "
              "hostname=10.0.0.9 addr=10.0.0.9 terminal=ssh res=failed'\n"
              "type=SYSCALL msg=audit(1.500:8): arch=c000003e syscall=2 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=0 ppid=1 pid=19 "
              "auid=1000 uid=1000 gid=0 euid=1000 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"bash\" exe=\"/bin/bash\" "
              "key=\"k\"\x1d" "ARCH=x86_64 SYSCALL=open AUID=\"ann\" UID=\"ann\" GID=\"root\" EUID=\"ann\" SUID=\"root\"\n"
              "type=SYSCALL msg=audit(1.500:9): arch=c000003e syscall=87 success=yes exit=0 a0=0 a1=0 a2=0 a3=0 items=2 ppid=19 pid=20 "
              "auid=1000 uid=1001 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"rm\" exe=\"/usr/bin/rm\" "
              "key=\"k\"\x1d" "ARCH=x86_64 SYSCALL=unlink AUID=\"ann\" UID=\"bob\" GID=\"root\" EUID=\"root\" SUID=\"root\"\n"
              CWD("1.500:9", "/a") NAMED("1.500:9", "0", "\"/a\"", "1", DIRECTORY, "PARENT")
              NAMED("1.500:9", "1", "\"x\"", "2", FILE_, "DELETE") END("1.500:9"));
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(replay_run(&options, &stats, NULL), 0);
    assert_string_equal(sbuf_str(&out), "ann,bob,root,10.0.0.7;ann,ann,ann,10.0.0.7;");
    assert_true(stats.enriched);
    unlink(path);
    audit_log_files_done(&files);
}

/* A daemon that was named once, and has launched ever since: more processes than are remembered. */
static void old_launchers(void **state)
{
    struct lineage *l = lineage_new();
    struct sighting daemon = { .pid = 5, .parent_pid = 1, .executable = BYTES("/opt/daemon"), .executes = true };

    (void)state;
    lineage_see(l, &daemon);
    for (pid_t pid = 10; pid < 10 + 3 * LIMIT_HISTORY_PROCESSES; pid++) {
        struct sighting child = { .pid = pid, .parent_pid = 5, .executable = BYTES("/usr/bin/rm") };
        struct process *p;

        lineage_see(l, &child);
        p = lineage_find(l, pid);
        assert_non_null(p);
        assert_non_null(p->parent);
        assert_int_equal(p->parent->pid, 5);
        process_unref(p);
    }
    assert_null(lineage_find(l, 10));
    lineage_free(l);
}

/* A script that ends by `exec rm`: the script is still there. A pid that comes round again is another process. */
static void a_script_that_became_rm(void **state)
{
    static const struct {
        pid_t parent_pid;
        uint64_t later_ms;
        uint32_t session;
        bool same;
    } cases[] = {
        { 5, 1000, 3, true }, { 6, 1000, 3, false }, { 5, 7200 * 1000, 3, false }, { 5, 1000, 4, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lineage *l = lineage_new();
        struct sighting script = { .pid = 7, .parent_pid = 5, .executable = BYTES("/bin/sh"), .executes = true,
                                   .script = BYTES("/opt/purge"), .time_ms = 1000, .session = 3 };
        struct sighting rm = { .pid = 7, .parent_pid = cases[i].parent_pid, .executable = BYTES("/bin/rm"),
                               .executes = true, .time_ms = 1000 + cases[i].later_ms, .session = cases[i].session };
        struct sighting act = rm;
        struct process *p;

        lineage_see(l, &script);
        lineage_see(l, &rm);
        act.executes = false;
        lineage_see(l, &act);
        p = lineage_find(l, 7);
        assert_bytes(p->executable, "/bin/rm");
        assert_int_equal(p->earlier != NULL, cases[i].same);
        if (p->earlier)
            assert_bytes(p->earlier->script, "/opt/purge");
        process_unref(p);
        lineage_free(l);
    }
}

/* ---- what was run ---- */

/* argv as EXECVE has it, then PATH records */
#define EXEC(t, ppid, pid, comm, exe, argv, paths) \
    CALL(t, "59", "yes", "0", "1", "2", ppid, pid, comm, exe) "type=EXECVE msg=audit(" t "): " argv "\n" CWD(t, "/opt") paths END(t)

#define PROGRAM(t, item, name, inode) NAMED(t, item, name, inode, "0100755", "NORMAL")
#define LOADER(t, item) PROGRAM(t, item, "\"/lib64/ld-linux-x86-64.so.2\"", "5003")

static const struct cause_row {
    const char *name, *log, *script, *cause; /* of the last event */
} cause_rows[] = {
    { "a program called by a symbolic link is no script",
      EXEC("1.000:1", "1", "20", "\"sh\"", "\"/usr/bin/dash\"", "argc=1 a0=\"sh\"",
           PROGRAM("1.000:1", "0", "\"/bin/sh\"", "5001") LOADER("1.000:1", "1"))
      CALL("1.100:2", "87", "yes", "0", "1", "2", "1", "20", "\"sh\"", "\"/usr/bin/dash\"") CWD("1.100:2", "/")
      NAMED("1.100:2", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.100:2", "1", "\"/a/x\"", "2", FILE_, "DELETE"), "", "shell-builtin dash" },
    { "an interpreter called by a link, its script an argument",
      EXEC("1.000:1", "1", "20", "\"python3\"", "\"/usr/bin/python3.11\"", "argc=2 a0=\"python3\" a1=\"jobs/tidy.py\"",
           PROGRAM("1.000:1", "0", "\"/usr/bin/python3\"", "5001") LOADER("1.000:1", "1"))
      CALL("1.100:2", "87", "yes", "0", "1", "2", "1", "20", "\"python3\"", "\"/usr/bin/python3.11\"") CWD("1.100:2", "/")
      NAMED("1.100:2", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.100:2", "1", "\"/a/x\"", "2", FILE_, "DELETE"), "", "script /opt/jobs/tidy.py" },
    { "a script by #!, which uses rm",
      EXEC("1.000:1", "1", "20", "\"tidy\"", "\"/usr/bin/dash\"", "argc=3 a0=\"/bin/sh\" a1=\"-e\" a2=\"./tidy\"",
           PROGRAM("1.000:1", "0", "\"./tidy\"", "5001") PROGRAM("1.000:1", "1", "\"/bin/sh\"", "5002") LOADER("1.000:1", "2"))
      EXEC("1.050:2", "20", "21", "\"rm\"", "\"/usr/bin/rm\"", "argc=2 a0=\"rm\" a1=\"/a/x\"", PROGRAM("1.050:2", "0", "\"/usr/bin/rm\"", "9") LOADER("1.050:2", "1"))
      RM_ONE("1.100:3", "20", "21", "/a", "1", "x", "2"), "", "script /opt/tidy" },
    { "a script by #! itself",
      EXEC("1.000:1", "1", "20", "\"tidy\"", "\"/usr/bin/perl\"", "argc=2 a0=\"/usr/bin/perl\" a1=\"/opt/tidy\"",
           PROGRAM("1.000:1", "0", "\"/opt/tidy\"", "5001") PROGRAM("1.000:1", "1", "\"/usr/bin/perl\"", "5002") LOADER("1.000:1", "2"))
      CALL("1.100:2", "87", "yes", "0", "1", "2", "1", "20", "\"tidy\"", "\"/usr/bin/perl\"") CWD("1.100:2", "/")
      NAMED("1.100:2", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.100:2", "1", "\"/a/x\"", "2", FILE_, "DELETE"), "/opt/tidy", "script /opt/tidy" },
};

static int keep_cause(void *data, struct event *e)
{
    struct sbuf *out = data;

    if (e->operation == OPERATION_UNLINK) {
        cause_remember(e);
        sbuf_clear(out);
        sbuf_add_bytes(out, e->actor.process->script);
        sbuf_addf(out, "|%s ", cause_run_name(e->cause.run.kind));
        sbuf_add_bytes(out, e->cause.run.name);
    }
    event_free(e);
    return 0;
}

static void causes(void **state)
{
    const struct cause_row *row = *state;
    char path[] = "/tmp/culprit-history.XXXXXX", expected[256];
    struct audit_log_files files = { 0 };
    struct replay_stats stats;
    struct sbuf out = SBUF_INIT;
    struct replay_options options = { .files = &files, .host = "here", .data = &out, .event = keep_cause };

    write_log(path, row->log);
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(replay_run(&options, &stats, NULL), 0);
    snprintf(expected, sizeof(expected), "%s|%s", row->script, row->cause);
    assert_string_equal(sbuf_str(&out), expected);
    sbuf_done(&out);
    unlink(path);
    audit_log_files_done(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_launchers),
        cmocka_unit_test(names_of_users),
        cmocka_unit_test(a_script_that_became_rm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(cause_rows, causes);
}
