/* SPDX-License-Identifier: MIT */
/* culprit search: ausearch's questions and answers, on logs and on our own store. */
#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/by_daemon.h"
#include "cli/cli.h"
#include "cli/print.h"
#include "event/ocsf.h"
#include "search/checkpoint.h"
#include "search/engine.h"
#include "search/format.h"
#include "search/learn.h"
#include "search/options.h"
#include "search/synthesis.h"
#include "sensor/audit/log/config.h"
#include "store/query.h"
#include "util/cleanup.h"
#include "util/memory.h"

/* ausearch's, for scripts that know it; but what is no answer is not 1, unless ausearch's own way is asked for */
enum search_exit {
    SEARCH_FOUND = 0,
    SEARCH_NOTHING = 1,
    SEARCH_USAGE = EXIT_USAGE,       /* also a log that is none */
    SEARCH_UNABLE = EXIT_UNABLE,     /* a log or a store that cannot be read */
    SEARCH_CHECKPOINT_BAD = 10,      /* its file is damaged, or its log is not among the logs */
    SEARCH_CHECKPOINT_FAILED = 11,   /* it cannot be written */
    SEARCH_CHECKPOINT_NOT_FOUND = 12 /* its event is not in the log */
};

#define OUTPUT_SIZE (64 * 1024)

struct search_command {
    struct search_options options;
    struct search_matcher matcher;
    struct search_formatter *formatter;
    struct search_checkpoint checkpoint;
    struct audit_log_files files;
    struct sbuf out;
    bool found, lost_checkpoint, nobody_reads;
    int failure;
    /* a store */
    struct search_synthesis synthesis;
    struct arena host_arena;
    struct ecs_host host;
    bool all;     /* whatever it is: it need not be taken apart to be compared */
};

static void flush(struct search_command *s)
{
    if (s->out.len > 0 && fwrite(s->out.data, 1, s->out.len, stdout) != s->out.len)
        s->nobody_reads = true;
    sbuf_clear(&s->out);
}

static void on_idle(void *data)
{
    struct search_command *s = data;

    flush(s);
    if (fflush(stdout) != 0)
        s->nobody_reads = true;
}

static bool on_match(void *data, const struct search_event *event)
{
    struct search_command *s = data;
    const struct search_query *q = &s->options.query;
    enum search_checkpoint_step step = CHECKPOINT_SHOW;

    if (s->options.checkpoint)
        step = search_checkpoint_step(&s->checkpoint, event);
    if (step == CHECKPOINT_LOST) {
        s->lost_checkpoint = true;
        cli_error("checkpoint: its event (%" PRIu64 ".%03u:%" PRIu64 ") is not in the log, though a later one is",
                  s->checkpoint.input.sec, s->checkpoint.input.milli, s->checkpoint.input.serial);
        return false;
    }
    if (step == CHECKPOINT_SHOW) {
        if (!s->found)
            search_format_header(s->formatter, &s->out);
        s->found = true;
        s->failure = search_format_event(s->formatter, event, &s->matcher, &s->out);
        if (q->line_buffered)
            on_idle(s);
        else if (s->out.len >= OUTPUT_SIZE)
            flush(s);
    }
    return !q->just_one && s->failure == 0 && !s->nobody_reads;
}

static bool on_event(void *data, const struct search_event *event)
{
    struct search_command *s = data;

    s->failure = search_checkpoint_note(&s->checkpoint, event);
    return s->failure == 0;
}

