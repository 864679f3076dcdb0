/* SPDX-License-Identifier: MIT */
/* Logs into a store: once, whatever happens in between. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "daemon/import.h"
#include "event/operation.h"
#include "util/sbuf.h"

static char dir[64], place[128];

static const char *in_dir(const char *name)
{
    snprintf(place, sizeof(place), "%s/%s", dir, name);
    return place;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s/culprit-import.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* no disk is waited for */
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

/* ---- logs ---- */

static void add_call(struct sbuf *out, unsigned long long serial, uint64_t sec, unsigned call, unsigned ppid, unsigned pid,
                     const char *exe)
{
    sbuf_addf(out, "type=SYSCALL msg=audit(%llu.%03llu:%llu): arch=c000003e syscall=%u success=yes exit=0 a0=1 a1=2 a2=0 a3=0 "
                   "items=%u ppid=%u pid=%u auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=3 "
                   "comm=\"x\" exe=\"%s\" key=\"k\"\n",
              (unsigned long long)sec + serial / 1000, serial % 1000, serial, call, call == 59 ? 1u : 2u, ppid, pid, exe);
}

static void add_path(struct sbuf *out, unsigned long long serial, uint64_t sec, const char *name, unsigned long long inode,
                     const char *type)
{
    sbuf_addf(out, "type=PATH msg=audit(%llu.%03llu:%llu): item=0 name=\"%s\" inode=%llu dev=fe:00 mode=%s ouid=0 ogid=0 "
                   "rdev=00:00 nametype=%s cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\n",
              (unsigned long long)sec + serial / 1000, serial % 1000, serial, name, inode,
              type[0] == 'P' ? "040755" : "0100644", type);
}

static void add_end(struct sbuf *out, unsigned long long serial, uint64_t sec)
{
    sbuf_addf(out, "type=PROCTITLE msg=audit(%llu.%03llu:%llu): proctitle=\"x\"\n", (unsigned long long)sec + serial / 1000,
              serial % 1000, serial);
}

/* Deletions by children of two daemons that are launched once, at the beginning: whoever goes on later has to know them. */
static void add_log(struct sbuf *out, unsigned from, unsigned to, uint64_t sec)
{
    for (unsigned i = from; i < to; i++) {
        char name[32];

        if (i < 2) {
            add_call(out, i + 1, sec, 59, 1, 100 + i, i ? "/opt/b/daemon" : "/opt/a/daemon");
            add_path(out, i + 1, sec, "/opt/daemon", 5, "NORMAL");
            add_end(out, i + 1, sec);
            continue;
        }
        snprintf(name, sizeof(name), "file%u", i);
        add_call(out, i + 1, sec, 87, 100 + i % 2, 1000 + i % 500, "/usr/bin/rm");
        sbuf_addf(out, "type=CWD msg=audit(%llu.%03u:%u): cwd=\"/srv/w\"\n", (unsigned long long)sec + (i + 1) / 1000, (i + 1) % 1000,
                  i + 1);
        add_path(out, i + 1, sec, "/srv/w", 1, "PARENT");
        add_path(out, i + 1, sec, name, 1000 + i, "DELETE");
        add_end(out, i + 1, sec);
    }
}

