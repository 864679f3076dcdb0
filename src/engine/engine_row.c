/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "engine/engine_table.h"
#include "util/clock.h"
#include "util/macro.h"

#define SILENCE_NS (2 * NS_PER_S) /* how long an engine may be silent before the user is warned */
#define HANGS_NS (10 * NS_PER_S) /* an engine that hangs is left alone so long */

void engine_follow_fd(struct engines *e, int fd, uint32_t row)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = row };

    if (fd >= 0 && epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EEXIST)
        (void)epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

/* An engine that hangs costs its time-out and this line, once. A daemon that is starting a container may be
 * silent for longer than events are kept waiting: that alone is not worth a line. */
static void note_silence(struct engines *e, struct engine_slot *s, const char *why)
{
    if (s->silence_said || clock_ns(CLOCK_MONOTONIC) - s->silent_since_ns < SILENCE_NS)
        return;
    s->silence_said = true;
    log_warn(e->options.log, "%s; going on without it", why);
}

static void note_state(struct engines *e, struct engine_slot *s, uint64_t asked_ns, const char *why)
{
    if (asked_ns) {
        s->retry_ns = clock_ns(CLOCK_MONOTONIC) + HANGS_NS;
        if (!s->hangs)
            s->silent_since_ns = asked_ns;
        note_silence(e, s, why);
    } else if (s->silence_said) {
        s->silence_said = false;
        log_warn(e->options.log, "%s answers again", s->ops->name);
    }
    s->hangs = asked_ns != 0;
}

int engine_row_ask(struct engines *e, struct engine_slot *s, enum ask_kind kind, struct bytes word,
                          struct answer *ret, struct err *err)
{
    uint64_t asked_ns = clock_ns(CLOCK_MONOTONIC);
    char text[128];
    int r;

    *ret = (struct answer){ 0 };
    if (!s->ops->there(s->context))
        return err_say(err, -ENODEV, "not running");
    snprintf(text, sizeof(text), "%s does not answer", s->ops->name);
    if (s->hangs && asked_ns < s->retry_ns) {
        note_silence(e, s, text);
        return err_say(err, -ETIMEDOUT, "%s", text);
    }
    r = asker_ask(s->asker, kind, word, s->hangs ? MIN(e->patience_ms, 200u) : e->patience_ms, ret);
    if (r < 0 || ret->r == -ETIMEDOUT) {
        note_state(e, s, asked_ns, r == 0 ? err_text(&ret->err, -ETIMEDOUT) : text);
        err_say(err, -ETIMEDOUT, "%s", r == 0 ? err_text(&ret->err, -ETIMEDOUT) : text);
        answer_done(ret);
        return -ETIMEDOUT;
    }
    note_state(e, s, 0, NULL);
    if (ret->r < 0)
        err_say(err, ret->r, "%s", err_text(&ret->err, ret->r));
    return ret->r;
}

struct engine_listing {
    struct engines *e;
    unsigned row;
};

static void mark_inspected(struct known_container *k, bool inspected)
{
    if (k)
        k->inspected = inspected;
}

/* A record with more facts (first process, start) is not replaced by a line of a list, unless the
 * name has changed. */
static int remember_one(void *data, struct container *c)
{
    const struct engine_listing *l = data;
    unsigned group = l->e->slots[l->row].group;
    const struct known_container *k;

    if (!c->runtime.len)
        container_set(c, &c->runtime, bytes_of(l->e->slots[l->row].ops->name));
    k = known_find(l->e, group, c->id);
    if (!k || !bytes_equal(k->container->name, c->name) || c->pid) {
        known_remember(l->e, group, c);
        mark_inspected(known_find(l->e, group, c->id), false);
    }
    return 0;
}

int engine_row_list(struct engines *e, unsigned i, struct err *err)
{
    struct engine_slot *s = &e->slots[i];
    struct engine_listing listing = { e, i };
    struct answer answer;
    int r;

    if (!s->asker)
        return s->ops->list(s->context, remember_one, &listing, err);
    r = engine_row_ask(e, s, ASK_LIST, BYTES_NULL, &answer, err);
    for (size_t k = 0; k < answer.count; k++)
        (void)remember_one(&listing, answer.list[k]);
    answer_done(&answer);
    return r;
}

int engine_row_view(struct engines *e, unsigned i, struct bytes word, struct container_view *ret,
                           struct err *err)
{
    struct engine_slot *s = &e->slots[i];
    struct answer answer;
    int r;

    if (s->asker) {
        r = engine_row_ask(e, s, ASK_VIEW, word, &answer, err);
        if (r == 0) {
            *ret = answer.view;
            answer.view = (struct container_view){ 0 };
        }
        answer_done(&answer);
    } else {
        r = s->ops->view(s->context, word, ret, err);
    }
    if (r < 0)
        return r;
    if (!ret->container->runtime.len)
        container_set(ret->container, &ret->container->runtime, bytes_of(s->ops->name));
    known_remember(e, s->group, ret->container);
    mark_inspected(known_find(e, s->group, ret->container->id), true);
    return 0;
}

bool engine_row_is_silent(int r)
{
    return r < 0 && r != -ENOENT && r != -ENODEV;
}
