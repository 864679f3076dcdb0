/* SPDX-License-Identifier: MIT */
#include "clues/image.h"

#include <errno.h>

#include "clues/anew.h"
#include "compare/apart.h"
#include "util/cleanup.h"

#define AT_ONCE_NS (2 * NS_PER_S)
#define ENOUGH 1000 /* differences; more of them say nothing more */

struct comparing_image {
    struct clues *clues;
    unsigned source;
    unsigned count;
};

static enum clue_kind kind_of(const struct difference *d)
{
    return d->kind == DIFFERENCE_MISSING ? CLUE_MISSING : d->kind == DIFFERENCE_ADDED ? CLUE_ADDED : CLUE_CHANGED;
}

static void put_state(struct sbuf *s, const struct difference *d)
{
    switch (d->kind) {
    case DIFFERENCE_MISSING:
        sbuf_add_str(s, d->deleted_by == DELETED_WHITEOUT ? "is in the image, and was deleted: the container's layer has a whiteout of it"
                        : d->deleted_by == DELETED_OPAQUE ? "is in the image, and was deleted: its directory was made anew in the container's layer"
                                                          : "is in the image, and missing now");
        break;
    case DIFFERENCE_ADDED:
        sbuf_add_str(s, "is not in the image");
        break;
    case DIFFERENCE_MODE:
        sbuf_addf(s, "mode %04o in the image, now %04o", d->before.mode & 07777, d->after.mode & 07777);
        break;
    case DIFFERENCE_OWNER:
        sbuf_addf(s, "owner %u:%u in the image, now %u:%u", d->before.uid, d->before.gid, d->after.uid, d->after.gid);
        break;
    default:
        sbuf_addf(s, "%s is not as in the image", difference_kind_name(d->kind));
        break;
    }
}

static int on_difference(void *data, struct difference *d)
{
    struct comparing_image *i = data;
    struct clue_fact f = { .kind = kind_of(d), .marks = CLUE_LATEST, .from_ns = d->changed_ns, .path = d->path };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int r;

    /* a whiteout that was made when its directory changed last: that was the deletion */
    if (d->not_before_ns && d->changed_ns - d->not_before_ns <= AT_ONCE_NS) {
        f.from_ns = d->not_before_ns;
        f.to_ns = d->changed_ns;
        f.marks = CLUE_EXACT;
    }
    if (!f.from_ns && (d->after.known & FILE_CTIME) && d->after.ctime_ns > 0)
        f.from_ns = (uint64_t)d->after.ctime_ns;
    put_state(&text, d);
    f.text = sbuf_bytes(&text);
    r = clues_add(i->clues, i->source, &f);
    difference_free(d);
    return r < 0 ? r : ++i->count >= ENOUGH;
}

static void on_notice(void *data, const char *text)
{
    const struct comparing_image *i = data;

    clues_set_report(i->clues, i->source, CLUE_STATE_READ, bytes_of(text));
}

static int put_removed(struct clues *c, unsigned source)
{
    const struct removed_thing *removed = &clues_options(c)->removed;
    struct clue_fact f = { .kind = CLUE_MISSING, .marks = CLUE_EXACT, .from_ns = removed->ns, .text = removed->text };

    return clues_add(c, source, &f);
}

int image_ask(struct clues *c, unsigned source, struct err *err)
{
    struct comparing_image i = { c, source, 0 };
    struct compare_options options = { .data = &i, .each = on_difference, .notice = on_notice };
    const struct container_view *view = clues_options(c)->view;
    struct err own = ERR_INIT;
    struct bytes path;
    int r;

    (void)err;
    if (clues_options(c)->removed.ns)
        return put_removed(c, source);
    if (!view)
        return 0; /* the host has none */
    r = compare_image_apart(view, clues_question(c)->path, &options, clues_arena(c), &path, &own);
    if (r < 0 && r != -ENOENT)
        clues_set_report(c, source, CLUE_STATE_FAILED, bytes_of(err_text(&own, r)));
    else
        clues_set_report(c, source, CLUE_STATE_READ, BYTES_NULL);
    if (r == 0 && !i.count) {
        struct clue_fact f = { .kind = CLUE_INTACT, .text = bytes_of("nothing differs from the image") };

        r = clues_add(c, source, &f);
    }
    return r == -ENOMEM ? r : 0;
}

/* What its making or its start means for what was there. */
struct life_event {
    uint64_t ns;
    unsigned marks;
    const char *what, *suspect; /* suspect: before the container's name; NULL: it is only shown */
};

static int put_life(struct clues *c, unsigned source, const struct life_event *e)
{
    const struct container *k = clues_options(c)->view->container;
    const struct clue_question *q = clues_question(c);
    struct clue_fact f = { .kind = CLUE_HAPPENED, .marks = e->marks, .from_ns = e->ns };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, whom = SBUF_INIT;

    if (!e->ns || (!(e->marks & CLUE_RECREATES) && clue_span_of(q, e->ns, CLUE_BEFORE_NS) < 0))
        return 0;
    sbuf_addf(&text, "container %.*s %s", (int)k->name.len, k->name.data, e->what);
    if (k->image_name.len)
        sbuf_addf(&text, " (%.*s)", (int)k->image_name.len, k->image_name.data);
    if (e->suspect) {
        sbuf_add_str(&whom, e->suspect);
        sbuf_add_bytes(&whom, k->name);
    }
    f.text = sbuf_bytes(&text);
    f.suspect = sbuf_bytes(&whom);
    return clues_add(c, source, &f);
}

/* What is mounted there outlives the container, or begins with each start: only what is in its layer is gone with an earlier one. */
int image_ask_life(struct clues *c, unsigned source, struct err *err)
{
    static const struct life_event made[] = {
        [PLACE_LAYER] = { .marks = CLUE_RECREATES | CLUE_STARTED, .suspect = "the making anew of container ",
                          .what = "was made anew from its image: what an earlier one had in its writable layer is gone with that" },
        [PLACE_NAMELESS] = { .marks = CLUE_RECREATES | CLUE_STARTED, .suspect = "the making anew of container ",
                             .what = "was made anew: with a volume without a name, so that what an earlier one had there is not in it" },
        [PLACE_TMPFS] = { .what = "was made anew from its image" },
        [PLACE_LASTING] = { .what = "was made anew from its image; what is mounted there outlives it" },
    };
    const struct clues_options *o = clues_options(c);
    struct life_event event;
    enum lasting_place place;
    int r;

    (void)err;
    if (!o->view)
        return 0;
    place = anew_place(o->view, o->path);
    clues_set_report(c, source, CLUE_STATE_READ, BYTES_NULL);
    event = made[place];
    event.ns = o->view->container->created_ns;
    r = put_life(c, source, &event);
    event = (struct life_event){ o->view->container->started_ns, CLUE_STARTED, "was started: its own entry point ran then", "the entry point of container " };
    if (r == 0)
        r = put_life(c, source, &event);
    event = (struct life_event){ o->view->container->started_ns, CLUE_RECREATES | CLUE_STARTED, "was started: a tmpfs of it is empty then",
                                 "the start with an empty tmpfs of container " };
    return r == 0 && place == PLACE_TMPFS ? put_life(c, source, &event) : r;
}
