/* SPDX-License-Identifier: MIT */
#include "cli/members.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/by_daemon.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "search/options.h"
#include "util/macro.h"

#define VALUE_MAX 64

static int refuse(const char *what, const char *why)
{
    cli_error("%s %s", what, why);
    return EXIT_UNABLE;
}

#define ROOTS_OWN "is for root: of the record alone the daemon answers members of the group culprit"

/* Options that look at nothing but the record. */
static bool is_of_the_record(enum option_id id)
{
    static const enum option_id fine[] = { OPTION_BY,    OPTION_CAUSE, OPTION_CONTAINER, OPTION_CONTROL, OPTION_EXCLUDE, OPTION_FORMAT,
                                           OPTION_LIMIT, OPTION_OP,    OPTION_PROGRAM,   OPTION_QUIET,   OPTION_SINCE,   OPTION_SORT,
                                           OPTION_TIMES, OPTION_TOP,   OPTION_UNTIL,     OPTION_USER,    OPTION_VERBOSE };

    for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
        if (fine[i] == id)
            return true;
    return false;
}

/* 0, or the exit status after having said what is refused. */
static int check_options(const struct verb *verb, int argc, char **argv, const char *store)
{
    const struct cli_option *option;
    struct option_parser parser;
    bool has_time = false;
    int next;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        has_time |= option->id == OPTION_SINCE || option->id == OPTION_UNTIL;
        if (is_of_the_record(option->id) || (option->id == OPTION_STORE && strcmp(optarg, store) == 0))
            continue;
        return refuse(option->row.name ? option->row.name : option->row.letter, ROOTS_OWN);
    }
    return verb->bit == VERB_DIFF && !has_time ? refuse("diff without --since", ROOTS_OWN) : 0;
}

static int check_search(int argc, char **argv, const char *store)
{
    struct search_options o;
    struct err err = ERR_INIT;

    (void)setlocale(LC_ALL, ""); /* dates are the locale's: what is checked is what the command takes it for */
    if (search_options_parse(argc, argv, time(NULL), 0, &o, &err) < 0) {
        cli_error("search: %s (`culprit search --help` lists the options)", err_text(&err, -EINVAL));
        return EXIT_USAGE; /* what cannot be checked is not run */
    }
    if (o.input_count || o.input_logs)
        return refuse("a log", ROOTS_OWN);
    if (o.checkpoint || o.query.start_is_checkpoint)
        return refuse("--checkpoint", ROOTS_OWN);
    return o.store && strcmp(o.store, store) == 0 ? 0 : refuse("another store", ROOTS_OWN);
}

static bool is_plain(const char *value)
{
    return strlen(value) <= VALUE_MAX && strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:@+-/<>") == strlen(value);
}

static void take_environment(char *const *of)
{
    const char *name;

    (void)clearenv();
    for (; *of; of++)
        for (unsigned i = 0; (name = by_daemon_environment(i)); i++) {
            size_t len = strlen(name);

            if (strncmp(*of, name, len) == 0 && (*of)[len] == '=' && is_plain(*of + len + 1))
                (void)setenv(name, *of + len + 1, 1);
        }
    tzset();
}

static void take_terminal(const struct answer_question *q)
{
    char columns[16];

    snprintf(columns, sizeof(columns), "%u", q->columns);
    (void)setenv(CLI_COLUMNS, columns, 1);
    (void)setenv(CLI_COLOUR, q->colour ? "1" : "", 1);
}

void *members_open(const char *store)
{
    struct store_options options = { .path = store, .spool_directory = STORE_SPOOL_DIRECTORY, .read_only = true, .log = &cli_log };
    struct given_store *given = calloc(1, sizeof(*given));

    if (given)
        given->opened = store_open(&options, &given->store, &given->err);
    return given;
}

int members_answer(void *opened, const char *store, const struct answer_question *q)
{
    static const struct {
        const char *name;
        int (*run)(const struct given_store *given, int argc, char **argv);
    } commands[] = { { "who", who_given }, { "search", search_given }, { "diff", diff_given } };
    const struct verb *verb = verb_by_name(q->argv[0]);
    char *argv[ANSWER_WORDS_MAX + 3] = { q->argv[0] };
    int argc = 1, r;

    if (!opened) {
        cli_error("out of memory");
        return EXIT_UNABLE;
    }
    take_environment(q->environment);
    take_terminal(q);
    if (chdir(q->directory) < 0) {
        cli_error("the working directory, as the daemon finds it: %s", strerror(errno));
        return EXIT_UNABLE;
    }
    if (strcmp(store, STORE_DEFAULT_PATH) != 0) {
        argv[argc++] = (char *)"--store";
        argv[argc++] = (char *)store;
    }
    memcpy(argv + argc, q->argv + 1, (size_t)q->argc * sizeof(*argv)); /* with the NULL at the end */
    argc += q->argc - 1;
    r = verb && verb->bit == VERB_SEARCH ? check_search(argc, argv, store) : verb ? check_options(verb, argc, argv, store) : EXIT_USAGE;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, argv[0]) == 0) {
            r = commands[i].run(opened, argc, argv);
            (void)fflush(stdout);
            return r;
        }
    return r ? r : EXIT_USAGE;
}
