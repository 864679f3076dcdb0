/* SPDX-License-Identifier: MIT */
#include "cli/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

#define LINKS_MAX 40 /* as the kernel follows */

/* Takes the first component off `rest`, into `name`. */
static int next_component(const char **rest, char name[NAME_MAX + 1])
{
    size_t n;

    *rest += strspn(*rest, "/");
    n = strcspn(*rest, "/");
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, *rest, n);
    name[n] = '\0';
    *rest += n;
    *rest += strspn(*rest, "/");
    return 0;
}

/* A link of somebody we trust: what it says, with what comes behind it. */
static int read_link(int fd, const char *rest, char ret[PATH_MAX])
{
    char text[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return -ELOOP;
    n = readlinkat(fd, "", text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if ((size_t)snprintf(ret, PATH_MAX, "%s%s%s", text, *rest ? "/" : "", rest) >= PATH_MAX)
        return -ENAMETOOLONG;
    return 0;
}

static int step(int *directory, const char *name)
{
    int fd = openat(*directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    close(*directory);
    *directory = fd;
    return 0;
}

/* The directory, and the last component's name. */
static int walk(const char *path, int *ret_fd, char ret_name[NAME_MAX + 1])
{
    _cleanup_close_ int at = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char text[PATH_MAX], name[NAME_MAX + 1], linked[PATH_MAX];
    const char *rest = text;

    if (at < 0)
        return -errno;
    if ((size_t)snprintf(text, sizeof(text), "%s", path) >= sizeof(text))
        return -ENAMETOOLONG;
    for (unsigned links = 0;;) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r = next_component(&rest, name);

        if (r < 0)
            return r;
        if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0) {
            if (!*rest)
                return -EISDIR;
            r = step(&at, *name ? name : ".");
            if (r < 0)
                return r;
            continue;
        }
        fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && (errno != ENOENT || *rest))
            return -errno;
        if (fd >= 0 && fstat(fd, &st) < 0)
            return -errno;
        if (fd >= 0 && S_ISLNK(st.st_mode)) {
            r = ++links > LINKS_MAX ? -ELOOP : read_link(fd, rest, linked);
            if (r < 0)
                return r;
            memcpy(text, linked, sizeof(text));
            rest = text;
            r = text[0] == '/' ? step(&at, "/") : 0;
            if (r < 0)
                return r;
            continue;
        }
        if (!*rest) {
            if (fd >= 0 && !S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
            *ret_fd = TAKE_FD(at);
            memcpy(ret_name, name, sizeof(name));
            return 0;
        }
        close(at);
        at = TAKE_FD(fd);
    }
}

int output_file_prepare(const char *path, struct output_file *ret, struct err *err)
{
    struct output_file file = OUTPUT_FILE_INIT;
    _cleanup_close_ int at = -EBADF;
    int r = walk(path, &at, file.name);

    if (r == -ELOOP)
        return err_say(err, r, "%.200s: a symbolic link that is somebody else's is on the way; not written", path);
    if (r < 0)
        return err_set(err, r, "%.200s", path);
    /* O_PATH was enough for the way; names are made in what is really a directory */
    file.directory_fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file.directory_fd < 0)
        return err_set(err, -errno, "%.200s", path);
    if (faccessat(file.directory_fd, ".", W_OK, AT_EACCESS) < 0) {
        r = err_set(err, -errno, "%.200s", path);
        output_file_done(&file);
        return r;
    }
    *ret = file;
    return 0;
}

int output_file_write(const struct output_file *file, const struct sbuf *text, struct err *err)
{
    _cleanup_close_ int fd = -EBADF;
    char temporary[NAME_MAX + 1];
    int r = 0;

    snprintf(temporary, sizeof(temporary), ".culprit-%d.tmp", (int)getpid());
    fd = openat(file->directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(err, -errno, "%s", file->name);
    for (size_t at = 0; at < text->len && r == 0;) {
        ssize_t n = write(fd, text->data + at, text->len - at);

        if (n < 0 && errno != EINTR)
            r = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (r == 0 && sbuf_error(text))
        r = sbuf_error(text);
    if (r == 0 && (fsync(fd) < 0 || renameat(file->directory_fd, temporary, file->directory_fd, file->name) < 0))
        r = -errno;
    if (r < 0)
        (void)unlinkat(file->directory_fd, temporary, 0);
    return r < 0 ? err_set(err, r, "%s", file->name) : 0;
}

void output_file_done(struct output_file *file)
{
    if (file->directory_fd >= 0)
        close(file->directory_fd);
    *file = OUTPUT_FILE_INIT;
}
