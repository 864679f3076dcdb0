/* SPDX-License-Identifier: MIT */
/* The input is what a read of a fanotify group returned: events one after the other. */
#include "fuzz.h"
#include "sensor/fanotify/decode.h"

static volatile char sink;

static void touch(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        sink = (char)(sink ^ b.data[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes rest = { (const char *)data, size };
    struct fanotify_event e;

    while (rest.len && fanotify_decode(rest, &e, NULL) == 0) {
        touch(e.at.name);
        touch(e.at.directory.data);
        touch(e.from.name);
        touch(e.from.directory.data);
        touch(e.to.name);
        touch(e.to.directory.data);
        touch(e.object.data);
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
    }
    return 0;
}
