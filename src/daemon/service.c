/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/groups.h"
#include "daemon/notify.h"
#include "daemon/pipeline.h"
#include "daemon/single.h"
#include "foreign/answers.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"
#include "watch/change.h"
#include "watch/plan.h"

#define ANSWER_MS 5000               /* a target's file system has so long to say something */
#define RELOAD_ANSWER_MS 500         /* and so long while events are waiting */
#define FINISH_NS (3 * NS_PER_S)     /* at the end: whoever stops us waits for five seconds */

struct service {
    const struct service_options *options;
    struct config config;
    struct pipeline *pipeline;
    struct sbuf sensors;
    int signal_fd;
    uint64_t next_sign_ns;
    size_t armed;       /* targets */
    size_t unarmed;     /* whose file system does not answer */
    bool is_ready;
    bool reload;        /* asked for, and not done yet */
    bool broken;        /* the last reload found mistakes: the configuration before it is in force */
    bool changed_later; /* something that counts from the next start on only */
};

struct asks {
    struct plan_ask *asks;
    size_t count;
    unsigned permissions; /* of all */
    size_t unarmed;
};

_printf_(2, 3) static void notice(const struct service *s, const char *format, ...)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char line[LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    sbuf_add_str(&text, line);
    s->options->notice(s->options->data, sbuf_str(&text));
}

static void give_sign(struct service *s)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (!s->options->watchdog_ns || now < s->next_sign_ns)
        return;
    s->next_sign_ns = now + s->options->watchdog_ns / 4;
    notify_sign(s->options->notify_socket);
}

/* ---- from configuration to watches ---- */

/* The host's own paths are asked for by a process of its own first: whoever waits for a dead NFS server sees nothing else. */
static bool answers(struct service *s, struct bytes text)
{
    struct target target;
    bool answers = true;

    if (target_parse(text, bytes_of("/"), &target, NULL) < 0)
        return true; /* plan_make() says it */
    if (target.selector.kind == SELECTOR_NONE)
        answers = foreign_answers(target.path.data, s->is_ready ? RELOAD_ANSWER_MS : ANSWER_MS);
    target_done(&target);
    give_sign(s);
    return answers;
}

static void warn_unarmed(struct service *s, struct bytes text, const char *why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal(&shown, text);
    log_warn(s->options->log, "%.300s is not watched: %s; reload when it can be", sbuf_str(&shown), why);
}

static int add_ask(struct service *s, struct asks *asks, const struct plan_ask *ask)
{
    struct plan_ask *grown;

    if (!answers(s, ask->text)) {
        warn_unarmed(s, ask->text, "its file system does not answer (FUSE, NFS?)");
        asks->unarmed++;
        return 0;
    }
    grown = reallocarray(asks->asks, asks->count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    asks->asks = grown;
    grown[asks->count++] = *ask;
    asks->permissions |= ask->permissions;
    return 0;
}

/* On a merged /usr the old places are links into it. */
static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int add_group(struct service *s, const struct config *c, struct bytes name, struct asks *asks)
{
    const struct config_group *g;
    int r = 0;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++) {
        if (!bytes_equal_str(name, g->name))
            continue;
        for (const struct config_group_path *p = g->paths; r == 0 && p->path; p++) {
            struct plan_ask ask = { bytes_of(p->path), bytes_of(g->name), config_permissions(c, NULL), true };

            if (!p->if_there || is_there(p->path))
                r = add_ask(s, asks, &ask);
        }
    }
    return r;
}

/* Groups first: where somebody asks for the same path, his key counts. */
static int make_asks(struct service *s, const struct config *c, struct asks *asks)
{
    const struct config_value *groups = &c->values[CONFIG_GROUPS];
    int r = 0;

    for (size_t i = 0; r == 0 && i < groups->count; i++)
        r = add_group(s, c, groups->items[i], asks);
    for (size_t i = 0; r == 0 && i < c->watch_count; i++) {
        const struct config_watch *w = &c->watches[i];
        const struct config_value *targets = &w->values[CONFIG_WATCH_TARGETS];

        for (size_t k = 0; r == 0 && k < targets->count; k++) {
            struct plan_ask ask = { targets->items[k], config_watch_key(w), config_permissions(c, w), false };

            r = add_ask(s, asks, &ask);
        }
    }
    return r;
}

