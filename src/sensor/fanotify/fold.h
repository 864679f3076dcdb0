/* SPDX-License-Identifier: MIT */
/* What is emitted, in order; observations of an upper layer wait for the overlay's. */
#pragma once

#include "sensor/fanotify/state.h"

struct fanotify_fold *fanotify_fold_new(void);   /* NULL: out of memory. One a sensor, in its thread */
void fanotify_fold_free(struct fanotify_fold *f); /* what waits is freed, not emitted; NULL is fine */
/* Takes over the event: delivered in its turn, or freed if the other view of its overlay has reported the change. */
void fanotify_fold_add(struct fanotify_object *o, struct event *e, const struct fanotify_cause *cause);
/* Deliver what need not wait any longer. */
void fanotify_fold_flush(struct sensor *s, bool all);
void fanotify_fold_emptied(struct sensor *s); /* the kernel's queue has been read to its end */
bool fanotify_fold_waits(const struct sensor *s);
/* An overlay goes: what it reported and is not delivered yet is emitted in terms of the layer behind it. */
void fanotify_fold_hand_over(struct fanotify_object *from, const struct fanotify_object *to);
