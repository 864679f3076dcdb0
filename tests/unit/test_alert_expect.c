/* SPDX-License-Identifier: MIT */
/* Each row of what is expected, with what fits and what nearly does; the blocks; the table of severities. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alert/expect.h"
#include "alert/severity.h"
#include "event/operation.h"
#include "make.h"

#define ALL_ROWS (~UINT64_C(0))
#define OWN_PID 77

enum side { HOST, WEB, DB }; /* where the actor lives, or whose file it is */

struct made {
    enum operation operation;
    const char *path, *previous;
    int error;
    const char *executable, *parent;
    enum side actor, victim;
    enum victim_kind kind; /* 0: as the victim says */
    enum launcher_kind launcher;
    const char *launched_by; /* executable of the launcher's process */
    bool looks_like;
    enum run_kind run;
    const char *run_name, *directory, *tool;
    bool claimed;
    bool interactive;
    uint32_t person; /* 0: nobody */
    uint32_t file_uid;
    uint32_t mode, before, after; /* 0: not known */
    pid_t pid, parent_pid;
};

static struct container *containers[3];

static struct event *make_it(const struct made *m)
{
    struct process *parent = make_process(m->parent_pid ? m->parent_pid : 40, m->parent ? m->parent : "/usr/lib/systemd/systemd", NULL);
    struct process *actor = make_process(m->pid ? m->pid : 50, m->executable ? m->executable : "/usr/bin/rm", parent);
    struct event *e;

    if (m->actor != HOST) {
        actor->origin = ORIGIN_CONTAINER;
        actor->container = container_ref(containers[m->actor]);
    }
    e = make_event(m->operation ? m->operation : OPERATION_UNLINK, m->path, actor, m->victim == HOST ? NULL : containers[m->victim],
                   1700000000000000000ull);
    if (m->kind)
        e->victim_kind = m->kind;
    if (m->previous)
        event_set(e, &e->previous_path, bytes_of(m->previous));
    e->error = m->error;
    e->cause.launcher.kind = m->launcher;
    if (m->launched_by) {
        e->cause.launcher.process = make_process(30, m->launched_by, NULL);
        e->cause.launcher.process->owner.looks_like = m->looks_like;
    }
    e->cause.run.kind = m->run;
    e->cause.run.name = bytes_of(m->run_name);
    e->cause.run.directory = bytes_of(m->directory);
    e->cause.run.claimed = m->claimed;
    e->cause.tool = bytes_of(m->tool);
    e->cause.person.interactive = m->interactive;
    e->cause.person.known = m->person != 0;
    e->cause.person.id = m->person;
    if (m->file_uid) {
        e->file.known |= FILE_UID;
        e->file.uid = m->file_uid;
    }
    if (m->mode) {
        e->file.known |= FILE_MODE;
        e->file.mode = m->mode;
    }
    if (m->before)
        e->before = (struct file_state){ .known = FILE_MODE, .mode = m->before };
    if (m->after)
        e->after = (struct file_state){ .known = FILE_MODE, .mode = m->after };
    process_unref(actor);
    return e;
}

/* ---- rows ---- */

