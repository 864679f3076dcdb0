/* SPDX-License-Identifier: MIT */
/* Watches through a container's life, with an engine that says what the test wants. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/first_process.h"
#include "event/operation.h"
#include "make.h"
#include "util/clock.h"
#include "util/sbuf.h"
#include "watch/change.h"
#include "watch/coverage.h"
#include "watch/state.h"
#include "watch/watchset.h"

#define NOBODY 4194300 /* a pid that is hardly there: nothing of /proc is needed */
#define T0 1795488335000000000ull

/* ---- the engine: one container, or none ---- */

static struct container *known;
static bool running;
static int engine_error;
static char upper[128];
static struct container_mount mounts[1];
static size_t mount_count;

int engines_find(struct engines *e, struct bytes runtime, struct bytes name, struct container_view *ret,
                 struct err *err)
{
    (void)e;
    (void)runtime;
    if (engine_error)
        return err_say(err, engine_error, "the engine refused");
    if (!known || (!bytes_equal(name, known->name) && !bytes_starts_with(known->id, name)))
        return err_say(err, -ENOENT, "no container \"%.*s\"", (int)name.len, name.data);
    *ret = (struct container_view){ .container = container_ref(known), .running = running,
                                    .upper = bytes_of(upper), .merged = bytes_of("/merged"),
                                    .mounts = mounts, .mount_count = mount_count };
    return 0;
}

int engines_each(struct engines *e, int (*each)(void *data, struct container *c), void *data)
{
    (void)e;
    return known ? each(data, known) : 0;
}

int engines_volume(struct engines *e, struct bytes name, struct arena *arena, struct bytes *ret,
                   struct err *err)
{
    (void)e;
    if (!bytes_equal_str(name, "data"))
        return err_say(err, -ENOENT, "no volume \"%.*s\"", (int)name.len, name.data);
    *ret = arena_copy(arena, bytes_of(upper));
    return 0;
}

size_t engines_sharing(struct engines *e, struct bytes host_path, struct container **ret, size_t max,
                       bool *ret_all)
{
    (void)e;
    (void)host_path;
    (void)ret;
    (void)max;
    *ret_all = true;
    return 0;
}

/* ---- the kernel: a process that is the first one of the container's cgroup now ---- */

static pid_t kernel_pid;
static char kernel_upper[128];

char *first_process_place(pid_t pid, struct bytes id)
{
    char place[128];

    assert_true(pid > 0);
    snprintf(place, sizeof(place), "/sys/fs/cgroup/docker-%.*s.scope", (int)id.len, id.data);
    return strdup(place);
}

pid_t first_process_now(const char *place, struct bytes wanted)
{
    return strcmp(place, "/sys/fs/cgroup/docker-aaaa.scope") == 0 && bytes_equal_str(wanted, kernel_upper) ? kernel_pid : 0;
}

void container_view_done(struct container_view *view)
{
    container_unref(view->container);
    *view = (struct container_view){ 0 };
}

static struct container *new_container(const char *id, uint64_t started_ns)
{
    container_unref(known);
    known = make_container(id, "web");
    known->started_ns = started_ns;
    known->pid = NOBODY;
    return known;
}

/* ---- who gets an event ---- */

static struct {
    struct watch_object objects[64];
    char paths[64][256];
    size_t count;
    char notices[2048], explained[1024], gap[256];
    uint64_t gap_ns; /* how long */
    bool window;
    unsigned windows;
    int add_error;
    bool ended; /* whatever has a namespace has none any more */
} seen;

static int on_add(void *data, const struct watch_object *object, struct err *err)
{
    (void)data;
    if (seen.add_error)
        return err_say(err, seen.add_error, "the sensor refused");
    if (seen.ended && object->ns_pid)
        return err_say(err, -ESRCH, "ended");
    assert_true(seen.count < ARRAY_SIZE(seen.objects));
    snprintf(seen.paths[seen.count], sizeof(seen.paths[0]), "%.*s", (int)object->path.len, object->path.data);
    seen.objects[seen.count++] = *object;
    return 0;
}

static void on_remove(void *data, uint32_t id)
{
    (void)data;
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id == id) {
            seen.objects[i].id = 0;
            return;
        }
    fail_msg("object %u was never added, or was removed twice", id);
}

static void on_window(void *data, bool on)
{
    (void)data;
    assert_true(on != seen.window);
    seen.window = on;
    seen.windows++;
}

static void on_gap(void *data, uint64_t from_ns, uint64_t to_ns, const char *text)
{
    (void)data;
    assert_string_equal(seen.gap, "");
    snprintf(seen.gap, sizeof(seen.gap), "%s", text);
    seen.gap_ns = to_ns - from_ns;
}

static void on_notice(void *data, const char *text)
{
    size_t at = strlen(seen.notices);

    (void)data;
    snprintf(seen.notices + at, sizeof(seen.notices) - at, "%s\n", text);
}

static void on_explain(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files, struct bytes detail)
{
    size_t at = strlen(seen.explained);

    (void)data;
    (void)time_ns;
    snprintf(seen.explained + at, sizeof(seen.explained) - at, "%d %llu %.*s\n", why, (unsigned long long)files,
             (int)detail.len, detail.data);
}

