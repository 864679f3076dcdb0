/* SPDX-License-Identifier: MIT */
/* Observations that come late: a change that was emitted already is not emitted again. */
#include "test.h"
#include "fuse_play.h"

#include <stdio.h>

#include "watch/emitted.h"

/*
 * A record that comes when the change was emitted already. Times are milliseconds: when it was (fanotify: between two
 * moments), and when it arrives; each arrives after the one before, and the queue is drained between.
 */
static const struct late_row {
    const char *name;
    size_t events;
    struct late {
        unsigned sensor;
        enum operation operation;
        pid_t pid;
        unsigned from_ms, until_ms, arrival_ms;
        bool presumed;
    } observations[6];
} late_rows[] = {
    { "audit's record is late", 1,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1004, 1004, 1200 } } },
    { "very late", 1,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1004, 1004, 21000 } } },
    { "later than is remembered", 2,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1004, 1004, 661000 } } },
    { "opened, and closed five minutes later", 1,
      { { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1000, 1000, 1001 }, { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 301000, 301010, 301010 } } },
    { "opened, and closed a minute later", 1,
      { { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1000, 1000, 1001 }, { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 61000, 61010, 61010 } } },
    { "opened twice, closed at once", 2,
      { { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1000, 1000, 1001 }, { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1100, 1100, 1101 },
        { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 2000, 2010, 2010 } } },
    { "and opened by what audit does not see", 3,
      { { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1000, 1000, 1001 }, { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1100, 1100, 1101 },
        { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 2000, 2010, 2010 }, { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 3000, 3010, 3010 } } },
    { "closed, and opened after that", 2,
      { { SENSOR_FANOTIFY, OPERATION_OPEN_WRITE, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_OPEN_WRITE, 1, 1200, 1200, 1300 } } },
    { "flags, found when the file was looked at an hour later", 1,
      { { SENSOR_AUDIT, OPERATION_SETFLAGS, 1, 2000, 2000, 2001 }, { SENSOR_FANOTIFY, OPERATION_SETFLAGS, 0, 1000, 3602000, 3602000 } } },
    { "and others, found after that", 2,
      { { SENSOR_AUDIT, OPERATION_SETFLAGS, 1, 2000, 2000, 2001 }, { SENSOR_FANOTIFY, OPERATION_SETFLAGS, 0, 1000, 3602000, 3602000 },
        { SENSOR_FANOTIFY, OPERATION_SETFLAGS, 0, 3602000, 3702000, 3702000 } } },
    { "flags that were changed after they were reported", 2,
      { { SENSOR_AUDIT, OPERATION_SETFLAGS, 1, 2000, 2000, 2001 }, { SENSOR_FANOTIFY, OPERATION_SETFLAGS, 0, 3000, 3602000, 3602000 } } },
    { "fanotify's event is late", 1,
      { { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1004, 1004, 1005 }, { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 1000, 1300, 1300 } } },
    { "the call began long before it did something", 1,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 2000, 2010, 2010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1000, 1000, 2200 } } },
    { "a change after the one that was told", 2,
      { { SENSOR_FANOTIFY, OPERATION_UTIME, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_UTIME, 1, 1080, 1080, 1090 } } },
    { "seen by fanotify alone, after audit alone saw another", 2,
      { { SENSOR_AUDIT, OPERATION_UTIME, 1, 1000, 1000, 1001 }, { SENSOR_FANOTIFY, OPERATION_UTIME, 1, 1100, 1110, 1110 } } },
    { "of another process", 2,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 2, 1004, 1004, 1200 } } },
    { "of another operation", 2,
      { { SENSOR_FANOTIFY, OPERATION_CHMOD, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_CHOWN, 1, 1004, 1004, 1200 } } },
    { "at a time that is not known", 2,
      { { SENSOR_FANOTIFY, OPERATION_UNLINK, 1, 0, 0, 1010 }, { SENSOR_AUDIT, OPERATION_UNLINK, 1, 1004, 1004, 1200 } } },
    { "each takes one", 2,
      { { SENSOR_FANOTIFY, OPERATION_CHMOD, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_CHMOD, 1, 1004, 1004, 1200 },
        { SENSOR_AUDIT, OPERATION_CHMOD, 1, 1005, 1005, 1201 } } },
    { "two told, two late", 2,
      { { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1000, 1010, 1010 }, { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1010, 1020, 1020 },
        { SENSOR_AUDIT, OPERATION_CREATE, 1, 1004, 1004, 1200 }, { SENSOR_AUDIT, OPERATION_CREATE, 1, 1011, 1011, 1200 } } },
    { "one told, one waits, two late", 2,
      { { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1000, 1010, 1010 }, { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1100, 1120, 1120 },
        { SENSOR_AUDIT, OPERATION_CREATE, 1, 1004, 1004, 1130 }, { SENSOR_AUDIT, OPERATION_CREATE, 1, 1111, 1111, 1131 } } },
    { "two that were gone before anybody looked: one told, one waits, two late", 2,
      { { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1000, 1010, 1010, true }, { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1510, 1520, 1520 },
        { SENSOR_AUDIT, OPERATION_CREATE, 1, 1004, 1004, 1530 }, { SENSOR_AUDIT, OPERATION_CREATE, 1, 1511, 1511, 1531 } } },
    { "a link that was told as a creation", 1,
      { { SENSOR_FANOTIFY, OPERATION_CREATE, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_LINK, 1, 1004, 1004, 1200 } } },
    { "attributes, after long patience", 1,
      { { SENSOR_FANOTIFY, OPERATION_ATTRIBUTES, 1, 1000, 1010, 1010, true }, { SENSOR_AUDIT, OPERATION_CHOWN, 1, 1004, 1004, 2200 } } },
    { "in time, and once more the same later", 2,
      { { SENSOR_FANOTIFY, OPERATION_CHMOD, 1, 1000, 1010, 1010 }, { SENSOR_AUDIT, OPERATION_CHMOD, 1, 1004, 1004, 1012 },
        { SENSOR_FANOTIFY, OPERATION_CHMOD, 1, 1300, 1310, 1310 }, { SENSOR_AUDIT, OPERATION_CHMOD, 1, 1304, 1304, 1500 } } },
};

