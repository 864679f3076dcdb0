/* SPDX-License-Identifier: MIT */
#include "store/counted.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "store/daily.h"
#include "store/row_set.h"
#include "util/macro.h"

/* A day that the time asked for begins or ends within. What was counted on it is used where none of that lies there with a part only. */
struct edge {
    uint64_t day;
    bool is_partial;
    struct group *groups;
};

struct floor {
    int64_t watch;
    uint64_t ns;
};

struct counted_asking {
    struct store *store;
    const struct store_query *query;
    struct group **groups;
    struct edge *edges;
    size_t edge_count;
    struct floor *floors;
    size_t floor_count;
    bool is_unknown; /* what was counted over several days lies there with a part: all has to be read */
    bool is_deep;    /* the directories below are asked one by one */
    struct row_set asked; /* those */
    uint64_t count;
    /* of the day that was looked up last */
    sqlite3_stmt *suspects;
    uint64_t day;
    struct sbuf words;
};

/* ---- the time asked for ---- */

static int add_edge(struct counted_asking *c, uint64_t time_ns)
{
    struct edge *grown;

    for (size_t i = 0; i < c->edge_count; i++)
        if (c->edges[i].day == time_ns / DAILY_NS)
            return 0;
    grown = reallocarray(c->edges, c->edge_count + 1, sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    c->edges = grown;
    grown[c->edge_count++] = (struct edge){ .day = time_ns / DAILY_NS };
    return 0;
}

/* Watches that have lost more than all others. */
static int read_floors(struct counted_asking *c, struct err *err)
{
    struct store *store = c->store;
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;

    if (!c->query->watch_floors)
        return 0;
    r = db_prepare(store->db, store->path, "SELECT row, floor_ns FROM watch WHERE row > 0 AND floor_ns > 0", &s, err);
    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
        struct floor *grown = reallocarray(c->floors, c->floor_count + 1, sizeof(*grown));

        if (!grown) {
            r = err_set(err, -ENOMEM, "the store");
            break;
        }
        c->floors = grown;
        grown[c->floor_count++] = (struct floor){ sqlite3_column_int64(s, 0), (uint64_t)sqlite3_column_int64(s, 1) };
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

static int find_edges(struct counted_asking *c, struct err *err)
{
    const struct store_query *q = c->query;
    int r = q->since_ns % DAILY_NS ? add_edge(c, q->since_ns) : 0;

    if (r == 0 && q->until_ns && (q->until_ns + 1) % DAILY_NS)
        r = add_edge(c, q->until_ns);
    for (size_t i = 0; i < c->floor_count && r == 0; i++)
        if (c->floors[i].ns > q->since_ns && c->floors[i].ns % DAILY_NS)
            r = add_edge(c, c->floors[i].ns);
    return r < 0 ? err_set(err, r, "the store") : 0;
}

static uint64_t newest_floor(const struct counted_asking *c)
{
    uint64_t ns = 0;

    for (size_t i = 0; i < c->floor_count; i++)
        ns = MAX(ns, c->floors[i].ns);
    return ns;
}

static uint64_t since_of(const struct counted_asking *c, int64_t watch)
{
    for (size_t i = 0; i < c->floor_count; i++)
        if (c->floors[i].watch == watch)
            return MAX(c->floors[i].ns, c->query->since_ns);
    return c->query->since_ns;
}

/* One counted row, as far as it lies in the time asked for. */
static int take(struct counted_asking *c, const struct group_key *key, int64_t watch, const struct group_part *part)
{
    const uint64_t since = since_of(c, watch), until = c->query->until_ns ? c->query->until_ns : UINT64_MAX;
    const uint64_t from = part->first_ns / DAILY_NS, to = part->last_ns / DAILY_NS;
    bool is_partial = part->first_ns < since || part->last_ns > until;
    struct edge *edge = NULL;

    if (part->last_ns < since || part->first_ns > until)
        return 0;
    for (size_t i = 0; i < c->edge_count && !edge; i++)
        if (c->edges[i].day >= from && c->edges[i].day <= to)
            edge = &c->edges[i];
    if (from != to && (edge || is_partial))
        c->is_unknown = true;
    else if (edge)
        edge->is_partial |= is_partial;
    c->count += part->count;
    return groups_add(edge ? &edge->groups : c->groups, key, part);
}

static bool is_enough(const struct counted_asking *c)
{
    return c->is_unknown || (c->query->limit && c->count > c->query->limit);
}

/* ---- young hours ---- */

static int take_rollup(struct counted_asking *c, struct err *err)
{
    struct store *store = c->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;

    sbuf_addf(&sql, "SELECT suspect, %s, operation, error, victim, victim_kind, count, first_ns, last_ns, first_event, %s FROM rollup "
              "%s WHERE ", store->has.suspect_rest ? "suspect_rest" : "0", store->has.floors ? "watch, hour" : "0, 1",
              select_rollup_index(c->query));
    select_rollup(c->query, &sql);
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &s, err);
    if (r == 0)
        select_bind(c->query, s);
    while (r == 0 && !is_enough(c) && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const struct group_key key = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
                                       sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 5) };
        const struct group_part part = { (uint64_t)sqlite3_column_int64(s, 6), (uint64_t)sqlite3_column_int64(s, 7),
                                         (uint64_t)sqlite3_column_int64(s, 8), sqlite3_column_int64(s, 9) };

        /* counted before it was kept of which watch */
        c->is_unknown |= sqlite3_column_int64(s, 11) == 0 && part.first_ns < newest_floor(c);
        if (sqlite3_column_int64(s, 6) > 0 && take(c, &key, sqlite3_column_int64(s, 10), &part) < 0)
            r = err_set(err, -ENOMEM, "the store");
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

/* ---- days ---- */

static int damaged(const struct counted_asking *c, struct err *err)
{
    return err_say(err, -EBADMSG, DAILY_DAMAGED, c->store->path, (long long)c->day);
}

static int find_suspects(struct counted_asking *c, uint64_t day, struct err *err)
{
    const int64_t at[3] = { 0, 0, (int64_t)day };
    bool is_whole = true;
    int code;

    if (c->words.len && day == c->day)
        return 0;
    c->day = day;
    sbuf_clear(&c->words);
    sqlite3_bind_int64(c->suspects, 1, (sqlite3_int64)day);
    code = sqlite3_step(c->suspects);
    if (code == SQLITE_ROW) {
        sbuf_add_bytes(&c->words, db_column_bytes(c->suspects, 0));
        is_whole = daily_is_whole(c->suspects, 1, at, db_column_bytes(c->suspects, 0));
    }
    sqlite3_reset(c->suspects);
    if (!is_whole)
        return damaged(c, err);
    return code == SQLITE_ROW || code == SQLITE_DONE ? sbuf_error(&c->words) : db_error(c->store->db, c->store->path, err);
}

/* select_rollup(), of what was counted by day. */
static bool is_asked_for(const struct counted_asking *c, const struct daily *d)
{
    const struct store_query *q = c->query;
    bool of_host = !q->any_victim && !bytes_known(q->container);

    if (q->operations && (d->operation < 0 || d->operation > 63 || !(q->operations >> d->operation & 1)))
        return false;
    if (of_host && d->victim_kind != VICTIM_HOST)
        return bytes_known(q->path) && d->place == 2;
    return d->place == 0 || (bytes_known(q->path) && d->place == 1 && !row_set_has(&c->asked, d->other));
}

static int take_day(struct counted_asking *c, uint64_t day, struct bytes data, struct err *err)
{
    struct daily d = daily_before(day);
    int r = find_suspects(c, day, err), more;

    while (r == 0 && (more = daily_next(&data, &d)) != 0) {
        struct group_key key = { 0, 0, d.operation, d.error, d.victim, d.victim_kind };
        const struct group_part part = { d.count, d.first_ns, d.last_ns, d.first_event };
        uint64_t words[2];

        if (more < 0 || (uint64_t)d.suspect >= c->words.len / DAILY_SUSPECT)
            return damaged(c, err);
        if (!is_asked_for(c, &d))
            continue;
        memcpy(words, c->words.data + (size_t)d.suspect * DAILY_SUSPECT, sizeof(words));
        key.suspect = (int64_t)le64toh(words[0]);
        key.suspect_rest = (int64_t)le64toh(words[1]);
        if (take(c, &key, d.watch, &part) < 0)
            r = err_set(err, -ENOMEM, "the store");
    }
    return r;
}

static int take_row(struct counted_asking *c, sqlite3_stmt *s, struct err *err)
{
    const int64_t at[3] = { sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 0) };
    struct bytes data = db_column_bytes(s, 1);

    if (!daily_is_whole(s, 2, at, data)) {
        c->day = (uint64_t)at[2];
        return damaged(c, err);
    }
    return take_day(c, (uint64_t)at[2], data, err);
}

