/* SPDX-License-Identifier: MIT */
/* Who had a pid, and when: fork, exec, exit, pids that are used again. */
#include "test.h"
#include "process_play.h"

#include "util/limits.h"

static void child_is_its_parent_until_it_executes(void **state)
{
    struct process *before, *after;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    before = process_ref(at(50, 11 * SECOND));
    assert_non_null(before);
    assert_bytes(before->executable, B);
    assert_bytes(before->name, "init");
    assert_int_equal(before->parent->pid, 1);
    exec_captured(12 * SECOND, 50, 10 * SECOND, "/bin/new");
    after = at(50, 13 * SECOND);
    assert_bytes(after->executable, "/bin/new");
    assert_int_equal(after->parent->pid, 1); /* taken over from the record before the exec */
    assert_ptr_equal(at(50, 11 * SECOND), before); /* the past stays as it was */
    assert_bytes(before->executable, B);
    assert_null(at(50, 9 * SECOND)); /* nobody yet */
    process_unref(before);
}

/* A script that ends by `exec rm` is still known; a child that only forked was nothing of its own. */
static void what_it_was_before(void **state)
{
    struct process *p;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(11 * SECOND, 50, 10 * SECOND, "/bin/script");
    assert_null(at(50, 11 * SECOND)->earlier);
    exec_captured(12 * SECOND, 50, 10 * SECOND, "/bin/rm");
    p = at(50, 13 * SECOND);
    assert_bytes(p->executable, "/bin/rm");
    assert_ptr_equal(p->earlier, at(50, 11 * SECOND + SECOND / 2));
    assert_bytes(p->earlier->executable, "/bin/script");
    fork_(14 * SECOND, 51, 50);
    exec_captured(15 * SECOND, 51, 14 * SECOND, "/bin/ls");
    assert_null(at(51, 16 * SECOND)->earlier);
    assert_bytes(at(51, 16 * SECOND)->parent->earlier->executable, "/bin/script");
    feed(PROCESS_EXEC, 17 * SECOND, 51, 0, NULL); /* gone before it could be read */
    p = at(51, 17 * SECOND);
    assert_false(bytes_known(p->executable));
    assert_bytes(p->earlier->executable, "/bin/ls");
}

static void exec_is_read_from_proc(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000, .executable = A,
                                       .ids = "5\t5\t5\t5", .comm = "fresh" });
    fork_(10 * SECOND, 50, 1);
    feed(PROCESS_EXEC, 12 * SECOND, 50, 0, NULL);
    assert_bytes(at(50, 13 * SECOND)->executable, A);
    assert_bytes(at(50, 13 * SECOND)->name, "fresh");
    assert_int_equal(at(50, 13 * SECOND)->cred.euid, 5);
    assert_bytes(at(50, 11 * SECOND)->executable, B);
    assert_int_equal(at(50, 11 * SECOND)->cred.euid, 0);
}

/* It executed something and was gone before anybody could look: not its parent's likeness. */
static void too_short_a_life_is_not_the_old_program(void **state)
{
    struct process *p;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    feed(PROCESS_EXEC, 12 * SECOND, 50, 0, NULL);
    feed(PROCESS_EXIT, 12 * SECOND + 1000, 50, 0, NULL);
    p = at(50, 12 * SECOND + 500);
    assert_non_null(p);
    assert_false(bytes_known(p->executable));
    assert_false(bytes_known(p->name));
    assert_false(bytes_known(p->args));
    assert_bytes(p->cgroup, "/init.scope"); /* an exec does not move it */
    assert_int_equal(p->parent->pid, 1);
    assert_true(p->cred.known);
    assert_int_equal(p->exited_ns, 12 * SECOND + 1000);
}

