/* SPDX-License-Identifier: MIT */
/*
 * act KIND [ARGUMENTS]: does one thing to one file in one particular way, and says on standard output
 * "done PID" or "failed ERRNO". With ACT_WAIT set it first prints "ready PID" and waits for a line.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "kinds.h"
#include "uring.h"

void rendezvous(void)
{
    char line[8];

    if (!getenv("ACT_WAIT"))
        return;
    printf("ready %d\n", getpid());
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        exit(2);
}

int open_or_die(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0644);

    if (fd < 0) {
        printf("failed %d\n", errno);
        exit(1);
    }
    return fd;
}

/* ---- names ---- */

static int k_unlink(char **a) { return unlink(a[0]); }
static int k_rmdir(char **a) { return rmdir(a[0]); }
static int k_mkdir(char **a) { return mkdir(a[0], 0755); }
static int k_rename(char **a) { return rename(a[0], a[1]); }
static int k_link(char **a) { return link(a[0], a[1]); }
static int k_symlink(char **a) { return symlink(a[0], a[1]); }

static int k_unlinkat(char **a) /* DIRECTORY NAME */
{
    int fd = open_or_die(a[0], O_RDONLY | O_DIRECTORY);

    return unlinkat(fd, a[1], 0);
}

static int k_exchange(char **a) { return renameat2(AT_FDCWD, a[0], AT_FDCWD, a[1], RENAME_EXCHANGE); }
static int k_whiteout(char **a) { return renameat2(AT_FDCWD, a[0], AT_FDCWD, a[1], RENAME_WHITEOUT); }
static int k_fifo(char **a) { return mkfifo(a[0], 0644); }
static int k_device(char **a) { return mknod(a[0], S_IFCHR | 0600, 0x0103); }

static int k_bind(char **a)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", a[0]);
    return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

static int k_tmpfile(char **a) /* DIRECTORY NAME */
{
    char path[64];
    int fd = open_or_die(a[0], O_TMPFILE | O_WRONLY);

    if (write(fd, "x", 1) != 1)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, path, AT_FDCWD, a[1], AT_SYMLINK_FOLLOW);
}

static int k_create(char **a)
{
    int fd = open(a[0], O_CREAT | O_EXCL | O_RDONLY, 0644);

    return fd < 0 ? -1 : close(fd);
}

/* ---- contents ---- */

static int k_write(char **a)
{
    int fd = open_or_die(a[0], O_WRONLY);

    return write(fd, "hello", 5) == 5 ? close(fd) : -1;
}

static int k_append(char **a)
{
    int fd = open_or_die(a[0], O_WRONLY | O_APPEND);

    return write(fd, "hello", 5) == 5 ? close(fd) : -1;
}

static int k_pwritev(char **a)
{
    struct iovec parts[2] = { { (char *)"he", 2 }, { (char *)"llo", 3 } };
    int fd = open_or_die(a[0], O_RDWR);

    return pwritev(fd, parts, 2, 0) == 5 ? close(fd) : -1;
}

static int k_otrunc(char **a) { return close(open_or_die(a[0], O_WRONLY | O_TRUNC)); }
static int k_otrunc_read(char **a) { return close(open_or_die(a[0], O_RDONLY | O_TRUNC)); }
static int k_truncate(char **a) { return truncate(a[0], 1); }

static int k_ftruncate(char **a)
{
    int fd = open_or_die(a[0], O_WRONLY);

    return ftruncate(fd, 1) < 0 ? -1 : close(fd);
}

static int k_punch(char **a)
{
    int fd = open_or_die(a[0], O_WRONLY);

    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0 ? -1 : close(fd);
}

static int k_copy_range(char **a) /* FROM TO */
{
    int from = open_or_die(a[0], O_RDONLY), to = open_or_die(a[1], O_WRONLY);

    return copy_file_range(from, NULL, to, NULL, 4, 0) == 4 ? close(to) : -1;
}

