/* SPDX-License-Identifier: MIT */
/* A file that appears whole or not at all, where nobody else can lead us elsewhere. */
#pragma once

#include "util/err.h"
#include "util/sbuf.h"

struct output_file {
    int directory_fd; /* owned */
    char name[256];   /* in it */
};

#define OUTPUT_FILE_INIT ((struct output_file){ .directory_fd = -EBADF })

/*
 * Holds the directory that `path` is in. Symbolic links on the way are followed where they are root's or ours; what
 * somebody else put there is refused (-ELOOP), since a privileged program would write where he wants.
 */
int output_file_prepare(const char *path, struct output_file *ret, struct err *err);
/* Writes all of it under another name, then gives it its own. */
int output_file_write(const struct output_file *file, const struct sbuf *text, struct err *err);
void output_file_done(struct output_file *file);
