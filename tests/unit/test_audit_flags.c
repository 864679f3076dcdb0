/* SPDX-License-Identifier: MIT */
/* Whose flags were changed, where the record has no file and the caller is gone: a real folder, and records made for it. */
#include "sensor/audit/apply.h"
#include "sensor/audit/facts_read.h"
#include "sensor/audit/flags.h"
#include "sensor/audit/handle.h"
#include "sensor/audit/rules_state.h"
#include "sensor/tree/statx.h"
#include "test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "event/event.h"
#include "file_flags.h"
#include "util/clock.h"

#define MANY 30000 /* more than one turn looks at */
#define CALLERS_FD 200
#define NO_PID 4194304 /* one more than the kernel gives */

struct scene {
    char folder[32], path[48], second[48]; /* second: empty, or another file there */
    int fd;
    struct audit_rules rules;
    struct audit_object object;
    struct sensor sensor;
    unsigned events, named;
    pid_t pid;
    pid_t pids[2];  /* of the first file's event, and of the second one's */
    uint8_t id[16]; /* of the last event */
};

static void on_event(void *data, struct event *e)
{
    struct scene *s = data;

    assert_int_equal(e->operation, OPERATION_SETFLAGS);
    if (!s->second[0] || !bytes_equal_str(e->path, s->second))
        assert_bytes(e->path, s->path);
    assert_memory_not_equal(e->id, s->id, sizeof(s->id));
    memcpy(s->id, e->id, sizeof(s->id));
    s->pid = s->pids[!bytes_equal_str(e->path, s->path)] = e->actor.pid;
    s->named += s->pid != 0;
    s->events++;
    event_free(e);
}

/* Names of files that are in the index, and not on the disk. */
static void put_others(struct scene *s, unsigned count)
{
    struct tree *t = s->object.tree;
    struct file_state state;
    struct tree_change change;

    tree_state(t, tree_root(t), &state);
    state.mode = S_IFREG | 0644;
    state.links = 1;
    for (unsigned i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof(name), "n%u", i);
        state.inode = UINT32_MAX + (uint64_t)i;
        assert_int_equal(tree_put_state(t, tree_root(t), bytes_of(name), &state, &change), 0);
    }
}

