/* SPDX-License-Identifier: MIT */
#include "daemon/guards.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/guard_starter.h"
#include "guard/holder.h"
#include "guard/state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"

#define AGAIN_NS (10 * NS_PER_S) /* what cannot be guarded may come */
#define SILENT "the process that starts guards does not answer; what it kept it may still guard"

struct wanted_guard {
    uint32_t id;
    struct sbuf target; /* as the configuration has it */
    struct sbuf words;  /* of `culprit guard`, each ended by a NUL */
    enum guard_condition condition;
    uint64_t again_ns;  /* CLOCK_MONOTONIC: GUARD_NOT_BEGUN */
    char text[512];
    char said[512];     /* the reason that was last said of why it is not */
    bool keep;
    bool asked_for;     /* by the configuration that is just read */
};

struct guards {
    struct guards_options options;
    int socket; /* -EBADF: its process has ended */
    struct wanted_guard all[GUARDS_MAX];
    size_t count;
    uint32_t next_id;
    bool unknown;    /* there may be some of an earlier daemon's */
    bool silent;     /* its process has not answered yet: nothing is ordered, and no other one is begun beside it */
    char path[PATH_MAX]; /* where a later daemon finds its process */
    char words[640]; /* of guards_words() */
};

/* ---- the configuration's words ---- */

static bool is_on(const struct config_block *w, unsigned key)
{
    const struct config_value *v = &w->values[key];
    bool on = false;

    return v->count && config_parse_switch(v->items[0], &on) == 0 && on;
}

static void add_word(struct sbuf *words, const char *option, struct bytes word)
{
    if (option)
        sbuf_add(words, option, strlen(option) + 1);
    if (!bytes_known(word))
        return;
    sbuf_add_bytes(words, word);
    sbuf_add_char(words, '\0');
}

/* Its own record would be a second one of the same; the daemon observes. */
static void write_words(const struct guards *g, const struct config_block *w, struct bytes target, struct sbuf *words)
{
    const struct config_value *method = &w->values[CONFIG_WATCH_GUARD_METHOD], *allow = &w->values[CONFIG_WATCH_ALLOW];

    add_word(words, "--no-store", BYTES_NULL);
    add_word(words, "--method", method->count ? method->items[0] : bytes_of("auto"));
    for (size_t i = 0; i < allow->count; i++)
        add_word(words, "--allow", allow->items[i]);
    if (g->options.control)
        add_word(words, "--control", bytes_of(g->options.control));
    add_word(words, "--", target);
}

static struct wanted_guard *find_same(struct guards *g, struct bytes words, bool keep)
{
    for (size_t i = 0; i < g->count; i++)
        if (bytes_equal(sbuf_bytes(&g->all[i].words), words) && g->all[i].keep == keep)
            return &g->all[i];
    return NULL;
}

/* ---- orders ---- */

static void fail(struct guards *g, struct wanted_guard *w)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    char what[32];

    if (strcmp(w->said, w->text) == 0)
        return; /* once */
    snprintf(w->said, sizeof(w->said), "%s", w->text);
    escape_terminal(&line, sbuf_bytes(&w->target));
    sbuf_addf(&line, w->condition == GUARD_OVER   ? " is not guarded any more: %s; reload to guard it again"
                     : w->condition == GUARD_LOST ? " is not guarded: who held it was killed (%s); it is begun anew"
                                                  : " is not guarded: %s", w->text);
    snprintf(what, sizeof(what), "guard-%u", w->id);
    g->options.failing(g->options.data, what, sbuf_str(&line));
}

static void not_begun(struct guards *g, struct wanted_guard *w, const char *why)
{
    w->condition = GUARD_NOT_BEGUN;
    w->again_ns = clock_ns(CLOCK_MONOTONIC) + AGAIN_NS;
    snprintf(w->text, sizeof(w->text), "%s", why);
    fail(g, w);
}

static void order(struct guards *g, struct wanted_guard *w, enum guard_order_kind kind)
{
    struct bytes words = kind == GUARD_ORDER_BEGIN ? sbuf_bytes(&w->words) : BYTES_NULL;
    int r = g->socket < 0 ? -EBADF : g->silent ? -EHOSTDOWN : guard_starter_order(g->socket, kind, w->id, w->keep, words);

    if (r < 0)
        not_begun(g, w, r == -EBADF   ? "the process that starts guards has ended; restart the daemon"
                        : r == -E2BIG ? "too many words of allow"
                        : g->silent   ? SILENT
                                      : "the process that starts guards does not answer");
    else if (kind == GUARD_ORDER_BEGIN)
        w->condition = GUARD_STARTING;
    if (r == 0 && !w->said[0]) /* nothing is set by one that is tried in vain again and again */
        g->options.flags(g->options.data, sbuf_bytes(&w->target));
}

static void wanted_done(struct wanted_guard *w)
{
    sbuf_done(&w->target);
    sbuf_done(&w->words);
}

