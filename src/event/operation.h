/* SPDX-License-Identifier: MIT */
/* The table of operations: one row each, looped over by help, ECS output, doctor and tests. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "wire/operation.h"

/* auditctl's permissions, as -p has them */
enum permission {
    PERMISSION_READ = 1 << 0,
    PERMISSION_WRITE = 1 << 1,
    PERMISSION_EXEC = 1 << 2,
    PERMISSION_ATTR = 1 << 3,
};

struct operation_info {
    const char *name;     /* event.action, and the word in text output */
    unsigned permission;  /* the -p letter that asks for it */
    const char *ecs_type; /* event.type: deletion, creation, change, access */
    const char *past;     /* "deleted", "changed the mode of": for sentences */
};

/* Never NULL: unknown numbers give the row "unknown". */
const struct operation_info *operation_info(enum operation operation);
/* OPERATION_NONE if there is no such name. */
enum operation operation_by_name(struct bytes name);
/* True if a name goes away by it: unlink, rmdir, replace; a rename takes the old name away. */
bool operation_removes(enum operation operation);
/* True if `error` (an errno) tells that somebody was not allowed to do something, or could not for lack of room;
 * false for what only means that there was nothing to do, or that it was to be asked for in another way (ENOENT,
 * EEXIST, EINVAL of a rename with flags that the file system does not have ...). */
bool operation_error_is_refusal(int error);
