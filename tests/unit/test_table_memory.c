/* SPDX-License-Identifier: MIT */
/*
 * Tables where memory runs out: each allocation fails once, one after the other, and from each on all do. The process goes on, nothing is
 * found that was not put there, an event that is not in the store is counted as missing.
 */
#include "test.h"

#include <errno.h>
#include <libaudit.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "attribution/process_table.h"
#include "config/known.h"
#include "engine/engine_table.h"
#include "failing_memory.h"
#include "history/lineage.h"
#include "history/replay.h"
#include "make.h"
#include "sensor/audit/group.h"
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

#define GROUP_EVENTS 40
#define GROUP_PATHS 12 /* of every third event: more records than a group has room for at first */

static bool group_whole[GROUP_EVENTS], group_lost[GROUP_EVENTS];

static void see_group(void *data, const struct audit_group *g)
{
    unsigned paths = 0;

    (void)data;
    for (unsigned i = 0; i < g->count; i++)
        paths += g->records[i].type == AUDIT_PATH;
    if (g->overflowed || !audit_group_find(g, AUDIT_SYSCALL)) /* who handles it counts it as lost */
        group_lost[g->serial] = true;
    else if (g->complete && paths == (g->serial % 3 ? 1 : GROUP_PATHS) && audit_group_find(g, AUDIT_CWD))
        group_whole[g->serial] = true;
}

/* Of an event of which a record is missing that is known. */
static void use_groups(long at, bool all)
{
    struct audit_grouper_options options = { .copy = true, .group = see_group };
    struct audit_grouper *g = audit_grouper_new(&options);
    unsigned lost = 0;

    memset(group_whole, 0, sizeof(group_whole));
    memset(group_lost, 0, sizeof(group_lost));
    fail_from(at, all);
    for (unsigned n = 0; n < 3 + GROUP_PATHS; n++) /* of all at once, so that many groups are open */
        for (unsigned i = 0; i < GROUP_EVENTS; i++) {
            struct audit_record r = { .type = n == 0 ? AUDIT_SYSCALL : n == 1 ? AUDIT_CWD : AUDIT_PATH,
                                      .time_ms = 1300 + i,
                                      .serial = i,
                                      .body = bytes_of("name=\"a-file-with-a-name-of-some-length-so-that-the-text-of-many-grows\"") };

            if (n > 2 + (i % 3 ? 1 : GROUP_PATHS))
                continue;
            if (n == 2 + (i % 3 ? 1 : GROUP_PATHS))
                r.type = AUDIT_EOE;
            group_lost[i] |= audit_grouper_add(g, &r, 1) < 0;
        }
    fail_no_more();
    audit_grouper_expire(g, 2, 0);
    audit_grouper_free(g);
    for (unsigned i = 0; i < GROUP_EVENTS; i++) {
        if (!group_whole[i] && !group_lost[i])
            fail_msg("allocation %ld%s: event %u is missing, and nobody knows", at, all ? " on" : "", i);
        lost += !group_whole[i];
    }
    assert_true(all || lost <= 1);
}

#define LOG_EVENTS 30

static int count_replayed(void *data, struct event *e)
{
    *(unsigned *)data += bytes_starts_with(e->path, bytes_of("/srv/")) && e->path.len > 5;
    event_free(e);
    return 0;
}

/* A log whose events do not all come says so. */
static void use_log(long at, bool all)
{
    char log[] = "/tmp/culprit-tables.XXXXXX";
    struct audit_log_files files = { 0 };
    unsigned seen = 0;
    struct replay_options options = { .files = &files, .host = "here", .path = bytes_of("/srv"), .data = &seen, .event = count_replayed };
    struct replay_stats stats;
    FILE *f = fdopen(mkstemp(log), "w");
    int r;

    for (unsigned i = 0; i < LOG_EVENTS; i++)
        fprintf(f,
                "type=SYSCALL msg=audit(1700000000.%03u:%u): arch=c000003e syscall=87 success=yes exit=0 a0=1 a1=2 a2=3 a3=4 items=2 ppid=1 pid=%u "
                "auid=0 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts0 ses=1 comm=\"rm\" exe=\"/usr/bin/rm\" key=(null)\n"
                "type=CWD msg=audit(1700000000.%03u:%u): cwd=\"/srv\"\n"
                "type=PATH msg=audit(1700000000.%03u:%u): item=0 name=\"/srv\" inode=2 dev=fe:00 mode=040755 ouid=0 ogid=0 rdev=00:00 nametype=PARENT\n"
                "type=PATH msg=audit(1700000000.%03u:%u): item=1 name=\"f%u\" inode=%u dev=fe:00 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype=DELETE\n"
                "type=PROCTITLE msg=audit(1700000000.%03u:%u): proctitle=\"rm\"\n",
                i, i + 1, 1000 + i, i, i + 1, i, i + 1, i, i + 1, i, 100 + i, i, i + 1);
    fclose(f);
    assert_int_equal(audit_log_files_add(&files, log, 0, NULL), 0);
    fail_from(at, all);
    r = replay_run(&options, &stats, NULL);
    fail_no_more();
    if (r == 0 && !stats.log.damaged_files && seen < LOG_EVENTS) /* a file that could not be read to its end is reported */
        fail_msg("allocation %ld%s: %u of %d changes, and no error", at, all ? " on" : "", seen, LOG_EVENTS);
    assert_true(!failed || r <= 0);
    audit_log_files_done(&files);
    unlink(log);
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

static void groups(void **state)
{
    (void)state;
    try_each(use_groups);
}

static void logs(void **state)
{
    (void)state;
    try_each(use_log);
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
        cmocka_unit_test(processes), cmocka_unit_test(sightings), cmocka_unit_test(records), cmocka_unit_test(groups), cmocka_unit_test(logs),
        cmocka_unit_test(containers),
        cmocka_unit_test(targets), cmocka_unit_test_setup_teardown(events, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
