/* SPDX-License-Identifier: MIT */
/* What runs for each verb, and what comes before one. */
#include "cli/cli.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "util/macro.h"
#include "util/suggest.h"

static int unknown_verb(const char *name)
{
    struct suggestion suggestion = { .typed = bytes_of(name) };

    for (const struct verb *v = verbs; v->name; v++)
        suggest_offer(&suggestion, bytes_of(v->name));
    suggest_offer(&suggestion, bytes_of("--help"));
    suggest_offer(&suggestion, bytes_of("--version"));
    if (suggestion.best.data)
        return cli_usage_error(NULL, "no command \"%.40s\"; did you mean %s?", name, suggestion.best.data);
    return cli_usage_error(NULL, "no command \"%.40s\"", name);
}

/* Who was executed as /proc/self/exe, as the daemon's guards are, is called "exe" by the kernel, and in what others say of it. */
static void take_name(void)
{
    char name[16] = "";

    if (prctl(PR_GET_NAME, name, 0, 0, 0) == 0 && strcmp(name, "exe") == 0)
        (void)prctl(PR_SET_NAME, "culprit", 0, 0, 0);
}

static void print_overview(FILE *out)
{
    fputs("culprit: who deleted, changed, renamed, chmod-ed or chown-ed this file?\n\n"
          "usage: culprit COMMAND ...\n\n",
          out);
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(out, "  %-10s %s\n", v->name, v->summary);
    fputs("\nfor example:\n"
          "  culprit run -w web:/prd -- docker restart web\n"
          "  culprit watch /etc/hosts\n"
          "  culprit who --since 7d web:/prd\n\n"
          "`culprit help COMMAND` says more. Exit: 0 answered, 1 nothing seen, 2 wrong usage,\n"
          "3 not permitted or no sensor works here, 4 events were lost.\n",
          out);
}

static int cmd_help(int argc, char **argv)
{
    const struct verb *verb = argc > 1 ? verb_by_name(argv[1]) : NULL;

    if (argc > 1 && !verb)
        return unknown_verb(argv[1]);
    if (verb)
        cli_print_help(verb);
    else
        print_overview(stdout);
    return EXIT_ANSWERED;
}

typedef int run_fn(int argc, char **argv);

static run_fn *run_of(enum verb_bit verb)
{
    static const struct {
        enum verb_bit verb;
        run_fn *run;
    } commands[] = {
        { VERB_WATCH, cmd_watch },
        { VERB_RUN, cmd_run },
        { VERB_WHO, cmd_who },
        { VERB_SEARCH, cmd_search },
        { VERB_DIFF, cmd_diff },
        { VERB_CLUES, cmd_clues },
        { VERB_GUARD, cmd_guard },
        { VERB_RESTORE, cmd_restore },
        { VERB_IMPORT, cmd_import },
        { VERB_RULES, cmd_rules },
        { VERB_DAEMON, cmd_daemon },
        { VERB_CTL, cmd_ctl },
        { VERB_ALERT, cmd_alert },
        { VERB_SILENCE, cmd_silence },
        { VERB_EXPECT, cmd_expect },
        { VERB_PRUNE, cmd_prune },
        { VERB_BACKUP, cmd_backup },
        { VERB_DOCTOR, cmd_doctor },
        { VERB_COMPLETION, cmd_completion },
        { VERB_HELP, cmd_help },
    };

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (commands[i].verb == verb)
            return commands[i].run;
    abort(); /* each verb has a row */
}

/* A full disk cut it off: said, where a reader that left a pipe is not. */
static int check_output(int status)
{
    struct stat st;

    if ((fflush(stdout) == 0 && !ferror(stdout)) || fstat(STDOUT_FILENO, &st) < 0 || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))
        return status;
    cli_error("the output could not be written to its end");
    return status == EXIT_ANSWERED ? EXIT_UNABLE : status;
}

int main(int argc, char **argv)
{
    const struct verb *verb;

    /* large buffers go back to the kernel when they are freed: the kernel's types alone are 11 MB */
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    take_name();
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that leaves ends us by EPIPE, after cleaning up */
    if (argc < 2) {
        print_overview(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview(stdout);
        return EXIT_ANSWERED;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("culprit %s\n", CULPRIT_VERSION);
        return EXIT_ANSWERED;
    }
    verb = verb_by_name(argv[1]);
    if (!verb)
        return unknown_verb(argv[1]);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            cli_print_help(verb);
            return EXIT_ANSWERED;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("culprit %s\n", CULPRIT_VERSION);
            return EXIT_ANSWERED;
        }
    }
    if (verb->bit != VERB_GUARD) /* which says more of it */
        cli_take_back_guards();
    return check_output(run_of(verb->bit)(argc - 1, argv + 1));
}
