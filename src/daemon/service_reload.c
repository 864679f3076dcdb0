/* SPDX-License-Identifier: MIT */
#include "daemon/service_reload.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/copies_configured.h"
#include "daemon/notify.h"
#include "daemon/retain.h"
#include "daemon/service_say.h"
#include "util/clock.h"

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

void service_look_at_watches(struct service *s)
{
    if (s->alerting)
        alerting_watches(s->alerting, s->pipeline);
}

static void configure_response(struct service *s, const struct config *c)
{
    bool later = false;

    if (response_configure(s->response, c, s->options->log, &later) < 0)
        log_warn(s->options->log, "on_verdict: out of memory; what was done before is done still");
    s->changed_later |= later;
}

/* What is in force stays the values that were opened with; watches are compared with what is armed. */
void service_reload(struct service *s)
{
    struct watchset_difference d = { 0 };
    struct err err = ERR_INIT;
    struct config c;
    int r;

    s->reload = false;
    notify_send(s->options->notify_socket, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_ns(CLOCK_MONOTONIC) / 1000);
    r = configured_load(&s->configured, &c, &err);
    if (r == 0) {
        r = arm_configuration(&s->arming, &c, &d, &err);
        if (r == 0) {
            s->changed_later = configured_counts_later(&s->config, &c, s->options->log);
            s->changed_later |= guards_configure(s->guards, &c, s->options->log);
            configure_response(s, &c);
            retain_configured(s->pipeline, &c, s->options->log);
            copies_configure(s->pipeline, &c, s->options->log);
            configure_alerts(s, &c);
            service_look_at_watches(s);
        }
        config_done(&c);
    }
    count_reload(s, r, err_text(&err, r));
    if (r < 0)
        log_warn(s->options->log, "%s; what was watched before is watched still", err_text(&err, r));
    else
        service_notice(s, "the configuration was read again: %zu new, %zu ended, %zu as before", d.added, d.ended, d.kept);
    control_reloaded(s->control, r, err_text(&err, r), sbuf_bytes(&s->configured.problems), &d);
    service_report_ready(s);
}
