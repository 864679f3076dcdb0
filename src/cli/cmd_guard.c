/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/option.h"
#include "cli/options.h"
#include "cli/watch_session.h"
#include "engine/engine.h"
#include "event/ecs.h"
#include "event/sentence.h"
#include "guard/keeper.h"
#include "guard/undo.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/parse.h"

#define TARGETS_MAX 64
#define WORDS_MAX (TARGETS_MAX + 16)

struct guard_command {
    const char *method, *store, *format, *sensor, *duration;
    bool log_only, off, no_store, json;
    uint64_t for_ns;
    char **targets; /* into argv */
    size_t count;
    struct target parsed[TARGETS_MAX];
    struct container_view views[TARGETS_MAX];
    struct guard_target asked[TARGETS_MAX];
    size_t parsed_count, view_count;
    struct engines *engines;
    struct arena arena;
    struct sbuf text;
    struct guard_keeper keeper;
    bool held;
};

static void command_done(struct guard_command *q)
{
    while (q->view_count)
        container_view_done(&q->views[--q->view_count]);
    while (q->parsed_count)
        target_done(&q->parsed[--q->parsed_count]);
    engines_free(q->engines);
    arena_done(&q->arena);
    sbuf_done(&q->text);
}

static int parse(int argc, char **argv, struct guard_command *q)
{
    const struct verb *verb = verb_by_name("guard");
    const struct cli_option *option;
    struct option_parser parser;
    struct err err = ERR_INIT;
    enum format format;
    int next;

    options_begin(&parser, verb, 0, argc, argv);
    while ((next = options_next(&parser, &option)) != 0) {
        if (next < 0)
            return -next;
        switch (option->id) {
        case OPTION_METHOD:
            q->method = optarg;
            if (!guard_method_by_name(optarg))
                return cli_usage_error(verb, "unknown method \"%.40s\" (use immutable)", optarg);
            break;
        case OPTION_FOR:
            q->duration = optarg;
            if (parse_duration(optarg, &q->for_ns, &err) < 0)
                return cli_usage_error(verb, "%s", err_text(&err, -EINVAL));
            if (!q->for_ns)
                return cli_usage_error(verb, "--for 0 would guard nothing");
            break;
        case OPTION_LOG_ONLY:
            q->log_only = true;
            break;
        case OPTION_OFF:
            q->off = true;
            break;
        case OPTION_STORE:
            q->store = optarg;
            break;
        case OPTION_NO_STORE:
            q->no_store = true;
            break;
        case OPTION_SENSOR:
            q->sensor = optarg;
            break;
        case OPTION_FORMAT:
            if (cli_parse_format(verb, optarg, &format))
                return EXIT_USAGE;
            q->format = optarg;
            q->json = format == FORMAT_JSON;
            break;
        default:
            break;
        }
    }
    q->targets = argv + optind;
    q->count = (size_t)(argc - optind);
    if (!q->count && !q->off)
        return cli_usage_error(verb, "which files? give [CONTAINER:]PATH");
    if (q->count > TARGETS_MAX)
        return cli_usage_error(verb, "more than %d targets", TARGETS_MAX);
    for (size_t i = 0; i < q->count; i++)
        sbuf_addf(&q->text, "%s%s", i ? " " : "", q->targets[i]);
    return cli_check_targets(verb, q->targets, q->count);
}

/* ---- the targets ---- */

static int find_container(struct guard_command *q, const struct target *target, struct guard_target *ret, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    struct container_view *view = &q->views[q->view_count];
    const struct selector *selector = &target->selector;
    int r = q->engines ? 0 : engines_new(&options, &q->engines, err);

    if (r == 0 && (selector_is_plural(selector) || selector->kind == SELECTOR_VOLUME))
        r = err_say(err, -EINVAL, "name one container, by its name or id");
    if (r == 0)
        r = engines_find(q->engines, selector->runtime, selector->text, view, err);
    if (r < 0)
        return r;
    q->view_count++;
    ret->view = view;
    ret->path = target->path;
    return 0;
}

static int find_host_path(struct guard_command *q, const struct target *target, struct guard_target *ret, struct err *err)
{
    char text[PATH_MAX], real[PATH_MAX];
    int r = cli_check_target_answers(target, err);

    if (r < 0)
        return r;
    snprintf(text, sizeof(text), "%.*s", (int)target->path.len, target->path.data);
    if (!realpath(text, real))
        return err_set(err, -errno, "the target");
    if (strcmp(real, "/") == 0)
        return err_say(err, -EINVAL, "all of the host is not guarded: nobody could undo it");
    ret->path = arena_copy(&q->arena, bytes_of(real));
    return ret->path.data ? 0 : -ENOMEM;
}

