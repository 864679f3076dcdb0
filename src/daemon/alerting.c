/* SPDX-License-Identifier: MIT */
#include "daemon/alerting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"

#define OWN_FILES 6

struct alerting {
    struct alerting_options options;
    struct alerts *alerts;
    struct alert_sinks *sinks;
    struct silencing silencing;
    struct arena arena;       /* of the rules in force */
    struct arena own_arena;
    struct bytes own[OWN_FILES];
    unsigned own_count;
};

/* ---- the configuration's words ---- */

static bool copy_values(struct arena *arena, const struct config_value *from, struct expect_values *to)
{
    struct bytes *items = from->count ? arena_alloc(arena, from->count * sizeof(*items)) : NULL;

    if (from->count && !items)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        items[i] = arena_copy(arena, from->items[i]);
        if (!items[i].data)
            return false;
    }
    *to = (struct expect_values){ items, from->count };
    return true;
}

static bool copy_block(struct arena *arena, const struct config_block *from, struct expect_block *to)
{
    *to = (struct expect_block){ .name = arena_copy(arena, from->name) };
    for (unsigned kind = 0; to->name.data && kind < EXPECT_KIND_COUNT; kind++)
        if (!copy_values(arena, &from->values[CONFIG_EXPECT_PROGRAM + kind], &to->values[kind]))
            return false;
    return to->name.data != NULL;
}
_Static_assert(CONFIG_EXPECT_PATHS - CONFIG_EXPECT_PROGRAM == EXPECT_PATHS - EXPECT_PROGRAM, "keys and kinds are in one order");

int alerting_configure(struct alerting *g, const struct config *c)
{
    const struct config_value *rows = &c->values[CONFIG_EXPECTED];
    const struct config_blocks *blocks = &c->blocks[CONFIG_EXPECT];
    struct expect_rules rules = { .own_pid = getpid(), .own_start_ns = proc_stat_start_ns("/proc", getpid()) };
    struct arena arena = { 0 };
    struct expect_block *to = blocks->count ? arena_alloc(&arena, blocks->count * sizeof(*to)) : NULL;

    for (size_t i = 0; i < rows->count; i++)
        rules.rows |= UINT64_C(1) << expected_by_name(rows->items[i]);
    for (size_t i = 0; i < blocks->count; i++)
        if (!to || !copy_block(&arena, &blocks->items[i], &to[i])) {
            arena_done(&arena);
            return -ENOMEM;
        }
    rules.blocks = to;
    rules.block_count = blocks->count;
    alerts_set_rules(g->alerts, &rules);
    arena_done(&g->arena);
    g->arena = arena;
    return 0;
}

/* ---- where it is said ---- */

static void send_alert(struct alerting *g, const struct alert *alert)
{
    struct sink_message m = { .state = alert->state,
                              .severity = alert->severity,
                              .events = alert->events,
                              .first_ns = alert->first_ns,
                              .host = g->options.host.name,
                              .watch = alert->watch,
                              .sentence = alert->sentence,
                              .line = alert->line };

    snprintf(m.id, sizeof(m.id), "%s", alert->id);
    if (alert->victim) {
        m.container_id = alert->victim->id;
        m.container_name = alert->victim->name;
    }
    alert_sinks_send(g->sinks, &m);
}

static void on_failing(void *data, const char *name, const char *text)
{
    struct alerting *g = data;
    char what[128];

    snprintf(what, sizeof(what), "sink-%.100s", name);
    log_warn(g->options.log, "%s", text);
    alerts_own(g->alerts, what, SEVERITY_HIGH, text, clock_ns(CLOCK_MONOTONIC));
}

static void on_alert(void *data, const struct alert *alert)
{
    struct alerting *g = data;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    send_alert(g, alert);
    if (alert_sinks_has_journal(g->sinks))
        return;
    sbuf_addf(&text, "alert %.8s (%s%s): ", alert->id, severity_name(alert->severity), alert_state_words(alert->state));
    sbuf_add_bytes(&text, alert->sentence);
    g->options.notice(g->options.data, sbuf_str(&text));
}

static void on_silence_ended(void *data, uint32_t number)
{
    (void)number;
    silencing_ended(&((struct alerting *)data)->silencing);
}

/* ---- its life ---- */

static void add_own(struct alerting *g, const char *path)
{
    struct bytes kept = arena_copy(&g->own_arena, bytes_of(path));

    if (kept.len > 1 && kept.data[0] == '/' && g->own_count < OWN_FILES)
        g->own[g->own_count++] = kept;
}

static void add_beside_store(struct alerting *g, const struct config *c, const char *name)
{
    struct bytes path = arena_join_path(&g->own_arena, bytes_dirname(config_text(c, CONFIG_STORE)), bytes_of(name));

    if (path.data)
        add_own(g, path.data);
}

