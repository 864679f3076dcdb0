/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "daemon/copies_configured.h"
#include "daemon/notify.h"
#include "daemon/retain.h"
#include "daemon/service_parts.h"
#include "daemon/service_reload.h"
#include "daemon/service_say.h"
#include "daemon/single.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"

#define FINISH_NS (3 * NS_PER_S)     /* at the end: whoever stops us waits for five seconds */

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
    service_look_at_watches(s);
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
        service_reload(s);
    if (s->declared.stale && !s->ending)
        follow_declared(s);
    if (s->control)
        control_idle(s->control);
    if (s->heartbeat && !s->ending)
        heartbeat_idle(s->heartbeat);
    if (s->alerting && !s->ending)
        alerting_idle(s->alerting, s->pipeline);
    if (s->guards && !s->ending)
        guards_idle(s->guards);
    metrics_idle(s->metrics);
    service_give_sign(s);
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

    if (s->alerting)
        alerting_life(s->alerting, life);
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
    service_give_sign(data);
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
        .notice = service_on_notice,
        .idle = on_idle,
    };
    int r = sbuf_error(&s->sensors);

    if (r < 0)
        return err_set(err, r, "sensors");
    copies_configured_options(&s->config, &options);
    if (!bytes_equal_str(ring, "auto"))
        (void)parse_size(ring.data, &options.ring_size, NULL); /* it was checked */
    r = pipeline_open(&options, &s->pipeline, err);
    return r < 0 ? r : pipeline_watch_fd(s->pipeline, s->signal_fd, on_signal, s, err);
}

static int start(struct service *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct watchset_difference d;
    int r = configured_load(&s->configured, &s->config, err);

    if (r == 0)
        r = single_take(s->options->runtime_dir, err);
    if (r == 0)
        r = take_signals(s, err); /* before anything is opened: a signal must not end us with rules left in the kernel */
    if (r == 0) {
        service_start_response(s);
        service_start_alerting(s);
        service_open_control(s);
        service_start_guards(s);
        r = open_pipeline(s, err);
    }
    s->arming.pipeline = s->pipeline;
    if (r == 0)
        r = arm_configuration(&s->arming, &s->config, &d, err);
    if (r < 0)
        return r;
    retain_configured(s->pipeline, &s->config, s->options->log);
    copies_configure(s->pipeline, &s->config, s->options->log);
    pipeline_each_container(s->pipeline, on_container, s);
    if (s->declared.stale)
        follow_declared(s);
    pipeline_ready(s->pipeline, &text);
    pipeline_confine(s->pipeline);
    s->status.since_ns = s->status.reloaded_ns = clock_ns(CLOCK_REALTIME);
    if (s->alerting)
        alerting_covered(s->alerting, s->pipeline);
    service_start_control(s);
    service_start_heartbeat(s);
    service_start_metrics(s);
    service_arm_guards(s);
    service_watch_responses(s);
    service_notice(s, "ready %s", sbuf_str(&text));
    service_report_ready(s);
    return 0;
}

int service_run(const struct service_options *options, struct err *err)
{
    struct service s = { .options = options, .signal_fd = -EBADF, .undoer = GUARD_UNDOER_NULL };
    int r;

    s.arming = (struct arming){ .log = options->log, .data = &s, .alive = on_alive };
    s.configured = (struct configured){ .directory = options->config_dir, .data = options->data, .problem = options->problem };
    s.declared = (struct declared){ .log = options->log, .transients = &s.arming.transients };
    r = start(&s, err);

    if (r == 0) {
        r = pipeline_run(s.pipeline, 0, err);
        notify_send(options->notify_socket, "STOPPING=1\nSTATUS=what happened last is being written");
        s.ending = true;
        if (r >= 0)
            guards_end(TAKE_PTR(s.guards));
        else
            guards_free(TAKE_PTR(s.guards));
        control_end(s.control);
        pipeline_finish(s.pipeline);
        if (s.alerting)
            alerting_end(s.alerting);
    }
    guards_free(s.guards);
    guard_undoer_end(&s.undoer);
    heartbeat_end(s.heartbeat);
    metrics_end(s.metrics);
    control_close(s.control);
    pipeline_close(s.pipeline);
    alerting_free(s.alerting);
    response_free(s.response);
    declared_done(&s.declared);
    arming_done(&s.arming);
    status_done(&s.status);
    if (s.signal_fd >= 0)
        close(s.signal_fd);
    config_done(&s.config);
    sbuf_done(&s.sensors);
    configured_done(&s.configured);
    sbuf_done(&s.control_path);
    return r;
}
