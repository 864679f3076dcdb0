/* SPDX-License-Identifier: MIT */
#include "daemon/response.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/response_judge.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"

#define LIMIT_DEFAULT 3
#define IN_VAIN_MAX 3 /* so often it is said of one alert that nothing was done */
#define RECENT 64 /* processes that were acted on: not again for the same alert */

struct response_row {
    struct bytes name;       /* of the watch */
    struct bytes *targets;   /* as the configuration has them */
    size_t target_count;
    enum response_kind kind;
    struct sbuf words;       /* EXEC: each ended by a NUL */
    struct response_limit limit;
    bool said;               /* that it is disarmed */
};

struct response {
    struct response_options options;
    int socket; /* -EBADF: its process has ended */
    struct arena arena;
    struct response_row *rows;
    size_t count;
    uint32_t generation; /* of the rows: a report of earlier ones is of no limit */
    struct {
        char id[SINK_ID];
        pid_t pid;
        uint64_t start_ns;
    } recent[RECENT];
    unsigned next_recent;
    struct {
        char id[SINK_ID];
        unsigned said;
    } in_vain[RECENT]; /* alerts about which nothing was done */
    unsigned next_in_vain;
    struct response_order order; /* the one that is sent: too large for a stack */
};

/* ---- the configuration's words ---- */

static enum response_kind kind_of(const struct config_block *w)
{
    static const char *const words[] = { [RESPONSE_NONE] = "none", [RESPONSE_EXEC] = "exec", [RESPONSE_FREEZE] = "freeze", [RESPONSE_KILL] = "kill" };
    const struct config_value *v = &w->values[CONFIG_WATCH_ON_VERDICT];

    for (unsigned i = 0; v->count && i < ARRAY_SIZE(words); i++)
        if (bytes_equal_str(v->items[0], words[i]))
            return (enum response_kind)i;
    return RESPONSE_NONE;
}

static int fill(struct response_row *row, const struct config_block *w, enum response_kind kind, struct arena *arena)
{
    const struct config_value *targets = &w->values[CONFIG_WATCH_TARGETS], *limit = &w->values[CONFIG_WATCH_ON_VERDICT_LIMIT];
    const struct config_value *run = &w->values[CONFIG_WATCH_ON_VERDICT_RUN];
    uint64_t max = LIMIT_DEFAULT;

    if (limit->count)
        (void)parse_u64(limit->items[0], 10, &max); /* it was checked */
    row->kind = kind;
    row->limit.max = max;
    row->name = arena_copy(arena, w->name);
    row->targets = arena_alloc(arena, targets->count * sizeof(*row->targets));
    for (size_t i = 0; row->targets && i < targets->count; i++)
        row->targets[row->target_count++] = arena_copy(arena, targets->items[i]);
    for (size_t i = 0; i < run->count; i++) {
        sbuf_add_bytes(&row->words, run->items[i]);
        sbuf_add_char(&row->words, '\0');
    }
    return row->targets && sbuf_error(&row->words) == 0 ? 0 : -ENOMEM;
}

static void rows_done(struct response_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sbuf_done(&rows[i].words);
    free(rows);
}

int response_configure(struct response *r, const struct config *c, const struct log *log, bool *ret_later)
{
    const struct config_blocks *blocks = &c->blocks[CONFIG_WATCH];
    struct response_row *rows = calloc(blocks->count + 1, sizeof(*rows));
    struct arena arena = { 0 };
    size_t count = 0;
    int result = rows ? 0 : -ENOMEM;

    for (size_t i = 0; i < blocks->count && result == 0; i++) {
        enum response_kind kind = kind_of(&blocks->items[i]);

        if (kind != RESPONSE_NONE)
            result = fill(&rows[count++], &blocks->items[i], kind, &arena);
    }
    *ret_later = !r && count;
    if (*ret_later)
        log_warn(log, "on_verdict: there was none when the daemon started; it counts from its next start on");
    if (result < 0 || !r) {
        rows_done(rows, count);
        arena_done(&arena);
        return result;
    }
    rows_done(r->rows, r->count);
    arena_done(&r->arena);
    r->rows = rows;
    r->count = count;
    r->arena = arena;
    r->generation++;
    return 0;
}

static struct response_row *row_of(struct response *r, struct bytes watch)
{
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < r->rows[i].target_count; k++)
            if (bytes_equal(r->rows[i].targets[k], watch))
                return &r->rows[i];
    return NULL;
}

/* ---- orders ---- */

static void disarm(struct response *r, struct response_row *row)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char what[32];

    if (row->said)
        return;
    row->said = true;
    sbuf_add_str(&text, "on_verdict of watch ");
    escape_terminal(&text, row->name);
    sbuf_addf(&text, " is disarmed: it was to act more often within an hour than on_verdict_limit says (%zu); nothing more is done until the configuration is read again",
              row->limit.max);
    snprintf(what, sizeof(what), "response-%zu", (size_t)(row - r->rows));
    r->options.failing(r->options.data, what, sbuf_str(&text));
}

/* The number of the row, and of the configuration that it is of. */
static uint32_t number_of(const struct response *r, const struct response_row *row)
{
    return r->generation << 16 | (uint32_t)((row - r->rows) & 0xffff);
}

