/* SPDX-License-Identifier: MIT */
/*
 * Whole lines out of a row of log files, in large blocks. Memory is constant: one block a caller
 * holds, and what is left of the last line, at most LIMIT_LOG_LINE, whatever the files contain.
 * What is skipped is counted, never silent. One caller at a time (put a lock around it for more).
 * A line that is longer than LIMIT_LOG_LINE may still come whole if a block happens to hold it.
 *
 *     struct audit_log_block block = { 0 };
 *     while ((r = audit_log_reader_next(reader, &block, &err)) > 0)
 *         for (struct bytes rest = block.text, line; audit_log_line_next(&rest, &line);)
 *             if (audit_record_parse_line(line, &record, NULL) < 0) damaged++;
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/audit/log/files.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/log.h"

struct audit_log_block {
    struct bytes text;   /* whole lines; the last line of a file may lack its newline */
    size_t file;         /* index into the files */
    uint64_t offset;     /* of text.data in the (decoded) file */
    bool starts_file;    /* the first block of its file */
    bool ends_file;      /* nothing of this file follows; text may be empty then */
    bool torn;           /* the last line has no newline: still being written, or cut */
    char *buffer;        /* owned by the block, used again by the next call */
    size_t buffer_size;
};
/* Frees the buffer, and zeroes it for another call. */
void audit_log_block_done(struct audit_log_block *block);

struct audit_log_stats {
    uint64_t bytes;          /* decoded */
    uint64_t consumed, size; /* on disk: read so far, and in all when listed (progress) */
    uint64_t long_lines;     /* longer than LIMIT_LOG_LINE: skipped */
    uint64_t torn_lines;     /* files whose last line had no newline */
    uint64_t damaged_files;  /* could not be read to the end: compressed data damaged, read error, gone */
    size_t file;             /* being read */
};

struct audit_log_reader_options {
    const struct audit_log_files *files; /* outlive the reader */
    size_t block_size;                   /* 0 = 1 MiB; at least LIMIT_LOG_LINE * 2 */
    uint64_t start_offset;               /* of the first file, in decoded bytes: to go on where one stopped */
    const struct log *log;               /* a warning for each file that could not be read to its end */
};

struct audit_log_reader;

/* The options are copied, what they point to is borrowed until audit_log_reader_free(). -ENOMEM */
int audit_log_reader_new(const struct audit_log_reader_options *options,
                         struct audit_log_reader **ret, struct err *err);
void audit_log_reader_free(struct audit_log_reader *reader); /* NULL is fine */

/* The next block: 1; 0 at the end of the last file; -ENOMEM. A file that cannot be opened or read to its end is logged and
 * counted, and the next one is read: the answer is then partial (stats.damaged_files). A pipe hands out what it has, without
 * waiting for a block to fill. */
int audit_log_reader_next(struct audit_log_reader *reader, struct audit_log_block *block,
                          struct err *err);

/* As of now; valid until audit_log_reader_free(). */
const struct audit_log_stats *audit_log_reader_stats(const struct audit_log_reader *reader);

/* The next line of *rest, without newline; *rest moves behind it. False at the end. NUL bytes in
 * front of it (a hole that a crash left) are not part of it. Empty lines are passed over. */
bool audit_log_line_next(struct bytes *rest, struct bytes *ret);
