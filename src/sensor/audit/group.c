/* SPDX-License-Identifier: MIT */
#include "sensor/audit/group.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>

#include "util/limits.h"
#include "util/macro.h"

/* The bytes of a group live in one growing buffer that is used again for the next group. Records
 * hold offsets while the buffer may still move, and become views when the group is handed out. */
struct group_slot {
    uint64_t time_ms, serial;
    uint64_t opened_ms;
    size_t node_len; /* the node's bytes are the first of the buffer when copying */
    struct bytes node;
    struct audit_record *records;
    unsigned count, size;
    char *text;
    size_t text_len, text_size;
    bool complete, overflowed;
    bool holds; /* a system call that has ended: what comes after it waits for its last records */
    unsigned announced, paths; /* by its items=, and those that came */
    uint64_t opened_turn;
};

struct audit_grouper {
    struct audit_grouper_options options;
    struct group_slot **open; /* sorted by serial; the spare ones are behind open_count */
    unsigned open_count, slot_count, max_open;
    uint64_t turns;
};

static void slot_free(struct group_slot *slot)
{
    if (!slot)
        return;
    free(slot->records);
    free(slot->text);
    free(slot);
}

struct audit_grouper *audit_grouper_new(const struct audit_grouper_options *options)
{
    struct audit_grouper *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    g->options = *options;
    g->max_open = options->max_open ? options->max_open : LIMIT_AUDIT_OPEN_EVENTS;
    g->open = calloc(g->max_open, sizeof(g->open[0]));
    if (!g->open) {
        free(g);
        return NULL;
    }
    return g;
}

void audit_grouper_free(struct audit_grouper *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < g->slot_count; i++)
        slot_free(g->open[i]);
    free(g->open);
    free(g);
}

const struct audit_record *audit_group_find(const struct audit_group *group, unsigned type)
{
    for (unsigned i = 0; i < group->count; i++)
        if (group->records[i].type == type)
            return &group->records[i];
    return NULL;
}

/* ---- handing out ---- */

static struct bytes moved(struct bytes view, const char *base)
{
    /* while copying, `data` holds an offset into the buffer, one more than it is, so that NULL stays NULL */
    return view.data ? (struct bytes){ base + ((uintptr_t)view.data - 1), view.len } : view;
}

static void hand_out(struct audit_grouper *g, unsigned index)
{
    struct group_slot *slot = g->open[index];
    struct audit_group group = {
        .time_ms = slot->time_ms,
        .serial = slot->serial,
        .node = slot->node,
        .records = slot->records,
        .count = slot->count,
        .complete = slot->complete,
        .overflowed = slot->overflowed,
    };

    if (g->options.copy) {
        for (unsigned i = 0; i < slot->count; i++) {
            struct audit_record *r = &slot->records[i];

            r->type_name = moved(r->type_name, slot->text);
            r->node = moved(r->node, slot->text);
            r->body = moved(r->body, slot->text);
            r->enriched = moved(r->enriched, slot->text);
        }
        group.node = moved(slot->node, slot->text);
    }
    /* out of the list first: the receiver may look at the grouper */
    for (unsigned i = index; i + 1 < g->open_count; i++)
        g->open[i] = g->open[i + 1];
    g->open_count--;
    g->open[g->open_count] = slot;
    if (group.count > 0 && g->options.group)
        g->options.group(g->options.data, &group);
    /* a rare huge event must not keep its memory for ever */
    if (slot->text_size > 16 * LIMIT_AUDIT_RECORD) {
        free(slot->text);
        slot->text = NULL;
        slot->text_size = 0;
    }
}

static void hand_out_complete(struct audit_grouper *g)
{
    /* Records without a system call's (a rule that was added, a BPF program that is gone) often have no end:
     * nothing waits for them. Those of a call come when it ends, so what ended before it may go first. */
    for (unsigned i = 0; i < g->open_count && (g->open[i]->complete || !g->open[i]->holds);)
        if (g->open[i]->complete)
            hand_out(g, i);
        else
            i++;
}