/* A group's path that no sensor can watch (a file system without file handles) must not cost all others. */
static bool do_without(struct service *s, struct asks *asks, size_t failed, const char *why)
{
    if (failed >= asks->count || !asks->asks[failed].optional)
        return false;
    warn_unarmed(s, asks->asks[failed].text, why);
    memmove(&asks->asks[failed], &asks->asks[failed + 1], (asks->count - failed - 1) * sizeof(*asks->asks));
    asks->count--;
    asks->unarmed++;
    return true;
}

/* Arms what the configuration asks for, in place of what is armed. */
static int arm(struct service *s, const struct config *c, struct watchset_difference *ret, struct err *err)
{
    struct asks asks = { 0 };
    int r = make_asks(s, c, &asks);
    bool again = r == 0;

    if (r < 0)
        err_set(err, r, "watches");
    while (again) {
        struct plan plan = { 0 };
        struct err why = ERR_INIT;

        ret->failed_ask = SIZE_MAX;
        r = plan_make(asks.asks, asks.count, &plan, &why);
        if (r == 0)
            r = pipeline_change(s->pipeline, &plan, asks.permissions, ret, &why);
        again = r < 0 && do_without(s, &asks, ret->failed_ask, err_text(&why, r));
        if (r < 0 && !again)
            err_say(err, r, "%s", err_text(&why, r));
    }
    if (r == 0) {
        s->armed = asks.count;
        s->unarmed = asks.unarmed;
    }
    free(asks.asks);
    return r;
}

/* ---- what is reported to the manager ---- */

static void report_ready(struct service *s)
{
    char later[64] = "", unarmed[96] = "", broken[96] = "";

    if (s->unarmed)
        snprintf(unarmed, sizeof(unarmed), ", %zu cannot be", s->unarmed);
    if (s->changed_later)
        snprintf(later, sizeof(later), "; some values count from the next start on");
    if (s->broken)
        snprintf(broken, sizeof(broken), "; the new configuration has mistakes and is not in force");
    notify_send(s->options->notify_socket, "READY=1\nSTATUS=%zu targets are watched%s%s%s", s->armed, unarmed, later, broken);
}

/* ---- the configuration anew ---- */

/* 0, or -EINVAL after its mistakes were reported. */
static int load(struct service *s, struct config *c, struct err *err)
{
    struct config_report report = { .data = s->options->data, .problem = s->options->problem };
    int r = config_init(c);

    if (r == 0)
        r = config_load(c, s->options->config_dir, &report);
    if (r < 0)
        return err_set(err, r, "configuration");
    if (!report.errors)
        return 0;
    config_done(c);
    return err_say(err, -EINVAL, "the configuration has %u mistake%s", report.errors, report.errors == 1 ? "" : "s");
}

static bool same(const struct config *a, const struct config *b, enum config_key key)
{
    const struct config_value *x = &a->values[key], *y = &b->values[key];
    bool equal = x->count == y->count;

    for (size_t i = 0; equal && i < x->count; i++)
        equal = bytes_equal(x->items[i], y->items[i]);
    return equal;
}

static void report_later(struct service *s, const struct config *now)
{
    static const enum config_key at_start[] = { CONFIG_SENSOR, CONFIG_WRITES, CONFIG_STORE, CONFIG_DOCKER_SOCKET,
                                                CONFIG_RING_SIZE };

    s->changed_later = false;
    for (size_t i = 0; i < ARRAY_SIZE(at_start); i++)
        if (!same(&s->config, now, at_start[i])) {
            log_warn(s->options->log, "%s: the new value counts from the next start of the daemon on",
                     config_key_info(at_start[i])->name);
            s->changed_later = true;
        }
}

/* What is in force stays the values that were opened with; watches are compared with what is armed. */
static void reload(struct service *s)
{
    struct watchset_difference d = { 0 };
    struct err err = ERR_INIT;
    struct config c;
    int r;

    s->reload = false;
    notify_send(s->options->notify_socket, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_ns(CLOCK_MONOTONIC) / 1000);
    r = load(s, &c, &err);
    if (r == 0) {
        r = arm(s, &c, &d, &err);
        if (r == 0)
            report_later(s, &c);
        config_done(&c);
    }
    s->broken = r < 0;
    if (r < 0)
        log_warn(s->options->log, "%s; what was watched before is watched still", err_text(&err, r));
    else
        notice(s, "the configuration was read again: %zu new, %zu ended, %zu as before", d.added, d.ended, d.kept);
    report_ready(s);
}

/* ---- the loop ---- */

static void on_signal(void *data, int fd)
{
    struct service *s = data;
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP)
            s->reload = true;
        else
            pipeline_stop(s->pipeline);
    }
}