/* Where the rows of what is asked for are. */
static void daily_from(const struct counted_asking *c, struct sbuf *sql)
{
    const struct store_query *q = c->query;
    const char *directory = !bytes_known(q->path) ? "0" : "(SELECT row FROM directory WHERE path = ?1)";

    sbuf_add_str(sql, c->store->has.daily_sums ? "SELECT t.day, t.data, t.sum, t.directory, t.whose FROM "
                                               : "SELECT t.day, t.data, NULL, t.directory, t.whose FROM ");
    if (c->is_deep)
        sbuf_add_str(sql, "temp.asked_directory d CROSS JOIN ");
    if (bytes_known(q->container))
        sbuf_add_str(sql, "temp.asked_container v CROSS JOIN ");
    sbuf_addf(sql, "daily t WHERE t.directory = %s", c->is_deep ? "d.row" : directory);
    if (bytes_known(q->container))
        sbuf_add_str(sql, " AND t.whose = v.row");
    else if (!q->any_victim)
        sbuf_add_str(sql, " AND t.whose = 0");
    if (q->since_ns)
        sbuf_addf(sql, " AND t.day >= %llu", (unsigned long long)(q->since_ns / DAILY_NS));
    if (q->until_ns)
        sbuf_addf(sql, " AND t.day <= %llu", (unsigned long long)(q->until_ns / DAILY_NS));
}

