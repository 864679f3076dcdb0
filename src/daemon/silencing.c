/* SPDX-License-Identifier: MIT */
#include "daemon/silencing.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "attribution/host_names.h"
#include "control/call.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"
#include "util/write.h"
#include "watch/target.h"

#define FILE_MAX (1024 * 1024)
#define SAVE_NS (2 * NS_PER_S)

/* ---- on disk: a line of JSON each ---- */

static uint64_t all_events(const struct silencing *s)
{
    const struct silences *all = alerts_silences(s->alerts);
    uint64_t sum = 0;

    for (unsigned i = 0; i < all->count; i++)
        sum += all->rows[i].silence.events;
    return sum;
}

static int save(struct silencing *s, bool sync)
{
    const struct silences *all = alerts_silences(s->alerts);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    for (unsigned i = 0; i < all->count; i++) {
        _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

        alerts_write_silence(&all->rows[i].silence, &line);
        sbuf_add_bytes(&text, sbuf_bytes(&line));
        sbuf_add_char(&text, '\n');
        if (sbuf_error(&line) < 0)
            return -ENOMEM;
    }
    if (sbuf_error(&text) < 0)
        return -ENOMEM;
    s->saved_events = all_events(s);
    return write_replace(sbuf_str(&s->path), sbuf_bytes(&text), sync); /* a count that is a moment old is not worth a disk's time */
}

static void save_or_warn(struct silencing *s)
{
    int r = save(s, true);

    if (r < 0)
        log_warn(s->log, "%s: %s; what is silenced now is not known after the next start", sbuf_str(&s->path), strerror(-r));
}

static bool parse_moment(const json_t *of, const char *name, uint64_t *ret_ns)
{
    struct bytes text = control_text(of, name);

    return text.data && parse_time(text.data, clock_ns(CLOCK_REALTIME), ret_ns, NULL) == 0;
}

static int take_line(struct silencing *s, struct bytes line)
{
    json_t *json = json_loadb(line.data, line.len, 0, NULL);
    struct silence silence = { .number = (uint32_t)control_number(json, "number"),
                               .target = control_text(json, "target"),
                               .what = control_text(json, "what"),
                               .by = control_text(json, "by"),
                               .reason = control_text(json, "reason"),
                               .events = control_number(json, "events") };
    struct target target = { 0 };
    int r = silence.number && parse_moment(json, "since", &silence.from_ns) && parse_moment(json, "until", &silence.until_ns) ? 0 : -EBADMSG;

    if (r == 0 && silence.target.len) {
        r = target_parse(silence.target, bytes_of("/"), &target, NULL);
        silence.path = target.path;
    } else if (r == 0 && fingerprint_parse(control_text(json, "matter"), &silence.matter) < 0) {
        r = -EBADMSG;
    }
    if (r == 0)
        r = alerts_take_silence(s->alerts, &silence);
    target_done(&target);
    json_decref(json);
    return r;
}

int silencing_begin(struct silencing *s, struct alerts *alerts, struct bytes store_path, const struct log *log)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct bytes rest;
    int r;

    s->alerts = alerts;
    s->log = log;
    sbuf_add_bytes(&s->path, bytes_dirname(store_path));
    sbuf_add_str(&s->path, "/silences");
    if (sbuf_error(&s->path) < 0)
        return -ENOMEM;
    fd = open(s->path.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    r = fd < 0 ? -errno : sbuf_add_file(&text, fd, FILE_MAX);
    rest = sbuf_bytes(&text);
    while (r == 0 && rest.len)
        r = take_line(s, bytes_next_line(&rest));
    if (r < 0)
        log_warn(log, "%s: %s; what it silenced is an alert", s->path.data, strerror(-r));
    return 0;
}

void silencing_done(struct silencing *s)
{
    if (s->alerts && (alerts_silences(s->alerts)->count || access(sbuf_str(&s->path), F_OK) == 0))
        save_or_warn(s);
    sbuf_done(&s->path);
    s->alerts = NULL;
}

/* ---- who ---- */

static void add_user(const struct host_names *names, uint32_t id, struct sbuf *out)
{
    struct bytes name = names ? host_names_find(names, id, false) : BYTES_NULL;

    if (name.len)
        sbuf_add_bytes(out, name);
    else
        sbuf_addf(out, "uid %u", id);
}