/* A folder of `others` and the file f; or the file alone is watched. False: no flags here. */
static bool begin(struct scene *s, bool alone, unsigned others)
{
    struct tree_change change;
    struct file_state before, after;
    bool has_flags;

    *s = (struct scene){ .folder = "/tmp/culprit-flags.XXXXXX", .rules = { .prefix = "test" } };
    assert_non_null(mkdtemp(s->folder));
    s->fd = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(s->path, sizeof(s->path), "%s/f", s->folder);
    s->object.pidfd = -1;
    s->object.path_kind = alone ? AUDIT_PATH_FILE : AUDIT_PATH_DIRECTORY;
    s->object.wanted = (struct watch_object){ .permissions = ~0u, .path = bytes_of(alone ? s->path : s->folder) };
    s->object.wanted.host_path = s->object.wanted.path;
    if (!alone) {
        assert_int_equal(tree_new(&(struct tree_options){ 0 }, &s->object.tree, NULL), 0);
        assert_int_equal(tree_set_root(s->object.tree, s->fd, NULL), 0);
        while (tree_is_walking(s->object.tree))
            assert_true(tree_walk(s->object.tree, 0, NULL, NULL, NULL) >= 0);
        put_others(s, others);
    }
    close(open(s->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    assert_int_equal(tree_stat(s->fd, "f", &before), 0);
    has_flags = change_flags(s->path) && tree_stat(s->fd, "f", &after) == 0 && (after.known & FILE_FLAGS) && after.flags != before.flags;
    if (alone)
        s->object.root = s->object.flagged = after;
    else
        assert_int_equal(tree_refresh(s->object.tree, s->fd, tree_root(s->object.tree), bytes_of("f"), &change, NULL), 0);
    s->sensor.rules = &s->rules;
    s->sensor.objects = &s->object;
    s->sensor.options.sink.event = on_event;
    s->sensor.options.sink.data = s;
    return has_flags;
}

static void end(struct scene *s, bool has_flags)
{
    audit_scratch_done(&s->sensor.scratch);
    audit_flags_done(&s->sensor);
    tree_free(s->object.tree);
    close(s->fd);
    assert_int_equal(unlink(s->path), 0);
    assert_true(!s->second[0] || unlink(s->second) == 0);
    assert_int_equal(rmdir(s->folder), 0);
    if (!has_flags)
        skip(); /* this file system has none */
}

static uint64_t changed_ms(const struct scene *s)
{
    struct file_state now;

    assert_int_equal(tree_stat(s->fd, "f", &now), 0);
    return (uint64_t)now.ctime_ns / NS_PER_MS;
}

/* The record of somebody's ioctl() at that time, who is gone. */
static struct audit_record record_of(char text[512], uint64_t time_ms, pid_t pid)
{
    static int serial = 1;
    struct audit_record record;

    snprintf(text, 512,
             "audit(%llu.%03llu:%d): arch=c000003e syscall=16 success=yes exit=0 a0=%x a1=40086602 a2=7ffe a3=0 items=0 ppid=1 pid=%d auid=0 "
             "uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=1 comm=\"chattr\" exe=\"/usr/bin/chattr\" key=(null)",
             (unsigned long long)(time_ms / 1000), (unsigned long long)(time_ms % 1000), serial++, CALLERS_FD, pid);
    assert_int_equal(audit_record_parse_payload(AUDIT_SYSCALL, bytes_of(text), &record, NULL), 0);
    return record;
}

static void call(struct scene *s, uint64_t time_ms, pid_t pid)
{
    char text[512];
    struct audit_record record = record_of(text, time_ms, pid);
    struct audit_group group = { .records = &record, .count = 1, .complete = true, .time_ms = record.time_ms, .serial = record.serial };

    audit_handle_group(&s->sensor, &group);
}

static void wanted(struct scene *s, bool has_flags, unsigned events, pid_t pid)
{
    if (has_flags) {
        assert_int_equal(s->events, events);
        assert_int_equal(s->pid, pid);
    }
    end(s, has_flags);
}

/* In the order of their changes. */
static void wanted_two(struct scene *s, bool has_flags, pid_t first, pid_t second)
{
    if (has_flags) {
        assert_int_equal(s->pids[0], first);
        assert_int_equal(s->pids[1], second);
    }
    wanted(s, has_flags, 2, s->pid);
}

static void is_found_at_once(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 100);

    (void)state;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    assert_int_equal(s.sensor.flags.due_ms, 0); /* nothing is left to be looked for */
    assert_int_equal(s.events, 0); /* the record of another call may be under way */
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID);
}

/* Changed and changed back by one process, by two calls. */
static void is_found_though_nothing_differs(void **state)
{
    struct scene s;
    bool has_flags;
    struct file_state before, after;
    unsigned tries = 0;

    (void)state;
    do { /* both in a moment, and not in the tick in which it was looked at */
        assert_true(tries++ < 100);
        if (tries > 1)
            end(&s, true);
        has_flags = begin(&s, false, 100);
        assert_int_equal(tree_stat(s.fd, "f", &before), 0);
        (void)poll(NULL, 0, 20);
        (void)change_flags(s.path);
        assert_int_equal(tree_stat(s.fd, "f", &after), 0);
        (void)change_flags(s.path);
    } while (has_flags && changed_ms(&s) - (uint64_t)after.ctime_ns / NS_PER_MS > 5);
    call(&s, (uint64_t)after.ctime_ns / NS_PER_MS, NO_PID);
    call(&s, changed_ms(&s), NO_PID);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID);
}

