/* SPDX-License-Identifier: MIT */
/*
 * Around each input of a libFuzzer program (linked with --wrap): one that takes a minute of the processor is a finding. libFuzzer's own
 * -timeout is of the clock, and a busy machine would make findings by it.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS_MAX 60

int __real_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void too_slow(int number)
{
    static const char text[] = "this input takes more than a minute of the processor\n";

    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    abort(); /* libFuzzer keeps the input */
}

static void arm(time_t seconds)
{
    const struct itimerval at = { .it_value = { .tv_sec = seconds } };

    (void)setitimer(ITIMER_PROF, &at, NULL);
}

int __wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int r;

    (void)signal(SIGPROF, too_slow);
    arm(SECONDS_MAX);
    r = __real_LLVMFuzzerTestOneInput(data, size);
    arm(0); /* what libFuzzer does in between is not the input's */
    return r;
}