static void write_file(const char *name, const char *data, size_t len, int flags)
{
    int fd = open(in_dir(name), O_WRONLY | O_CREAT | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    close(fd);
}

/* ---- importing ---- */

static struct store *open_store(const char *name, bool read_only)
{
    char path[128];
    struct store_options options = { .path = path, .patient = true, .read_only = read_only };
    struct store *store = NULL;
    struct err err = ERR_INIT;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

struct stop {
    unsigned after; /* blocks; 0 = never */
    bool kill;
};

static int on_progress(void *data, const struct replay_stats *stats)
{
    struct stop *stop = data;

    (void)stats;
    if (!stop->after || --stop->after)
        return 0;
    if (stop->kill) {
        usleep(300000); /* some batches are written */
        (void)kill(getpid(), SIGKILL);
    }
    return 1;
}

static struct import_result import(const char *db, const char *logs, struct stop stop)
{
    struct store *store = open_store(db, false);
    struct audit_log_files files = { 0 };
    struct import_options options = { .store = store, .files = &files, .data = &stop, .progress = on_progress };
    struct import_result result;
    struct err err = ERR_INIT;

    if (audit_log_files_add(&files, in_dir(logs), AUDIT_LOG_ROTATIONS_ALL, &err) < 0)
        fail_msg("%s", err.text);
    if (import_run(&options, &result, &err) < 0)
        fail_msg("%s", err.text);
    audit_log_files_done(&files);
    store_close(store);
    return result;
}

static int report(void *data, struct event *e)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%s ", operation_info(e->operation)->name);
    sbuf_add_bytes(out, e->path);
    for (const struct process *p = e->actor.process; p; p = p->parent) {
        sbuf_add_str(out, " < ");
        sbuf_add_bytes(out, p->executable);
    }
    sbuf_add_char(out, '\n');
    event_free(e);
    return 0;
}

static int count_gap(void *data, const struct gap *gap)
{
    (void)gap;
    ++*(unsigned *)data;
    return 0;
}

static int count_coverage(void *data, const struct coverage *coverage)
{
    (void)coverage;
    ++*(unsigned *)data;
    return 0;
}

/* All that `who` would report of it. */
static struct sbuf story(const char *db)
{
    struct store *store = open_store(db, true);
    struct store_query all = { .any_victim = true };
    struct sbuf out = SBUF_INIT;

    assert_int_equal(store_each_event(store, &all, report, &out, NULL), 0);
    store_close(store);
    return out;
}

static unsigned count(const char *db, bool gaps)
{
    struct store *store = open_store(db, true);
    struct store_query all = { .any_victim = true };
    unsigned n = 0;

    if (gaps)
        assert_int_equal(store_each_gap(store, &all, count_gap, &n, NULL), 0);
    else
        assert_int_equal(store_each_coverage(store, &all, count_coverage, &n, NULL), 0);
    store_close(store);
    return n;
}

static void assert_same_story(const char *db, const char *other)
{
    struct sbuf a = story(db), b = story(other);

    assert_true(a.len > 100);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    sbuf_done(&a);
    sbuf_done(&b);
}

/* The verdict is written when the log is closed: products are still there. */
static int keep_process(void *data, struct event *e)
{
    struct process **kept = data;

    process_unref(*kept);
    *kept = process_ref(e->actor.process);
    event_free(e);
    return 0;
}

static void products_outlive_the_log(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct audit_log_files files = { 0 };
    struct agents *agents = NULL;
    struct process *kept = NULL;
    struct logs_options options = { .files = &files, .data = &kept, .event = keep_process };
    struct replay_stats stats;

    (void)state;
    add_call(&log, 1, 1700000000, 87, 1, 7, "/opt/sentinelone/bin/sentinelone-agent");
    sbuf_add_str(&log, "type=CWD msg=audit(1700000000.001:1): cwd=\"/srv\"\n");
    add_path(&log, 1, 1700000000, "/srv", 1, "PARENT");
    add_path(&log, 1, 1700000000, "x", 2, "DELETE");
    add_end(&log, 1, 1700000000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    assert_int_equal(agents_parse(agents_builtin(), &agents, NULL), 0);
    options.agents = agents;
    assert_int_equal(audit_log_files_add(&files, in_dir("audit.log"), AUDIT_LOG_ROTATIONS_ALL, NULL), 0);
    assert_int_equal(logs_read(&options, &stats, NULL), 0);
    assert_non_null(kept);
    assert_non_null(kept->owner.agent);
    assert_bytes(kept->owner.agent->product, "SentinelOne");
    process_unref(kept);
    agents_free(agents);
    audit_log_files_done(&files);
    sbuf_done(&log);
}

#define MANY 12000 /* about 9 MB: nine blocks */

static void twice_adds_nothing(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct import_result r;

    (void)state;
    add_log(&log, 0, 3000, 1700000000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    r = import("a.db", "audit.log", (struct stop){ 0 });
    assert_int_equal(r.stats.changes, 3000); /* two were executions */
    assert_int_equal(count("a.db", false), 1);
    r = import("a.db", "audit.log", (struct stop){ 0 });
    assert_true(r.nothing_new);
    assert_int_equal(r.stats.lines, 0);
    assert_int_equal(r.passed_files, 1);
    assert_int_equal(count("a.db", false), 1);
    /* a copy is another file: it is read, and adds nothing; damaged lines in it are reported once */
    sbuf_add_str(&log, "type=SYSCALL garbage\ngarbage\n");
    write_file("copy.log", log.data, log.len, O_TRUNC);
    r = import("a.db", "copy.log", (struct stop){ 0 });
    assert_false(r.nothing_new);
    assert_int_equal(count("a.db", false), 1);
    assert_int_equal(count("a.db", true), 1);
    write_file("copy2.log", log.data, log.len, O_TRUNC);
    import("a.db", "copy2.log", (struct stop){ 0 });
    assert_int_equal(count("a.db", false), 1);
    assert_int_equal(count("a.db", true), 1);
    import("b.db", "audit.log", (struct stop){ 0 });
    assert_same_story("a.db", "b.db");
    sbuf_done(&log);
}

static void goes_on_where_it_was_stopped(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct import_result r;
    uint64_t first;

    (void)state;
    add_log(&log, 0, MANY, 1700000000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    import("whole.db", "audit.log", (struct stop){ 0 });
    r = import("part.db", "audit.log", (struct stop){ .after = 3 });
    assert_true(r.stats.changes > 500 && r.stats.changes < MANY);
    /* among what is read for who is who only, then behind it */
    r = import("part.db", "audit.log", (struct stop){ .after = 2 });
    assert_int_equal(r.stats.changes, 0);
    first = r.passed_bytes;
    assert_true(first > 1 << 20);
    r = import("part.db", "audit.log", (struct stop){ .after = 5 });
    assert_int_equal(r.passed_bytes, first);
    r = import("part.db", "audit.log", (struct stop){ 0 });
    assert_true(r.passed_bytes > first);
    assert_true(r.stats.lines < MANY * 5);
    assert_same_story("part.db", "whole.db");
    assert_int_equal(count("part.db", true), 0);
    assert_true(import("part.db", "audit.log", (struct stop){ 0 }).nothing_new);
    sbuf_done(&log);
}

static void goes_on_after_a_kill(void **state)
{
    struct sbuf log = SBUF_INIT;
    int status;
    pid_t pid;

    (void)state;
    add_log(&log, 0, MANY, 1700000000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    import("whole.db", "audit.log", (struct stop){ 0 });
    pid = fork_child();
    if (pid == 0) {
        import("killed.db", "audit.log", (struct stop){ .after = 4, .kill = true });
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    import("killed.db", "audit.log", (struct stop){ 0 });
    assert_same_story("killed.db", "whole.db");
    sbuf_done(&log);
}

/* It grows, is rotated under another name, and a new one begins. */
static void follows_rotation(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct import_result r;
    size_t first;

    (void)state;
    mkdir(in_dir("rot"), 0700);
    mkdir(in_dir("all"), 0700);
    add_log(&log, 0, 2000, 1700000000);
    first = log.len;
    write_file("rot/audit.log", log.data, log.len, O_TRUNC);
    import("rot.db", "rot", (struct stop){ 0 });
    add_log(&log, 2000, 2500, 1700000000);
    write_file("rot/audit.log", log.data + first, log.len - first, O_APPEND);
    r = import("rot.db", "rot", (struct stop){ 0 });
    assert_int_equal(r.passed_bytes, first);
    assert_int_equal(r.stats.changes, 500);
    write_file("all/audit.log", log.data, log.len, O_TRUNC);

    char old[128];

    snprintf(old, sizeof(old), "%s", in_dir("rot/audit.log"));
    assert_int_equal(rename(old, in_dir("rot/audit.log.1")), 0);
    log.len = 0;
    add_log(&log, 2500, 3000, 1700000000);
    write_file("rot/audit.log", log.data, log.len, O_TRUNC);
    r = import("rot.db", "rot", (struct stop){ 0 });
    assert_int_equal(r.passed_files, 1);
    assert_int_equal(r.stats.changes, 500);
    write_file("all/audit.log", log.data, log.len, O_APPEND);
    import("all.db", "all", (struct stop){ 0 });
    assert_same_story("rot.db", "all.db");
    sbuf_done(&log);
}

/* Emptied and written anew in place (copytruncate): the same file, another log. */
static void sees_truncation(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct import_result r;

    (void)state;
    add_log(&log, 0, 1000, 1700000000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    import("t.db", "audit.log", (struct stop){ 0 });
    log.len = 0;
    add_log(&log, 0, 1500, 1700050000);
    write_file("audit.log", log.data, log.len, O_TRUNC);
    r = import("t.db", "audit.log", (struct stop){ 0 });
    assert_int_equal(r.passed_bytes, 0);
    assert_int_equal(r.stats.changes, 1500);
    /* cut, and longer again with something else behind the cut */
    assert_int_equal(truncate(in_dir("audit.log"), (off_t)(log.len / 2)), 0);
    r = import("t.db", "audit.log", (struct stop){ 0 });
    assert_int_equal(r.passed_bytes, 0);
    sbuf_done(&log);
}

/* The newest log is being written: half a line, and an event whose end is missing, are for the next time. */
static void leaves_what_is_being_written(void **state)
{
    struct sbuf log = SBUF_INIT;
    struct import_result r;
    uint64_t now = (uint64_t)time(NULL);
    size_t cut;

    (void)state;
    add_log(&log, 0, 10, now);
    cut = log.len - 300; /* within the last event's PATH records */
    write_file("audit.log", log.data, cut, O_TRUNC);
    r = import("live.db", "audit.log", (struct stop){ 0 });
    assert_int_equal(r.stats.left_open, 1);
    assert_int_equal(r.stats.changes, 9);
    assert_int_equal(r.stats.damaged, 0);
    assert_int_equal(count("live.db", true), 0);
    write_file("audit.log", log.data + cut, log.len - cut, O_APPEND);
    r = import("live.db", "audit.log", (struct stop){ 0 });
    import("then.db", "audit.log", (struct stop){ 0 });
    assert_same_story("live.db", "then.db");

    /* long ago: nobody will write the rest */
    log.len = 0;
    add_log(&log, 0, 10, 1600000000);
    write_file("old.log", log.data, log.len - 300, O_TRUNC);
    r = import("old.db", "old.log", (struct stop){ 0 });
    assert_int_equal(r.stats.left_open, 0);
    assert_true(import("old.db", "old.log", (struct stop){ 0 }).nothing_new);
    sbuf_done(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(products_outlive_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(twice_adds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_where_it_was_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sees_truncation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_what_is_being_written, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
