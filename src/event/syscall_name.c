/* SPDX-License-Identifier: MIT */
#include "event/syscall_name.h"

#include <libaudit.h>
#include <string.h>

#include "event/event.h"
#include "util/macro.h"

#define FIRST 437 /* what is older every libaudit 3 knows */

static const char *const names[] = {
    "openat2", "pidfd_getfd", "faccessat2", "process_madvise", "epoll_pwait2", "mount_setattr", "quotactl_fd",
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "memfd_secret", "process_mrelease",
    "futex_waitv", "set_mempolicy_home_node", "cachestat", "fchmodat2", "map_shadow_stack", "futex_wake", "futex_wait",
    "futex_requeue", "statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
    "setxattrat", "getxattrat", "listxattrat", "removexattrat", "open_tree_attr", "file_getattr", "file_setattr",
};

int audit_call_number_by_name(const char *name, int machine)
{
    int number = audit_name_to_syscall(name, machine);

    for (unsigned i = 0; number < 0 && i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], name) == 0)
            number = FIRST + (int)i;
    return number;
}

const char *audit_call_name_by_number(int number, int machine)
{
    const char *name = audit_syscall_to_name(number, machine);

    if (!name && number >= FIRST && (size_t)(number - FIRST) < ARRAY_SIZE(names))
        name = names[number - FIRST];
    return name;
}

const char *event_call_name(const struct event *e)
{
    int machine = e->syscall >= 0 && e->syscall_arch ? audit_elf_to_machine(e->syscall_arch) : -1;

    return machine >= 0 ? audit_call_name_by_number(e->syscall, machine) : NULL;
}
