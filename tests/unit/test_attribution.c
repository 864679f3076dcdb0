/* SPDX-License-Identifier: MIT */
/* Where a process lives, when its container was gone before anybody could read of it. */
#include "test.h"

#include <sys/stat.h>

#include "attribution/attribution.h"
#include "attribution/owner.h"
#include "attribution/share.h"
#include "event/share.h"
#include "make.h"

#define NOBODY 4194200 /* pids that are hardly there: nothing of /proc is needed */
#define HOST_MNT 4026531841ull
#define ITS_MNT 4026532999ull
#define ARGS(text) (struct bytes){ text, sizeof(text) }

static const struct row {
    const char *name, *runtime;
    struct bytes args;
    uint32_t uid;           /* of the runtime */
    uint64_t mnt_ns;        /* of its child */
    const char *cgroup;     /* of its child */
    enum origin origin;
    const char *container, *id; /* NULL = none */
} rows[] = {
    { "run", "/usr/sbin/runc", ARGS("runc\0--root\0/x\0run\0--no-pivot\0churn7"), 0, ITS_MNT, "/churn7", ORIGIN_CONTAINER,
      "churn7", "churn7" },
    { "create", "/usr/bin/crun", ARGS("crun\0create\0--bundle\0/b\0c1"), 0, ITS_MNT, "/", ORIGIN_CONTAINER, "c1", "c1" },
    { "an engine's id is no name", "/usr/bin/runc",
      ARGS("runc\0create\0" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), 0, ITS_MNT, "/x",
      ORIGIN_CONTAINER, NULL, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
    { "a hook is the host's", "/usr/bin/runc", ARGS("runc\0run\0c1"), 0, HOST_MNT, "/x", ORIGIN_HOST, NULL, NULL },
    { "a user's program of that name is not believed", "/home/im/runc", ARGS("runc\0run\0web"), 1000, ITS_MNT, "/x",
      ORIGIN_UNKNOWN, NULL, NULL },
    { "nothing is made", "/usr/bin/runc", ARGS("runc\0update\0c1"), 0, ITS_MNT, "/x", ORIGIN_UNKNOWN, NULL, NULL },
    { "no name", "/usr/bin/runc", ARGS("runc\0run\0--help"), 0, ITS_MNT, "/x", ORIGIN_UNKNOWN, NULL, NULL },
    { "another program's child", "/usr/bin/unshare", ARGS("unshare\0-m\0sh"), 0, ITS_MNT, "/x", ORIGIN_HOST, NULL, NULL },
};

static void execute(struct attribution *a, pid_t pid, uint64_t at, const char *executable, struct bytes args, uint32_t uid,
                    uint64_t mnt_ns, const char *cgroup)
{
    struct process *p = process_new(pid, at);

    process_set(p, &p->executable, bytes_of(executable));
    process_set(p, &p->args, args);
    process_set(p, &p->cgroup, bytes_of(cgroup));
    p->cred = (struct credentials){ .known = true, .uid = uid, .euid = uid };
    p->mnt_ns = mnt_ns;
    attribution_process_event(a, &(struct process_event){ .kind = PROCESS_EXEC, .boot_ns = at + 1, .pid = pid,
                                                          .captured = p });
    process_unref(p);
}

static void feed(struct attribution *a, pid_t pid, uint64_t at, const char *executable, struct bytes args, uint32_t uid,
                 uint64_t mnt_ns, const char *cgroup)
{
    attribution_process_event(a, &(struct process_event){ .kind = PROCESS_FORK, .boot_ns = at, .pid = pid, .start_ns = at,
                                                          .parent_pid = pid - 1 });
    execute(a, pid, at, executable, args, uid, mnt_ns, cgroup);
}

static void lives(void **state)
{
    const struct row *row = *state;
    struct engines_options engines_options = { 0 };
    struct attribution_options options = { 0 };
    struct attribution *a = NULL;
    struct engines *engines = NULL;
    struct event *e;

    assert_int_equal(engines_new(&engines_options, &engines, NULL), 0);
    options.engines = engines;
    assert_int_equal(packages_new("/", &options.packages, NULL), 0);
    assert_int_equal(attribution_new(&options, &a, NULL), 0);
    feed(a, NOBODY, NS_PER_S, "/sbin/init", ARGS("init"), 0, HOST_MNT, "/init.scope");
    feed(a, NOBODY + 1, 2 * NS_PER_S, row->runtime, row->args, row->uid, HOST_MNT, "/user.slice");
    feed(a, NOBODY + 2, 3 * NS_PER_S, "/bin/sh", ARGS("sh"), 0, row->mnt_ns, row->cgroup);
    e = make_event(OPERATION_UNLINK, "/shared/f", NULL, NULL, 0);
    e->actor.pid = NOBODY + 2;
    e->boot_ns = 3 * NS_PER_S + 5;
    attribution_event(a, e);
    assert_non_null(e->actor.process);
    assert_int_equal(e->actor.process->origin, row->origin);
    if (row->id) {
        assert_non_null(e->actor.process->container);
        assert_bytes(e->actor.process->container->id, row->id);
        if (row->container)
            assert_bytes(e->actor.process->container->name, row->container);
        else
            assert_int_equal(e->actor.process->container->name.len, 0);
    } else {
        assert_null(e->actor.process->container);
    }
    if (row->origin != ORIGIN_HOST) /* the host's lists of packages say nothing of it */
        assert_int_equal(e->actor.process->owner.package.len, 0);
    event_free(e);
    attribution_free(a);
    engines_free(engines);
}

/* A process of the host, whose program may be the one that a container has at that path (nsenter). */
static size_t package_of(uint64_t mnt_ns, uint64_t inode)
{
    struct attribution_options options = { 0 };
    struct process *p = process_new(NOBODY, NS_PER_S);
    struct attribution *a = NULL;
    struct event *e = make_event(OPERATION_UNLINK, "/f", NULL, NULL, 0);
    size_t len;

    assert_int_equal(packages_new("/", &options.packages, NULL), 0);
    assert_int_equal(attribution_new(&options, &a, NULL), 0);
    process_set(p, &p->executable, bytes_of("/usr/bin/env"));
    process_set(p, &p->args, ARGS("env"));
    process_set(p, &p->cgroup, bytes_of("/user.slice"));
    p->mnt_ns = mnt_ns;
    p->executable_inode = inode;
    attribution_process_event(a, &(struct process_event){ .kind = PROCESS_FORK, .boot_ns = NS_PER_S, .pid = NOBODY, .start_ns = NS_PER_S, .parent_pid = 1 });
    attribution_process_event(a, &(struct process_event){ .kind = PROCESS_EXEC, .boot_ns = NS_PER_S + 1, .pid = NOBODY, .captured = p });
    e->actor.pid = NOBODY;
    e->boot_ns = NS_PER_S + 5;
    attribution_event(a, e);
    assert_non_null(e->actor.process);
    assert_int_equal(e->actor.process->origin, ORIGIN_HOST);
    len = e->actor.process->owner.package.len;
    event_free(e);
    process_unref(p);
    attribution_free(a);
    return len;
}

static void another_trees_program_is_of_no_package(void **state)
{
    struct stat ns, env;

    (void)state;
    assert_int_equal(stat("/proc/self/ns/mnt", &ns), 0);
    if (stat("/usr/bin/env", &env) < 0 || access("/var/lib/dpkg/info/coreutils.list", R_OK) < 0)
        skip(); /* no lists of packages here */
    assert_true(package_of(ns.st_ino, env.st_ino) > 0);
    assert_true(package_of(ns.st_ino + 1, env.st_ino) > 0); /* a service with a /tmp of its own */
    assert_int_equal(package_of(ns.st_ino + 1, env.st_ino + 1), 0);
}

/* One event, attributed: whose it was, and the same suspect as without anything remembered. */
static struct event *report(struct attribution *a, pid_t pid, const char *executable, uint64_t boot_ns)
{
    struct event *e = make_event(OPERATION_UNLINK, "/f", NULL, NULL, 0);
    struct fingerprint remembered;

    e->actor.pid = pid;
    e->boot_ns = boot_ns;
    event_set(e, &e->actor.executable, bytes_of(executable));
    (void)attribution_knows(a, e);
    attribution_event(a, e);
    assert_non_null(e->actor.process);
    remembered = event_suspect(e);
    e->suspect = (struct fingerprint){ 0 };
    assert_true(fingerprint_equal(event_suspect(e), remembered));
    e->suspect = remembered;
    return e;
}

static bool is_known(struct attribution *a, uint64_t start_ns, uint64_t boot_ns)
{
    struct event *e = make_event(OPERATION_UNLINK, "/f", NULL, NULL, 0);
    bool known;

    e->actor.pid = NOBODY + 1;
    e->actor.start_ns = start_ns;
    e->boot_ns = boot_ns;
    event_set(e, &e->actor.executable, bytes_of("/bin/rm"));
    known = attribution_knows(a, e);
    assert_true(!known || bytes_equal_str(e->actor.process->executable, "/bin/rm"));
    event_free(e);
    return known;
}

/* What is remembered of a process is of what it executes, and of this process. */
static void remembers_who_it_was(void **state)
{
    struct attribution_options options = { 0 };
    struct attribution *a = NULL;
    struct event *first, *again, *executed, *late, *next;

    (void)state;
    assert_int_equal(packages_new("/", &options.packages, NULL), 0);
    assert_int_equal(attribution_new(&options, &a, NULL), 0);
    feed(a, NOBODY, NS_PER_S, "/sbin/init", ARGS("init"), 0, HOST_MNT, "/init.scope");
    feed(a, NOBODY + 1, 2 * NS_PER_S, "/bin/sh", ARGS("sh"), 0, HOST_MNT, "/user.slice");
    first = report(a, NOBODY + 1, "/bin/sh", 3 * NS_PER_S);
    again = report(a, NOBODY + 1, "/bin/sh", 3 * NS_PER_S + 1);
    assert_ptr_equal(first->actor.process, again->actor.process);
    assert_true(fingerprint_equal(first->suspect, again->suspect));

    feed(a, NOBODY + 1, 2 * NS_PER_S, "/bin/rm", ARGS("rm"), 0, HOST_MNT, "/user.slice");
    executed = report(a, NOBODY + 1, "/bin/rm", 4 * NS_PER_S);
    assert_bytes(executed->actor.process->executable, "/bin/rm");
    assert_false(fingerprint_equal(executed->suspect, first->suspect));
    late = report(a, NOBODY + 1, "/bin/sh", 2 * NS_PER_S + 1); /* reported late, of before */
    assert_bytes(late->actor.process->executable, "/bin/sh");
    assert_true(fingerprint_equal(late->suspect, first->suspect));

    /* the pid is another one's; of what was before no notifications are awaited */
    attribution_process_event(a, &(struct process_event){ .kind = PROCESS_EXIT, .boot_ns = 5 * NS_PER_S, .pid = NOBODY + 1 });
    assert_true(is_known(a, 2 * NS_PER_S, 5 * NS_PER_S));
    assert_false(is_known(a, 2 * NS_PER_S, 5 * NS_PER_S + 1));
    assert_false(is_known(a, 0, 5 * NS_PER_S));
    feed(a, NOBODY + 1, 20 * NS_PER_S, "/bin/mv", ARGS("mv"), 0, HOST_MNT, "/user.slice");
    next = report(a, NOBODY + 1, "/bin/mv", 21 * NS_PER_S);
    assert_bytes(next->actor.process->executable, "/bin/mv");
    assert_int_equal(next->actor.start_ns, 20 * NS_PER_S);
    assert_false(fingerprint_equal(next->suspect, executed->suspect));
    event_free(first);
    event_free(again);
    event_free(executed);
    event_free(late);
    attribution_free(a);
    event_free(next); /* he and his launchers are held by it */
}

/* ---- one of several processes ---- */

static const struct share_row {
    const char *name;
    struct bytes launchers[2]; /* what their parents run */
    const char *tools[2];
    bool unknown;              /* the second one was never seen */
    bool reported;                 /* as what was changed */
    enum operation operations[2];
} share_rows[] = {
    { "one script's tools", { ARGS("sh\0/opt/x.sh"), { NULL, 0 } }, { "/bin/chmod", "/bin/chown" }, false, true,
      { OPERATION_CHMOD, OPERATION_CHOWN } },
    { "the other way round", { ARGS("sh\0/opt/x.sh"), { NULL, 0 } }, { "/bin/chown", "/bin/chmod" }, false, true,
      { OPERATION_CHOWN, OPERATION_CHMOD } },
    { "their names say nothing", { ARGS("sh\0/opt/x.sh"), { NULL, 0 } }, { "/bin/install", "/bin/install" }, false, true,
      { OPERATION_CHMOD, OPERATION_CHOWN } },
    { "two scripts", { ARGS("sh\0/opt/x.sh"), ARGS("sh\0/opt/y.sh") }, { "/bin/chmod", "/bin/chown" }, false, false, { 0 } },
    { "one is not known", { ARGS("sh\0/opt/x.sh"), { NULL, 0 } }, { "/bin/chmod", "/bin/chown" }, true, false, { 0 } },
};

static struct event *shared(struct attribution *a, unsigned own)
{
    static const struct event_share share = {
        .count = 2,
        .actors = { { NOBODY + 2, false, 5 * NS_PER_S }, { NOBODY + 3, false, 7 * NS_PER_S } },
        .changes = { { OPERATION_CHMOD, FILE_MODE }, { OPERATION_CHOWN, FILE_UID | FILE_GID } },
    };
    struct event *e = make_event(OPERATION_ATTRIBUTES, "/f", NULL, NULL, 0);
    struct event_share of = share;

    of.own = own;
    e->operation_presumed = true;
    e->before = (struct file_state){ .known = FILE_MODE | FILE_UID | FILE_GID, .mode = 0600 };
    e->after = (struct file_state){ .known = FILE_MODE | FILE_UID | FILE_GID, .mode = 0644, .uid = 5 };
    e->actor.pid = share.actors[own].pid;
    e->boot_from_ns = NS_PER_S;
    e->boot_ns = share.actors[own].boot_ns; /* the second one is born after the first one's event was read */
    e->share = &of;
    attribution_event(a, e);
    attribution_share(a, e);
    assert_null(e->share);
    return e;
}

static void reports_what_one_cause_did(void **state)
{
    const struct share_row *row = *state;
    struct attribution_options options = { 0 };
    struct attribution *a = NULL;

    assert_int_equal(packages_new("/", &options.packages, NULL), 0);
    assert_int_equal(attribution_new(&options, &a, NULL), 0);
    feed(a, NOBODY, NS_PER_S, "/sbin/init", ARGS("init"), 0, HOST_MNT, "/init.scope");
    feed(a, NOBODY + 1, 2 * NS_PER_S, "/bin/sh", row->launchers[0], 0, HOST_MNT, "/user.slice");
    for (unsigned i = 0; i < (row->unknown ? 1u : 2u); i++) {
        pid_t pid = NOBODY + 2 + (pid_t)i, parent = NOBODY + 1;

        if (i && row->launchers[i].data) {
            parent = NOBODY + 9;
            feed(a, parent, 5 * NS_PER_S, "/bin/sh", row->launchers[i], 0, HOST_MNT, "/user.slice");
        }
        attribution_process_event(a, &(struct process_event){ .kind = PROCESS_FORK, .boot_ns = (4 + 2 * i) * NS_PER_S,
                                                              .pid = pid, .start_ns = (4 + 2 * i) * NS_PER_S, .parent_pid = parent });
        execute(a, pid, (4 + 2 * i) * NS_PER_S, row->tools[i], bytes_of(row->tools[i]), 0, HOST_MNT, "/user.slice");
    }
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = shared(a, i);
        bool owner = row->operations[i] == OPERATION_CHOWN;

        assert_int_equal(e->operation, row->reported ? row->operations[i] : OPERATION_ATTRIBUTES);
        assert_int_equal(e->operation_presumed, !row->reported);
        assert_int_equal(e->note.len != 0, row->reported);
        assert_false(event_note_is_doubt(e));
        assert_int_equal(e->after.known, !row->reported ? FILE_MODE | FILE_UID | FILE_GID : owner ? FILE_UID | FILE_GID : FILE_MODE);
        assert_int_equal(e->before.known, e->after.known);
        event_free(e);
    }
    attribution_free(a);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(rows) + 2] = { cmocka_unit_test(another_trees_program_is_of_no_package),
                                                      cmocka_unit_test(remembers_who_it_was) };
    int failed = RUN_ROWS(share_rows, reports_what_one_cause_did);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        tests[2 + i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = lives, .initial_state = (void *)&rows[i] };
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
