/* SPDX-License-Identifier: MIT */
/*
 * What asks the kernel for the events of a watched path: marks on the directories on the way to it, on the one that holds
 * it, and on those below; or on a whole file system, where all of it is watched. Marks that nobody needs any more stay.
 */
#pragma once

#include "sensor/fanotify/state.h"

/* A directory of the index, before it is listed: for tree_options.directory, data is the object. 0: marked, or the file
 * system takes no marks, which is noted in o->unmarked or counted in lost_paths; 1: marked, and the mark of its file system
 * has reported what appears in it since before it was looked at; -errno. */
int fanotify_marks_directory(void *data, int fd, uint32_t directory);
/* Its number is given up: for tree_options.forget. */
void fanotify_marks_forget(void *data, uint32_t directory);
/* The directory that holds the path: the root of the index. -EOPNOTSUPP, -ENODEV, -EXDEV: it takes no marks. */
int fanotify_marks_parent(struct fanotify_object *o, int fd);
/* A file is seen through the directory that holds it: so is what may become one. */
void fanotify_marks_children(struct fanotify_object *o, int fd);
/* The next directory on the way to the path, from the root on: it may be moved, and the path with it. */
void fanotify_marks_way(struct fanotify_object *o, int fd);
/* A component of the path is not there: its appearing in that directory is asked for. */
void fanotify_marks_awaited(const struct fanotify_object *o, int fd);
