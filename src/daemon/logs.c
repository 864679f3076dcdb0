/* SPDX-License-Identifier: MIT */
#include "daemon/logs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attribution/agents.h"
#include "attribution/owner.h"
#include "cause/cause.h"
#include "sensor/audit/log/config.h"
#include "util/limits.h"

#define CONTAINER_ID_LEN 64

struct log_reading {
    const struct logs_options *options;
    const struct agents *agents;
    struct packages *packages; /* NULL: the log is another machine's, or may be */
};

/* ---- where it lives ---- */

/* The argument behind `option` of a command line whose arguments end in NUL. */
static struct bytes argument_behind(struct bytes args, const char *option)
{
    bool next = false;

    while (args.len) {
        const char *end = memchr(args.data, '\0', args.len);
        size_t n = end ? (size_t)(end - args.data) : args.len;

        if (next)
            return (struct bytes){ args.data, n };
        next = bytes_equal_str((struct bytes){ args.data, n }, option);
        n += end != NULL;
        args = (struct bytes){ args.data + n, args.len - n };
    }
    return BYTES_NULL;
}

static bool is_id(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!memchr("0123456789abcdef", id.data[i], 16))
            return false;
    return id.len == CONTAINER_ID_LEN;
}

/* What keeps a container running names it on its own command line. */
static struct container *kept_container(const struct process *p)
{
    static const struct {
        const char *program, *option, *runtime;
    } rows[] = {
        { "containerd-shim-runc-v2", "-id", "docker" },
        { "containerd-shim", "-id", "docker" },
        { "docker-containerd-shim", "-id", "docker" },
        { "conmon", "-c", "podman" },
    };
    struct bytes base = bytes_basename(p->executable);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bytes id;
        struct container *c;

        if (!bytes_equal_str(base, rows[i].program))
            continue;
        id = argument_behind(p->args, rows[i].option);
        c = is_id(id) ? container_new() : NULL;
        if (!c)
            continue;
        container_set(c, &c->id, id);
        /* the same shim serves Docker, Kubernetes and nerdctl: the namespace says which */
        if (bytes_equal_str(bytes_of(rows[i].runtime), "docker") &&
            !bytes_equal_str(argument_behind(p->args, "-namespace"), "moby"))
            container_set(c, &c->runtime, bytes_of("containerd"));
        else
            container_set(c, &c->runtime, bytes_of(rows[i].runtime));
        return c;
    }
    return NULL;
}

static void find_origin(struct process *p)
{
    for (const struct process *a = p->parent; a; a = a->parent) {
        struct container *c;

        if (a->attributed && a->origin == ORIGIN_CONTAINER) {
            p->origin = ORIGIN_CONTAINER;
            p->container = container_ref(a->container);
            return;
        }
        c = kept_container(a);
        if (c) {
            p->origin = ORIGIN_CONTAINER;
            p->container = c;
            return;
        }
        if (a->pid == 1 || a->parent_pid == 1 || a->parent_pid == 0) {
            p->origin = ORIGIN_HOST;
            return;
        }
    }
    if (p->parent_pid == 1 || p->pid == 1)
        p->origin = ORIGIN_HOST;
}

/* ---- what it belongs to ---- */

static void find_owner(struct log_reading *r, struct process *p)
{
    struct agent_facts facts = { .executable = p->executable, .name = p->name };
    struct bytes package = BYTES_NULL, version = BYTES_NULL;

    if (r->packages && p->origin != ORIGIN_CONTAINER &&
        (packages_find(r->packages, p->script, &package, &version) == 0 ||
         packages_find(r->packages, p->executable, &package, &version) == 0)) {
        process_set(p, &p->owner.package, package);
        process_set(p, &p->owner.package_version, version);
        facts.package = package;
    }
    if (!r->agents)
        return;
    p->owner.agent = agents_match(r->agents, &facts, &p->owner.looks_like);
    if (p->owner.agent) {
        process_set(p, &p->owner.product, p->owner.agent->product);
        process_set(p, &p->owner.product_kind, p->owner.agent->kind);
    }
}

