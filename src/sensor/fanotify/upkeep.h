/* SPDX-License-Identifier: MIT */
/* What is looked at again and again, because no event reports it: listing, mounts, what is at the paths, what was lost. */
#pragma once

#include "sensor/fanotify/state.h"

/* Ends the object; what was waiting to be emitted of it is forgotten. */
void fanotify_upkeep_remove(struct sensor *s, struct fanotify_object *o);

/* There may be something to list: the sensor's descriptor is readable while there is. */
void fanotify_upkeep_begin_listing(struct sensor *s);
/* A piece of it. */
void fanotify_upkeep_list(struct sensor *s);
uint64_t fanotify_upkeep_files(const struct sensor *s); /* that have been looked at */

/* Was something mounted or unmounted at the path, above or below it, since the last look? Then it is to be rechecked, and
 * that is a gap. table: the text of our mountinfo; NULL: it is read. */
bool fanotify_upkeep_was_mounted(struct sensor *s, struct fanotify_object *o, const struct sbuf *table);
/* all: also of the objects that are not looked at in this moment. */
void fanotify_upkeep_emit_losses(struct sensor *s, bool all);
/* What is due. empty: the kernel's queue has been read to its end. */
void fanotify_upkeep(struct sensor *s, bool empty);
