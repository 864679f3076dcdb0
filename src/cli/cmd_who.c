/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/folded.h"
#include "attribution/agents.h"
#include "attribution/script_line.h"
#include "cli/by_daemon.h"
#include "cli/expected.h"
#include "cli/print.h"
#include "cli/report_args.h"
#include "cli/who_ask.h"
#include "cli/who_follow.h"
#include "cli/who_log.h"
#include "cli/who_places.h"
#include "cli/who_store.h"
#include "copies/pack.h"
#include "report/summary.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"

#define TOP 10

/* --from LOG, and further logs right behind it: the last word is always a TARGET. */
static int add_logs(struct who_question *q, int argc, char **argv)
{
    struct err err = ERR_INIT;
    bool is_log;
    int r = who_log_add(&q->logs, optarg, &is_log, &err);

    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    while (optind + 1 < argc && argv[optind][0] != '-') {
        struct audit_log_files more = { 0 };

        r = who_log_add(&more, argv[optind], &is_log, NULL);
        audit_log_files_done(&more);
        if (r < 0 || !is_log)
            break;
        (void)who_log_add(&q->logs, argv[optind++], &is_log, NULL);
    }
    audit_log_files_sort(&q->logs);
    return 0;
}

static int parse_summary(const struct verb *verb, enum option_id id, struct who_question *q)
{
    enum summary_by by;

    if (id == OPTION_TOP)
        return parse_u32(bytes_of(optarg), 10, &q->top) < 0
                   ? cli_usage_error(verb, "\"%.40s\" is not a number (--top 10; 0: all)", optarg)
                   : 0;
    if (id == OPTION_SORT) {
        q->order = strcmp(optarg, "bytes") == 0 ? SUMMARY_BY_BYTES : SUMMARY_BY_COUNT;
        return q->order == SUMMARY_BY_COUNT && strcmp(optarg, "count") != 0
                   ? cli_usage_error(verb, "unknown order \"%.40s\" (use count, bytes)", optarg)
                   : 0;
    }
    if (!summary_by_parse(bytes_of(optarg), &by))
        return cli_usage_error(verb, "unknown summary \"%.40s\" (use cause, program, user, file, hour)", optarg);
    summary_free(q->summary);
    q->summary = summary_new(by);
    return q->summary ? 0 : cli_usage_error(verb, "out of memory");
}

static int parse(int argc, char **argv, struct who_question *q)
{
    const struct verb *verb = verb_by_name("who");
    struct err err = ERR_INIT;
    const struct cli_option *option;
    struct option_parser parser;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_FROM:
            r = add_logs(q, argc, argv);
            if (r)
                return r;
            break;
        case OPTION_SINCE:
            r = parse_time(optarg, clock_ns(CLOCK_REALTIME), &q->query.since_ns, &err);
            break;
        case OPTION_UNTIL:
            r = parse_time(optarg, clock_ns(CLOCK_REALTIME), &q->query.until_ns, &err);
            break;
        case OPTION_STORE:
            q->store_path = optarg;
            break;
        case OPTION_CONTROL:
            q->member.control = optarg;
            break;
        case OPTION_NODE:
            r = *optarg && filter_add(&q->report.filter, FILTER_NODE, bytes_of(optarg)) ? 0 : err_say(&err, -EINVAL, "nothing in --node");
            break;
        case OPTION_FOLLOW:
            q->follows = true;
            break;
        case OPTION_BY:
        case OPTION_TOP:
        case OPTION_SORT:
            if (parse_summary(verb, option->id, q))
                return EXIT_USAGE;
            break;
        case OPTION_EXPECTED:
            q->asks_expected = true;
            break;
        case OPTION_CONFIG:
            q->config_dir = optarg;
            break;
        default:
            if (report_args_take(verb, option->id, optarg, &q->report, &r) && r)
                return r;
        }
        if (r < 0)
            return cli_usage_error(verb, "%s", err_text(&err, r));
    }
    if (report_args_check(verb, &q->report))
        return EXIT_USAGE;
    if (q->query.since_ns && q->query.until_ns && q->query.until_ns < q->query.since_ns)
        return cli_usage_error(verb, "--until is before --since");
    if (!q->summary && ((!q->asks_expected && q->top != TOP) || q->order != SUMMARY_BY_COUNT))
        return cli_usage_error(verb, "--top and --sort go with --by");
    if (q->asks_expected && (q->summary || q->logs.count))
        return cli_usage_error(verb, "--expected is a table of its own, of what is in the store: without %s", q->summary ? "--by" : "--from");
    if (q->config_dir && !q->asks_expected)
        return cli_usage_error(verb, "--config goes with --expected");
    if (q->follows && (q->summary || q->asks_expected || q->logs.count || q->query.until_ns || q->report.quiet))
        return cli_usage_error(verb, "--follow does not go with --by, --expected, --from, --until, --quiet");
    if (optind >= argc)
        return cli_usage_error(verb, "which file? give [CONTAINER:]PATH");
    return cli_check_targets(verb, argv + optind, (size_t)(argc - optind));
}

