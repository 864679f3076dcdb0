/* SPDX-License-Identifier: MIT */
/* Who had a pid, and when: fork, exec, exit, pids that come round again, notifications that got lost. */
#include "test.h"

#include <errno.h>

#include "attribution/process_table.h"
#include "fake_proc.h"
#include "util/limits.h"

#define SECOND NS_PER_S
#define A "/tmp" /* executables: links of a real directory, so that they exist */
#define B "/usr"

static struct process_table *table;

static void feed(enum process_event_kind kind, uint64_t at, int pid, int parent, struct process *captured)
{
    process_table_apply(table, &(struct process_event){ .kind = kind, .boot_ns = at, .pid = pid,
                                                        .parent_pid = parent, .captured = captured,
                                                        .start_ns = kind == PROCESS_FORK ? at : 0 });
}

static void fork_(uint64_t at, int pid, int parent)
{
    feed(PROCESS_FORK, at, pid, parent, NULL);
}

static void exit_(uint64_t at, int pid)
{
    feed(PROCESS_EXIT, at, pid, 0, NULL);
    fake_end(pid);
}

static struct process *at(int pid, uint64_t boot_ns)
{
    return process_table_find(table, pid, boot_ns, 0, BYTES_NULL);
}

/* exec as the kernel's own sensor reports it: with the record */
static void exec_captured(uint64_t when, int pid, uint64_t start, const char *executable)
{
    struct process *p = process_new(pid, start);

    process_set(p, &p->executable, bytes_of(executable));
    feed(PROCESS_EXEC, when, pid, 0, p);
    process_unref(p);
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(process_table_new(fake_proc, &table, NULL), 0);
    fake_start(&(struct fake_process){ 1, 0, 1, "init", B, "0::/init.scope\n", "init", 0, NULL });
    return process_table_seed(table, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    process_table_free(table);
    fake_remove(fake_proc);
    (void)mkdir(fake_proc, 0755);
    return 0;
}

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

/* Of those that it was the first is kept, and the newest; records that others hold stay as they are. */
static void images_are_bounded(void **state)
{
    struct process *held = NULL;
    char name[32];

    (void)state;
    fork_(10 * SECOND, 50, 1);
    for (unsigned i = 0; i < 1000; i++) {
        struct process *p;
        unsigned count = 0;

        snprintf(name, sizeof(name), "/bin/%u", i);
        exec_captured((11 + i) * SECOND, 50, 10 * SECOND, name);
        p = at(50, (11 + i) * SECOND);
        assert_bytes(p->executable, name);
        if (i > 0) {
            snprintf(name, sizeof(name), "/bin/%u", i - 1);
            assert_bytes(p->earlier->executable, name);
            assert_int_equal(p->earlier->parent->pid, 1);
        }
        for (const struct process *e = p; e; e = e->earlier) {
            count++;
            if (!e->earlier)
                assert_bytes(e->executable, "/bin/0");
        }
        assert_in_range(count, 1, PROCESS_IMAGES);
        if (i == 500)
            held = process_ref(p);
    }
    assert_bytes(held->earlier->executable, "/bin/499");
    process_unref(held);
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
    assert_true(process_table_count(table) <= LIMIT_EXITED + 4);
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

/* Of those that ended long ago nothing is reported any more. */
static void the_long_gone_are_forgotten(void **state)
{
    size_t before = process_table_count(table);

    (void)state;
    for (int i = 0; i < 100; i++) {
        fork_(10 * SECOND, 100 + i, 1);
        feed(PROCESS_EXIT, 11 * SECOND, 100 + i, 0, NULL);
    }
    assert_int_equal(process_table_count(table), before + 100);
    assert_non_null(at(150, 10 * SECOND + SECOND / 2));
    fork_(30 * SECOND, 300, 1);
    feed(PROCESS_EXIT, 31 * SECOND, 300, 0, NULL);
    assert_int_equal(process_table_count(table), before + 1);
}

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
    assert_int_equal(process_table_count(table), 4);
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

/* ---- bounds ---- */

static unsigned depth_of(const struct process *p)
{
    unsigned n = 0;

    for (; p; p = p->parent)
        n++;
    return n;
}

/* A daemon that is its own grandchild again and again. */
static void endless_chain_is_cut(void **state)
{
    int pid = 2, parent = 1;

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        pid = 2 + (int)(i % 30000);
        fork_(10 * SECOND + i * 1000, pid, parent);
        if (i)
            feed(PROCESS_EXIT, 10 * SECOND + i * 1000 + 10, parent, 0, NULL);
        parent = pid;
    }
    assert_true(depth_of(at(pid, 20 * SECOND)) >= LIMIT_LINEAGE);
    assert_true(depth_of(at(pid, 20 * SECOND)) <= 2 * LIMIT_LINEAGE);
}

/* Somebody's deep nest must not take their launchers away from others. */
static void deep_nest_cuts_nobody_else(void **state)
{
    int parent = 50;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    fork_(10 * SECOND, 51, 50); /* an innocent child of the same shell */
    for (int i = 0; i < 200; i++) {
        fork_(11 * SECOND + (uint64_t)i, 100 + i, parent);
        parent = 100 + i;
    }
    assert_int_equal(depth_of(at(51, 12 * SECOND)), 3);
    assert_int_equal(at(51, 12 * SECOND)->parent->parent->pid, 1);
    assert_true(depth_of(at(parent, 12 * SECOND)) >= LIMIT_LINEAGE);
}

static void endless_execs_are_bounded(void **state)
{
    (void)state;
    fork_(10 * SECOND, 50, 1);
    for (unsigned i = 0; i < 1000; i++)
        exec_captured(11 * SECOND + i * SECOND, 50, 10 * SECOND, i % 2 ? "/bin/odd" : "/bin/even");
    assert_bytes(at(50, 2000 * SECOND)->executable, "/bin/odd");
    assert_bytes(at(50, 11 * SECOND + 998 * SECOND + 1)->executable, "/bin/even");
    assert_null(at(50, 12 * SECOND)); /* forgotten, not guessed */
    assert_int_equal(process_table_count(table), 2);
}

/* Ends that are never reported (the tracker's notifications got lost) must not fill the memory. */
static void living_are_bounded(void **state)
{
    (void)state;
    fake_start(&(struct fake_process){ .pid = 50, .parent = 1, .start_ticks = 1000, .executable = A });
    assert_non_null(at(50, 11 * SECOND));
    for (int i = 0; i < LIMIT_PROCESSES + 5000; i++)
        fork_(12 * SECOND + (uint64_t)i, 100 + i, 1);
    assert_true(process_table_count(table) <= LIMIT_PROCESSES + 1);
    assert_bytes(at(50, 13 * SECOND)->executable, A); /* who lives is kept */
    assert_non_null(at(100 + LIMIT_PROCESSES + 4999, 13 * SECOND));
}

static int count_one(void *data, struct process *p)
{
    (void)p;
    return ++*(unsigned *)data == 2 ? 42 : 0;
}

static void each_gives_the_living(void **state)
{
    unsigned n = 0;

    (void)state;
    fork_(10 * SECOND, 50, 1);
    fork_(10 * SECOND, 51, 1);
    exit_(11 * SECOND, 50);
    exit_(11 * SECOND, 51);
    assert_int_equal(process_table_each(table, count_one, &n), 0);
    assert_int_equal(n, 1);
    fork_(12 * SECOND, 52, 1);
    n = 0;
    assert_int_equal(process_table_each(table, count_one, &n), 42);
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

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
        TEST(a_span_and_a_pid_that_comes_round_again),
        TEST(child_is_its_parent_until_it_executes),
        TEST(ids_change_between_captured_records),
        TEST(moved_between_cgroups),
        TEST(what_it_was_before),
        TEST(images_are_bounded),
        TEST(exec_is_read_from_proc),
        TEST(too_short_a_life_is_not_the_old_program),
        TEST(pid_comes_round_again),
        TEST(executable_decides_close_to_an_exec),
        TEST(launchers_are_remembered),
        TEST(seed_links_parents_and_keeps_notifications),
        TEST(what_is_no_change_makes_no_record),
        TEST(the_long_gone_are_forgotten),
        TEST(unknown_pid_is_read),
        TEST(doubt_finds_a_lost_exec),
        TEST(doubt_finds_another_process),
        TEST(lost_fork_after_an_exit),
        TEST(zombie_stays_gone),
        TEST(lost_fork_then_exec),
        TEST(lost_fork_of_a_parent),
        TEST(exit_notification_may_come_twice),
        TEST(change_of_ids_makes_a_new_record),
        TEST(endless_chain_is_cut),
        TEST(deep_nest_cuts_nobody_else),
        TEST(endless_execs_are_bounded),
        TEST(living_are_bounded),
        TEST(each_gives_the_living),
    };
    int failed;

    if (!mkdtemp(fake_proc))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_remove(fake_proc);
    return failed;
}
