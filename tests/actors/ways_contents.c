/* SPDX-License-Identifier: MIT */
/* Ways by contents and attributes: opens, old descriptors and mappings, modes, owners, times, attributes, flags. */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "uring.h"
#include "ways.h"

#define SYS_FCHMODAT2 452 /* numbers that all architectures share */
#define SYS_FILE_SETATTR 469

#define DO(call) return (call) < 0 ? -errno : 0

static int write_by(const char *path, int flags)
{
    int fd = open(path, flags), r;

    if (fd < 0)
        return -errno;
    r = write(fd, "X", 1) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int write_by_descriptor(int fd, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return write_by(path, flags);
}

/* clang-format off */
static int open_write(void) { return write_by(in("f"), O_WRONLY); }
static int open_both(void) { return write_by(in("f"), O_RDWR); }
static int open_append(void) { return write_by(in("f"), O_WRONLY | O_APPEND); }
static int open_empty(void) { DO(open(in("f"), O_WRONLY | O_TRUNC)); }
static int open_read_empty(void) { DO(open(in("f"), O_RDONLY | O_TRUNC)); }
static int open_read_empty_below(void) { DO(open(in("sub/deep/f"), O_RDONLY | O_TRUNC)); }
static int creat_it(void) { DO(creat(in("f"), 0644)); }
static int truncate_it(void) { DO(truncate(in("f"), 2)); }
static int reopen_old(void) { return write_by_descriptor(old_read, O_WRONLY); }
static int reopen_path(void) { return write_by_descriptor(open(in("f"), O_PATH), O_WRONLY | O_TRUNC); }
static int hard_link_write(void) { return access(out("hl"), F_OK) < 0 ? -ENOTSUP : write_by(out("hl"), O_WRONLY | O_TRUNC); }
static int hard_link_chmod(void) { if (access(out("hl"), F_OK) < 0) return -ENOTSUP; DO(chmod(out("hl"), 0600)); }
static int old_write_it(void) { DO(write(old_write, "X", 1)); }
static int old_truncate(void) { DO(ftruncate(old_write, 1)); }
static int old_allocate(void) { DO(fallocate(old_write, 0, 0, 8192)); }
static int old_punch(void) { DO(fallocate(old_write, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2)); }
static int old_chmod(void) { DO(fchmod(old_read, 0600)); }
static int old_times(void) { DO(futimens(old_read, NULL)); }
static int old_setxattr(void) { DO(fsetxattr(old_read, "trusted.x", "1", 1, 0)); }
static int chmod_it(void) { DO(chmod(in("f"), 0600)); }
static int chmod_below(void) { DO(chmod(in("sub/deep/f"), 0600)); }
static int chmod_root(void) { DO(chmod(G, 0700)); }
static int chmod_new(void) { DO(syscall(SYS_FCHMODAT2, AT_FDCWD, in("f"), 0600, 0)); }
static int chown_it(void) { DO(chown(in("f"), 1000, 1000)); }
static int chown_root(void) { DO(chown(G, 1000, 1000)); }
static int setxattr_it(void) { DO(setxattr(in("f"), "trusted.x", "1", 1, 0)); }
static int removexattr_it(void) { DO(removexattr(in("f"), "trusted.old")); }
static int remove_acl(void) { DO(removexattr(in("facl"), "system.posix_acl_access")); }
static int ring_open_write(void) { DO(uring_write(in("f"))); }
static int ring_old_write(void) { DO(uring_write_to(old_write)); }
/* clang-format on */

/* ---- older than the guard ---- */

static int victim(void)
{
    return open(out("v"), O_RDONLY);
}

static int old_pwritev(void)
{
    struct iovec v = { (char *)"X", 1 };

    DO(pwritev(old_write, &v, 1, 0));
}

static int old_sendfile(void)
{
    off_t from = 0;

    (void)lseek(old_write, 0, SEEK_SET);
    DO(sendfile(old_write, victim(), &from, 3));
}

static int old_splice(void)
{
    loff_t to = 0;
    int pipes[2];

    if (pipe(pipes) < 0 || write(pipes[1], "XX", 2) != 2)
        return -EIO;
    DO(splice(pipes[0], NULL, old_write, &to, 2, 0));
}

static int old_copy(void)
{
    loff_t from = 0, to = 0;

    DO(copy_file_range(victim(), &from, old_write, &to, 3, 0));
}

static int old_clone(void)
{
    DO(ioctl(old_write, FICLONE, victim()));
}

static int old_asynchronous(void)
{
    aio_context_t context = 0;
    struct iocb one = { .aio_fildes = (uint32_t)old_write, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (uintptr_t)"A", .aio_nbytes = 1 };
    struct iocb *list[] = { &one };
    struct io_event event = { 0 };

    if (syscall(SYS_io_setup, 1, &context) < 0)
        return -ENOTSUP;
    if (syscall(SYS_io_submit, context, 1, list) < 0)
        return -errno;
    (void)syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
    return event.res < 0 ? (int)event.res : 0;
}

static int old_map_again(void)
{
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, old_write, 0);

    if (p == MAP_FAILED)
        return -errno;
    p[0] ^= 1;
    DO(msync(p, 4096, MS_SYNC));
}

static int old_map_writable(void)
{
    if (!old_read_map)
        return -ENOTSUP;
    if (mprotect(old_read_map, 4096, PROT_READ | PROT_WRITE) < 0)
        return -errno;
    old_read_map[0] ^= 1;
    DO(msync(old_read_map, 4096, MS_SYNC));
}

