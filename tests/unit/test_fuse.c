/* SPDX-License-Identifier: MIT */
/* Observations of several sensors: one change comes out once, and no change is swallowed. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "make.h"
#include "util/parse.h"
#include "watch/emitted.h"
#include "watch/fuse.h"

struct out {
    struct event *events[4096];
    size_t count;
};

static void keep(void *data, struct event *event)
{
    struct out *out = data;

    assert_true(out->count < ARRAY_SIZE(out->events));
    out->events[out->count++] = event;
}

static void out_done(struct out *out)
{
    for (size_t i = 0; i < out->count; i++)
        event_free(out->events[i]);
    out->count = 0;
}

static struct event *observed(unsigned sensor, enum operation operation, const char *path, pid_t pid)
{
    struct event *e = make_event(operation, path, NULL, NULL, 1);

    e->sensors = sensor;
    e->actor.pid = pid;
    return e;
}

static struct fuse *new_fuse(struct out *out, unsigned sensors)
{
    struct fuse_options options = { .sensors = sensors, .data = out, .event = keep };
    struct fuse *f = NULL;

    assert_int_equal(fuse_new(&options, &f, NULL), 0);
    return f;
}

#define BOTH (SENSOR_AUDIT | SENSOR_FANOTIFY)

static void unites_facts(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    struct event *a = observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/prd", 7);
    struct event *b = observed(SENSOR_AUDIT, OPERATION_CHMOD, "/prd", 7);

    (void)state;
    a->before = (struct file_state){ .known = FILE_MODE, .mode = 0555 };
    a->after = (struct file_state){ .known = FILE_MODE, .mode = 0775 };
    a->time_ns = 20;
    b->time_ns = 10;
    b->actor.cred = (struct credentials){ .known = true, .uid = 5 };
    event_set(b, &b->actor.executable, bytes_of("/bin/x"));
    b->route = ROUTE_SYSCALL;
    b->syscall = 90;
    b->after = (struct file_state){ .known = FILE_MODE, .mode = 0777 };
    fuse_add(f, a, 0);
    assert_int_equal(out.count, 0);
    fuse_add(f, b, 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.events[0]->sensors, BOTH);
    assert_int_equal(out.events[0]->time_ns, 10);
    assert_int_equal(out.events[0]->actor.cred.uid, 5);
    assert_bytes(out.events[0]->actor.executable, "/bin/x");
    assert_int_equal(out.events[0]->syscall, 90);
    assert_int_equal(out.events[0]->before.mode, 0555);
    assert_int_equal(out.events[0]->after.mode, 0777); /* what the kernel captured */
    assert_int_equal(fuse_stats(f)->contradictions, 1);
    assert_int_equal(fuse_stats(f)->folded, 1);
    out_done(&out);
    fuse_free(f);
}

