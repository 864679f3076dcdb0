/* SPDX-License-Identifier: MIT */
/*
 * Who made the changes: the kernel's side describes an actor once, and names it by a number in each record of a change. One thread.
 */
#pragma once

#include "event/event.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/object_watch.h"

/* Actors remembered, those that were used last. The kernel side remembers a third as many as emitted. */
#define BPF_ACTORS_MAX 12288

struct bpf_actors;

struct bpf_actors *bpf_actors_new(void); /* NULL: out of memory */
void bpf_actors_free(struct bpf_actors *actors); /* NULL is fine */

/* A record of type WIRE_ACTOR, of which nothing is borrowed. -ENOMEM. */
int bpf_actors_learn(struct bpf_actors *actors, const struct bpf_record *r);
/* The actor of an event, in terms of the object it is for; what is no longer remembered is left empty. The event shares the memory that
 * its strings are in. */
void bpf_actors_fill(struct bpf_actors *actors, const struct wire_change *c, const struct bpf_object_watch *w, struct event *e);
