/* SPDX-License-Identifier: MIT */
#include "daemon/control_alerts.h"

#include <errno.h>

#include "control/reply.h"
#include "daemon/control_answer.h"
#include "event/ecs.h"
#include "util/cleanup.h"
#include "util/parse.h"

/* An id as JSON has it, or its beginning. False: it is none. */
static bool parse_id(struct bytes text, uint8_t ret[16], size_t *ret_len)
{
    uint64_t value;

    if (text.len < 8 || text.len > 32 || text.len % 2)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        if (parse_u64((struct bytes){ text.data + i, 2 }, 16, &value) < 0)
            return false;
        ret[i / 2] = (uint8_t)value;
    }
    *ret_len = text.len / 2;
    return true;
}

static bool has_alerts(const struct control *c, struct control_client *client)
{
    if (!c->options.alerting)
        control_answer_fail(client, CONTROL_INTERFACE ".Failed", "alerts are off (alerts = on)");
    return c->options.alerting != NULL;
}

void control_explain(struct control *c, struct control_client *client, const struct control_call *call)
{
    _cleanup_sbuf_ struct sbuf members = SBUF_INIT;
    struct sbuf *out;
    uint8_t id[16];
    size_t len;
    int r;

    if (!parse_id(control_text(call->parameters, "event"), id, &len)) {
        control_answer_fail_parameter(client, "event");
        return;
    }
    if (!has_alerts(c, client))
        return;
    sbuf_add_char(&members, '{');
    r = alerts_explain(alerting_alerts(c->options.alerting), (struct bytes){ (const char *)id, len }, &members);
    if (r == -EEXIST) {
        control_answer_fail(client, CONTROL_INTERFACE ".Failed", "several events begin so: more of the id is needed");
    } else if (r < 0) {
        control_answer_fail(client, CONTROL_INTERFACE ".NotRemembered", "it is none of the last 65,536 events that were judged since the daemon began");
    } else {
        out = control_answer_begin(client);
        json_open(out, JSON_OBJECT("explanation"));
        sbuf_add(out, members.data + 1, members.len - 1);
        json_close(out);
        control_answer_end(client);
    }
}

void control_silence(struct control *c, struct control_client *client, const struct control_call *call)
{
    const struct silence *silence;
    const char *parameter = NULL;
    struct err err = ERR_INIT;
    struct sbuf *out;
    int r;

    if (!has_alerts(c, client))
        return;
    r = silencing_add(alerting_silencing(c->options.alerting), call->parameters, control_client_pid(client), control_client_uid(client), &silence,
                      &parameter, &err);
    if (parameter) {
        control_answer_fail_parameter(client, parameter);
    } else if (r < 0) {
        control_answer_fail(client, r == -ENOENT ? CONTROL_INTERFACE ".NotFound" : CONTROL_INTERFACE ".Failed", err_text(&err, r));
    } else {
        out = control_answer_begin(client);
        json_number(out, JSON_KEY("silence"), silence->number);
        json_key(out, JSON_KEY("until"));
        ecs_write_time(out, silence->until_ns);
        control_answer_end(client);
    }
}

void control_end_silence(struct control *c, struct control_client *client, const struct control_call *call)
{
    uint64_t number = control_number(call->parameters, "silence"), events;
    struct err err = ERR_INIT;
    int r;

    if (!has_alerts(c, client))
        return;
    r = number <= UINT32_MAX ? silencing_end(alerting_silencing(c->options.alerting), (uint32_t)number, &events, &err) : -ENOENT;
    if (r < 0) {
        control_answer_fail(client, CONTROL_INTERFACE ".NotFound", err_text(&err, r));
    } else {
        json_number(control_answer_begin(client), JSON_KEY("events"), events);
        control_answer_end(client);
    }
}

void control_test_alert(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct err err = ERR_INIT;
    int r;

    if (!has_alerts(c, client))
        return;
    if (!control_is_text(call->parameters, "sink")) {
        control_answer_fail_parameter(client, "sink");
        return;
    }
    r = alerting_test(c->options.alerting, control_text(call->parameters, "sink"), control_client_pid(client), control_client_uid(client), &err);
    if (r < 0)
        control_answer_fail(client, r == -ENOENT ? CONTROL_INTERFACE ".NotFound" : CONTROL_INTERFACE ".Failed", err_text(&err, r));
    else
        (void)control_answer_later(c, client, PENDING_TEST);
}

void control_answer_test(struct control *c, struct waiting_call *p)
{
    if (!alerting_test_is_over(c->options.alerting))
        return;
    alerting_end_test(c->options.alerting, control_answer_begin(p->client));
    control_answer_end(p->client);
    control_answer_forget(c, p);
}