static void add(struct guards *g, struct bytes target, bool keep, struct sbuf *words)
{
    struct wanted_guard *w = &g->all[g->count];

    if (g->count == GUARDS_MAX || sbuf_error(words) < 0) {
        log_warn(g->options.log, "more than %d targets with guard: what is beyond is not guarded", GUARDS_MAX);
        return;
    }
    *w = (struct wanted_guard){ .id = ++g->next_id, .asked_for = true, .keep = keep, .words = *words };
    *words = (struct sbuf)SBUF_INIT;
    sbuf_add_bytes(&w->target, target);
    g->count++;
    order(g, w, GUARD_ORDER_BEGIN);
}

static void ask_for(struct guards *g, const struct config_block *block)
{
    const struct config_value *targets = &block->values[CONFIG_WATCH_TARGETS];
    bool keep = is_on(block, CONFIG_WATCH_GUARD_KEEP);

    for (size_t i = 0; i < targets->count; i++) {
        _cleanup_sbuf_ struct sbuf words = SBUF_INIT;
        struct wanted_guard *same;

        write_words(g, block, targets->items[i], &words);
        same = find_same(g, sbuf_bytes(&words), keep);
        if (!same) {
            add(g, targets->items[i], keep, &words);
            continue;
        }
        same->asked_for = true;
        same->said[0] = '\0';
        if (same->condition == GUARD_OVER || same->condition == GUARD_NOT_BEGUN)
            order(g, same, GUARD_ORDER_BEGIN);
    }
}

static void end_others(struct guards *g)
{
    size_t kept = 0;

    for (size_t i = 0; i < g->count; i++) {
        if (g->all[i].asked_for) {
            g->all[kept++] = g->all[i];
            continue;
        }
        if (g->socket >= 0 && !g->silent)
            order(g, &g->all[i], GUARD_ORDER_END);
        wanted_done(&g->all[i]);
    }
    g->count = kept;
}

/* What the earlier daemon asked for, and this one does not. */
static void end_unknown(struct guards *g)
{
    if (g->unknown)
        g->options.flags(g->options.data, BYTES_NULL);
    if (g->unknown && !g->silent && g->socket >= 0)
        (void)guard_starter_order(g->socket, GUARD_ORDER_END_OTHERS, 0, false, BYTES_NULL);
    g->unknown &= g->silent;
}

/* One that an earlier daemon left is no child of ours. */
static void name_starter(const struct guards *g)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (g->unknown && g->socket >= 0 && getsockopt(g->socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0)
        g->options.own(g->options.data, peer.pid, true);
}

bool guards_configure(struct guards *g, const struct config *c, const struct log *log)
{
    bool later = false;

    if (g)
        name_starter(g);
    for (size_t i = 0; g && i < g->count; i++)
        g->all[i].asked_for = false;
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++) {
        const struct config_block *w = &c->blocks[CONFIG_WATCH].items[i];

        if (!is_on(w, CONFIG_WATCH_GUARD))
            continue;
        later |= !g;
        if (g)
            ask_for(g, w);
    }
    if (g) {
        end_others(g);
        end_unknown(g);
    }
    if (later)
        log_warn(log, "guard: there was none when the daemon started; it counts from its next start on");
    return later;
}

/* ---- reports ---- */

/* Who takes the flags away again may have no parent by then that says whose it is. */
static void name_holders(const struct guards *g, const struct wanted_guard *w)
{
    struct guard_holders holders;
    char target[PATH_MAX];

    snprintf(target, sizeof(target), "%.*s", (int)w->target.len, sbuf_bytes(&w->target).data);
    guard_holders_find(GUARD_STATE_DIRECTORY, target, NULL, &holders);
    for (size_t i = 0; i < holders.count; i++)
        g->options.own(g->options.data, holders.all[i].keeper, false);
}

/* It was not guarded for a while: each time that is said. */
static void lose(struct guards *g, struct wanted_guard *w)
{
    w->said[0] = '\0';
    fail(g, w);
}

static void hold(struct guards *g, struct wanted_guard *w, uint64_t away_ns)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    w->said[0] = '\0';
    name_holders(g, w);
    g->options.notice(g->options.data, w->text);
    if (!away_ns)
        return;
    escape_terminal(&line, sbuf_bytes(&w->target));
    sbuf_addf(&line, " was not guarded for %llu ms, because who held it was killed: what happened then was not refused",
              (unsigned long long)(away_ns / NS_PER_MS + 1));
    g->options.notice(g->options.data, sbuf_str(&line));
}

/* It goes on: now it gets to know what is asked for. */
static void end_silence(struct guards *g)
{
    g->silent = false;
    for (size_t i = 0; i < g->count; i++)
        if (g->all[i].condition == GUARD_NOT_BEGUN)
            order(g, &g->all[i], GUARD_ORDER_BEGIN);
    end_unknown(g);
}

