/* SPDX-License-Identifier: MIT */
#include "foreign/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"

#define LONGER 11 /* a minute where five seconds are given */
#define TURNS 60  /* a file system may take as long as so many processes that do nothing: it may be a program that serves it */

/* ---- in a process of its own, which has one thread: async-signal-safe calls only ---- */

#define DEPTH_MAX 32 /* folders in one another; deeper ones are looked at when it is their turn */

/* As getdents64(2) has it. */
struct listed_entry {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
    char d_name[];
};

struct folder {
    int fd;
    long len, at; /* of `entries`: what was read, what was looked at */
    char entries[4096];
};

/* False: it is not there, none, or on another file system. */
static bool open_folder(int dir, const char *path, dev_t device, struct folder *ret)
{
    struct stat st;

    if (fstatat(dir, path, &st, device ? AT_SYMLINK_NOFOLLOW : 0) < 0 || !S_ISDIR(st.st_mode) || (device && st.st_dev != device))
        return false;
    ret->fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | (device ? O_NOFOLLOW : 0));
    ret->len = ret->at = 0;
    return ret->fd >= 0;
}

/* The next name in it; NULL: there is none. A sign of life for each time that the file system answered. */
static const char *next_name(struct folder *f, int alive)
{
    for (;;) {
        const struct listed_entry *d = (const void *)(f->entries + f->at);

        if (f->at >= f->len) {
            f->at = 0;
            f->len = syscall(SYS_getdents64, f->fd, f->entries, sizeof(f->entries));
            (void)!write(alive, "", 1);
            if (f->len <= 0)
                return NULL;
            continue;
        }
        f->at += d->d_reclen;
        if (d->d_name[0] != '.' || (d->d_name[1] && (d->d_name[1] != '.' || d->d_name[2])))
            return d->d_name;
    }
}

static void look_at(const char *path, bool below, int alive)
{
    static struct folder folders[DEPTH_MAX]; /* too large for a stack; a worker has one thread */
    struct statfs fs;
    struct stat st;
    unsigned depth = 1;
    const char *name;

    if (!open_folder(AT_FDCWD, path, 0, &folders[0]))
        return;
    if (!below) {
        (void)next_name(&folders[0], alive);
        return;
    }
    if (fstatfs(folders[0].fd, &fs) < 0 || fstat(folders[0].fd, &st) < 0)
        return;
    while (depth) {
        name = next_name(&folders[depth - 1], alive);
        if (!name)
            close(folders[--depth].fd);
        else if (depth < DEPTH_MAX)
            depth += open_folder(folders[depth - 1].fd, name, st.st_dev, &folders[depth]);
    }
}

static void ask(int dir, const char *path, bool below, int answer, pid_t parent)
{
    if (dir != AT_FDCWD && fchdir(dir) < 0)
        _exit(0);
    /* whoever reads our output waits for its end: not for this process, which may stay */
    if (answer > 0)
        (void)syscall(SYS_close_range, 0u, (unsigned)answer - 1, 0u);
    (void)syscall(SYS_close_range, (unsigned)answer + 1, ~0u, 0u);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        look_at(path, below, answer);
    _exit(0);
}

enum { ENDED, GOES_ON, SILENT };

/* Its end closes the pipe; until then it says that it goes on. */
static int wait_for(int fd, unsigned timeout_ms, unsigned total_ms)
{
    const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + total_ms * NS_PER_MS;
    struct pollfd end = { .fd = fd, .events = POLLIN };
    char alive[512];
    int n;

    do {
        do
            n = poll(&end, 1, (int)timeout_ms);
        while (n < 0 && errno == EINTR);
        if (n == 0)
            return SILENT;
        if (read(fd, alive, sizeof(alive)) <= 0)
            return ENDED;
    } while (clock_ns(CLOCK_MONOTONIC) < until_ns);
    return GOES_ON;
}

/* It is not waited for where it waits itself. */
static void end_it(pid_t pid, int fd, unsigned timeout_ms, bool ended)
{
    (void)kill(pid, SIGKILL);
    if (!ended)
        ended = wait_for(fd, timeout_ms, 2 * timeout_ms) == ENDED;
    (void)waitpid(pid, NULL, ended ? 0 : WNOHANG);
}

/* What a process that does nothing takes now. */
static uint64_t measure_turn_ns(void)
{
    const uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    const pid_t pid = fork();

    if (pid < 0)
        return 0;
    if (pid == 0)
        _exit(0);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return clock_ns(CLOCK_MONOTONIC) - began_ns;
}

/* What is waited for may be a processor, for the one who asks or for a program that serves the file system. */
static bool is_busy(pid_t asking, uint64_t waited_ns)
{
    return proc_stat_is_runnable(asking) || TURNS * measure_turn_ns() > waited_ns;
}

/* longer: so many times more as long as the machine is too busy to say. */
static bool answers(int dir, const char *path, bool below, unsigned timeout_ms, unsigned total_ms, unsigned longer)
{
    _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
    const uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    pid_t parent = getpid(), pid;
    int ends[2], r;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return true;
    read_end = ends[0];
    write_end = ends[1];
    (void)fcntl(write_end, F_SETFL, O_NONBLOCK); /* a sign of life is enough */
    pid = fork();
    if (pid < 0)
        return true;
    if (pid == 0)
        ask(dir, path, below, write_end, parent);
    close(TAKE_FD(write_end));
    do
        r = wait_for(read_end, timeout_ms, total_ms);
    while (r == SILENT && longer-- > 0 && is_busy(pid, clock_ns(CLOCK_MONOTONIC) - began_ns));
    end_it(pid, read_end, r == SILENT ? 1 : timeout_ms, r == ENDED);
    return r != SILENT;
}

bool foreign_answers_at(int dir, const char *path, unsigned timeout_ms)
{
    return answers(dir, path, false, timeout_ms, timeout_ms, 0);
}

bool foreign_answers(const char *path, unsigned timeout_ms)
{
    return answers(AT_FDCWD, path, false, timeout_ms, timeout_ms, LONGER);
}

bool foreign_answers_below(int dir, const char *path, unsigned timeout_ms, unsigned total_ms)
{
    return answers(dir, path, true, timeout_ms, total_ms, 0);
}
