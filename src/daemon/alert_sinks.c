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
#include "util/clock.h"
#include "util/json_writer.h"
#include "util/parse.h"

#define QUEUE_BYTES (4 * 1024 * 1024) /* for one sink, beside what its socket holds: it takes each message at once, as its disk does */
#define FAILING 3                     /* failures in a row: one alone is a moment's */
#define JOURNAL "/run/systemd/journal/socket"
#define TEST_GRACE_NS (3 * NS_PER_S)  /* beyond what a delivery may take */
#define TEST_MAX_NS (20 * NS_PER_S)   /* whoever asked waits for thirty seconds */

struct queued {
    struct queued *next;
    size_t len;
    char data[];
};

struct one {
    struct sink_settings settings; /* texts in the arena */
    int socket;
    struct queued *first, *last;
    size_t queued_bytes;
    uint64_t dropped;              /* here, since its process does not read */
    uint64_t said_dropped, said_delivered;
    bool said_failing;
    struct sink_report report;
    struct sink_report before;     /* counts of its processes that have died */
    struct {
        enum { TEST_NONE, TEST_WAITS, TEST_ARRIVED, TEST_FAILED } state;
        uint64_t failures, dropped, until_ns; /* counts at its beginning */
        uint32_t tests;
        uint64_t begun_ns, took_ns;
    } test;
};

struct alert_sinks {
    struct alert_sinks_options options;
    struct arena arena;
    struct one *sinks;
    unsigned count, size;
};

/* ---- the configuration's words ---- */

static struct bytes text_of(struct alert_sinks *s, const struct config_block *block, enum config_key key)
{
    return block->values[key].count ? arena_copy(&s->arena, block->values[key].items[0]) : BYTES_NULL;
}

static int read_settings(struct alert_sinks *s, const struct config_block *block, struct sink_settings *ret)
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
                                   .severity = severity.len ? severity_by_name(severity) : SEVERITY_LOW };
    if (timeout.len)
        (void)parse_duration(timeout.data, &ret->timeout_ns, NULL); /* they were checked */
    if (size.len)
        ret->size = 0;
    if (size.len && !bytes_equal_str(size, "off"))
        (void)parse_size(size.data, &ret->size, NULL);
    return ret->name.data ? 0 : -ENOMEM;
}

/* Of several that are apart the second is NAME:2, which no sink's name can be. */
static int name_place(struct alert_sinks *s, struct bytes spools, size_t number, struct sink_settings *settings)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    sbuf_add_bytes(&name, settings->name);
    if (number)
        sbuf_addf(&name, ":%zu", number + 1);
    if (sbuf_error(&name) < 0)
        return -ENOMEM;
    settings->name = arena_copy(&s->arena, sbuf_bytes(&name));
    settings->spool = arena_join_path(&s->arena, spools, settings->name).data;
    return settings->name.data && settings->spool ? 0 : -ENOMEM;
}

static struct one *add_one(struct alert_sinks *s)
{
    if (s->count == s->size) {
        struct one *grown = reallocarray(s->sinks, s->size + 8, sizeof(*grown));

        if (!grown)
            return NULL;
        s->sinks = grown;
        s->size += 8;
    }
    s->sinks[s->count] = (struct one){ .socket = -EBADF };
    return &s->sinks[s->count];
}

static int start_place(struct alert_sinks *s, const struct sink_settings *settings)
{
    struct one *one = add_one(s);
    struct err err = ERR_INIT;
    int r;

    if (!one)
        return -ENOMEM;
    one->settings = *settings;
    r = sink_start(&one->settings, &one->socket, &err);
    if (r < 0) {
        log_warn(s->options.log, "%s; going on without it", err_text(&err, r));
        return 0;
    }
    s->count++;
    return 0;
}

static int start_one(struct alert_sinks *s, const struct config_block *block, struct bytes spools)
{
    struct sink_settings settings;
    int r = read_settings(s, block, &settings);
    size_t places = r == 0 && settings.ops->apart ? settings.to_count : 1;

    for (size_t i = 0; r == 0 && i < places; i++) {
        struct sink_settings place = settings;

        if (settings.ops->apart) {
            place.to = &settings.to[i];
            place.to_count = 1;
        }
        r = name_place(s, spools, i, &place);
        if (r == 0)
            r = start_place(s, &place);
    }
    return r;
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
    for (size_t i = 0; r == 0 && i < blocks->count; i++)
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
    free(s->sinks);
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
    if (one->first)
        one->last->next = q;
    else
        one->first = q;
    one->last = q;
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
        free(q);
    }
}

