/* SPDX-License-Identifier: MIT */
#include "sensor/audit/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "sensor/audit/courier.h"
#include "sensor/audit/newcomer.h"
#include "sensor/audit/overlap.h"
#include "sensor/audit/rules.h"
#include "sensor/audit/session_found.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/proc_stat.h"
#include "util/sbuf.h"

#ifndef AUDIT_STATUS_LOST
#define AUDIT_STATUS_LOST 0x0040
#endif
#define BACKLOG 16384 /* records; 64, the kernel's default, is ten file operations */
#define OVERLAP_MS 2000 /* two sockets are read side by side */
#define NOBODY_MS 5000  /* so long the stream is left free: who was refused once tries again */
#define MARK_TYPE 1121 /* AUDIT_TRUSTED_APP: for programs' own use */

/* The kernel names an owner that was killed until the next record cannot be sent to it. */
static int ask_status(const struct audit_session *s, struct audit_status *ret)
{
    int r = audit_netlink_status(s->fd, ret);

    if (r == 0 && ret->pid && proc_stat_is_gone((pid_t)ret->pid, 0))
        ret->pid = 0;
    /* an owner that is stopped lets the backlog fill; ours is read */
    if (r == 0)
        audit_netlink_set_patience(ret->pid && ret->pid != (uint32_t)getpid() ? AUDIT_NEVER_WAITS : AUDIT_ASKS_APART);
    return r;
}

static int begin(struct audit_session *s, struct audit_status *ret, struct err *err)
{
    int r;

    s->fd = audit_netlink_open(err);
    if (s->fd < 0)
        return s->fd;
    audit_netlink_set_patience(AUDIT_ASKS_APART);
    r = ask_status(s, ret);
    if (r == -EPERM || r == -EACCES)
        return err_say(err, -EPERM, "audit needs root (CAP_AUDIT_CONTROL, CAP_AUDIT_READ) in the "
                                    "initial user and pid namespace");
    if (r == -ECONNREFUSED)
        return err_say(err, r, "audit cannot be reached from this namespace: run culprit on the host");
    if (r < 0)
        return err_set(err, r, "asking the kernel's audit system");
    audit_session_name_owner(s, ret->pid);
    return 0;
}

bool audit_session_is_heard(struct bytes text)
{
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t n = end ? (size_t)(end - text.data) : text.len;
        unsigned protocol, groups;
        char line[128];

        snprintf(line, sizeof(line), "%.*s", (int)MIN(n, sizeof(line) - 1), text.data);
        if (sscanf(line, "%*s %u %*s %x", &protocol, &groups) == 2 && protocol == NETLINK_AUDIT && groups)
            return true;
        n += end != NULL;
        text = (struct bytes){ text.data + n, text.len - n };
    }
    return false;
}

#define SOCKETS_BYTES_MAX (4u << 20) /* some 40,000 sockets */

