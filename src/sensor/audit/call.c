/* SPDX-License-Identifier: MIT */
#include "sensor/audit/call.h"

#include <linux/audit.h>
#include <stddef.h>

struct call_table {
    uint32_t arch;
    const int16_t *numbers; /* by enum audit_call */
    const uint8_t *calls;   /* by number */
    size_t call_count;
};

#include "calls.inc"

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT: the numbers of x86-64, but for a few that change no file */

#define CALL_GROUP(name, group) [AUDIT_CALL_##name] = AUDIT_CALLS_##group,
static const uint8_t groups[AUDIT_CALL_COUNT] = { AUDIT_CALLS(CALL_GROUP) };

_Static_assert(AUDIT_CALL_COUNT < 256, "calls.inc holds them in bytes");

static const struct call_table *table_of(uint32_t arch)
{
    for (const struct call_table *t = tables; t->numbers; t++)
        if (t->arch == arch)
            return t;
    return NULL;
}

enum audit_call audit_call_by_number(uint32_t arch, uint32_t number)
{
    const struct call_table *t = table_of(arch);

    if (!t)
        return AUDIT_CALL_none;
    if (arch == AUDIT_ARCH_X86_64)
        number &= ~X32_BIT;
    return number < t->call_count ? (enum audit_call)t->calls[number] : AUDIT_CALL_none;
}

bool audit_call_knows(uint32_t arch)
{
    return table_of(arch) != NULL;
}

int audit_call_number(uint32_t arch, enum audit_call call)
{
    const struct call_table *t = table_of(arch);

    return t && (unsigned)call < AUDIT_CALL_COUNT ? t->numbers[call] : -1;
}

enum audit_call_group audit_call_group(enum audit_call call)
{
    return (unsigned)call < AUDIT_CALL_COUNT ? (enum audit_call_group)groups[call]
                                             : AUDIT_CALLS_OPEN;
}

uint32_t audit_call_arch(unsigned index)
{
    return index < NATIVE_TABLES ? tables[index].arch : 0;
}
