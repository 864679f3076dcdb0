/* SPDX-License-Identifier: MIT */
/* No instance left: which of the two limits it was. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/inotify.h"

static void one(void **state)
{
    struct err err = ERR_INIT;
    int fd = inotify_open(&err);

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
}

/* In a user namespace of its own the limit is the child's alone. */
static int without_instances(void)
{
    struct err err = ERR_INIT;
    int fd;

    if (unshare(CLONE_NEWUSER) < 0)
        return 77;
    fd = open("/proc/sys/user/max_inotify_instances", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        return 77;
    close(fd);
    return inotify_open(&err) == -EMFILE && strstr(err.text, "fs.inotify.max_user_instances") && !strchr(err.text, '\n') ? 0 : 1;
}

static int without_descriptors(void)
{
    struct rlimit none = { 3, 3 };
    struct err err = ERR_INIT;

    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    if (setrlimit(RLIMIT_NOFILE, &none) < 0)
        return 77;
    return inotify_open(&err) == -EMFILE && strcmp(err.text, "inotify: Too many open files") == 0 ? 0 : 1;
}

static void in_child(int (*test)(void))
{
    pid_t pid = fork_child();
    int status = 0;

    if (pid == 0)
        _exit(test());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_users_limit(void **state)
{
    (void)state;
    in_child(without_instances);
}

static void the_processs_limit(void **state)
{
    (void)state;
    in_child(without_descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(one), cmocka_unit_test(the_users_limit), cmocka_unit_test(the_processs_limit) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
