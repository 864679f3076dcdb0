/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_sensors.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_sources.h"
#include "daemon/pipeline_stages.h"
#include "daemon/privileges.h"
#include "sensor/sensors.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/priority.h"
#include "util/sbuf.h"

#define LEAVE_MS 500         /* a sensor that is left delivers what it saw within that */

/* Before there are threads of ours: each keeps what the process has when it is started. */
static void give_away_privileges(struct pipeline *p)
{
    int r;

    p->raised = priority_raise();
    if (p->raised && !p->options.commands) /* COMMAND is in the session, and is no observer */
        (void)priority_raise_session();
    r = privileges_drop(privileges_needed(&p->choice) | p->options.keep, p->options.commands);

    if (r < 0)
        log_warn(p->options.log, "privileges that are not needed cannot be given away: %s; keeping them",
                 strerror(-r));
}

/* Also where other sensors are used: rules of a culprit that was killed slow every process down. */
static void recover(const struct pipeline_options *options)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;

    sensors_recover(options->state_dir, options->log, &said);
    if (said.len)
        log_warn(options->log, "a killed culprit had left %s; undone", sbuf_str(&said));
}

static struct choice_wish wish_of(const struct pipeline *p)
{
    return (struct choice_wish){ p->options.sensors, p->options.permissions, p->options.targets };
}

/* One of several: what only it would have seen is not seen any more. */
static void go_on_without(struct pipeline *p, const struct sensor_ops *ops, const char *why)
{
    const struct choice_wish wish = wish_of(p);

    if (!p->choice.automatic) /* else it is said with all that it means: pipeline_ready() */
        log_warn(p->options.log, "sensor %s: %s; going on without it", ops->name, why);
    choice_leave_out(&p->choice, &wish, ops, why);
}

int pipeline_choose_sensors(struct pipeline *p, struct err *err)
{
    const struct choice_wish wish = wish_of(p);
    int r;

    recover(&p->options);
    r = choose_sensors(&wish, p->follower ? follower_tracker(p->follower) : NULL, &p->choice, err);
    if (r < 0)
        return r;
    give_away_privileges(p);
    return p->follower ? follower_start(p->follower, err) : 0;
}

int pipeline_open_sensors(struct pipeline *p, struct err *err)
{
    struct sensor_options options = {
        .log = p->options.log,
        .sink = { p, pipeline_on_event, pipeline_on_process, pipeline_on_gap },
        .ring_size = p->options.ring_size,
        .self = getpid(),
        .state_dir = p->options.state_dir,
    };
    int r;

    for (size_t i = 0; i < p->choice.count;) {
        const struct sensor_ops *ops = p->choice.sensors[i];
        struct sensor *sensor = NULL;
        struct err why = ERR_INIT;

        options.alone = p->choice.automatic && p->choice.count > 1;
        r = ops->open(&options, &sensor, &why);
        if (r < 0 && p->choice.count == 1)
            return err_say(err, r, "sensor %s: %s", ops->name, err_text(&why, r));
        if (r < 0) {
            go_on_without(p, ops, err_text(&why, r));
            continue;
        }
        i++;
        p->sensors[p->sensor_count++] = (struct open_sensor){ .ops = ops, .sensor = sensor, .fd = ops->fd(sensor) };
        r = pipeline_add_source(p, SOURCE_SENSOR, ops->fd(sensor), NULL, sensor, err);
        if (r < 0)
            return r;
    }
    if (p->choice.compromise[0])
        pipeline_on_notice(p, p->choice.compromise);
    return p->sensor_count ? 0 : err_say(err, -ENODEV, "no sensor could be opened");
}

static void close_sensor(struct pipeline *p, size_t index)
{
    struct open_sensor *s = &p->sensors[index];

    pipeline_follow_fd(p, SOURCE_SENSOR, s->sensor, &s->fd, -1);
    s->ops->close(s->sensor);
    p->sensor_count--;
    memmove(s, s + 1, (p->sensor_count - index) * sizeof(*s));
}

/*
 * Its place was taken by somebody whom it would disturb: the others go on. What it saw before is emitted, and from now on
 * the record says what is not seen.
 */
static void leave_sensor(struct pipeline *p, size_t index, const char *why)
{
    const struct sensor_ops *ops = p->sensors[index].ops;

    (void)ops->sync(p->sensors[index].sensor, LEAVE_MS, NULL);
    close_sensor(p, index);
    go_on_without(p, ops, why);
    if (p->fuse)
        fuse_set_sensors(p->fuse, pipeline_open_sensor_bits(p), clock_ns(CLOCK_MONOTONIC));
    pipeline_on_notice(p, p->choice.compromise);
    if (!p->from_ns) /* it has not begun yet */
        return;
    pipeline_renew_coverage(p);
}

void pipeline_leave_taken_sensors(struct pipeline *p)
{
    for (size_t i = 0; i < p->sensor_count;) {
        if (p->sensors[i].taken[0] && p->sensor_count > 1) {
            char why[sizeof(p->sensors[i].taken)];

            memcpy(why, p->sensors[i].taken, sizeof(why));
            leave_sensor(p, i, why);
        } else {
            i++;
        }
    }
}
