/* SPDX-License-Identifier: MIT */
/* Each row of what is expected, with what fits and what nearly does; the blocks; what was folded. */
#include "test.h"
#include "alert_made.h"

#include <errno.h>
#include <stdlib.h>

#include "alert/expect.h"
#include "alert/folded.h"

#define ALL_ROWS (~UINT64_C(0))
#define OWN_PID 77
#define HOLDER_PID 78 /* of a guard; its parents are gone */

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
    { "who holds a guard", EXPECTED_OWN, { .path = "/etc/x", .pid = HOLDER_PID, .parent_pid = 1 } },
    { "no child of who holds a guard", EXPECTED_NONE, { .path = "/etc/x", .parent_pid = HOLDER_PID } },
    { "a child of another one", EXPECTED_NONE, { .path = "/var/lib/culprit/h/f", .parent_pid = OWN_PID + 7 } },

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

    { "git, run by a script", EXPECTED_GIT,
      { .path = "/srv/app/x", .executable = "/usr/bin/git", .args = "git -C /srv/app pull -q", .run = RUN_SCRIPT, .run_name = "/opt/deploy" } },
    { "git's own part", EXPECTED_GIT,
      { .path = "/srv/app/x", .executable = "/usr/lib/git-core/git", .args = "git -C /srv/app merge FETCH_HEAD", .run = RUN_SCRIPT, .run_name = "/opt/deploy" } },
    { "a script's git elsewhere", EXPECTED_NONE,
      { .path = "/srv/app2/x", .executable = "/usr/bin/git", .args = "git -C /srv/app pull -q", .run = RUN_SCRIPT, .run_name = "/opt/deploy" } },
    { "a script's git clean", EXPECTED_NONE,
      { .path = "/srv/app/x", .executable = "/usr/bin/git", .args = "git -C /srv/app clean -fdx", .run = RUN_SCRIPT, .run_name = "/opt/deploy" } },
    { "somebody's own git, run by a script", EXPECTED_NONE,
      { .path = "/srv/app/x", .executable = "/home/a/git", .args = "git -C /srv/app pull -q", .run = RUN_SCRIPT, .run_name = "/opt/deploy" } },

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
    { "an editor of the configuration, by its path", EXPECTED_EDITOR,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/opt/editor/bin/edit", .interactive = true, .person = 1000, .file_uid = 1000 } },
    { "an editor that the configuration does not name", EXPECTED_NONE,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/usr/bin/emacs", .interactive = true, .person = 1000, .file_uid = 1000 } },
    { "an editor of that name elsewhere", EXPECTED_NONE,
      { .operation = OPERATION_WRITE, .path = "/home/a/x", .executable = "/home/a/edit", .interactive = true, .person = 1000, .file_uid = 1000 } },
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
    const struct bytes editors[] = { BYTES("nano"), BYTES("vim.*"), BYTES("/opt/editor/bin/*") };
    const struct own_processes own = { .all = { { OWN_PID, 0, true, 0 }, { HOLDER_PID, 0, false, 0 } } };
    struct expect_rules rules = { .rows = ALL_ROWS, .own = &own, .editors = { editors, ARRAY_SIZE(editors) } };
    const struct expect_block *block;
    struct event *e = make_it(&row->m);

    assert_string_equal(expected_row(expected_find(&rules, e, &block))->name, expected_row(row->expected)->name);
    assert_null(block);
    rules.rows = 0; /* what is left out is not expected */
    assert_int_equal(expected_find(&rules, e, &block), expected_row(row->expected)->always ? row->expected : EXPECTED_NONE);
    event_free(e);
}

static void own_processes_are_bounded(void **state)
{
    struct own_processes own = { 0 };
    bool first = false;

    (void)state;
    own_processes_add(&own, 1000, 5, true);
    for (pid_t pid = 2000; pid < 2000 + 3 * OWN_PROCESSES_MAX; pid++) {
        own_processes_add(&own, pid, 7, false);
        own_processes_add(&own, pid, 7, false);
    }
    for (unsigned i = 0; i < OWN_PROCESSES_MAX; i++) {
        first |= own.all[i].pid == 1000;
        assert_true(own.all[i].pid == 1000 || own.all[i].pid >= 2000 + 3 * OWN_PROCESSES_MAX - OWN_PROCESSES_MAX + 1);
    }
    assert_true(first); /* a parent stays */
}

/* A number that is used again is another process. */
static void own_is_by_start(void **state)
{
    const struct own_processes own = { .all = { { HOLDER_PID, 5000000000, false, 0 } } };
    const struct expect_rules rules = { .rows = ALL_ROWS, .own = &own };
    struct event *e = make_it(&(struct made){ .path = "/etc/x", .pid = HOLDER_PID });
    const struct expect_block *block;

    (void)state;
    e->actor.start_ns = 5010000000; /* as /proc counts */
    assert_int_equal(expected_find(&rules, e, &block), EXPECTED_OWN);
    e->actor.start_ns = 9000000000;
    assert_int_equal(expected_find(&rules, e, &block), EXPECTED_NONE);
    event_free(e);
}

static bool only_the_daemon(pid_t pid, uint64_t start_ns)
{
    return pid == OWN_PID && start_ns == 5000000000;
}

/* What has ended leaves its number to others: alerts of those are not kept back. */
static void own_is_for_a_life(void **state)
{
    struct own_processes own = { 0 };
    const struct expect_rules rules = { .rows = ALL_ROWS, .own = &own };
    struct event *child = make_it(&(struct made){ .path = "/etc/x", .pid = 90, .parent_pid = HOLDER_PID }),
                 *same = make_it(&(struct made){ .path = "/etc/x", .pid = HOLDER_PID, .parent_pid = 1 }),
                 *ours = make_it(&(struct made){ .path = "/etc/x", .pid = 91, .parent_pid = OWN_PID });
    const struct expect_block *block;

    (void)state;
    own_processes_add(&own, OWN_PID, 5000000000, true);
    own_processes_add(&own, HOLDER_PID, 6000000000, true);
    own_processes_look(&own, 100 * NS_PER_S, only_the_daemon);
    own_processes_look(&own, 159 * NS_PER_S, only_the_daemon);
    assert_int_equal(expected_find(&rules, child, &block), EXPECTED_OWN); /* its last work may come late */
    own_processes_look(&own, 160 * NS_PER_S, only_the_daemon);
    assert_int_equal(expected_find(&rules, child, &block), EXPECTED_NONE);
    assert_int_equal(expected_find(&rules, same, &block), EXPECTED_NONE);
    assert_int_equal(expected_find(&rules, ours, &block), EXPECTED_OWN);
    event_free(child);
    event_free(same);
    event_free(ours);
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

/* ---- flags that its guards set, whose record came too late to say who it was ---- */

static const struct flags_row {
    const char *name;
    const char *target, *path;
    int64_t late_ns; /* after what the guard did was known */
    bool known;      /* who it was */
    enum expected expected;
} flags_rows[] = {
    { "below what it guards", "/srv/a", "/srv/a/f", 0, false, EXPECTED_OWN },
    { "as it was set", "/srv/a", "/srv/a/f", -5 * (int64_t)NS_PER_S, false, EXPECTED_OWN },
    { "long before", "/srv/a", "/srv/a/f", -60 * (int64_t)NS_PER_S, false, EXPECTED_NONE },
    { "long after", "/srv/a", "/srv/a/f", 61 * (int64_t)NS_PER_S, false, EXPECTED_NONE },
    { "elsewhere", "/srv/a", "/srv/ab", 0, false, EXPECTED_NONE },
    { "of a target that nobody knows", "", "/srv/ab", 0, false, EXPECTED_OWN },
    { "by somebody", "/srv/a", "/srv/a/f", 0, true, EXPECTED_NONE },
};

static void flags_of_guards(void **state)
{
    const struct flags_row *row = *state;
    const uint64_t now_ns = 1700000000 * NS_PER_S;
    struct own_flags own = { 0 };
    const struct expect_rules rules = { .rows = ALL_ROWS, .own_flags = &own };
    struct process *actor = make_process(50, "/usr/bin/chattr", NULL);
    struct event *e = make_event(OPERATION_SETFLAGS, row->path, row->known ? actor : NULL, NULL, now_ns + (uint64_t)row->late_ns);
    const struct expect_block *block;

    own_flags_add(&own, bytes_of(row->target), now_ns);
    assert_string_equal(expected_row(expected_find(&rules, e, &block))->name, expected_row(row->expected)->name);
    event_free(e);
    process_unref(actor);
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

/* ---- what was folded ---- */

static struct folded *fold(const struct expect_rules *rules)
{
    static const struct made mades[] = {
        { .path = "/usr/bin/borg", .executable = "/usr/bin/dpkg", .launcher = LAUNCHER_PACKAGE },
        { .path = "/usr/bin/borg", .executable = "/usr/bin/dpkg", .launcher = LAUNCHER_PACKAGE },
        { .path = "/usr/share/x", .executable = "/usr/bin/rpm", .launcher = LAUNCHER_PACKAGE },
        { .path = "/srv/data/tmp/x\033[31m" },
        { .path = "/srv/data/y" },
    };
    struct folded *f = folded_new(rules);

    for (size_t i = 0; i < ARRAY_SIZE(mades); i++) {
        struct event *e = make_it(&mades[i]);

        folded_add(f, e);
        event_free(e);
    }
    return f;
}

static void is_counted_by_row(void **state)
{
    const struct bytes tmp = bytes_of("/srv/data/tmp");
    struct expect_block block = { .name = BYTES("clean\033ing"), .values = { [EXPECT_PATHS] = { &tmp, 1 } } };
    struct expect_rules rules = { .rows = ALL_ROWS, .blocks = &block, .block_count = 1 };
    struct folded *f = fold(&rules);
    struct sbuf out = SBUF_INIT;

    (void)state;
    folded_write_text(f, 1, BYTES("/srv/\033x"), &out);
    assert_string_equal(sbuf_str(&out),
                        "EXPECTED  4 of 5 changes, by what the configuration expects: no alert is made of them\n"
                        "  changes  last                 row             why, and by whom\n"
                        "        3  2023-11-14 22:13:20  package         a package manager's transaction, where packages put files\n"
                        "        2  2023-11-14 22:13:20                  dpkg\n"
                        "        1                                       of 1 more cause\n"
                        "        1  2023-11-14 22:13:20  block           an expect block of the configuration\n"
                        "        1  2023-11-14 22:13:20                  expect clean\\x1bing: rm\n"
                        "        1  2023-11-14 22:13:20  not expected    nothing explains it: culprit who /srv/\\x1bx\n");
    sbuf_clear(&out);
    folded_write_json(f, &out);
    assert_non_null(strstr(sbuf_str(&out), "{\"by\":\"expected\",\"name\":\"package\",\"why\":\"a package manager's transaction, where packages put files\","
                                           "\"changes\":3,\"first\":\"2023-11-14T22:13:20.000000000Z\""));
    assert_non_null(strstr(sbuf_str(&out), "\"block\":\"clean"));
    assert_non_null(strstr(sbuf_str(&out), "{\"by\":\"expected\",\"name\":\"none\",\"why\":\"nothing explains it\",\"changes\":1,"));
    sbuf_done(&out);
    folded_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_test),
        cmocka_unit_test(own_processes_are_bounded),
        cmocka_unit_test(own_is_by_start),
        cmocka_unit_test(own_is_for_a_life),
        cmocka_unit_test(all_kinds_have_to_fit),
        cmocka_unit_test(what_is_claimed_does_not_count),
        cmocka_unit_test(moved_from_elsewhere),
        cmocka_unit_test(is_counted_by_row),
    };
    int failed;

    setenv("TZ", "UTC", 1); /* 2023-11-14 22:13:20 */
    containers[WEB] = make_container("111111111111", "web");
    containers[DB] = make_container("222222222222", "db");
    failed = cmocka_run_group_tests(tests, NULL, NULL) +
             RUN_ROWS(rows, judges) +
             RUN_ROWS(flags_rows, flags_of_guards) +
             RUN_ROWS(block_rows, compares) +
             RUN_ROWS(hours_rows, parses_hours);
    container_unref(containers[WEB]);
    container_unref(containers[DB]);
    return failed;
}