static int k_sendfile(char **a)
{
    int from = open_or_die(a[0], O_RDONLY), to = open_or_die(a[1], O_WRONLY);

    return sendfile(to, from, NULL, 4) == 4 ? close(to) : -1;
}

static int k_splice(char **a)
{
    int pipes[2], to = open_or_die(a[0], O_WRONLY);

    if (pipe(pipes) < 0 || write(pipes[1], "abcd", 4) != 4)
        return -1;
    return splice(pipes[0], NULL, to, NULL, 4, 0) == 4 ? close(to) : -1;
}

static int k_old_descriptor(char **a) /* opened before the watch */
{
    int fd = open_or_die(a[0], O_WRONLY);

    rendezvous();
    return write(fd, "hello", 5) == 5 ? close(fd) : -1;
}

static int k_map(char **a) /* the descriptor is closed before the memory is written to */
{
    int fd = open_or_die(a[0], O_RDWR);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    close(fd);
    if (p == MAP_FAILED)
        return -1;
    p[0] = 'M';
    return msync(p, 4096, MS_SYNC) < 0 ? -1 : munmap(p, 4096);
}

static int k_direct(char **a)
{
    void *buffer = NULL;
    int fd = open_or_die(a[0], O_WRONLY | O_DIRECT);

    if (posix_memalign(&buffer, 4096, 4096) != 0)
        return -1;
    memset(buffer, 'd', 4096);
    return write(fd, buffer, 4096) == 4096 ? close(fd) : -1;
}

/* ---- metadata ---- */

static int k_chmod(char **a) { return chmod(a[0], (mode_t)strtoul(a[1], NULL, 8)); }
static int k_chown(char **a) { return chown(a[0], (uid_t)atoi(a[1]), (gid_t)atoi(a[2])); }
static int k_lchown(char **a) { return lchown(a[0], (uid_t)atoi(a[1]), (gid_t)atoi(a[2])); }

static int k_fchmod(char **a)
{
    int fd = open_or_die(a[0], O_RDONLY);

    return fchmod(fd, (mode_t)strtoul(a[1], NULL, 8));
}

static int k_fchmodat2(char **a)
{
    return (int)syscall(452 /* SYS_fchmodat2, Linux 6.6 */, AT_FDCWD, a[0], strtoul(a[1], NULL, 8), 0);
}

static int k_utimensat(char **a)
{
    struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };

    return utimensat(AT_FDCWD, a[0], times, 0);
}

static int k_setxattr(char **a) { return setxattr(a[0], a[1], "v", 1, 0); }
static int k_removexattr(char **a) { return removexattr(a[0], a[1]); }

static int k_flags(char **a) /* FILE + or - : chattr +i, -i */
{
    int fd = open_or_die(a[0], O_RDONLY), flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return -1;
    flags = a[1][0] == '+' ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* ---- mounts ---- */

static int k_mount_tmpfs(char **a) { return mount("tmpfs", a[0], "tmpfs", 0, NULL); }
static int k_mount_bind(char **a) { return mount(a[0], a[1], NULL, MS_BIND, NULL); }
static int k_umount(char **a) { return umount2(a[0], MNT_DETACH); }

/* ---- routes ---- */

/* A system call of the 32-bit table from a 64-bit program: arguments lie below 4 GiB. */
static int k_unlink32(char **a)
{
    char *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;

    if (low == MAP_FAILED)
        return -1;
    snprintf(low, 8192, "%s", a[0]);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(10L), "b"(low) : "memory", "r8", "r9", "r10", "r11");
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : 0;
}

