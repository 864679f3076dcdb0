/* SPDX-License-Identifier: MIT */
#include "engine/engine_ask.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/limits.h"
#include "util/sbuf.h"
#include "util/thread.h"

#define KEEP_NS (2 * NS_PER_S) /* a late answer, until it is asked for again */

enum state { STATE_IDLE, STATE_ASKED, STATE_ASKING, STATE_ANSWERED };

struct asked_question {
    enum ask_kind kind;
    char word[512];
    size_t word_len;
};

struct asker {
    const struct engine_ops *ops;
    void *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int event_fd;
    /* below: under the lock */
    enum state state;
    bool abandoned; /* whoever asked has gone on */
    bool end;
    bool outdated;  /* there was a notification about the container after the question was put */
    struct asked_question question;
    struct answer answer;
    struct asked_question late_question; /* of what came too late */
    struct answer late;
    uint64_t late_ns;              /* CLOCK_MONOTONIC: when it came; 0 = nothing is kept */
};

void answer_done(struct answer *a)
{
    for (size_t i = 0; i < a->count; i++)
        container_unref(a->list[i]);
    free(a->list);
    container_view_done(&a->view);
    arena_done(&a->arena);
    sbuf_done(&a->lines);
    *a = (struct answer){ 0 };
}

static int take_one(void *data, struct container *c)
{
    struct answer *a = data;

    if (a->count >= LIMIT_CONTAINERS)
        return -E2BIG;
    if ((a->count & (a->count + 1)) == 0 || !a->list) { /* room for a power of two */
        struct container **list = reallocarray(a->list, (a->count + 1) * 2, sizeof(struct container *));

        if (!list)
            return -ENOMEM;
        a->list = list;
    }
    a->list[a->count++] = container_ref(c);
    return 0;
}

static void put(struct asker *a, enum ask_kind kind, struct bytes word, struct answer *ret)
{
    switch (kind) {
    case ASK_PRESENT:
        ret->r = a->ops->present(a->engine, ret->text, sizeof(ret->text));
        break;
    case ASK_LIST:
        ret->r = a->ops->list(a->engine, take_one, ret, &ret->err);
        break;
    case ASK_VIEW:
        ret->r = a->ops->view(a->engine, word, &ret->view, &ret->err);
        break;
    case ASK_VOLUME:
        ret->r = a->ops->volume ? a->ops->volume(a->engine, word, &ret->arena, &ret->path, &ret->err)
                                : -ENOENT;
        break;
    case ASK_RECENT:
        ret->r = a->ops->recent ? a->ops->recent(a->engine, word, &ret->lines, &ret->err) : -ENOENT;
        break;
    }
}

static struct bytes word_of(const struct asked_question *q)
{
    return (struct bytes){ q->word, q->word_len };
}

/* ---- what came too late ---- */

static void drop_late(struct asker *a)
{
    answer_done(&a->late);
    a->late_ns = 0;
}

/* A failure is not kept: it may be another one by now. */
static void keep_late(struct asker *a, struct answer *answer)
{
    if (a->outdated || answer->r < 0) {
        answer_done(answer);
        return;
    }
    drop_late(a);
    a->late_question = a->question;
    a->late = *answer;
    a->late_ns = clock_ns(CLOCK_MONOTONIC);
}

static bool take_late(struct asker *a, enum ask_kind kind, struct bytes word, struct answer *ret)
{
    if (a->late_ns && clock_ns(CLOCK_MONOTONIC) - a->late_ns > KEEP_NS)
        drop_late(a);
    if (!a->late_ns || a->late_question.kind != kind || !bytes_equal(word_of(&a->late_question), word))
        return false;
    *ret = a->late;
    a->late = (struct answer){ 0 };
    a->late_ns = 0;
    return true;
}

/* A question about several containers, or by a name or a part of an id. */
static bool is_about(const struct asked_question *q, const struct container *c)
{
    struct bytes word = word_of(q);

    return !c || q->kind != ASK_VIEW || bytes_equal(word, c->name) || bytes_starts_with(c->id, word);
}

