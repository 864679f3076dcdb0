/* SPDX-License-Identifier: MIT */
/* What a process gives away before it looks at bytes that somebody may have made to harm it. */
#pragma once

#include <stdint.h>

/* Keeps of the capabilities those in `mask`. 0 or -errno */
int sandbox_keep_capabilities(uint64_t mask);

/* Nobody's user, no capabilities, no core file, bounded memory and processor time. */
int sandbox_give_away(void);

/* And an empty root directory, no descriptors but `fd`, no system calls but on memory, clock and `fd`: any other
 * fails with EPERM. 0 or -errno: then nothing may be parsed. */
int sandbox_close(int fd);
