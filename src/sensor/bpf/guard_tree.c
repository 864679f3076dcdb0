/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/guard_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"

#define DEPTH_MAX 128

struct tree_walk {
    guard_tree_fn *each;
    void *data;
    struct err *err;
};

static int look(const struct tree_walk *t, int fd, unsigned depth);

/* A folder that was removed meanwhile has nothing in it. */
static int not_listed(const struct tree_walk *t, int error)
{
    return error == ENOENT ? 0 : err_set(t->err, -error, "listing a directory of the target");
}

static int look_below(const struct tree_walk *t, int fd, unsigned depth)
{
    int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    _cleanup_closedir_ DIR *dir = opened >= 0 ? fdopendir(opened) : NULL;
    struct dirent *entry;

    if (!dir) {
        result = not_listed(t, errno);
        closep(&opened);
        return result;
    }
    while (result == 0 && (errno = 0, entry = readdir(dir))) {
        _cleanup_close_ int below = -EBADF;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || entry->d_type == DT_LNK)
            continue;
        below = beneath_open_here(fd, entry->d_name, O_PATH);
        if (below >= 0)
            result = look(t, below, depth + 1);
        else if (below != -ENOENT && below != -EXDEV)
            result = err_set(t->err, below, "a file of the target");
    }
    return result == 0 && errno ? not_listed(t, errno) : result;
}

static int look(const struct tree_walk *t, int fd, unsigned depth)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(t->err, -errno, "a file of the target");
    if (depth > DEPTH_MAX)
        return err_say(t->err, -ELOOP, "folders lie more than %d deep in the target", DEPTH_MAX);
    if (S_ISDIR(st.st_mode))
        return look_below(t, fd, depth);
    return S_ISLNK(st.st_mode) ? 0 : t->each(t->data, fd, &st);
}

int guard_tree_each(int fd, guard_tree_fn *each, void *data, struct err *err)
{
    return look(&(struct tree_walk){ each, data, err }, fd, 0);
}
