/* SPDX-License-Identifier: MIT */
/*
 * rpm's database (SQLite) and the headers in it, from bytes that a container may have written. Pure, but for a SQLite database in memory:
 * runs in a worker without rights (foreign/sandbox.h). `file` is written to.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/sbuf.h"

/* One header: true if it has the file; name and version go into the buffers. */
bool rpm_header_has(struct bytes header, struct bytes path, struct sbuf *name, struct sbuf *version);

/* The package that has the path, or the other one (empty: none). */
bool rpm_find(struct bytes file, struct bytes path, struct bytes other, struct sbuf *name, struct sbuf *version);

struct rpm_file {
    uint32_t number;                                /* of the package's row, from 1 */
    struct bytes package, version, release, architecture;
    struct bytes directory, name;                   /* directory: with its slash at the end */
    struct bytes digest;                            /* hexadecimal; empty: of what is no regular file */
    uint32_t digest_kind;                           /* as OpenPGP numbers them: RPM_MD5 ... */
    uint32_t mode;                                  /* with its type; 0: not known */
    struct bytes link;                              /* where a symbolic link leads; empty: not known */
    struct bytes user, group;                       /* names; empty: not known */
    bool config;                                    /* it is there to be changed */
    bool capabilities;                              /* the package gives it some */
};

enum { RPM_MD5 = 1, RPM_SHA256 = 8 };

/* What is installed by every package that has something in the directory or below it. Views, until each() returns. -EBADMSG: not all of it, the
 * database is damaged or made to take too long; one without a byte has nothing. */
int rpm_files(struct bytes file, struct bytes directory, void (*each)(void *data, const struct rpm_file *f), void *data);
