/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/source.h"
#include "sensor/audit/log/form.h"

#include <errno.h>
#include <pthread.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "util/cleanup.h"
#include "util/limits.h"
#include "util/macro.h"

#define INPUT_SIZE (256 * 1024) /* compressed bytes at a time */
#define MAGIC_SIZE 6            /* the longest of the signatures */
#define SAMPLE_SIZE (64 * 1024) /* decoded bytes by which the form of the log is recognized */

struct audit_log_source {
    int fd; /* -1: all there is, is in `in` */
    enum audit_log_coding coding;
    uint64_t consumed;
    char *buffer; /* INPUT_SIZE bytes; NULL when reading from memory */
    struct bytes in; /* read, not yet decoded */
    bool at_end;     /* of the descriptor */
    bool in_member;  /* the decoder waits for more of what it has begun */
    int failed;      /* what every later read says again */

    bool sampled;           /* its form is known */
    bool foreign;           /* another one than auditd's: lines are made anew, see form.h */
    struct audit_form form;
    struct sbuf text;       /* decoded and not handed out: the sample, or a line without its end */
    size_t text_at;         /* of it handed out */
    struct sbuf made;       /* lines in auditd's form */
    size_t made_at;         /* of it handed out */

    z_stream gzip;
    lzma_stream xz;
    ZSTD_DStream *zstd;
};

/* "plain", "gzip" ... */
static const char *audit_log_coding_name(enum audit_log_coding coding)
{
    static const char *const names[] = { "plain", "gzip", "xz", "zstd" };

    return names[coding];
}

enum audit_log_coding audit_log_source_coding(const struct audit_log_source *s)
{
    return s->coding;
}

uint64_t audit_log_source_consumed(const struct audit_log_source *s)
{
    return s->consumed;
}

void audit_log_source_close(struct audit_log_source *s)
{
    if (!s)
        return;
    if (s->coding == AUDIT_LOG_GZIP)
        inflateEnd(&s->gzip);
    if (s->coding == AUDIT_LOG_XZ)
        lzma_end(&s->xz);
    ZSTD_freeDStream(s->zstd);
    audit_form_done(&s->form);
    sbuf_done(&s->text);
    sbuf_done(&s->made);
    if (s->fd >= 0)
        close(s->fd);
    free(s->buffer);
    free(s);
}

static void closep_source(struct audit_log_source **s)
{
    audit_log_source_close(*s);
}

static int64_t read_fd(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    ssize_t n;

    if (s->fd < 0)
        return 0;
    do
        n = read(s->fd, buffer, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? -EAGAIN : err_set(err, -errno, "read failed after %" PRIu64 " bytes", s->consumed);
    s->consumed += (uint64_t)n;
    return n;
}

/* More into the input buffer, behind what is there. 0: the end. */
static int64_t fill(struct audit_log_source *s, struct err *err)
{
    int64_t n;

    if (s->at_end || !s->buffer) {
        s->at_end = true;
        return 0;
    }
    if (s->in.len > 0 && s->in.data != s->buffer)
        memmove(s->buffer, s->in.data, s->in.len);
    s->in.data = s->buffer;
    n = read_fd(s, s->buffer + s->in.len, INPUT_SIZE - s->in.len, err);
    if (n == 0)
        s->at_end = true;
    if (n > 0)
        s->in.len += (size_t)n;
    return n;
}

static void take(struct audit_log_source *s, size_t n)
{
    s->in.data += n;
    s->in.len -= n;
}

static enum audit_log_coding coding_of(struct bytes head)
{
    if (bytes_starts_with(head, (struct bytes){ "\x1f\x8b", 2 }))
        return AUDIT_LOG_GZIP;
    if (bytes_starts_with(head, (struct bytes){ "\xfd" "7zXZ", 6 }))
        return AUDIT_LOG_XZ;
    if (bytes_starts_with(head, (struct bytes){ "\x28\xb5\x2f\xfd", 4 }))
        return AUDIT_LOG_ZSTD;
    return AUDIT_LOG_PLAIN;
}

static int start_decoder(struct audit_log_source *s, struct err *err)
{
    enum audit_log_coding coding = coding_of(s->in);

    if (bytes_starts_with(s->in, bytes_of("BZh")))
        return err_say(err, -EPROTONOSUPPORT, "compressed by bzip2, which is not read here; try: bzcat FILE | culprit ... -");
    switch (coding) {
    case AUDIT_LOG_GZIP:
        if (inflateInit2(&s->gzip, 15 + 16) != Z_OK) /* 16: gzip's frame, not zlib's */
            return -ENOMEM;
        break;
    case AUDIT_LOG_XZ:
        s->xz = (lzma_stream)LZMA_STREAM_INIT;
        if (lzma_stream_decoder(&s->xz, LIMIT_LOG_WINDOW, LZMA_CONCATENATED) != LZMA_OK)
            return -ENOMEM;
        break;
    case AUDIT_LOG_ZSTD:
        s->zstd = ZSTD_createDStream();
        if (!s->zstd)
            return -ENOMEM;
        ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, LIMIT_LOG_WINDOW_LOG);
        break;
    case AUDIT_LOG_PLAIN:
        break;
    }
    s->coding = coding;
    return 0;
}

