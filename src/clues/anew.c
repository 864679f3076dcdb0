/* SPDX-License-Identifier: MIT */
#include "clues/anew.h"

#define NAME_MADE_UP 64 /* digits of a volume's whose name nobody gave */

enum lasting_place anew_place(const struct container_view *view, struct bytes path)
{
    const struct container_mount *m = container_view_mount(view, path);

    if (!m)
        return PLACE_LAYER;
    if (bytes_equal_str(m->type, "tmpfs"))
        return PLACE_TMPFS;
    if (!bytes_equal_str(m->type, "volume") || m->name.len != NAME_MADE_UP)
        return PLACE_LASTING;
    for (size_t i = 0; i < m->name.len; i++)
        if (!memchr("0123456789abcdef", m->name.data[i], 16))
            return PLACE_LASTING;
    return PLACE_NAMELESS;
}

uint64_t anew_ns(const struct container_view *view, struct bytes path)
{
    const struct container *k = view->container;
    enum lasting_place place = anew_place(view, path);

    return place == PLACE_LASTING ? 0 : place == PLACE_TMPFS ? k->started_ns : k->created_ns;
}
