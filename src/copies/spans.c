/* SPDX-License-Identifier: MIT */
#include "copies/spans.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/sentence.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/read.h"

#define ROWS 256
#define REFRESH_NS (5 * NS_PER_S) /* a row that goes on is written so often */
#define BRIEF_NS (30 * NS_PER_S)  /* what works for less is not over: else a disk that is nearly full would fill all rows */
#define SLACK_NS (60 * NS_PER_S)
#define MAGIC UINT64_C(0x736e617073706f63)

struct copy_spans {
    int fd;
    unsigned at;
    struct copy_span now;
    uint64_t written_ns;
    struct copy_span before; /* of this observation */
};

static uint64_t check_of(const struct copy_span *s)
{
    return MAGIC ^ s->from_ns ^ (s->to_ns << 1) ^ (uint32_t)s->error;
}

static void write_row(struct copy_spans *s)
{
    struct copy_span row = s->now;

    row.check = check_of(&row);
    (void)!pwrite(s->fd, &row, sizeof(row), (off_t)(s->at * sizeof(row)));
    s->written_ns = s->now.to_ns;
}

static bool is_whole(const struct copy_span *s)
{
    return s->from_ns && s->check == check_of(s);
}

/* Its room is taken now: later the disk may be full. */
static int fill(int fd)
{
    static const struct copy_span rows[ROWS];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size >= (off_t)sizeof(rows))
        return 0;
    return pwrite(fd, rows, sizeof(rows), 0) == (ssize_t)sizeof(rows) ? 0 : -ENOSPC;
}

static unsigned newest_of(const struct copy_span *rows)
{
    unsigned newest = 0;

    for (unsigned i = 1; i < ROWS; i++)
        if (is_whole(&rows[i]) && (!is_whole(&rows[newest]) || rows[i].from_ns > rows[newest].from_ns))
            newest = i;
    return newest;
}

/* Behind the newest one; by a clock that was set back that may be an old one: while there is room none is lost for that. */
static unsigned next_of(const struct copy_span *rows)
{
    unsigned next = (newest_of(rows) + 1) % ROWS;

    for (unsigned i = 0; i < ROWS; i++)
        if (!is_whole(&rows[(next + i) % ROWS]))
            return (next + i) % ROWS;
    return next;
}

int spans_open(int directory, uint64_t time_ns, struct copy_spans **ret)
{
    _cleanup_close_ int fd = openat(directory, "spans", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct copy_span rows[ROWS];
    struct copy_spans *s;
    int r = fd < 0 ? -errno : fill(fd);

    if (r == 0 && read_at(fd, (char *)rows, sizeof(rows), 0) != (ssize_t)sizeof(rows))
        r = -EIO;
    if (r < 0)
        return r;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->at = next_of(rows);
    s->now = (struct copy_span){ .from_ns = time_ns, .to_ns = time_ns };
    s->fd = TAKE_FD(fd);
    write_row(s);
    *ret = s;
    return 0;
}

/* The row before goes on: what was in between was brief. */
static void go_back(struct copy_spans *s, uint64_t time_ns)
{
    static const struct copy_span none;

    (void)!pwrite(s->fd, &none, sizeof(none), (off_t)(s->at * sizeof(none)));
    s->at = (s->at + ROWS - 1) % ROWS;
    s->now = s->before;
    s->now.to_ns = time_ns;
    s->now.ended = 0;
    s->before = none;
    write_row(s);
}

static void next_row(struct copy_spans *s, uint64_t time_ns, int error)
{
    s->now.to_ns = time_ns;
    s->now.ended = 1;
    write_row(s);
    s->before = s->now;
    s->at = (s->at + 1) % ROWS;
    s->now = (struct copy_span){ .from_ns = time_ns, .to_ns = time_ns, .error = error };
    write_row(s);
}

void spans_are(struct copy_spans *s, uint64_t time_ns, int error)
{
    if (!s || (error == s->now.error && time_ns < s->written_ns + REFRESH_NS))
        return;
    time_ns = MAX(time_ns, s->now.from_ns);
    if (error == s->now.error) {
        s->now.to_ns = time_ns;
        write_row(s);
    } else if (error && error == s->before.error && time_ns < s->before.to_ns + BRIEF_NS) {
        go_back(s, time_ns);
    } else {
        next_row(s, time_ns, error);
    }
}

void spans_close(struct copy_spans *s, uint64_t time_ns)
{
    if (!s)
        return;
    s->now.to_ns = MAX(s->now.from_ns, time_ns);
    s->now.ended = 1;
    write_row(s);
    close(s->fd);
    free(s);
}

static int by_begin(const void *a, const void *b)
{
    const struct copy_span *x = a, *y = b;

    return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

int spans_read(const char *directory, struct copy_span **ret, size_t *ret_count)
{
    _cleanup_close_ int at = -EBADF, fd = -EBADF;
    _cleanup_free_ char *data = NULL;
    struct copy_span *rows;
    char path[PATH_MAX];
    size_t len, n = 0;
    int r;

    *ret = NULL;
    *ret_count = 0;
    if (snprintf(path, sizeof(path), "%s/spans", directory) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    at = beneath_open_host(bytes_of(path), 0, O_PATH);
    fd = at < 0 ? at : beneath_reopen_file(at);
    r = fd < 0 ? fd : beneath_read_fd(fd, ROWS * sizeof(*rows), &data, &len);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    rows = calloc(ROWS, sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    memcpy(rows, data, len);
    for (size_t i = 0; i < ROWS; i++)
        if (is_whole(&rows[i]))
            rows[n++] = rows[i];
    qsort(rows, n, sizeof(*rows), by_begin);
    *ret = rows;
    *ret_count = n;
    return 0;
}

const struct copy_span *spans_find_gap(const struct copy_span *spans, size_t count, uint64_t from_ns, uint64_t to_ns)
{
    for (size_t i = 0; i < count; i++)
        if (spans[i].error && spans[i].from_ns <= to_ns && spans[i].to_ns >= from_ns)
            return &spans[i];
    return NULL;
}

uint64_t spans_unobserved_since(const struct copy_span *spans, size_t count, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t until = from_ns;

    for (size_t i = 0; i < count && spans[i].from_ns <= until + SLACK_NS; i++)
        until = MAX(until, spans[i].to_ns);
    return until + SLACK_NS < to_ns ? until : 0;
}

const char *spans_why(int error)
{
    return error == -EFBIG       ? "there was more than the limit has room for"
           : error == -ENOSPC    ? "the disk was full"
           : error == -EPIPE     ? "the process that keeps them was ended"
           : error == -EDQUOT    ? "the quota was used up"
           : error == -EOVERFLOW ? "changes came faster than they were kept"
                                 : strerror(-error);
}

bool spans_gap_goes_on(struct copy_span *spans, size_t count, uint64_t now_ns)
{
    struct copy_span *last = count ? &spans[count - 1] : NULL;

    if (!last || !last->error || last->ended || last->to_ns > now_ns + SLACK_NS || last->to_ns + SLACK_NS < now_ns)
        return false;
    last->to_ns = MAX(last->to_ns, now_ns);
    return true;
}

void spans_write_gap(const struct copy_span *span, bool goes_on, long utc_offset_s, struct sbuf *out)
{
    sbuf_add_str(out, "no copies were kept from ");
    sentence_time(out, span->from_ns, utc_offset_s);
    if (goes_on) {
        sbuf_add_str(out, " until now, and none are kept yet");
    } else {
        sbuf_add_str(out, " to ");
        sentence_time(out, span->to_ns, utc_offset_s);
    }
    sbuf_addf(out, ": %s", spans_why(span->error));
}
