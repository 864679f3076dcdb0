/* SPDX-License-Identifier: MIT */
/* The end of an observation is not held up by whoever goes on making changes: sync() reads what happened before it. As root. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/operation.h"
#include "event/watch_object.h"
#include "sensor/fanotify/fanotify.h"
#include "sensor/sensor.h"

#define BEFORE 50      /* changes that were made before */
#define NEVER 20000u /* that many events and no end: it does not come */

static char dir[] = "/tmp/culprit-sync-XXXXXX";
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

static void ends_while_changes_go_on(void **state)
{
    const struct watch_object object = { .id = 1, .path = bytes_of(dir), .host_path = bytes_of(dir), .view = VIEW_HOST,
                                         .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    struct sensor_options options = { .self = getpid(), .sink = { .event = on_event, .gap = on_gap } };
    struct sensor_capabilities has;
    struct sensor *s = NULL;
    pid_t child;
    int r;

    (void)state;
    if (geteuid() != 0 || fanotify_sensor_ops.probe(&has, NULL) < 0)
        skip();
    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(done), 0);
    child = fork_child();
    if (child == 0)
        act();
    assert_int_equal(fanotify_sensor_ops.open(&options, &s, NULL), 0);
    assert_int_equal(fanotify_sensor_ops.watch(s, &object, NULL), 0);
    for (unsigned i = 0; i < BEFORE; i++)
        let_change('b');
    r = fanotify_sensor_ops.sync(s, 3600 * 1000, NULL); /* it ends by itself */
    assert_int_equal(r, 0);
    assert_int_equal(before, BEFORE);
    assert_true(events < NEVER);
    fanotify_sensor_ops.close(s);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ends_while_changes_go_on) };
    char command[64];
    int failed;

    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command) || failed;
}
