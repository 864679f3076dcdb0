/* SPDX-License-Identifier: MIT */
#include "daemon/control_answer.h"

#include <stdlib.h>
#include <time.h>

#include "control/reply.h"
#include "util/clock.h"

void control_answer_fail(struct control_client *client, const char *error, const char *message)
{
    control_error(control_client_out(client), error, message);
    control_client_replied(client, true);
}

void control_answer_fail_parameter(struct control_client *client, const char *name)
{
    struct sbuf *out = control_client_out(client);

    control_error_begin(out, CONTROL_SERVICE ".InvalidParameter");
    json_bytes(out, JSON_KEY("parameter"), bytes_of(name));
    control_error_end(out);
    control_client_replied(client, true);
}

struct sbuf *control_answer_begin(struct control_client *client)
{
    struct sbuf *out = control_client_out(client);

    control_reply_begin(out);
    return out;
}

void control_answer_end(struct control_client *client)
{
    control_reply_end(control_client_out(client), false);
    control_client_replied(client, true);
}

struct waiting_call *control_answer_later(struct control *c, struct control_client *client, int kind)
{
    struct waiting_call *p = calloc(1, sizeof(*p));

    if (!p) {
        control_answer_fail(client, CONTROL_INTERFACE ".Failed", "out of memory");
        return NULL;
    }
    p->client = client;
    p->kind = kind;
    p->since_ns = clock_ns(CLOCK_REALTIME);
    p->next = c->pending;
    c->pending = p;
    return p;
}

void control_answer_forget(struct control *c, struct waiting_call *p)
{
    for (struct waiting_call **at = &c->pending; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    free(p);
}
