/* SPDX-License-Identifier: MIT */
/* The store: what goes in comes out, counted rows say what the events say, and nothing on disk harms us. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fill.h"
#include "make.h"
#include "store/fields.h"
#include "store/query.h"
#include "util/limits.h"

static char dir[64], path[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-store.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/store/culprit.db", dir);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static struct store *open_store(bool read_only)
{
    struct store_options options = { .path = path, .read_only = read_only };
    struct store *store = NULL;
    struct err err = ERR_INIT;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

static int open_error(bool read_only, struct err *err)
{
    struct store_options options = { .path = path, .read_only = read_only };
    struct store *store = NULL;
    int r = store_open(&options, &store, err);

    if (r == 0)
        store_close(store);
    return r;
}

static uint64_t missing(struct store *store)
{
    struct store_state state;

    store_state(store, &state);
    return state.missing;
}

static void add(struct store *store, struct event *e)
{
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
}

static void set_id(struct event *e, uint64_t id)
{
    memcpy(e->id, &id, sizeof(id));
}

/* ---- a round trip of everything ---- */

static void same_fields(const struct field *fields, const void *a, const void *b)
{
    struct sbuf x = SBUF_INIT, y = SBUF_INIT;

    for (const struct field *f = fields; f->column; f++) {
        const struct field one[] = { *f, { 0 } };

        sbuf_clear(&x);
        sbuf_clear(&y);
        fields_pack(one, a, &x);
        fields_pack(one, b, &y);
        if (!bytes_equal(sbuf_bytes(&x), sbuf_bytes(&y)))
            fail_msg("%s is another one after the round trip", f->column);
    }
    sbuf_done(&x);
    sbuf_done(&y);
}

struct collected {
    struct event *events[64];
    unsigned count;
};

static int collect(void *data, struct event *e)
{
    struct collected *c = data;

    assert_in_range(c->count, 0, 63);
    c->events[c->count++] = e;
    return 0;
}

static void release(struct collected *c)
{
    while (c->count)
        event_free(c->events[--c->count]);
}

static uint64_t sql_number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    uint64_t n;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(row), SQLITE_ROW);
    n = (uint64_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return n;
}

static void everything_comes_back(void **state)
{
    struct store *store = open_store(false);
    struct container *c = make_container("x", "y");
    struct process *parent = make_process(1, "/sbin/init", NULL), *p = make_process(2, "/bin/a", parent);
    struct process *earlier = make_process(2, "/bin/earlier", process_ref(parent)), *read;
    struct event *e = make_event(OPERATION_RENAME, "/a/b/new", p, c, 5);
    struct store_query all = { .any_victim = true };
    struct collected got = { .count = 0 };
    struct err err = ERR_INIT;

    (void)state;
    fill_fields(container_fields, &c->arena, c, 1);
    fill_fields(process_fields, &parent->arena, parent, 500);
    fill_fields(process_fields, &earlier->arena, earlier, 700);
    fill_fields(process_fields, &p->arena, p, 1000);
    p->earlier = earlier;
    fill_fields(event_fields, &e->arena, e, 2000);
    p->container = container_ref(c);
    e->operation = OPERATION_RENAME; /* an index of other tables */
    event_set(e, &e->previous_path, bytes_of("/a/old"));
    event_set(e, &e->host_path, bytes_of("/var/lib/x/a/b/new"));
    event_set(e, &e->previous_host_path, bytes_of("/var/lib/x/a/old"));
    assert_int_equal(store_add_event(store, e), 0);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_each_event(store, &all, collect, &got, &err), 0);
    assert_int_equal(got.count, 1);
    same_fields(event_fields, e, got.events[0]);
    assert_bytes(got.events[0]->path, "/a/b/new");
    assert_bytes(got.events[0]->previous_path, "/a/old");
    assert_bytes(got.events[0]->host_path, "/var/lib/x/a/b/new");
    assert_bytes(got.events[0]->previous_host_path, "/var/lib/x/a/old");
    assert_non_null(got.events[0]->actor.process);
    same_fields(process_fields, p, got.events[0]->actor.process);
    assert_non_null(got.events[0]->actor.process->parent);
    same_fields(process_fields, parent, got.events[0]->actor.process->parent);
    assert_null(got.events[0]->actor.process->parent->parent);
    read = got.events[0]->actor.process->earlier;
    assert_non_null(read);
    same_fields(process_fields, earlier, read);
    assert_ptr_equal(read->parent, got.events[0]->actor.process->parent);
    assert_null(read->earlier);
    same_fields(container_fields, c, got.events[0]->victim);
    same_fields(container_fields, c, got.events[0]->actor.process->container);
    release(&got);
    event_free(e);
    process_unref(p);
    container_unref(c);
    store_close(store);
}

/* ---- questions ---- */

static int count_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                        unsigned sample_count)
{
    uint64_t *counts = data;

    assert_in_range(sample_count, 1, LIMIT_CASE_SAMPLES);
    if (rollup->count < sample_count)
        fail_msg("%llu counted, %u shown: %.*s", (unsigned long long)rollup->count, sample_count,
                 (int)samples[0]->path.len, samples[0]->path.data);
    assert_true(samples[0]->time_ns == rollup->first_ns);
    assert_true(rollup->first_ns <= rollup->last_ns);
    for (unsigned i = 1; i < sample_count; i++)
        assert_int_equal(samples[i]->operation, samples[0]->operation);
    counts[rollup->sample->operation] += rollup->count;
    return 0;
}

