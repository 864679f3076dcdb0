/* SPDX-License-Identifier: MIT */
#include "cli/who_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/who_store.h"
#include "report/coverage.h"
#include "util/limits.h"
#include "util/macro.h"

bool who_shows_events(const struct who_question *q)
{
    return q->report.format == FORMAT_JSON && !q->report.quiet && !q->summary && !q->folded;
}

/* Events that a count of many and a few examples cannot replace. */
static bool needs_each(const struct who_question *q)
{
    return filter_needs_paths(&q->report.filter) || q->summary || q->folded;
}

/* What is asked of one event at a time. */
static int add_event(struct who_question *q, struct event *event, bool each)
{
    enum filter_result result = filter_event(&q->report.filter, event);
    int r = 0;

    q->found++;
    if (result == FILTER_MATCHES && who_shows_events(q))
        printer_event(&q->printer, event);
    if (each) {
        agents_name_products(q->agents, event);
        if (q->summary && result == FILTER_MATCHES)
            summary_add(q->summary, event);
        if (q->folded && result == FILTER_MATCHES)
            folded_add(q->folded, event);
        if (result == FILTER_MATCHES)
            r = case_add_event(q->case_, event);
        else
            case_leave_out_event(q->case_, result, event);
    }
    return r;
}

/* Changes of what lies above the target take their turn among the others, in order of time. */
static int add_above(struct who_question *q, uint64_t until_ns)
{
    int r = 0;

    while (r == 0 && q->above_added < q->above_count && q->above[q->above_added]->time_ns <= until_ns)
        r = add_event(q, q->above[q->above_added++], true);
    return r;
}

static void forget_above(struct who_question *q)
{
    for (size_t i = 0; i < q->above_count; i++)
        event_free(q->above[i]);
    free(q->above);
    q->above = NULL;
    q->above_count = q->above_added = 0;
}

static int on_above(void *data, struct event *event)
{
    struct who_question *q = data;
    struct event **above = reallocarray(q->above, q->above_count + 1, sizeof(struct event *));

    for (size_t i = 0; above && i < q->above_count; i++)
        if (memcmp(above[i]->id, event->id, sizeof(event->id)) == 0) { /* above both, what was written and where it leads */
            q->above = above;
            event_free(event);
            return 0;
        }
    if (!above) {
        event_free(event);
        return -ENOMEM;
    }
    q->above = above;
    above[q->above_count++] = event;
    return 0;
}

static int on_event(void *data, struct event *event)
{
    struct who_question *q = data;
    int r = add_above(q, event->time_ns);

    if (r == 0 && !who_places_new_event(&q->places, event))
        q->found++;
    else if (r == 0)
        r = add_event(q, event, q->each);
    event_free(event);
    return r;
}

static int on_rollup(void *data, const struct store_rollup *rollup, struct event *const *samples,
                     unsigned sample_count)
{
    struct who_question *q = data;
    enum filter_result result = filter_event(&q->report.filter, rollup->sample);

    q->found++;
    if (result != FILTER_MATCHES) {
        case_leave_out(q->case_, result, rollup->count);
        return 0;
    }
    for (unsigned i = 0; i < sample_count; i++)
        agents_name_products(q->agents, samples[i]);
    return case_add_rollup(q->case_, rollup, samples, sample_count);
}

static int on_size(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned sample_count)
{
    struct who_question *q = data;

    (void)samples;
    (void)sample_count;
    q->size += rollup->count;
    return q->size > EACH_MAX;
}

/* One by one as far as that is quick: what became of each file is known then, whichever directory is asked for. */
static int decide_each(struct who_question *q, struct store *store, struct err *err)
{
    struct store_query some = q->query;
    unsigned blocks = 0;
    int r;

    q->size = 0;
    q->none = false;
    q->each = needs_each(q);
    if (q->each)
        return 0;
    some.limit = EACH_MAX;
    r = store_each_rollup(store, &some, 1, on_size, q, err);
    q->none = q->size == 0;
    q->each = q->size <= EACH_MAX;
    if (r >= 0 && q->each && !q->none) /* few changes among the many of a large record */
        r = store_count_blocks(store, &q->query, EACH_BLOCKS + 1, &blocks, err);
    q->each &= blocks <= EACH_BLOCKS;
    q->places.unsure |= q->places.mixed && !q->each;
    return r < 0 ? r : 0;
}

static int on_life(void *data, const struct lifecycle_event *life)
{
    return case_add_life(((struct who_question *)data)->case_, life);
}

static int on_gap(void *data, const struct gap *gap)
{
    struct who_question *q = data;

    if (!who_places_new_gap(&q->places, gap))
        return 0;
    if (who_shows_events(q))
        printer_gap(&q->printer, gap);
    return case_add_gap(q->case_, gap);
}

