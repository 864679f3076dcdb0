/* SPDX-License-Identifier: MIT */
/*
 * The bytes of one log: a file, a pipe, or standard input, plain or compressed. Which of them is recognized by the first
 * bytes, never by the name: gzip (several members too), xz, zstd. The form of the lines is recognized by the first ones:
 * what auditd did not write itself is made into its form (form.h), and the bytes that are counted from outside (offsets) are
 * those of that form. Memory is bounded by the window that the compressor chose (gzip 32 kB, xz -6 8 MB, zstd 8 MB; xz and
 * zstd files that ask for more than LIMIT_LOG_WINDOW are refused).
 */
#pragma once

#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"

enum audit_log_coding {
    AUDIT_LOG_PLAIN,
    AUDIT_LOG_GZIP,
    AUDIT_LOG_XZ,
    AUDIT_LOG_ZSTD,
};

struct audit_log_source;

/* `fd` is read from its current offset, and is owned by the source from now on, also on failure. */
int audit_log_source_open(int fd, struct audit_log_source **ret, struct err *err);
void audit_log_source_close(struct audit_log_source *source); /* NULL is fine */

/*
 * Up to `size` decoded bytes. Fewer than asked for is normal; 0 is the end.
 * -EBADMSG: the compressed data is damaged or ends too early; what came before it was handed out.
 * -EAGAIN: a non-blocking descriptor has nothing yet; any other: the read failed.
 */
int64_t audit_log_source_read(struct audit_log_source *source, char *buffer, size_t size,
                              struct err *err);

/* How the file is packed, found by its first bytes. */
enum audit_log_coding audit_log_source_coding(const struct audit_log_source *source);
/* Bytes taken from the descriptor so far: for progress, beside the file's size. */
uint64_t audit_log_source_consumed(const struct audit_log_source *source);
