/* SPDX-License-Identifier: MIT */
/* The daemon's answers for people. */
#pragma once

#include "util/sbuf.h"

struct json_t;
struct store_summary;

/* store: what is in its store, or NULL: not known here. */
void ctl_write_status(const struct json_t *status, const struct store_summary *store, struct sbuf *out);
void ctl_write_watches(const struct json_t *parameters, struct sbuf *out);
