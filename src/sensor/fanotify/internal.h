/* SPDX-License-Identifier: MIT */
/* What the files of the fanotify sensor share: the sensor, its objects, and who calls whom. */
#pragma once

#include <time.h>

#include "event/share.h"
#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/features.h"
#include "sensor/fanotify/handles.h"
#include "sensor/sensor.h"
#include "sensor/tree/tree.h"
#include "util/clock.h"

#define FANOTIFY_DEVICES_MAX 4096 /* file systems below the watched paths; 16 bytes each */

struct fanotify_fold;
struct fanotify_writes;
struct fanotify_found;
struct fanotify_unexplained;
struct fanotify_window;
struct fanotify_queue;
struct fanotify_made;
struct fanotify_gone;

/* Who did something, and when: the kernel stamps nothing, so the moment is a span. */
struct fanotify_cause {
    pid_t pid;              /* 0 = unknown */
    bool gone;
    uint64_t from_boot_ns, to_boot_ns; /* CLOCK_BOOTTIME */
    uint64_t from_real_ns, to_real_ns; /* CLOCK_REALTIME */
    const char *note;       /* of our own; NULL = none */
    bool presumed;          /* that it was this process */
};

/* One watched path. Its index begins with the directory that the path stands in, of which only the one
 * name is looked at: so the watched thing itself is a name like those below it. */
struct fanotify_object {
    struct fanotify_object *next;
    struct sensor *sensor;
    struct watch_object wanted; /* path and host_path point to the two members below */
    char *path, *host_path;
    struct bytes base;          /* last component of path; empty for "/" */
    struct bytes parent;        /* of path: what stands before it */

    struct tree *tree;          /* NULL: the directory that the path stands in is not there */
    struct bytes waiting;       /* then: the component that is waited for; points into path */
    unsigned ancestors;         /* directories above that are marked */
    bool unmarked;              /* this file system takes no marks: only a picture of what was there */
    bool listing;               /* directories are marked, files not yet all looked at */
    bool fresh;                 /* what was held before it came has not been looked through */
    bool claims;                /* it is being looked through */
    bool telling;               /* what a listing finds is news */
    struct fanotify_cause cause; /* then: whose */

    int pidfd;                  /* of wanted.ns_pid; its namespace dies with its last process */
    bool gone, doubtful;
    bool arrived;               /* a directory above came, with what is in it: that is told */
    uint64_t doubt_real_ns;     /* CLOCK_REALTIME: a directory above was told to go then; 0 = none was */
    uint64_t placed_boot_ns;    /* when its index was begun */
    unsigned mismatch;          /* looks in a row that found something else at the path than the index */
    uint64_t same_real_ns;      /* CLOCK_REALTIME of the last one that found the same; 0: none yet */
    bool mounts_known;
    uint64_t mounts_on_way, mounts_below; /* digests of what is mounted above the path and at it, and below it */
    uint64_t ghost_until_ms;    /* CLOCK_MONOTONIC: unwatched, only its picture is of use; 0 = alive */

    /* open during one batch of events */
    int root_fd, directory_fd;
    uint32_t directory;

    const struct fanotify_event *told_above;  /* a move of a directory above, told just now */
    const struct fanotify_event *told_rename; /* the one that it took part in just now */

    /* the second half of an exchange is expected */
    struct { pid_t pid; uint32_t from, to; bool unseen; } exchange;
};

struct fanotify_device {
    uint64_t device;
    bool whole;   /* the file system is marked: its directories need none */
    bool renames; /* renames anywhere on it are told with both names */
};

struct sensor {
    struct sensor_options options;
    struct fanotify_features features;
    int group, epoll, work, timer, mounts; /* work: an eventfd that is readable while there is listing to do */
    struct fanotify_handles *handles;
    struct fanotify_object *objects; /* by view: the nearest to the victim first */
    struct fanotify_device devices[FANOTIFY_DEVICES_MAX];
    unsigned device_count;
    uint64_t last_device, last_fsid; /* of the directory that was marked last */
    struct fanotify_fold *fold;
    struct fanotify_writes *writes;
    struct fanotify_found *found;
    struct fanotify_unexplained *unexplained;
    struct fanotify_window *window;
    struct fanotify_queue *queue;
    struct fanotify_made *made;
    struct fanotify_gone *gone;
    uint64_t window_real_ns;    /* CLOCK_REALTIME: since when it has been on */
    bool window_on, replaying;  /* only objects that are new since take part in a replay */

