/* SPDX-License-Identifier: MIT */
/* The table of operations: one row each, looped over by help, ECS output, doctor and tests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/sbuf.h"
#include "wire/operation.h"

/* auditctl's permissions, as -p has them */
enum permission {
    PERMISSION_READ = 1 << 0,
    PERMISSION_WRITE = 1 << 1,
    PERMISSION_EXEC = 1 << 2,
    PERMISSION_ATTR = 1 << 3,
};

/* Letters of r, w, x and a, in any order. -EINVAL: *ret_unknown is the letter that is none, 0 where there is no letter at all. */
int permissions_parse(struct bytes text, unsigned *ret, char *ret_unknown);
/* The letters in auditctl's order, "rwxa", into `ret`: 5 bytes at least. Returns ret. */
const char *permissions_text(unsigned permissions, char ret[5]);

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
/* A word that people use, and what it stands for; rows beyond the end have no name. */
struct operation_group {
    const char *name;
    uint64_t operations; /* bit 1 << enum operation */
};
const struct operation_group *operation_group(unsigned index);
/*
 * Operations and groups by name, separated by commas ("delete,chmod"). A word is the group where both are so called.
 * -EINVAL: *ret_unknown is the word that is neither, empty where there is no word at all.
 */
int operation_list_parse(struct bytes list, uint64_t *ret, struct bytes *ret_unknown);
/* What to say of it: the word that is none, what is near, and all that there is. */
void operation_list_refuse(struct bytes word, struct sbuf *out);
/* True if a name goes away by it: unlink, rmdir, replace; a rename takes the old name away. */
bool operation_removes(enum operation operation);
/* True if `error` (an errno) says that somebody was not allowed to do something, or could not for lack of room;
 * false for what only means that there was nothing to do, or that it was to be asked for in another way (ENOENT,
 * EEXIST, EINVAL of a rename with flags that the file system does not have ...). */
bool operation_error_is_refusal(int error);
