/* SPDX-License-Identifier: MIT */
/* The programs that refuse changes (bpf/guard_hooks.h): where the kernel calls them, and how. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"
#include "wire/guard.h"

struct btf;
struct files_bpf;

enum guard_kind {
    GUARD_KIND_NONE,
    GUARD_KIND_LSM,    /* of the security module bpf: called always */
    GUARD_KIND_RETURN, /* in place of what security_*() returns: not called where another task was interrupted in one */
};

#define GUARD_PROGRAMS_MAX 32

/* What suits this kernel. */
struct guard_choice {
    enum guard_kind kind;
    bool wanted[GUARD_PROGRAMS_MAX]; /* by the rows of the table */
    struct wire_guard_shape shapes[WIRE_GUARD_HOOKS];
};

/* -ENOTSUP: the kernel lacks a question that every kernel since 5.10 asks. kind NONE: 0, and nothing is wanted. */
int guard_programs_choose(const struct btf *btf, enum guard_kind kind, struct guard_choice *ret, struct err *err);
/* Between open and load. */
void guard_programs_prepare(struct files_bpf *k, const struct guard_choice *choice);
/* After the load; refuses nothing yet. All of them, or an error. */
int guard_programs_attach(struct files_bpf *k, const struct guard_choice *choice, struct err *err);
/* Only the one that is asked before each read and write of the machine: attach it, or detach it; 0 where it is so already. */
int guard_programs_ask_writes(struct files_bpf *k, bool on, struct err *err);
/* How often one of them was not called, since it was loaded (only GUARD_KIND_RETURN, and not before 5.12). */
uint64_t guard_programs_missed(struct files_bpf *k);
uint64_t guard_programs_missed_opens(struct files_bpf *k); /* of them: opens of any file, which may have been for writing */
