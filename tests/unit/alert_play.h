/* SPDX-License-Identifier: MIT */
/* What the tests of alerts share: somebody who hears them, and events of which they are made. */
#pragma once

#include "make.h"

#include <jansson.h>
#include <stdio.h>

#include "alert/alerts.h"
#include "util/sbuf.h"

#define S NS_PER_S
#define MESSAGES_MAX 600

struct message {
    enum alert_state state;
    enum severity severity;
    uint64_t events;
    char id[33];
};

struct heard {
    struct message messages[MESSAGES_MAX];
    unsigned count;
    json_t *last; /* the newest line */
    size_t longest, longest_sentence;
    unsigned reported;
    char reported_id[33];
};

static inline void on_alert(void *data, const struct alert *alert)
{
    struct heard *h = data;
    struct message *m = &h->messages[h->count++];

    assert_true(h->count < MESSAGES_MAX);
    *m = (struct message){ .state = alert->state, .severity = alert->severity, .events = alert->events };
    snprintf(m->id, sizeof(m->id), "%s", alert->id);
    assert_true(alert->sentence.len > 0);
    assert_int_equal(alert->line.data[alert->line.len - 1], '\n');
    h->longest = MAX(h->longest, alert->line.len);
    h->longest_sentence = MAX(h->longest_sentence, alert->sentence.len);
    json_decref(h->last);
    h->last = json_loadb(alert->line.data, alert->line.len - 1, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(h->last);
}

static inline const char *text_at(const json_t *of, const char *a, const char *b, const char *c)
{
    const json_t *v = json_object_get(of, a);

    if (b)
        v = json_object_get(v, b);
    if (c)
        v = json_object_get(v, c);
    return json_string_value(v) ? json_string_value(v) : "";
}

static const struct ecs_host host = { .name = { "h", 1 }, .id = { "0123", 4 }, .boot_id = { "b", 1 } };

static inline struct alerts *begin(struct heard *h)
{
    struct alerts_options options = { .host = &host, .data = h, .emit = on_alert };
    const struct expect_rules rules = { .rows = UINT64_C(1) << EXPECTED_PACKAGE };
    struct alerts *a;

    *h = (struct heard){ 0 };
    assert_int_equal(alerts_new(&options, &a), 0);
    alerts_set_rules(a, &rules);
    alerts_set_coverage(a, BYTES("fanotify"), BYTES("refused attempts"));
    return a;
}

static inline void end(struct alerts *a, struct heard *h)
{
    json_decref(h->last);
    alerts_free(a);
}

static inline struct event *deletion(struct process *actor, const char *path, uint64_t cause, unsigned number)
{
    struct event *e = make_event(OPERATION_UNLINK, path, actor, NULL, 1700000000000000000ull + number * 1000000ull);

    event_set(e, &e->watch_text, bytes_of("/srv"));
    e->cause.run = (struct cause_run){ .kind = RUN_SCRIPT, .name = bytes_of("/opt/clean.sh"), .process = process_ref(actor) };
    e->cause.launcher.kind = LAUNCHER_CRON;
    e->cause.key = (struct fingerprint){ cause, cause };
    memcpy(e->id, &cause, sizeof(cause));
    memcpy(e->id + 8, &number, sizeof(number));
    return e;
}

static inline void add(struct alerts *a, struct event *e, uint64_t now_ns)
{
    alerts_event(a, e, now_ns);
    event_free(e);
}
