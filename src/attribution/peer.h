/* SPDX-License-Identifier: MIT */
/*
 * Where an sshd's connection comes from, by its own socket: the kernel's word. Read by a worker (foreign/foreign.h).
 */
#pragma once

#include "foreign/foreign.h"

/* The address of the one peer that the process is connected to by TCP; asked about as in asked.h. -ENOENT: none, or several. */
extern const struct foreign_job peer_job;

/* Pure. tables: text of /proc/net/tcp or tcp6, one behind the other. sockets: "socket:[INODE]", each ended by a NUL. The address of
 * the one peer of these that are connected, in `buffer`; BYTES_NULL: none, or several. */
#define PEER_ADDRESS 64
struct bytes peer_find(struct bytes tables, struct bytes sockets, char buffer[PEER_ADDRESS]);
