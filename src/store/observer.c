/* SPDX-License-Identifier: MIT */
#include "store/observer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "store/schema.h"
#include "util/cleanup.h"

#define BOOT_ID_SIZE 40

static bool read_text(const char *path, char *text, size_t size)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

    if (n <= 0)
        return false;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return true;
}

static bool read_boot_id(char ret[BOOT_ID_SIZE])
{
    return read_text("/proc/sys/kernel/random/boot_id", ret, BOOT_ID_SIZE);
}

/* Field 3 and 22 of proc(5)'s stat: the name before them may hold anything. */
static bool read_process(pid_t pid, char *ret_state, unsigned long long *ret_start)
{
    char path[32], text[1024];
    const char *after;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!read_text(path, text, sizeof(text)) || !(after = strrchr(text, ')')))
        return false;
    return sscanf(after + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                  ret_state, ret_start) == 2;
}

void observer_write(char ret[OBSERVER_SIZE])
{
    char boot[BOOT_ID_SIZE], state;
    unsigned long long start;
    struct stat ns;

    ret[0] = '\0';
    if (read_boot_id(boot) && read_process(getpid(), &state, &start) && stat("/proc/self/ns/pid", &ns) == 0)
        snprintf(ret, OBSERVER_SIZE, "%s %llu %d %llu", boot, (unsigned long long)ns.st_ino, (int)getpid(), start);
}

/* observer: as it is in the store. false: not written down. */
static bool copy_text(struct bytes observer, char ret[OBSERVER_SIZE])
{
    if (observer.len >= OBSERVER_SIZE || !observer.len)
        return false;
    memcpy(ret, observer.data, observer.len);
    ret[observer.len] = '\0';
    return true;
}

bool observer_is_of_another_boot(struct bytes observer)
{
    char text[OBSERVER_SIZE], here[BOOT_ID_SIZE];
    size_t len;

    if (!copy_text(observer, text) || bytes_equal_str(observer, OBSERVER_NOBODY) || !read_boot_id(here))
        return false;
    len = strcspn(text, " ");
    return len != strlen(here) || memcmp(text, here, len) != 0;
}

enum observer_state {
    OBSERVER_UNKNOWN, /* of another pid namespace, or not written down */
    OBSERVER_LIVES,
    OBSERVER_ENDED,   /* also: this is a copy of the store on another machine */
};

/* One of another boot has ended; else /proc says it, in the pid namespace of both.
 * OBSERVER_UNKNOWN: it cannot be seen. */
static enum observer_state observer_state(struct bytes observer)
{
    char text[OBSERVER_SIZE], boot[BOOT_ID_SIZE], here[BOOT_ID_SIZE], state;
    unsigned long long ns_inode, start, now;
    struct stat ns;
    int pid;

    if (!copy_text(observer, text) || sscanf(text, "%39s %llu %d %llu", boot, &ns_inode, &pid, &start) != 4 || pid <= 0 || !read_boot_id(here))
        return OBSERVER_UNKNOWN;
    if (strcmp(boot, here) != 0)
        return OBSERVER_ENDED;
    if (stat("/proc/self/ns/pid", &ns) < 0 || ns.st_ino != ns_inode)
        return OBSERVER_UNKNOWN;
    if (!read_process(pid, &state, &now))
        return kill(pid, 0) < 0 && errno == ESRCH ? OBSERVER_ENDED : OBSERVER_UNKNOWN;
    return now == start && state != 'Z' && state != 'X' ? OBSERVER_LIVES : OBSERVER_ENDED;
}

bool observer_is_alive(struct bytes observer, uint64_t beat_ns, uint64_t now_ns)
{
    enum observer_state state = observer_state(observer);

    return state == OBSERVER_LIVES || (state == OBSERVER_UNKNOWN && now_ns <= beat_ns + STORE_DEAD_NS);
}
