/* SPDX-License-Identifier: MIT */
#include "daemon/attached.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "attribution/agents.h"
#include "util/base64.h"
#include "control/client.h"
#include "control/reply.h"
#include "event/operation.h"
#include "report/coverage.h"
#include "store/receiver.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"

#define ANSWER_MS 10000               /* a change of what is watched may have to wait for the one before: 3 s */
#define TICK_MS 100
#define REPLIES_AT_ONCE 64
#define AGAIN_MS 200                  /* so often a daemon that has ended is looked for */
#define AGAIN_NS (20 * NS_PER_S)      /* and so long: an upgrade, a restart */
#define UNSENT_NS NS_PER_S            /* what was on its way when it ended is lost */
#define FINISH_NS (60 * NS_PER_S)
#define STILL_NS (2 * NS_PER_S)

struct attached {
    struct pipeline_options options;
    const char *socket;
    const struct attached_target *targets;
    size_t count;
    struct target *paths;          /* the same, taken apart */
    struct control_asker asker;
    struct receiver *receiver;
    struct agents *agents;
    struct case_ *case_;
    struct arena arena;
    struct bytes not_seen, sensors, store;
    unsigned sensor_bits;
    uint64_t since_ns, pid;
    uint64_t sequence;
    uint64_t away_ns;              /* CLOCK_REALTIME: the daemon is gone since; 0: it is there */
    uint64_t next_try_ns, give_up_ns; /* CLOCK_MONOTONIC */
    int fd;                        /* the caller's */
    void (*fd_ready)(void *data, int fd);
    void *fd_data;
    bool stop, ended;
    bool more;                     /* something is read that was not looked at yet */
};

/* ---- what comes ---- */

/* In our words: which target of ours it is, as the user wrote that. */
static void take_target(const struct attached *a, struct event *e)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!bytes_equal(e->watch_text, a->targets[i].text))
            continue;
        e->watch = (uint32_t)i;
        e->watch_text = a->targets[i].shown;
        event_carry(e, a->paths[i].path);
        return;
    }
}

static void on_event(void *data, struct event *e)
{
    struct attached *a = data;
    enum filter_result result;

    take_target(a, e);
    agents_name_products(a->agents, e);
    e->sequence = ++a->sequence;
    result = a->options.filter ? filter_event(a->options.filter, e) : FILTER_MATCHES;
    if (result == FILTER_MATCHES)
        (void)case_add_event(a->case_, e);
    else
        case_leave_out_event(a->case_, result, e);
    if (a->options.event && result == FILTER_MATCHES)
        a->options.event(a->options.data, e);
    event_free(e);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    struct attached *a = data;

    (void)case_add_life(a->case_, life);
    if (a->options.life)
        a->options.life(a->options.data, life);
}

static void on_gap(void *data, const struct gap *gap)
{
    struct attached *a = data;

    (void)case_add_gap(a->case_, gap);
    if (a->options.gap)
        a->options.gap(a->options.data, gap);
}

static void take_explanation(struct attached *a, const struct json_t *of)
{
    uint64_t kind = control_number(of, "kind");

    if (kind < EXPLANATION_RECREATED || kind > EXPLANATION_MOUNTED || (kind == EXPLANATION_ABSENT && case_events(a->case_)))
        return;
    (void)case_add_explanation(a->case_, (enum explanation)kind, control_number(of, "time"), control_number(of, "files"),
                               control_text(of, "detail"));
}

static int take_records(struct attached *a, struct bytes text, struct err *err)
{
    const struct receiver_sink sink = { a, on_event, on_life, on_gap };
    _cleanup_sbuf_ struct sbuf messages = SBUF_INIT;
    int r = base64_read(text, &messages);

    return r < 0 ? err_set(err, r, "the daemon's records") : receiver_take(a->receiver, sbuf_bytes(&messages), &sink, err);
}

static void take_notice(struct attached *a, struct bytes text)
{
    if (text.len && a->options.notice)
        a->options.notice(a->options.data, text.data); /* jansson's texts end in a NUL; the daemon has escaped it */
}

/* One reply, whatever is in it. */
static int take(struct attached *a, const struct control_reply *reply, struct err *err)
{
    struct bytes records = control_text(reply->parameters, "records");
    const struct json_t *explanation = control_object(reply->parameters, "explanation");
    int r = records.len ? take_records(a, records, err) : 0;

    if (explanation)
        take_explanation(a, explanation);
    take_notice(a, control_text(reply->parameters, "notice"));
    if (!reply->continues)
        a->ended = true;
    return r;
}

/* ---- the beginning ---- */

