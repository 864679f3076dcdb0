/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include <assert.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/option.h"
#include "config/config.h"
#include "search/options.h"
#include "store/query.h"
#include "util/macro.h"

#define OBSERVE (VERB_WATCH | VERB_RUN)
#define REPORT (VERB_WATCH | VERB_RUN | VERB_WHO)
#define SENSORS "auto cheap audit fanotify bpf"

/* In the order of the help. A name may occur twice, for different verbs. */
static const struct cli_option options[] = {
    /* clang-format off */
    { { "-w", "--watch", "TARGET", COMPLETE_TARGET, NULL, "what to watch; may be repeated" }, VERB_RUN, OPTION_WATCH },
    { { NULL, "--settle", "DUR", COMPLETE_NOTHING, NULL, "how long to wait after COMMAND has ended (2s)" },
      VERB_RUN, OPTION_SETTLE },
    { { NULL, "--user", "USER", COMPLETE_USER, NULL, "COMMAND runs as this user, culprit stays who it is" },
      VERB_RUN, OPTION_RUN_AS },
    { { NULL, "--assert-unchanged", NULL, 0, NULL, "exit 0 if nothing changed, 1 if something did" },
      VERB_RUN, OPTION_ASSERT },
    { { NULL, "--allow", "PATH", COMPLETE_FILE, NULL,
        "what may change all the same: a path, a pattern, a name; may be repeated" }, VERB_RUN, OPTION_ALLOW },
    { { NULL, "--junit", "FILE", COMPLETE_FILE, NULL,
        "JUnit's XML: a test for each target, which fails if it changed" }, VERB_RUN, OPTION_JUNIT },
    { { NULL, "--exit-status", "WHOSE", COMPLETE_WORDS, "command own",
        "own: culprit's, also where COMMAND fails; command: its failure is run's status, as without this option" },
      VERB_RUN, OPTION_EXIT_STATUS },
    { { "-p", "--permissions", "rwxa", COMPLETE_NOTHING, NULL,
        "what to report: r reads, w contents and names, x execution, a attributes (wa)" }, OBSERVE, OPTION_PERMISSIONS },
    { { "-k", "--key", "KEY", COMPLETE_NOTHING, NULL, "a word that marks the events (rule.name)" },
      OBSERVE, OPTION_KEY },
    { { NULL, "--sensor", "LIST", COMPLETE_LIST, SENSORS,
        "auto, cheap, or names from `culprit doctor`, separated by commas" }, OBSERVE, OPTION_SENSOR },
    { { NULL, "--writes", NULL, 0, NULL, "each write too, once a second for each file and process" },
      OBSERVE, OPTION_WRITES },
    { { NULL, "--for", "DUR", COMPLETE_NOTHING, NULL, "stop after 90s, 15m, 2h ..." }, VERB_WATCH, OPTION_FOR },
    { { NULL, "--method", "METHOD", COMPLETE_WORDS, "auto bpf immutable",
        "how: bpf, by the kernel; immutable, by the flags of chattr; auto, the first where it holds" }, VERB_GUARD, OPTION_METHOD },
    { { NULL, "--for", "DUR", COMPLETE_NOTHING, NULL, "it ends by itself after 90s, 15m, 2h ..." }, VERB_GUARD, OPTION_FOR },
    { { NULL, "--allow", "WHO", COMPLETE_NOTHING, NULL,
        "who may all the same: an executable's path, a unit, container or user; may be repeated" }, VERB_GUARD, OPTION_ALLOW },
    { { NULL, "--best-effort", NULL, 0, NULL, "by bpf also where the kernel may pass the guard over: that is counted" },
      VERB_GUARD, OPTION_BEST_EFFORT },
    { { NULL, "--confirm", "DUR", COMPLETE_NOTHING, NULL, "it ends by itself after that, unless it is confirmed" }, VERB_GUARD, OPTION_CONFIRM },
    { { NULL, "--confirmed", NULL, 0, NULL, "have the guard of TARGET, or all guards, go on that wait for it" }, VERB_GUARD, OPTION_CONFIRMED },
    { { NULL, "--keep", NULL, 0, NULL, "goes on in the background until --off, whoever kills it" }, VERB_GUARD, OPTION_KEEP },
    { { NULL, "--log-only", NULL, 0, NULL, "hold nothing: report what would be refused" }, VERB_GUARD, OPTION_LOG_ONLY },
    { { NULL, "--would-have", "DUR", COMPLETE_NOTHING, NULL, "hold nothing: who would have been refused in so much of the record, 7d" },
      VERB_GUARD, OPTION_WOULD_HAVE },
    { { NULL, "--off", NULL, 0, NULL, "end the guard of TARGET, or all guards" }, VERB_GUARD, OPTION_OFF },
    { { NULL, "--sensor", "LIST", COMPLETE_LIST, SENSORS, "who observes: auto, cheap, or names from `culprit doctor`" },
      VERB_GUARD, OPTION_SENSOR },
    { { NULL, "--rules", "FILE", COMPLETE_FILE, NULL,
        "the watches of a file of auditctl's rules, each with its -p and -k" }, OBSERVE, OPTION_RULES },
    { { NULL, "--from", "LOG", COMPLETE_FILE, NULL,
        "from audit logs instead (also another machine's; .gz .xz .zst, a directory with its rotations, -); "
        "more logs may follow, the last word is a TARGET" }, VERB_WHO, OPTION_FROM },
    { { NULL, "--node", "HOST", COMPLETE_NOTHING, NULL,
        "of a log of several machines only this one's (a pattern may stand for some)" }, VERB_WHO, OPTION_NODE },
    { { NULL, "--since", "T", COMPLETE_NOTHING, NULL,
        "from then on: 2026-11-16T03:12:00Z, today, yesterday, -2h, 7d" }, VERB_WHO, OPTION_SINCE },
    { { NULL, "--until", "T", COMPLETE_NOTHING, NULL, "up to then" }, VERB_WHO, OPTION_UNTIL },
    { { NULL, "--since", "T", COMPLETE_NOTHING, NULL,
        "it happened after that: 2026-11-16T03:12:00Z, today, -2h, 7d" }, VERB_CLUES, OPTION_SINCE },
    { { NULL, "--until", "T", COMPLETE_NOTHING, NULL, "it happened before that" }, VERB_CLUES, OPTION_UNTIL },
    { { NULL, "--for", "DUR", COMPLETE_NOTHING, NULL, "how long it may take in all (5s)" }, VERB_CLUES, OPTION_FOR },
    { { NULL, "--history", NULL, 0, NULL, "also the histories of users' shells: what they typed" }, VERB_CLUES, OPTION_HISTORY },
    { { NULL, "--since", "T", COMPLETE_NOTHING, NULL,
        "compare with that moment: 2026-11-16T03:12:00Z, today, -2h, 7d" }, VERB_DIFF, OPTION_SINCE },
    { { NULL, "--from", "T1", COMPLETE_NOTHING, NULL, "compare two moments: the earlier one" },
      VERB_DIFF, OPTION_SINCE },
    { { NULL, "--to", "T2", COMPLETE_NOTHING, NULL, "the later one" }, VERB_DIFF, OPTION_UNTIL },
    { { NULL, "--until", "T2", COMPLETE_NOTHING, NULL, "the same as --to" }, VERB_DIFF, OPTION_UNTIL },
    { { NULL, "--times", NULL, 0, NULL, "modification times too" }, VERB_DIFF, OPTION_TIMES },
    { { NULL, "--content", NULL, 0, NULL, "of the host: what changed in the files, by copies that --keep-copies kept" }, VERB_DIFF, OPTION_CONTENT },
    { { NULL, "--store", "FILE", COMPLETE_FILE, NULL, "the database (" STORE_DEFAULT_PATH ")" },
      REPORT | VERB_CLUES | VERB_DIFF | VERB_IMPORT | VERB_DOCTOR | VERB_PRUNE | VERB_BACKUP | VERB_RESTORE | VERB_GUARD | VERB_EXPECT, OPTION_STORE },
    { { NULL, "--learn", "DUR", COMPLETE_NOTHING, NULL, "from so much of the record: 7d, 30d" }, VERB_EXPECT, OPTION_LEARN },
    { { NULL, "--older-than", "AGE", COMPLETE_NOTHING, NULL, "remove what is older than that: 30d, 12h" }, VERB_PRUNE, OPTION_OLDER_THAN },
    { { NULL, "--larger-than", "SIZE", COMPLETE_NOTHING, NULL, "remove the oldest of a store that is larger than that: 500M, 2G" },
      VERB_PRUNE, OPTION_LARGER_THAN },
    { { NULL, "--at", "TIME", COMPLETE_NOTHING, NULL, "as it was then; what had been changed by that time stays" },
      VERB_RESTORE, OPTION_AT },
    { { NULL, "--from", "SOURCE", COMPLETE_WORDS, "image copies open package git quarantine", "only from there: image, copies (of --keep-copies, or the daemon's), open (what processes hold), package, git, or quarantine (where a scanner moved it)" }, VERB_RESTORE, OPTION_SOURCE },
    { { NULL, "--packages", "DIR", COMPLETE_FILE, NULL, "where files of packages lie, instead of the caches of apt, dnf, yum and zypper" }, VERB_RESTORE, OPTION_PACKAGES },
    { { NULL, "--dry-run", NULL, 0, NULL, "only say what would be put back" }, VERB_RESTORE, OPTION_DRY_RUN },
    { { NULL, "--force", NULL, 0, NULL, "also in place of newer content" }, VERB_RESTORE, OPTION_FORCE },
    { { NULL, "--dry-run", NULL, 0, NULL, "only say what would go" }, VERB_PRUNE, OPTION_DRY_RUN },
    { { NULL, "--force", NULL, 0, NULL, "in place of a FILE that is there already" }, VERB_BACKUP, OPTION_FORCE },
    { { NULL, "--no-store", NULL, 0, NULL, "no database: what is reported is not kept" }, OBSERVE | VERB_GUARD, OPTION_NO_STORE },
    { { NULL, "--no-seccomp", NULL, 0, NULL, "keep the system calls that culprit gives up while it observes" },
      OBSERVE | VERB_DAEMON, OPTION_NO_SECCOMP },
    { { NULL, "--keep-copies", "SIZE", COMPLETE_NOTHING, NULL,
        "keep copies of what is watched, such as 256M, for `culprit restore`" }, OBSERVE, OPTION_KEEP_COPIES },
    { { NULL, "--ring-size", "N", COMPLETE_NOTHING, NULL, "bytes of kernel buffer for events, such as 64M" },
      OBSERVE, OPTION_RING_SIZE },
    { { NULL, "--debug", NULL, 0, NULL, "also what only a developer wants to know, on stderr" },
      OBSERVE | VERB_DAEMON, OPTION_DEBUG },
    { { NULL, "--config", "DIR", COMPLETE_FILE, NULL, "the configuration's directory (" CONFIG_DIRECTORY ")" },
      VERB_DAEMON, OPTION_CONFIG },
    { { NULL, "--check-config", NULL, 0, NULL,
        "only say what is wrong with it, or with one FILE: 0 nothing, 2 something" }, VERB_DAEMON, OPTION_CHECK_CONFIG },
    { { NULL, "--print-config", NULL, 0, NULL, "only print what is in force, with the file and line of each value" },
      VERB_DAEMON, OPTION_PRINT_CONFIG },
    { { NULL, "--runtime-dir", "DIR", COMPLETE_FILE, NULL, "where the lock is (/run/culprit): one daemon for each" },
      VERB_DAEMON, OPTION_RUNTIME_DIR },
    { { NULL, "--json", NULL, 0, NULL, "the daemon's answer as JSON on one line" }, VERB_CTL | VERB_ALERT | VERB_SILENCE, OPTION_JSON },
    { { "-p", "--permissions", "rwxa", COMPLETE_NOTHING, NULL,
        "(add) what to record: r reads, w contents and names, x execution, a attributes (wa)" }, VERB_CTL, OPTION_PERMISSIONS },
    { { "-k", "--key", "KEY", COMPLETE_NOTHING, NULL, "(add) a word that marks the events (rule.name)" },
      VERB_CTL, OPTION_KEY },
    { { NULL, "--for", "DUR", COMPLETE_NOTHING, NULL, "(silence) how long: 90s, 15m, 2h, 7d; 30 days at most" }, VERB_CTL, OPTION_FOR },
    { { NULL, "--for", "DUR", COMPLETE_NOTHING, NULL, "how long: 90s, 15m, 2h, 7d; 30 days at most" }, VERB_SILENCE, OPTION_FOR },
    { { NULL, "--reason", "TEXT", COMPLETE_NOTHING, NULL, "(silence) why: it is shown with it" }, VERB_CTL, OPTION_REASON },
    { { NULL, "--reason", "TEXT", COMPLETE_NOTHING, NULL, "why: it is shown with it" }, VERB_SILENCE, OPTION_REASON },
    { { NULL, "--off", NULL, 0, NULL, "(silence) end the silence with that number" }, VERB_CTL, OPTION_OFF },
    { { NULL, "--off", NULL, 0, NULL, "end the silence with that number" }, VERB_SILENCE, OPTION_OFF },
    { { NULL, "--no-daemon", NULL, 0, NULL, "with a sensor of its own, also where the daemon runs" }, OBSERVE, OPTION_NO_DAEMON },
    { { NULL, "--control", "SOCKET", COMPLETE_FILE, NULL, "the daemon's socket (" CLI_CONTROL_SOCKET ")" },
      OBSERVE | VERB_CTL | VERB_ALERT | VERB_SILENCE | VERB_WHO | VERB_DIFF | VERB_GUARD, OPTION_CONTROL },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json", "text, or json: one ECS object a line" },
      OBSERVE | VERB_GUARD, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json", "text, or json: the events, then the verdicts" },
      VERB_WHO, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json",
        "text, or json: one difference a line, with SHA-256 of contents" }, VERB_DIFF, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json",
        "text, or json: each clue, then the suspects, then what was looked at" }, VERB_CLUES, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json", "text, or json: one path a line, then all of it" },
      VERB_RESTORE, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json", "text, or json" }, VERB_DOCTOR, OPTION_FORMAT },
    { { NULL, "--format", "FMT", COMPLETE_WORDS, "text json", "text, or json: one object" }, VERB_PRUNE | VERB_BACKUP, OPTION_FORMAT },
    { { NULL, "--sensor", "LIST", COMPLETE_LIST, SENSORS, "check these sensors" }, VERB_DOCTOR, OPTION_SENSOR },
    { { NULL, "--containers", NULL, 0, NULL, "only the containers of all engines, as targets begin with them" },
      VERB_DOCTOR, OPTION_CONTAINERS },
    { { NULL, "--by", "WHAT", COMPLETE_WORDS, "cause program user file hour",
        "a table instead of verdicts: cause, program, user, file, hour" }, VERB_WHO, OPTION_BY },
    { { NULL, "--expected", NULL, 0, NULL, "what no alert is made of, by the row of the configuration that explains it" }, VERB_WHO, OPTION_EXPECTED },
    { { NULL, "--config", "DIR", COMPLETE_FILE, NULL, "with --expected: that configuration's directory (" CONFIG_DIRECTORY ")" },
      VERB_WHO, OPTION_CONFIG },
    { { NULL, "--config", "DIR", COMPLETE_FILE, NULL, "the configuration's directory (" CONFIG_DIRECTORY ")" },
      VERB_EXPECT, OPTION_CONFIG },
    { { NULL, "--top", "N", COMPLETE_NOTHING, NULL, "its first rows (10); 0: all" }, VERB_WHO, OPTION_TOP },
    { { NULL, "--sort", "ORDER", COMPLETE_WORDS, "count bytes", "count, or bytes: those written" },
      VERB_WHO, OPTION_SORT },
    { { "-f", "--follow", NULL, 0, NULL, "then go on with what is recorded, as tail -f does" }, VERB_WHO, OPTION_FOLLOW },
    { { NULL, "--follow", NULL, 0, NULL, "it does so by itself: until Ctrl-C, over a restart of the daemon too" }, VERB_WATCH, OPTION_FOLLOW },
    { { NULL, "--limit", "N", COMPLETE_NOTHING, NULL, "verdicts that are shown (10); 0: all" }, REPORT, OPTION_LIMIT },
    { { NULL, "--quiet", NULL, 0, NULL, "only the verdicts' sentences" }, REPORT, OPTION_QUIET },
    { { NULL, "--verbose", NULL, 0, NULL, "also what is folded away, and all that is not seen" },
      REPORT, OPTION_VERBOSE },
    { { NULL, "--op", "LIST", COMPLETE_OPERATIONS, NULL,
        "only delete, modify, create, rename, permission, owner, attribute, read ..., "
        "or operations as they are shown (unlink,chmod ...)" }, REPORT, OPTION_OP },
    { { NULL, "--user", "USER", COMPLETE_USER, NULL,
        "only what this user did (name or number; who ran it, or who logged in)" },
      VERB_WATCH | VERB_WHO, OPTION_USER },
    { { NULL, "--by-user", "USER", COMPLETE_USER, NULL, "the same as --user" }, VERB_WATCH | VERB_WHO, OPTION_USER },
    { { NULL, "--by-user", "USER", COMPLETE_USER, NULL,
        "only what this user did (name or number; who ran it, or who logged in)" }, VERB_RUN, OPTION_USER },
    { { NULL, "--program", "P", COMPLETE_PROGRAM, NULL,
        "only by this program or script: a name, a path, or a pattern" }, REPORT, OPTION_PROGRAM },
    { { NULL, "--cause", "TEXT", COMPLETE_NOTHING, NULL,
        "only where this is part of the cause: script, unit, package, product" }, REPORT, OPTION_CAUSE },
    { { NULL, "--container", "C", COMPLETE_CONTAINER, NULL, "only by processes of this container" },
      REPORT, OPTION_CONTAINER },
    { { NULL, "--exclude", "PATH", COMPLETE_FILE, NULL,
        "not this path or what is below it; a pattern (* ** ?), or a name at any depth. "
        "These may be repeated; what they leave out is counted" }, REPORT, OPTION_EXCLUDE },
    { { "-k", NULL, "KEY", COMPLETE_NOTHING, NULL, "(list) the rules that have this key" }, VERB_RULES, OPTION_KEY },
    { { "-i", NULL, NULL, 0, NULL, "(list) names for numbers" }, VERB_RULES, OPTION_INTERPRET },
    { { "-s", NULL, NULL, 0, NULL, "(list) audit's state" }, VERB_RULES, OPTION_STATE },
    /* clang-format on */
};

