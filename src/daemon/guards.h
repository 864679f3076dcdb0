/* SPDX-License-Identifier: MIT */
/* Guards of the configuration's watches: each target's is a `culprit guard` of its own, which ends with the daemon. One thread. */
#pragma once

#include <sys/types.h>

#include "config/config.h"
#include "util/log.h"

struct guards;

struct guards_options {
    const struct log *log;
    const char *runtime_dir; /* where those that are kept are found again. Borrowed */
    const char *control; /* the daemon's socket, by which it observes for its guards; NULL: the usual one. Borrowed */
    void *data;
    void (*notice)(void *data, const char *text); /* one line for people */
    void (*own)(void *data, pid_t pid, bool parent); /* its own process: who starts guards (parent), or holds one */
    void (*flags)(void *data, struct bytes target); /* they set or take away flags; BYTES_NULL: of a target that is not known. Borrowed */
    /* Once for each reason, and each time that one was lost: it is not guarded though it should be. what: one matter each. */
    void (*failing)(void *data, const char *what, const char *text);
};

/*
 * Where a watch of the configuration has `guard`, on or off, or a daemon that was killed left guards that are kept; else NULL, and 0. With
 * one thread, and before privileges are given away.
 */
int guards_start(const struct guards_options *options, const struct config *c, struct guards **ret, struct err *err);
/*
 * Those of this configuration from now on: what is guarded by the same words goes on; what somebody ended begins anew. guards NULL: a
 * guard that is asked for counts from the next start on, and that is said; true: there is one.
 */
bool guards_configure(struct guards *g, const struct config *c, const struct log *log);
int guards_fd(const struct guards *g); /* readable: guards_read() */
void guards_read(struct guards *g);
/* Each time the loop has done what there was: what could not be guarded is tried again now and then. */
void guards_idle(struct guards *g);
/* Of a target as the configuration has it: "guarded ...", "not guarded: ..."; NULL: none is asked for. Valid until the next call of any. */
const char *guards_words(const struct guards *g, struct bytes target);
/* The daemon ends as it is to: all end, those that are kept too. NULL is fine. */
void guards_end(struct guards *g);
/* All end but those that are kept: another daemon is to come. NULL is fine. */
void guards_free(struct guards *g);
