/* SPDX-License-Identifier: MIT */
#include "store/sender.h"

#include <stdlib.h>
#include <string.h>

#include "store/block.h"
#include "store/delta.h"
#include "store/fields.h"
#include "store/message.h"
#include "util/limits.h"
#include "util/macro.h"

#define GROUP 8u      /* slots of which a process has one: it does not take away what is referred to next */
#define SWEEP_STEP 8 /* slots looked at with each that is taken */

/* Known by their address: we keep a reference, so that the address is not used for another one. */
struct sender {
    struct process *processes[MESSAGE_SLOTS];
    struct container *containers[MESSAGE_SLOTS];
    struct delta_packer before;
    enum message_kind kind; /* of the last event */
    unsigned count;         /* of such events since one was a row of its own */
    unsigned sweep;         /* the slot that is looked at next */
    unsigned turn;          /* of a group's slots that are all taken */
    uint8_t needed[MESSAGE_SLOTS]; /* so many processes that are about to be sent refer to the slot's */
};

struct sender *sender_new(void)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (s)
        sender_restart(s);
    return s;
}

void sender_restart(struct sender *s)
{
    s->before.alone = true;
    s->count = 0;
}

void sender_forget(struct sender *s)
{
    for (unsigned i = 0; i < MESSAGE_SLOTS; i++) {
        process_unrefp(&s->processes[i]);
        container_unrefp(&s->containers[i]);
        s->processes[i] = NULL;
        s->containers[i] = NULL;
    }
    sender_restart(s);
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    sender_forget(s);
    free(s);
}

/* The length is filled in when the message is complete: four bytes, host order. */
static size_t begin(struct sbuf *out, enum message_kind kind)
{
    const char head[1 + sizeof(uint32_t)] = { (char)kind };

    sbuf_add(out, head, sizeof(head));
    return out->len;
}

static void end(struct sbuf *out, size_t start)
{
    uint32_t length = (uint32_t)(out->len - start);

    if (!sbuf_error(out))
        memcpy(out->data + start - sizeof(length), &length, sizeof(length));
}

/* What nobody else holds any more is of the past, and will not be named again. Else the slots would fill, over some minutes,
 * with such records of a kilobyte or two each. Whoever is about to be named is held by who names it. */
static void sweep(struct sender *s)
{
    for (unsigned i = 0; i < SWEEP_STEP; i++) {
        unsigned slot = s->sweep++ % MESSAGE_SLOTS;

        if (s->processes[slot] && s->processes[slot]->refs == 1)
            process_unref(TAKE_PTR(s->processes[slot]));
        if (s->containers[slot] && s->containers[slot]->refs == 1)
            container_unref(TAKE_PTR(s->containers[slot]));
    }
}

static unsigned slot_of(const void *p)
{
    return (unsigned)(((uintptr_t)p >> 4) * 0x9e3779b97f4a7c15ull >> 52); /* twelve bits */
}
_Static_assert(MESSAGE_SLOTS == 1 << 12, "slot_of() gives twelve bits");

static uint64_t container_slot(struct sender *s, struct container *c, struct sbuf *out)
{
    unsigned slot = slot_of(c);
    size_t start;

    if (!c)
        return 0;
    if (s->containers[slot] == c)
        return slot + 1;
    sweep(s);
    container_unrefp(&s->containers[slot]);
    s->containers[slot] = container_ref(c);
    start = begin(out, MESSAGE_CONTAINER);
    pack_u64(out, slot + 1);
    fields_pack(container_fields, c, out);
    end(out, start);
    return slot + 1;
}

/* The group of slots that a process may have. */
static unsigned group_of(const struct process *p)
{
    return slot_of(p) & ~(GROUP - 1);
}

static uint64_t find_slot(const struct sender *s, const struct process *p)
{
    unsigned group = group_of(p);

    for (unsigned slot = group; slot < group + GROUP; slot++)
        if (s->processes[slot] == p)
            return slot + 1;
    return 0;
}

/* An empty one, else the next in turn that is not referred to by what is about to be sent. */
static unsigned free_slot(struct sender *s, const struct process *p)
{
    unsigned group = group_of(p), slot = group;

    for (unsigned i = 0; i < GROUP; i++)
        if (!s->processes[group + i])
            return group + i;
    for (unsigned i = 0; i < GROUP; i++) {
        slot = group + s->turn++ % GROUP;
        if (!s->needed[slot])
            break;
    }
    return slot;
}

static uint64_t process_slot(struct sender *s, struct process *p, unsigned depth, struct sbuf *out)
{
    uint64_t parent, earlier, container;
    unsigned slot;
    size_t start;

    if (!p || depth == LIMIT_LINEAGE)
        return 0;
    if ((parent = find_slot(s, p)))
        return parent;
    parent = process_slot(s, p->parent, depth + 1, out);
    if (parent)
        s->needed[parent - 1]++;
    earlier = process_slot(s, p->earlier, depth + 1, out);
    if (parent) {
        s->needed[parent - 1]--;
        if (s->processes[parent - 1] != p->parent)
            parent = 0; /* all of a group were needed: no launcher rather than another one */
    }
    container = container_slot(s, p->container, out);
    sweep(s);
    slot = free_slot(s, p); /* may be its parent's: the writer looks that up first */
    process_unrefp(&s->processes[slot]);
    s->processes[slot] = process_ref(p);
    start = begin(out, MESSAGE_PROCESS);
    pack_u64(out, slot + 1);
    pack_u64(out, parent);
    pack_u64(out, container);
    pack_u64(out, earlier);
    fields_pack(process_fields, p, out);
    end(out, start);
    return slot + 1;
}

