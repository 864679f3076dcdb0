/* SPDX-License-Identifier: MIT */
/* The options that watch and run share. */
#include "cli/watch_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rule_file.h"
#include "copies/pack.h"
#include "event/operation.h"
#include "rules/as_watch.h"
#include "util/macro.h"
#include "util/parse.h"

static int parse_permissions(const struct verb *verb, const char *text, unsigned *ret)
{
    char unknown;

    if (permissions_parse(bytes_of(text), ret, &unknown) == 0)
        return 0;
    if (!unknown)
        return cli_usage_error(verb, "no permission in -p (use r, w, x, a)");
    return cli_usage_error(verb, "unknown permission '%c' in \"-p %.20s\" (use r, w, x, a)", unknown, text);
}

/* Takes over what `ask` owns. */
static int add_target(struct watch_args *args, char *target, struct watch_ask ask)
{
    char **targets = reallocarray(args->targets, args->target_count + 1, sizeof(*targets));
    struct watch_ask *asks = reallocarray(args->asks, args->target_count + 1, sizeof(*asks));

    if (targets)
        args->targets = targets;
    if (asks)
        args->asks = asks;
    if (!targets || !asks) {
        free(ask.key);
        free(ask.owned);
        return -ENOMEM;
    }
    args->targets[args->target_count] = target;
    args->asks[args->target_count++] = ask;
    return 0;
}

/* The watches of a file of auditctl's rules; what else is in it is the kernel's business. */
static int add_rules(const char *path, struct watch_args *args)
{
    struct rule_file file = { 0 };
    size_t watches = 0, others = 0;
    bool go_on = false;
    int r = rule_file_read(path, true, &file);

    /* -i and -c go on, as `rules load` and auditctl -R do: what is wrong has been said */
    for (size_t i = 0; i < file.count; i++)
        go_on |= file.rules[i].kind == RULE_IGNORE || file.rules[i].kind == RULE_CONTINUE;
    for (size_t i = 0; r == 0 && (!file.errors || go_on) && i < file.count; i++) {
        const struct rule *rule = &file.rules[i];
        struct watch_ask ask = { 0 };
        struct rule_watch watch;

        if (!rule_as_watch(rule, &watch)) {
            others += rule->kind == RULE_ADD;
            continue;
        }
        ask.permissions = watch.permissions;
        ask.owned = strndup(watch.path.data, watch.path.len);
        ask.key = watch.key.data ? strndup(watch.key.data, watch.key.len) : NULL;
        if (!ask.owned || add_target(args, ask.owned, ask) < 0)
            r = EXIT_UNABLE;
        watches++;
    }
    if (r == 0 && file.errors && !go_on)
        r = EXIT_USAGE;
    if (r == 0 && file.errors)
        cli_note("%s: %u line%s left out (-i goes on)", file.name, file.errors, file.errors == 1 ? " is" : "s are");
    if (r == 0 && watches == 0) {
        cli_error("%s holds no watch (-w PATH -p wa -k KEY)", file.name);
        r = EXIT_USAGE;
    } else if (r == 0 && others) {
        cli_note("%s: %zu rules are no watches and are left out; `culprit rules load` gives them to the kernel",
                 file.name, others);
    }
    rule_file_done(&file);
    return r;
}

static int parse_exit_status(const struct verb *verb, const char *word, struct watch_args *args)
{
    args->own_status = strcmp(word, "own") == 0;
    if (!args->own_status && strcmp(word, "command") != 0)
        return cli_usage_error(verb, "unknown exit status \"%.40s\" (use command, own)", word);
    return 0;
}

static int parse_option(const struct verb *verb, enum option_id id, struct watch_args *args)
{
    struct err err = ERR_INIT;
    int r = 0;

    switch (id) {
    case OPTION_PERMISSIONS:
        return parse_permissions(verb, optarg, &args->pipeline.permissions);
    case OPTION_KEY:
        args->pipeline.key = optarg;
        return 0;
    case OPTION_WATCH:
        return add_target(args, optarg, (struct watch_ask){ 0 });
    case OPTION_RULES:
        return add_rules(optarg, args);
    case OPTION_SENSOR:
        args->pipeline.sensors = optarg;
        args->alone = true;
        return 0;
    case OPTION_FOLLOW: /* who knows `who --follow` may write it; nothing else is watched for */
        return 0;
    case OPTION_NO_DAEMON:
        args->alone = true;
        return 0;
    case OPTION_CONTROL:
        args->control = optarg;
        return 0;
    case OPTION_WRITES:
        args->pipeline.writes = true;
        return 0;
    case OPTION_FOR:
        r = parse_duration(optarg, &args->for_ns, &err);
        if (r == 0 && args->for_ns == 0)
            return cli_usage_error(verb, "--for 0 would see nothing");
        break;
    case OPTION_SETTLE:
        r = parse_duration(optarg, &args->settle_ns, &err);
        break;
    case OPTION_STORE:
        args->pipeline.store_path = optarg;
        return 0;
    case OPTION_NO_STORE:
        args->pipeline.no_store = true;
        return 0;
    case OPTION_NO_SECCOMP:
        args->pipeline.no_seccomp = true;
        return 0;
    case OPTION_RING_SIZE:
        r = parse_size(optarg, &args->pipeline.ring_size, &err);
        break;
    case OPTION_KEEP_COPIES:
        r = parse_size(optarg, &args->pipeline.keep_copies, &err);
        if (r == 0 && args->pipeline.keep_copies < COPIES_LIMIT_LEAST)
            return cli_usage_error(verb, "--keep-copies %.40s has no room: give 1M at least", optarg);
        args->alone = true;
        break;
    case OPTION_ASSERT:
        args->assert_unchanged = true;
        return 0;
    case OPTION_ALLOW:
        return report_args_add_path(verb, &args->report.filter, FILTER_ALLOW, optarg);
    case OPTION_JUNIT:
        args->junit = optarg;
        return *optarg ? 0 : cli_usage_error(verb, "no file in --junit");
    case OPTION_EXIT_STATUS:
        return parse_exit_status(verb, optarg, args);
    case OPTION_DEBUG:
        cli_debug = true;
        return 0;
    case OPTION_RUN_AS:
        args->run_as = optarg;
        return *optarg ? 0 : cli_usage_error(verb, "no user in --user");
    default:
        (void)report_args_take(verb, id, optarg, &args->report, &r);
        return r;
    }
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    return 0;
}

