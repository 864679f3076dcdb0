/* SPDX-License-Identifier: MIT */
/* Processes that are no rows any more: all that was known of them, in the same words, until nothing refers to them. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/ecs.h"
#include "fill.h"
#include "make.h"
#include "store/compact.h"
#include "store/maintain.h"
#include "store/process_pack.h"
#include "store/prune.h"
#include "store/prune_state.h"
#include "store/query.h"
#include "store/retention.h"
#include "store/rows_in_use.h"
#include "store_place.h"
#include "util/clock.h"

#define DAY (24 * 3600 * NS_PER_S)
#define PROCESSES 700 /* one event each */

static uint64_t start;

static int set_up(void **state)
{
    (void)state;
    make_store_place("packs", "culprit.db");
    start = (clock_ns(CLOCK_REALTIME) / DAY - 20) * DAY;
    return 0;
}

/* Each of its own, below one of some shells; some were something else before, some live in containers. */
static struct process *make_one(struct process *const shells[5], struct container *web, unsigned i)
{
    struct process *p = make_process(100 + (pid_t)i, i % 3 ? "/bin/rm" : "/bin/cp", process_ref(shells[i % 5])), *before;

    if (i % 50 == 7) {
        fill_fields(process_fields, &p->arena, p, i * 131);
        p->pid = 100 + (pid_t)i;
    }
    p->booted_ns = start - DAY;
    p->start_ns = (1000 + i) * NS_PER_S;
    process_set(p, &p->args, (struct bytes){ "rm\0-f\0file\0", i % 2 ? 11 : 6 });
    p->origin = i % 4 ? ORIGIN_HOST : ORIGIN_CONTAINER;
    p->container = i % 4 ? NULL : container_ref(web);
    if (i % 10 == 3) {
        before = make_process(p->pid, "/bin/sh", process_ref(p->parent));
        before->start_ns = p->start_ns;
        before->booted_ns = p->booted_ns;
        process_set_earlier(p, before);
        process_unref(before);
    }
    return p;
}