/* Declared: it passes. */
static int old_store(void)
{
    if (!old_map)
        return -ENOTSUP;
    old_map[0] ^= 1;
    DO(msync(old_map, 4096, MS_SYNC));
}

/* ---- by number ---- */

static struct {
    struct file_handle head;
    unsigned char bytes[128];
} handle;
static int handle_root = -1;

void tree_handle(const char *path)
{
    int mount;

    handle.head.handle_bytes = sizeof(handle.bytes);
    if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0) == 0)
        handle_root = open(O, O_RDONLY | O_DIRECTORY);
}

static int handle_write(void)
{
    int fd = handle_root < 0 ? -1 : open_by_handle_at(handle_root, &handle.head, O_WRONLY);

    if (handle_root < 0)
        return -ENOTSUP;
    if (fd < 0)
        return -errno;
    DO(write(fd, "H", 1));
}

/* The kernel remembers no name of it then. */
static int handle_cold(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

    sync();
    if (fd < 0 || write(fd, "3", 1) != 1)
        return -ENOTSUP;
    return handle_write();
}

/* ---- attributes ---- */

static int times_it(void)
{
    const struct timespec times[2] = { { 1, 1 }, { 2, 2 } };

    DO(utimensat(AT_FDCWD, in("f"), times, 0));
}

static int capability_it(void)
{
    static const uint32_t value[5] = { 0x02000001, 0x400, 0, 0, 0 };

    DO(setxattr(in("f"), "security.capability", value, sizeof(value), 0));
}

static int acl_it(void)
{
    char value[256];
    ssize_t n = getxattr(in("facl"), "system.posix_acl_access", value, sizeof(value));

    if (n < 0)
        return -ENOTSUP;
    DO(setxattr(in("f"), "system.posix_acl_access", value, (size_t)n, 0));
}

static int flags_it(void)
{
    int fd = open(in("f"), O_RDONLY), flags = 0;

    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
        return -ENOTSUP;
    flags |= FS_APPEND_FL;
    DO(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int flags_new(void)
{
    int fd = open(in("f"), O_RDONLY);
    struct fsxattr x;

    if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
        return -ENOTSUP;
    x.fsx_xflags |= FS_XFLAG_APPEND;
    DO(ioctl(fd, FS_IOC_FSSETXATTR, &x));
}

static int flags_by_path(void)
{
    const uint64_t value[3] = { FS_XFLAG_APPEND, 0, 0 };

    DO(syscall(SYS_FILE_SETATTR, AT_FDCWD, in("f"), value, sizeof(value), 0));
}

static int ring_allocate(void)
{
    const struct io_uring_sqe sqe = { .opcode = IORING_OP_FALLOCATE, .fd = old_write, .addr = 9000 };

    DO(uring_submit(&sqe));
}

static int ring_setxattr(void)
{
    const struct io_uring_sqe sqe = { .opcode = 42 /* IORING_OP_SETXATTR, 5.19 */, .addr = (uintptr_t)"trusted.u", .addr2 = (uintptr_t)"1",
                                      .len = 1, .addr3 = (uintptr_t)in("f") };
    int r = uring_submit(&sqe) < 0 ? -errno : 0;

    return r == -EINVAL ? -ENOTSUP : r;
}

static int ring_truncate(void)
{
    const struct io_uring_sqe sqe = { .opcode = 55 /* IORING_OP_FTRUNCATE, 6.9 */, .fd = old_write, .off = 1 };
    int r = uring_submit(&sqe) < 0 ? -errno : 0;

    return r == -EINVAL ? -ENOTSUP : r;
}

const struct way ways_contents[] = {
    { "open_write", open_write },
    { "open_both", open_both },
    { "open_append", open_append },
    { "open_empty", open_empty },
    { "open_read_empty", open_read_empty },
    { "open_read_empty_below", open_read_empty_below },
    { "creat", creat_it },
    { "truncate", truncate_it },
    { "reopen_old", reopen_old },
    { "reopen_path", reopen_path },
    { "hard_link_write", hard_link_write },
    { "hard_link_chmod", hard_link_chmod },
    { "old_write", old_write_it },
    { "old_pwritev", old_pwritev },
    { "old_truncate", old_truncate },
    { "old_allocate", old_allocate },
    { "old_punch", old_punch },
    { "old_sendfile", old_sendfile },
    { "old_splice", old_splice },
    { "old_copy", old_copy },
    { "old_clone", old_clone },
    { "old_asynchronous", old_asynchronous },
    { "old_map_again", old_map_again },
    { "old_map_writable", old_map_writable },
    { "handle_write", handle_write },
    { "handle_cold", handle_cold },
    { "chmod", chmod_it },
    { "chmod_below", chmod_below },
    { "chmod_root", chmod_root },
    { "chmod_new", chmod_new },
    { "old_chmod", old_chmod },
    { "chown", chown_it },
    { "chown_root", chown_root },
    { "times", times_it },
    { "old_times", old_times },
    { "setxattr", setxattr_it },
    { "old_setxattr", old_setxattr },
    { "capability", capability_it },
    { "removexattr", removexattr_it },
    { "acl", acl_it },
    { "remove_acl", remove_acl },
    { "flags", flags_it },
    { "flags_new", flags_new },
    { "flags_by_path", flags_by_path },
    { "ring_open_write", ring_open_write },
    { "ring_old_write", ring_old_write },
    { "ring_allocate", ring_allocate },
    { "ring_setxattr", ring_setxattr },
    { "ring_truncate", ring_truncate },
    { "old_store", old_store },
    { NULL, NULL },
};