static const struct row {
    const char *name;
    enum operation a, b;
    const char *path_a, *path_b;
    pid_t pid_a, pid_b;
    int error_a, error_b;
    unsigned sensor_b;
    size_t events;
    bool actor_presumed, operation_presumed; /* of a */
} rows[] = {
    { "one change", OPERATION_UNLINK, OPERATION_UNLINK, "/a", "/a", 1, 1, 0, 0, SENSOR_AUDIT, 1 },
    { "an ACL is an attribute", OPERATION_SETACL, OPERATION_SETXATTR, "/a", "/a", 1, 1, 0, 0, SENSOR_AUDIT, 1 },
    { "one sensor is never folded", OPERATION_UNLINK, OPERATION_UNLINK, "/a", "/a", 1, 1, 0, 0, SENSOR_FANOTIFY, 2 },
    { "another path", OPERATION_UNLINK, OPERATION_UNLINK, "/a", "/b", 1, 1, 0, 0, SENSOR_AUDIT, 2 },
    { "another actor", OPERATION_UNLINK, OPERATION_UNLINK, "/a", "/a", 1, 2, 0, 0, SENSOR_AUDIT, 2 },
    { "another operation", OPERATION_UNLINK, OPERATION_RMDIR, "/a", "/a", 1, 1, 0, 0, SENSOR_AUDIT, 2 },
    { "a name that was made, or linked", OPERATION_CREATE, OPERATION_LINK, "/a", "/a", 1, 1, 0, 0, SENSOR_AUDIT, 1 },
    { "an actor that was concluded", OPERATION_CREATE, OPERATION_CREATE, "/a", "/a", 1, 2, 0, 0, SENSOR_AUDIT, 1, true, false },
    { "of another path", OPERATION_CREATE, OPERATION_CREATE, "/a", "/b", 1, 2, 0, 0, SENSOR_AUDIT, 2, true, false },
    { "a mode that was set by an ACL", OPERATION_CHMOD, OPERATION_SETXATTR, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1 },
    { "of another file's ACL", OPERATION_CHMOD, OPERATION_SETXATTR, "/a", "/b", 2, 2, 0, 0, SENSOR_AUDIT, 2 },
    { "an owner is no ACL", OPERATION_CHOWN, OPERATION_SETXATTR, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 2 },
    { "attributes, not known which", OPERATION_ATTRIBUTES, OPERATION_CHOWN, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1, false, true },
    { "made, and gone before it could be looked at", OPERATION_CREATE, OPERATION_SYMLINK, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1, false, true },
    { "found in a new folder, where it was moved", OPERATION_CREATE, OPERATION_RENAME, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1, true, true },
    { "made is not moved", OPERATION_CREATE, OPERATION_RENAME, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 2, true, false },
    { "made is not gone", OPERATION_CREATE, OPERATION_UNLINK, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 2, false, true },
    { "an operation that was concluded", OPERATION_UTIME, OPERATION_CHMOD, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1, false, true },
    { "of another kind", OPERATION_UTIME, OPERATION_UNLINK, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 2, false, true },
    { "of another actor", OPERATION_UTIME, OPERATION_CHMOD, "/a", "/a", 1, 2, 0, 0, SENSOR_AUDIT, 2, false, true },
    { "refused and done", OPERATION_UNLINK, OPERATION_UNLINK, "/a", "/a", 1, 1, 0, 13, SENSOR_AUDIT, 2 },
};

static void compares(void **state)
{
    const struct row *row = *state;
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    struct event *a = observed(SENSOR_FANOTIFY, row->a, row->path_a, row->pid_a);
    struct event *b = observed(row->sensor_b, row->b, row->path_b, row->pid_b);

    a->error = row->error_a;
    b->error = row->error_b;
    a->actor_presumed = row->actor_presumed;
    a->operation_presumed = row->operation_presumed;
    event_set(a, &a->note, bytes_of("concluded"));
    a->actor.cred.known = true;
    fuse_add(f, a, 0);
    fuse_add(f, b, 0);
    fuse_flush(f, 0);
    assert_int_equal(out.count, row->events);
    if (out.count == 1 && (row->actor_presumed || row->operation_presumed)) { /* who knows it better is right */
        assert_int_equal(out.events[0]->actor.pid, row->pid_b);
        assert_int_equal(out.events[0]->operation, row->b);
        assert_null(out.events[0]->note.data);
    }
    out_done(&out);
    fuse_free(f);
}

static void waits_no_longer(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    fuse_add(f, observed(SENSOR_AUDIT, OPERATION_UNLINK, "/a", 1), 100);
    fuse_expire(f, 100 + FUSE_SETTLE_NS, false); /* the other sensor lags */
    assert_int_equal(out.count, 0);
    fuse_expire(f, 99 + FUSE_SETTLE_NS, true);
    assert_int_equal(out.count, 0);
    fuse_expire(f, 100 + FUSE_SETTLE_NS, true);
    assert_int_equal(out.count, 1);
    fuse_add(f, observed(SENSOR_AUDIT, OPERATION_UNLINK, "/a", 1), 100);
    fuse_expire(f, 100 + FUSE_BOUND_NS, false);
    assert_int_equal(out.count, 2);
    out_done(&out);
    fuse_free(f);
}

static void is_bounded(void **state)
{
    static struct out out;
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    for (unsigned i = 0; i < FUSE_WAITING_MAX + 100; i++)
        fuse_add(f, observed(SENSOR_AUDIT, OPERATION_UNLINK, "/a", 1), 0);
    assert_int_equal(out.count, 100);
    assert_int_equal(fuse_stats(f)->early, 100);
    out_done(&out);
    fuse_free(f);
}

