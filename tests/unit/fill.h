/* SPDX-License-Identifier: MIT */
/* Records as the store's tests need them: with something in each member. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "event/event.h"
#include "store/fields.h"

/* Every member that a table names gets a value of its own, so that two that are mixed up show. */
static inline void fill_fields(const struct field *fields, struct arena *arena, void *record, unsigned seed)
{
    for (const struct field *f = fields; f->column; f++, seed += 7) {
        void *at = (char *)record + f->offset;
        struct file_state *state = at;
        char text[64];

        switch (f->type) {
        case FIELD_BOOL:
            *(bool *)at = true;
            break;
        case FIELD_I32:
            *(int *)at = -(int)seed;
            break;
        case FIELD_U32:
            *(uint32_t *)at = UINT32_MAX - seed;
            break;
        case FIELD_I64:
            *(int64_t *)at = -(int64_t)seed * 1000000000000;
            break;
        case FIELD_U64:
            *(uint64_t *)at = UINT64_MAX / 2 - seed;
            break;
        case FIELD_BYTES:
            *(struct bytes *)at = arena_copy(
                arena, (struct bytes){ text, (size_t)snprintf(text, sizeof(text), "%s\xff\n%c", f->column, 0) });
            break;
        case FIELD_ID:
            memset(at, (int)seed, 16);
            break;
        case FIELD_STATE:
            *state = (struct file_state){ .known = 2047, .mode = seed, .uid = seed + 1, .gid = UID_UNKNOWN,
                                          .links = seed + 2, .flags = seed + 3, .size = UINT64_MAX,
                                          .inode = seed + 4, .device = seed + 5, .mtime_ns = -1,
                                          .atime_ns = seed + 6, .ctime_ns = INT64_MIN,
                                          .owner = state->owner, .group = state->group };
            break;
        }
    }
}
