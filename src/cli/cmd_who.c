/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "attribution/script_line.h"
#include "cli/print.h"
#include "cli/report_args.h"
#include "cli/who_log.h"
#include "cli/who_store.h"
#include "report/summary.h"
#include "store/query.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"

#define EACH_MAX 50000 /* events: half a second */

#define TOP 10

struct who_question {
    struct audit_log_files logs; /* --from: instead of the store */
    const char *store_path;
    struct report_args report;
    struct store_query query;
    struct printer printer;
    struct summary *summary; /* --by; NULL: verdicts */
    enum summary_order order;
    uint32_t top;            /* rows of it; 0 = all */
    struct case_ *case_;
    struct agents *agents; /* the store keeps a product's name; what is known of it now is here */
    struct store_machine machine;
    struct event **above; /* changes of what lies above the target, until it is their turn */
    size_t above_count, above_added;
    uint64_t found; /* events of the target that is being asked for */
    uint64_t size;  /* how many there are, up to EACH_MAX */
    bool each;      /* each one is added to the case by itself, not a count of many */
};

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
        case OPTION_NODE:
            r = *optarg && filter_add(&q->report.filter, FILTER_NODE, bytes_of(optarg)) ? 0 : err_say(&err, -EINVAL, "nothing in --node");
            break;
        case OPTION_BY:
        case OPTION_TOP:
        case OPTION_SORT:
            if (parse_summary(verb, option->id, q))
                return EXIT_USAGE;
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
    if (!q->summary && (q->top != TOP || q->order != SUMMARY_BY_COUNT))
        return cli_usage_error(verb, "--top and --sort go with --by");
    if (optind >= argc)
        return cli_usage_error(verb, "which file? give [CONTAINER:]PATH");
    return cli_check_targets(verb, argv + optind, (size_t)(argc - optind));
}

/* JSON shows each event, unless it is summed up. */
static bool shows_events(const struct who_question *q)
{
    return q->report.format == FORMAT_JSON && !q->report.quiet && !q->summary;
}

/* Events that a count of many and a few examples cannot replace. */
static bool needs_each(const struct who_question *q)
{
    return filter_needs_paths(&q->report.filter) || q->summary;
}

/* What is asked of one event at a time. */
static int add_event(struct who_question *q, struct event *event, bool each)
{
    enum filter_result result = filter_event(&q->report.filter, event);
    int r = 0;

    q->found++;
    if (result == FILTER_MATCHES && shows_events(q))
        printer_event(&q->printer, event);
    if (each) {
        agents_name_products(q->agents, event);
        if (q->summary && result == FILTER_MATCHES)
            summary_add(q->summary, event);
        if (result == FILTER_MATCHES)
            r = case_add_event(q->case_, event);
        else
            case_leave_out_event(q->case_, result, event);
    }
    return r;
}

/* Changes of what lies above the target take their turn among the others, in order of time. */
static int add_above(struct who_question *q, uint64_t until_ns)
{
    int r = 0;

    while (r == 0 && q->above_added < q->above_count && q->above[q->above_added]->time_ns <= until_ns)
        r = add_event(q, q->above[q->above_added++], true);
    return r;
}

static void forget_above(struct who_question *q)
{
    for (size_t i = 0; i < q->above_count; i++)
        event_free(q->above[i]);
    free(q->above);
    q->above = NULL;
    q->above_count = q->above_added = 0;
}

static int on_above(void *data, struct event *event)
{
    struct who_question *q = data;
    struct event **above = reallocarray(q->above, q->above_count + 1, sizeof(struct event *));

    for (size_t i = 0; above && i < q->above_count; i++)
        if (memcmp(above[i]->id, event->id, sizeof(event->id)) == 0) { /* above both, what was written and where it leads */
            q->above = above;
            event_free(event);
            return 0;
        }
    if (!above) {
        event_free(event);
        return -ENOMEM;
    }
    q->above = above;
    above[q->above_count++] = event;
    return 0;
}

static int on_event(void *data, struct event *event)
{
    struct who_question *q = data;
    int r = add_above(q, event->time_ns);

    if (r == 0)
        r = add_event(q, event, q->each);
    event_free(event);
    return r;
}

static int on_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                     unsigned sample_count)
{
    struct who_question *q = data;
    enum filter_result result = filter_event(&q->report.filter, rollup->sample);

    q->found++;
    if (result != FILTER_MATCHES) {
        case_leave_out(q->case_, result, rollup->count);
        return 0;
    }
    for (unsigned i = 0; i < sample_count; i++)
        agents_name_products(q->agents, samples[i]);
    return case_add_rollup(q->case_, rollup, samples, sample_count);
}

static int on_size(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned sample_count)
{
    struct who_question *q = data;

    (void)samples;
    (void)sample_count;
    q->size += rollup->count;
    return q->size > EACH_MAX;
}

/* One by one as far as that is quick: what became of each file is known then, whichever directory is asked for. */
static int decide_each(struct who_question *q, struct store *store, struct err *err)
{
    int r;

    q->size = 0;
    q->each = needs_each(q);
    if (q->each)
        return 0;
    r = store_each_rollup(store, &q->query, 1, on_size, q, err);
    q->each = q->size <= EACH_MAX;
    return r < 0 ? r : 0;
}

static int on_life(void *data, const struct lifecycle_event *life)
{
    return case_add_life(((struct who_question *)data)->case_, life);
}

