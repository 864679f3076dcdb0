/* SPDX-License-Identifier: MIT */
#include "sensor/audit/log/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/audit/log/source.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/macro.h"

#define BLOCK_SIZE (1024 * 1024) /* fits the second-level cache of what runs audit today; larger gains nothing */

struct audit_log_reader {
    struct audit_log_reader_options options;
    struct audit_log_stats stats;
    struct audit_log_source *source; /* of files[stats.file], or NULL: not opened yet */
    uint64_t consumed_before;        /* by the files before this one */
    uint64_t offset;                 /* of the first byte of `rest` in the decoded file */
    char *rest;                      /* the beginning of a line whose end was not in the last block */
    size_t rest_len;
    bool skipping;   /* inside a line that is too long */
    uint64_t skipped; /* bytes of it */
    bool started;    /* a block of this file was handed out */
    bool skip_start; /* start_offset is still to be passed over */
    bool is_stream;  /* not a regular file: hand out what is there */
};

void audit_log_block_done(struct audit_log_block *block)
{
    free(block->buffer);
    *block = (struct audit_log_block){ 0 };
}

int audit_log_reader_new(const struct audit_log_reader_options *options,
                         struct audit_log_reader **ret, struct err *err)
{
    struct audit_log_reader *r = calloc(1, sizeof(*r));

    (void)err;
    if (!r)
        return -ENOMEM;
    r->options = *options;
    if (r->options.block_size == 0)
        r->options.block_size = BLOCK_SIZE;
    r->options.block_size = MAX(r->options.block_size, (size_t)LIMIT_LOG_LINE * 2);
    r->skip_start = options->start_offset > 0;
    r->rest = malloc(LIMIT_LOG_LINE);
    if (!r->rest) {
        free(r);
        return -ENOMEM;
    }
    for (size_t i = 0; i < options->files->count; i++)
        r->stats.size += options->files->files[i].size;
    *ret = r;
    return 0;
}

void audit_log_reader_free(struct audit_log_reader *r)
{
    if (!r)
        return;
    audit_log_source_close(r->source);
    free(r->rest);
    free(r);
}

const struct audit_log_stats *audit_log_reader_stats(const struct audit_log_reader *r)
{
    return &r->stats;
}

static void report_damage(struct audit_log_reader *r, const char *path, int code, const struct err *err)
{
    size_t n = strlen(path);

    r->stats.damaged_files++;
    if (strncmp(err->text, path, n) == 0 && err->text[n] == ':') /* it names the file already */
        log_warn(r->options.log, "%s; going on without it", err_text(err, code));
    else
        log_warn(r->options.log, "%s: %s", path, err_text(err, code));
}

static void close_file(struct audit_log_reader *r)
{
    if (r->source)
        r->consumed_before += audit_log_source_consumed(r->source);
    audit_log_source_close(TAKE_PTR(r->source));
    r->rest_len = 0;
    r->offset = 0;
    r->skipping = r->started = r->skip_start = false;
    r->skipped = 0;
    r->stats.file++;
}

static int open_file(struct audit_log_reader *r)
{
    const struct audit_log_file *file = &r->options.files->files[r->stats.file];
    struct err err = ERR_INIT;
    struct stat st;
    int fd = -EBADF, e = audit_log_file_open(file, &fd, &err);

    r->is_stream = false;
    if (e == 0) {
        r->is_stream = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode);
        e = audit_log_source_open(fd, &r->source, &err);
    }
    if (e == -ENOMEM)
        return e;
    if (e < 0)
        report_damage(r, file->path, e, &err);
    return 0;
}

/* Into the block's buffer behind `len`: how many bytes; 0 = the end of the file, reported if it is not a good one. */
static size_t read_some(struct audit_log_reader *r, char *buffer, size_t size)
{
    struct err err = ERR_INIT;
    int64_t n = audit_log_source_read(r->source, buffer, size, &err);

    r->stats.consumed = r->consumed_before + audit_log_source_consumed(r->source);
    if (n < 0) {
        report_damage(r, r->options.files->files[r->stats.file].path, (int)n, &err);
        return 0;
    }
    r->stats.bytes += (uint64_t)n;
    return (size_t)n;
}

/* Decoded bytes that the caller has had before. */
static void pass_over_start(struct audit_log_reader *r, char *buffer, size_t size)
{
    while (r->offset < r->options.start_offset) {
        size_t n = read_some(r, buffer, (size_t)MIN(size, r->options.start_offset - r->offset));

        if (n == 0)
            break;
        r->offset += n;
    }
    r->skip_start = false;
}

