/* SPDX-License-Identifier: MIT */
/* Which spans of observation looked at what is asked for, and how far. */
#include "store/coverage.h"

#include <stdio.h>
#include <string.h>

#include "store/coverage_asking.h"
#include "store/floor.h"
#include "store/observer.h"
#include "store/schema.h"
#include "store/select.h"
#include "util/clock.h"
#include "util/macro.h"

#define ONLY_MAX 16 /* places below what is asked for that are named */

/* How a span lies to what is asked for. */
struct span_answer {
    bool whole;
    unsigned permissions; /* of what covers the whole; else of the parts */
    uint64_t from_ns;     /* the first of those */
    unsigned only_count;
    struct sbuf only;
};

static bool has_places(struct store *store)
{
    sqlite3_stmt *s = NULL;
    bool found = db_prepare(store->db, store->path, "SELECT 1 FROM sqlite_master WHERE name = 'coverage_place'", &s,
                            NULL) == 0 &&
                 sqlite3_step(s) == SQLITE_ROW;

    sqlite3_finalize(s);
    return found;
}

void coverage_read_place(sqlite3_stmt *s, struct coverage_place *p)
{
    *p = (struct coverage_place){
        .kind = (enum selector_kind)sqlite3_column_int(s, 0),
        .permissions = (unsigned)sqlite3_column_int(s, 1),
        .from_ns = (uint64_t)sqlite3_column_int64(s, 2),
        .runtime = db_column_bytes(s, 3),
        .selector = db_column_bytes(s, 4),
        .container_id = db_column_bytes(s, 5),
        .container_name = db_column_bytes(s, 6),
        .path = db_column_bytes(s, 7),
        .host_path = db_column_bytes(s, 8),
    };
}

/* ---- whose files ---- */

static int is_there(void *data, int64_t row)
{
    (void)row;
    *(bool *)data = true;
    return 1;
}

/* Does what was watched mean one of the containers that are asked for? */
static bool means_asked_container(struct store *store, const struct selector *watched)
{
    bool found = false;

    (void)select_each_container(store, "row IN (SELECT row FROM temp.asked_container)", BYTES_NULL, watched,
                                is_there, &found, NULL);
    return found;
}

static bool is_asked_id(const struct coverage_asking *a, struct bytes id)
{
    bool found = false;

    if (!id.len || !a->container)
        return false;
    db_bind_bytes(a->container, 1, id);
    found = sqlite3_step(a->container) == SQLITE_ROW;
    sqlite3_reset(a->container);
    return found;
}

bool coverage_is_asked_container(const struct coverage_asking *a, const struct coverage_place *p)
{
    struct selector asked = select_selector(a->query), watched = { p->kind, p->runtime, p->selector };
    struct container c = { .id = p->container_id, .name = p->container_name, .runtime = p->runtime };

    if (p->kind == SELECTOR_NONE || p->kind == SELECTOR_VOLUME)
        return false;
    if (asked.kind == p->kind && bytes_equal(asked.text, p->selector))
        return true;
    asked.runtime = BYTES_NULL; /* the watch names it only where its user did */
    if ((p->container_id.len || p->container_name.len) && selector_matches(&asked, &c))
        return true;
    if (p->container_id.len)
        return is_asked_id(a, p->container_id);
    return means_asked_container(a->store, &watched);
}

/* ---- how far ---- */

static void add_only(struct span_answer *answer, struct bytes path)
{
    const char *at = answer->only.data, *end = at + answer->only.len;

    for (; at && at < end; at += strlen(at) + 1)
        if (bytes_equal_str(path, at))
            return;
    if (answer->only_count++ >= ONLY_MAX)
        return;
    sbuf_add_bytes(&answer->only, path);
    sbuf_add(&answer->only, "", 1);
}

static void add_part(struct span_answer *answer, unsigned permissions, uint64_t from_ns, bool whole)
{
    if (whole && !answer->whole) {
        answer->permissions = 0;
        answer->from_ns = 0;
    }
    if (answer->whole && !whole)
        return;
    answer->whole |= whole;
    answer->permissions |= permissions;
    if (!answer->from_ns || from_ns < answer->from_ns)
        answer->from_ns = from_ns;
}

