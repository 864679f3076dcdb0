/* SPDX-License-Identifier: MIT */
#include "copies/large.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/read.h"

#define BLOCK (64 * 1024)
#define NAME_LEN 64 /* the sum in hexadecimal digits */
#define NEW "new"

static void name_of(const unsigned char sha256[32], char ret[NAME_LEN + 1])
{
    for (unsigned i = 0; i < 32; i++)
        snprintf(ret + 2 * i, 3, "%02x", sha256[i]);
}

static bool sum_of(const char *name, unsigned char ret[32])
{
    for (unsigned i = 0; i < 32; i++)
        if (sscanf(name + 2 * i, "%2hhx", &ret[i]) != 1)
            return false;
    return name[NAME_LEN] == '\0';
}

static struct large_content *add(struct large *l, const unsigned char sha256[32], uint64_t size, uint64_t kept_ns)
{
    struct large_content *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    memcpy(c->sha256, sha256, sizeof(c->sha256));
    c->size = size;
    c->kept_ns = kept_ns;
    HASH_ADD(hh, l->all, sha256, sizeof(c->sha256), c);
    HASH_FREE_IF_OUT(hh, c);
    l->used += c ? size : 0;
    return c;
}

static void forget(struct large *l)
{
    struct large_content *c, *next;

    HASH_ITER(hh, l->all, c, next) {
        HASH_DEL(l->all, c);
        free(c);
    }
    l->used = 0;
}

void large_close(struct large *l)
{
    forget(l);
    closep(&l->directory);
    l->directory = -EBADF;
}

/* ---- the directory ---- */

static DIR *list(int pack, const char *name)
{
    int fd = openat(pack, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir)
        closep(&fd);
    return dir;
}

static int by_time(const struct large_content *a, const struct large_content *b)
{
    return a->kept_ns < b->kept_ns ? -1 : a->kept_ns > b->kept_ns;
}