static void counted_rows(unsigned sensors)
{
    const char *directories[] = { "/w", "/w/a", "/w/a/b", "/w/ab", "/wx", "/" };
    const char *actors[] = { "/bin/rm", "/bin/mv", "/opt/agent" };
    struct store *store = open_store(false);
    struct container *web = make_container("0123456789abcdef", "web");
    struct process *processes[3];
    unsigned seed = 1;
    struct err err = ERR_INIT;

    for (int i = 0; i < 3; i++)
        processes[i] = make_process(10 + i, actors[i], NULL);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned r = seed = seed * 1103515245 + 12345;
        char text[64], old[64];
        struct event *e;

        snprintf(text, sizeof(text), "%s/f%u", directories[(r >> 8) % 6], (r >> 16) % 20);
        snprintf(old, sizeof(old), "%s/f%u", directories[(r >> 12) % 6], (r >> 20) % 20);
        e = make_event((r >> 24) % 2 ? OPERATION_UNLINK : OPERATION_RENAME, text, processes[(r >> 10) % 3],
                       (r >> 26) % 2 ? web : NULL, 1000 + i);
        if (e->operation == OPERATION_RENAME)
            event_set(e, &e->previous_path, bytes_of(old));
        if (e->victim)
            event_set(e, &e->host_path, bytes_of((r >> 28) % 2 ? "/var/layer/f" : "/w/a/seen-from-host"));
        e->error = (r >> 29) % 2 ? EPERM : 0;
        e->sensors = sensors;
        set_id(e, i + 1);
        add(store, e);
        if (i % 1000 == 999)
            assert_int_equal(store_flush(store, &err), 0); /* several batches */
    }
    for (unsigned i = 0; i < 3 * 8 * 4 * 3; i++) {
        const char *paths[] = { "/w", "/w/a", "/w/a/b", "/w/a/f3", "/", "/var/layer", "/none", "/w/" };
        const char *victims[] = { NULL, "web", "01234567" };
        struct store_query q = { .path = bytes_of(paths[i / 3 % 8]), .container = bytes_of(victims[i % 3]) };
        uint64_t counts[OPERATION_COUNT] = { 0 }, sum = 0, naive;

        if (q.path.len > 1 && q.path.data[q.path.len - 1] == '/')
            q.path.len--;
        if (i / 24 % 4 & 1)
            q.since_ns = 1700;
        if (i / 24 % 4 & 2)
            q.until_ns = 3100;
        if (i / 96 == 1)
            q.operations = 1ull << OPERATION_RENAME;
        q.any_victim = i / 96 == 2;
        if (q.any_victim)
            q.container = BYTES_NULL;
        naive = store_count_events(store, &q, &err);
        assert_int_equal(store_each_rollup(store, &q, 64, count_rollup, counts, &err), 0);
        for (int k = 0; k < OPERATION_COUNT; k++)
            sum += counts[k];
        if (sum != naive)
            fail_msg("%s of %s, times %u, kind %u: %llu counted, %llu there", paths[i / 3 % 8],
                     victims[i % 3] ? victims[i % 3] : "host", i / 24 % 4, i / 96, (unsigned long long)sum,
                     (unsigned long long)naive);
    }
    for (int i = 0; i < 3; i++)
        process_unref(processes[i]);
    container_unref(web);
    store_close(store);
}

static void counted_rows_say_what_the_events_say(void **state)
{
    (void)state;
    counted_rows(SENSOR_AUDIT);
    assert_int_equal(sql_number("SELECT count(*) FROM block"), 0);
}

static void counted_rows_say_what_the_blocks_say(void **state)
{
    (void)state;
    counted_rows(SENSOR_BPF);
    assert_true(sql_number("SELECT count(*) FROM block") > 3);
}

static uint64_t ask(struct store *store, const char *victim, const char *file)
{
    struct store_query q = { .path = bytes_of(file), .container = bytes_of(victim) };
    struct err err = ERR_INIT;

    return store_count_events(store, &q, &err);
}

static void a_path_is_whole_components(void **state)
{
    struct store *store = open_store(false);
    struct event *e;

    (void)state;
    e = make_event(OPERATION_UNLINK, "/a/bc/f", NULL, NULL, 1);
    set_id(e, 1);
    add(store, e);
    e = make_event(OPERATION_RENAME, "/a/b/new", NULL, NULL, 2);
    event_set(e, &e->previous_path, bytes_of("/elsewhere/old"));
    set_id(e, 2);
    add(store, e);
    e = make_event(OPERATION_CHMOD, "/a/b", NULL, NULL, 3);
    set_id(e, 3);
    add(store, e);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(ask(store, NULL, "/a/b"), 2);
    assert_int_equal(ask(store, NULL, "/a/bc"), 1);
    assert_int_equal(ask(store, NULL, "/a"), 3);
    assert_int_equal(ask(store, NULL, "/elsewhere/old"), 1);
    assert_int_equal(ask(store, NULL, "/elsewhere"), 1);
    assert_int_equal(ask(store, NULL, "/a/b/new"), 1);
    assert_int_equal(ask(store, NULL, "/else"), 0);
    assert_int_equal(ask(store, "web", "/a"), 0);
    store_close(store);
}

static void the_same_change_is_stored_once(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    uint64_t counts[OPERATION_COUNT] = { 0 };
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a", NULL, NULL, 7);

        set_id(e, 99);
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_count_events(store, &all, &err), 1);
    assert_int_equal(store_each_rollup(store, &all, 1, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 1);
    store_close(store);
}

/* ---- blocks ---- */

#define STORM 1300 /* some blocks, and a rest */

/* The fields of an event that belongs to a storm: most are those of the one before. */
static struct event *storm_event(unsigned i, struct process *p, struct container *c)
{
    char text[64];
    struct event *e;

    snprintf(text, sizeof(text), "/w/%s/f%u", i / 10 % 2 ? "a" : "b", i % 100);
    e = make_event(OPERATION_UNLINK, text, p, c, 1000 + i);
    fill_fields(event_fields, &e->arena, e, 2000 + i / 50);
    e->operation = OPERATION_UNLINK;
    e->time_ns = 1000 + i;
    e->error = i % 13 ? 0 : EPERM;
    e->sensors = SENSOR_BPF;
    e->victim_kind = c ? VICTIM_CONTAINER : VICTIM_HOST;
    if (i % 7 == 0)
        e->note = e->xattr = BYTES_NULL;
    if (i % 11 == 0)
        e->file = (struct file_state){ .known = FILE_MODE, .mode = i };
    set_id(e, i + 1);
    if (i % 3 == 0) {
        snprintf(text, sizeof(text), "/old/%u", i);
        event_set(e, &e->previous_path, bytes_of(text));
        event_set(e, &e->previous_host_path, bytes_of("/layer/old"));
        e->operation = OPERATION_RENAME;
    }
    if (i % 5 == 0)
        event_set(e, &e->host_path, bytes_of("/layer/f"));
    return e;
}

