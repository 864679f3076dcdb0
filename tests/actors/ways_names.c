/* SPDX-License-Identifier: MIT */
/* Ways by names, mounts and io_uring: what is there, by which name, and what is over it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uring.h"
#include "ways.h"

#define SYS_OPEN_TREE 428 /* numbers that all architectures share */
#define SYS_MOVE_MOUNT 429
#define SYS_FSOPEN 430
#define SYS_FSCONFIG 431
#define SYS_FSMOUNT 432

#define DO(call) return (call) < 0 ? -errno : 0
/* An older kernel's io_uring has no such operation. */
#define RING(call) return (call) < 0 ? errno == EINVAL ? -ENOTSUP : -errno : 0

/* clang-format off */
static int unlink_it(void) { DO(unlink(in("f"))); }
static int unlink_below(void) { DO(unlink(in("sub/deep/f"))); }
static int unlink_by_folder(void) { DO(unlinkat(old_folder, "f", 0)); }
static int rmdir_it(void) { DO(rmdir(in("empty"))); }
static int rename_out(void) { DO(rename(in("f"), out("moved"))); }
static int rename_in(void) { DO(rename(out("v"), in("new"))); }
static int rename_over(void) { DO(rename(out("v"), in("f"))); }
static int rename_within(void) { DO(rename(in("f"), in("f2"))); }
static int exchange(void) { DO(renameat2(AT_FDCWD, in("f"), AT_FDCWD, out("v"), RENAME_EXCHANGE)); }
static int exchange_back(void) { DO(renameat2(AT_FDCWD, out("v"), AT_FDCWD, in("f"), RENAME_EXCHANGE)); }
static int link_out(void) { DO(link(in("f"), out("l"))); }
static int link_in(void) { DO(link(out("v"), in("l"))); }
static int create(void) { DO(open(in("c"), O_CREAT | O_EXCL | O_WRONLY, 0644)); }
static int mkdir_it(void) { DO(mkdir(in("md"), 0755)); }
static int mknod_it(void) { DO(mknod(in("nod"), S_IFCHR | 0600, 0x103)); }
static int mkfifo_it(void) { DO(mkfifo(in("ff"), 0600)); }
static int symlink_it(void) { DO(symlink("x", in("sl"))); }
static int bind_over(void) { DO(mount(out("v"), in("f"), NULL, MS_BIND, NULL)); }
static int tmpfs_over(void) { DO(mount("t", G, "tmpfs", 0, NULL)); }
static int ring_unlink(void) { RING(uring_do(IORING_OP_UNLINKAT, in("f"), NULL)); }
static int ring_rename(void) { RING(uring_do(IORING_OP_RENAMEAT, in("f"), out("um"))); }
static int ring_mkdir(void) { RING(uring_make(IORING_OP_MKDIRAT, in("um"), NULL)); }
static int ring_link(void) { RING(uring_make(IORING_OP_LINKAT, out("v"), in("ul"))); }
static int ring_symlink(void) { RING(uring_make(IORING_OP_SYMLINKAT, "x", in("us"))); }
/* clang-format on */

static const char *parent_of_it(void)
{
    static char parent[4096];

    snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(G, '/') - G), G);
    return parent;
}

/* The folder itself, and the one above it. What passed is undone: all others would miss it. */
static int rename_and_back(const char *path)
{
    char other[4096];

    snprintf(other, sizeof(other), "%s.x", path);
    if (rename(path, other) < 0)
        return -errno;
    DO(rename(other, path));
}

static int rename_root(void)
{
    return rename_and_back(G);
}

static int rename_parent(void)
{
    return rename_and_back(parent_of_it());
}

static int bind_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "sk" };

    if (chdir(G) < 0)
        return -errno;
    DO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof(address)));
}

/* ---- files without a name ---- */

static int nameless(const char *folder, const char *as)
{
    int fd = open(folder, O_TMPFILE | O_RDWR, 0644);
    char path[64];

    if (fd < 0)
        return -errno;
    if (!as)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    DO(linkat(AT_FDCWD, path, AT_FDCWD, as, AT_SYMLINK_FOLLOW));
}

static int nameless_only(void)
{
    return nameless(G, NULL);
}

static int nameless_in(void)
{
    return nameless(G, in("t"));
}

static int nameless_out(void)
{
    return nameless(O, in("t"));
}

/* ---- other ways to its name ---- */

