/* SPDX-License-Identifier: MIT */
#include "store/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cause/cause.h"
#include "store/delta.h"
#include "store/message.h"
#include "util/limits.h"

struct receiver {
    struct process *processes[MESSAGE_SLOTS + 1]; /* slots count from 1 */
    struct container *containers[MESSAGE_SLOTS + 1];
    struct delta_values values; /* of the event before, in this buffer */
    bool began;                 /* there was one that is complete by itself */
};

struct receiver *receiver_new(void)
{
    return calloc(1, sizeof(struct receiver));
}

void receiver_free(struct receiver *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i <= MESSAGE_SLOTS; i++) {
        process_unref(r->processes[i]);
        container_unref(r->containers[i]);
    }
    free(r);
}

static bool take_slot(struct bytes *message, uint64_t *ret)
{
    return unpack_u64(message, ret) && *ret <= MESSAGE_SLOTS;
}

static int take_container(struct receiver *r, struct bytes message)
{
    struct container *c;
    uint64_t slot;

    if (!take_slot(&message, &slot) || !slot)
        return -EBADMSG;
    c = container_new();
    if (!c)
        return -ENOMEM;
    if (fields_unpack(container_fields, &message, &c->arena, c) < 0 || message.len) {
        container_unref(c);
        return -EBADMSG;
    }
    container_unref(r->containers[slot]);
    r->containers[slot] = c;
    return 0;
}

/* How many it has above it: a chain that grows by each message would be as deep as somebody wishes. */
static unsigned depth_of(const struct process *p)
{
    unsigned depth = 0;

    for (; p && depth <= LIMIT_LINEAGE; p = p->parent)
        depth++;
    return depth;
}

static unsigned images_of(const struct process *p)
{
    unsigned images = 0;

    for (; p && images <= PROCESS_IMAGES; p = p->earlier)
        images++;
    return images;
}

static int take_process(struct receiver *r, struct bytes message)
{
    uint64_t slot, parent, container, earlier;
    struct process *p;

    if (!take_slot(&message, &slot) || !slot || !take_slot(&message, &parent) || !take_slot(&message, &container) ||
        !take_slot(&message, &earlier))
        return -EBADMSG;
    if (depth_of(r->processes[parent]) > LIMIT_LINEAGE) /* as `who` would show it */
        parent = 0;
    if (images_of(r->processes[earlier]) > PROCESS_IMAGES)
        earlier = 0;
    p = process_new(0, 0);
    if (!p)
        return -ENOMEM;
    if (fields_unpack(process_fields, &message, &p->arena, p) < 0 || message.len) {
        process_unref(p);
        return -EBADMSG;
    }
    p->parent = process_ref(r->processes[parent]);
    p->container = container_ref(r->containers[container]);
    p->earlier = process_ref(r->processes[earlier]);
    process_unref(r->processes[slot]); /* may have been its parent's: that is held by now */
    r->processes[slot] = p;
    return 0;
}

static struct bytes join(struct event *e, struct bytes directory, struct bytes name)
{
    if (!bytes_known(directory) || !name.len)
        return arena_copy(&e->arena, bytes_known(directory) ? directory : name);
    return arena_join_path(&e->arena, directory, name);
}

static struct bytes place(struct event *e, const struct delta_values *v, unsigned which)
{
    return join(e, v->bytes[DELTA_DIRECTORY(which)], v->bytes[DELTA_NAME(which)]);
}

/* What names something else than there is would be taken for a number of a table. */
static bool is_plausible(const struct event *e)
{
    return e->operation > OPERATION_NONE && e->operation < OPERATION_COUNT;
}

