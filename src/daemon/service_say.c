/* SPDX-License-Identifier: MIT */
#include "daemon/service_say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/notify.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/sbuf.h"

void service_notice(const struct service *s, const char *format, ...)
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

void service_on_notice(void *data, const char *text)
{
    const struct service *s = data;

    if (s->control)
        viewing_notice(control_viewing(s->control), text);
    s->options->notice(s->options->data, text);
}

void service_give_sign(struct service *s)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (!s->options->watchdog_ns || now < s->next_sign_ns)
        return;
    s->next_sign_ns = now + s->options->watchdog_ns / 4;
    notify_sign(s->options->notify_socket);
}

void service_report_ready(struct service *s)
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