void asker_forget(struct asker *a, const struct container *c)
{
    pthread_mutex_lock(&a->lock);
    a->outdated |= is_about(&a->question, c);
    if (a->late_ns && is_about(&a->late_question, c))
        drop_late(a);
    pthread_mutex_unlock(&a->lock);
}

/* ---- the thread ---- */

static void *run(void *data)
{
    struct asker *a = data;

    pthread_mutex_lock(&a->lock);
    while (!a->end) {
        struct answer answer = { 0 };
        struct asked_question question;

        if (a->state != STATE_ASKED) {
            pthread_cond_wait(&a->changed, &a->lock);
            continue;
        }
        a->state = STATE_ASKING;
        a->outdated = false; /* what has changed until now is in the answer */
        question = a->question;
        pthread_mutex_unlock(&a->lock);
        put(a, question.kind, word_of(&question), &answer);
        pthread_mutex_lock(&a->lock);
        if (a->abandoned) {
            uint64_t one = 1;

            keep_late(a, &answer);
            a->state = STATE_IDLE;
            a->abandoned = false;
            (void)!write(a->event_fd, &one, sizeof(one));
        } else {
            a->answer = answer;
            a->state = STATE_ANSWERED;
        }
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

int asker_new(const struct engine_ops *ops, void *engine, struct asker **ret, struct err *err)
{
    struct asker *a = calloc(1, sizeof(*a));
    pthread_condattr_t attributes;
    int r;

    if (!a)
        return err_set(err, -ENOMEM, "%s", ops->name);
    a->ops = ops;
    a->engine = engine;
    pthread_mutex_init(&a->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&a->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    a->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = a->event_fd < 0 ? -errno : thread_start(&a->thread, run, a);
    if (r < 0) {
        if (a->event_fd >= 0)
            close(a->event_fd);
        free(a);
        return err_set(err, r, "%s", ops->name);
    }
    *ret = a;
    return 0;
}

void asker_free(struct asker *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->end = true;
    a->abandoned = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
    if (a->ops->interrupt)
        a->ops->interrupt(a->engine);
    pthread_join(a->thread, NULL);
    answer_done(&a->answer);
    answer_done(&a->late);
    close(a->event_fd);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* False: the time is over. */
static bool wait_for(struct asker *a, const struct timespec *until)
{
    return pthread_cond_timedwait(&a->changed, &a->lock, until) != ETIMEDOUT;
}

int asker_ask(struct asker *a, enum ask_kind kind, struct bytes word, unsigned timeout_ms,
              struct answer *ret)
{
    struct timespec until;
    int r = 0;

    *ret = (struct answer){ 0 };
    if (word.len > sizeof(a->question.word)) {
        ret->r = -ENOENT; /* no engine has names that long */
        return 0;
    }
    until = clock_after_ms(CLOCK_MONOTONIC, timeout_ms);
    pthread_mutex_lock(&a->lock);
    if (take_late(a, kind, word, ret)) {
        pthread_mutex_unlock(&a->lock);
        return 0;
    }
    while (a->state != STATE_IDLE && r == 0)
        r = wait_for(a, &until) ? 0 : -ETIMEDOUT;
    if (r == 0) {
        a->question.kind = kind;
        if (word.len)
            memcpy(a->question.word, word.data, word.len);
        a->question.word_len = word.len;
        a->outdated = false;
        a->state = STATE_ASKED;
        pthread_cond_broadcast(&a->changed);
        while (a->state != STATE_ANSWERED && r == 0)
            r = wait_for(a, &until) ? 0 : -ETIMEDOUT;
        if (a->state == STATE_ANSWERED) {
            r = 0;
            *ret = a->answer;
            a->answer = (struct answer){ 0 };
            a->state = STATE_IDLE;
        } else { /* also where our own thread has not begun with it, on a busy machine: it is answered too late */
            a->abandoned = true;
        }
    }
    pthread_mutex_unlock(&a->lock);
    return r;
}

int asker_fd(const struct asker *a)
{
    return a->event_fd;
}

bool asker_late(struct asker *a)
{
    uint64_t n;

    return read(a->event_fd, &n, sizeof(n)) == (ssize_t)sizeof(n);
}
