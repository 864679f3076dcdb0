/* SPDX-License-Identifier: MIT */
#include "daemon/viewing.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "control/reply.h"
#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/limits.h"
#include "watch/listing.h"
#include "watch/plan.h"

#define TARGETS_MAX 256
#define FINISH_NS (30 * NS_PER_S) /* events are read faster than they are made */

static struct viewer_source source_of(const struct viewing *g)
{
    return (struct viewer_source){ g->pipeline, &g->host };
}

/* ---- the call ---- */

static struct viewer *refuse(struct viewing *g, struct viewer *v, const char *error, const char *message)
{
    (void)viewing_fail(g, v, error, message);
    return NULL;
}

static int parse_target(const struct json_t *of, struct target *ret, const char **ret_wrong, struct err *err)
{
    struct bytes text = control_text(of, "target"), letters = control_text(of, "permissions"), key = control_text(of, "key");
    unsigned permissions = PERMISSION_WRITE | PERMISSION_ATTR;
    char unknown;
    int r;

    *ret_wrong = "targets";
    if (!text.len || (letters.data && permissions_parse(letters, &permissions, &unknown) < 0) || key.len > LIMIT_NAME)
        return err_say(err, -EINVAL, "a target is {\"target\": \"/path\", \"permissions\": \"wa\", \"key\": \"word\"}");
    r = target_parse(text, bytes_of("/"), ret, err);
    if (r < 0)
        return r;
    if (ret->selector.kind == SELECTOR_NONE && text.data[0] != '/') {
        target_done(ret);
        return err_say(err, -EINVAL, "a path for the daemon begins with /");
    }
    ret->permissions = permissions;
    ret->key = key.len ? arena_copy(&ret->arena, key) : BYTES_NULL;
    return 0;
}

/*
 * What he asks for is watched by the configuration, or by what is armed for him. Where a watch of a container's is only above
 * it, a link on the way may lead out of that: whoever may look himself sees it then, and is sent away.
 */
static int hold(struct viewing *g, struct viewer *v, struct viewer_target *t, bool *ret_arms, const char **ret_error,
                struct err *err)
{
    unsigned rest = arming_uncovered(g->arming, &t->target, t->target.permissions);
    bool may_change = control_client_may_change(v->client);

    if (!rest) {
        if (may_change && t->target.selector.kind != SELECTOR_NONE && !arming_has(g->arming, &t->target, t->target.permissions)) {
            *ret_error = CONTROL_INTERFACE ".Alone";
            return err_say(err, -EXDEV, "only something above it is watched");
        }
        return 0;
    }
    if (!may_change) {
        *ret_error = CONTROL_INTERFACE ".NotPermitted";
        return err_say(err, -EPERM, "the daemon does not watch that (culprit ctl watches), and only root may have it watched");
    }
    if (!arming_answers(g->arming, t->target.text)) {
        *ret_error = CONTROL_INTERFACE ".Alone";
        return err_say(err, -ETIMEDOUT, "its file system does not answer");
    }
    *ret_arms = true;
    return transient_take(&g->arming->transients, t->target.text, t->target.permissions, t->target.key, true, &t->held, err);
}

static int take_targets(struct viewing *g, struct viewer *v, const struct json_t *parameters, bool *ret_arms, const char **ret_error,
                        struct err *err)
{
    size_t n = control_array_size(parameters, "targets");
    const char *wrong = NULL;
    int r = n && n <= TARGETS_MAX ? 0 : err_say(err, -EINVAL, "1 to %d targets", TARGETS_MAX);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct target target;

        r = parse_target(control_array_object(parameters, "targets", i), &target, &wrong, err);
        if (r == 0)
            r = viewer_add_target(v, &target);
        if (r == 0)
            r = hold(g, v, &v->targets[v->count - 1], ret_arms, ret_error, err);
    }
    return r;
}

struct viewer *viewing_add(struct viewing *g, struct control_client *client, const struct control_call *call, bool *ret_arms)
{
    bool records = control_flag(call->parameters, "records");
    struct viewer *v = viewer_new(client, records);
    const char *error = CONTROL_INTERFACE ".Failed";
    struct err err = ERR_INIT;
    int r;

    *ret_arms = false;
    if (!v) {
        control_error(control_client_out(client), error, "out of memory");
        control_client_replied(client, true);
        return NULL;
    }
    v->next = g->first;
    g->first = v;
    g->count++;
    if (!call->more)
        return refuse(g, v, CONTROL_SERVICE ".ExpectedMore", NULL);
    if (records && !bytes_equal_str(control_text(call->parameters, "version"), CULPRIT_VERSION))
        return refuse(g, v, CONTROL_INTERFACE ".Alone", "the daemon is of version " CULPRIT_VERSION);
    r = take_targets(g, v, call->parameters, ret_arms, &error, &err);
    return r < 0 ? refuse(g, v, error, err_text(&err, r)) : v;
}

/* ---- the beginning ---- */

struct waiting_for {
    struct viewer *viewer;
    const struct viewer_target *target;
};

static void on_listing(void *data, const struct watch_listing *l)
{
    const struct waiting_for *w = data;
    const struct target *t = &w->target->target;
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    if (!l->waiting || !plan_same_place(l->target, t) || !bytes_path_covers(l->target->path, t->path))
        return;
    escape_terminal(&text, t->text);
    sbuf_add_str(&text, ": no such container runs; waiting for it");
    viewer_notice(w->viewer, sbuf_str(&text));
}

