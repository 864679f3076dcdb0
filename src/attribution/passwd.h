/* SPDX-License-Identifier: MIT */
/* Names in the text of a passwd(5) or group(5) file. Pure; any input is safe. */
#pragma once

#include <stdint.h>

#include "util/bytes.h"
#include "util/sbuf.h"

/* The name of the first line of that id, a view into `text`; BYTES_NULL: none. */
struct bytes passwd_find(struct bytes text, uint32_t id);
/* Appends a line "NAME:x:ID" for each that has both, in their order: what passwd_find() needs. */
void passwd_pick(struct bytes text, struct sbuf *out);