/* The living object of that view; 0: none. */
static uint32_t object_of(enum view view)
{
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id && seen.objects[i].view == view)
            return seen.objects[i].id;
    return 0;
}

static size_t living(void)
{
    size_t n = 0;

    for (size_t i = 0; i < seen.count; i++)
        n += seen.objects[i].id != 0;
    return n;
}

/* ---- a run ---- */

static char base[] = "/tmp/culprit-test-watchset-XXXXXX";
static struct watchset *set;

static int set_up(void **state)
{
    char path[200];

    (void)state;
    memset(&seen, 0, sizeof(seen));
    engine_error = 0;
    running = true;
    container_unref(known);
    known = NULL;
    kernel_pid = 0;
    mount_count = 0;
    snprintf(upper, sizeof(upper), "%s/upper", base);
    snprintf(kernel_upper, sizeof(kernel_upper), "%s", upper);
    (void)mkdir(upper, 0755);
    snprintf(path, sizeof(path), "%s/upper/prd", base);
    (void)mkdir(path, 0755);
    for (int i = 0; i < 3; i++) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/upper/prd/f%d", base, i);
        f = fopen(path, "we");
        assert_non_null(f);
        fclose(f);
    }
    return watchset_new(&(struct watchset_options){ .permissions = PERMISSION_WRITE | PERMISSION_ATTR,
                                                    .key = bytes_of("key"), .add = on_add, .remove = on_remove,
                                                    .window = on_window, .gap = on_gap, .notice = on_notice,
                                                    .explain = on_explain },
                        &set, NULL);
}

static int tear_down(void **state)
{
    char path[200];

    (void)state;
    watchset_free(set);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/upper/prd/f%d", base, i);
        (void)unlink(path);
    }
    return 0;
}

static int watch(const char *text, struct err *err)
{
    struct target target;

    assert_int_equal(target_parse(bytes_of(text), bytes_of("/"), &target, NULL), 0);
    return watchset_add(set, &target, err);
}

static void life(enum lifecycle_kind kind, struct container *c)
{
    watchset_life(set, &(struct lifecycle_event){ .kind = kind, .container = c, .time_ns = T0, .exit_code = -1 });
}

/* An event as a sensor gives it; NULL if the watches do not want it. */
static struct event *event_on(uint32_t object, enum operation operation, const char *path)
{
    struct event *e = make_event(operation, path, NULL, NULL, T0 + 5 * NS_PER_S);

    e->object = object;
    e->victim_kind = (enum victim_kind)0;
    if (watchset_event(set, e))
        return e;
    event_free(e);
    return NULL;
}

static void is_not_ours(uint32_t object, enum operation operation, const char *path)
{
    struct event *e = event_on(object, operation, path);

    if (e)
        fail_msg("taken: %s", path);
}

/* ---- tests ---- */