static void late_is_emitted_once(void **state)
{
    const struct late_row *row = *state;
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    unsigned now_ms = 0;

    for (const struct late *l = row->observations; l->sensor; l++) {
        struct event *e = observed(l->sensor, l->operation, "/a", l->pid);

        e->boot_from_ns = l->sensor == SENSOR_FANOTIFY ? l->from_ms * NS_PER_MS : 0;
        e->boot_ns = l->until_ms * NS_PER_MS;
        e->operation_presumed = l->presumed;
        e->actor_presumed = !l->pid; /* found by looking */
        for (; now_ms < l->arrival_ms; now_ms += 10)
            fuse_expire(f, now_ms * NS_PER_MS, true);
        fuse_add(f, e, l->arrival_ms * NS_PER_MS);
    }
    fuse_flush(f, 100 * NS_PER_S);
    assert_int_equal(out.count, row->events);
    out_done(&out);
    fuse_free(f);
}

/* A storm whose second sensor is behind by all of it: what is let go early is remembered too. */
static void a_storm_is_emitted_once(void **state)
{
    static struct out out;
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < FUSE_WAITING_MAX + 1000; i++) {
            char path[16];
            struct event *e;

            snprintf(path, sizeof(path), "/%u", i);
            e = observed(pass ? SENSOR_AUDIT : SENSOR_FANOTIFY, OPERATION_UNLINK, path, 1);
            e->boot_ns = NS_PER_S + i;
            fuse_add(f, e, NS_PER_S + pass * NS_PER_S + i);
            out_done(&out);
        }
    }
    assert_int_equal(fuse_stats(f)->early, 1000);
    assert_int_equal(fuse_stats(f)->folded, FUSE_WAITING_MAX + 1000);
    assert_int_equal(fuse_oldest_ns(f), 0);
    out_done(&out);
    fuse_free(f);
}

static void doubt_waits_longer(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    struct event *e = observed(SENSOR_FANOTIFY, OPERATION_ATTRIBUTES, "/a", 1);

    (void)state;
    e->operation_presumed = true;
    e->time_ns = 700;
    e->boot_from_ns = 100;
    e->boot_ns = 300;
    fuse_add(f, e, 0);
    assert_int_equal(fuse_oldest_ns(f), 500);
    fuse_expire(f, FUSE_PRESUMED_NS - 1, true);
    assert_int_equal(out.count, 0);
    fuse_expire(f, FUSE_PRESUMED_NS, true);
    assert_int_equal(out.count, 1);
    out_done(&out);
    fuse_free(f);
}

