/* SPDX-License-Identifier: MIT */
#include "engine/engine_ask.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "util/limits.h"
#include "util/sbuf.h"

enum ask_state { STATE_IDLE, STATE_ASKED, STATE_ASKING, STATE_ANSWERED };

struct asker {
    const struct engine_ops *ops;
    void *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int event_fd;
    /* below: under the lock */
    enum ask_state state;
    bool abandoned; /* whoever asked has gone on */
    bool end;
    enum ask_kind kind;
    char word[512];
    size_t word_len;
    struct answer answer;
};

void answer_done(struct answer *a)
{
    for (size_t i = 0; i < a->count; i++)
        container_unref(a->list[i]);
    free(a->list);
    container_view_done(&a->view);
    arena_done(&a->arena);
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
    }
}

static void *run(void *data)
{
    struct asker *a = data;

    pthread_mutex_lock(&a->lock);
    while (!a->end) {
        struct answer answer = { 0 };
        struct bytes word;
        enum ask_kind kind;
        char text[sizeof(a->word)];

        if (a->state != STATE_ASKED) {
            pthread_cond_wait(&a->changed, &a->lock);
            continue;
        }
        a->state = STATE_ASKING;
        kind = a->kind;
        memcpy(text, a->word, a->word_len);
        word = (struct bytes){ text, a->word_len };
        pthread_mutex_unlock(&a->lock);
        put(a, kind, word, &answer);
        pthread_mutex_lock(&a->lock);
        if (a->abandoned) {
            uint64_t one = 1;

            answer_done(&answer);
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
    sigset_t all, old;
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
    r = a->event_fd < 0 ? errno : 0;
    if (r == 0) {
        sigfillset(&all); /* signals are the caller's */
        pthread_sigmask(SIG_SETMASK, &all, &old);
        r = pthread_create(&a->thread, NULL, run, a);
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    if (r) {
        if (a->event_fd >= 0)
            close(a->event_fd);
        free(a);
        return err_set(err, -r, "%s", ops->name);
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
    if (word.len > sizeof(a->word)) {
        ret->r = -ENOENT; /* no engine has names that long */
        return 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * (long)NS_PER_MS;
    if (until.tv_nsec >= (long)NS_PER_S) {
        until.tv_sec++;
        until.tv_nsec -= (long)NS_PER_S;
    }
    pthread_mutex_lock(&a->lock);
    while (a->state != STATE_IDLE && r == 0)
        r = wait_for(a, &until) ? 0 : -ETIMEDOUT;
    if (r == 0) {
        a->kind = kind;
        if (word.len)
            memcpy(a->word, word.data, word.len);
        a->word_len = word.len;
        a->state = STATE_ASKED;
        pthread_cond_broadcast(&a->changed);
        while (a->state != STATE_ANSWERED && r == 0)
            r = wait_for(a, &until) ? 0 : -ETIMEDOUT;
        if (a->state == STATE_ANSWERED) {
            r = 0;
            *ret = a->answer;
            a->answer = (struct answer){ 0 };
            a->state = STATE_IDLE;
        } else if (a->state == STATE_ASKED) { /* nobody has taken it up */
            a->state = STATE_IDLE;
        } else {
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
