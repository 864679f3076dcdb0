/* SPDX-License-Identifier: MIT */
/* What is given up fails, in each thread and child; what is not goes on. Each case in a process of its own. */
#include "sensor/sensors.h"
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/seccomp.h"
#include "sensor/sensor.h"
#include "util/seccomp.h"

#define NO_FILTERS 77

static int fails_with(long r)
{
    return r < 0 ? errno : 0;
}

static int give_up(enum seccomp_kind kind, const struct seccomp_row *rows, size_t count, bool all)
{
    int r;

    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    r = seccomp_give_up(kind, rows, count, all);
    if (r == -EINVAL || r == -ENOSYS)
        _exit(NO_FILTERS);
    return r;
}

static int not_these(void)
{
    static const struct seccomp_row rows[] = { { .call = SYS_getppid }, { .call = SYS_personality },
                                               { .call = SYS_getpgid } };

    if (give_up(SECCOMP_NOT_THESE, rows, ARRAY_SIZE(rows), false) != 0)
        return 1;
    if (fails_with(syscall(SYS_getppid)) != EPERM || fails_with(syscall(SYS_personality, 0xffffffff)) != EPERM ||
        fails_with(syscall(SYS_getpgid, 0)) != EPERM)
        return 2;
    return syscall(SYS_getuid) == (long)getuid() && syscall(SYS_getsid, 0) >= 0 ? 0 : 3;
}

/* Of one call by its first argument, between two others: the number is loaded again behind it. */
static int by_argument(void)
{
    static const struct seccomp_row rows[] = { { .call = SYS_getpgid, .of_first = true, .first = 1 },
                                               { .call = SYS_getpgid, .of_first = true, .first = 2 },
                                               { .call = SYS_getppid } };

    if (give_up(SECCOMP_NOT_THESE, rows, ARRAY_SIZE(rows), false) != 0)
        return 1;
    if (fails_with(syscall(SYS_getpgid, 1)) != EPERM || fails_with(syscall(SYS_getpgid, 2)) != EPERM ||
        fails_with(syscall(SYS_getppid)) != EPERM)
        return 2;
    return fails_with(syscall(SYS_getpgid, 0)) == 0 && fails_with(syscall(SYS_getsid, 1)) != EPERM ? 0 : 3;
}

static int only_these(void)
{
    static const struct seccomp_row rows[] = { { .call = SYS_exit_group }, { .call = SYS_getpid } };

    if (give_up(SECCOMP_ONLY_THESE, rows, ARRAY_SIZE(rows), false) != 0)
        return 1;
    return syscall(SYS_getpid) > 0 && fails_with(syscall(SYS_getppid)) == EPERM ? 0 : 2;
}

static sem_t go;

static void *ask_in_thread(void *data)
{
    sem_wait(&go);
    *(int *)data = fails_with(syscall(SYS_getppid));
    return NULL;
}

static int each_thread(void)
{
    static const struct seccomp_row rows[] = { { .call = SYS_getppid } };
    int before = 0, after = 0, status = 0;
    pthread_t old, new;
    pid_t child;

    sem_init(&go, 0, 0);
    if (pthread_create(&old, NULL, ask_in_thread, &before) != 0 ||
        give_up(SECCOMP_NOT_THESE, rows, ARRAY_SIZE(rows), true) != 0 ||
        pthread_create(&new, NULL, ask_in_thread, &after) != 0)
        return 1;
    sem_post(&go);
    sem_post(&go);
    pthread_join(old, NULL);
    pthread_join(new, NULL);
    child = fork_child();
    if (child == 0)
        _exit(fails_with(syscall(SYS_getppid)));
    waitpid(child, &status, 0);
    return before == EPERM && after == EPERM && WEXITSTATUS(status) == EPERM ? 0 : 2;
}

static int too_many(void)
{
    static struct seccomp_row rows[201];

    return seccomp_give_up(SECCOMP_NOT_THESE, rows, ARRAY_SIZE(rows), false) == -E2BIG ? 0 : 1;
}

/* What culprit gives up: no program can be run any more; what its sensors need stays. */
static int confined(void)
{
    char *const argv[] = { (char[]){ "true" }, NULL };
    struct choice choice = { .sensors = { sensor_by_name("fanotify") }, .count = 1 };
    int r;

    if (!seccomp_built_in())
        return 0;
    r = seccomp_confine(&choice);
    if (r == -EINVAL || r == -ENOSYS)
        return NO_FILTERS;
    if (r < 0 || prctl(PR_GET_SECCOMP) != 2)
        return 1;
    (void)execv("/bin/true", argv);
    if (errno != EPERM || fails_with(syscall(SYS_mount, "", "", "", 0, NULL)) != EPERM ||
        fails_with(syscall(SYS_keyctl, 0, 0)) != EPERM || fails_with(syscall(SYS_bpf, 5, NULL, 0)) != EPERM)
        return 2;
    /* EBADF, EFAULT: the kernel looked at the arguments */
    return fails_with(syscall(SYS_open_by_handle_at, -1, NULL, 0)) != EPERM ? 0 : 3;
}

static void run(int (*body)(void))
{
    pid_t child = fork_child();
    int status = 0;

    if (child == 0)
        (void)syscall(SYS_exit_group, body()); /* a sanitizer's _exit() makes calls of its own */
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_FILTERS)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(name) \
    static void test_##name(void **state) \
    { \
        (void)state; \
        run(name); \
    }
CASE(not_these)
CASE(by_argument)
CASE(only_these)
CASE(each_thread)
CASE(too_many)
CASE(confined)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_these),   cmocka_unit_test(test_by_argument), cmocka_unit_test(test_only_these),
        cmocka_unit_test(test_each_thread), cmocka_unit_test(test_too_many),    cmocka_unit_test(test_confined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
