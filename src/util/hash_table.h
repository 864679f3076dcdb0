/* SPDX-License-Identifier: MIT */
/*
 * uthash, where memory may run out: by itself it ends the process. What finds no room is not in the table; whoever adds
 * asks for that, and what was lost is counted where it is known. Nothing else includes <uthash.h> (tests/check_layers.sh).
 */
#pragma once

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* After HASH_ADD: did it find room? `hh` is the handle that it was added by. */
#define HASH_IS_IN(hh, element) ((element)->hh.tbl != NULL)

/* The same of an element that owns nothing: without room it is freed, and the variable is NULL. */
#define HASH_FREE_IF_OUT(hh, element)                                                                                  \
    do {                                                                                                               \
        if (!HASH_IS_IN(hh, element)) {                                                                                \
            free(element);                                                                                             \
            (element) = NULL;                                                                                          \
        }                                                                                                              \
    } while (0)
