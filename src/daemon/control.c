/* SPDX-License-Identifier: MIT */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>

#include "control/interface.h"
#include "control/reply.h"
#include "event/ecs.h"
#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/parse.h"
#include "watch/change.h"

#define GROUP "culprit"
#define FLUSH_NS (20 * NS_PER_S) /* whoever asks for it is answered by then, whatever the store does */

/* Somebody waits for an answer. */
struct waiting_call {
    struct waiting_call *next;
    struct control_client *client;
    enum { PENDING_RELOAD, PENDING_CHANGE, PENDING_FLUSH, PENDING_TEST } kind;
    uint64_t since_ns;       /* CLOCK_REALTIME */
    bool emitted;            /* flush: all is with the store */
    uint64_t mark;           /* what it has to have */
    bool began;              /* reload: it counts from here on */
    struct transient *added; /* change: NULL: of a removal */
};

struct control {
    struct control_options options;
    struct control_server *server;
    struct pipeline *pipeline;
    struct waiting_call *pending;
    struct viewing viewing;
    bool ending;
    bool stale;              /* transient watches have changed, and what is armed has not */
};

static void fail(struct control_client *client, const char *error, const char *message)
{
    control_error(control_client_out(client), error, message);
    control_client_replied(client, true);
}

static void fail_parameter(struct control_client *client, const char *name)
{
    struct sbuf *out = control_client_out(client);

    control_error_begin(out, CONTROL_SERVICE ".InvalidParameter");
    json_bytes(out, JSON_KEY("parameter"), bytes_of(name));
    control_error_end(out);
    control_client_replied(client, true);
}

static struct sbuf *begin(struct control_client *client)
{
    struct sbuf *out = control_client_out(client);

    control_reply_begin(out);
    return out;
}

static void finish(struct control_client *client)
{
    control_reply_end(control_client_out(client), false);
    control_client_replied(client, true);
}

static struct waiting_call *wait_for(struct control *c, struct control_client *client, int kind)
{
    struct waiting_call *p = calloc(1, sizeof(*p));

    if (!p) {
        fail(client, CONTROL_INTERFACE ".Failed", "out of memory");
        return NULL;
    }
    p->client = client;
    p->kind = kind;
    p->since_ns = clock_ns(CLOCK_REALTIME);
    p->next = c->pending;
    c->pending = p;
    return p;
}

static void end_pending(struct control *c, struct waiting_call *p)
{
    for (struct waiting_call **at = &c->pending; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    free(p);
}

/* ---- Varlink's own ---- */

static void get_info(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = begin(client);

    (void)c, (void)call;
    json_bytes(out, JSON_KEY("vendor"), bytes_of("culprit"));
    json_bytes(out, JSON_KEY("product"), bytes_of("culprit daemon"));
    json_bytes(out, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    (void)json_string(out, JSON_KEY("url"), bytes_of("man:culprit-daemon(8)"));
    json_open(out, JSON_ARRAY("interfaces"));
    json_element(out, bytes_of(CONTROL_SERVICE));
    json_element(out, bytes_of(CONTROL_INTERFACE));
    json_close_array(out);
    finish(client);
}

static void get_interface(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct bytes name = control_text(call->parameters, "interface"), text = control_interface(name);
    struct sbuf *out = control_client_out(client);

    (void)c;
    if (!name.data) {
        fail_parameter(client, "interface");
        return;
    }
    if (text.data) {
        out = begin(client);
        json_bytes(out, JSON_KEY("description"), text);
        finish(client);
        return;
    }
    control_error_begin(out, CONTROL_SERVICE ".InterfaceNotFound");
    (void)json_string(out, JSON_KEY("interface"), name);
    control_error_end(out);
    control_client_replied(client, true);
}

/* ---- who may look ---- */

static void get_status(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    json_open(out, JSON_OBJECT("status"));
    status_write(&view, out);
    json_close(out);
    finish(client);
}

static void get_watches(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct sbuf *out = begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    status_write_watches(&view, out);
    finish(client);
}

static void get_metrics(struct control *c, struct control_client *client, const struct control_call *call)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct sbuf *out = begin(client);
    struct status_view view;

    (void)call;
    c->options.view(c->options.data, &view);
    status_write_metrics(&view, &text);
    (void)json_string(out, JSON_KEY("text"), sbuf_bytes(&text));
    finish(client);
}

/* An id as JSON has it, or its beginning. False: it is none. */
static bool parse_id(struct bytes text, uint8_t ret[16], size_t *ret_len)
{
    uint64_t value;

    if (text.len < 8 || text.len > 32 || text.len % 2)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        if (parse_u64((struct bytes){ text.data + i, 2 }, 16, &value) < 0)
            return false;
        ret[i / 2] = (uint8_t)value;
    }
    *ret_len = text.len / 2;
    return true;
}

