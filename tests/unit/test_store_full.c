/* SPDX-License-Identifier: MIT */
/*
 * The store on a disk that is full: a file system of its own, in memory, in a mount namespace of its own. Status 77: neither may be had.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "make.h"
#include "store/query.h"
#include "store/room.h"
#include "util/clock.h"

#define SIZE "size=64m"
#define BATCH 500
#define NAME 200            /* bytes of a name: the disk is to be full soon */
#define STEP_NS (100 * NS_PER_MS)
#define TRY_US (10 * 1000)    /* then the store is asked again */
#define TRIES 6000           /* a minute: a busy machine */

static char dir[64], path[96], reserve[128], filler[96];
static struct process *actor;
static uint64_t base_ns, sent;

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/culprit-full.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(mount("none", dir, "tmpfs", 0, SIZE), 0);
    snprintf(path, sizeof(path), "%s/culprit.db", dir);
    snprintf(reserve, sizeof(reserve), "%s-reserve", path);
    snprintf(filler, sizeof(filler), "%s/filler", dir);
    actor = make_process(100, "/bin/cp", make_process(1, "/sbin/init", NULL));
    base_ns = clock_ns(CLOCK_REALTIME) - 24 * 3600 * NS_PER_S;
    sent = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    process_unref(actor);
    assert_int_equal(umount2(dir, MNT_DETACH), 0);
    return rmdir(dir);
}

/* A name that neither repeats nor becomes much smaller. */
static int add(struct store *store)
{
    uint64_t id = ++sent, x = id * 0x9e3779b97f4a7c15ull;
    char name[NAME + 16];
    struct event *e;
    int r, n = snprintf(name, sizeof(name), "/srv/d%u/", (unsigned)(id % 7));

    for (; n < NAME; n++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        name[n] = (char)('a' + (x >> 33) % 26);
    }
    name[n] = '\0';
    e = make_event(OPERATION_CREATE, name, actor, NULL, base_ns + id * STEP_NS);
    e->sensors = SENSOR_FANOTIFY;
    memcpy(e->id, &id, sizeof(id));
    r = store_add_event(store, e);
    event_free(e);
    return r;
}

static struct store *open_with(bool oldest)
{
    struct store_retention retention = { .give_up_oldest = oldest };
    struct store_options options = { .path = path, .retry = true, .retention = &retention };
    struct store *store = NULL;

    assert_int_equal(store_open(&options, &store, NULL), 0);
    return store;
}

struct found {
    uint64_t first, last, events, lost, from_ns, to_ns;
    unsigned gaps;
};

static int on_event(void *data, struct event *e)
{
    struct found *f = data;
    uint64_t id;

    memcpy(&id, e->id, sizeof(id));
    assert_non_null(e->actor.process);
    assert_true(bytes_equal_str(e->actor.process->executable, "/bin/cp"));
    assert_non_null(e->actor.process->parent);
    if (!f->events++)
        f->first = id;
    assert_true(id > f->last);
    f->last = id;
    event_free(e);
    return 0;
}

static int on_gap(void *data, const struct gap *gap)
{
    struct found *f = data;

    f->gaps++;
    f->lost += gap->count;
    f->from_ns = gap->from_ns;
    f->to_ns = gap->to_ns;
    return 0;
}

/* Room is made in steps, beside what is written. */
static void flush(struct store *store)
{
    struct err err = ERR_INIT;

    for (unsigned tries = 0; store_flush(store, &err) < 0; tries++)
        if (tries == TRIES || usleep(TRY_US) < 0)
            fail_msg("after %llu: %s", (unsigned long long)sent, err.text);
}

static void add_until(struct store *store, uint64_t end)
{
    while (sent < end) {
        for (unsigned i = 0; i < BATCH; i++)
            (void)add(store);
        flush(store);
    }
}

static struct found read_back(void)
{
    struct store_options options = { .path = path, .read_only = true };
    struct store_query all = { .any_victim = true };
    struct found f = { 0 };
    struct store *store;
    struct err err = ERR_INIT;