static double uptime(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool stdin_is_pipe(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool is_pipe(const struct search_command *s)
{
    return s->files.count == 1 && strcmp(s->files.files[0].path, "-") == 0;
}

/* The log of auditd is not there: what else can be searched. */
static void say_what_else(const struct search_options *o)
{
    if (o->input_count)
        return;
    if (access(STORE_DEFAULT_PATH, F_OK) == 0)
        cli_note("what culprit recorded itself is searched with --store %s", STORE_DEFAULT_PATH);
    else
        cli_note("culprit has recorded nothing here either; a log of another place is named with -if FILE, a record of culprit's with --store FILE");
}

/* 0, or an exit code after having said why. */
static int find_logs(struct search_command *s)
{
    const struct search_options *o = &s->options;
    enum audit_log_rotations rotations = o->query.strict ? AUDIT_LOG_ROTATIONS_AUSEARCH
                                                         : AUDIT_LOG_ROTATIONS_ALL;
    struct audit_log_config config = { 0 };
    struct err err = ERR_INIT;
    int r = audit_log_config_read(AUDITD_CONF_PATH, &config, &err);

    if (r < 0 && r != -ENOENT) {
        cli_note("%s; using %s", err_text(&err, r), AUDIT_LOG_DEFAULT_PATH);
        err = ERR_INIT;
    }
    if (s->options.query.end_of_event_s == 0)
        s->options.query.end_of_event_s = config.end_of_event_s ? config.end_of_event_s : 2;
    r = 0;
    if (o->input_count == 0 && (o->input_logs || !stdin_is_pipe()))
        r = audit_log_files_add_log(&s->files, config.log_file ? config.log_file : AUDIT_LOG_DEFAULT_PATH,
                                    rotations, &err);
    else if (o->input_count == 0)
        r = audit_log_files_add(&s->files, "-", rotations, &err);
    for (unsigned i = 0; i < o->input_count && r == 0; i++) {
        r = cli_check_answers(o->inputs[i], &err);
        if (r == 0)
            r = audit_log_files_add(&s->files, o->inputs[i], rotations, &err);
    }
    audit_log_config_done(&config);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        if (r == -ENOENT)
            say_what_else(o);
        return cli_exit_code(r);
    }
    if (o->input_count > 1)
        audit_log_files_sort(&s->files);
    return 0;
}

static void print_stats(const struct search_command *s, const struct search_stats *stats)
{
    uint64_t damaged = stats->damaged + stats->log.long_lines;

    if (damaged)
        cli_note("%" PRIu64 " damaged record%s skipped", damaged, damaged == 1 ? "" : "s");
    if (stats->records == 0 && damaged)
        cli_note("%s does not look like an audit log", s->files.files[0].path);
    if (stats->late)
        cli_note("%" PRIu64 " record%s came after the end of %s event and %s not looked at", stats->late,
                 stats->late == 1 ? "" : "s", stats->late == 1 ? "its" : "their", stats->late == 1 ? "was" : "were");
    if (stats->forced)
        cli_note("%" PRIu64 " unfinished event%s could not be kept until the end", stats->forced,
                 stats->forced == 1 ? "" : "s");
    if (search_format_unprinted(s->formatter))
        cli_note("%" PRIu64 " of the events found changed no file: OCSF's class 1001 has no place for them",
                 search_format_unprinted(s->formatter));
    if (stats->unsure)
        cli_note("%" PRIu64 " of these have the file's last name only: their directory is not in the log",
                 stats->unsure);
}

static int finish(struct search_command *s, int r)
{
    struct err err = ERR_INIT;

    if (r < 0 && s->failure == 0)
        s->failure = r;
    if (s->failure < 0) {
        cli_error("%s", err_text(&err, s->failure));
        return SEARCH_UNABLE;
    }
    if (s->options.checkpoint) {
        if (s->lost_checkpoint)
            return SEARCH_CHECKPOINT_NOT_FOUND;
        if (is_pipe(s)) {
            cli_note("a checkpoint of a pipe is not possible");
        } else {
            r = search_checkpoint_save(&s->checkpoint, s->options.checkpoint,
                                       s->files.files[s->files.count - 1].path, &err);
            if (r < 0) {
                cli_error("%s", err_text(&err, r));
                return SEARCH_CHECKPOINT_FAILED;
            }
        }
    }
    if (!s->found && s->options.query.format != SEARCH_RAW)
        fputs("<no matches>\n", stderr);
    return s->found ? SEARCH_FOUND : SEARCH_NOTHING;
}

/* A file given by name, not a directory or the system's log. */
static bool names_one_file(const struct search_command *s)
{
    struct stat st;

    return s->options.input_count == 1 && stat(s->options.inputs[0], &st) == 0 && !S_ISDIR(st.st_mode);
}

static int search_logs(struct search_command *s)
{
    struct search_stats stats = { 0 };
    struct err err = ERR_INIT;
    struct search_run run = { .query = &s->options.query,
                              .matcher = &s->matcher,
                              .files = &s->files,
                              .log = &cli_log,
                              .match = on_match,
                              .event = s->options.checkpoint ? on_event : NULL,
                              .keep_open = s->options.checkpoint != NULL,
                              .data = s };
    int r = find_logs(s);

    if (r)
        return r;
    if (s->options.checkpoint) {
        s->checkpoint.by_time = s->options.query.start_is_checkpoint;
        r = search_checkpoint_load(&s->checkpoint, s->options.checkpoint, &err);
        /* a file that is named is read whatever the checkpoint says of files */
        if (r == 0 && !names_one_file(s) &&
            search_checkpoint_skip_files(&s->checkpoint, &s->files) < 0)
            r = err_say(&err, -ENOENT, "checkpoint %s: the log that it ended in is gone; `-ts checkpoint` goes by time",
                        s->options.checkpoint);
        if (r < 0) {
            cli_error("%s", err_text(&err, r));
            return SEARCH_CHECKPOINT_BAD;
        }
    }
    if (is_pipe(s))
        run.idle = on_idle;
    r = search_learn(&run, &s->options.query, &err);
    if (r == 0)
        r = search_run(&run, &stats, &err);
    on_idle(s);
    print_stats(s, &stats);
    if (r < 0 && err.text[0]) {
        cli_error("%s", err_text(&err, r));
        return cli_exit_code(r);
    }
    r = finish(s, r);
    return r == SEARCH_NOTHING && stats.records == 0 && stats.damaged + stats.log.long_lines ? SEARCH_USAGE : r;
}

/* ---- our own store ---- */

static bool is_container(const struct container *c, const char *wanted)
{
    return c && (bytes_equal_str(c->name, wanted) || (c->id.len && bytes_starts_with(c->id, bytes_of(wanted))));
}

/* Asked by the file's name as its victim sees it, then as the host finds it. */
static bool stored_matches(struct search_command *s, const struct event *e)
{
    bool names_matter = s->options.query.file_count > 0 && e->host_path.data;

    if (s->all)
        return search_synthesis_make(&s->synthesis, e, false) == 0;
    if (search_synthesis_make(&s->synthesis, e, false) == 0 && search_matches(&s->matcher, &s->synthesis.event))
        return true;
    return names_matter && search_synthesis_make(&s->synthesis, e, true) == 0 &&
           search_matches(&s->matcher, &s->synthesis.event);
}

static int on_stored(void *data, struct event *e)
{
    struct search_command *s = data;
    const struct search_query *q = &s->options.query;
    const char *wanted = q->container;
    bool here = !wanted || is_container(e->victim, wanted) ||
                (e->actor.process && is_container(e->actor.process->container, wanted));
    bool go_on = true;

    if (here && stored_matches(s, e)) {
        if (!s->found)
            search_format_header(s->formatter, &s->out);
        s->found = true;
        if (q->format == SEARCH_JSON)
            ecs_write_event(&s->out, e, &s->host);
        else if (q->format == SEARCH_OCSF)
            ocsf_write_event(&s->out, e, s->host.name);
        else
            s->failure = search_format_event(s->formatter, &s->synthesis.event, &s->matcher, &s->out);
        if (q->line_buffered)
            on_idle(s);
        else if (s->out.len >= OUTPUT_SIZE)
            flush(s);
        go_on = !q->just_one && s->failure == 0 && !s->nobody_reads;
    }
    event_free(e);
    return go_on ? 0 : 1;
}

static int search_store(struct search_command *s, const struct daemon_question *member)
{
    struct store_options options = { .path = s->options.store,
                                     .spool_directory = STORE_SPOOL_DIRECTORY,
                                     .read_only = true,
                                     .log = &cli_log };
    struct search_query *q = &s->options.query;
    struct store_query query = { .any_victim = true, .operations = q->operations };
    struct store *store = NULL;
    struct err err = ERR_INIT;
    int status, r = by_daemon_open_store(&options, member, &store, &status, &err);

    if (r > 0)
        return status;
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return r == -ENOENT ? SEARCH_NOTHING : SEARCH_UNABLE; /* nothing was recorded yet */
    }
    memory_keep();
    q->operations = 0; /* the store knows them better than records made from it */
    q->end_of_event_s = q->end_of_event_s ? q->end_of_event_s : 2;
    query.since_ns = q->start_ms ? q->start_ms * NS_PER_MS : q->start_s * NS_PER_S;
    query.until_ns = q->end_ms ? q->end_ms * NS_PER_MS : q->end_s ? q->end_s * NS_PER_S + NS_PER_S - 1 : 0;
    /* other formats look at what the comparison took apart, or at the cause */
    s->all = (q->format == SEARCH_RAW || q->format == SEARCH_DEFAULT) && search_asks_for_all(q) && !q->start_ms && !q->end_ms;
    query.no_cause = q->format == SEARCH_RAW || q->format == SEARCH_DEFAULT;
    s->host = cli_host(&s->host_arena);
    r = store_each_event(store, &query, on_stored, s, &err);
    store_close(store);
    on_idle(s);
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return SEARCH_UNABLE;
    }
    return finish(s, s->failure);
}