static void know_again(struct large *l, int pack)
{
    _cleanup_closedir_ DIR *dir = list(pack, "large");
    unsigned char sha256[32];
    const struct dirent *entry;
    struct stat st;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            if (!sum_of(entry->d_name, sha256) || !add(l, sha256, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec * NS_PER_S))
                (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    HASH_SORT(l->all, by_time);
}

int large_open(struct large *l, int pack, uint64_t share)
{
    *l = (struct large){ .directory = -EBADF, .share = share };
    if (mkdirat(pack, "large", 0700) < 0 && errno != EEXIST)
        return -errno;
    l->directory = openat(pack, "large", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (l->directory < 0)
        return -errno;
    know_again(l, pack);
    return 0;
}

/* ---- sums ---- */

static bool is_zero(const char *data, size_t len)
{
    return data[0] == '\0' && memcmp(data, data + 1, len - 1) == 0;
}

/* to: where it is written too, zeros as holes; -EBADF: nowhere. */
static int sum_and_copy(int fd, int to, EVP_MD_CTX *sum, char *block, uint64_t max, uint64_t *ret_size)
{
    uint64_t at = 0;
    ssize_t n;

    while ((n = read_at(fd, block, BLOCK, (off_t)at)) > 0) {
        if (at + (uint64_t)n > max)
            return -EFBIG;
        if (EVP_DigestUpdate(sum, block, (size_t)n) != 1)
            return -ENOMEM;
        if (to >= 0 && !is_zero(block, (size_t)n) && pwrite(to, block, (size_t)n, (off_t)at) != n)
            return -ENOSPC;
        at += (uint64_t)n;
    }
    *ret_size = at;
    if (n == 0 && to >= 0 && ftruncate(to, (off_t)at) < 0)
        n = -errno;
    return (int)n;
}

static int sum_to(int fd, int to, uint64_t max, unsigned char ret[32], uint64_t *ret_size)
{
    _cleanup_free_ char *block = malloc(BLOCK);
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    int r = block && sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;

    if (r == 0)
        r = sum_and_copy(fd, to, sum, block, max, ret_size);
    if (r == 0 && EVP_DigestFinal_ex(sum, ret, NULL) != 1)
        r = -ENOMEM;
    EVP_MD_CTX_free(sum);
    return r;
}

int large_sum(int fd, unsigned char ret[32], uint64_t *ret_size)
{
    return sum_to(fd, -EBADF, UINT64_MAX, ret, ret_size);
}

/* ---- keeping ---- */

static void remove_content(struct large *l, struct large_content *c)
{
    char name[NAME_LEN + 1];

    name_of(c->sha256, name);
    (void)unlinkat(l->directory, name, 0);
    l->used -= c->size;
    HASH_DEL(l->all, c);
    free(c);
}

/* The oldest of those that no file has gives way. False: there is none. */
static bool make_room(struct large *l)
{
    for (struct large_content *c = l->all; c; c = c->hh.next)
        if (!c->users) {
            remove_content(l, c);
            return true;
        }
    return false;
}

void large_forget_old(struct large *l, uint64_t before_ns)
{
    struct large_content *c, *next;

    HASH_ITER(hh, l->all, c, next) {
        if (!c->users && c->kept_ns < before_ns)
            remove_content(l, c);
    }
}

void large_fit(struct large *l)
{
    while (l->used > l->share && make_room(l))
        ;
}

static bool is_changed(const struct stat *a, const struct stat *b)
{
    return a->st_size != b->st_size || a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec ||
           a->st_ctim.tv_sec != b->st_ctim.tv_sec || a->st_ctim.tv_nsec != b->st_ctim.tv_nsec;
}

static int make_new(struct large *l, int fd, const struct stat *st, uint64_t copy_max, unsigned char sha256[32], uint64_t *ret_size)
{
    _cleanup_close_ int to = openat(l->directory, NEW, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat after;
    bool cloned;
    int r = 0;

    if (to < 0)
        return -errno;
    cloned = ioctl(to, FICLONE, fd) == 0; /* of one moment; it is read afterwards */
    if (!cloned)
        r = (uint64_t)st->st_size > copy_max ? -EFBIG : sum_to(fd, to, copy_max, sha256, ret_size);
    if (r == 0 && (fstat(fd, &after) < 0 || is_changed(st, &after)))
        r = -ESTALE;
    if (r == 0 && cloned)
        r = large_sum(to, sha256, ret_size);
    return r == 0 && *ret_size != (uint64_t)st->st_size ? -ESTALE : r;
}

/* What could give way. */
static uint64_t unused_of(const struct large *l)
{
    uint64_t bytes = 0;

    for (const struct large_content *c = l->all; c; c = c->hh.next)
        bytes += c->users ? 0 : c->size;
    return bytes;
}

uint64_t large_room(const struct large *l, uint64_t room)
{
    uint64_t unused = unused_of(l), had = l->used - unused;

    return MIN(l->share > had ? l->share - had : 0, room + unused);
}

/* Nothing gives way in vain. */
static bool make_room_for(struct large *l, uint64_t size, uint64_t room)
{
    uint64_t used = l->used;

    if (size > large_room(l, room))
        return false;
    while (l->used + size > l->share || size > room + (used - l->used))
        if (!make_room(l))
            return false;
    return true;
}

int large_name_it(int directory, const char *name, const unsigned char sha256[32])
{
    char sum[NAME_LEN + 1];

    name_of(sha256, sum);
    return renameat(directory, name, directory, sum) < 0 ? -errno : 0;
}

bool large_is_there(int directory, const unsigned char sha256[32])
{
    char sum[NAME_LEN + 1];

    name_of(sha256, sum);
    return faccessat(directory, sum, F_OK, 0) == 0;
}

/* NEW gets its name, and is known. */
static int take_new(struct large *l, const unsigned char sha256[32], uint64_t size, uint64_t room, struct large_content **ret)
{
    int r = make_room_for(l, size, room) ? large_name_it(l->directory, NEW, sha256) : -EFBIG;

    if (r < 0)
        return r;
    *ret = add(l, sha256, size, clock_ns(CLOCK_REALTIME));
    return *ret ? 0 : -ENOMEM;
}

struct large_content *large_adopt(struct large *l, const unsigned char sha256[32], uint64_t size, uint64_t room)
{
    struct large_content *c = large_find(l, sha256);
    char name[NAME_LEN + 1];

    if (!c && large_is_there(l->directory, sha256) && make_room_for(l, size, room))
        c = add(l, sha256, size, clock_ns(CLOCK_REALTIME));
    name_of(sha256, name);
    if (!c)
        (void)unlinkat(l->directory, name, 0);
    return c;
}

int large_keep(struct large *l, int fd, const struct stat *st, uint64_t room, uint64_t copy_max, struct large_content **ret)
{
    unsigned char sha256[32];
    uint64_t size = 0;
    int r = (uint64_t)st->st_size > l->share ? -EFBIG : make_new(l, fd, st, copy_max, sha256, &size);

    *ret = r == 0 ? large_find(l, sha256) : NULL;
    if (r == 0 && !*ret)
        r = take_new(l, sha256, size, room, ret);
    (void)unlinkat(l->directory, NEW, 0);
    if (r == 0)
        (*ret)->users++;
    return r;
}

void large_release(struct large *l, struct large_content *c)
{
    if (--c->users)
        return;
    c->kept_ns = clock_ns(CLOCK_REALTIME);
    HASH_DEL(l->all, c);
    HASH_ADD(hh, l->all, sha256, sizeof(c->sha256), c);
    HASH_FREE_IF_OUT(hh, c); /* its file stays, and counts, until the pack is opened again */
}

struct large_content *large_find(const struct large *l, const unsigned char sha256[32])
{
    struct large_content *c;

    HASH_FIND(hh, l->all, sha256, 32, c);
    return c;
}

/* ---- reading ---- */

int large_open_content(const char *directory, const unsigned char sha256[32], uint64_t size)
{
    _cleanup_close_ int at = -EBADF, fd = -EBADF;
    unsigned char is[32];
    char name[NAME_LEN + 1], path[PATH_MAX];
    uint64_t has;
    int r;

    name_of(sha256, name);
    if (snprintf(path, sizeof(path), "%s/large/%s", directory, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    at = beneath_open_host(bytes_of(path), 0, O_PATH);
    fd = at < 0 ? at : beneath_reopen_file(at);
    if (fd < 0)
        return fd == -ENOENT ? -ENODATA : fd;
    r = large_sum(fd, is, &has);
    if (r < 0)
        return r;
    return has == size && memcmp(is, sha256, sizeof(is)) == 0 ? TAKE_FD(fd) : -EBADMSG;
}
