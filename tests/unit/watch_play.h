/* SPDX-License-Identifier: MIT */
/* What the tests of watches share: an engine and a kernel that say what the test wants, one container, and who gets an event. */
#pragma once

#include "make.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/first_process.h"
#include "event/operation.h"
#include "util/clock.h"
#include "util/sbuf.h"
#include "watch/state.h"
#include "watch/watchset.h"

#define NOBODY 4194300 /* a pid that is hardly there: nothing of /proc is needed */
#define T0 1795488335000000000ull

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

static inline struct container *new_container(const char *id, uint64_t started_ns)
{
    container_unref(known);
    known = make_container(id, "web");
    known->started_ns = started_ns;
    known->pid = NOBODY;
    return known;
}

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

static inline int on_add(void *data, const struct watch_object *object, struct err *err)
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

static inline void on_remove(void *data, uint32_t id)
{
    (void)data;
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id == id) {
            seen.objects[i].id = 0;
            return;
        }
    fail_msg("object %u was never added, or was removed twice", id);
}

static inline void on_window(void *data, bool on)
{
    (void)data;
    assert_true(on != seen.window);
    seen.window = on;
    seen.windows++;
}

static inline void on_gap(void *data, uint64_t from_ns, uint64_t to_ns, const char *text)
{
    (void)data;
    assert_string_equal(seen.gap, "");
    snprintf(seen.gap, sizeof(seen.gap), "%s", text);
    seen.gap_ns = to_ns - from_ns;
}

static inline void on_notice(void *data, const char *text)
{
    size_t at = strlen(seen.notices);

    (void)data;
    snprintf(seen.notices + at, sizeof(seen.notices) - at, "%s\n", text);
}

static inline void on_explain(void *data, enum watch_explanation why, uint64_t time_ns, uint64_t files, struct bytes detail)
{
    size_t at = strlen(seen.explained);

    (void)data;
    (void)time_ns;
    snprintf(seen.explained + at, sizeof(seen.explained) - at, "%d %llu %.*s\n", why, (unsigned long long)files,
             (int)detail.len, detail.data);
}

/* The living object of that view; 0: none. */
static inline uint32_t object_of(enum view view)
{
    for (size_t i = 0; i < seen.count; i++)
        if (seen.objects[i].id && seen.objects[i].view == view)
            return seen.objects[i].id;
    return 0;
}

static inline size_t living(void)
{
    size_t n = 0;

    for (size_t i = 0; i < seen.count; i++)
        n += seen.objects[i].id != 0;
    return n;
}

static char base[] = "/tmp/culprit-test-watchset-XXXXXX";
static struct watchset *set;

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline int watch(const char *text, struct err *err)
{
    struct target target;

    assert_int_equal(target_parse(bytes_of(text), bytes_of("/"), &target, NULL), 0);
    return watchset_add(set, &target, err);
}

static inline void life(enum lifecycle_kind kind, struct container *c)
{
    watchset_life(set, &(struct lifecycle_event){ .kind = kind, .container = c, .time_ns = T0, .exit_code = -1 });
}

/* An event as a sensor gives it; NULL if the watches do not want it. */
static inline struct event *event_on(uint32_t object, enum operation operation, const char *path)
{
    struct event *e = make_event(operation, path, NULL, NULL, T0 + 5 * NS_PER_S);

    e->object = object;
    e->victim_kind = (enum victim_kind)0;
    if (watchset_event(set, e))
        return e;
    event_free(e);
    return NULL;
}

static inline void is_not_ours(uint32_t object, enum operation operation, const char *path)
{
    struct event *e = event_on(object, operation, path);

    if (e)
        fail_msg("taken: %s", path);
}

static inline void host_path(void **state)
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

/* How many of the objects that are armed report it, and with which key. */
static inline unsigned reported(const char *path, uint64_t time_ns, const char *key)
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* After the last test. */
static inline void end_play(void)
{
    char path[64];

    container_unref(known);
    snprintf(path, sizeof(path), "%s/upper/prd", base);
    (void)rmdir(path);
    snprintf(path, sizeof(path), "%s/upper", base);
    (void)rmdir(path);
}
