/* SPDX-License-Identifier: MIT */
#include "util/memory.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/cleanup.h"

#define KEPT (16 * 1024 * 1024) /* bytes */

struct mapping {
    uintptr_t from, to;
    bool clean; /* of a file, private, not writable */
};

/* "7f00-7f10 r-xp 00000000 fe:00 1234   /usr/lib/x.so" */
static bool parse_head(const char *line, struct mapping *ret)
{
    unsigned long long from, to, inode;
    char rights[5];

    if (sscanf(line, "%llx-%llx %4s %*x %*x:%*x %llu", &from, &to, rights, &inode) != 4)
        return false;
    *ret = (struct mapping){ (uintptr_t)from, (uintptr_t)to,
                             inode && rights[1] == '-' && rights[3] == 'p' };
    return true;
}

void memory_keep(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEPT);
    (void)mallopt(M_TOP_PAD, KEPT / 16);
    (void)mallopt(M_MMAP_THRESHOLD, KEPT / 4);
}

void memory_trim(void)
{
    (void)malloc_trim(0);
}

void memory_give_back(void)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/smaps", "re");
    struct mapping m = { 0 };
    char *line = NULL;
    size_t size = 0;

    (void)malloc_trim(0);
    while (f && getline(&line, &size, f) > 0) {
        unsigned long long anonymous;

        if (parse_head(line, &m))
            continue;
        /* nothing of ours in it, so that the file has it all: relocated pages are anonymous, also where a
         * process that was forked still shares them */
        if (m.clean && sscanf(line, "Anonymous: %llu kB", &anonymous) == 1 && anonymous == 0)
            (void)madvise((void *)m.from, m.to - m.from, MADV_DONTNEED); /* NOLINT(performance-no-int-to-ptr) */
    }
    free(line);
}

uint64_t memory_resident(void)
{
    _cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
    unsigned long long pages;

    return f && fscanf(f, "%*u %llu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
