/* SPDX-License-Identifier: MIT */
#include "util/proc_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
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

uint64_t proc_stat_start_ticks(const char *proc, pid_t pid)
{
    char path[PATH_MAX], text[1024];
    _cleanup_close_ int fd = -EBADF;
    uint64_t ticks = 0;
    pid_t parent;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    do
        n = read(fd, text, sizeof(text));
    while (n < 0 && errno == EINTR);
    return n > 0 && proc_stat_parse((struct bytes){ text, (size_t)n }, &parent, &ticks) == 0 ? ticks : 0;
}

uint64_t proc_stat_start_ns(const char *proc, pid_t pid)
{
    return proc_stat_ticks_to_ns(proc_stat_start_ticks(proc, pid));
}