static void host_path(void **state)
{
    char dir[160], path[200];
    struct event *e;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/upper/prd", base);
    assert_int_equal(watch(dir, NULL), 0);
    assert_int_equal(living(), 1);
    assert_string_equal(seen.paths[0], dir);
    assert_int_equal(seen.objects[0].permissions, PERMISSION_WRITE | PERMISSION_ATTR);
    assert_string_equal(seen.notices, "");
    assert_false(watchset_is_waiting(set));
    assert_int_equal(seen.windows, 0);
    snprintf(path, sizeof(path), "%s/a", dir);
    e = event_on(1, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_bytes(e->path, path);
    assert_bytes(e->host_path, path);
    assert_bytes(e->watch_text, dir);
    assert_bytes(e->key, "key");
    assert_int_equal(e->victim_kind, VICTIM_HOST);
    assert_null(e->victim);
    assert_false(e->since_start_known);
    event_free(e);
    e = event_on(1, OPERATION_RENAME, base); /* what it is in: it moved with it */
    assert_non_null(e);
    assert_bytes(e->carried, dir);
    event_free(e);
    snprintf(path, sizeof(path), "%s/upper/prd2", base);
    is_not_ours(1, OPERATION_UNLINK, path); /* begins like it, and is another */
    is_not_ours(1, OPERATION_READ, dir);    /* not asked for */
    is_not_ours(0, OPERATION_UNLINK, dir);
    is_not_ours(2, OPERATION_UNLINK, dir);
    is_not_ours(UINT32_MAX, OPERATION_UNLINK, dir);
    is_not_ours(1, (enum operation)4711, dir);
    e = event_on(1, OPERATION_UNLINK, NULL); /* a name that could not be read is still a change */
    assert_non_null(e);
    event_free(e);
}

static void missing_host_path_is_waited_for_and_said(void **state)
{
    (void)state;
    assert_int_equal(watch("/nonexistent/x\x1b[2J", NULL), 0);
    assert_string_equal(seen.notices, "/nonexistent/x\\x1b[2J does not exist yet; waiting for it\n");
    assert_int_equal(living(), 1);
    assert_non_null(strstr(seen.explained, "/nonexistent/x"));
    watchset_poll(set);
    assert_int_equal(living(), 1);
    assert_null(strstr(strchr(seen.notices, '\n') + 1, "waiting")); /* once */
}

static void refusal_of_the_sensor_is_reported(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    seen.add_error = -EPERM;
    assert_int_equal(watch("/etc", &err), -EPERM);
    assert_string_equal(err.text, "the sensor refused");
    is_not_ours(1, OPERATION_UNLINK, "/etc/x"); /* its number is used up, and leads nowhere */
}

static void container_path(void **state)
{
    char path[200], host[200];
    struct event *e;

    (void)state;
    new_container("aaaa", T0);
    container_set(known, &known->image_name, bytes_of("shop:1"));
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_string_equal(seen.notices, "web:/prd is /prd of container web (docker, shop:1, aaaa)\n");
    assert_int_equal(living(), 2); /* the merged view and the layer behind it */
    assert_int_equal(seen.objects[0].group, seen.objects[1].group);
    e = event_on(object_of(VIEW_MERGED), OPERATION_UNLINK, "/prd/d/a");
    assert_non_null(e);
    assert_bytes(e->path, "/prd/d/a");
    assert_bytes(e->host_path, "/merged/prd/d/a");
    assert_ptr_equal(e->victim, known);
    assert_int_equal(e->victim_kind, VICTIM_CONTAINER);
    assert_true(e->since_start_known);
    assert_int_equal(e->since_start_ns, 5 * NS_PER_S);
    event_free(e);
    snprintf(host, sizeof(host), "%s/prd/a", upper);
    e = event_on(object_of(VIEW_UPPER), OPERATION_UNLINK, host);
    assert_non_null(e);
    assert_bytes(e->path, "/prd/a"); /* as the container sees it */
    assert_bytes(e->host_path, host);
    event_free(e);
    /* renamed out of the watch: the old name is the victim's, the new one the host's */
    e = make_event(OPERATION_RENAME, "/elsewhere/a", NULL, NULL, T0);
    event_set(e, &e->previous_path, bytes_of(host));
    e->object = object_of(VIEW_UPPER);
    assert_true(watchset_event(set, e));
    assert_bytes(e->previous_path, "/prd/a");
    assert_bytes(e->previous_host_path, host);
    assert_bytes(e->path, "/elsewhere/a");
    assert_bytes(e->host_path, "/elsewhere/a");
    event_free(e);
    /* a folder above moved: as the container sees it, with what went with it */
    assert_int_equal(watch("web:/srv/mid/leaf", NULL), 0);
    snprintf(host, sizeof(host), "%s/srv/mid", upper);
    snprintf(path, sizeof(path), "%s/srv/gone", upper);
    e = make_event(OPERATION_RENAME, path, NULL, NULL, T0);
    event_set(e, &e->previous_path, bytes_of(host));
    e->object = seen.objects[2].view == VIEW_UPPER ? 3 : 4;
    assert_true(watchset_event(set, e));
    assert_bytes(e->previous_path, "/srv/mid");
    assert_bytes(e->path, "/srv/gone");
    assert_bytes(e->host_path, path);
    assert_bytes(e->carried, "/srv/mid/leaf");
    event_free(e);
    snprintf(path, sizeof(path), "%s/prdx", upper);
    is_not_ours(object_of(VIEW_UPPER), OPERATION_UNLINK, path);
    assert_true(watchset_concerns(set, known));
}

static void container_that_is_not_there_yet(void **state)
{
    struct container *other = make_container("bbbb", "db");

    (void)state;
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_string_equal(seen.notices, "no container \"web\"; waiting for it\n");
    assert_true(watchset_is_waiting(set));
    assert_true(seen.window);
    assert_int_equal(living(), 0);
    watchset_poll(set);
    life(LIFECYCLE_START, other); /* somebody else's */
    assert_string_equal(seen.notices, "no container \"web\"; waiting for it\n");
    assert_false(watchset_concerns(set, other));
    life(LIFECYCLE_START, new_container("aaaa", T0));
    assert_int_equal(living(), 2);
    assert_false(watchset_is_waiting(set));
    assert_false(seen.window);
    assert_non_null(strstr(seen.notices, "web:/prd is /prd of container web"));
    container_unref(other);
}

/* The engine said that it runs, and by the time that it was to be watched it did not: its next life must not begin unseen. */
static void ended_while_it_was_looked_at(void **state)
{
    uint32_t layer;

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    running = false;
    life(LIFECYCLE_DIE, known);
    running = true;
    seen.ended = true;
    new_container("aaaa", T0 + 10 * NS_PER_S);
    known->pid = NOBODY + 1;
    life(LIFECYCLE_START, known);
    assert_true(seen.window);
    assert_true(watchset_is_waiting(set));
    assert_int_equal(object_of(VIEW_UPPER), layer);
    assert_int_equal(living(), 1);
    life(LIFECYCLE_DIE, known);
    assert_true(seen.window);
    seen.ended = false;
    known->pid = NOBODY + 2;
    life(LIFECYCLE_START, known);
    assert_false(seen.window);
    assert_int_equal(living(), 2);
}

static void restart_keeps_what_stays(void **state)
{
    uint32_t layer, merged;
    struct event *e;
    char path[200];

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    merged = object_of(VIEW_MERGED);
    running = false;
    life(LIFECYCLE_DIE, known);
    assert_true(seen.window);
    running = true;
    new_container("aaaa", T0 + 10 * NS_PER_S);
    known->pid = NOBODY + 1;
    life(LIFECYCLE_START, known);
    assert_false(seen.window);
    assert_int_equal(object_of(VIEW_UPPER), layer); /* did not blink */
    assert_true(object_of(VIEW_MERGED) != merged);
    assert_int_equal(living(), 2);
    /* a late notification of a view that is gone: it was in a sensor's queue while we looked the container up */
    e = event_on(merged, OPERATION_UNLINK, "/prd/a");
    assert_non_null(e);
    assert_bytes(e->path, "/prd/a");
    assert_bytes(e->victim->id, "aaaa");
    assert_int_equal(e->since_start_ns, 5 * NS_PER_S); /* of the life that it belongs to */
    event_free(e);
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, -(int64_t)(5 * NS_PER_S)); /* 5 s before the new start */
    event_free(e);
    assert_string_equal(seen.explained, ""); /* the layer is the same: nothing was dropped */
    assert_null(strstr(strchr(seen.notices, '\n') + 1, "is /prd of")); /* and is not reported again */
}

