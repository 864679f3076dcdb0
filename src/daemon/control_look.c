/* SPDX-License-Identifier: MIT */
#include "daemon/control_look.h"

#include "control/interface.h"
#include "control/reply.h"
#include "daemon/control_answer.h"
#include "util/cleanup.h"

/* ---- Varlink's own ---- */

void control_get_info(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = control_answer_begin(client);

    (void)c, (void)call;
    json_bytes(out, JSON_KEY("vendor"), bytes_of("culprit"));
    json_bytes(out, JSON_KEY("product"), bytes_of("culprit daemon"));
    json_bytes(out, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    (void)json_string(out, JSON_KEY("url"), bytes_of("man:culprit-daemon(8)"));
    json_open(out, JSON_ARRAY("interfaces"));
    json_element(out, bytes_of(CONTROL_SERVICE));
    json_element(out, bytes_of(CONTROL_INTERFACE));
    json_close_array(out);
    control_answer_end(client);
}

void control_get_interface(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct bytes name = control_text(call->parameters, "interface"), text = control_interface(name);
    struct sbuf *out = control_client_out(client);

    (void)c;
    if (!name.data) {
        control_answer_fail_parameter(client, "interface");
        return;
    }
    if (text.data) {
        out = control_answer_begin(client);
        json_bytes(out, JSON_KEY("description"), text);
        control_answer_end(client);
        return;
    }
    control_error_begin(out, CONTROL_SERVICE ".InterfaceNotFound");
    (void)json_string(out, JSON_KEY("interface"), name);
    control_error_end(out);
    control_client_replied(client, true);
}

/* ---- the daemon ---- */

void control_get_status(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = control_answer_begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    json_open(out, JSON_OBJECT("status"));
    status_write(&view, out);
    json_close(out);
    control_answer_end(client);
}

void control_get_watches(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = control_answer_begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    status_write_watches(&view, out);
    control_answer_end(client);
}

void control_get_metrics(struct control *c, struct control_client *client, const struct control_call *call)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct sbuf *out = control_answer_begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    status_write_metrics(&view, &text);
    (void)json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    control_answer_end(client);
}
