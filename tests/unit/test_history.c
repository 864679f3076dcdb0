/* SPDX-License-Identifier: MIT */
/* Audit logs reported as events: paths from working directories, parents and inodes; ids; holes. */
#include "test.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history_log.h"

#include "event/operation.h"
#include "history/proc_root.h"
#include "history/replay.h"

#define OF_EXEC(t, ppid, pid, comm, exe) \
    CALL_OF("1", t, "59", "yes", "0", "1", "2", ppid, pid, comm, exe) \
    "type=EXECVE msg=audit(" t "): argc=1 a0=" comm "\n" CWD(t, "/") NAMED(t, "0", exe, "9", "0100755", "NORMAL") END(t)

/* rm -rf /srv/tree: `sub` is entered by descriptor, named only by its own removal at last; the PARENT's name lies */
#define RM_TREE \
    CALL("100.000:1", "263", "yes", "0", "4", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("100.000:1", "/root") \
    NAMED("100.000:1", "0", "\"/root\"", "701", DIRECTORY, "PARENT") NAMED("100.000:1", "1", "\"leaf\"", "702", FILE_, "DELETE") \
    END("100.000:1") \
    CALL("100.000:2", "84", "yes", "0", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("100.000:2", "/root") \
    NAMED("100.000:2", "0", "\"/srv\"", "700", DIRECTORY, "PARENT") \
    NAMED("100.000:2", "1", "\"/srv/tree\"", "701", DIRECTORY, "DELETE") END("100.000:2")

/* the same two floors deeper: every directory but the first is named in one that is named later */
#define RM_BELOW(t, parent, name, inode) \
    CALL(t, "263", "yes", "0", "4", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD(t, "/root") \
    NAMED(t, "0", "\"/root\"", parent, DIRECTORY, "PARENT") NAMED(t, "1", name, inode, FILE_, "DELETE") END(t)

#define RMDIR_BELOW(t, parent, name, inode) \
    "type=SYSCALL msg=audit(" t "): arch=c000003e syscall=263 success=yes exit=0 a0=4 a1=2 a2=200 a3=0 items=2 ppid=1 pid=20 " \
    "auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 comm=\"rm\" exe=\"/usr/bin/rm\" key=\"k\"\n" \
    CWD(t, "/root") NAMED(t, "0", "\"/root\"", parent, DIRECTORY, "PARENT") NAMED(t, "1", name, inode, DIRECTORY, "DELETE") END(t)
#define RM_DEEP \
    RM_BELOW("9.000:1", "704", "\"leaf\"", "705") RMDIR_BELOW("9.000:2", "703", "\"c\"", "704") \
    RMDIR_BELOW("9.000:3", "702", "\"b\"", "703") RMDIR_BELOW("9.000:4", "701", "\"a\"", "702") \
    CALL("9.000:5", "84", "yes", "0", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("9.000:5", "/root") \
    NAMED("9.000:5", "0", "\"/srv\"", "700", DIRECTORY, "PARENT") \
    NAMED("9.000:5", "1", "\"/srv/tree\"", "701", DIRECTORY, "DELETE") END("9.000:5")
#define MOVE(from, to, mode) \
    CALL("1.500:7", "82", "yes", "0", "1", "2", "1", "20", "\"mv\"", "\"/usr/bin/mv\"") CWD("1.500:7", "/data") \
    NAMED("1.500:7", "0", "\"/data/\"", "11", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"/data/\"", "11", DIRECTORY, "PARENT") \
    NAMED("1.500:7", "2", "\"/data/" from "\"", "12", mode, "DELETE") \
    NAMED("1.500:7", "3", "\"/data/" to "\"", "12", mode, "CREATE") END("1.500:7")
#define BY_RM " ok by /usr/bin/rm(20)\n"

static const struct row {
    const char *name;
    const char *path;     /* asked for; NULL = everything */
    const char *log;
    const char *expected; /* one line an event, see report() */
} rows[] = {
    { "a name completed from the working directory", NULL, RM_ONE("1.500:7", "1", "20", "/prd/bin", "700", "tool", "701"),
      "unlink /prd/bin/tool ok by /usr/bin/rm(20)\n" },
    { "dots in a name", NULL, RM_ONE("1.500:7", "1", "20", "/prd/bin", "700", ".././bin//tool", "701"),
      "unlink /prd/bin/tool ok by /usr/bin/rm(20)\n" },
    { "a name in hexadecimal", NULL,
      CALL("1.500:7", "87", "yes", "0", "1", "2", "1", "20", "6D7920726D", "2F6F70742F6D7920726D") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "612062", "2", FILE_, "DELETE") END("1.500:7"),
      "unlink /a/a b ok by /opt/my rm(20)\n" },
    { "by descriptor, the directory told later, PARENT's name not believed", NULL, RM_TREE,
      "unlink /srv/tree/leaf ok by /usr/bin/rm(20)\nrmdir /srv/tree ok by /usr/bin/rm(20)\n" },
    { "the same, asked for the file", "/srv/tree/leaf", RM_TREE, "unlink /srv/tree/leaf ok by /usr/bin/rm(20)\n" },
    { "the same, asked for what is below", "/srv", RM_TREE,
      "unlink /srv/tree/leaf ok by /usr/bin/rm(20)\nrmdir /srv/tree ok by /usr/bin/rm(20)\n" },
    { "the same, asked for the lie", "/root/leaf", RM_TREE, "" },
    { "a deep tree", NULL, RM_DEEP,
      "unlink /srv/tree/a/b/c/leaf" BY_RM "rmdir /srv/tree/a/b/c" BY_RM "rmdir /srv/tree/a/b" BY_RM "rmdir /srv/tree/a" BY_RM
      "rmdir /srv/tree" BY_RM },
    { "a deep tree, asked for the file", "/srv/tree/a/b/c/leaf", RM_DEEP, "unlink /srv/tree/a/b/c/leaf" BY_RM },
    { "a deep tree, asked for what is below", "/srv/tree/a/b", RM_DEEP,
      "unlink /srv/tree/a/b/c/leaf" BY_RM "rmdir /srv/tree/a/b/c" BY_RM "rmdir /srv/tree/a/b" BY_RM },
    { "a directory in itself", "/x",
      RMDIR_BELOW("9.000:2", "704", "\"c\"", "703") RMDIR_BELOW("9.000:3", "703", "\"x\"", "704"), "" },
    { "by descriptor, the directory never told", NULL,
      CALL("1.500:7", "263", "yes", "0", "4", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("1.500:7", "/root")
      NAMED("1.500:7", "0", "\"/root\"", "701", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"leaf\"", "702", FILE_, "DELETE") END("1.500:7"),
      "unlink leaf? ok by /usr/bin/rm(20)\n" },
    { "a neighbour of the same beginning is not below", "/prd/bin", RM_ONE("1.500:7", "1", "20", "/prd/binary", "700", "tool", "701"), "" },
    { "a rename is a pair", NULL,
      CALL("1.500:7", "82", "yes", "0", "1", "2", "1", "20", "\"mv\"", "\"/usr/bin/mv\"") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"/b\"", "2", DIRECTORY, "PARENT")
      NAMED("1.500:7", "2", "\"old\"", "3", FILE_, "DELETE") NAMED("1.500:7", "3", "\"/b/new\"", "3", FILE_, "CREATE") END("1.500:7"),
      "rename /b/new from /a/old ok by /usr/bin/mv(20)\n" },
    { "a rename over a file is two", NULL,
      CALL("1.500:7", "82", "yes", "0", "1", "2", "1", "20", "\"mv\"", "\"/usr/bin/mv\"") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"/a\"", "1", DIRECTORY, "PARENT")
      NAMED("1.500:7", "2", "\"old\"", "3", FILE_, "DELETE") NAMED("1.500:7", "3", "\"new\"", "4", FILE_, "DELETE")
      NAMED("1.500:7", "4", "\"new\"", "3", FILE_, "CREATE") END("1.500:7"),
      "rename /a/new from /a/old ok by /usr/bin/mv(20)\nreplace /a/new ok by /usr/bin/mv(20)\n" },
    { "a folder above was moved away", "/data/mid/leaf/k", MOVE("mid", "gone", DIRECTORY),
      "rename /data/gone from /data/mid ok by /usr/bin/mv(20)\n" },
    { "a folder above came", "/data/gone/leaf/k", MOVE("mid", "gone", DIRECTORY),
      "rename /data/gone from /data/mid ok by /usr/bin/mv(20)\n" },
    { "a folder beside was moved", "/data/mi/k", MOVE("mid", "gone", DIRECTORY), "" },
    { "a link on the way was deleted", "/data/current/conf",
      CALL("1.500:7", "87", "yes", "0", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("1.500:7", "/data")
      NAMED("1.500:7", "0", "\"/data\"", "11", DIRECTORY, "PARENT")
      NAMED("1.500:7", "1", "\"current\"", "12", "0120777", "DELETE") END("1.500:7"),
      "unlink /data/current ok by /usr/bin/rm(20)\n" },
    { "a rename asked for by its old name", "/a/old",
      CALL("1.500:7", "82", "yes", "0", "1", "2", "1", "20", "\"mv\"", "\"/usr/bin/mv\"") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"/b\"", "2", DIRECTORY, "PARENT")
      NAMED("1.500:7", "2", "\"old\"", "3", FILE_, "DELETE") NAMED("1.500:7", "3", "\"/b/new\"", "3", FILE_, "CREATE") END("1.500:7"),
      "rename /b/new from /a/old ok by /usr/bin/mv(20)\n" },
    { "refused", NULL,
      CALL("1.500:7", "87", "no", "-13", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") NAMED("1.500:7", "1", "\"x\"", "2", FILE_, "DELETE") END("1.500:7"),
      "unlink /a/x error 13 by /usr/bin/rm(20)\n" },
    { "nothing to do is no refusal", NULL,
      CALL_OF("1", "1.500:7", "87", "no", "-2", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"") CWD("1.500:7", "/a")
      NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT") END("1.500:7"),
      "" },
    { "a chmod, before and after", NULL,
      CALL_OF("1", "1.500:7", "90", "yes", "0", "1", "1fd", "1", "20", "\"chmod\"", "\"/bin/chmod\"") CWD("1.500:7", "/")
      NAMED("1.500:7", "0", "\"/prd\"", "1", "040555", "NORMAL") END("1.500:7"),
      "chmod /prd 0555 to 0775 ok by /bin/chmod(20)\n" },
    { "launchers by their own records", NULL,
      OF_EXEC("1.000:1", "1", "5", "\"sentineld\"", "\"/opt/s/sentineld\"") OF_EXEC("1.000:2", "5", "9", "\"agent\"", "\"/opt/s/agent\"")
      RM_ONE("1.100:3", "9", "20", "/a", "1", "x", "2"),
      "unlink /a/x ok by /usr/bin/rm(20) < /opt/s/agent(9) < /opt/s/sentineld(5)\n" },
    { "a launcher that is known only later is not guessed", NULL,
      RM_ONE("1.000:1", "9", "20", "/a", "1", "x", "2") OF_EXEC("1.000:2", "5", "9", "\"agent\"", "\"/opt/s/agent\""),
      "unlink /a/x ok by /usr/bin/rm(20)\n" },
    { "handed to pid 1, its launcher is remembered", NULL,
      OF_EXEC("1.000:1", "1", "9", "\"agent\"", "\"/opt/s/agent\"") RM_ONE("1.100:2", "9", "20", "/a", "1", "x", "2")
      RM_ONE("1.200:3", "1", "20", "/a", "1", "y", "3"),
      "unlink /a/x ok by /usr/bin/rm(20) < /opt/s/agent(9)\nunlink /a/y ok by /usr/bin/rm(20) < /opt/s/agent(9)\n" },
    { "a pid that is used again executes something else", NULL,
      OF_EXEC("1.000:1", "1", "9", "\"agent\"", "\"/opt/s/agent\"") OF_EXEC("2.000:2", "1", "9", "\"cron\"", "\"/usr/sbin/cron\"")
      RM_ONE("2.100:3", "9", "20", "/a", "1", "x", "2"),
      "unlink /a/x ok by /usr/bin/rm(20) < /usr/sbin/cron(9)\n" },
    { "after a reboot a pid is somebody else", NULL,
      OF_EXEC("1.000:90001", "1", "9", "\"agent\"", "\"/opt/s/agent\"") RM_ONE("99.100:3", "9", "20", "/a", "1", "x", "2"),
      "unlink /a/x ok by /usr/bin/rm(20)\n" },
    { "records of two events interleave", NULL,
      CALL("1.500:7", "87", "yes", "0", "1", "2", "1", "20", "\"rm\"", "\"/usr/bin/rm\"")
      CALL("1.500:8", "87", "yes", "0", "1", "2", "1", "21", "\"rm\"", "\"/usr/bin/rm\"") CWD("1.500:8", "/b") CWD("1.500:7", "/a")
      NAMED("1.500:8", "0", "\"/b\"", "11", DIRECTORY, "PARENT") NAMED("1.500:7", "0", "\"/a\"", "1", DIRECTORY, "PARENT")
      NAMED("1.500:8", "1", "\"y\"", "12", FILE_, "DELETE") NAMED("1.500:7", "1", "\"x\"", "2", FILE_, "DELETE") END("1.500:8") END("1.500:7"),
      "unlink /a/x ok by /usr/bin/rm(20)\nunlink /b/y ok by /usr/bin/rm(21)\n" },
    { "a cut last line", NULL, RM_ONE("1.500:7", "1", "20", "/a", "1", "x", "2") "type=SYSCALL msg=audit(1.6:8): arch=c00",
      "unlink /a/x ok by /usr/bin/rm(20)\n" },
    { "not an audit log", NULL, "hello\n\177ELF\n", "" },
    { "another program's lines", NULL, "Nov 24 12:00:00 host sshd[1]: hello\n", "" },
};

struct reporting {
    struct sbuf out;
    uint8_t last_id[16];
};

static void report_name(struct sbuf *out, struct bytes path, struct bytes certain)
{
    sbuf_add_bytes(out, path);
    if (!bytes_known(certain))
        sbuf_add_char(out, '?');
}

static int report(void *data, struct event *e)
{
    struct reporting *t = data;
    struct sbuf *out = &t->out;
    const struct process *p = e->actor.process;

    if (e->operation == OPERATION_EXEC) {
        event_free(e);
        return 0;
    }
    assert_memory_not_equal(e->id, t->last_id, sizeof(e->id));
    memcpy(t->last_id, e->id, sizeof(e->id));
    sbuf_addf(out, "%s ", operation_info(e->operation)->name);
    report_name(out, e->path, e->host_path);
    if (e->previous_path.len) {
        sbuf_add_str(out, " from ");
        report_name(out, e->previous_path, e->previous_host_path);
    }
    if (e->before.known & FILE_MODE)
        sbuf_addf(out, " %04o to %04o", e->before.mode & 07777, e->after.mode & 07777);
    if (e->error)
        sbuf_addf(out, " error %d by ", e->error);
    else
        sbuf_add_str(out, " ok by ");
    sbuf_add_bytes(out, e->actor.executable);
    sbuf_addf(out, "(%d)", e->actor.pid);
    assert_non_null(p);
    assert_int_equal(p->pid, e->actor.pid);
    for (p = p->parent; p; p = p->parent) {
        sbuf_add_str(out, " < ");
        sbuf_add_bytes(out, p->executable);
        sbuf_addf(out, "(%d)", p->pid);
    }
    sbuf_add_char(out, '\n');
    event_free(e);
    return 0;
}

static void reports(void **state)
{
    const struct row *row = *state;
    char path[] = "/tmp/culprit-history.XXXXXX";
    struct audit_log_files files = { 0 };
    struct reporting t = { .out = SBUF_INIT };
    struct replay_options options = { .files = &files, .host = "here", .data = &t, .event = report };
    struct replay_stats stats;

    write_log(path, row->log);
    if (row->path)
        options.path = bytes_of(row->path);
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(replay_run(&options, &stats, NULL), 0);
    assert_string_equal(sbuf_str(&t.out), row->expected);
    assert_int_equal(stats.damaged, strstr(row->name, "not an audit") ? 2 : 0);
    assert_int_equal(stats.incomplete, strstr(row->name, "a cut last") ? 1 : 0);
    assert_int_equal(stats.log.torn_lines, strstr(row->name, "a cut last") ? 1 : 0);
    unlink(path);
    audit_log_files_done(&files);
    sbuf_done(&t.out);
}

/* chmod -R goes into a directory by descriptor, and names what is in it alone: where that is may be said nowhere. */
static void counts_what_it_cannot_place(void **state)
{
    static const struct {
        const char *path;
        uint64_t unsure;
    } asked[] = { { "/srv/w", 1 }, { "/srv/w/x", 1 }, { NULL, 1 } };
    char path[] = "/tmp/culprit-history.XXXXXX";
    struct audit_log_files files = { 0 };

    (void)state;
    write_log(path, CALL_OF("1", "1.500:7", "268", "yes", "0", "ffffff9c", "2", "1", "20", "\"chmod\"", "\"/usr/bin/chmod\"") CWD("1.500:7", "/root")
              NAMED("1.500:7", "0", "\"/srv/w\"", "11", DIRECTORY, "NORMAL") END("1.500:7")
              CALL_OF("1", "1.500:8", "268", "yes", "0", "4", "2", "1", "20", "\"chmod\"", "\"/usr/bin/chmod\"") CWD("1.500:8", "/root")
              NAMED("1.500:8", "0", "\"x\"", "12", FILE_, "NORMAL") END("1.500:8"));
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        struct reporting t = { .out = SBUF_INIT };
        struct replay_options options = { .files = &files, .host = "here", .path = bytes_of(asked[i].path), .data = &t, .event = report };
        struct replay_stats stats;

        assert_int_equal(replay_run(&options, &stats, NULL), 0);
        assert_int_equal(stats.unsure, asked[i].unsure);
        sbuf_done(&t.out);
    }
    unlink(path);
    audit_log_files_done(&files);
}

/* ---- through /proc/PID/root ---- */

static const struct root_row {
    const char *name, *below;
} root_rows[] = {
    { "/proc/2190/root/prd/x", "/prd/x" },
    { "/proc/1/root/", "/" },
    { "/proc/1/root", "/proc/1/root" },
    { "/proc/self/root/prd", "/proc/self/root/prd" },
    { "/proc//root/prd", "/proc//root/prd" },
    { "/proc/1x/root/prd", "/proc/1x/root/prd" },
    { "/prd/x", "/prd/x" },
    { "", "" },
};

static void below_root(void **state)
{
    const struct root_row *row = *state;

    assert_bytes(replay_below_root(bytes_of(row->name)), row->below);
}

/* Read twice, from a pipe or a file: the same change has the same id; another host's has not. */
static int keep_id(void *data, struct event *e)
{
    memcpy(data, e->id, sizeof(e->id));
    event_free(e);
    return 0;
}

static void ids(void **state)
{
    char path[] = "/tmp/culprit-history.XXXXXX";
    struct audit_log_files files = { 0 };
    uint8_t id[3][16];
    struct replay_stats stats;

    (void)state;
    write_log(path, RM_ONE("1.500:7", "1", "20", "/a", "1", "x", "2"));
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct replay_options options = { .files = &files, .host = i == 2 ? "there" : "here", .data = id[i], .event = keep_id };

        assert_int_equal(replay_run(&options, &stats, NULL), 0);
        assert_int_equal(stats.changes, 1);
        assert_int_equal(stats.first_ms, 1500);
        assert_int_equal(stats.last_ms, 1500);
    }
    assert_memory_equal(id[0], id[1], 16);
    assert_memory_not_equal(id[0], id[2], 16);
    unlink(path);
    audit_log_files_done(&files);
}