static void take_report(struct guards *g, const struct guard_report *r)
{
    if (r->condition == GUARD_HELLO && g->silent)
        end_silence(g);
    for (size_t i = 0; i < g->count; i++) {
        struct wanted_guard *w = &g->all[i];

        if (w->id != r->id)
            continue;
        if (r->condition == GUARD_NOT_BEGUN) {
            not_begun(g, w, r->text);
            return;
        }
        g->options.flags(g->options.data, sbuf_bytes(&w->target));
        w->condition = (enum guard_condition)r->condition;
        snprintf(w->text, sizeof(w->text), "%s", r->text);
        if (w->condition == GUARD_LOST)
            lose(g, w);
        else if (w->condition == GUARD_OVER)
            fail(g, w);
        else
            hold(g, w, r->away_ns);
    }
}

static void lose_starter(struct guards *g)
{
    close(g->socket);
    g->socket = -EBADF;
    for (size_t i = 0; i < g->count; i++) {
        g->options.flags(g->options.data, sbuf_bytes(&g->all[i].target));
        g->all[i].condition = GUARD_OVER;
        snprintf(g->all[i].text, sizeof(g->all[i].text), "the process that starts guards has ended; restart the daemon");
        fail(g, &g->all[i]);
    }
}

void guards_read(struct guards *g)
{
    struct guard_report r;
    ssize_t n;

    if (g->socket < 0)
        return;
    while ((n = recv(g->socket, &r, sizeof(r), MSG_DONTWAIT)) == (ssize_t)sizeof(r)) {
        r.text[sizeof(r.text) - 1] = '\0';
        take_report(g, &r);
    }
    if (n >= 0 || (errno != EAGAIN && errno != EINTR))
        lose_starter(g);
}

void guards_idle(struct guards *g)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    for (size_t i = 0; i < g->count; i++)
        if (g->all[i].condition == GUARD_NOT_BEGUN && now >= g->all[i].again_ns && g->socket >= 0)
            order(g, &g->all[i], GUARD_ORDER_BEGIN);
}

const char *guards_words(const struct guards *g, struct bytes target)
{
    for (size_t i = 0; g && i < g->count; i++) {
        const struct wanted_guard *w = &g->all[i];
        char *words = ((struct guards *)(uintptr_t)g)->words;

        if (!bytes_equal(sbuf_bytes(&w->target), target))
            continue;
        if (w->condition == GUARD_IN_FORCE)
            return w->text;
        if (w->condition == GUARD_STARTING && !w->said[0])
            return "it is being guarded";
        snprintf(words, sizeof(g->words), "%s: %s%s", w->condition == GUARD_OVER ? "not guarded any more" : "not guarded",
                 w->condition == GUARD_LOST ? "begun anew, because who held it was killed: " : "", w->condition == GUARD_STARTING ? w->said : w->text);
        return words;
    }
    return NULL;
}

/* ---- its life ---- */

int guards_fd(const struct guards *g)
{
    return g->socket;
}

static bool is_mentioned(const struct config *c)
{
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        if (c->blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_GUARD].count)
            return true;
    return false;
}

/* The process that starts them: one of our own, or what a daemon that was killed has left. */
static int find_starter(struct guards *g, bool mentioned, struct err *err)
{
    int r = guard_starter_find(g->path, &g->socket, &g->silent);

    g->unknown = r == 0;
    if (r == -EAGAIN)
        return err_say(err, r, "the process that starts guards does not answer, and is not to be had");
    if (r == 0 || !mentioned)
        return 0;
    r = guard_starter_start(g->path, &g->socket, err);
    if (r == -EADDRNOTAVAIL) {
        log_warn(g->options.log, "%s: no guard is kept when the daemon is killed", err_text(err, r));
        r = guard_starter_start(NULL, &g->socket, err);
    }
    return r;
}

int guards_start(const struct guards_options *options, const struct config *c, struct guards **ret, struct err *err)
{
    bool mentioned = is_mentioned(c);
    struct guards *g = calloc(1, sizeof(*g));
    int r;

    *ret = NULL;
    if (!g)
        return err_set(err, -ENOMEM, "guards");
    g->options = *options;
    g->socket = -EBADF;
    snprintf(g->path, sizeof(g->path), "%s/guards", options->runtime_dir);
    r = find_starter(g, mentioned, err);
    if (r < 0 || g->socket < 0) {
        free(g);
        return r;
    }
    *ret = g;
    return 0;
}

void guards_end(struct guards *g)
{
    if (g && g->socket >= 0)
        (void)guard_starter_order(g->socket, GUARD_ORDER_END_ALL, 0, false, BYTES_NULL);
    if (g && !g->silent) /* else the next daemon finds it, and begins none beside it */
        (void)unlink(g->path);
    guards_free(g);
}

void guards_free(struct guards *g)
{
    if (!g)
        return;
    closep(&g->socket);
    for (size_t i = 0; i < g->count; i++)
        wanted_done(&g->all[i]);
    free(g);
}
