/* SPDX-License-Identifier: MIT */
#include "sensor/audit/session.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sensor/audit/newcomer.h"
#include "sensor/audit/overlap.h"
#include "sensor/audit/rules.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/proc_stat.h"
#include "util/sbuf.h"
#include "util/trusted.h"

#ifndef AUDIT_STATUS_LOST
#define AUDIT_STATUS_LOST 0x0040
#endif
#define BACKLOG 16384 /* records; 64, the kernel's default, is ten file operations */
#define STATE_FILE "audit"
#define OVERLAP_MS 2000 /* two sockets are read side by side */
#define NOBODY_MS 5000  /* so long the stream is left free: who was refused once tries again */
#define MARK_TYPE 1121 /* AUDIT_TRUSTED_APP: for programs' own use */

static int read_file(const char *path, char *text, size_t size)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!file_is_trusted(&st))
        return -EPERM;
    n = read(fd, text, size - 1);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    return (int)n;
}

/* ---- what was found, written down ---- */

static void boot_id(char ret[40])
{
    if (read_file("/proc/sys/kernel/random/boot_id", ret, 40) < 0)
        ret[0] = '\0';
}

/* The settings are as they were found; changed by somebody who is gone; by another culprit that runs. */
enum holder { HOLDER_NONE, HOLDER_GONE, HOLDER_OTHER };

static bool load_state(struct audit_session *s, enum holder *ret_holder)
{
    char path[512], text[256], boot[40], stored[40];
    unsigned enabled, backlog, rate, changed;
    unsigned long long blind, start = 0;
    int r, by = 0;

    *ret_holder = HOLDER_NONE;

    boot_id(boot);
    snprintf(path, sizeof(path), "%s/" STATE_FILE, s->state_dir);
    r = read_file(path, text, sizeof(text));
    if (r == -EPERM)
        log_warn(s->log, "%s belongs to somebody else, or others can change it: not read; remove it", path);
    if (r < 0 ||
        sscanf(text, "boot %39s enabled %u backlog %u rate %u held %u blind %llu by %d %llu", stored, &enabled,
               &backlog, &rate, &changed, &blind, &by, &start) < 6 ||
        strcmp(stored, boot) != 0)
        return false;
    if (changed) {
        s->original.enabled = enabled;
        s->original.backlog_limit = backlog;
        s->original.rate_limit = rate;
    }
    s->blind_before_ns = blind;
    if (changed) /* an older culprit did not say who */
        *ret_holder = by > 0 && by != getpid() && proc_stat_start_ticks("/proc", by) == start ? HOLDER_OTHER : HOLDER_GONE;
    return true;
}

/* changed: the settings are changed and have to be put back. */
static int save_state(const struct audit_session *s, bool changed)
{
    char path[512], temporary[520], text[320], boot[40];
    _cleanup_close_ int fd = -EBADF;
    int n;

    boot_id(boot);
    if (mkdir(s->state_dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    snprintf(path, sizeof(path), "%s/" STATE_FILE, s->state_dir);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    n = snprintf(text, sizeof(text), "boot %s enabled %u backlog %u rate %u held %u blind %llu by %d %llu\n",
                 boot, s->original.enabled, s->original.backlog_limit, s->original.rate_limit, changed,
                 (unsigned long long)s->blind_before_ns, getpid(), (unsigned long long)proc_stat_start_ticks("/proc", getpid()));
    (void)unlink(temporary); /* of a culprit that was killed, or somebody else's */
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, text, (size_t)n) != n || rename(temporary, path) < 0)
        return -errno;
    return 0;
}

/* ---- who is blind to us ---- */

/* audit=1 or audit=on, the last one counts (audit_enable(), kernel/audit.c). */
bool audit_boot_option(struct bytes line)
{
    static const char option[] = "audit=";
    bool on = false;

    while (line.len) {
        size_t n = 0;
        struct bytes value;

        while (n < line.len && !memchr(" \n\t", line.data[n], 3))
            n++;
        value = (struct bytes){ line.data + sizeof(option) - 1, n - (sizeof(option) - 1) };
        if (n >= sizeof(option) - 1 && memcmp(line.data, option, sizeof(option) - 1) == 0)
            on = bytes_equal_str(value, "1") || bytes_equal_str(value, "on");
        n += n < line.len;
        line = (struct bytes){ line.data + n, line.len - n };
    }
    return on;
}

static bool booted_with_audit(void)
{
    char text[4096];
    ssize_t n = read_file("/proc/cmdline", text, sizeof(text));

    return n > 0 && audit_boot_option((struct bytes){ text, (size_t)n });
}

/* When `pid` started. 0: unknown. */
static uint64_t process_start(uint32_t pid)
{
    char path[32];
    struct stat st;
    struct timespec real, boot;

    snprintf(path, sizeof(path), "/proc/%u", pid);
    if (pid == 0 || stat(path, &st) < 0)
        return 0;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (uint64_t)(st.st_ctim.tv_sec - real.tv_sec + boot.tv_sec) * NS_PER_S;
}

static void find_blind(struct audit_session *s, const struct audit_status *now, bool remembered)
{
    if (remembered) /* an earlier culprit enabled it, and knew when */
        return;
    if (booted_with_audit()) {
        s->blind_before_ns = 0;
    } else if (now->enabled == 0) {
        s->blind_before_ns = clock_ns(CLOCK_BOOTTIME);
    } else {
        s->blind_before_ns = process_start(now->pid);
        s->blind_unknown = s->blind_before_ns == 0;
    }
}

