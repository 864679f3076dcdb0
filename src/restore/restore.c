/* SPDX-License-Identifier: MIT */
#include "restore/restore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "compare/apart.h"
#include "compare/join.h"
#include "restore/place.h"
#include "restore/put.h"
#include "restore/writer.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* ---- what is not as it was ---- */

struct collected_items {
    const struct restore_options *options;
    struct restore_items *items;
    struct joiner *joiner;
    struct err *err;
};

static int on_difference(void *data, struct difference *d)
{
    struct collected_items *c = data;
    int r;

    if (d->kind == DIFFERENCE_TIMES && S_ISDIR(d->before.mode)) {
        r = restore_items_add_stale(c->items, d->path);
        difference_free(d);
        return r;
    }
    r = joiner_join(c->joiner, d, c->err);
    if (r < 0) {
        difference_free(d);
        return r;
    }
    r = restore_items_add(c->items, d);
    return r == -E2BIG ? err_say(c->err, r, "more than %d files differ: restore a part of them", LIMIT_RESTORE_ITEMS) : r;
}

static void on_notice(void *data, const char *text)
{
    const struct collected_items *c = data;

    c->options->notice(c->options->data, text);
}

static int collect(const struct container_view *view, struct bytes path, const struct restore_options *options,
                   struct restore_items *items, struct restore_summary *summary, struct err *err)
{
    struct collected_items c = { .options = options, .items = items, .err = err };
    struct compare_options compare = { .times = true, .data = &c, .each = on_difference, .notice = on_notice };
    struct arena arena = { 0 };
    struct bytes real;
    int r = joiner_new(options->store, options->query, &c.joiner, err);

    if (r == 0) {
        summary->watched_since = joiner_watched_since(c.joiner);
        r = compare_image_apart(view, path, &compare, &arena, &real, err);
    }
    joiner_free(c.joiner);
    arena_done(&arena);
    restore_items_sort(items);
    return r;
}

/* ---- as it was at a time ---- */

static void leave(struct restore_item *item, enum restore_outcome outcome, const char *why)
{
    item->outcome = outcome;
    snprintf(item->reason, sizeof(item->reason), "%s", why);
}

/* What the last recorded change, or else the disk, says of one item. */
static void judge_time(struct restore_item *item, uint64_t at_ns)
{
    const struct difference *d = item->difference;

    if (d->event ? d->event->time_ns < at_ns : d->changed_ns && d->changed_ns < at_ns)
        leave(item, RESTORE_EARLIER, "it was so at that time already");
    else if (!d->event)
        leave(item, RESTORE_EARLIER, "whether it was so at that time is not recorded");
}

/* Had it been changed by then, the image's content is older than what was there. */
static int judge_earlier_changes(const struct restore_options *options, struct restore_items *items, struct err *err)
{
    struct store_query until = *options->query;
    struct joiner *joiner = NULL;
    int r;

    until.until_ns = options->at_ns;
    r = joiner_new(options->store, &until, &joiner, err);
    for (size_t i = 0; r == 0 && i < items->count; i++) {
        struct restore_item *item = &items->all[i];
        struct difference *d = item->outcome == RESTORE_OPEN ? difference_new() : NULL;

        if (!d)
            continue;
        d->kind = DIFFERENCE_CONTENT;
        d->path = arena_copy(&d->arena, item->difference->path);
        d->host_path = arena_copy(&d->arena, item->difference->host_path);
        r = joiner_join(joiner, d, err);
        if (r == 0 && d->event)
            leave(item, RESTORE_EARLIER, "it had been written by that time: the image's is older");
        difference_free(d);
    }
    joiner_free(joiner);
    return r;
}

/* ---- putting it back ---- */

static void decide(const struct restore_options *options, struct restore_items *items)
{
    unsigned content = RESTORE_BIT(DIFFERENCE_TYPE) | RESTORE_BIT(DIFFERENCE_CONTENT);

    for (size_t i = 0; i < items->count; i++) {
        struct restore_item *item = &items->all[i];

        item->source = RESTORE_FROM_IMAGE;
        if (options->at_ns)
            judge_time(item, options->at_ns);
        if (item->outcome == RESTORE_OPEN && (item->kinds & content) && !options->force)
            leave(item, RESTORE_NEWER, "what is there is newer than the image's: --force replaces it");
    }
}

struct touched {
    struct bytes path;
    struct restore_item *made; /* it was put there itself; NULL: something in it was */
};

