/* SPDX-License-Identifier: MIT */
/*
 * Who: a process as it was at one moment, its credentials, what it belongs to, where it lives.
 * Records are reference-counted and not changed once an event points to them: exec makes a new
 * record of the same (pid, start). Identity is (pid, start time), never the pid alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/arena.h"
#include "util/bytes.h"

#define UID_UNKNOWN UINT32_MAX     /* also what the kernel says for "no login user" */
#define SESSION_UNKNOWN UINT32_MAX /* AUDIT_SID_UNSET of linux/audit.h */

struct container;  /* event/container.h */
struct cause_link; /* cause/link.h */

struct credentials {
    bool known;
    uint32_t uid, euid, suid, fsuid; /* as the initial user namespace counts */
    uint32_t gid, egid, sgid, fsgid;
};

enum origin {
    ORIGIN_UNKNOWN,
    ORIGIN_HOST,
    ORIGIN_CONTAINER,
};

/* What an executable or process belongs to; every member may be unknown. */
struct owner {
    struct bytes package, package_version; /* of the distribution that the executable lives in */
    struct bytes unit;                     /* systemd unit, from the cgroup */
    const struct agent *agent;             /* a known product (attribution/agents.h), or NULL */
    struct bytes product, product_kind;    /* of that agent: "SentinelOne", "EDR" */
    bool looks_like;                       /* only the forgeable name fits: say "looks like" */
};

/* What is known of how a process was launched beside who launched it; looked up while that is still there. */
enum launch_kind { /* stored: never reuse a number */
    LAUNCH_UNKNOWN,
    LAUNCH_CRONTAB,  /* cron's job; text: the crontab's line, place: the crontab's file, user: whose job it is */
    LAUNCH_EXEC,     /* into a container; text: the client's arguments, each ended by NUL, user: who ran it, place: what called
                      * it, a script's path or the like */
    LAUNCH_TIMER,    /* a service's first process, known from systemd 252 on; text: the timer's unit */
    LAUNCH_CI_JOB,   /* below a CI runner; text: the job, as the environment says */
    LAUNCH_COPY,     /* the engine's part of `docker cp`; text, user, place: of the client, as for an exec */
    LAUNCH_START,    /* the first process of a container; text, user, place: of the client that had it started, as for an exec */
    LAUNCH_REMOVE,   /* the engine's daemon, while it removes what a client asked for; text, user, place: of the client, as for an exec */
};

struct launch {
    bool looked; /* it was looked up, whatever was found */
    enum launch_kind kind;
    struct bytes text, place, user; /* see enum launch_kind; raw bytes: escape them */
};

struct process {
    unsigned refs;
    struct arena arena;

    pid_t pid;             /* tgid, in the initial pid namespace */
    uint64_t start_ns;     /* CLOCK_BOOTTIME; 0 = unknown. /proc/PID/stat field 22 has ticks of 10 ms */
    uint64_t exited_ns;    /* CLOCK_BOOTTIME; 0 = not seen to exit. The only member that changes later */
    uint64_t booted_ns;    /* CLOCK_REALTIME when CLOCK_BOOTTIME began, as reckoned once in a run; 0 = unknown */
    pid_t parent_pid;      /* 0 = unknown */
    struct process *likeness; /* owned reference: whose memory holds what a fork or a change of ids leaves as it
                               * is (executable, script, input, args, working_directory); NULL = this one's own */
    struct process *next_dead; /* while it is given up */
    struct process *earlier;   /* what it executed before this: process_set_earlier(); owned reference, NULL = nothing
                               * else than its launcher did when it was started, or not known */
    struct process *parent; /* who launched it (as launched, not as reparented); owned reference, NULL = unknown */

    struct bytes executable; /* by the kernel's file; "/memfd:NAME" for memory files */
    uint64_t executable_inode;
    uint64_t executable_device; /* st_dev */
    bool executable_deleted;
    bool executable_memfd;
    struct bytes script; /* what an interpreter was started on by #!, if it was */
    struct bytes input;  /* the file that its standard input was when it was executed; empty: none with a name, or not known */
    struct bytes name;   /* comm: anything the process wants */
    struct bytes args;   /* argv, each ended by NUL */
    bool args_truncated;
    struct bytes working_directory;
    struct bytes tty;
    struct credentials cred;
    struct bytes user_name, real_user_name, group_name; /* of euid, uid, egid, in the world it lives in */
    uint32_t login_uid, session;
    struct bytes login_name; /* of login_uid, in the host's world: who logs in does so there */
    struct bytes remote;     /* address that its session came from, of LAUNCH_EXEC the client's; empty: not from elsewhere, or not known */
    struct launch launch;
    struct bytes cgroup; /* path in the most specific hierarchy, of the initial cgroup namespace */
    bool cgroup_inherited; /* not read, but its parent's: it may have been moved since */
    uint64_t mnt_ns;     /* inode number of the mount namespace; 0 = unknown */

    bool attributed; /* origin, owner and names have been looked up */
    enum origin origin;
    struct container *container; /* owned reference if origin is ORIGIN_CONTAINER */
    struct owner owner;
    struct cause_link *cause_link; /* what cause/ found it to be by itself, in `arena`; NULL = not looked for yet */
};

struct process *process_new(pid_t pid, uint64_t start_ns); /* one reference; NULL: out of memory */
struct process *process_ref(struct process *p);            /* NULL is fine */
void process_unref(struct process *p);                     /* NULL is fine; gives up parent and container too */
void process_unrefp(struct process **p);                   /* for cleanup attributes */
/* `to` was launched as `from` was: itself before a change of ids or an exec. */
void process_set_launch(struct process *to, const struct process *from);
/* Copy the bytes into the process's own memory. */
void process_set(struct process *p, struct bytes *field, struct bytes value);
/* A terminal by the name below /dev, from the kernel's own: "pts0" is pts/0. In `arena`. */
struct bytes process_terminal(struct arena *arena, struct bytes kernel_name);
/* `to` executes what `from` does, in the same directory: without a copy. */
void process_set_likeness(struct process *to, struct process *from);
/*
 * `to` is what `before`, the same process, became. Its earlier images are then `before` and what that was before; not
 * those that are the launcher's likeness, nor those of which nothing is known. The newest are kept, and the first.
 */
#define PROCESS_IMAGES 8 /* of one process; what only executes and executes stays bounded */
void process_set_earlier(struct process *to, struct process *before);
/* The best name for people: the executable's base name, else comm, else empty. Escape it. */
struct bytes process_display_name(const struct process *p);
/* The same process (pid and start time), whatever it executes. Unknown start times do not match. */
bool process_same(const struct process *a, const struct process *b);
/*
 * Does `b` live in the container of `a`? True where `a` lives in none. A runtime's own stages, which are in its cgroup already
 * and not in its mount namespace yet, do not: whether they are met, and under which name, is a matter of luck.
 */
bool process_lives_with(const struct process *a, const struct process *b);
bool process_is(const struct process *p, pid_t pid, uint64_t start_ns);
/* Two sources' starts of one process: they count in different steps. 0 agrees with none. */
bool process_starts_agree(uint64_t a, uint64_t b);
/* True if `ancestor` is `p` or one of its ancestors. */
bool process_descends_from(const struct process *p, pid_t pid, uint64_t start_ns);