#define ALL_THREE (BOTH | SENSOR_BPF)
#define OPENED 1000

static struct observation numbered(unsigned i, enum operation operation, unsigned sensor, char path[32])
{
    snprintf(path, 32, "/a/%u", i);
    return (struct observation){ .watch = 1, .operation = operation, .sensors = sensor, .pid = 7, .from_ns = 1, .until_ns = 2, .path = bytes_of(path) };
}

static void add_numbered(struct emitted *t, unsigned i, enum operation operation, uint64_t now)
{
    char path[32];
    struct observation s = numbered(i, operation, operation == OPERATION_OPEN_WRITE ? SENSOR_AUDIT : SENSOR_FANOTIFY, path);

    emitted_add(t, &s, now);
}

/* Is it still known when that sensor is late with it? One of three that are open, so that the first of them to ask ends nothing. */
static bool knows(struct emitted *t, unsigned i, enum operation operation, unsigned sensor, uint64_t now)
{
    char path[32];
    struct observation s = numbered(i, operation, sensor, path);

    return emitted_before(t, &s, SAME_NAME, ALL_THREE, now);
}

/* What is kept of events that were emitted: so many, and nothing of those that every sensor has seen. */
static void what_was_emitted_is_bounded(void **state)
{
    struct emitted *t = emitted_new();
    uint64_t now = NS_PER_S;
    unsigned n = 0;

    (void)state;
    for (; n < EMITTED_MAX + 100; n++, now += NS_PER_MS)
        add_numbered(t, n, OPERATION_UNLINK, now);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(knows(t, i, OPERATION_UNLINK, SENSOR_AUDIT, now), i >= 100);
    assert_false(knows(t, n - 1, OPERATION_UNLINK, SENSOR_AUDIT, now)); /* each takes one of a sensor */
    assert_true(knows(t, n - 1, OPERATION_UNLINK, SENSOR_BPF, now));    /* the last of the three: it makes room for one */
    assert_false(knows(t, n - 1, OPERATION_UNLINK, SENSOR_BPF, now));
    add_numbered(t, n++, OPERATION_UNLINK, now);
    assert_true(knows(t, 100, OPERATION_UNLINK, SENSOR_BPF, now)); /* which is nobody else's; and another one has room */
    add_numbered(t, n++, OPERATION_UNLINK, now);
    add_numbered(t, n++, OPERATION_UNLINK, now);
    assert_false(knows(t, 101, OPERATION_UNLINK, SENSOR_BPF, now));
    assert_true(knows(t, 102, OPERATION_UNLINK, SENSOR_BPF, now));
    emitted_free(t);
}

/* And so long: then it is not known any more, and its memory is given back with the next one that comes. */
static void what_was_emitted_is_forgotten(void **state)
{
    struct emitted *t = emitted_new();
    size_t empty = heap_in_use(), full;
    uint64_t now = NS_PER_S;

    (void)state;
    for (unsigned i = 0; i < EMITTED_MAX; i++)
        add_numbered(t, i, OPERATION_UNLINK, now);
    full = heap_in_use() - empty;
    now += EMITTED_KEPT_NS;
    assert_true(knows(t, 1, OPERATION_UNLINK, SENSOR_AUDIT, now));
    now += 1;
    assert_false(knows(t, 2, OPERATION_UNLINK, SENSOR_AUDIT, now));
    for (unsigned i = 0; i < OPENED; i++)
        add_numbered(t, i, OPERATION_OPEN_WRITE, now);
    assert_true(heap_in_use() <= empty + full / (EMITTED_MAX / OPENED / 2)); /* of those few alone */
    now += EMITTED_OPEN_KEPT_NS;
    add_numbered(t, 0, OPERATION_UNLINK, now);
    assert_true(knows(t, 1, OPERATION_OPEN_WRITE, SENSOR_FANOTIFY, now)); /* the file may still be open */
    now += 1;
    assert_false(knows(t, 2, OPERATION_OPEN_WRITE, SENSOR_FANOTIFY, now));
    add_numbered(t, 1, OPERATION_UNLINK, now);
    assert_true(heap_in_use() <= empty + full / 100);
    emitted_free(t);
    assert_true(heap_in_use() <= empty);
}