/* Both observations of the call are out when a look at the file shows what it did. */
static void an_acl_is_emitted_once(void **state)
{
    static struct out out;
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    fuse_add(f, observed(SENSOR_AUDIT, OPERATION_SETXATTR, "/a", 1), 0);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_SETXATTR, "/a", 1), 0);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/a", 1), NS_PER_MS); /* of the call */
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/a", 2), NS_PER_MS); /* by another process */
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/b", 1), NS_PER_MS);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/a", 1), 60 * NS_PER_S);
    fuse_flush(f, 0);
    assert_int_equal(out.count, 4);
    assert_int_equal(out.events[0]->operation, OPERATION_SETXATTR);
    assert_int_equal(out.events[1]->actor.pid, 2);
    assert_bytes(out.events[2]->path, "/b");
    out_done(&out);
    fuse_free(f);
}

/*
 * The property: changes with names drawn from few, so that many are alike; each is seen by every
 * sensor of a random set; the sensors' streams are interleaved at random, each in its own order.
 * Alike changes that the same set has seen come out exactly once each: never more observations of one
 * sensor than changes, never an event that two changes share.
 */
static void swallows_nothing(void **state)
{
    static const unsigned sensors[] = { SENSOR_AUDIT, SENSOR_FANOTIFY, SENSOR_BPF };
    static struct out out;
    char path[8];

    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct fuse *f = new_fuse(&out, SENSOR_AUDIT | SENSOR_FANOTIFY | SENSOR_BPF);
        struct { unsigned name, pid; } changes[200];
        size_t at[3] = { 0 }, made[10][3] = { 0 }, came[10][3] = { 0 };
        bool partly = seed % 2; /* some sensors miss some changes */
        bool seen[200][3];

        srand(seed);
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
            changes[i].name = (unsigned)rand() % 10;
            changes[i].pid = 1 + changes[i].name % 3;
            for (size_t s = 0; s < 3; s++) {
                seen[i][s] = !partly || rand() % 4;
                made[changes[i].name][s] += seen[i][s];
            }
        }
        for (;;) {
            size_t s = (size_t)rand() % 3;

            if (at[0] == 200 && at[1] == 200 && at[2] == 200)
                break;
            if (at[s] == 200)
                continue;
            if (seen[at[s]][s]) {
                snprintf(path, sizeof(path), "/%u", changes[at[s]].name);
                fuse_add(f, observed(sensors[s], OPERATION_UNLINK, path, (pid_t)changes[at[s]].pid), 0);
            }
            at[s]++;
        }
        fuse_flush(f, 0);
        if (!partly)
            assert_int_equal(out.count, ARRAY_SIZE(changes));
        for (size_t i = 0; i < out.count; i++)
            for (size_t s = 0; s < 3; s++)
                came[out.events[i]->path.data[1] - '0'][s] += (out.events[i]->sensors & sensors[s]) != 0;
        assert_memory_equal(made, came, sizeof(made)); /* each observation is in exactly one event */
        for (unsigned n = 0; n < 10; n++) {
            size_t most = MAX(MAX(made[n][0], made[n][1]), made[n][2]), events = 0;

            for (size_t i = 0; i < out.count; i++)
                events += out.events[i]->path.data[1] == (char)('0' + n);
            assert_int_equal(events, most);
        }
        out_done(&out);
        fuse_free(f);
    }
}

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

/* Nobody waits for a sensor that was closed, neither what came before nor what comes after. */
/* What is kept of events that were emitted: so many, so long, and nothing of those that every sensor has seen. */
static void what_was_emitted_is_bounded(void **state)
{
    struct emitted *t = emitted_new();
    struct observation s = { .watch = 1, .operation = OPERATION_UNLINK, .sensors = SENSOR_FANOTIFY, .pid = 7, .from_ns = 1, .until_ns = 2 };
    uint64_t now = NS_PER_S;
    char path[32];

    (void)state;
    for (unsigned i = 0; i < EMITTED_MAX + 100; i++, now += NS_PER_MS) {
        snprintf(path, sizeof(path), "/a/%u", i);
        s.path = bytes_of(path);
        emitted_add(t, &s, now);
        assert_true(emitted_count(t) <= EMITTED_MAX);
    }
    assert_int_equal(emitted_count(t), EMITTED_MAX);
    s.sensors = SENSOR_AUDIT; /* the late one of the newest */
    assert_true(emitted_before(t, &s, SAME_NAME, BOTH, now));
    assert_int_equal(emitted_count(t), EMITTED_MAX - 1);
    assert_false(emitted_before(t, &s, SAME_NAME, BOTH, now));
    now += EMITTED_KEPT_NS;
    s.operation = OPERATION_OPEN_WRITE;
    emitted_add(t, &s, now);
    assert_int_equal(emitted_count(t), 1);
    now += EMITTED_KEPT_NS * 2;
    s.operation = OPERATION_UNLINK;
    emitted_add(t, &s, now);
    assert_int_equal(emitted_count(t), 2); /* the file may still be open */
    now += EMITTED_OPEN_KEPT_NS;
    emitted_add(t, &s, now);
    assert_int_equal(emitted_count(t), 1);
    emitted_free(t);
}

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

