/* SPDX-License-Identifier: MIT */
#include "sensor/tree/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "sensor/tree/ask.h"
#include "sensor/tree/change.h"
#include "sensor/tree/state.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/storage.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/limits.h"

#define XATTR_LIST_SIZE 4096    /* names of attributes of one file; more are not distinguished */
#define XATTR_VALUE_SIZE 4096   /* bytes of a value that its digest covers */
#define SYSCALL_LISTXATTRAT 465 /* one number for all architectures; the C library may be older */

static uint32_t digest(const char *data, size_t len)
{
    uint64_t h = hash_add(HASH_START, data, len); /* only "has it changed" is asked of it */

    return (uint32_t)(h ^ (h >> 32));
}

/* The kernel before 6.13 takes a path only, which leads through /proc: most files have none, and that is soon said. */
static bool has_no_xattrs(int fd, const char *name)
{
    static bool missing;
    long len;

    if (!name || __atomic_load_n(&missing, __ATOMIC_RELAXED))
        return false;
    len = syscall(SYSCALL_LISTXATTRAT, fd, name, AT_SYMLINK_NOFOLLOW, NULL, (size_t)0);
    if (len < 0 && (errno == ENOSYS || errno == EPERM))
        __atomic_store_n(&missing, true, __ATOMIC_RELAXED);
    return len == 0;
}

/* The names and digests of a file's attributes, as struct object_attributes keeps them. */
static void look_at_xattrs(int fd, const char *name, struct sbuf *out)
{
    char path[64 + LIMIT_NAME + 1], list[XATTR_LIST_SIZE], value[XATTR_VALUE_SIZE];
    ssize_t len;

    sbuf_clear(out);
    if (has_no_xattrs(fd, name))
        return;
    if (name)
        snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", fd, name);
    else
        snprintf(path, sizeof(path), "/proc/self/fd/%d/.", fd);
    len = llistxattr(path, list, sizeof(list));
    for (ssize_t i = 0; i < len;) {
        size_t n = strnlen(list + i, (size_t)(len - i));
        ssize_t size = n ? lgetxattr(path, list + i, value, sizeof(value)) : -1;
        uint32_t d = size >= 0 ? digest(value, (size_t)size) : 0;

        if (n > 0 && n <= LIMIT_NAME) {
            sbuf_add_char(out, (char)(unsigned char)n);
            sbuf_add(out, list + i, n);
            sbuf_add(out, (const char *)&d, sizeof(d));
        }
        i += (ssize_t)n + 1;
    }
}

struct foreign_mounts *tree_mounts(struct tree *t)
{
    if (!t->mounts)
        t->mounts = foreign_mounts_new(t->options.ns_pid);
    return t->mounts;
}

/* The directory is not asked for that: the kernel knows it, as long as no newer answer is wanted. */
static bool directory_answers(struct tree *t, int fd)
{
    struct statx stx;

    if (!foreign_mounts_any(tree_mounts(t)) || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) < 0)
        return true;
    return foreign_mounts_device_answers(t->mounts, makedev(stx.stx_dev_major, stx.stx_dev_minor), fd, ".");
}

bool tree_answers(struct tree *t, int fd, const char *name)
{
    return directory_answers(t, fd) && foreign_mounts_answer(t->mounts, fd, name);
}

uint64_t tree_take_unanswered(struct tree *t)
{
    return t ? foreign_mounts_take_unanswered(t->mounts) : 0;
}

int tree_stat_at(struct tree *t, int fd, const char *name, struct file_state *ret)
{
    bool answers = name ? tree_answers(t, fd, name) : directory_answers(t, fd);

    return answers ? tree_stat(fd, name, ret) : -ETIMEDOUT;
}

int tree_look(struct tree *t, int fd, const char *name, struct sbuf *xattrs, struct tree_seen *ret)
{
    int r = tree_stat_at(t, fd, name, &ret->state);

    if (r < 0)
        return r;
    ret->xattrs = NULL;
    ret->xattr_len = 0;
    if (t->options.xattrs && !t->options.names_only && !(name && strlen(name) > LIMIT_NAME)) {
        look_at_xattrs(fd, name, xattrs);
        if (sbuf_error(xattrs))
            return -ENOMEM;
        ret->xattrs = xattrs->data;
        ret->xattr_len = xattrs->len;
    }
    return 0;
}

/* ---- looking again at one name ---- */

int tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name,
                 struct tree_change *ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    char text[LIMIT_NAME + 1];
    struct tree_seen seen;
    int r;

    if (name.len == 0 || name.len > LIMIT_NAME || memchr(name.data, '\0', name.len))
        return err_set(err, -EINVAL, "name of %zu bytes", name.len);
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    r = tree_look(t, fd, text, &xattrs, &seen);
    if (r == -ENOENT) {
        tree_remove(t, tree_child(t, directory, name), ret);
        return 0;
    }
    if (r == 0)
        r = tree_put_seen(t, directory, name, &seen, ret);
    return r < 0 ? err_set(err, r, "looking at a file") : 0;
}

int tree_refresh_object(struct tree *t, int fd, uint32_t object, struct tree_change *ret,
                        struct err *err)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    struct tree_change c = { .object = object, .name = tree_first_name(t, object) };
    struct tree_seen seen;
    int r = tree_look(t, fd, NULL, &xattrs, &seen);

    if (r < 0)
        return err_set(err, r, "looking at a directory");
    tree_state(t, object, &c.before);
    if (!tree_is_that(t, object, &seen.state))
        return -ESTALE;
    if (t->options.xattrs)
        tree_compare_xattrs(tree_xattrs(t, object), (struct bytes){ seen.xattrs, seen.xattr_len },
                            &c);
    r = tree_set_seen(t, object, &seen);
    if (r < 0)
        return err_set(err, r, "index of the tree");
    c.same_object = true;
    c.after = seen.state;
    *ret = c;
    return 0;
}
