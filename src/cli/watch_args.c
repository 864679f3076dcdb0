/* SPDX-License-Identifier: MIT */
/* The options that watch and run share. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "event/operation.h"
#include "util/parse.h"

enum {
    OPTION_SENSOR = 256,
    OPTION_WRITES,
    OPTION_FORMAT,
    OPTION_FOR,
    OPTION_STORE,
    OPTION_NO_STORE,
    OPTION_RING_SIZE,
    OPTION_SETTLE,
    OPTION_ASSERT,
    OPTION_DEBUG,
};

static const struct option long_options[] = {
    { "permissions", required_argument, NULL, 'p' },
    { "key", required_argument, NULL, 'k' },
    { "watch", required_argument, NULL, 'w' },
    { "sensor", required_argument, NULL, OPTION_SENSOR },
    { "writes", no_argument, NULL, OPTION_WRITES },
    { "format", required_argument, NULL, OPTION_FORMAT },
    { "for", required_argument, NULL, OPTION_FOR },
    { "store", required_argument, NULL, OPTION_STORE },
    { "no-store", no_argument, NULL, OPTION_NO_STORE },
    { "ring-size", required_argument, NULL, OPTION_RING_SIZE },
    { "settle", required_argument, NULL, OPTION_SETTLE },
    { "assert-unchanged", no_argument, NULL, OPTION_ASSERT },
    { "debug", no_argument, NULL, OPTION_DEBUG },
    { 0 },
};

static int parse_permissions(const struct verb *verb, const char *text, unsigned *ret)
{
    unsigned permissions = 0;

    for (const char *c = text; *c; c++) {
        switch (*c) {
        case 'r':
            permissions |= PERMISSION_READ;
            break;
        case 'w':
            permissions |= PERMISSION_WRITE;
            break;
        case 'x':
            permissions |= PERMISSION_EXEC;
            break;
        case 'a':
            permissions |= PERMISSION_ATTR;
            break;
        default:
            return cli_usage_error(verb, "unknown permission '%c' in \"-p %.20s\" (use r, w, x, a)",
                                   *c, text);
        }
    }
    if (!permissions)
        return cli_usage_error(verb, "no permission in -p (use r, w, x, a)");
    *ret = permissions;
    return 0;
}

static int add_target(struct watch_args *args, char *target)
{
    char **targets = reallocarray(args->targets, args->target_count + 1, sizeof(*targets));

    if (!targets)
        return -ENOMEM;
    args->targets = targets;
    args->targets[args->target_count++] = target;
    return 0;
}

static int parse_option(const struct verb *verb, int c, char **argv, struct watch_args *args)
{
    struct err err = ERR_INIT;
    int r = 0;

    switch (c) {
    case 'p':
        return parse_permissions(verb, optarg, &args->pipeline.permissions);
    case 'k':
        args->pipeline.key = optarg;
        return 0;
    case 'w':
        return add_target(args, optarg);
    case OPTION_SENSOR:
        args->pipeline.sensors = optarg;
        return 0;
    case OPTION_WRITES:
        args->pipeline.writes = true;
        return 0;
    case OPTION_FORMAT:
        if (strcmp(optarg, "json") == 0)
            args->format = FORMAT_JSON;
        else if (strcmp(optarg, "text") == 0)
            args->format = FORMAT_TEXT;
        else
            return cli_usage_error(verb, "unknown format \"%.40s\" (use text, json)", optarg);
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
    case OPTION_RING_SIZE:
        r = parse_size(optarg, &args->pipeline.ring_size, &err);
        break;
    case OPTION_ASSERT:
        args->assert_unchanged = true;
        return 0;
    case OPTION_DEBUG:
        cli_debug = true;
        return 0;
    case ':':
        return cli_usage_error(verb, "%s needs an argument", argv[optind - 1]);
    default:
        return cli_usage_error(verb, "unknown option %s",
                               optopt && optopt < 256 ? (char[]){ '-', (char)optopt, 0 }
                                                      : argv[optind - 1]);
    }
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    return 0;
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
    };
    int c;

    optind = 0;
    /* run stops at the first operand: the options behind it are COMMAND's */
    while ((c = getopt_long(argc, argv, is_run ? "+:p:k:w:" : ":p:k:", long_options, NULL)) != -1) {
        int r;

        if (!is_run && (c == 'w' || c == OPTION_SETTLE || c == OPTION_ASSERT))
            r = cli_usage_error(verb, "%s belongs to `culprit run`",
                                c == 'w'              ? "--watch"
                                : c == OPTION_SETTLE ? "--settle"
                                                     : "--assert-unchanged");
        else if (is_run && c == OPTION_FOR)
            r = cli_usage_error(verb, "--for belongs to `culprit watch`; run ends with COMMAND");
        else
            r = parse_option(verb, c, argv, &args);
        if (r) {
            watch_args_done(&args);
            return -EXIT_USAGE;
        }
    }
    if (!is_run)
        for (int i = optind; i < argc; i++)
            (void)add_target(&args, argv[i]);
    if (args.target_count == 0) {
        watch_args_done(&args);
        return -cli_usage_error(verb, is_run ? "nothing to watch: -w [CONTAINER:]PATH"
                                             : "nothing to watch: give [CONTAINER:]PATH");
    }
    if (cli_check_targets(verb, args.targets, args.target_count)) {
        watch_args_done(&args);
        return -EXIT_USAGE;
    }
    *ret = args;
    return optind;
}

void watch_args_done(struct watch_args *args)
{
    free(args->targets);
    args->targets = NULL;
}
