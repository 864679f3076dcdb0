/* SPDX-License-Identifier: MIT */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/fields.h"
#include "store/sender.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define REUSED_SIZE (64u << 10)   /* from there on a segment is begun anew, or the other one */
#define KNOWN_SIZE (64u << 10)    /* of messages: then whoever is named is sent again, and not held any more */
#define GIVEN_BACK_SIZE (1u << 20) /* memory beyond it, after a storm */
#define WRITE_SIZE (32u << 10)
#define WRITE_NS NS_PER_MS
#define SEEN_NS (100 * NS_PER_MS)

struct segment {
    size_t used;
    bool broken; /* what follows would refer to what is not there */
    struct spool_numbers last;
};

struct spool {
    int fd;
    char *path;
    struct sender *sender;
    struct segment segments[SPOOL_SEGMENTS];
    unsigned current;
    uint64_t epoch;
    struct sbuf pending;         /* a chunk, its head not filled in */
    struct sbuf messages;        /* of the record that is packed */
    size_t known;                /* bytes of messages since nobody was known */
    struct spool_numbers added;  /* the newest */
    struct spool_numbers hole;   /* the newest that is not in the file */
    uint64_t seen_ns;            /* as it was said last; 0 = there is a hole since */
    uint64_t written_ns;         /* CLOCK_MONOTONIC */
};

/* ---- the file ---- */

static int write_head(int fd, dev_t device, ino_t inode)
{
    struct spool_head head = { .layout = spool_layout(), .device = device, .inode = inode };

    memcpy(head.magic, SPOOL_MAGIC, sizeof(head.magic));
    observer_write(head.observer);
    if (!head.observer[0])
        return -ENOENT;
    head.hash = spool_hash(&head, offsetof(struct spool_head, hash));
    return pwrite(fd, &head, sizeof(head), 0) == sizeof(head) ? 0 : -errno;
}

/* Its first byte is locked before it has a head, so that nobody takes it for a dead one's. */
static int make_file(const char *directory, dev_t device, ino_t inode, char **ret_path, int *ret_fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int fd = -EBADF;
    int r;

    if (mkdir(directory, 0700) < 0 && errno != EEXIST)
        return -errno;
    if (asprintf(&path, "%s/" SPOOL_NAME ".XXXXXX", directory, (unsigned long long)device, (unsigned long long)inode,
                 (int)getpid()) < 0)
        return -ENOMEM;
    fd = mkostemp(path, O_CLOEXEC); /* a new file, with mode 0600 */
    if (fd < 0)
        return -errno;
    r = fcntl(fd, F_SETLK, &lock) < 0 ? -errno : write_head(fd, device, inode);
    if (r < 0) {
        (void)unlink(path);
        return r;
    }
    *ret_path = TAKE_PTR(path);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int spool_open(const char *directory, dev_t device, ino_t inode, const struct spool_numbers *numbers, struct spool **ret,
               struct err *err)
{
    struct spool *s = calloc(1, sizeof(*s));
    int r = -ENOMEM;

    if (s) {
        s->fd = -EBADF;
        s->sender = sender_new();
        s->epoch = 1;
        s->added = s->hole = *numbers;
    }
    if (s && s->sender)
        r = make_file(directory, device, inode, &s->path, &s->fd);
    if (r < 0) {
        spool_close(s, true);
        return err_set(err, r, "keeping what is on its way to the store in %s", directory);
    }
    *ret = s;
    return 0;
}

void spool_close(struct spool *s, bool remove)
{
    if (!s)
        return;
    if (s->path && remove)
        (void)unlink(s->path);
    if (s->fd >= 0)
        close(s->fd);
    sender_free(s->sender);
    sbuf_done(&s->pending);
    sbuf_done(&s->messages);
    free(s->path);
    free(s);
}

/* ---- segments ---- */

static off_t place_of(unsigned segment)
{
    return SPOOL_HEAD_SIZE + (off_t)segment * SPOOL_SEGMENT_SIZE;
}

static void forget_all(struct spool *s)
{
    sender_forget(s->sender);
    s->known = 0;
}

static void begin_segment(struct spool *s, unsigned which)
{
    struct segment *g = &s->segments[which];

    if (g->used > GIVEN_BACK_SIZE)
        (void)fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, place_of(which), SPOOL_SEGMENT_SIZE);
    g->used = 0;
    g->broken = false;
    g->last = (struct spool_numbers){ 0 };
    s->current = which;
    s->epoch++;
    forget_all(s);
}

