/* SPDX-License-Identifier: MIT */
#include "watch/announce.h"

#include <stdio.h>
#include <sys/stat.h>

#include "foreign/mounts.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/macro.h"
#include "watch/objects.h"

#define SAID_MAX 8 /* containers of a plural watch announced one by one */

static struct bytes short_id(const struct container *c)
{
    return (struct bytes){ c->id.data, MIN(c->id.len, (size_t)12) };
}

void announce_resolved(struct watchset *set, const struct instance *i)
{
    const struct container *c = i->container;
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct watch *w = i->watch;

    if (selector_is_plural(&w->target.selector) && w->said++ >= SAID_MAX) {
        if (w->said == SAID_MAX + 1)
            set->options.notice(set->options.data, "... and more containers of this watch");
        return;
    }
    escape_terminal(&s, w->target.text);
    sbuf_add_str(&s, " is ");
    escape_terminal(&s, w->target.path);
    sbuf_add_str(&s, " of container ");
    escape_terminal(&s, c->name.len ? c->name : c->id);
    sbuf_add_str(&s, " (");
    escape_terminal(&s, c->runtime);
    if (c->image_name.len) {
        sbuf_add_str(&s, ", ");
        escape_terminal(&s, c->image_name);
    }
    sbuf_add_str(&s, ", ");
    escape_terminal(&s, short_id(c));
    sbuf_add_str(&s, i->up ? ")" : ", not running)");
    set->options.notice(set->options.data, sbuf_str(&s));
}

void announce_missing(struct watchset *set, struct watch *w, const struct place *places, size_t n, bool begins)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;
    struct stat st;

    for (size_t i = 0; i < n; i++)
        if (!foreign_way_answers(places[i].object.host_path) || lstat(places[i].object.host_path.data, &st) == 0)
            return;
    if (w->missing_said)
        return;
    w->missing_said = true;
    escape_terminal(&s, w->target.text);
    sbuf_add_str(&s, " does not exist yet; waiting for it");
    set->options.notice(set->options.data, sbuf_str(&s));
    if (begins)
        set->options.explain(set->options.data, WATCH_MISSING, 0, 0, w->target.text);
}

void announce_waiting(struct watchset *set, struct watch *w, const char *why)
{
    char text[LIMIT_ERR + 64];

    if (w->waiting_said)
        return;
    w->waiting_said = true;
    snprintf(text, sizeof(text), "%s; waiting for it", why);
    set->options.notice(set->options.data, text);
}

void announce_tmpfs(struct watchset *set, const struct instance *i, const struct place *places,
                          size_t n, uint64_t previous_start_ns)
{
    if (!i->up || !previous_start_ns || i->container->started_ns <= previous_start_ns)
        return;
    for (size_t k = 0; k < n; k++)
        if (places[k].object.view == VIEW_VOLUME && places[k].object.ns_pid)
            set->options.explain(set->options.data, WATCH_TMPFS_EMPTIED, i->container->started_ns, 0,
                                 places[k].victim_path);
}

void announce_mounted(struct watchset *set, const struct instance *i, const struct place *places, size_t n)
{
    for (const struct object *o = i->watch->objects; o; o = o->next) {
        bool used = false, has = false;

        for (size_t k = 0; k < o->use_count; k++)
            used |= o->uses[k].instance == i;
        for (size_t k = 0; k < n; k++)
            has |= places[k].object.view == VIEW_VOLUME && bytes_equal(places[k].object.path, o->place.object.path);
        if (used && !has && o->place.object.view == VIEW_VOLUME && !o->place.object.ns_pid && object_is_there(o))
            set->options.explain(set->options.data, WATCH_MOUNTED, i->container->created_ns, 0, o->place.object.path);
    }
}

void announce_recreated(struct watchset *set, struct instance *i, const struct container_view *view)
{
    const struct container *old = i->previous ? i->previous : i->container, *c = view->container;
    struct bytes layer = layer_of(view);

    if (!old || bytes_equal(old->id, c->id) || selector_is_plural(&i->watch->target.selector))
        return;
    if (!i->in_layer)
        ; /* a volume outlives its container */
    else if (!i->layer || !layer.len || !bytes_equal_str(layer, i->layer))
        set->options.explain(set->options.data, WATCH_RECREATED, c->created_ns, i->layer_files, c->name);
    if (old->image_name.len && c->image_name.len && !bytes_equal(old->image_name, c->image_name)) {
        _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

        escape_terminal(&s, c->name);
        sbuf_add_str(&s, " was created anew from another image: ");
        escape_terminal(&s, c->image_name);
        sbuf_add_str(&s, ", before it ");
        escape_terminal(&s, old->image_name);
        set->options.notice(set->options.data, sbuf_str(&s));
    }
    container_unref(TAKE_PTR(i->previous));
}
