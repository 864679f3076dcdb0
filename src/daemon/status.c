/* SPDX-License-Identifier: MIT */
#include "daemon/status.h"

#include <sys/resource.h>
#include <unistd.h>

#include "copies/spans.h"
#include "event/ecs.h"
#include "event/operation.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/json_writer.h"
#include "util/memory.h"
#include "watch/listing.h"
#include "watch/plan.h"

/* ---- what is watched ---- */

static void write_permissions(struct sbuf *out, unsigned permissions)
{
    char letters[5];

    json_bytes(out, JSON_KEY("permissions"), bytes_of(permissions_text(permissions, letters)));
}

struct finding {
    const struct target *target;
    const struct watch_listing *found;
    struct watch_listing listing; /* a copy; its target is the finding's */
    bool armed;
};

static void on_listing(void *data, const struct watch_listing *l)
{
    struct finding *f = data;

    if (!plan_same_place(l->target, f->target) || !bytes_path_covers(l->target->path, f->target->path))
        return;
    f->armed |= l->objects > 0;
    if (bytes_equal(l->target->path, f->target->path))
        f->listing = *l;
}

/* Why not all of it is watched now; NULL: it is. */
static const char *why_not(const struct finding *f)
{
    if (f->listing.failed)
        return "it could not be looked up; that is tried again";
    if (f->listing.waiting)
        return "no such container runs; waiting for it";
    if (!f->armed)
        return "nothing of it is there; waiting for it";
    if (f->listing.missing)
        return "it was not there when the watch began; its coming is seen";
    return NULL;
}

static void write_watch(const struct status_view *v, const struct target *target, struct bytes text, unsigned permissions,
                        struct bytes key, const char *source, unsigned users, struct sbuf *out)
{
    struct finding f = { .target = target };
    const char *why;

    pipeline_each_watch(v->pipeline, on_listing, &f);
    why = why_not(&f);
    json_open_element(out);
    json_bytes(out, JSON_KEY("target"), text);
    write_permissions(out, permissions);
    json_bytes(out, JSON_KEY("key"), key);
    json_bytes(out, JSON_KEY("source"), bytes_of(source));
    json_bool(out, JSON_KEY("armed"), f.armed);
    json_bytes(out, JSON_KEY("why"), bytes_of(why));
    json_bytes(out, JSON_KEY("guard"), bytes_of(guards_words(v->guards, text)));
    json_number(out, JSON_KEY("users"), users);
    json_close(out);
}

static void write_unarmed(const struct arming_set *set, struct sbuf *out)
{
    for (size_t i = 0; i < set->unarmed_count; i++) {
        json_open_element(out);
        json_bytes(out, JSON_KEY("target"), set->unarmed[i].text);
        json_bytes(out, JSON_KEY("source"), bytes_of("configuration"));
        json_bool(out, JSON_KEY("armed"), false);
        json_bytes(out, JSON_KEY("why"), bytes_of(set->unarmed[i].why));
        json_number(out, JSON_KEY("users"), 0);
        json_close(out);
    }
}

void status_write_watches(const struct status_view *v, struct sbuf *out)
{
    const struct arming_set *set = &v->arming->set;

    json_open(out, JSON_ARRAY("watches"));
    for (size_t i = 0; i < set->count; i++)
        write_watch(v, &set->targets[i], set->asks[i].text, set->asks[i].permissions, set->asks[i].key, "configuration", 0, out);
    for (const struct transient *t = v->arming->transients.first; t; t = t->next)
        write_watch(v, &t->target, t->target.text, t->target.permissions, t->target.key, t->declared ? "label" : t->added ? "added" : "viewer",
                    t->added + t->viewers, out);
    write_unarmed(set, out);
    json_close_array(out);
}

/* ---- status ---- */

static void write_time(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    if (!time_ns)
        return;
    json_key(out, key);
    ecs_write_time(out, time_ns);
}

static void write_lost(const struct status *s, struct sbuf *out)
{
    json_open(out, JSON_OBJECT("lost"));
    for (unsigned i = 1; i < LOST_COUNT; i++)
        if (s->lost[i]) {
            json_key_of(out, status_lost_name((enum lost)i));
            sbuf_add_decimal(out, s->lost[i]);
        }
    json_close(out);
}

static void on_silent(void *data, const char *name)
{
    json_element(data, bytes_of(name));
}

static void write_store(const struct status_view *v, const struct pipeline_condition *now, struct sbuf *out)
{
    json_open(out, JSON_OBJECT("store"));
    json_bytes(out, JSON_KEY("path"), bytes_of(v->store_path));
    json_bool(out, JSON_KEY("recording"), now->has_store && now->store.recording && !now->store.error);
    if (now->store.error)
        json_bytes(out, JSON_KEY("error"), bytes_of(strerror(-now->store.error)));
    json_number(out, JSON_KEY("missing"), now->store.missing);
    json_bytes(out, JSON_KEY("fault"), bytes_of(now->store.fault));
    json_close(out);
}

