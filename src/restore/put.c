/* SPDX-License-Identifier: MIT */
#include "restore/put.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "restore/attributes.h"
#include "restore/copy.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define TEMPORARY ".culprit-restore-"

struct beside {
    int fd;        /* what was made; owned */
    char name[64]; /* empty: it has none yet */
};

/* Nobody can be waiting for this name. */
static int invent_name(struct beside *b)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), 0) != sizeof(number))
        return -EIO;
    snprintf(b->name, sizeof(b->name), TEMPORARY "%016" PRIx64, number);
    return 0;
}

static bool is_empty(int directory)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return false;
    }
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

/* Is what bears the name now what we have just made by it? Another's file would be given away. */
static int check_ours(const struct beside *b, mode_t type)
{
    struct stat st;

    if (fstat(b->fd, &st) < 0)
        return -errno;
    if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || (type != S_IFDIR && st.st_nlink > 1))
        return -ESTALE;
    return type != S_IFDIR || ((st.st_mode & 0777) == 0700 && is_empty(b->fd)) ? 0 : -ESTALE;
}

static int make_file(int directory, struct beside *b)
{
    int r;

    b->fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (b->fd >= 0)
        return 0;
    if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) /* overlay before 6.1 has none */
        return -errno;
    r = invent_name(b);
    if (r < 0)
        return r;
    b->fd = openat(directory, b->name, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600);
    r = b->fd < 0 ? -errno : 0;
    if (r < 0)
        b->name[0] = '\0';
    return r;
}

static int read_link(const struct put_source *from, char *ret, size_t size)
{
    ssize_t n = from->bare ? (ssize_t)strlen(from->link) : readlinkat(from->fd, "", ret, size - 1);

    if (n < 0 || (size_t)n >= size)
        return n < 0 ? -errno : -ENAMETOOLONG;
    if (from->bare)
        memcpy(ret, from->link, (size_t)n);
    ret[n] = '\0';
    return 0;
}

