/* SPDX-License-Identifier: MIT */
#include "daemon/service_parts.h"

#include <errno.h>

#include "daemon/service_say.h"
#include "guard/state.h"
#include "util/cleanup.h"

static void on_reload_asked(void *data)
{
    ((struct service *)data)->reload = true;
}

static void on_acted(void *data, const char *id, const char *text)
{
    struct service *s = data;

    service_notice(s, "response to alert %.8s: %s", id, text);
    alerting_act(s->alerting, id, text);
}

/* What should deny or end changes does not: an alert of culprit's own. */
static void on_failing(void *data, const char *what, const char *text)
{
    struct service *s = data;

    log_warn(s->options->log, "%s", text);
    alerting_own(s->alerting, what, SEVERITY_HIGH, text);
}

static void on_own_process(void *data, pid_t pid, bool parent)
{
    alerting_own_process(((struct service *)data)->alerting, pid, parent);
}

static void on_own_flags(void *data, struct bytes target)
{
    alerting_own_flags(((struct service *)data)->alerting, target);
}

static void on_responses(void *data, int fd)
{
    (void)fd;
    response_read(((struct service *)data)->response);
}

/* Before the pipeline: it needs what is given away then. */
void service_start_response(struct service *s)
{
    struct response_options options = { .log = s->options->log, .data = s, .acted = on_acted, .failing = on_failing };
    struct err err = ERR_INIT;

    if (response_start(&options, &s->config, &s->response, &err) < 0)
        log_warn(s->options->log, "%s; nothing is done about verdicts", err_text(&err, -EIO));
    if (s->response && !config_switch(&s->config, CONFIG_ALERTS))
        log_warn(s->options->log, "on_verdict: alerts are off, so there is no verdict and nothing is done");
}

/* Before the pipeline: nothing that it emits is left unjudged. */
void service_start_alerting(struct service *s)
{
    const struct service_options *o = s->options;
    struct alerting_options options = { .log = o->log,
                                        .host = { .id = o->host_id, .name = o->host_name, .boot_id = o->boot_id },
                                        .config_dir = o->config_dir,
                                        .runtime_dir = o->runtime_dir,
                                        .data = o->data,
                                        .notice = o->notice,
                                        .response = s->response };
    struct err err = ERR_INIT;
    int r = alerting_start(&options, &s->config, &s->alerting, &err);

    if (r < 0)
        log_warn(o->log, "%s; going on without", err_text(&err, r));
}

static void on_guards(void *data, int fd)
{
    (void)fd;
    guards_read(((struct service *)data)->guards);
}

/* Before the pipeline: it needs what is given away then. */
void service_start_guards(struct service *s)
{
    struct guards_options options = { .log = s->options->log, .runtime_dir = s->options->runtime_dir, .control = sbuf_str(&s->control_path), .data = s,
                                      .notice = service_on_notice, .own = on_own_process, .flags = on_own_flags, .failing = on_failing };
    struct err err = ERR_INIT;

    if (guards_start(&options, &s->config, &s->guards, &err) < 0)
        log_warn(s->options->log, "%s; going on without guards", err_text(&err, -EIO));
    if (guard_undoer_start(GUARD_STATE_DIRECTORY, &s->undoer, &err) < 0)
        log_warn(s->options->log, "%s; what nobody holds any more is undone by the next command", err_text(&err, -EIO));
}

static void on_undone(void *data, int fd)
{
    struct service *s = data;
    char text[GUARD_UNDOER_TEXT];

    (void)fd;
    while (guard_undoer_read(&s->undoer, text)) {
        alerting_own_flags(s->alerting, BYTES_NULL);
        if (text[0])
            service_notice(s, "undone now, because nobody held it any more: %s", text);
    }
}

static void watch_undoer(struct service *s)
{
    struct err err = ERR_INIT;

    if (s->undoer.socket >= 0 && pipeline_watch_fd(s->pipeline, s->undoer.socket, on_undone, s, &err) < 0)
        log_warn(s->options->log, "%s; what is undone is not said", err_text(&err, -EIO));
}

/* They are asked for once the daemon observes: who is refused is recorded. */
void service_arm_guards(struct service *s)
{
    struct err err = ERR_INIT;

    watch_undoer(s);
    if (!s->guards)
        return;
    if (pipeline_watch_fd(s->pipeline, guards_fd(s->guards), on_guards, s, &err) < 0)
        log_warn(s->options->log, "%s; what becomes of guards is not known", err_text(&err, -EIO));
    (void)guards_configure(s->guards, &s->config, s->options->log);
}

void service_watch_responses(struct service *s)
{
    struct err err = ERR_INIT;

    if (s->response && pipeline_watch_fd(s->pipeline, response_fd(s->response), on_responses, s, &err) < 0)
        log_warn(s->options->log, "%s; what is done about verdicts is not said", err_text(&err, -EIO));
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
                                 .sinks = alerting_sinks(s->alerting),
                                 .guards = s->guards };
    control_count(s->control, &ret->clients, &ret->viewers);
}

/* The daemon observes also where nobody can ask it. */
void service_open_control(struct service *s)
{
    struct bytes path = config_text(&s->config, CONFIG_CONTROL);
    struct control_options options = { .log = s->options->log,
                                       .status = &s->status,
                                       .arming = &s->arming,
                                       .store_path = config_text(&s->config, CONFIG_STORE).data,
                                       .host = { .id = s->options->host_id, .name = s->options->host_name, .boot_id = s->options->boot_id },
                                       .alerting = s->alerting,
                                       .answerer = s->options->answerer,
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

void service_start_control(struct service *s)
{
    struct err err = ERR_INIT;
    int r = s->control ? control_start(s->control, s->pipeline, &err) : 0;

    if (r == 0)
        return;
    log_warn(s->options->log, "%s; going on without culprit ctl", err_text(&err, r));
    control_close(s->control);
    s->control = NULL;
}

void service_start_heartbeat(struct service *s)
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

void service_start_metrics(struct service *s)
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
        service_notice(s, "metrics over HTTP at port %u of this machine", metrics_port(s->metrics));
}
