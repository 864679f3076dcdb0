/* SPDX-License-Identifier: MIT */
/* What was lost or not seen of what is asked for: only what touches a time in which that was watched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/coverage.h"
#include "store/floor.h"
#include "store/handle.h"
#include "store/query.h"
#include "store/schema.h"
#include "util/macro.h"

/* A container's place is known some time after it has begun, and what was lost until then has to do with it. What could not be written is
 * known by the times of its events, while a new file's spans begin when that is found: so much before and after them. */
#define NEAR_NS (10 * NS_PER_S)
/* Who is killed after he had seen nothing for so long may have lost something in between that is not found. */
#define SILENT_NS (24 * 3600 * NS_PER_S)
#define TIMES_MAX 1024 /* more are not kept apart: what lies between them counts as watched */
#define FILE_SENSORS (SENSOR_AUDIT | SENSOR_FANOTIFY | SENSOR_BPF | SENSOR_AUDIT_LOG)

/* It was watched then, by these. Those of the same sensors that touch are one. */
struct watched_time {
    uint64_t from_ns, to_ns; /* UINT64_MAX: still */
    unsigned sensors;
};

struct asked_gaps {
    struct store *store;
    const struct store_query *asked;
    bool all;       /* no span says what of the record is asked for */
    struct watched_time times[TIMES_MAX];
    size_t count;
    int (*each)(void *data, const struct gap *gap);
    void *data;
};

/* ---- when it was watched ---- */

static bool touches(uint64_t from_ns, uint64_t to_ns, const struct watched_time *t, uint64_t near_ns)
{
    return from_ns <= t->to_ns + MIN(near_ns, UINT64_MAX - t->to_ns) && to_ns + near_ns >= t->from_ns;
}

/* Whoever was killed, or is silent, lived beyond what he has seen: what he lost then is known by its own time. */
static uint64_t end_of(const struct coverage *c)
{
    if (!c->to_ns)
        return UINT64_MAX;
    return MAX(c->to_ns, c->unclean ? c->gone_ns : c->beat_ns);
}

static void join(struct watched_time *known, const struct watched_time *t)
{
    known->from_ns = MIN(known->from_ns, t->from_ns);
    known->to_ns = MAX(known->to_ns, t->to_ns);
    known->sensors |= t->sensors;
}

static int add_time(void *data, const struct coverage *c)
{
    struct asked_gaps *a = data;
    const struct watched_time t = { MAX(c->from_ns - MIN(NEAR_NS, c->from_ns), c->begun_ns), end_of(c), c->sensors };
    size_t i = 0;

    while (i < a->count && !(a->times[i].sensors == t.sensors && touches(t.from_ns, t.to_ns, &a->times[i], 0)))
        i++;
    if (i < a->count || i == TIMES_MAX)
        join(&a->times[MIN(i, TIMES_MAX - 1)], &t);
    else
        a->times[a->count++] = t;
    return 0;
}

static int on_any_span(void *data, const struct coverage *c)
{
    (void)c;
    *(bool *)data = true;
    return 1;
}

static int on_any_event(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)rollup, (void)samples, (void)count;
    *(bool *)data = true;
    return 1;
}

/*
 * What was never watched has no gaps, unless something is known of it all the same, or no span at all could be written: by what
 * watched it is not known then.
 */
static int find_unclaimed(struct asked_gaps *a, struct err *err)
{
    const struct store_query every = { .any_victim = true };
    struct store_query some = *a->asked;
    bool watched = false, any = false;
    int r;

    some.since_ns = some.until_ns = 0;
    r = store_each_coverage(a->store, &some, on_any_span, &watched, err);
    if (r < 0 || watched)
        return MIN(r, 0);
    r = store_each_coverage(a->store, &every, on_any_span, &any, err);
    if (r < 0 || !any) {
        a->all = true;
        return MIN(r, 0);
    }
    some = *a->asked;
    some.limit = 1;
    r = store_each_rollup(a->store, &some, 1, on_any_event, &a->all, err);
    return MIN(r, 0);
}

/* The time from the first to the last gap is looked through, and no more. */
static int find_times(struct asked_gaps *a, uint64_t from_ns, uint64_t to_ns, struct err *err)
{
    struct store_query then = *a->asked;
    int r;

    then.since_ns = from_ns - MIN(SILENT_NS, from_ns);
    then.until_ns = to_ns + NEAR_NS;
    r = store_each_coverage(a->store, &then, add_time, a, err);
    return r < 0 || a->count ? r : find_unclaimed(a, err);
}

/*
 * It is of a path that has nothing in common with what is asked for. What is asked for by one name may be another's place, too: of a
 * container's path that is not known of the host's, nor of another container's name.
 */
static bool is_elsewhere(const struct asked_gaps *a, const struct gap *gap)
{
    const struct store_query *q = a->asked;
    const struct bytes at = { gap->path, strnlen(gap->path, sizeof(gap->path)) };
    const bool of_container = bytes_known(q->container);
    struct bytes path = q->path;

    if (!at.len || q->any_victim || !bytes_known(q->path))
        return false;
    if (gap->container[0] && (!of_container || !bytes_equal_str(q->container, gap->container)))
        return false;
    if (!gap->container[0] && of_container)
        path = q->host_path;
    return bytes_known(path) && !bytes_path_covers(path, at) && !bytes_path_covers(at, path);
}

