/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/clues_audit.h"
#include "cli/option.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/who_store.h"
#include "clues/clues.h"
#include "clues/page.h"
#include "clues/removed.h"
#include "engine/engine.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

struct clues_command {
    const char *store_path;
    bool json;
    struct target target;
    struct clues_options options;
    struct container_view view;
    bool have_view;
    struct engines *engines;
    struct arena arena;
};

static volatile sig_atomic_t interrupted; /* by a signal, whose handler is given nothing of ours */

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static int parse(int argc, char **argv, struct clues_command *q)
{
    const struct verb *verb = verb_by_name("clues");
    uint64_t now = clock_ns(CLOCK_REALTIME);
    const struct cli_option *option;
    struct option_parser parser;
    struct err err = ERR_INIT;
    enum format format;
    char cwd[PATH_MAX];
    int next, r = 0;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_SINCE:
            r = parse_time(optarg, now, &q->options.since_ns, &err);
            break;
        case OPTION_UNTIL:
            r = parse_time(optarg, now, &q->options.until_ns, &err);
            break;
        case OPTION_FOR:
            r = parse_duration(optarg, &q->options.time_ns, &err);
            q->options.time_ns = MIN(q->options.time_ns, 600 * NS_PER_S);
            break;
        case OPTION_HISTORY:
            q->options.history = true;
            break;
        case OPTION_STORE:
            q->store_path = optarg;
            break;
        case OPTION_FORMAT:
            if (cli_parse_format(verb, optarg, &format))
                return EXIT_USAGE;
            q->json = format == FORMAT_JSON;
            break;
        default:
            break;
        }
        if (r < 0)
            return cli_usage_error(verb, "%s", err_text(&err, r));
    }
    if (q->options.since_ns && q->options.until_ns && q->options.until_ns < q->options.since_ns)
        return cli_usage_error(verb, "--until is before --since");
    if (optind + 1 != argc)
        return cli_usage_error(verb, optind < argc ? "one target at a time, please" : "which file? give [CONTAINER:]PATH");
    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    r = target_parse(bytes_of(argv[optind]), bytes_of(cwd), &q->target, &err);
    if (r < 0)
        return cli_usage_error(verb, "%s", err_text(&err, r));
    r = cli_check_target_answers(&q->target, &err);
    if (r < 0)
        cli_error("%s", err_text(&err, r));
    return r < 0 ? EXIT_UNABLE : 0;
}

/* Where the links of what is there lead; the rest stays as it was written. */
static struct bytes resolved(struct arena *arena, struct bytes path)
{
    char text[PATH_MAX], real[PATH_MAX];
    struct bytes above = path, rest = BYTES_NULL;

    while (above.len > 1 && above.len < sizeof(text)) {
        snprintf(text, sizeof(text), "%.*s", (int)above.len, above.data);
        if (realpath(text, real))
            return rest.len ? arena_join_path(arena, bytes_of(real), rest) : arena_copy(arena, bytes_of(real));
        above = bytes_dirname(above);
        rest = (struct bytes){ path.data + above.len + (above.len > 1), path.len - above.len - (above.len > 1) };
    }
    return path;
}

/* Where the host finds a path of the container: in a mount's source, its root while it runs, else its own layer. */
static struct bytes host_path_of(struct clues_command *q, struct bytes path)
{
    const struct container_mount *found = container_view_mount(&q->view, path);
    struct bytes root = q->view.running && q->view.merged.len ? q->view.merged : q->view.upper.len ? q->view.upper : q->view.root;

    if (found && found->source.len) {
        root = found->source;
        path = (struct bytes){ path.data + found->destination.len, path.len - found->destination.len };
    }
    while (path.len && path.data[0] == '/')
        path = (struct bytes){ path.data + 1, path.len - 1 };
    return !root.len ? BYTES_NULL : path.len ? arena_join_path(&q->arena, root, path) : root;
}

/* Its files were somewhere that only its engine knew. */
#define NOWHERE "/var/lib/docker/containers/gone"

/* -ENOENT, as it was: no engine remembers one that was removed. */
static int find_removed(struct clues_command *q)
{
    const struct selector *selector = &q->target.selector;

    if (removed_find(q->engines, selector->runtime, selector->kind == SELECTOR_VOLUME, selector->text, &q->arena, &q->options.removed) < 0)
        return -ENOENT;
    q->options.path = bytes_of(NOWHERE);
    return 0;
}

static int open_engines(struct clues_command *q, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };

    return engines_new(&options, &q->engines, err);
}

