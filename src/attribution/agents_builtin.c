/* SPDX-License-Identifier: MIT */
/* data/agents.json as part of the program: a single binary copied to a host must know the products. */
#include "attribution/agents.h"

__asm__(".section .rodata\n"
        ".global culprit_agents_begin\n"
        "culprit_agents_begin:\n"
        ".incbin \"" CULPRIT_AGENTS "\"\n"
        ".global culprit_agents_end\n"
        "culprit_agents_end:\n"
        ".previous\n");

extern const char culprit_agents_begin[], culprit_agents_end[];

struct bytes agents_builtin(void)
{
    return (struct bytes){ culprit_agents_begin,
                           (size_t)(culprit_agents_end - culprit_agents_begin) };
}
