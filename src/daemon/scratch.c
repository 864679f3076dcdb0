/* SPDX-License-Identifier: MIT */
#include "daemon/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/sbuf.h"

#define ATTEMPTS 16 /* somebody who renames it again and again is not followed for ever */

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int scratch_open_path(int dir, const char *name)
{
    return beneath_open_here(dir, name, O_PATH);
}

int scratch_name(char *ret, size_t size)
{
    uint64_t random;

    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    snprintf(ret, size, SCRATCH_PREFIX "%016llx", (unsigned long long)random);
    return 0;
}

static DIR *list(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !d)
        close(fd);
    return d;
}

static struct dirent *next_entry(DIR *d)
{
    struct dirent *e;

    while (d && (e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            return e;
    return NULL;
}

/* Ours, closed to others, and nothing in it. */
static bool is_ours(int dir, struct stat *ret)
{
    _cleanup_closedir_ DIR *d = list(dir);

    if (!d || fstat(dir, ret) < 0 || next_entry(d))
        return false;
    return S_ISDIR(ret->st_mode) && ret->st_uid == geteuid() && (ret->st_mode & 07777 & ~S_ISGID) == 0700;
}

int scratch_make(int parent, const char *name, struct scratch_directory *ret, struct err *err)
{
    *ret = SCRATCH_INIT;
    ret->parent = parent;
    snprintf(ret->name, sizeof(ret->name), "%s", name);
    if (parent < 0)
        return err_set(err, parent, "opening the directory of the target");
    if (mkdirat(parent, name, 0700) < 0)
        return err_set(err, -errno, "making a scratch directory beside the target");
    ret->dir = beneath_open_here(parent, name, O_RDONLY | O_DIRECTORY);
    if (ret->dir < 0 || !is_ours(ret->dir, &ret->st)) {
        closep(&ret->dir);
        ret->dir = -EBADF; /* nothing is done to it: whose it is is not known */
        (void)unlinkat(parent, name, AT_REMOVEDIR);
        return err_say(err, -ESTALE, "the scratch directory that was just made is not the one found under its name: "
                                     "somebody moved it, and it is left behind, empty, or the file system does "
                                     "not keep its owner and mode");
    }
    /* a default access list of the folder is inherited, and would open the files to others */
    (void)fremovexattr(ret->dir, "system.posix_acl_default");
    (void)fremovexattr(ret->dir, "system.posix_acl_access");
    return 0;
}

bool scratch_is(const struct scratch_directory *s, int fd)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    if (st.st_dev == s->st.st_dev)
        return st.st_ino == s->st.st_ino;
    return S_ISDIR(st.st_mode) && st.st_mode == s->st.st_mode && st.st_uid == s->st.st_uid;
}

bool scratch_in_place(const struct scratch_directory *s)
{
    _cleanup_close_ int fd = beneath_open_here(s->parent, s->name, O_PATH | O_DIRECTORY);
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && same(&st, &s->st);
}

static void empty(int dir)
{
    _cleanup_closedir_ DIR *d = list(dir);
    struct dirent *e;

    while ((e = next_entry(d)))
        if (unlinkat(dir, e->d_name, 0) < 0)
            (void)unlinkat(dir, e->d_name, AT_REMOVEDIR);
}

/* A removed directory cannot be listed (every file system: the kernel refuses before it asks). */
static bool is_gone(int dir)
{
    char buf[512];

    if (lseek(dir, 0, SEEK_SET) < 0)
        return errno == ESTALE || errno == ENOENT;
    return syscall(SYS_getdents64, dir, buf, sizeof(buf)) < 0 && (errno == ENOENT || errno == ESTALE);
}

/* The name that it has by now, in the directory that it is in by now: no name is trusted, its identity is. */
static bool remove_where_it_is(const struct scratch_directory *s)
{
    _cleanup_close_ int parent = openat(s->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *d = parent < 0 ? NULL : list(parent);
    struct dirent *e;
    struct stat st;

    while ((e = next_entry(d)))
        if (fstatat(parent, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && same(&st, &s->st))
            return unlinkat(parent, e->d_name, AT_REMOVEDIR) == 0;
    return false;
}

int scratch_remove(struct scratch_directory *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;
    char link[64], path[PATH_MAX] = "";
    ssize_t n;

    if (s->dir < 0)
        return 0;
    for (unsigned i = 0; i < ATTEMPTS && !is_gone(s->dir); i++) {
        empty(s->dir);
        if (scratch_in_place(s))
            (void)unlinkat(s->parent, s->name, AT_REMOVEDIR);
        else
            (void)remove_where_it_is(s);
    }
    if (is_gone(s->dir))
        return 0;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", s->dir);
    n = readlink(link, path, sizeof(path));
    escape_terminal(&where, (struct bytes){ path, (size_t)MAX(n, 0) });
    return err_say(err, -ENOTEMPTY, "the scratch directory could not be removed, it is left behind: %s",
                   sbuf_str(&where));
}

void scratch_done(struct scratch_directory *s)
{
    closep(&s->parent);
    closep(&s->dir);
    *s = SCRATCH_INIT;
}
