/* SPDX-License-Identifier: MIT */
/* What statx(2) says as a file_state. */
#pragma once

#include "event/event.h"

struct statx;

/* ret->known says what the file system gave: the time of birth and the flags, not everywhere. No extended attributes. */
void tree_state_of_statx(const struct statx *stx, struct file_state *ret);

/* statx() of name in fd (NULL: of fd itself) as a file_state. Nothing is followed. */
int tree_stat(int fd, const char *name, struct file_state *ret);
/* The same of a descriptor's object, as the kernel knows it: a file system of another machine or of a program (NFS, FUSE) is not asked, so
 * that attributes may be older ones there. */
int tree_stat_known(int fd, struct file_state *ret);
/* When that was made, ns of CLOCK_REALTIME; 0: it is gone, or the file system does not say. */
uint64_t tree_birth(int fd, const char *name);

/*
 * A digest of the time of birth, 0 where that is not known: enough to distinguish two files that had one inode's number
 * after each other. Only of file systems on a device: an overlay's file is born again when it is copied up, and others
 * (btrfs, tmpfs) do not give a number twice.
 */
uint16_t tree_born(const struct file_state *s);
/* Both are known, and the file is another one. */
bool tree_born_differs(uint16_t born, const struct file_state *s);