static void attribute(struct log_reading *r, struct process *p)
{
    for (unsigned depth = 0; p && !p->attributed && depth < LIMIT_LINEAGE; depth++, p = p->parent) {
        find_origin(p);
        find_owner(r, p);
        p->attributed = true;
    }
}

static int on_event(void *data, struct event *event)
{
    struct log_reading *r = data;

    if (event->actor.process)
        attribute(r, event->actor.process);
    cause_remember(event);
    return r->options->event(r->options->data, event);
}

/* ---- the log ---- */

/* Is every file in the directory that this machine's auditd writes to? Its users and packages are
 * ours then; of any other log they may be another machine's. */
static bool are_local(const struct audit_log_files *files)
{
    struct audit_log_config config = { 0 };
    struct bytes directory;
    bool local = files->count > 0;

    if (audit_log_config_read(AUDITD_CONF_PATH, &config, NULL) < 0 && !config.log_file)
        return false;
    directory = bytes_dirname(bytes_of(config.log_file ? config.log_file : AUDIT_LOG_DEFAULT_PATH));
    for (size_t i = 0; i < files->count; i++)
        local &= bytes_equal(bytes_dirname(bytes_of(files->files[i].path)), directory);
    audit_log_config_done(&config);
    return local;
}

int logs_read(const struct logs_options *options, struct replay_stats *ret, struct err *err)
{
    char host[256] = "";
    struct log_reading reading = { .options = options, .agents = options->agents };
    struct replay_options replay = {
        .files = options->files,
        .log = options->log,
        .host = host,
        .local = options->own || are_local(options->files),
        .path = options->path,
        .through_roots = options->through_roots,
        .start_offset = options->start_offset,
        .emit_from = options->emit_from,
        .live = options->live,
        .data = &reading,
        .event = on_event,
    };
    int r;

    (void)gethostname(host, sizeof(host) - 1);
    if (replay.local)
        (void)packages_new("/", &reading.packages, NULL);
    reading.options = options;
    replay.progress = NULL;
    if (options->progress) {
        replay.progress = options->progress;
        replay.progress_data = options->data;
    }
    r = replay_run(&replay, ret, err);
    packages_free(reading.packages);
    return r;
}

int logs_check(const struct audit_log_files *files, const struct replay_stats *s, struct err *err)
{
    const char *name = files->files[0].path;

    if (s->lines || !s->log.consumed || s->log.damaged_files) /* what could not be read has been said */
        return 0;
    return err_say(err, -EINVAL, "%s%s: no audit log: not one record of audit's is in it",
                   strcmp(name, "-") == 0 ? "standard input" : name, files->count > 1 ? " and the others" : "");
}

/* ---- what the log says of itself ---- */

int logs_each_span(const struct replay_stats *s, int (*each)(void *data, uint64_t from_ns, uint64_t to_ns), void *data)
{
    uint64_t from = s->first_ms;
    int r = 0;

    if (!s->lines)
        return 0;
    for (unsigned i = 0; i < s->outages.count && r == 0; i++) { /* in order of time, as they were read */
        const struct outage *o = &s->outages.rows[i];

        if (o->kind == OUTAGE_LOST || o->from_ms < from)
            continue;
        if (o->from_ms > from)
            r = each(data, from * NS_PER_MS, o->from_ms * NS_PER_MS);
        from = o->to_ms ? o->to_ms : s->last_ms;
    }
    return r == 0 && (from < s->last_ms || from == s->first_ms) ? each(data, from * NS_PER_MS, s->last_ms * NS_PER_MS) : r;
}

