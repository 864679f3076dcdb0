/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/alerting.h"
#include "daemon/arm.h"
#include "daemon/control.h"
#include "daemon/declared.h"
#include "daemon/heartbeat.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/pipeline.h"
#include "daemon/retain.h"
#include "daemon/single.h"
#include "daemon/status.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define PROBLEMS_MAX (16 * 1024)     /* bytes of a broken configuration's mistakes that are kept for who asked */
#define FINISH_NS (3 * NS_PER_S)     /* at the end: whoever stops us waits for five seconds */

struct service {
    const struct service_options *options;
    struct config config;
    struct pipeline *pipeline;
    struct arming arming;
    struct status status;
    struct control *control; /* NULL: it could not be opened */
    struct heartbeat *heartbeat; /* NULL: none */
    struct alerting *alerting;   /* NULL: alerts are off */
    struct metrics *metrics;     /* NULL: none */
    struct declared declared;
    struct sbuf sensors, problems, control_path;
    int signal_fd;
    uint64_t next_sign_ns;
    bool ending;        /* the observation is over: nothing is begun any more */
    bool reload;        /* asked for, and not done yet */
    bool changed_later; /* something that counts from the next start on only */
};

_printf_(2, 3) static void notice(const struct service *s, const char *format, ...)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char line[LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    sbuf_add_str(&text, line);
    s->options->notice(s->options->data, sbuf_str(&text));
}

static void give_sign(struct service *s)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (!s->options->watchdog_ns || now < s->next_sign_ns)
        return;
    s->next_sign_ns = now + s->options->watchdog_ns / 4;
    notify_sign(s->options->notify_socket);
}

/* ---- what is reported to the manager ---- */

static void report_ready(struct service *s)
{
    char later[64] = "", unarmed[96] = "", broken[96] = "";

    if (s->arming.set.unarmed_count)
        snprintf(unarmed, sizeof(unarmed), ", %zu cannot be", s->arming.set.unarmed_count);
    if (s->changed_later)
        snprintf(later, sizeof(later), "; some values count from the next start on");
    if (s->status.broken)
        snprintf(broken, sizeof(broken), "; the new configuration has mistakes and is not in force");
    notify_send(s->options->notify_socket, "READY=1\nSTATUS=%zu targets are watched%s%s%s", s->arming.set.count, unarmed, later, broken);
}

/* ---- the configuration anew ---- */

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    struct service *s = data;

    s->options->problem(s->options->data, file, line, text, warning);
    if (warning || s->problems.len > PROBLEMS_MAX)
        return;
    if (line)
        sbuf_addf(&s->problems, "%s:%u: %s\n", file, line, text);
    else
        sbuf_addf(&s->problems, "%s: %s\n", file, text);
}

/* 0, or -EINVAL after its mistakes were reported. */
static int load(struct service *s, struct config *c, struct err *err)
{
    struct config_report report = { .data = s, .problem = on_problem };
    int r = config_init(c);

    sbuf_clear(&s->problems);

    if (r == 0)
        r = config_load(c, s->options->config_dir, &report);
    if (r < 0)
        return err_set(err, r, "configuration");
    if (!report.errors)
        return 0;
    config_done(c);
    return err_say(err, -EINVAL, "the configuration has %u mistake%s", report.errors, report.errors == 1 ? "" : "s");
}

static bool same_value(const struct config_value *x, const struct config_value *y)
{
    bool equal = x->count == y->count;

    for (size_t i = 0; equal && i < x->count; i++)
        equal = bytes_equal(x->items[i], y->items[i]);
    return equal;
}

static bool same(const struct config *a, const struct config *b, enum config_key key)
{
    return same_value(&a->values[key], &b->values[key]);
}

static bool same_sinks(const struct config *a, const struct config *b)
{
    const struct config_blocks *x = &a->blocks[CONFIG_SINK], *y = &b->blocks[CONFIG_SINK];
    bool equal = x->count == y->count;

    for (size_t i = 0; equal && i < x->count; i++) {
        equal = bytes_equal(x->items[i].name, y->items[i].name);
        for (unsigned key = CONFIG_SINK_TYPE; equal && key < CONFIG_KEY_COUNT; key++)
            equal = same_value(&x->items[i].values[key], &y->items[i].values[key]);
    }
    return equal;
}

