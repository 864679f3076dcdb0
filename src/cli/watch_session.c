/* SPDX-License-Identifier: MIT */
#include "cli/watch_session.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "attribution/script_line.h"
#include "daemon/attached.h"
#include "sensor/sensors.h"
#include "util/cleanup.h"

static sigset_t original_mask; /* of the process, which has one: COMMAND gets it back after the fork */

static void on_event(void *data, const struct event *event)
{
    struct watch_session *o = data;

    if (o->junit)
        junit_file_event(o->junit, event);
    if (!o->args.report.quiet)
        printer_event(&o->printer, event);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    printer_life(&((struct watch_session *)data)->printer, life);
}

static void on_gap(void *data, const struct gap *gap)
{
    printer_gap(&((struct watch_session *)data)->printer, gap);
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    cli_note("%s", text);
}

static void on_idle(void *data)
{
    struct watch_session *o = data;

    printer_idle(&o->printer);
    if (o->outlet.failed) /* nobody reads any more */
        watch_session_stop(o);
}

static void read_signals(struct watch_session *o)
{
    struct signalfd_siginfo info;

    while (read(o->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        /* a key: who reads us may still be there, and asks again if he is not */
        o->interrupts += info.ssi_signo == SIGINT;
        o->hurry |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP || o->interrupts > 1;
        o->signalled(o, (int)info.ssi_signo, (pid_t)info.ssi_pid);
    }
}

static void on_wait(void *data, int fd)
{
    struct watch_session *o = data;

    (void)fd;
    read_signals(o);
    if (o->also)
        o->also(o);
}

static bool is_in_hurry(void *data)
{
    struct watch_session *o = data;

    read_signals(o);
    return o->hurry;
}

static int take_signals(struct watch_session *o)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &mask, &original_mask) < 0)
        return -errno;
    o->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return o->signal_fd < 0 ? -errno : 0;
}

static int wait_for_both(struct watch_session *o)
{
    const int fds[] = { o->signal_fd, o->also_fd };

    o->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < ARRAY_SIZE(fds) && o->wait_fd >= 0; i++)
        if ((i == 0 || o->also) && epoll_ctl(o->wait_fd, EPOLL_CTL_ADD, fds[i], &(struct epoll_event){ .events = EPOLLIN }) < 0)
            return -errno;
    return o->wait_fd < 0 ? -errno : 0;
}

void watch_session_restore_signals(void)
{
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &original_mask, NULL);
}

