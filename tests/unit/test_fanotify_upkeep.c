/* SPDX-License-Identifier: MIT */
/* What is at a watched path is compared, and watched anew, while changes are made: none of them is lost in silence. As root. */
#include "test.h"
#include "own_tmpfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/operation.h"
#include "event/watch_object.h"
#include "sensor/fanotify/fanotify.h"
#include "sensor/fanotify/upkeep.h"
#include "sensor/sensor.h"

#define TURNS 20
#define PAUSE_US 15000 /* what is done some time later, by a tick, is done within all turns */

struct row {
    const char *name;
    const char *before, *script; /* what is there when it is watched; what is done then */
    bool look;                   /* the path is looked at after that, as if the queue had been read right before it */
    unsigned created, gaps;      /* MID/leaf/k; more gaps are as good as one */
};

static const struct row rows[] = {
    { "between the end of the queue and a look: reported", "mkdir -p mid/leaf", "touch mid/leaf/k; mv mid gone", true, 1, 0 },
    { "the same, and another one came", "mkdir -p mid/leaf", "touch mid/leaf/k; mv mid gone; mkdir mid", true, 1, 1 },
    { "a folder on the way came and went: a gap", "true", "mkdir -p mid/leaf; touch mid/leaf/k; mv mid gone", false, 0, 1 },
    { "it was removed", "true", "mkdir -p mid/leaf; touch mid/leaf/k; rm -r mid", false, 0, 1 },
    { "it came by a move", "mkdir -p staged/leaf", "mv staged mid; touch mid/leaf/k; mv mid gone", false, 0, 1 },
    { "what was done in one that stays: reported", "true", "mkdir -p mid/leaf; touch mid/leaf/k; rm mid/leaf/k", false, 1, 0 },
    { "it came and is there", "true", "mkdir mid; mkdir mid/leaf", false, 0, 0 },
    { "a file came there and went", "true", "touch mid; rm mid", false, 0, 0 },
};

static char top[] = "/tmp/culprit-upkeep-XXXXXX", path[sizeof(top) + 32];
static unsigned created, gaps;

static void on_event(void *data, struct event *e)
{
    (void)data;
    created += e->operation == OPERATION_CREATE && bytes_equal_str(bytes_basename(e->path), "k");
    event_free(e);
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    (void)gap;
    gaps++;
}

/* By another process: what the sensor's own does is nobody's change. */
static void act(const char *script)
{
    char command[256];

    snprintf(command, sizeof(command), "cd %s && { %s; }", top, script);
    assert_int_equal(system(command), 0);
}

static void turn(struct sensor *s)
{
    for (unsigned i = 0; i < TURNS; i++) {
        assert_int_equal(fanotify_sensor_ops.dispatch(s, NULL), 0);
        usleep(PAUSE_US);
    }
    assert_int_equal(fanotify_sensor_ops.sync(s, 60 * 1000, NULL), 0);
}

static void nothing_is_lost_in_silence(void **state)
{
    const struct row *row = *state;
    struct watch_object object = { .id = 1, .view = VIEW_HOST, .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    struct sensor_options options = { .self = getpid(), .sink = { .event = on_event, .gap = on_gap } };
    struct sensor_capabilities has;
    struct sensor *s = NULL;

    if (geteuid() != 0 || fanotify_sensor_ops.probe(&has, NULL) < 0)
        skip();
    act("rm -rf *");
    act(row->before);
    snprintf(path, sizeof(path), "%s/mid/leaf", top);
    object.path = object.host_path = bytes_of(path);
    created = gaps = 0;
    assert_int_equal(fanotify_sensor_ops.open(&options, &s, NULL), 0);
    assert_int_equal(fanotify_sensor_ops.watch(s, &object, NULL), 0);
    turn(s);
    assert_int_equal(gaps, 0);
    act(row->script);
    if (row->look) {
        s->next_tick_ms = 0;
        fanotify_upkeep(s, true);
    }
    turn(s);
    assert_int_equal(created, row->created);
    assert_int_equal(gaps > 0, row->gaps);
    fanotify_sensor_ops.close(s);
}

int main(void)
{
    int failed;

    if (!own_tmpfs_begin(top))
        return 1;
    failed = RUN_ROWS(rows, nothing_is_lost_in_silence);
    return !own_tmpfs_end(top) || failed;
}
