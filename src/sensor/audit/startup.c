/* SPDX-License-Identifier: MIT */
#include "sensor/audit/startup.h"

#include <string.h>

struct startup_group {
    struct audit_group group;
    struct audit_record records[]; /* their bytes follow */
};

static size_t size_of(const struct audit_group *group)
{
    size_t size = sizeof(struct startup_group) + group->count * sizeof(struct audit_record);

    for (unsigned i = 0; i < group->count; i++)
        size += group->records[i].body.len;
    return size;
}

void audit_startup_add(struct startup_buffer *startup, const struct audit_group *group, uint64_t now_ms)
{
    struct startup_group *e = startup_buffer_add(startup, size_of(group), now_ms);
    char *at;

    if (!e)
        return;
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
}

struct startup_question {
    bool (*claim)(void *data, const struct audit_group *group);
    void *data;
};

static bool ask(void *data, const void *entry)
{
    const struct startup_question *asked = data;
    const struct startup_group *e = entry;

    return asked->claim(asked->data, &e->group);
}

void audit_startup_replay(struct startup_buffer *startup, bool (*claim)(void *data, const struct audit_group *group), void *data)
{
    struct startup_question asked = { claim, data };

    startup_buffer_replay(startup, ask, &asked);
}
