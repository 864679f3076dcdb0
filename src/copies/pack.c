/* SPDX-License-Identifier: MIT */
#include "copies/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* as in util/fingerprint.h: it neither fails nor asks for memory */
#include <openssl/sha.h>

#include "copies/below.h"
#include "copies/large.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/hash_table.h"
#include "util/macro.h"
#include "util/read.h"
#include "util/trusted.h"

struct content {
    unsigned char sha256[32];
    uint64_t offset;
    UT_hash_handle hh;
};

/* What the last record of a path said. */
struct last_record {
    uint64_t says;
    uint64_t round; /* in which it was seen last */
    struct large_content *large; /* its content, if it is one of these */
    bool held;      /* its content comes when it changes */
    bool is_directory;
    UT_hash_handle hh;
    size_t len;
    char path[];
};

struct pack {
    int directory, pack, index, lock;
    uint64_t limit, pack_len, index_len, old_len;
    uint64_t first_ns; /* of this generation; 0: it has nothing */
    uint64_t round;
    struct large large;
    struct content *contents; /* of this generation */
    struct last_record *last; /* of this generation, of what has not gone */
    struct names_below below; /* of these */
    struct copies_clock clock;
    uint64_t back_ns; /* CLOCK_REALTIME: since the clock was set back to that; 0: it was not */
    bool back;        /* and no record says so yet */
};