struct storm {
    struct process *processes[2];
    struct container *container;
    unsigned count;
};

static int check_storm(void *data, struct event *got)
{
    struct storm *s = data;
    unsigned i = s->count++;
    struct event *e = storm_event(i, s->processes[i / 30 % 2], i / 70 % 2 ? s->container : NULL);

    same_fields(event_fields, e, got);
    assert_true(bytes_equal(e->path, got->path));
    assert_true(bytes_equal(e->previous_path, got->previous_path));
    assert_true(bytes_equal(e->previous_host_path, got->previous_host_path));
    if (e->host_path.len)
        assert_true(bytes_equal(e->host_path, got->host_path));
    assert_int_equal(got->actor.process->pid, e->actor.process->pid);
    assert_int_equal(got->victim != NULL, e->victim != NULL);
    event_free(e);
    event_free(got);
    return 0;
}

static void add_storm(struct store *store, struct storm *s, unsigned count)
{
    s->container = make_container("x", "y");
    for (int i = 0; i < 2; i++)
        s->processes[i] = make_process(7 + i, "/bin/a", NULL);
    for (unsigned i = 0; i < count; i++)
        add(store, storm_event(i, s->processes[i / 30 % 2], i / 70 % 2 ? s->container : NULL));
    assert_int_equal(store_flush(store, NULL), 0);
}

static void release_storm(struct storm *s)
{
    for (int i = 0; i < 2; i++)
        process_unref(s->processes[i]);
    container_unref(s->container);
}

static void a_storm_comes_back(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    struct storm s = { .count = 0 };
    struct store_summary summary;
    struct store_last *last = NULL;
    struct event *e = NULL;
    struct err err = ERR_INIT;

    (void)state;
    add_storm(store, &s, STORM);
    assert_true(sql_number("SELECT sum(count) FROM block") > STORM / 2);
    assert_int_equal(sql_number("SELECT (SELECT sum(count) FROM block) + (SELECT count(*) FROM event)"), STORM);
    assert_int_equal(store_each_event(store, &all, check_storm, &s, &err), 0);
    assert_int_equal(s.count, STORM);
    assert_int_equal(store_summarise(store, &summary, &err), 0);
    assert_int_equal(summary.events, STORM);
    assert_int_equal(summary.first_ns, 1000);
    assert_int_equal(summary.last_ns, 1000 + STORM - 1);
    assert_int_equal(store_last_new(store, &all, &last, &err), 0);
    assert_int_equal(store_last_find(last, bytes_of("/w/a/f17"), BYTES_NULL, ~0ull, &e, &err), 0);
    assert_int_equal(e->time_ns, 1000 + 1217);
    event_free(e);
    assert_int_equal(store_last_find(last, bytes_of("/old/3"), BYTES_NULL, ~0ull, &e, &err), 0);
    assert_int_equal(e->time_ns, 1003);
    event_free(e);
    assert_int_equal(store_last_find(last, bytes_of("/w/a/f101"), BYTES_NULL, ~0ull, &e, &err), -ENOENT);
    store_last_free(last);
    release_storm(&s);
    store_close(store);
}

