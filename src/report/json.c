/* SPDX-License-Identifier: MIT */
/* The verdicts for programs: one ECS line each, event.kind "alert". */
#include "report/case.h"

#include <time.h>

#include "event/ecs.h"
#include "event/operation.h"
#include "report/coverage.h"
#include "util/err.h"
#include "util/escape.h"

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void add_tally(struct sbuf *out, const struct tally *t)
{
    sbuf_addf(out, "{\"action\":\"%s\",\"outcome\":\"%s\"", operation_info(t->operation)->name,
              t->error == 0 ? "success" : t->error > 0 ? "failure" : "unknown");
    if (t->error > 0 && errno_name(t->error))
        sbuf_addf(out, ",\"error\":\"%s\"", errno_name(t->error));
    sbuf_addf(out, ",\"count\":%llu", (unsigned long long)t->count);
    if (t->temporary)
        sbuf_addf(out, ",\"temporary\":%llu", (unsigned long long)t->temporary);
    if (t->moved_first)
        sbuf_addf(out, ",\"moved_first\":%llu", (unsigned long long)t->moved_first);
    sbuf_add_str(out, ",\"first\":");
    ecs_write_time(out, t->first_ns);
    sbuf_add_str(out, ",\"last\":");
    ecs_write_time(out, t->last_ns);
    sbuf_add_str(out, ",\"paths\":[");
    for (size_t i = 0; i < t->sample_count; i++) {
        if (i)
            sbuf_add_char(out, ',');
        escape_json(out, t->samples[i]);
    }
    sbuf_add_str(out, "]}");
}

static void add_verdict(struct sbuf *out, const struct case_ *c, const struct suspect *s)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t deleted = 0;
    bool first = true;

    sbuf_add_str(out, ",\"verdict\":{\"actions\":[");
    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!first)
            sbuf_add_char(out, ',');
        first = false;
        add_tally(out, t);
        if (t->error == 0 && operation_removes(t->operation))
            deleted += tally_net(t);
    }
    sbuf_addf(out, "],\"deleted\":%llu,\"processes\":%llu,\"noise\":%s,\"own_command\":%s,\"first\":",
              (unsigned long long)deleted, (unsigned long long)s->processes,
              s->noise ? "true" : "false", s->own_command ? "true" : "false");
    ecs_write_time(out, s->first_ns);
    sbuf_add_str(out, ",\"last\":");
    ecs_write_time(out, s->last_ns);
    case_pattern(c, s, &pattern);
    if (pattern.len) {
        sbuf_add_str(out, ",\"pattern\":");
        escape_json(out, sbuf_bytes(&pattern));
    }
    sbuf_add_char(out, '}');
}

static void add_noise(struct sbuf *out, const struct case_ *c)
{
    uint64_t changes = 0;
    bool first = true;

    for (const struct suspect *s = c->suspects; s; s = s->next)
        for (const struct tally *t = s->noise ? s->tallies : NULL; t; t = t->next)
            changes += t->error > 0 ? 0 : t->count;
    if (!changes)
        return;
    sbuf_addf(out, ",\"noise\":{\"changes\":%llu,\"by\":[", (unsigned long long)changes);
    for (const struct suspect *s = c->suspects; s; s = s->next) {
        if (!s->noise || !s->tallies)
            continue;
        if (!first)
            sbuf_add_char(out, ',');
        first = false;
        escape_json(out, case_actor_name(s));
    }
    sbuf_add_str(out, "]}");
}

static void add_command(struct sbuf *out, const struct case_ *c)
{
    if (!c->options.command.len)
        return;
    sbuf_add_str(out, ",\"command\":{\"line\":");
    escape_json(out, c->options.command);
    if (c->options.command_status >= 0)
        sbuf_addf(out, ",\"exit_code\":%d,\"seconds\":%.3f", c->options.command_status,
                  (double)c->options.command_ns / 1e9);
    sbuf_add_char(out, '}');
    if (c->own_status >= 0)
        sbuf_addf(out, ",\"exit_status\":%d", c->own_status);
}

static void begin(struct sbuf *line, uint64_t time_ns, const char *action)
{
    sbuf_add_str(line, "{\"@timestamp\":");
    ecs_write_time(line, time_ns);
    ecs_write_version(line);
    sbuf_addf(line,
              ",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"type\":[\"info\"],"
              "\"action\":\"%s\",\"module\":\"culprit\",\"dataset\":\"culprit.verdict\"}",
              action);
}

static void add_common(struct sbuf *line, const struct case_ *c)
{
    sbuf_add_str(line, ",\"watch\":");
    escape_json(line, c->options.target);
    coverage_write_json(c, line);
    add_command(line, c);
}

static void write_suspect(struct sbuf *out, const struct case_ *c, const struct suspect *s)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;
    const struct tally *worst = s->tallies;

    case_sentence(c, s, &sentence);
    begin(&line, s->first_ns, "verdict");
    sbuf_add_str(&line, ",\"message\":");
    escape_json(&line, sbuf_bytes(&sentence));
    ecs_write_process(&line, &s->actor);
    if (s->actor.process && s->actor.process->container)
        ecs_write_container(&line, s->actor.process->container);
    sbuf_add_str(&line, ",\"culprit\":{");
    ecs_write_actor_culprit(&line, &s->actor);
    if (worst)
        ecs_write_victim(&line, worst->victim_kind, worst->victim, worst->sharers);
    if (worst && worst->since_start_known)
        sbuf_addf(&line, "%s\"since_start\":%.6f", line.data[line.len - 1] == '{' ? "" : ",",
                  (double)worst->since_start_ns / 1e9);
    if (line.data[line.len - 1] == '{')
        sbuf_addf(&line, "\"origin\":\"unknown\"");
    add_verdict(&line, c, s);
    add_noise(&line, c);
    add_common(&line, c);
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}

static void add_sentence(void *data, struct bytes text)
{
    struct sbuf *out = data;

    sbuf_add_str(out, out->len ? "; " : "");
    sbuf_add_bytes(out, text);
}

static void write_nobody(struct sbuf *out, const struct case_ *c)
{
    static const char *const reasons[] = { [EXPLANATION_RECREATED] = "recreated",
                                           [EXPLANATION_HIDDEN] = "hidden",
                                           [EXPLANATION_TMPFS] = "tmpfs",
                                           [EXPLANATION_BEFORE] = "before",
                                           [EXPLANATION_REMOVED] = "removed" };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;

    if (c->explained_count)
        case_sentence_nobody(c, &sentence);
    else
        coverage_each_answer(c, add_sentence, &sentence);
    begin(&line, now_ns(), "no-culprit");
    sbuf_add_str(&line, ",\"message\":");
    escape_json(&line, sbuf_bytes(&sentence));
    sbuf_add_str(&line, ",\"culprit\":{\"explanation\":[");
    for (size_t i = 0; i < c->explained_count; i++)
        sbuf_addf(&line, "%s{\"reason\":\"%s\",\"files\":%llu}", i ? "," : "",
                  reasons[c->explained[i].kind], (unsigned long long)c->explained[i].files);
    sbuf_add_char(&line, ']');
    add_noise(&line, c);
    add_common(&line, c);
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}

void case_write_json(struct case_ *c, struct sbuf *out)
{
    bool somebody = false;

    case_judge(c);
    for (const struct suspect *s = c->suspects; s; s = s->next)
        if (!s->noise) {
            write_suspect(out, c, s);
            somebody = true;
        }
    if (!somebody)
        write_nobody(out, c);
}
