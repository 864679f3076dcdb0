/* SPDX-License-Identifier: MIT */
/*
 * The process that holds files which are not copied yet, and what it and the keeper say to each other. It has each open for reading, with a read lease:
 * whoever opens the file for writing, or truncates it, waits in the kernel until its content was copied; who reads does not. What was unlinked or replaced
 * it still has. It does nothing else, so that nobody waits for a walk or for a sum; a copy goes on in parts, and the smallest that somebody waits for is
 * first. When it is killed whoever waits goes on at once.
 */
#pragma once

#include <linux/capability.h>
#include <stdint.h>
#include <sys/stat.h>

#define HOLDING_CAPABILITIES (UINT64_C(1) << CAP_LEASE) /* of files of others */
/* Nobody waits for longer (2,000), nor for more than a quarter of fs.lease-break-time. For tests. */
extern unsigned holding_wait_ms;

enum holding_word {
    HOLDING_DIRECTORY, /* with its descriptor: where the copies are made; first */
    HOLDING_HOLD,      /* with the file's */
    HOLDING_TAKE,      /* it has gone from its place: copied now, though nobody waits */
    HOLDING_DROP,
    HOLDING_REACH,     /* it replies when it has done what was asked before, and nobody waits */
};

/* What it has to be when it is held. */
struct holding_state {
    uint64_t size;
    int64_t mtime_ns, ctime_ns;
};

struct holding_ask {
    uint64_t id; /* the keeper's, each once */
    struct holding_state state;
    uint32_t word;
    uint32_t copy; /* HOLDING_HOLD: 1: copied in any case, when nothing else is to be done */
};

enum holding_reply_word {
    HOLDING_REFUSED, /* not held; -EAGAIN: somebody has it open for writing; -ESTALE: it was changed */
    HOLDING_STAYS,   /* HOLDING_HOLD with copy: not copied, and held all the same */
    HOLDING_REACHED,
    HOLDING_ENDED,   /* not held any more; error 0: its content is in holding_name() */
};

struct holding_reply {
    uint64_t id;
    uint32_t word;
    int32_t error; /* -ETIME: somebody would have had to wait too long; -ESTALE: it was changed unseen; -errno: of the disk */
};

#define HOLDING_NAME_SIZE 32

/* Of a copy, in the directory: the keeper's from HOLDING_ENDED on. */
void holding_name(uint64_t id, char ret[HOLDING_NAME_SIZE]);
struct holding_state holding_state_of(const struct stat *st);

/* Ends when the other end of the socket does: whatever is held is let go. Does not return. */
_Noreturn void holding_run(int socket);
