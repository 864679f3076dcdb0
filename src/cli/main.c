/* SPDX-License-Identifier: MIT */
/* The verbs, and what comes before one. */
#include "cli/report_args.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "util/suggest.h"

#define WATCH_OPTIONS \
    "  -p rwxa            what to tell: r reads, w contents and names, x execution, a attributes (wa)\n" \
    "  -k KEY             a word that marks the events (rule.name)\n" \
    "      --sensor LIST  auto, or names from `culprit doctor`, separated by commas\n" \
    "      --writes       each write too, once a second for each file and process\n" \
    "      --format FMT   text, or json: one ECS object a line\n" \
    REPORT_HELP_OUTPUT \
    "      --store FILE   the database (" STORE_DEFAULT_PATH "); --no-store: none\n" \
    "      --ring-size N  bytes of kernel buffer for events, such as 64M\n" \
    "      --rules FILE   the watches of a file of auditctl's rules, each with its -p and -k\n"

/* clang-format off */
const struct verb verbs[] = {
    { "watch", cmd_watch, "observe files, and say who changes them",
      "[-p rwxa] [-k KEY] [--for DUR] [options] TARGET...",
      "Observes until Ctrl-C, SIGTERM or DUR; prints each change, then the verdict.\n"
      "TARGET is [CONTAINER:]PATH; a directory covers everything below it. CONTAINER is a name, an\n"
      "id or its beginning, of Docker, Podman, containerd, CRI-O, runc, crun, LXC or nspawn. Also,\n"
      "with those that are made later: compose:PROJECT/SERVICE:PATH, pod:NAMESPACE/NAME[/CONTAINER]:PATH,\n"
      "image:NAME[:TAG]:PATH, label:KEY[=VALUE]:PATH; and volume:NAME/PATH.\n\n"
      WATCH_OPTIONS
      "      --for DUR      stop after 90s, 15m, 2h ...\n"
      REPORT_HELP_FILTER("--user USER   ") },
    { "run", cmd_run, "run a command, and say who changed files meanwhile",
      "-w TARGET [-w TARGET...] [--settle DUR] [options] -- COMMAND...",
      "Watches, runs COMMAND, waits a little for late changes, prints the verdict.\n\n"
      "  -w TARGET          what to watch; may be repeated\n"
      "      --settle DUR   how long to wait after COMMAND has ended (2s)\n"
      "      --user USER    COMMAND runs as this user, culprit stays who it is\n"
      "      --assert-unchanged  exit 0 if nothing changed, 1 if something did\n"
      "      --allow PATH   what may change all the same: a path, a pattern, a name; may be repeated\n"
      "      --junit FILE   JUnit's XML: a test for each target, which fails if it changed\n"
      "      --exit-status own  culprit's, also where COMMAND fails; else its failure is run's status\n"
      WATCH_OPTIONS
      REPORT_HELP_FILTER("--by-user USER") },
    { "who", cmd_who, "the verdict from what was recorded before",
      "[--from LOG...] [--since T] [--until T] [--op LIST] [--store FILE] TARGET...",
      "Answers from the store; also for containers that are gone.\n\n"
      "      --from LOG     from audit logs instead (also another machine's; .gz .xz .zst, a directory\n"
      "                     with its rotations, -); more logs may follow, the last word is a TARGET\n"
      "      --node HOST    of a log of several machines only this one's (a pattern may stand for some)\n"
      "      --since T      from then on: 2026-11-16T03:12:00Z, today, yesterday, -2h, 7d\n"
      "      --until T      up to then\n"
      "      --store FILE   the database (" STORE_DEFAULT_PATH ")\n"
      "      --format FMT   text, or json: the events, then the verdicts\n"
      "      --by WHAT      a table instead of verdicts: cause, program, user, file, hour\n"
      "      --top N        its first rows (10); 0: all\n"
      "      --sort ORDER   count, or bytes: those written\n"
      REPORT_HELP_OUTPUT
      REPORT_HELP_FILTER("--user USER   ") },
    { "search", cmd_search, "search audit logs, with ausearch's options",
      "[options] [LOG...]", "`culprit search -h` lists the options.\n" },
    { "diff", cmd_diff, "what differs from the image or from an earlier moment, and by whom",
      "[--since T | --from T1 --to T2] [--times] [--store FILE] CONTAINER [PATH]",
      "What of a container's files (running or not) is not as its image made it: missing, added,\n"
      "type, content, mode, owner, attributes and capabilities; each with whoever was recorded\n"
      "changing it. With a time: what the recorded changes since then come to; also for a\n"
      "container that is gone, and for a PATH of the host.\n"
      "Exit: 0 something differs, 1 nothing does.\n\n"
      "      --since T      compare with that moment: 2026-11-16T03:12:00Z, today, -2h, 7d\n"
      "      --from, --to   compare two moments\n"
      "      --times        modification times too\n"
      "      --store FILE   the database (" STORE_DEFAULT_PATH ")\n"
      "      --format FMT   text, or json: one difference a line, with SHA-256 of contents\n" },
    { "import", cmd_import, "audit logs into the store",
      "[--store FILE] [LOG...]",
      "Puts the changes that audit logs tell of into the store, so that `who` and `search` see\n"
      "them. LOG is a file (plain, .gz, .xz, .zst), a directory with its rotations, or -; without one it\n"
      "is the system's. Importing twice adds nothing; one that was interrupted is taken up again so.\n\n"
      "      --store FILE   the database (" STORE_DEFAULT_PATH ")\n" },
    { "rules", cmd_rules, "auditctl's rules: check, list, load, explain",
      "check FILE|- | list [-k KEY] [-i] [-s] | load FILE|- | explain [FILE|-]",
      "The rule language is auditctl's.\n\n"
      "  check    errors with their line and word, and what looks wrong; changes nothing\n"
      "  list     the kernel's own rules, as auditctl prints them; -k KEY: those that have it;\n"
      "           -i: names for numbers; -s: audit's state\n"
      "  load     all of a file; nothing if it holds an error, unless the file says to go on\n"
      "  explain  what each rule catches and what it cannot; without FILE: the rules in force\n" },
    { "doctor", cmd_doctor, "what works on this machine, and what to do about the rest",
      "[--format FMT] [--containers | TARGET...]",
      "Without TARGET: the sensors, engines and the store. With TARGET: makes one change of each\n"
      "kind in a scratch directory beside it and checks what comes out.\n\n"
      "      --format FMT   text or json\n"
      "      --sensor LIST  check these sensors\n"
      "      --containers   only the containers of all engines, as targets begin with them\n"
      "      --store FILE   the database (" STORE_DEFAULT_PATH ")\n" },
    { "help", cmd_help, "help on a command", "[COMMAND]", "" },
    { 0 },
};
/* clang-format on */

const struct verb *verb_by_name(const char *name)
{
    for (const struct verb *v = verbs; v->name; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

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

static void print_overview(FILE *out)
{
    fputs("culprit: who deleted, changed, renamed, chmod-ed or chown-ed this file?\n\n"
          "usage: culprit COMMAND ...\n\n",
          out);
    for (const struct verb *v = verbs; v->name; v++)
        fprintf(out, "  %-8s %s\n", v->name, v->summary);
    fputs("\nfor example:\n"
          "  culprit run -w web:/prd -- docker restart web\n"
          "  culprit watch /etc/hosts\n"
          "  culprit who --since 7d web:/prd\n\n"
          "`culprit help COMMAND` says more. Exit: 0 answered, 1 nothing seen, 2 wrong usage,\n"
          "3 not permitted or no sensor works here, 4 answered but events were lost.\n",
          out);
}

int cmd_help(int argc, char **argv)
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

int main(int argc, char **argv)
{
    const struct verb *verb;

    /* large buffers go back to the kernel when they are freed: the kernel's types alone are 11 MB */
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
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
    return verb->run(argc - 1, argv + 1);
}