static void pid_comes_round_again(void **state)
{
    struct process *p;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(10 * SECOND + 1, 50, 10 * SECOND, "/bin/first");
    exit_(20 * SECOND, 50);
    fork_(30 * SECOND, 50, 1);
    exec_captured(30 * SECOND + 1, 50, 30 * SECOND, "/bin/second");
    assert_bytes(at(50, 15 * SECOND)->executable, "/bin/first");
    assert_bytes(at(50, 35 * SECOND)->executable, "/bin/second");
    assert_null(at(50, 25 * SECOND)); /* between the two there was none */
    assert_int_equal(at(50, 15 * SECOND)->exited_ns, 20 * SECOND);
    assert_int_equal(at(50, 35 * SECOND)->exited_ns, 0);
    /* the start decides where the sensor knows it, whatever the time says */
    p = process_table_find(table, 50, 35 * SECOND, 10 * SECOND, BYTES_NULL);
    assert_true(!p || bytes_equal_str(p->executable, "/bin/first"));
    p = process_table_find(table, 50, 15 * SECOND, 10 * SECOND, BYTES_NULL);
    assert_bytes(p->executable, "/bin/first");
    assert_null(process_table_find(table, 50, 35 * SECOND, 33 * SECOND, BYTES_NULL));
    assert_null(process_table_find(table, 0, 35 * SECOND, 0, BYTES_NULL));
    assert_null(process_table_find(table, -1, 35 * SECOND, 0, BYTES_NULL));
}

/* audit's clock is up to 10 ms early: close to an exec, the executable decides. */
static void executable_decides_close_to_an_exec(void **state)
{
    uint64_t exec_at = 12 * SECOND;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(exec_at, 50, 10 * SECOND, "/bin/new");
    assert_bytes(process_table_find(table, 50, exec_at + 1000000, 0, bytes_of(B))->executable, B);
    assert_bytes(process_table_find(table, 50, exec_at - 1000000, 0, bytes_of("/bin/new"))->executable, "/bin/new");
    assert_bytes(process_table_find(table, 50, exec_at - SECOND, 0, bytes_of("/bin/new"))->executable, B);
    /* a processor that is held keeps the clock from its tick: what was executed is still known */
    assert_bytes(process_table_find(table, 50, exec_at - SECOND / 10, 0, bytes_of("/bin/new"))->executable, "/bin/new");
    assert_bytes(process_table_find(table, 50, exec_at - SECOND / 10, 0, bytes_of(B))->executable, B);
    assert_bytes(process_table_find(table, 50, exec_at - SECOND / 10, 0, bytes_of("/bin/third"))->executable, B);
    assert_bytes(process_table_find(table, 50, exec_at - SECOND / 10, 0, BYTES_NULL)->executable, B);
    assert_bytes(process_table_find(table, 50, 10 * SECOND - SECOND / 10, 0, bytes_of(B))->executable, B);
    assert_bytes(process_table_find(table, 50, exec_at + SECOND, 0, bytes_of(B))->executable, "/bin/new");
    assert_bytes(process_table_find(table, 50, exec_at + SECOND, 0, bytes_of("/bin/third"))->executable, "/bin/new");
}

static void launchers_are_remembered(void **state)
{
    struct process *p;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(10 * SECOND + 1, 50, 10 * SECOND, "/bin/launcher");
    fork_(11 * SECOND, 51, 50);
    fork_(12 * SECOND, 52, 51);
    exit_(13 * SECOND, 50);
    exit_(14 * SECOND, 51);
    fork_(15 * SECOND, 50, 1); /* somebody else */
    exec_captured(15 * SECOND + 1, 50, 15 * SECOND, "/bin/other");
    p = at(52, 16 * SECOND);
    assert_int_equal(p->parent->pid, 51);
    assert_int_equal(p->parent->exited_ns, 14 * SECOND);
    assert_bytes(p->parent->parent->executable, "/bin/launcher");
    assert_int_equal(p->parent->parent->exited_ns, 13 * SECOND);
    assert_int_equal(p->parent->parent->parent->pid, 1);
    assert_true(process_descends_from(p, 50, 10 * SECOND));
    assert_false(process_descends_from(p, 50, 15 * SECOND));
    /* thousands of exits later, too */
    for (unsigned i = 0; i < LIMIT_EXITED + 100; i++) {
        fork_(20 * SECOND + i, 1000 + (int)i, 1);
        feed(PROCESS_EXIT, 20 * SECOND + i + 1, 1000 + (int)i, 0, NULL);
    }
    p = at(52, 30 * SECOND);
    assert_bytes(p->parent->parent->executable, "/bin/launcher");
    assert_true(remembered() <= LIMIT_EXITED + 4);
}

