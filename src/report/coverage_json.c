/* SPDX-License-Identifier: MIT */
#include "report/coverage.h"

#include "event/ecs.h"
#include "report/case_state.h"
#include "report/coverage_words.h"
#include "util/clock.h"
#include "util/json_writer.h"

static void add_times(struct sbuf *out, uint64_t from_ns, uint64_t to_ns)
{
    json_key(out, JSON_KEY("from"));
    ecs_write_time(out, from_ns);
    if (to_ns) {
        json_key(out, JSON_KEY("to"));
        ecs_write_time(out, to_ns);
    }
}

static void add_only(struct sbuf *out, struct bytes only)
{
    if (!only.len)
        return;
    (void)json_open(out, JSON_ARRAY("only"));
    while (only.len)
        json_element(out, bytes_next_field(&only, '\0'));
    json_close_array(out);
}

static void add_permissions(struct sbuf *out, unsigned watched)
{
    if (!watched)
        return;
    (void)json_open(out, JSON_ARRAY("permissions"));
    for (size_t i = 0; coverage_permissions[i].name; i++)
        if (watched & coverage_permissions[i].permission)
            json_element(out, bytes_of(coverage_permissions[i].name));
    json_close_array(out);
}

static void add_span_json(struct sbuf *out, const struct watched *w)
{
    const struct coverage *v = &w->coverage;

    json_open_element(out);
    json_key(out, JSON_TEXT_KEY("sensor"));
    ecs_write_sensors(out, v->sensors);
    sbuf_add_char(out, '"');
    add_times(out, v->from_ns, v->to_ns);
    if (w->spans > 1) {
        json_number(out, JSON_KEY("spans"), w->spans);
        json_fraction(out, JSON_KEY("not_watched_seconds"), (double)w->between_ns / 1e9, 3);
    }
    json_bytes(out, JSON_KEY("watch"), v->watch);
    add_permissions(out, v->permissions);
    add_only(out, v->only);
    json_bytes(out, JSON_KEY("narrowed"), v->narrowed);
    json_bytes(out, JSON_KEY("not_seen"), v->not_seen);
    if (v->host_id.len) {
        json_string(out, JSON_MEMBER("host", "id"), v->host_id);
        json_bytes(out, JSON_KEY("name"), v->host_name);
        json_close(out);
    }
    json_close(out);
}

/* The times in which all of it was watched: what lies between them was not. */
static void add_sum_json(struct sbuf *out, const struct coverage_sum *sum)
{
    if (!sum->count)
        return;
    (void)json_open(out, JSON_ARRAY("times"));
    for (unsigned i = 0; i < sum->count; i++) {
        const struct coverage_span *s = &sum->spans[i];

        json_open_element(out);
        add_times(out, s->from_ns, s->to_ns == UINT64_MAX ? 0 : s->to_ns);
        json_close(out);
    }
    json_close_array(out);
    json_flag(out, JSON_KEY("more_times"), sum->more_spans);
}

static void add_question_json(struct sbuf *out, const struct case_question *q)
{
    enum coverage_extent extent = coverage_sum_extent(&q->sum, clock_ns(CLOCK_REALTIME));

    json_open_element(out);
    json_string(out, JSON_KEY("target"), q->target);
    json_string(out, JSON_KEY("extent"),
                bytes_of(extent == COVERAGE_NEVER && q->removed_ns ? "removed" : coverage_extent_name(extent)));
    add_sum_json(out, &q->sum);
    if (q->removed_ns) {
        json_key(out, JSON_KEY("removed_before"));
        ecs_write_time(out, q->removed_ns);
    }
    if (bytes_known(q->nearest.shown)) {
        json_string(out, JSON_MEMBER("nearest", "target"), q->nearest.shown);
        add_times(out, q->nearest.from_ns, q->nearest.to_ns);
        json_close(out);
    }
    json_close(out);
}

void coverage_write_json(const struct case_ *c, struct sbuf *out)
{
    (void)json_open(out, JSON_ARRAY("coverage"));
    for (size_t i = 0; i < c->watched_count; i++)
        add_span_json(out, &c->watched[i]);
    json_close_array(out);
    if (c->questions) {
        (void)json_open(out, JSON_ARRAY("watched"));
        for (const struct case_question *q = c->questions; q; q = q->next)
            add_question_json(out, q);
        json_close_array(out);
    }
    json_flag(out, JSON_KEY("lost_unknown"), c->lost_unknown); /* at least `lost`; 0 would say that nothing was */
    if (c->lost || !c->lost_unknown)
        json_number(out, JSON_KEY("lost"), c->lost);
    if (c->not_in_log)
        json_number(out, JSON_KEY("not_in_log"), c->not_in_log);
    json_number(out, JSON_KEY("gaps"), c->gap_count + c->gaps_beyond);
    if (c->filtered)
        json_number(out, JSON_KEY("filtered"), c->filtered);
    if (c->allowed)
        json_number(out, JSON_KEY("allowed"), c->allowed);
}
