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
#include "util/json_writer.h"

static void add_time(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    json_key(out, key);
    ecs_write_time(out, time_ns);
}

static void add_counts(struct sbuf *out, const struct tally *t)
{
    json_number(out, JSON_KEY("count"), t->reported + tally_folded(t));
    json_number(out, JSON_KEY("reported"), t->reported);
    if (!tally_folded(t))
        return;
    (void)json_open(out, JSON_OBJECT("folded"));
    for (size_t i = 0; i < FOLD_COUNT; i++)
        if (t->folded[i]) {
            json_key_of(out, fold_name((enum fold)i));
            sbuf_add_decimal(out, t->folded[i]);
        }
    json_close(out);
}

static void add_tally(struct sbuf *out, const struct tally *t)
{
    static const char *const variants[] = { [VARIANT_OWN] = "own-file",         [VARIANT_AWAY] = "moved-away",
                                            [VARIANT_KEPT] = "kept-aside",      [VARIANT_EXCHANGE] = "exchange",    [VARIANT_ANEW] = "anew",
                                            [VARIANT_UNCHANGED] = "unchanged",  [VARIANT_OVERWRITTEN] = "overwritten",
                                            [VARIANT_REOPENED] = "emptied-or-overwritten", [VARIANT_CUT] = "cut-or-overwritten",
                                            [VARIANT_CARRIED] = "carried",      [VARIANT_BROUGHT] = "brought",
                                            [VARIANT_ARRIVED] = "arrived",    [VARIANT_BACK] = "back",
                                            [VARIANT_AROUND] = "host-mount",   [VARIANT_BUNDLE] = "runtime-folder",
                                            [VARIANT_UNCERTAIN] = "uncertain" };

    json_open_element(out);
    json_string(out, JSON_KEY("action"), bytes_of(operation_info(t->operation)->name));
    json_string(out, JSON_KEY("outcome"), bytes_of(t->error == 0 ? "success" : t->error > 0 ? "failure" : "unknown"));
    if (t->error > 0)
        json_bytes(out, JSON_KEY("error"), bytes_of(errno_name(t->error)));
    if (t->variant != VARIANT_PLAIN)
        json_string(out, JSON_KEY("variant"), bytes_of(variants[t->variant]));
    json_string(out, JSON_KEY("type"), bytes_of(t->directory ? "dir" : "file"));
    add_counts(out, t);
    if (!t->files_beyond)
        json_number(out, JSON_KEY("files"), t->files);
    if (t->bytes_known)
        json_number(out, JSON_KEY("bytes_written"), t->bytes);
    if (t->moved_first)
        json_number(out, JSON_KEY("moved_first"), t->moved_first);
    if (t->reported) {
        add_time(out, JSON_KEY("first"), t->first_ns);
        add_time(out, JSON_KEY("last"), t->last_ns);
    }
    (void)json_open(out, JSON_ARRAY("paths"));
    for (size_t i = 0; i < t->sample_count; i++)
        json_element(out, t->samples[i].path);
    json_close_array(out);
    json_close(out);
}

static void add_tools(struct sbuf *out, const struct culprit *s)
{
    (void)json_open(out, JSON_ARRAY("tools"));
    for (size_t i = 0; i < s->tool_count; i++) {
        json_open_element(out);
        json_string(out, JSON_KEY("name"), s->tools[i].name);
        json_number(out, JSON_KEY("processes"), s->tools[i].processes);
        json_close(out);
    }
    json_close_array(out);
}

static void add_doubts(struct sbuf *out, const struct culprit *s)
{
    if (s->presumed)
        json_number(out, JSON_KEY("actor_presumed"), s->presumed);
    if (!s->note_count)
        return;
    (void)json_open(out, JSON_ARRAY("doubts"));
    for (size_t i = 0; i < s->note_count; i++) {
        json_open_element(out);
        json_string(out, JSON_KEY("note"), s->notes[i].text);
        json_number(out, JSON_KEY("count"), s->notes[i].count);
        json_close(out);
    }
    json_close_array(out);
}

static void add_verdict(struct sbuf *out, const struct case_ *c, const struct culprit *s)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t deleted = 0;

    (void)json_open(out, JSON_OBJECT("verdict"));
    (void)json_open(out, JSON_ARRAY("actions"));
    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->reported && !tally_folded(t))
            continue;
        add_tally(out, t);
        if (t->error == 0 && operation_removes(t->operation))
            deleted += t->reported;
    }
    json_close_array(out);
    json_number(out, JSON_KEY("deleted"), deleted);
    json_number(out, JSON_KEY("reported"), culprit_reported(s));
    json_number(out, JSON_KEY("folded"), culprit_folded(s));
    json_number(out, JSON_KEY("processes"), s->processes);
    json_bool(out, JSON_KEY("noise"), s->noise != NOISE_NONE);
    json_bool(out, JSON_KEY("own_command"), s->own_command);
    if (s->rhythm.occasions && !s->rhythm.unknown) {
        json_number(out, JSON_KEY("runs"), s->rhythm.run_count);
        json_number(out, JSON_KEY("occasions"), s->rhythm.occasions);
    }
    add_tools(out, s);
    add_doubts(out, s);
    add_time(out, JSON_KEY("first"), s->first_ns);
    add_time(out, JSON_KEY("last"), s->last_ns);
    when_pattern(c, s, &pattern);
    json_bytes(out, JSON_KEY("pattern"), sbuf_bytes(&pattern));
    json_close(out);
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

    for (const struct culprit *s = c->culprits; s; s = s->next)
        for (const struct tally *t = is_noise(s) ? s->tallies : NULL; t; t = t->next)
            *(t->error > 0 ? &refused : &changes) += t->reported + tally_folded(t);
    if (!changes && !refused)
        return;
    (void)json_open(out, JSON_OBJECT("noise"));
    json_number(out, JSON_KEY("changes"), changes);
    json_number(out, JSON_KEY("refused"), refused);
    (void)json_open(out, JSON_ARRAY("by"));
    for (const struct culprit *s = c->culprits; s; s = s->next) {
        _cleanup_sbuf_ struct sbuf name = SBUF_INIT;
        bool comma;

        if (!is_noise(s))
            continue;
        name_subject(&name, &s->cause, &s->actor, false, &comma);
        json_open_element(out);
        json_string(out, JSON_KEY("name"), sbuf_bytes(&name));
        json_string(out, JSON_KEY("reason"), bytes_of(noise_name(s->noise)));
        json_number(out, JSON_KEY("count"), events_of(s));
        json_close(out);
    }
    json_close_array(out);
    json_close(out);
}