static void write_copies(const struct pipeline_condition *now, struct sbuf *out)
{
    if (!now->keeps_copies)
        return;
    json_open(out, JSON_OBJECT("copies"));
    json_number(out, JSON_KEY("files"), now->copies.files);
    json_number(out, JSON_KEY("bytes"), now->copies.bytes);
    json_number(out, JSON_KEY("limit"), now->copies.limit);
    json_number(out, JSON_KEY("held"), now->copies.held);
    json_number(out, JSON_KEY("lost"), now->copies.lost);
    json_number(out, JSON_KEY("busy"), now->copies.busy);
    json_number(out, JSON_KEY("too_large"), now->copies.too_large);
    json_number(out, JSON_KEY("unreadable"), now->copies.unreadable);
    json_number(out, JSON_KEY("unwatched"), now->copies.unwatched);
    json_bytes(out, JSON_KEY("why"), bytes_of(now->copies.error ? spans_why(now->copies.error) : ""));
    json_close(out);
}

static void write_sensors(const struct status_view *v, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT, lacks = SBUF_INIT;

    pipeline_write_sensors(v->pipeline, &names);
    pipeline_write_lacks(v->pipeline, &lacks);
    json_bytes(out, JSON_KEY("sensors"), sbuf_bytes(&names));
    json_bytes(out, JSON_KEY("not_seen"), sbuf_bytes(&lacks));
}

static void write_configuration(const struct status *s, struct sbuf *out)
{
    json_open(out, JSON_OBJECT("configuration"));
    write_time(out, JSON_KEY("since"), s->reloaded_ns);
    json_bool(out, JSON_KEY("broken"), s->broken);
    json_bytes(out, JSON_KEY("why"), bytes_of(s->broken ? s->broken_text : ""));
    json_number(out, JSON_KEY("reloads"), s->reloads);
    json_close(out);
}

static void write_heartbeat(const struct status *s, struct sbuf *out)
{
    if (!s->heartbeat_ns)
        return;
    json_open(out, JSON_OBJECT("heartbeat"));
    write_time(out, JSON_KEY("last"), s->heartbeat_ns);
    json_bool(out, JSON_KEY("right"), !s->heartbeat_text[0]);
    json_bytes(out, JSON_KEY("why"), bytes_of(s->heartbeat_text));
    json_number(out, JSON_KEY("count"), s->heartbeats);
    json_number(out, JSON_KEY("wrong"), s->heartbeats_wrong);
    json_close(out);
}

void status_write(const struct status_view *v, struct sbuf *out)
{
    const struct status *s = v->status;
    struct pipeline_condition now;
    struct rusage usage;

    pipeline_look(v->pipeline, &now);
    json_bytes(out, JSON_KEY("version"), bytes_of(CULPRIT_VERSION));
    json_number(out, JSON_KEY("pid"), (uint64_t)getpid());
    write_time(out, JSON_KEY("since"), s->since_ns);
    write_sensors(v, out);
    json_number(out, JSON_KEY("targets"), v->arming->set.count);
    json_number(out, JSON_KEY("transient"), v->arming->transients.count);
    json_number(out, JSON_KEY("unarmed"), v->arming->set.unarmed_count);
    json_number(out, JSON_KEY("events"), s->events);
    write_lost(s, out);
    json_number(out, JSON_KEY("lag_ms"), s->last_lag_ns / NS_PER_MS);
    write_time(out, JSON_KEY("newest"), now.newest_ns);
    write_store(v, &now, out);
    write_copies(&now, out);
    json_open(out, JSON_ARRAY("silent_engines"));
    pipeline_each_silent_engine(v->pipeline, on_silent, out);
    json_close_array(out);
    write_configuration(s, out);
    write_heartbeat(s, out);
    if (v->alerts) {
        json_open(out, JSON_OBJECT("alerts"));
        alerts_write_status(v->alerts, out);
        alert_sinks_write_status(v->sinks, out);
        json_close(out);
    }
    json_number(out, JSON_KEY("clients"), v->clients);
    json_number(out, JSON_KEY("viewers"), v->viewers);
    json_number(out, JSON_KEY("memory"), memory_resident());
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        json_number(out, JSON_KEY("memory_peak"), (uint64_t)usage.ru_maxrss * 1024);
        json_number(out, JSON_KEY("cpu_ms"), (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                                                 (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
    }
}