/* One pair of paths of the same world. shown: what is asked for as its user knows it, where that is another path. */
static void compare_paths(struct span_answer *answer, const struct coverage_place *p, struct bytes place, struct bytes asked,
                          struct bytes shown)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    if (!place.len || !bytes_known(asked))
        return;
    if (bytes_path_covers(place, asked)) {
        add_part(answer, p->permissions, p->from_ns, true);
    } else if (bytes_path_covers(asked, place)) {
        add_part(answer, p->permissions, p->from_ns, false);
        sbuf_add_bytes(&s, shown);
        sbuf_add(&s, place.data + asked.len, place.len - asked.len);
        add_only(answer, sbuf_bytes(&s));
    }
}

static void compare_place(const struct coverage_asking *a, const struct coverage_place *p, struct span_answer *answer)
{
    const struct store_query *q = a->query;
    struct bytes host = p->kind == SELECTOR_NONE ? p->path : p->host_path;

    if (q->any_victim || !bytes_known(q->path)) {
        add_part(answer, p->permissions, p->from_ns, true);
    } else if (!bytes_known(q->container)) {
        compare_paths(answer, p, host, q->path, q->path);
    } else {
        if (coverage_is_asked_container(a, p))
            compare_paths(answer, p, p->path, q->path, q->path);
        compare_paths(answer, p, host, q->host_path, q->path);
    }
}

/* ---- spans of before places were kept: the text says what was watched ---- */

static bool target_covers(struct store *store, const struct store_query *q, struct bytes target)
{
    struct selector watched;
    struct bytes path;

    if (q->any_victim)
        return true;
    if (selector_parse(target, &watched, &path, NULL) < 0)
        return false;
    if (watched.kind == SELECTOR_VOLUME) /* its place on the host is not in the text */
        return !bytes_known(q->container);
    if (bytes_known(q->container) != (watched.kind != SELECTOR_NONE))
        return false;
    if (watched.kind != SELECTOR_NONE &&
        !(watched.kind == (q->kind ? q->kind : SELECTOR_NAME) && bytes_equal(watched.text, q->container)) &&
        !means_asked_container(store, &watched))
        return false;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    /* what was written relative to some directory may be anything */
    return !path.len || path.data[0] != '/' || !bytes_known(q->path) ||
           bytes_path_covers(path, q->path) || bytes_path_covers(q->path, path);
}

bool coverage_next_target(struct bytes *watch, struct bytes *ret)
{
    while (watch->len) {
        const char *space = memchr(watch->data, ' ', watch->len);
        size_t n = space ? (size_t)(space - watch->data) : watch->len;

        *ret = (struct bytes){ watch->data, n };
        n += space != NULL;
        *watch = (struct bytes){ watch->data + n, watch->len - n };
        if (ret->len)
            return true;
    }
    return false;
}

static void compare_text(const struct coverage_asking *a, const struct coverage *c, struct span_answer *answer)
{
    struct bytes watch = c->watch, target;

    while (coverage_next_target(&watch, &target))
        if (target_covers(a->store, a->query, target))
            add_part(answer, 0, c->from_ns, true);
}

/* ---- the question ---- */

static int compare_span(const struct coverage_asking *a, int64_t row, const struct coverage *c, struct span_answer *answer,
                        struct err *err)
{
    bool any = false;
    int code = SQLITE_DONE;

    if (a->places)
        sqlite3_bind_int64(a->places, 1, row);
    while (a->places && (code = sqlite3_step(a->places)) == SQLITE_ROW) {
        struct coverage_place p;

        coverage_read_place(a->places, &p);
        compare_place(a, &p, answer);
        any = true;
    }
    if (a->places)
        sqlite3_reset(a->places);
    if (code != SQLITE_DONE)
        return db_error(a->store->db, a->store->path, err);
    if (!any)
        compare_text(a, c, answer);
    return 0;
}

void coverage_life_columns(const struct coverage_asking *a, const char *prefix, struct sbuf *out)
{
    sbuf_addf(out, "%sto_ns, %salive_ns", prefix, prefix);
    sbuf_addf(out, a->beats ? ", %sbeat_ns" : ", NULL", prefix);
    sbuf_addf(out, a->observers ? ", %sobserver" : ", NULL", prefix);
}