static void add_many(struct store *store, unsigned first_id, unsigned count, unsigned sensor)
{
    for (unsigned i = 0; i < count; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/w/f", NULL, NULL, 1000 + first_id + i);

        e->sensors = sensor;
        set_id(e, first_id + i);
        add(store, e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
}

/* Two who observe the same files at the same time: what both report is there once. */
static void two_observers(void **state)
{
    struct coverage coverage = { .sensors = SENSOR_BPF, .from_ns = 5, .watch = bytes_of("/w") };
    struct store_query all = { .any_victim = true }, below = { .path = bytes_of("/w") };
    uint64_t id[2], counts[OPERATION_COUNT] = { 0 };
    struct store *a = open_store(false), *b;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(store_begin_coverage(a, &coverage, &id[0]), 0);
    add_many(a, 1, 300, SENSOR_BPF);
    assert_true(sql_number("SELECT count(*) FROM block") >= 1); /* nobody else is there */
    b = open_store(false);
    assert_int_equal(store_begin_coverage(b, &coverage, &id[1]), 0);
    assert_int_equal(store_flush(b, &err), 0);
    for (unsigned i = 0; i < 4; i++) {
        add_many(i % 2 ? a : b, 1001 + i / 2 * 300, 300, SENSOR_BPF);
        add_many(i % 2 ? b : a, 1001 + i / 2 * 300, 300, SENSOR_BPF);
    }
    assert_int_equal(store_count_events(a, &all, &err), 900);
    assert_int_equal(store_each_rollup(a, &below, 1, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 900);
    store_close(a);
    store_close(b);
}

/* Rows and blocks in turns, by one culprit after another: numbers of events are never given twice. */
static void rows_among_blocks(void **state)
{
    struct store_query all = { .any_victim = true };
    struct store *store = NULL;
    unsigned id = 1;
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned turn = 0; turn < 12; turn++) {
        unsigned count = turn % 3 ? 300 : 3;

        if (turn % 5 == 0) {
            if (store)
                store_close(store);
            store = open_store(false);
        }
        add_many(store, id, count, turn % 4 == 1 ? SENSOR_AUDIT : SENSOR_FANOTIFY);
        id += count;
    }
    assert_int_equal(store_count_events(store, &all, &err), id - 1);
    assert_true(sql_number("SELECT count(*) FROM event") >= 12);
    assert_true(sql_number("SELECT count(*) FROM block") >= 3);
    assert_int_equal(sql_number("SELECT count(*) FROM event e JOIN block b ON e.row >= b.row AND e.row < b.row + b.count"), 0);
    assert_int_equal(sql_number("SELECT count(*) FROM block a JOIN block b ON a.row < b.row AND a.row + a.count > b.row"), 0);
    store_close(store);
}

static int drop(void *data, struct event *event)
{
    (void)data;
    event_free(event);
    return 0;
}

static void sql(const char *text, const void *blob, size_t len)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    if (blob)
        sqlite3_bind_blob64(s, 1, blob, len, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* Faster than it is written: whoever adds waits for room, and the buffer is another one then. */
static void more_than_the_queue_holds(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    char text[400];
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) { /* rows take the longest */
        struct event *e;

        snprintf(text, sizeof(text), "/w/%0300u", i);
        e = make_event(OPERATION_UNLINK, text, NULL, NULL, 1000 + i);
        set_id(e, i + 1);
        while (store_add_event(store, e) == -ENOBUFS)
            ;
        event_free(e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_count_events(store, &all, &err), 20000);
    store_close(store);
}

/* Whatever a block holds: an error, or fewer events, and no harm. */
static void a_damaged_block(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true }, one = { .path = bytes_of("/w/a/f17"), .any_victim = true };
    struct storm s = { .count = 0 };
    unsigned char data[4096];
    unsigned seed = 7, errors = 0;
    struct err err = ERR_INIT;

    (void)state;
    add_storm(store, &s, STORM);
    store_close(store);
    for (unsigned round = 0; round < 60; round++) {
        size_t len = round * 16;

        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
        data[0] = 0;
        data[8] |= 0x80; /* it is alone */
        if (round % 2)
            memset(data + 1, 0, 7); /* and few fields differ */
        sql("UPDATE block SET data = ?", data, len);
        store = open_store(true);
        err = ERR_INIT;
        errors += store_each_event(store, &all, drop, NULL, &err) == -EBADMSG;
        (void)store_each_event(store, &one, drop, NULL, &err);
        (void)store_count_events(store, &one, &err);
        store_close(store);
    }
    assert_true(errors > 30);
    sql("UPDATE block SET row = 9223372036854775807 WHERE row = (SELECT max(row) FROM block)", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_each_event(store, &all, drop, NULL, &err), -EBADMSG);
    store_close(store);
    sql("UPDATE block SET data = NULL, count = -5", NULL, 0);
    sql("UPDATE block_place SET names = zeroblob(3)", NULL, 0);
    store = open_store(true);
    (void)store_each_event(store, &all, drop, NULL, &err);
    (void)store_each_event(store, &one, drop, NULL, &err);
    store_close(store);
    release_storm(&s);
}

/* A store of before is read as it is. */
static void a_store_without_blocks(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true }, one = { .path = bytes_of("/w/f") };
    uint64_t counts[OPERATION_COUNT] = { 0 };
    struct store_summary summary;
    struct store_last *last = NULL;
    struct event *e = make_event(OPERATION_UNLINK, "/w/f", NULL, NULL, 5);
    struct err err = ERR_INIT;

    (void)state;
    add(store, e);
    store_close(store);
    sql("DROP TABLE block", NULL, 0);
    sql("DROP TABLE block_place", NULL, 0);
    sql("PRAGMA user_version = 4", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_count_events(store, &all, &err), 1);
    assert_int_equal(store_each_event(store, &one, drop, NULL, &err), 0);
    assert_int_equal(store_each_rollup(store, &one, 8, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 1);
    assert_int_equal(store_summarise(store, &summary, &err), 0);
    assert_int_equal(summary.events, 1);
    assert_int_equal(store_last_new(store, &all, &last, &err), 0);
    e = NULL;
    assert_int_equal(store_last_find(last, bytes_of("/w/f"), BYTES_NULL, ~0ull, &e, &err), 0);
    event_free(e);
    store_last_free(last);
    store_close(store);
    store = open_store(false); /* and brought to this version by whoever writes */
    assert_int_equal(store_count_events(store, &all, &err), 1);
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM block"), 0);
}

/* Columns that have been added since are read as unknown, and written from now on. */
static void a_store_without_earlier_images(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    struct process *p = make_process(2, "/bin/a", make_process(1, "/sbin/init", NULL));
    struct collected got = { .count = 0 };
    struct err err = ERR_INIT;

    (void)state;
    p->earlier = make_process(2, "/bin/earlier", process_ref(p->parent));
    add(store, make_event(OPERATION_UNLINK, "/w/f", p, NULL, 5));
    store_close(store);
    sql("ALTER TABLE process DROP COLUMN earlier", NULL, 0);
    sql("PRAGMA user_version = 5", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_each_event(store, &all, collect, &got, &err), 0);
    assert_int_equal(got.count, 1);
    assert_bytes(got.events[0]->actor.process->executable, "/bin/a");
    assert_bytes(got.events[0]->actor.process->parent->executable, "/sbin/init");
    assert_null(got.events[0]->actor.process->earlier);
    release(&got);
    store_close(store);
    store = open_store(false);
    add(store, make_event(OPERATION_UNLINK, "/w/f", p, NULL, 6));
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM process WHERE earlier IS NOT NULL"), 1);
    process_unref(p);
}

static void a_store_without_health_checks(void **state)
{
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true }, web = { .container = bytes_of("web") };
    struct container *c = make_container("0123456789abcdef", "web");
    struct collected got = { .count = 0 };
    struct err err = ERR_INIT;

    (void)state;
    container_set(c, &c->health_check, BYTES("curl\0x\0"));
    c->started_ns = 7;
    add(store, make_event(OPERATION_UNLINK, "/w/f", NULL, c, 5));
    store_close(store);
    sql("ALTER TABLE container DROP COLUMN health_check", NULL, 0);
    sql("ALTER TABLE event DROP COLUMN elsewhere", NULL, 0);
    sql("PRAGMA user_version = 8", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_each_event(store, &all, collect, &got, &err), 0);
    assert_int_equal(store_each_event(store, &web, collect, &got, &err), 0);
    assert_int_equal(got.count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_bytes(got.events[i]->victim->name, "web");
        assert_int_equal(got.events[i]->victim->started_ns, 7);
        assert_int_equal(got.events[i]->victim->health_check.len, 0);
    }
    release(&got);
    store_close(store);
    store = open_store(false);
    add(store, make_event(OPERATION_UNLINK, "/w/f", NULL, c, 6));
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM container WHERE health_check IS NOT NULL"), 1);
    container_unref(c);
}

/* ---- hashes that are the same ---- */

/* The events of two suspects whose numbers are one, in turn. */
static void add_two_suspects(struct store *store, struct process *p, unsigned count, unsigned sensors)
{
    for (unsigned i = 0; i < count; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/w/f", p, NULL, 5 + i);

        set_id(e, i + 1);
        e->sensors = sensors;
        e->suspect = (struct fingerprint){ 7, i % 2 };
        add(store, e);
    }
}

static int count_group(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned sample_count)
{
    struct { unsigned groups; uint64_t each; } *found = data;

    found->groups++;
    assert_int_equal(rollup->count, found->each);
    for (unsigned i = 1; i < sample_count; i++) /* none of the other one's among them */
        assert_int_equal((samples[i]->time_ns - samples[0]->time_ns) % 2, 0);
    return 0;
}

static void two_suspects_are_asked_for(struct store *store, uint64_t each)
{
    struct store_query below = { .path = bytes_of("/w") }, itself = { .path = bytes_of("/w/f") },
                       since = { .path = bytes_of("/w"), .since_ns = 4, .until_ns = 100000 };
    const struct store_query *queries[] = { &below, &itself, &since };
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        struct { unsigned groups; uint64_t each; } found = { 0, each };

        assert_int_equal(store_each_rollup(store, queries[i], 8, count_group, &found, &err), 0);
        assert_int_equal(found.groups, 2);
    }
}

