/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/guard_args.h"
#include "cli/guard_keep.h"
#include "cli/guard_record.h"
#include "cli/guard_said.h"
#include "cli/option.h"
#include "cli/options.h"
#include "cli/watch_session.h"
#include "engine/engine.h"
#include "guard/holder.h"
#include "guard/overlay.h"
#include "guard/undo.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define ASK_AGAIN 10
#define ASK_AGAIN_NS (200 * 1000 * 1000)
#define WORDS_MAX (GUARD_TARGETS_MAX + GUARD_LAYERS_MAX + ALLOWED_MAX + 16)

static void command_done(struct guard_command *q)
{
    while (q->view_count)
        container_view_done(&q->views[--q->view_count]);
    while (q->parsed_count)
        target_done(&q->parsed[--q->parsed_count]);
    engines_free(q->engines);
    guard_allow_done(&q->kernel.allowed);
    guard_confirm_done(&q->confirm);
    arena_done(&q->arena);
    sbuf_done(&q->text);
}

/* ---- the targets ---- */

static int ask_engines(struct guard_command *q, const struct selector *selector, struct container_view *view, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    int r = q->engines ? 0 : engines_new(&options, &q->engines, err);

    return r < 0 ? r : engines_find(q->engines, selector->runtime, selector->text, view, err);
}

/* It is just being begun anew: what its engine said is of its last life. */
static bool is_of_last_life(const struct container_view *view)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/root", (int)view->container->pid);
    return view->running && access(path, F_OK) < 0 && errno == ENOENT;
}

static int find_container(struct guard_command *q, const struct target *target, struct guard_target *ret, struct err *err)
{
    struct container_view *view = &q->views[q->view_count];
    const struct selector *selector = &target->selector;
    int r = 0;

    if (selector_is_plural(selector) || selector->kind == SELECTOR_VOLUME)
        r = err_say(err, -EINVAL, "name one container, by its name or id");
    if (r == 0)
        r = ask_engines(q, selector, view, err);
    for (unsigned i = 0; i < ASK_AGAIN && r == 0 && is_of_last_life(view); i++) {
        container_view_done(view);
        engines_free(q->engines);
        q->engines = NULL;
        (void)nanosleep(&(struct timespec){ 0, ASK_AGAIN_NS }, NULL);
        r = ask_engines(q, selector, view, err);
    }
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
        return err_set(err, -errno, "%s", text);
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

/* What lies on an overlay can be reached in its layers too. */
static int find_layers(struct guard_command *q, struct err *err)
{
    for (size_t i = 0; i < q->count; i++) {
        int r = q->asked[i].view ? 0 : guard_overlay_layers(q->asked[i].path, &q->arena, q->layers + q->layer_count,
                                                            GUARD_LAYERS_MAX - q->layer_count, err);

        if (r == -ESTALE)
            cli_note("%s: through the overlay only it is guarded", err_text(err, r));
        else if (r < 0)
            return r;
        else
            q->layer_count += (size_t)r;
    }
    return 0;
}

/* Its keeper was killed: what he held is undone by us, who kept the privileges for it. */
static void take_back(struct guard_released *released)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    (void)guard_take_back(GUARD_STATE_DIRECTORY, &said, &released->failed);
    if (said.len)
        cli_warn(GUARD_KEEPER_KILLED "; undone now: %s", sbuf_str(&said));
    else
        cli_warn(GUARD_KEEPER_KILLED "; another culprit has undone it");
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
        guard_print_json(q, "guard-end", method, &released);
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

/* It has no limit of its own any more. */
static void go_on(struct guard_command *q)
{
    if (guard_is_by_kernel(q))
        kernel_guard_confirmed(&q->kernel);
    else
        guard_keeper_confirm(&q->keeper);
    cli_note("confirmed: it goes on%s%s", q->duration ? " for " : "", q->duration ? q->duration : "");
    if (q->json)
        guard_print_json(q, "guard-confirmed", guard_is_by_kernel(q) ? &guard_bpf : &guard_immutable, &(struct guard_released){ 0 });
}

static void on_word(struct watch_session *o)
{
    struct guard_command *q = o->data;
    enum guard_word word = guard_confirm_look(&q->confirm);

    if (word == GUARD_WORD_CONFIRMED)
        go_on(q);
    else if (word != GUARD_WORD_NONE)
        watch_session_stop(o);
    if (word == GUARD_WORD_LATE)
        cli_note("nobody confirmed it within %s: it ends", q->confirm_text);
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
    add_option(words, &count, "--sensor", guard_is_by_kernel(q) ? "bpf" : q->sensor);
    add_option(words, &count, "--control", q->control);
    add_option(words, &count, "--for", q->duration);
    if (q->no_store)
        words[count++] = (char *)"--no-store";
    words[count++] = (char *)"--";
    for (size_t i = 0; i < q->count; i++)
        words[count++] = guard_is_by_kernel(q) && !q->asked[i].view ? (char *)q->asked[i].path.data : q->targets[i];
    for (size_t i = 0; i < q->layer_count; i++)
        words[count++] = (char *)q->layers[i].data;
    /* whoever could write into a program that may, could do all that it may */
    for (size_t i = 0; i < q->kernel.allowed.count; i++)
        if (q->kernel.allowed.all[i].kind == ALLOW_EXECUTABLE)
            words[count++] = (char *)q->kernel.allowed.all[i].path.data;
    r = watch_args_parse(verb_by_name("watch"), count, words, false, &o.args);
    if (r < 0)
        return -r;
    o.args.alone = guard_is_by_kernel(q);
    /* should the keeper be killed, we undo what it held: the flag, of other users' files */
    if (q->held)
        o.args.pipeline.keep = 1ull << CAP_LINUX_IMMUTABLE | 1ull << CAP_FOWNER;
    o.also_fd = q->confirm.wait_fd;
    o.also = q->confirm.for_ns ? on_word : NULL;
    r = watch_session_start(&o);
    if (r)
        return r;
    if (guard_is_by_kernel(q)) {
        struct err err = ERR_INIT;

        r = kernel_guard_begin(&q->kernel, sbuf_bytes(&q->text), q->for_ns, q->confirm.for_ns, &err);
        if (r < 0) {
            cli_error("%s", err_text(&err, r));
            watch_session_close(&o);
            return EXIT_UNABLE;
        }
        guard_say_begun(q, &guard_bpf);
    }
    if (q->held && !watch_session_sees_refusals(&o))
        cli_warn("these sensors do not see what is refused: whoever tries is not reported; --sensor audit would, where it can be had");
    guard_confirm_begin(&q->confirm);
    watch_session_confine(&o);
    if (q->held && guard_keeper_is_over(&q->keeper))
        until = 1; /* it ended while nobody waited for its signal */
    else if (o.args.for_ns)
        until = clock_ns(CLOCK_MONOTONIC) + o.args.for_ns;
    r = watch_session_run(&o, until);
    if (guard_is_by_kernel(q))
        kernel_guard_end(&q->kernel);
    r = r < 0 ? EXIT_UNABLE : watch_session_finish(&o);
    watch_session_close(&o);
    return r;
}

/* For whoever thinks that they were. */
static void find_mounted(struct guard_command *q)
{
    for (size_t i = 0; i < q->count; i++)
        guard_mounted_below(&q->asked[i], guard_is_by_kernel(q), &q->arena, &q->mounted);
    q->kernel.mounted_below = q->mounted.count;
}

static int by_flags(struct guard_command *q)
{
    struct guard_ask ask = { .method = &guard_immutable, .targets = q->asked, .count = q->count, .text = sbuf_bytes(&q->text),
                             .for_ns = q->for_ns, .confirm_ns = q->confirm.for_ns, .mounted_below = q->mounted.count,
                             .directory = GUARD_STATE_DIRECTORY };
    struct err err = ERR_INIT;
    int r = q->log_only ? 0 : guard_keeper_start(&ask, &q->keeper, &err), code;

    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return r == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
    }
    q->held = !q->log_only;
    if (q->log_only)
        cli_note("nothing is held: each change that is reported now would be refused");
    else
        guard_say_begun(q, &guard_immutable);
    code = observe(q);
    r = end_guard(q, &guard_immutable);
    return r ? r : code;
}

