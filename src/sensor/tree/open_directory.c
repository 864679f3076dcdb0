/* SPDX-License-Identifier: MIT */
#include "sensor/tree/open_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/tree/ask.h"
#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "util/cleanup.h"

static int open_path(int fd, const char *path, bool one_component)
{
    int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct open_how how = { .flags = (unsigned)flags,
                            .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    int opened = one_component ? openat(fd, path, flags)
                               : (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));

    return opened < 0 ? -errno : opened;
}

static size_t component_end(struct bytes path, size_t at)
{
    while (at < path.len && path.data[at] != '/')
        at++;
    return at;
}

int tree_open_directory(const struct tree *t, int root_fd, uint32_t directory, struct err *err)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct file_state state, known;
    size_t at = 0, most = PATH_MAX - 1; /* bytes of path handed over at once */
    int r = tree_directory_path(t, directory, &path);

    if (r < 0)
        return err_set(err, r, "path of a directory");
    tree_state(t, directory, &known);
    if (!foreign_mounts_device_answers(t->mounts, known.device, root_fd, path.len ? sbuf_str(&path) : ".") ||
        !foreign_mounts_way_answers(t->mounts, root_fd, sbuf_bytes(&path), false)) /* what was mounted on the way since */
        return err_set(err, -ETIMEDOUT, "opening a directory of the tree");
    fd = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, -errno, "opening the root of the tree");
    while (at < path.len) {
        size_t end = component_end(sbuf_bytes(&path), at), next;
        int opened;

        while (end < path.len) {
            next = component_end(sbuf_bytes(&path), end + 1);
            if (next - at > most)
                break;
            end = next;
        }
        path.data[end] = '\0'; /* the buffer has room for one behind the text */
        opened = open_path(fd, path.data + at, most == 0);
        if (end < path.len)
            path.data[end] = '/';
        if (most && (opened == -ENOSYS || opened == -EPERM)) {
            most = 0; /* openat2 is new in 5.6: one component at a time needs nothing but O_NOFOLLOW */
            continue;
        }
        if (opened == -ENOENT || opened == -ENOTDIR || opened == -ELOOP)
            opened = -ESTALE;
        if (opened < 0)
            return err_set(err, opened, "opening a directory of the tree");
        close(fd);
        fd = opened;
        at = end + (end < path.len);
    }
    r = tree_stat(fd, NULL, &state);
    if (r < 0)
        return err_set(err, r, "opening a directory of the tree");
    if (state.device != known.device || state.inode != known.inode)
        return err_set(err, -ESTALE, "opening a directory of the tree");
    return TAKE_FD(fd);
}
