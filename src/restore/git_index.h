/* SPDX-License-Identifier: MIT */
/* What git's index has of a work tree, by what git prints. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

struct git_entry {
    struct bytes path;  /* below the tree's top; no ".", ".." or ".git" in it */
    struct bytes oid;   /* hexadecimal, 40 or 64 */
    uint32_t mode;      /* 0100644, 0100755, 0120000 */
    bool left_out;      /* of another commit (a submodule), in conflict, or not checked out: sparse */
};

/* The next entry of "ls-files -t -s -z", which moves on. 0: there is none; -EBADMSG: git does not print such. */
int git_next_entry(struct bytes *text, struct git_entry *ret);
/* May a file be put there? */
bool git_path_is_safe(struct bytes path);

/* The next answer of "cat-file --batch", which moves on: false: it is not all there. known: git has it, as a file's content. */
bool git_next_blob(struct bytes *text, struct bytes *ret_oid, bool *ret_known, struct bytes *ret_content);
/* Is that the content of that name? */
bool git_blob_is(struct bytes content, struct bytes oid);
/* The name of what can be read of `fd`, in hexadecimal, oid_len bytes of it. */
int git_name_file(int fd, size_t oid_len, char ret[65]);
