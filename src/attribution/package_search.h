/* SPDX-License-Identifier: MIT */
/*
 * Which package a file belongs to, by the databases of dpkg, apk and rpm: these were gathered from a container, who may have
 * written anything into them. Pure, but for a SQLite database in memory; runs in a worker without rights (foreign/sandbox.h).
 */
#pragma once

#include <stdbool.h>

#include "foreign/job.h"
#include "util/bytes.h"
#include "util/sbuf.h"

struct package_database {
    const char *file; /* changes with every package that is installed */
    bool apk, rpm;    /* neither: dpkg's status */
};
extern const struct package_database package_databases[]; /* dpkg's first; the last one has no file */

/* Pure, in a worker. request: the path that is looked for, NUL, and what gathered by. g: what was gathered, which is written to.
 * The answer: name, NUL, version; -ENOENT. */
int image_packages_search(struct bytes request, const struct gathered *g, struct sbuf *answer);