/* Deepest first; of one path that which was made first. */
static int by_depth(const void *a, const void *b)
{
    const struct touched *x = a, *y = b;
    size_t common = x->path.len < y->path.len ? x->path.len : y->path.len;
    int order = memcmp(y->path.data, x->path.data, common);

    if (order == 0)
        order = x->path.len < y->path.len ? 1 : x->path.len > y->path.len ? -1 : 0;
    return order ? order : !x->made - !y->made;
}

static int finish_directories(struct restore_writer *w, struct restore_items *items, bool stale_too)
{
    _cleanup_free_ struct touched *all = calloc(2 * items->count + items->stale_count + 1, sizeof(*all));
    size_t n = 0;

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < items->count; i++) {
        struct restore_item *item = &items->all[i];
        bool is_directory = S_ISDIR(item->difference->before.mode);

        if (item->outcome != RESTORE_DONE)
            continue;
        if (is_directory)
            all[n++] = (struct touched){ item->path, item->kinds & RESTORE_BIT(DIFFERENCE_MISSING) ? item : NULL };
        if (item->kinds & ~(RESTORE_BIT(DIFFERENCE_MODE) | RESTORE_BIT(DIFFERENCE_OWNER) | RESTORE_BIT(DIFFERENCE_XATTR)))
            all[n++] = (struct touched){ bytes_dirname(item->path), NULL };
    }
    for (size_t i = 0; i < items->stale_count && stale_too; i++)
        all[n++] = (struct touched){ bytes_of(items->stale[i]), NULL };
    qsort(all, n, sizeof(*all), by_depth);
    for (size_t i = 0; i < n; i++) {
        unsigned given = 0;

        if ((i > 0 && bytes_equal(all[i].path, all[i - 1].path)) || restore_items_has_grown(items, all[i].path))
            continue;
        (void)restore_writer_finish_directory(w, all[i].path, all[i].made, &given);
        if (all[i].made)
            all[i].made->given |= given;
    }
    return 0;
}

static int put_all(struct restore_writer *w, const struct restore_options *options, struct restore_items *items, struct err *err)
{
    sigset_t old;
    int r;

    for (size_t i = 0; i < items->count; i++) {
        struct restore_item *item = &items->all[i];

        if (item->outcome != RESTORE_OPEN)
            continue;
        put_hold_signals(&old);
        restore_writer_put(w, item);
        (void)sigprocmask(SIG_SETMASK, &old, NULL);
    }
    r = finish_directories(w, items, !options->at_ns);
    if (r == 0 && !w->view->running && place_is_mounted(w->view->upper) == 1)
        options->notice(options->data, "the container was started meanwhile: restart it, so that it sees what was put back");
    return r < 0 ? err_set(err, r, "putting it back") : 0;
}

/* Nothing else differs: what was put back when its directory could not be finished has left the times behind. Nobody asks for
 * those alone, so that a layer that cannot be written to is no failure. */
static int finish_stale(const struct container_view *view, const struct restore_options *options, struct restore_items *items)
{
    struct restore_writer w = { 0 };
    int r;

    if (!items->stale_count || options->at_ns || restore_writer_open(view, &w, NULL) < 0)
        return 0;
    w.held = options->held;
    r = finish_directories(&w, items, true);
    restore_writer_done(&w);
    return r;
}

int restore_image(const struct container_view *view, struct bytes path, const struct restore_options *options,
                  struct restore_items *ret, struct restore_summary *ret_summary, struct err *err)
{
    struct restore_writer w = { 0 };
    uint64_t begin;
    int r = collect(view, path, options, ret, ret_summary, err);

    if (r < 0)
        return r;
    if (!ret->count)
        return options->dry_run ? 0 : finish_stale(view, options, ret);
    decide(options, ret);
    if (options->at_ns && options->store) {
        r = judge_earlier_changes(options, ret, err);
        if (r < 0)
            return r;
    }
    begin = clock_ns(CLOCK_MONOTONIC);
    if (options->dry_run) {
        for (size_t i = 0; i < ret->count; i++)
            if (ret->all[i].outcome == RESTORE_OPEN)
                ret->all[i].outcome = RESTORE_PLANNED;
        return 0;
    }
    r = restore_writer_open(view, &w, err);
    if (r < 0)
        return r;
    w.held = options->held;
    r = put_all(&w, options, ret, err);
    restore_writer_done(&w);
    ret_summary->took_ns = clock_ns(CLOCK_MONOTONIC) - begin;
    return r;
}
