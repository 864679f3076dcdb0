/* SPDX-License-Identifier: MIT */
/* Rarer ways to change a file: passed descriptors, old mappings, 32-bit calls, new mount calls, io_uring. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kinds.h"
#include "uring.h"

/* ---- descriptors and mappings ---- */

/* FILE: opened here, passed over a unix socket, written to and closed by a child that never opened it.
 * The child's pid goes to standard output. */
static int k_passed(char **a)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = { (char *)"x", 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    int pair[2], fd, status;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        char byte;

        part.iov_base = &byte;
        close(pair[0]);
        if (recvmsg(pair[1], &message, 0) != 1 || !(c = CMSG_FIRSTHDR(&message)))
            _exit(1);
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        usleep(50000); /* the opener's descriptor is closed by now */
        _exit(write(fd, "passed", 6) != 6 || close(fd) < 0);
    }
    printf("child %d\n", child);
    fd = open_or_die(a[0], O_WRONLY);
    c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    if (sendmsg(pair[0], &message, 0) != 1 || close(fd) < 0 || close(pair[0]) < 0)
        return -1;
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int k_old_mapping(char **a) /* mapped before the watch, the descriptor closed too */
{
    int fd = open_or_die(a[0], O_RDWR);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    close(fd);
    rendezvous();
    if (p == MAP_FAILED)
        return -1;
    p[0] = 'M';
    return msync(p, 4096, MS_SYNC) < 0 ? -1 : munmap(p, 4096);
}

static int k_map_protect(char **a) /* mapped for reading, made writable later */
{
    int fd = open_or_die(a[0], O_RDWR);
    char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

    close(fd);
    if (p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_WRITE) < 0)
        return -1;
    p[0] = 'P';
    return munmap(p, 4096);
}

static int k_old_truncate(char **a) /* a descriptor opened before the watch, shortened */
{
    int fd = open_or_die(a[0], O_WRONLY);

    rendezvous();
    return ftruncate(fd, 1) < 0 ? -1 : close(fd);
}

static int k_holds(char **a) /* FILE MILLISECONDS: writes, and keeps the file open */
{
    int fd = open_or_die(a[0], O_WRONLY);

    if (write(fd, "hello", 5) != 5)
        return -1;
    usleep((useconds_t)atoi(a[1]) * 1000);
    return close(fd);
}

/* ---- routes ---- */

/* A system call of the 32-bit table: NUMBER PATH [PATH or number in octal]. */
static int k_call32(char **a)
{
    char *low = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result, number = atol(a[0]), second = 0;

    if (low == MAP_FAILED)
        return -1;
    snprintf(low, 8192, "%s", a[1]);
    if (a[2] && a[2][0] == '/') {
        snprintf(low + 8192, 8192, "%s", a[2]);
        second = (long)(low + 8192);
    } else if (a[2]) {
        second = strtol(a[2], NULL, 8);
    }
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(low), "c"(second)
                     : "memory", "r8", "r9", "r10", "r11");
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : 0;
}

static int k_openat2(char **a)
{
    struct {
        unsigned long long flags, mode, resolve;
    } how = { .flags = O_WRONLY | O_TRUNC };
    long fd = syscall(437 /* SYS_openat2, Linux 5.6 */, AT_FDCWD, a[0], &how, sizeof(how));

    return fd < 0 ? -1 : close((int)fd);
}

static int k_uring_mkdir(char **a) { return uring_make(IORING_OP_MKDIRAT, a[0], NULL); }
static int k_uring_symlink(char **a) { return uring_make(IORING_OP_SYMLINKAT, a[0], a[1]); }
static int k_uring_link(char **a) { return uring_make(IORING_OP_LINKAT, a[0], a[1]); }
static int k_uring_fallocate(char **a) { return uring_fallocate(a[0]); }
static int k_uring_poll(char **a)
{
    uring_polled();
    return uring_do(IORING_OP_UNLINKAT, a[0], NULL);
}

static int k_uring_old(char **a) /* written to by io_uring through a descriptor from before the watch */
{
    int fd = open_or_die(a[0], O_WRONLY);

    rendezvous();
    return uring_write_to(fd) == 5 ? close(fd) : -1;
}

/* ---- mounts ---- */

static int k_move_mount(char **a) /* FROM TO: a bind mount by the new calls */
{
    long tree = syscall(428 /* SYS_open_tree */, AT_FDCWD, a[0], 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);

    if (tree < 0)
        return -1;
    return (int)syscall(429 /* SYS_move_mount */, (int)tree, "", AT_FDCWD, a[1], 4 /* F_EMPTY_PATH */);
}

/* ---- metadata ---- */

static int k_setcap(char **a) /* cap_net_raw, permitted and effective */
{
    unsigned value[5] = { 0x02000001, 1u << 13, 0, 0, 0 };

    return setxattr(a[0], "security.capability", value, sizeof(value), 0);
}

/* ---- actors ---- */

/* FILE PROGRAM [ARG...]: a child deletes FILE and exits; another process with the same pid runs PROGRAM. */
static int k_pid_again(char **a)
{
    pid_t first = fork(), second;
    int status;

    if (first == 0)
        _exit(unlink(a[0]) < 0);
    if (waitpid(first, &status, 0) != first || status != 0)
        return -1;
    for (int tries = 0; tries < 200; tries++) {
        int fd = open_or_die("/proc/sys/kernel/ns_last_pid", O_WRONLY);
        char text[16];

        snprintf(text, sizeof(text), "%d", first - 1);
        if (write(fd, text, strlen(text)) < 0)
            return -1;
        close(fd);
        second = fork();
        if (second == 0) {
            if (getpid() != first)
                _exit(77);
            execv(a[1], a + 1);
            _exit(1);
        }
        waitpid(second, &status, 0);
        if (WEXITSTATUS(status) != 77) {
            printf("child %d\n", second);
            return status == 0 ? 0 : -1;
        }
    }
    errno = EAGAIN;
    return -1;
}

static int k_fork_storm(char **a) /* N processes that are gone at once */
{
    for (int i = atoi(a[0]); i > 0; i--) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        if (child < 0 || waitpid(child, NULL, 0) != child)
            return -1;
    }
    return 0;
}

const struct kind more_kinds[] = {
    { "passed", k_passed },           { "old-mapping", k_old_mapping },
    { "map-protect", k_map_protect }, { "old-truncate", k_old_truncate },
    { "holds", k_holds },             { "call32", k_call32 },
    { "openat2", k_openat2 },         { "uring-mkdir", k_uring_mkdir },
    { "uring-symlink", k_uring_symlink }, { "uring-link", k_uring_link },
    { "uring-fallocate", k_uring_fallocate }, { "uring-poll", k_uring_poll },
    { "uring-old", k_uring_old },     { "move-mount", k_move_mount },
    { "setcap", k_setcap },           { "pid-again", k_pid_again },
    { "fork-storm", k_fork_storm },   { NULL, NULL },
};
