/* SPDX-License-Identifier: MIT */
/* What a daemon may send as records: buffers, each with its length before it (two bytes), to one receiver. */
#include <stdlib.h>

#include "fuzz.h"
#include "store/receiver.h"

static void on_event(void *data, struct event *e)
{
    (void)data;
    if (e->operation <= OPERATION_NONE || e->operation >= OPERATION_COUNT)
        abort();
    event_free(e);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    (void)data;
    if (!life->container)
        abort();
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    if (gap->text[sizeof(gap->text) - 1])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct receiver_sink sink = { NULL, on_event, on_life, on_gap };
    struct receiver *r = receiver_new();

    if (!r)
        return 0;
    while (size > 2) {
        size_t len = (size_t)data[0] | (size_t)data[1] << 8;

        data += 2;
        size -= 2;
        if (len > size)
            len = size;
        (void)receiver_take(r, (struct bytes){ (const char *)data, len }, &sink, NULL);
        data += len;
        size -= len;
    }
    receiver_free(r);
    return 0;
}
