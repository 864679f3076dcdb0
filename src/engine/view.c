/* SPDX-License-Identifier: MIT */
#include "engine/view.h"

void container_view_done(struct container_view *view)
{
    container_unref(view->container);
    *view = (struct container_view){ 0 };
}
