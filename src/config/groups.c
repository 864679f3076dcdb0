/* SPDX-License-Identifier: MIT */
#include "config/groups.h"

#include <stddef.h>

#include "util/macro.h"

/* clang-format off */
static const struct config_group groups[] = {
    { "etc", { { "/etc", false } }, "the system's configuration, users, cron and units of the administrator" },
    { "programs", { { "/usr/bin", false }, { "/usr/sbin", false }, { "/usr/lib", false }, { "/usr/lib32", true },
                    { "/usr/lib64", true }, { "/usr/libx32", true }, { "/usr/libexec", true },
                    { "/bin", true }, { "/sbin", true }, { "/lib", true }, { "/lib64", true } },
      "programs and libraries of packages" },
    { "local", { { "/usr/local", false } }, "programs of this machine" },
    { "opt", { { "/opt", false } }, "products of vendors" },
    { "boot", { { "/boot", false } }, "kernels and the boot loader" },
    { "schedules", { { "/var/spool/cron", false }, { "/etc/crontab", false }, { "/etc/cron.d", false } },
      "jobs of cron and at" },
    { "units", { { "/etc/systemd", false }, { "/run/systemd/system", false } },
      "services and timers of systemd" },
};
/* clang-format on */

const struct config_group *config_group(unsigned index)
{
    return index < ARRAY_SIZE(groups) ? &groups[index] : NULL;
}
