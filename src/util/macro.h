/* SPDX-License-Identifier: MIT */
/* Small language helpers: array size, ownership transfer, attributes. */
#pragma once

#include <stddef.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The value of `p`, which is NULL afterwards: ownership has moved. */
#define TAKE_PTR(p)                                                                               \
    ({                                                                                             \
        __typeof__(p) *take_at_ = &(p);                                                            \
        __typeof__(p) take_value_ = *take_at_;                                                     \
        *take_at_ = NULL;                                                                          \
        take_value_;                                                                               \
    })

/* The descriptor in `fd`, which is -EBADF afterwards. */
#define TAKE_FD(fd)                                                                               \
    ({                                                                                             \
        int *take_at_ = &(fd);                                                                     \
        int take_value_ = *take_at_;                                                               \
        *take_at_ = -9;                                                                            \
        take_value_;                                                                               \
    })

#define _printf_(f, a) __attribute__((format(printf, f, a)))
#define _cleanup_(f) __attribute__((cleanup(f)))

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
