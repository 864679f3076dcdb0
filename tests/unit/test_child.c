/* SPDX-License-Identifier: MIT */
#include "util/child.h"
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/inherited.h"
#include "util/macro.h"

#define NOBODY 65534

/* False: it is still there. */
static bool wait_a_minute(pid_t pid)
{
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    return poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 60 * 1000) == 1;
}

static int end_of(void (*wait_for)(void))
{
    pid_t pid = fork();
    int status = 0;
    bool ended;

    if (pid == 0) {
        if (child_end_after(20 * NS_PER_MS) < 0)
            _exit(1);
        wait_for();
        _exit(2);
    }
    assert_true(pid > 0);
    ended = wait_a_minute(pid);
    if (!ended)
        (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(ended);
    return status;
}

static void assert_killed(int status)
{
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void be_stopped(void)
{
    (void)raise(SIGSTOP);
}

static void refuse_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    for (;;)
        (void)pause();
}

static void be_another(void)
{
    if (getuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(3);
    for (;;)
        (void)pause();
}

/* What it does meanwhile, and who it is, changes nothing. */
static void ends_whatever_it_does(void **state)
{
    (void)state;
    assert_killed(end_of(be_stopped));
    assert_killed(end_of(refuse_signals));
    assert_killed(end_of(be_another));
}

/* What was there is for whoever is started, what came since is not, by whomever it was opened. */
static void keeps_what_was_inherited(void **state)
{
    int given[2], own[2];
    struct inherited there;

    (void)state;
    assert_int_equal(pipe(given), 0);
    inherited_note(&there);
    assert_int_equal(pipe(own), 0);
    inherited_keep(&there);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcntl(given[i], F_GETFD), 0);
        assert_int_equal(fcntl(own[i], F_GETFD), FD_CLOEXEC);
        close(given[i]);
        close(own[i]);
    }
    assert_int_equal(fcntl(STDERR_FILENO, F_GETFD), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ends_whatever_it_does), cmocka_unit_test(keeps_what_was_inherited) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