static const struct row {
    const char *name;
    enum expected expected;
    struct made m;
} rows[] = {
    { "rm by nobody known", EXPECTED_NONE, { .path = "/etc/hosts" } },
    { "a read", EXPECTED_READ, { .operation = OPERATION_READ, .path = "/etc/shadow" } },
    { "an execution", EXPECTED_READ, { .operation = OPERATION_EXEC, .path = "/usr/bin/id" } },
    { "opened for writing", EXPECTED_READ, { .operation = OPERATION_OPEN_WRITE, .path = "/etc/hosts" } },
    { "nothing was there", EXPECTED_FAILED, { .path = "/etc/x", .error = ENOENT } },
    { "refused", EXPECTED_NONE, { .path = "/etc/x", .error = EACCES } },

    { "our own child", EXPECTED_OWN, { .path = "/var/lib/culprit/h/f", .parent_pid = OWN_PID } },
    { "a sink's program", EXPECTED_OWN, { .path = "/etc/x", .parent = "/usr/bin/culprit", .parent_pid = OWN_PID, .pid = 90 } },
    { "a child of another one", EXPECTED_NONE, { .path = "/var/lib/culprit/h/f", .parent_pid = OWN_PID + 1 } },

    { "dpkg on /usr", EXPECTED_PACKAGE, { .path = "/usr/bin/borg", .executable = "/usr/bin/dpkg", .launcher = LAUNCHER_PACKAGE } },
    { "dpkg renames", EXPECTED_PACKAGE,
      { .operation = OPERATION_RENAME, .path = "/usr/bin/borg", .previous = "/usr/bin/borg.dpkg-new", .launcher = LAUNCHER_PACKAGE } },
    { "a maintainer script", EXPECTED_PACKAGE, { .path = "/etc/alternatives/vi", .run = RUN_MAINTAINER, .run_name = "postinst of vim" } },
    { "apt in its container", EXPECTED_PACKAGE, { .path = "/usr/bin/borg", .actor = WEB, .victim = WEB, .launcher = LAUNCHER_PACKAGE } },
    { "dpkg elsewhere", EXPECTED_NONE, { .path = "/srv/data/x", .launcher = LAUNCHER_PACKAGE } },
    { "dpkg on a home", EXPECTED_NONE, { .path = "/home/a/x", .launcher = LAUNCHER_PACKAGE } },
    { "dpkg on /usr/local", EXPECTED_NONE, { .path = "/usr/local/bin/x", .launcher = LAUNCHER_PACKAGE } },
    { "dpkg takes from elsewhere", EXPECTED_NONE,
      { .operation = OPERATION_RENAME, .path = "/usr/bin/x", .previous = "/srv/x", .launcher = LAUNCHER_PACKAGE } },
    { "the host's dpkg in a container", EXPECTED_NONE, { .path = "/usr/bin/x", .victim = WEB, .launcher = LAUNCHER_PACKAGE } },
    { "says that it is a maintainer script", EXPECTED_NONE, { .path = "/etc/x", .run = RUN_MAINTAINER, .claimed = true } },

    { "entry point in its layer", EXPECTED_CONTAINER, { .path = "/app/x", .actor = WEB, .victim = WEB, .launcher = LAUNCHER_ENTRY_POINT } },
    { "health check in its layer", EXPECTED_CONTAINER,
      { .path = "/app/x", .actor = WEB, .victim = WEB, .launcher = LAUNCHER_HEALTH_CHECK } },
    { "entry point in a volume", EXPECTED_NONE,
      { .path = "/data/x", .actor = WEB, .victim = WEB, .kind = VICTIM_VOLUME, .launcher = LAUNCHER_ENTRY_POINT } },
    { "entry point in another's layer", EXPECTED_NONE, { .path = "/app/x", .actor = DB, .victim = WEB, .launcher = LAUNCHER_ENTRY_POINT } },
    { "docker exec in it", EXPECTED_NONE, { .path = "/app/x", .actor = WEB, .victim = WEB, .launcher = LAUNCHER_EXEC } },
    { "from the host", EXPECTED_NONE, { .path = "/app/x", .victim = WEB, .launcher = LAUNCHER_SERVICE } },

    { "the engine's set-up", EXPECTED_ENGINE,
      { .operation = OPERATION_CREATE, .path = "/etc/hosts", .victim = WEB, .executable = "/usr/bin/dockerd", .launcher = LAUNCHER_ENGINE } },
    { "the engine removes a layer", EXPECTED_ENGINE, { .path = "/var/lib/docker/overlay2/x/diff/a", .launcher = LAUNCHER_ENGINE } },
    { "the engine on /etc", EXPECTED_NONE, { .path = "/etc/passwd", .launcher = LAUNCHER_ENGINE } },
    { "rm for the engine", EXPECTED_NONE, { .path = "/app/x", .victim = WEB, .launcher = LAUNCHER_ENGINE, .tool = "rm" } },
    { "docker cp", EXPECTED_NONE, { .path = "/app/x", .victim = WEB, .launcher = LAUNCHER_COPY } },

    { "an EDR at home", EXPECTED_AGENT,
      { .path = "/opt/sentinelone/db/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent" } },
    { "an EDR's log", EXPECTED_AGENT,
      { .path = "/var/log/SentinelOne/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent" } },
    { "an EDR on /prd", EXPECTED_NONE, { .path = "/prd/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent" } },
    { "an EDR in a container", EXPECTED_NONE,
      { .path = "/opt/sentinelone/x", .victim = WEB, .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent" } },
    { "looks like an EDR", EXPECTED_NONE,
      { .path = "/opt/sentinelone/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent", .looks_like = true } },
    { "a product among others", EXPECTED_NONE, { .path = "/usr/bin/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/usr/bin/agent" } },
    { "a name that begins so", EXPECTED_NONE,
      { .path = "/opt/sentinelone2/x", .launcher = LAUNCHER_PRODUCT, .launched_by = "/opt/sentinelone/bin/agent" } },

    { "Ansible", EXPECTED_CONFIGURATION,
      { .path = "/etc/motd", .launcher = LAUNCHER_CONFIGURATION, .launched_by = "/usr/bin/ansible-playbook" } },
    { "Ansible on a container's", EXPECTED_NONE,
      { .path = "/etc/motd", .victim = WEB, .launcher = LAUNCHER_CONFIGURATION, .launched_by = "/usr/bin/ansible-playbook" } },

    { "git pull", EXPECTED_GIT, { .path = "/srv/site/a", .run = RUN_GIT, .run_name = "pull", .directory = "/srv/site" } },
    { "git pull elsewhere", EXPECTED_NONE, { .path = "/srv/other/a", .run = RUN_GIT, .run_name = "pull", .directory = "/srv/site" } },
    { "git clean", EXPECTED_NONE, { .path = "/srv/site/a", .run = RUN_GIT, .run_name = "clean", .directory = "/srv/site" } },
    { "says that it is git", EXPECTED_NONE,
      { .path = "/srv/site/a", .run = RUN_GIT, .run_name = "pull", .directory = "/srv/site", .claimed = true } },

    { "logrotate", EXPECTED_ROTATION,
      { .operation = OPERATION_RENAME, .path = "/var/log/a.1", .previous = "/var/log/a", .executable = "/usr/sbin/logrotate" } },
    { "its gzip", EXPECTED_ROTATION, { .path = "/var/log/a.1", .executable = "/usr/bin/gzip", .parent = "/usr/sbin/logrotate" } },
    { "its script", EXPECTED_NONE, { .path = "/var/log/a.1", .executable = "/usr/bin/rm", .parent = "/usr/sbin/logrotate" } },
    { "called logrotate", EXPECTED_NONE, { .path = "/var/log/a.1", .executable = "/tmp/logrotate" } },

    { "tmpfiles in /tmp", EXPECTED_TMPFILES, { .path = "/tmp/a", .executable = "/usr/bin/systemd-tmpfiles" } },
    { "tmpfiles makes", EXPECTED_TMPFILES, { .operation = OPERATION_MKDIR, .path = "/srv/a", .executable = "/bin/systemd-tmpfiles" } },
    { "tmpfiles in /srv", EXPECTED_NONE, { .path = "/srv/a", .executable = "/usr/bin/systemd-tmpfiles" } },

    { "an editor", EXPECTED_EDITOR,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/usr/bin/vim.basic", .interactive = true, .person = 1000, .file_uid = 1000 } },
    { "an editor on another's", EXPECTED_NONE,
      { .operation = OPERATION_WRITE, .path = "/etc/x", .executable = "/usr/bin/vim.basic", .interactive = true, .person = 1000, .file_uid = 1001 } },
    { "an editor in a script", EXPECTED_NONE,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/usr/bin/vim.basic", .person = 1000, .file_uid = 1000 } },
    { "no editor", EXPECTED_NONE,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/usr/bin/dd", .interactive = true, .person = 1000, .file_uid = 1000 } },
};

static void judges(void **state)
{
    const struct row *row = *state;
    struct expect_rules rules = { .rows = ALL_ROWS, .own_pid = OWN_PID };
    const struct expect_block *block;
    struct event *e = make_it(&row->m);

    assert_string_equal(expected_row(expected_find(&rules, e, &block))->name, expected_row(row->expected)->name);
    assert_null(block);
    rules.rows = 0; /* what is left out is not expected */
    assert_int_equal(expected_find(&rules, e, &block), expected_row(row->expected)->always ? row->expected : EXPECTED_NONE);
    event_free(e);
}

static void every_row_has_a_test(void **state)
{
    (void)state;
    for (unsigned i = EXPECTED_NONE; i < EXPECTED_COUNT; i++) {
        bool tested = i == EXPECTED_BLOCK; /* below */

        for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
            tested |= rows[k].expected == i;
        assert_true(tested);
        assert_true(expected_row((enum expected)i)->name[0] && expected_row((enum expected)i)->why[0]);
        if (i)
            assert_int_equal(expected_by_name(bytes_of(expected_row((enum expected)i)->name)), i);
    }
    assert_int_equal(expected_by_name(BYTES("nothing")), EXPECTED_COUNT);
}

/* ---- blocks ---- */

static const struct block_row {
    const char *name;
    enum expect_kind kind;
    const char *value;
    bool fits;
} block_rows[] = {
    { "program by name", EXPECT_PROGRAM, "rm", true },
    { "program by path", EXPECT_PROGRAM, "/usr/bin/r?", true },
    { "another program", EXPECT_PROGRAM, "mv", false },
    { "a name is not a part of a path", EXPECT_PROGRAM, "bin", false },
    { "package", EXPECT_PACKAGE, "core*", true },
    { "another package", EXPECT_PACKAGE, "borg", false },
    { "unit", EXPECT_UNIT, "backup.service", true },
    { "another unit", EXPECT_UNIT, "cron.service", false },
    { "script by path", EXPECT_SCRIPT, "/opt/*.sh", true },
    { "script by name", EXPECT_SCRIPT, "clean.sh", true },
    { "another script", EXPECT_SCRIPT, "/opt/x/*.sh", false },
    { "kind of launcher", EXPECT_LAUNCHER, "cron", true },
    { "name of a launcher", EXPECT_LAUNCHER, "root", true },
    { "another launcher", EXPECT_LAUNCHER, "timer", false },
    { "user by name", EXPECT_USER, "backup", true },
    { "user by number", EXPECT_USER, "34", true },
    { "login user", EXPECT_USER, "1000", true },
    { "another user", EXPECT_USER, "0", false },
    { "host", EXPECT_CONTAINER, "host", true },
    { "another place", EXPECT_CONTAINER, "web", false },
    { "no image", EXPECT_IMAGE, "*", false },
    { "hours", EXPECT_HOURS, "22:00-23:00", true },
    { "over midnight", EXPECT_HOURS, "22:13-01:00", true },
    { "other hours", EXPECT_HOURS, "22:14-22:13", false },
    { "operations", EXPECT_OPERATIONS, "delete,chmod", true },
    { "other operations", EXPECT_OPERATIONS, "chmod", false },
    { "path", EXPECT_PATHS, "/srv/data/**/*.tmp", true },
    { "a directory above", EXPECT_PATHS, "/srv", true },
    { "another path", EXPECT_PATHS, "/srv/data/*.tmp", false },
    { "the host's path", EXPECT_PATHS, "/mnt/data", true },
};

static struct event *backup(void)
{
    static const struct made m = { .path = "/srv/data/a/b.tmp", .launcher = LAUNCHER_CRON, .run = RUN_SCRIPT, .run_name = "/opt/clean.sh" };
    struct event *e = make_it(&m);
    struct process *p = e->actor.process;

    p->owner.package = bytes_of("coreutils");
    p->owner.unit = bytes_of("backup.service");
    p->cred = (struct credentials){ .known = true, .uid = 34, .euid = 34 };
    p->user_name = bytes_of("backup");
    p->login_uid = 1000;
    e->actor.login_uid = 1000;
    e->cause.launcher.name = bytes_of("root");
    e->host_path = bytes_of("/mnt/data/a/b.tmp");
    return e;
}

static void compares(void **state)
{
    const struct block_row *row = *state;
    const struct bytes value = bytes_of(row->value);
    struct expect_block block = { .name = bytes_of("b") };
    struct expect_rules rules = { .blocks = &block, .block_count = 1 };
    const struct expect_block *found;
    struct event *e = backup();

    block.values[row->kind] = (struct expect_values){ &value, 1 };
    assert_int_equal(expected_find(&rules, e, &found), row->fits ? EXPECTED_BLOCK : EXPECTED_NONE);
    assert_ptr_equal(found, row->fits ? &block : NULL);
    event_free(e);
}

static void all_kinds_have_to_fit(void **state)
{
    const struct bytes programs[] = { bytes_of("mv"), bytes_of("rm") }, right = bytes_of("34"), wrong = bytes_of("35");
    struct expect_block block = { .values = { [EXPECT_PROGRAM] = { programs, 2 }, [EXPECT_USER] = { &right, 1 } } };
    struct event *e = backup();

    (void)state;
    assert_true(expect_block_matches(&block, e));
    block.values[EXPECT_USER].items = &wrong;
    assert_false(expect_block_matches(&block, e));
    event_free(e);
}

/* A name that only argv has is anybody's. */
static void what_is_claimed_does_not_count(void **state)
{
    const struct bytes script = bytes_of("clean.sh");
    struct expect_block block = { .values = { [EXPECT_SCRIPT] = { &script, 1 } } };
    struct event *e = backup();

    (void)state;
    assert_true(expect_block_matches(&block, e));
    e->cause.run.claimed = true;
    assert_false(expect_block_matches(&block, e));
    event_free(e);
}

static void moved_from_elsewhere(void **state)
{
    const struct bytes path = bytes_of("/srv/data");
    struct expect_block block = { .values = { [EXPECT_PATHS] = { &path, 1 } } };
    struct event *e = backup();

    (void)state;
    e->previous_path = bytes_of("/srv/data/x");
    assert_true(expect_block_matches(&block, e));
    e->previous_path = bytes_of("/home/x");
    assert_false(expect_block_matches(&block, e));
    event_free(e);
}

static const struct hours_row {
    const char *name;
    int r;
} hours_rows[] = {
    { "02:00-04:30", 0 }, { "00:00-24:00", 0 }, { "22:00-01:00", 0 }, { "2:00-4:00", -EINVAL }, { "02:00", -EINVAL }, { "", -EINVAL },
    { "25:00-26:00", -EINVAL }, { "24:01-02:00", -EINVAL }, { "02:00-02:00", -EINVAL }, { "02:60-03:00", -EINVAL }, { "02:00-04:30x", -EINVAL },
};

static void parses_hours(void **state)
{
    const struct hours_row *row = *state;
    unsigned from, to;

    assert_int_equal(expect_parse_hours(bytes_of(row->name), &from, &to), row->r);
}

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
        cmocka_unit_test(every_row_has_a_test), cmocka_unit_test(all_kinds_have_to_fit),
        cmocka_unit_test(what_is_claimed_does_not_count), cmocka_unit_test(moved_from_elsewhere),
        cmocka_unit_test(severities_are_whole),
    };
    int failed;

    setenv("TZ", "UTC", 1); /* 2023-11-14 22:13:20 */
    containers[WEB] = make_container("111111111111", "web");
    containers[DB] = make_container("222222222222", "db");
    failed = RUN_ROWS(rows, judges) + RUN_ROWS(block_rows, compares) + RUN_ROWS(hours_rows, parses_hours) + RUN_ROWS(severities, grades) +
             cmocka_run_group_tests(tests, NULL, NULL);
    container_unref(containers[WEB]);
    container_unref(containers[DB]);
    return failed;
}
