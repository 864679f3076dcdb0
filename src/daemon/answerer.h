/* SPDX-License-Identifier: MIT */
/*
 * Who may look, and may not read the record, gets answers from it by this: a process that is forked at the daemon's start, before there
 * are threads and before privileges are given away. It reads nothing itself. For each question it forks two: one that hands on what comes
 * out, with bounds on time, and one that answers. That one opens the record, becomes the asker by user and groups, without any capability,
 * and only then looks at the question: whatever else it reads, it reads as the asker could.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

struct answer_question {
    const char *directory; /* where the asker is */
    char **environment;    /* NAME=value as the asker has them, not checked; ended by NULL */
    int argc;
    char **argv;           /* argv[0]: the verb; ended by NULL */
    unsigned columns;      /* of the asker's terminal; 0: it is none */
    bool colour;
};

struct answerer_options {
    const char *store;
    void *(*open)(const char *store); /* as root: what answer() gets */
    /* As the asker, in a process of its own: prints to stdout and stderr. The exit status. */
    int (*answer)(void *opened, const char *store, const struct answer_question *question);
};

/* One question as it goes to that process begins with this. */
struct asker_head {
    uid_t uid;
    gid_t gid;
    unsigned groups, environment, words, columns, colour;
}; /* then the groups, then texts that end in a NUL each: directory, environment, words */

#define ANSWER_MAX (96 * 1024) /* bytes of a question */
#define ANSWER_GROUPS_MAX 1024
#define ANSWER_WORDS_MAX 512
#define ANSWER_PIECE (32 * 1024)

/* What comes back by the question's socket, a packet each: its first byte says what the others are. */
enum answer_packet {
    ANSWER_OUTPUT = 'o',
    ANSWER_ERRORS = 'e',
    ANSWER_STATUS = 's', /* a byte: the exit status; nothing follows */
    ANSWER_CUT = 'x',    /* text: why there is no more; nothing follows */
};

/* One thread; root. *ret_socket: SOCK_SEQPACKET; a question is a packet with one descriptor, by which its packets come. Closing
 * either ends what goes on behind it. */
int answerer_start(const struct answerer_options *options, int *ret_socket, struct err *err);