static void report_later(struct service *s, const struct config *now)
{
    static const enum config_key at_start[] = { CONFIG_SENSOR, CONFIG_WRITES, CONFIG_STORE, CONFIG_DOCKER_SOCKET,
                                                CONFIG_RING_SIZE, CONFIG_CONTROL, CONFIG_METRICS, CONFIG_HEARTBEAT, CONFIG_ALERTS };

    s->changed_later = false;
    for (size_t i = 0; i < ARRAY_SIZE(at_start); i++)
        if (!same(&s->config, now, at_start[i])) {
            log_warn(s->options->log, "%s: the new value counts from the next start of the daemon on",
                     config_key_info(at_start[i])->name);
            s->changed_later = true;
        }
    if (!same_sinks(&s->config, now)) {
        log_warn(s->options->log, "sink: what is new there counts from the next start of the daemon on");
        s->changed_later = true;
    }
}

static void count_reload(struct service *s, int r, const char *text)
{
    struct status *status = &s->status;

    status->reloads++;
    status->reloads_failed += r < 0;
    status->broken = r < 0;
    if (r < 0)
        snprintf(status->broken_text, sizeof(status->broken_text), "%s", text);
    else
        status->reloaded_ns = clock_ns(CLOCK_REALTIME);
}

static void configure_alerts(struct service *s, const struct config *c)
{
    if (s->alerting && alerting_configure(s->alerting, c) < 0)
        log_warn(s->options->log, "alerts: out of memory; what was expected before is expected still");
}

/* What is in force stays the values that were opened with; watches are compared with what is armed. */
static void reload(struct service *s)
{
    struct watchset_difference d = { 0 };
    struct err err = ERR_INIT;
    struct config c;
    int r;

    s->reload = false;
    notify_send(s->options->notify_socket, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_ns(CLOCK_MONOTONIC) / 1000);
    r = load(s, &c, &err);
    if (r == 0) {
        r = arm_configuration(&s->arming, &c, &d, &err);
        if (r == 0) {
            report_later(s, &c);
            retain_configured(s->pipeline, &c, s->options->log);
            configure_alerts(s, &c);
        }
        config_done(&c);
    }
    count_reload(s, r, err_text(&err, r));
    if (r < 0)
        log_warn(s->options->log, "%s; what was watched before is watched still", err_text(&err, r));
    else
        notice(s, "the configuration was read again: %zu new, %zu ended, %zu as before", d.added, d.ended, d.kept);
    control_reloaded(s->control, r, err_text(&err, r), sbuf_bytes(&s->problems), &d);
    report_ready(s);
}

/* ---- what containers declare ---- */

static void on_container(void *data, const struct container *container)
{
    declared_container(&((struct service *)data)->declared, container);
}

/* Nobody asked for it here: what cannot be is said, and what was watched before is watched still. */
static void follow_declared(struct service *s)
{
    struct err err = ERR_INIT;
    int r = arm_transients(&s->arming, true, &err);

    s->declared.stale = r == -EBUSY;
    if (r < 0 && r != -EBUSY)
        log_warn(s->options->log, "labels of containers: %s", err_text(&err, r));
}

/* ---- the loop ---- */

static void on_signal(void *data, int fd)
{
    struct service *s = data;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            s->reload = true;
        else
            pipeline_stop(s->pipeline);
    }
}

static void on_idle(void *data)
{
    struct service *s = data;

    if (s->reload && !s->ending && !pipeline_is_changing(s->pipeline))
        reload(s);
    if (s->declared.stale && !s->ending)
        follow_declared(s);
    if (s->control)
        control_idle(s->control);
    if (s->heartbeat && !s->ending)
        heartbeat_idle(s->heartbeat);
    if (s->alerting && !s->ending)
        alerting_idle(s->alerting);
    metrics_idle(s->metrics);
    give_sign(s);
}

static void on_event(void *data, const struct event *event)
{
    struct service *s = data;

    status_event(&s->status, event);
    if (s->heartbeat)
        heartbeat_event(s->heartbeat, event);
    if (s->alerting)
        alerting_event(s->alerting, event);
    if (s->control)
        viewing_event(control_viewing(s->control), event);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    struct service *s = data;

    if (s->control)
        viewing_life(control_viewing(s->control), life);
}

static void on_explain(void *data, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail)
{
    struct service *s = data;

    if (s->control)
        viewing_explanation(control_viewing(s->control), kind, time_ns, files, detail);
}

static void on_alive(void *data)
{
    give_sign(data);
}

