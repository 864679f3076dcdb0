/* SPDX-License-Identifier: MIT */
/* A file system that does not answer, and a machine that has no time to ask it. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "foreign/answers.h"
#include "util/clock.h"

#define TIMEOUT_MS 1000

static enum { ANSWERS, NO_PROCESSOR, SERVED_SLOWLY, HANGS } file_system;
static unsigned turn_us; /* what each process takes to begin */

int __real_fstatat64(int dir, const char *path, struct stat *ret, int flags);
int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags);

/* In the process that asks. */
int __wrap_fstatat64(int dir, const char *path, struct stat *ret, int flags)
{
    const uint64_t until = clock_ms(CLOCK_MONOTONIC) + TIMEOUT_MS * 3 / 2;

    if (file_system == HANGS)
        (void)sleep(1000);
    while (file_system == NO_PROCESSOR && clock_ms(CLOCK_MONOTONIC) < until)
        ; /* as one that waits for a processor, it is ready to run */
    if (file_system == SERVED_SLOWLY)
        (void)usleep(TIMEOUT_MS * 1500);
    return __real_fstatat64(dir, path, ret, flags);
}

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t __wrap_fork(void)
{
    (void)usleep(turn_us);
    return __real_fork();
}

static void answers(void **state)
{
    (void)state;
    file_system = ANSWERS;
    assert_true(foreign_answers("/", TIMEOUT_MS));
    assert_true(foreign_answers("/nowhere", TIMEOUT_MS));
}

static void a_busy_machine_is_waited_for(void **state)
{
    (void)state;
    file_system = NO_PROCESSOR;
    assert_true(foreign_answers("/", TIMEOUT_MS));
    assert_false(foreign_answers_at(AT_FDCWD, "/", TIMEOUT_MS)); /* not where the loop waits */
}

static void a_slow_machine_is_waited_for(void **state)
{
    (void)state;
    file_system = SERVED_SLOWLY;
    turn_us = 100000;
    assert_true(foreign_answers("/", TIMEOUT_MS));
    assert_false(foreign_answers_at(AT_FDCWD, "/", TIMEOUT_MS));
    turn_us = 0;
}

static void what_hangs_is_not(void **state)
{
    uint64_t began = clock_ms(CLOCK_MONOTONIC);

    (void)state;
    file_system = HANGS;
    assert_false(foreign_answers("/", TIMEOUT_MS));
    assert_true(clock_ms(CLOCK_MONOTONIC) - began >= TIMEOUT_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(a_busy_machine_is_waited_for),
        cmocka_unit_test(a_slow_machine_is_waited_for),
        cmocka_unit_test(what_hangs_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
