/* SPDX-License-Identifier: MIT */
/* What is usual, as it is kept on disk: a line of JSON for each watch, then one for each cause. */
#include "alert/usual.h"
#include "alert/usual_state.h"
#include "util/json_writer.h"
#include "util/macro.h"

static void write_day(const struct usual_day *d, struct sbuf *out)
{
    json_open_element(out);
    json_number(out, JSON_KEY("day"), d->day);
    json_number(out, JSON_KEY("busiest"), d->busiest);
    json_close(out);
}

static void write_watch(const struct usual_watch *w, struct sbuf *out)
{
    sbuf_add_char(out, '{');
    json_number(out, JSON_KEY("number"), w->number);
    json_bytes(out, JSON_KEY("watch"), (struct bytes){ w->text, w->text_len });
    (void)json_open(out, JSON_ARRAY("days"));
    for (size_t i = 0; i < ARRAY_SIZE(w->days); i++)
        if (w->days[i].busiest)
            write_day(&w->days[i], out);
    json_close_array(out);
    json_flag(out, JSON_KEY("lost"), w->lost);
    sbuf_add_str(out, "}\n");
}

static void write_cause(const struct usual_cause *c, struct sbuf *out)
{
    char text[FINGERPRINT_TEXT];

    fingerprint_text(c->key.cause, text);
    sbuf_add_char(out, '{');
    json_number(out, JSON_KEY("of"), c->key.watch);
    json_string(out, JSON_KEY("cause"), bytes_of(text));
    json_number(out, JSON_KEY("last"), c->last_ns / NS_PER_S + 1); /* never earlier than it was */
    sbuf_add_str(out, "}\n");
}

void usual_write(const struct usual *u, struct sbuf *out)
{
    for (const struct usual_watch *w = u->watches; w; w = w->hh.next)
        write_watch(w, out);
    for (const struct usual_cause *c = u->causes; c; c = c->hh.next)
        write_cause(c, out);
}
