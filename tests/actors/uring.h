/* SPDX-License-Identifier: MIT */
/* io_uring by its bare system calls: one operation, waited for. */
#pragma once

#include <linux/io_uring.h>

/* One operation as it is written there: its result, or -1 and errno. */
int uring_submit(const struct io_uring_sqe *sqe);
/* IORING_OP_UNLINKAT on `path`, or IORING_OP_RENAMEAT from `path` to `to`. -1 and errno. */
int uring_do(int operation, const char *path, const char *to);
/* Opens, writes and closes the file by io_uring alone. */
int uring_write(const char *path);
/* From now on the kernel's own thread takes what is submitted (before the first operation). */
void uring_polled(void);
/* IORING_OP_MKDIRAT, SYMLINKAT (text, name) or LINKAT (old, new). */
int uring_make(int operation, const char *path, const char *to);
int uring_write_to(int fd); /* 5 bytes, by io_uring only */
int uring_fallocate(const char *path);
