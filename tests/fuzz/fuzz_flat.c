/* SPDX-License-Identifier: MIT */
/* The input is what a worker that was taken over could answer: a container's record, and where its files are. */
#include <stdlib.h>

#include "engine/flat.h"
#include "fuzz.h"

/* What was read is written as it is, and read again as the same. */
static void write_again(const struct container_view *view)
{
    struct container_view copy = { 0 };
    struct sbuf once = SBUF_INIT, twice = SBUF_INIT;
    struct bytes in;

    flat_put_container(&once, view->container);
    flat_put_view(&once, view);
    in = sbuf_bytes(&once);
    if (flat_get_container(&in, &copy.container) < 0 || flat_get_view(&in, &copy) < 0 || in.len)
        abort();
    flat_put_container(&twice, copy.container);
    flat_put_view(&twice, &copy);
    if (!bytes_equal(sbuf_bytes(&once), sbuf_bytes(&twice)))
        abort();
    container_view_done(&copy);
    sbuf_done(&once);
    sbuf_done(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = { (const char *)data, size };
    struct container_view view = { 0 };

    if (flat_get_container(&in, &view.container) < 0)
        return 0;
    if (view.container->pid < 0)
        abort();
    if (flat_get_view(&in, &view) == 0)
        write_again(&view);
    container_view_done(&view);
    return 0;
}
