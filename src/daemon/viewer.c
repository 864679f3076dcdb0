/* SPDX-License-Identifier: MIT */
#include "daemon/viewer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/base64.h"
#include "control/reply.h"
#include "daemon/pipeline.h"
#include "event/operation.h"
#include "store/sender.h"
#include "util/clock.h"
#include "util/limits.h"
#include "watch/plan.h"

#define BATCH (32 * 1024)            /* records that make one reply */
#define EARLIER_NS (10 * NS_PER_MS)  /* coarse clocks and audit's milliseconds stamp so much too early */

struct viewer *viewer_new(struct control_client *client, bool records)
{
    struct viewer *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    v->client = client;
    v->records = records;
    v->sender = records ? sender_new() : NULL;
    if (records && !v->sender) {
        free(v);
        return NULL;
    }
    return v;
}

void viewer_free(struct viewer *v)
{
    if (!v)
        return;
    for (size_t i = 0; i < v->count; i++)
        target_done(&v->targets[i].target);
    free(v->targets);
    sender_free(v->sender);
    sbuf_done(&v->batch);
    free(v);
}

int viewer_add_target(struct viewer *v, struct target *target)
{
    struct viewer_target *grown = reallocarray(v->targets, v->count + 1, sizeof(*grown));

    if (!grown) {
        target_done(target);
        return -ENOMEM;
    }
    v->targets = grown;
    grown[v->count++] = (struct viewer_target){ .target = *target };
    return 0;
}

/* ---- whose is it ---- */

/* Changes of a directory above that carry along what lies below it. */
static bool carries(const struct event *e, struct bytes path)
{
    switch (e->operation) {
    case OPERATION_RENAME:
    case OPERATION_UNLINK:
    case OPERATION_SYMLINK:
    case OPERATION_MOUNT:
    case OPERATION_UNMOUNT:
        return (e->path.len && bytes_path_covers(e->path, path)) ||
               (e->previous_path.len && bytes_path_covers(e->previous_path, path));
    default:
        return false;
    }
}

/* armed: what the watch that saw it was made for. */
static bool is_of(const struct target *t, const struct target *armed, const struct event *e)
{
    if (!(operation_info(e->operation)->permission & t->permissions) || !plan_same_place(armed, t))
        return false;
    if (bytes_path_covers(t->path, armed->path)) /* all that this watch sees, wherever links lead */
        return true;
    return bytes_path_covers(armed->path, t->path) &&
           ((e->path.len && bytes_path_covers(t->path, e->path)) ||
            (e->previous_path.len && bytes_path_covers(t->path, e->previous_path)) || carries(e, t->path));
}

/* The nearest of his targets; NULL: it is none of his. */
static const struct target *target_of(const struct viewer *v, const struct viewer_source *source, const struct event *e)
{
    const struct target *armed = pipeline_watch_target(source->pipeline, e->watch), *found = NULL;

    for (size_t i = 0; armed && i < v->count; i++) {
        const struct target *t = &v->targets[i].target;

        if (is_of(t, armed, e) && (!found || t->path.len > found->path.len))
            found = t;
    }
    return found;
}

static bool concerns(const struct viewer *v, const struct container *c)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct selector *s = &v->targets[i].target.selector;

        if (s->kind != SELECTOR_NONE && s->kind != SELECTOR_VOLUME && selector_matches(s, c))
            return true;
    }
    return false;
}

/* ---- on its way ---- */

static void send_batch(struct viewer *v)
{
    struct sbuf *out = control_client_out(v->client);

    if (!v->batch.len)
        return;
    control_reply_begin(out);
    json_key(out, JSON_TEXT_KEY("records"));
    base64_write(out, sbuf_bytes(&v->batch));
    sbuf_add_char(out, '"');
    control_reply_end(out, true);
    sbuf_clear(&v->batch);
    sender_restart(v->sender);
}

static bool takes(const struct viewer *v)
{
    return !v->missed.count && control_client_has_room(v->client);
}