static int by_time(const void *a, const void *b)
{
    const struct event *x = *(struct event *const *)a, *y = *(struct event *const *)b;

    return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* Above what the path leads to, and above the path as it was written: there are the links. */
static int ask_above(struct who_question *q, struct store *store, const struct target *target, struct err *err)
{
    struct store_query written = q->query;
    int r = store_each_above(store, &q->query, on_above, q, err);

    if (r < 0 || target->selector.kind != SELECTOR_NONE || bytes_equal(q->query.path, target->path))
        return r;
    written.path = target->path;
    written.host_path = BYTES_NULL;
    r = store_each_above(store, &written, on_above, q, err);
    if (q->above_count)
        qsort(q->above, q->above_count, sizeof(struct event *), by_time);
    return r;
}

/* Is there anything? The changes themselves are another target's. */
static int on_any(void *data, const struct store_rollup *rollup, struct event *const *samples, unsigned sample_count)
{
    (void)samples;
    (void)sample_count;
    ((struct who_question *)data)->found += rollup->count;
    return 1;
}

/* How far it was watched, of a target within another one. */
static int ask_coverage(struct who_question *q, struct store *store, struct target *target, struct err *err)
{
    struct store_query some = q->query;
    int r;

    some.limit = 1;
    r = store_each_rollup(store, &some, 1, on_any, q, err);
    return r < 0 ? r : who_store_coverage(store, &q->query, target, q->found > 0, q->case_, err);
}

/* The changes; what became of the container, and how far it was watched, belongs to the target that led there. */
static int ask_changes(struct who_question *q, struct store *store, struct err *err)
{
    int r = 0;

    if (!q->none && (q->each || who_shows_events(q))) /* others may have a million changes of paths that read the same */
        r = store_each_event(store, &q->query, on_event, q, err);
    if (r >= 0)
        r = add_above(q, UINT64_MAX);
    forget_above(q);
    if (r >= 0 && !q->each)
        r = store_each_rollup(store, &q->query, LIMIT_CASE_SAMPLES, on_rollup, q, err);
    return r < 0 ? r : store_each_gap(store, &q->query, on_gap, q, err);
}

struct former_of {
    struct who_places *places;
    size_t at;
};

static int on_former(void *data, const struct store_former *former)
{
    struct former_of *f = data;

    return who_places_add_former(f->places, f->at, former);
}

int who_find_former(struct who_question *q, struct store *store, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < q->places.count && r >= 0; i++) {
        const struct target *target = &q->places.at[i].target;
        const struct store_former itself = { target->path, 0, 0 }; /* the link, or what was there before it */
        struct store_query written = q->query;
        struct former_of f = { &q->places, i };

        written.kind = target->selector.kind;
        written.runtime = target->selector.runtime;
        written.container = written.kind == SELECTOR_NONE ? BYTES_NULL : target->selector.text;
        written.path = target->path;
        r = store_each_former(store, &written, on_former, &f, err);
        if (r >= 0 && !bytes_equal(q->places.at[i].path, itself.path))
            r = who_places_add_former(&q->places, i, &itself);
    }
    return r;
}

/* As far as it led there. */
static int on_former_coverage(void *data, const struct coverage *coverage)
{
    const struct who_question *q = data;
    struct coverage c = *coverage;

    c.from_ns = MAX(c.from_ns, q->query.since_ns);
    c.to_ns = q->query.until_ns && (!c.to_ns || c.to_ns > q->query.until_ns) ? q->query.until_ns : c.to_ns;
    return case_add_coverage(q->case_, &c);
}

int who_ask_former(struct who_question *q, struct store *store, const struct who_place *place, struct err *err)
{
    const struct store_query asked = q->query;
    const struct target *target = &place->target;
    int r;

    if (who_places_asked(&q->places, place))
        return 0;
    q->query.since_ns = MAX(asked.since_ns, place->since_ns);
    q->query.until_ns = asked.until_ns && (!place->until_ns || asked.until_ns < place->until_ns) ? asked.until_ns : place->until_ns;
    if (q->query.until_ns && q->query.until_ns < q->query.since_ns) {
        q->query = asked;
        return 0;
    }
    q->query.kind = target->selector.kind;
    q->query.runtime = target->selector.runtime;
    q->query.container = target->selector.kind == SELECTOR_NONE ? BYTES_NULL : target->selector.text;
    q->query.path = target->path;
    q->query.host_path = BYTES_NULL;
    r = decide_each(q, store, err);
    if (r >= 0)
        r = ask_changes(q, store, err);
    if (r >= 0 && place->since_ns)
        r = store_each_coverage(store, &q->query, on_former_coverage, q, err);
    q->query = asked;
    return r;
}

int who_ask(struct who_question *q, struct store *store, struct who_place *place, struct err *err)
{
    struct target *target = &place->target;
    int r = who_store_resolve(store, &q->machine, target, &q->query, err);

    q->found = 0;
    if (r >= 0 && bytes_known(q->query.path))
        place->path = q->query.path;
    if (r >= 0 && place->covered)
        return ask_coverage(q, store, target, err);
    if (r >= 0)
        r = store_each_life(store, &q->query, on_life, q, err);
    if (r >= 0)
        r = decide_each(q, store, err);
    if (r >= 0)
        r = ask_above(q, store, target, err);
    if (r >= 0)
        r = ask_changes(q, store, err);
    if (r >= 0)
        r = who_store_coverage(store, &q->query, target, q->found > 0, q->case_, err);
    return r;
}
