/* SPDX-License-Identifier: MIT */
/*
 * The event: one attempted change of one file object. Who, what, where, when, outcome.
 * A rename over an existing file touches two objects and is two events: `rename` (the file that
 * moved) and `replace` (the file that is gone); an exchange is two renames.
 * Unknown members stay zero, BYTES_NULL or without their `known` bit: nothing is guessed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/cause.h"
#include "event/container.h"
#include "event/process.h"
#include "util/arena.h"
#include "util/bytes.h"
#include "wire/lost.h"
#include "wire/operation.h"

/* Which sensors saw it: a bit each. Stored: never reuse one. */
enum sensor_bit {
    SENSOR_AUDIT = 1 << 0,
    SENSOR_FANOTIFY = 1 << 1,
    SENSOR_BPF = 1 << 2,
    SENSOR_AUDIT_LOG = 1 << 3,
    SENSOR_GUARD = 1 << 4, /* no sensor of its own: culprit's guard refused it */
};

enum file_known {
    FILE_MODE = 1 << 0,
    FILE_UID = 1 << 1,
    FILE_GID = 1 << 2,
    FILE_SIZE = 1 << 3,
    FILE_INODE = 1 << 4,
    FILE_DEVICE = 1 << 5,
    FILE_LINKS = 1 << 6,
    FILE_MTIME = 1 << 7,
    FILE_FLAGS = 1 << 8,
    FILE_ATIME = 1 << 9,
    FILE_CTIME = 1 << 10,
    FILE_BORN = 1 << 11, /* not stored */
};

struct file_state {
    unsigned known;  /* enum file_known */
    uint32_t mode;   /* st_mode: type and permission bits (type 0 = unknown) */
    uint32_t uid, gid; /* as the host counts */
    uint32_t links;
    uint32_t flags;  /* FS_IOC_GETFLAGS */
    uint64_t size;   /* bytes */
    uint64_t inode;
    uint64_t device; /* st_dev of the victim's view */
    int64_t mtime_ns, atime_ns, ctime_ns, born_ns; /* CLOCK_REALTIME */
    struct bytes owner, group; /* names in the victim's world, if known */
};

enum route {
    ROUTE_UNKNOWN,
    ROUTE_SYSCALL,
    ROUTE_IO_URING,
};

struct event_share;

/* What the sensor knows of the actor at the moment of the act. `process` is filled in by
 * attribution; where both know something, these facts are nearer to the event. */
struct actor {
    pid_t pid;          /* tgid; 0 = unknown */
    pid_t tid;          /* 0 = unknown */
    pid_t parent_pid;   /* at that moment; 0 = unknown */
    uint64_t start_ns;  /* of the process, CLOCK_BOOTTIME; 0 = the sensor does not know */
    struct credentials cred;
    uint32_t login_uid, session;
    struct bytes executable, name, args, working_directory, tty, script;
    struct bytes cgroup; /* path in the unified hierarchy, if the sensor captured it */
    uint64_t mnt_ns;     /* inode number of its mount namespace; 0 = unknown */
    bool inside;        /* it named the file by a path that leads there only from the root of the watch
                         * object's mount namespace: that is where it lives, or went */
    bool gone;          /* it had exited by boot_ns: who has the pid then is somebody else */
    struct process *process; /* owned reference, NULL = not attributed */
};

/* A note that means that nothing is different now. */
#define EVENT_NOTE_SAME "attributes were set to what they were"
/* No doubt of who it was, as people ask for it: of what was run several processes did something to the file's attributes in
 * one moment, and this was one of them (share.h). */
#define EVENT_NOTE_ONE_OF "one of several processes of the same cause did this; which of them is not known"
#define EVENT_NOTE_OPEN "the file was still open" /* more may have been written through the descriptor since */
#define EVENT_NOTE_HOLE "punched a hole"
/* Of a write: a doubt, as who sees no calls has it. */
#define EVENT_NOTE_CUT "it was cut, and was not empty when it was looked at: written to after that, or cut to that size; which of both is not known"

enum victim_kind {
    VICTIM_HOST = 1, /* stored: never reuse a number */
    VICTIM_CONTAINER = 2, /* in the container's own layer */
    VICTIM_VOLUME = 3,    /* a volume, bind or tmpfs mount seen in a container */
};

struct event {
    struct arena arena;
    struct shared_arena *lent; /* owned reference: what its bytes point to beside its own; NULL = nothing */

    uint8_t id[16];     /* unique for ever: event_make_id() */
    uint64_t sequence;  /* order within one run, from 1 */
    uint64_t spooled;   /* its number, if the store expects it already: store_expect_event() */
    uint64_t time_ns;   /* CLOCK_REALTIME, when the kernel did it */
    uint64_t boot_ns;   /* CLOCK_BOOTTIME of the same moment; 0 = unknown (read from a log) */
    uint64_t boot_from_ns; /* the kernel stamps nothing (fanotify): it happened between this and boot_ns; 0 = at boot_ns */
    enum operation operation;
    int error;          /* 0 = success, else a positive errno; -1 = attempted, outcome unknown */
    unsigned sensors;   /* enum sensor_bit */

    enum route route;
    uint32_t syscall_arch; /* AUDIT_ARCH_* of linux/audit.h, 0 = unknown */
    int syscall;           /* number in that architecture, -1 = unknown */

    struct actor actor;