/* Without a log of auditd what culprit recorded is all there is to search. */
static bool from_store(struct search_command *s)
{
    if (s->options.store)
        return true;
    if (s->options.input_count || s->options.input_logs || stdin_is_pipe() || s->options.checkpoint)
        return false;
    if (access(AUDITD_CONF_PATH, F_OK) == 0 || access(AUDIT_LOG_DEFAULT_PATH, F_OK) == 0 ||
        access(STORE_DEFAULT_PATH, F_OK) < 0)
        return false;
    s->options.store = STORE_DEFAULT_PATH;
    cli_note("no audit log here: searching what culprit recorded (%s)", STORE_DEFAULT_PATH);
    return true;
}

/* ausearch has one status for nothing and for what went wrong. */
static int status_as_asked(int status, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--strict-ausearch") == 0 && (status == SEARCH_USAGE || status == SEARCH_UNABLE))
            return SEARCH_NOTHING;
    return status;
}

static int search_with(struct search_command *s, const struct daemon_question *member)
{
    int r;

    s->formatter = search_formatter_new(&s->options.query, NULL);
    if (!s->formatter || search_matcher_init(&s->matcher, &s->options.query) < 0) {
        cli_error("out of memory");
        r = SEARCH_UNABLE;
    } else {
        r = from_store(s) ? search_store(s, member) : search_logs(s);
    }
    search_matcher_done(&s->matcher);
    search_formatter_free(s->formatter);
    search_checkpoint_done(&s->checkpoint);
    audit_log_files_done(&s->files);
    sbuf_done(&s->out);
    search_synthesis_done(&s->synthesis);
    arena_done(&s->host_arena);
    return r;
}