static void set_place(struct event_places *places, unsigned which, struct bytes path)
{
    if (!path.len)
        return;
    places->at[which].directory = bytes_dirname(path);
    places->at[which].name = bytes_basename(path);
}

void sender_event(struct sender *s, const struct event *e, struct sbuf *out)
{
    uint64_t actor = process_slot(s, e->actor.process, 0, out);
    uint64_t victim = container_slot(s, e->victim, out);
    struct fingerprint suspect = event_suspect(e);
    struct event_places places = { .suspect = suspect.number, .previous_host_path = e->previous_host_path };
    enum message_kind kind = e->sensors & (SENSOR_AUDIT | SENSOR_AUDIT_LOG) ? MESSAGE_EVENT : MESSAGE_EVENT_ONCE;
    size_t start;

    set_place(&places, PLACE_PATH, e->path);
    set_place(&places, PLACE_PREVIOUS, e->previous_path);
    /* a container's file is found by its place on the host also where that is called the same */
    if (e->victim_kind != VICTIM_HOST || !bytes_equal(e->host_path, e->path))
        set_place(&places, PLACE_HOST, e->host_path);
    if (kind != s->kind || s->count == BLOCK_MAX)
        sender_restart(s);
    s->kind = kind;
    s->count++;
    start = begin(out, kind);
    pack_u64(out, actor);
    pack_u64(out, victim);
    pack_u64(out, suspect.rest);
    delta_pack(&s->before, &places, e, out);
    end(out, start);
}

void sender_life(struct sender *s, const struct lifecycle_event *life, struct sbuf *out)
{
    uint64_t container = container_slot(s, life->container, out);
    size_t start = begin(out, MESSAGE_LIFE);

    pack_u64(out, container);
    pack_u64(out, life->time_ns);
    pack_u64(out, (uint64_t)life->kind);
    pack_u64(out, (uint64_t)(int64_t)life->exit_code);
    pack_bytes(out, life->previous_name);
    end(out, start);
}

void sender_gap(const struct gap *gap, struct sbuf *out)
{
    size_t start = begin(out, MESSAGE_GAP);

    pack_u64(out, (uint64_t)gap->reason);
    pack_u64(out, gap->count);
    pack_u64(out, gap->from_ns);
    pack_u64(out, gap->to_ns);
    pack_u64(out, gap->sensor);
    pack_bytes(out, (struct bytes){ gap->text, strnlen(gap->text, sizeof(gap->text)) });
    pack_bytes(out, (struct bytes){ gap->path, strnlen(gap->path, sizeof(gap->path)) });
    pack_bytes(out, (struct bytes){ gap->container, strnlen(gap->container, sizeof(gap->container)) });
    end(out, start);
}

void sender_imported(const struct store_imported *imported, struct sbuf *out)
{
    size_t start = begin(out, MESSAGE_IMPORTED);

    pack_u64(out, imported->device);
    pack_u64(out, imported->inode);
    pack_u64(out, imported->offset);
    pack_u64(out, imported->size);
    pack_u64(out, imported->complete);
    pack_bytes(out, imported->head);
    pack_bytes(out, imported->tail);
    end(out, start);
}

void sender_coverage(uint64_t number, const struct coverage *c, struct sbuf *out)
{
    size_t start = begin(out, MESSAGE_COVERAGE);

    pack_u64(out, number);
    pack_u64(out, c->sensors);
    pack_u64(out, c->from_ns);
    pack_u64(out, c->to_ns);
    pack_bytes(out, c->watch);
    pack_bytes(out, c->not_seen);
    pack_bytes(out, c->host_id);
    pack_bytes(out, c->host_name);
    pack_bytes(out, c->narrowed);
    end(out, start);
}

void sender_coverage_place(uint64_t number, const struct coverage_place *p, struct sbuf *out)
{
    const struct bytes texts[] = { p->runtime,        p->selector, p->container_id,
                                   p->container_name, p->path,     p->host_path, p->target };
    size_t start = begin(out, MESSAGE_COVERAGE_PLACE);

    pack_u64(out, number);
    pack_u64(out, (uint64_t)p->kind);
    pack_u64(out, p->permissions);
    pack_u64(out, p->from_ns);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        pack_bytes(out, texts[i]);
    end(out, start);
}

void sender_coverage_end(uint64_t number, uint64_t to_ns, struct sbuf *out)
{
    size_t start = begin(out, MESSAGE_COVERAGE_END);

    pack_u64(out, number);
    pack_u64(out, to_ns);
    end(out, start);
}
