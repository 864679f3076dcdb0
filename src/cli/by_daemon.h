/* SPDX-License-Identifier: MIT */
/* who, search --store and diff where the store is not ours to read: the daemon answers members of the group culprit (cli/members.h). */
#pragma once

#include "store/store.h"

/* What a process that answers somebody has opened already. */
struct given_store {
    struct store *store;
    struct err err;
    int opened; /* as store_open() returned it */
};

struct daemon_question {
    const struct given_store *given; /* NULL: it is opened here */
    const char *verb;
    int argc; /* argv[0]: the verb */
    char **argv;
    const char *control; /* NULL: the usual socket */
};

/* Opens it to be read. 0 and *ret_store; 1: the daemon has answered instead, *ret_status is the exit status; -errno of store_open(), with
 * who could. */
int by_daemon_open_store(const struct store_options *options, const struct daemon_question *question, struct store **ret_store,
                         int *ret_status, struct err *err);

/* The names of what of the asker's environment an answer depends on; NULL past the end. */
const char *by_daemon_environment(unsigned index);