int search_given(const struct given_store *given, int argc, char **argv)
{
    struct daemon_question member = { .given = given, .verb = "search", .argc = argc, .argv = argv };
    struct search_command s = { .out = SBUF_INIT };
    struct err err = ERR_INIT;
    int r;

    (void)setlocale(LC_ALL, ""); /* dates are the locale's, as ausearch's are */
    r = search_options_parse(argc, argv, time(NULL), uptime(), &s.options, &err);
    if (r == 0 && s.options.store && (s.options.input_count || s.options.checkpoint))
        r = err_say(&err, -EINVAL, "--store goes with neither logs nor --checkpoint");
    if (r == 0 && s.options.query.container && !s.options.store)
        r = err_say(&err, -EINVAL, "--container needs --store: audit logs do not name containers");
    if (r < 0 || argc < 2) {
        cli_error("search: %s (`culprit search --help` lists the options)",
                  argc < 2 ? "what is searched for?" : err_text(&err, r));
        return status_as_asked(SEARCH_USAGE, argc, argv);
    }
    if (s.options.help) {
        cli_print_help(verb_by_name("search"));
        return SEARCH_FOUND;
    }
    if (s.options.version) {
        printf("culprit %s\n", CULPRIT_VERSION);
        return SEARCH_FOUND;
    }
    member.control = s.options.control;
    return status_as_asked(search_with(&s, &member), argc, argv);
}

int cmd_search(int argc, char **argv)
{
    return search_given(NULL, argc, argv);
}
