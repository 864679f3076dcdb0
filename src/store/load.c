/* SPDX-License-Identifier: MIT */
#include "store/load.h"

#include <errno.h>
#include <stdlib.h>

#include "cause/cause.h"
#include "store/block.h"
#include "store/fields.h"
#include "store/process_pack.h"
#include "store/schema.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define REMEMBERED 4096 /* processes, and containers: a store may have millions of them */

struct loaded {
    int64_t row;
    union {
        struct process *process;
        struct container *container;
    };
    UT_hash_handle hh;
};

struct loader {
    struct store *store;
    sqlite3_stmt *event, *process, *container;
    struct block_reader *blocks; /* NULL: the store has none */
    struct process_packs *packs; /* likewise */
    struct loaded *processes, *containers;
    int failure; /* of what an event refers to */
};

static int prepare(struct loader *l, const char *head, const char *table, const struct field *fields,
                   const char *prefix, const char *tail, sqlite3_stmt **ret, struct err *err)
{
    _cleanup_sbuf_ struct sbuf sql = SBUF_INIT;

    sbuf_addf(&sql, "SELECT %s", head);
    schema_columns(l->store->db, l->store->path, table, fields, prefix, &sql);
    sbuf_add_str(&sql, tail);
    return db_prepare(l->store->db, l->store->path, sbuf_str(&sql), ret, err);
}

static int prepare_process(struct loader *l, struct err *err)
{
    return prepare(l,
                   schema_has_column(l->store->db, l->store->path, "process", "earlier")
                       ? "parent, container, earlier"
                       : "parent, container, NULL",
                   "process", process_fields, "", " FROM process WHERE row = ?", &l->process, err);
}

int loader_new(struct store *store, struct loader **ret, struct err *err)
{
    struct loader *l = calloc(1, sizeof(*l));
    int r;

    if (!l)
        return err_set(err, -ENOMEM, "the store");
    l->store = store;
    r = prepare(l,
                "e.process, e.victim, d.path, e.name, p.path, e.previous_name, h.path, e.host_name, "
                "e.previous_host_path",
                "event", event_fields, "e.",
                " FROM event e LEFT JOIN directory d ON d.row = e.directory "
                "LEFT JOIN directory p ON p.row = e.previous_directory "
                "LEFT JOIN directory h ON h.row = e.host_directory WHERE e.row = ?",
                &l->event, err);
    if (r == 0)
        r = prepare_process(l, err);
    if (r == 0)
        r = prepare(l, "row", "container", container_fields, "", " FROM container WHERE row = ?", &l->container, err);
    if (r == 0 && store->has.blocks)
        r = block_reader_new(store->db, store->path, &l->blocks, err);
    if (r == 0 && store->has.process_packs)
        r = process_packs_new(store->db, store->path, &l->packs, err);
    if (r < 0) {
        loader_free(l);
        return r;
    }
    *ret = l;
    return 0;
}

static void forget_processes(struct loader *l)
{
    struct loaded *k, *next;

    HASH_ITER(hh, l->processes, k, next) {
        HASH_DEL(l->processes, k);
        process_unref(k->process);
        free(k);
    }
}

static void forget_containers(struct loader *l)
{
    struct loaded *k, *next;

    HASH_ITER(hh, l->containers, k, next) {
        HASH_DEL(l->containers, k);
        container_unref(k->container);
        free(k);
    }
}

void loader_free(struct loader *l)
{
    if (!l)
        return;
    forget_processes(l);
    forget_containers(l);
    block_reader_free(l->blocks);
    process_packs_free(l->packs);
    sqlite3_finalize(l->event);
    sqlite3_finalize(l->process);
    sqlite3_finalize(l->container);
    free(l);
}

static struct loaded *remember(struct loaded **table, int64_t row)
{
    struct loaded *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->row = row;
    HASH_ADD(hh, *table, row, sizeof(k->row), k);
    HASH_FREE_IF_OUT(hh, k);
    return k;
}

/* A row that others refer to: true if it is there. */
static bool read_row(struct loader *l, sqlite3_stmt *s, int64_t row)
{
    int code;

    sqlite3_bind_int64(s, 1, row);
    code = sqlite3_step(s);
    if (code == SQLITE_DONE)
        l->failure = -EBADMSG;
    else if (code != SQLITE_ROW)
        l->failure = db_error(l->store->db, l->store->path, NULL);
    return code == SQLITE_ROW;
}

