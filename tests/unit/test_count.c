/* SPDX-License-Identifier: MIT */
/* Was anything below a path changed since? On a real directory; and where a file system below never answers nobody waits for it. */
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/count.h"

#define NO_FUSE 77

static char directory[] = "/tmp/culprit-test-count-XXXXXX";
static char below[64], hangfuse[PATH_MAX];

static bool is_older(uint64_t time_ns)
{
    struct stat st;

    return lstat(directory, &st) == 0 && count_is_older(bytes_of(directory), st.st_dev, time_ns);
}

static void changed_before_or_after(void **state)
{
    (void)state;
    assert_true(is_older(UINT64_MAX));
    assert_false(is_older(1));
    assert_false(count_is_older(bytes_of("/nonexistent/x"), 0, UINT64_MAX));
}

/* Asked of the kernel alone. */
static bool is_mounted(void)
{
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char line[4096];
    bool found = false;

    while (mounts && !found && fgets(line, sizeof(line), mounts))
        found = strstr(line, below) != NULL;
    if (mounts)
        fclose(mounts);
    return found;
}

/* In a mount namespace of its own. */
static _Noreturn void look(int out)
{
    unsigned char result = NO_FUSE;
    pid_t pid;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || (pid = fork_child()) < 0)
        _exit(1);
    if (pid == 0) {
        execl(hangfuse, hangfuse, below, "dead", (char *)NULL);
        _exit(1);
    }
    if (write(out, &pid, sizeof(pid)) != sizeof(pid))
        _exit(1);
    while (!is_mounted()) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            _exit(1); /* no FUSE here */
        usleep(10 * 1000);
    }
    result = is_older(UINT64_MAX);
    _exit(write(out, &result, 1) != 1);
}

static void what_never_answers_is_not_waited_for(void **state)
{
    unsigned char result = NO_FUSE;
    int ends[2], waited;
    pid_t pid, fuse = 0;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork_child();
    if (pid == 0)
        look(ends[1]);
    close(ends[1]);
    if (read(ends[0], &fuse, sizeof(fuse)) != sizeof(fuse))
        fuse = 0;
    waited = poll(&(struct pollfd){ .fd = ends[0], .events = POLLIN }, 1, 120000);
    if (waited > 0 && read(ends[0], &result, 1) != 1)
        result = NO_FUSE;
    if (fuse > 0)
        (void)kill(fuse, SIGKILL); /* who waits for it ends with its connection */
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    close(ends[0]);
    assert_int_equal(waited, 1);
    if (result == NO_FUSE)
        skip();
    assert_int_equal(result, 0); /* not known */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_before_or_after),
        cmocka_unit_test(what_never_answers_is_not_waited_for),
    };
    ssize_t n = readlink("/proc/self/exe", hangfuse, sizeof(hangfuse) - 32);
    int failed;

    (void)argc, (void)argv;
    if (n < 0 || !mkdtemp(directory))
        return 99;
    hangfuse[n] = '\0';
    snprintf(strrchr(hangfuse, '/'), 32, "/../actors/hangfuse");
    snprintf(below, sizeof(below), "%s/below", directory);
    if (mkdir(below, 0755) < 0)
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(below);
    return rmdir(directory) < 0 ? 98 : failed;
}
