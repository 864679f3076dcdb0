/* SPDX-License-Identifier: MIT */
/*
 * What a writer that is killed had read and not written: all of it is there for whoever opens the store next, once, and what
 * is claimed to be covered is there. A damaged spool, another's, or that of a writer who lives, does no harm.
 */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "make.h"
#include "store/query.h"
#include "store/spool.h"
#include "util/clock.h"

static char dir[64], path[96], spools[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-spool.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    snprintf(spools, sizeof(spools), "%s/run", dir);
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
    struct store_options options = { .path = path, .spool_directory = spools, .read_only = read_only };
    struct store *store = NULL;
    struct err err = ERR_INIT;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    return store;
}

static bool find_spool(char *ret, size_t size)
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

static bool has_spool(void)
{
    char name[192];

    return find_spool(name, sizeof(name));
}

/* ---- what is in the store ---- */

struct found {
    unsigned events, with_actor, gaps, lives;
    uint64_t to_ns;
};

static int on_event(void *data, struct event *e)
{
    struct found *f = data;

    f->events++;
    f->with_actor += e->actor.process && e->actor.process->parent && bytes_equal_str(e->actor.process->executable, "/usr/bin/rm") &&
                     bytes_equal_str(e->actor.process->parent->executable, "/usr/bin/bash");
    event_free(e);
    return 0;
}

static int on_gap(void *data, const struct gap *gap)
{
    ((struct found *)data)->gaps += gap->reason == LOST_AUDIT_SOCKET;
    return 0;
}

static int on_life(void *data, const struct lifecycle_event *life)
{
    (void)life;
    ((struct found *)data)->lives++;
    return 0;
}

static int on_coverage(void *data, const struct coverage *c)
{
    ((struct found *)data)->to_ns = c->to_ns;
    return 0;
}

static struct found look(void)
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

/* ---- a writer that is killed ---- */

#define SEEN_NS 4100000000000000000ull /* later than any batch's */

static struct event *event_of(struct process *rm, uint64_t i)
{
    struct event *e = make_event(OPERATION_UNLINK, "/a/f", rm, NULL, 1000 + i);

    e->sensors = SENSOR_FANOTIFY;
    event_make_id(e->time_ns, i, e->id);
    return e;
}

struct plan {
    unsigned stored;   /* events that are in the store before it is locked */
    unsigned added;    /* added afterwards */
    unsigned expected; /* of these, and of those before, not added; before those that are added */
    bool others;       /* a gap and a moment of a container */
    bool end;          /* the coverage ended before */
};

