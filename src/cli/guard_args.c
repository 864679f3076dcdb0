/* SPDX-License-Identifier: MIT */
#include "cli/guard_args.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/option.h"
#include "cli/options.h"
#include "util/parse.h"
#include "watch/target.h"

/* nothing: what a duration of 0 would do. 0, or the exit status. */
static int take_duration(const struct verb *verb, const char *text, const char *nothing, uint64_t *ret)
{
    struct err err = ERR_INIT;

    if (parse_duration(text, ret, &err) < 0)
        return cli_usage_error(verb, "%s", err_text(&err, -EINVAL));
    return *ret ? 0 : cli_usage_error(verb, "%s", nothing);
}

static int take_allow(const struct verb *verb, const char *text, struct guard_command *q)
{
    if (q->allow_count == ALLOWED_MAX)
        return cli_usage_error(verb, "more than %d --allow", ALLOWED_MAX);
    if (!*text)
        return cli_usage_error(verb, "--allow names nobody");
    q->allow[q->allow_count++] = text;
    return 0;
}

static int take_format(const struct verb *verb, const char *text, struct guard_command *q)
{
    enum format format;

    if (cli_parse_format(verb, text, &format))
        return EXIT_USAGE;
    q->format = text;
    q->json = format == FORMAT_JSON;
    return 0;
}

/* One option, whose argument is `text`. 0, or the exit status. */
static int take_option(const struct verb *verb, int id, const char *text, struct guard_command *q)
{
    switch (id) {
    case OPTION_METHOD:
        q->method = text;
        return guard_method_is_known(text) ? 0 : cli_usage_error(verb, "unknown method \"%.40s\" (use auto, bpf, or immutable)", text);
    case OPTION_FOR:
        q->duration = text;
        return take_duration(verb, text, "--for 0 would guard nothing", &q->for_ns);
    case OPTION_CONFIRM:
        q->confirm_text = text;
        return take_duration(verb, text, "--confirm 0 would guard nothing", &q->confirm.for_ns);
    case OPTION_WOULD_HAVE:
        return take_duration(verb, text, "--would-have 0 would judge nothing", &q->would_have_ns);
    case OPTION_ALLOW:
        return take_allow(verb, text, q);
    case OPTION_FORMAT:
        return take_format(verb, text, q);
    case OPTION_CONFIRMED:
        q->confirmed = true;
        return 0;
    case OPTION_KEEP:
        q->keep = true;
        return 0;
    case OPTION_BEST_EFFORT:
        q->best_effort = true;
        return 0;
    case OPTION_LOG_ONLY:
        q->log_only = true;
        return 0;
    case OPTION_OFF:
        q->off = true;
        return 0;
    case OPTION_STORE:
        q->store = text;
        return 0;
    case OPTION_NO_STORE:
        q->no_store = true;
        return 0;
    case OPTION_SENSOR:
        q->sensor = text;
        return 0;
    case OPTION_CONTROL:
        q->control = text;
        return 0;
    default:
        return 0;
    }
}

/* What does not go together. 0, or the exit status. */
static int check_options(const struct verb *verb, const struct guard_command *q)
{
    if (q->would_have_ns && (q->method || q->for_ns || q->confirm.for_ns || q->confirmed || q->off || q->log_only || q->no_store || q->sensor || q->control ||
                             q->best_effort))
        return cli_usage_error(verb, "--would-have judges what was recorded: with --allow, --store and --format alone");
    if (q->off && q->confirmed)
        return cli_usage_error(verb, "--off ends a guard, --confirmed has it go on: which?");
    if ((q->off || q->confirmed) && (q->method || q->for_ns || q->confirm.for_ns || q->allow_count || q->best_effort || q->log_only))
        return cli_usage_error(verb, "%s is about a guard that is there: nothing of it is changed", q->off ? "--off" : "--confirmed");
    if (q->keep && (q->log_only || q->off || q->confirmed || q->would_have_ns || q->format))
        return cli_usage_error(verb, "--keep is of a guard that goes on in the background: not with --log-only, --off, --confirmed, --would-have or --format");
    if (q->for_ns && q->confirm.for_ns >= q->for_ns)
        return cli_usage_error(verb, "it ends after %.40s, confirmed or not: give --confirm less than --for", q->duration);
    if (!q->count && !q->off && !q->confirmed)
        return cli_usage_error(verb, "which files? give [CONTAINER:]PATH");
    if (q->count > GUARD_TARGETS_MAX)
        return cli_usage_error(verb, "more than %d targets", GUARD_TARGETS_MAX);
    if (q->log_only && q->allow_count)
        return cli_usage_error(verb, "--log-only refuses nobody: --allow says nothing there");
    if (q->log_only && q->confirm.for_ns)
        return cli_usage_error(verb, "--log-only refuses nobody: there is nothing to confirm");
    return 0;
}

/* As others are to find it again, from wherever they are: doctor lists it so, and --off means it. */
static void add_target(struct sbuf *out, const char *text)
{
    struct target target;
    char cwd[PATH_MAX];
    bool parsed = target_parse(bytes_of(text), bytes_of(getcwd(cwd, sizeof(cwd)) ? cwd : ""), &target, NULL) == 0;

    if (out->len)
        sbuf_add_char(out, ' ');
    if (parsed && target.selector.kind == SELECTOR_NONE)
        sbuf_add_bytes(out, target.path);
    else
        sbuf_add_str(out, text);
    if (parsed)
        target_done(&target);
}

int guard_args_parse(int argc, char **argv, struct guard_command *q)
{
    const struct verb *verb = verb_by_name("guard");
    const struct cli_option *option;
    struct option_parser parser;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while (!r && (next = options_next(&parser, &option)) != 0)
        r = next < 0 ? -next : take_option(verb, option->id, optarg, q);
    if (r)
        return r;
    q->targets = argv + optind;
    q->count = (size_t)(argc - optind);
    r = check_options(verb, q);
    if (r)
        return r;
    r = cli_check_targets(verb, q->targets, q->count);
    for (size_t i = 0; i < q->count && !r; i++)
        add_target(&q->text, q->targets[i]);
    return r;
}