static bool has_alerts(const struct control *c, struct control_client *client)
{
    if (!c->options.alerting)
        fail(client, CONTROL_INTERFACE ".Failed", "alerts are off (alerts = on)");
    return c->options.alerting != NULL;
}

static void explain(struct control *c, struct control_client *client, const struct control_call *call)
{
    _cleanup_sbuf_ struct sbuf members = SBUF_INIT;
    struct sbuf *out;
    uint8_t id[16];
    size_t len;
    int r;

    if (!parse_id(control_text(call->parameters, "event"), id, &len)) {
        fail_parameter(client, "event");
        return;
    }
    if (!has_alerts(c, client))
        return;
    sbuf_add_char(&members, '{');
    r = alerts_explain(alerting_alerts(c->options.alerting), (struct bytes){ (const char *)id, len }, &members);
    if (r == -EEXIST) {
        fail(client, CONTROL_INTERFACE ".Failed", "several events begin so: more of the id is needed");
    } else if (r < 0) {
        fail(client, CONTROL_INTERFACE ".NotRemembered", "it is none of the last 65,536 events that were judged since the daemon began");
    } else {
        out = begin(client);
        json_open(out, JSON_OBJECT("explanation"));
        sbuf_add(out, members.data + 1, members.len - 1);
        json_close(out);
        finish(client);
    }
}

/* ---- who may change ---- */

static void do_reload(struct control *c, struct control_client *client, const struct control_call *call)
{
    (void)call;
    if (wait_for(c, client, PENDING_RELOAD))
        c->options.reload(c->options.data);
}

static void do_flush(struct control *c, struct control_client *client, const struct control_call *call)
{
    (void)call;
    (void)wait_for(c, client, PENDING_FLUSH);
}

static void do_silence(struct control *c, struct control_client *client, const struct control_call *call)
{
    const struct silence *silence;
    const char *parameter = NULL;
    struct err err = ERR_INIT;
    struct sbuf *out;
    int r;

    if (!has_alerts(c, client))
        return;
    r = silencing_add(alerting_silencing(c->options.alerting), call->parameters, control_client_pid(client), control_client_uid(client), &silence,
                      &parameter, &err);
    if (parameter) {
        fail_parameter(client, parameter);
    } else if (r < 0) {
        fail(client, r == -ENOENT ? CONTROL_INTERFACE ".NotFound" : CONTROL_INTERFACE ".Failed", err_text(&err, r));
    } else {
        out = begin(client);
        json_number(out, JSON_KEY("silence"), silence->number);
        json_key(out, JSON_KEY("until"));
        ecs_write_time(out, silence->until_ns);
        finish(client);
    }
}

static void do_end_silence(struct control *c, struct control_client *client, const struct control_call *call)
{
    uint64_t number = control_number(call->parameters, "silence"), events;
    struct err err = ERR_INIT;
    int r;

    if (!has_alerts(c, client))
        return;
    r = number <= UINT32_MAX ? silencing_end(alerting_silencing(c->options.alerting), (uint32_t)number, &events, &err) : -ENOENT;
    if (r < 0) {
        fail(client, CONTROL_INTERFACE ".NotFound", err_text(&err, r));
    } else {
        json_number(begin(client), JSON_KEY("events"), events);
        finish(client);
    }
}

static void do_test(struct control *c, struct control_client *client, const struct control_call *call)
{
    struct err err = ERR_INIT;
    int r;

    if (!has_alerts(c, client))
        return;
    if (!control_is_text(call->parameters, "sink")) {
        fail_parameter(client, "sink");
        return;
    }
    r = alerting_test(c->options.alerting, control_text(call->parameters, "sink"), control_client_pid(client), control_client_uid(client), &err);
    if (r < 0)
        fail(client, r == -ENOENT ? CONTROL_INTERFACE ".NotFound" : CONTROL_INTERFACE ".Failed", err_text(&err, r));
    else
        (void)wait_for(c, client, PENDING_TEST);
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
    json_number(begin(client), JSON_KEY("users"), users);
    finish(client);
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
        fail_parameter(client, "target");
    else if (!control_is_text(of, "key") || ret_key->len > LIMIT_NAME)
        fail_parameter(client, "key");
    else if (!control_is_text(of, "permissions") ||
             (letters.data && permissions_parse(letters, ret_permissions, &unknown) < 0))
        fail_parameter(client, "permissions");
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
    } else if (r == -EBUSY && (p = wait_for(c, client, PENDING_CHANGE))) {
        p->added = t;
    } else if (r != -EBUSY) {
        if (t)
            (void)transient_leave(list, t, false);
        fail(client, CONTROL_INTERFACE ".Failed", err_text(&err, r));
    }
}

