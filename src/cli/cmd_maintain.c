/* SPDX-License-Identifier: MIT */
/* prune and backup: the store as a file. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "cli/option.h"
#include "cli/options.h"
#include "config/keys.h"
#include "event/ecs_time.h"
#include "store/maintain.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/parse.h"

struct maintenance {
    const char *store;
    struct store_retention retention;
    bool dry_run, force;
    enum format format;
};

static int parse(const struct verb *verb, int argc, char **argv, struct maintenance *m)
{
    struct err err = ERR_INIT;
    const struct cli_option *option;
    struct option_parser parser;
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_STORE)
            m->store = optarg;
        else if (option->id == OPTION_DRY_RUN)
            m->dry_run = true;
        else if (option->id == OPTION_FORCE)
            m->force = true;
        else if (option->id == OPTION_FORMAT && cli_parse_format(verb, optarg, &m->format))
            return EXIT_USAGE;
        else if (option->id == OPTION_OLDER_THAN)
            r = parse_duration(optarg, &m->retention.age_ns, &err);
        else if (option->id == OPTION_LARGER_THAN)
            r = parse_size(optarg, &m->retention.size, &err);
        if (r == 0 && ((option->id == OPTION_OLDER_THAN && !m->retention.age_ns) ||
                       (option->id == OPTION_LARGER_THAN && !m->retention.size)))
            r = err_say(&err, -EINVAL, "%s 0 would leave nothing: delete the file", option->row.name);
        if (r < 0)
            return cli_usage_error(verb, "%s", err_text(&err, r));
    }
    return 0;
}

static int fail(const struct err *err, int r)
{
    cli_error("%s", err_text(err, r));
    return r == -EEXIST ? EXIT_USAGE : EXIT_UNABLE;
}

static void print_time(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    char text[40];
    struct tm tm;

    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
    printf("%s", text);
}

static void print_pruned_json(const struct maintenance *m, const struct store_pruned *p)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    json_open_element(&out);
    json_bool(&out, JSON_KEY("dry_run"), m->dry_run);
    json_number(&out, JSON_KEY("events"), p->events);
    json_number(&out, JSON_KEY("removed"), p->events - MIN(p->events_left, p->events));
    if (p->floor_ns) {
        json_key(&out, JSON_KEY("removed_before"));
        ecs_write_time(&out, p->floor_ns);
    }
    json_number(&out, JSON_KEY("bytes"), p->bytes);
    json_number(&out, JSON_KEY("bytes_left"), m->dry_run ? p->bytes : p->bytes_left);
    json_bool(&out, JSON_KEY("others"), p->others);
    json_close(&out);
    puts(sbuf_str(&out));
}

static void print_pruned(const struct maintenance *m, const struct store_pruned *p)
{
    printf("%" PRIu64 " of %" PRIu64 " events %s", p->events - MIN(p->events_left, p->events), p->events,
           m->dry_run ? "would be removed" : "were removed");
    if (p->floor_ns) {
        printf(", the record goes back to ");
        print_time(p->floor_ns);
    }
    if (m->dry_run && m->retention.size)
        printf("; by size: %.1f MB are in use, %.1f MB more than that", (double)p->bytes / 1e6,
               p->bytes > m->retention.size ? (double)(p->bytes - m->retention.size) / 1e6 : 0.0);
    else if (!m->dry_run)
        printf("; %.1f MB were in use, %.1f MB are", (double)p->bytes / 1e6, (double)p->bytes_left / 1e6);
    putchar('\n');
    if (p->others)
        cli_note("somebody records into it: processes and directories that no event names any more stay as long as he does");
}

int cmd_prune(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("prune");
    struct maintenance m = { 0 };
    struct err err = ERR_INIT;
    struct store_pruned p;
    int r = parse(verb, argc, argv, &m);

    if (r)
        return r;
    if (optind < argc)
        return cli_usage_error(verb, "\"%.40s\" is too much", argv[optind]);
    if (!m.retention.age_ns && !m.retention.size)
        return cli_usage_error(verb, "what is to go? --older-than 30d, --larger-than 500M, or both");
    r = store_prune(m.store, &m.retention, m.dry_run, &p, &err);
    if (r < 0)
        return fail(&err, r);
    if (m.format == FORMAT_JSON)
        print_pruned_json(&m, &p);
    else
        print_pruned(&m, &p);
    return EXIT_ANSWERED;
}

int cmd_backup(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("backup");
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    struct maintenance m = { 0 };
    struct err err = ERR_INIT;
    uint64_t bytes = 0;
    int r = parse(verb, argc, argv, &m);

    if (r)
        return r;
    if (argc - optind != 1 || !argv[optind][0])
        return cli_usage_error(verb, "where to? give one FILE");
    r = cli_check_answers(argv[optind], &err);
    if (r == 0)
        r = store_backup(m.store, argv[optind], m.force, &bytes, &err);
    if (r < 0)
        return fail(&err, r);
    if (m.format == FORMAT_JSON) {
        json_open_element(&shown);
        (void)json_string(&shown, JSON_KEY("file"), bytes_of(argv[optind]));
        json_number(&shown, JSON_KEY("bytes"), bytes);
        json_close(&shown);
        puts(sbuf_str(&shown));
        return EXIT_ANSWERED;
    }
    escape_terminal(&shown, bytes_of(argv[optind]));
    printf("%s: %.1f MB\n", sbuf_str(&shown), (double)bytes / 1e6);
    return EXIT_ANSWERED;
}