/* The engine is slow: the new life has begun, and what it looks like is not known yet. */
static void start_is_not_the_one_before(void **state)
{
    uint32_t layer;
    struct event *e;
    char path[200];

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    layer = object_of(VIEW_UPPER);
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    life(LIFECYCLE_DIE, known);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_false(e->since_start_known);
    event_free(e);
    engine_error = -ETIMEDOUT;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
    engine_error = 0;
    new_container("aaaa", T0 + 4 * NS_PER_S);
    watchset_poll(set);
    e = event_on(layer, OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
}

/* The same where the watch began while it was down. */
static void first_start_is_not_the_one_before(void **state)
{
    struct event *e;
    char path[200];

    (void)state;
    running = false;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    snprintf(path, sizeof(path), "%s/prd/a", upper);
    e = event_on(object_of(VIEW_UPPER), OPERATION_UNLINK, path);
    assert_non_null(e);
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
}

/* The process through whose namespace it is watched; 0: none. */
static pid_t seen_inside(void)
{
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id && seen.objects[i].ns_pid)
            return seen.objects[i].ns_pid;
    return 0;
}

/* The engine reports the start, and does not say yet what the container looks like: the kernel does. */
static void new_life_is_watched_before_the_engine_answers(void **state)
{
    uint32_t merged;
    struct event *e;

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_int_equal(seen_inside(), NOBODY);
    life(LIFECYCLE_DIE, known);
    engine_error = -ETIMEDOUT;
    kernel_pid = NOBODY + 1;
    watchset_life(set, &(struct lifecycle_event){ .kind = LIFECYCLE_START, .container = known, .time_ns = T0 + 4 * NS_PER_S });
    assert_int_equal(seen_inside(), NOBODY + 1);
    assert_int_equal(living(), 2);
    assert_true(seen.window); /* until the engine has answered */
    merged = object_of(VIEW_MERGED);
    e = event_on(merged, OPERATION_UNLINK, "/prd/a");
    assert_non_null(e);
    assert_bytes(e->victim->id, "aaaa");
    assert_int_equal(e->since_start_ns, NS_PER_S);
    event_free(e);
    watchset_poll(set);
    assert_int_equal(object_of(VIEW_MERGED), merged);
    engine_error = 0;
    new_container("aaaa", T0 + 4 * NS_PER_S);
    known->pid = NOBODY + 1;
    watchset_poll(set);
    assert_int_equal(object_of(VIEW_MERGED), merged); /* did not blink */
    assert_false(seen.window);
    assert_string_equal(seen.gap, "");
}

/* Neither its end nor its new life is reported: a program executed in its cgroup says it, and else the next look. */
static void new_life_is_watched_while_the_engine_is_silent(void **state)
{
    struct event *e;

    (void)state;
    new_container("aaaa", T0 - 100 * NS_PER_S);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    kernel_pid = getpid();
    watchset_process(set, bytes_of("/system.slice/docker-bbbb.scope"));
    watchset_look_for_new_lives(set);
    assert_int_equal(seen_inside(), NOBODY);
    watchset_process(set, bytes_of("/system.slice/docker-aaaa.scope/init.scope"));
    assert_int_equal(seen_inside(), NOBODY); /* an event may be under way */
    watchset_look_for_new_lives(set);
    assert_int_equal(seen_inside(), getpid());
    /* not so long after the start before that one */
    e = make_event(OPERATION_UNLINK, "/prd/a", NULL, NULL, clock_ns(CLOCK_REALTIME));
    e->object = object_of(VIEW_MERGED);
    assert_true(watchset_event(set, e));
    assert_true(e->since_start_known);
    assert_true(e->since_start_ns < (int64_t)(60 * NS_PER_S));
    event_free(e);
    watchset_poll(set);
    assert_int_equal(seen_inside(), getpid());
}

static void next_look_finds_a_new_life(void **state)
{
    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY);
    kernel_pid = NOBODY + 1;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY + 1);
    /* the answer to what was asked before that life: what the kernel says counts, and is looked at again */
    engine_error = 0;
    seen.ended = true;
    watchset_poll(set);
    assert_int_equal(seen_inside(), 0);
    seen.ended = false;
    engine_error = -ETIMEDOUT;
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY + 1);
}

