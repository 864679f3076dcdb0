/* SPDX-License-Identifier: MIT */
#include "restore/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"
#include "util/parse.h"

#define NAMESPACES_MAX 65536 /* of mounts; hosts have some hundred */

/* ---- a directory beneath a root ---- */

static bool is_dots(struct bytes name)
{
    return bytes_equal_str(name, ".") || bytes_equal_str(name, "..");
}

static int walk(int root_fd, struct bytes path)
{
    _cleanup_close_ int at = openat(root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (at < 0)
        return -errno;
    for (struct bytes name = bytes_next_component(&path); name.len; name = bytes_next_component(&path)) {
        char text[NAME_MAX + 1];
        int fd;

        if (name.len > NAME_MAX)
            return -ENAMETOOLONG;
        if (is_dots(name))
            return -EINVAL;
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
        fd = beneath_open_here(at, text, O_PATH);
        if (fd < 0)
            return fd;
        close(at);
        at = fd;
        if (fstat(at, &st) < 0)
            return -errno;
        if (!S_ISDIR(st.st_mode))
            return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
    }
    return TAKE_FD(at);
}

int place_open_directory(int root_fd, struct bytes path)
{
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV };
    char text[PATH_MAX];
    int fd;

    while (path.len && path.data[0] == '/')
        path = (struct bytes){ path.data + 1, path.len - 1 };
    if (bytes_char(path, '\0'))
        return -EINVAL;
    if (path.len >= sizeof(text))
        return walk(root_fd, path);
    memcpy(text, path.len ? path.data : ".", path.len ? path.len : 1);
    text[path.len ? path.len : 1] = '\0';
    fd = (int)syscall(SYS_openat2, root_fd, text, &how, sizeof(how));
    if (fd >= 0)
        return fd;
    /* EPERM: a seccomp filter that is older than the call; EAGAIN: something was renamed meanwhile */
    return errno == ENOSYS || errno == EPERM || errno == EAGAIN ? walk(root_fd, path) : -errno;
}

/* ---- overlays ---- */

/* The value of one of a super block's options, still in octal. */
static struct bytes option_of(struct bytes rest, const char *name)
{
    const char *found = memmem(rest.data, rest.len, name, strlen(name));
    struct bytes value;

    if (!found || (found[-1] != ',' && found[-1] != ' '))
        return BYTES_NULL;
    found += strlen(name);
    value = (struct bytes){ found, (size_t)(rest.data + rest.len - found) };
    for (size_t i = 0; i < value.len; i++)
        if (value.data[i] == ',' || value.data[i] == ' ' || value.data[i] == '\n')
            value.len = i;
    return value;
}

/* Engines with many layers name them from their own directory: "ID/diff". */
static bool is_upper_of(const struct mountinfo *mount, struct bytes upper)
{
    _cleanup_free_ char *text = NULL;
    struct bytes value;

    if (!mount->rest.len || !memmem(mount->rest.data, mount->rest.len, " - overlay ", 11))
        return false;
    value = option_of(mount->rest, "upperdir=");
    text = value.len ? malloc(value.len + 1) : NULL;
    if (!text)
        return false;
    value = (struct bytes){ text, mountinfo_unescape(value, text) };
    if (value.len && value.data[0] == '/')
        return bytes_equal(value, upper);
    return bytes_ends_with(upper, value) && upper.len > value.len && upper.data[upper.len - value.len - 1] == '/';
}

static bool has_overlay(struct bytes text, struct bytes upper, const char *point)
{
    struct mountinfo mount;

    while (mountinfo_next(&text, &mount))
        if ((!point || bytes_equal_str(mount.point, point)) && is_upper_of(&mount, upper))
            return true;
    return false;
}

int place_open_container(const struct container_view *view, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_close_ int root = -EBADF;
    char path[64];
    int r;

    if (view->container->pid <= 0)
        return err_say(err, -ESRCH, "its engine says that the container does not run: start it first");
    snprintf(path, sizeof(path), "/proc/%d/root", view->container->pid);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_set(err, errno == ENOENT ? -ESRCH : -errno, "the container's root");
    /* read after it was opened: if the pid is somebody else's by now, this is not the container's overlay */
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", view->container->pid);
    r = mountinfo_read(path, &text);
    if (r < 0)
        return err_set(err, r == -ENOENT ? -ESRCH : r, "the container's mounts");
    if (!has_overlay(sbuf_bytes(&text), view->upper, "/"))
        return err_say(err, -EXDEV, "the root of the container's first process (pid %d) is not the overlay that its engine has on record",
                       view->container->pid);
    return TAKE_FD(root);
}

static int by_number(const void *a, const void *b)
{
    ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;

    return x < y ? -1 : x > y;
}

/* Each namespace once: its mounts are those of each of its processes. */
static bool is_new(ino_t *seen, size_t *count, ino_t number)
{
    if (bsearch(&number, seen, *count, sizeof(*seen), by_number) || *count == NAMESPACES_MAX)
        return *count == NAMESPACES_MAX;
    seen[(*count)++] = number;
    qsort(seen, *count, sizeof(*seen), by_number);
    return true;
}

int place_is_mounted(struct bytes upper)
{
    _cleanup_free_ ino_t *seen = calloc(NAMESPACES_MAX, sizeof(*seen));
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;

    if (!proc || !seen)
        return proc ? -ENOMEM : -errno;
    while ((entry = readdir(proc))) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
        char path[64];
        struct stat st;
        uint32_t pid;
        int r;

        if (parse_u32(bytes_of(entry->d_name), 10, &pid) < 0)
            continue;
        snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
        if (stat(path, &st) < 0 || !is_new(seen, &count, st.st_ino))
            continue; /* a kernel thread, or it has ended */
        snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
        r = mountinfo_read(path, &text);
        if (r == -ENOENT || r == -ESRCH || r == -EINVAL)
            continue;
        if (r < 0)
            return r;
        if (has_overlay(sbuf_bytes(&text), upper, NULL))
            return 1;
    }
    return 0;
}
