/* SPDX-License-Identifier: MIT */
/*
 * A process that starts `culprit guard` for the daemon, which has given away what that needs by then. What it started ends with it and
 * with the daemon, however that ends; but for those that are to be kept: they go on when the daemon was killed, and the next daemon
 * finds them (guard_reach.h). Whatever was in force and is killed is begun anew. One message each way is one datagram.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"

#define GUARDS_MAX 64
#define GUARD_WORDS_MAX 16384 /* bytes of one command line, each word ended by a NUL */

enum guard_order_kind {
    GUARD_ORDER_BEGIN = 1,  /* one that is there by the same words gets this id, and its condition is reported */
    GUARD_ORDER_END,
    GUARD_ORDER_END_OTHERS, /* all that this daemon has not asked for */
    GUARD_ORDER_END_ALL,    /* those too that are to be kept */
};

struct guard_order {
    uint32_t kind; /* enum guard_order_kind */
    uint32_t id;
    uint32_t keep; /* BEGIN: it goes on when the daemon is killed */
    char words[GUARD_WORDS_MAX]; /* BEGIN: the words behind `culprit guard`; the datagram ends with them */
};

enum guard_condition {
    GUARD_STARTING,
    GUARD_IN_FORCE,  /* tested */
    GUARD_NOT_BEGUN, /* it cannot be, now */
    GUARD_OVER,      /* it was in force, and somebody or something has ended it */
    GUARD_LOST,      /* it was in force, and whoever held it was killed: it is begun anew */
    GUARD_HELLO,     /* the first report, of no guard. text: why no later daemon would find it; empty: it does */
};

struct guard_report {
    uint32_t id;
    uint32_t condition; /* enum guard_condition */
    uint64_t away_ns;   /* IN_FORCE: for so long nothing was refused before; 0: it was never lost */
    char text[512];     /* its own word, escaped */
};

/*
 * With one thread, and before privileges are given away. *ret_socket: SOCK_SEQPACKET, non-blocking; closing it ends all but those that
 * are kept. path: where a later daemon finds it; NULL: nowhere. The first report has come when it returns.
 */
int guard_starter_start(const char *path, int *ret_socket, struct err *err);
/* Does not wait. id, keep: of BEGIN and END; words: of BEGIN, else empty. -E2BIG: more than GUARD_WORDS_MAX; -errno: it does not take it. */
int guard_starter_order(int socket, enum guard_order_kind kind, uint32_t id, bool keep, struct bytes words);
/*
 * The one that an earlier daemon left there, in the same way. *ret_silent: it has not answered in five seconds (stopped, or the machine is
 * busy); its first report comes when it goes on. -EAGAIN: it is there, and is not to be had; -errno: there is none.
 */
int guard_starter_find(const char *path, int *ret_socket, bool *ret_silent);