static bool send_order(struct response *r, struct response_row *row, struct response_order *o, size_t len)
{
    if (!response_limit_take(&row->limit, clock_ns(CLOCK_MONOTONIC))) {
        disarm(r, row);
        return false;
    }
    o->kind = row->kind;
    o->row = number_of(r, row);
    if (r->socket >= 0 && send(r->socket, o, offsetof(struct response_order, data) + len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return true;
    response_limit_give_back(&row->limit);
    r->options.acted(r->options.data, o->id, "nothing was done: the process that does it does not answer");
    return false;
}

/* Was it acted on for the same alert? It is from now on. */
static bool is_recent(struct response *r, const char *id, pid_t pid, uint64_t start_ns)
{
    for (unsigned i = 0; i < RECENT; i++)
        if (r->recent[i].pid == pid && r->recent[i].start_ns == start_ns && strcmp(r->recent[i].id, id) == 0)
            return true;
    r->recent[r->next_recent].pid = pid;
    r->recent[r->next_recent].start_ns = start_ns;
    snprintf(r->recent[r->next_recent].id, sizeof(r->recent[0].id), "%s", id);
    r->next_recent = (r->next_recent + 1) % RECENT;
    return false;
}

static void act_on(struct response *r, struct response_row *row, pid_t pid, uint64_t start_ns, const char *id)
{
    struct response_order *o = &r->order;

    if (pid <= 1 || !start_ns || row->limit.disarmed || is_recent(r, id, pid, start_ns))
        return;
    o->pid = pid;
    o->start_ns = start_ns;
    o->severity = 0;
    o->words = 0;
    snprintf(o->id, sizeof(o->id), "%s", id);
    (void)send_order(r, row, o, 0);
}

/* What several may have done, or what was concluded, is nobody's for this. */
static bool is_beyond_doubt(const struct event *e)
{
    return e->error == 0 && e->actor.pid > 1 && !e->actor_presumed && !e->elsewhere && !e->share && !event_note_is_doubt(e) &&
           !bytes_equal_str(e->note, EVENT_NOTE_ONE_OF);
}

/* The script that made the change by other programs is the culprit; they are gone in a moment. */
static const struct process *script_of(const struct event *e)
{
    const struct cause_run *run = &e->cause.run;

    return run->kind == RUN_SCRIPT && !run->claimed && !run->exited ? run->process : NULL;
}

void response_event(struct response *r, const struct event *e, const char *id)
{
    struct response_row *row = row_of(r, e->watch_text);
    const struct process *script, *actor = e->actor.process;
    uint64_t start_ns = e->actor.start_ns ? e->actor.start_ns : actor ? actor->start_ns : 0;

    if (!row || (row->kind != RESPONSE_KILL && row->kind != RESPONSE_FREEZE) || !is_beyond_doubt(e))
        return;
    script = script_of(e);
    if (script)
        act_on(r, row, script->pid, script->start_ns, id);
    else
        act_on(r, row, e->actor.pid, start_ns, id);
}

void response_alert(struct response *r, const struct alert *alert)
{
    struct response_row *row = alert->state == ALERT_BEGINS ? row_of(r, alert->watched) : NULL;
    struct response_order *o = &r->order;

    if (!row || row->kind != RESPONSE_EXEC || row->words.len + alert->line.len > sizeof(o->data))
        return;
    o->pid = 0;
    o->start_ns = 0;
    o->severity = alert->severity;
    o->words = (uint32_t)row->words.len;
    snprintf(o->id, sizeof(o->id), "%s", alert->id);
    memcpy(o->data, row->words.data, row->words.len);
    memcpy(o->data + row->words.len, alert->line.data, alert->line.len);
    (void)send_order(r, row, o, row->words.len + alert->line.len);
}

/* ---- reports ---- */

/* Whoever starts a thousand processes would fill the log with what was not done. */
static bool is_enough(struct response *r, const char *id)
{
    for (unsigned i = 0; i < RECENT; i++)
        if (r->in_vain[i].said && strcmp(r->in_vain[i].id, id) == 0)
            return r->in_vain[i].said++ >= IN_VAIN_MAX;
    r->in_vain[r->next_in_vain].said = 1;
    snprintf(r->in_vain[r->next_in_vain].id, sizeof(r->in_vain[0].id), "%s", id);
    r->next_in_vain = (r->next_in_vain + 1) % RECENT;
    return false;
}

void response_read(struct response *r)
{
    struct response_report p;
    ssize_t n;

    if (r->socket < 0)
        return;
    while ((n = recv(r->socket, &p, sizeof(p), MSG_DONTWAIT)) == (ssize_t)sizeof(p)) {
        p.text[sizeof(p.text) - 1] = p.id[sizeof(p.id) - 1] = '\0';
        for (size_t i = 0; i < r->count && !p.done; i++)
            if (p.row == number_of(r, &r->rows[i]))
                response_limit_give_back(&r->rows[i].limit);
        if (p.done || !is_enough(r, p.id))
            r->options.acted(r->options.data, p.id, p.text);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(r->socket);
    r->socket = -EBADF;
    r->options.failing(r->options.data, "response", "the process that acts on verdicts has ended: nothing is done any more; restart the daemon");
}

/* ---- its life ---- */

int response_fd(const struct response *r)
{
    return r->socket;
}

static bool is_mentioned(const struct config *c)
{
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        if (c->blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_ON_VERDICT].count)
            return true;
    return false;
}

int response_start(const struct response_options *options, const struct config *c, struct response **ret, struct err *err)
{
    struct response *r;
    bool later;
    int result;

    *ret = NULL;
    if (!is_mentioned(c))
        return 0;
    r = calloc(1, sizeof(*r));
    if (!r)
        return err_set(err, -ENOMEM, "on_verdict");
    r->options = *options;
    r->socket = -EBADF;
    result = response_configure(r, c, options->log, &later);
    if (result == 0)
        result = responder_start(&r->socket, err);
    if (result < 0) {
        response_free(r);
        return err_set(err, result, "on_verdict");
    }
    *ret = r;
    return 0;
}

void response_free(struct response *r)
{
    if (!r)
        return;
    closep(&r->socket);
    rows_done(r->rows, r->count);
    arena_done(&r->arena);
    free(r);
}