static int find_targets(struct guard_command *q, struct err *err)
{
    char cwd[PATH_MAX];
    int r = 0;

    if (!getcwd(cwd, sizeof(cwd)))
        cwd[0] = '\0';
    for (size_t i = 0; i < q->count && r == 0; i++) {
        struct target *target = &q->parsed[i];

        r = target_parse(bytes_of(q->targets[i]), bytes_of(cwd), target, err);
        if (r < 0)
            break;
        q->parsed_count++;
        q->asked[i].text = bytes_of(q->targets[i]);
        r = target->selector.kind == SELECTOR_NONE ? find_host_path(q, target, &q->asked[i], err)
                                                   : find_container(q, target, &q->asked[i], err);
    }
    return r;
}

/* ---- what is said ---- */

static void print_json(struct guard_command *q, const char *action, const struct guard_method *method, const struct guard_released *released)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    sbuf_add_char(&out, '{');
    json_key(&out, JSON_KEY("@timestamp"));
    ecs_write_time(&out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(&out);
    json_key(&out, JSON_LITERAL(",\"event\":{\"kind\":\"state\",\"category\":[\"file\"],\"module\":\"culprit\",\"dataset\":\"culprit.guard\""));
    json_string(&out, JSON_KEY("action"), bytes_of(action));
    json_close(&out);
    (void)json_open(&out, JSON_OBJECT("culprit"));
    (void)json_open(&out, JSON_OBJECT("guard"));
    json_string(&out, JSON_KEY("target"), sbuf_bytes(&q->text));
    json_string(&out, JSON_KEY("method"), bytes_of(method->name));
    json_number(&out, JSON_KEY("held"), q->keeper.held);
    json_number(&out, JSON_KEY("denied"), q->keeper.denied);
    json_number(&out, JSON_KEY("tested"), q->keeper.all);
    if (released->other)
        json_number(&out, JSON_KEY("changed_by_others"), released->other);
    if (released->shared)
        json_number(&out, JSON_KEY("held_by_others"), released->shared);
    if (released->failed)
        json_number(&out, JSON_KEY("not_released"), released->failed);
    if (q->for_ns)
        json_number(&out, JSON_KEY("for_ns"), q->for_ns);
    json_key(&out, JSON_ARRAY("not_denied"));
    for (const char *const *lack = method->lacks; *lack; lack++)
        json_element(&out, bytes_of(*lack));
    json_close_array(&out);
    sbuf_add_str(&out, "}}}\n");
    cli_write(stdout, &out);
    fflush(stdout);
}

static void say_guarded(struct guard_command *q, const struct guard_method *method)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    escape_terminal(&text, sbuf_bytes(&q->text));
    cli_note("guarded: %s, %zu files and folders held %s%s%s; tested, %zu of %zu deny", sbuf_str(&text), q->keeper.held, method->name,
             q->duration ? " for " : "", q->duration ? q->duration : "", q->keeper.denied, q->keeper.all);
    for (const char *const *lack = method->lacks; *lack; lack++)
        cli_note("%s%s", lack == method->lacks ? "not denied, or to be known: " : "  ", *lack);
    if (q->json)
        print_json(q, "guard-begin", method, &(struct guard_released){ 0 });
}

/* Its keeper was killed: what he held is undone by us, who kept the privileges for it. */
static void take_back(struct guard_released *released)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    (void)guard_take_back(GUARD_STATE_DIRECTORY, &said, &released->failed);
    if (said.len)
        cli_warn("who held the guard was ended; undone now: %s", sbuf_str(&said));
    else
        cli_warn("who held the guard was ended; another culprit has undone it");
}

static int end_guard(struct guard_command *q, const struct guard_method *method)
{
    struct guard_released released = { 0 };
    size_t held = q->keeper.held;

    if (!q->held)
        return 0;
    if (guard_keeper_end(&q->keeper, &released) < 0)
        take_back(&released);
    else if (released.failed)
        cli_warn("%zu of %zu files and folders could not be released: the next culprit command tries again", released.failed, held);
    else if (released.other)
        cli_warn("the guard is over; of %zu of %zu files and folders somebody had changed the flags or the path meanwhile", released.other,
                 held);
    else if (released.shared)
        cli_note("the guard is over: of %zu, %zu stay held by another guard", held, released.shared);
    else
        cli_note("the guard is over: all %zu are as they were", held);
    if (q->json)
        print_json(q, "guard-end", method, &released);
    return released.failed ? EXIT_UNABLE : 0;
}

/* ---- observing meanwhile ---- */