int logs_each_gap(const struct replay_stats *s, uint64_t since_ns, uint64_t until_ns,
                  int (*each)(void *data, const struct gap *gap), void *data)
{
    struct numbers_span missing = missing_between(&s->missing, since_ns / NS_PER_MS, until_ns / NS_PER_MS);
    uint64_t damaged = s->damaged + s->log.long_lines + s->lost_calls + s->incomplete;
    int r = 0;

    for (unsigned i = 0; i < s->outages.count && r == 0; i++) {
        const struct outage *o = &s->outages.rows[i];
        struct gap gap = { .reason = o->kind == OUTAGE_LOST ? LOST_AUDIT_KERNEL : LOST_WATCH_WINDOW,
                           .count = o->count,
                           .from_ns = o->from_ms * NS_PER_MS,
                           .to_ns = (o->to_ms ? o->to_ms : s->last_ms) * NS_PER_MS,
                           .sensor = SENSOR_AUDIT_LOG };

        if (o->kind == OUTAGE_STOPPED || (since_ns && gap.to_ns < since_ns) || (until_ns && gap.from_ns > until_ns))
            continue;
        snprintf(gap.text, sizeof(gap.text), "%s", outage_text(o->kind));
        r = each(data, &gap);
    }
    if (r == 0 && (damaged || s->log.damaged_files)) {
        struct gap gap = { .reason = LOST_AUDIT_DAMAGED,
                           .count = damaged,
                           .from_ns = s->first_ms * NS_PER_MS,
                           .to_ns = s->last_ms * NS_PER_MS,
                           .sensor = SENSOR_AUDIT_LOG };

        snprintf(gap.text, sizeof(gap.text), damaged ? "damaged or missing records in the log" : "a log that could not be read to its end");
        r = each(data, &gap);
    }
    if (r == 0 && missing.count) {
        struct gap gap = { .reason = LOST_AUDIT_NUMBERS,
                           .count = missing.count,
                           .from_ns = missing.from_ms * NS_PER_MS,
                           .to_ns = missing.to_ms * NS_PER_MS,
                           .sensor = SENSOR_AUDIT_LOG };

        snprintf(gap.text, sizeof(gap.text), "serial numbers that are missing in the log: lost, filtered, or rotated away");
        r = each(data, &gap);
    }
    return r;
}

/* "; auditd was stopped 3 times, for 42 s in all" */
static void add_stops(const struct replay_stats *s, struct sbuf *out)
{
    uint64_t stops = 0, ms = 0;

    for (unsigned i = 0; i < s->outages.count; i++) {
        const struct outage *o = &s->outages.rows[i];

        if (o->kind != OUTAGE_STOPPED || !o->to_ms || o->to_ms < o->from_ms)
            continue;
        stops++;
        ms += o->to_ms - o->from_ms;
    }
    if (stops)
        sbuf_addf(out, "; auditd was stopped %" PRIu64 " time%s, for %.1f s in all", stops, stops == 1 ? "" : "s", (double)ms / 1e3);
    if (s->outages.beyond)
        sbuf_addf(out, "; auditing was interrupted %" PRIu64 " more times", s->outages.beyond);
}

void logs_not_seen(const struct replay_stats *s, struct sbuf *out)
{
    sbuf_add_str(out, "a log holds only what audit's rules asked for, and the names of containers not at all");
    if (!s->enriched)
        sbuf_add_str(out, "; it holds no names of users");
    add_stops(s, out);
    if (s->incomplete)
        sbuf_addf(out, "; records of %" PRIu64 " event%s are missing in it", s->incomplete, s->incomplete == 1 ? "" : "s");
    if (s->lost_calls)
        sbuf_addf(out, "; who made the changes of %" PRIu64 " event%s is not in it (a record is lost)", s->lost_calls, s->lost_calls == 1 ? "" : "s");
    if (s->nameless)
        sbuf_addf(out, "; of %" PRIu64 " change%s it has the directory only, not the name", s->nameless, s->nameless == 1 ? "" : "s");
    if (s->foreign_calls)
        sbuf_addf(out, "; %" PRIu64 " events are of an architecture whose system calls are not known here", s->foreign_calls);
    if (s->unsure)
        sbuf_addf(out, "; of %" PRIu64 " change%s it has no directory: %s may have been here", s->unsure, s->unsure == 1 ? "" : "s", s->unsure == 1 ? "it" : "they");
    if (s->log.damaged_files)
        sbuf_addf(out, "; %" PRIu64 " files could not be read to the end", s->log.damaged_files);
}
