/* SPDX-License-Identifier: MIT */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* Room for one more in an array on the heap, which doubles where it is full; `first` of them at first. 0; -ENOMEM: all is as it was.
 * all, size: variables; `all` is freed by the caller. */
#define ARRAY_ROOM(all, count, size, first) \
    ({ \
        size_t more_ = (size) ? (size) * 2 : (first); \
        void *grown_ = (count) < (size) ? NULL : reallocarray((all), more_, sizeof(*(all))); \
        if (grown_) { \
            (all) = grown_; \
            (size) = more_; \
        } \
        (count) < (size) ? 0 : -ENOMEM; \
    })
