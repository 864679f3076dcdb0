/* SPDX-License-Identifier: MIT */
/* What the tests of cases share: the people of the play, and how to read what was written. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <jansson.h>

#include "make.h"
#include "report/case.h"
#include "util/escape.h"

#define T0 1795488335000000000ull

static struct case_ *c;
static struct sbuf text;
static struct container *web;
static struct process *init, *agent, *app, *runc;

static inline int set_up(void **state)
{
    (void)state;
    c = case_new(&(struct case_options){ .target = bytes_of("web:/prd"), .command_status = -1 });
    text = SBUF_INIT;
    web = make_container("0123456789abcdef", "web");
    init = make_process(1, "/usr/lib/systemd/systemd", NULL);
    agent = make_process(10, "/opt/x/agent", process_ref(init));
    app = make_process(20, "/usr/bin/app", process_ref(init));
    app->origin = ORIGIN_CONTAINER;
    app->container = container_ref(web);
    runc = make_process(30, "/usr/bin/runc", process_ref(init));
    process_set(runc, &runc->owner.product, bytes_of("OCI runtime"));
    process_set(runc, &runc->owner.product_kind, bytes_of("container runtime"));
    return c ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    case_free(c);
    sbuf_done(&text);
    process_unref(agent);
    process_unref(app);
    process_unref(runc);
    process_unref(init);
    container_unref(web);
    return 0;
}

/* One event by `who` on the container's file, `ms` after T0. */
static inline void add(enum operation op, const char *path, struct process *who, unsigned ms, int error)
{
    struct event *e = make_event(op, path, who, web, T0 + ms * NS_PER_MS);

    e->error = error;
    event_set(e, &e->watch_text, bytes_of("web:/prd"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static inline void move(const char *from, const char *to, struct process *who, unsigned ms)
{
    struct event *e = make_event(OPERATION_RENAME, to, who, web, T0 + ms * NS_PER_MS);

    event_set(e, &e->previous_path, bytes_of(from));
    event_set(e, &e->watch_text, bytes_of("web:/prd"));
    assert_int_equal(case_add_event(c, e), 0);
    event_free(e);
}

static inline const char *written(void)
{
    sbuf_clear(&text);
    case_write_text(c, false, 0, &text);
    return sbuf_str(&text);
}

static inline void says(const char *what)
{
    if (!strstr(written(), what))
        fail_msg("not said: %s\nbut:\n%s", what, sbuf_str(&text));
}

static inline void says_not(const char *what)
{
    if (strstr(written(), what))
        fail_msg("said: %s\nin:\n%s", what, sbuf_str(&text));
}

static inline unsigned verdicts(void)
{
    unsigned n = 0;

    for (const char *at = written(); (at = strstr(at, "VERDICT")); at++)
        n++;
    return n;
}

/* All lines, each parsed by itself. */
static inline json_t *lines(void)
{
    json_t *all = json_array();
    const char *at;

    sbuf_clear(&text);
    case_write_json(c, &text);
    for (at = sbuf_str(&text); *at; at = strchr(at, '\n') + 1) {
        json_error_t where;
        json_t *line = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, &where);

        if (!line)
            fail_msg("%s at %d: %s", where.text, where.position, at);
        assert_non_null(strchr(at, '\n'));
        assert_string_equal(json_string_value(json_object_get(json_object_get(line, "event"), "kind")), "alert");
        assert_non_null(json_object_get(json_object_get(line, "ecs"), "version"));
        json_array_append_new(all, line);
    }
    return all;
}

static inline json_t *verdict_of(json_t *all, size_t i)
{
    return json_object_get(json_object_get(json_array_get(all, i), "culprit"), "verdict");
}

static inline long long number(json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        fail_msg("%s is no number", key);
    return json_integer_value(v);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
