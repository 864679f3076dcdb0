/* SPDX-License-Identifier: MIT */
/*
 * Tables where memory runs out: each allocation fails once, one after the other, and from each on all do. The process goes on, nothing is
 * found that was not put there, an event that is not in the store is counted as missing.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attribution/process_table.h"
#include "config/known.h"
#include "engine/engine_table.h"
#include "failing_memory.h"
#include "history/lineage.h"
#include "make.h"
#include "sensor/audit/overlap.h"
#include "store/query.h"
#include "store/store.h"
#include "store_place.h"

#define MANY 400 /* so many that a table grows twice */

/* What the test itself makes is there. */
static long pause_failures(void)
{
    return atomic_exchange(&until_failure, 0);
}

static void go_on(long left)
{
    atomic_store(&until_failure, left);
}

/* Each allocation, then all from some on. use(): one time with failures from there on. */
static void try_each(void (*use)(long at, bool all))
{
    long at = 1;

    do
        use(at, false);
    while (failed && (at += at < 300 ? 1 : 41));
    assert_true(at > 10);
    for (long from = 1; from < at; from += 1 + at / 9)
        use(from, true);
}

static void use_processes(long at, bool all)
{
    struct process_table *t = NULL;
    unsigned found = 0;

    assert_int_equal(process_table_new("/nowhere", &t, NULL), 0);
    fail_from(at, all);
    for (pid_t pid = 1; pid <= MANY; pid++) {
        struct process *p = process_new(pid, (uint64_t)pid * 1000);

        if (p)
            process_table_add(t, p);
        process_unref(p);
    }
    fail_no_more();
    for (pid_t pid = 1; pid <= MANY; pid++) {
        const struct process *p = process_table_find(t, pid, (uint64_t)pid * 1000, (uint64_t)pid * 1000, BYTES_NULL);

        assert_true(!p || p->pid == pid);
        found += p != NULL;
    }
    assert_true(all || found >= MANY - 1);
    process_table_free(t);
}

static void use_lineage(long at, bool all)
{
    struct lineage *l = lineage_new();
    unsigned found = 0;

    fail_from(at, all);
    for (pid_t pid = 1; pid <= MANY; pid++) {
        lineage_login(l, (uint32_t)pid, bytes_of("192.0.2.7"));
        lineage_see(l, &(struct sighting){ .pid = pid, .time_ms = (uint64_t)pid, .executable = bytes_of("/bin/true") });
    }
    fail_no_more();
    for (pid_t pid = 1; pid <= MANY; pid++) {
        struct process *p = lineage_find(l, pid);

        assert_true(!p || p->pid == pid);
        found += p != NULL;
        process_unref(p);
    }
    assert_true(all || found >= MANY - 1);
    lineage_free(l);
}

/* What came by one of two sockets is handed on at least once. */
static void use_overlap(long at, bool all)
{
    struct audit_overlap *o = audit_overlap_new();
    unsigned handed = 0;
    char text[16];

    fail_from(at, all);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "%u", i);
        handed += audit_overlap_is_new(o, false, 1300, bytes_of(text));
        handed += audit_overlap_is_new(o, true, 1300, bytes_of(text));
    }
    fail_no_more();
    assert_in_range(handed, MANY, all ? 2 * MANY : MANY + 1);
    audit_overlap_free(o);
}

static void use_containers(long at, bool all)
{
    struct engines *e = calloc(1, sizeof(*e));
    unsigned found = 0;
    char id[16];

    fail_from(at, all);
    for (unsigned i = 0; i < MANY; i++) {
        struct container *c = container_new();

        if (!c)
            continue;
        snprintf(id, sizeof(id), "%u", i);
        container_set(c, &c->id, bytes_of(id));
        snprintf(id, sizeof(id), "/c/%u", i);
        container_set(c, &c->cgroup, bytes_of(id));
        known_remember(e, 0, c);
        container_unref(c);
    }
    fail_no_more();
    for (unsigned i = 0; i < MANY; i++) {
        struct known_container *k;

        snprintf(id, sizeof(id), "%u", i);
        k = known_find(e, 0, bytes_of(id));
        assert_true(!k || bytes_equal_str(k->container->id, id));
        found += k != NULL;
    }
    assert_true(all || found >= MANY - 1);
    known_forget_all(e);
    free(e);
}

