/* SPDX-License-Identifier: MIT */
/* The verdicts for programs: one ECS line each, event.kind "alert". */
#include "report/case.h"

#include <time.h>

#include "event/ecs.h"
#include "event/ecs_cause.h"
#include "event/operation.h"
#include "report/coverage.h"
#include "report/judge.h"
#include "report/names.h"
#include "report/phrase.h"
#include "report/sentence.h"
#include "report/tally.h"
#include "report/when.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/escape.h"

static void add_counts(struct sbuf *out, const struct tally *t)
{
    bool first = true;

    sbuf_addf(out, ",\"count\":%llu,\"reported\":%llu", (unsigned long long)(t->reported + tally_folded(t)),
              (unsigned long long)t->reported);
    if (!tally_folded(t))
        return;
    sbuf_add_str(out, ",\"folded\":{");
    for (size_t i = 0; i < FOLD_COUNT; i++)
        if (t->folded[i]) {
            sbuf_addf(out, "%s\"%s\":%llu", first ? "" : ",", fold_name((enum fold)i),
                      (unsigned long long)t->folded[i]);
            first = false;
        }
    sbuf_add_char(out, '}');
}

static void add_tally(struct sbuf *out, const struct tally *t)
{
    static const char *const variants[] = { [VARIANT_OWN] = "own-file",         [VARIANT_AWAY] = "moved-away",
                                            [VARIANT_EXCHANGE] = "exchange",    [VARIANT_ANEW] = "anew",
                                              [VARIANT_UNCHANGED] = "unchanged",
                                            [VARIANT_CARRIED] = "carried",      [VARIANT_BROUGHT] = "brought",
                                            [VARIANT_ARRIVED] = "arrived",
                                            [VARIANT_UNCERTAIN] = "uncertain" };

    sbuf_addf(out, "{\"action\":\"%s\",\"outcome\":\"%s\"", operation_info(t->operation)->name,
              t->error == 0 ? "success" : t->error > 0 ? "failure" : "unknown");
    if (t->error > 0 && errno_name(t->error))
        sbuf_addf(out, ",\"error\":\"%s\"", errno_name(t->error));
    if (t->variant != VARIANT_PLAIN)
        sbuf_addf(out, ",\"variant\":\"%s\"", variants[t->variant]);
    sbuf_addf(out, ",\"type\":\"%s\"", t->directory ? "dir" : "file");
    add_counts(out, t);
    if (!t->files_beyond)
        sbuf_addf(out, ",\"files\":%llu", (unsigned long long)t->files);
    if (t->bytes_known)
        sbuf_addf(out, ",\"bytes_written\":%llu", (unsigned long long)t->bytes);
    if (t->moved_first)
        sbuf_addf(out, ",\"moved_first\":%llu", (unsigned long long)t->moved_first);
    if (t->reported) {
        sbuf_add_str(out, ",\"first\":");
        ecs_write_time(out, t->first_ns);
        sbuf_add_str(out, ",\"last\":");
        ecs_write_time(out, t->last_ns);
    }
    sbuf_add_str(out, ",\"paths\":[");
    for (size_t i = 0; i < t->sample_count; i++) {
        if (i)
            sbuf_add_char(out, ',');
        escape_json(out, t->samples[i].path);
    }
    sbuf_add_str(out, "]}");
}

static void add_tools(struct sbuf *out, const struct culprit *s)
{
    sbuf_add_str(out, ",\"tools\":[");
    for (size_t i = 0; i < s->tool_count; i++) {
        sbuf_add_str(out, i ? ",{\"name\":" : "{\"name\":");
        escape_json(out, s->tools[i].name);
        sbuf_addf(out, ",\"processes\":%llu}", (unsigned long long)s->tools[i].processes);
    }
    sbuf_add_char(out, ']');
}

static void add_doubts(struct sbuf *out, const struct culprit *s)
{
    if (s->presumed)
        sbuf_addf(out, ",\"actor_presumed\":%llu", (unsigned long long)s->presumed);
    if (!s->note_count)
        return;
    sbuf_add_str(out, ",\"doubts\":[");
    for (size_t i = 0; i < s->note_count; i++) {
        sbuf_add_str(out, i ? ",{\"note\":" : "{\"note\":");
        escape_json(out, s->notes[i].text);
        sbuf_addf(out, ",\"count\":%llu}", (unsigned long long)s->notes[i].count);
    }
    sbuf_add_char(out, ']');
}

