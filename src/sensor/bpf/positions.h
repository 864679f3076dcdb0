/* SPDX-License-Identifier: MIT */
/*
 * How far a BPF ring was filled at a moment, and whether all that has been read since. Whether the ring is readable does not say it:
 * records wake nobody, and one that another processor has reserved and not written yet holds up those that follow it.
 */
#pragma once

#include <stdbool.h>

#include "util/err.h"

struct bpf_positions {
    const unsigned long *consumer, *producer; /* the kernel's pages */
    unsigned long noted;
};

#define BPF_POSITIONS_INIT ((struct bpf_positions){ 0 })

/* ring_fd: of a map of the type ringbuf; borrowed for the call only. Returns -errno. */
int bpf_positions_open(struct bpf_positions *p, int ring_fd, struct err *err);
void bpf_positions_done(struct bpf_positions *p); /* one that was not opened is fine */

/* What has been reserved by now is what bpf_positions_are_read() asks for. */
void bpf_positions_note(struct bpf_positions *p);
bool bpf_positions_are_read(const struct bpf_positions *p);
