/* SPDX-License-Identifier: MIT */
/* Who may, by what was recorded: each way to be allowed, what nearly is, and what is not known. */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "guard/judge.h"
#include "make.h"

#define OURS 4026531841ull
#define HOST_DEVICE 7

struct made {
    const char *what;
    pid_t pid, parent_pid;  /* pid 0: 50; -1: not known */
    const char *executable; /* NULL: rm; "": not known */
    uint64_t inode;
    bool deleted, presumed, no_process;
    enum origin origin;      /* unknown: the host's, unless it has a container */
    const char *container;   /* its name */
    int uid;                 /* -1: not known */
    const char *cgroup, *unit;
    enum guard_judgement expected;
};

#define EXECUTABLE { .text = { "remover", 7 }, .executable = { "/opt/remover", 12 }, .device = HOST_DEVICE, .inode = 11, .uid = UID_UNKNOWN }
#define UNIT { .text = { "u", 1 }, .unit = { "backup.service", 14 }, .uid = UID_UNKNOWN }
#define CONTAINER { .text = { "c", 1 }, .container = { "web", 3 }, .uid = UID_UNKNOWN }
#define USER { .text = { "n", 1 }, .uid = 65534 }
#define ANY { .text = { "web", 3 }, .unit = { "web", 3 }, .container = { "web", 3 }, .uid = 33 }

static struct event *make_it(const struct made *m)
{
    pid_t pid = m->pid < 0 ? 0 : m->pid ? m->pid : 50;
    struct process *p = make_process(pid, m->executable ? m->executable : "/usr/bin/rm", NULL);
    struct event *e;

    p->parent_pid = m->parent_pid;
    p->executable_inode = m->inode;
    p->executable_device = HOST_DEVICE;
    p->executable_deleted = m->deleted;
    p->cred = (struct credentials){ .known = m->uid >= 0, .uid = (uint32_t)m->uid };
    process_set(p, &p->cgroup, bytes_of(m->cgroup ? m->cgroup : "/"));
    process_set(p, &p->owner.unit, bytes_of(m->unit ? m->unit : ""));
    p->origin = m->origin ? m->origin : m->container ? ORIGIN_CONTAINER : ORIGIN_HOST;
    if (m->container)
        p->container = make_container("0123456789ab", m->container);
    e = make_event(OPERATION_UNLINK, "/srv/f", m->no_process ? NULL : p, NULL, 1);
    e->actor.pid = pid;
    e->actor_presumed = m->presumed;
    process_unref(p);
    return e;
}

static void check(const struct made *rows, size_t count, struct guard_rule *rule)
{
    for (size_t i = 0; i < count; i++) {
        struct guard_rules rules = { .all = rule, .count = rule ? 1 : 0, .own_pid = 77 };
        struct event *e = make_it(&rows[i]);
        enum guard_judgement is;

        if (rule)
            rule->fitted = 0;
        is = guard_judge(&rules, e);
        if (is != rows[i].expected)
            fail_msg("%s: %d, not %d", rows[i].what, is, rows[i].expected);
        if (rule && is != GUARD_ALLOWED)
            assert_int_equal(rule->fitted, 0);
        event_free(e);
    }
}

static void always(void **state)
{
    static const struct made rows[] = {
        { "root's rm", .expected = GUARD_REFUSED },
        { "whoever guards", .pid = 77, .expected = GUARD_ALLOWED },
        { "process 1", .pid = 1, .executable = "/usr/lib/systemd/systemd", .expected = GUARD_ALLOWED },
        { "a container's own first process", .pid = 900, .executable = "/sbin/init", .container = "web", .expected = GUARD_REFUSED },
        { "a kernel thread", .pid = 60, .parent_pid = 2, .executable = "", .expected = GUARD_ALLOWED },
        { "kthreadd", .pid = 2, .executable = "", .expected = GUARD_ALLOWED },
        { "its parent is 2, but it has an executable", .pid = 60, .parent_pid = 2, .expected = GUARD_REFUSED },
        { "no executable, another parent", .pid = 60, .parent_pid = 40, .executable = "", .expected = GUARD_REFUSED },
        { "no executable, no parent", .pid = 60, .executable = "", .expected = GUARD_UNKNOWN },
        { "nobody known", .pid = -1, .expected = GUARD_UNKNOWN },
        { "presumed", .presumed = true, .expected = GUARD_UNKNOWN },
        { "a pid alone", .no_process = true, .expected = GUARD_UNKNOWN },
    };

    (void)state;
    check(rows, ARRAY_SIZE(rows), NULL);
}

static void executables(void **state)
{
    static const struct made rows[] = {
        { "it", .executable = "/opt/remover", .inode = 11, .expected = GUARD_ALLOWED },
        { "it, before an upgrade", .executable = "/opt/remover", .inode = 9, .expected = GUARD_ALLOWED },
        { "it by another name", .executable = "/opt/link", .inode = 11, .expected = GUARD_ALLOWED },
        { "a copy", .executable = "/opt/copy", .inode = 12, .expected = GUARD_REFUSED },
        { "that path in a container", .executable = "/opt/remover", .inode = 12, .container = "web", .expected = GUARD_REFUSED },
        { "it, mounted into a container", .executable = "/opt/remover", .inode = 11, .container = "web", .expected = GUARD_ALLOWED },
        { "that path, no knowing where", .executable = "/opt/remover", .origin = ORIGIN_UNKNOWN, .no_process = true, .expected = GUARD_UNKNOWN },
        { "no executable known", .executable = "", .parent_pid = 40, .expected = GUARD_UNKNOWN },
        { "presumed", .executable = "/opt/remover", .inode = 11, .presumed = true, .expected = GUARD_UNKNOWN },
    };
    struct guard_rule rule = EXECUTABLE;

    (void)state;
    check(rows, ARRAY_SIZE(rows), &rule);
}

