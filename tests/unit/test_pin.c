/* SPDX-License-Identifier: MIT */
/* Paths in another mount namespace: what is there, what is not yet, and a file system that never answers. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/bpf/pin.h"

static char directory[] = "/tmp/culprit-test-pin-XXXXXX";
static char hanging[64], hangfuse[PATH_MAX];
static pid_t elsewhere; /* a process in a mount namespace of its own, whose "hanging" does not answer */

/* Asked of the kernel alone: the file system may not answer. */
static bool is_mounted(void)
{
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char line[4096];
    bool found = false;

    while (mounts && !found && fgets(line, sizeof(line), mounts))
        found = strstr(line, hanging) != NULL;
    if (mounts)
        fclose(mounts);
    return found;
}

static void live_elsewhere(int ready)
{
    pid_t pid;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || (pid = fork_child()) < 0)
        _exit(1);
    if (pid == 0) {
        close(ready);
        execl(hangfuse, hangfuse, hanging, (char *)NULL);
        _exit(1);
    }
    for (unsigned i = 0; !is_mounted(); i++) {
        if (i == 6000 || waitpid(pid, NULL, WNOHANG) != 0)
            _exit(1); /* no FUSE here */
        usleep(10 * 1000);
    }
    (void)!write(ready, &pid, sizeof(pid));
    close(ready);
    for (;;)
        pause();
}

static pid_t fuse_pid;

static int set_up(void **state)
{
    ssize_t n = readlink("/proc/self/exe", hangfuse, sizeof(hangfuse) - 1);
    char *slash;
    int ends[2];

    (void)state;
    if (geteuid() != 0 || n < 0 || !mkdtemp(directory))
        return 0;
    hangfuse[n] = '\0';
    slash = strrchr(hangfuse, '/');
    snprintf(slash, sizeof(hangfuse) - (size_t)(slash - hangfuse), "/../actors/hangfuse");
    snprintf(hanging, sizeof(hanging), "%s/hanging", directory);
    assert_int_equal(mkdir(hanging, 0755), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    elsewhere = fork_child();
    if (elsewhere == 0)
        live_elsewhere(ends[1]);
    close(ends[1]);
    if (poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 120000) <= 0 ||
        read(ends[0], &fuse_pid, sizeof(fuse_pid)) != sizeof(fuse_pid)) {
        (void)kill(elsewhere, SIGKILL);
        (void)waitpid(elsewhere, NULL, 0);
        elsewhere = 0;
    }
    close(ends[0]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fuse_pid)
        (void)kill(fuse_pid, SIGKILL); /* who waits for it ends with its connection */
    if (elsewhere) {
        (void)kill(elsewhere, SIGKILL);
        (void)waitpid(elsewhere, NULL, 0);
    }
    (void)rmdir(hanging);
    (void)rmdir(directory);
    return 0;
}

static void what_is_there(void **state)
{
    struct pin pin = PIN_NULL;
    char path[96];

    (void)state;
    if (!elsewhere)
        skip();
    assert_int_equal(pin_open(elsewhere, bytes_of(directory), &pin, NULL), 0);
    assert_true(pin.fd >= 0);
    assert_int_equal(pin.missing, 0);
    pin_close(&pin);
    snprintf(path, sizeof(path), "%s/not/yet", directory);
    assert_int_equal(pin_open(elsewhere, bytes_of(path), &pin, NULL), 0);
    assert_int_equal(pin.missing, strlen("not/yet"));
    pin_close(&pin);
}

/* Killing who asked does not end it: it is not waited for. */
static void one_that_does_not_answer(void **state)
{
    struct pin pin = PIN_NULL;
    char path[96];

    (void)state;
    if (!elsewhere)
        skip();
    snprintf(path, sizeof(path), "%s/file", hanging);
    assert_int_equal(pin_open(elsewhere, bytes_of(path), &pin, NULL), -ETIMEDOUT);
    assert_int_equal(pin.fd, -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there),
        cmocka_unit_test(one_that_does_not_answer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