static int ask(struct attached *a, struct err *err)
{
    struct sbuf *out = control_asker_out(&a->asker);
    bool bad = false;

    control_call_begin(out, CONTROL_INTERFACE ".Watch", true);
    json_open(out, JSON_ARRAY("targets"));
    for (size_t i = 0; i < a->count; i++) {
        char letters[5];

        json_open_element(out);
        bad |= json_string(out, JSON_KEY("target"), a->targets[i].text);
        json_bytes(out, JSON_KEY("permissions"), bytes_of(permissions_text(a->targets[i].permissions, letters)));
        if (a->targets[i].key.len)
            bad |= json_string(out, JSON_KEY("key"), a->targets[i].key);
        json_close(out);
    }
    json_close_array(out);
    json_bool(out, JSON_KEY("records"), true);
    json_bytes(out, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    control_call_end(out);
    if (bad)
        return err_say(err, -EXDEV, "the daemon takes targets in UTF-8 only");
    return control_send(&a->asker, ANSWER_MS, err);
}

static int refusal(const struct control_reply *reply, struct err *err)
{
    struct bytes text = control_error_text(reply);
    int r = bytes_equal_str(reply->error, CONTROL_INTERFACE ".NotPermitted") ? -EPERM
            : bytes_equal_str(reply->error, CONTROL_INTERFACE ".Alone")      ? -EXDEV
                                                                              : -EIO;

    return err_say(err, r, "%.*s", (int)MIN(text.len, (size_t)300), text.data ? text.data : "");
}

static void take_ready(struct attached *a, const struct json_t *ready)
{
    a->sensors = arena_copy(&a->arena, control_text(ready, "sensors"));
    a->not_seen = arena_copy(&a->arena, control_text(ready, "not_seen"));
    a->store = arena_copy(&a->arena, control_text(ready, "store"));
    a->sensor_bits = (unsigned)control_number(ready, "sensor_bits");
    a->since_ns = control_number(ready, "since");
    a->pid = control_number(ready, "pid");
}

static int begin(struct attached *a, struct err *err)
{
    struct control_reply reply;
    int r = control_connect(a->socket, &a->asker, err);
    bool ready = false;

    receiver_free(a->receiver); /* its records are of one connection */
    a->receiver = receiver_new();
    if (r == 0 && !a->receiver)
        r = err_set(err, -ENOMEM, "the daemon's records");
    if (r == 0)
        r = ask(a, err);
    while (r == 0 && !ready) {
        const struct json_t *object;

        r = control_receive(&a->asker, ANSWER_MS, &reply, err);
        if (r < 0)
            break;
        object = control_object(reply.parameters, "ready");
        ready = object != NULL;
        if (bytes_known(reply.error))
            r = refusal(&reply, err);
        else if (ready)
            take_ready(a, object);
        else
            take_notice(a, control_text(reply.parameters, "notice"));
        control_reply_done(&reply);
    }
    if (r < 0)
        control_disconnect(&a->asker);
    return r;
}

static void begin_coverage(struct attached *a)
{
    const struct coverage coverage = {
        .sensors = a->sensor_bits,
        .from_ns = a->since_ns,
        .watch = a->options.case_options.target,
        .not_seen = a->not_seen,
        .host_id = a->options.host_id,
        .host_name = a->options.host_name,
        .narrowed = a->options.narrowed,
    };

    (void)case_add_coverage(a->case_, &coverage);
}

static int open_case(struct attached *a, struct err *err)
{
    int r = 0;

    a->options.case_options.store = bytes_equal_str(a->store, STORE_DEFAULT_PATH) ? BYTES_NULL : a->store;
    a->case_ = case_new(&a->options.case_options);
    a->paths = calloc(MAX(a->count, (size_t)1), sizeof(*a->paths));
    if (!a->case_ || !a->paths)
        return err_set(err, -ENOMEM, "case");
    for (size_t i = 0; r == 0 && i < a->count; i++)
        r = target_parse(a->targets[i].text, bytes_of("/"), &a->paths[i], err);
    if (r == 0) {
        (void)agents_parse(agents_builtin(), &a->agents, NULL);
        begin_coverage(a);
    }
    return r;
}

int attached_open(const struct pipeline_options *options, const char *socket, const struct attached_target *targets, size_t count,
                  struct attached **ret, struct err *err)
{
    struct attached *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return err_set(err, -ENOMEM, "the daemon");
    a->options = *options;
    a->socket = socket;
    a->targets = targets;
    a->count = count;
    a->asker = CONTROL_ASKER_INIT;
    a->fd = -EBADF;
    r = begin(a, err);
    if (r == 0)
        r = open_case(a, err);
    if (r < 0) {
        attached_close(a);
        return r;
    }
    *ret = a;
    return 0;
}

void attached_ready(const struct attached *a, struct sbuf *ret_text)
{
    unsigned lacks = coverage_lacks(a->not_seen);

    sbuf_add_char(ret_text, '(');
    sbuf_add_bytes(ret_text, a->sensors);
    if (lacks)
        sbuf_addf(ret_text, "; %u kind%s not seen: culprit doctor", lacks, lacks == 1 ? " of change is" : "s of change are");
    else
        sbuf_add_str(ret_text, "; sees every route");
    sbuf_addf(ret_text, "; by the daemon, pid %llu)", (unsigned long long)a->pid);
}

struct bytes attached_not_seen(const struct attached *a)
{
    return a->not_seen;
}

int attached_watch_fd(struct attached *a, int fd, void (*ready)(void *data, int fd), void *data)
{
    a->fd = fd;
    a->fd_ready = ready;
    a->fd_data = data;
    return 0;
}

/* ---- the loop ---- */

static void say_away(struct attached *a, uint64_t to_ns, const char *text)
{
    struct gap gap = { .reason = LOST_WATCH_WINDOW, .from_ns = a->away_ns - UNSENT_NS, .to_ns = to_ns };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    on_gap(a, &gap);
    a->away_ns = 0;
}

static void go_away(struct attached *a)
{
    control_disconnect(&a->asker);
    a->away_ns = clock_ns(CLOCK_REALTIME);
    a->next_try_ns = clock_ns(CLOCK_MONOTONIC);
    a->give_up_ns = a->next_try_ns + AGAIN_NS;
}

/* It is being restarted, or has ended for good. */
static void try_again(struct attached *a)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (now < a->next_try_ns)
        return;
    a->next_try_ns = now + AGAIN_MS * NS_PER_MS;
    if (begin(a, NULL) == 0) {
        say_away(a, a->since_ns, "the daemon was restarted: what was done meanwhile");
        case_end_coverage(a->case_, a->since_ns);
        begin_coverage(a);
    } else if (now > a->give_up_ns) {
        say_away(a, clock_ns(CLOCK_REALTIME), "the daemon has ended: nothing is seen any more");
        a->stop = a->ended = true;
    }
}

