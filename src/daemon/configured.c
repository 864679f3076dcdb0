/* SPDX-License-Identifier: MIT */
#include "daemon/configured.h"

#include <errno.h>

#define PROBLEMS_MAX (16 * 1024) /* bytes of a broken configuration's mistakes that are kept for who asked */

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    struct configured *c = data;

    c->problem(c->data, file, line, text, warning);
    if (warning || c->problems.len > PROBLEMS_MAX)
        return;
    if (line)
        sbuf_addf(&c->problems, "%s:%u: %s\n", file, line, text);
    else
        sbuf_addf(&c->problems, "%s: %s\n", file, text);
}

int configured_load(struct configured *c, struct config *ret, struct err *err)
{
    struct config_report report = { .data = c, .problem = on_problem };
    int r = config_init(ret);

    sbuf_clear(&c->problems);
    if (r == 0)
        r = config_load(ret, c->directory, &report);
    if (r < 0)
        return err_set(err, r, "configuration");
    if (!report.errors)
        return 0;
    config_done(ret);
    return err_say(err, -EINVAL, "the configuration has %u mistake%s", report.errors, report.errors == 1 ? "" : "s");
}

static bool same_value(const struct config_value *x, const struct config_value *y)
{
    bool equal = x->count == y->count;

    for (size_t i = 0; equal && i < x->count; i++)
        equal = bytes_equal(x->items[i], y->items[i]);
    return equal;
}

static bool same(const struct config *a, const struct config *b, enum config_key key)
{
    return same_value(&a->values[key], &b->values[key]);
}

static bool same_sinks(const struct config *a, const struct config *b)
{
    const struct config_blocks *x = &a->blocks[CONFIG_SINK], *y = &b->blocks[CONFIG_SINK];
    bool equal = x->count == y->count;

    for (size_t i = 0; equal && i < x->count; i++) {
        equal = bytes_equal(x->items[i].name, y->items[i].name);
        for (unsigned key = CONFIG_SINK_TYPE; equal && key < CONFIG_KEY_COUNT; key++)
            equal = same_value(&x->items[i].values[key], &y->items[i].values[key]);
    }
    return equal;
}

bool configured_counts_later(const struct config *before, const struct config *now, const struct log *log)
{
    static const enum config_key at_start[] = { CONFIG_SENSOR, CONFIG_WRITES, CONFIG_STORE, CONFIG_DOCKER_SOCKET,
                                                CONFIG_RING_SIZE, CONFIG_CONTROL, CONFIG_METRICS, CONFIG_HEARTBEAT, CONFIG_ALERTS,
                                                CONFIG_COPIES_SIZE };
    bool later = false;

    for (size_t i = 0; i < ARRAY_SIZE(at_start); i++)
        if (!same(before, now, at_start[i])) {
            log_warn(log, "%s: the new value counts from the next start of the daemon on", config_key_info(at_start[i])->name);
            later = true;
        }
    if (!same_sinks(before, now)) {
        log_warn(log, "sink: what is new there counts from the next start of the daemon on");
        later = true;
    }
    return later;
}

void configured_done(struct configured *c)
{
    sbuf_done(&c->problems);
}
