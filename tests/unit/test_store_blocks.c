/* SPDX-License-Identifier: MIT */
/* Blocks of the store: a storm comes back, beside rows, of two observers, from damaged blocks and older stores. */
#include "test.h"
#include "store_play.h"
#include "fill.h"

#include <errno.h>
#include <stdio.h>

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
    assert_true(sql_number("SELECT sum(count) FROM block") > 0); /* a busy machine cuts it into many transactions */
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
    assert_true(sql_number("SELECT count(*) FROM block") >= 1);
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

static unsigned blocks_of(struct store *store, const struct store_query *q, unsigned max)
{
    struct err err = ERR_INIT;
    unsigned n = 77;

    assert_int_equal(store_count_blocks(store, q, max, &n, &err), 0);
    return n;
}

/* How many blocks have to be taken apart is known before that, and costs no more than it is asked for. */
static void blocks_are_counted(void **state)
{
    struct process *p = make_process(5, "/bin/p", NULL);
    struct store *store = open_store(false);
    char file[64] = "";
    int64_t all;

    (void)state;
    for (unsigned i = 0; i < 5 * STORM; i++) { /* a directory of all blocks, and one of some */
        struct event *e = make_event(OPERATION_UNLINK, file, p, NULL, (i + 1) * NS_PER_S);

        snprintf(file, sizeof(file), i % 2 || i > STORM ? "/all/f%u" : "/some/f%u", i);
        event_set(e, &e->path, bytes_of(file));
        set_id(e, i + 1);
        e->sensors = SENSOR_BPF;
        while (store_add_event(store, e) == -ENOBUFS)
            assert_int_equal(store_flush(store, NULL), 0);
        event_free(e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    all = sql_number("SELECT count(*) FROM block");
    assert_true(all > 5);
    store = open_store(true);
    const struct store_query below = { .path = bytes_of("/all") }, some = { .path = bytes_of("/some") }, none = { .path = bytes_of("/none") };
    const struct store_query any = { .any_victim = true }, late = { .path = bytes_of("/all"), .since_ns = (5 * STORM - 1) * NS_PER_S };
    assert_int_equal(blocks_of(store, &below, 1000), sql_number("SELECT count(*) FROM block_place p JOIN directory d ON d.row = p.directory "
                                                                "WHERE d.path = CAST('/all' AS BLOB)"));
    assert_in_range(blocks_of(store, &some, 1000), 1, (uintmax_t)all - 1);
    assert_int_equal(blocks_of(store, &none, 1000), 0);
    assert_int_equal(blocks_of(store, &any, 1000), all);
    assert_int_equal(blocks_of(store, &below, 2), 2);
    assert_in_range(blocks_of(store, &late, 1000), 0, 2);
    store_close(store);
    process_unref(p);
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
    assert_true(sql_number("SELECT sum(count) FROM block") > 0); /* how many blocks, the machine decides */
    for (unsigned i = 0; i < 10 * 512; i += 97) {
        char text[64];

        snprintf(text, sizeof(text), "/w/name-%u", i);
        assert_int_equal(ask(store, NULL, text), 1);
        snprintf(text, sizeof(text), "/w/none-%u", i);
        assert_int_equal(ask(store, NULL, text), 0);
    }
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_storm_comes_back),
        TEST(rows_among_blocks),
        TEST(two_observers),
        TEST(more_than_the_queue_holds),
        TEST(a_damaged_block),
        TEST(blocks_are_counted),
        TEST(a_store_without_blocks),
        TEST(a_store_without_earlier_images),
        TEST(a_store_without_health_checks),
        TEST(many_images_come_back),
        TEST(names_in_a_filter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