struct coverage_life coverage_read_life(sqlite3_stmt *row, int first)
{
    return (struct coverage_life){
        .to_ns = (uint64_t)sqlite3_column_int64(row, first),
        .alive_ns = (uint64_t)sqlite3_column_int64(row, first + 1),
        .beat_ns = (uint64_t)sqlite3_column_int64(row, first + 2),
        .observer = db_column_bytes(row, first + 3),
    };
}

uint64_t coverage_end_ns(const struct coverage_life *life, bool *ret_unclean)
{
    uint64_t now = life->to_ns ? 0 : clock_ns(CLOCK_REALTIME);

    *ret_unclean = !life->to_ns && !observer_is_alive(life->observer, MAX(life->alive_ns, life->beat_ns), now);
    return !life->to_ns && (*ret_unclean || now > life->alive_ns + STORE_DEAD_NS) ? life->alive_ns : life->to_ns;
}

static bool is_in_time(const struct store_query *q, const struct coverage *c)
{
    return !(c->to_ns && c->to_ns < q->since_ns) && !(q->until_ns && c->from_ns > q->until_ns);
}

/*
 * When one that was killed had ended. Had it lived for longer it would have written so, whether it came to read or not. Where the machine
 * went down with it the last that it wrote may be gone; but what a later one wrote is behind that in the same file, so that it ended before
 * the next one began.
 */
static int find_gone(const struct coverage_asking *a, const struct coverage_life *life, struct coverage *c, struct err *err)
{
    const struct store *s = a->store;
    uint64_t next_ns = clock_ns(CLOCK_REALTIME);
    sqlite3_stmt *row = NULL;
    int r;

    c->gone_ns = c->beat_ns + STORE_ALIVE_NS;
    if (!observer_is_of_another_boot(life->observer))
        return 0;
    r = db_prepare(s->db, s->path, "SELECT min(from_ns) FROM coverage WHERE from_ns > ?", &row, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(row, 1, (sqlite3_int64)c->beat_ns);
    if (sqlite3_step(row) != SQLITE_ROW)
        r = db_error(s->db, s->path, err);
    else if (sqlite3_column_type(row, 0) != SQLITE_NULL)
        next_ns = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    c->gone_ns = MAX(c->gone_ns, MIN(next_ns, c->gone_ns + STORE_UNWRITTEN_NS));
    return r;
}

static int add_span(const struct coverage_asking *a, sqlite3_stmt *rows, int (*each)(void *, const struct coverage *), void *data,
                     struct err *err)
{
    const struct coverage_life life = coverage_read_life(rows, 8);
    struct span_answer answer = { .only = SBUF_INIT };
    struct coverage c = {
        .sensors = (unsigned)sqlite3_column_int(rows, 1),
        .from_ns = (uint64_t)sqlite3_column_int64(rows, 2),
        .watch = db_column_bytes(rows, 3),
        .not_seen = db_column_bytes(rows, 4),
        .host_id = db_column_bytes(rows, 5),
        .host_name = db_column_bytes(rows, 6),
        .narrowed = db_column_bytes(rows, 7),
        .beat_ns = MAX(life.alive_ns, life.beat_ns),
    };
    int r;

    c.to_ns = coverage_end_ns(&life, &c.unclean);
    r = c.unclean ? find_gone(a, &life, &c, err) : 0;
    if (r == 0 && (c.unclean || !a->only_unclean) && is_in_time(a->query, &c))
        r = compare_span(a, sqlite3_column_int64(rows, 0), &c, &answer, err);
    if (r == 0 && (answer.whole || answer.only_count)) {
        c.permissions = answer.permissions;
        c.begun_ns = c.from_ns;
        c.from_ns = MAX(MAX(answer.from_ns, a->floor_ns), c.from_ns);
        if (!answer.whole)
            c.only = sbuf_bytes(&answer.only);
        if (is_in_time(a->query, &c))
            r = each(data, &c);
    }
    sbuf_done(&answer.only);
    return r;
}

int coverage_prepare(struct coverage_asking *a, struct err *err)
{
    struct store *s = a->store;
    int r;

    a->beats = schema_has_column(s->db, s->path, "coverage", "beat_ns");
    if (!has_places(s))
        return 0;
    a->observers = schema_has_column(s->db, s->path, "coverage", "observer");
    r = db_prepare(s->db, s->path, "SELECT " COVERAGE_PLACE_COLUMNS " FROM coverage_place p WHERE p.coverage = ? ORDER BY p.row",
                   &a->places, err);
    if (r == 0)
        r = db_prepare(s->db, s->path,
                       "SELECT 1 FROM container WHERE cid = ? AND row IN (SELECT row FROM temp.asked_container)",
                       &a->container, err);
    return r;
}

void coverage_asking_done(struct coverage_asking *a)
{
    sqlite3_finalize(a->places);
    sqlite3_finalize(a->container);
}

static int each_span(struct store *store, const struct store_query *asked, bool only_unclean,
                     int (*each)(void *data, const struct coverage *coverage), void *data, struct err *err)
{
    struct store_query kept, *query = &kept;
    struct coverage_asking a = { .store = store, .query = query, .only_unclean = only_unclean };
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE;
    int r = select_begin(store, asked, &kept, err);

    if (r == 0)
        r = floor_of_all(store, &a.floor_ns, err);
    if (r == 0)
        r = coverage_prepare(&a, err);
    sbuf_addf(&sql, "SELECT row, sensors, from_ns, watch, not_seen, %s, ",
              a.places ? "host_id, host_name, narrowed" : "NULL, NULL, NULL");
    coverage_life_columns(&a, "", &sql);
    sbuf_add_str(&sql, " FROM coverage WHERE from_ns <= ? ORDER BY from_ns, row");
    if (r == 0)
        r = db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err);
    if (r == 0)
        sqlite3_bind_int64(rows, 1, query->until_ns ? (sqlite3_int64)query->until_ns : INT64_MAX);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW)
        r = add_span(&a, rows, each, data, err);
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    coverage_asking_done(&a);
    return r;
}