static void on_idle(void *data)
{
    struct service *s = data;

    if (s->reload && !pipeline_is_changing(s->pipeline))
        reload(s);
    give_sign(s);
}

static void on_notice(void *data, const char *text)
{
    const struct service *s = data;

    s->options->notice(s->options->data, text);
}

static void on_gap(void *data, const struct gap *gap)
{
    const struct service *s = data;

    s->options->gap(s->options->data, gap);
}

static int take_signals(struct service *s, struct err *err)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
        return err_set(err, -errno, "signals");
    s->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signal_fd < 0 ? err_set(err, -errno, "signals") : 0;
}

static const char *sensor_list(struct service *s)
{
    const struct config_value *v = &s->config.values[CONFIG_SENSOR];

    for (size_t i = 0; i < v->count; i++) {
        sbuf_add_str(&s->sensors, i ? "," : "");
        sbuf_add_bytes(&s->sensors, v->items[i]);
    }
    return sbuf_str(&s->sensors);
}

/* Sensors are chosen by what may be asked of them; a reload may ask for more, and then says what is not seen. */
static unsigned all_permissions(const struct config *c)
{
    unsigned permissions = config_permissions(c, NULL);

    for (size_t i = 0; i < c->watch_count; i++)
        permissions |= config_permissions(c, &c->watches[i]);
    return permissions;
}

/* How many may be watched at least, as far as that is known before anything is opened. */
static size_t count_targets(const struct config *c)
{
    const struct config_value *groups = &c->values[CONFIG_GROUPS];
    const struct config_group *g;
    size_t n = c->target_count;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++)
        for (size_t k = 0; k < groups->count; k++)
            for (const struct config_group_path *p = g->paths; bytes_equal_str(groups->items[k], g->name) && p->path; p++)
                n++;
    return n;
}

static int open_pipeline(struct service *s, struct err *err)
{
    struct bytes socket = config_text(&s->config, CONFIG_DOCKER_SOCKET), ring = config_text(&s->config, CONFIG_RING_SIZE);
    struct pipeline_options options = {
        .log = s->options->log,
        .sensors = sensor_list(s),
        .targets = count_targets(&s->config),
        .store_path = config_text(&s->config, CONFIG_STORE).data,
        .docker_socket = socket.len ? socket.data : s->options->docker_socket,
        .permissions = all_permissions(&s->config),
        .writes = config_switch(&s->config, CONFIG_WRITES),
        .host_id = s->options->host_id,
        .host_name = s->options->host_name,
        .no_seccomp = s->options->no_seccomp,
        .no_case = true,
        .finish_ns = FINISH_NS,
        .data = s,
        .gap = on_gap,
        .notice = on_notice,
        .idle = on_idle,
    };
    int r = sbuf_error(&s->sensors);

    if (r < 0)
        return err_set(err, r, "sensors");
    if (!bytes_equal_str(ring, "auto"))
        (void)parse_size(ring.data, &options.ring_size, NULL); /* it was checked */
    r = pipeline_open(&options, &s->pipeline, err);
    return r < 0 ? r : pipeline_watch_fd(s->pipeline, s->signal_fd, on_signal, s, err);
}

static int start(struct service *s, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct watchset_difference d;
    int r = load(s, &s->config, err);

    if (r == 0)
        r = single_take(s->options->runtime_dir, err);
    if (r == 0)
        r = take_signals(s, err); /* before anything is opened: a signal must not end us with rules left in the kernel */
    if (r == 0)
        r = open_pipeline(s, err);
    if (r == 0)
        r = arm(s, &s->config, &d, err);
    if (r < 0)
        return r;
    pipeline_ready(s->pipeline, &text);
    pipeline_confine(s->pipeline);
    s->is_ready = true;
    notice(s, "ready %s", sbuf_str(&text));
    report_ready(s);
    return 0;
}

int service_run(const struct service_options *options, struct err *err)
{
    struct service s = { .options = options, .signal_fd = -EBADF };
    int r = start(&s, err);

    if (r == 0) {
        r = pipeline_run(s.pipeline, 0, err);
        notify_send(options->notify_socket, "STOPPING=1\nSTATUS=what happened last is being written");
        pipeline_finish(s.pipeline);
    }
    pipeline_close(s.pipeline);
    if (s.signal_fd >= 0)
        close(s.signal_fd);
    config_done(&s.config);
    sbuf_done(&s.sensors);
    return r;
}
