/* SPDX-License-Identifier: MIT */
/*
 * The stages joined: sensors and engines in, attribution and watches in the middle, store, case and
 * the caller out. `watch`, `run` and `daemon` use it. One thread; the store has a writer of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "copies/report.h"
#include "event/coverage.h"
#include "event/event.h"
#include "event/filter.h"
#include "report/case.h"
#include "sensor/sensor.h"
#include "store/store.h"
#include "util/err.h"
#include "util/log.h"
#include "watch/target.h"

struct pipeline;

struct pipeline_options {
    const struct log *log;
    const char *sensors;       /* "auto", "cheap", or a list "fanotify,audit" */
    size_t targets;            /* so many will be added; 0 = not known, few */
    const char *store_path;    /* NULL = the default place */
    bool no_store;
    const char *docker_socket; /* NULL = the usual places */
    const char *state_dir;     /* "/run/culprit" */
    uint64_t ring_size;        /* 0 = default */
    uint64_t keep_copies;      /* of what is watched, so many bytes on disk, beside the store; 0: none */
    bool choose_copies;        /* only of what pipeline_choose_copies() says */
    unsigned permissions;      /* enum permission */
    bool writes;
    const char *key;           /* NULL = none */
    struct bytes host_id, host_name; /* this machine, for the record; borrowed for the whole life */
    struct bytes narrowed;     /* options that leave something out, as written; borrowed for the whole life */
    uint64_t keep;             /* 1 << CAP_...: what the caller needs besides; PRIVILEGES_ALL = give nothing away */
    bool commands;             /* the caller starts programs that need what the user may do */
    bool no_seccomp;           /* pipeline_confine() does nothing */
    bool no_case;              /* nobody asks for a verdict: none is collected, and nothing is kept that grows */
    uint64_t finish_ns;        /* at the end, events that wait are read for so long; 0: a minute */
    struct case_options case_options;
    const struct filter *filter; /* borrowed; what it leaves out is in the store, and only counted in the case. NULL: none */

    /* What is emitted as it happens; every member may be NULL. Borrowed for the call. */
    void *data;
    void (*event)(void *data, const struct event *event);
    void (*life)(void *data, const struct lifecycle_event *life);
    void (*container)(void *data, const struct container *container); /* any that is made or started, watched or not */
    void (*gap)(void *data, const struct gap *gap);
    void (*notice)(void *data, const char *text); /* one line for stderr, without "culprit: " */
    void (*explain)(void *data, enum explanation kind, uint64_t time_ns, uint64_t files, struct bytes detail); /* as the case gets it */
    void (*idle)(void *data); /* each time everything that was there has been delivered */
};

/*
 * Opens sensors, tracker, engines and store; nothing is watched yet. What works without (store,
 * engines, tracker) is warned about and left out; without any sensor: -EPERM or -ENODEV.
 */
int pipeline_open(const struct pipeline_options *options, struct pipeline **ret, struct err *err);

/* For how long the store keeps what it has, as store_retain(). -ENOMEM; 0 also where there is none. */
int pipeline_retain(struct pipeline *p, const struct store_retention *retention);

/* Of which watched paths copies are kept, as targets are written, in place of what was said before; on the host the innermost decides, and what none covers has
 * none. After they are watched. Copied. age_ns: for how long they are kept; 0: as far as the limit goes. -ENOMEM */
struct pipeline_choice {
    const char *target;
    bool keep;
};
int pipeline_choose_copies(struct pipeline *p, const struct pipeline_choice *choices, size_t count, uint64_t age_ns);

/* Takes over the target. From its return on changes are seen, or the target is waited for. */
int pipeline_add(struct pipeline *p, struct target *target, struct err *err);

/*
 * Makes the targets those of the plan, which is emptied, without a moment in which what stays is not seen (watch/change.h);
 * before pipeline_ready() that is adding all of them. permissions: of all of them. A new span of coverage begins, if
 * anything is new or goes, and renew is true. A failure changes nothing; ret is filled in as watchset_change() has it.
 */
struct plan;
struct watchset_difference;
int pipeline_change(struct pipeline *p, struct plan *plan, unsigned permissions, bool renew, struct watchset_difference *ret,
                    struct err *err);
/* The last change is not over; another one would be -EBUSY. */
bool pipeline_is_changing(const struct pipeline *p);

/* All targets were added: coverage begins. The text after "culprit: ready " for the ready line. */
void pipeline_ready(struct pipeline *p, struct sbuf *ret_text);

/* Once nothing has to be started any more: system calls that are not needed are given up (daemon/seccomp.h), in every
 * thread and for good. Where that cannot be it is warned about, and nothing changes. */
void pipeline_confine(struct pipeline *p);

/* A descriptor of the caller's in the same loop. */
int pipeline_watch_fd(struct pipeline *p, int fd, void (*ready)(void *data, int fd), void *data,
                      struct err *err);

/* ---- what is known of it while it runs; nothing here waits ---- */

struct pipeline_condition {
    unsigned sensors;        /* enum sensor_bit: those that are open */
    uint64_t has;            /* enum capability: of all of them */
    uint64_t from_ns;        /* CLOCK_REALTIME: of this span of coverage */
    uint64_t events;         /* that were emitted */
    uint64_t newest_ns;      /* CLOCK_REALTIME: the newest of them; 0 = none */
    bool has_store;
    struct store_state store;
    bool keeps_copies;
    struct copies_report copies;
};
/* The loop's thread. *ret is a copy. */
void pipeline_look(const struct pipeline *p, struct pipeline_condition *ret);
/* "fanotify + audit"; what no open sensor sees, in one line. */
void pipeline_write_sensors(const struct pipeline *p, struct sbuf *out);
void pipeline_write_lacks(struct pipeline *p, struct sbuf *out);
/* All that the engines have; one that hangs is waited for a moment. */
void pipeline_each_container(struct pipeline *p, void (*each)(void *data, const struct container *container), void *data);
struct watch_listing;
void pipeline_each_watch(const struct pipeline *p, void (*each)(void *data, const struct watch_listing *listing), void *data);
const struct target *pipeline_watch_target(const struct pipeline *p, uint32_t watch); /* watch/listing.h */
void pipeline_each_silent_engine(const struct pipeline *p, void (*each)(void *data, const char *name), void *data);

/* Something that was found outside of it to be missing: to the store, and to whoever is called back. */
void pipeline_report_gap(struct pipeline *p, const struct gap *gap);
/* Targets, as they were written, of which nothing was ever there while they were watched. */
void pipeline_each_absent(const struct pipeline *p, void (*each)(void *data, struct bytes text), void *data);

/* All that happened before (CLOCK_REALTIME) has been emitted, what sensors hold for a moment included: true some tenths of a second
 * afterwards. The sensors are not disturbed by it. */
bool pipeline_has_emitted(const struct pipeline *p, uint64_t before_ns);
/* A mark of what the store has to have, and whether it has: on disk. */
uint64_t pipeline_store_mark(struct pipeline *p);
bool pipeline_store_has(struct pipeline *p, uint64_t mark);

/* Run until pipeline_stop() was called from a callback or until_ns (CLOCK_MONOTONIC; 0 = for ever). */
int pipeline_run(struct pipeline *p, uint64_t until_ns, struct err *err);
void pipeline_stop(struct pipeline *p);

/* Deliver everything that happened before this call, end the coverage, write the store. */
void pipeline_finish(struct pipeline *p);

/* The verdict's material: borrowed, until pipeline_close(). NULL with no_case. */
struct case_ *pipeline_case(struct pipeline *p);
void pipeline_close(struct pipeline *p); /* NULL is fine */
