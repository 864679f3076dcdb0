/* SPDX-License-Identifier: MIT */
/* fanotify: whose a change of attributes is, by what waits in the queue; and which times were set by somebody. */
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/young.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>


/* ---- times ---- */

static const struct times {
    const char *name;
    int64_t mtime_before, ctime_before, mtime, ctime, atime, born;
    bool set, touched, folder;
} times[] = {
    { "nothing moved", 100, 100, 100, 100, 50, 10, false, false, false },
    { "written to", 100, 100, 200, 200, 50, 10, false, false, false },
    { "an old time", 100, 100, 20, 200, 50, 10, true, false, false },
    { "written to after the event was read", 100, 100, 9999, 9999, 50, 10, false, false, false },
    { "a time of the future", 100, 100, 20000000000, 200, 50, 10, true, false, false },
    { "the time of now, both", 100, 100, 200, 200, 200, 10, false, true, false },
    { "the time of now, both, its birth not known", 100, 100, 200, 200, 200, 0, false, true, false },
    { "another file by the same number, as its maker left it", 100, 100, 200, 200, 200, 200, false, false, false },
    { "made just now, and not changed", 100, 100, 100, 100, 100, 100, false, false, false },
    { "a folder in which names were made, and which was listed and changed, in one tick", 100, 100, 200, 200, 200, 10, false, false, true },
    { "a folder's old time", 100, 100, 20, 200, 50, 10, true, false, true },
    { "only the time of reading", 100, 100, 100, 200, 150, 10, false, false, false },
};

static void reports_times(void **state)
{
    const struct times *row = *state;
    unsigned known = FILE_MTIME | FILE_CTIME;
    struct tree_change c = { .same_object = true,
                             .before = { .known = known, .mtime_ns = row->mtime_before, .ctime_ns = row->ctime_before },
                             .after = { .mode = row->folder ? S_IFDIR : S_IFREG, .known = known | FILE_ATIME | (row->born ? FILE_BORN : 0), .born_ns = row->born, .mtime_ns = row->mtime, .ctime_ns = row->ctime, .atime_ns = row->atime } };
    struct fanotify_cause cause = { .from_real_ns = 150, .to_real_ns = 300 };

    assert_int_equal(fanotify_set_times(&c, &cause), row->set);
    assert_int_equal(fanotify_touched(&c), row->touched);
    c.before.known = 0; /* it had not been looked at */
    assert_false(fanotify_set_times(&c, &cause));
    assert_false(fanotify_touched(&c));
}

/* ---- found by looking ---- */

static const struct difference {
    const char *name;
    uint32_t mode_before, mode, flags;
    int64_t known_ns, born_ns;
    bool doubtful;
} differences[] = {
    { "known long after its birth", 0100600, 0100644, 0, 900000000, 100, false },
    { "made in the tick that the other one was known in", 040000, 040755, 0, 900000000, 899000000, true },
    { "its flags: not each kernel tells of them", 0100644, 0100644, 1, 900000000, 899000000, false },
};

static void doubts(void **state)
{
    const struct difference *row = *state;
    struct tree_change c = { .same_object = true,
                             .before = { .known = FILE_MODE | FILE_CTIME | FILE_FLAGS, .mode = row->mode_before, .ctime_ns = row->known_ns },
                             .after = { .known = FILE_MODE | FILE_BORN | FILE_FLAGS, .mode = row->mode, .flags = row->flags, .born_ns = row->born_ns } };

    assert_int_equal(fanotify_unexplained_is_uncertain(&c), row->doubtful);
    c.after.known &= ~(unsigned)FILE_BORN;
    assert_false(fanotify_unexplained_is_uncertain(&c));
}

/* ---- the queue ---- */

struct wire {
    uint32_t len;
    uint8_t version, reserved;
    uint16_t head;
    uint64_t mask;
    int32_t fd, pid;
    uint8_t type, pad;
    uint16_t info_len;
    uint64_t fsid;
    uint32_t handle_bytes;
    int32_t handle_type;
    uint64_t handle;
    char name[4];
} __attribute__((packed));

