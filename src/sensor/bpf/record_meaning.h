/* SPDX-License-Identifier: MIT */
/* Which events one change is, for one watched object. Pure. */
#pragma once

#include "event/operation.h"
#include "sensor/bpf/decode.h"
#include "sensor/bpf/objects.h"

#define RECORD_MEANINGS_MAX 4

/* One object that a record touches, by either of its paths. */
struct record_target {
    struct bpf_object_watch *object;
    struct bpf_place places[2];
    bool on_the_way[2]; /* not the object, but a directory above it */
    unsigned depths[2];
    bool has[2];
};

struct record_meaning {
    enum operation operation;
    unsigned now, old; /* which of the record's paths is the path, and the previous one */
    bool has_old, victim;
    const char *note;
};

/* Returns how many there are in `ret`, which has room for RECORD_MEANINGS_MAX. Their notes are constants. */
unsigned bpf_record_meanings(const struct bpf_record *r, const struct record_target *at, struct record_meaning *ret);
