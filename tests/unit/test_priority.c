/* SPDX-License-Identifier: MIT */
/* Who observes goes first, what he starts does not, and nobody's own choice is changed. Each case in a process of its own. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/priority.h"

#define NOT_ALLOWED 77

static int own_nice(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

static int nice_of_child(void)
{
    int status = 0;
    pid_t pid = fork_child();

    if (pid == 0)
        _exit(own_nice() + 20);
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) - 20 : INT32_MAX;
}

static void *note_nice(void *data)
{
    *(int *)data = own_nice();
    return NULL;
}

static int nice_of_thread(void)
{
    pthread_t thread;
    int nice = INT32_MAX;

    if (pthread_create(&thread, NULL, note_nice, &nice) == 0)
        pthread_join(thread, NULL);
    return nice;
}

static int raised(void)
{
    if (own_nice() != 0)
        return NOT_ALLOWED;
    if (!priority_raise())
        return own_nice() == 0 && nice_of_child() == 0 ? NOT_ALLOWED : 1;
    if (own_nice() >= 0 || nice_of_thread() != own_nice())
        return 2;
    priority_keep_to_oneself();
    if (nice_of_thread() != 0 || nice_of_child() != 0)
        return 3;
    priority_keep_to_oneself(); /* once more changes nothing */
    return own_nice() < 0 && nice_of_child() == 0 ? 0 : 4;
}

/* Whoever started it with `nice` meant it, and what it starts too. */
static int chosen_by_the_user(void)
{
    if (setpriority(PRIO_PROCESS, 0, 7) < 0)
        return NOT_ALLOWED;
    return !priority_raise() && own_nice() == 7 && nice_of_child() == 7 ? 0 : 1;
}

/* -1: the kernel has no such groups. */
static int nice_of_session(void)
{
    FILE *f = fopen("/proc/self/autogroup", "re");
    int nice;

    if (!f)
        return -1;
    if (fscanf(f, "/autogroup-%*d nice %d", &nice) != 1)
        nice = -1;
    fclose(f);
    return nice;
}

static int session_raised(void)
{
    int before = nice_of_session();
    int status = 0;
    pid_t pid;

    if (before == -1)
        return NOT_ALLOWED;
    if (priority_raise_session() || nice_of_session() != before)
        return 1; /* it is others' session too */
    if (setsid() < 0)
        return 2;
    if (nice_of_session() != 0)
        return NOT_ALLOWED;
    if (!priority_raise_session())
        return nice_of_session() == 0 ? NOT_ALLOWED : 3;
    if (nice_of_session() >= 0)
        return 4;
    if (priority_raise_session()) /* it is not the usual one now */
        return 5;
    pid = fork_child();
    if (pid == 0)
        _exit(priority_raise_session());
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 6;
}

static int in_a_child(int (*run)(void))
{
    int status = 0;
    pid_t pid = fork_child();

    if (pid == 0)
        _exit(run());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        skip();
    return WEXITSTATUS(status);
}

static void observers_go_first(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(raised), 0);
}

static void a_choice_is_kept(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(chosen_by_the_user), 0);
}

static void a_session_of_ones_own(void **state)
{
    (void)state;
    assert_int_equal(in_a_child(session_raised), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observers_go_first),
        cmocka_unit_test(a_choice_is_kept),
        cmocka_unit_test(a_session_of_ones_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