/* ---- what a log says of its own holes ---- */

#define START(t) "type=DAEMON_START msg=audit(" t "): op=start ver=3.0.9 res=success\n"

#define STOP(t) "type=DAEMON_END msg=audit(" t "): op=terminate auid=0 pid=1 res=success\n"
#define ROTATE(t) "type=DAEMON_ROTATE msg=audit(" t "): op=rotate-logs auid=0 pid=1 res=success\n"
#define SET(t, what) "type=CONFIG_CHANGE msg=audit(" t "): op=set " what " auid=0 ses=1 res=1\n"
#define USER(t) "type=USER_LOGIN msg=audit(" t "): pid=1 uid=0\n"

static const struct outage_row {
    const char *name, *log, *expected; /* kind from-to count; */
} outage_rows[] = {
    { "none", USER("1.000:1") USER("2.000:2"), "" },
    { "the log begins with auditd", START("1.000:1") USER("2.000:2"), "" },
    { "stopped in order", USER("1.000:1") STOP("2.000:9") START("5.000:10"), "stopped 2000-5000 0;" },
    { "stopped until the end", USER("1.000:1") STOP("2.000:9"), "stopped 2000-0 0;" },
    { "killed", USER("1.000:1") START("5.000:10"), "killed 1000-5000 0;" },
    { "rotated", USER("1.000:1") ROTATE("2.000:2") USER("3.000:3"), "" },
    { "switched off and on", SET("1.000:1", "audit_enabled=0 old=1") SET("3.000:2", "audit_enabled=1 old=0"), "disabled 1000-3000 0;" },
    { "switched off twice, locked", SET("1.000:1", "audit_enabled=0 old=1") SET("2.000:2", "audit_enabled=0 old=0")
      SET("3.000:3", "audit_enabled=2 old=0"), "disabled 1000-3000 0;" },
    { "another setting", SET("1.000:1", "audit_backlog_limit=8192 old=64"), "" },
    { "a counter that was reset", USER("1.000:1") SET("2.000:2", "lost=0 old=12") SET("3.000:3", "lost=0 old=0"), "lost 1000-2000 12;" },
    { "the kernel's own message", USER("1.000:1") "Nov 24 12:00:00 h kernel: audit: backlog limit exceeded\n"
      "audit: audit_lost=3 audit_rate_limit=0 audit_backlog_limit=64\n" USER("2.000:2")
      "audit: audit_lost=5 audit_rate_limit=0 audit_backlog_limit=64\n" SET("3.000:4", "lost=0 old=6"),
      "lost 1000-1000 3;lost 2000-2000 2;lost 2000-3000 1;" },
};

