/* SPDX-License-Identifier: MIT */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "util/macro.h"

static const struct privilege privileges[] = {
    { CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "who a process is, of other users too (/proc/PID/exe, cwd, root)" },
    { CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "watched paths below folders of others" },
    { CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "a user's own engine socket, a store in a user's folder" },
    { CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "a container's mount namespace, and holding on to its folders" },
    { CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "entering a container's mount namespace" },
    { CAP_BPF, "CAP_BPF", "the kernel's news of processes (raw tracepoints)" },
    { CAP_PERFMON, "CAP_PERFMON", "the same: tracing programs" },
    { CAP_NET_ADMIN, "CAP_NET_ADMIN", "the kernel's news of processes (process connector)" },
};

const struct privilege *privilege(unsigned index)
{
    return index < ARRAY_SIZE(privileges) ? &privileges[index] : NULL;
}

uint64_t privileges_needed(const struct choice *choice)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < ARRAY_SIZE(privileges); i++)
        bits |= UINT64_C(1) << privileges[i].capability;
    for (size_t i = 0; i < choice->count; i++) {
        if (!choice->sensors[i]->privileges)
            return PRIVILEGES_ALL;
        bits |= choice->sensors[i]->privileges;
    }
    return bits;
}

static void list(uint64_t bits, char *ret, size_t size)
{
    size_t len = 0;

    ret[0] = '\0';
    for (unsigned c = 0; c <= CAP_LAST_CAP; c++) {
        const char *name = bits & (UINT64_C(1) << c) ? capng_capability_to_name(c) : NULL;
        char upper[48];
        size_t k = 0;
        int n;

        if (!name)
            continue;
        for (; name[k] && k < sizeof(upper) - 1; k++)
            upper[k] = name[k] >= 'a' && name[k] <= 'z' ? (char)(name[k] - 'a' + 'A') : name[k];
        upper[k] = '\0';
        n = snprintf(ret + len, size - len, "%sCAP_%s", len ? ", " : "", upper);
        if (n < 0 || (size_t)n >= size - len)
            return;
        len += (size_t)n;
    }
}

void privileges_names(uint64_t bits, char *ret, size_t size)
{
    list(bits, ret, size);
}

void privileges_missing(uint64_t needed, char *ret, size_t size)
{
    uint64_t missing = 0;

    ret[0] = '\0';
    if (capng_get_caps_process() < 0)
        return;
    for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
        if ((needed & (UINT64_C(1) << c)) && !capng_have_capability(CAPNG_EFFECTIVE, c))
            missing |= UINT64_C(1) << c;
    list(missing, ret, size);
}

int privileges_drop(uint64_t keep, bool commands)
{
    if (keep == PRIVILEGES_ALL)
        return 0;
    if (capng_get_caps_process() < 0)
        return -EIO;
    /* the bounding set first: giving it away needs a capability that goes with the rest */
    if (!commands && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) {
        for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
            if (!(keep & (UINT64_C(1) << c)) && capng_have_capability(CAPNG_BOUNDING_SET, c))
                (void)capng_update(CAPNG_DROP, CAPNG_BOUNDING_SET, c);
        if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
            return -EPERM;
    }
    for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
        if (!(keep & (UINT64_C(1) << c)))
            (void)capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, c);
    return capng_apply(CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}
