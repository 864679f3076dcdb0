/* SPDX-License-Identifier: MIT */
/* How far an audit log was imported. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/bytes.h"

/* How far an audit log was imported: written in order with the events, so that what it says is there.
 * A log is known by its file and by how it begins, never by its name. */
struct store_imported {
    uint64_t device, inode;
    struct bytes head; /* its first bytes */
    uint64_t offset;   /* decoded bytes whose events are in the store */
    struct bytes tail; /* those before the offset; BYTES_NULL = not kept (compressed) */
    uint64_t size;     /* of the file, then */
    bool complete;     /* read to its end */
};
