/* SPDX-License-Identifier: MIT */
/* Columns that a character takes on a terminal: 0, 1 or 2, whatever the locale (wcwidth() knows nothing in the C locale). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Columns on a terminal: 0, 1 or 2. */
unsigned width_of(uint32_t code_point);