bool audit_session_is_heard_now(void)
{
    _cleanup_close_ int fd = open("/proc/net/netlink", O_RDONLY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    return fd >= 0 && sbuf_add_file(&text, fd, SOCKETS_BYTES_MAX) == 0 && audit_session_is_heard(sbuf_bytes(&text));
}

int audit_session_probe(const char *state_dir, struct audit_session *ret, struct err *err)
{
    struct audit_session s = { .state_dir = state_dir, .fd = -EBADF };
    struct audit_status status;
    enum holder holder;
    int r = begin(&s, &status, err);

    if (r == 0) {
        audit_session_find_blind(&s, &status, audit_session_load(&s, &holder));
        s.shared = holder == HOLDER_OTHER;
        s.owner = status.pid == 0 || status.pid == (uint32_t)getpid();
        s.original = status;
    }
    if (r == 0 && status.enabled == 2)
        r = err_say(err, -EPERM, "audit's rules are locked until the next boot (enabled 2)");
    if (s.fd >= 0)
        close(s.fd);
    s.fd = -EBADF;
    audit_courier_end();
    *ret = s;
    return r;
}

/* ---- settings ---- */

static int set_status(struct audit_session *s, uint32_t mask, uint32_t value)
{
    struct audit_status status = { .mask = mask };

    switch (mask) {
    case AUDIT_STATUS_ENABLED:
        status.enabled = value;
        break;
    case AUDIT_STATUS_BACKLOG_LIMIT:
        status.backlog_limit = value;
        break;
    case AUDIT_STATUS_RATE_LIMIT:
        status.rate_limit = value;
        break;
    default:
        return -EINVAL;
    }
    return audit_netlink_request(s->fd, AUDIT_SET, &status, sizeof(status));
}

static int change_settings(struct audit_session *s, const struct audit_status *now, struct err *err)
{
    int r = 0;

    if (s->owner && now->backlog_limit < BACKLOG)
        r = set_status(s, AUDIT_STATUS_BACKLOG_LIMIT, BACKLOG);
    if (r == 0 && s->owner && now->rate_limit != 0)
        r = set_status(s, AUDIT_STATUS_RATE_LIMIT, 0);
    if (r == 0 && now->enabled == 0)
        r = set_status(s, AUDIT_STATUS_ENABLED, 1);
    return r < 0 ? err_set(err, r, "enabling audit") : 0;
}

static int take_place(struct audit_session *s, bool alone, struct err *err)
{
    int r;

    if (s->owner_pid == 0) {
        r = audit_stream_open(false, &s->stream, err);
        if (r < 0)
            return r;
        r = audit_stream_own(s->stream, true);
        s->owner = r == 0;
        if (s->owner)
            return 0;
        audit_stream_close(TAKE_PTR(s->stream));
        if (r != -EEXIST && r != -EPERM && r != -EINVAL)
            return err_set(err, r, "asking for audit's stream");
        if (alone)
            return err_say(err, -EBUSY, "audit's stream was given to another program");
        /* somebody was faster, or our pid is not the kernel's (a pid namespace): listen beside */
    }
    return audit_stream_open(true, &s->stream, err);
}

static void await(const struct audit_session *s, int fd)
{
    (void)epoll_ctl(s->poll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN });
}

static int open_poll(struct audit_session *s, struct err *err)
{
    s->newcomer = audit_newcomer_open();
    s->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (s->poll_fd < 0)
        return err_set(err, -errno, "audit");
    await(s, audit_stream_fd(s->stream));
    if (s->newcomer >= 0)
        await(s, s->newcomer);
    return 0;
}

void audit_session_taken_by(const struct audit_session *s, char *ret, size_t size)
{
    if (s->owner_pid && s->owner_pid != (uint32_t)getpid())
        snprintf(ret, size, "%s (pid %u)", s->owner_name[0] ? s->owner_name : "another process", s->owner_pid);
    else
        snprintf(ret, size, "%s", s->shared ? "another culprit" : "");
}

static int refuse_taken(const struct audit_session *s, struct err *err)
{
    char whose[64];

    audit_session_taken_by(s, whose, sizeof(whose));
    return whose[0] ? err_say(err, -EBUSY, "audit belongs to %s, where every change would end up too", whose) : 0;
}

static int find_and_change(struct audit_session *s, bool alone, struct err *err)
{
    struct audit_status now;
    enum holder holder;
    bool remembered;
    int r;

    r = begin(s, &now, err);
    if (r < 0)
        return r;
    if (now.enabled == 2)
        return err_say(err, -EPERM, "audit's rules are locked until the next boot (enabled 2)");
    s->original = now;
    remembered = audit_session_load(s, &holder);
    s->shared = holder == HOLDER_OTHER;
    r = alone ? refuse_taken(s, err) : 0;
    if (r < 0)
        return r;
    r = audit_rules_remove_orphans(s->fd, &s->others);
    if (r > 0)
        log_warn(s->log, "a killed culprit had left %d audit rules: removed", r);
    audit_session_find_blind(s, &now, remembered);
    r = take_place(s, alone, err);
    if (r == 0)
        r = open_poll(s, err);
    if (r < 0)
        return r;
    if (!s->owner && s->owner_pid)
        log_message(s->log, LOG_LEVEL_INFO, "audit belongs to %s (pid %u): reading beside it",
                    s->owner_name[0] ? s->owner_name : "another process", s->owner_pid);
    r = audit_session_save(s, true);
    if (r < 0)
        log_warn(s->log, "%s/" AUDIT_STATE_FILE ": %s; if culprit is killed, audit's settings stay changed",
                 s->state_dir, strerror(-r));
    s->lost = now.lost;
    return change_settings(s, &now, err);
}

