/* SPDX-License-Identifier: MIT */
#include "util/proc_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"
#include "util/parse.h"

int proc_stat_parse(struct bytes text, pid_t *ret_parent, uint64_t *ret_start_ticks)
{
    const char *end = memrchr(text.data, ')', text.len); /* comm may hold anything, ")" too */
    uint64_t parent = 0, start = 0;
    struct bytes rest;

    if (!end)
        return -EBADMSG;
    rest = (struct bytes){ end + 1, text.len - (size_t)(end + 1 - text.data) };
    for (unsigned field = 3; field <= 22; field++) { /* proc(5): state is field 3 */
        struct bytes word = bytes_next_word(&rest);

        if (field == 4 && (parse_u64(word, 10, &parent) < 0 || parent > INT_MAX))
            return -EBADMSG;
        if (field == 22 && parse_u64(word, 10, &start) < 0)
            return -EBADMSG;
    }
    *ret_parent = (pid_t)parent;
    *ret_start_ticks = start;
    return 0;
}

uint64_t proc_stat_ticks_to_ns(uint64_t ticks)
{
    long hz = sysconf(_SC_CLK_TCK);

    return ticks * (NS_PER_S / (uint64_t)(hz > 0 ? hz : 100));
}

static struct bytes read_stat(const char *proc, pid_t pid, char *text, size_t size)
{
    char path[PATH_MAX];
    _cleanup_close_ int fd = -EBADF;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return BYTES_NULL;
    do
        n = read(fd, text, size);
    while (n < 0 && errno == EINTR);
    return n > 0 ? (struct bytes){ text, (size_t)n } : BYTES_NULL;
}

uint64_t proc_stat_start_ticks(const char *proc, pid_t pid)
{
    char text[1024];
    struct bytes stat = read_stat(proc, pid, text, sizeof(text));
    uint64_t ticks = 0;
    pid_t parent;

    return stat.len && proc_stat_parse(stat, &parent, &ticks) == 0 ? ticks : 0;
}

/* ---- is it the same still? ---- */

/* As proc(5) has it; '\0': not known. */
static char state_of(struct bytes stat)
{
    const char *end = stat.len ? memrchr(stat.data, ')', stat.len) : NULL;
    size_t at = end ? (size_t)(end - stat.data) + 2 : stat.len;

    return at < stat.len ? stat.data[at] : '\0';
}

static bool has_ended(struct bytes stat)
{
    char state = state_of(stat);

    return state == 'Z' || state == 'X';
}

/* In a container's mount namespace it may be the container's. */
static bool proc_is_ours(void)
{
    char text[16], self[16];
    ssize_t n = readlink("/proc/self", text, sizeof(text));
    int len = snprintf(self, sizeof(self), "%d", getpid());

    return n == len && memcmp(text, self, (size_t)len) == 0;
}

bool proc_stat_is_runnable(pid_t pid)
{
    char text[1024];

    return proc_is_ours() && state_of(read_stat("/proc", pid, text, sizeof(text))) == 'R';
}

/* The kernel counts when a process started by the clock of the reader's time namespace (Linux 5.5). */
static bool has_our_clock(pid_t pid)
{
    char path[48];
    struct stat ours, its;

    snprintf(path, sizeof(path), "/proc/%d/ns/time", pid);
    if (stat("/proc/self/ns/time", &ours) < 0)
        return errno == ENOENT;
    return stat(path, &its) < 0 || (its.st_dev == ours.st_dev && its.st_ino == ours.st_ino);
}

bool proc_stat_is_gone(pid_t pid, uint64_t start_ticks)
{
    char text[1024];
    uint64_t ticks;
    struct bytes stat;
    pid_t parent;

    if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
        return true;
    if (!proc_is_ours())
        return false;
    stat = read_stat("/proc", pid, text, sizeof(text));
    if (!stat.len) /* it has ended since, or is hidden from us */
        return kill(pid, 0) < 0 && errno == ESRCH;
    if (has_ended(stat))
        return true;
    return start_ticks && proc_stat_parse(stat, &parent, &ticks) == 0 && ticks != start_ticks && has_our_clock(pid);
}

uint64_t proc_stat_start_ns(const char *proc, pid_t pid)
{
    return proc_stat_ticks_to_ns(proc_stat_start_ticks(proc, pid));
}
