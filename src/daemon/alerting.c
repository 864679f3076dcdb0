/* SPDX-License-Identifier: MIT */
#include "daemon/alerting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/expect_rules.h"
#include "daemon/usual_file.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/proc_stat.h"
#include "watch/listing.h"
#include "watch/target.h"

#define OWN_FILES 7
#define LOOK_NS (60 * NS_PER_S) /* so often it is looked at what is watched */

struct alerting {
    struct alerting_options options;
    struct alerts *alerts;
    struct alert_sinks *sinks;
    struct silencing silencing;
    struct usual_file usual;
    uint64_t next_look_ns; /* CLOCK_MONOTONIC */
    struct arena arena;       /* of the rules in force */
    struct own_processes own_processes;
    struct own_flags own_flags;
    struct arena own_arena;
    struct bytes own[OWN_FILES];
    unsigned own_count;
};

/* ---- the configuration's words ---- */

int alerting_configure(struct alerting *g, const struct config *c)
{
    struct expect_rules rules = { .own = &g->own_processes, .own_flags = &g->own_flags };
    struct arena arena = { 0 };
    uint64_t learning_ns;
    int r = config_expect_rules(c, &arena, &rules);

    if (r < 0) {
        arena_done(&arena);
        return r;
    }
    alerts_set_rules(g->alerts, &rules);
    alerts_set_redaction(g->alerts, config_redaction(c));
    (void)config_parse_learning(config_text(c, CONFIG_LEARNING), &learning_ns, NULL); /* it was checked */
    usual_set_learning(alerts_usual(g->alerts), learning_ns);
    arena_done(&g->arena);
    g->arena = arena;
    return 0;
}

void alerting_own_process(struct alerting *g, pid_t pid, bool parent)
{
    uint64_t start_ns = proc_stat_start_ns("/proc", pid);

    if (g && start_ns) /* else it has ended, and the number may be another one's */
        own_processes_add(&g->own_processes, pid, start_ns, parent);
}

void alerting_own_flags(struct alerting *g, struct bytes target)
{
    if (g)
        own_flags_add(&g->own_flags, target, clock_ns(CLOCK_REALTIME));
}

static bool is_there(pid_t pid, uint64_t start_ns)
{
    return proc_stat_start_ns("/proc", pid) == start_ns;
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
        m.container_pid = alert->victim->pid;
        m.container_log = bytes_equal_str(container_label(alert->victim, "culprit.log"), "true");
        m.pod_namespace = alert->victim->pod_namespace;
        m.pod_name = alert->victim->pod_name;
        m.pod_uid = container_label(alert->victim, "io.kubernetes.pod.uid");
        if (!m.pod_uid.len)
            m.pod_uid = container_label(alert->victim, "io.kubernetes.cri.sandbox-uid"); /* containerd */
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

    if (g->options.response)
        response_alert(g->options.response, alert);
    send_alert(g, alert);
    if (alert_sinks_has_journal(g->sinks))
        return;
    sbuf_addf(&text, "alert %.8s (%s%s): ", alert->id, severity_name(alert->severity), alert_state_words(alert->state));
    sbuf_add_bytes(&text, alert->sentence);
    g->options.notice(g->options.data, sbuf_str(&text));
}

static void on_reported(void *data, const struct event *event, const char *id)
{
    struct alerting *g = data;

    if (g->options.response)
        response_event(g->options.response, event, id);
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
    add_beside_store(g, c, "usual");
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
    r = alerts_new(&(struct alerts_options){ .host = &g->options.host, .own = g->own, .own_count = g->own_count, .data = g, .emit = on_alert, .reported = on_reported,
                                           .silence_ended = on_silence_ended },
                   &g->alerts);
    alerting_own_process(g, getpid(), true);
    if (r == 0)
        r = alerting_configure(g, c);
    if (r == 0)
        r = silencing_begin(&g->silencing, g->alerts, config_text(c, CONFIG_STORE), options->log);
    if (r == 0)
        r = usual_file_open(&g->usual, alerts_usual(g->alerts), config_text(c, CONFIG_STORE), options->log);
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

void alerting_act(struct alerting *g, const char *id, const char *text)
{
    if (g)
        alerts_act(g->alerts, id, text);
}

void alerting_own(struct alerting *g, const char *what, enum severity severity, const char *text)
{
    if (g)
        alerts_own(g->alerts, what, severity, text, clock_ns(CLOCK_MONOTONIC));
}

static void on_watch(void *data, const struct watch_listing *l)
{
    if (!l->failed && (l->objects || l->waiting || l->missing))
        usual_add_watch(data, l->target->text, l->permissions, clock_ns(CLOCK_REALTIME));
}

void alerting_watches(struct alerting *g, const struct pipeline *pipeline)
{
    struct usual *usual = alerts_usual(g->alerts);

    usual_begin_watches(usual);
    pipeline_each_watch(pipeline, on_watch, usual);
    usual_end_watches(usual);
}

void alerting_life(struct alerting *g, const struct lifecycle_event *life)
{
    alerts_life(g->alerts, life);
}

void alerting_event(struct alerting *g, const struct event *event)
{
    alerts_event(g->alerts, event, clock_ns(CLOCK_MONOTONIC));
}

void alerting_gap(struct alerting *g, const struct gap *gap)
{
    alerts_gap(g->alerts, gap, clock_ns(CLOCK_MONOTONIC));
}

void alerting_idle(struct alerting *g, const struct pipeline *pipeline)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    usual_clock(alerts_usual(g->alerts), clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_BOOTTIME));
    if (now >= g->next_look_ns) {
        g->next_look_ns = now + LOOK_NS;
        alerting_watches(g, pipeline);
        own_processes_look(&g->own_processes, now, is_there);
    }
    usual_file_idle(&g->usual);
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
           : r == -EOPNOTSUPP       ? err_say(err, r, "a test is of no container, and that sink writes to containers' logs only")
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
    usual_file_close(&g->usual);
    alerts_free(g->alerts);
    arena_done(&g->arena);
    arena_done(&g->own_arena);
    free(g);
}