/* Paths that it announced have not come, and may still: what is behind it waits too, or a process would be emitted as what it became. */
static bool is_waited_for(const struct audit_grouper *g, const struct group_slot *slot)
{
    return slot->holds && !slot->overflowed && slot->paths < slot->announced && g->turns - slot->opened_turn < g->options.patience;
}

void audit_grouper_expire(struct audit_grouper *g, uint64_t now_ms, uint64_t timeout_ms)
{
    /* the oldest are first; what is complete behind an expired one goes with it */
    for (unsigned i = 0; i < g->open_count;) {
        struct group_slot *slot = g->open[i];

        if (timeout_ms && is_waited_for(g, slot))
            break;
        if (timeout_ms == 0 || now_ms >= slot->opened_ms + timeout_ms) {
            /* keep the order: everything before it as well */
            while (g->open_count > 0 && g->open[0] != slot)
                hand_out(g, 0);
            hand_out(g, 0);
            i = 0;
        } else {
            i++;
        }
    }
    hand_out_complete(g);
}

void audit_grouper_end(struct audit_grouper *g, struct bytes node)
{
    for (unsigned i = 0; i < g->open_count;) {
        const struct group_slot *slot = g->open[i];

        if (bytes_equal(g->options.copy ? moved(slot->node, slot->text) : slot->node, node))
            hand_out(g, i);
        else
            i++;
    }
    hand_out_complete(g);
}

/* ---- taking in ---- */

/* Messages that are events by themselves. CONFIG_CHANGE and the kernel's records of LSMs may come
 * alone or with a SYSCALL record; those wait for an end or for the time-out. */
static bool is_single(unsigned type)
{
    return type != 0 && (type < AUDIT_FIRST_EVENT || type >= AUDIT_FIRST_ANOM_MSG) &&
           type != AUDIT_KERNEL;
}

static bool same_event(const struct group_slot *slot, const struct audit_record *r, const char *base)
{
    if (slot->serial != r->serial || slot->time_ms != r->time_ms)
        return false;
    return bytes_equal(base ? moved(slot->node, base) : slot->node, r->node);
}

/* Index of the event's slot, or -1 and where to insert it. */
static int find(struct audit_grouper *g, const struct audit_record *r, unsigned *ret_insert)
{
    unsigned i = g->open_count;

    /* nearly always the last one, or one behind it */
    while (i > 0 && (g->open[i - 1]->serial > r->serial ||
                     (g->open[i - 1]->serial == r->serial &&
                      !same_event(g->open[i - 1], r, g->options.copy ? g->open[i - 1]->text : NULL))))
        i--;
    if (i > 0 && g->open[i - 1]->serial == r->serial)
        return (int)i - 1;
    *ret_insert = i;
    return -1;
}

static struct group_slot *insert(struct audit_grouper *g, unsigned at, const struct audit_record *r,
                           uint64_t now_ms)
{
    struct group_slot *slot;

    if (g->open_count == g->max_open) {
        hand_out(g, 0);
        at = at > 0 ? at - 1 : 0;
    }
    if (g->open_count == g->slot_count) {
        slot = calloc(1, sizeof(*slot));
        if (!slot)
            return NULL;
        g->open[g->slot_count++] = slot;
    }
    slot = g->open[g->open_count];
    for (unsigned i = g->open_count; i > at; i--)
        g->open[i] = g->open[i - 1];
    g->open[at] = slot;
    g->open_count++;
    slot->time_ms = r->time_ms;
    slot->serial = r->serial;
    slot->opened_ms = now_ms;
    slot->count = 0;
    slot->text_len = 0;
    slot->node = BYTES_NULL;
    slot->complete = slot->overflowed = slot->holds = false;
    slot->announced = slot->paths = 0;
    slot->opened_turn = g->turns;
    return slot;
}

