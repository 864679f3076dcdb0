/* SPDX-License-Identifier: MIT */
/*
 * rpm's database (SQLite) and the headers in it, from bytes that a container may have written. Pure, but for a SQLite database in memory:
 * runs in a worker without rights (foreign/sandbox.h). `file` is written to.
 */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "util/sbuf.h"

/* One header: true if it has the file; name and version go into the buffers. */
bool rpm_header_has(struct bytes header, struct bytes path, struct sbuf *name, struct sbuf *version);

/* The package that has the path, or the other one (empty: none). */
bool rpm_find(struct bytes file, struct bytes path, struct bytes other, struct sbuf *name, struct sbuf *version);

struct rpm_file {
    struct bytes package, directory, name; /* directory: with its slash at the end */
    struct bytes digest;                   /* hexadecimal; empty: of a directory, or of what may be changed */
};

/* What one header says is installed; the same of every package that has something in the directory or below it. Views, until it returns. */
void rpm_header_files(struct bytes header, void (*each)(void *data, const struct rpm_file *f), void *data);
void rpm_files(struct bytes file, struct bytes directory, void (*each)(void *data, const struct rpm_file *f), void *data);