static void two_suspects_of_one_number(unsigned count, unsigned sensors)
{
    struct process *p = make_process(2, "/bin/a", NULL);
    struct store *store = open_store(false);
    struct err err = ERR_INIT;

    add_two_suspects(store, p, count, sensors);
    assert_int_equal(store_flush(store, &err), 0);
    two_suspects_are_asked_for(store, count / 2);
    store_close(store);
    process_unref(p);
}

static void suspects_of_one_number_as_rows(void **state)
{
    (void)state;
    two_suspects_of_one_number(8, SENSOR_AUDIT);
    assert_int_equal(sql_number("SELECT count(*) FROM block"), 0);
}

static void suspects_of_one_number_in_a_block(void **state)
{
    (void)state;
    two_suspects_of_one_number(200, SENSOR_BPF);
    assert_true(sql_number("SELECT count(*) FROM block") > 0);
}

/* Those of a store of before cannot be distinguished any more; those that are added are. */
static void a_store_without_suspects_rest(void **state)
{
    struct process *p = make_process(2, "/bin/a", NULL);
    struct store_query all = { .path = bytes_of("/w") };
    uint64_t counts[OPERATION_COUNT] = { 0 };
    struct store *store = open_store(false);
    struct err err = ERR_INIT;

    (void)state;
    add_two_suspects(store, p, 4, SENSOR_AUDIT);
    store_close(store);
    sql("ALTER TABLE event DROP COLUMN suspect_rest", NULL, 0);
    sql("CREATE TABLE r (directory INTEGER, place INTEGER, other INTEGER, suspect INTEGER, operation INTEGER, "
        "error INTEGER, victim INTEGER, victim_kind INTEGER, count INTEGER, first_ns INTEGER, last_ns INTEGER, "
        "first_event INTEGER, PRIMARY KEY (directory, place, other, suspect, operation, error, victim, victim_kind)) "
        "WITHOUT ROWID", NULL, 0);
    sql("INSERT INTO r SELECT directory, place, other, suspect, operation, error, victim, victim_kind, sum(count), "
        "min(first_ns), max(last_ns), min(first_event) FROM rollup GROUP BY 1, 2, 3, 4, 5, 6, 7, 8", NULL, 0);
    sql("DROP TABLE rollup", NULL, 0);
    sql("ALTER TABLE r RENAME TO rollup", NULL, 0);
    sql("CREATE INDEX rollup_victim ON rollup (victim, directory)", NULL, 0);
    sql("PRAGMA user_version = 11", NULL, 0);
    store = open_store(true);
    assert_int_equal(store_each_rollup(store, &all, 8, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 4);
    store_close(store);
    store = open_store(false);
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/w/f", p, NULL, 50 + i);

        set_id(e, 50 + i);
        e->suspect = (struct fingerprint){ 7, 1 + i };
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_each_rollup(store, &all, 8, count_rollup, counts, &err), 0);
    assert_int_equal(counts[OPERATION_UNLINK], 4 + 6);
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM rollup"), 3);
    process_unref(p);
}

/* An id is a time and a hash. What is reported twice is one event all the same. */
static void events_of_one_id(void **state)
{
    struct process *a = make_process(2, "/bin/a", NULL), *b = make_process(3, "/bin/b", NULL);
    struct store *store = open_store(false);
    struct store_query all = { .any_victim = true };
    struct err err = ERR_INIT;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct event *e = make_event(i % 3 == 2 ? OPERATION_WRITE : OPERATION_UNLINK, "/w/f", i % 3 ? b : a, NULL, 5);

        e->sensors = SENSOR_AUDIT_LOG;
        set_id(e, 1);
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_count_events(store, &all, &err), 3);
    store_close(store);
    assert_int_equal(sql_number("SELECT count(DISTINCT id) FROM event"), 3);
    assert_int_equal(sql_number("SELECT sum(count) FROM rollup"), 3);
    process_unref(a);
    process_unref(b);
}

/* The same of two sensors, which call it differently. */
static void an_event_of_two_sensors(void **state)
{
    struct process *a = make_process(2, "/bin/a", NULL);
    struct store *store = open_store(false);

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct event *e = make_event(i ? OPERATION_WRITE : OPERATION_OPEN_WRITE, "/w/f", a, NULL, 5);

        e->sensors = i ? SENSOR_AUDIT : SENSOR_AUDIT_LOG;
        set_id(e, 1);
        add(store, e);
    }
    store_close(store);
    assert_int_equal(sql_number("SELECT count(*) FROM event"), 1);
    process_unref(a);
}

