/* SPDX-License-Identifier: MIT */
/* How two trees are compared, and who receives the differences. */
#pragma once

#include <stdbool.h>

#include "event/difference.h"

struct compare_options {
    bool times;  /* modification times too */
    bool hashes; /* of every file that is emitted, not only where contents differ */
    void *data;
    /* Takes over the difference. Non-zero stops, and is returned. */
    int (*each)(void *data, struct difference *d);
    /* A part that is not compared: one line for people, escaped. */
    void (*notice)(void *data, const char *text);
    /* Called for each name and each block that was read; NULL: nobody wants to know. */
    void (*alive)(void *data);
};