/* A log has the host's paths, as they are now as far as they are there. */
static int ask_logs(struct who_question *q, struct target *target, struct err *err)
{
    struct who_log logs = { &q->logs, &q->query, &q->printer, who_shows_events(q), q->case_, q->agents, &q->report.filter,
                            q->summary, &q->places };
    char resolved[PATH_MAX];

    if (target->selector.kind == SELECTOR_NONE && realpath(target->path.data, resolved))
        target->path = arena_copy(&target->arena, bytes_of(resolved));
    return who_log_ask(&logs, target, err);
}

/* Before it is asked for: what comes meanwhile is in the answer, and shown after it. */
static int begin_to_follow(struct who_question *q, struct store *store, struct bytes text, struct bytes cwd, struct err *err)
{
    struct store_query query = q->query;
    struct target target;
    int r = target_parse(text, cwd, &target, err);

    if (r < 0)
        return r;
    r = who_store_resolve(store, &q->machine, &target, &query, err);
    if (r >= 0)
        r = who_follow_add(q->follow, &target, &query, err);
    target_done(&target);
    return r < 0 ? r : 0;
}

/* The answer has been given. */
static int go_on(struct who_question *q, int status)
{
    struct err err = ERR_INIT;
    struct who_followed seen;
    int r;

    if (fflush(stdout) != 0)
        return status;
    r = who_follow_run(q->follow, &seen, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return EXIT_UNABLE;
    }
    return seen.gaps ? EXIT_LOST : status == EXIT_NOTHING && seen.events ? EXIT_ANSWERED : status;
}

static void write_answer(struct who_question *q, struct bytes target, struct sbuf *out)
{
    const struct sentence_style *style = &q->printer.style;
    const bool json = q->report.format == FORMAT_JSON, summed = q->summary && case_events(q->case_);
    const bool folded = q->folded && case_events(q->case_);

    if (folded && json) {
        folded_write_json(q->folded, out);
    } else if (folded) {
        folded_write_text(q->folded, q->top, target, out);
        if (!q->report.quiet)
            case_write_end(q->case_, style->colour, style->columns, out);
    } else if (summed && json) {
        summary_write_json(q->summary, q->order, q->top, out);
        if (case_left_out(q->case_)) /* a row is a row: that is none */
            cli_note("%" PRIu64 " more event%s did not match the filters", case_left_out(q->case_),
                     case_left_out(q->case_) == 1 ? "" : "s");
    } else if (summed) {
        summary_write_text(q->summary, q->order, q->top, out);
        if (!q->report.quiet)
            case_write_end(q->case_, style->colour, style->columns, out);
    } else if (json) {
        case_write_json(q->case_, out);
    } else {
        case_write_text(q->case_, style->colour, style->columns, out);
    }
}

/* diff --content has something to say of it. */
static bool has_copies(const struct who_question *q, const char *target)
{
    _cleanup_free_ char *directory = copies_directory(q->store_path), *real = target[0] == '/' ? realpath(target, NULL) : NULL;
    struct copies copies = { .packs = { -EBADF, -EBADF } };
    const struct bytes path = bytes_of(real ? real : target);
    bool has;

    if (!directory || target[0] != '/' || copies_read(directory, path, &copies, NULL) < 0)
        return false;
    has = copies_has(&copies, path);
    copies_done(&copies);
    return has;
}