int store_each_coverage(struct store *store, const struct store_query *asked,
                        int (*each)(void *data, const struct coverage *coverage), void *data,
                        struct err *err)
{
    return each_span(store, asked, false, each, data, err);
}

/* ---- what was removed ---- */

int store_each_removal(struct store *store, const struct store_query *asked,
                       int (*each)(void *data, const struct store_removal *removal), void *data, struct err *err)
{
    struct store_query kept;
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE;
    int r = store->has.floors ? select_begin(store, asked, &kept, err) : 0;

    if (r < 0 || !store->has.floors)
        return r;
    r = db_prepare(store->db, store->path,
                   "SELECT text, floor_ns FROM watch WHERE floor_ns > ? AND (row = 0 OR floor_ns > "
                   "(SELECT floor_ns FROM watch WHERE row = 0)) ORDER BY row",
                   &rows, err);
    if (r == 0)
        sqlite3_bind_int64(rows, 1, (sqlite3_int64)asked->since_ns);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        const struct store_removal removal = { db_column_bytes(rows, 0), (uint64_t)sqlite3_column_int64(rows, 1) };

        if (!bytes_known(removal.watch) || target_covers(store, asked, removal.watch))
            r = each(data, &removal);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(rows);
    return r;
}

/* ---- those that ended without saying so ---- */

struct unclean {
    const struct store_query *query;
    int (*each)(void *data, const struct gap *gap);
    void *data;
};

static int add_unclean(void *data, const struct coverage *c)
{
    const struct unclean *u = data;
    struct gap gap = { .reason = LOST_KILLED, .from_ns = c->to_ns, .to_ns = c->gone_ns, .sensor = c->sensors };

    if (gap.to_ns < u->query->since_ns || (u->query->until_ns && gap.from_ns > u->query->until_ns))
        return 0;
    snprintf(gap.text, sizeof(gap.text), "whoever recorded was killed; what was not yet written is missing");
    return u->each(u->data, &gap);
}

int coverage_each_unclean(struct store *store, const struct store_query *query,
                          int (*each)(void *data, const struct gap *gap), void *data, struct err *err)
{
    struct unclean u = { query, each, data };
    struct store_query wider = *query;

    wider.since_ns = 0; /* how long before its end one had read the last is not known */
    return each_span(store, &wider, true, add_unclean, &u, err);
}
