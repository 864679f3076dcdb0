/* SPDX-License-Identifier: MIT */
/*
 * Room on the disk that is kept for the moment in which there is none: to remove something, SQLite has to write first. A file beside the
 * store, of the store's owner alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ROOM_SIZE (8 << 20) /* more than the log may need in the file: see ROOM_LOG_PAGES, room_for_log() */
#define ROOM_LOG_PAGES 1500 /* of 4 KiB: so far SQLite's log may grow where this is kept */

/* Makes the file, or leaves it as it is. -ENOSPC: there is not room enough for it now; another -errno: this file system has no such files. */
int room_keep(const char *store_path);
/* Keeps a part (1: all) of what there is now instead, as much as ROOM_SIZE at most. */
void room_hold(const char *store_path, unsigned part);
void room_give_up(const char *store_path);
/* There is enough for the file, and as much again. */
bool room_is_enough(const char *store_path);
/* Bytes that the store's file may gain from SQLite's log and still be sure to get them, whatever else fills the disk. */
uint64_t room_for_log(const char *store_path);
