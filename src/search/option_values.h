/* SPDX-License-Identifier: MIT */
/* What each option of `culprit search` does with its argument; the table of them is options.c's. */
#pragma once

#include <stddef.h>
#include <time.h>

#include "search/query.h"
#include "util/err.h"

struct search_parsing {
    int argc;
    char **argv;
    int index; /* of the word that is being taken; an option of several words moves it on */
    time_t now;
    double uptime_s;
    struct search_options *o;
    bool format_chosen;
};

/*
 * `text`: the argument, kept by the query as it is; NULL where the option has none. `at`: the offset of the member in
 * struct search_options, for search_take_flag() (bool) and search_take_text() (const char *). 0; -EINVAL with what is
 * wrong in err.
 */
typedef int search_take_fn(struct search_parsing *p, const char *text, size_t at, struct err *err);

search_take_fn search_take_architecture, search_take_call, search_take_context, search_take_egid, search_take_end,
    search_take_escape, search_take_euid, search_take_event, search_take_exit_code, search_take_file,
    search_take_flag, search_take_format, search_take_gid, search_take_gid_all, search_take_inode,
    search_take_input, search_take_interpret, search_take_key, search_take_loginuid, search_take_message_types,
    search_take_node, search_take_operations, search_take_pid, search_take_ppid, search_take_raw,
    search_take_session, search_take_start, search_take_success, search_take_text, search_take_timeout,
    search_take_uid, search_take_uid_all;

/* A word that is no option: a log. */
int search_take_operand(struct search_parsing *p, const char *text, struct err *err);