/* Records whose slots are the same by chance still refer to those that they mean. */
static void many_images_come_back(void **state)
{
    struct store *store = open_store(false);
    struct store_query some = { .path = bytes_of("/w") };
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct collected got = { .count = 0 };
    struct err err = ERR_INIT;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        struct process *p = make_process(10 + i, "/bin/now", process_ref(init));
        struct event *e;

        p->earlier = make_process(10 + i, "/bin/before", make_process(10 + i, "/bin/launcher", NULL));
        p->earlier->earlier = make_process(10 + i, "/bin/first", process_ref(p->earlier->parent));
        e = make_event(OPERATION_UNLINK, i % 100 ? "/v/f" : "/w/f", p, NULL, 5 + (uint64_t)i);
        set_id(e, 1 + (uint64_t)i);
        add(store, e);
        process_unref(p);
    }
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_each_event(store, &some, collect, &got, &err), 0);
    assert_int_equal(got.count, 30);
    for (unsigned i = 0; i < got.count; i++) {
        struct process *p = got.events[i]->actor.process;

        assert_bytes(p->executable, "/bin/now");
        assert_bytes(p->parent->executable, "/sbin/init");
        assert_int_equal(p->earlier->pid, p->pid);
        assert_bytes(p->earlier->executable, "/bin/before");
        assert_bytes(p->earlier->parent->executable, "/bin/launcher");
        assert_bytes(p->earlier->earlier->executable, "/bin/first");
    }
    release(&got);
    process_unref(init);
    store_close(store);
}

/* No name is missed; of those that are not there, few are taken for one. */
static void names_in_a_filter(void **state)
{
    struct store *store = open_store(false);
    struct err err = ERR_INIT;
    uint64_t blocks = 0;

    (void)state;
    for (unsigned i = 0; i < 10 * 512; i++) {
        char text[64];
        struct event *e;

        snprintf(text, sizeof(text), "/w/name-%u", i);
        e = make_event(OPERATION_UNLINK, text, NULL, NULL, 1000 + i);
        e->sensors = SENSOR_BPF;
        set_id(e, i + 1);
        add(store, e);
    }
    assert_int_equal(store_flush(store, &err), 0);
    blocks = sql_number("SELECT count(*) FROM block");
    assert_in_range(blocks, 8, 40);
    for (unsigned i = 0; i < 10 * 512; i += 97) {
        char text[64];

        snprintf(text, sizeof(text), "/w/name-%u", i);
        assert_int_equal(ask(store, NULL, text), 1);
        snprintf(text, sizeof(text), "/w/none-%u", i);
        assert_int_equal(ask(store, NULL, text), 0);
    }
    store_close(store);
}

/* ---- lives, gaps, coverage ---- */

struct record {
    unsigned lives, gaps, coverages;
    uint64_t to_ns;
};

static int on_life(void *data, const struct lifecycle_event *life)
{
    struct record *r = data;

    assert_int_equal(life->kind, LIFECYCLE_RENAME);
    assert_bytes(life->previous_name, "old");
    assert_int_equal(life->exit_code, -1);
    r->lives++;
    return 0;
}

static int on_gap(void *data, const struct gap *gap)
{
    assert_int_equal(gap->reason, LOST_AUDIT_SOCKET);
    assert_int_equal(gap->count, 12);
    assert_string_equal(gap->text, "too slow");
    ((struct record *)data)->gaps++;
    return 0;
}

static int on_coverage(void *data, const struct coverage *c)
{
    struct record *r = data;

    r->coverages++;
    r->to_ns = c->to_ns;
    return 0;
}

static void what_was_observed_is_kept(void **state)
{
    struct store *store = open_store(false);
    struct container *web = make_container("0123456789abcdef", "web");
    struct lifecycle_event life = { .kind = LIFECYCLE_RENAME, .time_ns = 50, .container = web, .exit_code = -1,
                         .previous_name = bytes_of("old") };
    struct gap gap = { .reason = LOST_AUDIT_SOCKET, .count = 12, .from_ns = 10, .to_ns = 20, .text = "too slow" };
    struct coverage coverage = { .sensors = SENSOR_AUDIT, .from_ns = 5, .watch = bytes_of("/etc web:/prd"),
                                 .not_seen = bytes_of("much") };
    struct store_query q = { .container = bytes_of("web"), .path = bytes_of("/prd/x") };
    struct record got = { 0 };
    struct err err = ERR_INIT;
    uint64_t id;

    (void)state;
    assert_int_equal(store_begin_coverage(store, &coverage, &id), 0);
    assert_int_equal(store_add_life(store, &life), 0);
    assert_int_equal(store_add_gap(store, &gap), 0);
    assert_int_equal(store_end_coverage(store, id, 77), 0);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(store_each_life(store, &q, on_life, &got, &err), 0);
    assert_int_equal(store_each_gap(store, &q, on_gap, &got, &err), 0);
    assert_int_equal(store_each_coverage(store, &q, on_coverage, &got, &err), 0);
    assert_int_equal(got.lives, 1);
    assert_int_equal(got.gaps, 1);
    assert_int_equal(got.coverages, 1);
    assert_int_equal(got.to_ns, 77);
    q.since_ns = 21;
    assert_int_equal(store_each_gap(store, &q, on_gap, &got, &err), 0);
    assert_int_equal(got.gaps, 1);
    q.path = bytes_of("/other");
    assert_int_equal(store_each_coverage(store, &q, on_coverage, &got, &err), 0);
    q = (struct store_query){ .path = bytes_of("/prd") }; /* the host's: nobody watched that */
    assert_int_equal(store_each_coverage(store, &q, on_coverage, &got, &err), 0);
    assert_int_equal(got.coverages, 1);
    container_unref(web);
    store_close(store);
}

