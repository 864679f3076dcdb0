/* SPDX-License-Identifier: MIT */
#include "daemon/changes.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "daemon/scratch.h"
#include "sensor/sensor.h"
#include "util/cleanup.h"

#define NAME_SIZE 64

/* What one change is made to: `name` in the directory, or the file, which `number` is called in /proc/self/fd,
 * the working directory. */
struct change_place {
    int dir;
    const char *name, *number;
};

/* ---- on names ---- */

static int change_create(const struct change_place *p)
{
    _cleanup_close_ int fd = openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : 0;
}

static int change_mkdir(const struct change_place *p)
{
    return mkdirat(p->dir, p->name, 0700) < 0 ? -errno : 0;
}

static int change_rmdir(const struct change_place *p)
{
    return unlinkat(p->dir, p->name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int change_mknod(const struct change_place *p)
{
    return mknodat(p->dir, p->name, S_IFIFO | 0600, 0) < 0 ? -errno : 0;
}

static int change_symlink(const struct change_place *p)
{
    return symlinkat("nowhere", p->dir, p->name) < 0 ? -errno : 0;
}

static void name_to(const struct change_place *p, char to[NAME_SIZE])
{
    snprintf(to, NAME_SIZE, "%s.to", p->name);
}

static int change_link(const struct change_place *p)
{
    char to[NAME_SIZE];

    name_to(p, to);
    return linkat(p->dir, p->name, p->dir, to, 0) < 0 ? -errno : 0;
}

static int change_rename(const struct change_place *p)
{
    char to[NAME_SIZE];

    name_to(p, to);
    return renameat(p->dir, p->name, p->dir, to) < 0 ? -errno : 0;
}

static int change_unlink(const struct change_place *p)
{
    return unlinkat(p->dir, p->name, 0) < 0 ? -errno : 0;
}

/* ---- on files ---- */

static int change_open_write(const struct change_place *p)
{
    _cleanup_close_ int fd = open(p->number, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    return fd < 0 || write(fd, "y", 1) != 1 ? -errno : 0;
}

static int change_truncate(const struct change_place *p)
{
    return truncate(p->number, 0) < 0 ? -errno : 0;
}

static int change_chmod(const struct change_place *p)
{
    return chmod(p->number, 0640) < 0 ? -errno : 0;
}

static int change_chown(const struct change_place *p)
{
    return chown(p->number, 12345, 12345) < 0 ? -errno : 0;
}

static int change_utime(const struct change_place *p)
{
    struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };

    return utimensat(AT_FDCWD, p->number, times, 0) < 0 ? -errno : 0;
}

static int change_setxattr(const struct change_place *p)
{
    return setxattr(p->number, "user.culprit", "1", 1, 0) < 0 ? -errno : 0;
}

static int change_removexattr(const struct change_place *p)
{
    return removexattr(p->number, "user.culprit") < 0 ? -errno : 0;
}

enum preparation { NOTHING, A_FILE, A_DIRECTORY, WITH_XATTR };
enum result { SAME_NAME, NEW_NAME, NO_NAME };

static const struct {
    int (*make)(const struct change_place *place);
    enum preparation preparation;
    bool on_file; /* else on the name */
    enum result result;
} ways[OPERATION_COUNT] = {
    [OPERATION_CREATE] = { change_create, NOTHING, false, SAME_NAME },
    [OPERATION_OPEN_WRITE] = { change_open_write, A_FILE, true, SAME_NAME },
    [OPERATION_TRUNCATE] = { change_truncate, A_FILE, true, SAME_NAME },
    [OPERATION_MKDIR] = { change_mkdir, NOTHING, false, SAME_NAME },
    [OPERATION_RMDIR] = { change_rmdir, A_DIRECTORY, false, NO_NAME },
    [OPERATION_MKNOD] = { change_mknod, NOTHING, false, SAME_NAME },
    [OPERATION_SYMLINK] = { change_symlink, NOTHING, false, SAME_NAME },
    [OPERATION_LINK] = { change_link, A_FILE, false, NEW_NAME },
    [OPERATION_RENAME] = { change_rename, A_FILE, false, NEW_NAME },
    [OPERATION_UNLINK] = { change_unlink, A_FILE, false, NO_NAME },
    [OPERATION_CHMOD] = { change_chmod, A_FILE, true, SAME_NAME },
    [OPERATION_CHOWN] = { change_chown, A_FILE, true, SAME_NAME },
    [OPERATION_UTIME] = { change_utime, A_FILE, true, SAME_NAME },
    [OPERATION_SETXATTR] = { change_setxattr, A_FILE, true, SAME_NAME },
    [OPERATION_REMOVEXATTR] = { change_removexattr, WITH_XATTR, true, SAME_NAME },
};

/* clang-format off */
const struct change changes[CHANGES] = {
    { OPERATION_CREATE,      "",    CAPABILITY_NAMES },
    { OPERATION_OPEN_WRITE,  "",    CAPABILITY_CONTENTS },
    { OPERATION_TRUNCATE,    "",    CAPABILITY_CONTENTS },
    { OPERATION_MKDIR,       "",    CAPABILITY_NAMES },
    { OPERATION_RMDIR,       "",    CAPABILITY_NAMES },
    { OPERATION_MKNOD,       "",    CAPABILITY_NAMES },
    { OPERATION_SYMLINK,     "",    CAPABILITY_NAMES },
    { OPERATION_LINK,        ".to", CAPABILITY_NAMES },
    { OPERATION_RENAME,      ".to", CAPABILITY_NAMES },
    { OPERATION_UNLINK,      "",    CAPABILITY_NAMES },
    { OPERATION_CHMOD,       "",    CAPABILITY_METADATA },
    { OPERATION_CHOWN,       "",    CAPABILITY_METADATA },
    { OPERATION_UTIME,       "",    CAPABILITY_METADATA },
    { OPERATION_SETXATTR,    "",    CAPABILITY_METADATA },
    { OPERATION_REMOVEXATTR, "",    CAPABILITY_METADATA },
};
/* clang-format on */

void change_files_init(struct change_files *f)
{
    *f = (struct change_files){ 0 };
    for (size_t i = 0; i < CHANGES; i++)
        f->prepared[i] = f->made[i] = -EBADF;
}

void change_files_done(struct change_files *f)
{
    for (size_t i = 0; i < CHANGES; i++) {
        closep(&f->prepared[i]);
        closep(&f->made[i]);
    }
    change_files_init(f);
}

static const char *name_of(size_t i)
{
    return operation_info(changes[i].operation)->name;
}

static int prepare(int dir, const char *name, enum preparation preparation)
{
    _cleanup_close_ int fd = -EBADF;

    if (preparation == A_DIRECTORY)
        return mkdirat(dir, name, 0755) < 0 ? -errno : 0;
    fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0 || write(fd, "xxx", 3) != 3)
        return -errno;
    if (preparation == WITH_XATTR)
        (void)fsetxattr(fd, "user.culprit", "1", 1, 0); /* not every file system has them: the change fails alike */
    return 0;
}

int changes_prepare(int dir, struct change_files *f)
{
    for (size_t i = 0; i < CHANGES; i++) {
        enum preparation preparation = ways[changes[i].operation].preparation;
        int r = preparation == NOTHING ? 0 : prepare(dir, name_of(i), preparation);

        if (r < 0)
            return r;
        if (preparation == NOTHING)
            continue;
        f->prepared[i] = scratch_open_path(dir, name_of(i));
        if (f->prepared[i] < 0)
            return f->prepared[i];
        if (fstat(f->prepared[i], &f->st[i]) < 0)
            return -errno;
    }
    return 0;
}

/* The file as this way leads to it, if it is what was prepared. */
static int open_prepared(int dir, size_t i, const struct change_files *f, bool comparable)
{
    _cleanup_close_ int fd = scratch_open_path(dir, name_of(i));
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -CHANGE_REPLACED;
    if (comparable ? st.st_dev != f->st[i].st_dev || st.st_ino != f->st[i].st_ino
                   : st.st_mode != f->st[i].st_mode || (S_ISREG(st.st_mode) && st.st_nlink != 1))
        return -CHANGE_REPLACED;
    return TAKE_FD(fd);
}

static int make(int dir, size_t i, const struct change_files *f, bool comparable)
{
    enum operation operation = changes[i].operation;
    char number[16] = "";
    struct change_place place = { dir, name_of(i), number };
    _cleanup_close_ int fd = -EBADF;

    if (f->prepared[i] >= 0) {
        fd = open_prepared(dir, i, f, comparable);
        if (fd < 0)
            return fd;
    }
    if (ways[operation].on_file)
        snprintf(number, sizeof(number), "%d", fd);
    return ways[operation].make(&place);
}

int changes_make(int dir, int self_fds, const struct change_files *f, bool comparable, int *ret_errors)
{
    if (fchdir(self_fds) < 0)
        return -errno;
    memset(ret_errors, 0, sizeof(int) * CHANGES);
    for (size_t i = 0; i < CHANGES; i++) {
        ret_errors[i] = -make(dir, i, f, comparable);
        if (ret_errors[i] == CHANGE_REPLACED)
            break;
    }
    return 0;
}

const char *changes_hold(int dir, const int *errors, struct change_files *f)
{
    const char *missing = NULL;

    for (size_t i = 0; i < CHANGES; i++) {
        enum result result = ways[changes[i].operation].result;
        char name[NAME_SIZE];

        if (errors[i] || result == NO_NAME)
            continue;
        snprintf(name, sizeof(name), "%s%s", name_of(i), result == SAME_NAME ? "" : ".to");
        f->made[i] = scratch_open_path(dir, name);
        if (f->made[i] < 0)
            missing = name_of(i);
    }
    return missing;
}

const char *changes_left(const struct change_files *f)
{
    for (size_t i = 0; i < CHANGES; i++) {
        struct stat st;

        if (f->prepared[i] >= 0 && fstat(f->prepared[i], &st) == 0 && st.st_nlink > 0)
            return name_of(i);
        if (f->made[i] >= 0 && fstat(f->made[i], &st) == 0 && st.st_nlink > 0)
            return name_of(i);
    }
    return NULL;
}