/* A step of a runtime that has not changed its root yet, or another container: not this one. */
static void root_of_another_layer_is_no_new_life(void **state)
{
    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    engine_error = -ETIMEDOUT;
    kernel_pid = NOBODY + 1;
    snprintf(kernel_upper, sizeof(kernel_upper), "/elsewhere");
    life(LIFECYCLE_DIE, known);
    life(LIFECYCLE_START, known);
    watchset_poll(set);
    assert_int_equal(seen_inside(), NOBODY);
    assert_true(seen.window);
}

/* What only the container sees was not watched for a while: said. What its layer shows was. */
static void late_look_is_a_gap(void **state)
{
    (void)state;
    for (mount_count = 0; mount_count < 2; mount_count++) {
        mounts[0] = (struct container_mount){ .destination = bytes_of("/prd/t"), .type = bytes_of("tmpfs") };
        new_container("aaaa", T0 - 100 * NS_PER_S);
        known->pid = NOBODY;
        if (!mount_count)
            assert_int_equal(watch("web:/prd", NULL), 0);
        set->watches[0]->since_ns = clock_ns(CLOCK_REALTIME) - 60 * NS_PER_S;
        engine_error = -ETIMEDOUT;
        life(LIFECYCLE_DIE, known);
        life(LIFECYCLE_START, known);
        watchset_poll(set);
        engine_error = 0;
        new_container("aaaa", clock_ns(CLOCK_REALTIME) - 10 * NS_PER_S);
        known->pid = NOBODY + 1 + (pid_t)mount_count;
        watchset_poll(set);
        assert_int_equal(seen_inside(), known->pid);
        if (mount_count) {
            assert_non_null(strstr(seen.gap, "mounts that only a container sees"));
            assert_true(seen.gap_ns >= 10 * NS_PER_S && seen.gap_ns < 60 * NS_PER_S);
        } else {
            assert_string_equal(seen.gap, "");
        }
    }
}

/* A container comes that matches, and the engine is too slow to say where its files are: asked again, not in half a minute. */
static void match_of_a_slow_engine_is_looked_at_again(void **state)
{
    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    new_container("aaaa", T0);
    container_set(known, &known->labels, BYTES("tier=front\0"));
    engine_error = -ETIMEDOUT;
    life(LIFECYCLE_START, known);
    assert_int_equal(living(), 0);
    assert_true(seen.window); /* its first moments are kept until then */
    watchset_poll(set);
    assert_int_equal(living(), 0);
    engine_error = 0;
    watchset_poll(set);
    assert_int_equal(living(), 2);
    assert_false(seen.window);
    assert_non_null(strstr(seen.notices, "label:tier=front:/prd is /prd of container web"));
}

/* And one that was gone before the engine answered is not waited for. */
static void match_of_a_slow_engine_that_is_gone(void **state)
{
    struct container *gone;

    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    gone = container_ref(new_container("aaaa", T0));
    container_set(gone, &gone->labels, BYTES("tier=front\0"));
    engine_error = -ETIMEDOUT;
    life(LIFECYCLE_START, gone);
    assert_true(seen.window);
    engine_error = -ENOENT;
    watchset_poll(set);
    assert_false(seen.window);
    assert_int_equal(living(), 0);
    container_unref(gone);
}

static void recreation_is_explained(void **state)
{
    struct container *old;
    char before[sizeof(upper)];

    (void)state;
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/prd", NULL), 0);
    life(LIFECYCLE_DIE, old);
    snprintf(before, sizeof(before), "%s", upper);
    snprintf(upper, sizeof(upper), "%s/upper2", base);
    assert_int_equal(rename(before, upper), 0); /* its layer goes with it */
    life(LIFECYCLE_DESTROY, old);
    assert_int_equal(living(), 0);
    assert_true(seen.window);
    life(LIFECYCLE_CREATE, new_container("cccc", T0 + NS_PER_S));
    assert_string_equal(seen.explained, "2 3 web\n0 3 web\n"); /* WATCH_REMOVED, WATCH_RECREATED, its 3 files, once */
    life(LIFECYCLE_START, known);
    assert_string_equal(seen.explained, "2 3 web\n0 3 web\n");
    assert_int_equal(living(), 2);
    life(LIFECYCLE_DIE, old); /* a late notification of the old one */
    life(LIFECYCLE_DESTROY, old);
    assert_int_equal(living(), 2);
    assert_false(seen.window);
    container_unref(old);
    assert_int_equal(rename(upper, before), 0);
}

static void files_that_a_runtime_leaves_stay_in_view(void **state)
{
    struct container *old;

    (void)state;
    old = container_ref(new_container("aaaa", T0));
    assert_int_equal(watch("web:/prd", NULL), 0);
    life(LIFECYCLE_DIE, old);
    life(LIFECYCLE_DESTROY, old); /* runc delete: the bundle's files are where they were */
    assert_int_equal(living(), 1);
    assert_int_not_equal(object_of(VIEW_UPPER), 0);
    assert_true(seen.window);
    life(LIFECYCLE_START, new_container("aaaa", T0 + NS_PER_S));
    assert_int_equal(living(), 2);
    assert_string_equal(seen.explained, ""); /* nothing was dropped */
    container_unref(old);
}

