/* SPDX-License-Identifier: MIT */
#include "util/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/arena.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/macro.h"
#include "util/read.h"

#define LINKS_MAX 40 /* MAXSYMLINKS of the kernel */

static void arena_donep(struct arena *a)
{
    arena_done(a);
}

static bool has_component(struct bytes rest)
{
    return bytes_next_component(&rest).len > 0;
}

static int open_component(int dir, struct bytes name, int flags)
{
    char text[NAME_MAX + 1];
    int fd;

    if (name.len > NAME_MAX)
        return -ENAMETOOLONG;
    if (memchr(name.data, '\0', name.len))
        return -EINVAL;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    fd = openat(dir, text, flags);
    return fd < 0 ? -errno : fd;
}

/* `path` has no "..", and no component of it is a link any more, or somebody has just made one: then
 * it is not followed. */
static int walk_plainly(int root_fd, struct bytes path)
{
    _cleanup_close_ int at = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (at < 0)
        return -errno;
    while (has_component(path)) {
        int fd = open_component(at, bytes_next_component(&path), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
            return fd == -ENOTDIR ? -ELOOP : fd;
        close(at);
        at = fd;
    }
    return TAKE_FD(at);
}

/* One component at a time. `done` is the way so far, without links: ".." goes back by walking it again. */
static int walk(int root_fd, struct bytes path, int flags)
{
    _cleanup_(arena_donep) struct arena arena = { 0 };
    _cleanup_close_ int at = walk_plainly(root_fd, BYTES_NULL);
    struct bytes done = bytes_of(""), rest = path;
    unsigned links = 0;
    int fd;

    while (at >= 0 && has_component(rest)) {
        struct bytes name = bytes_next_component(&rest);
        bool last = !has_component(rest);
        char target[PATH_MAX];
        ssize_t n = -1;

        if (bytes_equal_str(name, "."))
            continue;
        if (bytes_equal_str(name, "..")) {
            done = bytes_dirname(done);
            close(at);
            at = walk_plainly(root_fd, done);
            continue;
        }
        if (last && (flags & O_CREAT))
            return open_component(at, name, flags | O_NOFOLLOW | O_CLOEXEC);
        fd = open_component(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return fd;
        if (!last || !(flags & O_NOFOLLOW))
            n = readlinkat(fd, "", target, sizeof(target));
        if (n >= (ssize_t)sizeof(target) || (n > 0 && ++links > LINKS_MAX)) {
            close(fd);
            return n >= (ssize_t)sizeof(target) ? -ENAMETOOLONG : -ELOOP;
        }
        if (n > 0) {
            close(fd);
            rest = arena_join_path(&arena, (struct bytes){ target, (size_t)n }, rest);
            if (!rest.data)
                return -ENOMEM;
            if (rest.len > LIMIT_PATH)
                return -ENAMETOOLONG;
            if (target[0] == '/') {
                done = bytes_of("");
                close(at);
                at = walk_plainly(root_fd, done);
            }
            continue;
        }
        if (last) {
            close(fd);
            return open_component(at, name, flags | O_NOFOLLOW | O_CLOEXEC);
        }
        done = arena_join_path(&arena, done, name);
        close(at);
        at = fd;
        if (!done.data)
            return -ENOMEM;
    }
    if (at < 0)
        return at;
    fd = openat(at, ".", flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int beneath_open(int root_fd, struct bytes path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    char text[PATH_MAX];
    int fd;

    if (path.len && memchr(path.data, '\0', path.len))
        return -EINVAL;
    if (path.len >= sizeof(text))
        return walk(root_fd, path, flags);
    while (path.len && path.data[0] == '/')
        path = (struct bytes){ path.data + 1, path.len - 1 };
    if (path.len)
        memcpy(text, path.data, path.len);
    else
        text[0] = '.';
    text[path.len ? path.len : 1] = '\0';
    for (unsigned attempt = 0; attempt < 16; attempt++) {
        fd = (int)syscall(SYS_openat2, root_fd, text, &how, sizeof(how));
        if (fd >= 0)
            return fd;
        /* something was renamed while ".." was followed: the kernel asks to try again */
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    /* EPERM: a seccomp filter that is older than the call */
    if (errno == ENOSYS || errno == EPERM || errno == EAGAIN)
        return walk(root_fd, path, flags);
    return -errno;
}

int64_t beneath_mount_of(int fd) /* since kernel 3.15 */
{
    char path[64], text[512];
    _cleanup_close_ int info = -EBADF;
    const char *found;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    n = info >= 0 ? read(info, text, sizeof(text) - 1) : -1;
    if (n < 0)
        return -errno;
    text[n] = '\0';
    found = strstr(text, "mnt_id:");
    return found ? strtoll(found + strlen("mnt_id:"), NULL, 10) : -ENODATA;
}

static int open_here_by_mounts(int dir, const char *name, int flags)
{
    _cleanup_close_ int path = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -EBADF;
    int64_t in, is;

    if (path < 0)
        return -errno;
    in = beneath_mount_of(dir);
    is = beneath_mount_of(path);
    if (in < 0 || is < 0)
        return (int)(in < 0 ? in : is);
    if (in != is)
        return -EXDEV;
    if (flags & O_PATH)
        return TAKE_FD(path);
    fd = openat(path, ".", flags | O_CLOEXEC);
    return fd < 0 ? -errno : TAKE_FD(fd);
}

/* By openat2(2). *ret: the descriptor, or -errno. False: this kernel cannot, and the caller has to walk. */
static bool kernel_opens(int dir, const char *path, const struct open_how *how, int *ret)
{
    int fd = (int)syscall(SYS_openat2, dir, path, how, sizeof(*how));

    *ret = fd < 0 ? -errno : fd;
    /* EPERM: a seccomp filter that is older than the call */
    return *ret != -ENOSYS && *ret != -EPERM;
}

int beneath_open_here(int dir, const char *name, int flags)
{
    struct open_how how = { .flags = (unsigned)(flags | O_NOFOLLOW | O_CLOEXEC), .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
    int fd;

    return kernel_opens(dir, name, &how, &fd) ? fd : open_here_by_mounts(dir, name, flags);
}

static int reopen(int path_fd, int flags)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME | flags);
    if (fd < 0 && errno == EPERM) /* not ours and not root */
        fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    return fd < 0 ? -errno : fd;
}

int beneath_reopen_file(int path_fd)
{
    struct stat st;

    if (fstat(path_fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? reopen(path_fd, 0) : -EBADF;
}

int beneath_reopen(int path_fd)
{
    struct stat st;

    if (fstat(path_fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? reopen(path_fd, 0) : S_ISDIR(st.st_mode) ? reopen(path_fd, O_DIRECTORY) : -EBADF;
}

int beneath_open_file(int root_fd, struct bytes path)
{
    _cleanup_close_ int fd = beneath_open(root_fd, path, O_PATH);

    return fd < 0 ? fd : beneath_reopen_file(fd);
}

int beneath_read_file(int root_fd, struct bytes path, size_t max, char **ret, size_t *ret_len)
{
    _cleanup_close_ int fd = beneath_open_file(root_fd, path);

    return fd < 0 ? fd : beneath_read_fd(fd, max, ret, ret_len);
}

int beneath_read_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
    _cleanup_free_ char *data = NULL;
    size_t size = 0, len = 0;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < 0 || (size_t)st.st_size > max)
        return -EFBIG;
    /* read, not mapped: whoever owns the file could cut it under us, and that would be SIGBUS */
    for (;;) {
        ssize_t n;

        if (len == size) {
            char *more;

            if (size > max)
                return -EFBIG;
            size = size ? size * 2 : (size_t)st.st_size + 1;
            more = realloc(data, size + 1);
            if (!more)
                return -ENOMEM;
            data = more;
        }
        n = read(fd, data + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    if (len > max)
        return -EFBIG;
    data[len] = '\0';
    *ret = TAKE_PTR(data);
    *ret_len = len;
    return 0;
}

int beneath_read_part(int fd, off_t from, size_t len, char **ret, size_t *ret_len)
{
    _cleanup_free_ char *data = malloc(len + 1);
    ssize_t have = data ? read_at(fd, data, len, from) : -ENOMEM;

    if (have < 0)
        return (int)have;
    data[have] = '\0';
    *ret = TAKE_PTR(data);
    *ret_len = (size_t)have;
    return 0;
}

static int open_plain_by_walk(int root_fd, const char *path, int flags)
{
    struct bytes all = bytes_of(path), name = bytes_basename(all);
    _cleanup_close_ int root = root_fd < 0 ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF, dir = -EBADF;

    if (root_fd < 0 && root < 0)
        return -errno;
    dir = walk_plainly(root_fd < 0 ? root : root_fd, bytes_dirname(all));
    if (dir < 0)
        return dir;
    return open_component(dir, name.len ? name : bytes_of("."), flags | O_NOFOLLOW | O_CLOEXEC);
}

int beneath_open_plain(int root_fd, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
                            .resolve = RESOLVE_NO_SYMLINKS | (root_fd < 0 ? 0 : RESOLVE_IN_ROOT) };
    int fd;

    return kernel_opens(root_fd, path, &how, &fd) ? fd : open_plain_by_walk(root_fd, path, flags);
}

int beneath_open_host(struct bytes path, size_t root_len, int flags)
{
    _cleanup_close_ int root = -EBADF;
    char text[PATH_MAX];
    size_t trusted = root_len ? MIN(root_len, path.len) : path.len;

    if (trusted >= sizeof(text))
        return -ENAMETOOLONG;
    memcpy(text, path.data ? path.data : "", trusted);
    text[trusted] = '\0';
    if (!root_len) {
        int fd = open(text, flags | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
    }
    root = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 && errno == ENOTDIR && trusted == path.len) {
        int fd = open(text, flags | O_CLOEXEC); /* one file that is mounted */

        return fd < 0 ? -errno : fd;
    }
    if (root < 0)
        return -errno;
    return beneath_open(root, (struct bytes){ path.data + trusted, path.len - trusted }, flags);
}