int audit_session_open(struct audit_session *s, const struct log *log, const char *state_dir, bool alone,
                       struct err *err)
{
    int lock = audit_session_lock(state_dir, true), r;

    *s = (struct audit_session){ .log = log, .state_dir = state_dir, .fd = -EBADF, .poll_fd = -EBADF, .newcomer = -EBADF };
    r = find_and_change(s, alone, err);
    audit_session_unlock(lock);
    return r;
}

/* ---- the stream ---- */

static void end_overlap(struct audit_session *s)
{
    audit_stream_close(TAKE_PTR(s->before));
    audit_overlap_free(TAKE_PTR(s->overlap));
}

/*
 * What the one before still gets is read too: the kernel's thread goes on sending to it until its queue is empty, and
 * what it sends to both it sends to the group first.
 */
static void go_on_with(struct audit_session *s, struct audit_stream *stream)
{
    if (!s->overlap)
        s->overlap = audit_overlap_new();
    audit_stream_close(s->before);
    s->before = s->stream;
    s->stream = stream;
    s->overlap_until_ms = clock_ms(CLOCK_MONOTONIC) + OVERLAP_MS;
    await(s, audit_stream_fd(stream));
}

static int give_up_stream(struct audit_session *s)
{
    struct audit_status status = { .mask = AUDIT_STATUS_PID };

    /* not by the stream's own socket: an answer would have to be looked for among records */
    return audit_netlink_request_itself(s->fd, AUDIT_SET, &status, sizeof(status));
}

int audit_session_yield(struct audit_session *s, struct err *err)
{
    struct audit_stream *stream = NULL;
    int r;

    if (!s->owner)
        return 0;
    r = audit_stream_open(true, &stream, err);
    if (r < 0)
        return r;
    (void)give_up_stream(s);
    s->owner = false;
    s->nobody_since_ms = clock_ms(CLOCK_MONOTONIC);
    go_on_with(s, stream);
    return 0;
}

static bool take_stream(struct audit_session *s)
{
    struct audit_stream *stream = NULL;

    if (audit_stream_open(false, &stream, NULL) < 0)
        return false;
    if (audit_stream_own(stream, true) < 0) {
        audit_stream_close(stream);
        return false;
    }
    s->owner = true;
    go_on_with(s, stream);
    return true;
}

struct receiving {
    struct audit_session *s;
    bool later;
    void (*each)(void *data, uint16_t type, const char *payload, size_t len);
    void *data;
};

static void receive_one(void *data, uint16_t type, const char *payload, size_t len)
{
    struct receiving *r = data;

    if (audit_overlap_is_new(r->s->overlap, r->later, type, (struct bytes){ payload, len }))
        r->each(r->data, type, payload, len);
}

int audit_session_receive(struct audit_session *s, unsigned max,
                          void (*each)(void *data, uint16_t type, const char *payload, size_t len), void *data)
{
    struct receiving before = { s, false, each, data }, now = { s, true, each, data };
    int r = -EAGAIN, n;

    if (!s->overlap)
        return audit_stream_receive(s->stream, max, each, data);
    if (s->before)
        r = audit_stream_receive(s->before, max, receive_one, &before);
    if (r != -EAGAIN) /* first all that came before */
        return r;
    n = audit_stream_receive(s->stream, max, receive_one, &now);
    if (clock_ms(CLOCK_MONOTONIC) >= s->overlap_until_ms)
        end_overlap(s);
    return n;
}

bool audit_session_is_awaited(struct audit_session *s)
{
    return audit_newcomer_seen(s->newcomer) && s->owner;
}

/* Without an owner the kernel writes each record to its log, and does not wait for who reads beside. */
static void look_at_owner(struct audit_session *s, const struct audit_status *now, struct audit_session_changes *ret)
{
    audit_newcomer_look(s->newcomer);
    if (s->owner || now->pid) {
        if (!s->owner && now->pid != s->owner_pid) {
            audit_session_name_owner(s, now->pid);
            log_message(s->log, LOG_LEVEL_INFO, "audit belongs to %s (pid %u) now: reading beside it",
                        s->owner_name[0] ? s->owner_name : "another process", s->owner_pid);
        }
        s->nobody_since_ms = 0;
        return;
    }
    if (!s->nobody_since_ms)
        s->nobody_since_ms = clock_ms(CLOCK_MONOTONIC);
    if (clock_ms(CLOCK_MONOTONIC) - s->nobody_since_ms < NOBODY_MS)
        return;
    ret->taken = take_stream(s);
    s->nobody_since_ms = 0;
    s->owner_pid = 0;
}