static void take_report(struct one *one, struct sink_report report)
{
    report.text[sizeof(report.text) - 1] = '\0';
    if (report.run != one->report.run) {
        one->before.delivered += one->report.delivered;
        one->before.failures += one->report.failures;
        one->before.dropped += one->report.dropped;
        one->before.tests += one->report.tests;
        if (report.broken)
            report.waiting = one->report.waiting; /* what was there is there still, as far as is known */
    }
    one->report = report;
}

static void receive(struct one *one)
{
    struct sink_report report = { 0 };
    ssize_t n;

    while ((n = recv(one->socket, &report, sizeof(report), MSG_DONTWAIT)) == (ssize_t)sizeof(report))
        take_report(one, report);
    if (n != 0 || one->report.run == UINT32_MAX)
        return;
    report = (struct sink_report){ .failures = 1, .run = UINT32_MAX, .broken = 1 };
    snprintf(report.text, sizeof(report.text), "its process was ended, and is started with the daemon only");
    take_report(one, report);
}

/* The same for all who ask. */
static struct sink_report counts_of(const struct one *one)
{
    struct sink_report r = one->report;

    r.delivered += one->before.delivered;
    r.failures += one->before.failures;
    r.dropped += one->before.dropped + one->dropped;
    r.tests += one->before.tests;
    return r;
}

static bool is_failing(const struct one *one)
{
    return one->report.in_a_row >= FAILING || one->report.broken;
}

static void say(struct alert_sinks *s, struct one *one)
{
    const struct sink_report counts = counts_of(one);
    bool failing = is_failing(one);
    char text[LIMIT_ERR];

    if (counts.dropped > one->said_dropped) {
        snprintf(text, sizeof(text), "Sink %.80s has dropped %" PRIu64 " alerts, the oldest that waited, in all: %.150s", one->settings.name.data,
                 counts.dropped, counts.text);
        one->said_dropped = counts.dropped;
    } else if (counts.broken && !one->said_failing) {
        snprintf(text, sizeof(text), "Alerts do not get into sink %.80s: %.200s.", one->settings.name.data, counts.text);
    } else if (failing && !one->said_failing) {
        snprintf(text, sizeof(text), "Alerts do not get out of sink %.80s: %.150s; %" PRIu64 " wait.", one->settings.name.data, counts.text,
                 counts.waiting);
    } else {
        if (!failing && counts.delivered > one->said_delivered) /* not each time that a process of it lives for a moment */
            one->said_failing = false;
        return;
    }
    one->said_failing |= failing;
    one->said_delivered = counts.delivered;
    s->options.failing(s->options.data, one->settings.name.data, text);
}

/* ---- a test ---- */

static bool is_named(const struct one *one, struct bytes name)
{
    return !name.len || bytes_equal(one->settings.name, name) ||
           (one->settings.ops->apart && bytes_starts_with(one->settings.name, name) && one->settings.name.data[name.len] == ':');
}

/* What cannot be asked fails without an answer. */
static void begin_test(struct one *one, struct bytes message, struct bytes over)
{
    const struct sink_report counts = counts_of(one);

    one->test.state = TEST_WAITS;
    one->test.failures = counts.failures;
    one->test.dropped = counts.dropped;
    one->test.tests = counts.tests;
    one->test.begun_ns = clock_ns(CLOCK_MONOTONIC);
    one->test.until_ns = one->test.begun_ns + MIN(one->settings.timeout_ns + TEST_GRACE_NS, TEST_MAX_NS);
    put(one, message);
    put(one, over);
}

int alert_sinks_test(struct alert_sinks *s, struct bytes name, const struct sink_message *m)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT, over = SBUF_INIT;
    struct sink_message resolved = *m;
    bool any = false;

    for (unsigned i = 0; i < s->count; i++) {
        if (s->sinks[i].test.state == TEST_WAITS)
            return -EBUSY;
        any |= is_named(&s->sinks[i], name);
    }
    if (!any)
        return -ENOENT;
    resolved.state = ALERT_RESOLVED;
    sink_message_write(m, &message);
    sink_message_write(&resolved, &over);
    if (sbuf_error(&message) < 0 || sbuf_error(&over) < 0)
        return -ENOMEM;
    for (unsigned i = 0; i < s->count; i++) {
        s->sinks[i].test.state = TEST_NONE; /* whoever asked before may have gone without his answer */
        if (is_named(&s->sinks[i], name))
            begin_test(&s->sinks[i], sbuf_bytes(&message), sbuf_bytes(&over));
    }
    return 0;
}

