/* SPDX-License-Identifier: MIT */
/* A file that goes between two looks at its name is still what it was made as: its handle says so. As root. */
#include "test.h"
#include "own_tmpfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/operation.h"
#include "event/watch_object.h"
#include "sensor/fanotify/fanotify.h"
#include "sensor/fanotify/state.h"
#include "sensor/sensor.h"
#include "sensor/tree/look.h"
#include "sensor/tree/tree.h"

struct row {
    const char *name;
    const char *script;  /* what makes `new` */
    const char *between; /* what is done after the first look at it */
    bool late;           /* and after its handle was compared */
    const char *events;
};

#define LINK "ln -s nowhere new"
#define MOVE "mv -T new other"

static const struct row rows[] = {
    { "a symbolic link moves on", LINK, MOVE, false, "symlink new, rename other, " },
    { "a file moves on", ": > new", MOVE, false, "create new, rename other, " },
    { "a pipe moves on, another file comes", "mkfifo new", MOVE "; : > new", false, "mknod new, rename other, create new, " },
    { "it is removed: that it was made is known", LINK, "rm new", false, "create? new, unlink new, " },
    { "a symbolic link moves on, later", LINK, MOVE, true, "symlink new, rename other, " },
    { "a pipe moves on, another file comes, later", "mkfifo new", MOVE "; : > new", true, "mknod new, rename other, create new, " },
    { "it is removed, later", LINK, "rm new", true, "create? new, unlink new, " },
};

static char top[] = "/tmp/culprit-between-XXXXXX", events[256];
static const char *between; /* NULL: done */
static bool late;

int __real_tree_stat_at(struct tree *t, int fd, const char *name, struct file_state *ret);
int __wrap_tree_stat_at(struct tree *t, int fd, const char *name, struct file_state *ret);
int __real_tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name, struct tree_change *ret, struct err *err);
int __wrap_tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name, struct tree_change *ret, struct err *err);

/* By another process: what the sensor's own does is nobody's change. */
static void act(const char *script)
{
    char command[256];

    snprintf(command, sizeof(command), "cd %s && { %s; }", top, script);
    assert_int_equal(system(command), 0);
}

static void act_between(void)
{
    const char *script = between;

    between = NULL;
    if (script)
        act(script);
}

int __wrap_tree_stat_at(struct tree *t, int fd, const char *name, struct file_state *ret)
{
    int r = __real_tree_stat_at(t, fd, name, ret);

    if (!late && strcmp(name, "new") == 0)
        act_between();
    return r;
}

int __wrap_tree_refresh(struct tree *t, int fd, uint32_t directory, struct bytes name, struct tree_change *ret, struct err *err)
{
    if (late && bytes_equal_str(name, "new"))
        act_between();
    return __real_tree_refresh(t, fd, directory, name, ret, err);
}

static void on_event(void *data, struct event *e)
{
    size_t len = strlen(events);
    struct bytes name = bytes_basename(e->path);

    (void)data;
    snprintf(events + len, sizeof(events) - len, "%s%s %.*s, ", operation_info(e->operation)->name, e->operation_presumed ? "?" : "", (int)name.len, name.data);
    event_free(e);
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data, (void)gap;
    fail();
}

static void is_known_by_its_handle(void **state)
{
    const struct row *row = *state;
    struct watch_object object = { .id = 1, .view = VIEW_HOST, .permissions = PERMISSION_WRITE, .path = bytes_of(top), .host_path = bytes_of(top) };
    struct sensor_options options = { .self = getpid(), .sink = { .event = on_event, .gap = on_gap } };
    struct sensor_capabilities has;
    struct sensor *s = NULL;

    if (geteuid() != 0 || fanotify_sensor_ops.probe(&has, NULL) < 0)
        skip();
    act("rm -rf *");
    events[0] = '\0';
    assert_int_equal(fanotify_sensor_ops.open(&options, &s, NULL), 0);
    if (!s->features.target) { /* before 5.17 an event has no handle of the file */
        fanotify_sensor_ops.close(s);
        skip();
    }
    assert_int_equal(fanotify_sensor_ops.watch(s, &object, NULL), 0);
    between = row->between;
    late = row->late;
    act(row->script);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fanotify_sensor_ops.dispatch(s, NULL), 0);
        assert_int_equal(fanotify_sensor_ops.sync(s, 60 * 1000, NULL), 0);
    }
    fanotify_sensor_ops.close(s);
    assert_null(between);
    assert_string_equal(events, row->events);
}

int main(void)
{
    int failed;

    if (!own_tmpfs_begin(top))
        return 1;
    failed = RUN_ROWS(rows, is_known_by_its_handle);
    return !own_tmpfs_end(top) || failed;
}
