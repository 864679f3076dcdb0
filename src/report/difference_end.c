/* SPDX-License-Identifier: MIT */
#include "report/difference_end.h"

#include "report/difference_line.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/json_writer.h"

static const char *const words[DIFFERENCE_COUNT][2] = {
    [DIFFERENCE_MISSING] = { "missing", "missing" },
    [DIFFERENCE_ADDED] = { "added", "added" },
    [DIFFERENCE_TYPE] = { "of another type", "of another type" },
    [DIFFERENCE_CONTENT] = { "with other content", "with other content" },
    [DIFFERENCE_MODE] = { "with another mode", "with another mode" },
    [DIFFERENCE_OWNER] = { "with another owner", "with another owner" },
    [DIFFERENCE_XATTR] = { "with another attribute", "with other attributes" },
    [DIFFERENCE_TIMES] = { "with another time", "with other times" },
};

static void add_counts(struct sbuf *out, const uint64_t counts[DIFFERENCE_COUNT])
{
    bool first = true;

    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++) {
        if (!counts[i])
            continue;
        sbuf_addf(out, "%s%llu %s", first ? "" : ", ", (unsigned long long)counts[i], words[i][counts[i] > 1]);
        first = false;
    }
}

static void line(const struct difference_page *p, struct sbuf *out, const char *label)
{
    sbuf_addf(out, "  %s%-10s%s", p->options.colour ? "\x1b[2m" : "", label, p->options.colour ? "\x1b[0m" : "");
}

static int by_total(const struct difference_culprit *a, const struct difference_culprit *b)
{
    return a->total > b->total ? -1 : a->total < b->total;
}

void difference_end_text(struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    const char *label = "by";
    uint64_t unknown = p->unrecorded[UNRECORDED_NEVER] + p->unrecorded[UNRECORDED_BEFORE] +
                       p->unrecorded[UNRECORDED_UNSEEN];

    if (p->count)
        sbuf_add_char(out, '\n');
    sbuf_addf(out, "%sDIFF%s  ", p->options.colour ? "\x1b[1m" : "", p->options.colour ? "\x1b[0m" : "");
    escape_terminal(out, p->options.target);
    sbuf_add_str(out, p->count ? " differs from " : " does not differ from ");
    escape_terminal(out, p->options.against);
    if (!p->count) {
        sbuf_add_str(out, ".\n");
    } else {
        sbuf_add_str(out, ": ");
        add_counts(out, p->counts);
        sbuf_add_str(out, ".\n");
    }
    HASH_SORT(p->culprits, by_total);
    for (struct difference_culprit *c = p->culprits; c; c = c->hh.next) {
        line(p, out, label);
        label = "";
        sbuf_addf(out, "%s · ", c->text ? c->text : "?");
        add_counts(out, c->counts);
        sbuf_add_char(out, '\n');
    }
    if (p->others) {
        line(p, out, label);
        sbuf_addf(out, "%llu by others\n", (unsigned long long)p->others);
    }
    if (unknown) {
        line(p, out, "unknown");
        if (p->unrecorded[UNRECORDED_NEVER]) {
            sbuf_addf(out, "%llu: nobody has watched these files; from now on: culprit watch ",
                      (unsigned long long)p->unrecorded[UNRECORDED_NEVER]);
            escape_shell(out, p->options.target);
        } else {
            if (p->unrecorded[UNRECORDED_BEFORE])
                sbuf_addf(out, "%llu before we watched",
                          (unsigned long long)p->unrecorded[UNRECORDED_BEFORE]);
            if (p->unrecorded[UNRECORDED_UNSEEN])
                sbuf_addf(out, "%s%llu not recorded: before we watched, while nobody did, or not seen",
                          p->unrecorded[UNRECORDED_BEFORE] ? ", " : "",
                          (unsigned long long)p->unrecorded[UNRECORDED_UNSEEN]);
        }
        sbuf_add_char(out, '\n');
    }
    if (end->temporary) {
        line(p, out, "besides");
        sbuf_addf(out, "%llu %s came and went in that time\n", (unsigned long long)end->temporary,
                  end->temporary == 1 ? "path" : "paths");
    }
    if (end->watched_since) {
        line(p, out, "watched");
        sbuf_add_str(out, "since ");
        difference_add_time(out, end->watched_since);
        if (end->watched_partly.len) {
            sbuf_add_str(out, ", ");
            sbuf_add_bytes(out, end->watched_partly);
        }
        if (end->lossy && end->lost)
            sbuf_addf(out, ", %llu events lost: there may be more", (unsigned long long)end->lost);
        else if (end->lossy)
            sbuf_add_str(out, ", events were lost: there may be more");
        sbuf_add_char(out, '\n');
    }
    if (p->culprits) {
        line(p, out, "later");
        sbuf_add_str(out, "culprit who ");
        if (p->options.store.len) {
            sbuf_add_str(out, "--store ");
            escape_shell(out, p->options.store);
            sbuf_add_char(out, ' ');
        }
        escape_shell(out, p->options.target);
        sbuf_add_char(out, '\n');
    }
}

void difference_end_json(const struct difference_page *p, const struct difference_end *end, struct sbuf *out)
{
    const uint64_t *unrecorded = p->unrecorded;

    sbuf_add_char(out, '{');
    json_key(out, JSON_KEY("@timestamp"));
    ecs_write_time(out, clock_ns(CLOCK_REALTIME));
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"module\":\"culprit\","
                               "\"dataset\":\"culprit.difference\"}"));
    (void)json_open(out, JSON_OBJECT("culprit"));
    (void)json_open(out, JSON_OBJECT("differences"));
    json_number(out, JSON_KEY("count"), p->count);
    json_bytes(out, JSON_KEY("against"), p->options.against);
    (void)json_open(out, JSON_OBJECT("kinds"));
    for (unsigned i = 0; i < DIFFERENCE_COUNT; i++)
        if (p->counts[i]) {
            json_key_of(out, difference_kind_name((enum difference_kind)i));
            sbuf_add_decimal(out, p->counts[i]);
        }
    json_close(out);
    json_number(out, JSON_KEY("recorded"), p->count - unrecorded[UNRECORDED_NEVER] - unrecorded[UNRECORDED_BEFORE] -
                                               unrecorded[UNRECORDED_UNSEEN]);
    json_number(out, JSON_KEY("before_watch"), unrecorded[UNRECORDED_BEFORE]);
    json_number(out, JSON_KEY("not_recorded"), unrecorded[UNRECORDED_UNSEEN]);
    json_number(out, JSON_KEY("never_watched"), unrecorded[UNRECORDED_NEVER]);
    if (end->temporary)
        json_number(out, JSON_KEY("temporary"), end->temporary);
    if (end->lossy)
        json_number(out, JSON_KEY("lost"), end->lost);
    if (end->watched_since) {
        json_key(out, JSON_KEY("watched_since"));
        ecs_write_time(out, end->watched_since);
    }
    json_bytes(out, JSON_KEY("watched_partly"), end->watched_partly);
    json_close(out);
    json_string(out, JSON_KEY("watch"), p->options.target);
    ecs_write_victim(out,
                     p->options.volume      ? VICTIM_VOLUME
                     : p->options.container ? VICTIM_CONTAINER
                                            : VICTIM_HOST,
                     p->options.container, BYTES_NULL);
    json_close(out);
    ecs_write_host(out, p->options.host);
    sbuf_add_str(out, "}\n");
}