/* execve() changes the name before it is reported itself: that is no life of its own. What a runtime's moves from
 * cgroup to cgroup leave as it was makes no record either. */
static void what_is_no_change_makes_no_record(void **state)
{
    struct process *forked, *named, *p;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    forked = at(50, 10 * SECOND + SECOND);
    named = process_new(50, 10 * SECOND);
    process_set(named, &named->name, bytes_of("sh"));
    process_set(named, &named->cgroup, forked->cgroup);
    named->cred = forked->cred;
    named->mnt_ns = forked->mnt_ns;
    named->login_uid = forked->login_uid;
    named->session = forked->session;
    feed(PROCESS_COMM, 12 * SECOND, 50, 0, named);
    p = at(50, 12 * SECOND);
    assert_ptr_not_equal(p, forked);
    assert_bytes(p->name, "sh");
    assert_ptr_equal(p->executable.data, forked->executable.data); /* the same memory, kept by both */
    process_unref(named);
    named = process_new(50, 10 * SECOND);
    process_set(named, &named->name, bytes_of("sh"));
    process_set(named, &named->executable, bytes_of("/bin/sh"));
    feed(PROCESS_EXEC, 12 * SECOND + 1000, 50, 0, named);
    process_unref(named);
    assert_ptr_equal(at(50, 11 * SECOND), forked);
    p = at(50, 12 * SECOND + 2 * SECOND);
    assert_bytes(p->executable, "/bin/sh");
    named = process_new(50, 10 * SECOND);
    process_set(named, &named->name, bytes_of("sh"));
    process_set(named, &named->cgroup, p->cgroup);
    feed(PROCESS_CGROUP, 15 * SECOND, 50, 0, named);
    assert_ptr_equal(at(50, 16 * SECOND), p);
    process_unref(named);
}

static void change_of_ids_makes_a_new_record(void **state)
{
    struct process *before;

    (void)state;
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000, .executable = A });
    before = process_ref(at(50, 11 * SECOND));
    before->launch = (struct launch){ .looked = true, .kind = LAUNCH_TIMER, .text = bytes_of("x.timer") };
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000, .executable = A,
                                       .ids = "33\t33\t33\t33" });
    feed(PROCESS_CRED, 12 * SECOND, 50, 0, NULL);
    assert_int_equal(before->cred.euid, 0);
    assert_int_equal(at(50, 13 * SECOND)->cred.euid, 33);
    assert_int_equal(at(50, 11 * SECOND)->cred.euid, 0);
    assert_int_equal(at(50, 13 * SECOND)->parent->pid, 1);
    assert_true(at(50, 13 * SECOND)->launch.looked); /* it was launched once */
    assert_bytes(at(50, 13 * SECOND)->launch.text, "x.timer");
    process_unref(before);
}

