/* SPDX-License-Identifier: MIT */
/* One file of somebody else's as it is now: opened without following links, its content and its attributes as bytes. For the keeper's process only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/bytes.h"
#include "util/sbuf.h"

/* An O_PATH descriptor of an absolute path in which nothing is a link; of a link itself where the path ends with one. -errno */
int look_open(struct bytes path);
/* Is something mounted right there? */
bool look_is_mounted(struct bytes path);
/* As copy_record's xattrs; what does not fit is left out. */
void look_xattrs(int path_fd, struct sbuf *out);
/* As copy_record's file_flags, of a file or folder. */
uint32_t look_flags(int path_fd);
/* buffer: COPIES_FILE_MAX and one byte more, which *ret refers to. 0; 1: it is being written just now; -errno */
int look_content(int path_fd, const struct stat *st, char *buffer, struct bytes *ret);
