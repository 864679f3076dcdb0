/* SPDX-License-Identifier: MIT */
#include "alert/silence.h"

#include <errno.h>
#include <string.h>

#include "util/macro.h"

static bool copy(struct arena *arena, struct bytes from, size_t max, struct bytes *to)
{
    *to = from.len ? arena_copy(arena, bytes_cut(from, max)) : BYTES_NULL;
    return !from.len || to->data;
}

int silences_add(struct silences *s, const struct silence *silence, const struct silence **ret)
{
    struct silence_row row = { .silence = *silence };
    struct bytes unused;

    if (s->count == SILENCES_MAX)
        return -ENOSPC;
    if (!copy(&row.arena, silence->target, SIZE_MAX, &row.silence.target) || !copy(&row.arena, silence->path, SIZE_MAX, &row.silence.path) ||
        !copy(&row.arena, silence->what, SILENCE_TEXT_MAX, &row.silence.what) || !copy(&row.arena, silence->by, SILENCE_TEXT_MAX, &row.silence.by) ||
        !copy(&row.arena, silence->reason, SILENCE_TEXT_MAX, &row.silence.reason)) {
        arena_done(&row.arena);
        return -ENOMEM;
    }
    if (row.silence.target.len && selector_parse(row.silence.target, &row.silence.selector, &unused, NULL) < 0) {
        arena_done(&row.arena);
        return -EINVAL;
    }
    if (!row.silence.number)
        row.silence.number = s->last + 1;
    s->last = MAX(s->last, row.silence.number);
    s->rows[s->count] = row;
    *ret = &s->rows[s->count++].silence;
    return 0;
}

const struct silence *silences_by_number(const struct silences *s, uint32_t number)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->rows[i].silence.number == number)
            return &s->rows[i].silence;
    return NULL;
}

void silences_remove(struct silences *s, uint32_t number)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->rows[i].silence.number == number) {
            arena_done(&s->rows[i].arena);
            memmove(&s->rows[i], &s->rows[i + 1], (s->count - i - 1) * sizeof(s->rows[0]));
            s->count--;
            return;
        }
}

static bool is_at(const struct silence *s, const struct event *e, struct bytes path, struct bytes host_path)
{
    bool host = s->selector.kind == SELECTOR_NONE;
    bool own = e->victim ? !host && selector_matches(&s->selector, e->victim) : host;

    return (own && bytes_path_covers(s->path, path)) || (host && host_path.len && bytes_path_covers(s->path, host_path));
}

/* Of what moves both names: a file that was moved there is missing elsewhere. */
static bool fits(const struct silence *s, const struct event *e, struct fingerprint key)
{
    if (e->time_ns < s->from_ns || e->time_ns >= s->until_ns)
        return false;
    if (s->matter.number)
        return fingerprint_equal(s->matter, key);
    return is_at(s, e, e->path, e->host_path) &&
           (!e->previous_path.len || is_at(s, e, e->previous_path, e->previous_host_path));
}

const struct silence *silences_take(struct silences *s, const struct event *event, struct fingerprint key)
{
    for (unsigned i = 0; i < s->count; i++)
        if (fits(&s->rows[i].silence, event, key)) {
            s->rows[i].silence.events++;
            return &s->rows[i].silence;
        }
    return NULL;
}

const struct silence *silences_ended(const struct silences *s, uint64_t realtime_ns)
{
    for (unsigned i = 0; i < s->count; i++)
        if (realtime_ns >= s->rows[i].silence.until_ns)
            return &s->rows[i].silence;
    return NULL;
}

void silences_done(struct silences *s)
{
    while (s->count)
        silences_remove(s, s->rows[0].silence.number);
}
