/* SPDX-License-Identifier: MIT */
/* What the tests of facts in alerts share: a job of cron, and a change that it makes. */
#pragma once

#include "make.h"

#include <jansson.h>

#include "alert/renewed.h"
#include "alert/usual.h"
#include "util/sbuf.h"

#define S NS_PER_S
#define MINUTE (60 * S)
#define DAY USUAL_DAY_NS
#define BEGIN (UINT64_C(19700) * DAY) /* the moment at which the watch begins */
#define WATCH "/srv"

static inline struct process *job(void)
{
    struct process *p = make_process(9, "/usr/bin/rm", NULL);

    p->cred = (struct credentials){ .known = true };
    return p;
}

/* A change by a script that cron runs. */
static inline struct event *change(struct process *actor, const char *script, uint64_t time_ns)
{
    static unsigned number;
    struct event *e = make_event(OPERATION_UNLINK, "/srv/a", actor, NULL, time_ns);

    event_set(e, &e->watch_text, bytes_of(WATCH));
    e->cause.run = (struct cause_run){ .kind = RUN_SCRIPT, .name = bytes_of(script), .process = process_ref(actor) };
    e->cause.launcher.kind = LAUNCHER_CRON;
    e->cause.key = fingerprint_of(bytes_of(script));
    number++;
    memcpy(e->id, &number, sizeof(number));
    return e;
}

enum step_kind { END, WATCHED, GONE, OTHER_PERMISSIONS, CHANGE, DOUBT, GAP, SET_CLOCK, CLOCK, RESTART };

struct step {
    uint64_t at; /* from BEGIN */
    enum step_kind what;
    const char *script;
    uint64_t new_days; /* of CHANGE: so many days it was not seen; 0: nothing is said */
};

/* What is kept on disk, through its own reader's functions. */
static inline struct usual *restart(struct usual *old, uint64_t now_ns)
{
    struct usual *u = usual_new();
    struct sbuf text = SBUF_INIT;
    struct bytes rest;

    usual_end(old);
    usual_write(old, &text);
    usual_free(old);
    usual_set_learning(u, USUAL_LEARNING_NS);
    rest = sbuf_bytes(&text);
    while (rest.len) {
        struct bytes line = bytes_next_line(&rest);
        json_t *json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL), *days = json_object_get(json, "days"), *day;
        const char *cause = json_string_value(json_object_get(json, "cause"));
        struct fingerprint key;
        size_t i;

        assert_non_null(json);
        if (json_is_true(json_object_get(json, "lost")))
            assert_true(usual_take_lost(u, bytes_of(json_string_value(json_object_get(json, "watch")))));
        json_array_foreach(days, i, day)
            assert_true(usual_take_day(u, bytes_of(json_string_value(json_object_get(json, "watch"))),
                                       (uint64_t)json_integer_value(json_object_get(day, "day")),
                                       (uint64_t)json_integer_value(json_object_get(day, "busiest")), now_ns));
        if (cause) {
            assert_int_equal(fingerprint_parse(bytes_of(cause), &key), 0);
            assert_true(usual_take_cause(u, bytes_of(WATCH), key, (uint64_t)json_integer_value(json_object_get(json, "last")) * S, now_ns));
        }
        json_decref(json);
    }
    sbuf_done(&text);
    return u;
}

static inline void watch(struct usual *u, unsigned permissions, uint64_t now_ns)
{
    usual_begin_watches(u);
    if (permissions)
        usual_add_watch(u, bytes_of(WATCH), permissions, now_ns);
    usual_end_watches(u);
}

static inline void happen(struct usual *u, struct process *actor, const struct step *step, struct usual_answer *ret)
{
    struct event *e = change(actor, step->script ? step->script : "/opt/a.sh", BEGIN + step->at);

    if (step->what == DOUBT)
        e->cause.run.kind = RUN_UNKNOWN;
    usual_event(u, e, ret);
    event_free(e);
}