static int take_event(struct receiver *r, struct bytes message, const struct receiver_sink *sink)
{
    uint64_t actor, victim, rest, mask;
    struct event *e;

    if (!take_slot(&message, &actor) || !take_slot(&message, &victim) || !unpack_u64(&message, &rest))
        return -EBADMSG;
    if (!r->began && !delta_is_alone(message))
        return -EBADMSG;
    if (delta_unpack(&message, &r->values, &mask) < 0 || message.len)
        return -EBADMSG;
    r->began = true;
    e = event_new();
    if (!e)
        return -ENOMEM;
    delta_read(&r->values, e);
    if (!is_plausible(e)) {
        event_free(e);
        return -EBADMSG;
    }
    e->path = place(e, &r->values, PLACE_PATH);
    e->previous_path = place(e, &r->values, PLACE_PREVIOUS);
    e->host_path = place(e, &r->values, PLACE_HOST);
    e->previous_host_path = arena_copy(&e->arena, r->values.bytes[DELTA_PREVIOUS_HOST_PATH]);
    if (!bytes_known(e->host_path) && e->victim_kind == VICTIM_HOST)
        e->host_path = e->path;
    e->actor.process = process_ref(r->processes[actor]);
    e->victim = container_ref(r->containers[victim]);
    cause_remember(e);
    sink->event(sink->data, e);
    return 0;
}

static int take_life(struct receiver *r, struct bytes message, const struct receiver_sink *sink)
{
    uint64_t container, time_ns, kind, exit_code;
    struct lifecycle_event life;
    struct bytes name;

    if (!take_slot(&message, &container) || !r->containers[container] || !unpack_u64(&message, &time_ns) ||
        !unpack_u64(&message, &kind) || !kind || kind >= LIFECYCLE_COUNT || !unpack_u64(&message, &exit_code) ||
        !unpack_bytes(&message, &name) || message.len)
        return -EBADMSG;
    life = (struct lifecycle_event){ .kind = (enum lifecycle_kind)kind,
                                     .time_ns = time_ns,
                                     .container = r->containers[container],
                                     .exit_code = (int)exit_code,
                                     .previous_name = name };
    sink->life(sink->data, &life);
    return 0;
}

/* Of an earlier culprit's there is no more. */
static bool take_gap_place(struct bytes *message, struct gap *gap)
{
    struct bytes path, container;

    if (!message->len)
        return true;
    if (!unpack_bytes(message, &path) || !unpack_bytes(message, &container) || path.len >= sizeof(gap->path) ||
        container.len >= sizeof(gap->container))
        return false;
    if (path.len)
        memcpy(gap->path, path.data, path.len);
    if (container.len)
        memcpy(gap->container, container.data, container.len);
    return true;
}

static int take_gap(struct bytes message, const struct receiver_sink *sink)
{
    struct gap gap = { 0 };
    uint64_t reason, sensor;
    struct bytes text;

    if (!unpack_u64(&message, &reason) || !reason || reason >= LOST_COUNT || !unpack_u64(&message, &gap.count) ||
        !unpack_u64(&message, &gap.from_ns) || !unpack_u64(&message, &gap.to_ns) || !unpack_u64(&message, &sensor) ||
        !unpack_bytes(&message, &text) || text.len >= sizeof(gap.text) || !take_gap_place(&message, &gap) || message.len)
        return -EBADMSG;
    gap.reason = (enum lost)reason;
    gap.sensor = (unsigned)sensor;
    if (text.len)
        memcpy(gap.text, text.data, text.len);
    for (char *c = gap.text; *c; c++)
        if ((unsigned char)*c < ' ') /* our own words have none */
            return -EBADMSG;
    sink->gap(sink->data, &gap);
    return 0;
}

int receiver_take(struct receiver *r, struct bytes messages, const struct receiver_sink *sink, struct err *err)
{
    enum message_kind kind;
    struct bytes message;
    int result = 0;

    r->began = false;
    while (result == 0 && message_next(&messages, &kind, &message)) {
        switch (kind) {
        case MESSAGE_CONTAINER:
            result = take_container(r, message);
            break;
        case MESSAGE_PROCESS:
            result = take_process(r, message);
            break;
        case MESSAGE_EVENT:
        case MESSAGE_EVENT_ONCE:
            result = take_event(r, message, sink);
            break;
        case MESSAGE_LIFE:
            result = take_life(r, message, sink);
            break;
        case MESSAGE_GAP:
            result = take_gap(message, sink);
            break;
        default:
            result = -EBADMSG;
        }
    }
    if (result == 0 && messages.len)
        result = -EBADMSG;
    return result < 0 ? err_set(err, result, "records that are none of this version") : 0;
}
