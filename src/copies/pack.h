/* SPDX-License-Identifier: MIT */
/*
 * Copies of files on disk: "pack" has contents one after the other, each once; "index" has a record for each time that a file was looked at, and for each
 * that went. Both only grow. At half of the limit both become "pack.old" and "index.old", and those before them go: what is there then is kept
 * anew. A record that was not written to its end is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "copies/record.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "util/err.h"

#define COPIES_NOT_OURS "%s belongs to user %u with mode %04o, others can change what was kept: chown it and chmod go-w it"
#define COPIES_SUFFIX ".copies"       /* of the record's file: the directory beside it */
#define COPIES_LIMIT_LEAST (1024 * 1024) /* bytes on disk */
#define COPIES_FILE_MAX (1024 * 1024) /* bytes of a file that is kept in the pack */

/* ---- writing: by one process ---- */

struct pack;

/* directory: made with mode 0700. limit: bytes of both generations. -EBUSY: another process keeps copies there. */
int pack_open(const char *directory, uint64_t limit, struct pack **ret, struct err *err);
void pack_close(struct pack *p); /* NULL is fine */

/* Nothing is written where the last record of the path says the same. content: NULL: of a directory, a link, or COPY_NO_CONTENT. Times, owner and flags are the record's; the rest is filled in here.
 * -EFBIG: half of the limit is full: pack_turn(), and all is to be kept anew. -ENOSPC and others: of the disk. */
int pack_add(struct pack *p, struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs, const struct bytes *content);
/* The same of a regular file that has more than COPIES_FILE_MAX: the content of fd. A quarter of the limit is for these, a sixteenth for one of them
 * where blocks cannot be shared. -E2BIG: no room for it; -ESTALE: it is being written just now; others: as pack_add() */
int pack_add_large(struct pack *p, struct copy_record *record, struct bytes path, struct bytes xattrs, int fd, const struct stat *st);
/* The same of one whose content, that sum, is held elsewhere. 1: it is kept already, and is not to be held. */
int pack_add_held(struct pack *p, struct copy_record *record, struct bytes path, struct bytes xattrs, const unsigned char sha256[32], uint64_t size);
/* Such a content has come into pack_large_directory(), of what had that path. -EFBIG: there is no room any more. */
int pack_adopt(struct pack *p, struct bytes path, const unsigned char sha256[32], uint64_t size);
uint64_t pack_large_room(const struct pack *p);  /* bytes that one more may have */
uint64_t pack_large_share(const struct pack *p); /* more than that none may have */
int pack_large_directory(const struct pack *p);  /* lent */
int pack_turn(struct pack *p);
/* After something failed: whether there is room again. -errno: not yet */
int pack_probe(struct pack *p);
/* The generation before, where nothing was written to it since then. */
void pack_forget_old(struct pack *p, uint64_t before_ns);
/* Of what is there now: how many it has; has it that path? */
uint64_t pack_count(const struct pack *p);
bool pack_has(const struct pack *p, struct bytes path);
uint64_t pack_disk_bytes(const struct pack *p); /* of both generations */
uint64_t pack_first_ns(const struct pack *p);   /* CLOCK_REALTIME: when this generation began; 0: it has nothing */
int pack_directory(const struct pack *p);       /* lent */
/* Paths that were not handed to pack_add() since the last new round, though they have not gone. */
void pack_new_round(struct pack *p);
void pack_each_unseen(const struct pack *p, void *data, void (*each)(void *data, struct bytes path));

/* ---- reading: by anybody who may, also meanwhile ---- */

struct copies {
    struct arena arena;
    char *directory; /* owned */
    int packs[2]; /* the old one, this one; owned */
    struct copy *all; /* in the order of their writing, this generation's first; owned */
    size_t count, size;
    bool damaged; /* what follows a damaged record is not known */
};

/* Those at or below `path`, and what went above it. -ENOENT: no copies were ever kept there. */
int copies_read(const char *directory, struct bytes path, struct copies *ret, struct err *err);
void copies_done(struct copies *c);
/* False: of nothing at or below `path`, for which they were read, a copy was kept. */
bool copies_has(const struct copies *c, struct bytes path);
/* Of one with COPY_LARGE: a descriptor of it. The same errors as the next. */
int copies_open_large(const struct copies *c, const struct copy *copy);
/* Its content, which the caller frees; compared with its sum. -EBADMSG: it is another one; -ENODATA: it has none, or is large. */
int copies_content(const struct copies *c, const struct copy *copy, char **ret);

/* The directory of a record's file (NULL: the default one); caller frees. NULL: out of memory. */
char *copies_directory(const char *store_path);
