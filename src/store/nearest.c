/* SPDX-License-Identifier: MIT */
/* What the watched places say about other paths: whose a path is, and which place lies nearest to it. */
#include "store/query.h"

#include <errno.h>
#include <string.h>

#include "store/coverage_asking.h"
#include "store/schema.h"
#include "store/select.h"
#include "util/limits.h"

/* ---- which place is whose ---- */

/* The part of `path` below `dir`, put behind `to`. */
static struct bytes exchange(struct arena *arena, struct bytes dir, struct bytes path, struct bytes to)
{
    size_t n = dir.len == 1 ? 0 : dir.len; /* "/" */
    struct bytes rest = { path.data + n, path.len - n };

    return rest.len > 1 ? arena_join_path(arena, to, rest) : arena_copy(arena, to);
}

/* A volume is known as a whole by any place in it. */
static void widen_volume(struct coverage_place *p)
{
    size_t n = p->path.len;

    if (p->kind != SELECTOR_VOLUME || n < 2 || p->host_path.len <= n ||
        memcmp(p->host_path.data + p->host_path.len - n, p->path.data, n) != 0)
        return;
    p->host_path.len -= n;
    p->path = bytes_of("/");
}

/* Of a layer the host's path is that of the container behind the layer's own: of all that the container has, nothing. */
static bool is_mount(const struct coverage_place *p)
{
    if (p->path.len == 1)
        return false;
    return p->host_path.len <= p->path.len || !bytes_ends_with(p->host_path, p->path);
}

/* Is this place's pair of paths the answer? The deepest is: it may be a volume within a container's layer. */
static bool translate_by(const struct coverage_asking *a, const struct coverage_place *p, size_t *depth, struct store_query *q,
                         struct arena *arena)
{
    const struct store_query *asked = a->query;
    bool volume = asked->kind == SELECTOR_VOLUME;
    bool known = p->path.len && p->host_path.len;
    struct bytes from = bytes_known(asked->container) ? p->path : p->host_path;

    if (volume ? p->kind != SELECTOR_VOLUME || !bytes_equal(p->selector, asked->container)
               : bytes_known(asked->container) && !coverage_is_asked_container(a, p))
        return false;
    if (!known || (!volume && !bytes_known(asked->container) && !p->container_id.len))
        return false;
    if (!bytes_path_covers(from, asked->path) || from.len < *depth)
        return false;
    *depth = from.len;
    if (bytes_known(asked->container)) {
        q->host_path = exchange(arena, p->path, asked->path, p->host_path);
    } else {
        q->kind = SELECTOR_NAME;
        q->container = arena_copy(arena, p->container_id);
        q->path = exchange(arena, p->host_path, asked->path, p->path);
        q->host_path = asked->path;
    }
    q->host_is_mount = is_mount(p);
    return true;
}

int store_translate(struct store *store, struct store_query *query, struct arena *arena, struct err *err)
{
    const struct store_query asked = *query;
    struct coverage_asking a = { .store = store, .query = &asked };
    sqlite3_stmt *rows = NULL;
    bool found = false;
    size_t depth = 0;
    struct store_query kept;
    int r = select_begin(store, &asked, &kept, err);

    if (r == 0)
        r = coverage_prepare(&a, err);
    if (r == 0 && a.places)
        r = db_prepare(store->db, store->path,
                       "SELECT DISTINCT p.kind, 0, 0, p.runtime, p.selector, p.container_id, p.container_name, p.path, "
                       "p.host_path FROM coverage_place p WHERE length(p.host_path) > 0",
                       &rows, err);
    while (r == 0 && rows && sqlite3_step(rows) == SQLITE_ROW) {
        struct coverage_place p;

        coverage_read_place(rows, &p);
        widen_volume(&p);
        found |= translate_by(&a, &p, &depth, query, arena);
    }
    if (r == 0 && asked.kind == SELECTOR_VOLUME && found) {
        query->path = query->host_path;
        query->host_path = query->container = BYTES_NULL;
        query->kind = SELECTOR_NONE;
    } else if (r == 0 && asked.kind == SELECTOR_VOLUME) {
        r = -ENOENT;
    }
    sqlite3_finalize(rows);
    coverage_asking_done(&a);
    return r;
}

/* ---- what lies nearest ---- */

/* How many components two paths have in common from the root. */
static unsigned in_common(struct bytes a, struct bytes b)
{
    unsigned n = 0;
    size_t i = 0;

    while (i < a.len && i < b.len && a.data[i] == b.data[i]) {
        i++;
        if ((i == a.len || a.data[i] == '/') && (i == b.len || b.data[i] == '/') && i > 1)
            n++;
    }
    return n;
}