static void on_signal(struct watch_session *o, int number, pid_t sender)
{
    struct guard_command *q = o->data;

    (void)sender;
    if (number != SIGCHLD || (q->held && guard_keeper_is_over(&q->keeper)))
        watch_session_stop(o);
}

static void add_option(char **words, int *count, const char *name, const char *value)
{
    if (!value)
        return;
    words[(*count)++] = (char *)name;
    words[(*count)++] = (char *)value;
}

/* As watch does, with its options. */
static int observe(struct guard_command *q)
{
    struct watch_session o = { .signalled = on_signal, .data = q };
    char *words[WORDS_MAX] = { (char *)"watch" };
    uint64_t until = 0;
    int count = 1, r;

    add_option(words, &count, "--store", q->store);
    add_option(words, &count, "--format", q->format);
    add_option(words, &count, "--sensor", q->sensor);
    add_option(words, &count, "--for", q->duration);
    if (q->no_store)
        words[count++] = (char *)"--no-store";
    words[count++] = (char *)"--";
    for (size_t i = 0; i < q->count; i++)
        words[count++] = q->targets[i];
    r = watch_args_parse(verb_by_name("watch"), count, words, false, &o.args);
    if (r < 0)
        return -r;
    /* should the keeper be killed, we undo what it held: the flag, of other users' files */
    if (q->held)
        o.args.pipeline.keep = 1ull << CAP_LINUX_IMMUTABLE | 1ull << CAP_FOWNER;
    r = watch_session_start(&o);
    if (r)
        return r;
    watch_session_confine(&o);
    if (q->held && guard_keeper_is_over(&q->keeper))
        until = 1; /* it ended while nobody waited for its signal */
    else if (o.args.for_ns)
        until = clock_ns(CLOCK_MONOTONIC) + o.args.for_ns;
    r = watch_session_run(&o, until);
    r = r < 0 ? EXIT_UNABLE : watch_session_finish(&o);
    watch_session_close(&o);
    return r;
}

static int guard(struct guard_command *q)
{
    const struct guard_method *method = guard_method_by_name(q->method);
    struct guard_ask ask = { .method = method, .targets = q->asked, .count = q->count, .text = sbuf_bytes(&q->text),
                             .for_ns = q->for_ns, .directory = GUARD_STATE_DIRECTORY };
    struct err err = ERR_INIT;
    int r = find_targets(q, &err), code;

    /* the keeper would hold theirs too: inotify instances are few, and of all programs of the user */
    engines_free(q->engines);
    q->engines = NULL;
    if (r == 0 && !q->log_only) {
        r = guard_keeper_start(&ask, &q->keeper, &err);
        q->held = r == 0;
    }
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return r == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
    }
    if (q->log_only)
        cli_note("nothing is held: each change that is told now would be refused");
    else
        say_guarded(q, method);
    code = observe(q);
    r = end_guard(q, method);
    return r ? r : code;
}

void cli_take_back_guards(void)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    if (geteuid() == 0 && access(GUARD_STATE_DIRECTORY, F_OK) == 0)
        (void)guard_take_back(GUARD_STATE_DIRECTORY, &said, NULL);
    if (said.len)
        cli_note("undone now, because nobody held it any more: %s", sbuf_str(&said));
}

static int turn_off(struct guard_command *q)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;
    size_t failed = 0, ended = guard_end(GUARD_STATE_DIRECTORY, q->count ? sbuf_str(&q->text) : NULL, &said, &failed);

    if (said.len)
        cli_note("undone: %s", sbuf_str(&said));
    if (!ended && !said.len) {
        cli_note("nothing is guarded%s", q->count ? " by that name: culprit doctor lists what is" : "");
        return EXIT_NOTHING;
    }
    if (ended)
        cli_note("%zu ended", ended);
    return failed ? EXIT_UNABLE : EXIT_ANSWERED;
}

static int refuse_without_method(void)
{
    const char *why = guard_bpf_lacks();

    cli_error("%s; without it: --method immutable (flags of chattr on the files: culprit-guard(1) says what that does not deny)",
              why ? why : "this culprit cannot deny by BPF yet");
    return EXIT_UNABLE;
}

int cmd_guard(int argc, char **argv)
{
    struct guard_command q = { 0 };
    int r = parse(argc, argv, &q);

    if (r == 0 && geteuid() != 0) {
        cli_error("needs root: it holds what belongs to others");
        r = EXIT_UNABLE;
    } else if (r == 0 && q.off) {
        r = turn_off(&q);
    } else if (r == 0 && !q.method && !q.log_only) {
        r = refuse_without_method();
    } else if (r == 0) {
        q.method = q.method ? q.method : "immutable";
        cli_take_back_guards();
        r = guard(&q);
    }
    command_done(&q);
    return r;
}
