/* SPDX-License-Identifier: MIT */
/* What the commands share: exit codes, messages to people, what the terminal is like. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/verbs.h"
#include "daemon/pipeline.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

/* contract.md */
enum exit_code {
    EXIT_ANSWERED = 0,
    EXIT_NOTHING = 1,
    EXIT_USAGE = 2,
    EXIT_UNABLE = 3, /* not permitted, no sensor works here, a store that cannot be used */
    EXIT_LOST = 4,   /* answered, but events were lost */
};

/* One line on stderr: "culprit: ...". */
void cli_error(const char *format, ...) _printf_(1, 2);
void cli_note(const char *format, ...) _printf_(1, 2);
/* Our own text that quotes paths and names. What is escaped already stays as it is: a backslash is not doubled. */
void cli_add_visible(struct sbuf *out, struct bytes text);
void cli_warn(const char *format, ...) _printf_(1, 2);
/* The error line, then how to get help; EXIT_USAGE. */
int cli_usage_error(const struct verb *verb, const char *format, ...) _printf_(2, 3);
/* What is no target is wrong usage, whatever rights one has. 0 or EXIT_USAGE, after having said why. */
int cli_check_targets(const struct verb *verb, char *const *targets, size_t count);
/* Before a file that the user names is looked at: a hanging file system is an error, not a process that nobody can end.
 * "-" answers always. -ETIMEDOUT. */
int cli_check_answers(const char *path, struct err *err);
struct target;
int cli_check_target_answers(const struct target *target, struct err *err); /* of the host's paths */
void cli_print_help(const struct verb *verb);
/* EXIT_USAGE for what is no argument or is not there, else EXIT_UNABLE: missing rights or sensors, damage, what failed.
 * Never EXIT_NOTHING: scripts take that for an answer. */
int cli_exit_code(int r);

/* Levels above info to stderr as "culprit: text"; equal neighbours are printed once. */
extern const struct log cli_log;
/* Of the process: set once, while its arguments are read, and heeded by whatever is logged, also before there is anything to hand on. */
extern bool cli_debug;
extern bool cli_priorities; /* stderr is the journal: each line begins with its priority, "<4>" (sd-daemon(3)) */

#define CLI_CONTROL_SOCKET "/run/culprit/control"

enum format { FORMAT_TEXT, FORMAT_JSON };

/* DOCKER_HOST as the docker client reads it, if it is a unix socket: the others are not on this machine. NULL */
const char *cli_docker_socket(void);

/* Colour, width and time zone of stdout. Whoever answers for somebody at another end has his terminal in the environment. */
#define CLI_COLUMNS "CULPRIT_COLUMNS" /* 0: no terminal */
#define CLI_COLOUR "CULPRIT_COLOUR"   /* not empty: colour */
bool cli_colour(FILE *stream);
unsigned cli_columns(FILE *stream);
long cli_utc_offset(uint64_t time_ns);

/* Write all of it, or exit quietly if nobody reads (EPIPE). */
void cli_write(FILE *stream, const struct sbuf *text);