static int drop_event(void *data, struct event *e)
{
    (void)data;
    event_free(e);
    return 0;
}

static int stop_at_once(void *data, const struct replay_stats *stats, uint64_t offset)
{
    (void)stats;
    (void)offset;
    ++*(unsigned *)data;
    return 7;
}

/* Nobody opens the fifo for writing, or somebody does and is silent: it can be stopped. */
static void ends_at_a_silent_pipe(void **state)
{
    char dir[] = "/tmp/culprit-history.XXXXXX", path[64];

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (int opened = 0; opened < 2; opened++) {
        int writer = opened ? open(path, O_RDWR | O_CLOEXEC) : -1;
        struct audit_log_files files = { 0 };
        unsigned asked = 0;
        struct replay_options options = { .files = &files, .host = "here", .event = drop_event, .progress = stop_at_once, .progress_data = &asked };
        struct replay_stats stats;

        assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
        assert_int_equal(replay_run(&options, &stats, NULL), 7);
        assert_int_equal(asked, 1);
        audit_log_files_done(&files);
        if (opened)
            close(writer);
    }
    unlink(path);
    rmdir(dir);
}

static void finds_outages(void **state)
{
    static const char *const kinds[] = { "stopped", "killed", "disabled", "lost" };
    const struct outage_row *row = *state;
    char path[] = "/tmp/culprit-history.XXXXXX";
    struct audit_log_files files = { 0 };
    struct replay_options options = { .files = &files, .host = "here", .event = drop_event };
    struct sbuf out = SBUF_INIT;
    struct replay_stats stats;

    write_log(path, row->log);
    assert_int_equal(audit_log_files_add(&files, path, AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(replay_run(&options, &stats, NULL), 0);
    for (unsigned i = 0; i < stats.outages.count; i++) {
        const struct outage *o = &stats.outages.rows[i];

        assert_true(outage_text(o->kind)[0]);
        sbuf_addf(&out, "%s %lu-%lu %lu;", kinds[o->kind], (unsigned long)o->from_ms, (unsigned long)o->to_ms,
                  (unsigned long)o->count);
    }
    assert_string_equal(sbuf_str(&out), row->expected);
    assert_int_equal(stats.damaged, 0);
    unlink(path);
    audit_log_files_done(&files);
    sbuf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_it_cannot_place),
        cmocka_unit_test(ids),
        cmocka_unit_test(ends_at_a_silent_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(rows, reports) +
           RUN_ROWS(outage_rows, finds_outages) +
           RUN_ROWS(root_rows, below_root);
}