/* By a process each: it is not known whose the time is. */
static void is_nobodys_where_nothing_differs(void **state)
{
    struct scene s;
    bool has_flags;
    struct file_state after;
    unsigned tries = 0;

    (void)state;
    do {
        assert_true(tries++ < 100);
        if (tries > 1)
            end(&s, true);
        has_flags = begin(&s, false, 100);
        (void)poll(NULL, 0, 20);
        (void)change_flags(s.path);
        assert_int_equal(tree_stat(s.fd, "f", &after), 0);
        (void)change_flags(s.path);
    } while (has_flags && changed_ms(&s) - (uint64_t)after.ctime_ns / NS_PER_MS > 5);
    call(&s, (uint64_t)after.ctime_ns / NS_PER_MS, NO_PID);
    call(&s, changed_ms(&s), NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, 0);
}

/* Another change long after the call, of something that does not show, is not its work. */
static void is_not_of_a_call_long_ago(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 100);

    (void)state;
    (void)poll(NULL, 0, 20);
    assert_int_equal(chmod(s.path, 0644), 0);
    call(&s, changed_ms(&s) - 50, NO_PID);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 0, 0);
}

static void is_found_beyond_one_turn(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, MANY);

    (void)state;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    assert_int_equal(s.events, 0); /* one turn is bounded */
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID);
}

/* Two calls, and one file: whose it was is not known. */
static void is_nobodys_of_two(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, MANY);

    (void)state;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s) - 1, NO_PID);
    call(&s, changed_ms(&s), NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, 0);
}

/* One call, and two files: it was one of them, whoever did the other. */
static void is_of_one_file(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, MANY);
    struct tree_change change;

    (void)state;
    snprintf(s.second, sizeof(s.second), "%s/g", s.folder);
    close(open(s.second, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    assert_int_equal(tree_refresh(s.object.tree, s.fd, tree_root(s.object.tree), bytes_of("g"), &change, NULL), 0);
    (void)change_flags(s.path);
    (void)change_flags(s.second);
    call(&s, changed_ms(&s), NO_PID);
    assert_int_equal(s.events, 0);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    if (has_flags)
        assert_int_equal(s.named, 1);
    wanted(&s, has_flags, 2, 0);
}

/* The search before was dear, so that this call's has to wait. */
static void is_not_lost_while_searches_rest(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 100);

    (void)state;
    s.sensor.flags.next_ms = UINT64_MAX;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    assert_int_equal(s.events, 0);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID);
}

/* Not a file below, but the watched one. */
static void is_found_at_the_path_itself(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, true, 0);

    (void)state;
    (void)change_flags(s.path);
    (void)watched_is_stale(&s.object.watched, &audit_object_ops); /* another look takes nothing away */
    call(&s, changed_ms(&s), NO_PID);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID);
}

/* Changed just now, while a round is on its way, which finds it: its own record comes. */
static void is_left_for_its_record(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 100);

    (void)state;
    for (unsigned tries = 0; tries == 0 || s.events; tries++) { /* a busy machine: the look is long ago already */
        assert_true(tries < 100);
        end(&s, true);
        has_flags = begin(&s, false, 100);
        call(&s, changed_ms(&s) - 60000, NO_PID); /* elsewhere */
        s.sensor.flags.due_ms = 1;
        s.object.flags_left = MANY;
        s.sensor.flags.next_ms = 0;
        (void)change_flags(s.path);
        audit_handle_flags(&s.sensor);
    }
    call(&s, changed_ms(&s), NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, NO_PID + 1);
}