    /* The file. The sensor writes paths as the watch object's namespace has them; watch/ turns
     * them into the victim's view (path) and the host's (host_path). */
    struct bytes path;               /* after a rename the new path */
    struct bytes previous_path;      /* old path of a rename */
    struct bytes host_path;          /* where the host finds it; BYTES_NULL = nowhere */
    struct bytes previous_host_path;
    struct bytes target_path;        /* what a symlink says, what a hard link links to, the source of a mount */
    struct file_state file;          /* the object, as it is after a success, as it was if it is gone */
    struct file_state before, after; /* only what the operation changes */
    struct bytes xattr;              /* name of the extended attribute */
    uint64_t bytes;                  /* written, where known */
    bool bytes_known;

    struct cause cause; /* cause_find() of cause/cause.h; its kinds are unknown until then */
    struct fingerprint suspect; /* event_suspect(), once it is known whose process it was; number 0 = not yet */
    uint32_t object;  /* watch object that matched (event/watch_object.h) */
    uint32_t watch;   /* index of the watch in this run; set by watch/ */
    struct bytes watch_text; /* the watch as the user wrote it */
    struct bytes key;        /* -k */

    enum victim_kind victim_kind;
    struct container *victim; /* owned reference; NULL = the host's */
    struct bytes sharers;     /* other containers that lose the same file by it (a shared layer, a volume):
                               * names, each ended by a NUL; "..." last: and perhaps more */
    bool since_start_known;
    int64_t since_start_ns;   /* from the victim container's last start */

    /* The sensor saw that something changed and concluded the rest (the note says how): another sensor's
     * observation of the change knows better. */
    bool actor_presumed, operation_presumed;
    bool path_presumed; /* it may be a former name, or a later one: not kept */
    bool actor_inferred; /* who called just then, where the record names no file: presumed, if other sensors could know better. Not kept */

    const struct event_share *share; /* in its own memory; NULL = nobody else may have made the change (share.h) */

    bool elsewhere;    /* of a log that may be another machine's: nothing of this host is said of it */
    struct bytes node; /* the machine, by the log's "node="; BYTES_NULL: the log does not say, or this one */

    /* The change is one of a folder, a link or a mount above what is watched: that path, in the victim's terms, which
     * went, came or was hidden with it. Not stored: it depends on who asks. BYTES_NULL: a change of the file itself. */
    struct bytes carried;

    struct bytes note; /* one more fact for people, e.g. "mapped for writing", "already open for writing" */
};

/* Does its note express a doubt about the event? */
bool event_note_is_doubt(const struct event *e);

/* Is it a change above `path`? Then that path is carried by it. */
void event_carry(struct event *e, struct bytes path);

struct event *event_new(void); /* NULL: out of memory */
void event_free(struct event *e); /* NULL is fine */
/* Copy the bytes into the event's own memory. */
void event_set(struct event *e, struct bytes *field, struct bytes value);

/* Adds what `more` knows and `s` does not: of mode, uid, gid, inode, device and size, those in `which` (enum
 * file_known). */
void file_state_add(struct file_state *s, const struct file_state *more, unsigned which);

/* Both know it, and it is not the same: the permission bits; the user or the group. */
bool file_state_mode_differs(const struct file_state *a, const struct file_state *b);
bool file_state_owner_differs(const struct file_state *a, const struct file_state *b);

/*
 * Time first, so that ids come in about the order of events: an index of them is written at its end, not all over.
 * hash: of what else distinguishes it from others of that nanosecond (boot, sensor, kernel facts), so that the same change
 * read twice has the same id.
 */
void event_make_id(uint64_t time_ns, uint64_t hash, uint8_t ret[16]);
/* What the hashes of a sensor differ by that only counts; the store expects it, and takes any other. */
#define EVENT_ID_STEP 0x9e3779b97f4a7c15ull

/* Attributes were changed, and which of them is not known. */
bool event_attribute_is_unknown(const struct event *e);
/* Best known executable, display name and command of the actor. */
uint64_t event_inode(const struct event *e); /* of its file; 0: not known */
struct bytes event_actor_executable(const struct event *e);
struct bytes event_actor_name(const struct event *e);
/* The actor's ids: the sensor's where it has them, else those of the process. Never NULL: `known` says whether they are. */
const struct credentials *actor_credentials(const struct actor *a);
uint32_t actor_login_uid(const struct actor *a); /* UID_UNKNOWN: nobody logged in, or not known */
uint32_t actor_session(const struct actor *a);   /* SESSION_UNKNOWN likewise */
/* Who it was, for grouping in the store: of the cause and of the executable. Where no cause was found it
 * is one of the executable, what launched it, and where it lives; pids do not count, and in a container only
 * launchers that live there too. Stored: never change it. */
struct fingerprint event_suspect(const struct event *e);
/* Find it now, for those who ask later: the actor and his launchers are known. */
void event_remember_suspect(struct event *e);

/* A span of time in which events were lost. */
struct gap {
    enum lost reason;
    uint64_t count;   /* 0 = unknown how many */
    uint64_t from_ns; /* CLOCK_REALTIME */
    uint64_t to_ns;
    unsigned sensor;  /* enum sensor_bit; 0 = not a sensor's */
    char text[160];   /* our own words, and a path, escaped, where it concerns nothing else */
    char path[256];   /* that path as it is, or empty: it concerns everything, or a path that does not fit */
    char container[80]; /* the name of the container that the path is meant in; empty: it is the host's */
};

/* May a change be lost? Notifications of processes, or of containers, are none: names may be missing, which is said. What a
 * log has no numbers of may have been left out by who saved it: that is said beside it. */
static inline bool gap_has_changes(const struct gap *gap)
{
    return gap->reason != LOST_PROCESS_EVENTS && gap->reason != LOST_ENGINE && gap->reason != LOST_AUDIT_NUMBERS;
}
