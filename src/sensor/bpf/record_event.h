/* SPDX-License-Identifier: MIT */
/* A change as the kernel told it, in terms of the watched objects: records into events. */
#pragma once

#include "event/event.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/objects.h"

/* Actors remembered, those that were used last. The kernel side remembers a third of it to have told. */
#define BPF_TELLER_ACTORS 12288

struct bpf_teller;

struct bpf_teller_options {
    struct bpf_objects *objects;
    void *data;
    void (*event)(void *data, struct event *event); /* the receiver's from now on */
};

int bpf_teller_new(const struct bpf_teller_options *options, struct bpf_teller **ret, struct err *err);
void bpf_teller_free(struct bpf_teller *t); /* NULL is fine */

/*
 * Tell one record. real_offset_ns: CLOCK_REALTIME minus CLOCK_BOOTTIME.
 * Returns how many events were told; -ENOMEM.
 */
int bpf_teller_record(struct bpf_teller *t, const struct bpf_record *r, uint64_t real_offset_ns);