static int answer(struct who_question *q, struct store *store, char **targets, int count)
{
    struct case_options options = { .command_status = -1, .stored = true, .limit = q->report.limit,
                                    .quiet = q->report.quiet, .verbose = q->report.verbose };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, joined = SBUF_INIT;
    struct err err = ERR_INIT;
    char cwd[PATH_MAX];
    int r = 0;

    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    if (store)
        r = store_machine_find(store, q->printer.host.id, &q->machine, &err);
    if (r >= 0) /* in a log the links of another machine, or of another day, are not known */
        r = who_places_parse(&q->places, targets, (size_t)count, bytes_of(cwd), store && !q->machine.elsewhere.len, &err);
    if (r >= 0 && store)
        r = who_find_former(q, store, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    for (int i = 0; i < count; i++)
        sbuf_addf(&joined, "%s%s", i ? " " : "", targets[i]);
    options.target = sbuf_bytes(&joined);
    options.script_line = q->logs.count ? NULL : script_line; /* a log may be another machine's */
    options.host_id = q->printer.host.id;
    options.copies = store && count == 1 && has_copies(q, targets[0]);
    options.store = q->store_path && strcmp(q->store_path, STORE_DEFAULT_PATH) != 0 ? bytes_of(q->store_path) : BYTES_NULL;
    q->case_ = case_new(&options);
    if (!q->case_)
        return EXIT_UNABLE;
    for (int i = 0; i < count && r >= 0; i++) {
        struct who_place *place = &q->places.at[i];

        if (place->same || (!store && place->covered))
            continue;
        if (q->follow)
            r = begin_to_follow(q, store, bytes_of(targets[i]), bytes_of(cwd), &err);
        if (r >= 0)
            r = store ? who_ask(q, store, place, &err) : ask_logs(q, &place->target, &err);
    }
    for (size_t i = q->places.count; i < q->places.count + q->places.former_count && r >= 0; i++)
        r = who_ask_former(q, store, &q->places.at[i], &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    printer_flush(&q->printer);
    if (q->places.unsure)
        cli_note("what two of these targets have in common may count twice: there are too many changes to compare them one by one");
    write_answer(q, options.target, &text);
    cli_write(stdout, &text);
    if (case_lost(q->case_)) /* also where nothing was found: as `watch` does */
        return EXIT_LOST;
    return case_answered(q->case_) ? EXIT_ANSWERED : EXIT_NOTHING;
}

/* target: the first one that is asked for. True: *ret_status is the exit status, and all is said. */
static bool open_store(const struct who_question *q, struct bytes target, struct store **ret, int *ret_status)
{
    struct store_options options = { .path = q->store_path,
                                     .spool_directory = STORE_SPOOL_DIRECTORY,
                                     .read_only = true,
                                     .log = &cli_log };
    struct err err = ERR_INIT;
    int r = q->logs.count ? 0 : by_daemon_open_store(&options, &q->member, ret, ret_status, &err);

    if (r == -ENOENT) {
        _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

        escape_shell(&shown, target);
        cli_error("nothing was recorded yet: %s; record with culprit watch or culprit run. "
                  "What the host still knows: culprit clues %s",
                  err_text(&err, r), sbuf_str(&shown));
        *ret_status = EXIT_NOTHING;
    } else if (r < 0) {
        cli_error("%s", err_text(&err, r));
        *ret_status = EXIT_UNABLE;
    }
    return r != 0;
}

static int begin_expected(struct who_question *q)
{
    int r = cli_expected_begin(&q->expected, q->config_dir);

    if (r)
        return r;
    q->folded = folded_new(&q->expected.rules);
    if (q->folded)
        return 0;
    cli_error("out of memory");
    return EXIT_UNABLE;
}

int who_given(const struct given_store *given, int argc, char **argv)
{
    struct who_question q = { .member = { .given = given, .verb = "who", .argc = argc, .argv = argv }, .report = REPORT_ARGS_INIT, .top = TOP };
    struct store *store = NULL;
    int r = parse(argc, argv, &q);

    if (r == 0 && q.asks_expected)
        r = begin_expected(&q);
    if (r == 0 && !open_store(&q, bytes_of(argv[optind]), &store, &r)) {
        printer_init(&q.printer, q.report.format, stdout);
        (void)agents_parse(agents_builtin(), &q.agents, NULL);
        if (q.follows && who_follow_new(store, &q.report.filter, q.agents, &q.printer, &q.follow) < 0)
            cli_error("out of memory; only what is recorded by now");
        r = answer(&q, store, argv + optind, argc - optind);
        if (q.follow && r != EXIT_UNABLE && r != EXIT_USAGE)
            r = go_on(&q, r);
        who_follow_free(q.follow);
        printer_done(&q.printer);
        case_free(q.case_);
        who_places_done(&q.places);
        agents_free(q.agents);
        store_machine_done(&q.machine);
    }
    if (store)
        store_close(store);
    audit_log_files_done(&q.logs);
    summary_free(q.summary);
    folded_free(q.folded);
    cli_expected_done(&q.expected);
    report_args_done(&q.report);
    return r;
}

int cmd_who(int argc, char **argv)
{
    return who_given(NULL, argc, argv);
}