struct container *loader_container(struct loader *l, int64_t row)
{
    struct container *c;
    struct loaded *k;

    HASH_FIND(hh, l->containers, &row, sizeof(row), k);
    if (k)
        return container_ref(k->container);
    c = read_row(l, l->container, row) ? container_new() : NULL;
    if (c)
        fields_read(container_fields, l->container, 1, &c->arena, c);
    sqlite3_reset(l->container);
    k = c ? remember(&l->containers, row) : NULL;
    if (k)
        k->container = container_ref(c);
    return c;
}

struct process_rows {
    int64_t parent, container, earlier;
};

/* One that is no row any more. NULL: it is not there, or cannot be read. */
static struct process *unpack_process(struct loader *l, int64_t row, struct process_rows *ret)
{
    const struct process_values *v = NULL;
    struct process *p = NULL;
    int r = l->packs ? process_packs_find(l->packs, row, &v, NULL) : -ENOENT;

    if (r == 0) {
        p = process_new(0, 0);
        r = p ? process_values_read(v, p) : -ENOMEM;
    }
    if (r == 0)
        *ret = (struct process_rows){ (int64_t)v->numbers[PROCESS_PARENT], (int64_t)v->numbers[PROCESS_CONTAINER],
                                      (int64_t)v->numbers[PROCESS_EARLIER] };
    if (r == 0)
        return p;
    process_unref(p);
    l->failure = r == -ENOENT ? -EBADMSG : r;
    return NULL;
}

/* One row without those that it refers to. They were written before it: else the store is damaged, and may have circles. */
static struct process *read_process(struct loader *l, int64_t row, struct process_rows *ret)
{
    struct process *p = NULL;
    int code;

    *ret = (struct process_rows){ 0 };
    sqlite3_bind_int64(l->process, 1, row);
    code = sqlite3_step(l->process);
    if (code == SQLITE_ROW && (p = process_new(0, 0))) {
        ret->parent = sqlite3_column_int64(l->process, 0);
        ret->container = sqlite3_column_int64(l->process, 1);
        ret->earlier = sqlite3_column_int64(l->process, 2);
        fields_read(process_fields, l->process, 3, &p->arena, p);
    }
    if (code == SQLITE_DONE)
        p = unpack_process(l, row, ret);
    else if (code != SQLITE_ROW)
        l->failure = db_error(l->store->db, l->store->path, NULL);
    sqlite3_reset(l->process);
    if (ret->parent >= row || ret->earlier >= row) {
        ret->parent = ret->earlier = 0;
        l->failure = -EBADMSG;
    }
    return p;
}

static struct process *known_process(const struct loader *l, int64_t row)
{
    struct loaded *k;

    HASH_FIND(hh, l->processes, &row, sizeof(row), k);
    return k ? k->process : NULL;
}

/* With its launchers, and what each was before: of those, as deep as one process has images. */
static struct process *load_process(struct loader *l, int64_t row, unsigned images)
{
    struct process *first = NULL, *child = NULL;

    for (unsigned depth = 0; row && depth <= LIMIT_LINEAGE; depth++) {
        struct process *p = process_ref(known_process(l, row)), *known = p;
        struct process_rows rows = { 0 };
        struct loaded *k;

        if (!p)
            p = read_process(l, row, &rows);
        if (!p)
            break;
        if (!child)
            first = p;
        else
            child->parent = p; /* our reference goes over to the child */
        if (known) /* it has its ancestors already */
            break;
        k = remember(&l->processes, row);
        if (k)
            k->process = process_ref(p);
        if (rows.container)
            p->container = loader_container(l, rows.container);
        if (images < PROCESS_IMAGES)
            p->earlier = load_process(l, rows.earlier, images + 1);
        child = p;
        row = rows.parent;
    }
    return first;
}

static struct bytes path_of(struct event *e, struct bytes directory, struct bytes name)
{
    if (!bytes_known(directory) || !name.len)
        return arena_copy(&e->arena, bytes_known(directory) ? directory : name);
    return arena_join_path(&e->arena, directory, name);
}

static struct bytes place(struct event *e, sqlite3_stmt *s, int at)
{
    return path_of(e, db_column_bytes(s, at), db_column_bytes(s, at + 1));
}