static int find_container(struct clues_command *q, struct err *err)
{
    const struct selector *selector = &q->target.selector;
    struct bytes root;
    int r = open_engines(q, err);

    if (r < 0)
        return r;
    if (selector_is_plural(selector))
        return err_say(err, -EINVAL, "that may mean several containers: name one");
    if (selector->kind == SELECTOR_VOLUME) {
        r = engines_volume(q->engines, selector->text, &q->arena, &root, err);
        q->options.engines = r == 0 ? q->engines : NULL;
        if (r == 0)
            q->options.path = q->target.path.len > 1 ? arena_join_path(&q->arena, root, (struct bytes){ q->target.path.data + 1, q->target.path.len - 1 })
                                                     : root;
        return r == -ENOENT ? find_removed(q) : r;
    }
    r = engines_find(q->engines, selector->runtime, selector->text, &q->view, err);
    if (r < 0)
        return r == -ENOENT ? find_removed(q) : r;
    q->have_view = true;
    q->options.view = &q->view;
    q->options.engines = q->engines;
    q->options.path = q->target.path;
    q->options.host_path = host_path_of(q, q->target.path);
    return 0;
}

/* How much of it culprit itself recorded. Whatever goes wrong with that is no reason to find no clues. */
static void ask_record(struct clues_command *q, struct bytes host_id)
{
    struct store_options options = { .path = q->store_path, .read_only = true, .log = &cli_log };
    struct store_query query = { .since_ns = q->options.since_ns, .until_ns = q->options.until_ns };
    struct store_machine machine = { 0 };
    struct store *store = NULL;
    struct err err = ERR_INIT;
    int r = store_open(&options, &store, &err);

    if (r == -ENOENT)
        return;
    if (r == 0)
        r = store_machine_find(store, host_id, &machine, &err);
    if (r == 0)
        r = who_store_resolve(store, &machine, &q->target, &query, &err);
    if (r == 0) {
        q->options.has_record = true;
        q->options.recorded = store_count_events(store, &query, &err);
    } else {
        cli_warn("the record could not be asked: %s", err_text(&err, r));
    }
    store_machine_done(&machine);
    if (store)
        store_close(store);
}

static void on_progress(void *data, const char *reads)
{
    (void)data;
    cli_note("looking at %s ...", reads);
}

static int answer(struct clues_command *q, const struct ecs_host *host, struct err *err)
{
    static struct clue_suspect suspects[CLUE_SUSPECTS_MAX]; /* too large for a stack, and asked once in a process */
    struct clue_circumstances circumstances;
    struct clue_page page = { .circumstances = &circumstances, .suspects = suspects, .target = q->target.text, .host = host,
                              .container = q->have_view ? q->view.container : NULL, .colour = cli_colour(stdout), .columns = cli_columns(stdout),
                              .unprivileged = geteuid() != 0 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct sigaction action = { .sa_handler = on_interrupt };
    struct clues *clues = NULL;
    const struct clue_fact *facts;
    size_t count;
    int r;

    q->options.stop = &interrupted;
    q->options.progress = isatty(STDERR_FILENO) ? on_progress : NULL;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    r = clues_new(&q->options, &clues, err);
    if (r == 0)
        r = clues_gather(clues, err);
    if (r < 0) {
        clues_free(clues);
        return r;
    }
    facts = clues_facts(clues, &count);
    clue_circumstances_find(clues_question(clues), facts, count, &circumstances);
    page.clues = clues;
    page.suspect_count = clues_judge(&circumstances, suspects);
    if (q->json)
        clue_page_json(&page, &out);
    else
        clue_page_text(&page, &out);
    cli_write(stdout, &out);
    r = clue_page_has_answer(&page) ? EXIT_ANSWERED : EXIT_NOTHING;
    clues_free(clues);
    return r;
}

int cmd_clues(int argc, char **argv)
{
    struct clues_command q = { 0 };
    struct err err = ERR_INIT;
    struct ecs_host host;
    int r = parse(argc, argv, &q), code = r;

    if (r == 0) {
        (void)foreign_start();
        host = cli_host(&q.arena);
        if (geteuid() != 0)
            cli_warn("without root much of what is left here cannot be read");
        if (q.target.selector.kind == SELECTOR_NONE) {
            q.options.path = resolved(&q.arena, q.target.path);
            q.options.written = bytes_equal(q.options.path, q.target.path) ? BYTES_NULL : q.target.path;
            r = open_engines(&q, &err); /* containers may have it among their mounts */
            q.options.engines = q.engines;
        } else {
            r = find_container(&q, &err);
        }
        if (r == 0) {
            uint64_t began = clock_ns(CLOCK_MONOTONIC);

            ask_record(&q, host.id);
            if (!q.options.removed.ns)
                clues_audit(&q.target, &q.options, &q.arena);
            q.options.spent_ns = clock_ns(CLOCK_MONOTONIC) - began;
            r = answer(&q, &host, &err);
        }
        if (r < 0)
            cli_error("%s", err_text(&err, r));
        /* a container that is gone is no wrong usage: nothing is left of it */
        code = r == -ENOENT ? EXIT_NOTHING : r < 0 ? cli_exit_code(r) : r;
    }
    if (q.have_view)
        container_view_done(&q.view);
    engines_free(q.engines);
    target_done(&q.target);
    arena_done(&q.arena);
    return code;
}
