/* SPDX-License-Identifier: MIT */
/* What the managers of packages have on record of the host: whose a path is, what its content was, where the package's file is cached. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/bytes.h"
#include "util/err.h"

struct package_file {
    struct bytes path;   /* where it is: links of a merged /usr followed, diverted */
    struct bytes listed; /* as its package calls it */
    uint32_t package;    /* index into packages */
    uint32_t more;       /* rpm: where the rest is that its database has of it */
};

struct package {
    struct bytes list;  /* "acl", "libc6:amd64": what its manager and people call it */
    struct bytes name, version, architecture; /* empty: it is not installed (its configuration may be) */
    struct bytes conffiles; /* dpkg: lines "PATH MD5", of its paragraph */
    struct bytes md5sums;   /* dpkg: lines "MD5  PATH", once they were needed */
    bool read;
};

struct package_set {
    struct arena arena;
    struct package_file *files; /* by their paths; owned */
    size_t file_count, file_size;
    struct package *packages; /* owned */
    size_t package_count;
    struct bytes overrides; /* dpkg: lines "USER GROUP MODE PATH" */
    struct bytes more;      /* rpm: the answer about its database */
};

enum package_digest { PACKAGE_DIGEST_NONE, PACKAGE_DIGEST_MD5, PACKAGE_DIGEST_SHA256, PACKAGE_DIGEST_OTHER };

/* What is on record of a file. */
struct package_sum {
    enum package_digest kind; /* none: a directory, a link; other: one that is not computed here */
    struct bytes hex;         /* lower case, as long as the kind is; a view */
    bool config;              /* the administrator may change it */
    bool capabilities;        /* it had some, that are not put back */
    uint32_t type;            /* S_IFREG ...; 0: not known */
    struct bytes link;        /* where a symbolic link leads; empty: not known */
};

/* One manager of packages. */
struct package_kind {
    /* What packages have at or below `path` (absolute, no link in it). Nothing: file_count is 0. -ENOENT: this host has no such manager. Caller: package_set_done() */
    int (*find)(struct bytes path, struct package_set *ret, struct err *err);
    void (*sum)(struct package_set *set, const struct package_file *f, struct package_sum *ret);
    /* What it has on record instead of what the package's file says; what it has not is left as it was. mode: without its type. */
    void (*owner)(const struct package_set *set, const struct package_file *f, struct bytes *user, struct bytes *group, uint32_t *mode);
    /* The package's file, as its tools name it: in that directory, or (empty) where they keep it. In the arena; BYTES_NULL: it is not there. */
    struct bytes (*archive)(struct package_set *set, const struct package *p, struct bytes directory);
    const char *(*again)(void); /* the command that installs it again, without its name */
};

extern const struct package_kind packages_dpkg, packages_rpm;

/* For them. The texts are copied. -E2BIG: too many; -ENOMEM */
int package_set_add(struct package_set *set, const struct package_file *f);
/* NULL: out of memory. Its texts are the caller's, in the arena. */
struct package *package_set_add_package(struct package_set *set);
/* By their paths. */
void package_set_sort(struct package_set *set);
void package_set_done(struct package_set *set);
