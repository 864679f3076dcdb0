/* SPDX-License-Identifier: MIT */
/*
 * The index of a watched tree: which object has which names, and how each object last looked.
 * Objects are known by (device, inode), so that a directory that moves takes everything below it
 * along with one update, and the path of a directory is found by its identity. One thread.
 *
 * Two kinds of numbers: an `object` (an inode) and a `name` (one directory entry of an object; hard
 * links give an object several). 0 is never valid. A number is good until what it stands for is
 * removed; it may then be used again.
 *
 * Some 25 to 40 bytes a file with a name of 13 bytes, tables included: the less, the more its neighbours resemble it
 * (bench/bounds.sh).
 */
#pragma once

#include "sensor/tree/ask.h"
#include "sensor/tree/change.h"
#include "sensor/tree/look.h"
#include "sensor/tree/open_directory.h"
#include "sensor/tree/options.h"
#include "sensor/tree/statx.h"
#include "sensor/tree/walk.h"
#include "util/err.h"

/* An empty index. options: copied; what they point to is borrowed until tree_free(). -ENOMEM. */
int tree_new(const struct tree_options *options, struct tree **ret, struct err *err);
void tree_free(struct tree *t); /* NULL is fine */