static void cgroups(void **state)
{
    static const struct made units[] = {
        { "its cgroup", .cgroup = "/system.slice/backup.service", .expected = GUARD_ALLOWED },
        { "below it", .cgroup = "/system.slice/backup.service/worker", .expected = GUARD_ALLOWED },
        { "its unit", .cgroup = "/x", .unit = "backup.service", .expected = GUARD_ALLOWED },
        { "another", .cgroup = "/system.slice/not-backup.service", .expected = GUARD_REFUSED },
        { "a name that begins so", .cgroup = "/system.slice/backup.service2", .expected = GUARD_REFUSED },
        { "not known", .no_process = true, .executable = "/bin/x", .expected = GUARD_UNKNOWN },
    };
    static const struct made containers[] = {
        { "it", .container = "web", .expected = GUARD_ALLOWED },
        { "another", .container = "web2", .expected = GUARD_REFUSED },
        { "the host", .expected = GUARD_REFUSED },
        { "no knowing", .origin = ORIGIN_UNKNOWN, .no_process = true, .expected = GUARD_UNKNOWN },
    };
    struct guard_rule unit = UNIT, container = CONTAINER;

    (void)state;
    check(units, ARRAY_SIZE(units), &unit);
    check(containers, ARRAY_SIZE(containers), &container);
}

static void users(void **state)
{
    static const struct made rows[] = {
        { "he", .uid = 65534, .expected = GUARD_ALLOWED },
        { "root", .uid = 0, .expected = GUARD_REFUSED },
        { "not known", .uid = -1, .expected = GUARD_UNKNOWN },
    };
    static const struct made any[] = {
        { "the user", .uid = 33, .expected = GUARD_ALLOWED },
        { "the container", .uid = 0, .container = "web", .expected = GUARD_ALLOWED },
        { "the cgroup", .uid = 0, .cgroup = "/web/x", .expected = GUARD_ALLOWED },
        { "none of them", .uid = 0, .expected = GUARD_REFUSED },
        { "one is not known", .uid = -1, .expected = GUARD_UNKNOWN },
        { "one is not known, another fits", .uid = -1, .container = "web", .expected = GUARD_ALLOWED },
    };
    struct guard_rule user = USER, rule = ANY;

    (void)state;
    check(rows, ARRAY_SIZE(rows), &user);
    check(any, ARRAY_SIZE(any), &rule);
}

/* What the guard is asked for. */
static void changes(void **state)
{
    static const struct {
        enum operation operation;
        int error;
        unsigned sensors;
        bool above;
        uint64_t space;
        enum origin origin;
        bool expected;
    } rows[] = {
        { OPERATION_UNLINK, 0, SENSOR_BPF, false, 0, 0, true },
        { OPERATION_UNLINK, ENOENT, SENSOR_BPF, false, 0, 0, false },
        { OPERATION_UNLINK, EPERM, SENSOR_BPF, false, 0, 0, false },
        { OPERATION_UNLINK, EPERM, SENSOR_BPF | SENSOR_GUARD, false, 0, 0, true },
        { OPERATION_UNLINK, -1, SENSOR_AUDIT_LOG, false, 0, 0, true },
        { OPERATION_OPEN_WRITE, 0, SENSOR_BPF, false, 0, 0, true },
        { OPERATION_READ, 0, SENSOR_BPF, false, 0, 0, false },
        { OPERATION_EXEC, 0, SENSOR_BPF, false, 0, 0, false },
        { OPERATION_CHMOD, 0, SENSOR_BPF, false, 0, 0, true },
        { OPERATION_ATTRIBUTES, 0, SENSOR_BPF, false, 0, 0, true },
        { OPERATION_REPLACE, 0, SENSOR_BPF, false, 0, 0, true },
        { OPERATION_RENAME, 0, SENSOR_BPF, true, 0, 0, true },
        { OPERATION_CHMOD, 0, SENSOR_BPF, true, 0, 0, false },
        { OPERATION_MOUNT, 0, SENSOR_BPF, true, OURS, 0, false },
        { OPERATION_MOUNT, 0, SENSOR_BPF, false, OURS, 0, true },
        { OPERATION_MOUNT, 0, SENSOR_BPF, false, OURS + 1, 0, false },
        { OPERATION_MOUNT, 0, SENSOR_BPF, false, 0, ORIGIN_CONTAINER, false },
        { OPERATION_MOUNT, 0, SENSOR_BPF, false, 0, ORIGIN_HOST, true },
        { OPERATION_UNMOUNT, 0, SENSOR_BPF, false, OURS, 0, false },
    };
    const struct guard_rules rules = { .mnt_ns = OURS };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct process *p = make_process(50, "/usr/bin/rm", NULL);
        struct event *e = make_event(rows[i].operation, "/srv/f", p, NULL, 1);

        p->origin = rows[i].origin ? rows[i].origin : ORIGIN_HOST;
        e->error = rows[i].error;
        e->sensors = rows[i].sensors;
        e->actor.mnt_ns = rows[i].space;
        if (rows[i].above)
            event_set(e, &e->carried, bytes_of("/srv/f/x"));
        if (guard_judges(&rules, e) != rows[i].expected)
            fail_msg("row %zu", i);
        process_unref(p);
        event_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(always), cmocka_unit_test(executables), cmocka_unit_test(cgroups),
                                        cmocka_unit_test(users), cmocka_unit_test(changes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
