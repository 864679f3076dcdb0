/* SPDX-License-Identifier: MIT */
#include "control/reply.h"

void control_reply_begin(struct sbuf *out)
{
    sbuf_add_char(out, '{');
    json_open(out, JSON_OBJECT("parameters"));
}

static void end(struct sbuf *out)
{
    json_close(out);
    sbuf_add(out, "", 1);
}

void control_reply_end(struct sbuf *out, bool continues)
{
    json_close(out);
    json_flag(out, JSON_KEY("continues"), continues);
    end(out);
}

void control_error_begin(struct sbuf *out, const char *name)
{
    sbuf_add_char(out, '{');
    (void)json_string(out, JSON_KEY("error"), bytes_of(name));
    json_open(out, JSON_OBJECT("parameters"));
}

void control_error_end(struct sbuf *out)
{
    json_close(out);
    end(out);
}

void control_error(struct sbuf *out, const char *name, const char *message)
{
    control_error_begin(out, name);
    json_bytes(out, JSON_KEY("message"), bytes_of(message));
    control_error_end(out);
}

void control_call_begin(struct sbuf *out, const char *method, bool more)
{
    sbuf_add_char(out, '{');
    (void)json_string(out, JSON_KEY("method"), bytes_of(method));
    json_flag(out, JSON_KEY("more"), more);
    json_open(out, JSON_OBJECT("parameters"));
}

void control_call_end(struct sbuf *out)
{
    json_close(out);
    end(out);
}