static void on_reload_asked(void *data)
{
    ((struct service *)data)->reload = true;
}

static void on_notice(void *data, const char *text)
{
    const struct service *s = data;

    if (s->control)
        viewing_notice(control_viewing(s->control), text);
    s->options->notice(s->options->data, text);
}

static void on_gap(void *data, const struct gap *gap)
{
    struct service *s = data;

    status_gap(&s->status, gap);
    if (s->alerting)
        alerting_gap(s->alerting, gap);
    if (s->control)
        viewing_gap(control_viewing(s->control), gap);
    s->options->gap(s->options->data, gap);
}

static int take_signals(struct service *s, struct err *err)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
        return err_set(err, -errno, "signals");
    s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd < 0 ? err_set(err, -errno, "signals") : 0;
}

static const char *sensor_list(struct service *s)
{
    const struct config_value *v = &s->config.values[CONFIG_SENSOR];

    for (size_t i = 0; i < v->count; i++) {
        sbuf_add_str(&s->sensors, i ? "," : "");
        sbuf_add_bytes(&s->sensors, v->items[i]);
    }
    return sbuf_str(&s->sensors);
}

static int open_pipeline(struct service *s, struct err *err)
{
    struct bytes socket = config_text(&s->config, CONFIG_DOCKER_SOCKET), ring = config_text(&s->config, CONFIG_RING_SIZE);
    struct pipeline_options options = {
        .log = s->options->log,
        .sensors = sensor_list(s),
        .targets = config_count_targets(&s->config),
        .store_path = config_text(&s->config, CONFIG_STORE).data,
        .docker_socket = socket.len ? socket.data : s->options->docker_socket,
        .permissions = config_all_permissions(&s->config),
        .writes = config_switch(&s->config, CONFIG_WRITES),
        .host_id = s->options->host_id,
        .host_name = s->options->host_name,
        .no_seccomp = s->options->no_seccomp,
        .no_case = true,
        .finish_ns = FINISH_NS,
        .data = s,
        .event = on_event,
        .life = on_life,
        .container = on_container,
        .explain = on_explain,
        .gap = on_gap,
        .notice = on_notice,
        .idle = on_idle,
    };
    int r = sbuf_error(&s->sensors);

    if (r < 0)
        return err_set(err, r, "sensors");
    if (!bytes_equal_str(ring, "auto"))
        (void)parse_size(ring.data, &options.ring_size, NULL); /* it was checked */
    r = pipeline_open(&options, &s->pipeline, err);
    return r < 0 ? r : pipeline_watch_fd(s->pipeline, s->signal_fd, on_signal, s, err);
}

/* Before the pipeline: nothing that it emits is left unjudged. */
static void start_alerting(struct service *s)
{
    const struct service_options *o = s->options;
    struct alerting_options options = { .log = o->log,
                                        .host = { .id = o->host_id, .name = o->host_name, .boot_id = o->boot_id },
                                        .config_dir = o->config_dir,
                                        .runtime_dir = o->runtime_dir,
                                        .data = o->data,
                                        .notice = o->notice };
    struct err err = ERR_INIT;
    int r = alerting_start(&options, &s->config, &s->alerting, &err);

    if (r < 0)
        log_warn(o->log, "%s; going on without", err_text(&err, r));
}

/* Whoever asks in whatever way gets the same. */
static void on_view(void *data, struct status_view *ret)
{
    const struct service *s = data;

    *ret = (struct status_view){ .status = &s->status,
                                 .arming = &s->arming,
                                 .pipeline = s->pipeline,
                                 .store_path = config_text(&s->config, CONFIG_STORE).data,
                                 .alerts = alerting_alerts(s->alerting),
                                 .sinks = alerting_sinks(s->alerting) };
    control_count(s->control, &ret->clients, &ret->viewers);
}

/* The daemon observes also where nobody can ask it. */
static void open_control(struct service *s)
{
    struct bytes path = config_text(&s->config, CONFIG_CONTROL);
    struct control_options options = { .log = s->options->log,
                                       .status = &s->status,
                                       .arming = &s->arming,
                                       .store_path = config_text(&s->config, CONFIG_STORE).data,
                                       .host = { .id = s->options->host_id, .name = s->options->host_name, .boot_id = s->options->boot_id },
                                       .alerting = s->alerting,
                                       .data = s,
                                       .view = on_view,
                                       .reload = on_reload_asked };
    struct err err = ERR_INIT;
    int r;

    if (path.len)
        sbuf_add_bytes(&s->control_path, path);
    else
        sbuf_addf(&s->control_path, "%s/control", s->options->runtime_dir);
    options.path = sbuf_str(&s->control_path);
    r = control_open(&options, &s->control, &err);
    if (r < 0)
        log_warn(s->options->log, "%s; going on without culprit ctl", err_text(&err, r));
}