static void look_at_test(struct one *one)
{
    struct sink_report counts;
    uint64_t now;

    if (one->test.state != TEST_WAITS)
        return;
    counts = counts_of(one);
    now = clock_ns(CLOCK_MONOTONIC);
    if (counts.tests >= one->test.tests + 2)
        one->test.state = TEST_ARRIVED;
    else if (counts.failures > one->test.failures || counts.dropped > one->test.dropped || counts.broken || now >= one->test.until_ns)
        one->test.state = TEST_FAILED;
    one->test.took_ns = now - one->test.begun_ns;
}

bool alert_sinks_test_is_over(const struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->sinks[i].test.state == TEST_WAITS)
            return false;
    return true;
}

void alert_sinks_end_test(struct alert_sinks *s, struct sbuf *out)
{
    json_open(out, JSON_ARRAY("sinks"));
    for (unsigned i = 0; i < s->count; i++) {
        struct one *one = &s->sinks[i];
        const struct sink_report counts = counts_of(one);
        bool arrived = one->test.state == TEST_ARRIVED;

        if (one->test.state == TEST_NONE)
            continue;
        json_open_element(out);
        json_string(out, JSON_KEY("name"), one->settings.name);
        json_string(out, JSON_KEY("type"), bytes_of(one->settings.ops->type));
        json_bool(out, JSON_KEY("arrived"), arrived);
        json_number(out, JSON_KEY("ms"), one->test.took_ns / NS_PER_MS);
        if (!arrived) {
            json_string(out, JSON_KEY("why"), bytes_of(counts.text[0] ? counts.text : "no answer in time"));
            json_number(out, JSON_KEY("waiting"), counts.waiting);
        }
        json_close(out);
        one->test.state = TEST_NONE;
    }
    json_close_array(out);
}

void alert_sinks_idle(struct alert_sinks *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        flush(&s->sinks[i]);
        receive(&s->sinks[i]);
        say(s, &s->sinks[i]);
        look_at_test(&s->sinks[i]);
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
        const struct sink_report counts = counts_of(one);

        json_open_element(out);
        json_string(out, JSON_KEY("name"), one->settings.name);
        json_string(out, JSON_KEY("type"), bytes_of(one->settings.ops->type));
        json_bool(out, JSON_KEY("failing"), is_failing(one));
        json_number(out, JSON_KEY("delivered"), counts.delivered);
        json_number(out, JSON_KEY("failures"), counts.failures);
        json_number(out, JSON_KEY("waiting"), counts.waiting);
        json_number(out, JSON_KEY("dropped"), counts.dropped);
        json_bytes(out, JSON_KEY("why"), bytes_of(counts.text));
        json_close(out);
    }
    json_close_array(out);
}

static void write_series(const struct alert_sinks *s, const char *name, uint64_t (*value)(const struct one *one), struct sbuf *out)
{
    for (unsigned i = 0; i < s->count; i++)
        sbuf_addf(out, "%s{sink=\"%s\"} %" PRIu64 "\n", name, s->sinks[i].settings.name.data, value(&s->sinks[i]));
}

static uint64_t failing_of(const struct one *one)
{
    return is_failing(one);
}

static uint64_t failures_of(const struct one *one)
{
    return counts_of(one).failures;
}

static uint64_t waiting_of(const struct one *one)
{
    return counts_of(one).waiting;
}

static uint64_t dropped_of(const struct one *one)
{
    return counts_of(one).dropped;
}

void alert_sinks_write_metrics(const struct alert_sinks *s, void (*head)(struct sbuf *out, const char *name, const char *type, const char *help),
                               struct sbuf *out)
{
    static const struct {
        const char *name, *type, *help;
        uint64_t (*value)(const struct one *one);
    } rows[] = {
        { "culprit_sink_failing", "gauge", "1: alerts do not get to the sink now.", failing_of },
        { "culprit_sink_failures_total", "counter", "Deliveries of alerts that failed, and are tried again.", failures_of },
        { "culprit_sink_waiting", "gauge", "Alerts that wait for a sink.", waiting_of },
        { "culprit_sink_dropped_total", "counter", "Alerts that a sink never gets, since too many waited.", dropped_of },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        head(out, rows[i].name, rows[i].type, rows[i].help);
        write_series(s, rows[i].name, rows[i].value, out);
    }
}