static int on_gap(void *data, const struct gap *gap)
{
    struct who_question *q = data;

    if (shows_events(q))
        printer_gap(&q->printer, gap);
    return case_add_gap(q->case_, gap);
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = *(struct event *const *)a, *y = *(struct event *const *)b;

    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* Above what the path leads to, and above the path as it was written: there are the links. */
static int ask_above(struct who_question *q, struct store *store, const struct target *target, struct err *err)
{
    struct store_query written = q->query;
    int r = store_each_above(store, &q->query, on_above, q, err);

    if (r < 0 || target->selector.kind != SELECTOR_NONE || bytes_equal(q->query.path, target->path))
        return r;
    written.path = target->path;
    written.host_path = BYTES_NULL;
    r = store_each_above(store, &written, on_above, q, err);
    if (q->above_count)
        qsort(q->above, q->above_count, sizeof(struct event *), by_time);
    return r;
}

static int ask(struct who_question *q, struct store *store, struct target *target, struct err *err)
{
    int r = who_store_resolve(store, &q->machine, target, &q->query, err);

    q->found = 0;
    if (r >= 0)
        r = store_each_life(store, &q->query, on_life, q, err);
    if (r >= 0)
        r = decide_each(q, store, err);
    if (r >= 0)
        r = ask_above(q, store, target, err);
    if (r >= 0 && (q->each || shows_events(q)))
        r = store_each_event(store, &q->query, on_event, q, err);
    if (r >= 0)
        r = add_above(q, UINT64_MAX);
    forget_above(q);
    if (r >= 0 && !q->each)
        r = store_each_rollup(store, &q->query, LIMIT_CASE_SAMPLES, on_rollup, q, err);
    if (r >= 0)
        r = store_each_gap(store, &q->query, on_gap, q, err);
    if (r >= 0)
        r = who_store_coverage(store, &q->query, target, q->found > 0, q->case_, err);
    return r;
}

/* A log has the host's paths, as they are now as far as they are there. */
static int ask_logs(struct who_question *q, struct target *target, struct err *err)
{
    struct who_log logs = { &q->logs, &q->query, &q->printer, shows_events(q), q->case_, q->agents, &q->report.filter,
                            q->summary };
    char resolved[PATH_MAX];

    if (target->selector.kind == SELECTOR_NONE && realpath(target->path.data, resolved))
        target->path = arena_copy(&target->arena, bytes_of(resolved));
    return who_log_ask(&logs, target, err);
}

static void write_answer(struct who_question *q, struct sbuf *out)
{
    const struct sentence_style *style = &q->printer.style;
    const bool json = q->report.format == FORMAT_JSON, summed = q->summary && case_events(q->case_);

    if (summed && json) {
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

static int answer(struct who_question *q, struct store *store, char **targets, int count)
{
    struct case_options options = { .command_status = -1, .stored = true, .limit = q->report.limit,
                                    .quiet = q->report.quiet, .verbose = q->report.verbose };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, joined = SBUF_INIT;
    struct err err = ERR_INIT;
    char cwd[PATH_MAX];
    int r = 0;

    for (int i = 0; i < count; i++)
        sbuf_addf(&joined, "%s%s", i ? " " : "", targets[i]);
    options.target = sbuf_bytes(&joined);
    options.script_line = q->logs.count ? NULL : script_line; /* a log may be another machine's */
    options.host_id = q->printer.host.id;
    q->case_ = case_new(&options);
    if (!q->case_)
        return EXIT_UNABLE;
    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    if (store)
        r = store_machine_find(store, q->printer.host.id, &q->machine, &err);
    for (int i = 0; i < count && r >= 0; i++) {
        struct target target;

        r = target_parse(bytes_of(targets[i]), bytes_of(cwd), &target, &err);
        if (r == 0)
            r = cli_check_target_answers(&target, &err);
        if (r < 0)
            break;
        r = store ? ask(q, store, &target, &err) : ask_logs(q, &target, &err);
        target_done(&target);
    }
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    printer_flush(&q->printer);
    write_answer(q, &text);
    cli_write(stdout, &text);
    if (case_lost(q->case_)) /* also where nothing was found: as `watch` does */
        return EXIT_LOST;
    return case_answered(q->case_) ? EXIT_ANSWERED : EXIT_NOTHING;
}

/* target: the first one that is asked for. */
static int open_store(const struct who_question *q, struct bytes target, struct store **ret)
{
    struct store_options options = { .path = q->store_path,
                                     .spool_directory = STORE_SPOOL_DIRECTORY,
                                     .read_only = true,
                                     .log = &cli_log };
    struct err err = ERR_INIT;
    int r = q->logs.count ? 0 : store_open(&options, ret, &err);

    if (r == -ENOENT) {
        _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

        escape_shell(&shown, target);
        cli_error("nothing was recorded yet: %s; record with culprit watch or culprit run. "
                  "What the host still knows: culprit clues %s",
                  err_text(&err, r), sbuf_str(&shown));
        return EXIT_NOTHING;
    }
    if (r < 0)
        cli_error("%s", err_text(&err, r));
    return r < 0 ? EXIT_UNABLE : 0;
}

int cmd_who(int argc, char **argv)
{
    struct who_question q = { .report = REPORT_ARGS_INIT, .top = TOP };
    struct store *store = NULL;
    int r = parse(argc, argv, &q);

    if (r == 0)
        r = open_store(&q, bytes_of(argv[optind]), &store);
    if (r == 0) {
        printer_init(&q.printer, q.report.format, stdout);
        (void)agents_parse(agents_builtin(), &q.agents, NULL);
        r = answer(&q, store, argv + optind, argc - optind);
        printer_done(&q.printer);
        case_free(q.case_);
        agents_free(q.agents);
        store_machine_done(&q.machine);
    }
    if (store)
        store_close(store);
    audit_log_files_done(&q.logs);
    summary_free(q.summary);
    report_args_done(&q.report);
    return r;
}
