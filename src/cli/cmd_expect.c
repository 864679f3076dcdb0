/* SPDX-License-Identifier: MIT */
/* expect: expect blocks of the configuration, proposed from the record. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "cli/expected.h"
#include "cli/options.h"
#include "cli/print.h"
#include "config/expect_rules.h"
#include "config/learn.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

struct expect_args {
    const char *store_path, *config_dir;
    uint64_t span_ns; /* --learn */
};

/* The second look: what the blocks, as they were written, would have explained. */
struct expect_trial {
    const struct expect_rules *rules, *blocks;
    uint64_t explained;
};

static int parse(const struct verb *verb, struct expect_args *a, int argc, char **argv)
{
    const struct cli_option *option;
    struct option_parser parser;
    struct err err = ERR_INIT;
    int next;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_STORE)
            a->store_path = optarg;
        else if (option->id == OPTION_CONFIG)
            a->config_dir = optarg;
        else if (option->id == OPTION_LEARN && parse_duration(optarg, &a->span_ns, &err) < 0)
            return cli_usage_error(verb, "%s", err_text(&err, -EINVAL));
    }
    if (optind < argc)
        return cli_usage_error(verb, "unexpected word \"%.80s\"", argv[optind]);
    if (!a->span_ns)
        return cli_usage_error(verb, "from how much of the record? --learn 7d");
    return 0;
}

static int on_event(void *data, struct event *event)
{
    learn_add(data, event);
    event_free(event);
    return 0;
}

static int on_event_again(void *data, struct event *event)
{
    struct expect_trial *t = data;
    const struct expect_block *block;

    t->explained += expected_find(t->rules, event, &block) == EXPECTED_NONE && expected_find(t->blocks, event, &block) == EXPECTED_BLOCK;
    event_free(event);
    return 0;
}

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    (void)data;
    cli_error("%s:%u: %s%s", file, line, warning ? "warning: " : "", text);
}

/* What was written, read as the daemon would: it is valid, or nothing is printed. 0, or the exit status. */
static int read_again(struct bytes text, struct config *c, struct arena *arena, struct expect_rules *ret)
{
    struct config_report report = { .problem = on_problem };
    int r = config_init(c);

    if (r == 0)
        r = config_read(c, "(proposed)", text, &report);
    if (r == 0 && !report.errors)
        r = config_expect_rules(c, arena, ret);
    if (r == 0 && !report.errors)
        return 0;
    cli_error("what was to be proposed is no valid configuration%s", r < 0 ? ": out of memory" : "");
    return EXIT_UNABLE;
}

static void write_head(const struct store_query *query, struct sbuf *out)
{
    time_t since = (time_t)(query->since_ns / NS_PER_S), until = (time_t)(query->until_ns / NS_PER_S);
    char from[40] = "", to[40] = "";
    struct tm tm;

    if (localtime_r(&since, &tm))
        (void)strftime(from, sizeof(from), "%Y-%m-%d %H:%M", &tm);
    if (localtime_r(&until, &tm))
        (void)strftime(to, sizeof(to), "%Y-%m-%d %H:%M", &tm);
    sbuf_addf(out, "# Proposed by culprit expect --learn from the record from %s to %s, to be reviewed: what a block explains is no\n"
                   "# alert any more. Nothing of it is in force until it stands in a file of /etc/culprit/conf.d (culprit daemon --check-config FILE, then\n"
                   "# culprit ctl reload).\n", from, to);
}

static int propose(const struct expect_args *a, struct store *store, const struct cli_expected *expected)
{
    struct store_query query = { .any_victim = true };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct learn *l = learn_new(&expected->rules);
    struct expect_rules blocks = { 0 };
    struct expect_trial trial = { &expected->rules, &blocks, 0 };
    struct config config = { 0 };
    struct arena arena = { 0 };
    struct err err = ERR_INIT;
    unsigned proposed = 0;
    int r = l ? 0 : -ENOMEM, status = EXIT_UNABLE;

    query.until_ns = clock_ns(CLOCK_REALTIME);
    query.since_ns = query.until_ns - MIN(a->span_ns, query.until_ns);
    if (r == 0)
        r = store_each_event(store, &query, on_event, l, &err);
    if (r == 0) {
        write_head(&query, &text);
        proposed = learn_write(l, &text);
        r = sbuf_error(&text);
    }
    status = r == 0 ? read_again(sbuf_bytes(&text), &config, &arena, &blocks) : EXIT_UNABLE;
    blocks.rows = 0;
    if (r == 0 && status == 0)
        r = store_each_event(store, &query, on_event_again, &trial, &err);
    if (r < 0)
        cli_error("%s", err_text(&err, r));
    if (r == 0 && status == 0) {
        cli_write(stdout, &text);
        cli_note("%" PRIu64 " changes are not expected now; %u block%s would explain %" PRIu64 " of them", learn_unexpected(l), proposed,
                 proposed == 1 ? "" : "s", trial.explained);
        status = proposed ? EXIT_ANSWERED : EXIT_NOTHING;
    }
    learn_free(l);
    arena_done(&arena);
    config_done(&config);
    return r < 0 ? EXIT_UNABLE : status;
}

int cmd_expect(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("expect");
    struct cli_expected expected = { 0 };
    struct expect_args args = { 0 };
    struct store_options options = { .spool_directory = STORE_SPOOL_DIRECTORY, .read_only = true, .log = &cli_log };
    struct store *store = NULL;
    struct err err = ERR_INIT;
    int r = parse(verb, &args, argc, argv), opened;

    if (r)
        return r;
    options.path = args.store_path;
    r = cli_expected_begin(&expected, args.config_dir);
    opened = r == 0 ? store_open(&options, &store, &err) : 0;
    if (opened < 0)
        cli_error("%s%s", opened == -ENOENT ? "nothing was recorded yet: " : "", err_text(&err, opened));
    if (r == 0)
        r = opened == -ENOENT ? EXIT_NOTHING : opened < 0 ? EXIT_UNABLE : propose(&args, store, &expected);
    if (store)
        store_close(store);
    cli_expected_done(&expected);
    return r;
}