/* Nobody waits for a sensor that was closed, neither what came before nor what comes after. */
static void one_sensor_is_left(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_UNLINK, "/a", 1), 0);
    fuse_add(f, observed(SENSOR_AUDIT, OPERATION_CHMOD, "/b", 1), 0); /* fanotify may see it yet */
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_UNLINK, "/c", 1), 0);
    assert_int_equal(out.count, 0);
    fuse_set_sensors(f, SENSOR_FANOTIFY, 1);
    assert_int_equal(out.count, 1);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/b", 1), 2);
    assert_int_equal(out.count, 3);
    assert_int_equal(out.events[1]->sensors, BOTH);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_UNLINK, "/d", 1), 3);
    assert_int_equal(out.count, 4);
    out_done(&out);
    fuse_free(f);
}

/* fanotify has reported all of it before audit's first record comes, and does not see what each row has alone. */
static const struct taken_row {
    const char *name;
    enum operation taking, late;
    const char *to, *from, *path; /* from: what goes */
    uint64_t late_ns;             /* it goes at 100 */
    bool first;                   /* the late one was before */
} taken_rows[] = {
    { "a temporary name", OPERATION_RENAME, OPERATION_CHMOD, "/d/f", "/d/.f.tmp", "/d/.f.tmp", 90, true },
    { "below a folder that is renamed", OPERATION_RENAME, OPERATION_CHOWN, "/e", "/d", "/d/a/b", 90, true },
    { "of a file that is deleted", OPERATION_UNLINK, OPERATION_UTIME, "/d/f", NULL, "/d/f", 90, true },
    { "below a folder that is deleted", OPERATION_RMDIR, OPERATION_CHMOD, "/d", NULL, "/d/a", 90, true },
    { "of its new name", OPERATION_RENAME, OPERATION_CHMOD, "/d/f", "/d/.f.tmp", "/d/f", 90, false },
    { "of another file", OPERATION_RENAME, OPERATION_CHMOD, "/d/f", "/d/.f.tmp", "/d/.f.tmp2", 90, false },
    { "later", OPERATION_RENAME, OPERATION_CHMOD, "/d/f", "/d/.f.tmp", "/d/.f.tmp", 101, false },
};

static void comes_before_its_name_goes(void **state)
{
    const struct taken_row *row = *state;
    struct out out = { 0 };
    struct fuse_options options = { .sensors = BOTH, .data = &out, .event = keep, .expect = number_it };
    struct fuse *f = NULL;

    expected = 0;
    assert_int_equal(fuse_new(&options, &f, NULL), 0);
    fuse_add(f, at_time(observed(SENSOR_FANOTIFY, OPERATION_CREATE, "/d/.f.tmp", 1), 100, NULL), 0);
    fuse_add(f, at_time(observed(SENSOR_FANOTIFY, row->taking, row->to, 1), 100, row->from), 0);
    fuse_add(f, at_time(observed(SENSOR_FANOTIFY, OPERATION_CREATE, "/z", 1), 100, NULL), 0);
    fuse_add(f, at_time(observed(SENSOR_AUDIT, OPERATION_CREATE, "/d/.f.tmp", 1), 80, NULL), 1);
    for (unsigned i = 0; i < 3; i++)
        fuse_add(f, at_time(observed(SENSOR_AUDIT, row->late, row->path, 1), row->late_ns + i, NULL), 1);
    fuse_add(f, at_time(observed(SENSOR_AUDIT, row->taking, row->to, 1), 100, row->from), 1);
    fuse_flush(f, 2);
    assert_int_equal(out.count, 6);
    for (unsigned i = 0, last = 0; i < 6; i++) {
        const struct event *e = out.events[i];

        assert_true(i == 0 || e->spooled > out.events[i - 1]->spooled);
        if (e->operation == row->late) { /* in their order */
            assert_true(e->time_ns >= last);
            last = (unsigned)e->time_ns;
        }
    }
    assert_int_equal(out.events[row->first ? 4 : 1]->operation, row->taking);
    out_done(&out);
    fuse_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sensor_is_left),
        cmocka_unit_test(what_was_emitted_is_bounded),
        cmocka_unit_test(what_was_emitted_is_forgotten),
        cmocka_unit_test(a_storm_is_emitted_once),
        cmocka_unit_test(doubt_waits_longer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(taken_rows, comes_before_its_name_goes) +
           RUN_ROWS(late_rows, late_is_emitted_once);
}
