/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to somebody who may not read it: a pager that waits, a pipe whose reader is stopped. What the reader does not take is kept,
 * so that whoever observes goes on; only where it becomes too much does anybody wait for the reader.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/sbuf.h"

struct outlet {
    int fd;
    int signal_fd;                 /* readable when `hurry` is to be asked */
    bool (*hurry)(void *data);     /* takes the signals; true: end, whether he reads or not */
    void *data;
    size_t piece;                  /* so much can be written where there is room for something */
    struct sbuf text;
    size_t at;                     /* of it, what he has got */
    bool stalled;                  /* he took nothing when he was looked at last */
    bool given_up;                 /* in a hurry he was waited for in vain: once is enough */
    bool failed;                   /* nobody is there any more: nothing is kept */
    uint64_t dropped;              /* bytes that were not kept */
};

/* fd and signal_fd: borrowed, as data, until outlet_done(), which frees the text alone. Cannot fail. */
void outlet_init(struct outlet *o, int fd, int signal_fd, bool (*hurry)(void *data), void *data);
/* Writes what he takes; `text` is empty then. */
void outlet_write(struct outlet *o, struct sbuf *text);
/* All of it. False: in a hurry, and he does not read; what is left is dropped. */
bool outlet_finish(struct outlet *o);
void outlet_done(struct outlet *o);
