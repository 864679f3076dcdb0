/* SPDX-License-Identifier: MIT */
#include "alert/starts.h"

#include <stdlib.h>

#include "util/clock.h"
#include "util/hash_table.h"
#include "util/macro.h"

#define SAME_NS (2 * NS_PER_S)         /* the engine's event of a start, and what it says of the container */
#define AGAIN_NS (500 * NS_PER_MS)     /* what it says of one start differs by less */

struct one_start {
    uint64_t time_ns; /* 0: none */
    int64_t after_ns; /* of a matter: its first change */
};

/* Of a container, by its name, its starts; of a matter, by its key, those that it came after. The newest is the last one. */
struct starts_row {
    UT_hash_handle hh;
    struct fingerprint key;
    struct one_start last[STARTS];
    uint64_t otherwise_ns; /* of a matter: it came at another time */
};

struct starts {
    struct starts_row *containers, *matters;
};

struct starts *starts_new(void)
{
    return calloc(1, sizeof(struct starts));
}

static void drop(struct starts_row **rows, struct starts_row *row)
{
    HASH_DEL(*rows, row);
    free(row);
}

static void drop_all(struct starts_row **rows)
{
    struct starts_row *row, *next;

    HASH_ITER(hh, *rows, row, next)
        drop(rows, row);
}

void starts_forget(struct starts *s)
{
    drop_all(&s->containers);
}

void starts_free(struct starts *s)
{
    if (!s)
        return;
    drop_all(&s->containers);
    drop_all(&s->matters);
    free(s);
}

/* ---- rows ---- */

static struct starts_row *find(struct starts_row *rows, struct fingerprint key)
{
    struct starts_row *row;

    HASH_FIND(hh, rows, &key, sizeof(key), row);
    return row;
}

/* The one that was made longest ago makes room. NULL: out of memory. */
static struct starts_row *put(struct starts_row **rows, struct fingerprint key)
{
    struct starts_row *row = find(*rows, key);

    if (row)
        return row;
    if (HASH_COUNT(*rows) >= STARTS_ROWS_MAX)
        drop(rows, *rows);
    row = calloc(1, sizeof(*row));
    if (!row)
        return NULL;
    row->key = key;
    HASH_ADD(hh, *rows, key, sizeof(row->key), row);
    if (row->hh.tbl)
        return row;
    free(row);
    return NULL;
}

static void add(struct starts_row *row, struct one_start start)
{
    memmove(row->last, row->last + 1, (STARTS - 1) * sizeof(row->last[0]));
    row->last[STARTS - 1] = start;
}

/* One that is created anew is the same to people. */
static struct fingerprint key_of(const struct container *c)
{
    return fingerprint_of(c->name.len ? c->name : c->id);
}

/* ---- in ---- */

void starts_life(struct starts *s, const struct lifecycle_event *life)
{
    struct starts_row *row = life->kind == LIFECYCLE_START && life->time_ns ? put(&s->containers, key_of(life->container)) : NULL;

    if (row)
        add(row, (struct one_start){ .time_ns = life->time_ns });
    else if (life->kind == LIFECYCLE_START)
        starts_forget(s);
}

static bool is_same(uint64_t a_ns, uint64_t b_ns)
{
    return MAX(a_ns, b_ns) - MIN(a_ns, b_ns) < SAME_NS;
}

void starts_event(struct starts *s, const struct event *e, struct fingerprint matter)
{
    uint64_t start_ns = e->time_ns - (uint64_t)e->since_start_ns;
    struct starts_row *row = e->victim ? put(&s->matters, matter) : NULL;

    if (!row)
        return;
    if (!e->since_start_known || e->since_start_ns < 0 || e->since_start_ns > (int64_t)STARTS_AFTER_NS)
        row->otherwise_ns = MAX(row->otherwise_ns, e->time_ns);
    else if (start_ns > row->last[STARTS - 1].time_ns + AGAIN_NS) /* else it is a further change, or a late one */
        add(row, (struct one_start){ start_ns, e->since_start_ns });
}

/* ---- out ---- */

static const struct one_start *find_start(const struct starts_row *row, uint64_t time_ns, unsigned from)
{
    for (unsigned i = from; i < STARTS; i++)
        if (is_same(row->last[i].time_ns, time_ns))
            return &row->last[i];
    return NULL;
}

bool starts_each(const struct starts *s, const struct container *victim, struct fingerprint matter, struct starts_fact *ret)
{
    const struct starts_row *container = victim ? find(s->containers, key_of(victim)) : NULL, *row = find(s->matters, matter);
    struct starts_fact fact = { INT64_MAX, 0 };
    unsigned next = 0;

    if (!container || !row || !container->last[0].time_ns || row->otherwise_ns + SAME_NS >= container->last[0].time_ns)
        return false;
    for (unsigned i = 0; i < STARTS; i++) {
        const struct one_start *start = find_start(row, container->last[i].time_ns, next);

        if (!start)
            return false;
        next = (unsigned)(start - row->last) + 1; /* each is of one start */
        fact.earliest_ns = MIN(fact.earliest_ns, start->after_ns);
        fact.latest_ns = MAX(fact.latest_ns, start->after_ns);
    }
    *ret = fact;
    return true;
}