/* A sensor without stamps: only a span is known, and whether the actor had ended by its end. */
static void a_span_and_a_pid_that_comes_round_again(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(11 * SECOND, 50, 10 * SECOND, "/bin/old");
    exit_(20 * SECOND, 50);
    fork_(20 * SECOND + 1000, 50, 1);
    exec_captured(20 * SECOND + 2000, 50, 20 * SECOND + 1000, "/bin/new");
    assert_bytes(process_table_find_between(table, 50, 19 * SECOND, 21 * SECOND, false)->executable, "/bin/new");
    assert_bytes(process_table_find_between(table, 50, 19 * SECOND, 21 * SECOND, true)->executable, "/bin/old");
    assert_bytes(process_table_find_between(table, 50, 15 * SECOND, 16 * SECOND, false)->executable, "/bin/old");
    /* the notification of its end is still under way */
    assert_bytes(process_table_find_between(table, 50, 22 * SECOND, 23 * SECOND, true)->executable, "/bin/new");
    exit_(30 * SECOND, 50);
    /* what it had open is closed after its end was reported */
    assert_bytes(process_table_find_between(table, 50, 30 * SECOND + SECOND / 4, 31 * SECOND, true)->executable, "/bin/new");
    assert_null(process_table_find_between(table, 50, 31 * SECOND, 32 * SECOND, true));
    assert_null(process_table_find_between(table, 51, 31 * SECOND, 32 * SECOND, false));
}

/* What the kernel side captured stays the truth: /proc shows a process at its end without executable
 * and arguments, and the ids that it has now are not those it had before an exec. */
static void ids_change_between_captured_records(void **state)
{
    struct process *end = process_new(50, 10 * SECOND);

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(12 * SECOND, 50, 10 * SECOND, "/bin/new");
    /* at its end: /proc has its ids, but no executable */
    fake_start(&(struct fake_process){ 50, 1, 1000, "new", NULL, "0::/\n", NULL, 0, "7\t7\t7\t7" });
    feed(PROCESS_CRED, 11 * SECOND, 50, 0, NULL); /* from another queue: older than the exec */
    assert_bytes(at(50, 13 * SECOND)->executable, "/bin/new");
    feed(PROCESS_CRED, 14 * SECOND, 50, 0, NULL);
    assert_bytes(at(50, 15 * SECOND)->executable, "/bin/new");
    assert_int_equal(at(50, 15 * SECOND)->cred.uid, 7);
    /* other ids at the end, and nobody said when that was: then they are unknown */
    end->cred = (struct credentials){ .known = true, .uid = 8, .euid = 8 };
    feed(PROCESS_EXIT, 16 * SECOND, 50, 0, end);
    process_unref(end);
    assert_bytes(at(50, 15 * SECOND)->executable, "/bin/new");
    assert_false(at(50, 15 * SECOND)->cred.known);
}

/* A runtime forks on the host and moves the child into its container's cgroup. */
static void moved_between_cgroups(void **state)
{
    struct process *moved = process_new(50, 10 * SECOND);

    (void)state;
    fork_(10 * SECOND, 50, 1);
    exec_captured(11 * SECOND, 50, 10 * SECOND, "/bin/new");
    process_set(moved, &moved->cgroup, bytes_of("/docker/1"));
    feed(PROCESS_CGROUP, 12 * SECOND, 50, 0, moved);
    process_unref(moved);
    assert_bytes(at(50, 13 * SECOND)->cgroup, "/docker/1");
    assert_bytes(at(50, 13 * SECOND)->executable, "/bin/new");
    assert_int_equal(at(50, 13 * SECOND)->parent->pid, 1);
    assert_false(bytes_equal_str(at(50, 11 * SECOND + SECOND / 2)->cgroup, "/docker/1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_span_and_a_pid_that_comes_round_again),
        TEST(child_is_its_parent_until_it_executes),
        TEST(ids_change_between_captured_records),
        TEST(moved_between_cgroups),
        TEST(what_it_was_before),
        TEST(exec_is_read_from_proc),
        TEST(too_short_a_life_is_not_the_old_program),
        TEST(pid_comes_round_again),
        TEST(executable_decides_close_to_an_exec),
        TEST(launchers_are_remembered),
        TEST(what_is_no_change_makes_no_record),
        TEST(change_of_ids_makes_a_new_record),
    };
    int failed;

    if (!mkdtemp(fake_proc))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_remove(fake_proc);
    return failed;
}