/* What a record says of the file beside its flags, which no record has, leaves them known: else no change of them is ever found. */
static void stay_known(struct scene *s, enum operation operation)
{
    bool has_flags = begin(s, false, 0);
    struct audit_path file = { .type = AUDIT_NAME_NORMAL }, parent = { .type = AUDIT_NAME_PARENT };
    struct audit_change c = { .operation = operation, .fd = -1, .object = &file, .parent = &parent, .name = bytes_of("f"),
                              .after = { .known = FILE_MODE, .mode = S_IFREG | 0600 } };
    const unsigned recorded = FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE;

    assert_int_equal(tree_stat(s->fd, "f", &file.file), 0);
    assert_int_equal(tree_stat(s->fd, NULL, &parent.file), 0);
    file.file.known &= recorded;
    parent.file.known &= recorded;
    if (operation == OPERATION_LINK) {
        snprintf(s->second, sizeof(s->second), "%s/g", s->folder);
        assert_int_equal(link(s->path, s->second), 0);
        c.name = bytes_of("g");
        c.after.known = 0;
    } else {
        assert_int_equal(chmod(s->path, 0600), 0);
    }
    audit_apply(&s->object, &s->sensor.facts, &c, 1);
    (void)change_flags(s->path);
    call(s, changed_ms(s), NO_PID);
    assert_true(audit_handle_flags_until(&s->sensor, UINT64_MAX));
    wanted(s, has_flags, 1, NO_PID);
}

static void are_known_after_a_chmod(void **state)
{
    struct scene s;

    (void)state;
    stay_known(&s, OPERATION_CHMOD);
}

static void are_known_after_a_link(void **state)
{
    struct scene s;

    (void)state;
    stay_known(&s, OPERATION_LINK);
}

/* ---- two processes ---- */

/* A second file, whose flags are changed with those of the first: later by so many of its clock's ticks. Milliseconds of both. */
static void change_two(struct scene *s, unsigned ticks, uint64_t ret_ms[2])
{
    struct tree_change change;
    struct timespec tick;
    struct file_state first, second;

    snprintf(s->second, sizeof(s->second), "%s/g", s->folder);
    close(open(s->second, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    assert_int_equal(tree_refresh(s->object.tree, s->fd, tree_root(s->object.tree), bytes_of("g"), &change, NULL), 0);
    clock_getres(CLOCK_REALTIME_COARSE, &tick);
    (void)change_flags(s->path);
    for (unsigned i = 0; i < ticks; i++)
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
    (void)change_flags(s->second);
    assert_int_equal(tree_stat(s->fd, "f", &first), 0);
    assert_int_equal(tree_stat(s->fd, "g", &second), 0);
    ret_ms[0] = (uint64_t)first.ctime_ns / NS_PER_MS;
    ret_ms[1] = (uint64_t)second.ctime_ns / NS_PER_MS;
}

/* Both have ended when the first record is read, and their calls have the stamp of one tick. */
static void two_of_one_tick_are_nobodys(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    uint64_t ms[2];

    (void)state;
    change_two(&s, 0, ms);
    call(&s, ms[0], NO_PID);
    call(&s, ms[0], NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    assert_int_equal(s.named, 0);
    wanted(&s, has_flags, 2, 0);
}

static void two_of_different_ticks_are_named(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    uint64_t ms[2];

    (void)state;
    change_two(&s, 3, ms);
    call(&s, ms[0], NO_PID);
    call(&s, ms[1], NO_PID + 1);
    assert_int_equal(s.events, 0);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted_two(&s, has_flags, NO_PID, NO_PID + 1);
}

/* Its own record is read by then, and nothing more; that of the other one comes later. */
static void a_later_read_counts(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    uint64_t ms[2];

    (void)state;
    for (unsigned tries = 0; tries == 0 || s.events; tries++) { /* a busy machine: the look is long ago already */
        assert_true(tries < 100);
        end(&s, true);
        has_flags = begin(&s, false, 0);
        change_two(&s, 3, ms);
        call(&s, ms[0], NO_PID);
        audit_handle_flags(&s.sensor);
    }
    call(&s, ms[1], NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted_two(&s, has_flags, NO_PID, NO_PID + 1);
}

static void two_of_one_process_are_its_own(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    uint64_t ms[2];

    (void)state;
    change_two(&s, 0, ms);
    call(&s, ms[0], NO_PID);
    call(&s, ms[0], NO_PID);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    if (has_flags)
        assert_int_equal(s.named, 2);
    wanted(&s, has_flags, 2, NO_PID);
}

/* In the same tick, and each is looked for before the other one is made: the stamps do not matter. */
static void each_is_found_by_its_own_call(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);

    (void)state;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID + 1);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    if (has_flags)
        assert_int_equal(s.named, 2);
    wanted(&s, has_flags, 2, NO_PID + 1);
}

/* That one is at work still, and its descriptor leads to the file: which another one's record led to first. */
static void is_not_reported_twice(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    int fd = open(s.path, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(dup2(fd, CALLERS_FD), CALLERS_FD);
    close(fd);
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID); /* elsewhere */
    call(&s, changed_ms(&s), getpid());
    close(CALLERS_FD);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, getpid());
}

/* Nobody waits for ever: by the loop's own turns. */
static void is_named_in_time(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    uint64_t begun_ms;

    (void)state;
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    begun_ms = clock_ms(CLOCK_MONOTONIC);
    audit_handle_flags(&s.sensor);
    while (has_flags && !s.events && clock_ms(CLOCK_MONOTONIC) - begun_ms < 60000) {
        (void)poll(NULL, 0, 10);
        audit_handle_flags(&s.sensor);
    }
    wanted(&s, has_flags, 1, NO_PID);
}

/* The rest of another call's records is still to come: nothing is decided before. */
static void records_that_are_coming_are_awaited(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, 0);
    struct audit_grouper_options options = { .copy = true, .group = audit_handle_group, .data = &s.sensor };
    char text[512];
    struct audit_record record;

    (void)state;
    s.sensor.grouper = audit_grouper_new(&options);
    assert_non_null(s.sensor.grouper);
    (void)change_flags(s.path);
    call(&s, changed_ms(&s), NO_PID);
    record = record_of(text, changed_ms(&s), NO_PID + 1);
    audit_grouper_add(s.sensor.grouper, &record, 1);
    (void)poll(NULL, 0, 250);
    audit_handle_flags(&s.sensor);
    assert_int_equal(s.events, 0);
    audit_grouper_expire(s.sensor.grouper, 1, 0);
    audit_handle_flags(&s.sensor);
    assert_int_equal(s.events, 0); /* nobody's, but for a record that comes later still */
    (void)poll(NULL, 0, 1000);
    audit_handle_flags(&s.sensor);
    audit_grouper_free(s.sensor.grouper);
    s.sensor.grouper = NULL;
    wanted(&s, has_flags, 1, 0);
}

