/* SPDX-License-Identifier: MIT */
/*
 * One file made again in a directory: beside its place, with all that belongs to it, and then linked in, so that nobody
 * sees half of it. Whoever owns the directory may rename and replace what is in it meanwhile: nothing that is not
 * ours is followed, written or given away.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "event/event.h"
#include "restore/attributes.h"
#include "util/err.h"

/* What is to be there: of the image, of an open descriptor, of a package that was unpacked. */
struct put_source {
    int fd;         /* what it is and its attributes; O_PATH will do; borrowed */
    int content;    /* what has a regular file's content: the same, or another one; borrowed */
    struct stat st; /* owner, mode and times that it gets; those of `fd`, where nobody says otherwise */
    const struct held_files *held; /* by guards; borrowed; NULL: none is */
    bool bare;        /* no more is known of it than `st`, `content` and `link`: there is no `fd` */
    struct bytes xattrs; /* and what it had: "NAME\0", 4 bytes of length, value; borrowed; empty: not known */
    uint32_t file_flags; /* and those of chattr, as copy_record's: with COPY_FLAGS_KNOWN */
    const char *link; /* where a symbolic link leads, if `bare`; borrowed */
};

/*
 * name: one component. replace: also where something is, unless that is a directory. given: bits of enum given (attributes.h).
 * -EEXIST: something is there; -EOPNOTSUPP: the file system cannot promise that nothing is replaced. A directory's times are the caller's, once its content is complete.
 */
int put_new(int directory, const char *name, const struct put_source *from, bool replace, unsigned *given, struct err *err);

/*
 * The attributes of what is there. seen: what it was when it was decided so; -ESTALE: it is something else by now, or its
 * content is. -EMLINK: it has other names too, perhaps elsewhere.
 */
int put_attributes(int directory, const char *name, const struct put_source *from, const struct file_state *seen,
                   unsigned *given, struct err *err);

/* Signals that would end the process wait while one file is put back: whoever interrupts us does not leave half a file. old: the mask to
 * be set again. */
void put_hold_signals(sigset_t *old);
