/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/bpf_sensor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "foreign/mounts.h"
#include "sensor/bpf/actors.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/guarding.h"
#include "sensor/bpf/objects.h"
#include "sensor/bpf/positions.h"
#include "sensor/bpf/programs.h"
#include "sensor/bpf/queue.h"
#include "sensor/bpf/record_event.h"
#include "sensor/bpf/skeleton.h"
#include "sensor/object/gap.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "wire/change.h"

#define DEFAULT_RING (16u << 20) /* bytes, each of the two: some 25,000 changes between two looks */
#define SMALLEST_RING (64u << 10)
#define BATCH_MAX 65536          /* records that wait at a time */
#define BATCH_BYTES (64u << 20)
#define BATCH_ACTORS (BPF_ACTORS_MAX / 3) /* as many as the kernel remembers, those before, and those that wait */

/* Of which of the rings a record comes. */
struct ring_source {
    struct sensor *sensor;
    unsigned lane;
};

struct sensor {
    struct sensor_options options;
    struct programs programs;
    struct bpf_objects *objects;
    struct bpf_emitter *emitter;
    struct ring_buffer *rings;
    struct ring_source rare, frequent;
    struct bpf_positions filled[BPF_QUEUE_LANES];
    struct bpf_queue queue;
    unsigned learned; /* actors since the last delivery */
    uint64_t lost[WIRE_LOSS_COUNT]; /* emitted so far */
    uint64_t damaged;
    int64_t missed;       /* as programs_missed(): emitted so far */
    uint64_t missed_ns, missed_from_ns; /* when it was looked at: CLOCK_MONOTONIC, CLOCK_REALTIME */
    uint64_t gap_from_ns; /* CLOCK_REALTIME */
    bool demand;          /* what is attached on demand is attached */
    bool served;          /* what notes writes to served files is */
    bool look;            /* something is new: who has it open? */
    bool already_open;    /* somebody has */
    bool guards;          /* what is watched may be refused: guarding.h */
    char not_seen[320];
};

/* ---- losses ---- */

static uint64_t loss_count(const struct sensor *s, uint32_t which)
{
    int cpus = libbpf_num_possible_cpus();
    _cleanup_free_ uint64_t *values = cpus > 0 ? calloc((size_t)cpus, sizeof(*values)) : NULL;
    uint64_t sum = 0;

    if (!values || bpf_map_lookup_elem(bpf_map__fd(s->programs.skeleton->maps.losses), &which, values) < 0)
        return s->lost[which];
    for (int i = 0; i < cpus; i++)
        sum += values[i];
    return sum;
}

/* Once a second, and at the end: each program is asked for. */
static void emit_missed(struct sensor *s, bool now)
{
    uint64_t clock = clock_ns(CLOCK_MONOTONIC);
    int64_t calls;

    if (!now && clock < s->missed_ns + NS_PER_S)
        return;
    calls = (programs_missed(&s->programs) - s->missed) / 2;
    if (calls > 0) {
        emit_gap(&s->options, SENSOR_BPF, LOST_WATCH_WINDOW, (uint64_t)calls, s->missed_from_ns,
                 "calls, of any file of this machine, that the kernel kept from culprit's programs: it had interrupted them");
        s->missed += 2 * calls;
    }
    s->missed_ns = clock;
    s->missed_from_ns = clock_ns(CLOCK_REALTIME);
}

static void emit_losses(struct sensor *s)
{
    static const struct {
        enum lost reason;
        const char *text;
    } rows[WIRE_LOSS_COUNT] = {
        [WIRE_LOSS_RARE_RING] = { LOST_RING_FULL, "names, metadata and mounts came faster than they were read" },
        [WIRE_LOSS_FREQUENT_RING] = { LOST_RING_FULL, "opens and writes came faster than they were read" },
        [WIRE_LOSS_PENDING] = { LOST_MAP_FULL, "more changes at one time than the kernel's side can remember" },
        [WIRE_LOSS_SCRATCH] = { LOST_MAP_FULL, "a change was interrupted while it was written down" },
    };

    for (uint32_t i = 0; i < WIRE_LOSS_COUNT; i++) {
        uint64_t n = loss_count(s, i);

        if (n > s->lost[i])
            emit_gap(&s->options, SENSOR_BPF, rows[i].reason, n - s->lost[i], s->gap_from_ns, rows[i].text);
        s->lost[i] = n;
    }
    if (s->damaged)
        emit_gap(&s->options, SENSOR_BPF, LOST_MAP_FULL, s->damaged, s->gap_from_ns, "records that do not hold together");
    s->damaged = 0;
    if (bpf_objects_take_unanswered(s->objects))
        emit_gap(&s->options, SENSOR_BPF, LOST_UNANSWERED, 0, s->gap_from_ns, FOREIGN_UNANSWERED);
    s->gap_from_ns = clock_ns(CLOCK_REALTIME);
}

