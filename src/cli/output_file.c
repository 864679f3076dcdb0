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

/* How far a path has been gone. */
struct path_walk {
    int at; /* O_PATH, owned */
    char text[PATH_MAX];
    const char *rest; /* in text: what is left of it */
    unsigned links;
};

/* Takes the first component off the rest; empty at the end. */
static int next_component(struct path_walk *w, char name[NAME_MAX + 1])
{
    size_t n;

    w->rest += strspn(w->rest, "/");
    n = strcspn(w->rest, "/");
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, w->rest, n);
    name[n] = '\0';
    w->rest += n;
    w->rest += strspn(w->rest, "/");
    return 0;
}

static int step(struct path_walk *w, const char *name)
{
    int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    close(w->at);
    w->at = fd;
    return 0;
}

/* A link of somebody we trust: what it says comes before the rest. */
static int follow(struct path_walk *w, int fd, uid_t owner)
{
    char text[PATH_MAX], linked[PATH_MAX];
    ssize_t n;

    if ((owner != 0 && owner != geteuid()) || ++w->links > LINKS_MAX)
        return -ELOOP;
    n = readlinkat(fd, "", text, sizeof(text) - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    if ((size_t)snprintf(linked, sizeof(linked), "%s%s%s", text, *w->rest ? "/" : "", w->rest) >= sizeof(linked))
        return -ENAMETOOLONG;
    memcpy(w->text, linked, sizeof(w->text));
    w->rest = w->text;
    return linked[0] == '/' ? step(w, "/") : 0;
}

/* 1: `name` is the last, a file or nothing; 0: go on. */
static int visit(struct path_walk *w, const char *name)
{
    _cleanup_close_ int fd = -EBADF;
    struct stat st = { 0 };

    if (!*name || strcmp(name, "..") == 0 || strcmp(name, ".") == 0)
        return !*w->rest ? -EISDIR : step(w, *name ? name : ".");
    fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT && !*w->rest ? 1 : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return follow(w, fd, st.st_uid);
    if (!*w->rest)
        return S_ISREG(st.st_mode) ? 1 : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    close(w->at);
    w->at = TAKE_FD(fd);
    return 0;
}

/* The directory, and the last component's name. */
static int walk(const char *path, int *ret_fd, char ret_name[NAME_MAX + 1])
{
    struct path_walk w = { .at = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
    int r = w.at < 0 ? -errno : 0;

    w.rest = w.text;
    if ((size_t)snprintf(w.text, sizeof(w.text), "%s", path) >= sizeof(w.text))
        r = -ENAMETOOLONG;
    while (r == 0) {
        r = next_component(&w, ret_name);
        if (r == 0)
            r = visit(&w, ret_name);
    }
    if (r > 0)
        *ret_fd = TAKE_FD(w.at);
    if (w.at >= 0)
        close(w.at);
    return r > 0 ? 0 : r;
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