/* As its user would ask for it. */
static void show_place(const struct coverage_place *p, struct sbuf *out)
{
    static const char *const prefixes[] = { [SELECTOR_COMPOSE] = "compose:", [SELECTOR_POD] = "pod:",
                                            [SELECTOR_IMAGE] = "image:",     [SELECTOR_LABEL] = "label:",
                                            [SELECTOR_VOLUME] = "volume:" };
    const char *prefix = p->kind < ARRAY_SIZE(prefixes) ? prefixes[p->kind] : NULL;

    if (p->container_name.len) {
        sbuf_add_bytes(out, p->container_name);
        sbuf_add_char(out, ':');
    } else if (p->kind != SELECTOR_NONE) {
        sbuf_add_str(out, prefix ? prefix : "");
        sbuf_add_bytes(out, p->selector);
        sbuf_add_str(out, p->kind == SELECTOR_VOLUME ? "" : ":");
    }
    sbuf_add_bytes(out, p->path);
}

/* Nearer: of the same container or of the host, then by how much of the path is the same. */
static unsigned nearness(const struct coverage_asking *a, const struct coverage_place *p)
{
    const struct store_query *q = a->query;
    struct bytes host = p->kind == SELECTOR_NONE ? p->path : p->host_path;
    bool same = bytes_known(q->container) ? coverage_is_asked_container(a, p) : p->kind == SELECTOR_NONE;

    if (same)
        return 1 + 2 * LIMIT_PATH + in_common(p->path, q->path);
    return 1 + in_common(host, bytes_known(q->container) ? q->host_path : q->path);
}

static void take_nearest(const struct coverage_asking *a, const struct coverage_place *p, uint64_t from_ns, uint64_t to_ns,
                         unsigned *best, struct arena *arena, struct coverage_nearest *ret)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;
    unsigned n = nearness(a, p);

    show_place(p, &shown);
    if (n > *best) {
        *best = n;
        *ret = (struct coverage_nearest){ arena_copy(arena, sbuf_bytes(&shown)), from_ns, to_ns };
    } else if (bytes_equal(ret->shown, sbuf_bytes(&shown))) {
        ret->from_ns = from_ns < ret->from_ns ? from_ns : ret->from_ns;
        ret->to_ns = !to_ns || !ret->to_ns ? 0 : to_ns > ret->to_ns ? to_ns : ret->to_ns;
    }
}

/* Of before places were kept: each target as it was written. */
static int nearest_texts(const struct coverage_asking *a, unsigned *best, struct arena *arena, struct coverage_nearest *ret,
                         struct err *err)
{
    struct store *store = a->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *rows = NULL;
    int r;

    sbuf_add_str(&sql, "SELECT from_ns, watch, ");
    coverage_life_columns(a, "c.", &sql);
    sbuf_add_str(&sql, " FROM coverage c");
    if (a->places)
        sbuf_add_str(&sql, " WHERE NOT EXISTS (SELECT 1 FROM coverage_place p WHERE p.coverage = c.row)");
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err);
    while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
        const struct coverage_life life = coverage_read_life(rows, 2);
        struct bytes watch = db_column_bytes(rows, 1), target;
        bool unclean;
        uint64_t to_ns = coverage_end_ns(&life, &unclean);

        while (coverage_next_target(&watch, &target)) {
            struct coverage_place p = { 0 };
            struct selector s;

            if (selector_parse(target, &s, &p.path, NULL) < 0)
                continue;
            p.kind = s.kind;
            p.selector = s.text;
            take_nearest(a, &p, (uint64_t)sqlite3_column_int64(rows, 0), to_ns, best, arena, ret);
        }
    }
    sqlite3_finalize(rows);
    return r;
}

static int nearest_places(const struct coverage_asking *a, unsigned *best, struct arena *arena, struct coverage_nearest *ret,
                          struct err *err)
{
    struct store *store = a->store;
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;
    sqlite3_stmt *rows = NULL;
    int r;

    sbuf_add_str(&sql, "SELECT " COVERAGE_PLACE_COLUMNS ", ");
    coverage_life_columns(a, "c.", &sql);
    sbuf_add_str(&sql, " FROM coverage_place p JOIN coverage c ON c.row = p.coverage");
    r = db_prepare(store->db, store->path, sbuf_str(&sql), &rows, err);
    while (r == 0 && sqlite3_step(rows) == SQLITE_ROW) {
        const struct coverage_life life = coverage_read_life(rows, 9);
        struct coverage_place p;
        bool unclean;

        coverage_read_place(rows, &p);
        take_nearest(a, &p, p.from_ns, coverage_end_ns(&life, &unclean), best, arena, ret);
    }
    sqlite3_finalize(rows);
    return r;
}

int store_nearest_coverage(struct store *store, const struct store_query *query, struct arena *arena,
                           struct coverage_nearest *ret, struct err *err)
{
    struct coverage_asking a = { .store = store, .query = query };
    unsigned best = 0;
    struct store_query kept;
    int r = select_begin(store, query, &kept, err);

    *ret = (struct coverage_nearest){ 0 };
    if (r == 0)
        r = coverage_prepare(&a, err);
    if (r == 0 && a.places)
        r = nearest_places(&a, &best, arena, ret, err);
    if (r == 0)
        r = nearest_texts(&a, &best, arena, ret, err);
    coverage_asking_done(&a);
    return r;
}
