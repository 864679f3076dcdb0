/* SPDX-License-Identifier: MIT */
/* Rows that become blocks: the same answers, byte for byte, in a tenth of the space. */
#include "test.h"

#include <endian.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/ecs.h"
#include "fill.h"
#include "make.h"
#include "store/block.h"
#include "store/columns.h"
#include "store/compact.h"
#include "store/fields.h"
#include "store/frame.h"
#include "store/query.h"
#include "store_place.h"
#include "util/clock.h"
#include "util/fold.h"

#define START 1700000000000000000ull

static int set_up(void **state)
{
    (void)state;
    make_store_place("store", "culprit.db");
    return 0;
}

static struct store *open_store(bool read_only)
{
    return open_store_with((struct store_options){ .read_only = read_only });
}

static uint32_t random_number(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Events of all kinds, one by one and in storms, of some processes; a tenth of them a log could bring again. */
static void record_many(unsigned count)
{
    struct store *store = open_store(false);
    struct process *init = make_process(1, "/sbin/init", NULL), *processes[7];
    struct container *web = make_container("0123456789abcdef", "web");
    uint32_t seed = 7;

    init->booted_ns = START - 1000 * NS_PER_S; /* or it is reckoned from now */
    for (unsigned i = 0; i < 7; i++) {
        processes[i] = make_process(100 + (pid_t)i, "/bin/p", process_ref(init));
        processes[i]->booted_ns = init->booted_ns;
    }
    for (unsigned i = 0; i < count; i++) {
        enum operation operation = (enum operation)(1 + random_number(&seed) % (OPERATION_COUNT - 1));
        struct process *p = processes[random_number(&seed) % 7];
        char name[64];
        struct event *e;
        uint64_t id[2] = { i, i * 7919ull };

        snprintf(name, sizeof(name), "/data/%u/f%u", random_number(&seed) % 9, random_number(&seed) % 200);
        e = make_event(operation, name, p, random_number(&seed) % 3 ? NULL : web, START + i);
        if (random_number(&seed) % 4 == 0) {
            fill_fields(event_fields, &e->arena, e, random_number(&seed) % 5000);
            e->operation = operation;
            e->victim_kind = e->victim ? VICTIM_CONTAINER : VICTIM_HOST;
            e->error = i % 11 ? 0 : EPERM;
        }
        e->time_ns = START + i + random_number(&seed) % 5;
        e->sensors = random_number(&seed) % 10 || i % 2000 >= 1000 ? SENSOR_FANOTIFY : SENSOR_AUDIT; /* or a storm */
        memcpy(e->id, id, sizeof(id));
        if (operation == OPERATION_RENAME)
            event_set(e, &e->previous_path, bytes_of("/data/old/name"));
        if (e->victim)
            event_set(e, &e->host_path, bytes_of("/var/lib/docker/x/f"));
        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
        if (random_number(&seed) % 8 == 0 && i % 2000 < 1000) /* then there are too few at a time for a block */
            assert_int_equal(store_flush(store, NULL), 0);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    for (unsigned i = 0; i < 7; i++)
        process_unref(processes[i]);
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

static int write_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    struct ecs_host host = { .id = bytes_of("host") };

    sbuf_addf(data, "%llu %llu %llu %u\n", (unsigned long long)rollup->count, (unsigned long long)rollup->first_ns,
              (unsigned long long)rollup->last_ns, count);
    for (unsigned i = 0; i < count; i++)
        ecs_write_event(data, samples[i], &host);
    return 0;
}

/* Everything that may be asked. */
static struct sbuf answers(void)
{
    static const char *const paths[] = { NULL, "/data", "/data/3", "/data/3/f17", "/var/lib/docker" };
    struct store *store = open_store(true);
    struct sbuf out = SBUF_INIT;

    for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        for (unsigned k = 0; k < 5; k++) {
            struct store_query q = { .path = paths[i] ? bytes_of(paths[i]) : BYTES_NULL, .any_victim = k < 3,
                                     .container = k == 4 ? bytes_of("web") : BYTES_NULL,
                                     .since_ns = k % 3 == 1 ? START + 1500 : 0, .until_ns = k % 3 == 1 ? START + 2500 : 0,
                                     .operations = k == 2 ? 1ull << OPERATION_UNLINK : 0 };
            struct err err = ERR_INIT;

            sbuf_addf(&out, "%u %u: %llu\n", i, k, (unsigned long long)store_count_events(store, &q, &err));
            if ((k == 0 && i < 4) || (k == 1 && i == 1))
                assert_int_equal(store_each_event(store, &q, write_json, &out, &err), 0);
            assert_int_equal(store_each_rollup(store, &q, 3, write_rollup, &out, &err), 0);
            assert_int_equal(store_each_above(store, &q, write_json, &out, &err), 0);
        }
    store_close(store);
    return out;
}

static unsigned compact(uint64_t before_ns)
{
    struct compactor *c;
    struct err err = ERR_INIT;
    unsigned steps = 0;
    sqlite3 *db;
    int r = 1;

    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    assert_int_equal(compactor_new(db, path, &c, &err), 0);
    while (r == 1) {
        assert_int_equal(db_exec(db, path, "BEGIN", &err), 0);
        r = compactor_step(c, before_ns, before_ns, &err);
        assert_int_equal(db_exec(db, path, "COMMIT", &err), 0);
        steps += r == 1;
    }
    if (r < 0)
        fail_msg("%s", err.text);
    compactor_free(c);
    sqlite3_close(db);
    return steps;
}

static void same(const struct sbuf *a, const struct sbuf *b)
{
    size_t i = 0;

    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    if (i < a->len || i < b->len)
        fail_msg("at %zu of %zu and %zu:\n%.300s\n---\n%.300s", i, a->len, b->len, a->data + (i < 100 ? 0 : i - 100),
                 b->data + (i < 100 ? 0 : i - 100));
}

static void the_same_answers(void **state)
{
    const unsigned count = 2600;
    struct sbuf before, after;
    int64_t rows, again, blocks, bytes;

    (void)state;
    record_many(count);
    rows = number("SELECT count(*) FROM event");
    again = number("SELECT count(*) FROM event WHERE sensors & 1"); /* SENSOR_AUDIT */
    assert_true(again > 50 && rows - again > 500);
    blocks = number("SELECT count(*) FROM block");
    assert_true(blocks > 1);
    bytes = number("SELECT sum(length(data)) FROM block");
    before = answers();
    (void)compact(START + 1800); /* a part of it */
    after = answers();
    assert_true(number("SELECT count(*) FROM event") > again);
    same(&before, &after);
    sbuf_done(&after);
    assert_true(compact(START + 10 * count) > 1);
    after = answers();
    same(&before, &after);
    assert_int_equal(number("SELECT count(*) FROM event"), again);
    assert_true(number("SELECT count(*) FROM block") > blocks);
    assert_int_equal(compact(START + 10 * count), number("SELECT count(*) FROM block") + (again + 1023) / 1024 +
                                                      number("SELECT count(*) FROM rollup") / 2048); /* looked at, nothing done */
    print_message("%lld rows, %lld blocks of %lld bytes; now %lld of %lld\n", (long long)rows, (long long)blocks, (long long)bytes,
                  (long long)number("SELECT count(*) FROM block"), (long long)number("SELECT sum(length(data)) FROM block"));
    assert_true(number("SELECT sum(length(data)) / sum(count) FROM block") <= 100); /* of values that are made up, each another */
    sbuf_done(&before);
    sbuf_done(&after);
}

/* What is added after it is numbered on. */
static void it_goes_on(void **state)
{
    struct sbuf before, after;
    int64_t last;

    (void)state;
    record_many(1500);
    last = number("SELECT max(seq) FROM sqlite_sequence WHERE name = 'event'");
    (void)compact(START + 100000);
    record_many(1500); /* the same: what a log may bring again is there already */
    assert_true(number("SELECT min(row) FROM event WHERE row > 1500") > last || number("SELECT count(*) FROM event WHERE row > 1500") == 0);
    before = answers();
    (void)compact(START + 100000);
    after = answers();
    same(&before, &after);
    sbuf_done(&before);
    sbuf_done(&after);
}

/* ---- damage ---- */

static void change(const char *sql, int64_t row, struct bytes data)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_int64(s, 1, row);
    sqlite3_bind_blob64(s, 2, data.data, data.len, SQLITE_TRANSIENT);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* A block that cannot be read is left as it is: those after it do not wait for it. */
static void a_damaged_one_stays(void **state)
{
    int64_t plain, first;

    (void)state;
    record_many(2600);
    plain = number("SELECT count(*) FROM block");
    first = number("SELECT min(row) FROM block");
    assert_true(plain > 1);
    change("UPDATE block SET data = ?2 WHERE row = ?1", first, (struct bytes){ "\x3f\x01", 2 });
    (void)compact(START + 100000);
    assert_int_equal(number("SELECT count(*) FROM block WHERE hex(substr(data, 1, 1)) < '80'"), 1);
    assert_int_equal(number("SELECT row FROM block WHERE hex(substr(data, 1, 1)) < '80'"), first);
}

/* Of an event's rows each bit counts: one that no row has is damage, and not ignored. */
static void a_bit_of_no_row_is_damage(void **state)
{
    struct block_rows rows = { .row = { [1] = 9 } };
    struct bytes rest = BYTES("\x21\x05\x81\x01z"), wrong = BYTES("\x40z"), cut = BYTES("\x21\x05");
    unsigned differ = 0;

    (void)state;
    assert_true(block_rows_take(&rest, &rows, &differ));
    assert_bytes(rest, "z");
    assert_int_equal(differ, 0x21);
    assert_true(rows.row[0] == 5 && rows.row[1] == 9 && rows.row[5] == 129);
    assert_false(block_rows_take(&wrong, &rows, &differ));
    assert_false(block_rows_take(&cut, &rows, &differ));
    assert_false(block_rows_take(&(struct bytes){ "", 0 }, &rows, &differ));
}

/* All that the events of a block say; false: it cannot be read. */
static bool read_block(sqlite3 *db, int64_t row, struct sbuf *out)
{
    struct block_reader *reader;
    const struct block_event *e;
    struct err err = ERR_INIT;
    int r;

    sbuf_clear(out);
    assert_int_equal(block_reader_new(db, path, &reader, &err), 0);
    r = block_reader_begin(reader, row, &err);
    while (r >= 0 && (r = block_reader_next(reader, &e, &err)) == 1) {
        sbuf_add(out, (const char *)&e->row, sizeof(e->row));
        sbuf_add(out, (const char *)e->rows.row, sizeof(e->rows));
        sbuf_add(out, (const char *)e->values.numbers, sizeof(e->values.numbers));
        sbuf_add(out, (const char *)e->values.states, sizeof(e->values.states));
        for (unsigned i = 0; i < DELTA_FIELDS; i++) {
            sbuf_add_char(out, bytes_known(e->values.bytes[i]));
            sbuf_add_bytes(out, e->values.bytes[i]);
        }
    }
    block_reader_free(reader);
    assert_true(r == 0 || (r == -EBADMSG && err.text[0]));
    return r == 0;
}

/* The columns of before, of which there is less: what of a state differs beside what it has become, and each directory's text and row. */
static void join_members(const struct block_event *e, const struct block_rows *before, struct block_columns *c,
                         struct sbuf columns[COLUMN_MEMBERS])
{
    static const unsigned states[] = { DELTA_file, DELTA_before, DELTA_after };
    static uint64_t last[DELTA_STATES][STATE_MEMBERS];
    const unsigned previous = BLOCK_DIRECTORIES + PLACE_PREVIOUS;
    uint64_t mask, which, d;

    memcpy(&mask, c->at[DELTA_COLUMN_MASK].data, sizeof(mask));
    mask = le64toh(mask);
    if (mask & DELTA_ALONE)
        memset(last, 0, sizeof(last));
    c->at[DELTA_COLUMN_MASK] = (struct bytes){ c->at[DELTA_COLUMN_MASK].data + 8, c->at[DELTA_COLUMN_MASK].len - 8 };
    for (unsigned i = 0; i < 3; i++) {
        if (!(mask >> states[i] & 1))
            continue;
        assert_true(unpack_u64(&c->at[states[i]], &which));
        pack_u64(&columns[states[i]], which);
        for (; which; which &= which - 1) {
            unsigned member = (unsigned)__builtin_ctzll(which);

            assert_true(unpack_u64(&c->at[COLUMN_MEMBERS + i * STATE_MEMBERS + member], &d));
            if (member >= STATE_TIMES)
                d = fold(e->values.states[i][member] - last[i][member]);
            pack_u64(&columns[states[i]], d);
        }
    }
    memcpy(last, e->values.states, sizeof(last));
    for (unsigned field = DELTA_DIRECTORY(PLACE_PREVIOUS); field <= DELTA_NAME(PLACE_PREVIOUS); field++)
        if (mask >> field & 1)
            pack_bytes(&columns[field], e->values.bytes[field]);
    if (c->at[COLUMN_DIFFER].data[0] >> previous & 1)
        pack_u64(&columns[COLUMN_ROWS + previous], fold((uint64_t)e->rows.row[previous] - (uint64_t)before->row[previous]));
    c->at[COLUMN_DIFFER] = (struct bytes){ c->at[COLUMN_DIFFER].data + 1, c->at[COLUMN_DIFFER].len - 1 };
}

/* A block as schemas 21 and 22 have it, or, without steps, as 18 to 20: the second halves of ids as they are. */
static void make_older(sqlite3 *db, int64_t row, struct bytes data, bool steps, struct sbuf *out)
{
    struct sbuf plain = SBUF_INIT, older = SBUF_INIT, made[COLUMN_MEMBERS] = { 0 };
    struct block_reader *reader;
    const struct block_event *e;
    struct block_columns columns, left;
    struct block_rows before = { 0 };
    uint64_t size;
    struct bytes rest = { data.data + 1, data.len - 1 };

    assert_true(unpack_u64(&rest, &size));
    assert_int_equal(frame_take(rest, size, &plain), 0);
    assert_int_equal(plain.data[0], BLOCK_MEMBERS_MARK);
    assert_int_equal(columns_open((struct bytes){ plain.data + 1, plain.len - 1 }, true, &columns), 0);
    left = columns;
    assert_int_equal(block_reader_new(db, path, &reader, NULL), 0);
    assert_int_equal(block_reader_begin(reader, row, NULL), 0);
    while (block_reader_next(reader, &e, NULL) == 1) {
        join_members(e, &before, &left, made);
        before = e->rows;
        if (!steps)
            sbuf_add(&made[DELTA_COLUMN_ID_REST], e->values.bytes[DELTA_id].data + 8, 8);
    }
    block_reader_free(reader);
    assert_true(made[DELTA_file].len > 100 && made[DELTA_DIRECTORY(PLACE_PREVIOUS)].len > 10);
    if (steps)
        sbuf_add_char(&older, BLOCK_ID_STEPS_MARK);
    for (unsigned i = 0; i < COLUMN_MEMBERS; i++)
        pack_u64(&older, made[i].len ? made[i].len : columns.at[i].len);
    for (unsigned i = 0; i < COLUMN_MEMBERS; i++)
        sbuf_add_bytes(&older, made[i].len ? sbuf_bytes(&made[i]) : columns.at[i]);
    sbuf_add_char(out, (char)(data.data[0] & ~(BLOCK_MEMBERS | (steps ? 0 : BLOCK_ID_STEPS))));
    pack_u64(out, older.len);
    assert_int_equal(frame_add(sbuf_bytes(&older), out), 0);
    sbuf_done(&plain);
    sbuf_done(&older);
    for (unsigned i = 0; i < COLUMN_MEMBERS; i++)
        sbuf_done(&made[i]);
}

static void those_of_before_are_read(void **state)
{
    struct sbuf before = SBUF_INIT, after = SBUF_INIT, older = SBUF_INIT;
    struct err err = ERR_INIT;
    int64_t row;
    sqlite3_stmt *s;
    sqlite3 *db;

    (void)state;
    record_many(200);
    (void)compact(START + 100000);
    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    for (unsigned steps = 0; steps < 2; steps++) {
        struct sbuf data = SBUF_INIT;

        assert_int_equal(db_prepare(db, path, "SELECT row, data FROM block", &s, &err), 0);
        assert_int_equal(sqlite3_step(s), SQLITE_ROW);
        row = sqlite3_column_int64(s, 0);
        sbuf_add_bytes(&data, db_column_bytes(s, 1));
        sqlite3_finalize(s);
        sbuf_clear(&before);
        sbuf_clear(&older);
        assert_true(read_block(db, row, &before) && before.len > 1000);
        make_older(db, row, sbuf_bytes(&data), steps, &older);
        change("UPDATE block SET data = ?2 WHERE row = ?1", row, sbuf_bytes(&older));
        assert_true(read_block(db, row, &after));
        same(&before, &after);
        for (unsigned i = 0; i < 2; i++) { /* neither says that it is another one */
            char flag = i ? BLOCK_MEMBERS : BLOCK_ID_STEPS;

            older.data[0] = (char)(older.data[0] ^ flag);
            change("UPDATE block SET data = ?2 WHERE row = ?1", row, sbuf_bytes(&older));
            assert_false(read_block(db, row, &after));
            older.data[0] = (char)(older.data[0] ^ flag);
        }
        change("UPDATE block SET data = ?2 WHERE row = ?1", row, sbuf_bytes(&data));
        sbuf_done(&data);
    }
    sqlite3_close(db);
    sbuf_done(&before);
    sbuf_done(&after);
    sbuf_done(&older);
}

/* Whatever bit of a compressed block is another one: what it said, or that it is damaged, and never something else. */
static void no_bit_says_something_else(void **state)
{
    struct sbuf right = SBUF_INIT, now = SBUF_INIT, data = SBUF_INIT;
    unsigned damaged = 0, seed = 1;
    struct err err = ERR_INIT;
    int64_t row, count;
    sqlite3_stmt *s;
    sqlite3 *db;

    (void)state;
    record_many(200);
    (void)compact(START + 100000);
    assert_int_equal(db_open(path, false, &db, NULL, &err), 0);
    assert_int_equal(db_prepare(db, path, "SELECT row, count, data FROM block", &s, &err), 0);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    row = sqlite3_column_int64(s, 0);
    count = sqlite3_column_int64(s, 1);
    sbuf_add_bytes(&data, db_column_bytes(s, 2));
    sqlite3_finalize(s);
    assert_true(read_block(db, row, &right) && count > 10);
    assert_int_equal(db_exec(db, path, "BEGIN", &err), 0); /* nothing of it has to reach the disk */
    assert_int_equal(db_prepare(db, path, "UPDATE block SET data = ?, count = ?", &s, &err), 0);
    for (size_t i = 0; i <= data.len; i += i < 24 || i + 7 > data.len ? 1 : 7) {
        bool more = i == data.len; /* then another number of events */
        char bit = (char)(1u << random_number(&seed) % 8);

        for (unsigned k = 0; k < (i < 24 ? 8u : 1u); k++) {
            char flip = more ? 0 : i < 24 ? (char)(1u << k) : bit;

            if (!more)
                data.data[i] = (char)(data.data[i] ^ flip);
            db_bind_bytes(s, 1, sbuf_bytes(&data));
            sqlite3_bind_int64(s, 2, more ? count - 1 : count);
            assert_int_equal(db_run(db, path, s, &err), 0);
            if (!read_block(db, row, &now))
                damaged++;
            else
                same(&right, &now);
            if (!more)
                data.data[i] = (char)(data.data[i] ^ flip);
        }
    }
    assert_true(damaged > data.len / 7);
    sqlite3_finalize(s);
    sqlite3_close(db);
    sbuf_done(&right);
    sbuf_done(&now);
    sbuf_done(&data);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_answers),
        TEST(it_goes_on),
        TEST(a_damaged_one_stays),
        cmocka_unit_test(a_bit_of_no_row_is_damage),
        TEST(those_of_before_are_read),
        TEST(no_bit_says_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