static void name_owner(struct audit_session *s, uint32_t pid)
{
    char path[32];

    s->owner_pid = pid;
    snprintf(path, sizeof(path), "/proc/%u/comm", pid);
    if (pid == 0 || read_file(path, s->owner_name, sizeof(s->owner_name)) < 0)
        s->owner_name[0] = '\0';
    for (char *c = s->owner_name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

/* The kernel names an owner that was killed until the next record cannot be sent to it. */
static int ask_status(const struct audit_session *s, struct audit_status *ret)
{
    int r = audit_netlink_status(s->fd, ret);

    if (r == 0 && ret->pid && proc_stat_start_ticks("/proc", (pid_t)ret->pid) == 0)
        ret->pid = 0;
    return r;
}

static int begin(struct audit_session *s, struct audit_status *ret, struct err *err)
{
    int r;

    s->fd = audit_netlink_open(err);
    if (s->fd < 0)
        return s->fd;
    r = ask_status(s, ret);
    if (r == -EPERM || r == -EACCES)
        return err_say(err, -EPERM, "audit needs root (CAP_AUDIT_CONTROL, CAP_AUDIT_READ) in the "
                                    "initial user and pid namespace");
    if (r == -ECONNREFUSED)
        return err_say(err, r, "audit cannot be reached from this namespace: run culprit on the host");
    if (r < 0)
        return err_set(err, r, "asking the kernel's audit system");
    name_owner(s, ret->pid);
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
        find_blind(&s, &status, load_state(&s, &holder));
        s.shared = holder == HOLDER_OTHER;
        s.owner = status.pid == 0 || status.pid == (uint32_t)getpid();
        s.original = status;
    }
    if (r == 0 && status.enabled == 2)
        r = err_say(err, -EPERM, "audit's rules are locked until the next boot (enabled 2)");
    if (s.fd >= 0)
        close(s.fd);
    s.fd = -EBADF;
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

static uint64_t now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / NS_PER_MS;
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

int audit_session_open(struct audit_session *s, const struct log *log, const char *state_dir, bool alone,
                       struct err *err)
{
    struct audit_status now;
    enum holder holder;
    bool remembered;
    int r;

    *s = (struct audit_session){ .log = log, .state_dir = state_dir, .fd = -EBADF, .poll_fd = -EBADF, .newcomer = -EBADF };
    r = begin(s, &now, err);
    if (r < 0)
        return r;
    if (now.enabled == 2)
        return err_say(err, -EPERM, "audit's rules are locked until the next boot (enabled 2)");
    s->original = now;
    remembered = load_state(s, &holder);
    s->shared = holder == HOLDER_OTHER;
    r = alone ? refuse_taken(s, err) : 0;
    if (r < 0)
        return r;
    r = audit_rules_remove_orphans(s->fd, &s->others);
    if (r > 0)
        log_warn(log, "a killed culprit had left %d audit rules: removed", r);
    find_blind(s, &now, remembered);
    r = take_place(s, alone, err);
    if (r == 0)
        r = open_poll(s, err);
    if (r < 0)
        return r;
    if (!s->owner && s->owner_pid)
        log_message(log, LOG_LEVEL_INFO, "audit belongs to %s (pid %u): reading beside it",
                    s->owner_name[0] ? s->owner_name : "another process", s->owner_pid);
    r = save_state(s, true);
    if (r < 0)
        log_warn(log, "%s/" STATE_FILE ": %s; if culprit is killed, audit's settings stay changed",
                 state_dir, strerror(-r));
    s->lost = now.lost;
    return change_settings(s, &now, err);
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
    s->overlap_until_ms = now_ms() + OVERLAP_MS;
    await(s, audit_stream_fd(stream));
}

static int give_up_stream(struct audit_session *s)
{
    struct audit_status status = { .mask = AUDIT_STATUS_PID };

    /* not by the stream's own socket: an answer would have to be looked for among records */
    return audit_netlink_request(s->fd, AUDIT_SET, &status, sizeof(status));
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
    s->nobody_since_ms = now_ms();
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
    if (now_ms() >= s->overlap_until_ms)
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
            name_owner(s, now->pid);
            log_message(s->log, LOG_LEVEL_INFO, "audit belongs to %s (pid %u) now: reading beside it",
                        s->owner_name[0] ? s->owner_name : "another process", s->owner_pid);
        }
        s->nobody_since_ms = 0;
        return;
    }
    if (!s->nobody_since_ms)
        s->nobody_since_ms = now_ms();
    if (now_ms() - s->nobody_since_ms < NOBODY_MS)
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
        name_owner(s, now.pid);
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
    struct audit_status now;
    enum holder holder;
    bool others = false;

    (void)audit_rules_remove_orphans(s->fd, &others);
    /* the last one puts it back: the state file says how it was. One that has no rules yet is in it. */
    if (others || (load_state(&last, &holder) && holder == HOLDER_OTHER))
        return;
    if (ask_status(s, &now) == 0)
        (void)put_back(s, &now);
    (void)save_state(s, false);
}

int audit_session_recover(const char *state_dir, const struct log *log, struct audit_left *ret)
{
    struct audit_session s = { .state_dir = state_dir, .log = log, .fd = -EBADF };
    struct audit_status now;
    enum holder holder;
    int r = begin(&s, &now, NULL);

    *ret = (struct audit_left){ 0 };
    if (r == 0 && now.enabled != 2) {
        r = audit_rules_remove_orphans(s.fd, &s.others);
        ret->rules = r > 0 ? (unsigned)r : 0;
        if (r >= 0 && load_state(&s, &holder) && holder == HOLDER_GONE && !s.others) {
            ret->settings = put_back(&s, &now);
            (void)save_state(&s, false);
        }
    }
    if (s.fd >= 0)
        close(s.fd);
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
}
