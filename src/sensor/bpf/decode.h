/* SPDX-License-Identifier: MIT */
/* Records of the BPF programs (wire/change.h) into structs. Pure: views point into the input. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"
#include "util/sbuf.h"
#include "wire/change.h"

struct bpf_record {
    enum wire_type type;
    const struct wire_change *change; /* WIRE_CHANGE, WIRE_ALREADY_OPEN: in the input */
    struct bytes path, other;    /* names, leaf first, each ended by NUL */
    struct bytes text;           /* without a NUL */

    struct wire_actor actor;     /* WIRE_ACTOR */
    struct bytes comm, exe, cwd, args, tty, cgroup; /* exe, cwd, cgroup: names as above; args: each ended by NUL */
};

/* data: at a multiple of 8, as in the rings. What is of other types than the record's is NULL or BYTES_NULL,
 * but for `actor`.
 * -EBADMSG: not a record, or one that does not hold together; says where, and *ret means nothing. */
int bpf_decode(const void *data, size_t len, struct bpf_record *ret, struct err *err);

/* How many names a list has. */
unsigned bpf_names_count(struct bytes names);
/* base + "/" + the first `count` names, turned round. Returns false if there are not so many. */
bool bpf_names_path(struct bytes names, unsigned count, struct bytes base, struct sbuf *out);