    uint64_t empty_boot_ns, empty_real_ns; /* the queue was empty at this moment */
    struct fanotify_cause now;             /* of the event that is being handled */
    struct bytes rest;                     /* what follows it in the buffer */
    struct fanotify_event moved;           /* FAN_MOVED_FROM that waits for its other half; pid 0: none */
    char moved_bytes[FANOTIFY_HANDLE_MAX + 256];
    struct fanotify_cause moved_cause;

    uint64_t sequence, seed;
    uint64_t watch_real_ns;     /* when the first object was watched: files born later have no older descriptor */
    uint64_t next_tick_ms, next_mounts_ms, progress_ms;
    bool mounts_changed;
    bool doubtful;              /* an object was told to be in doubt since the last look at all of them */
    uint64_t next_doubt_ms;     /* CLOCK_MONOTONIC: not sooner */
    uint64_t lost_damaged, lost_paths;
    bool overflow;
    uint64_t born_real_ns;      /* CLOCK_REALTIME: when what appears now was made, if its name is gone again; 0 = ask the name */
    bool linked;                /* what appears now had another name before */
    bool silent;                /* told by another object of the group: only the index is kept up */
    uint64_t overflow_real_ns; /* the last empty queue before it */
    char rescan_note[128];
    char not_seen[512];
};

/* ---- object.c ---- */
int fanotify_object_new(struct sensor *s, const struct watch_object *wanted,
                        struct fanotify_object **ret, struct err *err);
void fanotify_object_free(struct fanotify_object *o);
/* Mark what there is of the path and begin the index. telling: what is found is news, by `cause`. */
int fanotify_object_place(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err);
bool fanotify_object_is_stale(struct fanotify_object *o);
/* Something else may stand at the path now: looked at as soon as the queue is empty. */
void fanotify_object_doubt(struct fanotify_object *o);
bool fanotify_object_gone(struct fanotify_object *o);
/* A directory of the tree, O_PATH; borrowed until the end of the batch. -ESTALE: not there any more. */
int fanotify_object_directory(struct fanotify_object *o, uint32_t directory);
/* Some directory of that file system, on the way to the path; the caller closes. */
int fanotify_object_near(struct fanotify_object *o, uint64_t fsid);
void fanotify_object_close(struct fanotify_object *o); /* the descriptors of a batch */
/* List and mark a directory that appeared; cause NULL: nothing in it is news. */
void fanotify_object_walk(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
void fanotify_object_walk_at(struct fanotify_object *o, int fd, uint32_t name, const struct fanotify_cause *cause);
/* Go on with looking at files; true when there is more. */
bool fanotify_object_list(struct fanotify_object *o, unsigned directories);
/* Is this name one of those that are watched? */
bool fanotify_object_covers(const struct fanotify_object *o, uint32_t directory, struct bytes name);
/* The watched thing itself: its name in the index; 0 = not there. */
uint32_t fanotify_object_top(const struct fanotify_object *o);
/* Something was mounted over the path, or taken away: it is another thing than the index knows. */
bool fanotify_object_is_other(struct fanotify_object *o);

/* ---- tell.c ---- */
static inline uint64_t now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}
/* Without a path and what stands there. */
struct event *fanotify_event_bare(struct fanotify_object *o, enum operation operation,
                                  const struct fanotify_cause *cause);
struct event *fanotify_event_new(struct fanotify_object *o, enum operation operation,
                                 uint32_t directory, struct bytes name, const struct file_state *file,
                                 const struct fanotify_cause *cause);
int fanotify_path(const struct fanotify_object *o, uint32_t directory, struct bytes name, struct sbuf *out);
void fanotify_send(struct fanotify_object *o, struct event *e);
/* A name appeared: created, made, linked, by what stands there. */
void fanotify_tell_new(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause);
/* A folder above was replaced at that time (CLOCK_REALTIME; 0 = it was not), and the path has been looked at now. */
void fanotify_replaced_gap(struct fanotify_object *o, uint64_t from_real_ns);
void fanotify_gap(struct sensor *s, enum lost reason, uint64_t count, uint64_t from_real_ns, const char *text);
/* An object by its handle, wherever it is now, O_PATH; the caller closes. -ESTALE: it is gone. */
int fanotify_open_handle(struct fanotify_object *o, const struct fanotify_handle *handle);
/* Where a directory is by its handle, as a path of the host. */
int fanotify_resolve(struct fanotify_object *o, const struct fanotify_handle *handle, struct sbuf *out);