static int own_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0)
        return -errno;
    DO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static int unlink_by_bind(void)
{
    int r = own_mounts();

    (void)mkdir(out("bm"), 0755);
    if (r < 0 || mount(G, out("bm"), NULL, MS_BIND, NULL) < 0)
        return r < 0 ? r : -errno;
    DO(unlink(out("bm/f")));
}

static int unlink_by_tree(void)
{
    int fd = (int)syscall(SYS_OPEN_TREE, AT_FDCWD, G, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    if (fd < 0)
        return -errno;
    DO(unlinkat(fd, "f", 0));
}

static int unlink_by_root(void)
{
    char path[4200];

    snprintf(path, sizeof(path), "/proc/self/root%s", in("f"));
    DO(unlink(path));
}

/* The folder as the upper layer of a new overlay. */
static int unlink_by_overlay(void)
{
    static const char *const folders[] = { "ow", "om", "ol", NULL };
    char options[16384];
    int r = own_mounts();

    for (unsigned i = 0; folders[i]; i++)
        (void)mkdir(out(folders[i]), 0755);
    snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", out("ol"), G, out("ow"));
    if (r == 0 && mount("o", out("om"), "overlay", 0, options) < 0)
        r = errno == ENODEV || errno == EINVAL ? -ENOTSUP : -errno;
    if (r < 0)
        return r;
    DO(unlink(out("om/f")));
}

/* A call of 32-bit programs, whose path has to lie low. */
static int unlink_32(void)
{
#ifdef __x86_64__
    char *low = mmap((void *)0x20000000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    int r;

    snprintf(low, 8192, "%s", in("f"));
    __asm__ volatile("int $0x80" : "=a"(r) : "0"(10), "b"(low) : "memory", "r8", "r9", "r10", "r11");
    return r;
#else
    return -ENOTSUP;
#endif
}

/* ---- mounts ---- */

static int tmpfs_over_parent(void)
{
    DO(mount("t", parent_of_it(), "tmpfs", 0, NULL));
}

static int new_mount_over(void)
{
    int fs = (int)syscall(SYS_FSOPEN, "tmpfs", 0), fd;

    if (fs < 0)
        return -errno;
    (void)syscall(SYS_FSCONFIG, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
    fd = (int)syscall(SYS_FSMOUNT, fs, 0, 0);
    if (fd < 0)
        return -errno;
    DO(syscall(SYS_MOVE_MOUNT, fd, "", AT_FDCWD, G, 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
}

static int tree_over(void)
{
    int fd = (int)syscall(SYS_OPEN_TREE, AT_FDCWD, O, OPEN_TREE_CLONE);

    if (fd < 0)
        return -errno;
    DO(syscall(SYS_MOVE_MOUNT, fd, "", AT_FDCWD, G, 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
}

const struct way ways_names[] = {
    { "unlink", unlink_it },
    { "unlink_below", unlink_below },
    { "unlink_by_folder", unlink_by_folder },
    { "unlink_by_bind", unlink_by_bind },
    { "unlink_by_tree", unlink_by_tree },
    { "unlink_by_root", unlink_by_root },
    { "unlink_by_layer", unlink_by_overlay },
    { "unlink_32", unlink_32 },
    { "rmdir", rmdir_it },
    { "rename_out", rename_out },
    { "rename_in", rename_in },
    { "rename_to_it", rename_over },
    { "rename_within", rename_within },
    { "rename_root", rename_root },
    { "rename_parent", rename_parent },
    { "exchange", exchange },
    { "exchange_back", exchange_back },
    { "link_out", link_out },
    { "link_in", link_in },
    { "nameless_only", nameless_only },
    { "nameless_in", nameless_in },
    { "nameless_out", nameless_out },
    { "create", create },
    { "mkdir", mkdir_it },
    { "mknod", mknod_it },
    { "mkfifo", mkfifo_it },
    { "symlink", symlink_it },
    { "bind_socket", bind_socket },
    { "ring_unlink", ring_unlink },
    { "ring_rename", ring_rename },
    { "ring_mkdir", ring_mkdir },
    { "ring_link", ring_link },
    { "ring_symlink", ring_symlink },
    { "bind_over", bind_over },
    { "tmpfs_over", tmpfs_over },
    { "tmpfs_over_parent", tmpfs_over_parent },
    { "new_mount_over", new_mount_over },
    { "tree_over", tree_over },
    { NULL, NULL },
};