/* ---- what can go wrong ---- */

static void it_is_private(void **state)
{
    struct stat st;
    char parent[96];

    (void)state;
    store_close(open_store(false));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(parent, sizeof(parent), "%s/store", dir);
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_killed_writer_leaves_a_readable_store(void **state)
{
    pid_t child;
    struct store *store;

    (void)state;
    store_close(open_store(false));
    child = fork_child();
    if (child == 0) {
        store = open_store(false);
        for (uint64_t i = 1;; i++) {
            struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

            set_id(e, i);
            (void)store_add_event(store, e);
            event_free(e);
            if (i == 2000)
                (void)store_flush(store, NULL);
            if (i == 2000)
                kill(getpid(), SIGKILL);
        }
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    store = open_store(true);
    assert_int_equal(ask(store, NULL, "/a"), 2000);
    store_close(store);
    store = open_store(false);
    store_close(store);
}

static void two_writers(void **state)
{
    struct store *one = open_store(false), *two = open_store(false);

    (void)state;
    for (uint64_t i = 1; i <= 400; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

        set_id(e, i);
        add(i % 2 ? one : two, e);
        if (i % 100 == 0) {
            assert_int_equal(store_flush(one, NULL), 0);
            assert_int_equal(store_flush(two, NULL), 0);
        }
    }
    assert_int_equal(store_flush(one, NULL), 0);
    assert_int_equal(store_flush(two, NULL), 0);
    assert_int_equal(ask(one, NULL, "/a"), 400);
    assert_int_equal(missing(one) + missing(two), 0);
    store_close(one);
    store_close(two);
}

static int no_row(void *data, const struct store_imported *row)
{
    (void)data;
    (void)row;
    return 0;
}

/* The writer's thread and who asks must not meet in one connection. */
static void asked_while_it_writes(void **state)
{
    struct store *store = open_store(false);
    struct store_summary summary = { 0 };
    uint64_t before = 0;

    (void)state;
    for (uint64_t i = 1; i <= 12000; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

        set_id(e, i);
        add(store, e);
        if (i % 50)
            continue;
        assert_int_equal(store_each_imported(store, no_row, NULL, NULL), 0);
        assert_int_equal(store_summarise(store, &summary, NULL), 0);
        assert_true(summary.events >= before && summary.events <= i);
        before = summary.events;
    }
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(store_summarise(store, &summary, NULL), 0);
    assert_int_equal(summary.events, 12000);
    store_close(store);
}

static void write_file(const char *name, const void *data, size_t len)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    close(fd);
}

static void a_store_that_is_none(void **state)
{
    struct err err = ERR_INIT;
    char link_name[128];
    sqlite3 *db;

    (void)state;
    assert_int_equal(open_error(true, &err), -ENOENT);
    store_close(open_store(false));

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_error(true, &err), -EPROTO);
    assert_int_equal(open_error(false, &err), -EPROTO);
    assert_non_null(strstr(err.text, "newer culprit"));

    unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(open_error(false, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "another program's"));

    write_file(path, "this is a letter to my mother, and no database at all, whatever you do", 64);
    assert_int_equal(open_error(false, &err), -EBADMSG);
    assert_int_equal(open_error(true, &err), -EBADMSG);

    unlink(path);
    snprintf(link_name, sizeof(link_name), "%s/target", dir);
    write_file(link_name, "", 0);
    assert_int_equal(symlink(link_name, path), 0);
    assert_int_equal(open_error(false, &err), -ELOOP);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(open_error(false, &err) < 0);
}

/* A store that somebody else may write says what he likes. */
static void a_store_of_somebody_else(void **state)
{
    static const char *const beside[] = { "", "-wal", "-shm" };
    struct err err = ERR_INIT;
    char name[128];

    (void)state;
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        store_close(open_store(false));
        snprintf(name, sizeof(name), "%s%s", path, beside[i]);
        if (i)
            write_file(name, "", 0);
        assert_int_equal(chmod(name, 0620), 0);
        assert_int_equal(open_error(true, &err), -EPERM);
        assert_int_equal(open_error(false, &err), -EPERM);
        assert_non_null(strstr(err.text, "chmod go-w"));
        assert_int_equal(chmod(name, 0600), 0);
        if (geteuid() == 0) {
            assert_int_equal(chown(name, 4242, 4242), 0);
            assert_int_equal(open_error(true, &err), -EPERM);
            assert_int_equal(open_error(false, &err), -EPERM);
            assert_non_null(strstr(err.text, "user 4242"));
            assert_int_equal(chown(name, 0, 0), 0);
        }
        assert_int_equal(open_error(false, &err), 0);
    }
}

static bool is_locked(void)
{
    pid_t child = fork_child(); /* a process's own locks do not show to itself */
    int status;

    if (child == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510 };
        int fd = open(path, O_RDWR); /* SQLite's shared lock lies there, for as long as a log is used */

        _exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Without its lock somebody else who closes the store takes the log away from below the writer. */
static void its_locks_stay(void **state)
{
    struct store *store = open_store(false);

    (void)state;
    assert_true(is_locked());
    store_close(open_store(true));
    assert_true(is_locked());
    store_close(open_store(false));
    assert_true(is_locked());
    store_close(store);
    assert_false(is_locked());
}

static int ignore_event(void *data, struct event *e)
{
    (void)data;
    event_free(e);
    return 0;
}

static int ignore_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                         unsigned sample_count)
{
    (void)data;
    (void)rollup;
    (void)samples;
    (void)sample_count;
    return 0;
}

