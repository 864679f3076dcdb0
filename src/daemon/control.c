/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/reply.h"
#include "daemon/control_alerts.h"
#include "daemon/control_answer.h"
#include "daemon/control_look.h"
#include "daemon/control_state.h"
#include "event/operation.h"
#include "util/clock.h"
#include "watch/change.h"

#define GROUP "culprit"
#define FLUSH_NS (20 * NS_PER_S) /* whoever asks for it is answered by then, whatever the store does */

/* ---- who may change ---- */

static void do_reload(struct control *c, struct control_client *client, const struct control_call *call)
{
    (void)call;
    if (control_answer_later(c, client, PENDING_RELOAD))
        c->options.reload(c->options.data);
}

static void do_flush(struct control *c, struct control_client *client, const struct control_call *call)
{
    (void)call;
    (void)control_answer_later(c, client, PENDING_FLUSH);
}

/* What is armed becomes what is asked for. -EBUSY: later. */
static int follow_transients(struct control *c, struct err *err)
{
    int r = c->ending ? err_say(err, -ECANCELED, "the daemon is ending") : arm_transients(c->options.arming, true, err);

    c->stale = r == -EBUSY;
    return r;
}

static void reply_users(struct control_client *client, unsigned users)
{
    json_number(control_answer_begin(client), JSON_KEY("users"), users);
    control_answer_end(client);
}

/* 0, or the call was answered. */
static int parse_target(struct control_client *client, const struct json_t *of, struct bytes *ret_text, unsigned *ret_permissions,
                        struct bytes *ret_key)
{
    struct bytes letters = control_text(of, "permissions");
    char unknown;

    *ret_text = control_text(of, "target");
    *ret_key = control_text(of, "key");
    *ret_permissions = PERMISSION_WRITE | PERMISSION_ATTR;
    if (!ret_text->len)
        control_answer_fail_parameter(client, "target");
    else if (!control_is_text(of, "key") || ret_key->len > LIMIT_NAME)
        control_answer_fail_parameter(client, "key");
    else if (!control_is_text(of, "permissions") ||
             (letters.data && permissions_parse(letters, ret_permissions, &unknown) < 0))
        control_answer_fail_parameter(client, "permissions");
    else
        return 0;
    return -EINVAL;
}

static void do_add(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct transients *list = &c->options.arming->transients;
    struct bytes text, key;
    struct err err = ERR_INIT;
    struct transient *t = NULL;
    struct waiting_call *p;
    unsigned permissions;
    int r;

    if (parse_target(client, call->parameters, &text, &permissions, &key) < 0)
        return;
    r = arming_answers(c->options.arming, text) ? 0 : err_say(&err, -ETIMEDOUT, "its file system does not answer");
    if (r == 0)
        r = transient_take(list, text, permissions, key, false, &t, &err);
    if (r == 0)
        r = follow_transients(c, &err);
    if (r == 0) {
        reply_users(client, t->added);
    } else if (r == -EBUSY && (p = control_answer_later(c, client, PENDING_CHANGE))) {
        p->added = t;
    } else if (r != -EBUSY) {
        if (t)
            (void)transient_leave(list, t, false);
        control_answer_fail(client, CONTROL_INTERFACE ".Failed", err_text(&err, r));
    }
}

/* Whoever added it and was not answered yet. */
static void end_added(struct control *c, const struct transient *t)
{
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->added != t)
            continue;
        control_answer_fail(p->client, CONTROL_INTERFACE ".Failed", "it was removed again");
        control_answer_forget(c, p);
    }
}

static void do_remove(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct transients *list = &c->options.arming->transients;
    struct bytes text = control_text(call->parameters, "target");
    struct transient *t = transient_find_added(list, text);
    unsigned left = t ? t->added - 1 : 0;
    struct err err = ERR_INIT;
    int r = 0;

    if (!text.len) {
        control_answer_fail_parameter(client, "target");
        return;
    }
    if (!t) {
        control_answer_fail(client, CONTROL_INTERFACE ".NotWatched", "nobody has added that target (culprit ctl watches)");
        return;
    }
    if (!left)
        end_added(c, t);
    if (transient_leave(list, t, false))
        r = follow_transients(c, &err);
    if (r == 0 || r == -EBUSY) /* it ends when the change before it is over */
        reply_users(client, left);
    else
        control_answer_fail(client, CONTROL_INTERFACE ".Failed", err_text(&err, r));
}

