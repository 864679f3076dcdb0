/* SPDX-License-Identifier: MIT */
#include "sensor/audit/held.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/recent_evictions.h"
#include "util/limits.h"

struct held_group {
    struct held_group *next;
    uint64_t added_ms;
    struct audit_group group;
    struct audit_record records[]; /* their bytes follow */
};

struct audit_held {
    struct held_group *first, **last;
    size_t bytes;
    struct recent_evictions lost;
};

struct audit_held *audit_held_new(void)
{
    struct audit_held *held = calloc(1, sizeof(*held));

    if (held)
        held->last = &held->first;
    return held;
}

static size_t size_of(const struct audit_group *group)
{
    size_t size = sizeof(struct held_group) + group->count * sizeof(struct audit_record);

    for (unsigned i = 0; i < group->count; i++)
        size += group->records[i].body.len;
    return size;
}

static void drop_first(struct audit_held *held)
{
    struct held_group *e = held->first;

    held->first = e->next;
    if (!held->first)
        held->last = &held->first;
    held->bytes -= size_of(&e->group);
    free(e);
}

uint64_t audit_held_take_lost(struct audit_held *held, uint64_t now_ms)
{
    return recent_evictions_take(&held->lost, now_ms);
}

void audit_held_add(struct audit_held *held, const struct audit_group *group, uint64_t now_ms)
{
    size_t size = size_of(group);
    struct held_group *e = size > LIMIT_AUDIT_HELD ? NULL : malloc(size);
    char *at;

    if (!e) {
        recent_evictions_note(&held->lost, now_ms);
        return;
    }
    while (held->bytes + size > LIMIT_AUDIT_HELD) {
        if (is_recent_eviction(held->first->added_ms, now_ms))
            recent_evictions_note(&held->lost, now_ms);
        drop_first(held);
    }
    e->added_ms = now_ms;
    e->next = NULL;
    e->group = *group;
    e->group.records = e->records;
    e->group.node = BYTES_NULL;
    at = (char *)(e->records + group->count);
    for (unsigned i = 0; i < group->count; i++) {
        struct audit_record *r = &e->records[i];

        *r = group->records[i];
        r->type_name = r->node = r->enriched = BYTES_NULL;
        if (r->body.len)
            memcpy(at, r->body.data, r->body.len);
        r->body.data = at;
        at += r->body.len;
    }
    *held->last = e;
    held->last = &e->next;
    held->bytes += size;
}

void audit_held_replay(struct audit_held *held,
                       bool (*claim)(void *data, const struct audit_group *group), void *data)
{
    struct held_group **at = &held->first;

    while (*at) {
        struct held_group *e = *at;

        if (!claim(data, &e->group)) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        held->bytes -= size_of(&e->group);
        free(e);
    }
    held->last = at;
}

void audit_held_clear(struct audit_held *held)
{
    while (held->first)
        drop_first(held);
    held->lost.count = 0;
}

void audit_held_free(struct audit_held *held)
{
    if (!held)
        return;
    audit_held_clear(held);
    free(held);
}