static void plural_watch_takes_and_loses_containers(void **state)
{
    struct container *one;
    uint32_t first;

    (void)state;
    assert_int_equal(watch("label:tier=front:/prd", NULL), 0);
    assert_non_null(strstr(seen.notices, "no container matches label:tier=front:/prd; waiting for it"));
    assert_int_equal(living(), 0);
    one = container_ref(new_container("aaaa", T0));
    life(LIFECYCLE_START, one); /* of others */
    assert_int_equal(living(), 0);
    container_unref(one);
    one = container_ref(new_container("bbbb", T0));
    container_set(one, &one->labels, BYTES("tier=front\0"));
    assert_false(seen.window);
    running = false;
    life(LIFECYCLE_CREATE, one);
    assert_true(seen.window); /* its first moments are not to be missed */
    running = true;
    life(LIFECYCLE_START, one);
    assert_false(seen.window);
    assert_int_equal(living(), 2);
    first = object_of(VIEW_UPPER);
    /* another one with the same layer below it: one object, two victims */
    (void)new_container("cccc", T0);
    container_set(known, &known->labels, BYTES("tier=front\0"));
    known->pid = NOBODY - 1;
    life(LIFECYCLE_START, known);
    assert_int_equal(object_of(VIEW_UPPER), first);
    assert_int_equal(living(), 3);
    {
        char path[200];
        struct event *e;

        snprintf(path, sizeof(path), "%s/prd/f0", upper);
        e = event_on(first, OPERATION_UNLINK, path);
        assert_non_null(e);
        assert_bytes(e->path, "/prd/f0");
        assert_int_equal(e->sharers.len, 4); /* "web" and its NUL: both have that name */
        event_free(e);
    }
    life(LIFECYCLE_DIE, one);
    life(LIFECYCLE_DESTROY, one);
    assert_int_equal(living(), 2); /* the other one's stay */
    life(LIFECYCLE_DESTROY, known);
    assert_int_equal(living(), 0);
    container_unref(one);
}

static void each_target_has_its_own_permissions_and_key(void **state)
{
    char dir[160], path[200];
    struct target target;
    struct event *e;

    (void)state;
    snprintf(dir, sizeof(dir), "%s/upper/prd", base);
    assert_int_equal(target_parse(bytes_of(dir), bytes_of("/"), &target, NULL), 0);
    target.permissions = PERMISSION_ATTR;
    target.key = bytes_of("attrs");
    assert_int_equal(watchset_add(set, &target, NULL), 0);
    assert_int_equal(seen.objects[0].permissions, PERMISSION_ATTR);
    snprintf(path, sizeof(path), "%s/f0", dir);
    is_not_ours(1, OPERATION_UNLINK, path);
    e = event_on(1, OPERATION_CHMOD, path);
    assert_non_null(e);
    assert_bytes(e->key, "attrs");
    event_free(e);
}

static void volume_is_watched_by_its_place(void **state)
{
    (void)state;
    assert_int_equal(watch("volume:data/prd", NULL), 0);
    assert_int_equal(living(), 1);
    assert_int_equal(seen.objects[0].view, VIEW_HOST);
    assert_non_null(strstr(seen.paths[0], "/upper/prd"));
    assert_int_equal(watch("volume:nothing/x", NULL), 0);
    assert_non_null(strstr(seen.notices, "no volume \"nothing\"; waiting for it"));
}

static struct sbuf places;

static void on_place(void *data, const struct coverage_place *p)
{
    (void)data;
    sbuf_addf(&places, "%u %.*s %.*s %.*s %.*s\n", (unsigned)p->kind, (int)p->selector.len, p->selector.data,
              (int)p->container_id.len, p->container_id.data ? p->container_id.data : "", (int)p->path.len, p->path.data,
              (int)p->host_path.len, p->host_path.data ? p->host_path.data : "");
    assert_int_equal(p->permissions, PERMISSION_WRITE | PERMISSION_ATTR);
}

/* For the record: what was asked for and what it turned out to be, each once. */
static void places_are_reported_once(void **state)
{
    char link[200], real[200], expected[900];

    (void)state;
    places = SBUF_INIT;
    snprintf(link, sizeof(link), "%s/link", upper);
    snprintf(real, sizeof(real), "%s/real", upper);
    assert_int_equal(mkdir(real, 0755), 0);
    assert_int_equal(symlink("real", link), 0);
    strcat(link, "/x");
    strcat(real, "/x");
    new_container("aaaa", T0);
    assert_int_equal(watch(link, NULL), 0);
    assert_int_equal(watch("volume:data/prd", NULL), 0);
    assert_int_equal(watch("web:/etc", NULL), 0);
    watchset_each_new_place(set, on_place, NULL);
    snprintf(expected, sizeof(expected),
             "0   %s \n0   %s/link \n0   %s \n6 data  /prd \n6 data  /prd %s/prd\n1 web  /etc \n1 web aaaa /etc %s/etc\n"
             "1 web aaaa /etc /merged/etc\n",
             link, upper, real, upper, upper);
    assert_string_equal(sbuf_str(&places), expected);
    sbuf_clear(&places);
    watchset_each_new_place(set, on_place, NULL);
    assert_int_equal(places.len, 0);
    sbuf_done(&places);
    *strrchr(link, '/') = *strrchr(real, '/') = '\0';
    (void)unlink(link);
    (void)rmdir(real);
}