static int by_programs(struct guard_command *q)
{
    int code = observe(q);

    if (!q->kernel.test.all || q->kernel.test.denied < q->kernel.test.all)
        return code; /* it was not guarded */
    kernel_guard_say_end(&q->kernel);
    if (q->json)
        guard_print_json(q, "guard-end", &guard_bpf, &(struct guard_released){ 0 });
    return code;
}

static int guard(struct guard_command *q)
{
    struct guard_wish wish = { q->method ? q->method : "auto", q->best_effort };
    struct err err = ERR_INIT;
    int r = find_targets(q, &err);

    for (size_t i = 0; i < q->allow_count && r == 0; i++)
        r = guard_allow_find(&q->kernel.allowed, q->allow[i], &q->engines, &q->arena, &err);
    /* the keeper would hold theirs too: inotify instances are few, and of all programs of the user */
    engines_free(q->engines);
    q->engines = NULL;
    if (r == 0 && q->keep)
        return guard_keep(q);
    if (r == 0 && !q->log_only)
        r = kernel_guard_choose(&wish, &q->kernel, &err);
    if (r == 0 && guard_is_by_kernel(q))
        r = find_layers(q, &err);
    if (r == 0 && q->confirm.for_ns && (r = guard_confirm_open(&q->confirm)) < 0)
        err_set(&err, r, "waiting for a confirmation");
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        return r == -EINVAL ? EXIT_USAGE : EXIT_UNABLE;
    }
    find_mounted(q);
    return guard_is_by_kernel(q) ? by_programs(q) : by_flags(q);
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

static int confirm(struct guard_command *q)
{
    size_t failed = 0, confirmed = guard_confirm(GUARD_STATE_DIRECTORY, q->count ? sbuf_str(&q->text) : NULL, &failed);

    if (failed)
        cli_warn("%zu did not answer, or ended meanwhile: culprit doctor lists what is guarded", failed);
    if (confirmed)
        cli_note("%zu confirmed", confirmed);
    else if (!failed)
        cli_note("no guard%s waits to be confirmed", q->count ? " of that name" : "");
    return failed ? EXIT_UNABLE : confirmed ? EXIT_ANSWERED : EXIT_NOTHING;
}

int cmd_guard(int argc, char **argv)
{
    struct guard_command q = { .kernel = KERNEL_GUARD_NULL, .confirm = GUARD_CONFIRM_NULL };
    int r = guard_args_parse(argc, argv, &q);

    if (r == 0 && q.would_have_ns) {
        r = guard_would_have(&q);
    } else if (r == 0 && geteuid() != 0) {
        cli_error("needs root: it holds what belongs to others");
        r = EXIT_UNABLE;
    } else if (r == 0 && q.off) {
        r = turn_off(&q);
    } else if (r == 0 && q.confirmed) {
        r = confirm(&q);
    } else if (r == 0) {
        guard_confirm_block();
        cli_take_back_guards();
        r = guard(&q);
    }
    command_done(&q);
    return r;
}