static int take_daily(struct counted_asking *c, struct err *err)
{
    struct store *store = c->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;

    daily_from(c, &sql);
    r = db_prepare(store->db, store->path, store->has.daily_sums ? "SELECT data, sum FROM daily_suspect WHERE day = ?"
                                                                 : "SELECT data, NULL FROM daily_suspect WHERE day = ?", &c->suspects, err);
    if (r == 0)
        r = db_prepare(store->db, store->path, sbuf_str(&sql), &s, err);
    if (r == 0 && bytes_known(c->query->path) && !c->is_deep)
        db_bind_bytes(s, 1, c->query->path);
    while (r == 0 && !is_enough(c) && (code = sqlite3_step(s)) == SQLITE_ROW)
        r = take_row(c, s, err);
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

static int read_asked(struct counted_asking *c, struct err *err)
{
    struct store *store = c->store;
    sqlite3_stmt *s = NULL;
    int r = db_prepare(store->db, store->path, "SELECT row FROM temp.asked_directory", &s, err), code = SQLITE_DONE;

    while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW)
        r = row_set_add(&c->asked, sqlite3_column_int64(s, 0)) ? 0 : err_set(err, -ENOMEM, "the store");
    if (r == 0 && code != SQLITE_DONE)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

/* ---- events that are read one by one ---- */

/* On a day that was read as a whole. */
static bool was_read(const struct counted_asking *c, uint64_t time_ns)
{
    for (size_t i = 0; i < c->edge_count; i++)
        if (c->edges[i].is_partial && c->edges[i].day == time_ns / DAILY_NS)
            return true;
    return false;
}

static int take_events(const struct counted_asking *c, const struct store_query *q, const char *from, enum select_part part, struct err *err)
{
    struct store *store = c->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *s = NULL;
    int r, code = SQLITE_DONE;
    uint64_t count = 0;

    sbuf_addf(&sql, "SELECT e.suspect, %s, e.operation, e.error, ifnull(e.victim, 0), e.victim_kind, e.time_ns, e.row %s WHERE ",
              store->has.suspect_rest ? "e.suspect_rest" : "0", from);
    select_condition(q, part, &sql);
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &s, err);
    if (r == 0)
        select_bind(q, s);
    while (r == 0 && !(q->limit && count > q->limit) && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const struct group_key key = { sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2),
                                       sqlite3_column_int64(s, 3), sqlite3_column_int64(s, 4), sqlite3_column_int64(s, 5) };
        const uint64_t time_ns = (uint64_t)sqlite3_column_int64(s, 6);
        const struct group_part one = { 1, time_ns, time_ns, sqlite3_column_int64(s, 7) };

        if (part == SELECT_ITSELF && was_read(c, time_ns))
            continue;
        if (groups_add(c->groups, &key, &one) < 0)
            r = err_set(err, -ENOMEM, "the store");
        count++;
    }
    if (r == 0 && code != SQLITE_DONE && code != SQLITE_ROW)
        r = db_error(store->db, store->path, err);
    sqlite3_finalize(s);
    return r;
}