/* Without a second sensor: what is watched already is only looked at. */
static void do_watch(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct err err = ERR_INIT;
    bool arms;
    struct viewer *v = viewing_add(&c->viewing, client, call, &arms);
    int r = 0;

    if (!v)
        return;
    if (arms) {
        c->viewing.arming_for = v;
        r = follow_transients(c, &err);
        c->viewing.arming_for = NULL;
    }
    if (r == 0)
        viewing_ready(&c->viewing, v);
    else if (r != -EBUSY && viewing_fail(&c->viewing, v, CONTROL_INTERFACE ".Failed", err_text(&err, r)))
        c->stale = true;
}

static void do_ask(struct control *c, struct control_client *client, const struct control_call *call)
{
    answering_ask(&c->answering, client, call);
}

static const struct method {
    const char *name;
    bool changes; /* root only */
    void (*run)(struct control *c, struct control_client *client, const struct control_call *call);
} methods[] = {
    { CONTROL_SERVICE ".GetInfo", false, control_get_info },
    { CONTROL_SERVICE ".GetInterfaceDescription", false, control_get_interface },
    { CONTROL_INTERFACE ".Status", false, control_get_status },
    { CONTROL_INTERFACE ".Watches", false, control_get_watches },
    { CONTROL_INTERFACE ".Metrics", false, control_get_metrics },
    { CONTROL_INTERFACE ".Explain", false, control_explain },
    { CONTROL_INTERFACE ".Watch", false, do_watch },
    { CONTROL_INTERFACE ".Ask", false, do_ask },
    { CONTROL_INTERFACE ".Flush", true, do_flush },
    { CONTROL_INTERFACE ".Reload", true, do_reload },
    { CONTROL_INTERFACE ".Silence", true, control_silence },
    { CONTROL_INTERFACE ".TestAlert", true, control_test_alert },
    { CONTROL_INTERFACE ".EndSilence", true, control_end_silence },
    { CONTROL_INTERFACE ".Add", true, do_add },
    { CONTROL_INTERFACE ".Remove", true, do_remove },
};

static void on_call(void *data, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = control_client_out(client);
    struct control *c = data;

    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        if (!bytes_equal_str(call->method, methods[i].name))
            continue;
        if (methods[i].changes && !control_client_may_change(client))
            control_answer_fail(client, CONTROL_INTERFACE ".NotPermitted", "only root may do that");
        else
            methods[i].run(c, client, call);
        return;
    }
    control_error_begin(out, CONTROL_SERVICE ".MethodNotFound");
    (void)json_string(out, JSON_KEY("method"), call->method);
    control_error_end(out);
    control_client_replied(client, true);
}

static void on_finishing(void *data, struct control_client *client)
{
    struct control *c = data;

    viewing_finishing(&c->viewing, client); /* what others wait for comes in its time */
}

static void on_gone(void *data, struct control_client *client)
{
    struct control *c = data;

    c->stale |= viewing_remove(&c->viewing, client);
    answering_gone(&c->answering, client);
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->client != client)
            continue;
        if (p->added && transient_leave(&c->options.arming->transients, p->added, false))
            c->stale = true; /* nobody got to know that it was added */
        control_answer_forget(c, p);
    }
}

/* ---- what is answered later ---- */

void control_reloaded(struct control *c, int r, const char *text, struct bytes problems, const struct watchset_difference *d)
{
    for (struct waiting_call *p = c ? c->pending : NULL, *next; p; p = next) {
        struct sbuf *out = control_client_out(p->client);

        next = p->next;
        if (p->kind != PENDING_RELOAD)
            continue;
        if (r < 0) {
            struct bytes rest = problems;

            control_error_begin(out, r == -EINVAL ? CONTROL_INTERFACE ".ConfigurationBroken" : CONTROL_INTERFACE ".Failed");
            json_bytes(out, JSON_KEY("message"), bytes_of(text));
            json_open(out, JSON_ARRAY("problems"));
            while (rest.len)
                json_element(out, bytes_next_line(&rest));
            json_close_array(out);
            control_error_end(out);
            control_client_replied(p->client, true);
        } else {
            control_reply_begin(out);
            json_number(out, JSON_KEY("added"), d->added);
            json_number(out, JSON_KEY("ended"), d->ended);
            json_number(out, JSON_KEY("kept"), d->kept);
            control_answer_end(p->client);
        }
        control_answer_forget(c, p);
    }
}