/* ---- records ---- */

/*
 * Who acts comes in a ring before the changes that refer to it, and is known from then on: by its time it would come
 * after them, which are as old as the call that began them.
 */
static void learn(struct sensor *s, const void *record, size_t len)
{
    struct bpf_record r;

    if (bpf_decode(record, len, &r, NULL) < 0 || bpf_emitter_record(s->emitter, &r, 0) < 0)
        s->damaged++;
}

static int on_record(void *data, void *record, size_t len)
{
    const struct ring_source *from = data;
    struct sensor *s = from->sensor;
    struct wire_header h;

    if (len < sizeof(h)) {
        s->damaged++;
        return 0;
    }
    memcpy(&h, record, sizeof(h));
    if (h.type == WIRE_ACTOR) {
        learn(s, record, len);
        return ++s->learned >= BATCH_ACTORS ? -EAGAIN : 0;
    }
    s->already_open |= h.type == WIRE_ALREADY_OPEN;
    if (bpf_queue_add(&s->queue, from->lane, h.time_ns, record, len) < 0) {
        s->damaged++;
        return 0;
    }
    return s->queue.count >= BATCH_MAX || s->queue.bytes >= BATCH_BYTES ? -EAGAIN : 0;
}

static void handle(struct sensor *s, const struct bpf_queued *q, uint64_t offset)
{
    struct bpf_record r;

    if (bpf_decode(q->data, q->len, &r, NULL) < 0 || bpf_emitter_record(s->emitter, &r, offset) < 0)
        s->damaged++;
    else if (r.type == WIRE_CHANGE && r.change->error == 0 &&
             (r.change->operation == OPERATION_MOUNT || r.change->operation == OPERATION_UNMOUNT))
        s->look |= bpf_objects_follow_mounts(s->objects);
    bpf_objects_refresh(s->objects);
}

/* Deliver what is older than `until_ns`: of two rings, what is younger may not be complete yet. */
static void deliver(struct sensor *s, uint64_t until_ns)
{
    uint64_t offset = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    struct bpf_queued *record;

    s->learned = 0;
    /* the receiver may ask for watches, and so for a look at the rings: what that finds is taken out in its turn */
    while ((record = bpf_queue_take(&s->queue, until_ns))) {
        handle(s, record, offset);
        bpf_queue_give_back(&s->queue, record);
    }
}

/* Once for all that was added since: a look goes through every descriptor of the machine. */
static void find_already_open(struct sensor *s)
{
    struct bpf_object_watch *w = bpf_objects_first(s->objects);
    uint64_t from_ns = clock_ns(CLOCK_BOOTTIME), to_ns;
    struct err err = ERR_INIT;
    int r;

    if (!s->look)
        return;
    s->look = false;
    r = programs_find_already_open(&s->programs, &err);
    if (r < 0)
        log_warn(s->options.log, "bpf: %s; writes through them are reported at their last close", err_text(&err, r));
    to_ns = clock_ns(CLOCK_BOOTTIME);
    for (; w; w = w->next) {
        if (w->already_open_to_ns)
            continue;
        w->already_open_from_ns = from_ns;
        w->already_open_to_ns = to_ns;
    }
}

/* What is open for writing, and watched, is counted until its last close; what found no room there is not. */
static bool nothing_is_open(const struct sensor *s)
{
    return !__atomic_load_n(&s->programs.skeleton->bss->opened_count, __ATOMIC_SEQ_CST) && !loss_count(s, WIRE_LOSS_PENDING);
}

