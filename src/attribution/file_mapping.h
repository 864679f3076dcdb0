/* SPDX-License-Identifier: MIT */
/* A whole file as text, mapped: for files that their owner replaces, and does not cut. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/bytes.h"
#include "util/cleanup.h"

struct file_mapping {
    char *data; /* NULL: it is not there, is empty, or no regular file */
    size_t len;
};

/* dir: an open directory. A link is not followed. */
struct file_mapping file_map(int dir, const char *name);
void file_mapping_done(struct file_mapping *m);
#define _cleanup_mapping_ _cleanup_(file_mapping_done)

const char *file_mapping_end(const struct file_mapping *m); /* NULL, if data is */
/* A whole line of the text. */
bool file_mapping_has_line(const struct file_mapping *m, struct bytes line);