/* An option of the other of the two is better known than unknown. */
static int refuse(const struct verb *verb, const struct cli_option *option)
{
    return cli_usage_error(verb, "%s belongs to `culprit %s`%s", option->row.name,
                           option->verbs & VERB_RUN ? "run" : "watch",
                           option->id == OPTION_FOR ? "; run ends with COMMAND" : "");
}

/* What --op asks for must be observed: without -p it is, and where -p says otherwise that is no answer but a mistake. */
static int ask_for_operations(const struct verb *verb, struct watch_args *args, bool chosen)
{
    static const char letters[] = "rwxa"; /* in the order of enum permission */
    unsigned missing = 0;

    for (unsigned op = 0; op < OPERATION_COUNT; op++)
        if (args->report.filter.operations & 1ull << op)
            missing |= operation_info((enum operation)op)->permission & ~args->pipeline.permissions;
    if (!chosen)
        args->pipeline.permissions |= missing;
    for (unsigned i = 0; chosen && letters[i]; i++)
        if (missing & 1u << i)
            return cli_usage_error(verb, "--op asks for what -p leaves out: add %c to it", letters[i]);
    return 0;
}

static int check(const struct verb *verb, const struct watch_args *args, bool is_run)
{
    if (args->target_count == 0)
        return cli_usage_error(verb, is_run ? "nothing to watch: -w [CONTAINER:]PATH"
                                            : "nothing to watch: give [CONTAINER:]PATH");
    if (args->report.filter.terms[FILTER_ALLOW] && !args->assert_unchanged && !args->junit)
        return cli_usage_error(verb, "--allow goes with --assert-unchanged or --junit");
    if (report_args_check(verb, &args->report))
        return EXIT_USAGE;
    return cli_check_targets(verb, args->targets, args->target_count);
}

int watch_args_parse(const struct verb *verb, int argc, char **argv, bool is_run,
                     struct watch_args *ret)
{
    struct watch_args args = {
        .pipeline = { .log = &cli_log,
                      .sensors = "auto",
                      .state_dir = "/run/culprit",
                      .permissions = PERMISSION_WRITE | PERMISSION_ATTR },
        .settle_ns = 2 * NS_PER_S,
        .report = REPORT_ARGS_INIT,
    };
    bool chosen = false; /* -p was given */
    const struct cli_option *option;
    struct option_parser parser;
    unsigned own;
    int next;

    options_begin(&parser, verb, VERB_WATCH | VERB_RUN, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        int r = next < 0                         ? -next
                : !(option->verbs & verb->bit) ? refuse(verb, option)
                                                 : parse_option(verb, option->id, &args);

        if (r) {
            watch_args_done(&args);
            return -r;
        }
        chosen |= option->id == OPTION_PERMISSIONS;
    }
    if (!is_run)
        for (int i = optind; i < argc; i++)
            (void)add_target(&args, argv[i], (struct watch_ask){ 0 });
    if (check(verb, &args, is_run) || ask_for_operations(verb, &args, chosen)) {
        watch_args_done(&args);
        return -EXIT_USAGE;
    }
    own = args.pipeline.permissions;
    args.pipeline.permissions = 0;
    for (size_t i = 0; i < args.target_count; i++) {
        if (!args.asks[i].permissions)
            args.asks[i].permissions = own;
        args.pipeline.permissions |= args.asks[i].permissions;
    }
    args.pipeline.targets = args.target_count;
    *ret = args;
    return optind;
}

void watch_args_done(struct watch_args *args)
{
    for (size_t i = 0; i < args->target_count; i++) {
        free(args->asks[i].key);
        free(args->asks[i].owned);
    }
    free(args->asks);
    free(args->targets);
    report_args_done(&args->report);
    args->targets = NULL;
    args->asks = NULL;
    args->target_count = 0;
}
