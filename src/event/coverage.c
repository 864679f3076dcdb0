/* SPDX-License-Identifier: MIT */
#include "event/coverage.h"

#include "event/event.h"
#include "util/macro.h"

/* An audit log says what its rules reported, seldom what they were about. */
static bool coverage_scope_is_known(const struct coverage *c)
{
    return c->sensors != SENSOR_AUDIT_LOG || c->permissions;
}

static void remove_span(struct coverage_sum *sum, unsigned at)
{
    sum->count--;
    for (unsigned i = at; i < sum->count; i++)
        sum->spans[i] = sum->spans[i + 1];
}

/* The new span absorbs every span that it touches, and takes its place in the order of time. */
static void add_span(struct coverage_sum *sum, struct coverage_span span)
{
    unsigned at = 0;

    while (at < sum->count) {
        const struct coverage_span *s = &sum->spans[at];

        if (s->to_ns < span.from_ns) {
            at++;
        } else if (s->from_ns <= span.to_ns) {
            span.from_ns = MIN(span.from_ns, s->from_ns);
            span.to_ns = MAX(span.to_ns, s->to_ns);
            remove_span(sum, at);
        } else {
            break;
        }
    }
    if (sum->count == COVERAGE_SPANS) {
        sum->more_spans = true;
        return;
    }
    for (unsigned i = sum->count++; i > at; i--)
        sum->spans[i] = sum->spans[i - 1];
    sum->spans[at] = span;
}

void coverage_sum_add(struct coverage_sum *sum, const struct coverage *c)
{
    bool operations = !c->permissions || (c->permissions & sum->permissions) == sum->permissions;

    if (!coverage_scope_is_known(c))
        sum->unknown_scope = true;
    else if (c->only.len || c->narrowed.len || !operations)
        sum->partly = true;
    else
        add_span(sum, (struct coverage_span){ c->from_ns, c->to_ns ? c->to_ns : UINT64_MAX });
}

enum coverage_extent coverage_sum_extent(const struct coverage_sum *sum, uint64_t now_ns)
{
    uint64_t until = sum->until_ns && sum->until_ns < now_ns ? sum->until_ns : now_ns;

    for (unsigned i = 0; i < sum->count && sum->since_ns; i++)
        if (sum->spans[i].from_ns <= sum->since_ns && sum->spans[i].to_ns >= until)
            return COVERAGE_WHOLE;
    return sum->count           ? COVERAGE_AT_TIMES
           : sum->partly        ? COVERAGE_PARTLY
           : sum->unknown_scope ? COVERAGE_UNKNOWN
                                : COVERAGE_NEVER;
}

const char *coverage_extent_name(enum coverage_extent extent)
{
    static const char *const names[] = {
        [COVERAGE_NEVER] = "never",       [COVERAGE_UNKNOWN] = "unknown", [COVERAGE_PARTLY] = "partly",
        [COVERAGE_AT_TIMES] = "at times", [COVERAGE_WHOLE] = "whole",
    };

    return names[extent];
}

unsigned coverage_lacks(struct bytes not_seen)
{
    unsigned count = not_seen.len > 0, depth = 0;

    for (size_t i = 0; i + 1 < not_seen.len; i++) {
        char c = not_seen.data[i];

        if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if ((c == ',' || c == ';') && not_seen.data[i + 1] == ' ' && !depth)
            count++;
    }
    return count;
}

bool coverage_is_scratch(const struct coverage_place *place)
{
    return place->path.len && bytes_starts_with(bytes_basename(place->path), bytes_of(COVERAGE_SCRATCH));
}