static int k_handle(char **a) /* MOUNT FILE: open by handle, then write */
{
    struct {
        struct file_handle handle;
        unsigned char bytes[MAX_HANDLE_SZ];
    } h = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
    int id, mount_fd = open_or_die(a[0], O_RDONLY | O_DIRECTORY), fd;

    if (name_to_handle_at(AT_FDCWD, a[1], &h.handle, &id, 0) < 0)
        return -1;
    fd = open_by_handle_at(mount_fd, &h.handle, O_WRONLY);
    return fd >= 0 && write(fd, "hello", 5) == 5 ? close(fd) : -1;
}

static int k_uring_unlink(char **a) { return uring_do(IORING_OP_UNLINKAT, a[0], NULL); }
static int k_uring_rename(char **a) { return uring_do(IORING_OP_RENAMEAT, a[0], a[1]); }
static int k_uring_write(char **a) { return uring_write(a[0]); }

/* ---- actors ---- */

static void *thread_main(void *arg)
{
    static int result;

    result = unlink(arg);
    return &result;
}

static int k_thread(char **a)
{
    pthread_t thread;
    void *result;

    if (pthread_create(&thread, NULL, thread_main, a[0]) != 0)
        return -1;
    pthread_join(thread, &result);
    return *(int *)result;
}

static int k_fork_exit(char **a) /* the change is made by a child that is gone at once */
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(unlink(a[0]) < 0);
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int k_orphan(char **a) /* a daemon: all its parents have exited */
{
    int pipes[2];
    char c;

    if (pipe(pipes) < 0)
        return -1;
    if (fork() == 0) {
        setsid();
        if (fork() != 0)
            _exit(0);
        usleep(100000);
        c = unlink(a[0]) < 0;
        _exit(write(pipes[1], &c, 1) != 1);
    }
    wait(NULL);
    return read(pipes[0], &c, 1) == 1 && c == 0 ? 0 : -1;
}

static int k_memfd(char **a) /* itself from memory: "unlink FILE" */
{
    char path[64], *args[] = { (char *)"friendly", (char *)"unlink", a[0], NULL };
    int fd = memfd_create("friendly", 0), self = open_or_die("/proc/self/exe", O_RDONLY);
    struct stat st;

    if (fstat(self, &st) < 0 || sendfile(fd, self, NULL, (size_t)st.st_size) != st.st_size)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    execv(path, args);
    return -1;
}

static int k_fake(char **a) /* another name and another argv[0] */
{
    char *args[] = { (char *)"/usr/sbin/sshd", (char *)"unlink", a[0], NULL };

    if (!getenv("ACT_FAKED")) {
        setenv("ACT_FAKED", "1", 1);
        args[1] = (char *)"fake";
        execv("/proc/self/exe", args);
        return -1;
    }
    prctl(PR_SET_NAME, "kworker/0:1");
    return unlink(a[0]);
}

static int k_chroot(char **a) /* ROOT PATH */
{
    return chroot(a[0]) < 0 || chdir("/") < 0 ? -1 : unlink(a[1]);
}

static int k_mount_ns(char **a)
{
    return unshare(CLONE_NEWNS) < 0 ? -1 : unlink(a[0]);
}

static int k_user_ns(char **a)
{
    return unshare(CLONE_NEWUSER) < 0 ? -1 : unlink(a[0]);
}

static int k_as(char **a) /* UID KIND ...: as somebody who may not */
{
    char *args[16] = { (char *)"act" };

    for (int i = 1; a[i] && i < 15; i++)
        args[i] = a[i];
    if (setgid((gid_t)atoi(a[0])) < 0 || setuid((uid_t)atoi(a[0])) < 0)
        return -1;
    execv("/proc/self/exe", args);
    return -1;
}

static int k_replace_folders(char **a) /* A B: a folder that takes another one's place, and is removed */
{
    return mkdir(a[0], 0755) < 0 || rename(a[0], a[1]) < 0 || rename(a[1], a[0]) < 0 || mkdir(a[1], 0755) < 0 ||
                   rename(a[0], a[1]) < 0 || rmdir(a[1]) < 0
               ? -1
               : 0;
}

