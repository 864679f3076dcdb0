/* SPDX-License-Identifier: MIT */
/* Allocations that fail, by dep_failing_memory: the at-th from now on, once, or all from there on. Any thread. Included once a program. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static atomic_long until_failure; /* counts down at each allocation; 0: none fails */
static atomic_bool lasting, failed;

static bool fails(void)
{
    long left = atomic_load(&until_failure);

    while (left > 1)
        if (atomic_compare_exchange_weak(&until_failure, &left, left - 1))
            return false;
    if (!left)
        return false;
    if (!lasting)
        atomic_store(&until_failure, 0);
    return failed = true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void fail_from(long at, bool all)
{
    failed = false;
    lasting = all;
    until_failure = at;
}

static void fail_no_more(void)
{
    until_failure = 0;
}