static void take_all(struct attached *a)
{
    struct control_reply reply;
    struct err err = ERR_INIT;
    int r = 0;

    a->more = false;
    for (unsigned i = 0; r == 0 && !a->ended; i++) {
        if (i == REPLIES_AT_ONCE) { /* signals want to be looked at too */
            a->more = true;
            return;
        }
        r = control_receive_now(&a->asker, &reply, &err);
        if (r < 0)
            break;
        r = take(a, &reply, &err);
        control_reply_done(&reply);
    }
    if (r == 0 || r == -EAGAIN)
        return;
    if (r != -ECONNRESET)
        log_warn(a->options.log, "%s; asking it again", err_text(&err, r));
    go_away(a);
}

static void wait_a_little(struct attached *a, int timeout_ms)
{
    struct pollfd fds[] = { { .fd = a->away_ns || a->ended ? -1 : a->asker.connection.fd, .events = POLLIN },
                            { .fd = a->fd, .events = POLLIN } };

    if (poll(fds, 2, a->more ? 0 : timeout_ms) > 0 && fds[1].revents)
        a->fd_ready(a->fd_data, a->fd);
}

int attached_run(struct attached *a, uint64_t until_ns, struct err *err)
{
    (void)err;
    a->stop = a->ended;
    while (!a->stop) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        int timeout = TICK_MS;

        if (until_ns && now >= until_ns)
            break;
        if (until_ns && until_ns - now < TICK_MS * NS_PER_MS)
            timeout = (int)((until_ns - now) / NS_PER_MS) + 1;
        wait_a_little(a, timeout);
        if (a->away_ns)
            try_again(a);
        else
            take_all(a);
        if (a->options.idle)
            a->options.idle(a->options.data);
    }
    return 0;
}

void attached_stop(struct attached *a)
{
    a->stop = true;
}

/* The daemon is asked for the rest by shutting down our side. */
void attached_finish(struct attached *a)
{
    uint64_t from_ns = clock_ns(CLOCK_MONOTONIC);
    bool said = false;

    if (a->away_ns)
        say_away(a, clock_ns(CLOCK_REALTIME), "the daemon has ended: nothing is seen any more");
    else if (!a->ended && shutdown(a->asker.connection.fd, SHUT_WR) < 0)
        go_away(a);
    while (!a->ended && !a->away_ns) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC);

        wait_a_little(a, TICK_MS);
        take_all(a);
        if (now > from_ns + STILL_NS && !said && a->options.notice)
            a->options.notice(a->options.data, "events are still being read");
        said |= now > from_ns + STILL_NS;
        if (now > from_ns + FINISH_NS)
            go_away(a);
        if (a->options.idle)
            a->options.idle(a->options.data);
    }
    if (a->away_ns)
        say_away(a, clock_ns(CLOCK_REALTIME), "the daemon has ended: what happened last is not known");
    if (a->options.idle)
        a->options.idle(a->options.data);
}

struct case_ *attached_case(struct attached *a)
{
    return a->case_;
}

void attached_close(struct attached *a)
{
    if (!a)
        return;
    control_disconnect(&a->asker);
    receiver_free(a->receiver);
    agents_free(a->agents);
    case_free(a->case_);
    for (size_t i = 0; i < a->count && a->paths; i++)
        target_done(&a->paths[i]);
    free(a->paths);
    arena_done(&a->arena);
    free(a);
}