/* Bytes of the file exchanged: answers may be wrong or an error, but nothing may crash or hang. */
static void a_damaged_store(void **state)
{
    struct store_query all = { .any_victim = true };
    struct process *p = make_process(2, "/bin/a", make_process(1, "/sbin/init", NULL));
    struct store *store = open_store(false);
    static char original[1 << 20], damaged[1 << 20];
    unsigned seed = 7;
    ssize_t size;
    int fd;

    (void)state;
    for (uint64_t i = 1; i <= 50; i++) {
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", p, NULL, i);

        set_id(e, i);
        add(store, e);
    }
    store_close(store);
    process_unref(p);
    fd = open(path, O_RDONLY);
    size = read(fd, original, sizeof(original));
    close(fd);
    assert_true(size > 4096);
    for (int round = 0; round < 150; round++) {
        struct store_options options = { .path = path, .read_only = true };
        struct err err = ERR_INIT;

        memcpy(damaged, original, (size_t)size);
        for (int i = 0; i < 20; i++) {
            seed = seed * 1103515245 + 12345;
            damaged[100 + (seed >> 4) % (unsigned)(size - 100)] = (char)(seed >> 24);
        }
        write_file(path, damaged, (size_t)size);
        if (store_open(&options, &store, &err) < 0)
            continue;
        (void)store_each_event(store, &all, ignore_event, NULL, &err);
        (void)store_each_rollup(store, &all, 64, ignore_rollup, NULL, &err);
        store_close(store);
    }
}

/* A chain that ends in itself, or in nobody, is not reported in part: who launched it would be somebody else. */
static void a_damaged_lineage(void **state)
{
    static const char *const damages[] = {
        "UPDATE process SET parent = row",
        "UPDATE process SET parent = row + 1",
        "UPDATE process SET parent = (SELECT max(row) FROM process)",
        "UPDATE process SET parent = -1",
        "UPDATE process SET earlier = row",
        "UPDATE process SET earlier = 4711",
        "DELETE FROM process",
        "DELETE FROM container",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct process *init = make_process(1, "/sbin/init", NULL), *p = make_process(7, "/bin/rm", init);
        struct container *c = make_container("0123", "web");
        struct event *e = make_event(OPERATION_UNLINK, "/a/f", p, c, 5);
        struct store_query all = { .any_victim = true };
        struct store *store = open_store(false);
        struct err err = ERR_INIT;

        add(store, e);
        store_close(store);
        process_unref(p);
        container_unref(c);
        sql(damages[i], NULL, 0);
        store = open_store(true);
        assert_int_equal(store_each_event(store, &all, ignore_event, NULL, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "damaged"));
        assert_int_equal(store_each_rollup(store, &all, 3, ignore_rollup, NULL, &err), -EBADMSG);
        store_close(store);
        assert_int_equal(unlink(path), 0);
    }
}

/* What could not be written is kept, and written when there is room again. */
static void a_full_disk(void **state)
{
    struct rlimit limit = { 256 * 1024, RLIM_INFINITY };
    pid_t child;
    int status;

    (void)state;
    child = fork_child();
    if (child == 0) {
        struct store *store = open_store(false);
        struct err err = ERR_INIT;
        int r;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        for (uint64_t i = 1; i <= 20000; i++) {
            struct event *e = make_event(OPERATION_UNLINK, "/a/f", NULL, NULL, i);

            set_id(e, i);
            (void)store_add_event(store, e);
            event_free(e);
        }
        r = store_flush(store, &err);
        if (r == 0 || !err.text[0] || missing(store) == 0 || missing(store) > 20000)
            _exit(1);
        limit.rlim_cur = RLIM_INFINITY;
        setrlimit(RLIMIT_FSIZE, &limit);
        if (store_flush(store, NULL) < 0 || missing(store) || ask(store, NULL, "/a") != 20000)
            _exit(2);
        store_close(store);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void add_one(struct store *store, struct process *actor, struct container *victim, uint64_t time_ns)
{
    struct event *e = make_event(OPERATION_UNLINK, "/a/f", actor, victim, time_ns);

    set_id(e, time_ns);
    add(store, e);
}

/* Processes that nobody else knows any more are of the past: however many have been, few are held. */
static void the_past_is_not_held(void **state)
{
    struct process *init = make_process(1, "/sbin/init", NULL);
    struct container *web = make_container("aaaa", "web");
    struct store *store = open_store(false);

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct process *p = make_process(2 + (pid_t)i, "/bin/rm", process_ref(init));

        p->container = container_ref(web);
        add_one(store, p, web, 1 + i);
        process_unref(p);
        if (i == 10000) { /* one that is still there is sent once */
            struct process *living = make_process(50000, "/bin/sh", process_ref(init));

            for (unsigned k = 0; k < 5000; k++)
                add_one(store, living, NULL, 100000 + k);
            process_unref(living);
        }
    }
    /* each of them holds both */
    assert_true(init->refs < 1200);
    assert_true(web->refs < 1200);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    assert_int_equal(init->refs, 1);
    process_unref(init);
    container_unref(web);
    store = open_store(true);
    assert_int_equal(ask(store, "web", "/a"), 20000);
    assert_int_equal(ask(store, NULL, "/a"), 5000);
    store_close(store);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_comes_back),
        TEST(counted_rows_say_what_the_events_say),
        TEST(counted_rows_say_what_the_blocks_say),
        TEST(a_storm_comes_back),
        TEST(rows_among_blocks),
        TEST(two_observers),
        TEST(more_than_the_queue_holds),
        TEST(a_damaged_block),
        TEST(a_store_without_blocks),
        TEST(a_store_without_earlier_images),
        TEST(a_store_without_health_checks),
        TEST(a_store_without_suspects_rest),
        TEST(suspects_of_one_number_as_rows),
        TEST(suspects_of_one_number_in_a_block),
        TEST(events_of_one_id),
        TEST(an_event_of_two_sensors),
        TEST(many_images_come_back),
        TEST(names_in_a_filter),
        TEST(a_path_is_whole_components),
        TEST(the_same_change_is_stored_once),
        TEST(what_was_observed_is_kept),
        TEST(it_is_private),
        TEST(a_killed_writer_leaves_a_readable_store),
        TEST(two_writers),
        TEST(asked_while_it_writes),
        TEST(a_store_that_is_none),
        TEST(a_store_of_somebody_else),
        TEST(its_locks_stay),
        TEST(a_damaged_store),
        TEST(a_damaged_lineage),
        TEST(a_full_disk),
        TEST(the_past_is_not_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
