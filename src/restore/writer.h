/* SPDX-License-Identifier: MIT */
/* Puts items of an image into a container, running or not, and into its volumes. */
#pragma once

#include "engine/layers.h"
#include "engine/view.h"
#include "restore/item.h"
#include "restore/put.h"

#define WRITER_ROOTS 64 /* volumes of one container that something is put into */

struct restore_writer {
    const struct container_view *view; /* borrowed */
    const struct held_files *held; /* by guards; borrowed; NULL: none is */
    struct layers image;               /* what it is taken from */
    struct layers own;                 /* the container's, if it does not run: what is to be seen at last */
    struct {
        int fd;
        struct bytes at; /* in the container */
        bool upper;      /* a layer that is not mounted */
    } roots[WRITER_ROOTS];
    size_t root_count;
};

/* Opens the layers and the container's root. -ESRCH, -EXDEV, -EBUSY, -ENOENT: err says why nothing can be written. */
int restore_writer_open(const struct container_view *view, struct restore_writer *ret, struct err *err);
void restore_writer_done(struct restore_writer *w);

/* Sets the item's outcome and what it was given. */
void restore_writer_put(struct restore_writer *w, struct restore_item *item);
/* Once nothing is put below it any more: the directory's times and flags. made: it was put there itself. */
int restore_writer_finish_directory(struct restore_writer *w, struct bytes path, bool made, unsigned *given);
