/* SPDX-License-Identifier: MIT */
/* The stages joined, with sensors that do what the test says, the real watches, engines and attribution, and a file of ours
 * as the target. No root: nothing of the kernel's is opened. */
#include "daemon/counts.h"
#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_loop.h"
#include "daemon/pipeline_sensors.h"
#include "daemon/pipeline_sources.h"
#include "daemon/pipeline_stages.h"
#include "daemon/pipeline_state.h"
#include "make.h"
#include "test.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/operation.h"
#include "util/clock.h"

/* What a sensor is asked for, and how it answers. */
struct sensor {
    const struct pipeline *pipeline;
    int fd;
    uint32_t object;         /* the last one that it watches */
    bool waits;              /* not all that it had was read */
    unsigned watches, unwatches, syncs, closes, windows, dispatches;
    int watch_result, sync_result, dispatch_result;
    struct event *next;      /* handed out by the next dispatch */
    int closed_after_syncs;  /* how many syncs there were when it was closed */
};

static struct sensor seeing, other; /* "seeing" sees all; "other" is the second one of two */
static char said[4096];
static struct pipeline *p;

static int fake_watch(struct sensor *s, const struct watch_object *object, struct err *err)
{
    if (s->watch_result < 0)
        return err_set(err, s->watch_result, "marking");
    s->object = object->id;
    s->watches++;
    return 0;
}

static int fake_unwatch(struct sensor *s, uint32_t object_id, struct err *err)
{
    (void)object_id;
    (void)err;
    s->unwatches++;
    return 0;
}

static int fake_window(struct sensor *s, bool on, struct err *err)
{
    s->windows += on;
    return err_set(err, -EIO, "looking everywhere");
}

static int fake_fd(const struct sensor *s)
{
    return s->fd;
}

static int fake_dispatch(struct sensor *s, struct err *err)
{
    struct event *e = s->next;

    s->dispatches++;
    s->next = NULL;
    if (e) {
        e->object = s->object;
        pipeline_on_event((void *)(uintptr_t)s->pipeline, e);
    }
    return s->dispatch_result < 0 ? err_say(err, s->dispatch_result, "auditd (pid 612) has it now") : 0;
}

static int fake_sync(struct sensor *s, unsigned timeout_ms, struct err *err)
{
    (void)timeout_ms;
    s->syncs++;
    return s->sync_result < 0 ? err_set(err, s->sync_result, "reading") : 0;
}

static bool fake_is_read(const struct sensor *s)
{
    return !s->waits;
}

static const char *fake_not_seen(struct sensor *s)
{
    return s == &other ? "what the other one misses" : "";
}

static void fake_close(struct sensor *s)
{
    s->closes++;
    s->closed_after_syncs = (int)s->syncs;
}

static const struct sensor_ops seeing_ops = {
    .name = "seeing", .bit = SENSOR_FANOTIFY, .watch = fake_watch, .unwatch = fake_unwatch, .window = fake_window, .fd = fake_fd,
    .dispatch = fake_dispatch, .is_read = fake_is_read, .sync = fake_sync, .not_seen = fake_not_seen, .close = fake_close,
};
static const struct sensor_ops other_ops = {
    .name = "other", .bit = SENSOR_AUDIT, .watch = fake_watch, .unwatch = fake_unwatch, .fd = fake_fd,
    .dispatch = fake_dispatch, .sync = fake_sync, .not_seen = fake_not_seen, .close = fake_close,
};

static void say(const char *what, const char *text)
{
    size_t at = strlen(said);

    snprintf(said + at, sizeof(said) - at, "%s %s\n", what, text);
}

static void on_event(void *data, const struct event *e)
{
    char text[256];

    (void)data;
    snprintf(text, sizeof(text), "%s %.*s", operation_info(e->operation)->name, (int)e->path.len, e->path.data);
    say("event", text);
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    say("gap", gap->text);
}

static void on_notice(void *data, const char *text)
{
    (void)data;
    if (!strstr(text, " is ")) /* "PATH is ..." of the watch itself */
        say("notice", text);
}

static void on_log(void *data, enum log_level level, const char *text)
{
    (void)data;
    (void)level;
    say("log", text);
}

static const struct log log_of_test = { LOG_LEVEL_WARNING, on_log, NULL };