static void answer_flush(struct control *c, struct waiting_call *p)
{
    if (!p->emitted && pipeline_has_emitted(c->pipeline, p->since_ns)) {
        p->emitted = true;
        p->mark = pipeline_store_mark(c->pipeline);
    }
    if (p->emitted && pipeline_store_has(c->pipeline, p->mark)) {
        (void)control_answer_begin(p->client);
        control_answer_end(p->client);
    } else if (clock_ns(CLOCK_REALTIME) > p->since_ns + FLUSH_NS) {
        control_answer_fail(p->client, CONTROL_INTERFACE ".Failed", p->emitted ? "the store could not be written" : "events are still being read");
    } else {
        return;
    }
    control_answer_forget(c, p);
}

static void answer_changes(struct control *c, int r, const char *text)
{
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->kind != PENDING_CHANGE)
            continue;
        if (r == 0) {
            reply_users(p->client, p->added->added);
        } else {
            (void)transient_leave(&c->options.arming->transients, p->added, false);
            control_answer_fail(p->client, CONTROL_INTERFACE ".Failed", text);
        }
        control_answer_forget(c, p);
    }
}

void control_idle(struct control *c)
{
    if (c->stale && !c->ending && !pipeline_is_changing(c->pipeline)) {
        struct err err = ERR_INIT;
        int r = follow_transients(c, &err);

        if (r < 0 && r != -EBUSY)
            log_warn(c->options.log, "watches that were added or removed: %s; what was watched before is watched still",
                     err_text(&err, r));
        if (r != -EBUSY) {
            answer_changes(c, r, err_text(&err, r));
            c->stale |= viewing_armed(&c->viewing, r, err_text(&err, r));
        }
    }
    viewing_idle(&c->viewing);
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->kind == PENDING_FLUSH)
            answer_flush(c, p);
        else if (p->kind == PENDING_TEST)
            control_answer_test(c, p);
    }
    control_server_dispatch(c->server);
    answering_idle(&c->answering); /* after what was taken: what there is room for now is listened to again */
}

void control_count(const struct control *c, unsigned *ret_clients, unsigned *ret_viewers)
{
    *ret_clients = c ? control_server_clients(c->server) : 0;
    *ret_viewers = c ? c->viewing.count : 0;
}

struct viewing *control_viewing(struct control *c)
{
    return &c->viewing;
}

/* ---- its life ---- */

static void on_ready(void *data, int fd)
{
    struct control *c = data;

    (void)fd;
    control_server_dispatch(c->server);
}

/* The daemon is asked all else where this cannot be. */
static void open_answering(struct control *c)
{
    struct answerer_options *options = &c->options.answerer;
    struct err err = ERR_INIT;
    int r = 0;

    options->store = c->options.store_path;
    if (options->answer && geteuid() == 0)
        r = answering_open(&c->answering, options, &err);
    if (r < 0)
        log_warn(c->options.log, "%s; only root can ask the record", err_text(&err, r));
}

int control_open(const struct control_options *options, struct control **ret, struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));
    struct control_server_options server = { .log = options->log,
                                             .path = options->path,
                                             .group = GROUP,
                                             .data = c,
                                             .call = on_call,
                                             .finishing = on_finishing,
                                             .gone = on_gone };
    int r;

    if (!c)
        return err_set(err, -ENOMEM, "the control socket");
    c->options = *options;
    c->answering = ANSWERING_INIT;
    c->viewing = (struct viewing){
        .arming = options->arming, .status = options->status, .host = options->host, .store_path = options->store_path };
    r = control_server_open(&server, &c->server, err);
    if (r < 0) {
        control_close(c);
        return r;
    }
    open_answering(c);
    *ret = c;
    return 0;
}

int control_start(struct control *c, struct pipeline *pipeline, struct err *err)
{
    int r;

    c->pipeline = c->viewing.pipeline = pipeline;
    r = control_server_listen(c->server, err);
    if (r == 0)
        r = answering_start(&c->answering, pipeline, err);
    return r < 0 ? r : pipeline_watch_fd(pipeline, control_server_fd(c->server), on_ready, c, err);
}

void control_end(struct control *c)
{
    if (c)
        c->ending = true;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    control_server_close(c->server);
    answering_close(&c->answering);
    viewing_done(&c->viewing);
    while (c->pending)
        control_answer_forget(c, c->pending);
    free(c);
}
