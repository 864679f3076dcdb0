/* SPDX-License-Identifier: MIT */
#include "clues/clues.h"

#include <errno.h>
#include <stdlib.h>

#include "clues/anew.h"
#include "clues/moment.h"
#include "clues/source.h"
#include "foreign/foreign.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SOURCES_MAX 48
#define AT_ONCE 4        /* questions that are asked at a time: the reader has room for eight */
#define ALL_MS 5000
#define QUIET_MS 1000    /* then it is said what is being looked at */

struct clues {
    struct arena arena;
    struct clues_options options;
    struct clue_question question;
    struct clue_fact *facts;
    size_t count, size;
    struct clue_report reports[SOURCES_MAX];
    unsigned counts[SOURCES_MAX];
    bool said[SOURCES_MAX]; /* that it is being looked at: several are at a time */
    uint64_t began_ms;
    bool stopped;
};

int clues_new(const struct clues_options *options, struct clues **ret, struct err *err)
{
    struct clues *c = calloc(1, sizeof(*c));
    uint64_t now = clock_ns(CLOCK_REALTIME), up = clock_ns(CLOCK_BOOTTIME);

    if (!c || clue_source_count > SOURCES_MAX) {
        free(c);
        return err_set(err, -ENOMEM, "clues");
    }
    c->options = *options;
    c->question = (struct clue_question){ .path = options->path, .host_path = options->host_path, .written = options->written,
                                          .now_ns = now, .boot_ns = now - MIN(now, up), .since_ns = options->since_ns,
                                          .patience = options->time_ns / (ALL_MS * NS_PER_MS),
                                          .until_ns = options->until_ns };
    if (options->view)
        c->question.anew_ns = anew_ns(options->view, options->path);
    *ret = c;
    return 0;
}

void clues_free(struct clues *c)
{
    if (!c)
        return;
    arena_done(&c->arena);
    free(c->facts);
    free(c);
}

const struct clue_question *clues_question(const struct clues *c)
{
    return &c->question;
}

const struct clue_fact *clues_facts(const struct clues *c, size_t *ret_count)
{
    *ret_count = c->count;
    return c->facts;
}

const struct clue_report *clues_report(const struct clues *c, unsigned source)
{
    return &c->reports[source];
}

bool clues_stopped(const struct clues *c)
{
    return c->stopped;
}

const struct clues_options *clues_options(const struct clues *c)
{
    return &c->options;
}

struct arena *clues_arena(struct clues *c)
{
    return &c->arena;
}

void clues_set_report(struct clues *c, unsigned source, enum clue_state state, struct bytes note)
{
    c->reports[source].state = state;
    if (note.len)
        c->reports[source].note = arena_copy(&c->arena, note);
}

int clues_add(struct clues *c, unsigned source, const struct clue_fact *f)
{
    struct clue_fact *to;

    if (c->counts[source] >= CLUE_FACTS_MAX) {
        c->reports[source].left_out++;
        return 0;
    }
    if (ARRAY_ROOM(c->facts, c->count, c->size, 64) < 0)
        return -ENOMEM;
    to = &c->facts[c->count];
    *to = *f;
    to->source = source;
    if (!to->to_ns)
        to->to_ns = to->from_ns;
    to->text = arena_copy(&c->arena, f->text);
    to->place = arena_copy(&c->arena, f->place);
    to->path = arena_copy(&c->arena, f->path);
    to->user = arena_copy(&c->arena, f->user);
    to->suspect = arena_copy(&c->arena, f->suspect);
    c->count++;
    c->counts[source]++;
    return 0;
}

int clues_take(struct clues *c, unsigned source, struct bytes answer)
{
    struct clue_report *report = &c->reports[source];
    struct clue_fact f;
    struct clue_span cover;
    int part;

    report->state = answer.len ? CLUE_STATE_READ : CLUE_STATE_ABSENT;
    while ((part = clue_take(&answer, &f, &cover)) > 0) {
        int r = 0;

        if (part == CLUE_PART_FACT)
            r = clues_add(c, source, &f);
        else if (part == CLUE_PART_COVER)
            report->cover = cover;
        else
            report->note = arena_copy(&c->arena, f.text);
        if (r < 0)
            return r;
    }
    if (part < 0)
        clues_set_report(c, source, CLUE_STATE_FAILED, bytes_of("its answer was damaged"));
    return 0;
}

/* ---- asking ---- */

struct asking {
    unsigned source;
    struct foreign_pending pending;
    struct sbuf request;
    uint64_t began_ms;
};

static void fail(struct clues *c, unsigned source, int r)
{
    struct err err = ERR_INIT;

    (void)foreign_say(clue_sources[source].job, r, &err);
    clues_set_report(c, source, CLUE_STATE_FAILED, bytes_of(err.text));
}

static uint64_t own_budget(const struct clues *c, const struct clue_source *s)
{
    return clue_patience(&c->question, s->budget_ms);
}