static const char *last_newline(const char *data, size_t len)
{
    return len ? memrchr(data, '\n', len) : NULL;
}

/* The rest of an overlong line goes; what follows its newline moves to the front. Returns the
 * bytes that are left. */
static size_t drop_long_line(struct audit_log_reader *r, char *buffer, size_t len)
{
    const char *newline = len ? memchr(buffer, '\n', len) : NULL;
    size_t gone = newline ? (size_t)(newline + 1 - buffer) : len;

    r->offset += gone;
    r->skipped = newline ? 0 : r->skipped + gone;
    r->skipping = newline == NULL;
    memmove(buffer, buffer + gone, len - gone);
    return len - gone;
}

static bool is_endless(struct audit_log_reader *r)
{
    struct err err = ERR_INIT;

    if (r->skipped <= LIMIT_LOG_NO_LINE)
        return false;
    report_damage(r, r->options.files->files[r->stats.file].path,
                  err_say(&err, -EBADMSG, "more than %llu MB without the end of a line: no log; not read on",
                          (unsigned long long)(LIMIT_LOG_NO_LINE >> 20)), &err);
    return true;
}

static int ensure_buffer(const struct audit_log_reader *r, struct audit_log_block *block)
{
    if (block->buffer_size >= r->options.block_size)
        return 0;
    free(block->buffer);
    block->buffer_size = 0;
    block->buffer = malloc(r->options.block_size);
    if (!block->buffer)
        return -ENOMEM;
    block->buffer_size = r->options.block_size;
    return 0;
}

int audit_log_reader_next(struct audit_log_reader *r, struct audit_log_block *block, struct err *err)
{
    size_t len, size;
    bool end = false;
    const char *newline;

    (void)err;
    if (ensure_buffer(r, block) < 0)
        return -ENOMEM;
    size = block->buffer_size;
    while (!r->source) {
        if (r->stats.file >= r->options.files->count)
            return 0;
        if (open_file(r) < 0)
            return -ENOMEM;
        if (!r->source)
            close_file(r);
        else if (r->skip_start)
            pass_over_start(r, block->buffer, size);
    }
    memcpy(block->buffer, r->rest, r->rest_len);
    len = r->rest_len;
    r->rest_len = 0;
    for (;;) {
        size_t n = read_some(r, block->buffer + len, size - len);

        end = n == 0;
        len += n;
        if (r->skipping)
            len = drop_long_line(r, block->buffer, len);
        end |= is_endless(r);
        newline = last_newline(block->buffer, len);
        if (end || len == size || (r->is_stream && newline))
            break;
        if (!r->is_stream && len >= size / 2 && newline)
            break; /* a short read of a decoder: good enough */
    }
    *block = (struct audit_log_block){
        .buffer = block->buffer,
        .buffer_size = block->buffer_size,
        .file = r->stats.file,
        .offset = r->offset,
        .starts_file = !r->started,
        .ends_file = end,
        .torn = end && len > 0 && block->buffer[len - 1] != '\n',
    };
    r->started = true;
    if (end) {
        block->text = (struct bytes){ block->buffer, len };
        r->stats.torn_lines += block->torn;
        if (block->torn) { /* what is too long is so without a newline too */
            size_t tail = newline ? len - (size_t)(newline + 1 - block->buffer) : len;

            if (tail > LIMIT_LOG_LINE) {
                r->stats.long_lines++;
                block->text.len -= tail;
                block->torn = false;
            }
        }
        close_file(r);
        return 1;
    }
    {
        size_t whole = newline ? (size_t)(newline + 1 - block->buffer) : 0, left = len - whole;

        block->text = (struct bytes){ block->buffer, whole };
        r->offset += whole;
        if (left > LIMIT_LOG_LINE) {
            r->stats.long_lines++;
            r->skipping = true;
            r->offset += left;
        } else {
            memcpy(r->rest, block->buffer + whole, left);
            r->rest_len = left;
        }
    }
    return 1;
}

bool audit_log_line_next(struct bytes *rest, struct bytes *ret)
{
    const char *p = rest->data, *end = p + rest->len;

    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;

        while (p < stop && *p == '\0')
            p++;
        *rest = (struct bytes){ newline ? newline + 1 : end, newline ? (size_t)(end - newline - 1) : 0 };
        if (p < stop) {
            *ret = (struct bytes){ p, (size_t)(stop - p) };
            return true;
        }
        p = rest->data;
    }
    *rest = (struct bytes){ end, 0 };
    return false;
}
