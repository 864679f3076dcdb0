/* SPDX-License-Identifier: MIT */
/* What the tests of spools share: a writer that is killed, and what is in the store afterwards. */
#pragma once

#include "make.h"
#include "store_place.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/query.h"
#include "util/clock.h"

static char spools[96];

static inline int set_up(void **state)
{
    (void)state;
    make_store_place("spool", "culprit.db");
    snprintf(spools, sizeof(spools), "%s/run", dir);
    return 0;
}

static inline struct store *open_store(bool read_only)
{
    return open_store_with((struct store_options){ .spool_directory = spools, .read_only = read_only });
}

static inline bool find_spool(char *ret, size_t size)
{
    DIR *d = opendir(spools);
    struct dirent *e;
    bool found = false;

    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.') {
            snprintf(ret, size, "%s/%.80s", spools, e->d_name);
            found = true;
        }
    if (d)
        closedir(d);
    return found;
}

static inline bool has_spool(void)
{
    char name[192];

    return find_spool(name, sizeof(name));
}

struct found {
    unsigned events, with_actor, gaps, lives;
    uint64_t to_ns;
};

static inline int on_event(void *data, struct event *e)
{
    struct found *f = data;

    f->events++;
    f->with_actor += e->actor.process && e->actor.process->parent && bytes_equal_str(e->actor.process->executable, "/usr/bin/rm") &&
                     bytes_equal_str(e->actor.process->parent->executable, "/usr/bin/bash");
    event_free(e);
    return 0;
}

static inline int on_gap(void *data, const struct gap *gap)
{
    ((struct found *)data)->gaps += gap->reason == LOST_AUDIT_SOCKET;
    return 0;
}

static inline int on_life(void *data, const struct lifecycle_event *life)
{
    (void)life;
    ((struct found *)data)->lives++;
    return 0;
}

static inline int on_coverage(void *data, const struct coverage *c)
{
    ((struct found *)data)->to_ns = c->to_ns;
    return 0;
}

static inline struct found look(void)
{
    struct store_query q = { .any_victim = true };
    struct store *store = open_store(true);
    struct found f = { 0 };
    struct err err = ERR_INIT;

    assert_int_equal(store_each_event(store, &q, on_event, &f, &err), 0);
    assert_int_equal(store_each_gap(store, &q, on_gap, &f, &err), 0);
    assert_int_equal(store_each_life(store, &q, on_life, &f, &err), 0);
    assert_int_equal(store_each_coverage(store, &q, on_coverage, &f, &err), 0);
    store_close(store);
    return f;
}

#define SEEN_NS 4100000000000000000ull /* later than any batch's */

static inline struct event *event_of(struct process *rm, uint64_t i)
{
    struct event *e = make_event(OPERATION_UNLINK, "/a/f", rm, NULL, 1000 + i);

    e->sensors = SENSOR_FANOTIFY;
    event_make_id(e->time_ns, i, e->id);
    return e;
}

/* It says that the disk hangs where nothing is run for some seconds; what it has to write is written then. */
static inline void flush(struct store *store)
{
    for (unsigned i = 0; i < 100 && store_flush(store, NULL) < 0; i++)
        usleep(10000);
}

struct plan {
    unsigned stored;   /* events that are in the store before it is locked */
    unsigned added;    /* added afterwards */
    unsigned expected; /* of these, and of those before, not added; before those that are added */
    bool others;       /* a gap and a moment of a container */
    bool end;          /* the coverage ended before */
};

static inline void act(const struct plan *plan, int ready, int go)
{
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = 5, .watch = bytes_of("/a") };
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct store *store = open_store(false);
    uint64_t id, i = 0;
    char c = 0;

    (void)store_begin_coverage(store, &coverage, &id);
    flush(store);
    while (i < plan->stored)
        (void)store_add_event(store, event_of(rm, i++));
    if (plan->end)
        (void)store_end_coverage(store, id, 8000);
    flush(store);
    if (write(ready, &c, 1) != 1 || read(go, &c, 1) != 1)
        _exit(1);
    for (unsigned n = 0; n < plan->expected; n++)
        store_expect_event(store, event_of(rm, i++), 0);
    for (unsigned n = 0; n < plan->added; n++)
        (void)store_add_event(store, event_of(rm, i++));
    if (plan->others) {
        struct container *web = make_container("0123456789abcdef", "web");
        struct lifecycle_event life = { .kind = LIFECYCLE_START, .time_ns = 50, .container = web };
        struct gap gap = { .reason = LOST_AUDIT_SOCKET, .count = 12, .from_ns = 10, .to_ns = 20, .text = "too slow" };

        (void)store_add_life(store, &life);
        (void)store_add_gap(store, &gap);
    }
    store_seen(store, SEEN_NS);
    for (uint64_t from_ns = clock_ns(CLOCK_MONOTONIC); clock_ns(CLOCK_MONOTONIC) - from_ns <= 150 * NS_PER_MS; usleep(10000))
        store_keep(store); /* where nothing else is written, that is said every 100 ms */
    store_keep(store); /* the pause may have been a long one */
    if (write(ready, &c, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* Nothing that it adds after it was ready is in the store. The lock's holder is to be closed. */
static inline pid_t begin_writer(const struct plan *plan, sqlite3 **ret_lock)
{
    int ready[2], go[2];
    pid_t child;
    char c = 0;

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    child = fork_child();
    if (child == 0)
        act(plan, ready[1], go[0]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(sqlite3_open(path, ret_lock), SQLITE_OK);
    sqlite3_busy_timeout(*ret_lock, 60000);
    assert_int_equal(sqlite3_exec(*ret_lock, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(write(go[1], &c, 1), 1);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
    return child;
}

static inline void end_writer(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static inline void kill_writer(const struct plan *plan)
{
    sqlite3 *lock;
    pid_t child = begin_writer(plan, &lock);

    end_writer(child);
    sqlite3_close(lock);
    assert_true(has_spool());
}

static inline void copy_file(const char *from, const char *to)
{
    char command[512];

    snprintf(command, sizeof(command), "cp -p %s %s", from, to);
    assert_int_equal(system(command), 0);
}
