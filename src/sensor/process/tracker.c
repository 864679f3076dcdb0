/* SPDX-License-Identifier: MIT */
#include "sensor/process/tracker.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/process/connector.h"
#include "sensor/process/raw_tracepoint.h"

const struct tracker_ops *const trackers[] = {
    &raw_tracepoint_tracker_ops,
    &connector_tracker_ops,
    NULL,
};

struct tracker {
    const struct tracker_ops *ops;
    void *context;
};

int tracker_open(const struct tracker_options *options, struct tracker **ret, struct err *err)
{
    struct tracker *t = calloc(1, sizeof(*t));
    int r = -ENODEV;

    if (!t)
        return err_set(err, -ENOMEM, "process tracker");
    for (unsigned i = 0; trackers[i]; i++) {
        r = trackers[i]->open(options, &t->context, err);
        if (r == 0) {
            t->ops = trackers[i];
            *ret = t;
            return 0;
        }
    }
    free(t);
    return r;
}

static void ignore_process(void *data, const struct process_event *event)
{
    (void)data;
    (void)event;
}

static void ignore_gap(void *data, const struct gap *gap)
{
    (void)data;
    (void)gap;
}

const struct tracker_ops *tracker_probe(void)
{
    const struct tracker_options options = { .sink = { NULL, ignore_process, ignore_gap } };
    const struct tracker_ops *ops;
    struct tracker *t;

    if (tracker_open(&options, &t, NULL) < 0)
        return NULL;
    ops = t->ops;
    tracker_close(t);
    return ops;
}

const struct tracker_ops *tracker_ops_of(const struct tracker *tracker)
{
    return tracker->ops;
}

int tracker_fd(const struct tracker *tracker)
{
    return tracker->ops->fd(tracker->context);
}

int tracker_dispatch(struct tracker *tracker, struct err *err)
{
    return tracker->ops->dispatch(tracker->context, err);
}

void tracker_close(struct tracker *tracker)
{
    if (!tracker)
        return;
    tracker->ops->close(tracker->context);
    free(tracker);
}
