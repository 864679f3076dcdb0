/* SPDX-License-Identifier: MIT */
/*
 * Processes as an audit log shows them: each system call's record names a pid, its parent, its
 * program. Fed in the log's order, so that a pid means the process that last showed itself under it.
 * Start times are not in a log: the records made here have none.
 */
#pragma once

#include "event/process.h"
#include "util/bytes.h"

struct lineage;

struct sighting {
    pid_t pid, parent_pid;
    uint64_t time_ms;
    struct bytes executable, name; /* un-encoded */
    struct bytes args;      /* argv, each ended by NUL; BYTES_NULL = this record has none */
    bool args_cut;          /* by the kernel's 128 bytes */
    bool executes;          /* this is the execve that made it what it is */
    struct bytes script;    /* what an interpreter was started on by #! */
    struct bytes working_directory; /* when it executed that; BYTES_NULL = not known */
    struct credentials cred;
    uint32_t login_uid, session;
    struct bytes tty;
    struct bytes user_name, real_user_name, login_name; /* of euid, uid, auid, where the log itself says */
};

struct lineage *lineage_new(void); /* NULL: out of memory */
/* NULL is fine. */
void lineage_free(struct lineage *l);
/* Another boot: no pid means what it did. */
void lineage_forget(struct lineage *l);

/* A session of the kernel's audit came from that address: its processes that are seen from now on did. */
void lineage_login(struct lineage *l, uint32_t session, struct bytes address);
/* Adds what another record says of a process. Cheap if it says nothing new. */
void lineage_see(struct lineage *l, const struct sighting *s);
/* The process of this pid as last seen, with its launchers as far as they showed themselves: a new
 * reference, or NULL. */
struct process *lineage_find(struct lineage *l, pid_t pid);
