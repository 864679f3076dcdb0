/* SPDX-License-Identifier: MIT */
/*
 * Files out of package files, of dpkg (.deb) and rpm (.rpm): read into memory, unpacked by a worker without rights (foreign/sandbox.h), and handed over as bytes.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

#define UNPACK_BUDGET (40 * 1024 * 1024) /* bytes of contents in one answer */

struct unpacked_file {
    struct bytes path;         /* absolute: "./usr/bin/x" is "/usr/bin/x" */
    struct bytes link;         /* where a symbolic link leads; of a hard link the path of the other name */
    struct bytes user, group;  /* names; empty: the numbers in `st` count; of rpm rpm's database has them */
    struct bytes content;      /* of a regular file, unless it was left out */
    struct stat st;            /* mode with its type, uid, gid, size, times */
    bool hard_link;            /* of dpkg: it has its content by that other name; of rpm each name has it */
    bool left_out;             /* its content did not fit into this answer any more */
    bool too_large;            /* nor would it into any */
};

/* Is such a file understood at all? False: built without libarchive. */
bool unpack_is_possible(void);

/*
 * What the package file has of those paths; those that it does not have are left out. package: its path; asked: absolute paths, each with a NUL behind it.
 * answer: holds what unpack_next() hands out. -EFBIG: the package file is too large; -EBADMSG, -ETIMEDOUT: err says so.
 */
int unpack_read(struct bytes package, struct bytes asked, struct sbuf *answer, struct err *err);

/* What a worker makes of such a file's bytes, as an answer: pure. -EBADMSG, -ENOMEM; -EOPNOTSUPP: nothing is understood. */
int unpack_package(struct bytes package, struct bytes asked, struct sbuf *answer);

/* The next file of an answer, which moves on. 0: there is none any more; -EBADMSG: it is damaged. */
int unpack_next(struct bytes *answer, struct unpacked_file *ret);