int audit_session_check(struct audit_session *s, struct audit_session_changes *ret, struct err *err)
{
    struct audit_status now;
    int r = ask_status(s, &now);

    *ret = (struct audit_session_changes){ 0 };
    if (r < 0)
        return err_set(err, r, "asking the kernel's audit system");
    /* the counter can be set to 0 by anybody who may (auditctl --reset-lost) */
    ret->lost = now.lost >= s->lost ? now.lost - s->lost : now.lost;
    s->lost = now.lost;
    if (now.enabled == 0 && set_status(s, AUDIT_STATUS_ENABLED, 1) == 0) {
        log_warn(s->log, "somebody has switched audit off; switched on again");
        ret->off = true;
    }
    if (s->owner && now.pid != (uint32_t)getpid()) {
        audit_session_name_owner(s, now.pid);
        r = audit_session_yield(s, err);
        ret->moved = r == 0;
    }
    look_at_owner(s, &now, ret);
    return r;
}

int audit_session_mark(struct audit_session *s, const char *text)
{
    return audit_netlink_request(s->fd, MARK_TYPE, text, strlen(text) + 1);
}

/* Each setting that is as we made it becomes what it was. Returns which were, AUDIT_STATUS_* */
static unsigned put_back(struct audit_session *s, const struct audit_status *now)
{
    const struct {
        uint32_t mask, value;
        bool changed;
    } rows[] = {
        { AUDIT_STATUS_ENABLED, 0, now->enabled == 1 && s->original.enabled == 0 && (now->pid == 0 || s->owner) },
        { AUDIT_STATUS_BACKLOG_LIMIT, s->original.backlog_limit,
          now->backlog_limit == BACKLOG && s->original.backlog_limit != BACKLOG },
        { AUDIT_STATUS_RATE_LIMIT, s->original.rate_limit, now->rate_limit == 0 && s->original.rate_limit != 0 },
    };
    unsigned done = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].changed && set_status(s, rows[i].mask, rows[i].value) == 0)
            done |= rows[i].mask;
    return done;
}

static void restore(struct audit_session *s)
{
    struct audit_session last = { .state_dir = s->state_dir };
    int lock = audit_session_lock(s->state_dir, false);
    struct audit_status now;
    enum holder holder;
    bool others = false;

    (void)audit_rules_remove_orphans(s->fd, &others);
    /* the last one puts it back: the state file says how it was. One that has no rules yet is in it. */
    if (!others && !(audit_session_load(&last, &holder) && holder == HOLDER_OTHER)) {
        if (ask_status(s, &now) == 0)
            (void)put_back(s, &now);
        (void)audit_session_save(s, false);
    }
    audit_session_unlock(lock);
}

int audit_session_recover(const char *state_dir, const struct log *log, struct audit_left *ret)
{
    struct audit_session s = { .state_dir = state_dir, .log = log, .fd = -EBADF };
    struct audit_status now;
    enum holder holder;
    int lock = audit_session_lock(state_dir, false), r = begin(&s, &now, NULL);

    *ret = (struct audit_left){ 0 };
    if (r == 0 && now.enabled != 2) {
        r = audit_rules_remove_orphans(s.fd, &s.others);
        ret->rules = r > 0 ? (unsigned)r : 0;
        if (r >= 0 && audit_session_load(&s, &holder) && holder == HOLDER_GONE && !s.others) {
            ret->settings = put_back(&s, &now);
            (void)audit_session_save(&s, false);
        }
    }
    audit_session_unlock(lock);
    if (s.fd >= 0)
        close(s.fd);
    audit_courier_end();
    return r < 0 ? r : 0;
}

void audit_session_close(struct audit_session *s)
{
    if (s->fd < 0)
        return;
    if (s->stream) {
        restore(s);
        if (s->owner)
            (void)give_up_stream(s);
    }
    end_overlap(s);
    audit_stream_close(TAKE_PTR(s->stream));
    if (s->newcomer >= 0)
        close(TAKE_FD(s->newcomer));
    if (s->poll_fd >= 0)
        close(TAKE_FD(s->poll_fd));
    close(TAKE_FD(s->fd));
    audit_courier_end();
}