static void record(void)
{
    struct store *store = open_store_with((struct store_options){ 0 });
    struct process *init = make_process(1, "/sbin/init", NULL), *shells[5];
    struct container *web = make_container("0123456789abcdef", "web");

    init->booted_ns = start - DAY;
    for (unsigned i = 0; i < 5; i++) {
        shells[i] = make_process(10 + (pid_t)i, "/bin/bash", process_ref(init));
        shells[i]->booted_ns = init->booted_ns;
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *p = make_one(shells, web, i);
        uint64_t id[2] = { i + 1, i * 7919ull };
        struct event *e;
        char file[32];

        snprintf(file, sizeof(file), "/d/f%u", i % 20);
        e = make_event(OPERATION_UNLINK, file, p, NULL, start + i * DAY / 50);
        e->sensors = SENSOR_FANOTIFY;
        memcpy(e->id, id, sizeof(id));
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
        process_unref(p);
        if (i % 100 == 0)
            assert_int_equal(store_flush(store, NULL), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    for (unsigned i = 0; i < 5; i++)
        process_unref(shells[i]);
    process_unref(init);
    container_unref(web);
}

static int write_json(void *data, struct event *e)
{
    struct ecs_host host = { .id = bytes_of("host") };

    ecs_write_event(data, e, &host);
    event_free(e);
    return 0;
}

static struct sbuf all_events(uint64_t since_ns)
{
    struct store *store = open_store_with((struct store_options){ .read_only = true });
    struct store_query q = { .any_victim = true, .since_ns = since_ns };
    struct sbuf out = SBUF_INIT;
    struct err err = ERR_INIT;

    if (store_each_event(store, &q, write_json, &out, &err) < 0)
        fail_msg("%s", err.text);
    store_close(store);
    return out;
}

static void same(const struct sbuf *a, const struct sbuf *b)
{
    size_t i = 0;

    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    if (i < a->len || i < b->len)
        fail_msg("at %zu of %zu and %zu: %.200s\n---\n%.200s", i, a->len, b->len, a->data + (i < 100 ? 0 : i - 100), b->data + (i < 100 ? 0 : i - 100));
}

static sqlite3 *open_db(void)
{
    struct err err = ERR_INIT;
    sqlite3 *db = NULL;

    if (db_open(path, false, &db, NULL, &err) < 0)
        fail_msg("%s", err.text);
    return db;
}

static void pack(int64_t young)
{
    struct process_packs *packs;
    struct err err = ERR_INIT;
    sqlite3 *db = open_db();
    int r = 1;

    assert_int_equal(process_packs_new(db, path, &packs, &err), 0);
    while (r == 1) {
        assert_int_equal(db_exec(db, path, "BEGIN", &err), 0);
        r = process_packs_step(packs, young, &err);
        assert_int_equal(db_exec(db, path, "COMMIT", &err), 0);
    }
    if (r < 0)
        fail_msg("%s", err.text);
    process_packs_free(packs);
    sqlite3_close(db);
}

static void change(const char *sql)
{
    struct err err = ERR_INIT;
    sqlite3 *db = open_db();

    if (db_exec(db, path, sql, &err) < 0)
        fail_msg("%s: %s", sql, err.text);
    sqlite3_close(db);
}

static void compact_events(void)
{
    struct compactor *c;
    struct err err = ERR_INIT;
    sqlite3 *db = open_db();
    int r = 1;

    assert_int_equal(compactor_new(db, path, &c, &err), 0);
    while (r == 1)
        r = compactor_run(c, clock_ns(CLOCK_REALTIME), 0, &err);
    assert_int_equal(r, 0);
    compactor_free(c);
    sqlite3_close(db);
}

static void all_that_was_known(void **state)
{
    struct sbuf before, after;
    int64_t processes;

    (void)state;
    record();
    processes = number("SELECT count(*) FROM process");
    assert_true(processes > PROCESSES);
    before = all_events(0);
    pack(2048); /* they are few, and young */
    assert_int_equal(number("SELECT count(*) FROM process_pack"), 0);
    pack(300);
    assert_int_equal(number("SELECT count(*) FROM process_pack"), 1);
    assert_int_equal(number("SELECT count(*) FROM process"), processes - 256);
    after = all_events(0);
    same(&before, &after);
    sbuf_done(&after);
    pack(0);
    assert_true(number("SELECT count(*) FROM process") < 256);
    after = all_events(0);
    same(&before, &after);
    sbuf_done(&after);
    compact_events();
    assert_int_equal(number("SELECT count(*) FROM event"), 0);
    after = all_events(0);
    same(&before, &after);
    print_message("%lld bytes a process\n", (long long)number("SELECT sum(length(data)) / (256 * count(*)) FROM process_pack"));
    sbuf_done(&before);
    sbuf_done(&after);
}

static void those_in_use_are_found(void **state)
{
    int64_t processes[] = { 1, 256, 257, 0, 300 }, none[5] = { 0 };
    const struct rows_in_use in_use = { processes, none, 5 };
    struct err err = ERR_INIT;
    sqlite3 *db;

    (void)state;
    record();
    pack(0);
    db = open_db();
    assert_int_equal(rows_are_there(db, path, &in_use, &err), 0);
    processes[3] = 5000;
    assert_true(rows_are_there(db, path, &in_use, &err) < 0);
    sqlite3_close(db);
}

/* Of events that went: processes that nothing refers to go with them, out of the middle of packs; their launchers stay. */
static void what_nothing_refers_to_goes(void **state)
{
    const struct store_retention retention = { .age_ns = 12 * DAY };
    const uint64_t since = start + 9 * DAY;
    struct store_pruned pruned;
    struct err err = ERR_INIT;
    struct sbuf before, after;

    (void)state;
    record();
    pack(0);
    change("DELETE FROM event WHERE row % 7 = 0"); /* holes */
    before = all_events(since);
    if (store_prune(path, &retention, false, &pruned, &err) < 0)
        fail_msg("%s", err.text);
    after = all_events(since);
    same(&before, &after);
    assert_true(pruned.events_left < 350 && pruned.events_left > 100);
    pack(0);
    assert_true(number("SELECT min(row) FROM process_pack") == 1); /* init */
    assert_true(number("SELECT sum(length(data)) FROM process_pack") > 0);
    assert_true(pruned.bytes_left < pruned.bytes);
    change("DELETE FROM event; DELETE FROM block; DELETE FROM rollup");
    assert_int_equal(store_prune(path, &(struct store_retention){ .age_ns = 1, .size = 1 << 20 }, false, &pruned, &err), 0);
    sbuf_done(&before);
    sbuf_done(&after);
}

/* A storm, after all the others: a block of its own. */
static void record_storm(void)
{
    struct store *store = open_store_with((struct store_options){ 0 });
    struct process *p = make_process(5000, "/bin/storm", NULL);

    p->booted_ns = start - DAY;
    for (uint64_t i = 0; i < 3000; i++) {
        struct event *e = make_event(OPERATION_WRITE, "/data/storm", p, NULL, start + 11 * DAY + i);
        uint64_t id[2] = { i, ~i };

        e->sensors = SENSOR_FANOTIFY;
        memcpy(e->id, id, sizeof(id));
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    process_unref(p);
}

/* `culprit prune` makes blocks and packs while a daemon looks for what is in use: it finds that where it has come to. */
static void what_is_moved_is_in_use(void **state)
{
    const struct store_retention retention = { .age_ns = 100 * DAY };
    const struct rows_in_use nobody = { 0 };
    struct pruner *pruner;
    struct compactor *c;
    struct err err = ERR_INIT;
    sqlite3 *db, *other;
    struct sbuf before, after;
    bool forget;
    int r = 1;

    (void)state;
    record();
    record_storm();
    assert_true(number("SELECT min(row) FROM block") > number("SELECT min(row) FROM event"));
    before = all_events(0);
    db = open_db();
    other = open_db();
    assert_int_equal(pruner_new(db, path, &retention, &pruner, &err), 0);
    assert_int_equal(compactor_new(other, path, &c, &err), 0);
    while (r == 1) {
        r = pruner_step(pruner, clock_ns(CLOCK_REALTIME), &nobody, &forget, &err);
        if (pruner->task != MARK || (!pruner->at[0] && !pruner->at[1]))
            continue;
        for (int more = 1; more == 1;) { /* once it has begun to look */
            more = compactor_run(c, clock_ns(CLOCK_REALTIME), 0, &err);
            assert_true(more >= 0);
        }
    }
    assert_int_equal(r, 0);
    assert_int_equal(number("SELECT count(*) FROM event"), 0);
    pruner_free(pruner);
    compactor_free(c);
    sqlite3_close(db);
    sqlite3_close(other);
    after = all_events(0);
    same(&before, &after);
    sbuf_done(&before);
    sbuf_done(&after);
}

/* ---- damage ---- */

static bool unpack_all(struct bytes data, struct sbuf *out)
{
    struct process_unpacking *u = calloc(1, sizeof(*u));
    int r;

    assert_non_null(u);
    sbuf_clear(out);
    r = process_unpack(u, 1, data);
    while (r == 0 && (r = process_unpack_next(u)) == 1) {
        sbuf_add(out, (const char *)&u->now.row, sizeof(u->now.row));
        sbuf_add(out, (const char *)u->now.numbers, sizeof(u->now.numbers));
        for (unsigned i = 0; i < PROCESS_FIELDS_MAX; i++)
            sbuf_add_bytes(out, u->now.bytes[i]);
        r = 0;
    }
    assert_true(r == 0 || r == -EBADMSG || r == -ENOMEM);
    process_unpacking_done(u);
    free(u);
    return r == 0;
}

static void no_bit_says_something_else(void **state)
{
    struct sbuf data = SBUF_INIT, right = SBUF_INIT, now = SBUF_INIT;
    unsigned damaged = 0, tried = 0;
    sqlite3_stmt *s;
    sqlite3 *db;

    (void)state;
    record();
    pack(0);
    db = open_db();
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT data FROM process_pack WHERE row = 1", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    sbuf_add_bytes(&data, db_column_bytes(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
    assert_true(unpack_all(sbuf_bytes(&data), &right));
    for (size_t i = 1; i < data.len; i += i < 24 ? 1 : 5) /* the first byte says how many fields are known */
        for (unsigned bit = 0; bit < 8; bit += 3, tried++) {
            data.data[i] = (char)(data.data[i] ^ 1 << bit);
            if (!unpack_all(sbuf_bytes(&data), &now))
                damaged++;
            else
                same(&right, &now);
            data.data[i] = (char)(data.data[i] ^ 1 << bit);
        }
    for (size_t n = 0; n < data.len; n += 11)
        assert_false(unpack_all((struct bytes){ data.data, n }, &now));
    assert_true(damaged > tried / 2);
    sbuf_done(&data);
    sbuf_done(&right);
    sbuf_done(&now);
}

static int count_one(void *data, struct event *e)
{
    event_free(e);
    ++*(unsigned *)data;
    return 0;
}

static void damage_is_said(void **state)
{
    struct store_query q = { .any_victim = true };
    struct err err = ERR_INIT;
    struct store *store;
    unsigned n = 0;

    (void)state;
    record();
    pack(0);
    change("UPDATE process_pack SET data = substr(data, 1, length(data) - 3) WHERE row = 1");
    store = open_store_with((struct store_options){ .read_only = true });
    assert_int_equal(store_each_event(store, &q, count_one, &n, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "is damaged"));
    assert_int_equal(n, 0);
    store_close(store);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_that_was_known),
        TEST(those_in_use_are_found),
        TEST(what_nothing_refers_to_goes),
        TEST(what_is_moved_is_in_use),
        TEST(no_bit_says_something_else),
        TEST(damage_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