static void forget_place(void *data, const struct coverage_place *p)
{
    (void)p;
    ++*(unsigned *)data;
}

/* Of the test's own table. */
static void forget_gone(void)
{
    size_t n = 0;

    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id)
            seen.objects[n++] = seen.objects[i];
    seen.count = n;
}

/* One container after the other has the name, for as long as it is watched. */
static void containers_come_and_go(void **state)
{
    const unsigned warm = 6000, all = 26000;
    unsigned reported = 0;
    size_t before = 0;
    uint32_t gone = 0;

    (void)state;
    new_container("0", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    for (unsigned i = 1; i <= all; i++) {
        char id[16];

        running = false;
        life(LIFECYCLE_DIE, known);
        running = true;
        snprintf(id, sizeof(id), "%u", i);
        new_container(id, T0 + i * NS_PER_S);
        known->pid = (pid_t)(NOBODY + i);
        life(LIFECYCLE_START, known);
        assert_in_range(living(), 1, 4);
        assert_int_not_equal(object_of(VIEW_MERGED), 0);
        if (i == warm)
            gone = object_of(VIEW_MERGED);
        forget_gone();
        seen.notices[0] = seen.explained[0] = '\0';
        watchset_each_new_place(set, forget_place, &reported);
        if (i == warm)
            before = heap_in_use();
    }
    assert_true(heap_in_use() <= before + 64 * 1024);
    assert_true(reported >= all); /* each of them is in the record */
    is_not_ours(gone, OPERATION_UNLINK, "/prd/a");
    event_free(event_on(object_of(VIEW_MERGED), OPERATION_UNLINK, "/prd/a"));
    reported = 0;
    watchset_each_new_place(set, forget_place, &reported);
    assert_int_equal(reported, 0); /* what is there now is not forgotten */
}

static void engine_that_refuses(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    engine_error = -EACCES;
    assert_int_equal(watch("web:/prd", &err), -EACCES);
    assert_string_equal(err.text, "the engine refused");
    engine_error = 0;
    new_container("aaaa", T0);
    watchset_poll(set);
    assert_int_equal(living(), 2);
    engine_error = -EACCES; /* later on it is no reason to drop what is watched */
    life(LIFECYCLE_RENAME, known);
    watchset_poll(set);
    assert_int_equal(living(), 2);
}

static void two_watches(void **state)
{
    struct event *e;

    (void)state;
    new_container("aaaa", T0);
    assert_int_equal(watch("web:/prd", NULL), 0);
    assert_int_equal(watch("/etc", NULL), 0);
    assert_string_equal(watchset_text(set).data, "web:/prd /etc");
    assert_true(seen.objects[2].group != seen.objects[0].group);
    e = event_on(object_of(VIEW_HOST), OPERATION_UNLINK, "/etc/x");
    assert_non_null(e);
    assert_bytes(e->watch_text, "/etc");
    assert_int_equal(e->watch, 1);
    assert_null(e->victim);
    event_free(e);
}

/* ---- watches are exchanged ---- */

/* The watches become these; "PATH" or "PATH KEY". */
static int change(const char *const *texts, struct watchset_difference *ret)
{
    struct plan_ask asks[8];
    struct plan plan;
    size_t n = 0;

    for (; texts[n]; n++) {
        struct bytes rest = bytes_of(texts[n]);

        asks[n].text = bytes_next_field(&rest, ' ');
        asks[n].key = rest;
        asks[n].permissions = PERMISSION_WRITE | PERMISSION_ATTR;
    }
    assert_int_equal(plan_make(asks, n, &plan, NULL), 0);
    return watchset_change(set, &plan, ret, NULL);
}

#define CHANGE(d, ...) change((const char *const[]){ __VA_ARGS__, NULL }, d)

/* How many of the objects that are armed report it, and with which key. */
static unsigned reported(const char *path, uint64_t time_ns, const char *key)
{
    unsigned n = 0;

    for (size_t i = 0; i < seen.count; i++) {
        struct event *e;

        if (!seen.objects[i].id || !bytes_path_covers(bytes_of(seen.paths[i]), bytes_of(path)))
            continue;
        e = make_event(OPERATION_UNLINK, path, NULL, NULL, time_ns);
        e->object = seen.objects[i].id;
        if (watchset_event(set, e)) {
            n++;
            assert_bytes(e->key, key);
        }
        event_free(e);
    }
    return n;
}

#define NOW clock_ns(CLOCK_REALTIME)
#define LATER (NOW + 10 * NS_PER_S)

static void change_keeps_what_stays(void **state)
{
    struct watchset_difference d;
    uint32_t id;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a one", "/x/b two"), 0);
    assert_int_equal(d.added, 2);
    id = seen.objects[0].id;
    assert_int_equal(CHANGE(&d, "/x/b two", "/x/a other", "/x/a/in inner"), 0);
    assert_int_equal(d.kept, 2);
    assert_int_equal(d.added + d.ended, 0);
    assert_int_equal(seen.objects[0].id, id); /* not touched, and its words are the new ones */
    assert_int_equal(living(), 2);
    assert_false(watchset_is_changing(set));
    assert_int_equal(reported("/x/a/f", NOW, "other"), 1);
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_bytes(watchset_text(set), "/x/a /x/b");
}

static void change_hands_over(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0);
    assert_int_equal(CHANGE(&d, "/x/a outer", "/x/a/in inner"), 0); /* an outer one comes */
    assert_int_equal(d.added, 1);
    assert_int_equal(d.ended, 1);
    assert_int_equal(living(), 2); /* both are armed */
    assert_true(watchset_is_changing(set));
    assert_false(watchset_change_is_read(set, NOW)); /* where events never stop, that is when it ends */
    assert_true(watchset_change_is_read(set, LATER));
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_int_equal(reported("/x/a/in/f", LATER, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 1); /* what nobody reported before is reported at once */
    assert_int_equal(reported("/x/a/f", LATER, "outer"), 1);
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS) /* always by one of them */
        assert_int_equal(reported("/x/a/in/f", t, "inner"), 1);
    assert_int_equal(CHANGE(&d, "/x/b"), -EBUSY);
    assert_bytes(watchset_text(set), "/x/a");
}