const struct option_row *verb_option(const struct verb *verb, unsigned *next)
{
    if (verb->bit == VERB_SEARCH)
        return search_option((*next)++);
    while (*next < ARRAY_SIZE(options)) {
        const struct cli_option *o = &options[(*next)++];

        if (o->verbs & verb->bit)
            return &o->row;
    }
    return NULL;
}

static bool has_long(const struct option_parser *p, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(p->longs[i].name, name) == 0)
            return true;
    return false;
}

/* The long options of these verbs; a name that is there already stays what it is. */
static size_t add_longs(struct option_parser *p, size_t count, unsigned of)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const struct option_row *row = &options[i].row;

        if (!(options[i].verbs & of) || !row->name || has_long(p, count, row->name + 2))
            continue;
        assert(count < OPTIONS_MAX);
        p->rows[count] = &options[i];
        /* the value says which one it is, also for getopt: a prefix of two names with different values is ambiguous */
        p->longs[count++] = (struct option){ row->name + 2, row->argument ? required_argument : no_argument, NULL,
                                             256 + (int)i };
    }
    return count;
}

void options_begin(struct option_parser *p, const struct verb *verb, unsigned others, int argc, char **argv)
{
    size_t count, n = 0;

    *p = (struct option_parser){ .verb = verb, .argc = argc, .argv = argv };
    count = add_longs(p, 0, verb->bit);
    (void)add_longs(p, count, others);
    if (verb->operand == COMPLETE_COMMAND)
        p->letters[n++] = '+';
    p->letters[n++] = ':'; /* getopt returns ':' for a missing argument, '?' for an unknown option, and prints nothing */
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (!(options[i].verbs & verb->bit) || !options[i].row.letter)
            continue;
        assert(n + 2 < sizeof(p->letters));
        p->letters[n++] = options[i].row.letter[1];
        if (options[i].row.argument)
            p->letters[n++] = ':';
    }
    optind = 0;
}

