/* SPDX-License-Identifier: MIT */
/*
 * keep FILE EVENTS: what a record costs over time. EVENTS rows of a day ago, which become blocks, and half of which are removed,
 * while 1,000 changes a second are written. Prints bytes an event, what a question takes, and the longest that writing waited;
 * exit status 1: more than is promised.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <unistd.h>

#include "store/query.h"
#include "util/clock.h"

#define DIRECTORIES 200
#define BYTES_MAX 40         /* an event in a compressed block, with all that counts it */
#define QUESTION_MAX_MS 50
#define STALL_MAX_MS 100     /* as long as a kill -9 may cost */

static struct process *actor;
static uint64_t ids;
static int failed;

static void add(struct store *store, uint64_t time_ns)
{
    struct event *e = event_new();
    char path[96];
    uint64_t id[2] = { time_ns, ++ids };

    snprintf(path, sizeof(path), "/srv/data/d%04llu/file%llu.txt", (unsigned long long)(ids / 50 % DIRECTORIES), (unsigned long long)ids % 5000);
    event_set(e, &e->path, bytes_of(path));
    event_set(e, &e->host_path, bytes_of(path));
    event_set(e, &e->watch_text, bytes_of("/srv/data"));
    event_set(e, &e->key, bytes_of("data"));
    memcpy(e->id, id, sizeof(id));
    e->time_ns = time_ns;
    e->boot_ns = time_ns / 2;
    e->sequence = ids;
    e->operation = ids % 3 ? OPERATION_WRITE : OPERATION_UNLINK;
    e->sensors = SENSOR_FANOTIFY;
    e->victim_kind = VICTIM_HOST;
    e->actor.pid = actor->pid;
    e->actor.start_ns = actor->start_ns;
    e->actor.process = process_ref(actor);
    e->file.known = FILE_MODE | FILE_SIZE | FILE_INODE;
    e->file.mode = 0100644;
    e->file.size = ids * 37 % 100000;
    e->file.inode = 1000000 + ids;
    while (store_add_event(store, e) < 0)
        (void)store_flush(store, NULL);
    event_free(e);
}

static double number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    double n = -1;

    if (sqlite3_open(path, &db) == SQLITE_OK && sqlite3_busy_timeout(db, 10000) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_double(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

#define USED "SELECT (page_count - freelist_count) * page_size * 1.0 FROM pragma_page_count, pragma_freelist_count, pragma_page_size"

static void say(const char *what, double value, const char *unit, double most)
{
    printf("%-52s %9.1f %s%s\n", what, value, unit, most && value > most ? "   TOO MUCH" : "");
    failed |= most && value > most;
}

/* 1,000 changes a second until `sql` says 1: the longest that one batch of 20 waited to be written. */
static double write_until(struct store *store, const char *path, const char *sql, unsigned seconds)
{
    double longest = 0;

    for (unsigned i = 0; i < seconds * 50 && (i % 50 || number(path, sql) != 1); i++) {
        uint64_t begin = clock_ns(CLOCK_MONOTONIC), took;

        for (unsigned k = 0; k < 20; k++)
            add(store, clock_ns(CLOCK_REALTIME));
        (void)store_flush(store, NULL);
        took = clock_ns(CLOCK_MONOTONIC) - begin;
        longest = (double)took / 1e6 > longest ? (double)took / 1e6 : longest;
        if (took < 20 * NS_PER_MS)
            usleep((useconds_t)((20 * NS_PER_MS - took) / 1000));
    }
    return longest;
}

static int on_group(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned count)
{
    (void)samples;
    (void)count;
    *(uint64_t *)data += rollup->count;
    return 0;
}

static void ask(const char *path, const char *when)
{
    struct store_options options = { .path = path, .read_only = true };
    struct store_query q = { .path = bytes_of("/srv/data/d0007") };
    uint64_t begin = clock_ns(CLOCK_MONOTONIC), n = 0;
    struct store *store;
    char text[80];

    if (store_open(&options, &store, NULL) < 0)
        exit(1);
    (void)store_each_rollup(store, &q, 8, on_group, &n, NULL);
    store_close(store);
    snprintf(text, sizeof(text), "who of one directory, %s (%llu events)", when, (unsigned long long)n);
    say(text, (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6, "ms", QUESTION_MAX_MS);
}

int main(int argc, char **argv)
{
    struct store_options options = { .path = argc == 3 ? argv[1] : NULL };
    unsigned long events = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct store_retention retention = { .compact_ns = 3600 * NS_PER_S };
    uint64_t begin_ns = clock_ns(CLOCK_REALTIME) - 26 * 3600 * NS_PER_S, day_ns = 24 * 3600 * NS_PER_S;
    struct store *store;
    double empty, used, alone;
    char sql[96];

    if (!events || store_open(&options, &store, NULL) < 0) {
        fprintf(stderr, "keep FILE EVENTS\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    actor = process_new(100, NS_PER_S);
    process_set(actor, &actor->executable, bytes_of("/usr/bin/writer"));
    empty = number(argv[1], USED);
    for (unsigned long i = 0; i < events; i++) {
        add(store, begin_ns + (uint64_t)((double)day_ns * (double)i / (double)events));
        if (i % 60 == 59) /* rows: too few at a time for a block */
            (void)store_flush(store, NULL);
    }
    (void)store_flush(store, NULL);
    say("an event as a row, with its indexes", (number(argv[1], USED) - empty) / (double)events, "bytes", 0);
    ask(argv[1], "rows");
    alone = write_until(store, argv[1], "SELECT 0", 5);
    say("longest wait of 20 changes, 1,000/s, nothing else", alone, "ms", 0);
    (void)store_retain(store, &retention);
    snprintf(sql, sizeof(sql), "SELECT count(*) = 0 FROM event WHERE time_ns < %llu", (unsigned long long)(begin_ns + day_ns));
    say("the same while rows become blocks", write_until(store, argv[1], sql, 3600), "ms", STALL_MAX_MS + alone);
    used = number(argv[1], "SELECT sum(length(data)) FROM block WHERE count > 0") / (double)events;
    say("an event in a compressed block", used, "bytes", BYTES_MAX);
    say("with names and counts of directories",
        used + (number(argv[1], "SELECT sum(length(names) + 12) FROM block_place") + 60 * number(argv[1], "SELECT count(*) FROM rollup")) / (double)events,
        "bytes", BYTES_MAX);
    ask(argv[1], "blocks");
    retention.age_ns = 14 * 3600 * NS_PER_S;
    (void)store_retain(store, &retention);
    snprintf(sql, sizeof(sql), "SELECT count(*) = 0 FROM block WHERE last_ns < %llu",
             (unsigned long long)(clock_ns(CLOCK_REALTIME) - 15 * 3600 * NS_PER_S));
    say("longest wait while half of it is removed", write_until(store, argv[1], sql, 3600), "ms", STALL_MAX_MS + alone);
    store_close(store);
    process_unref(actor);
    return failed;
}