static void add_verdict(struct sbuf *out, const struct case_ *c, const struct culprit *s)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t deleted = 0;
    bool first = true;

    sbuf_add_str(out, ",\"verdict\":{\"actions\":[");
    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->reported && !tally_folded(t))
            continue;
        if (!first)
            sbuf_add_char(out, ',');
        first = false;
        add_tally(out, t);
        if (t->error == 0 && operation_removes(t->operation))
            deleted += t->reported;
    }
    sbuf_addf(out, "],\"deleted\":%llu,\"reported\":%llu,\"folded\":%llu,\"processes\":%llu,\"noise\":%s,\"own_command\":%s",
              (unsigned long long)deleted, (unsigned long long)culprit_reported(s), (unsigned long long)culprit_folded(s),
              (unsigned long long)s->processes, s->noise != NOISE_NONE ? "true" : "false", s->own_command ? "true" : "false");
    if (s->rhythm.occasions && !s->rhythm.unknown)
        sbuf_addf(out, ",\"runs\":%llu,\"occasions\":%llu", (unsigned long long)s->rhythm.run_count,
                  (unsigned long long)s->rhythm.occasions);
    add_tools(out, s);
    add_doubts(out, s);
    sbuf_add_str(out, ",\"first\":");
    ecs_write_time(out, s->first_ns);
    sbuf_add_str(out, ",\"last\":");
    ecs_write_time(out, s->last_ns);
    when_pattern(c, s, &pattern);
    if (pattern.len) {
        sbuf_add_str(out, ",\"pattern\":");
        escape_json(out, sbuf_bytes(&pattern));
    }
    sbuf_add_char(out, '}');
}

static uint64_t events_of(const struct culprit *s)
{
    return culprit_reported(s) + culprit_folded(s);
}

static bool is_noise(const struct culprit *s)
{
    return s->noise != NOISE_NONE && s->noise != NOISE_EMPTY;
}

/* Who is not accused: how many events, and why. */
static void add_noise(struct sbuf *out, const struct case_ *c)
{
    uint64_t changes = 0, refused = 0;
    bool first = true;

    for (const struct culprit *s = c->culprits; s; s = s->next)
        for (const struct tally *t = is_noise(s) ? s->tallies : NULL; t; t = t->next)
            *(t->error > 0 ? &refused : &changes) += t->reported + tally_folded(t);
    if (!changes && !refused)
        return;
    sbuf_addf(out, ",\"noise\":{\"changes\":%llu,\"refused\":%llu,\"by\":[", (unsigned long long)changes,
              (unsigned long long)refused);
    for (const struct culprit *s = c->culprits; s; s = s->next) {
        _cleanup_sbuf_ struct sbuf name = SBUF_INIT;
        bool comma;

        if (!is_noise(s))
            continue;
        name_subject(&name, &s->cause, &s->actor, false, &comma);
        sbuf_add_str(out, first ? "{\"name\":" : ",{\"name\":");
        escape_json(out, sbuf_bytes(&name));
        sbuf_addf(out, ",\"reason\":\"%s\",\"count\":%llu}", noise_name(s->noise), (unsigned long long)events_of(s));
        first = false;
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

static void write_culprit(struct sbuf *out, const struct case_ *c, const struct culprit *s)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;
    const struct tally *worst = s->tallies;

    case_sentence(c, s, &sentence);
    begin(&line, s->first_ns, "verdict");
    sbuf_add_str(&line, ",\"message\":");
    escape_json(&line, sbuf_bytes(&sentence));
    ecs_write_process(&line, &s->actor);
    ecs_write_user(&line, &s->actor, &s->cause.person);
    if (s->actor.process && s->actor.process->container)
        ecs_write_container(&line, s->actor.process->container);
    sbuf_add_str(&line, ",\"culprit\":{");
    ecs_write_cause(&line, &s->cause);
    ecs_write_actor_culprit(&line, &s->actor);
    if (worst)
        ecs_write_victim(&line, worst->victim_kind, worst->victim, worst->sharers);
    if (worst && worst->start_ns)
        sbuf_addf(&line, "%s\"since_start\":%.6f", line.data[line.len - 1] == '{' ? "" : ",",
                  (double)(int64_t)(worst->first_ns - worst->start_ns) / 1e9);
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
                                           [EXPLANATION_REMOVED] = "removed",
                                           [EXPLANATION_ABSENT] = "absent" };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;

    if (c->explained_count && !case_is_explained(c, EXPLANATION_ABSENT))
        case_sentence_nobody(c, &sentence);
    else
        coverage_each_answer(c, add_sentence, &sentence);
    begin(&line, clock_ns(CLOCK_REALTIME), "no-culprit");
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
    for (const struct culprit *s = c->culprits; s; s = s->next)
        if (s->noise == NOISE_NONE) {
            write_culprit(out, c, s);
            somebody = true;
        }
    if (!somebody)
        write_nobody(out, c);
}
