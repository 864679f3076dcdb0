/* SPDX-License-Identifier: MIT */
/* The first byte chooses a question and a format; the rest is a log, cut into two blocks. */
#include <stdlib.h>

#include "fuzz.h"
#include "search/events.h"
#include "search/format.h"

static struct search_formatter *formatter;
static struct search_matcher matcher;
static struct sbuf out;

static bool on_match(void *data, const struct search_event *event)
{
    (void)data;
    sbuf_clear(&out);
    if (search_format_event(formatter, event, &matcher, &out) < 0)
        abort();
    return true;
}

static bool on_event(void *data, const struct search_event *event)
{
    (void)data;
    return event->count > 0 || event->serial < UINT64_MAX;
}

static void choose(uint8_t choice, struct search_query *q)
{
    static const enum search_format formats[] = { SEARCH_RAW, SEARCH_DEFAULT, SEARCH_JSON, SEARCH_OCSF };

    *q = (struct search_query){ .success = -1, .end_of_event_s = 2 };
    q->format = formats[choice & 3];
    switch (choice >> 2 & 7) {
    case 0:
        q->keys[q->key_count++] = "watched";
        break;
    case 1:
        q->files[q->file_count++] = "/srv/w/new1";
        break;
    case 2:
        q->files[q->file_count++] = "tool";
        q->strict = true;
        break;
    case 3:
        q->files[q->file_count++] = "/srv/*";
        q->operations = ~0ull;
        break;
    case 4: /* every field that can be asked for */
        q->has_pid = q->has_ppid = q->has_uid = q->has_euid = q->has_auid = q->has_gid = true;
        q->has_egid = q->has_session = q->has_exit = q->any_uid = true;
        break;
    case 5:
        q->host = q->terminal = q->comm = q->exe = "";
        q->subject = q->object = "";
        q->any_context = true;
        q->success = 1;
        break;
    case 6:
        q->uuid = q->vm = "";
        q->uid_name = q->euid_name = q->auid_name = "root";
        q->has_uid = q->has_euid = q->has_auid = true;
        break;
    default:
        break;
    }
    if (choice & 0x80)
        q->types[q->type_count++] = 1302;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct search_query query;
    struct search_stats stats = { 0 };
    struct search_run run = { .query = &query, .matcher = &matcher, .match = on_match, .event = on_event };
    struct search_lines_options options;
    struct search_lines lines = { 0 };
    struct search_events *events;
    struct needle needle;
    size_t half;

    if (size < 1)
        return 0;
    choose(data[0], &query);
    data++;
    size--;
    formatter = search_formatter_new(&query, NULL);
    if (!formatter || search_matcher_init(&matcher, &query) < 0 || needle_of_query(&query, &needle) < 0)
        abort();
    options = (struct search_lines_options){ .needle = &needle, .types = query.types, .type_count = query.type_count };
    events = search_events_new(&run, 2, needle.count || query.type_count, &stats);
    if (!events)
        abort();
    for (half = size / 2; half < size && data[half] != '\n'; half++)
        ;
    for (unsigned i = 0; i < 2; i++) {
        size_t len = i == 0 ? half : size - half;
        char *copy = malloc(len + 1); /* of its own, so that reading past it is seen */

        if (!copy)
            abort();
        memcpy(copy, data + (i == 0 ? 0 : half), len);
        if (search_lines_read((struct bytes){ copy, len }, &options, &lines) < 0 ||
            search_events_add(events, (struct bytes){ copy, len }, &lines) < 0 || search_events_keep(events) < 0)
            abort();
        free(copy);
    }
    search_events_finish(events, false);
    search_events_free(events);
    search_lines_done(&lines);
    needle_done(&needle);
    search_matcher_done(&matcher);
    search_formatter_free(formatter);
    sbuf_done(&out);
    return 0;
}