/* Whoever added it and was not answered yet. */
static void end_added(struct control *c, const struct transient *t)
{
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->added != t)
            continue;
        fail(p->client, CONTROL_INTERFACE ".Failed", "it was removed again");
        end_pending(c, p);
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
        fail_parameter(client, "target");
        return;
    }
    if (!t) {
        fail(client, CONTROL_INTERFACE ".NotWatched", "nobody has added that target (culprit ctl watches)");
        return;
    }
    if (!left)
        end_added(c, t);
    if (transient_leave(list, t, false))
        r = follow_transients(c, &err);
    if (r == 0 || r == -EBUSY) /* it ends when the change before it is over */
        reply_users(client, left);
    else
        fail(client, CONTROL_INTERFACE ".Failed", err_text(&err, r));
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

static const struct method {
    const char *name;
    bool changes; /* root only */
    void (*run)(struct control *c, struct control_client *client, const struct control_call *call);
} methods[] = {
    { CONTROL_SERVICE ".GetInfo", false, get_info },
    { CONTROL_SERVICE ".GetInterfaceDescription", false, get_interface },
    { CONTROL_INTERFACE ".Status", false, get_status },
    { CONTROL_INTERFACE ".Watches", false, get_watches },
    { CONTROL_INTERFACE ".Metrics", false, get_metrics },
    { CONTROL_INTERFACE ".Explain", false, explain },
    { CONTROL_INTERFACE ".Watch", false, do_watch },
    { CONTROL_INTERFACE ".Flush", true, do_flush },
    { CONTROL_INTERFACE ".Reload", true, do_reload },
    { CONTROL_INTERFACE ".Silence", true, do_silence },
    { CONTROL_INTERFACE ".TestAlert", true, do_test },
    { CONTROL_INTERFACE ".EndSilence", true, do_end_silence },
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
            fail(client, CONTROL_INTERFACE ".NotPermitted", "only root may do that");
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
    for (struct waiting_call *p = c->pending, *next; p; p = next) {
        next = p->next;
        if (p->client != client)
            continue;
        if (p->added && transient_leave(&c->options.arming->transients, p->added, false))
            c->stale = true; /* nobody got to know that it was added */
        end_pending(c, p);
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
            finish(p->client);
        }
        end_pending(c, p);
    }
}

static void answer_flush(struct control *c, struct waiting_call *p)
{
    if (!p->emitted && pipeline_has_emitted(c->pipeline, p->since_ns)) {
        p->emitted = true;
        p->mark = pipeline_store_mark(c->pipeline);
    }
    if (p->emitted && pipeline_store_has(c->pipeline, p->mark)) {
        (void)begin(p->client);
        finish(p->client);
    } else if (clock_ns(CLOCK_REALTIME) > p->since_ns + FLUSH_NS) {
        fail(p->client, CONTROL_INTERFACE ".Failed", p->emitted ? "the store could not be written" : "events are still being read");
    } else {
        return;
    }
    end_pending(c, p);
}

static void answer_test(struct control *c, struct waiting_call *p)
{
    if (!alerting_test_is_over(c->options.alerting))
        return;
    alerting_end_test(c->options.alerting, begin(p->client));
    finish(p->client);
    end_pending(c, p);
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
            fail(p->client, CONTROL_INTERFACE ".Failed", text);
        }
        end_pending(c, p);
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
            answer_test(c, p);
    }
    control_server_dispatch(c->server);
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
    c->viewing = (struct viewing){
        .arming = options->arming, .status = options->status, .host = options->host, .store_path = options->store_path };
    r = control_server_open(&server, &c->server, err);
    if (r < 0) {
        control_close(c);
        return r;
    }
    *ret = c;
    return 0;
}

int control_start(struct control *c, struct pipeline *pipeline, struct err *err)
{
    int r;

    c->pipeline = c->viewing.pipeline = pipeline;
    r = control_server_listen(c->server, err);
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
    viewing_done(&c->viewing);
    while (c->pending)
        end_pending(c, c->pending);
    free(c);
}