static struct wire event(uint64_t mask, pid_t pid, uint64_t directory, char name)
{
    return (struct wire){ .len = sizeof(struct wire), .version = 3, .head = 24, .mask = mask, .fd = -1, .pid = pid, .type = 2,
                          .info_len = sizeof(struct wire) - 24, .handle_bytes = 8, .handle_type = 1, .handle = directory,
                          .name = { name } };
}

struct kernel {
    struct sensor sensor;
    int in;
};

static int set_up(void **state)
{
    struct kernel *k = calloc(1, sizeof(*k));
    int ends[2];

    if (!k || pipe2(ends, O_NONBLOCK | O_CLOEXEC | O_DIRECT) < 0) /* packets: one read, one buffer */
        return -1;
    k->sensor.group = ends[0];
    k->in = ends[1];
    k->sensor.queue = fanotify_queue_new();
    k->sensor.young = fanotify_young_new();
    *state = k;
    return k->sensor.queue && k->sensor.young ? 0 : -1;
}

static int tear_down(void **state)
{
    struct kernel *k = *state;

    close(k->sensor.group);
    close(k->in);
    fanotify_queue_free(k->sensor.queue);
    fanotify_young_free(k->sensor.young);
    free(k);
    return 0;
}

static void says(struct kernel *k, struct wire w)
{
    assert_int_equal(write(k->in, &w, sizeof(w)), sizeof(w));
}

static struct fanotify_event next(struct kernel *k)
{
    struct fanotify_cause when;
    struct fanotify_event e;
    struct bytes events;

    assert_int_equal(fanotify_queue_next(&k->sensor, &events, &when), 1);
    assert_true(when.to_boot_ns > 0 && when.to_real_ns > 0);
    assert_int_equal(fanotify_decode(events, &e, NULL), 0);
    fanotify_queue_begin(&k->sensor, &e, BYTES_NULL);
    return e;
}

static void done(struct kernel *k, const struct fanotify_event *e)
{
    fanotify_queue_end(&k->sensor, e);
    fanotify_queue_done(&k->sensor);
}

static void knows_what_is_written_to(void **state)
{
    struct kernel *k = *state;
    struct fanotify_event e;

    says(k, event(FAN_ATTRIB, 1, 7, 'a'));
    e = next(k);
    says(k, event(FAN_MODIFY, 2, 7, 'b'));
    (void)fanotify_queue_others(&k->sensor, &e);
    assert_false(fanotify_queue_writes(&k->sensor, &e));
    says(k, event(FAN_MODIFY | FAN_CLOSE_WRITE, 1, 7, 'a'));
    (void)fanotify_queue_others(&k->sensor, &e);
    assert_true(fanotify_queue_writes(&k->sensor, &e));
    done(k, &e);
    for (int i = 0; i < 2; i++) {
        e = next(k);
        assert_false(i == 1 && fanotify_queue_writes(&k->sensor, &e));
        done(k, &e);
    }
}

static void knows_who_else_waits(void **state)
{
    struct kernel *k = *state;
    struct fanotify_event e;
    struct fanotify_cause when;
    struct bytes none;

    says(k, event(FAN_ATTRIB, 1, 7, 'a'));
    says(k, event(FAN_ATTRIB, 1, 7, 'a'));
    says(k, event(FAN_ATTRIB, 2, 7, 'b'));
    e = next(k);
    assert_false(fanotify_queue_others(&k->sensor, &e)); /* its own, and another file's */
    says(k, event(FAN_ATTRIB, 2, 7, 'a'));
    assert_true(fanotify_queue_waits(&k->sensor));
    assert_true(fanotify_queue_others(&k->sensor, &e));
    done(k, &e);
    for (pid_t pid = 1; pid <= 2; pid++) {
        e = next(k);
        assert_int_equal(e.pid, pid);
        done(k, &e);
    }
    e = next(k);
    assert_int_equal(e.pid, 2);
    assert_false(fanotify_queue_others(&k->sensor, &e)); /* the first one's are behind */
    done(k, &e);
    assert_false(fanotify_queue_waits(&k->sensor));
    assert_int_equal(fanotify_queue_next(&k->sensor, &none, &when), 0);
}

