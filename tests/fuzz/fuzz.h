/* SPDX-License-Identifier: MIT */
/* The one function of a fuzz target: libFuzzer calls it, and so does replay.c for each file of the corpus. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