/* Offset + 1 of the copy as a data pointer; see moved(). */
static int copy_in(struct group_slot *slot, struct bytes *view)
{
    size_t need;

    if (!view->data)
        return 0;
    need = slot->text_len + view->len;
    if (need > slot->text_size || !slot->text) {
        size_t size = MAX(slot->text_size * 2, MAX(need, 2048));
        char *text = realloc(slot->text, size);

        if (!text)
            return -1;
        slot->text = text;
        slot->text_size = size;
    }
    if (view->len)
        memcpy(slot->text + slot->text_len, view->data, view->len);
    view->data = (const char *)(uintptr_t)(slot->text_len + 1);
    slot->text_len = need;
    return 0;
}

static int append(struct audit_grouper *g, struct group_slot *slot, const struct audit_record *record)
{
    struct audit_record r = *record;

    if (slot->count == LIMIT_AUDIT_EVENT_RECORDS)
        return -1;
    if (slot->count == slot->size) {
        unsigned size = slot->size ? slot->size * 2 : 8;
        struct audit_record *records = realloc(slot->records, size * sizeof(*records));

        if (!records)
            return -1;
        slot->records = records;
        slot->size = size;
    }
    if (g->options.copy) {
        if (copy_in(slot, &r.body) < 0 || copy_in(slot, &r.enriched) < 0 ||
            copy_in(slot, &r.type_name) < 0 || copy_in(slot, &r.node) < 0)
            return -1;
    }
    if (slot->count == 0)
        slot->node = r.node;
    slot->records[slot->count++] = r;
    return 0;
}

static void count_paths(struct group_slot *slot, const struct audit_record *r)
{
    struct audit_field items;
    uint64_t n;

    slot->paths += r->type == AUDIT_PATH;
    if (r->type == AUDIT_SYSCALL && audit_record_find(r, "items", &items) && audit_field_number(&items, 10, &n))
        slot->announced = (unsigned)MIN(n, (uint64_t)LIMIT_AUDIT_EVENT_RECORDS);
}

void audit_grouper_turn(struct audit_grouper *g)
{
    g->turns++;
}

/* Its group has what came before, or there is none. */
static int add_to(struct audit_grouper *g, struct group_slot *slot, const struct audit_record *r)
{
    unsigned i = 0;

    if (append(g, slot, r) == 0)
        return 0;
    slot->overflowed = true;
    if (slot->count)
        return 0;
    while (g->open[i] != slot)
        i++;
    hand_out(g, i);
    return -ENOMEM;
}

int audit_grouper_add(struct audit_grouper *g, const struct audit_record *r, uint64_t now_ms)
{
    unsigned at = 0;
    struct group_slot *slot;
    int index = find(g, r, &at);

    if (index < 0) {
        /* an end without a beginning: of a group that PROCTITLE had closed, or that was lost whole */
        if (r->type == AUDIT_EOE)
            return 0;
        slot = insert(g, at, r, now_ms);
        if (!slot)
            return -ENOMEM;
    } else {
        slot = g->open[index];
    }
    if (r->type == AUDIT_EOE) {
        slot->complete = true;
    } else {
        if (add_to(g, slot, r) < 0)
            return -ENOMEM;
        slot->holds |= r->type == AUDIT_SYSCALL || r->type == AUDIT_URINGOP;
        if (g->options.patience)
            count_paths(slot, r);
        if (r->type == AUDIT_PROCTITLE || (slot->count == 1 && is_single(r->type)))
            slot->complete = true;
    }
    hand_out_complete(g);
    return 0;
}

unsigned audit_grouper_open_count(const struct audit_grouper *g)
{
    return g->open_count;
}

uint64_t audit_grouper_oldest(const struct audit_grouper *g)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < g->open_count; i++)
        oldest = g->open[i]->time_ms < oldest ? g->open[i]->time_ms : oldest;
    return oldest;
}
