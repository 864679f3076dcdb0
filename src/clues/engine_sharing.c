/* SPDX-License-Identifier: MIT */
#include "clues/engine_sharing.h"

#include "clues/engine_events.h"
#include "engine/engine.h"
#include "util/cleanup.h"
#include "util/macro.h"

#define PATIENCE_MS 1500
#define SHARERS_MAX 8

/* The innermost mount that the host's path lies in; NULL: it lies in a layer. */
static const struct container_mount *mount_with(const struct container_view *view, struct bytes path)
{
    const struct container_mount *found = NULL;

    for (size_t i = 0; i < view->mount_count; i++)
        if (view->mounts[i].source.len && bytes_path_covers(view->mounts[i].source, path) &&
            (!found || view->mounts[i].source.len > found->source.len))
            found = &view->mounts[i];
    return found;
}

/* As the container calls it. */
static struct bytes path_inside(struct clues *c, const struct container_mount *mount, struct bytes path)
{
    struct bytes rest = { path.data + mount->source.len, path.len - mount->source.len };

    while (rest.len && rest.data[0] == '/')
        rest = (struct bytes){ rest.data + 1, rest.len - 1 };
    return rest.len ? arena_join_path(clues_arena(c), mount->destination, rest) : mount->destination;
}

static void put_sharer(struct sbuf *answer, const struct container_view *view, const struct container_mount *mount, struct bytes inside)
{
    const struct container *k = view->container;
    struct clue_fact f = { .kind = CLUE_RULE, .marks = CLUE_NAMES_ABOVE };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

    sbuf_addf(&text, "container %.*s", (int)k->name.len, k->name.data);
    if (k->image_name.len)
        sbuf_addf(&text, " (%.*s)", (int)k->image_name.len, k->image_name.data);
    if (mount)
        sbuf_addf(&text, " has it as %.*s%s%s", (int)inside.len, inside.data, mount->read_only ? ", read-only" : "",
                  view->running ? "" : "; it does not run now");
    else
        sbuf_addf(&text, " has it in a layer%s", view->running ? "" : "; it does not run now");
    f.text = sbuf_bytes(&text);
    clue_put(answer, &f);
}

static void put_start(struct sbuf *answer, const struct clue_question *q, const struct container *k)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = CLUE_STARTED, .from_ns = k->started_ns };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, whom = SBUF_INIT;

    if (!k->started_ns || clue_span_of(q, k->started_ns, CLUE_BEFORE_NS) < 0)
        return;
    sbuf_addf(&text, "container %.*s was started: its own entry point ran then", (int)k->name.len, k->name.data);
    sbuf_addf(&whom, "the entry point of container %.*s", (int)k->name.len, k->name.data);
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&whom);
    clue_put(answer, &f);
}

static int ask_one(struct clues *c, const struct container *k, struct sbuf *answer)
{
    const struct clues_options *o = clues_options(c);
    struct clue_question q = *clues_question(c);
    _cleanup_sbuf_ struct sbuf lines = SBUF_INIT;
    const struct container_mount *mount;
    struct container_view view = { 0 };
    struct bytes path = q.path;
    int r = engines_find(o->engines, k->runtime, k->id, &view, NULL);

    if (r < 0)
        return r;
    mount = mount_with(&view, path);
    if (mount) {
        q.path = path_inside(c, mount, path);
        q.written = BYTES_NULL;
    }
    put_sharer(answer, &view, mount, q.path);
    if (!mount || !mount->read_only) {
        put_start(answer, &q, view.container);
        r = engines_recent(o->engines, view.container, &lines, NULL);
        for (struct bytes rest = sbuf_bytes(&lines); rest.len;)
            engine_event(answer, &q, view.container, bytes_next_line(&rest));
    }
    container_view_done(&view);
    return r;
}

int engine_sharing_ask(struct clues *c, unsigned source, struct err *err)
{
    const struct clues_options *o = clues_options(c);
    _cleanup_sbuf_ struct sbuf answer = SBUF_INIT;
    struct container *found[SHARERS_MAX];
    bool all = true;
    size_t n;

    (void)err;
    if (o->view || !o->engines || o->removed.ns)
        return 0;
    engines_set_patience(o->engines, clues_time_left(c, PATIENCE_MS));
    n = engines_sharing(o->engines, clues_question(c)->path, found, ARRAY_SIZE(found), &all);
    if (!n && all)
        return 0;
    clue_put_cover(&answer, 0, 0);
    if (!all)
        clue_put_note(&answer, "not every container could be asked");
    for (size_t i = 0; i < n; i++) {
        (void)ask_one(c, found[i], &answer); /* one that is gone by now has nothing to say */
        container_unref(found[i]);
    }
    return clues_take(c, source, sbuf_bytes(&answer));
}