__attribute__((noinline)) static int begin(struct audit_log_source **source, struct audit_log_source **ret, struct err *err)
{
    struct audit_log_source *s = *source;
    int r;

    while (s->in.len < MAGIC_SIZE) { /* a pipe may give one byte at a time */
        int64_t n = fill(s, err);

        if (n == -EAGAIN)
            break;
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
    }
    r = start_decoder(s, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(*source);
    return 0;
}

static void close_held(void *source)
{
    closep_source(source);
}

/* It reads: whoever waits for a silent pipe may be cancelled. */
static int begin_or_close(struct audit_log_source **source, struct audit_log_source **ret, struct err *err)
{
    int r;

    pthread_cleanup_push(close_held, source);
    r = begin(source, ret, err);
    pthread_cleanup_pop(0);
    return r;
}

int audit_log_source_open(int fd, struct audit_log_source **ret, struct err *err)
{
    _cleanup_(closep_source) struct audit_log_source *s = calloc(1, sizeof(*s));

    if (!s) {
        close(fd);
        return -ENOMEM;
    }
    s->fd = fd;
    s->buffer = malloc(INPUT_SIZE);
    if (!s->buffer)
        return -ENOMEM;
    s->in.data = s->buffer;
    return begin_or_close(&s, ret, err);
}

/* ---- decoders: each takes from s->in and says how many bytes it made ---- */

static int64_t damaged(struct err *err, const struct audit_log_source *s, const char *why)
{
    return err_say(err, -EBADMSG, "the %s data is damaged near byte %" PRIu64 " (%s); what stands before it was read",
                   audit_log_coding_name(s->coding), s->consumed - s->in.len, why);
}

static int64_t inflate_some(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    int z;

    if (!s->in_member) {
        /* between two members: another one, or zeros that fill a tape's block, or garbage */
        while (s->in.len > 0 && s->in.data[0] == '\0')
            take(s, 1);
        if (s->in.len == 0)
            return 0;
        if ((uint8_t)s->in.data[0] != 0x1f)
            return damaged(err, s, "something else follows the compressed data");
        inflateReset(&s->gzip);
        s->in_member = true;
    }
    s->gzip.next_in = (Bytef *)(uintptr_t)s->in.data;
    s->gzip.avail_in = (uInt)MIN(s->in.len, (size_t)INPUT_SIZE);
    s->gzip.next_out = (Bytef *)buffer;
    s->gzip.avail_out = (uInt)MIN(size, (size_t)1 << 30);
    z = inflate(&s->gzip, Z_NO_FLUSH);
    take(s, (size_t)((const char *)s->gzip.next_in - s->in.data));
    if (z == Z_STREAM_END)
        s->in_member = false;
    else if (z != Z_OK && z != Z_BUF_ERROR) {
        s->failed = z == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
        if ((char *)s->gzip.next_out == buffer)
            return z == Z_MEM_ERROR ? -ENOMEM : damaged(err, s, s->gzip.msg ? s->gzip.msg : "wrong check sum");
    }
    return (char *)s->gzip.next_out - buffer;
}

static int64_t unxz_some(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    lzma_ret r;

    s->in_member = true;
    s->xz.next_in = (const uint8_t *)s->in.data;
    s->xz.avail_in = s->in.len;
    s->xz.next_out = (uint8_t *)buffer;
    s->xz.avail_out = size;
    r = lzma_code(&s->xz, s->at_end ? LZMA_FINISH : LZMA_RUN);
    take(s, (size_t)((const char *)s->xz.next_in - s->in.data));
    if (r == LZMA_STREAM_END) {
        s->in_member = false;
        s->at_end = true;
    } else if (r != LZMA_OK && r != LZMA_BUF_ERROR) {
        s->failed = r == LZMA_MEM_ERROR ? -ENOMEM : -EBADMSG;
        if ((char *)s->xz.next_out == buffer) {
            if (r == LZMA_MEMLIMIT_ERROR)
                return err_say(err, -EBADMSG, "needs more than %d MB to unpack; unpack it with xz first", LIMIT_LOG_WINDOW >> 20);
            return r == LZMA_MEM_ERROR ? -ENOMEM : damaged(err, s, "xz refuses it");
        }
    }
    return (char *)s->xz.next_out - buffer;
}

static int64_t unzstd_some(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    ZSTD_inBuffer in = { s->in.data, s->in.len, 0 };
    ZSTD_outBuffer out = { buffer, size, 0 };
    size_t r = ZSTD_decompressStream(s->zstd, &out, &in);

    take(s, in.pos);
    if (ZSTD_isError(r)) {
        s->failed = -EBADMSG;
        if (out.pos == 0)
            return damaged(err, s, ZSTD_getErrorName(r));
    } else {
        s->in_member = r != 0;
    }
    return (int64_t)out.pos;
}

static int64_t read_decoded(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    int64_t (*decode)(struct audit_log_source *, char *, size_t, struct err *) =
        s->coding == AUDIT_LOG_GZIP ? inflate_some
        : s->coding == AUDIT_LOG_XZ ? unxz_some
                                    : unzstd_some;

    if (size == 0)
        return 0;
    if (s->coding == AUDIT_LOG_PLAIN) {
        size_t n = MIN(size, s->in.len);

        if (n == 0)
            return read_fd(s, buffer, size, err);
        memcpy(buffer, s->in.data, n);
        take(s, n);
        return (int64_t)n;
    }
    if (s->failed)
        return s->failed == -EBADMSG ? damaged(err, s, "it does not go on") : s->failed;
    for (;;) {
        size_t left = s->in.len;
        int64_t n;

        if (left == 0 && !s->at_end) {
            n = fill(s, err);
            if (n < 0)
                return n;
            left = s->in.len;
        }
        /* the decoder may hold output though its input is used up */
        if (left == 0 && !s->in_member)
            return 0;
        n = decode(s, buffer, size, err);
        if (n != 0)
            return n;
        if (s->failed)
            continue; /* not reached: a failure without output was returned above */
        if (s->at_end && s->in.len == left) { /* neither input nor output moved */
            if (!s->in_member)
                return 0;
            s->failed = -EBADMSG;
            return damaged(err, s, "it ends too early");
        }
    }
}

/* ---- forms ---- */

/* More decoded bytes behind `text`: how many, 0 at the end. */
static int64_t read_text(struct audit_log_source *s, struct err *err)
{
    char *room = sbuf_room(&s->text, SAMPLE_SIZE);
    int64_t n = room ? read_decoded(s, room, SAMPLE_SIZE, err) : -ENOMEM;

    if (n > 0)
        sbuf_added(&s->text, (size_t)n);
    return n;
}

static size_t whole_lines(struct bytes text)
{
    const char *newline = text.len ? memrchr(text.data, '\n', text.len) : NULL;

    return newline ? (size_t)(newline + 1 - text.data) : 0;
}

/* The form is recognized by what the log begins with. A pipe is not waited for beyond its first lines. */
static int sample(struct audit_log_source *s, struct err *err)
{
    int64_t n = 1;

    while (n > 0 && !whole_lines(sbuf_bytes(&s->text)) && s->text.len < SAMPLE_SIZE) {
        n = read_text(s, err);
        if (n < 0)
            return s->text.len ? 0 : (int)n; /* what is there is handed out first */
    }
    s->form.now = time(NULL);
    s->foreign = audit_form_is_foreign(sbuf_bytes(&s->text), s->form.now);
    s->sampled = true;
    return 0;
}

/* The lines of `text` into `made`; at the end the last one without its newline too. */
static void convert(struct audit_log_source *s, bool end)
{
    struct bytes rest = sbuf_bytes(&s->text);
    size_t left, whole = end ? rest.len : whole_lines(rest);

    left = rest.len - whole;
    rest.len = whole;
    while (rest.len) {
        const char *newline = memchr(rest.data, '\n', rest.len);
        struct bytes line = { rest.data, newline ? (size_t)(newline - rest.data) : rest.len };

        audit_form_line(&s->form, line, &s->made);
        rest = newline ? (struct bytes){ newline + 1, rest.len - line.len - 1 } : BYTES_NULL;
    }
    if (end)
        audit_form_end(&s->form, &s->made);
    if (left > LIMIT_LOG_LINE) /* no line of a log: whoever reads on counts it */
        sbuf_add(&s->made, s->text.data + whole, left);
    else if (left)
        memmove(s->text.data, s->text.data + whole, left);
    sbuf_truncate(&s->text, left > LIMIT_LOG_LINE ? 0 : left);
}

static int64_t read_foreign(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    while (s->made_at == s->made.len) {
        int64_t n = 1;

        sbuf_clear(&s->made);
        s->made_at = 0;
        if (!whole_lines(sbuf_bytes(&s->text)))
            n = read_text(s, err);
        if (n < 0 && (n == -EAGAIN || !s->text.len))
            return n;
        convert(s, n <= 0);
        if (n <= 0 && !s->made.len)
            return n;
    }
    size = MIN(size, s->made.len - s->made_at);
    memcpy(buffer, s->made.data + s->made_at, size);
    s->made_at += size;
    return sbuf_error(&s->made) ? -ENOMEM : (int64_t)size;
}

int64_t audit_log_source_read(struct audit_log_source *s, char *buffer, size_t size, struct err *err)
{
    if (!s->sampled) {
        int r = sample(s, err);

        if (r < 0)
            return r;
    }
    if (s->foreign)
        return read_foreign(s, buffer, size, err);
    if (s->text_at < s->text.len) {
        size = MIN(size, s->text.len - s->text_at);
        memcpy(buffer, s->text.data + s->text_at, size);
        s->text_at += size;
        return (int64_t)size;
    }
    return read_decoded(s, buffer, size, err);
}
