/* SPDX-License-Identifier: MIT */
#include "sink/message.h"

#include <errno.h>

#include "util/macro.h"

#define MAGIC 0x63616c32u        /* "cal2": the 2 is the version */
#define MAGIC_BEFORE 0x63616c31u /* that of a spool that the version before has left: without struct more */
#define TEXTS 6
#define MORE_TEXTS 3

struct head {
    uint64_t events, first_ns;
    uint32_t magic, state, severity, lens[TEXTS];
    char id[SINK_ID];
    uint8_t test;
    char reserved[2];
};
_Static_assert(sizeof(struct head) == 88, "what lies in a spool is read by the next version");

struct more {
    int32_t container_pid;
    uint32_t container_log, lens[MORE_TEXTS];
};
_Static_assert(sizeof(struct more) == 20, "what lies in a spool is read by the next version");

void sink_message_write(const struct sink_message *m, struct sbuf *out)
{
    const struct bytes texts[TEXTS] = { m->host, m->watch, m->container_id, m->container_name, m->sentence, m->line };
    const struct bytes more_texts[MORE_TEXTS] = { m->pod_namespace, m->pod_name, m->pod_uid };
    struct head h = { .events = m->events, .first_ns = m->first_ns, .magic = MAGIC, .state = m->state, .severity = m->severity, .test = m->test };
    struct more more = { .container_pid = m->container_pid, .container_log = m->container_log };

    for (size_t i = 0; i < TEXTS; i++)
        h.lens[i] = (uint32_t)texts[i].len;
    for (size_t i = 0; i < MORE_TEXTS; i++)
        more.lens[i] = (uint32_t)more_texts[i].len;
    memcpy(h.id, m->id, sizeof(h.id));
    sbuf_add(out, (const char *)&h, sizeof(h));
    sbuf_add(out, (const char *)&more, sizeof(more));
    for (size_t i = 0; i < TEXTS; i++)
        sbuf_add_bytes(out, texts[i]);
    for (size_t i = 0; i < MORE_TEXTS; i++)
        sbuf_add_bytes(out, more_texts[i]);
}

/* *rest is moved behind them. */
static bool take_texts(struct bytes *rest, const uint32_t *lens, size_t count, struct bytes *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (lens[i] > rest->len)
            return false;
        ret[i] = (struct bytes){ rest->data, lens[i] };
        *rest = (struct bytes){ rest->data + lens[i], rest->len - lens[i] };
    }
    return true;
}

static bool take(struct bytes *rest, void *ret, size_t len)
{
    if (rest->len < len)
        return false;
    memcpy(ret, rest->data, len);
    *rest = (struct bytes){ rest->data + len, rest->len - len };
    return true;
}

int sink_message_read(struct bytes text, struct sink_message *ret)
{
    struct bytes rest = text, texts[TEXTS], more_texts[MORE_TEXTS];
    struct more more = { 0 };
    struct head h;

    if (text.len > SINK_MESSAGE_MAX || !take(&rest, &h, sizeof(h)) || (h.magic != MAGIC && h.magic != MAGIC_BEFORE) ||
        (h.magic == MAGIC && !take(&rest, &more, sizeof(more))))
        return -EBADMSG;
    if (h.state >= ALERT_STATE_COUNT || h.severity < SEVERITY_LOW || h.severity >= SEVERITY_COUNT || h.id[SINK_ID - 1])
        return -EBADMSG;
    if (!take_texts(&rest, h.lens, TEXTS, texts) || !take_texts(&rest, more.lens, MORE_TEXTS, more_texts) || rest.len)
        return -EBADMSG;
    *ret = (struct sink_message){ .state = h.state, .severity = h.severity, .events = h.events, .first_ns = h.first_ns, .test = h.test != 0,
                                  .host = texts[0], .watch = texts[1], .container_id = texts[2], .container_name = texts[3],
                                  .sentence = texts[4], .line = texts[5], .container_pid = more.container_pid,
                                  .container_log = more.container_log != 0, .pod_namespace = more_texts[0], .pod_name = more_texts[1],
                                  .pod_uid = more_texts[2] };
    memcpy(ret->id, h.id, sizeof(ret->id));
    return 0;
}
