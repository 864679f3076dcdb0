/* SPDX-License-Identifier: MIT */
/* The changes of one system call while they are collected, and its paths: for the files of meaning alone. Pure. */
#pragma once

#include "sensor/audit/change.h"

struct meaning_work {
    const struct audit_facts *f; /* borrowed, as all that the changes point to */
    struct audit_change *ret;    /* AUDIT_CHANGES_MAX, of which `count` are filled */
    unsigned count;
};

/* The n-th path of a type, counted from 0, without an overlay's own in its layers; NULL: there are fewer. */
const struct audit_path *audit_meaning_path(const struct audit_facts *f, enum audit_nametype type, unsigned n);

/* The last component of a name as the caller wrote it, without slashes behind it. */
struct bytes audit_last_component(struct bytes name);

/* Why the call was refused: a positive errno; EIO where the record says only that it was. */
int audit_meaning_refusal(const struct audit_facts *f);

/* One more change, empty but for operation, error and fd (-1). NULL: there is no room for it. */
struct audit_change *audit_meaning_add(struct meaning_work *w, enum operation operation);
