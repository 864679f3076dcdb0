/* SPDX-License-Identifier: MIT */
/* Observations of several sensors: one change comes out once, and no change is swallowed. */
#include "test.h"
#include "fuse_play.h"

#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Who sees no calls does not know whether a file that was cut was written to after that; audit may have the call that emptied it. */
static const struct cut_row {
    const char *name;
    enum operation operation; /* of audit's record */
    int syscall;              /* x86_64 */
    pid_t pid;
    bool doubt;
} cut_rows[] = {
    { "opened with O_TRUNC", OPERATION_TRUNCATE, 257, 7, false },
    { "creat", OPERATION_TRUNCATE, 85, 7, false },
    { "opened with O_TRUNC by another one", OPERATION_TRUNCATE, 257, 8, true },
    { "ftruncate", OPERATION_TRUNCATE, 77, 7, true },
    { "opened otherwise", OPERATION_OPEN_WRITE, 257, 7, true },
};

static void decides_cuts(void **state)
{
    const struct cut_row *row = *state;
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    struct event *cut = observed(SENSOR_FANOTIFY, OPERATION_TRUNCATE, "/a", 7), *call = observed(SENSOR_AUDIT, row->operation, "/a", row->pid);
    struct event *written = observed(SENSOR_FANOTIFY, OPERATION_WRITE, "/a", 7);
    unsigned writes = 0;

    call->route = ROUTE_SYSCALL;
    call->syscall_arch = AUDIT_ARCH_X86_64;
    call->syscall = row->syscall;
    event_set(written, &written->note, bytes_of(EVENT_NOTE_CUT));
    fuse_add(f, cut, 0);
    fuse_add(f, written, 1);
    fuse_add(f, call, 2);
    fuse_expire(f, FUSE_BOUND_NS * 2, true);
    for (size_t i = 0; i < out.count; i++) {
        writes += out.events[i]->operation == OPERATION_WRITE;
        if (out.events[i]->operation == OPERATION_WRITE)
            assert_int_equal(event_note_is_doubt(out.events[i]), row->doubt);
    }
    assert_int_equal(writes, 1);
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
    { "an ACL that is removed", OPERATION_SETACL, OPERATION_REMOVEXATTR, "/a", "/a", 2, 2, 0, 0, SENSOR_AUDIT, 1 },
    { "of another file", OPERATION_SETACL, OPERATION_REMOVEXATTR, "/a", "/b", 2, 2, 0, 0, SENSOR_AUDIT, 2 },
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

/* Whose call it was follows from its time: a sensor that saw the process knows better, whichever comes first. */
static void who_was_inferred(void **state)
{
    static const struct {
        unsigned sensors;
        pid_t inferred, other; /* other 0: it sees nothing; -1: it sees the change, and nobody */
        bool first;
        pid_t wanted;
    } cases[] = { { BOTH, 1, 2, true, 2 }, { BOTH, 1, 2, false, 2 }, { BOTH, 1, 0, true, 1 }, { SENSOR_AUDIT, 1, 0, true, 1 },
                  { BOTH, 1, -1, true, 1 }, { BOTH, 1, -1, false, 1 }, { BOTH, 0, 2, true, 2 }, { BOTH, 0, 2, false, 2 }, { BOTH, 0, 0, true, 0 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct out out = { 0 };
        struct fuse *f = new_fuse(&out, cases[i].sensors);
        struct event *a = observed(SENSOR_AUDIT, OPERATION_SETFLAGS, "/a", cases[i].inferred), *b = NULL;

        a->actor_inferred = true;
        a->actor.cred.known = cases[i].inferred != 0; /* as the record of a call says */
        a->actor_presumed = !cases[i].inferred;
        if (cases[i].other) {
            b = observed(SENSOR_FANOTIFY, OPERATION_SETFLAGS, "/a", MAX(cases[i].other, 0));
            b->actor_presumed = cases[i].other < 0;
        }
        if (!cases[i].first)
            fuse_add(f, b, 0);
        fuse_add(f, a, 0);
        if (cases[i].first && b)
            fuse_add(f, b, 0);
        fuse_flush(f, 0);
        assert_int_equal(out.count, 1);
        assert_int_equal(out.events[0]->actor.pid, cases[i].wanted);
        assert_int_equal(out.events[0]->actor_presumed, cases[i].wanted == 0);
        out_done(&out);
        fuse_free(f);
    }
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

/* cp -a sets a mode by an ACL that says no more. To a look that is a mode; the record of the call may come late. */
static void a_mode_waits_for_the_call(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);
    struct event *call = observed(SENSOR_AUDIT, OPERATION_SETXATTR, "/a", 1);

    (void)state;
    call->actor.cred.known = true;
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/a", 1), 0);
    fuse_expire(f, FUSE_PRESUMED_NS - 1, true);
    assert_int_equal(out.count, 0);
    fuse_add(f, call, FUSE_PRESUMED_NS - 1);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.events[0]->operation, OPERATION_SETXATTR);
    fuse_add(f, observed(SENSOR_FANOTIFY, OPERATION_CHMOD, "/a", 2), 2 * NS_PER_S); /* of a process that audit does not see */
    fuse_expire(f, 2 * NS_PER_S + FUSE_PRESUMED_NS, true);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.events[1]->operation, OPERATION_CHMOD);
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

/* audit does not see which attribute a call sets; a look at the file shows that it was its ACL. */
static void an_acl_has_its_name(void **state)
{
    static const enum operation calls[] = { OPERATION_SETXATTR, OPERATION_REMOVEXATTR };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct out out = { 0 };
        struct fuse *f = new_fuse(&out, BOTH);
        struct event *seen = observed(SENSOR_FANOTIFY, OPERATION_SETACL, "/a", 1), *call = observed(SENSOR_AUDIT, calls[i % 2], "/a", 1);

        call->actor.cred.known = true;
        fuse_add(f, i < 2 ? seen : call, 0);
        fuse_add(f, i < 2 ? call : seen, 0);
        assert_int_equal(out.count, 1);
        assert_int_equal(out.events[0]->operation, OPERATION_SETACL);
        out_done(&out);
        fuse_free(f);
    }
}

