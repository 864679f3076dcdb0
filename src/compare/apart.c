/* SPDX-License-Identifier: MIT */
/*
 * Who compares opens what users and containers own, and hashes and compares its bytes, but understands none of them.
 * It reports each half second that it goes on, so that a large file is not mistaken for a file system that hangs.
 */
#include "compare/apart.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "engine/flat.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SILENCE_MS 10000 /* of the one who compares */
#define TICK_NS (500 * NS_PER_MS)
#define MESSAGE_MAX (128 * 1024) /* a datagram: less than a socket's buffer */

enum apart_message { MESSAGE_ALIVE, MESSAGE_DIFFERENCE, MESSAGE_NOTICE, MESSAGE_END };

/* ---- who compares ---- */

struct comparing {
    int socket;
    uint64_t said_ns;
};

/* Ends it also while it waits for a file system, where that can be ended. */
static void arm(unsigned ms)
{
    struct itimerval at = { .it_value = { ms / 1000, 0 } };

    (void)setitimer(ITIMER_REAL, &at, NULL);
}

static int say(struct comparing *c, const struct sbuf *message)
{
    ssize_t n;

    if (sbuf_error(message))
        return -ENOMEM;
    if (message->len > MESSAGE_MAX)
        return -ENAMETOOLONG;
    arm(0); /* who listens may take his time */
    do
        n = send(c->socket, message->data, message->len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    c->said_ns = clock_ns(CLOCK_MONOTONIC);
    arm(SILENCE_MS);
    return n < 0 ? -errno : 0;
}

static void on_alive(void *data)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;
    struct comparing *c = data;

    if (clock_ns(CLOCK_MONOTONIC) - c->said_ns < TICK_NS)
        return;
    flat_put_u64(&message, MESSAGE_ALIVE);
    (void)say(c, &message);
}

static void put_state(struct sbuf *out, const struct file_state *state)
{
    struct file_state s = *state;

    s.owner = s.group = BYTES_NULL; /* who asked finds the names */
    flat_put_bytes(out, (struct bytes){ (const char *)&s, sizeof(s) });
}

static int on_difference(void *data, struct difference *d)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;
    int r;

    flat_put_u64(&message, MESSAGE_DIFFERENCE);
    flat_put_u64(&message, d->kind);
    flat_put_u64(&message, d->changed_ns);
    flat_put_u64(&message, d->not_before_ns);
    flat_put_u64(&message, d->deleted_by);
    put_state(&message, &d->before);
    put_state(&message, &d->after);
    flat_put_bytes(&message, d->path);
    flat_put_bytes(&message, d->host_path);
    flat_put_bytes(&message, d->before_hash);
    flat_put_bytes(&message, d->after_hash);
    flat_put_bytes(&message, d->before_target);
    flat_put_bytes(&message, d->after_target);
    flat_put_bytes(&message, d->xattr);
    r = say(data, &message);
    difference_free(d);
    return r;
}

static void on_notice(void *data, const char *text)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;

    flat_put_u64(&message, MESSAGE_NOTICE);
    flat_put_bytes(&message, bytes_of(text));
    (void)say(data, &message);
}

static void say_end(struct comparing *c, int r, struct bytes path, const char *text)
{
    _cleanup_sbuf_ struct sbuf message = SBUF_INIT;

    flat_put_u64(&message, MESSAGE_END);
    flat_put_u64(&message, (uint64_t)-r);
    flat_put_bytes(&message, path);
    flat_put_bytes(&message, bytes_of(text));
    (void)say(c, &message);
}

static int take_question(struct bytes in, struct container_view *view, struct compare_options *options,
                         struct bytes *path)
{
    uint64_t times = 0, hashes = 0;
    int r = flat_get_container(&in, &view->container);

    if (r == 0)
        r = flat_get_view(&in, view);
    if (r == 0)
        r = flat_get_u64(&in, &times);
    if (r == 0)
        r = flat_get_u64(&in, &hashes);
    if (r == 0)
        r = flat_get_bytes(&in, path);
    options->times = times;
    options->hashes = hashes;
    return r;
}

static void serve(int socket)
{
    struct comparing c = { .socket = socket };
    struct compare_options options = { .data = &c, .each = on_difference, .notice = on_notice, .alive = on_alive };
    struct container_view view = { 0 };
    struct err err = ERR_INIT;
    struct bytes path = BYTES_NULL, real = BYTES_NULL;
    struct arena arena = { 0 };
    static char question[MESSAGE_MAX]; /* too large for a stack, and this process has one */
    ssize_t n = recv(socket, question, sizeof(question), 0);
    int r = n < 0 ? -errno : take_question((struct bytes){ question, (size_t)n }, &view, &options, &path);

    (void)signal(SIGALRM, SIG_DFL);
    arm(SILENCE_MS);
    if (r == 0)
        r = compare_image(&view, path, &options, &arena, &real, &err);
    say_end(&c, r, real, err.text);
}

/* ---- who asked ---- */

struct apart_asking {
    const struct compare_options *options;
    struct arena *arena;
    struct bytes *ret_path;
    struct err *err;
    bool ended;
};

