/* SPDX-License-Identifier: MIT */
/* Notifications that got lost, or came twice: who had a pid all the same. */
#include "test.h"
#include "process_play.h"

static void seed_links_parents_and_keeps_notifications(void **state)
{
    (void)state;
    fork_(10 * SECOND, 60, 1);
    exec_captured(10 * SECOND + 1, 60, 10 * SECOND, "/bin/news");
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 1000, .executable = A });
    fake_start(&(struct fake_process){ .pid = 70, .parent = 80, .start_ticks = 900, .executable = A });
    fake_start(&(struct fake_process){ .pid = 80, .parent = 1, .start_ticks = 800, .executable = A });
    assert_int_equal(process_table_seed(table, NULL), 0);
    assert_bytes(at(60, 11 * SECOND)->executable, "/bin/news");
    assert_int_equal(at(70, 11 * SECOND)->parent->pid, 80);
    assert_int_equal(at(70, 11 * SECOND)->parent->parent->pid, 1);
    assert_int_equal(remembered(), 4);
}

static void unknown_pid_is_read(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 1000, .executable = A });
    assert_null(at(60, 5 * SECOND)); /* started after the event: the pid was another's */
    assert_bytes(at(60, 11 * SECOND)->executable, A);
    assert_int_equal(at(60, 11 * SECOND)->parent->pid, 1);
    assert_null(at(61, 11 * SECOND));
}

/* ---- notifications that got lost ---- */

static void doubt_finds_a_lost_exec(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 1000, .executable = A });
    assert_bytes(at(60, 11 * SECOND)->executable, A);
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 1000, .executable = B });
    assert_bytes(at(60, 12 * SECOND)->executable, A);
    process_table_recheck(table);
    assert_bytes(at(60, 12 * SECOND)->executable, B);
}

static void doubt_finds_another_process(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 1000, .executable = A });
    assert_bytes(at(60, 11 * SECOND)->executable, A);
    fake_start(&(struct fake_process){ .pid = 60, .parent = 1, .start_ticks = 2000, .executable = B });
    process_table_recheck(table);
    assert_bytes(at(60, 30 * SECOND)->executable, B);
    assert_int_equal(at(60, 30 * SECOND)->start_ns, 20 * SECOND);
    assert_bytes(at(60, 15 * SECOND)->executable, A);
}

/* The end was reported, the next fork of that pid was not: /proc knows who it is. */
static void lost_fork_after_an_exit(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    exit_(11 * SECOND, 50);
    assert_null(at(50, 20 * SECOND));
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1500, .executable = A });
    assert_non_null(at(50, 20 * SECOND));
    assert_bytes(at(50, 20 * SECOND)->executable, A);
    assert_int_equal(at(50, 20 * SECOND)->start_ns, 15 * SECOND);
    assert_int_equal(at(50, 20 * SECOND)->exited_ns, 0);
    assert_int_equal(at(50, 10 * SECOND + 5)->start_ns, 10 * SECOND);
}

/* It has exited and nobody has waited for it: /proc still shows it, and it is still gone. */
static void zombie_stays_gone(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000 });
    fork_(10 * SECOND, 50, 1);
    feed(PROCESS_EXIT, 11 * SECOND, 50, 0, NULL);
    assert_null(at(50, 20 * SECOND));
    assert_bytes(at(50, 10 * SECOND + 5)->executable, B);
    assert_int_equal(at(50, 10 * SECOND + 5)->exited_ns, 11 * SECOND);
}

/* The same, and it was gone again before /proc could be asked: nothing of the old one is its. */
static void lost_fork_then_exec(void **state)
{
    struct process *p;

    (void)state;
    fork_(10 * SECOND, 40, 1);
    exec_captured(10 * SECOND + 1, 40, 10 * SECOND, "/bin/launcher");
    fork_(10 * SECOND, 50, 40);
    exec_captured(10 * SECOND + 1, 50, 10 * SECOND, "/bin/first");
    exit_(11 * SECOND, 50);
    feed(PROCESS_EXEC, 20 * SECOND, 50, 0, NULL);
    p = at(50, 21 * SECOND);
    assert_non_null(p);
    assert_int_equal(p->start_ns, 0); /* the old one's start would be a false identity */
    assert_null(p->parent);
    assert_false(p->cred.known);
    assert_false(bytes_known(p->executable));
    assert_bytes(at(50, 10 * SECOND + 5)->executable, "/bin/first");
}

/* A parent's pid that came round again without a word: the dead one launched nobody. */
static void lost_fork_of_a_parent(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(10 * SECOND + 1, 50, 10 * SECOND, "/bin/first");
    exit_(11 * SECOND, 50);
    fork_(30 * SECOND, 51, 50);
    assert_non_null(at(51, 31 * SECOND));
    assert_null(at(51, 31 * SECOND)->parent);
    assert_int_equal(at(51, 31 * SECOND)->parent_pid, 50);
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 2000, .executable = A });
    fork_(32 * SECOND, 52, 50);
    assert_bytes(at(52, 33 * SECOND)->parent->executable, A);
    assert_int_equal(at(52, 33 * SECOND)->parent->start_ns, 20 * SECOND);
}

static void exit_notification_may_come_twice(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    exit_(11 * SECOND, 50);
    exit_(12 * SECOND, 50);
    exit_(12 * SECOND, 4711);
    assert_int_equal(at(50, 10 * SECOND + 5)->exited_ns, 11 * SECOND);
    feed(PROCESS_CRED, 12 * SECOND, 4711, 0, NULL);
    feed(PROCESS_COMM, 12 * SECOND, 4711, 0, NULL);
    feed((enum process_event_kind)77, 12 * SECOND, 4711, 0, NULL);
    assert_null(at(4711, 13 * SECOND));
}

/* A shell of busybox runs rm in a child that only changes its name: by the time that is read, the child is
 * leaving, and its cgroup reads as the root. It was the container's all the same, not the host's. */
static void what_ends_reads_as_the_root_of_cgroups(void **state)
{
    struct process *moved = process_new(50, 10 * SECOND), *renamed = process_new(51, 13 * SECOND);

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(11 * SECOND, 50, 10 * SECOND, "/bin/busybox");
    process_set(moved, &moved->cgroup, bytes_of("/docker/1"));
    feed(PROCESS_CGROUP, 12 * SECOND, 50, 0, moved);
    fork_(13 * SECOND, 51, 50);
    process_set(renamed, &renamed->cgroup, bytes_of("/"));
    process_set(renamed, &renamed->name, bytes_of("rm"));
    feed(PROCESS_CRED, 14 * SECOND, 51, 0, renamed);
    assert_bytes(at(51, 15 * SECOND)->name, "rm");
    assert_bytes(at(51, 15 * SECOND)->cgroup, "/docker/1");
    process_unref(moved);
    process_unref(renamed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ends_reads_as_the_root_of_cgroups),
        TEST(seed_links_parents_and_keeps_notifications),
        TEST(unknown_pid_is_read),
        TEST(doubt_finds_a_lost_exec),
        TEST(doubt_finds_another_process),
        TEST(lost_fork_after_an_exit),
        TEST(zombie_stays_gone),
        TEST(lost_fork_then_exec),
        TEST(lost_fork_of_a_parent),
        TEST(exit_notification_may_come_twice),
    };
    int failed;

    if (!mkdtemp(fake_proc))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_remove(fake_proc);
    return failed;
}
