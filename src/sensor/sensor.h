/* SPDX-License-Identifier: MIT */
/*
 * The interface of every sensor. Nobody outside sensor/ asks which one runs: differences are
 * declared as capabilities. Several may be open at once, each on its own descriptor in the
 * pipeline's event loop. All calls come from one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "event/process_event.h"
#include "event/watch_object.h"
#include "util/err.h"
#include "util/log.h"
#include "util/sbuf.h"

/* What a sensor can see. `doctor` prints the table of sensors.c, tests mark scenarios by it. */
enum capability {
    CAPABILITY_NAMES = 1ull << 0,          /* create, delete, rename, link */
    CAPABILITY_CONTENTS = 1ull << 1,       /* open for writing, truncate */
    CAPABILITY_CLOSE_WRITE = 1ull << 2,    /* the end of writing, with what changed */
    CAPABILITY_EACH_WRITE = 1ull << 3,     /* --writes */
    CAPABILITY_METADATA = 1ull << 4,       /* mode, owner, times, attributes */
    CAPABILITY_READS = 1ull << 5,
    CAPABILITY_EXECUTIONS = 1ull << 6,
    CAPABILITY_MOUNTS = 1ull << 7,
    CAPABILITY_REFUSED = 1ull << 8,        /* attempts that the kernel refused, with errno */
    CAPABILITY_OLD_PROCESSES = 1ull << 9,  /* processes older than the sensor (audit: than audit) */
    CAPABILITY_OLD_DESCRIPTORS = 1ull << 10, /* writes through descriptors opened before the watch */
    CAPABILITY_MAPPINGS = 1ull << 11,      /* shared writable mappings */
    CAPABILITY_IO_URING = 1ull << 12,
    CAPABILITY_ANY_ALIAS = 1ull << 13,     /* the same file by another hard link or mount */
    CAPABILITY_CREDENTIALS = 1ull << 14,   /* captured in the kernel with the event */
    CAPABILITY_ACTOR_EXITED = 1ull << 15,  /* names actors that exit at once */
    CAPABILITY_BEFORE_AFTER = 1ull << 16,  /* values before and after a metadata change */
    CAPABILITY_RESTART = 1ull << 17,       /* a container's restart leaves no window */
    CAPABILITY_FLAGS = 1ull << 18,         /* chattr: flags of an inode */
    CAPABILITY_ROUTE = 1ull << 19,         /* by which system call, or through io_uring */
};

struct sensor_capabilities {
    bool works;          /* can be opened here */
    uint64_t has;        /* enum capability */
    unsigned cost;       /* rough cost of one watched change against a bare one, in percent: auto takes the cheapest complete set */
    unsigned targets;    /* more than so many watched paths take it minutes to set up; 0 = any number is fine */
    char taken_by[64];   /* whose it is, and whose log or work would get all that we ask for: "auditd (pid 612)"; empty = nobody's */
    char state[256];     /* one line for doctor: "owned by auditd (pid 612): reading beside it" */
    char advice[256];    /* what to do about a lack; empty = nothing to do */
};

struct sensor_sink {
    void *data;
    /* The event is the receiver's from now on. Events of one sensor come in the kernel's order. */
    void (*event)(void *data, struct event *event);
    void (*process)(void *data, const struct process_event *event);
    void (*gap)(void *data, const struct gap *gap);
};

struct sensor_options {
    const struct log *log;
    struct sensor_sink sink;
    uint64_t ring_size;      /* bytes of kernel buffer for events; 0 = the sensor's default */
    pid_t self;              /* our own pid: what we do to our own store and output is never reported */
    bool alone;              /* -EBUSY where it is somebody else's (taken_by), instead of working beside: by open(), later by dispatch() */
    const char *state_dir;   /* where what must be undone after a crash is written down ("/run/culprit") */
};

struct sensor; /* each sensor's own */

struct sensor_ops {
    const char *name; /* "audit": the word of --sensor and culprit.sensor */
    unsigned bit;     /* enum sensor_bit */
    /* 1 << CAP_...: what it needs from open() to close() besides what daemon/privileges.c keeps for
     * everybody; 0: not known, and nothing is given away. */
    uint64_t privileges;
    /* The pause between two reads under load, microseconds: how much of an actor is captured when, and how much
     * the kernel buffers, allow it. 0: a millisecond. */
    unsigned poll_backoff_us;

    /* What it could do here and now. Changes nothing that lasts: it may keep what open() will need. */
    int (*probe)(struct sensor_capabilities *ret, struct err *err);
    /* Undoes what culprits that were killed left in the kernel, whether it is opened or not. Adds to `said` what that
     * was, in words, nothing where nothing was. NULL: the kernel itself forgets what it made. */
    void (*recover)(const char *state_dir, const struct log *log, struct sbuf *said);
    void (*forget)(void); /* open() will not be called: give back what probe() kept. NULL: it keeps nothing */
    int (*open)(const struct sensor_options *options, struct sensor **ret, struct err *err);
    /* From the return of watch() on every change of the object is seen. The object is borrowed for
     * the call only: copy what you keep. -ENOENT is never returned: what does not exist is waited for. */
    int (*watch)(struct sensor *sensor, const struct watch_object *object, struct err *err);
    int (*unwatch)(struct sensor *sensor, uint32_t object_id, struct err *err);
    /* While `on`, changes of names anywhere are captured too, so that a mount namespace that comes
     * into being now (a container starting) has no blind moment; matched against objects that are
     * added later. NULL: the sensor has no such window. */
    int (*window)(struct sensor *sensor, bool on, struct err *err);
    int (*fd)(const struct sensor *sensor); /* readable when dispatch() has work */
    /* Deliver what is there, without blocking; also called many times a second, for time-outs. */
    int (*dispatch)(struct sensor *sensor, struct err *err);
    /* All that the kernel had when the last dispatch() began has been delivered, but for what is held for a moment to be joined
     * with what follows. NULL: it has, if fd() is not readable. */
    bool (*is_read)(const struct sensor *sensor);
    /* Deliver everything that happened before this call; blocks for at most timeout_ms. -EAGAIN: that was
     * not enough, the next call goes on with what happened before this one; -ETIMEDOUT: its end did not come. */
    int (*sync)(struct sensor *sensor, unsigned timeout_ms, struct err *err);
    /* What is not seen by it on this machine in this run, one line without a newline, "" if nothing
     * is known to be missed. Valid until close. */
    const char *(*not_seen)(struct sensor *sensor);
    /* What processes started before this moment (CLOCK_BOOTTIME) do is not seen; 0: nothing of the
     * kind. NULL: never. */
    uint64_t (*blind_before)(const struct sensor *sensor);
    void (*close)(struct sensor *sensor); /* NULL is fine; leaves the kernel as it was found */
};