void viewing_ready(struct viewing *g, struct viewer *v)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT, lacks = SBUF_INIT;
    struct sbuf *out = control_client_out(v->client);
    struct pipeline_condition now;

    for (size_t i = 0; i < v->count; i++) {
        struct waiting_for w = { v, &v->targets[i] };

        if (!v->targets[i].held) /* what is armed for him says so itself */
            pipeline_each_watch(g->pipeline, on_listing, &w);
    }
    pipeline_look(g->pipeline, &now);
    pipeline_write_sensors(g->pipeline, &names);
    pipeline_write_lacks(g->pipeline, &lacks);
    v->from_ns = clock_ns(CLOCK_REALTIME);
    control_reply_begin(out);
    json_open(out, JSON_OBJECT("ready"));
    json_bytes(out, JSON_KEY("sensors"), sbuf_bytes(&names));
    json_number(out, JSON_KEY("sensor_bits"), now.sensors);
    json_bytes(out, JSON_KEY("not_seen"), sbuf_bytes(&lacks));
    json_number(out, JSON_KEY("since"), v->from_ns);
    json_bytes(out, JSON_KEY("store"), bytes_of(g->store_path));
    json_number(out, JSON_KEY("pid"), (uint64_t)getpid());
    json_close(out);
    control_reply_end(out, true);
    control_client_replied(v->client, false);
}

bool viewing_armed(struct viewing *g, int r, const char *text)
{
    bool give_up = false;

    for (struct viewer *v = g->first, *next; v; v = next) {
        next = v->next;
        if (v->from_ns || v->ended)
            continue;
        if (r == 0)
            viewing_ready(g, v);
        else
            give_up |= viewing_fail(g, v, CONTROL_INTERFACE ".Failed", text);
    }
    return give_up;
}

/* ---- the end ---- */

static bool forget(struct viewing *g, struct viewer *v)
{
    bool give_up = false;

    for (struct viewer **at = &g->first; *at; at = &(*at)->next)
        if (*at == v) {
            *at = v->next;
            break;
        }
    g->count--;
    for (size_t i = 0; i < v->count; i++)
        if (v->targets[i].held)
            give_up |= transient_leave(&g->arming->transients, v->targets[i].held, true);
    if (g->arming_for == v)
        g->arming_for = NULL;
    viewer_free(v);
    return give_up;
}

bool viewing_fail(struct viewing *g, struct viewer *v, const char *error, const char *message)
{
    control_error(control_client_out(v->client), error, message);
    control_client_replied(v->client, true);
    return forget(g, v);
}

bool viewing_remove(struct viewing *g, struct control_client *client)
{
    bool give_up = false;

    for (struct viewer *v = g->first, *next; v; v = next) {
        next = v->next;
        if (v->client == client)
            give_up |= forget(g, v);
    }
    return give_up;
}

void viewing_finishing(struct viewing *g, struct control_client *client)
{
    for (struct viewer *v = g->first; v; v = v->next)
        if (v->client == client)
            v->finishing_ns = clock_ns(CLOCK_REALTIME);
}

void viewing_done(struct viewing *g)
{
    while (g->first)
        (void)forget(g, g->first);
}

static void on_absent(void *data, struct bytes text)
{
    viewer_explanation(data, EXPLANATION_ABSENT, 0, 0, text);
}

/* All that he waits for is written: the last word, after which he hangs up. */
static void finish(struct viewing *g, struct viewer *v)
{
    const struct viewer_source source = source_of(g);
    struct sbuf *out = control_client_out(v->client);

    if (!pipeline_has_emitted(g->pipeline, v->finishing_ns)) {
        struct gap gap = { .reason = LOST_UNREAD, .from_ns = v->finishing_ns, .to_ns = clock_ns(CLOCK_REALTIME) };

        if (gap.to_ns < v->finishing_ns + FINISH_NS)
            return;
        snprintf(gap.text, sizeof(gap.text), "what happened last was not read to its end");
        viewer_gap(v, &source, &gap);
    }
    pipeline_each_absent(g->pipeline, on_absent, v);
    viewer_idle(v, &source);
    if (v->missed.count) /* he has to read first */
        return;
    control_reply_begin(out);
    json_bool(out, JSON_KEY("end"), true);
    control_reply_end(out, false);
    control_client_replied(v->client, true);
    v->ended = true;
    v->from_ns = 0;
}

/* ---- what comes ---- */

void viewing_event(struct viewing *g, const struct event *event)
{
    const struct viewer_source source = source_of(g);

    for (struct viewer *v = g->first; v; v = v->next)
        viewer_event(v, &source, event);
}

void viewing_life(struct viewing *g, const struct lifecycle_event *life)
{
    for (struct viewer *v = g->first; v; v = v->next)
        viewer_life(v, life);
}

void viewing_gap(struct viewing *g, const struct gap *gap)
{
    const struct viewer_source source = source_of(g);

    for (struct viewer *v = g->first; v; v = v->next)
        viewer_gap(v, &source, gap);
}

void viewing_explanation(struct viewing *g, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail)
{
    for (struct viewer *v = g->first; v; v = v->next)
        viewer_explanation(v, kind, time_ns, files, detail);
}

void viewing_notice(struct viewing *g, const char *text)
{
    if (g->arming_for)
        viewer_notice(g->arming_for, text);
}

void viewing_idle(struct viewing *g)
{
    const struct viewer_source source = source_of(g);

    for (struct viewer *v = g->first; v; v = v->next) {
        uint64_t missed = v->missed.count;

        if (!v->from_ns)
            continue;
        viewer_idle(v, &source);
        if (missed && !v->missed.count) {
            g->status->lost[LOST_VIEWER] += missed;
            g->status->gaps[LOST_VIEWER]++;
        }
        if (v->finishing_ns)
            finish(g, v);
    }
}