/* Of a file or folder that we open ourselves, and would wait for. A log and a file of rules are asked where they are read, and who excludes a path may
 * do so because it hangs. */
static bool is_opened(const struct cli_option *o)
{
    switch (o->id) {
    case OPTION_STORE:
    case OPTION_JUNIT:
    case OPTION_CONFIG:
    case OPTION_RUNTIME_DIR:
    case OPTION_PACKAGES:
        return true;
    default:
        return false;
    }
}

static int check(const struct cli_option *o)
{
    struct err err = ERR_INIT;
    int r = is_opened(o) ? cli_check_answers(optarg, &err) : 0;

    if (r == 0)
        return 1;
    cli_error("%s", err_text(&err, r));
    return -EXIT_UNABLE;
}

int options_next(struct option_parser *p, const struct cli_option **ret)
{
    int c = getopt_long(p->argc, p->argv, p->letters, p->longs, NULL);

    if (c == -1)
        return 0;
    if (c == '?' || c == ':')
        return -cli_option_error(p->verb, c, p->argv, p->longs);
    if (c >= 256) {
        *ret = &options[c - 256];
        return check(*ret);
    }
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (options[i].verbs & p->verb->bit && options[i].row.letter && options[i].row.letter[1] == c)
            *ret = &options[i];
    return check(*ret);
}