static void open_sensor(const struct sensor_ops *ops, struct sensor *s, uint64_t has)
{
    *s = (struct sensor){ .pipeline = p, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    assert_true(s->fd >= 0);
    p->sensors[p->sensor_count++] = (struct open_sensor){ .ops = ops, .sensor = s, .fd = s->fd };
    p->choice.sensors[p->choice.count] = ops;
    p->choice.capabilities[p->choice.count++].has = has;
    p->choice.has |= has;
    assert_int_equal(pipeline_add_source(p, SOURCE_SENSOR, s->fd, NULL, s, NULL), 0);
}

static char target_path[] = "/tmp/culprit-test-pipeline-XXXXXX";

/* Two sensors and the watch of one directory, as pipeline_open() and pipeline_add() leave them. */
static int begin(void **state)
{
    struct engines_options engines = { .docker_socket = "/nonexistent/docker.sock" };
    struct attribution_options attribution = { 0 };
    struct watchset_options watches = { .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    struct target target;

    (void)state;
    said[0] = '\0';
    strcpy(target_path + sizeof(target_path) - 7, "XXXXXX");
    assert_non_null(mkdtemp(target_path));
    p = calloc(1, sizeof(*p));
    p->options = (struct pipeline_options){ .log = &log_of_test, .sensors = "auto", .permissions = PERMISSION_WRITE | PERMISSION_ATTR,
                                            .event = on_event, .gap = on_gap, .notice = on_notice };
    p->engines_fd = -1;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->case_ = case_new(&p->options.case_options);
    p->choice.automatic = true;
    open_sensor(&seeing_ops, &seeing, UINT64_MAX);
    open_sensor(&other_ops, &other, UINT64_MAX & ~CAPABILITY_REFUSED);
    assert_int_equal(engines_new(&engines, &p->engines, NULL), 0);
    attribution.engines = watches.engines = p->engines;
    assert_int_equal(attribution_new(&attribution, &p->attribution, NULL), 0);
    watches.data = p;
    watches.add = pipeline_add_object;
    watches.remove = pipeline_remove_object;
    watches.window = pipeline_set_window;
    watches.gap = pipeline_on_unwatched;
    watches.notice = pipeline_on_notice;
    watches.explain = pipeline_on_explain;
    assert_int_equal(watchset_new(&watches, &p->watches, NULL), 0);
    assert_int_equal(target_parse(bytes_of(target_path), bytes_of("/"), &target, NULL), 0);
    return pipeline_add(p, &target, NULL);
}

static int end(void **state)
{
    (void)state;
    pipeline_close(p);
    close(seeing.fd);
    close(other.fd);
    rmdir(target_path);
    return 0;
}

static struct event *change(const char *name)
{
    char path[128];
    struct event *e;

    snprintf(path, sizeof(path), "%s/%s", target_path, name);
    e = make_event(OPERATION_UNLINK, path, NULL, NULL, 1);
    e->actor.pid = 1;
    return e;
}

/* An object goes to every sensor, and one that takes it is enough. */
static void objects(void **state)
{
    const struct watch_object object = { .id = 77, .path = bytes_of("/nonexistent"), .host_path = bytes_of("/nonexistent") };
    struct watch_object ended = object;
    struct err err = ERR_INIT;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(seeing.watches, 1); /* the directory */
    assert_int_equal(other.watches, 1);
    seeing.watch_result = -EPERM;
    assert_int_equal(pipeline_add_object(p, &object, &err), 0);
    assert_int_equal(other.object, 77);
    other.watch_result = -EMFILE;
    assert_int_equal(pipeline_add_object(p, &object, &err), -EPERM); /* the first one's word */
    assert_string_equal(err_text(&err, -EPERM), "seeing: marking: Operation not permitted");
    pipeline_remove_object(p, 77);
    assert_int_equal(seeing.unwatches, 1);
    assert_int_equal(other.unwatches, 1);

    /* its container has ended while it was looked at */
    seeing.watch_result = other.watch_result = 0;
    pid = fork_child();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ended.ns_pid = pid;
    assert_int_equal(pipeline_add_object(p, &ended, &err), -ESRCH);
    assert_int_equal(seeing.unwatches, 2);
}

/* What a watch does not have is dropped; what is ours goes to the caller and the case, in order. */
static void events(void **state)
{
    struct event *stray;

    (void)state;
    seeing.next = change("a");
    pipeline_dispatch(p);
    other.next = change("b");
    pipeline_dispatch(p);
    stray = change("c");
    stray->object = 4711; /* of a watch that is gone */
    pipeline_on_event(p, stray);
    assert_non_null(strstr(said, "/a\n"));
    assert_non_null(strstr(said, "/b\n"));
    assert_true(strstr(said, "/a\n") < strstr(said, "/b\n"));
    assert_null(strstr(said, "/c\n"));
    assert_int_equal(case_events(p->case_), 2);
    assert_int_equal(p->sequence, 2);
    assert_int_equal(p->newest_event_ns, 1);
}

static uint64_t claimed(const char *store)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    uint64_t ns;

    assert_int_equal(store_flush(p->store, NULL), 0);
    assert_int_equal(sqlite3_open(store, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 300000);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT alive_ns FROM coverage", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    ns = (uint64_t)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return ns;
}

/* So far it is known what happened, for whoever asks after kill -9: not while a sensor has what it has not handed out. */
static void what_waits_is_not_claimed(void **state)
{
    struct store_options options = { 0 };
    char store[128];
    uint64_t end_ns = 0;

    (void)state;
    snprintf(store, sizeof(store), "%s.db", target_path);
    options.path = store;
    assert_int_equal(store_open(&options, &p->store, NULL), 0);
    p->from_ns = clock_ns(CLOCK_REALTIME) - 10 * NS_PER_S;
    seeing.waits = true;
    pipeline_begin_coverage(p, BYTES_NULL);
    for (unsigned i = 0; i < 3; i++) {
        seeing.next = change("a");
        assert_int_equal(pipeline_run(p, clock_ns(CLOCK_MONOTONIC) + 50 * NS_PER_MS, NULL), 0);
        assert_int_equal(claimed(store), p->from_ns);
    }
    seeing.waits = false;
    p->newest_event_ns = clock_ns(CLOCK_REALTIME); /* these were of long ago */
    while (end_ns <= p->from_ns) {
        struct event *e = change("b");

        e->time_ns = clock_ns(CLOCK_REALTIME);
        seeing.next = e; /* what is written says it */
        assert_int_equal(pipeline_run(p, clock_ns(CLOCK_MONOTONIC) + 50 * NS_PER_MS, NULL), 0);
        end_ns = claimed(store);
    }
    assert_true(end_ns <= clock_ns(CLOCK_REALTIME));
    store_close(p->store);
    p->store = NULL;
    unlink(store);
}

/* What is left out by a filter is counted in the case and not emitted. */
static void filtered(void **state)
{
    struct filter filter = { .operations = 1u << OPERATION_CHMOD };

    (void)state;
    p->options.filter = &filter;
    seeing.next = change("a");
    pipeline_dispatch(p);
    assert_string_equal(said, "");
    assert_int_equal(case_events(p->case_), 0);
    assert_int_equal(case_left_out(p->case_), 1);
}

/* A window is asked of those that have one; that it fails is said, and is no reason to end. */
static void window(void **state)
{
    (void)state;
    pipeline_set_window(p, true);
    assert_int_equal(seeing.windows, 1);
    assert_int_equal(other.windows, 0); /* it has none: not called */
    assert_non_null(strstr(said, "log seeing: looking everywhere: Input/output error; the first moments of a container may be missed"));
}

/* Somebody else took its place: what it saw is read, then it is closed; the other one goes on, and it is said. */
static void taken(void **state)
{
    (void)state;
    other.dispatch_result = -EBUSY;
    pipeline_dispatch(p);
    assert_int_equal(other.closes, 0); /* not in the middle of a round */
    pipeline_leave_taken_sensors(p);
    assert_int_equal(other.syncs, 1);
    assert_int_equal(other.closes, 1);
    assert_int_equal(other.closed_after_syncs, 1);
    assert_int_equal(p->sensor_count, 1);
    assert_ptr_equal(p->sensors[0].ops, &seeing_ops);
    assert_int_equal(p->choice.count, 1);
    assert_non_null(strstr(said, "notice "));
    assert_non_null(strstr(said, "auditd (pid 612) has it now"));
    assert_int_equal(seeing.closes, 0);
    /* its descriptor is not waited for any more */
    for (size_t i = 0; i < p->source_count; i++)
        assert_ptr_not_equal(p->sources[i]->data, &other);

    /* the last one stays, whatever it says */
    seeing.dispatch_result = -EBUSY;
    pipeline_dispatch(p);
    pipeline_leave_taken_sensors(p);
    assert_int_equal(seeing.closes, 0);
    assert_int_equal(p->sensor_count, 1);
}

/* The user named the sensors: none is left, it is said each time. */
static void taken_by_name(void **state)
{
    (void)state;
    p->choice.automatic = false;
    other.dispatch_result = -EBUSY;
    pipeline_dispatch(p);
    pipeline_leave_taken_sensors(p);
    assert_int_equal(other.closes, 0);
    assert_non_null(strstr(said, "log other: auditd (pid 612) has it now; going on"));
}

/* The ready line names the sensors and says whether something is not seen. */
static void ready(void **state)
{
    struct sbuf text = SBUF_INIT;

    (void)state;
    pipeline_ready(p, &text);
    assert_string_equal(sbuf_str(&text), "(seeing + other; 1 kind of change is not seen: culprit doctor)");
    assert_true(p->from_ns > 0);
    sbuf_done(&text);
}

static void stop_it(void *data, int fd)
{
    uint64_t n;

    assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
    pipeline_stop(data);
}

/* The caller's descriptor is in the same loop, which ends when it is asked to, or when the time is over. */
static void loop(void **state)
{
    int fd = eventfd(1, EFD_CLOEXEC);

    (void)state;
    assert_int_equal(pipeline_run(p, 1, NULL), 0); /* the time is over already */
    assert_int_equal(seeing.dispatches, 0);
    assert_int_equal(pipeline_watch_fd(p, fd, stop_it, p, NULL), 0);
    assert_int_equal(pipeline_run(p, 0, NULL), 0);
    assert_true(seeing.dispatches > 0 && other.dispatches > 0);
    close(fd);
}

/* A sensor's descriptor may change, and may go. */
static void sources(void **state)
{
    int one = eventfd(0, EFD_CLOEXEC), known = -1;
    size_t count = p->source_count;

    (void)state;
    pipeline_follow_fd(p, SOURCE_ENGINES, NULL, &known, one);
    assert_int_equal(known, one);
    assert_int_equal(p->source_count, count + 1);
    pipeline_follow_fd(p, SOURCE_ENGINES, NULL, &known, one); /* the same: nothing to do */
    assert_int_equal(p->source_count, count + 1);
    pipeline_follow_fd(p, SOURCE_ENGINES, NULL, &known, -1);
    assert_int_equal(known, -1);
    assert_int_equal(p->source_count, count);
    while (p->source_count < EPOLL_MAX) /* as many as there is room for, then a word for it */
        assert_int_equal(pipeline_add_source(p, SOURCE_CALLER, dup(one), stop_it, p, NULL), 0);
    assert_int_equal(pipeline_add_source(p, SOURCE_CALLER, one, stop_it, p, NULL), -E2BIG);
    for (size_t i = count; i < p->source_count; i++)
        close(p->sources[i]->fd);
    close(one);
}

/* At the end everything is read; what cannot be is a gap. */
static void finish(void **state)
{
    (void)state;
    pipeline_finish(p);
    assert_int_equal(seeing.syncs, 1);
    assert_int_equal(other.syncs, 1);
    assert_null(strstr(said, "gap"));
    other.sync_result = -ETIMEDOUT;
    seeing.next = change("last"); /* delivered by the round after the syncs */
    pipeline_finish(p);
    assert_non_null(strstr(said, "gap what happened last was not read to its end"));
    assert_non_null(strstr(said, "/last\n"));
    assert_true(case_lost(p->case_) > 0); /* the verdict says so too */
}

/* status, metrics, and `ctl status` count by these: what has no name would be "nothing lost". */
static void every_loss_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = LOST_NONE + 1; i < LOST_COUNT; i++) {
        assert_non_null(status_lost_name((enum lost)i));
        for (unsigned k = LOST_NONE + 1; k < i; k++)
            assert_string_not_equal(status_lost_name((enum lost)i), status_lost_name((enum lost)k));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_loss_has_a_name),
        cmocka_unit_test_setup_teardown(objects, begin, end),  cmocka_unit_test_setup_teardown(events, begin, end),
        cmocka_unit_test_setup_teardown(filtered, begin, end), cmocka_unit_test_setup_teardown(what_waits_is_not_claimed, begin, end),
        cmocka_unit_test_setup_teardown(window, begin, end),
        cmocka_unit_test_setup_teardown(taken, begin, end),    cmocka_unit_test_setup_teardown(taken_by_name, begin, end),
        cmocka_unit_test_setup_teardown(ready, begin, end),    cmocka_unit_test_setup_teardown(loop, begin, end),
        cmocka_unit_test_setup_teardown(sources, begin, end),  cmocka_unit_test_setup_teardown(finish, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
