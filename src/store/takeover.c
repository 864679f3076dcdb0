/* SPDX-License-Identifier: MIT */
#include "store/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/message.h"
#include "store/schema.h"
#include "store/spool.h"
#include "store/writer.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/trusted.h"

#define PATIENCE_MS 2000 /* how long to wait for another process that is taking the spool over */
#define PAUSE_MS 10
#define KEPT_S (24 * 60 * 60) /* for a store that is not there any more, or was moved: it may come back */
#define SPOOL_SIZE_MAX (SPOOL_HEAD_SIZE + (size_t)SPOOL_SEGMENTS * SPOOL_SEGMENT_SIZE)

/* ---- whose it is ---- */

/* The first byte is locked by the writer while it lives, the second one by whoever takes it over. */
static bool lock_byte(int fd, off_t byte, unsigned patience_ms)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

    for (unsigned ms = 0;; ms += PAUSE_MS) {
        if (fcntl(fd, F_SETLK, &lock) == 0)
            return true;
        if (ms >= patience_ms)
            return false;
        usleep(PAUSE_MS * 1000);
    }
}

/* We hold the only lock, and the file was not removed while we waited for it. */
static bool is_left(int fd, struct stat *ret)
{
    return lock_byte(fd, 1, PATIENCE_MS) && lock_byte(fd, 0, 0) && fstat(fd, ret) == 0 && ret->st_nlink > 0;
}

/* ---- one spool ---- */

struct taking {
    const char *path;
    const struct stat *file;
    sqlite3 *db, *own; /* own: opened here */
    int count;
};

static int open_store(struct taking *t, struct err *err)
{
    struct stat st;
    int r;

    if (t->db)
        return 0;
    r = db_open(t->path, false, &t->own, &st, err);
    if (r == 0 && (st.st_dev != t->file->st_dev || st.st_ino != t->file->st_ino))
        r = err_say(err, -EBUSY, "the store %s is exchanged while it is opened", t->path);
    if (r == 0)
        r = schema_migrate(t->own, t->path, err);
    if (r == 0)
        t->db = t->own;
    return r;
}

static struct bytes part(struct bytes file, size_t at, size_t len)
{
    if (at >= file.len)
        return BYTES_NULL;
    return (struct bytes){ file.data + at, MIN(len, file.len - at) };
}

static int compare_segments(const void *a, const void *b)
{
    uint64_t first = ((const struct spool_segment *)a)->epoch, second = ((const struct spool_segment *)b)->epoch;

    return (first > second) - (first < second);
}

static int write_segment(struct writer *w, struct spool_segment *s, struct spool_numbers *stored, struct err *err)
{
    if (!s->epoch)
        return 0;
    for (unsigned i = 0; i < SPOOL_COUNTERS; i++)
        stored->at[i] = MAX(stored->at[i], s->last.at[i]);
    return writer_write(w, s->count ? sbuf_bytes(&s->messages) : BYTES_NULL, s->seen_ns, clock_ns(CLOCK_REALTIME), stored, err);
}

/* -EBADMSG, MESSAGE_MALFORMED: no retry can succeed: the spool is damaged, or of another store. */
static int write_spool(struct writer *w, struct bytes file, const struct spool_head *head, struct err *err)
{
    struct spool_segment segments[SPOOL_SEGMENTS] = { 0 };
    struct spool_numbers stored;
    int r = writer_adopt(w, bytes_of(head->observer), &stored, err);

    if (r <= 0)
        return r < 0 ? r : -EBADMSG; /* it had ended its spans, or another store was here then */
    r = 0;
    for (unsigned i = 0; i < SPOOL_SEGMENTS && r == 0; i++)
        r = spool_read_segment(part(file, SPOOL_HEAD_SIZE + i * (size_t)SPOOL_SEGMENT_SIZE, SPOOL_SEGMENT_SIZE), &stored, &segments[i]);
    qsort(segments, SPOOL_SEGMENTS, sizeof(segments[0]), compare_segments);
    for (unsigned i = 0; i < SPOOL_SEGMENTS && r == 0; i++)
        r = write_segment(w, &segments[i], &stored, err);
    for (unsigned i = 0; i < SPOOL_SEGMENTS; i++)
        sbuf_done(&segments[i].messages);
    return r;
}

static int take_over(struct taking *t, int fd, struct err *err)
{
    _cleanup_sbuf_ struct sbuf file = SBUF_INIT;
    struct writer *w = NULL;
    struct spool_head head;
    int r = sbuf_add_file(&file, fd, SPOOL_SIZE_MAX);

    if (r == -EFBIG || (r == 0 && !spool_read_head(sbuf_bytes(&file), &head)) ||
        (r == 0 && (head.device != t->file->st_dev || head.inode != t->file->st_ino)))
        return -EBADMSG;
    if (r < 0)
        return err_set(err, r, "what a killed culprit had read");
    r = open_store(t, err);
    if (r == 0)
        r = writer_new(t->db, t->path, &w, err);
    if (r == 0)
        r = write_spool(w, sbuf_bytes(&file), &head, err);
    writer_free(w);
    return r;
}

static int look_at(struct taking *t, int directory, const char *name, struct err *err)
{
    _cleanup_close_ int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !file_is_trusted(&st) || !is_left(fd, &st))
        return 0;
    r = take_over(t, fd, err);
    if (r < 0 && r != -EBADMSG && r != MESSAGE_MALFORMED)
        return r;
    t->count += r == 0;
    (void)unlinkat(directory, name, 0);
    return 0;
}

/* Removes a spool whose store was not opened for KEPT_S after its writer was killed. */
static void forget_old(int directory, const char *name)
{
    _cleanup_close_ int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - KEPT_S && is_left(fd, &st))
        (void)unlinkat(directory, name, 0);
}

/* ---- all of them ---- */

/* False: not a spool's name, or our own spool: closing a second descriptor of it would release our lock (fcntl(2)). */
static bool read_name(const char *name, unsigned long long *ret_device, unsigned long long *ret_inode)
{
    int pid, end = 0;

    return sscanf(name, SPOOL_NAME ".%n", ret_device, ret_inode, &pid, &end) == 3 && end && pid != getpid();
}

int takeover(const char *directory, const char *path, const struct stat *file, sqlite3 *db, struct err *err)
{
    struct taking t = { .path = path, .file = file, .db = db };
    _cleanup_closedir_ DIR *dir = NULL;
    const struct dirent *entry;
    struct stat st;
    int fd, last = 0;

    fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
    if (fd < 0 || !(dir = fdopendir(fd))) {
        closep(&fd);
        return 0;
    }
    if (fstat(fd, &st) < 0 || !file_is_trusted(&st))
        return 0;
    while ((entry = readdir(dir))) {
        unsigned long long device, inode;
        int r = 0;

        if (!read_name(entry->d_name, &device, &inode))
            continue;
        if (device == file->st_dev && inode == file->st_ino)
            r = look_at(&t, fd, entry->d_name, err);
        else
            forget_old(fd, entry->d_name);
        if (r < 0)
            last = r;
    }
    sqlite3_close(t.own);
    return last < 0 ? last : t.count;
}