void silencing_author(pid_t pid, uid_t uid, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_close_ int fd = -EBADF;
    struct host_names *names = NULL;
    char path[64];
    uint32_t login = UID_UNKNOWN;

    snprintf(path, sizeof(path), "/proc/%d/loginuid", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || sbuf_add_file(&text, fd, 64) < 0 || parse_u32(sbuf_bytes(&text), 10, &login) < 0)
        login = UID_UNKNOWN;
    if (host_names_new("/", &names, NULL) == 0)
        (void)host_names_look(names);
    if (login != UID_UNKNOWN && login != uid) {
        add_user(names, login, out);
        sbuf_add_str(out, " as ");
    }
    add_user(names, uid, out);
    host_names_free(names);
}

/* ---- what is asked for ---- */

static bool parse_id(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!bytes_is_digit(text.data[i]) && (text.data[i] < 'a' || text.data[i] > 'f'))
            return false;
    return text.len >= 8 && text.len <= 32;
}

static const char *wrong_parameter(const json_t *p, struct bytes target, struct bytes alert, uint64_t seconds, struct bytes reason)
{
    if (!control_is_text(p, "alert") || (alert.data && !parse_id(alert)))
        return "alert";
    if (!control_is_text(p, "target") || !target.len == !alert.len)
        return "target";
    if (!seconds || seconds > SILENCE_MAX_NS / NS_PER_S)
        return "seconds";
    return reason.len && reason.len <= SILENCE_TEXT_MAX ? NULL : "reason";
}

static int begin_silence(struct silencing *s, struct bytes target_text, struct bytes alert, struct silence *silence, const struct silence **ret,
                         struct err *err)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    struct target target = { 0 };
    int r;

    if (alert.len) {
        r = alerts_silence_alert(s->alerts, alert, silence, now, ret);
        return r == -ENOENT   ? err_say(err, r, "no alert with that id is open (culprit ctl status)")
               : r == -EEXIST ? err_say(err, r, "several alerts begin so: more of the id is needed")
               : r == -EPERM  ? err_say(err, r, "what culprit says of itself is not silenced")
               : r < 0        ? err_set(err, r, "silence")
                              : 0;
    }
    r = target_parse(target_text, bytes_of("/"), &target, err);
    if (r == 0 && target.selector.kind == SELECTOR_VOLUME)
        r = err_say(err, -EINVAL, "a volume is silenced by its path on the host");
    silence->target = target_text;
    silence->path = target.path;
    if (r == 0) {
        r = alerts_silence(s->alerts, silence, now, ret);
        if (r == -ENOSPC)
            (void)err_say(err, r, "%d silences are in force: end one of them", SILENCES_MAX);
        else if (r < 0)
            (void)err_set(err, r, "silence");
    }
    target_done(&target);
    return r;
}

int silencing_add(struct silencing *s, const json_t *parameters, pid_t pid, uid_t uid, const struct silence **ret, const char **ret_parameter,
                  struct err *err)
{
    struct bytes target = control_text(parameters, "target"), alert = control_text(parameters, "alert");
    struct bytes reason = control_text(parameters, "reason");
    uint64_t seconds = control_number(parameters, "seconds"), events;
    _cleanup_sbuf_ struct sbuf author = SBUF_INIT;
    struct silence silence = { .reason = reason, .from_ns = clock_ns(CLOCK_REALTIME) };
    int r;

    *ret_parameter = wrong_parameter(parameters, target, alert, seconds, reason);
    if (*ret_parameter)
        return -EINVAL;
    silencing_author(pid, uid, &author);
    if (sbuf_error(&author) < 0)
        return err_set(err, -ENOMEM, "silence");
    silence.by = sbuf_bytes(&author);
    silence.until_ns = silence.from_ns + seconds * NS_PER_S;
    r = begin_silence(s, target, alert, &silence, ret, err);
    if (r < 0)
        return r;
    r = save(s, true);
    if (r < 0) {
        (void)alerts_unsilence(s->alerts, (*ret)->number, clock_ns(CLOCK_MONOTONIC), &events);
        return err_set(err, r, "%s", sbuf_str(&s->path));
    }
    return 0;
}

int silencing_end(struct silencing *s, uint32_t number, uint64_t *ret_events, struct err *err)
{
    int r = alerts_unsilence(s->alerts, number, clock_ns(CLOCK_MONOTONIC), ret_events);

    return r < 0 ? err_say(err, r, "no silence %u is in force (culprit ctl status)", number) : 0;
}

void silencing_idle(struct silencing *s)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now < s->next_save_ns || !alerts_silences(s->alerts)->count)
        return;
    s->next_save_ns = now + SAVE_NS;
    if (all_events(s) != s->saved_events)
        (void)save(s, false);
}

void silencing_ended(struct silencing *s)
{
    save_or_warn(s);
}
