/* SPDX-License-Identifier: MIT */
#include "copies/keeping.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "copies/keeping_held.h"
#include "copies/keeping_walk.h"
#include "copies/look.h"
#include "foreign/sandbox.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"

#define RETRY_MS 5000     /* after the disk was full */
#define SAY_MS 1000
#define REST_MS 30000
#define ASKS_A_TURN 512   /* changes that are taken before there is work */

/* ---- what is asked for ---- */

static void watch(struct copies_keeping *k, struct bytes path, size_t point_len)
{
    struct copies_root *root;

    if (point_len)
        roots_forget_ended(&k->roots);
    root = roots_set(&k->roots, path, true);
    k->begin = true;
    if (!k->folder_count)
        pack_new_round(k->pack);
    keeping_keep_path(k, path, false);
    keeping_push(k, path);
    if (!root)
        return;
    root->walked = true;
    root->point_len = point_len;
    k->roots.mounted |= point_len > 0;
}

/* Changes since then were missed; what is there now is kept from now on. */
static void catch_up(struct copies_keeping *k, uint64_t since_ns)
{
    k->catching_up = true;
    if (!k->report.error) {
        spans_are(k->spans, since_ns, -EOVERFLOW);
        keeping_note_state(k);
    }
    keeping_walk_all(k);
}

static uint64_t again_ms(const struct changed_file *c)
{
    return c->kept_ms + (c->large ? COPIES_LARGE_AGAIN_MS : COPIES_AGAIN_MS);
}

/* Roots are not all that is kept where nothing was chosen. */
static bool roots_decide(const struct copies_keeping *k)
{
    return !k->unasked && (k->chosen || k->roots.mounted);
}

static void on_changed(struct copies_keeping *k, uint64_t time_ns, struct bytes path)
{
    struct changed_file *c;

    if (roots_decide(k) && !roots_keep(&k->roots, path))
        return;
    c = changed_of(&k->changed, path, true);
    if (!c && !k->catching_up)
        catch_up(k, time_ns);
    if (c && !c->due_ms)
        c->due_ms = MAX(clock_ms(CLOCK_MONOTONIC), c->kept_ms ? again_ms(c) : 0);
}

static void on_gone(struct copies_keeping *k, uint64_t time_ns, struct bytes path)
{
    struct copy_record record = { .time_ns = time_ns, .flags = COPY_GONE };
    struct changed_file *c = changed_of(&k->changed, path, false);
    _cleanup_close_ int there = -EBADF;

    if (roots_decide(k) && !roots_keep(&k->roots, path) && !roots_below(&k->roots, path))
        return;
    if (c)
        c->due_ms = 0;
    keeping_note_busy(k, c, false);
    keeping_add(k, &record, path, BYTES_NULL, BYTES_NULL, NULL);
    keeping_held_gone(k, path);
    there = look_open(path);
    if (there >= 0) /* an exchange of names: another file has it */
        on_changed(k, time_ns, path);
}

static void on_ask(struct copies_keeping *k, const struct keeper_ask *ask, struct bytes path)
{
    switch (ask->word) {
    case KEEPER_WATCH:
        k->asked++;
        watch(k, path, 0);
        break;
    case KEEPER_WATCH_MOUNTED:
        k->asked++;
        watch(k, path, MIN((size_t)ask->point_len, path.len));
        break;
    case KEEPER_LEAVE:
        (void)roots_set(&k->roots, path, false);
        break;
    case KEEPER_FORGET:
        k->chosen = true;
        keeping_stop_walking(k);
        roots_forget(&k->roots);
        break;
    case KEEPER_ASKED:
        k->unasked = false;
        keeping_note_state(k);
        break;
    case KEEPER_AGE:
        k->age_ns = ask->time_ns;
        break;
    case KEEPER_CHANGED:
        on_changed(k, ask->time_ns, path);
        break;
    case KEEPER_GONE:
        on_gone(k, ask->time_ns, path);
        break;
    default:
        k->asked++;
        catch_up(k, ask->time_ns);
        break;
    }
}

/* False: whoever asked has ended. */
static bool take_asks(struct copies_keeping *k)
{
    static char message[sizeof(struct keeper_ask) + PATH_MAX]; /* too large for a stack; a process of its own, of one thread */

    for (unsigned i = 0; i < ASKS_A_TURN; i++) {
        ssize_t n = recv(k->socket, message, sizeof(message), MSG_DONTWAIT);
        struct keeper_ask ask;

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        if (n < (ssize_t)sizeof(ask))
            return false;
        memcpy(&ask, message, sizeof(ask));
        on_ask(k, &ask, (struct bytes){ message + sizeof(ask), (size_t)n - sizeof(ask) });
    }
    return true;
}

static void keep_one(struct copies_keeping *k, struct changed_file *c)
{
    struct bytes path = { c->path, c->len };

    c->due_ms = 0;
    if (roots_decide(k) && !roots_keep(&k->roots, path))
        return; /* what is to be kept has changed, or was not known when it came */
    c->kept_ms = clock_ms(CLOCK_MONOTONIC);
    keeping_keep_path(k, path, true);
}

