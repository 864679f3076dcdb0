/* SPDX-License-Identifier: MIT */
/* Files that the process of holding.h has for the keeper: which, and what their records have to say once they are copied. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "copies/below.h"
#include "copies/holding.h"
#include "copies/record.h"
#include "util/hash_table.h"

struct hold {
    UT_hash_handle hh, hh_id; /* hh: by path, unless it is taken */
    uint64_t id;
    dev_t device;
    ino_t inode;
    struct holding_state state;
    struct copy_record record; /* without its content */
    uint64_t boot_ns;          /* CLOCK_BOOTTIME: of its time */
    bool copied;               /* it will be in any case */
    bool taken;                /* its path has another file, or none */
    char *xattrs;              /* owned */
    size_t xattrs_len, len;
    char path[];
};

struct holds {
    int socket; /* -EBADF: nobody holds */
    pid_t pid;
    uint64_t reached; /* the last mark that was */
    uint64_t next_id, copied_bytes; /* of those that will be copied in any case */
    unsigned count, most, copied;   /* with those that are taken */
    struct hold *by_path, *by_id;
    struct names_below below; /* of these paths */
};

/* In a process without threads. directory: of the copies. Zeroed before. -errno: nothing is held. */
int holds_begin(struct holds *h, int directory);
/* Everything is let go. */
void holds_end(struct holds *h);

/* fd: open for reading, of which st is. copy: in any case. -errno: it is not held; later holds_next() may say so too. */
int holds_add(struct holds *h, int fd, struct bytes path, const struct copy_record *record, struct bytes xattrs, const struct stat *st, bool copy);
/* What holds the content that st is of at that path. NULL: nothing; where another file or another content is, what was held is taken: copied as if its
 * path had gone. */
struct hold *holds_at(struct holds *h, struct bytes path, const struct stat *st);
/* All but its content is another now. */
void hold_update(struct hold *hold, const struct copy_record *record, struct bytes xattrs);
/* It has gone, and with it all that was below it: it is copied. */
void holds_take(struct holds *h, struct bytes path);
/* Nothing of it is wanted any more, but for what is taken. */
void holds_drop_all(struct holds *h);

/* Sets h->reached to the mark, in holds_next(), which is not 0, once all that was asked before is held, or known not to be, and nobody waits for a copy.
 * False: nobody holds. */
bool holds_reach(const struct holds *h, uint64_t mark);
/* What has become of one that is held no more, which the caller frees (hold_free()). False: nothing now. Of HOLDING_STAYS nothing is returned. */
bool holds_next(struct holds *h, struct hold **ret, struct holding_reply *ret_reply);
/* Somebody ended the process, and so holds_next() has no more: these are not held any more. NULL: it has not ended, or that was the last of them, and
 * holds_begin() may be called again. */
struct hold *holds_lost(struct holds *h);
/* How many there are of which nobody makes a copy unless they change. */
unsigned holds_count(const struct holds *h);
/* Copies that will be made without anybody who changes something. */
bool holds_copy(const struct holds *h);
void hold_free(struct hold *hold);
