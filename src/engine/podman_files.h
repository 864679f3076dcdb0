/* SPDX-License-Identifier: MIT */
/*
 * What Podman keeps in a storage, asked of a worker: a storage is its user's to write, and may lie on a file
 * system that never answers. Requests are words, each ended by NUL.
 */
#pragma once

#include "foreign/foreign.h"

/* Directories of records ("PATH/overlay-containers"), and an inotify lent: those that are there, each with the
 * watch that was added. Answer: (bytes path, u64 watch)... Each is looked at by itself: one that does not answer
 * within 200 ms is left out. */
extern const struct foreign_job podman_storages_job;

/* STORAGE, DIRECTORY, MODE, WORD: the records of a storage. Answer: (container, bytes layer)...
 * MODE "all": with what the database says; "names": without; "word": those that hold that name or id */
extern const struct foreign_job podman_records_job;

/* STORAGE, DIRECTORY, ID, LAYER: one container's configuration and lower layers. Answer: a view without upper */
extern const struct foreign_job podman_container_job;

/* STORAGE, NAME: a volume's files. Answer: its path */
extern const struct foreign_job podman_volume_job;
