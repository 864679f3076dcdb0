/* SPDX-License-Identifier: MIT */
/*
 * The table of BPF programs: what each needs of the kernel, what is lost without it, what replaces it.
 * Loading takes what this kernel has; one that is refused never takes another with it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sensor/bpf/guard_programs.h"
#include "util/err.h"
#include "util/log.h"

struct files_bpf; /* the generated skeleton */

/* On which kernels a program is the one that serves. Where an older one has no function of this kind, another
 * program replaces it. */
enum program_when {
    ALWAYS,
    RMDIR_INLINED,    /* before 5.12 rmdir(2) does not call vfs_rmdir(): it is a part of do_rmdir() */
    HAS_FILEATTR,     /* since 5.13 every file system's flags are set by vfs_fileattr_set() */
    NO_FILEATTR,
    HAS_VMA_ITERATOR, /* since 5.12 */
    NO_VMA_ITERATOR,
    COOPERATIVE,      /* this kernel does not preempt its own code */
    PREEMPTIBLE,      /* it does: two programs instead of one (bpf/duplicated.h) */
    MOVE_MOUNT_INLINED, /* newer kernels: do_move_mount() is a part of the system call */
};

/* For what a program is attached. */
enum program_use {
    FOR_ALL,     /* always */
    FOR_WATCHES, /* always, but where everything that is watched is guarded and nobody may: what is refused before the guard is asked */
    FOR_WRITERS, /* always; for a guard only while somebody has something of it open for writing */
    FOR_WRITES,  /* while each single write is wanted */
    FOR_SERVED,  /* while something is watched on a file system whose times are kept elsewhere: FUSE, NFS, CIFS */
    FOR_LOOKS,   /* iterators */
};

struct program_row {
    const char *name;      /* of the program */
    const char *function;  /* what it is attached to; alternatives are separated by '|', the first is best;
                            * "iter:TYPE": an iterator */
    enum program_when when;
    uint64_t gives;        /* enum capability that is lost without it; 0 = it refines something */
    const char *lack;      /* what is not seen without it; NULL = nothing */
    enum program_use use;
};

extern const struct program_row program_rows[]; /* name NULL ends it */

struct programs_options {
    const struct log *log;
    uint64_t ring_size; /* bytes, a power of two */
    uint32_t watches;   /* at most so many objects; 0 = a default */
    enum guard_kind guard; /* the programs that refuse changes too: all of them, or the load fails */
    bool nobody_may;       /* of a guard: nobody was allowed anything */
};

struct programs {
    struct files_bpf *skeleton;
    uint64_t has;       /* enum capability */
    char missing[256];  /* what is not seen, one line; "" = nothing known */
};

/* -EPERM: not permitted or no BTF, with what is in the way, -ENOENT: BTF that cannot be read, -ENOTSUP: the kernel refuses tracing programs. */
int programs_load(const struct programs_options *options, struct programs *ret, struct err *err);
void programs_unload(struct programs *p);

/* Attach or detach what is attached on demand only: FOR_WRITES, FOR_SERVED, FOR_WRITERS. Each of these by one thread at a time. */
int programs_switch(struct programs *p, enum program_use use, bool on, struct err *err);

/* How many calls no program saw, in halves of a call and from any start, so that differences count: another task was
 * interrupted in the one that was to see it. They may have concerned what is watched, or any other file of the machine.
 * Less while calls are going on, never more. Nothing before 5.12, where programs are always called. */
int64_t programs_missed(const struct programs *p);

/* The same of those that serve while somebody has something open for writing; with the guard's own of that kind
 * (guard_programs_ask_writes()). By one thread at a time, any one. */
int programs_follow_writers(struct programs *p, bool on, struct err *err);

/* Look through all descriptors and mappings for what is watched: records of the type WIRE_ALREADY_OPEN. */
int programs_find_already_open(struct programs *p, struct err *err);
