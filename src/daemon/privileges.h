/* SPDX-License-Identifier: MIT */
/*
 * The least that is needed: which of the kernel's capabilities culprit keeps while it observes. What is
 * given away is gone for every thread that is started later, so it is done before the first one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/choose.h"

#define PRIVILEGES_ALL UINT64_MAX

/* What the stages around the sensors need, one row each; NULL past the end. */
struct privilege {
    int capability;    /* CAP_... */
    const char *name;  /* "CAP_SYS_PTRACE" */
    const char *why;
};
const struct privilege *privilege(unsigned index);

/* Bits 1 << CAP_...: what these sensors and the stages around them need. A sensor that does not say
 * what it needs keeps everything. */
uint64_t privileges_needed(const struct choice *choice);

/* Those of `needed` that this process does not have, as "CAP_BPF, CAP_PERFMON"; "" if none. */
void privileges_missing(uint64_t needed, char *ret, size_t size);
void privileges_names(uint64_t bits, char *ret, size_t size);

/*
 * Gives away every capability that is not in `keep`. `run` starts a command of the user's, which must
 * be able to do what the user can: with `commands` an executed program of root's gets its own again;
 * without, nothing that is executed from here does either.
 * Failure is no reason not to observe: -errno, and everything is as it was.
 */
int privileges_drop(uint64_t keep, bool commands);