/* Between two chunks: is there a segment to write to? */
static bool choose_segment(struct spool *s, const struct spool_numbers *stored)
{
    struct segment *g = &s->segments[s->current];
    unsigned other = (s->current + 1) % SPOOL_SEGMENTS;

    if (g->used < REUSED_SIZE && !g->broken)
        return true;
    if (spool_is_stored(&g->last, stored))
        begin_segment(s, s->current);
    else if (spool_is_stored(&s->segments[other].last, stored))
        begin_segment(s, other);
    else
        return !g->broken;
    return true;
}

/* False: there is no room. */
static bool begin_chunk(struct spool *s, const struct spool_numbers *stored)
{
    static const char head[sizeof(struct spool_chunk)];

    if (s->pending.len)
        return true;
    if (!choose_segment(s, stored))
        return false;
    sbuf_add(&s->pending, head, sizeof(head));
    return true;
}

static int write_chunk(struct spool *s)
{
    struct segment *g = &s->segments[s->current];
    struct spool_chunk chunk = { .epoch = s->epoch, .seen_ns = s->seen_ns, .len = s->pending.len - sizeof(chunk) };
    ssize_t n;

    if (sbuf_error(&s->pending))
        return -ENOMEM;
    if (s->pending.len > SPOOL_SEGMENT_SIZE - g->used)
        return -ENOSPC;
    memcpy(s->pending.data, &chunk, sizeof(chunk));
    chunk.hash = spool_hash(s->pending.data + sizeof(chunk.hash), s->pending.len - sizeof(chunk.hash));
    memcpy(s->pending.data, &chunk.hash, sizeof(chunk.hash));
    n = pwrite(s->fd, s->pending.data, s->pending.len, place_of(s->current) + (off_t)g->used);
    if (n < 0 || (size_t)n != s->pending.len)
        return n < 0 ? -errno : -ENOSPC;
    g->used += s->pending.len;
    return 0;
}

static void write_pending(struct spool *s, uint64_t now_ns)
{
    struct segment *g = &s->segments[s->current];

    g->last = s->added;
    if (write_chunk(s) < 0) {
        g->broken = true;
        s->hole = s->added;
        s->seen_ns = 0;
    }
    sbuf_clear(&s->pending);
    s->written_ns = now_ns;
}

/* ---- adding ---- */

static bool begin_record(struct spool *s, const struct spool_numbers *stored)
{
    sbuf_clear(&s->messages);
    if (s->known >= KNOWN_SIZE) /* also where nothing is stored for long: they would be held in memory by their thousands */
        forget_all(s);
    sender_restart(s->sender); /* complete by itself */
    return begin_chunk(s, stored);
}

static void end_record(struct spool *s, enum spool_counter counter, uint64_t number)
{
    uint64_t now;

    pack_u64(&s->pending, counter);
    pack_u64(&s->pending, number);
    pack_bytes(&s->pending, sbuf_bytes(&s->messages));
    s->known += s->messages.len;
    if (sbuf_error(&s->messages))
        s->pending.error = -ENOMEM;
    now = clock_ns(CLOCK_MONOTONIC);
    if (s->pending.len >= WRITE_SIZE || s->pending.error || now - s->written_ns >= WRITE_NS)
        write_pending(s, now);
}

static void count(struct spool *s, enum spool_counter counter, uint64_t number, bool room)
{
    s->added.at[counter] = MAX(s->added.at[counter], number);
    if (!room) {
        s->hole.at[counter] = MAX(s->hole.at[counter], number);
        s->seen_ns = 0;
    }
}

void spool_add_event(struct spool *s, const struct event *event, uint64_t number, const struct spool_numbers *stored)
{
    bool room = begin_record(s, stored);

    count(s, SPOOL_EVENTS, number, room);
    if (!room)
        return;
    sender_event(s->sender, event, &s->messages);
    end_record(s, SPOOL_EVENTS, number);
}

void spool_add_life(struct spool *s, const struct lifecycle_event *life, uint64_t number, const struct spool_numbers *stored)
{
    bool room = begin_record(s, stored);

    count(s, SPOOL_OTHERS, number, room);
    if (!room)
        return;
    sender_life(s->sender, life, &s->messages);
    end_record(s, SPOOL_OTHERS, number);
}

void spool_add_gap(struct spool *s, const struct gap *gap, uint64_t number, const struct spool_numbers *stored)
{
    bool room = begin_record(s, stored);

    count(s, SPOOL_OTHERS, number, room);
    if (!room)
        return;
    sender_gap(gap, &s->messages);
    end_record(s, SPOOL_OTHERS, number);
}

void spool_write(struct spool *s, uint64_t seen_ns, const struct spool_numbers *stored)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    s->seen_ns = spool_is_stored(&s->hole, stored) ? seen_ns : 0;
    if (!s->pending.len && (!s->seen_ns || now - s->written_ns < SEEN_NS))
        return;
    if (begin_chunk(s, stored))
        write_pending(s, now);
}
