/* SPDX-License-Identifier: MIT */
/* By which method it is denied: pure, from what is known of the machine. */
#pragma once

#include <stdbool.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"

enum guard_way {
    GUARD_WAY_IMMUTABLE, /* flags of chattr */
    GUARD_WAY_LSM,       /* programs of the security module bpf */
    GUARD_WAY_RETURN,    /* programs in place of what the security modules return */
};

struct guard_facts {
    struct bytes modules;  /* /sys/kernel/security/lsm; BYTES_NULL: cannot be read */
    bool preempts;         /* the kernel interrupts itself, or there is no knowing */
    const char *bpf_lacks; /* why programs cannot be loaded here at all; NULL: they may be */
};

struct guard_wish {
    const char *method; /* "auto", "bpf", "immutable" */
    bool best_effort;   /* also where some changes slip through */
};

/* Is it one of those words? */
bool guard_method_is_known(const char *method);
/*
 * -ENOTSUP: not as wished, err says why and what it would take. why: with "auto", one line of the reason for anything but the
 * security module; empty: nothing to say.
 */
int guard_choose(const struct guard_wish *wish, const struct guard_facts *facts, enum guard_way *ret, struct sbuf *why, struct err *err);
