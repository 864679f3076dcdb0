/* SPDX-License-Identifier: MIT */
/* The end of an observation is not held up by whoever goes on making changes: sync() reads what happened before it. As root. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/operation.h"
#include "event/watch_object.h"
#include "sensor/fanotify/fanotify.h"
#include "sensor/sensor.h"

#define NEVER 20000u /* that many events and no end: it does not come */

struct row {
    const char *name;
    unsigned before; /* changes that were made before */
    bool overlay;
};

static const struct row rows[] = {
    { "a few", 50, false },
    { "many, by an overlay and its layer", 6000, true }, /* more than are read without asking whether it is enough */
};

static char top[] = "/tmp/culprit-sync-XXXXXX", dir[sizeof(top) + 8];
static int ask[2], done[2];
static unsigned events, before;

/* The other process, one change for each byte: a name each, so that the kernel joins none of them. */
static void act(void)
{
    char name[64], c;

    for (unsigned i = 0; read(ask[0], &c, 1) == 1; i++) {
        snprintf(name, sizeof(name), "%s/%c%u", dir, c, i);
        if (mkdir(name, 0700) < 0 || write(done[1], &c, 1) != 1)
            break;
    }
    _exit(0);
}

static void let_change(char kind)
{
    assert_int_equal(write(ask[1], &kind, 1), 1);
    assert_int_equal(read(done[0], &kind, 1), 1);
}

/* Whatever is emitted, there is one more before it is looked again. */
static void on_event(void *data, struct event *e)
{
    (void)data;
    before += e->path.len && bytes_basename(e->path).data[0] == 'b';
    events++;
    event_free(e);
    if (events < NEVER)
        let_change('a');
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    (void)gap;
}

static int make(const char *name)
{
    snprintf(dir, sizeof(dir), "%s/%s", top, name);
    return mkdir(dir, 0700);
}

/* The folder that is watched; in a mount namespace of our own. */
static bool place(const struct row *row)
{
    char layers[256];

    if (make("w") < 0 && errno != EEXIST)
        return false;
    if (!row->overlay)
        return true;
    if (mount("culprit", top, "tmpfs", 0, NULL) < 0 || make("lower") < 0 || make("upper") < 0 || make("work") < 0 || make("w") < 0)
        return false;
    snprintf(layers, sizeof(layers), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", top, top, top);
    return mount("culprit", dir, "overlay", 0, layers) == 0;
}

static void ends_while_changes_go_on(void **state)
{
    const struct row *row = *state;
    struct watch_object object = { .id = 1, .view = VIEW_HOST, .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    struct sensor_options options = { .self = getpid(), .sink = { .event = on_event, .gap = on_gap } };
    struct sensor_capabilities has;
    struct sensor *s = NULL;
    pid_t child;
    int r;

    if (geteuid() != 0 || fanotify_sensor_ops.probe(&has, NULL) < 0 || !place(row))
        skip();
    object.path = object.host_path = bytes_of(dir);
    events = before = 0;
    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(done), 0);
    child = fork_child();
    if (child == 0)
        act();
    assert_int_equal(fanotify_sensor_ops.open(&options, &s, NULL), 0);
    assert_int_equal(fanotify_sensor_ops.watch(s, &object, NULL), 0);
    for (unsigned i = 0; i < row->before; i++)
        let_change('b');
    r = fanotify_sensor_ops.sync(s, 3600 * 1000, NULL); /* it ends by itself */
    assert_int_equal(r, 0);
    assert_int_equal(before, row->before);
    assert_true(events < NEVER);
    fanotify_sensor_ops.close(s);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
    char command[64];
    int failed;

    if (!mkdtemp(top) || (geteuid() == 0 && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)))
        return 1;
    failed = RUN_ROWS(rows, ends_while_changes_go_on);
    (void)umount2(dir, MNT_DETACH);
    (void)umount2(top, MNT_DETACH);
    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command) || failed;
}
