/* SPDX-License-Identifier: MIT */
/*
 * What files should be like, by a list of somebody's (a package's, git's index), compared with what they are: two jobs, one that
 * understands the lists, one that only looks at attributes and makes checksums.
 */
#pragma once

#include "clues/clues.h"
#include "foreign/job.h"

struct original {
    struct bytes path;
    struct bytes owner; /* "package foo", "git's index in /srv/x/.git" */
    struct bytes digest; /* hexadecimal: MD5, SHA-1 or SHA-256, by its length; empty: not known */
    uint64_t size, mtime_s; /* of git's index; mtime_s 0: not known */
    uint64_t seen_ns;       /* it was there then, or later; 0: the list does not say when */
    bool configuration;     /* it is there to be changed; the digest is that of what was installed */
};

/* An answer of the first job is a row of these. */
void original_put(struct sbuf *out, const struct original *o);
int original_get(struct bytes *in, struct original *ret); /* views. -EBADMSG */

#define ORIGINAL_DPKG_STATUS "/var/lib/dpkg/status"

/* The configuration of all packages, by dpkg's record of them; views into it. `all` is the caller's, to be freed. -ENOMEM */
struct original_conffiles {
    struct original_conffile {
        struct bytes path, digest; /* MD5 */
    } *all; /* in order of their paths */
    size_t count;
};
int original_conffiles_read(struct bytes status, struct original_conffiles *ret);

/* The lists of dpkg; an index of git. Pure: the rows of the files at or below the path. */
void original_dpkg(struct sbuf *out, const struct clue_question *q, struct bytes package, struct bytes list, struct bytes md5sums,
                   const struct original_conffiles *conffiles);
int original_git(struct sbuf *out, const struct clue_question *q, struct bytes tree, struct bytes index);
/* The database of locate (plocate, mlocate), which was begun at made_ns (0: not known). -EBADMSG: it is none */
int original_locate(struct sbuf *out, const struct clue_question *q, uint64_t made_ns, struct bytes db);

#define ORIGINAL_LOCATE_MAX (160 * 1024 * 1024)
extern const struct foreign_job original_dpkg_job, original_locate_job, original_rpm_job;

/* Is the path of a list at or below what is asked for? On merged systems "/bin/x" of a list is /usr/bin/x. */
bool original_covers(const struct clue_question *q, struct bytes path);

/* Has what can be read from the descriptor, from where it is, this digest? 1, 0; -EIO: it cannot be read to its end, or the digest is of no
 * kind that is known, so that neither can be said. */
int original_has_digest(int fd, struct bytes wanted);

/* The source's `ask`. */
int original_ask_packages(struct clues *c, unsigned source, struct err *err);
int original_ask_rpm(struct clues *c, unsigned source, struct err *err);
int original_ask_git(struct clues *c, unsigned source, struct err *err);
int original_ask_locate(struct clues *c, unsigned source, struct err *err);
