/* SPDX-License-Identifier: MIT */
/* The input is a log: lines into records, records into events, every field un-encoded. */
#include <stdlib.h>

#include "fuzz.h"
#include "sensor/audit/group.h"
#include "sensor/audit/record.h"
#include "util/limits.h"

static void read_fields(const struct audit_record *r, struct bytes fields)
{
    struct audit_field f;
    struct bytes text;
    uint64_t number;

    while (audit_field_next(r->type, &fields, &f)) {
        size_t size = f.encoding == AUDIT_ENCODING_HEX ? f.value.len / 2 : 0;
        char *buffer = malloc(size);
        volatile char sink = 0;

        if (buffer && audit_field_text(&f, buffer, size, &text) == 0)
            for (size_t i = 0; i < text.len; i++)
                sink ^= text.data[i];
        audit_field_number(&f, 10, &number);
        audit_field_number(&f, 16, &number);
        for (size_t i = 0; i < f.name.len; i++)
            sink ^= f.name.data[i];
        (void)sink;
        free(buffer);
    }
}

static void read_group(void *data, const struct audit_group *group)
{
    (void)data;
    for (unsigned i = 0; i < group->count; i++) {
        read_fields(&group->records[i], group->records[i].body);
        read_fields(&group->records[i], group->records[i].enriched);
    }
}

static void run(const uint8_t *data, size_t size, bool copy)
{
    struct audit_grouper *g = audit_grouper_new(
        &(struct audit_grouper_options){ .copy = copy, .max_open = 8, .group = read_group });
    const char *p = (const char *)data, *end = p + size;

    if (!g)
        abort();
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t len = newline ? (size_t)(newline - p) : (size_t)(end - p);
        struct audit_record r;

        if (audit_record_parse_line((struct bytes){ p, len }, &r, NULL) == 0) {
            audit_grouper_add(g, &r, r.time_ms);
            audit_grouper_expire(g, r.time_ms, 2000);
        }
        p += len + (newline ? 1 : 0);
    }
    audit_grouper_expire(g, 0, 0);
    audit_grouper_free(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run(data, size, true);
    run(data, size, false);
    return 0;
}