/* ---- meaning.c ---- */
void fanotify_handle_event(struct sensor *s, const struct fanotify_event *e);
void fanotify_moved_flush(struct sensor *s); /* a half that found no other */
/* Look at a name and note in the index what stands there now. */
int fanotify_look(struct fanotify_object *o, uint32_t directory, struct bytes name, struct tree_change *ret);

/* ---- queue.c: what the kernel has for us, read ahead where it must be known what comes next ---- */
struct fanotify_queue *fanotify_queue_new(void);
void fanotify_queue_free(struct fanotify_queue *q); /* NULL is fine */
/* The next events, valid until fanotify_queue_done(), and when they were read. 0: there are none; -errno. */
int fanotify_queue_next(struct sensor *s, struct bytes *ret, struct fanotify_cause *ret_when);
void fanotify_queue_done(struct sensor *s);
bool fanotify_queue_waits(const struct sensor *s); /* there is more, whatever the kernel's descriptor says */
/* An event is about to be handled; it was. */
void fanotify_queue_begin(struct sensor *s, const struct fanotify_event *e);
void fanotify_queue_end(struct sensor *s, const struct fanotify_event *e);
/* May another process have changed attributes of the same file by now? True also if that cannot be known. */
bool fanotify_queue_others(struct sensor *s, const struct fanotify_event *e);
/* After that: the processes of `e` and of what waits, for `ret`, each with one event. False: there are more, or one of
 * them has several. */
bool fanotify_queue_share(const struct sensor *s, const struct fanotify_event *e, struct event_share *ret);
/* So many changes by the same process were told with this event, and their own ones are still to come. */
void fanotify_queue_credit(struct sensor *s, const struct fanotify_event *e, unsigned more);
bool fanotify_queue_owed(struct sensor *s, const struct fanotify_event *e); /* one of those; it is counted off */

/* ---- attributes.c ---- */
/* An event says that they changed. change: how the file was known, and how it is now. */
void fanotify_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                         const struct tree_change *change);
void fanotify_made_with_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct tree_change *change);
/* Every difference of the two states of an object that is one of attributes. Returns how many. */
unsigned fanotify_tell_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                  const struct tree_change *change, const struct fanotify_cause *cause);
/* The time of modification was set, not made by writing: it is older than the last change, or in the future. */
bool fanotify_set_times(const struct tree_change *change, const struct fanotify_cause *cause);
void fanotify_tell_unexplained(struct fanotify_object *o, const struct tree_change *c,
                               const struct fanotify_cause *cause);

/* ---- made.c: what was made lately and is gone already ---- */
struct fanotify_made *fanotify_made_new(void);
void fanotify_made_free(struct fanotify_made *m); /* NULL is fine */
/* An object was told as new under its first name; was it before? */
void fanotify_made_note(struct sensor *s, const struct fanotify_handle *object);
bool fanotify_made_before(const struct sensor *s, const struct fanotify_handle *object);
/* A name whose object was gone before it could be looked at: it is not in the index. */
void fanotify_ghost_add(struct fanotify_object *o, uint32_t directory, struct bytes name);
bool fanotify_ghost_is(const struct fanotify_object *o, uint32_t directory, struct bytes name);
bool fanotify_ghost_take(struct fanotify_object *o, uint32_t directory, struct bytes name); /* true: there was one */
void fanotify_ghosts_forget(struct sensor *s); /* the queue is empty: what is gone is gone */

/* ---- unexplained.c: attributes that were seen to differ, until the event comes that says who ---- */
struct fanotify_unexplained *fanotify_unexplained_new(void);
void fanotify_unexplained_free(struct fanotify_unexplained *u);
/* Keeps the change if its attributes differ; the first state that is not explained yet is what counts. */
void fanotify_unexplained_add(struct fanotify_object *o, uint32_t directory, struct bytes name,
                              const struct tree_change *change);
/* More than one process may have made it. */
struct fanotify_shared {
    bool is;                  /* they may */
    struct event_share among; /* of its processes one change each; count 0: that is not known */
    struct file_state state;  /* then: after these changes */
};
bool fanotify_unexplained_take(struct fanotify_object *o, const struct file_state *state,
                               struct tree_change *ret, struct fanotify_shared *ret_shared);
/* It stays until the other one's event comes. */
void fanotify_unexplained_share(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                const struct tree_change *change, const struct fanotify_shared *shared);
void fanotify_unexplained_forget(struct fanotify_object *o);
void fanotify_unexplained_tick(struct sensor *s, uint64_t now_ms);

