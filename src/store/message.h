/* SPDX-License-Identifier: MIT */
/*
 * What goes from the pipeline's thread to the writer's: bytes, so that no record is shared between
 * threads. A message is kind, length, and what fields.h packs. Processes and containers are sent once
 * and named by a slot from then on; a slot that is sent again stands for the new one.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/bytes.h"

#define MESSAGE_MALFORMED (-EPROTO) /* returned for a message that is not as below: our own mistake, it can never be written */
#define MESSAGE_SLOTS 4096 /* of each kind; 0 = none, so that slots count from 1 */

enum message_kind {
    MESSAGE_CONTAINER = 1,  /* slot, fields */
    MESSAGE_PROCESS,        /* slot, slot of the parent, slot of the container, slot of what it was before, fields */
    MESSAGE_EVENT,          /* slots of actor and victim, what differs from the event before (delta.h) */
    MESSAGE_EVENT_ONCE,     /* the same, of an event that no log will bring again */
    MESSAGE_LIFE,           /* slot of the container, time, kind, exit code, previous name */
    MESSAGE_GAP,
    MESSAGE_COVERAGE,       /* number in this run, sensors, from, watch, not seen, machine, what narrows */
    MESSAGE_COVERAGE_PLACE, /* number, a struct coverage_place */
    MESSAGE_COVERAGE_END,   /* number, to */
    MESSAGE_IMPORTED,       /* device, inode, offset, size, complete, head, tail */
};

/* Takes the first of them; false: there is none. */
static inline bool message_next(struct bytes *messages, enum message_kind *ret_kind, struct bytes *ret)
{
    uint32_t length;

    if (messages->len <= 1 + sizeof(length))
        return false;
    memcpy(&length, messages->data + 1, sizeof(length));
    if (length > messages->len - 1 - sizeof(length))
        return false;
    *ret_kind = (enum message_kind)messages->data[0];
    *ret = (struct bytes){ messages->data + 1 + sizeof(length), length };
    *messages = (struct bytes){ ret->data + length, messages->len - 1 - sizeof(length) - length };
    return true;
}
