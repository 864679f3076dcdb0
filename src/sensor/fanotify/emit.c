/* SPDX-License-Identifier: MIT */
/* From what happened to a name to the event that is emitted. */
#include "sensor/fanotify/emit.h"

#include <stdio.h>
#include <time.h>

#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/state.h"
#include "sensor/object/gap.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define NOTE_MOVED "one of the file's names: its folder was renamed in the same moment, before or after"

int fanotify_path(const struct fanotify_object *o, uint32_t directory, struct bytes name, struct sbuf *out)
{
    int r;

    sbuf_clear(out);
    sbuf_add_bytes(out, o->parent.len ? o->parent : bytes_of("/"));
    if (out->len == 0 || out->data[out->len - 1] != '/')
        sbuf_add_char(out, '/');
    if (directory != tree_root(o->tree)) {
        r = tree_directory_path(o->tree, directory, out);
        if (r < 0)
            return r;
        sbuf_add_char(out, '/');
    }
    sbuf_add_bytes(out, name);
    if (!name.len && out->len > 1) /* the root of everything */
        sbuf_truncate(out, out->len - 1);
    return sbuf_error(out);
}

struct event *fanotify_event_bare(struct fanotify_object *o, enum operation operation,
                                  const struct fanotify_cause *cause)
{
    struct sensor *s = o->sensor;
    struct event *e = cause->silent ? NULL : event_new();

    if (cause->silent)
        return NULL;
    if (!e) {
        s->lost_paths++;
        return NULL;
    }
    e->operation = operation;
    e->object = o->wanted.id;
    e->sensors = SENSOR_FANOTIFY;
    e->syscall = -1;
    e->boot_from_ns = cause->from_boot_ns;
    e->boot_ns = cause->to_boot_ns;
    e->time_ns = cause->to_real_ns;
    e->actor.pid = cause->pid;
    e->actor.gone = cause->gone;
    e->actor_presumed = cause->presumed;
    e->path_presumed = cause->moved;
    event_set(e, &e->note, bytes_of(cause->moved ? NOTE_MOVED : cause->note));
    return e;
}

struct event *fanotify_event_new(struct fanotify_object *o, enum operation operation,
                                 uint32_t directory, struct bytes name, const struct file_state *file,
                                 const struct fanotify_cause *cause)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct event *e = fanotify_event_bare(o, operation, cause);

    if (!e)
        return NULL;
    if (file && !fanotify_gone_is(file)) {
        int64_t changed = file->ctime_ns;

        e->file = *file;
        /* the kernel's own stamp, where it can be that of this change */
        if ((file->known & FILE_CTIME) && changed >= (int64_t)cause->from_real_ns &&
            changed <= (int64_t)cause->to_real_ns && operation != OPERATION_UNLINK &&
            operation != OPERATION_RMDIR && operation != OPERATION_REPLACE)
            e->time_ns = (uint64_t)changed;
    }
    if (fanotify_path(o, directory, name, &path) == 0)
        event_set(e, &e->path, sbuf_bytes(&path));
    else
        o->sensor->lost_paths++;
    return e;
}

void fanotify_send(struct fanotify_object *o, struct event *e, const struct fanotify_cause *cause)
{
    if (e && e->arena.failed) { /* without a path it would be about something else */
        o->sensor->lost_paths++;
        event_free(e);
        return;
    }
    if (e)
        fanotify_fold_add(o, e, cause);
}

void fanotify_gap(struct sensor *s, enum lost reason, uint64_t count, uint64_t from_real_ns, const char *text)
{
    emit_gap(&s->options, SENSOR_FANOTIFY, reason, count, from_real_ns, text);
}

void fanotify_object_gap(const struct fanotify_object *o, enum lost reason, uint64_t from_real_ns, const char *text)
{
    emit_object_gap(&o->sensor->options, SENSOR_FANOTIFY, reason, from_real_ns, &o->wanted, text);
}

void fanotify_replaced_gap(struct fanotify_object *o, uint64_t from_real_ns)
{
    /* a container's path was nobody's until now */
    if (from_real_ns && o->tree && (o->wanted.view == VIEW_HOST || o->wanted.view == VIEW_VOLUME))
        fanotify_object_gap(o, LOST_WATCH_WINDOW, from_real_ns,
                            "a folder above a watched path was replaced: what was done below it until it was watched");
}