/* What its rows are, and what goes without saying. On failure the event is gone: half of what is known of its actor
 * would name another one. */
static int relate(struct loader *l, int64_t process, int64_t victim, bool no_cause, struct event *e, struct err *err)
{
    int r;

    if (HASH_COUNT(l->processes) > REMEMBERED) /* those that are in use begin anew with the next event */
        forget_processes(l);
    if (HASH_COUNT(l->containers) > REMEMBERED)
        forget_containers(l);
    if (!bytes_known(e->host_path) && e->victim_kind == VICTIM_HOST)
        e->host_path = e->path;
    e->actor.process = load_process(l, process, 0);
    if (victim)
        e->victim = loader_container(l, victim);
    if (!no_cause)
        cause_remember(e);
    r = l->failure;
    l->failure = 0;
    if (r == 0)
        return 0;
    event_free(e);
    return err_say(err, r, "the store %s is damaged: what it says of process %lld or container %lld cannot be; move it "
                   "away, or give --store FILE", l->store->path, (long long)process, (long long)victim);
}

static struct bytes packed_place(struct event *e, const struct delta_values *values, unsigned which)
{
    return path_of(e, values->bytes[DELTA_DIRECTORY(which)], values->bytes[DELTA_NAME(which)]);
}

/* What all copies of its bytes take, so that one allocation is enough. */
static size_t room_of(const struct delta_values *values)
{
    size_t room = 0;

    for (unsigned i = 0; i < DELTA_FIELDS_NOW; i++)
        room += values->bytes[i].data ? (values->bytes[i].len + 2 + 7) & ~(size_t)7 : 0; /* a slash, a NUL */
    return room;
}

/* Without a part for which there was no memory it would be about something else. */
static int complete(struct event *e, struct err *err)
{
    if (!e->arena.failed)
        return 0;
    event_free(e);
    return err_set(err, -ENOMEM, "the store");
}

int loader_packed(struct loader *l, const struct block_event *packed, bool no_cause, struct event **ret, struct err *err)
{
    struct event *e = event_new();
    int r;

    if (!e)
        return err_set(err, -ENOMEM, "the store");
    e->arena.first_size = room_of(&packed->values);
    delta_read(&packed->values, e);
    e->path = packed_place(e, &packed->values, PLACE_PATH);
    e->previous_path = packed_place(e, &packed->values, PLACE_PREVIOUS);
    e->host_path = packed_place(e, &packed->values, PLACE_HOST);
    e->previous_host_path = arena_copy(&e->arena, packed->values.bytes[DELTA_PREVIOUS_HOST_PATH]);
    r = relate(l, packed->rows.row[BLOCK_PROCESS], packed->rows.row[BLOCK_VICTIM], no_cause, e, err);
    if (r == 0)
        r = complete(e, err);
    if (r == 0)
        *ret = e;
    return r;
}

static int packed_event(struct loader *l, int64_t row, struct event **ret, struct err *err)
{
    const struct block_event *packed = NULL;
    int r = l->blocks ? block_reader_find(l->blocks, row, &packed, err) : -ENOENT;

    return r < 0 ? r : loader_packed(l, packed, false, ret, err);
}

int loader_event(struct loader *l, int64_t row, struct event **ret, struct err *err)
{
    sqlite3_stmt *s = l->event;
    struct event *e = NULL;
    int r = 0;

    sqlite3_bind_int64(s, 1, row);
    switch (sqlite3_step(s)) {
    case SQLITE_ROW:
        e = event_new();
        break;
    case SQLITE_DONE:
        sqlite3_reset(s);
        return packed_event(l, row, ret, err);
    default:
        r = db_error(l->store->db, l->store->path, err);
    }
    if (e) {
        fields_read(event_fields, s, 9, &e->arena, e);
        e->path = place(e, s, 2);
        e->previous_path = place(e, s, 4);
        e->host_path = place(e, s, 6);
        e->previous_host_path = arena_copy(&e->arena, db_column_bytes(s, 8));
        r = relate(l, sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1), false, e, err);
        if (r == 0)
            r = complete(e, err);
    } else if (r == 0) {
        r = err_set(err, -ENOMEM, "the store");
    }
    sqlite3_reset(s);
    if (r == 0)
        *ret = e;
    return r;
}
