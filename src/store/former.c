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
    struct bytes written; /* the watch's one target; valid until the next span */
    struct bytes led_to[FORMER_MAX]; /* by the watch's target */
    struct store_former places[FORMER_MAX];
    size_t count;
    struct arena arena;
};

/* The target of a watch that has only this one: of several it is not recorded which of them led to a place. */
static bool only_target(struct bytes watch, struct selector *selector, struct bytes *ret)
{
    struct bytes target, more;

    if (!coverage_next_target(&watch, &target) || coverage_next_target(&watch, &more) || selector_parse(target, selector, ret, NULL) < 0)
        return false;
    while (ret->len > 1 && ret->data[ret->len - 1] == '/')
        ret->len--;
    return ret->len && ret->data[0] == '/';
}

static bool is_asked(const struct coverage_asking *a, const struct coverage_place *p)
{
    return bytes_known(a->query->container) ? coverage_is_asked_container(a, p) : p->kind == SELECTOR_NONE;
}

/* False: it was not watched as what is asked for, nor as something above that. */
static bool begin_span(const struct coverage_asking *a, sqlite3_stmt *row, struct led_span *s)
{
    const struct coverage_life life = coverage_read_life(row, 2);
    struct selector selector;
    struct bytes written;
    bool unclean;

    if (!only_target(db_column_bytes(row, 1), &selector, &written) || !bytes_path_covers(written, a->query->path))
        return false;
    arena_done(&s->arena);
    *s = (struct led_span){ .end_ns = coverage_end_ns(&life, &unclean), .written = written };
    return true;
}

/* What lies within the watched path is no place that it led to, nor what lies within such a place. */
static int add(const struct coverage_asking *a, const struct coverage_place *p, struct led_span *s)
{
    struct store_former *f = &s->places[s->count];

    if (s->count == FORMER_MAX || !is_asked(a, p) || !p->path.len || bytes_path_covers(s->written, p->path))
        return 0;
    for (size_t i = 0; i < s->count; i++)
        if (bytes_path_covers(s->led_to[i], p->path))
            return 0;
    *f = (struct store_former){ arena_join_path(&s->arena, p->path, bytes_path_below(s->written, a->query->path)), p->from_ns, 0 };
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

static int add_places(const struct coverage_asking *a, int64_t row, struct led_span *s)
{
    int r = 0;

    sqlite3_bind_int64(a->places, 1, row);
    while (r == 0 && sqlite3_step(a->places) == SQLITE_ROW) {
        struct coverage_place p;

        coverage_read_place(a->places, &p);
        r = add(a, &p, s);
    }
    sqlite3_reset(a->places);
    return r;
}

static int each_span(const struct coverage_asking *a, int (*each)(void *, const struct store_former *), void *data, struct err *err)
{
    struct store *store = a->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    struct led_span s = { 0 };
    sqlite3_stmt *rows = NULL;
    int r;

    sbuf_add_str(&sql, "SELECT c.row, c.watch, ");
    coverage_life_columns(a, "c.", &sql);
    sbuf_add_str(&sql, " FROM coverage c ORDER BY c.row");
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err);
    while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
        if (!begin_span(a, rows, &s))
            continue;
        r = add_places(a, sqlite3_column_int64(rows, 0), &s);
        if (r == 0)
            r = end_span(&s, each, data);
    }
    if (r == -ENOMEM)
        (void)err_set(err, r, "where %s led", "the path");
    sqlite3_finalize(rows);
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