/* What is not known again is an error, not another target. */
static void use_targets(long at, bool all)
{
    const struct config_source from = { "file", 1 }, *where;
    struct config_known *known = NULL;
    unsigned added = 0, met = 0;
    char text[16];

    fail_from(at, all);
    for (unsigned i = 0; i < MANY; i++) {
        int r;

        snprintf(text, sizeof(text), "/srv/%u", i);
        r = config_know(&known, bytes_of(text), &from, &where);
        assert_true(r == 0 || r == -ENOMEM);
        added += r == 0;
    }
    fail_no_more();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(text, sizeof(text), "/srv/%u", i);
        met += config_know(&known, bytes_of(text), &from, &where) == -EEXIST;
    }
    assert_int_equal(met, added);
    assert_true(all || added >= MANY - 1);
    config_forget(&known);
}

/* ---- the store ---- */

static int count_event(void *data, struct event *e)
{
    ++*(uint64_t *)data;
    assert_non_null(e->actor.process);
    event_free(e);
    return 0;
}

static int count_gap(void *data, const struct gap *gap)
{
    *(uint64_t *)data += gap->count;
    return 0;
}

static void use_store(long at, bool all)
{
    struct store_options options = { .path = path };
    struct store_query every = { .limit = 0 };
    struct store *store = NULL;
    struct err err = ERR_INIT;
    uint64_t there = 0, missing = 0;
    char text[128];

    snprintf(text, sizeof(text), "rm -rf %s/store", dir);
    assert_int_equal(system(text), 0);
    assert_int_equal(store_open(&options, &store, &err), 0);
    fail_from(at, all);
    for (unsigned i = 0; i < MANY / 2; i++) {
        long left = pause_failures();
        struct process *actor = make_process((pid_t)(i % 150) + 2, "/usr/bin/rm", NULL);
        struct event *e;

        snprintf(text, sizeof(text), "/srv/%u/file", i % 170);
        e = make_event(OPERATION_UNLINK, text, actor, NULL, 1700000000000000000ull + i * 50000000ull);
        memcpy(e->id, &(uint64_t){ i + 1 }, sizeof(uint64_t));
        go_on(left);
        (void)store_add_event(store, e);
        left = pause_failures();
        event_free(e);
        process_unref(actor);
        go_on(left);
    }
    fail_no_more();
    assert_int_equal(store_flush(store, &err), 0);
    store_close(store);
    options.read_only = true;
    assert_int_equal(store_open(&options, &store, &err), 0);
    assert_int_equal(store_each_event(store, &every, count_event, &there, &err), 0);
    assert_int_equal(store_each_gap(store, &every, count_gap, &missing, &err), 0);
    store_close(store);
    if (there + missing != MANY / 2)
        fail_msg("allocation %ld%s: %lu in the store, %lu missing", at, all ? " on" : "", (unsigned long)there, (unsigned long)missing);
}

static void processes(void **state)
{
    (void)state;
    try_each(use_processes);
}

static void sightings(void **state)
{
    (void)state;
    try_each(use_lineage);
}

static void records(void **state)
{
    (void)state;
    try_each(use_overlap);
}

static void containers(void **state)
{
    (void)state;
    try_each(use_containers);
}

static void targets(void **state)
{
    (void)state;
    try_each(use_targets);
}

static void events(void **state)
{
    (void)state;
    for (long at = 1; at < 2500; at += at < 60 ? 1 : 97)
        use_store(at, false);
    for (long from = 1; from < 2500; from += 311)
        use_store(from, true);
}

static int set_up(void **state)
{
    (void)state;
    make_store_place("tables", "store/culprit.db");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes), cmocka_unit_test(sightings), cmocka_unit_test(records), cmocka_unit_test(containers),
        cmocka_unit_test(targets), cmocka_unit_test_setup_teardown(events, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
