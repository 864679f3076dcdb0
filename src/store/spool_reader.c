/* SPDX-License-Identifier: MIT */
#include "store/spool_format.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "store/delta.h"
#include "store/fields.h"
#include "store/message.h"
#include "util/macro.h"

#define LAYOUT 1 /* raise it when a message changes in a way that its fields do not show */

static uint64_t hash_fields(uint64_t hash, const struct field *fields)
{
    for (const struct field *f = fields; f->column; f++) {
        hash = hash_add(hash, f->column, strlen(f->column));
        hash = hash_word(hash, f->type);
    }
    return hash;
}

uint64_t spool_layout(void)
{
    uint64_t hash = hash_word(HASH_START, LAYOUT);

    hash = hash_word(hash, DELTA_FIELDS_NOW);
    hash = hash_fields(hash, event_fields);
    hash = hash_fields(hash, process_fields);
    return hash_fields(hash, container_fields);
}

bool spool_read_head(struct bytes file, struct spool_head *ret)
{
    if (file.len < sizeof(*ret))
        return false;
    memcpy(ret, file.data, sizeof(*ret));
    return memcmp(ret->magic, SPOOL_MAGIC, sizeof(ret->magic)) == 0 && ret->layout == spool_layout() &&
           ret->hash == spool_hash(ret, offsetof(struct spool_head, hash)) && memchr(ret->observer, 0, sizeof(ret->observer));
}

/* Takes the first chunk of that epoch; 0 = of any. False: there is none. */
static bool next_chunk(struct bytes *rest, uint64_t epoch, struct spool_chunk *ret, struct bytes *ret_records)
{
    if (rest->len < sizeof(*ret))
        return false;
    memcpy(ret, rest->data, sizeof(*ret));
    if (!ret->epoch || (epoch && ret->epoch != epoch) || ret->len > rest->len - sizeof(*ret))
        return false;
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION /* else the fuzzer would look for hashes */
    if (ret->hash != spool_hash(rest->data + sizeof(ret->hash), sizeof(*ret) - sizeof(ret->hash) + ret->len))
        return false;
#endif
    *ret_records = (struct bytes){ rest->data + sizeof(*ret), ret->len };
    *rest = (struct bytes){ ret_records->data + ret->len, rest->len - sizeof(*ret) - ret->len };
    return true;
}

/* What later messages may refer to is taken always, what is stored already not again. */
static int take_messages(struct bytes messages, bool stored, struct spool_segment *ret)
{
    struct bytes whole = messages, m;
    enum message_kind kind;

    while (message_next(&messages, &kind, &m)) {
        bool only_referred_to = kind == MESSAGE_CONTAINER || kind == MESSAGE_PROCESS;

        if (!only_referred_to && kind != MESSAGE_EVENT && kind != MESSAGE_EVENT_ONCE && kind != MESSAGE_GAP && kind != MESSAGE_LIFE)
            return -EBADMSG;
        if ((kind == MESSAGE_EVENT || kind == MESSAGE_EVENT_ONCE) && !delta_event_is_alone(m))
            return -EBADMSG;
        if (only_referred_to || !stored)
            sbuf_add(&ret->messages, whole.data, whole.len - messages.len);
        ret->count += !only_referred_to && !stored;
        whole = messages;
    }
    return messages.len ? -EBADMSG : 0;
}

static int take_records(struct bytes records, const struct spool_numbers *stored, struct spool_segment *ret)
{
    int r = 0;

    while (records.len && r == 0) {
        uint64_t counter, number;
        struct bytes messages;

        if (!unpack_u64(&records, &counter) || counter >= SPOOL_COUNTERS || !unpack_u64(&records, &number) ||
            !unpack_bytes(&records, &messages))
            return -EBADMSG;
        r = take_messages(messages, number <= stored->at[counter], ret);
        ret->last.at[counter] = MAX(ret->last.at[counter], number);
    }
    return r;
}

int spool_read_segment(struct bytes segment, const struct spool_numbers *stored, struct spool_segment *ret)
{
    struct spool_segment s = { .last = *stored };
    struct spool_chunk chunk;
    struct bytes records;
    int r = 0;

    while (r == 0 && next_chunk(&segment, s.epoch, &chunk, &records)) {
        s.epoch = chunk.epoch;
        s.seen_ns = MAX(s.seen_ns, chunk.seen_ns);
        r = take_records(records, stored, &s);
    }
    if (r == 0)
        r = sbuf_error(&s.messages);
    if (r < 0) {
        sbuf_done(&s.messages);
        return r;
    }
    *ret = s;
    return 0;
}
