/* SPDX-License-Identifier: MIT */
#include "engine/view.h"

void container_view_done(struct container_view *view)
{
    container_unref(view->container);
    *view = (struct container_view){ 0 };
}

const struct container_mount *container_view_mount(const struct container_view *view, struct bytes path)
{
    const struct container_mount *best = NULL;

    for (size_t i = 0; i < view->mount_count; i++) {
        const struct container_mount *m = &view->mounts[i];

        if (m->destination.len && bytes_path_covers(m->destination, path) && (!best || m->destination.len >= best->destination.len))
            best = m;
    }
    return best;
}
