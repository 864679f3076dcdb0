/* SPDX-License-Identifier: MIT */
#include "cli/outlet.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/macro.h"

#define KEPT_MAX (4 * 1024 * 1024)
#define LOOK_MS 50       /* whoever reads takes something by then */
#define HURRY_MS 1000    /* without a byte read */

void outlet_init(struct outlet *o, int fd, int signal_fd, bool (*hurry)(void *data), void *data)
{
    struct stat st;

    *o = (struct outlet){ .fd = fd, .signal_fd = signal_fd, .hurry = hurry, .data = data, .piece = PIPE_BUF };
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        o->piece = KEPT_MAX;
}

static size_t left(const struct outlet *o)
{
    return o->text.len - o->at;
}

static void drop(struct outlet *o)
{
    o->dropped += left(o);
    sbuf_clear(&o->text);
    o->at = 0;
}

/* He is ready for it, or gone. */
static void write_piece(struct outlet *o)
{
    ssize_t n = write(o->fd, o->text.data + o->at, MIN(left(o), o->piece));

    if (n > 0) {
        o->at += (size_t)n;
    } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
        o->failed = true;
        drop(o);
    }
    if (!left(o)) {
        sbuf_clear(&o->text);
        o->at = 0;
    }
}

/* Until he takes something, in a hurry for a second. False: he does not. */
static bool wait_for_reader(struct outlet *o)
{
    bool hurry = o->hurry(o->data);

    while (!o->given_up) {
        struct pollfd fds[] = { { .fd = o->fd, .events = POLLOUT }, { .fd = hurry ? -1 : o->signal_fd, .events = POLLIN } };
        int n = poll(fds, 2, hurry ? HURRY_MS : -1);

        if (n < 0 && errno == EINTR)
            continue;
        o->given_up = n <= 0;
        if (n > 0 && fds[0].revents)
            return true;
        hurry = o->hurry(o->data);
    }
    return false;
}

static bool takes(struct outlet *o, int timeout_ms)
{
    struct pollfd fd = { .fd = o->fd, .events = POLLOUT };

    return poll(&fd, 1, timeout_ms) > 0;
}

static void compact(struct outlet *o)
{
    if (!o->at)
        return;
    memmove(o->text.data, o->text.data + o->at, left(o));
    sbuf_truncate(&o->text, left(o));
    o->at = 0;
}

void outlet_write(struct outlet *o, struct sbuf *text)
{
    bool reads = true;

    while (left(o) && left(o) + text->len > KEPT_MAX && reads) {
        reads = wait_for_reader(o);
        if (reads)
            write_piece(o);
    }
    compact(o);
    if (reads && !o->failed)
        sbuf_add_bytes(&o->text, sbuf_bytes(text));
    else
        o->dropped += text->len;
    if (sbuf_error(&o->text)) { /* no memory: what is buffered stays */
        o->text.error = 0;
        o->dropped += text->len;
    }
    sbuf_clear(text);
    while (left(o) && takes(o, o->stalled ? 0 : LOOK_MS)) {
        o->stalled = false;
        write_piece(o);
    }
    o->stalled = left(o) > 0;
}

bool outlet_finish(struct outlet *o)
{
    while (left(o)) {
        if (!wait_for_reader(o)) {
            drop(o);
            break;
        }
        write_piece(o);
    }
    return !o->dropped;
}

void outlet_done(struct outlet *o)
{
    sbuf_done(&o->text);
}