unsigned clues_time_left(const struct clues *c, unsigned usual_ms)
{
    uint64_t gone = clock_ms(CLOCK_MONOTONIC) - c->began_ms, all = clue_patience(&c->question, ALL_MS);

    if (gone >= all || (c->options.stop && *c->options.stop))
        return 1;
    return (unsigned)MIN(clue_patience(&c->question, usual_ms), all - gone);
}

/* Puts the question if it is new. 0: it goes on; 1: it is over; -errno */
static int look(struct clues *c, struct asking *a, unsigned wait_ms)
{
    const struct clue_source *s = &clue_sources[a->source];
    unsigned left = clues_time_left(c, s->budget_ms);
    struct bytes answer = BYTES_NULL;
    int r = foreign_wait(&a->pending, s->job, sbuf_bytes(&a->request), left, wait_ms, &answer);

    if (r == -EAGAIN && clock_ms(CLOCK_MONOTONIC) - a->began_ms > own_budget(c, s) + 200) {
        fail(c, a->source, -ETIMEDOUT);
        return 1;
    }
    if (r == -EAGAIN)
        return 0;
    if (r == -ENOENT)
        clues_set_report(c, a->source, CLUE_STATE_ABSENT, BYTES_NULL);
    else if (r < 0) /* ended by its own clock, or by another limit */
        fail(c, a->source, r == -EBADMSG && clock_ms(CLOCK_MONOTONIC) - a->began_ms >= left ? -ETIMEDOUT : r);
    else
        r = clues_take(c, a->source, answer);
    return r == -ENOMEM ? r : 1;
}

static void asking_done(struct asking *a)
{
    foreign_pending_done(&a->pending);
    sbuf_done(&a->request);
}

static int begin(struct clues *c, unsigned source, struct asking *a)
{
    struct clue_question q = c->question;
    _cleanup_sbuf_ struct sbuf extra = SBUF_INIT;

    /* the lines that may name scripts: views of what was found */
    if (clue_sources[source].stage == CLUE_STAGE_SCRIPTS)
        moment_commands(c->facts, c->count, &extra);
    if (clue_sources[source].stage == CLUE_STAGE_ACCESS)
        moment_users(c->facts, c->count, &extra);
    q.extra = sbuf_bytes(&extra);
    *a = (struct asking){ .source = source, .pending = FOREIGN_PENDING_NONE, .request = SBUF_INIT, .began_ms = clock_ms(CLOCK_MONOTONIC) };
    clue_question_put(&a->request, &q);
    return sbuf_error(&a->request);
}

static void say_progress(struct clues *c, unsigned source)
{
    if (!c->options.progress || c->said[source] || clock_ms(CLOCK_MONOTONIC) - c->began_ms <= QUIET_MS)
        return;
    c->said[source] = true;
    c->options.progress(c->options.data, clue_sources[source].reads);
}

static bool is_asked(const struct clues *c, const struct clue_source *s)
{
    if (c->options.removed.ns && s->stage <= CLUE_STAGE_TIME && !s->of_removed)
        return false; /* they look at a path, and there is none */
    return !s->only_if_asked || c->options.history;
}

static int ask_stage(struct clues *c, enum clue_stage stage, struct err *err)
{
    struct asking asked[AT_ONCE];
    unsigned next = 0, count = 0;
    int r = 0;

    while (r >= 0 && (next < clue_source_count || count)) {
        c->stopped |= c->options.stop && *c->options.stop;
        if (c->stopped)
            break;
        if (next < clue_source_count && count < AT_ONCE) {
            const struct clue_source *s = &clue_sources[next];

            if (s->stage == stage && is_asked(c, s) && s->ask) {
                say_progress(c, next);
                r = s->ask(c, next, err);
            } else if (s->stage == stage && is_asked(c, s)) {
                r = begin(c, next, &asked[count++]);
                /* it is put now: what comes next may be a question that is waited for */
                r = r < 0 ? r : look(c, &asked[count - 1], 0);
                if (r > 0)
                    asking_done(&asked[--count]);
            }
            next++;
            continue;
        }
        for (unsigned i = 0; i < count && r >= 0; i++) {
            r = look(c, &asked[i], 20);
            if (r == 0) {
                say_progress(c, asked[i].source);
                continue;
            }
            asking_done(&asked[i]);
            asked[i] = asked[--count];
            break;
        }
    }
    while (count)
        asking_done(&asked[--count]);
    return r < 0 ? err_set(err, r, "clues") : 0;
}

int clues_gather(struct clues *c, struct err *err)
{
    int r = 0;

    c->began_ms = clock_ms(CLOCK_MONOTONIC) - c->options.spent_ns / NS_PER_MS;
    for (enum clue_stage stage = 0; stage < CLUE_STAGE_COUNT && r == 0 && !c->stopped; stage++) {
        r = ask_stage(c, stage, err);
        if (r == 0 && stage <= CLUE_STAGE_TIME)
            moments_find(c->facts, c->count, &c->question);
    }
    return r;
}