/* More than are kept: those that come first are nobody's, and none is lost. */
static void many_calls_elsewhere_name_nobody(void **state)
{
    struct scene s;
    bool has_flags = begin(&s, false, MANY);

    (void)state;
    (void)change_flags(s.path);
    for (pid_t pid = NO_PID; pid < NO_PID + 300; pid++)
        call(&s, changed_ms(&s), pid);
    assert_true(audit_handle_flags_until(&s.sensor, UINT64_MAX));
    wanted(&s, has_flags, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_found_at_once),
        cmocka_unit_test(is_found_though_nothing_differs),
        cmocka_unit_test(is_nobodys_where_nothing_differs),
        cmocka_unit_test(is_not_of_a_call_long_ago),
        cmocka_unit_test(is_found_beyond_one_turn),
        cmocka_unit_test(is_nobodys_of_two),
        cmocka_unit_test(is_of_one_file),
        cmocka_unit_test(is_not_lost_while_searches_rest),
        cmocka_unit_test(is_found_at_the_path_itself),
        cmocka_unit_test(is_left_for_its_record),
        cmocka_unit_test(are_known_after_a_chmod),
        cmocka_unit_test(are_known_after_a_link),
        cmocka_unit_test(two_of_one_tick_are_nobodys),
        cmocka_unit_test(two_of_different_ticks_are_named),
        cmocka_unit_test(a_later_read_counts),
        cmocka_unit_test(two_of_one_process_are_its_own),
        cmocka_unit_test(each_is_found_by_its_own_call),
        cmocka_unit_test(is_not_reported_twice),
        cmocka_unit_test(is_named_in_time),
        cmocka_unit_test(records_that_are_coming_are_awaited),
        cmocka_unit_test(many_calls_elsewhere_name_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