static int k_storm(char **a) /* FILE N: create and delete it N times */
{
    for (long n = atol(a[1]); n > 0; n--) {
        int fd = open(a[0], O_CREAT | O_EXCL | O_WRONLY, 0600);

        if (fd < 0 || close(fd) < 0 || unlink(a[0]) < 0)
            return -1;
    }
    return 0;
}

static int k_bytes(char **a) /* FILE N: write and read one byte of it N times */
{
    int fd = open_or_die(a[0], O_CREAT | O_RDWR);
    char c = 'x';

    for (long n = atol(a[1]); n > 0; n--)
        if (pwrite(fd, &c, 1, 0) != 1 || pread(fd, &c, 1, 0) != 1)
            return -1;
    return close(fd);
}

static int k_execs(char **a) /* PROGRAM N: execute it N times */
{
    for (long n = atol(a[1]); n > 0; n--) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
            execl(a[0], a[0], NULL);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
            return -1;
    }
    return 0;
}

static const struct kind kinds[] = {
    { "unlink", k_unlink },       { "unlinkat", k_unlinkat },   { "rmdir", k_rmdir },
    { "mkdir", k_mkdir },         { "rename", k_rename },       { "link", k_link },
    { "symlink", k_symlink },     { "exchange", k_exchange },   { "whiteout", k_whiteout },
    { "fifo", k_fifo },           { "device", k_device },       { "bind", k_bind },
    { "tmpfile", k_tmpfile },     { "create", k_create },       { "write", k_write },
    { "append", k_append },       { "pwritev", k_pwritev },     { "otrunc", k_otrunc },
    { "otrunc-read", k_otrunc_read }, { "truncate", k_truncate }, { "ftruncate", k_ftruncate },
    { "punch", k_punch },         { "copy-range", k_copy_range }, { "sendfile", k_sendfile },
    { "splice", k_splice },       { "old-descriptor", k_old_descriptor }, { "map", k_map },
    { "direct", k_direct },       { "chmod", k_chmod },         { "fchmod", k_fchmod },
    { "fchmodat2", k_fchmodat2 }, { "chown", k_chown },         { "lchown", k_lchown },
    { "utimensat", k_utimensat }, { "setxattr", k_setxattr },   { "removexattr", k_removexattr },
    { "flags", k_flags },         { "mount-tmpfs", k_mount_tmpfs }, { "mount-bind", k_mount_bind },
    { "umount", k_umount },       { "unlink32", k_unlink32 },   { "handle", k_handle },
    { "uring-unlink", k_uring_unlink }, { "uring-rename", k_uring_rename },
    { "uring-write", k_uring_write },
    { "thread", k_thread },       { "fork-exit", k_fork_exit }, { "orphan", k_orphan },
    { "memfd", k_memfd },         { "fake", k_fake },           { "chroot", k_chroot },
    { "mount-ns", k_mount_ns },   { "user-ns", k_user_ns },     { "as", k_as },
    { "replace-folders", k_replace_folders }, { "storm", k_storm },         { "bytes", k_bytes },         { "execs", k_execs },
};

static const struct kind *find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    for (const struct kind *k = more_kinds; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

int main(int argc, char **argv)
{
    const struct kind *kind = argc > 1 ? find(argv[1]) : NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (kind) {
        /* what is older than the watch waits in the middle of its work */
        if (strncmp(kind->name, "old-", 4) != 0 && strcmp(kind->name, "uring-old") != 0)
            rendezvous();
        if (kind->act(argv + 2) < 0) {
            printf("failed %d\n", errno);
            return 1;
        }
        printf("done %d\n", getpid());
        return 0;
    }
    fprintf(stderr, "act: which kind?");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        fprintf(stderr, " %s", kinds[i].name);
    for (const struct kind *k = more_kinds; k->name; k++)
        fprintf(stderr, " %s", k->name);
    fputc('\n', stderr);
    return 2;
}
