/* SPDX-License-Identifier: MIT */
#include "daemon/alert_sinks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alert/severity.h"
#include "config/keys_sink.h"
#include "sink/process.h"
#include "util/cleanup.h"
#include "util/json_writer.h"
#include "util/parse.h"

#define QUEUE_BYTES (4 * 1024 * 1024) /* for one sink, beside what its socket holds: it takes each message at once, as its disk does */
#define FAILING 3                     /* failures in a row: one alone is a moment's */
#define JOURNAL "/run/systemd/journal/socket"

struct queued {
    struct queued *next;
    size_t len;
    char data[];
};

struct one {
    struct sink_settings settings; /* texts in the arena */
    int socket;
    struct queued *first, **last;
    size_t queued_bytes;
    uint64_t dropped;              /* here, since its process does not read */
    uint64_t said_dropped;
    bool said_failing;
    struct sink_report report;
};

struct alert_sinks {
    struct alert_sinks_options options;
    struct arena arena;
    struct one sinks[SINKS_MAX];
    unsigned count;
};

/* ---- the configuration's words ---- */

static struct bytes text_of(struct alert_sinks *s, const struct config_block *block, enum config_key key)
{
    return block->values[key].count ? arena_copy(&s->arena, block->values[key].items[0]) : BYTES_NULL;
}

static int read_settings(struct alert_sinks *s, const struct config_block *block, struct bytes spools, struct sink_settings *ret)
{
    const struct config_value *to = &block->values[CONFIG_SINK_TO];
    struct bytes *items = arena_alloc(&s->arena, MAX(to->count, (size_t)1) * sizeof(*items));
    struct bytes timeout = text_of(s, block, CONFIG_SINK_TIMEOUT), size = text_of(s, block, CONFIG_SINK_SIZE);
    struct bytes severity = text_of(s, block, CONFIG_SINK_SEVERITY);

    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < to->count; i++) {
        items[i] = arena_copy(&s->arena, to->items[i]);
        if (!items[i].data)
            return -ENOMEM;
    }
    *ret = (struct sink_settings){ .name = arena_copy(&s->arena, block->name),
                                   .ops = sink_ops_by_type(block->values[CONFIG_SINK_TYPE].items[0]),
                                   .to = items,
                                   .to_count = to->count,
                                   .format = text_of(s, block, CONFIG_SINK_FORMAT),
                                   .secret_file = text_of(s, block, CONFIG_SINK_SECRET),
                                   .ca_file = text_of(s, block, CONFIG_SINK_CA),
                                   .user = text_of(s, block, CONFIG_SINK_USER),
                                   .timeout_ns = SINK_TIMEOUT_NS,
                                   .size = SINK_SIZE,
                                   .severity = severity.len ? severity_by_name(severity) : SEVERITY_LOW,
                                   .spool = arena_join_path(&s->arena, spools, block->name).data };
    if (timeout.len)
        (void)parse_duration(timeout.data, &ret->timeout_ns, NULL); /* they were checked */
    if (size.len)
        ret->size = 0;
    if (size.len && !bytes_equal_str(size, "off"))
        (void)parse_size(size.data, &ret->size, NULL);
    return ret->name.data && ret->spool ? 0 : -ENOMEM;
}

static int start_one(struct alert_sinks *s, const struct config_block *block, struct bytes spools)
{
    struct one *one = &s->sinks[s->count];
    struct err err = ERR_INIT;
    int r = read_settings(s, block, spools, &one->settings);

    if (r < 0)
        return r;
    r = sink_start(&one->settings, &one->socket, &err);
    if (r < 0) {
        log_warn(s->options.log, "%s; going on without it", err_text(&err, r));
        return 0;
    }
    one->last = &one->first;
    s->count++;
    return 0;
}

static int start_default(struct alert_sinks *s, struct bytes spools)
{
    struct bytes type = bytes_of("journal");
    struct config_block block = { .name = bytes_of("journal"), .values = { [CONFIG_SINK_TYPE] = { .items = &type, .count = 1 } } };
    struct stat st;

    return stat(JOURNAL, &st) == 0 && S_ISSOCK(st.st_mode) ? start_one(s, &block, spools) : 0;
}

