/* SPDX-License-Identifier: MIT */
/* Where a watched path led by links that lead elsewhere now, or that nobody can read any more. */
#include "store/query.h"

#include <errno.h>

#include "store/coverage_asking.h"
#include "store/schema.h"
#include "store/select.h"
#include "util/arena.h"
#include "util/clock.h"
#include "util/macro.h"

#define AT_ONCE_NS NS_PER_S /* the links of one path are noted one after the other */
#define FORMER_MAX 64       /* of one span of observation */

struct led_span {
    uint64_t end_ns;
    struct bytes only; /* the watch's target where it has one alone; valid until the next span */
    struct bytes led_to[FORMER_MAX]; /* by the watch's target */
    struct store_former places[FORMER_MAX];
    size_t count;
    struct arena arena;
};

static struct bytes without_slashes(struct bytes path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return path.len && path.data[0] == '/' ? path : BYTES_NULL;
}

/* Where it is not recorded which target led to a place: the target of a watch that has only this one. */
static struct bytes only_target(struct bytes watch)
{
    struct bytes target, more, path;
    struct selector selector;

    if (!coverage_next_target(&watch, &target) || coverage_next_target(&watch, &more) || selector_parse(target, &selector, &path, NULL) < 0)
        return BYTES_NULL;
    return without_slashes(path);
}

static bool is_asked(const struct coverage_asking *a, const struct coverage_place *p)
{
    return bytes_known(a->query->container) ? coverage_is_asked_container(a, p) : p->kind == SELECTOR_NONE;
}

/* What lies within the watched path is no place that it led to, nor what lies within such a place. */
static int add(const struct coverage_asking *a, const struct coverage_place *p, struct led_span *s)
{
    struct bytes written = p->target.len ? p->target : s->only;
    struct store_former *f = &s->places[s->count];

    if (s->count == FORMER_MAX || !written.len || !p->path.len || !bytes_path_covers(written, a->query->path) ||
        bytes_path_covers(written, p->path) || coverage_is_scratch(p) || !is_asked(a, p))
        return 0;
    for (size_t i = 0; i < s->count; i++)
        if (bytes_path_covers(s->led_to[i], p->path))
            return 0;
    *f = (struct store_former){ arena_join_path(&s->arena, p->path, bytes_path_below(written, a->query->path)), p->from_ns, 0 };
    s->led_to[s->count] = arena_copy(&s->arena, p->path);
    if (!f->path.data || !s->led_to[s->count].data)
        return -ENOMEM;
    s->count++;
    return 0;
}

static int end_span(struct led_span *s, int (*each)(void *, const struct store_former *), void *data)
{
    int r = 0;

    for (size_t i = 0; i < s->count && r == 0; i++) {
        struct store_former *f = &s->places[i];

        f->to_ns = s->end_ns;
        for (size_t j = 0; j < s->count; j++)
            if (s->places[j].from_ns > f->from_ns + AT_ONCE_NS && (!f->to_ns || s->places[j].from_ns < f->to_ns))
                f->to_ns = s->places[j].from_ns;
        r = each(data, f);
    }
    s->count = 0;
    return r;
}

static int add_places(const struct coverage_asking *a, sqlite3_stmt *places, int64_t row, struct led_span *s)
{
    int r = 0;

    sqlite3_bind_int64(places, 1, row);
    while (r == 0 && sqlite3_step(places) == SQLITE_ROW) {
        struct coverage_place p;

        coverage_read_place(places, &p);
        p.target = db_column_bytes(places, 9);
        r = add(a, &p, s);
    }
    sqlite3_reset(places);
    return r;
}

static int begin_spans(const struct coverage_asking *a, sqlite3_stmt **ret_spans, sqlite3_stmt **ret_places, struct err *err)
{
    struct store *store = a->store;
    bool targets = schema_has_column(store->db, store->path, "coverage_place", "target");
    _cleanup_sbuf_ struct sbuf spans = SBUF_INIT, places = SBUF_INIT;
    int r;

    sbuf_addf(&places, "SELECT " COVERAGE_PLACE_COLUMNS ", %s FROM coverage_place p WHERE p.coverage = ? ORDER BY p.row", targets ? "p.target" : "NULL");
    sbuf_add_str(&spans, "SELECT c.row, c.watch, ");
    coverage_life_columns(a, "c.", &spans);
    sbuf_add_str(&spans, " FROM coverage c ORDER BY c.row");
    r = db_prepare(store->db, store->path, sbuf_str(&spans), ret_spans, err);
    return r < 0 ? r : db_prepare(store->db, store->path, sbuf_str(&places), ret_places, err);
}

static int each_span(const struct coverage_asking *a, int (*each)(void *, const struct store_former *), void *data, struct err *err)
{
    sqlite3_stmt *spans = NULL, *places = NULL;
    int r = begin_spans(a, &spans, &places, err);
    struct led_span s = { 0 };

    while (r == 0 && sqlite3_step(spans) == SQLITE_ROW) {
        const struct coverage_life life = coverage_read_life(spans, 2);
        bool unclean;

        s.end_ns = coverage_end_ns(&life, &unclean);
        s.only = only_target(db_column_bytes(spans, 1));
        r = add_places(a, places, sqlite3_column_int64(spans, 0), &s);
        if (r == 0)
            r = end_span(&s, each, data);
        arena_done(&s.arena);
    }
    if (r == -ENOMEM)
        (void)err_set(err, r, "where %s led", "the path");
    sqlite3_finalize(spans);
    sqlite3_finalize(places);
    arena_done(&s.arena);
    return r;
}

int store_each_former(struct store *store, const struct store_query *query, int (*each)(void *data, const struct store_former *former),
                      void *data, struct err *err)
{
    struct coverage_asking a = { .store = store, .query = query };
    struct store_query kept;
    int r;

    if (query->kind == SELECTOR_VOLUME || !bytes_known(query->path))
        return 0;
    r = select_begin(store, query, &kept, err);
    if (r == 0)
        r = coverage_prepare(&a, err);
    if (r == 0 && a.places)
        r = each_span(&a, each, data, err);
    coverage_asking_done(&a);
    return r;
}