/* By the same sensor, as far as it is one's. What a log reported is not known: a container's files may be among it. */
static bool concerns(const struct asked_gaps *a, const struct gap *gap)
{
    const unsigned sensors = gap->sensor & FILE_SENSORS;
    const uint64_t near_ns = gap->reason == LOST_STORE ? NEAR_NS : 0;

    if (is_elsewhere(a, gap))
        return false;
    if (a->all || (sensors == SENSOR_AUDIT_LOG && bytes_known(a->asked->container)))
        return true;
    for (size_t i = 0; i < a->count; i++) {
        const struct watched_time *t = &a->times[i];

        if ((!sensors || !t->sensors || sensors & t->sensors) && touches(gap->from_ns, gap->to_ns, t, near_ns))
            return true;
    }
    return false;
}

/* ---- the gaps ---- */

static void read_text(sqlite3_stmt *row, int column, char *to, size_t size)
{
    const size_t n = MIN((size_t)sqlite3_column_bytes(row, column), size - 1);

    if (n)
        memcpy(to, sqlite3_column_blob(row, column), n);
}

static void read_gap(sqlite3_stmt *row, struct gap *ret)
{
    *ret = (struct gap){
        .reason = (enum lost)sqlite3_column_int(row, 0),
        .count = (uint64_t)sqlite3_column_int64(row, 1),
        .from_ns = (uint64_t)sqlite3_column_int64(row, 2),
        .to_ns = (uint64_t)sqlite3_column_int64(row, 3),
        .sensor = (unsigned)sqlite3_column_int(row, 4),
    };
    read_text(row, 5, ret->text, sizeof(ret->text));
    read_text(row, 6, ret->path, sizeof(ret->path));
    read_text(row, 7, ret->container, sizeof(ret->container));
}

static void bind_time(sqlite3_stmt *rows, const struct store_query *q)
{
    sqlite3_bind_int64(rows, 1, (sqlite3_int64)q->since_ns);
    sqlite3_bind_int64(rows, 2, q->until_ns ? (sqlite3_int64)q->until_ns : INT64_MAX);
}

#define IN_TIME " FROM gap WHERE to_ns >= ?1 AND from_ns <= ?2"

/* 1: there are any. */
static int find_bounds(struct store *store, const struct store_query *kept, uint64_t *ret_from_ns, uint64_t *ret_to_ns, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = db_prepare(store->db, store->path, "SELECT min(from_ns), max(to_ns)" IN_TIME, &s, err);

    if (r == 0)
        bind_time(s, kept);
    if (r == 0 && sqlite3_step(s) != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    if (r == 0 && sqlite3_column_type(s, 0) != SQLITE_NULL) {
        *ret_from_ns = (uint64_t)sqlite3_column_int64(s, 0);
        *ret_to_ns = (uint64_t)sqlite3_column_int64(s, 1);
        r = 1;
    }
    sqlite3_finalize(s);
    return r;
}

static int each_recorded(const struct asked_gaps *a, const struct store_query *kept, struct err *err)
{
    const bool has_place = schema_has_column(a->store->db, a->store->path, "gap", "path");
    sqlite3_stmt *rows = NULL;
    int code = SQLITE_DONE;
    int r = db_prepare(a->store->db, a->store->path,
                       has_place ? "SELECT reason, count, from_ns, to_ns, sensor, text, path, container" IN_TIME " ORDER BY from_ns, row"
                                 : "SELECT reason, count, from_ns, to_ns, sensor, text, NULL, NULL" IN_TIME " ORDER BY from_ns, row",
                       &rows, err);

    if (r == 0)
        bind_time(rows, kept);
    while (r == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct gap gap;

        read_gap(rows, &gap);
        if (concerns(a, &gap))
            r = a->each(a->data, &gap);
    }
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(a->store->db, a->store->path, err);
    sqlite3_finalize(rows);
    return r;
}

static int ask(struct asked_gaps *a, const struct store_query *kept, struct err *err)
{
    uint64_t from_ns = 0, to_ns = 0;
    int r = find_bounds(a->store, kept, &from_ns, &to_ns, err);

    if (r == 1 && !a->all)
        r = find_times(a, from_ns, to_ns, err);
    return r < 0 ? r : each_recorded(a, kept, err);
}

int store_each_gap(struct store *store, const struct store_query *asked,
                   int (*each)(void *data, const struct gap *gap), void *data, struct err *err)
{
    struct asked_gaps *a = calloc(1, sizeof(*a));
    struct store_query kept;
    int r = a ? floor_apply(store, asked, &kept, err) : err_set(err, -ENOMEM, "the store");

    if (r == 0) {
        *a = (struct asked_gaps){ .store = store, .asked = asked, .each = each, .data = data,
                                  .all = asked->any_victim && !bytes_known(asked->path) };
        r = ask(a, &kept, err);
    }
    free(a);
    return r ? r : coverage_each_unclean(store, &kept, each, data, err);
}
