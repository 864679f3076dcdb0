/* SPDX-License-Identifier: MIT */
/* The kernel's table of mounts: /proc/PID/mountinfo (proc(5)). */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/sbuf.h"

struct mountinfo {
    uint64_t id;         /* fdinfo's mnt_id */
    uint64_t device;     /* of the super block, as st_dev has it; on btrfs and some overlays stat() says another */
    struct bytes root;   /* the directory of the file system that is seen there; still in octal */
    struct bytes point;  /* where it is mounted, as that process sees it; still in octal */
    struct bytes rest;   /* behind it: options, tags, "-", type, source, the super block's options */
};

/* That file, appended to `out`; 4 MiB of it at most. -errno. */
int mountinfo_read(const char *path, struct sbuf *out);

/* The next line of `text`, which moves on; lines without a mount point are left out. False: that was all. */
bool mountinfo_next(struct bytes *text, struct mountinfo *ret);

/* Is the path (absolute, normalised) at the mount point, or below it? */
bool mountinfo_covers(const struct mountinfo *mount, struct bytes path);

/* "ext4"; empty: the line is not whole. A view. */
struct bytes mountinfo_type(const struct mountinfo *mount);

/* Does another machine or a program answer for what is on it, so that it may never answer? By its type; not systemd's for binfmt_misc. */
bool mountinfo_may_hang(const struct mountinfo *mount);

/* Blanks, tabs, newlines and backslashes are written in octal. `ret` has room for text.len bytes, and may be the
 * text itself; returns the length. No NUL. */
size_t mountinfo_unescape(struct bytes text, char *ret);
/* The same of at most PATH_MAX - 1 bytes, which `ret` has room for; BYTES_NULL: it is longer. */
struct bytes mountinfo_plain(struct bytes octal, char ret[PATH_MAX]);

/* The mount of that number in a table. */
bool mountinfo_by_id(struct bytes table, uint64_t id, struct mountinfo *ret);