static int read_events(const struct counted_asking *c, const struct store_query *q, enum select_part part, struct err *err)
{
    int r = take_events(c, q, part == SELECT_NEAR ? "FROM event e INDEXED BY event_time" : "FROM event e", part, err);

    if (r < 0 || !c->store->has.blocks)
        return r;
    r = select_blocks(c->store, q, part, err);
    return r < 0 ? r : take_events(c, q, SELECT_FROM_BLOCKS, part, err);
}

/* One day of it. */
static int read_edge(const struct counted_asking *c, uint64_t day, struct err *err)
{
    struct store_query q = *c->query;
    uint64_t last = (day + 1) * DAILY_NS - 1;

    q.since_ns = MAX(q.since_ns, day * DAILY_NS);
    q.until_ns = q.until_ns ? MIN(q.until_ns, last) : last;
    return read_events(c, &q, SELECT_NEAR, err);
}

/* ---- all of it ---- */

static int take_counted(struct counted_asking *c, struct err *err)
{
    const struct store_query *q = c->query;
    int r = read_floors(c, err);

    c->is_deep = bytes_known(q->path) && daily_depth(q->path) > DAILY_DEPTH;
    if (r == 0)
        r = find_edges(c, err);
    if (r == 0 && c->is_deep)
        r = read_asked(c, err);
    if (r == 0)
        r = take_rollup(c, err);
    if (r == 0 && c->store->has.daily && !is_enough(c))
        r = take_daily(c, err);
    return r;
}

/* "//", or "/" at its end: directories are not counted under such a name. */
static bool is_plain(struct bytes path)
{
    for (size_t i = 1; i < path.len; i++)
        if (path.data[i - 1] == '/' && path.data[i] == '/')
            return false;
    return path.len <= 1 || path.data[path.len - 1] != '/';
}

static int join_edges(struct counted_asking *c, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < c->edge_count && r == 0; i++)
        if (c->edges[i].is_partial)
            r = read_edge(c, c->edges[i].day, err);
        else if (groups_join(c->groups, &c->edges[i].groups) < 0)
            r = err_set(err, -ENOMEM, "the store");
    return r;
}

static void release(struct counted_asking *c)
{
    for (size_t i = 0; i < c->edge_count; i++)
        groups_free(&c->edges[i].groups);
    free(c->edges);
    free(c->floors);
    row_set_done(&c->asked);
    sqlite3_finalize(c->suspects);
    sbuf_done(&c->words);
}

int counted_collect(struct store *store, const struct store_query *q, struct group **groups, struct err *err)
{
    struct counted_asking c = { .store = store, .query = q, .groups = groups };
    /* of anybody's files some are in two places at once, which the counted rows cannot distinguish */
    bool twice = select_has_host_path(q);
    int r = 0;

    c.is_unknown = twice || (bytes_known(q->path) && (q->any_victim || !is_plain(q->path)));
    if (!c.is_unknown)
        r = take_counted(&c, err);
    if (r == 0 && c.is_unknown) { /* the counted rows know whole directories, and days */
        groups_free(groups);
        r = read_events(&c, q, twice ? SELECT_ALL : SELECT_NEAR, err);
    } else if (r == 0) {
        r = join_edges(&c, err);
        if (r == 0 && bytes_known(q->path))
            r = read_events(&c, q, SELECT_ITSELF, err);
    }
    release(&c);
    return r;
}
