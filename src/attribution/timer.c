/* SPDX-License-Identifier: MIT */
#include "attribution/timer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-bus.h>
#endif

#include "attribution/procfs.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/macro.h"
#include "util/parse.h"

#define WAIT_MS 2000 /* before the event goes on without: systemd is busy just when it starts things */
#define AFTER_SILENCE_MS 100 /* the same, after it did not answer */
#define FORK_US 5000000u /* from the timer's end to the service's first process, on a busy machine */
#define TIMERS_MAX 16

struct timer_question {
    uint64_t start_ns;
    pid_t pid;
    char unit[LIMIT_NAME + 1];
};

/* ---- pure parts ---- */

static bool is_timer(struct bytes unit)
{
    return unit.len > strlen(".timer") && unit.len <= LIMIT_NAME && bytes_ends_with(unit, bytes_of(".timer"));
}

struct bytes timer_of_environment(struct bytes environment)
{
    struct bytes unit = procfs_variable(environment, "TRIGGER_UNIT", '\0');

    return is_timer(unit) ? unit : BYTES_NULL;
}

struct bytes timer_just_before(struct bytes lines, uint64_t started_us)
{
    struct bytes found = BYTES_NULL;

    while (lines.len) {
        struct bytes line = bytes_next_line(&lines);
        const char *space = bytes_char(line, ' ');
        uint64_t fired;

        if (!space || parse_u64((struct bytes){ space + 1, line.len - (size_t)(space + 1 - line.data) }, 10, &fired) < 0)
            continue;
        if (!fired || fired > started_us || started_us - fired > FORK_US)
            continue;
        if (found.len)
            return BYTES_NULL;
        found = (struct bytes){ line.data, (size_t)(space - line.data) };
    }
    return is_timer(found) ? found : BYTES_NULL;
}

/* ---- in a worker: systemd's own words ---- */

#ifdef HAVE_LIBSYSTEMD
/* The socket that systemctl uses as root: no message bus need run. */
static sd_bus *open_manager(void)
{
    sd_bus *bus = NULL;

    if (sd_bus_new(&bus) < 0)
        return NULL;
    if (sd_bus_set_address(bus, "unix:path=/run/systemd/private") < 0 || sd_bus_start(bus) < 0)
        return sd_bus_unref(bus);
    return bus;
}

static void add_last(sd_bus *bus, const char *timer, struct sbuf *lines)
{
    uint64_t fired = 0;
    char *path = NULL;

    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", timer, &path) < 0)
        return;
    if (sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Timer",
                                    "LastTriggerUSecMonotonic", NULL, 't', &fired) >= 0)
        sbuf_addf(lines, "%s %" PRIu64 "\n", timer, fired);
    free(path);
}

static int gather_timers(const char *unit, struct gathered *g)
{
    sd_bus *bus = open_manager();
    struct sbuf lines = SBUF_INIT;
    char *path = NULL, **names = NULL;

    if (!bus)
        return 0;
    if (sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path) >= 0 &&
        sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path, "org.freedesktop.systemd1.Unit", "TriggeredBy", NULL,
                                 &names) >= 0)
        for (size_t i = 0; names && names[i] && i < TIMERS_MAX; i++)
            if (is_timer(bytes_of(names[i])))
                add_last(bus, names[i], &lines);
    /* the worker ends with its answer: nothing is freed */
    sd_bus_close(bus);
    return lines.len ? gathered_add(g, "timers", lines.data, lines.len) : 0;
}
#else
static int gather_timers(const char *unit, struct gathered *g)
{
    (void)unit, (void)g;
    return 0;
}
#endif

static int gather(struct bytes request, struct gathered *g)
{
    struct timer_question q;
    char *text;
    size_t len;

    if (request.len != sizeof(q))
        return -EINVAL;
    memcpy(&q, request.data, sizeof(q));
    if (procfs_read_environment("/proc", q.pid, q.start_ns, &text, &len) >= 0 && gathered_add(g, "environment", text, len) < 0)
        return -EFBIG;
    if (timer_of_environment(gathered_get(g, "environment")).len)
        return 0;
    return gather_timers(q.unit, g);
}

/* Of a process: time since boot; of systemd: without what the machine slept. */
static uint64_t monotonic_us(uint64_t boottime_ns)
{
    uint64_t awake = clock_ns(CLOCK_MONOTONIC); /* first: it is never the later one */
    uint64_t slept = clock_ns(CLOCK_BOOTTIME) - awake;

    return boottime_ns > slept ? (boottime_ns - slept) / 1000 : 0;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes unit = timer_of_environment(gathered_get(g, "environment"));
    struct timer_question q;

    memcpy(&q, request.data, sizeof(q));
    if (!unit.len)
        unit = timer_just_before(gathered_get(g, "timers"), monotonic_us(q.start_ns));
    sbuf_add_bytes(answer, unit);
    return unit.len ? sbuf_error(answer) : -ENOENT;
}

static const struct foreign_job job = { "what started a service", 128 * 1024, gather, parse, false };

int timer_find(const struct process *p, bool *hangs, struct sbuf *ret)
{
    struct timer_question q = { .start_ns = p->start_ns, .pid = p->pid };
    int r;

    if (p->owner.unit.len >= sizeof(q.unit) || !p->start_ns)
        return -ENOENT;
    memcpy(q.unit, p->owner.unit.data, p->owner.unit.len);
    r = foreign_ask(&job, (struct bytes){ (const char *)&q, sizeof(q) }, *hangs ? AFTER_SILENCE_MS : WAIT_MS, ret, NULL);
    *hangs = r == -ETIMEDOUT;
    return r;
}
