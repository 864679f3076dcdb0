/* SPDX-License-Identifier: MIT */
#include "search/events.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>

#include "search/event_order.h"
#include "sensor/audit/record.h"
#include "util/limits.h"
#include "util/macro.h"

#define BUCKETS (1 << 16)

struct search_events {
    const struct search_run *run;
    struct search_stats *stats;
    uint64_t end_of_event_s;
    bool has_needle;

    struct event_order order;
    struct open_event **buckets; /* events that still grow, by stamp */
    struct open_event *free_list;
    struct open_event *last;     /* of the line before; NULL if it is over */
    struct open_event **touched; /* hold views of the current block */
    size_t touched_count, touched_size;
    bool decide_late;     /* even an event's EOE is asked for */
    size_t text_bytes;           /* in all events' `text` */
    bool ended;
};

/* ---- finding ---- */

static size_t bucket_of(uint64_t sec, unsigned milli, uint64_t serial)
{
    uint64_t h = (sec * 1000 + milli) * 0x9e3779b97f4a7c15ull ^ serial * 0xc2b2ae3d27d4eb4full;

    return (size_t)(h >> 40) & (BUCKETS - 1);
}

static struct open_event *find(const struct search_events *s, const struct search_line *l,
                               struct bytes node)
{
    struct open_event *e = s->buckets[bucket_of(l->sec, l->milli, l->serial)];

    for (; e; e = e->next_in_bucket)
        if (e->serial == l->serial && e->sec == l->sec && e->milli == l->milli &&
            bytes_equal(e->node, node))
            return e;
    return NULL;
}

static void bucket_remove(struct search_events *s, struct open_event *e)
{
    struct open_event **p = &s->buckets[bucket_of(e->sec, e->milli, e->serial)];

    for (; *p; p = &(*p)->next_in_bucket)
        if (*p == e) {
            *p = e->next_in_bucket;
            return;
        }
}

/* ---- life ---- */

static void forget_text(struct search_events *s, struct open_event *e)
{
    s->text_bytes -= e->text_size;
    free(e->text);
    e->text = NULL;
    e->text_len = e->text_size = e->kept = 0;
    e->count = 0;
}

static void recycle(struct search_events *s, struct open_event *e)
{
    if (s->last == e)
        s->last = NULL;
    forget_text(s, e);
    event_order_give_slot(&s->order, e->slot);
    if (e->node.data)
        free((char *)(uintptr_t)e->node.data);
    if (e->size > 64) {
        free(e->records);
        e->records = NULL;
        e->size = 0;
    }
    e->node = BYTES_NULL;
    e->next_in_bucket = s->free_list;
    s->free_list = e;
}

static struct open_event *event_new_from(struct search_events *s, const struct search_line *l,
                                         struct bytes node)
{
    struct open_event *e = s->free_list;
    char *copy = NULL;

    if (node.len) {
        copy = malloc(node.len);
        if (!copy)
            return NULL;
        memcpy(copy, node.data, node.len);
    }
    if (e) {
        s->free_list = e->next_in_bucket;
    } else {
        e = calloc(1, sizeof(*e));
        if (!e) {
            free(copy);
            return NULL;
        }
    }
    e->sec = l->sec;
    e->milli = l->milli;
    e->serial = l->serial;
    e->slot = event_order_take_slot(&s->order);
    e->node = (struct bytes){ copy, node.len };
    e->type = l->type;
    e->state = OPEN;
    e->hit = e->enriched = e->listed = e->stale = false;
    e->count = e->kept = 0;
    return e;
}

/* Alone by their types: such an event is over at once. The test is ausearch's, so that its events
 * and ours are the same. */
static bool is_single(int type)
{
    return type == AUDIT_PROCTITLE || type < AUDIT_FIRST_EVENT || type >= AUDIT_FIRST_ANOM_MSG ||
           type == AUDIT_KERNEL || (type >= AUDIT_MAC_UNLBL_ALLOW && type <= AUDIT_MAC_CALIPSO_DEL);
}

static struct search_event view_of(const struct open_event *e)
{
    return (struct search_event){ .sec = e->sec,
                                  .serial = e->serial,
                                  .milli = e->milli,
                                  .node = e->node,
                                  .type = e->type,
                                  .enriched = e->enriched,
                                  .records = e->records,
                                  .count = e->count };
}

