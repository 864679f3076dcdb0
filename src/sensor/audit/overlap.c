/* SPDX-License-Identifier: MIT */
#include "sensor/audit/overlap.h"

#include <stdlib.h>

#include "util/fingerprint.h"
#include "util/hash_table.h"

struct seen_record {
    struct fingerprint record;
    int ahead; /* so many times more by the later one than by the other */
    UT_hash_handle hh;
};

struct audit_overlap {
    struct seen_record *seen;
};

struct audit_overlap *audit_overlap_new(void)
{
    return calloc(1, sizeof(struct audit_overlap));
}

void audit_overlap_free(struct audit_overlap *o)
{
    struct seen_record *s, *next;

    if (!o)
        return;
    HASH_ITER(hh, o->seen, s, next) {
        HASH_DEL(o->seen, s);
        free(s);
    }
    free(o);
}

static struct seen_record *seen_of(struct audit_overlap *o, uint16_t type, struct bytes payload)
{
    struct fingerprint_maker of;
    struct fingerprint record;
    struct seen_record *s;

    fingerprint_begin(&of);
    fingerprint_add_word(&of, type);
    fingerprint_add(&of, payload);
    record = fingerprint_end(&of);
    HASH_FIND(hh, o->seen, &record, sizeof(record), s);
    if (s || HASH_COUNT(o->seen) >= AUDIT_OVERLAP_MAX || !(s = calloc(1, sizeof(*s))))
        return s;
    s->record = record;
    HASH_ADD(hh, o->seen, record, sizeof(s->record), s);
    HASH_FREE_IF_OUT(hh, s);
    return s;
}

bool audit_overlap_is_new(struct audit_overlap *o, bool later, uint16_t type, struct bytes payload)
{
    struct seen_record *s = o ? seen_of(o, type, payload) : NULL;
    bool is_new;

    if (!s)
        return true;
    is_new = later ? s->ahead >= 0 : s->ahead <= 0;
    s->ahead += later ? 1 : -1;
    return is_new;
}