/* ---- found.c: names that a listing found, until the queue says who made them ---- */
struct fanotify_found *fanotify_found_new(void);
void fanotify_found_free(struct fanotify_found *f);
void fanotify_found_add(struct fanotify_object *o, uint32_t name);
/* The event of the name's creation is here: it is told by that. True if it was in the list. */
bool fanotify_found_cancel(struct fanotify_object *o, uint32_t name);
void fanotify_found_tell(struct fanotify_object *o, uint32_t name); /* something else happened to it: now */
bool fanotify_found_has(struct fanotify_object *o, uint32_t name);
void fanotify_found_flush(struct sensor *s);
void fanotify_found_forget(struct fanotify_object *o); /* nothing of it will be told */

/* ---- writes.c: files that are being written to ---- */
struct fanotify_writes *fanotify_writes_new(void);
void fanotify_writes_free(struct fanotify_writes *w);
/* When the file there was made, CLOCK_REALTIME; 0 = not known. */
uint64_t fanotify_born(struct fanotify_object *o, uint32_t directory, struct bytes name);
uint64_t fanotify_born_fd(int fd);
/* The actor of now has made that file, and may have it open: closing it is the end of making it. */
void fanotify_writes_made(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *file);
void fanotify_written(struct fanotify_object *o, uint32_t directory, struct bytes name, uint64_t mask,
                      const struct tree_change *change, const struct fanotify_cause *cause);
/* Contents differ from what the index had; how that came is not known. */
void fanotify_tell_changed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                           const struct tree_change *change, const struct fanotify_cause *cause);
void fanotify_writes_tick(struct sensor *s, uint64_t now_ms, bool all);
void fanotify_writes_forget(struct fanotify_object *o);
/* Read or executed; the same again within a second is not told. */
void fanotify_accessed(struct fanotify_object *o, uint32_t directory, struct bytes name,
                       enum operation operation, const struct fanotify_cause *cause);

/* ---- fold.c: what goes out, in order; sights of an upper layer wait for the overlay's ---- */
struct fanotify_fold *fanotify_fold_new(void);
void fanotify_fold_free(struct fanotify_fold *f);
void fanotify_fold_add(struct fanotify_object *o, struct event *e);
/* Deliver what need not wait any longer. */
void fanotify_fold_flush(struct sensor *s, bool all);
void fanotify_fold_emptied(struct sensor *s); /* the kernel's queue has been read to its end */
bool fanotify_fold_waits(const struct sensor *s);
/* An overlay goes: what it told and is not delivered yet is told in terms of the layer behind it. */
void fanotify_fold_hand_over(struct fanotify_object *from, const struct fanotify_object *to);

/* ---- overlay.c: an upper layer's names in terms of what its container sees ---- */
bool fanotify_is_whiteout(struct fanotify_object *o, uint32_t directory, struct bytes name,
                          const struct file_state *state);
/* A name appeared in an upper layer, or was replaced there. before: what stood there in this layer. */
void fanotify_upper_appeared(struct fanotify_object *o, uint32_t directory, struct bytes name,
                             const struct file_state *before, const struct fanotify_cause *cause);
void fanotify_upper_gone(struct fanotify_object *o, uint32_t directory, struct bytes name);

/* ---- window.c: names everywhere, for a container that is not there yet ---- */
struct fanotify_window *fanotify_window_new(void);
void fanotify_window_free(struct fanotify_window *w);
void fanotify_window_open(struct sensor *s);
void fanotify_window_close(struct sensor *s);
void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e); /* the one before s->rest */
void fanotify_window_replay(struct sensor *s);

/* ---- gone.c: directories that were made and are gone again ---- */
struct fanotify_gone *fanotify_gone_new(void);
void fanotify_gone_free(struct fanotify_gone *g); /* NULL is fine */
/* Its place in the index, until its end is told, for what was done in it. False: it has none. */
bool fanotify_gone_add(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_handle *handle);
bool fanotify_gone_is(const struct file_state *state); /* of such a directory: nothing of it is known */
/* Its end is known, and what was done in it comes yet: told when the queue is empty. */
void fanotify_gone_end(struct fanotify_object *o, uint32_t directory, struct bytes name);
/* Something happens to that name: its own end, and the ends of what stood in it, come before. */
void fanotify_gone_before(struct fanotify_object *o, uint32_t name);
void fanotify_gone_flush(struct sensor *s);
void fanotify_gone_forget(struct fanotify_object *o);

/* ---- rescan.c ---- */
/* Events were lost: compare everything with the index, and tell what changed as changed by nobody known. */
void fanotify_rescan(struct sensor *s);
