/* SPDX-License-Identifier: MIT */
/* A change as the kernel reported it, in terms of the watched objects: records into events. */
#pragma once

#include "event/event.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/objects.h"

struct bpf_emitter;

struct bpf_emitter_options {
    struct bpf_objects *objects;
    void *data;
    void (*event)(void *data, struct event *event); /* the receiver's from now on */
};

/* options: copied; what they point to is borrowed until bpf_emitter_free(). -ENOMEM. */
int bpf_emitter_new(const struct bpf_emitter_options *options, struct bpf_emitter **ret, struct err *err);
void bpf_emitter_free(struct bpf_emitter *t); /* NULL is fine */

/*
 * Emit one record's events. real_offset_ns: CLOCK_REALTIME minus CLOCK_BOOTTIME.
 * Returns how many events were emitted; -ENOMEM.
 */
int bpf_emitter_record(struct bpf_emitter *t, const struct bpf_record *r, uint64_t real_offset_ns);