static void find_own(struct alerting *g, const struct config *c)
{
    char executable[4096];
    ssize_t n = readlink("/proc/self/exe", executable, sizeof(executable) - 1);

    add_own(g, g->options.config_dir);
    add_own(g, g->options.runtime_dir);
    add_own(g, config_text(c, CONFIG_STORE).data);
    add_beside_store(g, c, "silences");
    add_beside_store(g, c, "alerts");
    if (n > 0) {
        executable[n] = '\0';
        add_own(g, executable);
    }
}

int alerting_start(const struct alerting_options *options, const struct config *c, struct alerting **ret, struct err *err)
{
    struct alerting *g = NULL;
    int r;

    *ret = NULL;
    if (!config_switch(c, CONFIG_ALERTS))
        return 0;
    g = calloc(1, sizeof(*g));
    if (!g)
        return err_set(err, -ENOMEM, "alerts");
    g->options = *options;
    find_own(g, c);
    r = alerts_new(&(struct alerts_options){ .host = &g->options.host, .own = g->own, .own_count = g->own_count, .data = g, .emit = on_alert,
                                           .silence_ended = on_silence_ended },
                   &g->alerts);
    if (r == 0)
        r = alerting_configure(g, c);
    if (r == 0)
        r = silencing_begin(&g->silencing, g->alerts, config_text(c, CONFIG_STORE), options->log);
    if (r == 0)
        r = alert_sinks_start(&(struct alert_sinks_options){ .log = options->log, .data = g, .failing = on_failing }, c, &g->sinks);
    if (r < 0) {
        alerting_free(g);
        return err_set(err, r, "alerts");
    }
    *ret = g;
    return 0;
}

void alerting_covered(struct alerting *g, struct pipeline *pipeline)
{
    _cleanup_sbuf_ struct sbuf sensors = SBUF_INIT, lacks = SBUF_INIT;

    pipeline_write_sensors(pipeline, &sensors);
    pipeline_write_lacks(pipeline, &lacks);
    alerts_set_coverage(g->alerts, sbuf_bytes(&sensors), sbuf_bytes(&lacks));
}

void alerting_event(struct alerting *g, const struct event *event)
{
    alerts_event(g->alerts, event, clock_ns(CLOCK_MONOTONIC));
}

void alerting_gap(struct alerting *g, const struct gap *gap)
{
    alerts_gap(g->alerts, gap, clock_ns(CLOCK_MONOTONIC));
}

void alerting_idle(struct alerting *g)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    alert_sinks_idle(g->sinks);
    alerts_end_silences(g->alerts, now);
    silencing_idle(&g->silencing);
    alerts_tick(g->alerts, now);
}

void alerting_end(struct alerting *g)
{
    alerts_end(g->alerts, clock_ns(CLOCK_MONOTONIC));
}

const struct alerts *alerting_alerts(const struct alerting *g)
{
    return g ? g->alerts : NULL;
}

const struct alert_sinks *alerting_sinks(const struct alerting *g)
{
    return g ? g->sinks : NULL;
}

int alerting_test(struct alerting *g, struct bytes sink, pid_t pid, uid_t uid, struct err *err)
{
    _cleanup_sbuf_ struct sbuf by = SBUF_INIT, sentence = SBUF_INIT, line = SBUF_INIT;
    struct sink_message m = { .state = ALERT_BEGINS,
                              .severity = SEVERITY_LOW,
                              .first_ns = clock_ns(CLOCK_REALTIME),
                              .test = true,
                              .host = g->options.host.name,
                              .watch = bytes_of("test") };
    uint8_t id[16];
    int r;

    silencing_author(pid, uid, &by);
    event_make_id(m.first_ns, (uint64_t)pid, id);
    for (size_t i = 0; i < sizeof(id); i++)
        snprintf(m.id + 2 * i, 3, "%02x", id[i]);
    alerts_write_test(g->alerts, m.id, sbuf_bytes(&by), m.first_ns, &sentence, &line);
    if (sbuf_error(&by) < 0 || sbuf_error(&sentence) < 0 || sbuf_error(&line) < 0)
        return err_set(err, -ENOMEM, "the test");
    m.sentence = sbuf_bytes(&sentence);
    m.line = sbuf_bytes(&line);
    r = alert_sinks_test(g->sinks, sink, &m);
    return r == -ENOENT && sink.len ? err_say(err, r, "there is no sink of that name (culprit ctl status)")
           : r == -ENOENT           ? err_say(err, r, "there is no sink: alerts are in the daemon's log only")
           : r == -EBUSY            ? err_say(err, r, "another test is not over yet")
           : r < 0                  ? err_set(err, r, "the test")
                                    : 0;
}

bool alerting_test_is_over(const struct alerting *g)
{
    return alert_sinks_test_is_over(g->sinks);
}

void alerting_end_test(struct alerting *g, struct sbuf *out)
{
    alert_sinks_end_test(g->sinks, out);
}

struct silencing *alerting_silencing(struct alerting *g)
{
    return &g->silencing;
}

void alerting_free(struct alerting *g)
{
    if (!g)
        return;
    alert_sinks_free(g->sinks);
    silencing_done(&g->silencing);
    alerts_free(g->alerts);
    arena_done(&g->arena);
    arena_done(&g->own_arena);
    free(g);
}