static struct event *read_later(enum operation operation, const char *path, uint64_t from_ns, uint64_t read_ns)
{
    struct event *e = observed(SENSOR_FANOTIFY, operation, path, 1);

    e->boot_from_ns = from_ns;
    e->boot_ns = e->time_ns = read_ns;
    return e;
}

static struct event *stamped(enum operation operation, const char *path, uint64_t time_ns)
{
    struct event *e = observed(SENSOR_AUDIT, operation, path, 1);

    e->actor.cred.known = true;
    e->boot_ns = e->time_ns = time_ns;
    return e;
}

/* fanotify's events have the time at which they were read. Ordered by time, a file would be written to after it was deleted. */
static void what_came_before_is_not_later(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    fuse_add(f, read_later(OPERATION_WRITE, "/a", 10, 100), 0);
    fuse_add(f, read_later(OPERATION_WRITE, "/b", 70, 100), 0); /* the other clock is behind: what counts is the order */
    fuse_add(f, read_later(OPERATION_UNLINK, "/a", 10, 101), 0);
    fuse_add(f, read_later(OPERATION_WRITE, "/c", 10, 102), 0);
    fuse_add(f, stamped(OPERATION_UNLINK, "/a", 50), 0);
    fuse_flush(f, 0);
    assert_int_equal(out.count, 4);
    assert_int_equal(out.events[0]->operation, OPERATION_WRITE);
    assert_int_equal(out.events[0]->time_ns, 50);
    assert_int_equal(out.events[0]->boot_ns, 100); /* what the process executed then, it may not have at 50 */
    assert_int_equal(out.events[1]->time_ns, 50);
    assert_int_equal(out.events[1]->boot_ns, 100);
    assert_int_equal(out.events[2]->time_ns, 50);
    assert_int_equal(out.events[3]->time_ns, 102);
    out_done(&out);
    fuse_free(f);
}

/* audit reported the deletion first, which fanotify did not yet. */
static void what_takes_the_name_is_later(void **state)
{
    struct out out = { 0 };
    struct fuse *f = new_fuse(&out, BOTH);

    (void)state;
    fuse_add(f, stamped(OPERATION_UNLINK, "/a", 50), 0);
    fuse_add(f, read_later(OPERATION_WRITE, "/a", 10, 100), 0);
    fuse_add(f, read_later(OPERATION_WRITE, "/a", 60, 100), 0); /* of a file that was made anew since */
    fuse_flush(f, 0);
    assert_int_equal(out.count, 3);
    assert_int_equal(out.events[0]->operation, OPERATION_WRITE);
    assert_int_equal(out.events[0]->time_ns, 50);
    assert_int_equal(out.events[1]->operation, OPERATION_UNLINK);
    assert_int_equal(out.events[2]->time_ns, 100);
    out_done(&out);
    fuse_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_never_used_twice),
        cmocka_unit_test(what_waits_is_expected),
        cmocka_unit_test(unites_facts),
        cmocka_unit_test(an_acl_has_its_name),
        cmocka_unit_test(what_came_before_is_not_later),
        cmocka_unit_test(what_takes_the_name_is_later),
        cmocka_unit_test(who_was_inferred),
        cmocka_unit_test(waits_no_longer),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(swallows_nothing),
        cmocka_unit_test(a_mode_waits_for_the_call),
        cmocka_unit_test(an_acl_is_emitted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(rows, compares) + RUN_ROWS(cut_rows, decides_cuts);
}