static void miss(struct viewer *v, uint64_t time_ns)
{
    struct gap *m = &v->missed;

    if (!m->count) {
        *m = (struct gap){ .reason = LOST_VIEWER, .from_ns = time_ns, .to_ns = time_ns };
        snprintf(m->text, sizeof(m->text), "not read in time by this viewer; the daemon's record has them");
    }
    m->count++;
    m->from_ns = MIN(m->from_ns, time_ns);
    m->to_ns = MAX(m->to_ns, time_ns);
}

static void write_object(struct viewer *v, struct bytes key, struct sbuf *object)
{
    struct sbuf *out = control_client_out(v->client);
    struct bytes text = sbuf_bytes(object);

    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    control_reply_begin(out);
    json_key(out, key);
    sbuf_add_bytes(out, text);
    control_reply_end(out, true);
}

void viewer_event(struct viewer *v, const struct viewer_source *source, const struct event *event)
{
    const struct target *t;
    struct event shown;

    if (!v->from_ns || event->time_ns + EARLIER_NS < v->from_ns || event->actor.pid == control_client_pid(v->client))
        return; /* what he writes himself he does not want to hear of: it would never end */
    t = target_of(v, source, event);
    if (!t)
        return;
    if (!takes(v)) {
        miss(v, event->time_ns);
        return;
    }
    shown = *event; /* in his words; nothing of it is freed */
    shown.watch_text = t->text;
    shown.key = t->key;
    if (v->records) {
        sender_event(v->sender, &shown, &v->batch);
        if (v->batch.len > BATCH)
            send_batch(v);
    } else {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        ecs_write_event(&text, &shown, source->host);
        write_object(v, JSON_KEY("event"), &text);
    }
}

void viewer_life(struct viewer *v, const struct lifecycle_event *life)
{
    if (v->from_ns && v->records && concerns(v, life->container) && takes(v))
        sender_life(v->sender, life, &v->batch);
}

static void write_gap(struct viewer *v, const struct viewer_source *source, const struct gap *gap)
{
    if (v->records) {
        sender_gap(gap, &v->batch);
    } else {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        ecs_write_gap(&text, gap, source->host);
        write_object(v, JSON_KEY("gap"), &text);
    }
}

void viewer_gap(struct viewer *v, const struct viewer_source *source, const struct gap *gap)
{
    if (!v->from_ns)
        return;
    if (takes(v))
        write_gap(v, source, gap);
    else
        miss(v, gap->from_ns);
}

/* Of a container's files; detail is its name, or of a tmpfs the path. */
void viewer_explanation(struct viewer *v, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail)
{
    struct sbuf *out = control_client_out(v->client);
    bool his = false;

    for (size_t i = 0; i < v->count && v->from_ns; i++) {
        const struct target *t = &v->targets[i].target;

        if (kind == EXPLANATION_BEFORE || kind == EXPLANATION_ABSENT)
            his |= bytes_equal(t->text, detail);
        else if (kind == EXPLANATION_TMPFS)
            his |= t->selector.kind != SELECTOR_NONE && (bytes_path_covers(t->path, detail) || bytes_path_covers(detail, t->path));
        else
            his |= t->selector.kind != SELECTOR_NONE &&
                   (t->selector.kind != SELECTOR_NAME || bytes_equal(t->selector.text, detail));
    }
    if (!his || !takes(v))
        return;
    send_batch(v);
    control_reply_begin(out);
    json_open(out, JSON_OBJECT("explanation"));
    json_number(out, JSON_KEY("kind"), (uint64_t)kind);
    json_number(out, JSON_KEY("time"), time_ns);
    json_number(out, JSON_KEY("files"), files);
    json_bytes(out, JSON_KEY("detail"), detail);
    json_close(out);
    control_reply_end(out, true);
}

void viewer_notice(struct viewer *v, const char *text)
{
    struct sbuf *out = control_client_out(v->client);

    control_reply_begin(out);
    json_bytes(out, JSON_KEY("notice"), bytes_of(text));
    control_reply_end(out, true);
}

void viewer_idle(struct viewer *v, const struct viewer_source *source)
{
    if (v->missed.count && control_client_waiting(v->client) < LIMIT_CONTROL_OUT / 64) {
        struct gap gap = v->missed;

        v->missed.count = 0;
        write_gap(v, source, &gap);
    }
    if (v->records)
        send_batch(v);
}
