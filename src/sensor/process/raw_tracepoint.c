/* SPDX-License-Identifier: MIT */
#include "sensor/process/raw_tracepoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "sensor/process/connector.h"
#include "sensor/process/decode.h"
#include "util/cleanup.h"
#include "tracker.skel.h"
#include "util/clock.h"

#define NOTIFICATIONS_SIZE (2 * 1024 * 1024) /* some 2,000 short lives, while the loop is busy elsewhere; mapped twice */
#define COUNT_NS (100 * NS_PER_MS)  /* losses are looked at so often */
#define PROCESSORS_MAX 8192

struct raw_tracepoint {
    struct tracker_options options;
    struct tracker_bpf *programs;
    struct ring_buffer *ring;
    void *connector; /* NULL: changes of credentials are not reported */
    int epoll_fd;
    uint64_t lost, counted_ns;
    uint64_t last_ns; /* CLOCK_REALTIME when nothing had been lost yet: where a gap begins */
    uint64_t *counts;
    int processors;
    int damaged;
};

static int on_record(void *data, void *bytes, size_t len)
{
    static const enum process_event_kind kinds[] = {
        [WIRE_PROCESS_FORK] = PROCESS_FORK,     [WIRE_PROCESS_EXEC] = PROCESS_EXEC,
        [WIRE_PROCESS_EXIT] = PROCESS_EXIT,     [WIRE_PROCESS_COMM] = PROCESS_COMM,
        [WIRE_PROCESS_CGROUP] = PROCESS_CGROUP,
    };
    struct raw_tracepoint *c = data;
    struct process_record record;
    struct process_event event = { 0 };

    if (process_decode(bytes, len, &record, NULL) < 0 || record.fixed.kind < WIRE_PROCESS_FORK ||
        record.fixed.kind >= ARRAY_SIZE(kinds)) {
        c->damaged++;
        return 0;
    }
    event.kind = kinds[record.fixed.kind];
    event.boot_ns = record.fixed.time_ns;
    event.pid = (pid_t)record.fixed.tgid;
    event.start_ns = record.fixed.start_ns;
    event.parent_pid = (pid_t)record.fixed.parent;
    event.captured = process_from_record(&record);
    if (event.captured)
        c->options.sink.process(c->options.sink.data, &event);
    else
        c->damaged++;
    process_unref(event.captured);
    return 0;
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

/* The three that matter must attach; a name or a cgroup that changes without an exec is the rest. */
static int attach(struct tracker_bpf *s, struct err *err)
{
    const struct {
        struct bpf_program *program;
        struct bpf_link **link;
        bool needed;
    } rows[] = {
        { s->progs.on_exit, &s->links.on_exit, true },
        { s->progs.on_exec, &s->links.on_exec, true },
        { s->progs.on_fork, &s->links.on_fork, true },
        { s->progs.on_rename, &s->links.on_rename, false },
        { s->progs.on_attach, &s->links.on_attach, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        *rows[i].link = bpf_program__attach(rows[i].program);
        if (!*rows[i].link && rows[i].needed)
            return err_set(err, -errno, "raw tracepoints");
    }
    return 0;
}

static int follow_fd(struct raw_tracepoint *c, int fd)
{
    struct epoll_event event = { .events = EPOLLIN };

    return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static void raw_close(void *context)
{
    struct raw_tracepoint *c = context;

    if (!c)
        return;
    if (c->connector)
        connector_tracker_ops.close(c->connector);
    ring_buffer__free(c->ring);
    tracker_bpf__destroy(c->programs);
    if (c->epoll_fd >= 0)
        close(c->epoll_fd);
    free(c->counts);
    free(c);
}

static int raw_open(const struct tracker_options *options, void **ret, struct err *err)
{
    struct raw_tracepoint *c = calloc(1, sizeof(*c));
    struct tracker_options credentials = *options;
    libbpf_print_fn_t before;
    int r = 0;

    if (!c)
        return err_set(err, -ENOMEM, "raw tracepoints");
    c->options = *options;
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->processors = libbpf_num_possible_cpus();
    before = libbpf_set_print(silent); /* libraries do not print: the error says it */
    c->programs = c->epoll_fd >= 0 && c->processors > 0 && c->processors <= PROCESSORS_MAX
                      ? tracker_bpf__open()
                      : NULL;
    r = c->programs ? 0 : -errno;
    if (r == 0)
        c->counts = calloc((size_t)c->processors, sizeof(*c->counts));
    if (r == 0 && !c->counts)
        r = -ENOMEM;
    if (r == 0) {
        c->programs->rodata->notifications_size = NOTIFICATIONS_SIZE;
        (void)bpf_map__set_max_entries(c->programs->maps.notifications, NOTIFICATIONS_SIZE);
        r = tracker_bpf__load(c->programs);
    }
    if (r == 0) {
        c->ring = ring_buffer__new(bpf_map__fd(c->programs->maps.notifications), on_record, c, NULL);
        r = c->ring ? attach(c->programs, err) : -errno;
    }
    if (r == 0)
        r = follow_fd(c, ring_buffer__epoll_fd(c->ring));
    libbpf_set_print(before);
    if (r < 0) {
        raw_close(c);
        return err_set(err, r, "raw tracepoints");
    }
    credentials.credentials_only = true;
    if (connector_tracker_ops.open(&credentials, &c->connector, NULL) == 0)
        (void)follow_fd(c, connector_tracker_ops.fd(c->connector));
    else
        c->connector = NULL;
    c->last_ns = clock_ns(CLOCK_REALTIME);
    *ret = c;
    return 0;
}

static int raw_fd(const void *context)
{
    return ((const struct raw_tracepoint *)context)->epoll_fd;
}

static void count_losses(struct raw_tracepoint *c)
{
    uint64_t lost = (uint64_t)c->damaged;
    uint32_t zero = 0;

    if (bpf_map_lookup_elem(bpf_map__fd(c->programs->maps.losses), &zero, c->counts) < 0)
        return;
    for (int i = 0; i < c->processors; i++)
        lost += c->counts[i];
    if (lost > c->lost) {
        struct gap gap = { .reason = LOST_PROCESS_EVENTS,
                           .count = lost - c->lost,
                           .from_ns = c->last_ns,
                           .to_ns = clock_ns(CLOCK_REALTIME) };

        snprintf(gap.text, sizeof(gap.text),
                 "news of processes; short-lived actors of that moment may stay unnamed");
        c->lost = lost;
        c->options.sink.gap(c->options.sink.data, &gap);
    }
    c->last_ns = clock_ns(CLOCK_REALTIME);
}

static int raw_dispatch(void *context, struct err *err)
{
    struct raw_tracepoint *c = context;
    uint64_t time_ns;
    int r = ring_buffer__consume(c->ring);

    if (r < 0)
        return err_set(err, r, "raw tracepoints");
    time_ns = clock_ns(CLOCK_MONOTONIC);
    if (time_ns - c->counted_ns >= COUNT_NS) {
        c->counted_ns = time_ns;
        count_losses(c);
    }
    return c->connector ? connector_tracker_ops.dispatch(c->connector, err) : 0;
}

const struct tracker_ops raw_tracepoint_tracker_ops = {
    .name = "raw tracepoints",
    .weakness = "",
    .captures = true,
    .open = raw_open,
    .fd = raw_fd,
    .dispatch = raw_dispatch,
    .close = raw_close,
};
