/* SPDX-License-Identifier: MIT */
/* What was counted says what the events say: as rows of hours, as days, half and half, within any time, and after some of it was removed. */
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "make.h"
#include "store/compact.h"
#include "store/daily.h"
#include "store/handle.h"
#include "store/maintain.h"
#include "store/query.h"
#include "store/retention.h"
#include "store_place.h"
#include "util/clock.h"
#include "util/hash.h"

#define DAY (24 * 3600 * NS_PER_S)
#define DAYS 12
#define EVENTS 1500

static uint64_t start; /* of a day */
static uint32_t seed;
static unsigned made;
static char fault[LIMIT_ERR]; /* of the last compact() */

static int set_up(void **state)
{
    (void)state;
    make_store_place("daily", "culprit.db");
    start = (clock_ns(CLOCK_REALTIME) / DAY - DAYS) * DAY;
    seed = 11;
    made = 0;
    return 0;
}

static uint32_t random_number(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static const char *const folders[] = { "/", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/c/d/e", "/a/b/c/other", "/a/b/x", "/ab", "/v/w/x/y/z", "/lib/c/web/data/in" };
#define FOLDERS (sizeof(folders) / sizeof(folders[0]))

static void make_path(char *to, size_t size)
{
    const char *folder = folders[random_number(FOLDERS)];

    snprintf(to, size, "%s/f%u", folder[1] ? folder : "", random_number(3));
}

static void record(unsigned count)
{
    struct store *store = open_store_with((struct store_options){ 0 });
    struct process *init = make_process(1, "/sbin/init", NULL), *processes[3];
    struct container *containers[] = { make_container("0123456789abcdef", "web"), make_container("fedcba9876543210", "shop") };
    char text[64];

    init->booted_ns = start - DAY;
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof(text), "/bin/p%u", i);
        processes[i] = make_process(100 + (pid_t)i, text, process_ref(init));
        processes[i]->booted_ns = init->booted_ns;
    }
    for (unsigned i = 0; i < count; i++) {
        static const enum operation operations[] = { OPERATION_CREATE, OPERATION_UNLINK, OPERATION_RENAME, OPERATION_WRITE };
        uint64_t id[2] = { ++made, made * 7919ull }, at = start + (uint64_t)i * DAYS * DAY / count + random_number(1000000) * 1000ull;
        struct container *c = random_number(3) ? NULL : containers[random_number(2)];
        enum operation operation = operations[random_number(4)];
        struct event *e;

        make_path(text, sizeof(text));
        e = make_event(operation, text, processes[random_number(3)], c, random_number(20) ? at : start + random_number(DAYS * 86400) * NS_PER_S);
        e->error = random_number(8) ? 0 : EPERM;
        e->sensors = random_number(4) ? SENSOR_FANOTIFY : SENSOR_AUDIT;
        e->watch_text = bytes_of(random_number(2) ? "/one" : "/other");
        memcpy(e->id, id, sizeof(id));
        if (operation == OPERATION_RENAME) {
            make_path(text, sizeof(text));
            event_set(e, &e->previous_path, bytes_of(text));
        }
        if (c) {
            snprintf(text, sizeof(text), "/lib/c/web%.*s", (int)MIN(e->path.len, (size_t)40), e->path.data);
            event_set(e, &e->host_path, bytes_of(text));
        }
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
        if (i % 300 < 100) /* else they are a storm */
            assert_int_equal(store_flush(store, NULL), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    for (unsigned i = 0; i < 3; i++)
        process_unref(processes[i]);
    process_unref(init);
    container_unref(containers[0]);
    container_unref(containers[1]);
}

/* ---- what is said, and what is true ---- */

struct said {
    struct event *first;
    uint64_t count, first_ns, last_ns;
};

struct answer {
    struct said all[512];
    unsigned count;
};

static bool is_one(const struct event *a, const struct event *b)
{
    struct fingerprint x = event_suspect(a), y = event_suspect(b);

    return x.number == y.number && x.rest == y.rest && a->operation == b->operation && a->error == b->error &&
           a->victim_kind == b->victim_kind && (a->victim ? b->victim && bytes_equal(a->victim->id, b->victim->id) : !b->victim);
}

/* A container that was seen twice, by two writers, is two: what is said of them is put together. */
static int add_said(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned n)
{
    struct answer *a = data;
    struct event *e = event_new();
    struct said *s = a->all;

    assert_true(n == 1 && a->count < 512);
    memcpy(e->id, samples[0]->id, sizeof(e->id));
    e->suspect = event_suspect(samples[0]);
    e->operation = samples[0]->operation;
    e->error = samples[0]->error;
    e->victim_kind = samples[0]->victim_kind;
    e->victim = container_ref(samples[0]->victim);
    while (s < a->all + a->count && !is_one(s->first, e))
        s++;
    if (s == a->all + a->count) {
        a->count++;
        *s = (struct said){ e, rollup->count, rollup->first_ns, rollup->last_ns };
        return 0;
    }
    s->count += rollup->count; /* the first ones come first */
    s->last_ns = MAX(s->last_ns, rollup->last_ns);
    event_free(e);
    return 0;
}

static int add_event(void *data, struct event *e)
{
    struct answer *a = data;
    struct said *s = a->all;

    while (s < a->all + a->count && !is_one(s->first, e))
        s++;
    if (s == a->all + a->count) {
        assert_true(a->count++ < 512);
        *s = (struct said){ e, 1, e->time_ns, e->time_ns };
        return 0;
    }
    s->count++;
    s->last_ns = MAX(s->last_ns, e->time_ns);
    event_free(e);
    return 0;
}

static void forget(struct answer *a)
{
    while (a->count)
        event_free(a->all[--a->count].first);
}

static const struct said *find(const struct answer *a, const struct said *s)
{
    for (unsigned i = 0; i < a->count; i++)
        if (memcmp(a->all[i].first->id, s->first->id, sizeof(s->first->id)) == 0)
            return &a->all[i];
    return NULL;
}

static void ask(struct store *store, const struct store_query *q, const char *when)
{
    struct answer said = { 0 }, right = { 0 };
    struct err err = ERR_INIT;

    if (store_each_rollup(store, q, 1, add_said, &said, &err) < 0 || store_each_event(store, q, add_event, &right, &err) < 0)
        fail_msg("%s: %s", when, err.text);
    for (unsigned i = 0; i < right.count; i++) {
        const struct said *s = find(&said, &right.all[i]), *r = &right.all[i];

        if (!s || s->count != r->count || s->first_ns != r->first_ns || s->last_ns != r->last_ns || said.count != right.count)
            fail_msg("%s, %.*s of %.*s, %llu to %llu: %u and %u; %llu and %llu", when, (int)q->path.len, q->path.data, (int)q->container.len,
                     q->container.data, (unsigned long long)q->since_ns, (unsigned long long)q->until_ns, said.count, right.count,
                     s ? (unsigned long long)s->count : 0, (unsigned long long)r->count);
    }
    assert_int_equal(said.count, right.count);
    forget(&said);
    forget(&right);
}

/* Whatever may be asked. */
static void all_is_right(const char *when)
{
    static const char *const more[] = { "/lib/c", "/a/b/c/d/f1", "/a/f0", "/v", "/nothing" };
    struct store *store = open_store_with((struct store_options){ .read_only = true });

    for (unsigned i = 0; i <= FOLDERS + 5; i++)
        for (unsigned k = 0; k < 4; k++)
            for (unsigned t = 0; t < 5; t++) {
                const char *file = i < FOLDERS ? folders[i] : i < FOLDERS + 5 ? more[i - FOLDERS] : NULL;
                uint64_t from = start + random_number(DAYS * 86400) * NS_PER_S;
                struct store_query q = { .path = file ? bytes_of(file) : BYTES_NULL, .any_victim = k == 1,
                                         .container = k == 2 ? bytes_of("web") : k == 3 ? bytes_of("shop") : BYTES_NULL,
                                         .since_ns = t == 1 || t == 3 ? from : t == 4 ? from / DAY * DAY : 0,
                                         .until_ns = t == 2 ? from : t == 3 ? from + random_number(5 * 86400) * NS_PER_S : 0,
                                         .operations = i % 3 == 2 ? 1ull << OPERATION_RENAME : 0 };

                ask(store, &q, when);
            }
    store_close(store);
}

static void change(const char *sql)
{
    struct err err = ERR_INIT;
    sqlite3 *db;

    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    if (db_exec(db, path, sql, &err) < 0)
        fail_msg("%s: %s", sql, err.text);
    sqlite3_close(db);
}

static int compact(uint64_t before_ns)
{
    struct compactor *c;
    struct err err = ERR_INIT;
    sqlite3 *db;
    int r = 1;

    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    assert_int_equal(compactor_new(db, path, &c, &err), 0);
    while (r == 1)
        r = compactor_run(c, before_ns, 0, &err);
    snprintf(fault, sizeof(fault), "%s", compactor_fault(c));
    compactor_free(c);
    sqlite3_close(db);
    return r;
}

static void it_says_what_the_events_say(void **state)
{
    char sql[160];

    (void)state;
    record(EVENTS);
    all_is_right("as rows");
    assert_int_equal(compact(start + DAYS / 2 * DAY + DAY / 3), 0);
    assert_true(number("SELECT count(*) FROM daily") > 100 && number("SELECT count(*) FROM rollup") > 100);
    all_is_right("half of it");
    record(EVENTS / 5); /* of days that have been made too */
    all_is_right("half of it, and more");
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_int_equal(number("SELECT count(*) FROM rollup"), 0);
    all_is_right("all of it");
    snprintf(sql, sizeof(sql), "UPDATE watch SET floor_ns = %llu WHERE text = CAST('/one' AS BLOB)", (unsigned long long)(start + 3 * DAY + DAY / 3));
    change(sql);
    all_is_right("one watch has less");
    snprintf(sql, sizeof(sql), "UPDATE watch SET floor_ns = %llu WHERE row = 0", (unsigned long long)(start + 2 * DAY + 3600 * NS_PER_S));
    change(sql);
    all_is_right("and all of them");
}

/* ---- while it is moved ---- */

/* Somebody compacts all of it before the statement that the reader begins with these words. */
struct mover {
    const char *before;
    bool has_moved;
};

static int move(unsigned type, void *data, void *statement, void *text)
{
    struct mover *m = data;

    (void)type, (void)statement;
    if (!m->has_moved && strstr(text, m->before)) {
        m->has_moved = true;
        assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    }
    return 0;
}

static void moved_meanwhile(const char *before, const struct store_query *q)
{
    struct mover m = { .before = before };
    struct store *store;

    record(200);
    store = open_store_with((struct store_options){ .read_only = true });
    sqlite3_trace_v2(store->db, SQLITE_TRACE_STMT, move, &m);
    ask(store, q, before);
    assert_true(m.has_moved);
    store_close(store);
}

static void an_answer_is_of_one_moment(void **state)
{
    const struct store_query below = { .path = bytes_of("/a") }, deep = { .path = bytes_of("/a/b/c/d") }, all = { .any_victim = true },
                             within = { .path = bytes_of("/a"), .since_ns = start + DAY / 2 };

    (void)state;
    moved_meanwhile("daily t WHERE", &below); /* counted twice */
    moved_meanwhile("daily t WHERE", &deep);
    moved_meanwhile("daily t WHERE", &all);
    moved_meanwhile("asked_block b CROSS", &within);
    moved_meanwhile("SELECT e.row, e.time_ns FROM event e", &all); /* not at all */
}

static void what_is_removed_is_not_counted(void **state)
{
    const struct store_watch_retention watches[] = { { bytes_of("/one"), 5 * DAY + DAY / 3 } };
    const struct store_retention retention = { .age_ns = 8 * DAY, .watches = watches, .watch_count = 1 };
    struct store_pruned pruned;
    struct err err = ERR_INIT;

    (void)state;
    record(EVENTS);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    if (store_prune(path, &retention, false, &pruned, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(number("SELECT min(day) * 86400000000000 >= (SELECT floor_ns FROM watch WHERE row = 0) FROM daily"), 1);
    assert_int_equal(number("SELECT count(*) FROM daily_suspect WHERE day NOT IN (SELECT day FROM daily)"), 0);
    assert_true(number("SELECT count(DISTINCT day) FROM daily") > 6);
    assert_true(number("SELECT count(*) FROM container") > 0);
    all_is_right("after some was removed");
    record(EVENTS / 5);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    all_is_right("and some was added");
    change("DELETE FROM event; DELETE FROM block; DELETE FROM block_place");
    assert_int_equal(store_prune(path, &(struct store_retention){ .age_ns = 1 }, false, &pruned, &err), 0);
}

/* Rows of a rename's old directory are counted before those of its new one: between two steps it is counted nowhere. */
static void what_events_are_found_by_stays(void **state)
{
    const struct store_retention retention = { .age_ns = 100 * DAY };
    struct store_pruned pruned;
    struct err err = ERR_INIT;

    (void)state;
    record(EVENTS / 2);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_true(number("SELECT count(*) > 0 AND (SELECT count(*) > 0 FROM block_place) FROM event") == 1); /* audit's, and others */
    change("DELETE FROM daily WHERE directory > 0");
    if (store_prune(path, &retention, false, &pruned, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(number("SELECT count(*) FROM block_place WHERE directory NOT IN (SELECT row FROM directory)"), 0);
    assert_int_equal(number("SELECT count(*) FROM event WHERE directory NOT IN (SELECT row FROM directory) OR "
                            "previous_directory NOT IN (SELECT row FROM directory)"), 0);
}

/* ---- the bytes ---- */

static void bytes_there_and_back(void **state)
{
    const struct daily all[] = {
        { .victim_kind = 1, .operation = 3, .count = 1, .first_ns = 5 * DAILY_NS + 7, .last_ns = 5 * DAILY_NS + 7, .first_event = 1 },
        { 1, 77, 3, 9, -1, 5, 2, 4, 1ull << 40, 5 * DAILY_NS + 8, 6 * DAILY_NS - 1, INT64_MAX },
        { 2, 0, 3, 9, EPERM, 5, 3, 4, 1, 5 * DAILY_NS + 8, 5 * DAILY_NS + 9, 2 },
    };
    struct daily before = daily_before(5), d = before;
    struct sbuf out = SBUF_INIT;
    struct bytes rest;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        daily_pack(&all[i], &before, &out);
    rest = sbuf_bytes(&out);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(daily_next(&rest, &d), 1);
        assert_memory_equal(&d, &all[i], sizeof(d));
    }
    assert_int_equal(daily_next(&rest, &d), 0);
    for (size_t n = 0; n < out.len; n++) { /* cut short */
        int r = 1;

        rest = (struct bytes){ out.data, n };
        for (d = daily_before(5); r == 1;)
            r = daily_next(&rest, &d);
        assert_true(r == 0 || r == -EBADMSG);
    }
    sbuf_done(&out);
    assert_int_equal(daily_depth(bytes_of("/")), 0);
    assert_int_equal(daily_depth(bytes_of("/a/b/c")), 3);
    assert_int_equal(daily_depth(bytes_of("/a/b/c/d/e")), 4);
    assert_int_equal(daily_depth(bytes_of("a/b")), 4);
    assert_int_equal(daily_depth((struct bytes){ "", 0 }), 4);
    assert_bytes(daily_above(bytes_of("/a/b/c/d"), 3), "/a/b/c");
    assert_bytes(daily_above(bytes_of("/a/b"), 2), "/a/b");
    assert_bytes(daily_above(bytes_of("/a/b"), 0), "/");
}

static void damage_is_said(void **state)
{
    struct store_query q = { .path = bytes_of("/a") };
    struct answer said = { 0 };
    struct err err = ERR_INIT;
    struct store *store;

    (void)state;
    record(200);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    change("UPDATE daily_suspect SET data = substr(data, 1, 16)");
    store = open_store_with((struct store_options){ .read_only = true });
    assert_int_equal(store_each_rollup(store, &q, 1, add_said, &said, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "is damaged"));
    forget(&said);
    store_close(store);
    change("UPDATE daily SET data = x'ff'");
    record(200); /* others go on; what was counted there stays as it is */
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_non_null(strstr(fault, "is damaged"));
    assert_true(number("SELECT count(*) FROM rollup") > 0);
    assert_int_equal(number("SELECT count(*) FROM daily WHERE data <> x'ff'"), 0);
}

static void keep_longer_sums(sqlite3 *db, const char *select, const char *update)
{
    sqlite3_stmt *rows = NULL, *change_row = NULL;

    assert_int_equal(sqlite3_prepare_v2(db, select, -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, update, -1, &change_row, NULL), SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        uint64_t sum = HASH_START;

        for (int i = 0; i < 3; i++) {
            sum = hash_word(sum, (uint64_t)sqlite3_column_int64(rows, i));
            sqlite3_bind_int64(change_row, i + 2, sqlite3_column_int64(rows, i));
        }
        sum = hash_add(sum, sqlite3_column_blob(rows, 3), (size_t)sqlite3_column_bytes(rows, 3));
        assert_true(sqlite3_column_int64(rows, 4) == (int32_t)(sum ^ sum >> 32));
        sqlite3_bind_int64(change_row, 1, (int64_t)sum);
        assert_int_equal(sqlite3_step(change_row), SQLITE_DONE);
        sqlite3_reset(change_row);
    }
    sqlite3_finalize(rows);
    sqlite3_finalize(change_row);
}

/* Schema 22 has sums of 64 bits. */
static void longer_sums_are_known(void **state)
{
    sqlite3 *db;

    (void)state;
    record(300);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    keep_longer_sums(db, "SELECT directory, whose, day, data, sum FROM daily", "UPDATE daily SET sum = ?1 WHERE directory = ?2 AND whose = ?3 AND day = ?4");
    keep_longer_sums(db, "SELECT 0, 0, day, data, sum FROM daily_suspect", "UPDATE daily_suspect SET sum = ?1 WHERE ?2 = 0 AND ?3 = 0 AND day = ?4");
    sqlite3_close(db);
    assert_true(number("SELECT max(abs(sum)) > 4294967296 FROM daily") == 1);
    record(300);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_string_equal(fault, "");
    all_is_right("with longer and shorter sums");
}

/* What counts in a damaged row stays as it was counted; all behind it goes on. Once it is whole again, nothing is missing or there twice. */
static void what_is_damaged_stops_nothing_else(void **state)
{
    static const struct {
        const char *where, *damage; /* a row */
        bool suspects;
    } rows[] = {
        { "directory = (SELECT row FROM directory WHERE path = CAST('/a/b' AS BLOB))", "data = x'7f' || substr(data, 2)", false },
        { "directory = 0", "data = substr(data, 1, length(data) - 1), sum = NULL", false },
        { "1", "data = substr(data, 1, 16)", true },
    };
    char sql[512];

    (void)state;
    record(200);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    assert_string_equal(fault, "");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *table = rows[i].suspects ? "daily_suspect" : "daily";

        snprintf(sql, sizeof(sql), "CREATE TABLE kept AS SELECT * FROM %s WHERE %s AND day = %llu; UPDATE %s SET %s WHERE %s AND day = %llu", table,
                 rows[i].where, (unsigned long long)(start / DAY + 3), table, rows[i].damage, rows[i].where, (unsigned long long)(start / DAY + 3));
        change(sql);
        record(200);
        assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
        assert_non_null(strstr(fault, "is damaged"));
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM rollup WHERE hour / 24 <> %llu", (unsigned long long)(start / DAY + 3));
        assert_int_equal(number(sql), 0);
        assert_true(number("SELECT count(*) FROM rollup") > 0);
        snprintf(sql, sizeof(sql), "REPLACE INTO %s SELECT * FROM kept; DROP TABLE kept", table);
        change(sql);
        assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
        assert_string_equal(fault, "");
        assert_int_equal(number("SELECT count(*) FROM rollup"), 0);
    }
    all_is_right("once all is whole again");
}

/* Whichever bit is another one: nothing is said of what was counted there, rather than something else. */
static void no_bit_counts_for_another(void **state)
{
    const struct store_query q = { .path = bytes_of("/a/b") };
    char sql[256];

    (void)state;
    record(100);
    assert_int_equal(compact(start + 2 * DAYS * DAY), 0);
    for (unsigned i = 0; i < 2; i++) {
        const char *from = i ? "daily_suspect" : "daily", *key = i ? "day = (SELECT min(day) FROM daily_suspect)" :
                           "day = (SELECT min(day) FROM daily) AND whose = 0 AND directory = (SELECT row FROM directory WHERE path = CAST('/a/b' AS BLOB))";
        struct answer said = { 0 };
        struct err err = ERR_INIT;
        struct store *store;
        int64_t length;

        snprintf(sql, sizeof(sql), "SELECT length(data) FROM %s WHERE %s", from, key);
        length = number(sql);
        assert_true(length > 0);
        for (int64_t at = 0; at < length; at++) {
            snprintf(sql, sizeof(sql), "UPDATE %s SET data = substr(data, 1, %lld) || x'%02x' || substr(data, %lld) WHERE %s", from, (long long)at,
                     (unsigned)(at * 37 + 1) & 0xff, (long long)at + 2, key);
            change("DROP TABLE IF EXISTS kept");
            change(i ? "CREATE TABLE kept AS SELECT * FROM daily_suspect" : "CREATE TABLE kept AS SELECT * FROM daily");
            change(sql);
            snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s d JOIN kept k USING (day%s) WHERE d.data <> k.data", from, i ? "" : ", directory, whose");
            store = open_store_with((struct store_options){ .read_only = true });
            if (number(sql) > 0)
                assert_int_equal(store_each_rollup(store, &q, 1, add_said, &said, &err), -EBADMSG);
            forget(&said);
            store_close(store);
            change(i ? "DELETE FROM daily_suspect; INSERT INTO daily_suspect SELECT * FROM kept" : "DELETE FROM daily; INSERT INTO daily SELECT * FROM kept");
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_says_what_the_events_say),
        TEST(an_answer_is_of_one_moment),
        TEST(what_is_removed_is_not_counted),
        TEST(what_events_are_found_by_stays),
        cmocka_unit_test(bytes_there_and_back),
        TEST(damage_is_said),
        TEST(longer_sums_are_known),
        TEST(what_is_damaged_stops_nothing_else),
        TEST(no_bit_counts_for_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