/* Each with one event: who they are is known, in order. */
static void knows_among_whom(void **state)
{
    struct kernel *k = *state;
    struct event_share share;
    struct fanotify_event e;

    says(k, event(FAN_ATTRIB, 1, 7, 'a'));
    says(k, event(FAN_ATTRIB, 2, 7, 'b'));
    says(k, event(FAN_ATTRIB, 3, 7, 'a'));
    e = next(k);
    assert_true(fanotify_queue_others(&k->sensor, &e));
    assert_true(fanotify_queue_share(&k->sensor, &e, &share));
    assert_int_equal(share.count, 2);
    assert_int_equal(share.own, 0);
    assert_int_equal(share.actors[0].pid, 1);
    assert_int_equal(share.actors[1].pid, 3);
    says(k, event(FAN_ATTRIB, 1, 7, 'a')); /* the first one did more */
    assert_true(fanotify_queue_others(&k->sensor, &e));
    assert_false(fanotify_queue_share(&k->sensor, &e, &share));
    done(k, &e);
}

static void too_many_are_not_known(void **state)
{
    struct kernel *k = *state;
    struct event_share share;
    struct fanotify_event e;
    struct wire many[SHARE_MAX + 1];
    struct bytes rest;

    for (int i = 0; i <= SHARE_MAX; i++)
        many[i] = event(FAN_ATTRIB, 1 + i, 7, 'a');
    assert_int_equal(write(k->in, many, sizeof(many)), sizeof(many));
    e = next(k);
    rest = (struct bytes){ (const char *)(many + 1), sizeof(many) - sizeof(many[0]) };
    fanotify_queue_begin(&k->sensor, &e, rest);
    assert_true(fanotify_queue_others(&k->sensor, &e));
    assert_false(fanotify_queue_share(&k->sensor, &e, &share));
    rest.len -= sizeof(many[0]);
    fanotify_queue_begin(&k->sensor, &e, rest);
    assert_true(fanotify_queue_share(&k->sensor, &e, &share));
    assert_int_equal(share.count, SHARE_MAX);
    done(k, &e);
}

static void too_far_behind_is_not_known(void **state)
{
    struct kernel *k = *state;
    struct fanotify_event e;

    for (int i = 0; i < 8; i++)
        says(k, event(FAN_CREATE, 1, 7, (char)('a' + i)));
    e = next(k);
    assert_true(fanotify_queue_others(&k->sensor, &e));
    done(k, &e);
}

static void what_was_emitted_already_is_owed(void **state)
{
    struct kernel *k = *state;
    struct fanotify_event e;

    for (int i = 0; i < 3; i++)
        says(k, event(FAN_ATTRIB, 1, 7, 'a'));
    e = next(k);
    assert_false(fanotify_queue_others(&k->sensor, &e)); /* reads ahead */
    fanotify_queue_credit(&k->sensor, &e, 1);
    done(k, &e);
    e = next(k);
    assert_true(fanotify_queue_owed(&k->sensor, &e));
    assert_false(fanotify_queue_owed(&k->sensor, &e));
    done(k, &e);
    e = next(k);
    fanotify_queue_credit(&k->sensor, &e, 1); /* nothing waits: nothing can be owed */
    assert_false(fanotify_queue_owed(&k->sensor, &e));
    done(k, &e);
}

int main(void)
{
    static const struct CMUnitTest queue[] = {
        cmocka_unit_test_setup_teardown(knows_what_is_written_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_who_else_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_among_whom, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_are_not_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_far_behind_is_not_known, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_emitted_already_is_owed, set_up, tear_down),
    };
    int failed = RUN_ROWS(times, reports_times) + RUN_ROWS(differences, doubts);

    return failed + cmocka_run_group_tests(queue, NULL, NULL);
}