static void start_control(struct service *s)
{
    struct err err = ERR_INIT;
    int r = s->control ? control_start(s->control, s->pipeline, &err) : 0;

    if (r == 0)
        return;
    log_warn(s->options->log, "%s; going on without culprit ctl", err_text(&err, r));
    control_close(s->control);
    s->control = NULL;
}

static void start_heartbeat(struct service *s)
{
    struct heartbeat_options options = { .log = s->options->log,
                                         .store_path = config_text(&s->config, CONFIG_STORE).data,
                                         .arming = &s->arming,
                                         .pipeline = s->pipeline,
                                         .status = &s->status };
    struct err err = ERR_INIT;
    int r;

    (void)config_parse_heartbeat(config_text(&s->config, CONFIG_HEARTBEAT), &options.every_ns, NULL); /* it was checked */
    if (!options.every_ns)
        return;
    r = heartbeat_start(&options, &s->heartbeat, &err);
    if (r < 0)
        log_warn(s->options->log, "heartbeat: %s; going on without it", err_text(&err, r));
}

static void start_metrics(struct service *s)
{
    struct metrics_options options = {
        .address = config_text(&s->config, CONFIG_METRICS), .pipeline = s->pipeline, .data = s, .view = on_view
    };
    struct err err = ERR_INIT;

    if (!options.address.len)
        return;
    if (metrics_start(&options, &s->metrics, &err) < 0)
        log_warn(s->options->log, "%s; going on without them over HTTP", err.text);
    else
        notice(s, "metrics over HTTP at port %u of this machine", metrics_port(s->metrics));
}

static int start(struct service *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct watchset_difference d;
    int r = load(s, &s->config, err);

    if (r == 0)
        r = single_take(s->options->runtime_dir, err);
    if (r == 0)
        r = take_signals(s, err); /* before anything is opened: a signal must not end us with rules left in the kernel */
    if (r == 0) {
        start_alerting(s);
        open_control(s);
        r = open_pipeline(s, err);
    }
    s->arming.pipeline = s->pipeline;
    if (r == 0)
        r = arm_configuration(&s->arming, &s->config, &d, err);
    if (r < 0)
        return r;
    retain_configured(s->pipeline, &s->config, s->options->log);
    pipeline_each_container(s->pipeline, on_container, s);
    if (s->declared.stale)
        follow_declared(s);
    pipeline_ready(s->pipeline, &text);
    pipeline_confine(s->pipeline);
    s->status.since_ns = s->status.reloaded_ns = clock_ns(CLOCK_REALTIME);
    if (s->alerting)
        alerting_covered(s->alerting, s->pipeline);
    start_control(s);
    start_heartbeat(s);
    start_metrics(s);
    notice(s, "ready %s", sbuf_str(&text));
    report_ready(s);
    return 0;
}

int service_run(const struct service_options *options, struct err *err)
{
    struct service s = { .options = options, .signal_fd = -EBADF };
    int r;

    s.arming = (struct arming){ .log = options->log, .data = &s, .alive = on_alive };
    s.declared = (struct declared){ .log = options->log, .transients = &s.arming.transients };
    r = start(&s, err);

    if (r == 0) {
        r = pipeline_run(s.pipeline, 0, err);
        notify_send(options->notify_socket, "STOPPING=1\nSTATUS=what happened last is being written");
        s.ending = true;
        control_end(s.control);
        pipeline_finish(s.pipeline);
        if (s.alerting)
            alerting_end(s.alerting);
    }
    heartbeat_end(s.heartbeat);
    metrics_end(s.metrics);
    control_close(s.control);
    pipeline_close(s.pipeline);
    alerting_free(s.alerting);
    declared_done(&s.declared);
    arming_done(&s.arming);
    status_done(&s.status);
    if (s.signal_fd >= 0)
        close(s.signal_fd);
    config_done(&s.config);
    sbuf_done(&s.sensors);
    sbuf_done(&s.problems);
    sbuf_done(&s.control_path);
    return r;
}