static void update_demand(struct sensor *s)
{
    struct err err = ERR_INIT;
    bool on = false, served = false;
    int r;

    if (s->already_open && nothing_is_open(s))
        s->already_open = false;
    for (struct bpf_object_watch *w = bpf_objects_first(s->objects); w; w = w->next) {
        on |= w->wanted.writes || s->already_open;
        served |= w->served;
    }
    if (on != s->demand) {
        r = programs_switch(&s->programs, FOR_WRITES, on, &err);
        if (r < 0)
            log_warn(s->options.log, "bpf: %s; single writes are not reported", err_text(&err, r));
        s->demand = on;
    }
    if (served != s->served) {
        r = programs_switch(&s->programs, FOR_SERVED, served, &err);
        if (r < 0)
            log_warn(s->options.log, "bpf: %s; on FUSE and network file systems writes that change no size are not reported", err_text(&err, r));
        s->served = served;
    }
}

static int bpf_dispatch(struct sensor *s, struct err *err)
{
    uint64_t until_ns;
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(s->filled); i++)
        bpf_positions_note(&s->filled[i]);
    find_already_open(s);
    if (s->guards)
        guarding_turn();
    until_ns = clock_ns(CLOCK_BOOTTIME);
    r = ring_buffer__consume(s->rings);
    update_demand(s); /* first: to name an actor may take a while */
    deliver(s, until_ns);
    if (r == 0)
        bpf_queue_rest(&s->queue);
    emit_losses(s);
    emit_missed(s, false);
    return r < 0 && r != -EAGAIN ? err_set(err, r, "BPF ring buffers") : 0;
}

/* What was in the rings is out of them, and all of it was old enough to be delivered. */
static bool bpf_is_read(const struct sensor *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(s->filled); i++)
        if (!bpf_positions_are_read(&s->filled[i]))
            return false;
    return true;
}

static int bpf_sync(struct sensor *s, unsigned timeout_ms, struct err *err)
{
    uint64_t until_ns = clock_ns(CLOCK_BOOTTIME), deadline = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    int r;

    do {
        r = ring_buffer__consume(s->rings);
        deliver(s, until_ns);
    } while (r == -EAGAIN && clock_ns(CLOCK_MONOTONIC) < deadline);
    emit_losses(s);
    emit_missed(s, true);
    if (r == -EAGAIN)
        return err_set(err, -EAGAIN, "records that are still waiting");
    return r < 0 ? err_set(err, r, "BPF ring buffers") : 0;
}

static int bpf_fd(const struct sensor *s)
{
    return ring_buffer__epoll_fd(s->rings);
}

/* ---- what is watched ---- */

static int bpf_watch(struct sensor *s, const struct watch_object *object, struct err *err)
{
    int r = bpf_objects_add(s->objects, object, err);

    update_demand(s);
    if (r == 0)
        s->look = true;
    return r;
}

static int bpf_unwatch(struct sensor *s, uint32_t object_id, struct err *err)
{
    int r = bpf_objects_remove(s->objects, object_id);

    update_demand(s);
    return r < 0 ? err_set(err, r, "no such watch") : 0;
}

static const char *bpf_not_seen(struct sensor *s)
{
    return s->not_seen;
}

/* ---- opening and closing ---- */

static void bpf_close(struct sensor *s)
{
    if (!s)
        return;
    if (s->guards)
        guarding_closed();
    ring_buffer__free(s->rings);
    for (size_t i = 0; i < ARRAY_SIZE(s->filled); i++)
        bpf_positions_done(&s->filled[i]);
    bpf_emitter_free(s->emitter);
    bpf_objects_free(s->objects);
    if (s->programs.skeleton)
        programs_unload(&s->programs);
    bpf_queue_done(&s->queue);
    free(s);
}

static uint64_t ring_size(uint64_t wanted)
{
    uint64_t size = SMALLEST_RING;

    if (!wanted)
        return DEFAULT_RING;
    while (size < wanted && size < 1u << 30)
        size *= 2;
    return size;
}

/* Kernels before 5.11 count maps as locked memory; each watch holds a descriptor. */
static void raise_limits(void)
{
    struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY }, files;

    (void)setrlimit(RLIMIT_MEMLOCK, &all);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* What probe() has loaded and attached, for the open() that follows: that is most of a start. It sees nothing
 * until something is watched. */
static struct programs kept;
static uint64_t kept_ring; /* 0 = there is none */
static bool kept_guards;   /* with the guard's */

static void bpf_forget(void)
{
    if (kept_ring)
        programs_unload(&kept);
    kept_ring = 0;
    kept_guards = false;
}

