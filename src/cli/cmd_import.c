/* SPDX-License-Identifier: MIT */
/* Audit logs into the store: what was recorded before culprit came. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"
#include "daemon/import.h"
#include "sensor/audit/log/config.h"
#include "store/query.h"
#include "util/clock.h"

#define PROGRESS_NS (200 * NS_PER_MS)

static volatile sig_atomic_t stopped; /* by a signal, whose handler is given nothing of ours */

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct import_command {
    struct store *store;
    struct audit_log_files files;
    bool terminal, drawn;
    uint64_t started_ns, next_ns;
};

/* "1.2 M records, 61 %, 480 k/s, 3 s left" */
static int on_progress(void *data, const struct replay_stats *s)
{
    struct import_command *im = data;
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    double seconds, left, share;

    if (stopped)
        return 1;
    if (!im->terminal || now < im->next_ns)
        return 0;
    im->next_ns = now + PROGRESS_NS;
    seconds = (double)(now - im->started_ns) / 1e9;
    share = s->log.size ? (double)s->log.consumed / (double)s->log.size : 0;
    left = share > 0.01 ? seconds / share - seconds : 0;
    fprintf(stderr, "\r\033[K%.1f M records, %" PRIu64 " changes", (double)s->lines / 1e6, s->changes);
    if (s->log.size)
        fprintf(stderr, ", %.0f %%", share * 100);
    fprintf(stderr, ", %.0f k/s", seconds > 0 ? (double)s->lines / seconds / 1e3 : 0);
    if (left >= 1)
        fprintf(stderr, ", %.0f s left", left);
    fflush(stderr);
    im->drawn = true;
    return 0;
}

/* ---- the command ---- */

static int find_logs(const struct verb *verb, struct import_command *im, int argc, char **argv, int first)
{
    struct audit_log_config config = { 0 };
    struct err err = ERR_INIT;
    int r = 0;

    if (first == argc) {
        (void)audit_log_config_read(AUDITD_CONF_PATH, &config, NULL);
        r = audit_log_files_add_log(&im->files, config.log_file ? config.log_file : AUDIT_LOG_DEFAULT_PATH,
                                    AUDIT_LOG_ROTATIONS_ALL, &err);
        audit_log_config_done(&config);
    }
    for (int i = first; i < argc && r == 0; i++) {
        r = cli_check_answers(argv[i], &err);
        if (r == 0)
            r = audit_log_files_add(&im->files, argv[i], AUDIT_LOG_ROTATIONS_ALL, &err);
    }
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return r == -EINVAL ? cli_usage_error(verb, "which log?") : cli_exit_code(r);
    }
    if (argc - first > 1)
        audit_log_files_sort(&im->files);
    return 0;
}

/* Says what was skipped, and what was imported before. */
static void print_notes(const struct import_command *im, const struct import_result *result, uint64_t damaged)
{
    const struct replay_stats *stats = &result->stats;

    if (damaged)
        cli_note("%" PRIu64 " damaged record%s skipped", damaged, damaged == 1 ? "" : "s");
    if (stats->log.damaged_files)
        cli_note("%" PRIu64 " file%s could not be read to the end", stats->log.damaged_files,
                 stats->log.damaged_files == 1 ? "" : "s");
    if (stats->left_open)
        cli_note("%u events are being written right now; import again to have them", stats->left_open);
    if (result->passed_files)
        cli_note("%" PRIu64 " of %zu files were imported before", result->passed_files, im->files.count);
    if (result->passed_bytes)
        cli_note("went on behind the first %.1f MB of %s", (double)result->passed_bytes / 1e6,
                 im->files.files[result->passed_files].path);
}

static int run(struct import_command *im)
{
    struct import_options options = { .store = im->store, .files = &im->files, .log = &cli_log, .data = im,
                                      .progress = on_progress };
    struct store_summary before = { 0 }, after = { 0 };
    struct import_result result;
    const struct replay_stats *stats = &result.stats;
    struct err err = ERR_INIT;
    uint64_t damaged;
    int r;

    (void)store_summarise(im->store, &before, NULL);
    im->started_ns = clock_ns(CLOCK_MONOTONIC);
    r = import_run(&options, &result, &err);
    if (im->drawn)
        fputs("\r\033[K", stderr);
    if (r == 0 && !result.nothing_new && !result.passed_files && !result.passed_bytes)
        r = logs_check(&im->files, stats, &err);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    (void)store_summarise(im->store, &after, NULL);
    damaged = stats->damaged + stats->log.long_lines;
    print_notes(im, &result, damaged);
    printf("%" PRIu64 " records, %" PRIu64 " changes, %" PRIu64 " of them new, in %.1f s\n", stats->lines,
           stats->changes, after.events - before.events, (double)(clock_ns(CLOCK_MONOTONIC) - im->started_ns) / 1e9);
    if (stopped) {
        cli_note("interrupted; what is imported stays, import the same logs again to go on");
        return EXIT_LOST;
    }
    if (result.nothing_new || result.passed_files || result.passed_bytes)
        return damaged || stats->log.damaged_files ? EXIT_LOST : EXIT_ANSWERED;
    return !stats->lines ? EXIT_NOTHING : damaged || stats->log.damaged_files ? EXIT_LOST : EXIT_ANSWERED;
}

int cmd_import(int argc, char **argv)
{
    const struct verb *verb = verb_by_name("import");
    struct store_options options = { .spool_directory = STORE_SPOOL_DIRECTORY, .patient = true, .log = &cli_log };
    struct sigaction action = { .sa_handler = on_signal };
    struct import_command im = { .terminal = isatty(STDERR_FILENO) };
    struct err err = ERR_INIT;
    const struct cli_option *option;
    struct option_parser parser;
    int next, r;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        if (option->id == OPTION_STORE)
            options.path = optarg;
    }
    r = find_logs(verb, &im, argc, argv, optind);
    if (r == 0) {
        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
        r = store_open(&options, &im.store, &err);
        if (r < 0) {
            cli_error("%s", err_text(&err, r));
            r = EXIT_UNABLE;
        } else {
            r = run(&im);
            store_close(im.store);
        }
    }
    audit_log_files_done(&im.files);
    return r;
}
