/* SPDX-License-Identifier: MIT */
#include "sink/message.h"

#include <errno.h>

#include "util/macro.h"

#define MAGIC 0x63616c31u /* "cal1": the 1 is the version */
#define TEXTS 6

struct head {
    uint64_t events, first_ns;
    uint32_t magic, state, severity, lens[TEXTS];
    char id[SINK_ID];
    uint8_t test;
    char reserved[2];
};
_Static_assert(sizeof(struct head) == 88, "what lies in a spool is read by the next version");

void sink_message_write(const struct sink_message *m, struct sbuf *out)
{
    const struct bytes texts[TEXTS] = { m->host, m->watch, m->container_id, m->container_name, m->sentence, m->line };
    struct head h = { .events = m->events, .first_ns = m->first_ns, .magic = MAGIC, .state = m->state, .severity = m->severity, .test = m->test };

    for (size_t i = 0; i < TEXTS; i++)
        h.lens[i] = (uint32_t)texts[i].len;
    memcpy(h.id, m->id, sizeof(h.id));
    sbuf_add(out, (const char *)&h, sizeof(h));
    for (size_t i = 0; i < TEXTS; i++)
        sbuf_add_bytes(out, texts[i]);
}

int sink_message_read(struct bytes text, struct sink_message *ret)
{
    struct bytes texts[TEXTS];
    size_t at = sizeof(struct head);
    struct head h;

    if (text.len < sizeof(h) || text.len > SINK_MESSAGE_MAX)
        return -EBADMSG;
    memcpy(&h, text.data, sizeof(h));
    if (h.magic != MAGIC || h.state >= ALERT_STATE_COUNT || h.severity < SEVERITY_LOW || h.severity >= SEVERITY_COUNT || h.id[SINK_ID - 1])
        return -EBADMSG;
    for (size_t i = 0; i < TEXTS; i++) {
        if (h.lens[i] > text.len - at)
            return -EBADMSG;
        texts[i] = (struct bytes){ text.data + at, h.lens[i] };
        at += h.lens[i];
    }
    if (at != text.len)
        return -EBADMSG;
    *ret = (struct sink_message){ .state = h.state, .severity = h.severity, .events = h.events, .first_ns = h.first_ns, .test = h.test != 0,
                                  .host = texts[0], .watch = texts[1], .container_id = texts[2], .container_name = texts[3],
                                  .sentence = texts[4], .line = texts[5] };
    memcpy(ret->id, h.id, sizeof(ret->id));
    return 0;
}