static int open_file(int directory, const char *name, uint64_t *ret_len)
{
    int fd = openat(directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    *ret_len = (uint64_t)st.st_size;
    return fd;
}

static void set_large(struct pack *p, struct last_record *l, struct large_content *large)
{
    struct large_content *before = l->large;

    l->large = large;
    if (large)
        large->users++;
    if (before)
        large_release(&p->large, before);
}

static void drop(struct pack *p, struct last_record *l)
{
    set_large(p, l, NULL);
    below_remove(&p->below, (struct bytes){ l->path, l->len });
    HASH_DEL(p->last, l);
    free(l);
}

static void forget(struct pack *p)
{
    struct content *c, *next;
    struct last_record *l, *after;

    HASH_ITER(hh, p->contents, c, next) {
        HASH_DEL(p->contents, c);
        free(c);
    }
    below_forget(&p->below);
    HASH_ITER(hh, p->last, l, after)
        drop(p, l);
}

void pack_close(struct pack *p)
{
    if (!p)
        return;
    forget(p);
    large_close(&p->large);
    closep(&p->pack);
    closep(&p->index);
    closep(&p->lock);
    closep(&p->directory);
    free(p);
}

static void measure_old(struct pack *p)
{
    static const char *const names[] = { "pack.old", "index.old" };
    struct stat st;

    p->old_len = 0;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (fstatat(p->directory, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            p->old_len += (uint64_t)st.st_size;
}

static int open_pair(struct pack *p)
{
    measure_old(p);
    p->first_ns = 0;
    p->pack = open_file(p->directory, "pack", &p->pack_len);
    if (p->pack < 0)
        return p->pack;
    p->index = open_file(p->directory, "index", &p->index_len);
    return p->index < 0 ? p->index : 0;
}

int pack_turn(struct pack *p)
{
    forget(p);
    large_fit(&p->large);
    closep(&p->pack);
    closep(&p->index);
    p->pack = p->index = -EBADF;
    /* the index first: what a crash leaves refers to no other pack */
    if (unlinkat(p->directory, "index.old", 0) < 0 && errno != ENOENT)
        return -errno;
    if (renameat(p->directory, "pack", p->directory, "pack.old") < 0 || renameat(p->directory, "index", p->directory, "index.old") < 0)
        return -errno;
    return open_pair(p);
}

/* When it was read does not count, nor that it was there at the beginning. */
static uint64_t what_it_says(const struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs)
{
    struct copy_record plain = *record;

    plain.time_ns = 0;
    plain.flags &= ~(uint32_t)(COPY_AT_BEGIN | COPY_CLOCK_BACK);
    return copy_check(&plain, path, link, xattrs);
}

/* With a folder all that is in it goes. */
static void forget_below(struct pack *p, struct last_record *gone)
{
    struct bytes path = { gone->path, gone->len };
    struct last_record *l, *next;

    if (gone->is_directory && below_has(&p->below, path))
        HASH_ITER(hh, p->last, l, next) {
            if (l == gone || !bytes_path_covers(path, (struct bytes){ l->path, l->len }))
                continue;
            drop(p, l);
        }
    drop(p, gone);
}

void pack_forget_old(struct pack *p, uint64_t before_ns)
{
    struct stat st;

    large_forget_old(&p->large, before_ns);
    if (fstatat(p->directory, "index.old", &st, AT_SYMLINK_NOFOLLOW) < 0 || (uint64_t)st.st_mtim.tv_sec >= before_ns / NS_PER_S)
        return;
    (void)unlinkat(p->directory, "index.old", 0);
    (void)unlinkat(p->directory, "pack.old", 0);
    measure_old(p);
}

uint64_t pack_first_ns(const struct pack *p)
{
    return p->first_ns;
}

int pack_directory(const struct pack *p)
{
    return p->directory;
}

uint64_t pack_count(const struct pack *p)
{
    return HASH_COUNT(p->last);
}

bool pack_has(const struct pack *p, struct bytes path)
{
    struct last_record *l;

    HASH_FIND(hh, p->last, path.data, path.len, l);
    return l != NULL;
}

void pack_new_round(struct pack *p)
{
    p->round++;
}

void pack_each_unseen(const struct pack *p, void *data, void (*each)(void *data, struct bytes path))
{
    for (const struct last_record *l = p->last; l; l = l->hh.next)
        if (l->round != p->round)
            each(data, (struct bytes){ l->path, l->len });
}

static void remember(struct pack *p, const struct copy_record *record, struct bytes path, uint64_t says)
{
    struct last_record *l;

    HASH_FIND(hh, p->last, path.data, path.len, l);
    if (l && (record->flags & COPY_GONE)) {
        forget_below(p, l);
        return;
    }
    if (!l && !(record->flags & COPY_GONE) && (l = calloc(1, sizeof(*l) + path.len))) {
        l->len = path.len;
        memcpy(l->path, path.data, path.len);
        HASH_ADD_KEYPTR(hh, p->last, l->path, l->len, l);
        HASH_FREE_IF_OUT(hh, l);
        if (l)
            below_add(&p->below, path);
    }
    if (!l)
        return;
    l->says = says;
    l->round = p->round;
    set_large(p, l, record->flags & COPY_LARGE ? large_find(&p->large, record->sha256) : NULL);
    l->held = record->flags & COPY_HELD;
    l->is_directory = S_ISDIR(record->mode);
}

static int remember_content(struct pack *p, const struct copy_record *record)
{
    struct content *c;

    HASH_FIND(hh, p->contents, record->sha256, sizeof(record->sha256), c);
    if (c)
        return 0;
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->offset = record->offset;
    memcpy(c->sha256, record->sha256, sizeof(c->sha256));
    HASH_ADD(hh, p->contents, sha256, sizeof(c->sha256), c);
    HASH_FREE_IF_OUT(hh, c);
    return c ? 0 : -ENOMEM;
}

/* Goes on where another watch ended; what it did not write to its end is cut off. */
static int know_again(struct pack *p)
{
    _cleanup_free_ char *data = p->index_len <= p->limit ? malloc(p->index_len + 1) : NULL;
    struct bytes rest;
    struct copy copy;
    int r = 0;

    if (!data)
        return pack_turn(p);
    if (read_at(p->index, data, p->index_len, 0) != (ssize_t)p->index_len)
        return -EIO;
    rest = (struct bytes){ data, p->index_len };
    while (r == 0 && copy_next(&rest, &copy)) {
        if (!p->first_ns)
            p->first_ns = copy.record.time_ns;
        p->clock.newest_ns = MAX(p->clock.newest_ns, copy.record.time_ns);
        if (copy.record.flags & COPY_CLOCK_BACK)
            p->clock.newest_ns = copy.record.time_ns;
        remember(p, &copy.record, copy.path, what_it_says(&copy.record, copy.path, copy.link, copy.xattrs));
        if (S_ISREG(copy.record.mode) && !(copy.record.flags & (COPY_GONE | COPY_NO_CONTENT | COPY_LARGE)) && copy.record.offset + copy.record.size <= p->pack_len)
            r = remember_content(p, &copy.record);
    }
    if (r == 0 && rest.len) {
        p->index_len -= rest.len;
        r = ftruncate(p->index, (off_t)p->index_len) < 0 ? -errno : 0;
    }
    return r;
}

/* After a turn that failed. */
static int pack_reopen(struct pack *p)
{
    int r = p->pack < 0 || p->index < 0 ? open_pair(p) : 0;

    return r == 0 && !p->last && p->index_len ? know_again(p) : r;
}

int pack_probe(struct pack *p)
{
    uint64_t len = MIN((uint64_t)COPIES_FILE_MAX, p->limit / 2);
    int r = pack_reopen(p);

    if (r == 0)
        r = -posix_fallocate(p->pack, (off_t)p->pack_len, (off_t)len);
    if (p->pack >= 0)
        (void)!ftruncate(p->pack, (off_t)p->pack_len);
    return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

int pack_open(const char *directory, uint64_t limit, struct pack **ret, struct err *err)
{
    struct pack *p = calloc(1, sizeof(*p));
    uint64_t ignored;
    struct stat st;
    int r = 0;

    if (!p)
        return -ENOMEM;
    *p = (struct pack){ .directory = -EBADF, .pack = -EBADF, .index = -EBADF, .lock = -EBADF, .limit = limit, .large.directory = -EBADF };
    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        r = -errno;
    if (r == 0)
        p->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (r == 0 && (p->directory < 0 || fstat(p->directory, &st) < 0))
        r = -errno;
    if (r == 0 && !file_is_trusted(&st)) {
        pack_close(p);
        return err_say(err, -EPERM, COPIES_NOT_OURS, directory, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
    }
    if (r == 0)
        r = p->lock = open_file(p->directory, "lock", &ignored);
    if (r >= 0)
        r = flock(p->lock, LOCK_EX | LOCK_NB) < 0 ? (errno == EWOULDBLOCK ? -EBUSY : -errno) : open_pair(p);
    if (r == 0)
        r = large_open(&p->large, p->directory, limit / 4);
    if (r == 0)
        r = know_again(p);
    large_fit(&p->large);
    if (r < 0) {
        pack_close(p);
        return err_set(err, r, "%s", directory);
    }
    *ret = p;
    return 0;
}

uint64_t pack_disk_bytes(const struct pack *p)
{
    return p->pack_len + p->index_len + p->old_len + p->large.used;
}

/* All of it, or nothing that counts. */
static int append(int fd, uint64_t *len, const struct iovec *parts, int count)
{
    size_t all = 0;
    ssize_t n;

    for (int i = 0; i < count; i++)
        all += parts[i].iov_len;
    n = pwritev(fd, parts, count, (off_t)*len);
    if (n == (ssize_t)all) {
        *len += all;
        return 0;
    }
    if (n > 0)
        (void)!ftruncate(fd, (off_t)*len);
    return n < 0 ? -errno : -ENOSPC;
}

/* Half of what the large ones leave is for one generation. */
static bool has_room(const struct pack *p, uint64_t len)
{
    return p->pack_len + p->index_len + len <= (p->limit - p->large.used) / 2 && pack_disk_bytes(p) + len <= p->limit;
}

static int add_content(struct pack *p, struct copy_record *record, struct bytes content)
{
    struct iovec part = { (void *)(uintptr_t)content.data, content.len };
    struct content *c;
    int r;

    (void)SHA256((const unsigned char *)(content.data ? content.data : ""), content.len, record->sha256);
    record->size = content.len;
    HASH_FIND(hh, p->contents, record->sha256, sizeof(record->sha256), c);
    if (c) {
        record->offset = c->offset;
        return 0;
    }
    if (!has_room(p, content.len))
        return -EFBIG;
    record->offset = p->pack_len;
    r = content.len ? append(p->pack, &p->pack_len, &part, 1) : 0;
    return r < 0 ? r : remember_content(p, record);
}

/* What happened before, and comes later, was at the end of that time. */
static void note_clock(struct pack *p, struct copy_record *record)
{
    uint64_t now = clock_ns(CLOCK_REALTIME);

    if (copies_clock_is_back(&p->clock, now, clock_ns(CLOCK_BOOTTIME))) {
        p->back = true;
        p->back_ns = now;
    }
    if (p->back_ns)
        record->time_ns = MIN(record->time_ns, now);
    if (p->back)
        record->flags |= COPY_CLOCK_BACK;
}

int pack_add(struct pack *p, struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs, const struct bytes *content)
{
    struct iovec parts[] = { { record, sizeof(*record) },
                             { (void *)(uintptr_t)path.data, path.len },
                             { (void *)(uintptr_t)link.data, link.len },
                             { (void *)(uintptr_t)xattrs.data, xattrs.len } };
    struct last_record *last;
    uint64_t says;
    int r;

    if (p->pack < 0 || p->index < 0)
        return -EBADF;
    if (!has_room(p, sizeof(*record) + path.len + link.len + xattrs.len))
        return -EFBIG;
    r = content ? add_content(p, record, *content) : 0;
    if (r < 0)
        return r;
    record->magic = COPY_MAGIC;
    record->path_len = (uint32_t)path.len;
    record->link_len = (uint32_t)link.len;
    record->xattrs_len = (uint32_t)xattrs.len;
    says = what_it_says(record, path, link, xattrs);
    HASH_FIND(hh, p->last, path.data, path.len, last);
    if (last ? last->says == says : (record->flags & COPY_GONE) != 0) {
        if (last)
            last->round = p->round;
        return 0;
    }
    note_clock(p, record);
    record->check = copy_check(record, path, link, xattrs);
    r = append(p->index, &p->index_len, parts, ARRAY_SIZE(parts));
    if (r < 0)
        return r;
    p->back = false;
    if (!p->first_ns)
        p->first_ns = record->time_ns;
    remember(p, record, path, says);
    return 0;
}

static uint64_t left(const struct pack *p)
{
    uint64_t used = pack_disk_bytes(p);

    return used < p->limit ? p->limit - used : 0;
}

int pack_add_large(struct pack *p, struct copy_record *record, struct bytes path, struct bytes xattrs, int fd, const struct stat *st)
{
    struct large_content *content;
    int r = large_keep(&p->large, fd, st, left(p), p->limit / 16, &content);

    if (r < 0)
        return r == -EFBIG ? -E2BIG : r;
    record->flags |= COPY_LARGE;
    record->size = content->size;
    memcpy(record->sha256, content->sha256, sizeof(record->sha256));
    r = pack_add(p, record, path, BYTES_NULL, xattrs, NULL);
    large_release(&p->large, content); /* the path has it now, or nobody */
    return r;
}

/* ---- contents that are held ---- */

int pack_add_held(struct pack *p, struct copy_record *record, struct bytes path, struct bytes xattrs, const unsigned char sha256[32], uint64_t size)
{
    bool kept = large_find(&p->large, sha256) != NULL;
    int r;

    record->flags |= COPY_LARGE;
    if (kept)
        record->flags &= ~(uint32_t)COPY_HELD;
    record->size = size;
    memcpy(record->sha256, sha256, sizeof(record->sha256));
    r = pack_add(p, record, path, BYTES_NULL, xattrs, NULL);
    return r < 0 ? r : kept;
}

int pack_adopt(struct pack *p, struct bytes path, const unsigned char sha256[32], uint64_t size)
{
    struct large_content *c = large_adopt(&p->large, sha256, size, left(p));
    struct last_record *l;

    HASH_FIND(hh, p->last, path.data, path.len, l);
    if (c && l && l->held && !l->large)
        set_large(p, l, c);
    return c ? 0 : -EFBIG;
}

uint64_t pack_large_room(const struct pack *p)
{
    return large_room(&p->large, left(p));
}

uint64_t pack_large_share(const struct pack *p)
{
    return p->large.share;
}

int pack_large_directory(const struct pack *p)
{
    return p->large.directory;
}
