/* SPDX-License-Identifier: MIT */
/* At build time: libaudit's numbers of the calls of call.h on other architectures, for gen_calls.py. */
#include <libaudit.h>
#include <stdio.h>

#include "sensor/audit/call.h"

#define ROW(name, group) #name,
static const char *const calls[] = { AUDIT_CALLS(ROW) };

static const struct {
    const char *arch;
    int machine;
} rows[] = {
    { "AUDIT_ARCH_X86_64", MACH_86_64 },   { "AUDIT_ARCH_I386", MACH_X86 },
    { "AUDIT_ARCH_AARCH64", MACH_AARCH64 }, { "AUDIT_ARCH_ARM", MACH_ARM },
    { "AUDIT_ARCH_ARMEB", MACH_ARM },       { "AUDIT_ARCH_PPC", MACH_PPC },
    { "AUDIT_ARCH_PPC64", MACH_PPC64 },     { "AUDIT_ARCH_PPC64LE", MACH_PPC64LE },
    { "AUDIT_ARCH_S390", MACH_S390 },       { "AUDIT_ARCH_S390X", MACH_S390X },
};

int main(void)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned k = 0; k < sizeof(calls) / sizeof(calls[0]); k++) {
            int number = audit_name_to_syscall(calls[k], rows[i].machine);

            if (number >= 0)
                printf("%s %s %d\n", rows[i].arch, calls[k], number);
        }
    return 0;
}