static int make_other(int directory, const struct put_source *from, struct beside *b)
{
    mode_t type = from->st.st_mode & S_IFMT;
    char target[PATH_MAX];
    int r = invent_name(b);

    if (r < 0)
        return r;
    if (type == S_IFDIR) {
        r = mkdirat(directory, b->name, 0700);
    } else if (type == S_IFLNK) {
        r = read_link(from, target, sizeof(target));
        if (r < 0)
            return r;
        r = symlinkat(target, directory, b->name);
    } else {
        r = mknodat(directory, b->name, type | 0600, from->st.st_rdev);
    }
    if (r < 0) {
        r = -errno;
        b->name[0] = '\0';
        return r;
    }
    b->fd = openat(directory, b->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return b->fd < 0 ? -errno : check_ours(b, type);
}

static int fill(const struct put_source *from, int to)
{
    _cleanup_close_ int content = beneath_reopen_file(from->content);

    return content < 0 ? content : copy_content(content, to);
}

/* A second name, where rename() cannot say that nothing must be there. */
static int link_in(int directory, const struct beside *b, const char *name)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
    return linkat(AT_FDCWD, path, directory, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int put_away(int directory, struct beside *b)
{
    int r = unlinkat(directory, b->name, 0) < 0 ? -errno : 0;

    b->name[0] = '\0';
    return r;
}

/*
 * For a file system whose rename() cannot refuse to replace: a second name does; a directory, which gets none, replaces but an
 * empty one. Without second names a file could only be put over what is there.
 */
static int move_in_by_link(int directory, struct beside *b, const char *name)
{
    struct stat st;
    int r;

    if (fstat(b->fd, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode)) {
        r = renameat(directory, b->name, directory, name) < 0 ? -errno : 0;
        if (r == 0)
            b->name[0] = '\0';
        return r == -ENOTEMPTY || r == -ENOTDIR ? -EEXIST : r;
    }
    if (linkat(directory, b->name, directory, name, 0) == 0)
        return put_away(directory, b);
    return errno == EPERM || errno == ENOSYS ? -EOPNOTSUPP : -errno;
}

static int move_in(int directory, struct beside *b, const char *name, bool replace)
{
    int r = renameat2(directory, b->name, directory, name, replace ? 0 : RENAME_NOREPLACE) < 0 ? -errno : 0;

    if (r == -EINVAL && !replace)
        return move_in_by_link(directory, b, name);
    if (r == -ENOTDIR && replace) /* a directory in the place of a file: they change places, and the file goes */
        return renameat2(directory, b->name, directory, name, RENAME_EXCHANGE) < 0 ? -errno : put_away(directory, b);
    if (r == 0)
        b->name[0] = '\0';
    return r;
}

static int put_in(int directory, struct beside *b, const char *name, bool replace)
{
    int r;

    if (b->name[0])
        return move_in(directory, b, name, replace);
    if (!replace)
        return link_in(directory, b, name);
    r = invent_name(b);
    if (r == 0)
        r = link_in(directory, b, b->name);
    if (r < 0) {
        b->name[0] = '\0';
        return r;
    }
    return move_in(directory, b, name, true);
}

static int give_all(const struct put_source *from, int to, unsigned *given, struct err *err)
{
    int r = from->bare ? attributes_give_owner(&from->st, to, given, err) : attributes_give(from->fd, &from->st, to, given, err);

    if (r == 0 && from->bare && !S_ISLNK(from->st.st_mode))
        r = attributes_give_saved(from->xattrs, to, given, err);
    if (r == 0 && !from->bare)
        r = attributes_give_flags(from->fd, &from->st, to, false, NULL, given, err);
    if (r == 0 && from->bare)
        r = attributes_give_saved_flags(from->file_flags, to, false, given, err);
    return r < 0 ? r : attributes_give_times(&from->st, to, err);
}

int put_new(int directory, const char *name, const struct put_source *from, bool replace, unsigned *given, struct err *err)
{
    struct beside b = { .fd = -EBADF };
    bool regular = S_ISREG(from->st.st_mode);
    int r = regular ? make_file(directory, &b) : make_other(directory, from, &b);

    if (r < 0)
        err_set(err, r, "making it");
    if (r == 0 && regular) {
        r = fill(from, b.fd);
        if (r < 0)
            err_set(err, r, "its content");
    }
    if (r == 0)
        r = give_all(from, b.fd, given, err);
    if (r == 0 && regular && replace && fdatasync(b.fd) < 0) /* or a power cut leaves neither the old nor the new */
        r = err_set(err, -errno, "writing it");
    if (r == 0) {
        r = put_in(directory, &b, name, replace);
        if (r == -EOPNOTSUPP)
            err_say(err, r, "its file system can neither refuse to replace a file nor give one a second name: put it back by hand, or by --force");
        else if (r < 0)
            err_set(err, r, "putting it in its place");
    }
    if (r == 0 && regular && !from->bare) /* no name can be given to one that has them */
        r = attributes_give_flags(from->fd, &from->st, b.fd, true, from->held, given, err);
    if (r == 0 && regular && from->bare)
        r = attributes_give_saved_flags(from->file_flags, b.fd, true, given, err);
    if (b.name[0])
        (void)unlinkat(directory, b.name, S_ISDIR(from->st.st_mode) ? AT_REMOVEDIR : 0);
    closep(&b.fd);
    return r;
}

static int check_content(int fd, const struct put_source *from)
{
    _cleanup_close_ int is = beneath_reopen_file(fd), content = beneath_reopen_file(from->content);
    int r;

    if (is < 0 || content < 0)
        return is < 0 ? is : content;
    r = content_is_equal(content, is);
    return r < 0 ? r : r ? 0 : -ESTALE;
}

int put_attributes(int directory, const char *name, const struct put_source *from, const struct file_state *seen,
                   unsigned *given, struct err *err)
{
    _cleanup_close_ int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, -errno, "opening it");
    if ((st.st_mode & S_IFMT) != (from->st.st_mode & S_IFMT) || st.st_uid != seen->uid || st.st_gid != seen->gid ||
        (!S_ISLNK(st.st_mode) && (st.st_mode & 07777) != (seen->mode & 07777)))
        return err_say(err, -ESTALE, "it was changed meanwhile");
    if (S_ISREG(st.st_mode)) {
        if (st.st_nlink > 1 && st.st_nlink != from->st.st_nlink)
            return err_say(err, -EMLINK, "it has %lu names, perhaps others elsewhere: they would change with it",
                           (unsigned long)st.st_nlink);
        r = check_content(fd, from);
        if (r < 0)
            return r == -ESTALE ? err_say(err, r, "its content was changed meanwhile") : err_set(err, r, "its content");
    }
    r = from->bare ? attributes_give_owner(&from->st, fd, given, err) : attributes_give(from->fd, &from->st, fd, given, err);
    if (r == 0 && from->bare)
        r = attributes_match_saved(from->xattrs, fd, given, err);
    if (r == 0 && !S_ISDIR(st.st_mode))
        r = attributes_give_times(&from->st, fd, err);
    return r;
}

void put_hold_signals(sigset_t *old)
{
    sigset_t all;

    sigemptyset(&all);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &all, old);
}
