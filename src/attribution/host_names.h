/* SPDX-License-Identifier: MIT */
/*
 * The names that the host's own /etc/passwd and /etc/group give. They are root's own files, so they are read here and at once: on a
 * machine so busy that workers (foreign/foreign.h) answer late, these names are known all the same.
 */
#pragma once

#include <stdint.h>

#include "util/bytes.h"
#include "util/err.h"

struct host_names;

/* root: "/", or a directory of the same shape in tests; borrowed. */
int host_names_new(const char *root, struct host_names **ret, struct err *err);
void host_names_free(struct host_names *h); /* NULL is fine */

/* Reads them if they were changed since. True: they were. */
bool host_names_look(struct host_names *h);
/* As read by the last look. Valid until the next one; BYTES_NULL: no name. */
struct bytes host_names_find(const struct host_names *h, uint32_t id, bool group);
