/* SPDX-License-Identifier: MIT */
/* What the index of kept copies has of one file at one time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

#define COPIES_XATTRS_MAX (64 * 1024)
#define COPY_MOMENT_NS (60 * NS_PER_S) /* what was there for less is not put back unless it is asked for */

#define COPY_FLAGS_KNOWN (UINT32_C(1) << 31)

enum copy_flag {
    COPY_GONE = 1 << 0,       /* it went at time_ns: nothing else is known */
    COPY_AT_BEGIN = 1 << 1,   /* it was there when a watch began, or had been for COPY_MOMENT_NS when it was read first */
    COPY_NO_CONTENT = 1 << 2, /* a regular file whose content is not kept: too large, no room; a folder that could not be read */
    COPY_LARGE = 1 << 3,      /* its content is a file of its own (large.h) */
    COPY_HELD = 1 << 5,       /* with COPY_LARGE: its content was held when this was written, and is copied when it changes */
    COPY_CLOCK_BACK = 1 << 4, /* the clock was set back before this record: it is later than all before it, whatever their times say */
};

/* Native endian; the index is this machine's. Its texts follow: path, link, xattrs ("NAME\0", 4 bytes of length, value). */
struct copy_record {
    uint64_t magic, check;   /* check: of all the rest of the record */
    uint64_t time_ns;        /* CLOCK_REALTIME: when it was read, or went */
    uint64_t offset, size;   /* of the content in the pack */
    int64_t mtime_ns;
    uint32_t flags;          /* enum copy_flag */
    uint32_t mode, uid, gid; /* st_mode, with its type */
    uint32_t path_len, link_len, xattrs_len;
    uint32_t file_flags;     /* of chattr, with COPY_FLAGS_KNOWN; never the immutable one, which may be a guard's; 0: not known */
    unsigned char sha256[32];
};
_Static_assert(sizeof(struct copy_record) == 112, "layout changed: raise COPY_MAGIC");
#define COPY_MAGIC UINT64_C(0x31797063706c7563)

/* What `check` must be: a hash of the record from time_ns on, and of its texts. It finds damage, not forgery. */
uint64_t copy_check(const struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs);

struct copy {
    struct copy_record record;
    struct bytes path, link, xattrs;
    bool old; /* of the generation before */
    uint32_t era; /* how often the clock had been set back by then */
    const struct copy *earlier; /* the one before it, of the same life of its path; NULL: none, or copies_replay() was not called */
};

/* The clock as whoever writes records sees it. Zero: nothing is known. */
struct copies_clock {
    uint64_t newest_ns; /* CLOCK_REALTIME: of the last record that was there before */
    int64_t ahead_ns;   /* of CLOCK_REALTIME before CLOCK_BOOTTIME, when it was looked at last */
    bool looked;
};

/* Looks at it: true: since the last look, or since the records that were there before, it was set back by more than a second. */
bool copies_clock_is_back(struct copies_clock *c, uint64_t real_ns, uint64_t boot_ns);

/* The next record of an index, which moves on: false: it is not whole, or damaged. */
bool copy_next(struct bytes *index, struct copy *ret);