    if (store_open(&options, &store, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(store_each_event(store, &all, on_event, &f, &err), 0);
    assert_int_equal(store_each_gap(store, &all, on_gap, &f, &err), 0);
    store_close(store);
    return f;
}

/* Three times as much as fits: all that is young is there, with its actor, nothing of it is missing, and it is said what went. */
static void gives_up_the_oldest(void **state)
{
    struct store *store = open_with(true);
    struct store_state now;
    struct found f;
    struct stat st;

    (void)state;
    add_until(store, 600000);
    store_state(store, &now);
    assert_int_equal(now.missing, 0);
    store_close(store);
    assert_int_equal(stat(reserve, &st), 0);
    assert_int_equal(st.st_size, ROOM_SIZE);
    assert_int_equal(st.st_mode & 0777, 0600);
    f = read_back();
    assert_int_equal(f.gaps, 0);
    assert_int_equal(f.last, sent);
    assert_true(f.first > 1);
    assert_int_equal(f.events, f.last - f.first + 1);
}

/* What has a time before which everything has gone is no reason to keep it: it goes in its turn. */
static void goes_on_after_the_clock_was_set_back(void **state)
{
    struct store *store = open_with(true);

    (void)state;
    add_until(store, 400000);
    base_ns -= 48 * 3600 * NS_PER_S;
    add_until(store, 1000000);
    store_close(store);
}

/* ---- while SQLite's log cannot go into the file ---- */

static sqlite3 *reader;

static void begin_reading(void)
{
    assert_int_equal(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM gap", NULL, NULL, NULL), SQLITE_OK);
}

static void end_reading(void)
{
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
}

#define CHECKPOINT_LOCK 121 /* its byte in the log's index: SQLite's WAL format */

static pid_t checkpointer;

/* Another program's checkpoint, which does not go on: the lock is all that is to be seen of it. */
static void begin_checkpoint(void)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = CHECKPOINT_LOCK, .l_len = 1 };
    char name[112], said = 0;
    int ready[2], fd;

    snprintf(name, sizeof(name), "%s-shm", path);
    assert_int_equal(pipe(ready), 0);
    checkpointer = fork();
    assert_true(checkpointer >= 0);
    if (checkpointer == 0) {
        fd = open(name, O_RDWR | O_CLOEXEC);
        if (fd < 0 || fcntl(fd, F_SETLKW, &lock) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &said, 1), 1);
    close(ready[0]);
}

static void end_checkpoint(void)
{
    int status;

    assert_int_equal(kill(checkpointer, SIGKILL), 0);
    assert_int_equal(waitpid(checkpointer, &status, 0), checkpointer);
    assert_true(WIFSIGNALED(status));
}

/* The disk gets full while the log is in use: it takes no more than the file is sure to get, and goes on when that is over. */
static void goes_on_after(void (*begin)(void), void (*end)(void))
{
    struct store *store = open_with(true);
    struct found f;

    add_until(store, 150000); /* more than is left in any case */
    begin();
    do {
        assert_true(sent < 600000);
        for (unsigned i = 0; i < BATCH; i++)
            (void)add(store);
    } while (store_flush(store, NULL) == 0);
    end();
    add_until(store, sent + 20 * BATCH);
    store_close(store);
    f = read_back();
    assert_int_equal(f.gaps, 0);
    assert_int_equal(f.last, sent);
    assert_int_equal(f.events, f.last - f.first + 1);
}

static void goes_on_after_a_reader(void **state)
{
    (void)state;
    goes_on_after(begin_reading, end_reading);
}

static void goes_on_after_a_checkpoint(void **state)
{
    (void)state;
    goes_on_after(begin_checkpoint, end_checkpoint);
}

static void fill_the_disk(void)
{
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static char piece[65536];

    memset(piece, 'x', sizeof(piece));
    while (write(fd, piece, sizeof(piece)) > 0)
        ;
    while (write(fd, piece, 1) > 0)
        ;
    close(fd);
}

/* Unless that is asked for nothing goes: what comes waits, what does not fit is a gap with its span, and then all is right again. */
static void keeps_the_oldest(void **state)
{
    struct store *store = open_with(false);
    struct store_state now;
    struct found f;
    uint64_t missing_from;

    (void)state;
    for (unsigned i = 0; i < BATCH; i++)
        (void)add(store);
    assert_int_equal(store_flush(store, NULL), 0);
    fill_the_disk();
    missing_from = base_ns + sent * STEP_NS;
    while (sent < 60000) /* more than memory holds */
        (void)add(store);
    store_state(store, &now);
    assert_int_equal(now.error, -ENOSPC);
    assert_int_equal(access(reserve, F_OK), -1);
    assert_int_equal(unlink(filler), 0);
    flush(store);
    (void)add(store);
    store_seen(store, base_ns + sent * STEP_NS);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    f = read_back();
    assert_int_equal(f.first, 1);
    assert_int_equal(f.last, sent);
    assert_true(f.gaps >= 1);
    assert_int_equal(f.events + f.lost, sent);
    assert_true(f.from_ns >= missing_from && f.to_ns >= f.from_ns && f.to_ns <= base_ns + sent * STEP_NS);
}

/* What is opened on a full disk: what was kept is given up for that. */
static void begins_on_a_full_disk(void **state)
{
    struct store *store = open_with(true);
    struct found f;

    (void)state;
    for (unsigned i = 0; i < BATCH; i++)
        (void)add(store);
    assert_int_equal(store_flush(store, NULL), 0);
    for (unsigned tries = 0; access(reserve, F_OK) < 0; tries++) { /* it is looked after once a second */
        assert_true(tries < 600);
        usleep(100 * 1000);
        (void)store_flush(store, NULL);
        (void)add(store);
    }
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    fill_the_disk();
    store = open_with(true);
    for (unsigned i = 0; i < BATCH; i++)
        (void)add(store);
    flush(store);
    store_close(store);
    f = read_back();
    assert_int_equal(f.events, sent);
    assert_int_equal(f.gaps, 0);
}

/* Asked for no more, as a reload of the configuration may do: what was kept is given back. */
static void turned_off_it_keeps_no_room(void **state)
{
    struct store_retention retention = { .give_up_oldest = false };
    struct store *store = open_with(true);

    (void)state;
    (void)add(store);
    assert_int_equal(store_flush(store, NULL), 0);
    assert_int_equal(access(reserve, F_OK), 0);
    assert_int_equal(store_retain(store, &retention), 0);
    (void)add(store);
    assert_int_equal(store_flush(store, NULL), 0);
    store_close(store);
    assert_int_equal(access(reserve, F_OK), -1);
}

static bool have_mounts(void)
{
    return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_up_the_oldest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_the_clock_was_set_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_a_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_oldest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(begins_on_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turned_off_it_keeps_no_room, set_up, tear_down),
    };

    return have_mounts() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