static int take_state(struct bytes *in, struct file_state *ret)
{
    struct bytes raw = BYTES_NULL;

    if (flat_get_bytes(in, &raw) < 0 || raw.len != sizeof(*ret))
        return -EBADMSG;
    memcpy(ret, raw.data, sizeof(*ret));
    ret->owner = ret->group = BYTES_NULL;
    return 0;
}

static int take_text(struct bytes *in, struct arena *arena, struct bytes *ret)
{
    struct bytes text = BYTES_NULL;
    int r = flat_get_bytes(in, &text);

    *ret = r == 0 && text.len ? arena_copy(arena, text) : BYTES_NULL;
    return r;
}

static int take_difference(struct apart_asking *a, struct bytes in)
{
    struct difference *d = difference_new();
    uint64_t kind = 0, deleted_by = 0;
    struct bytes *texts[7];
    int r = d ? flat_get_u64(&in, &kind) : -ENOMEM;

    if (r == 0)
        r = flat_get_u64(&in, &d->changed_ns);
    if (r == 0)
        r = flat_get_u64(&in, &d->not_before_ns);
    if (r == 0)
        r = flat_get_u64(&in, &deleted_by);
    if (r == 0)
        r = kind < DIFFERENCE_COUNT && deleted_by <= DELETED_OPAQUE ? take_state(&in, &d->before) : -EBADMSG;
    if (r == 0)
        r = take_state(&in, &d->after);
    if (r == 0) {
        d->kind = (enum difference_kind)kind;
        d->deleted_by = (enum deleted_by)deleted_by;
        memcpy(texts, (struct bytes *[]){ &d->path, &d->host_path, &d->before_hash, &d->after_hash,
                                          &d->before_target, &d->after_target, &d->xattr }, sizeof(texts));
    }
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
        r = take_text(&in, &d->arena, texts[i]);
    if (r < 0) {
        difference_free(d);
        return r;
    }
    return a->options->each(a->options->data, d);
}

static int take_end(struct apart_asking *a, struct bytes in)
{
    struct bytes text = BYTES_NULL;
    uint64_t error = 0;
    int r = flat_get_u64(&in, &error);

    if (r == 0)
        r = take_text(&in, a->arena, a->ret_path);
    if (r == 0)
        r = flat_get_bytes(&in, &text);
    if (r < 0 || error > INT_MAX)
        return -EBADMSG;
    a->ended = true;
    if (text.len)
        return err_say(a->err, -(int)error, "%.*s", (int)text.len, text.data);
    return -(int)error;
}

static int take(struct apart_asking *a, struct bytes in)
{
    struct bytes text = BYTES_NULL;
    uint64_t kind = 0;
    char line[4096];

    if (flat_get_u64(&in, &kind) < 0)
        return -EBADMSG;
    switch (kind) {
    case MESSAGE_ALIVE:
        return 0;
    case MESSAGE_DIFFERENCE:
        return take_difference(a, in);
    case MESSAGE_NOTICE:
        if (flat_get_bytes(&in, &text) < 0)
            return -EBADMSG;
        snprintf(line, sizeof(line), "%.*s", (int)text.len, text.data);
        a->options->notice(a->options->data, line);
        return 0;
    case MESSAGE_END:
        return take_end(a, in);
    default:
        return -EBADMSG;
    }
}

static int ask(int socket, const struct container_view *view, struct bytes path, const struct compare_options *options)
{
    _cleanup_sbuf_ struct sbuf question = SBUF_INIT;

    flat_put_container(&question, view->container);
    flat_put_view(&question, view);
    flat_put_u64(&question, options->times);
    flat_put_u64(&question, options->hashes);
    flat_put_bytes(&question, path);
    if (sbuf_error(&question))
        return -ENOMEM;
    if (question.len > MESSAGE_MAX)
        return -E2BIG;
    return send(socket, question.data, question.len, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int listen_to(struct apart_asking *a, int socket)
{
    _cleanup_free_ char *message = malloc(MESSAGE_MAX);
    int r = message ? 0 : -ENOMEM;

    while (r == 0 && !a->ended) {
        struct pollfd ready = { .fd = socket, .events = POLLIN };
        int n = poll(&ready, 1, SILENCE_MS);
        ssize_t len;

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            return err_say(a->err, -ETIMEDOUT, "the container's files could not be read: no answer in time (FUSE, NFS?)");
        len = n < 0 ? -1 : recv(socket, message, MESSAGE_MAX, 0);
        if (len < 0)
            return err_set(a->err, -errno, "comparing");
        if (len == 0)
            return err_say(a->err, -EBADMSG, "the container's files could not be read: who read them was ended");
        r = take(a, (struct bytes){ message, (size_t)len });
    }
    return r;
}

int compare_image_apart(const struct container_view *view, struct bytes path, const struct compare_options *options,
                        struct arena *arena, struct bytes *ret_path, struct err *err)
{
    struct apart_asking a = { .options = options, .arena = arena, .ret_path = ret_path, .err = err };
    _cleanup_close_ int socket = foreign_serve(serve);
    int r = socket < 0 ? socket : ask(socket, view, path, options);

    if (r < 0)
        return err_set(err, r, "comparing");
    return listen_to(&a, socket);
}
