/* SPDX-License-Identifier: MIT */
/* Records of containers as bytes, from a worker (foreign/foreign.h) to the one that asked. */
#pragma once

#include "engine/view.h"
#include "util/sbuf.h"

/* Appended to `out`, whose error is set when memory is missing. */
void flat_put_u64(struct sbuf *out, uint64_t value);
void flat_put_bytes(struct sbuf *out, struct bytes b);
void flat_put_container(struct sbuf *out, const struct container *c);
void flat_put_view(struct sbuf *out, const struct container_view *view); /* all but the container */

/* From the front of *in, which is moved behind it. -EBADMSG: it is not there whole. */
int flat_get_u64(struct bytes *in, uint64_t *ret);
int flat_get_bytes(struct bytes *in, struct bytes *ret); /* a view into `in` */
int flat_get_container(struct bytes *in, struct container **ret);
/* Strings go into the arena of view->container. */
int flat_get_view(struct bytes *in, struct container_view *view);