static uint64_t expected;

static void number_it(void *data, struct event *event, uint64_t number)
{
    (void)data;
    assert_int_equal(event->spooled, 0);
    expected++;
    event->spooled = number ? number : expected << 16;
}

/* Whoever keeps what waits gives it back in the same order, whichever observation the event becomes. */
static void what_waits_is_expected(void **state)
{
    struct out out = { 0 };
    struct fuse_options options = { .sensors = BOTH, .data = &out, .event = keep, .expect = number_it };
    struct fuse *f = NULL;
    unsigned seed = 3, added[2] = { 0 };
    char path[16];

    (void)state;
    expected = 0;
    assert_int_equal(fuse_new(&options, &f, NULL), 0);
    for (uint64_t now = 0; added[0] < 500 || added[1] < 500; now += NS_PER_MS) {
        unsigned which = added[0] == 500 ? 1 : added[1] == 500 ? 0 : (unsigned)rand_r(&seed) % 2;
        struct event *e;

        snprintf(path, sizeof(path), "/%u", added[which] + (added[which] % 7 == 3 ? which * 1000 : 0)); /* some by one alone */
        e = observed(which ? SENSOR_AUDIT : SENSOR_FANOTIFY, OPERATION_UNLINK, path, 1);
        e->actor.cred.known = which;
        added[which]++;
        fuse_add(f, e, now);
        fuse_expire(f, now, now % 9 == 0);
    }
    fuse_flush(f, UINT64_MAX / 2);
    assert_true(out.count >= 500);
    assert_int_equal(expected, out.count);
    for (size_t i = 0; i < out.count; i++)
        assert_int_equal(out.events[i]->spooled, (i + 1) << 16);
    out_done(&out);
    fuse_free(f);
}

/* ---- a name that is taken away while another sensor is behind ---- */

static struct event *at_time(struct event *e, uint64_t time_ns, const char *previous)
{
    e->time_ns = time_ns;
    if (previous)
        event_set(e, &e->previous_path, bytes_of(previous));
    return e;
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

static void check_number(void *data, struct event *event)
{
    uint64_t *last = data;

    assert_true(event->spooled > *last);
    *last = event->spooled;
    event_free(event);
}

/* There are so many numbers between two, and no more: what comes then comes last. */
static void numbers_are_never_used_twice(void **state)
{
    uint64_t last = 0;
    struct fuse_options options = { .sensors = BOTH, .data = &last, .event = check_number, .expect = number_it };
    struct fuse *f = NULL;

    (void)state;
    expected = 0;
    assert_int_equal(fuse_new(&options, &f, NULL), 0);
    fuse_add(f, at_time(observed(SENSOR_FANOTIFY, OPERATION_RENAME, "/d/f", 1), UINT64_MAX, "/d/t"), 0);
    for (unsigned i = 0; i < 70000; i++)
        fuse_add(f, at_time(observed(SENSOR_AUDIT, OPERATION_CHMOD, "/d/t", 1), i, NULL), 0);
    fuse_flush(f, 2);
    assert_int_equal(expected, 70001);
    fuse_free(f);
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(numbers_are_never_used_twice),
        cmocka_unit_test(what_waits_is_expected),
        cmocka_unit_test(one_sensor_is_left),
        cmocka_unit_test(what_was_emitted_is_bounded),
        cmocka_unit_test(unites_facts),
        cmocka_unit_test(waits_no_longer),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(swallows_nothing),
        cmocka_unit_test(an_acl_is_emitted_once),
        cmocka_unit_test(a_storm_is_emitted_once),
        cmocka_unit_test(doubt_waits_longer),
    };

    return RUN_ROWS(rows, compares) + RUN_ROWS(taken_rows, comes_before_its_name_goes) + RUN_ROWS(late_rows, late_is_emitted_once) + cmocka_run_group_tests(more, NULL, NULL);
}