int alert_sinks_start(const struct alert_sinks_options *options, const struct config *c, struct alert_sinks **ret)
{
    const struct config_blocks *blocks = &c->blocks[CONFIG_SINK];
    struct alert_sinks *s = calloc(1, sizeof(*s));
    struct bytes spools;
    int r = 0;

    if (!s)
        return -ENOMEM;
    s->options = *options;
    spools = arena_join_path(&s->arena, bytes_dirname(config_text(c, CONFIG_STORE)), bytes_of("alerts"));
    if (!spools.data)
        r = -ENOMEM;
    if (r == 0 && mkdir(bytes_dirname(spools).len ? spools.data : "", 0700) < 0 && errno == ENOENT) { /* before the store makes its directory */
        struct bytes above = arena_copy(&s->arena, bytes_dirname(spools));

        if (!above.data || mkdir(above.data, 0700) < 0 || mkdir(spools.data, 0700) < 0)
            log_warn(options->log, "alerts: %s cannot be made; what waits for a sink is not kept", spools.data);
    }
    for (size_t i = 0; r == 0 && i < blocks->count && s->count < SINKS_MAX; i++)
        r = start_one(s, &blocks->items[i], spools);
    if (r == 0 && !blocks->count)
        r = start_default(s, spools);
    if (r < 0) {
        alert_sinks_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void alert_sinks_free(struct alert_sinks *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->count; i++) {
        struct one *one = &s->sinks[i];

        while (one->first) {
            struct queued *q = one->first;

            one->first = q->next;
            free(q);
        }
        close(one->socket);
    }
    arena_done(&s->arena);
    free(s);
}

/* ---- messages ---- */

/* False: not now. */
static bool send_one(const struct one *one, struct bytes message)
{
    return send(one->socket, message.data, message.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void put(struct one *one, struct bytes message)
{
    struct queued *q;

    if (!one->first && send_one(one, message))
        return;
    q = one->queued_bytes + message.len <= QUEUE_BYTES ? malloc(sizeof(*q) + message.len) : NULL;
    if (!q) {
        one->dropped++;
        return;
    }
    q->next = NULL;
    q->len = message.len;
    memcpy(q->data, message.data, message.len);
    *one->last = q;
    one->last = &q->next;
    one->queued_bytes += message.len;
}

void alert_sinks_send(struct alert_sinks *s, const struct sink_message *m)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;

    sink_message_write(m, &message);
    for (unsigned i = 0; i < s->count; i++) {
        if (m->severity < s->sinks[i].settings.severity)
            continue;
        if (sbuf_error(&message) < 0)
            s->sinks[i].dropped++;
        else
            put(&s->sinks[i], sbuf_bytes(&message));
    }
}

static void flush(struct one *one)
{
    while (one->first && send_one(one, (struct bytes){ one->first->data, one->first->len })) {
        struct queued *q = one->first;

        one->first = q->next;
        one->queued_bytes -= q->len;
        if (!one->first)
            one->last = &one->first;
        free(q);
    }
}

static void say(struct alert_sinks *s, struct one *one)
{
    uint64_t dropped = one->dropped + one->report.dropped;
    bool failing = one->report.in_a_row >= FAILING;
    char text[LIMIT_ERR];

    if (dropped > one->said_dropped) {
        snprintf(text, sizeof(text), "Sink %.80s has dropped %" PRIu64 " alerts, the oldest that waited, in all: %.150s", one->settings.name.data,
                 dropped, one->report.text);
        one->said_dropped = dropped;
    } else if (failing && !one->said_failing) {
        snprintf(text, sizeof(text), "Alerts do not get out of sink %.80s: %.150s; %" PRIu64 " wait.", one->settings.name.data,
                 one->report.text, one->report.waiting);
    } else {
        one->said_failing &= failing;
        return;
    }
    one->said_failing |= failing;
    s->options.failing(s->options.data, one->settings.name.data, text);
}

void alert_sinks_idle(struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct one *one = &s->sinks[i];
        struct sink_report report;

        flush(one);
        while (recv(one->socket, &report, sizeof(report), MSG_DONTWAIT) == (ssize_t)sizeof(report)) {
            report.text[sizeof(report.text) - 1] = '\0';
            one->report = report;
        }
        say(s, one);
    }
}

bool alert_sinks_has_journal(const struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->sinks[i].settings.ops == &sink_journal)
            return true;
    return false;
}

/* ---- what is said of them ---- */

void alert_sinks_write_status(const struct alert_sinks *s, struct sbuf *out)
{
    json_open(out, JSON_ARRAY("sinks"));
    for (unsigned i = 0; i < s->count; i++) {
        const struct one *one = &s->sinks[i];

        json_open_element(out);
        json_string(out, JSON_KEY("name"), one->settings.name);
        json_string(out, JSON_KEY("type"), bytes_of(one->settings.ops->type));
        json_number(out, JSON_KEY("delivered"), one->report.delivered);
        json_number(out, JSON_KEY("failures"), one->report.failures);
        json_number(out, JSON_KEY("waiting"), one->report.waiting);
        json_number(out, JSON_KEY("dropped"), one->dropped + one->report.dropped);
        json_bytes(out, JSON_KEY("why"), bytes_of(one->report.text));
        json_close(out);
    }
    json_close_array(out);
}

void alert_sinks_write_metrics(const struct alert_sinks *s, void (*head)(struct sbuf *out, const char *name, const char *type, const char *help),
                               struct sbuf *out)
{
    head(out, "culprit_sink_failures_total", "counter", "Deliveries of alerts that failed, and are tried again.");
    for (unsigned i = 0; i < s->count; i++)
        sbuf_addf(out, "culprit_sink_failures_total{sink=\"%s\"} %" PRIu64 "\n", s->sinks[i].settings.name.data, s->sinks[i].report.failures);
    head(out, "culprit_sink_waiting", "gauge", "Alerts that wait for a sink.");
    for (unsigned i = 0; i < s->count; i++)
        sbuf_addf(out, "culprit_sink_waiting{sink=\"%s\"} %" PRIu64 "\n", s->sinks[i].settings.name.data, s->sinks[i].report.waiting);
    head(out, "culprit_sink_dropped_total", "counter", "Alerts that a sink never gets, since too many waited.");
    for (unsigned i = 0; i < s->count; i++)
        sbuf_addf(out, "culprit_sink_dropped_total{sink=\"%s\"} %" PRIu64 "\n", s->sinks[i].settings.name.data,
                  s->sinks[i].dropped + s->sinks[i].report.dropped);
}
