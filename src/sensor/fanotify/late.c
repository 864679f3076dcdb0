/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/late.h"

#include <string.h>

#include "event/operation.h"
#include "sensor/fanotify/appear.h"
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/overlay.h"
#include "sensor/fanotify/unexplained.h"
#include "util/limits.h"

/* ---- names that a listing found ---- */

static void emit_found(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause)
{
    char text[LIMIT_NAME + 1];

    if (o->wanted.view == VIEW_UPPER)
        fanotify_upper_appeared(o, tree_parent_of(o->tree, name), tree_name(o->tree, name, text), NULL, NULL, cause);
    else
        fanotify_emit_new(o, name, NULL, cause);
}

void fanotify_late_found_name(struct fanotify_object *o, uint32_t name)
{
    const struct fanotify_cause *cause = fanotify_found_take(o, name);

    if (cause)
        emit_found(o, name, cause);
}

void fanotify_late_found(struct sensor *s)
{
    fanotify_found_take_all(s, emit_found);
}

/* ---- ends of directories that are gone ---- */

static void emit_end(const struct fanotify_end *w)
{
    uint32_t name = w->object->tree ? tree_first_name(w->object->tree, w->directory) : 0;
    char text[LIMIT_NAME + 1];
    struct bytes base;
    struct tree_change change;
    struct file_state state;

    if (!name)
        return;
    tree_state(w->object->tree, w->directory, &state);
    if (!fanotify_gone_is(&state))
        return; /* the number is another one's */
    fanotify_late_gone_at(w->object, name); /* first those that were in it */
    base = tree_name(w->object->tree, name, text);
    fanotify_send(w->object, fanotify_event_new(w->object, OPERATION_RMDIR, tree_parent_of(w->object->tree, name), base, NULL, &w->cause), &w->cause);
    tree_remove(w->object->tree, name, &change);
}

void fanotify_late_end(struct fanotify_object *o, uint32_t directory, const struct fanotify_cause *cause)
{
    struct fanotify_end oldest;

    if (fanotify_gone_is_full(o->sensor) && fanotify_gone_take(o->sensor, &oldest))
        emit_end(&oldest);
    fanotify_gone_end(o, directory, cause);
}

void fanotify_late_gone_at(struct fanotify_object *o, uint32_t name)
{
    uint32_t directory = tree_object_of(o->tree, name);
    struct fanotify_end w;

    while (fanotify_gone_take_at(o, directory, &w))
        emit_end(&w);
}

void fanotify_late_gone(struct sensor *s)
{
    struct fanotify_end w;

    while (fanotify_gone_take(s, &w))
        emit_end(&w);
}

/* ---- attributes that differ ---- */

void fanotify_late_unexplained(struct sensor *s, uint64_t now_ms)
{
    struct fanotify_old_change c;

    while (fanotify_unexplained_take_old(s, now_ms, &c)) {
        struct fanotify_cause cause = { .from_real_ns = c.from_real_ns,
                                        .from_boot_ns = c.from_boot_ns,
                                        .to_real_ns = clock_ns(CLOCK_REALTIME),
                                        .to_boot_ns = clock_ns(CLOCK_BOOTTIME),
                                        .presumed = true, /* another sensor may know who */
                                        .note = c.renamed ? "one of the file's names: it was renamed in the same moments; found by looking: the kernel did not say who"
                                                          : "found by looking: the kernel did not say who" };

        if (c.object->wanted.view != VIEW_UPPER && !c.emitted && !fanotify_unexplained_is_uncertain(&c.change))
            fanotify_emit_unexplained(c.object, &c.change, &cause);
    }
}