static void change_takes_what_only_comes(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/b b"), 0);
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0); /* one goes: the change takes its time */
    assert_true(watchset_is_changing(set));
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/c c"), 0);
    assert_int_equal(d.added, 1);
    assert_int_equal(d.kept, 1);
    assert_int_equal(d.ended, 0);
    assert_int_equal(reported("/x/c/f", NOW, "c"), 1); /* seen at once */
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), -EBUSY);
    assert_int_equal(CHANGE(&d, "/x/a/in inner", "/x/c c", "/x/b b"), 0); /* what is going comes back */
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS) /* by one of the two */
        assert_int_equal(reported("/x/b/f", t, "b"), 1);
    assert_bytes(watchset_text(set), "/x/a/in /x/c /x/b");
}

static void change_ends_what_goes(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a outer", "/x/a/in inner"), 0);
    assert_int_equal(CHANGE(&d, "/x/a/in inner"), 0); /* the outer one goes */
    for (uint64_t t = NOW; t < LATER; t += NS_PER_MS)
        assert_int_equal(reported("/x/a/in/f", t, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 1);
    assert_int_equal(reported("/x/a/f", LATER, "outer"), 0);
    for (int i = 0; i < 100 && watchset_is_changing(set); i++) {
        watchset_change_finish(set);
        usleep(100 * 1000);
    }
    assert_false(watchset_is_changing(set));
    assert_int_equal(living(), 1);
    assert_int_equal(reported("/x/a/in/f", NOW, "inner"), 1);
    assert_int_equal(reported("/x/a/f", NOW, "outer"), 0);
    assert_int_equal(CHANGE(&d, "/x/c"), 0);
}

static void change_fails_as_a_whole(void **state)
{
    struct watchset_difference d;

    (void)state;
    assert_int_equal(CHANGE(&d, "/x/a one"), 0);
    seen.add_error = -EOPNOTSUPP;
    assert_int_equal(CHANGE(&d, "/x/a other", "/x/b two"), -EOPNOTSUPP);
    assert_int_equal(d.failed_ask, 1);
    assert_int_equal(living(), 1);
    assert_false(watchset_is_changing(set));
    assert_bytes(watchset_text(set), "/x/a");
    assert_int_equal(reported("/x/a/f", NOW, "one"), 1); /* its key too is the old one */
    seen.add_error = 0;
    assert_int_equal(CHANGE(&d, "/x/a other", "/x/b two"), 0);
    assert_int_equal(d.kept, 1);
    assert_int_equal(reported("/x/a/f", NOW, "other"), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(host_path),
        TEST(missing_host_path_is_waited_for_and_said),
        TEST(refusal_of_the_sensor_is_reported),
        TEST(container_path),
        TEST(container_that_is_not_there_yet),
        TEST(ended_while_it_was_looked_at),
        TEST(restart_keeps_what_stays),
        TEST(start_is_not_the_one_before),
        TEST(first_start_is_not_the_one_before),
        TEST(new_life_is_watched_before_the_engine_answers),
        TEST(new_life_is_watched_while_the_engine_is_silent),
        TEST(next_look_finds_a_new_life),
        TEST(root_of_another_layer_is_no_new_life),
        TEST(late_look_is_a_gap),
        TEST(match_of_a_slow_engine_is_looked_at_again),
        TEST(match_of_a_slow_engine_that_is_gone),
        TEST(recreation_is_explained),
        TEST(files_that_a_runtime_leaves_stay_in_view),
        TEST(plural_watch_takes_and_loses_containers),
        TEST(each_target_has_its_own_permissions_and_key),
        TEST(volume_is_watched_by_its_place),
        TEST(places_are_reported_once),
        TEST(containers_come_and_go),
        TEST(engine_that_refuses),
        TEST(two_watches),
        TEST(change_keeps_what_stays),
        TEST(change_hands_over),
        TEST(change_takes_what_only_comes),
        TEST(change_ends_what_goes),
        TEST(change_fails_as_a_whole),
    };
    char path[64];
    int failed;

    if (!mkdtemp(base))
        return 99;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    container_unref(known);
    snprintf(path, sizeof(path), "%s/upper/prd", base);
    (void)rmdir(path);
    snprintf(path, sizeof(path), "%s/upper", base);
    (void)rmdir(path);
    return rmdir(base) < 0 ? 98 : failed;
}