int bpf_sensor_load(enum guard_kind kind, bool nobody_may, struct err *err)
{
    struct programs_options loading = { .ring_size = DEFAULT_RING, .guard = kind, .nobody_may = nobody_may };
    int r;

    bpf_forget();
    raise_limits();
    r = programs_load(&loading, &kept, err);
    if (r < 0)
        return r;
    kept_ring = loading.ring_size;
    kept_guards = true;
    return 0;
}

static void on_event(void *data, struct event *event)
{
    struct sensor *s = data;

    s->options.sink.event(s->options.sink.data, event);
}

static int bpf_open(const struct sensor_options *options, struct sensor **ret, struct err *err)
{
    struct programs_options loading = { .log = options->log, .ring_size = ring_size(options->ring_size) };
    struct bpf_emitter_options emitter = { .event = on_event };
    struct sensor *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return err_set(err, -ENOMEM, "bpf");
    s->options = *options;
    raise_limits();
    if (kept_guards || kept_ring == loading.ring_size) {
        s->programs = kept;
        s->guards = kept_guards;
        kept_ring = 0;
        kept_guards = false;
        r = 0;
    } else {
        bpf_forget();
        r = programs_load(&loading, &s->programs, err);
    }
    if (r == 0)
        r = bpf_objects_new(&s->programs, &s->objects, err);
    emitter.objects = s->objects;
    emitter.data = s;
    if (r == 0)
        r = bpf_emitter_new(&emitter, &s->emitter, err);
    if (r == 0) {
        s->rare = (struct ring_source){ s, 0 };
        s->frequent = (struct ring_source){ s, 1 };
        s->rings = ring_buffer__new(bpf_map__fd(s->programs.skeleton->maps.rare), on_record, &s->rare, NULL);
        if (!s->rings ||
            ring_buffer__add(s->rings, bpf_map__fd(s->programs.skeleton->maps.frequent), on_record, &s->frequent) < 0)
            r = err_set(err, -errno, "BPF ring buffers");
    }
    if (r == 0)
        r = bpf_positions_open(&s->filled[0], bpf_map__fd(s->programs.skeleton->maps.rare), err);
    if (r == 0)
        r = bpf_positions_open(&s->filled[1], bpf_map__fd(s->programs.skeleton->maps.frequent), err);
    if (r < 0) {
        bpf_close(s);
        return r;
    }
    s->programs.skeleton->bss->self_tgid = (uint32_t)options->self;
    if (s->guards)
        guarding_opened(&s->programs, s->objects);
    s->gap_from_ns = s->missed_from_ns = clock_ns(CLOCK_REALTIME);
    s->missed = programs_missed(&s->programs); /* before anything was watched */
    snprintf(s->not_seen, sizeof(s->not_seen), "%s", s->programs.missing);
    *ret = s;
    return 0;
}

static int bpf_probe(struct sensor_capabilities *ret, struct err *err)
{
    struct programs_options loading = { .ring_size = DEFAULT_RING };
    struct err why = ERR_INIT;
    int r = 0;

    *ret = (struct sensor_capabilities){ .cost = 130 };
    raise_limits();
    if (!kept_ring)
        r = programs_load(&loading, &kept, &why);
    if (r < 0) {
        snprintf(ret->state, sizeof(ret->state), "%.250s", err_text(&why, r));
        return err_say(err, r, "%s", err_text(&why, r));
    }
    kept_ring = loading.ring_size;
    ret->works = true;
    ret->has = kept.has;
    snprintf(ret->state, sizeof(ret->state), "%s%.230s", kept.missing[0] ? "works; not seen: " : "works", kept.missing);
    return 0;
}

const struct sensor_ops bpf_sensor_ops = {
    .name = "bpf",
    .bit = SENSOR_BPF,
    /* before 5.11 memory of maps counts against a limit that has to be raised */
    .privileges = 1ull << CAP_BPF | 1ull << CAP_PERFMON | 1ull << CAP_SYS_RESOURCE,
    .poll_backoff_us = 4000, /* each waking costs whoever acts 1,500 instructions; the rings hold far more than comes in that time */
    .probe = bpf_probe,
    .forget = bpf_forget,
    .open = bpf_open,
    .watch = bpf_watch,
    .unwatch = bpf_unwatch,
    .fd = bpf_fd,
    .dispatch = bpf_dispatch,
    .is_read = bpf_is_read,
    .sync = bpf_sync,
    .not_seen = bpf_not_seen,
    .close = bpf_close,
};