static int add_targets(struct watch_session *o, struct err *err)
{
    char cwd[PATH_MAX];

    if (!getcwd(cwd, sizeof(cwd)))
        return err_set(err, -errno, "the working directory");
    for (size_t i = 0; i < o->args.target_count; i++) {
        struct target target;
        int r = target_parse(bytes_of(o->args.targets[i]), bytes_of(cwd), &target, err);

        if (r == 0)
            r = cli_check_target_answers(&target, err);
        if (r == 0) {
            target.permissions = o->args.asks[i].permissions;
            target.key = arena_copy(&target.arena, bytes_of(o->args.asks[i].key));
        }
        if (r == 0)
            r = pipeline_add(o->pipeline, &target, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* What the daemon may not do as we would: an own choice of sensors, of the place of the record, of what is reported. */
static bool may_attach(const struct watch_session *o)
{
    const struct pipeline_options *p = &o->args.pipeline;

    return !o->args.alone && !p->writes && !p->no_store && !p->store_path && !p->ring_size && !p->no_seccomp && o->args.target_count;
}

/* A link on the way is followed by whoever looks himself; the daemon knows paths. Members of its group cannot look themselves. */
static bool is_plain(const struct target *target)
{
    char resolved[PATH_MAX];

    return target->selector.kind != SELECTOR_NONE || geteuid() != 0 ||
           (realpath(target->path.data, resolved) && bytes_equal_str(target->path, resolved));
}

static bool take_attached_targets(struct watch_session *o, struct attached_target *targets)
{
    char cwd[PATH_MAX];
    bool plain = getcwd(cwd, sizeof(cwd)) != NULL;

    for (size_t i = 0; plain && i < o->args.target_count; i++) {
        struct bytes shown = bytes_of(o->args.targets[i]);
        struct target target;

        if (target_parse(shown, bytes_of(cwd), &target, NULL) < 0)
            return false;
        targets[i] = (struct attached_target){
            .text = target.selector.kind == SELECTOR_NONE ? arena_copy(&o->arena, target.path) : shown,
            .shown = shown,
            .permissions = o->args.asks[i].permissions,
            .key = bytes_of(o->args.asks[i].key ? o->args.asks[i].key : o->args.pipeline.key),
        };
        plain = cli_check_target_answers(&target, NULL) == 0 && is_plain(&target) && targets[i].text.data;
        target_done(&target);
    }
    return plain;
}

/* 0: the daemon observes for us; -ENOENT: we look ourselves; other errors: nobody can. */
static int attach(struct watch_session *o, struct err *err)
{
    struct attached_target *targets = arena_alloc(&o->arena, (o->args.target_count + 1) * sizeof(*targets));
    struct err why = ERR_INIT;
    int r;

    if (!targets || !may_attach(o) || !take_attached_targets(o, targets))
        return -ENOENT;
    r = attached_open(&o->args.pipeline, o->args.control ? o->args.control : CLI_CONTROL_SOCKET, targets, o->args.target_count,
                      &o->attached, &why);
    if (r == -EPERM && why.text[0] && geteuid() != 0) /* nor can we */
        return err_say(err, r, "%s", why.text);
    if (r < 0 && r != -ENOENT)
        log_debug(&cli_log, "not by the daemon: %s", err_text(&why, r));
    if (r < 0)
        return -ENOENT;
    return attached_watch_fd(o->attached, o->wait_fd, on_wait, o);
}

static int look_ourselves(struct watch_session *o, struct err *err)
{
    int r = pipeline_open(&o->args.pipeline, &o->pipeline, err);

    if (r == 0)
        r = pipeline_watch_fd(o->pipeline, o->wait_fd, on_wait, o, err);
    return r < 0 ? r : add_targets(o, err);
}

static void say_ready(struct watch_session *o)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (o->attached)
        attached_ready(o->attached, &text);
    else
        pipeline_ready(o->pipeline, &text);
    cli_note("ready %s", sbuf_str(&text));
#ifdef HAVE_LIBSYSTEMD
    (void)sd_notify(0, "READY=1");
#endif
}

static void join_targets(const struct watch_args *args, struct sbuf *out)
{
    for (size_t i = 0; i < args->target_count; i++)
        sbuf_addf(out, "%s%s", i ? " " : "", args->targets[i]);
}

int watch_session_start(struct watch_session *o)
{
    struct pipeline_options *options = &o->args.pipeline;
    _cleanup_sbuf_ struct sbuf target = SBUF_INIT;
    struct err err = ERR_INIT;
    int r;

    o->signal_fd = o->wait_fd = -EBADF;
    printer_init(&o->printer, o->args.report.format, stdout);
    join_targets(&o->args, &target);
    options->case_options.target = sbuf_bytes(&target);
    options->case_options.settle_ns = o->args.settle_ns;
    options->case_options.not_recorded = options->no_store;
    options->case_options.store = bytes_of(options->store_path);
    options->case_options.script_line = script_line;
    options->case_options.limit = o->args.report.limit;
    options->case_options.quiet = o->args.report.quiet;
    options->case_options.verbose = o->args.report.verbose;
    options->filter = &o->args.report.filter;
    options->docker_socket = cli_docker_socket();
    options->host_id = o->printer.host.id;
    options->host_name = o->printer.host.name;
    options->data = o;
    options->event = on_event;
    options->life = o->args.report.quiet ? NULL : on_life;
    options->gap = o->args.report.quiet ? NULL : on_gap;
    options->notice = on_notice;
    options->idle = on_idle;
    /* before anything is opened: a signal must not end us with rules left in the kernel */
    r = take_signals(o);
    if (r == 0)
        r = wait_for_both(o);
    outlet_init(&o->outlet, fileno(stdout), o->signal_fd, is_in_hurry, o);
    o->printer.outlet = &o->outlet;
    if (r < 0)
        err_set(&err, r, "signals");
    if (r == 0) {
        r = attach(o, &err);
        if (r == -ENOENT)
            r = look_ourselves(o, &err);
    }
    if (r < 0) {
        cli_error("%s", err_text(&err, r));
        watch_session_close(o);
        return cli_exit_code(r);
    }
    say_ready(o);
    return 0;
}

static const char *words_of(uint64_t capability)
{
    for (unsigned i = 0; capability_info(i); i++)
        if (capability_info(i)->bit == capability)
            return capability_info(i)->lack;
    return NULL;
}

bool watch_session_sees_refusals(const struct watch_session *o)
{
    const char *words = words_of(CAPABILITY_REFUSED);
    struct pipeline_condition now;
    struct bytes lacks;

    if (o->attached) {
        lacks = attached_not_seen(o->attached);
        return !words || !memmem(lacks.data, lacks.len, words, strlen(words));
    }
    pipeline_look(o->pipeline, &now);
    return now.has & CAPABILITY_REFUSED;
}

void watch_session_confine(struct watch_session *o)
{
    if (!o->attached)
        pipeline_confine(o->pipeline);
}

void watch_session_stop(struct watch_session *o)
{
    if (o->attached)
        attached_stop(o->attached);
    else
        pipeline_stop(o->pipeline);
}

struct case_ *watch_session_case(struct watch_session *o)
{
    return o->attached ? attached_case(o->attached) : pipeline_case(o->pipeline);
}

int watch_session_run(struct watch_session *o, uint64_t until_ns)
{
    struct err err = ERR_INIT;
    int r = o->attached ? attached_run(o->attached, until_ns, &err) : pipeline_run(o->pipeline, until_ns, &err);

    if (r < 0)
        cli_error("%s", err_text(&err, r));
    return r;
}

static int own_status(const struct watch_session *o, const struct case_ *c)
{
    if (case_lost(c))
        return EXIT_LOST;
    if (o->args.assert_unchanged)
        return case_answered(c) ? EXIT_NOTHING : EXIT_ANSWERED;
    return case_answered(c) ? EXIT_ANSWERED : EXIT_NOTHING;
}

/* Whoever does not read may be the same for what we say of it. */
static void say_unread(const struct watch_session *o)
{
    struct pollfd fd = { .fd = fileno(stderr), .events = POLLOUT };

    if (poll(&fd, 1, 0) > 0)
        cli_note("nobody read the output: %llu bytes of it are missing", (unsigned long long)o->outlet.dropped);
}

int watch_session_finish(struct watch_session *o)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct case_ *c = watch_session_case(o);
    int status;

    if (o->attached)
        attached_finish(o->attached);
    else
        pipeline_finish(o->pipeline);
    printer_flush(&o->printer);
    status = own_status(o, c);
    if (o->is_run)
        case_set_own_status(c, status);
    if (o->args.report.format == FORMAT_JSON) {
        case_write_json(c, &text);
    } else {
        if (case_events(c) && !o->args.report.quiet)
            sbuf_add_char(&text, '\n');
        case_write_text(c, o->printer.style.colour, o->printer.style.columns, &text);
    }
    printer_text(&o->printer, &text);
    if (!outlet_finish(&o->outlet) && !o->outlet.failed) {
        say_unread(o);
        status = EXIT_LOST;
    }
    return status;
}

void watch_session_close(struct watch_session *o)
{
    pipeline_close(o->pipeline);
    attached_close(o->attached);
    o->pipeline = NULL;
    o->attached = NULL;
    arena_done(&o->arena);
    printer_done(&o->printer);
    outlet_done(&o->outlet);
    if (o->signal_fd >= 0)
        close(o->signal_fd);
    if (o->wait_fd >= 0)
        close(o->wait_fd);
    watch_args_done(&o->args);
}
