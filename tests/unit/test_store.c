/* SPDX-License-Identifier: MIT */
/* The store: what goes in comes out, and counted rows say what the events say. */
#include "test.h"
#include "store_play.h"
#include "fill.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_comes_back),
        TEST(counted_rows_say_what_the_events_say),
        TEST(counted_rows_say_what_the_blocks_say),
        TEST(a_path_is_whole_components),
        TEST(the_same_change_is_stored_once),
        TEST(what_was_observed_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
