/* SPDX-License-Identifier: MIT */
#include "attribution/users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <uthash.h>

#include "util/arena.h"
#include "util/cleanup.h"

/* A container's passwd is its own to write: no more than this is read of it. */
#define FILE_MAX (1024 * 1024)
#define CACHE_MAX 16384

struct key {
    char container[16]; /* the first bytes of the id; zero: the host */
    uint32_t id;
    uint32_t group;
};

struct name {
    struct key key;
    struct bytes text;
    UT_hash_handle hh;
};

struct users {
    struct arena arena;
    struct name *names;
};

int users_new(struct users **ret, struct err *err)
{
    struct users *u = calloc(1, sizeof(*u));

    if (!u)
        return err_set(err, -ENOMEM, "user names");
    *ret = u;
    return 0;
}

static void forget(struct users *u)
{
    struct name *n, *next;

    HASH_ITER(hh, u->names, n, next) {
        HASH_DEL(u->names, n);
        free(n);
    }
}

void users_free(struct users *u)
{
    if (!u)
        return;
    forget(u);
    arena_done(&u->arena);
    free(u);
}

/* A file of the container, never one outside of it by a link. */
static FILE *open_in_container(const struct container *c, const char *name)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    char root[64];
    _cleanup_close_ int dir = -EBADF;
    struct stat st;
    FILE *f;
    int fd;

    if (c->pid <= 0)
        return NULL;
    snprintf(root, sizeof(root), "/proc/%d/root", c->pid);
    dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return NULL;
    fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
        !(f = fdopen(fd, "r"))) {
        close(fd);
        return NULL;
    }
    return f;
}

static struct bytes container_name(struct users *u, const struct container *c, uint32_t id, bool group)
{
    _cleanup_fclose_ FILE *f = open_in_container(c, group ? "etc/group" : "etc/passwd");
    char buffer[8192];
    struct passwd pw, *found_user;
    struct group gr, *found_group;

    if (!f)
        return BYTES_NULL;
    if (group) {
        while (fgetgrent_r(f, &gr, buffer, sizeof(buffer), &found_group) == 0)
            if (gr.gr_gid == id)
                return arena_copy(&u->arena, bytes_of(gr.gr_name));
    } else {
        while (fgetpwent_r(f, &pw, buffer, sizeof(buffer), &found_user) == 0)
            if (pw.pw_uid == id)
                return arena_copy(&u->arena, bytes_of(pw.pw_name));
    }
    return BYTES_NULL;
}

static struct bytes host_name(struct users *u, uint32_t id, bool group)
{
    char buffer[8192];
    struct passwd pw, *user = NULL;
    struct group gr, *found = NULL;

    if (group)
        return getgrgid_r(id, &gr, buffer, sizeof(buffer), &found) == 0 && found
                   ? arena_copy(&u->arena, bytes_of(gr.gr_name))
                   : BYTES_NULL;
    return getpwuid_r(id, &pw, buffer, sizeof(buffer), &user) == 0 && user
               ? arena_copy(&u->arena, bytes_of(pw.pw_name))
               : BYTES_NULL;
}

static struct bytes look_up(struct users *u, const struct container *c, uint32_t id, bool group)
{
    struct key key = { .id = id, .group = group };
    struct name *n;

    if (id == UINT32_MAX)
        return BYTES_NULL;
    if (c && c->id.len)
        memcpy(key.container, c->id.data, c->id.len < sizeof(key.container) ? c->id.len : sizeof(key.container));
    HASH_FIND(hh, u->names, &key, sizeof(key), n);
    /* a name that was not to be had while the container was down is asked for again */
    if (n && (n->text.data || !c || c->pid <= 0))
        return n->text;
    if (!n) {
        if (HASH_COUNT(u->names) >= CACHE_MAX)
            forget(u);
        n = calloc(1, sizeof(*n));
        if (!n)
            return BYTES_NULL;
        n->key = key;
        HASH_ADD(hh, u->names, key, sizeof(n->key), n);
    }
    n->text = c ? container_name(u, c, id, group) : host_name(u, id, group);
    return n->text;
}

struct bytes users_name(struct users *u, const struct container *c, uint32_t uid)
{
    return look_up(u, c, uid, false);
}

struct bytes users_group(struct users *u, const struct container *c, uint32_t gid)
{
    return look_up(u, c, gid, true);
}
