/* SPDX-License-Identifier: MIT */
/*
 * One option of the command line, as people see it: help, the completions of the shells and the tests read these
 * rows. Who parses it keeps what it does beside the row. All strings are constants.
 */
#pragma once

/* What a shell offers for an argument. */
enum completion {
    COMPLETE_NOTHING, /* a number, a time, a text of the user's own */
    COMPLETE_WORDS,   /* one of `words` */
    COMPLETE_LIST,    /* some of `words`, separated by commas */
    COMPLETE_FILE,
    COMPLETE_USER,
    COMPLETE_GROUP,
    COMPLETE_PROGRAM,
    COMPLETE_COMMAND,    /* a program with its own arguments: the rest of the line */
    COMPLETE_OPERATIONS, /* a list as operation_list_parse() takes it */
    COMPLETE_CONTAINER,
    COMPLETE_TARGET, /* [CONTAINER:]PATH */
};

struct option_row {
    const char *letter; /* "-p", of ausearch's also "-if"; NULL: there is none */
    const char *name;   /* "--permissions"; NULL: there is none */
    const char *argument; /* its name in help; NULL: the option takes none */
    enum completion completion;
    const char *words; /* separated by spaces; NULL, but for COMPLETE_WORDS and COMPLETE_LIST */
    const char *help;  /* one line of any length, wrapped where it is shown */
};