static void decide(struct search_events *s, struct open_event *e)
{
    struct search_event view = view_of(e);

    /* the records of a refused one stay in view until the block ends: one may come late */
    if ((s->has_needle && !e->hit) || e->count == 0 || !search_matches(s->run->matcher, &view))
        e->state = REFUSED;
    else
        e->state = MATCHING;
}

/* Hand out the lowest event. */
static void pop(struct search_events *s)
{
    struct open_event *e = event_order_pop(&s->order);
    struct search_event view;

    if (!e->single)
        bucket_remove(s, e);
    if (s->last == e)
        s->last = NULL;
    if (e->state == OPEN || e->stale)
        decide(s, e);
    view = view_of(e);
    if (!s->ended && e->state == MATCHING) {
        s->stats->matches++;
        s->ended = !s->run->match(s->run->data, &view);
    }
    if (!s->ended && s->run->event)
        s->ended = !s->run->event(s->run->data, &view);
    /* a view of it may be in the list of those to be kept */
    if (e->listed)
        s->touched[e->touched_at] = NULL;
    recycle(s, e);
}

static int add_record(struct search_events *s, struct open_event *e, const char *text,
                      const struct search_line *l)
{
    struct search_record *r;
    const char *separator = memchr(text, AUDIT_ENRICHED_SEPARATOR, l->len);

    if (e->count >= LIMIT_AUDIT_EVENT_RECORDS * 16) {
        s->stats->damaged++;
        return 0;
    }
    if (e->count == e->size) {
        uint32_t size = e->size ? e->size * 2 : 8;
        struct search_record *grown = realloc(e->records, size * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        e->records = grown;
        e->size = size;
    }
    r = &e->records[e->count];
    *r = (struct search_record){ .text = { text, l->len }, .type = l->type, .order = e->count };
    if (separator) {
        r->text.len = (size_t)(separator - text);
        r->enriched = (struct bytes){ separator + 1, l->len - r->text.len - 1 };
        e->enriched = true;
    }
    e->count++;
    if (!e->listed) {
        if (s->touched_count == s->touched_size) {
            size_t size = s->touched_size ? s->touched_size * 2 : 4096;
            struct open_event **grown = realloc(s->touched, size * sizeof(struct open_event *));

            if (!grown)
                return -ENOMEM;
            s->touched = grown;
            s->touched_size = size;
        }
        e->touched_at = s->touched_count;
        s->touched[s->touched_count++] = e;
        e->listed = true;
    }
    return 0;
}

static int begin_event(struct search_events *s, const struct search_line *l, struct bytes node,
                       struct open_event **ret)
{
    struct open_event *e = event_new_from(s, l, node);
    struct open_event **bucket;

    if (!e)
        return -ENOMEM;
    e->single = is_single(l->type);
    if (event_order_push(&s->order, e) < 0) {
        recycle(s, e);
        return -ENOMEM;
    }
    s->stats->events++;
    if (!e->single) {
        bucket = &s->buckets[bucket_of(e->sec, e->milli, e->serial)];
        e->next_in_bucket = *bucket;
        *bucket = e;
    }
    *ret = e;
    return 0;
}

int search_events_add(struct search_events *s, struct bytes text, const struct search_lines *lines)
{
    for (uint32_t i = 0; i < lines->count && !s->ended; i++) {
        const struct search_line *l = &lines->lines[i];
        struct open_event *e = l->same && i > 0 ? s->last : NULL;
        bool is_new = false;
        int r;

        if (!e || (e->single && e->count > 0)) {
            struct bytes node = { text.data + l->offset + l->node_at, l->node_len };

            if (l->node_len == 0)
                node = BYTES_NULL;
            e = find(s, l, node);
            if (!e) {
                if (l->type == AUDIT_EOE) { /* of an event that is over */
                    s->last = NULL;
                    continue;
                }
                r = begin_event(s, l, node, &e);
                if (r < 0)
                    return r;
                is_new = true;
            }
            s->last = e;
        }
        if (e->state == REFUSED && (e->count == 0 || l->type == AUDIT_EOE)) {
            s->stats->late += l->type != AUDIT_EOE;
        } else {
            r = add_record(s, e, text.data + l->offset, l);
            if (r < 0)
                return r;
            e->hit = e->hit || l->hit;
            e->stale = e->stale || (e->state == MATCHING && l->type != AUDIT_EOE);
            if (e->state == REFUSED || (e->state == OPEN && (e->single || l->type == AUDIT_EOE || (l->type == AUDIT_PROCTITLE && !s->decide_late)))) {
                decide(s, e);
            }
        }
        if (!is_new)
            continue;
        while (s->order.count > 0 && !s->ended &&
               (s->order.heap[0]->single || s->order.heap[0]->sec + s->end_of_event_s <= l->sec))
            pop(s);
    }
    return s->ended ? 1 : 0;
}

static int keep_text(struct search_events *s, struct open_event *e)
{
    size_t need = e->text_len;

    for (uint32_t i = e->kept; i < e->count; i++)
        need += e->records[i].text.len + e->records[i].enriched.len + 1;
    if (need > e->text_size) {
        char *old = e->text, *text = malloc(need);

        if (!text || need > UINT32_MAX)
            return -ENOMEM;
        if (e->text_len)
            memcpy(text, old, e->text_len);
        for (uint32_t i = 0; i < e->kept; i++) {
            struct search_record *r = &e->records[i];

            r->text.data = text + (r->text.data - old);
            if (r->enriched.data)
                r->enriched.data = text + (r->enriched.data - old);
        }
        free(old);
        s->text_bytes += need - e->text_size;
        e->text = text;
        e->text_size = (uint32_t)need;
    }
    for (; e->kept < e->count; e->kept++) {
        struct search_record *r = &e->records[e->kept];
        size_t len = r->text.len + (r->enriched.data ? r->enriched.len + 1 : 0);

        memcpy(e->text + e->text_len, r->text.data, len);
        r->text.data = e->text + e->text_len;
        if (r->enriched.data)
            r->enriched.data = r->text.data + r->text.len + 1;
        e->text_len += (uint32_t)len;
    }
    return 0;
}

int search_events_keep(struct search_events *s)
{
    int r = 0;

    for (size_t i = 0; i < s->touched_count; i++) {
        struct open_event *e = s->touched[i];

        if (!e)
            continue;
        e->listed = false;
        if (e->state == REFUSED)
            forget_text(s, e);
        else if (e->kept < e->count && r == 0)
            r = keep_text(s, e);
    }
    s->touched_count = 0;
    s->last = NULL; /* the first line of a block is looked up */
    while (r == 0 && s->text_bytes > LIMIT_SEARCH_TEXT && s->order.count > 0 && !s->ended) {
        s->stats->forced += s->order.heap[0]->state == OPEN;
        pop(s);
    }
    return r;
}

int search_events_finish(struct search_events *s, bool decided_only)
{
    while (s->order.count > 0 && !s->ended) {
        if (decided_only && s->order.heap[0]->state == OPEN)
            break;
        pop(s);
    }
    return s->ended ? 1 : 0;
}

struct search_events *search_events_new(const struct search_run *run, uint64_t end_of_event_s,
                                        bool has_needle, struct search_stats *stats)
{
    struct search_events *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->run = run;
    s->stats = stats;
    s->end_of_event_s = end_of_event_s;
    s->has_needle = has_needle;
    for (unsigned i = 0; i < run->query->type_count; i++)
        s->decide_late = s->decide_late || run->query->types[i] == AUDIT_EOE;
    s->buckets = calloc(BUCKETS, sizeof(s->buckets[0]));
    if (!s->buckets) {
        free(s);
        return NULL;
    }
    return s;
}

void search_events_free(struct search_events *s)
{
    if (!s)
        return;
    while (s->order.count > 0)
        recycle(s, event_order_pop(&s->order));
    while (s->free_list) {
        struct open_event *e = s->free_list;

        s->free_list = e->next_in_bucket;
        free(e->records);
        free(e);
    }
    free(s->buckets);
    event_order_done(&s->order);
    free(s->touched);
    free(s);
}