/* Those that are due; at_end: all. Returns when the next one is, 0: none. */
static uint64_t keep_changed(struct copies_keeping *k, bool at_end)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC), next = 0;
    struct changed_file *c, *after;

    if (k->unasked)
        return 0;
    HASH_ITER(hh, k->changed, c, after) {
        if (c->due_ms && (at_end || c->due_ms <= now))
            keep_one(k, c);
        if (!c->due_ms && again_ms(c) <= now) {
            keeping_note_busy(k, c, false);
            HASH_DEL(k->changed, c);
            free(c);
        } else if (c->due_ms && (!next || c->due_ms < next)) {
            next = c->due_ms;
        }
    }
    return next;
}

static bool is_said(const struct copies_keeping *k)
{
    const struct copies_report *a = &k->report, *b = &k->announced;

    return a->walks == b->walks && a->error == b->error && (clock_ms(CLOCK_MONOTONIC) < k->said_ms + SAY_MS || memcmp(a, b, sizeof(*a)) == 0);
}

/* What changes now would not be kept either: nothing is, until there is room. */
static void take_ended(struct copies_keeping *k)
{
    int r = keeping_take_ended(k);

    if (r < 0 && !k->report.error)
        keeping_on_error(k, r);
}

static void announce(struct copies_keeping *k)
{
    take_ended(k);
    k->report.files = pack_count(k->pack);
    k->report.bytes = pack_disk_bytes(k->pack);
    keeping_note_state(k);
    if (is_said(k))
        return;
    if (send(k->socket, &k->report, sizeof(k->report), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(k->report))
        return;
    k->announced = k->report;
    k->said_ms = clock_ms(CLOCK_MONOTONIC);
}

static void retry(struct copies_keeping *k)
{
    int r;

    if (!k->retry_ms || clock_ms(CLOCK_MONOTONIC) < k->retry_ms)
        return;
    k->retry_ms = 0;
    if (k->report.error == -EFBIG) {
        k->measuring = true;
        k->measured = 0;
        keeping_walk_all(k);
        return;
    }
    r = pack_probe(k->pack);
    if (r < 0) {
        k->retry_ms = clock_ms(CLOCK_MONOTONIC) + RETRY_MS;
        return;
    }
    k->report.error = 0;
    keeping_note_state(k); /* what is copied now is not of that time */
    keeping_walk_all(k);
}

/* Nothing is kept for longer; half of it at least. */
static void age(struct copies_keeping *k)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), first = pack_first_ns(k->pack);
    int r;

    if (!k->age_ns || k->report.error || k->folder_count)
        return;
    pack_forget_old(k->pack, now > k->age_ns ? now - k->age_ns : 0);
    if (!first || now < first + k->age_ns / 2)
        return;
    r = keeping_turn(k);
    if (r < 0)
        keeping_on_error(k, r);
}

static int wait_ms(const struct copies_keeping *k, uint64_t next_ms)
{
    uint64_t now = clock_ms(CLOCK_MONOTONIC);

    if (k->folder_count)
        return 0;
    return next_ms ? (int)MIN(next_ms > now ? next_ms - now : 0, (uint64_t)SAY_MS) : k->report.error ? RETRY_MS : REST_MS;
}

/* What was still to be kept by one that was killed is not known: as if changes had been missed since then. */
static void open_spans(struct copies_keeping *k, const struct keeping_before *before)
{
    uint64_t now = clock_ns(CLOCK_REALTIME), since = before->killed ? MIN(before->lost_ns, now) - COPIES_AGAIN_MS * NS_PER_MS : now;

    (void)spans_open(pack_directory(k->pack), since, &k->spans);
    if (!before->killed)
        return;
    k->catching_up = true;
    spans_are(k->spans, since, -EPIPE);
}

_Noreturn void keeping_run(int socket, const char *directory, uint64_t limit, const struct keeping_before *before)
{
    static struct copies_keeping k; /* too large for a stack, and this process has one */
    uint64_t next = 0;

    child_begin(socket, "culprit-copies");
    k = (struct copies_keeping){ .socket = socket, .limit = limit, .content = malloc(COPIES_FILE_MAX + 1) };
    k.report.limit = limit;
    k.report.killed = before->killed;
    k.unasked = before->killed > 0;
    k.report.error = k.content ? pack_open(directory, limit, &k.pack, NULL) : -ENOMEM;
    if (!k.report.error)
        open_spans(&k, before);
    (void)sandbox_keep_capabilities(KEEPING_CAPABILITIES);
    (void)send(socket, &k.report, sizeof(k.report), MSG_NOSIGNAL);
    if (k.report.error)
        _exit(1);
    for (;;) {
        struct pollfd ready[] = { { .fd = socket, .events = POLLIN }, { .fd = k.held ? held_fd(k.held) : -1, .events = POLLIN } };

        (void)poll(ready, ARRAY_SIZE(ready), wait_ms(&k, next));
        if (!take_asks(&k))
            break;
        retry(&k);
        age(&k);
        next = keep_changed(&k, false);
        for (unsigned i = 0; i < 16 && k.folder_count; i++)
            keeping_walk_one(&k);
        announce(&k);
    }
    while (k.folder_count)
        keeping_walk_one(&k);
    (void)keep_changed(&k, true);
    held_finish(k.held);
    take_ended(&k);
    held_stop(k.held);
    keeping_note_state(&k);
    spans_close(k.spans, clock_ns(CLOCK_REALTIME));
    pack_close(k.pack);
    _exit(0);
}