static void act(const struct plan *plan, int ready, int go)
{
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = 5, .watch = bytes_of("/a") };
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct store *store = open_store(false);
    uint64_t id, i = 0;
    char c = 0;

    (void)store_begin_coverage(store, &coverage, &id);
    (void)store_flush(store, NULL);
    while (i < plan->stored)
        (void)store_add_event(store, event_of(rm, i++));
    if (plan->end)
        (void)store_end_coverage(store, id, 8000);
    (void)store_flush(store, NULL);
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
    if (write(ready, &c, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* Nothing that it adds after it was ready is in the store. The lock's holder is to be closed. */
static pid_t begin_writer(const struct plan *plan, sqlite3 **ret_lock)
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

static void end_writer(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void kill_writer(const struct plan *plan)
{
    sqlite3 *lock;
    pid_t child = begin_writer(plan, &lock);

    end_writer(child);
    sqlite3_close(lock);
    assert_true(has_spool());
}

static const struct row {
    const char *name;
    struct plan plan;
    unsigned events;
} rows[] = {
    { "what waits for the writer", { .stored = 3, .added = 40 }, 43 },
    { "what waits for another observation", { .stored = 3, .expected = 40 }, 43 },
    { "both", { .stored = 3, .expected = 20, .added = 20 }, 43 },
    { "a gap, and a moment of a container", { .stored = 3, .added = 1, .others = true }, 4 },
    { "nothing but what is stored", { .stored = 3 }, 3 },
    { "more than a segment is begun anew for", { .added = 3000 }, 3000 },
};

static void a_killed_one(void **state)
{
    const struct row *row = *state;
    struct found f;

    set_up(NULL);
    kill_writer(&row->plan);
    for (unsigned i = 0; i < 2; i++) {
        f = look();
        assert_int_equal(f.events, row->events);
        assert_int_equal(f.with_actor, row->events);
        assert_int_equal(f.gaps, row->plan.others);
        assert_int_equal(f.lives, row->plan.others);
        assert_int_equal(f.to_ns, SEEN_NS);
        assert_false(has_spool());
    }
    store_close(open_store(false));
    assert_int_equal(look().events, row->events);
    tear_down(NULL);
}

/* Killed before it could say how far it had seen: what it wrote may not be all that there was. */
static void one_that_has_said_nothing(void **state)
{
    struct coverage coverage = { .sensors = SENSOR_FANOTIFY, .from_ns = clock_ns(CLOCK_REALTIME), .watch = bytes_of("/a") };
    int ready[2];
    struct found f;
    pid_t child;
    char c = 0;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    child = fork_child();
    if (child == 0) {
        struct store *store = open_store(false);
        uint64_t id;

        (void)store_begin_coverage(store, &coverage, &id);
        for (uint64_t i = 0; i < 3; i++)
            (void)store_add_event(store, event_of(NULL, i));
        store_seen(store, 0);
        (void)store_flush(store, NULL);
        if (write(ready[1], &c, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    end_writer(child);
    close(ready[0]);
    close(ready[1]);
    f = look();
    assert_int_equal(f.events, 3);
    assert_int_equal(f.to_ns, coverage.from_ns);
}

/* Who had ended its coverage had written all before. */
static void one_that_had_ended(void **state)
{
    const struct plan plan = { .stored = 3, .added = 2, .end = true };

    (void)state;
    kill_writer(&plan);
    assert_int_equal(look().events, 3);
    assert_false(has_spool());
}

static void one_that_lives(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;
    pid_t child = begin_writer(&plan, &lock);

    (void)state;
    assert_int_equal(look().events, 3);
    assert_true(has_spool());
    end_writer(child);
    sqlite3_close(lock);
    assert_int_equal(look().events, 8);
}

static void an_orderly_end(void **state)
{
    struct store *store = open_store(false);

    (void)state;
    for (uint64_t i = 0; i < 10; i++) {
        struct event *e = event_of(NULL, i);

        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_keep(store);
    assert_true(has_spool());
    store_close(store);
    assert_false(has_spool());
    assert_int_equal(look().events, 10);
}

/* It is stored as it was changed meanwhile, once. */
static void expected_and_added(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct store *store = open_store(false);
    struct event *e = event_of(rm, 1);
    uint64_t number;
    struct found f;

    (void)state;
    store_expect_event(store, e, 0);
    number = e->spooled;
    assert_true(number > 0);
    event_make_id(e->time_ns, 77, e->id); /* of another sensor's observation */
    assert_int_equal(store_add_event(store, e), 0);
    assert_int_equal(e->spooled, number);
    store_close(store);
    event_free(e);
    process_unref(rm);
    f = look();
    assert_int_equal(f.events, 1);
}

static void copy_file(const char *from, const char *to)
{
    char command[512];

    snprintf(command, sizeof(command), "cp -p %s %s", from, to);
    assert_int_equal(system(command), 0);
}

/* Whoever took it over was killed before it could remove it. */
static void taken_over_twice(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5, .others = true };
    char name[192], copy[192];
    struct found f;

    (void)state;
    kill_writer(&plan);
    assert_true(find_spool(name, sizeof(name)));
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    copy_file(name, copy);
    assert_int_equal(look().events, 8);
    copy_file(copy, name);
    f = look();
    assert_int_equal(f.events, 8);
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.lives, 1);
    assert_false(has_spool());
}

static void several_at_once(void **state)
{
    const struct plan plan = { .stored = 3, .added = 500, .others = true };
    pid_t children[6];
    struct found f;

    (void)state;
    kill_writer(&plan);
    for (unsigned i = 0; i < ARRAY_SIZE(children); i++) {
        children[i] = fork_child();
        if (children[i] == 0) {
            store_close(open_store(i % 2));
            _exit(0);
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(children); i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    f = look();
    assert_int_equal(f.events, 503);
    assert_int_equal(f.gaps, 1);
    assert_int_equal(f.lives, 1);
}

/* A store that cannot be written now: the question is answered, and the spool waits. */
static void a_locked_store(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;

    (void)state;
    end_writer(begin_writer(&plan, &lock));
    assert_int_equal(look().events, 3);
    assert_true(has_spool());
    sqlite3_close(lock);
    assert_int_equal(look().events, 8);
}

static void make_older(time_t seconds)
{
    const struct timespec times[] = { { time(NULL) - seconds, 0 }, { time(NULL) - seconds, 0 } };
    char name[192];

    assert_true(find_spool(name, sizeof(name)));
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

/* Another file at the same place, as after a move: what was on its way to the old one stays for the old one. */
static void another_store(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    char old[128], now[128];

    (void)state;
    kill_writer(&plan);
    snprintf(old, sizeof(old), "%s/old.db", dir);
    assert_int_equal(rename(path, old), 0);
    store_close(open_store(false));
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    make_older(23 * 60 * 60);
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    snprintf(now, sizeof(now), "%s", path);
    snprintf(path, sizeof(path), "%s/old.db", dir);
    assert_int_equal(look().events, 8);
    snprintf(path, sizeof(path), "%.90s", now);
}

/* One whose store is gone does not stay for ever; a living writer's does. */
static void an_old_one(void **state)
{
    const struct plan plan = { .stored = 3, .added = 5 };
    sqlite3 *lock;
    pid_t child = begin_writer(&plan, &lock);

    (void)state;
    sqlite3_close(lock);
    assert_int_equal(unlink(path), 0);
    store_close(open_store(false));
    make_older(25 * 60 * 60);
    assert_int_equal(look().events, 0);
    assert_true(has_spool());
    end_writer(child);
    make_older(25 * 60 * 60); /* it may have written meanwhile */
    assert_int_equal(look().events, 0);
    assert_false(has_spool());
}

/* ---- what is no spool ---- */

static void flip(const char *name, off_t at)
{
    int fd = open(name, O_RDWR | O_CLOEXEC);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x41;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static off_t size_of(const char *name)
{
    struct stat st;

    assert_int_equal(stat(name, &st), 0);
    return st.st_size;
}

/* Whatever byte of it is another one, whatever its end: what is sound before that is taken over, and it is gone. */
static void a_damaged_one(void **state)
{
    const struct plan plan = { .stored = 2, .added = 3 };
    char name[192], copy[192], db[192];
    off_t size;

    (void)state;
    kill_writer(&plan);
    assert_true(find_spool(name, sizeof(name)));
    snprintf(copy, sizeof(copy), "%s/copy", dir);
    snprintf(db, sizeof(db), "%s/db", dir);
    copy_file(name, copy);
    sqlite3 *one;
    assert_int_equal(sqlite3_open(path, &one), SQLITE_OK); /* into the file, whose copy is used each time */
    assert_int_equal(sqlite3_exec(one, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(one);
    copy_file(path, db);
    size = size_of(copy);
    for (off_t at = 0; at < size; at += at < 200 ? 7 : 61) {
        char command[512];
        struct found f;

        for (unsigned cut = 0; cut < 2; cut++) {
            copy_file(copy, name);
            snprintf(command, sizeof(command), "rm -f %s-wal %s-shm; cat %s > %s", path, path, db, path); /* the same inode */
            assert_int_equal(system(command), 0);
            if (cut)
                assert_int_equal(truncate(name, at), 0);
            else
                flip(name, at);
            f = look();
            assert_in_range(f.events, 2, 5);
            assert_int_equal(f.with_actor, f.events);
            assert_false(has_spool());
        }
    }
}

static void others_files(void **state)
{
    struct stat st;
    char name[192], target[192];

    (void)state;
    store_close(open_store(false));
    assert_int_equal(stat(path, &st), 0);
    (void)mkdir(spools, 0700);
    snprintf(target, sizeof(target), "%s/target", dir);
    close(open(target, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".link", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    assert_int_equal(symlink(target, name), 0);
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".fifo", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    assert_int_equal(mkfifo(name, 0600), 0);
    snprintf(name, sizeof(name), "%s/" SPOOL_NAME ".open", spools, (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, 1);
    close(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(chmod(name, 0666), 0);
    assert_int_equal(look().events, 0);
    assert_int_equal(access(name, F_OK), 0);
    assert_int_equal(access(target, F_OK), 0);
    assert_int_equal(chmod(name, 0600), 0);
    assert_int_equal(look().events, 0);
    assert_int_equal(access(name, F_OK), -1); /* ours, and nothing in it */
}

/* ---- the file ---- */

/* What is in it now that is beyond `stored`. */
static struct spool_segment read_back(const struct spool_numbers *stored)
{
    struct spool_segment parts[SPOOL_SEGMENTS], all = { 0 };
    struct sbuf file = SBUF_INIT;
    char name[192];
    int fd;

    assert_true(find_spool(name, sizeof(name)));
    fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(sbuf_add_file(&file, fd, SIZE_MAX / 2), 0);
    close(fd);
    for (unsigned i = 0; i < SPOOL_SEGMENTS; i++) {
        size_t at = SPOOL_HEAD_SIZE + i * (size_t)SPOOL_SEGMENT_SIZE;
        struct bytes b = { file.data + MIN(at, file.len), MIN(file.len - MIN(at, file.len), SPOOL_SEGMENT_SIZE) };

        assert_int_equal(spool_read_segment(b, stored, &parts[i]), 0);
        all.count += parts[i].count;
        all.seen_ns = MAX(all.seen_ns, parts[i].seen_ns);
        sbuf_done(&parts[i].messages);
    }
    sbuf_done(&file);
    return all;
}

/* Whatever is stored by when: what is not is in it, and it does not grow. */
static void it_is_used_again(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct spool_numbers none = { 0 }, stored = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    char name[192];

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    for (uint64_t i = 1; i <= 20000; i++) {
        struct event *e = event_of(rm, i);

        stored.at[SPOOL_EVENTS] = i > 700 ? i - 1 - i % 700 : 0; /* a batch now and then */
        spool_add_event(s, e, i, &stored);
        event_free(e);
        if (i % 997 == 0) {
            spool_write(s, i, &stored);
            assert_int_equal(read_back(&stored).count, i - stored.at[SPOOL_EVENTS]);
            assert_in_range(read_back(&stored).seen_ns, i - 997, i);
        }
    }
    assert_true(find_spool(name, sizeof(name)));
    assert_true(size_of(name) < SPOOL_HEAD_SIZE + SPOOL_SEGMENT_SIZE + (1 << 20));
    spool_close(s, true);
    assert_false(has_spool());
    process_unref(rm);
}

/* What finds no room is not claimed to have been seen, until it is stored. */
static void a_full_one(void **state)
{
    struct process *rm = make_process(20, "/usr/bin/rm", make_process(10, "/usr/bin/bash", NULL));
    struct spool_numbers none = { 0 }, stored = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    struct event *last;
    uint64_t i = 0, kept;

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    while (i < 120000) {
        struct event *e = event_of(rm, ++i);

        spool_add_event(s, e, i, &stored);
        event_free(e);
        if (i == 100)
            spool_write(s, 555, &stored);
    }
    spool_write(s, 666, &stored);
    kept = read_back(&stored).count;
    assert_in_range(kept, 20000, 119000);
    assert_int_equal(read_back(&stored).seen_ns, 555);
    stored.at[SPOOL_EVENTS] = i;
    last = event_of(rm, i + 1);
    spool_add_event(s, last, i + 1, &stored);
    event_free(last);
    do
        spool_write(s, 777, &stored); /* where nothing is added, from time to time only */
    while (read_back(&stored).seen_ns != 777);
    assert_int_equal(read_back(&stored).count, 1);
    spool_close(s, true);
    process_unref(rm);
}

/* A store that is not written for long, and programs that come and go, which the queue's sender holds as well. */
static void the_past_is_not_held(void **state)
{
    static struct process *others[3000];
    struct spool_numbers none = { 0 };
    struct spool *s = NULL;
    struct err err = ERR_INIT;
    unsigned held = 0;

    (void)state;
    assert_int_equal(spool_open(spools, 1, 2, &none, &s, &err), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        struct event *e;

        others[i] = make_process((pid_t)(100 + i), "/usr/bin/rm", NULL);
        e = event_of(others[i], i + 1);
        spool_add_event(s, e, i + 1, &none);
        event_free(e);
    }
    spool_write(s, 1, &none);
    assert_int_equal(read_back(&none).count, ARRAY_SIZE(others));
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
        held += others[i]->refs > 1;
    assert_in_range(held, 1, 600);
    spool_close(s, true);
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(others[i]->refs, 1);
        process_unref(others[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_has_said_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_had_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_orderly_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(expected_and_added, set_up, tear_down),
        cmocka_unit_test_setup_teardown(taken_over_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_locked_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_old_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_past_is_not_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_one, set_up, tear_down),
    };

    return RUN_ROWS(rows, a_killed_one) + cmocka_run_group_tests(tests, NULL, NULL);
}
