/* SPDX-License-Identifier: MIT */
/* The process that begins the one that keeps copies (keeping.h), and begins it anew when somebody kills it. It does nothing else. */
#pragma once

#include <stdint.h>

/* What keeping_run() needs. Ends when whoever asked does, or the keeper does by itself. Does not return. */
_Noreturn void keeping_run_again(int socket, const char *directory, uint64_t limit);