static void add_command(struct sbuf *out, const struct case_ *c)
{
    if (!c->options.command.len)
        return;
    json_string(out, JSON_MEMBER("command", "line"), c->options.command);
    if (c->options.command_status >= 0) {
        json_number(out, JSON_KEY("exit_code"), (uint64_t)c->options.command_status);
        json_fraction(out, JSON_KEY("seconds"), (double)c->options.command_ns / 1e9, 3);
    }
    json_close(out);
    if (c->own_status >= 0)
        json_number(out, JSON_KEY("exit_status"), (uint64_t)c->own_status);
}

static void begin(struct sbuf *line, uint64_t time_ns, const char *action)
{
    sbuf_add_char(line, '{');
    add_time(line, JSON_KEY("@timestamp"), time_ns);
    ecs_write_version(line);
    json_key(line, JSON_LITERAL(",\"event\":{\"kind\":\"alert\",\"category\":[\"file\"],\"type\":[\"info\"]"));
    json_string(line, JSON_KEY("action"), bytes_of(action));
    json_key(line, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.verdict\"}"));
}

static void add_common(struct sbuf *line, const struct case_ *c)
{
    json_string(line, JSON_KEY("watch"), c->options.target);
    coverage_write_json(c, line);
    add_command(line, c);
}

static void write_culprit(struct sbuf *out, const struct case_ *c, const struct culprit *s, struct bytes more)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;
    const struct tally *worst = s->tallies;

    case_sentence(c, s, &sentence);
    sbuf_add_bytes(&sentence, more);
    begin(&line, s->first_ns, "verdict");
    json_string(&line, JSON_KEY("message"), sbuf_bytes(&sentence));
    ecs_write_process(&line, &s->actor);
    ecs_write_user(&line, &s->actor, &s->cause.person);
    if (s->actor.process && s->actor.process->container)
        ecs_write_container(&line, s->actor.process->container);
    (void)json_open(&line, JSON_OBJECT("culprit"));
    ecs_write_cause(&line, &s->cause);
    ecs_write_actor_culprit(&line, &s->actor);
    if (worst)
        ecs_write_victim(&line, worst->victim_kind, worst->victim, worst->sharers);
    if (worst && worst->start_ns)
        json_fraction(&line, JSON_KEY("since_start"), (double)(int64_t)(worst->first_ns - worst->start_ns) / 1e9, 6);
    if (json_is_first(&line))
        json_string(&line, JSON_KEY("origin"), bytes_of("unknown"));
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
                                           [EXPLANATION_ABSENT] = "absent",
                                           [EXPLANATION_MOUNTED] = "mounted" };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT, sentence = SBUF_INIT;

    if (c->explained_count && !case_is_explained(c, EXPLANATION_ABSENT))
        case_sentence_nobody(c, &sentence);
    else
        coverage_each_answer(c, add_sentence, &sentence);
    begin(&line, clock_ns(CLOCK_REALTIME), "no-culprit");
    json_string(&line, JSON_KEY("message"), sbuf_bytes(&sentence));
    (void)json_open(&line, JSON_OBJECT("culprit"));
    (void)json_open(&line, JSON_ARRAY("explanation"));
    for (size_t i = 0; i < c->explained_count; i++) {
        json_open_element(&line);
        json_string(&line, JSON_KEY("reason"), bytes_of(reasons[c->explained[i].kind]));
        json_number(&line, JSON_KEY("files"), c->explained[i].files);
        json_close(&line);
    }
    json_close_array(&line);
    add_noise(&line, c);
    add_common(&line, c);
    sbuf_add_str(&line, "}}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}

bool case_write_alert(struct case_ *c, struct bytes more, struct sbuf *ret_sentence, struct sbuf *out)
{
    case_judge(c);
    if (!c->culprits)
        return false;
    case_sentence(c, c->culprits, ret_sentence);
    sbuf_add_bytes(ret_sentence, more);
    write_culprit(out, c, c->culprits, more);
    return true;
}

void case_write_json(struct case_ *c, struct sbuf *out)
{
    bool somebody = false;

    case_judge(c);
    for (const struct culprit *s = c->culprits; s; s = s->next)
        if (s->noise == NOISE_NONE) {
            write_culprit(out, c, s, BYTES_NULL);
            somebody = true;
        }
    if (!somebody)
        write_nobody(out, c);
}
