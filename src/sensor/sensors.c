/* SPDX-License-Identifier: MIT */
#include "sensor/sensors.h"

#include <string.h>

#include "sensor/audit/audit.h"
#include "sensor/bpf/bpf_sensor.h"
#include "sensor/fanotify/fanotify.h"

const struct sensor_ops *const sensors[] = {
    &bpf_sensor_ops,
    &fanotify_sensor_ops,
    &audit_sensor_ops,
    NULL,
};

const struct sensor_ops *sensor_by_name(const char *name)
{
    for (unsigned i = 0; sensors[i]; i++)
        if (strcmp(sensors[i]->name, name) == 0)
            return sensors[i];
    return NULL;
}

void sensors_recover(const char *state_dir, const struct log *log, struct sbuf *said)
{
    for (unsigned i = 0; sensors[i]; i++)
        if (sensors[i]->recover)
            sensors[i]->recover(state_dir, log, said);
}

/* clang-format off */
static const struct capability_info capabilities[] = {
    { CAPABILITY_NAMES,           "names",           "names created, deleted, renamed" },
    { CAPABILITY_CONTENTS,        "contents",        "files opened for writing and truncated" },
    { CAPABILITY_CLOSE_WRITE,     "close-write",     "the end of a write, with what changed" },
    { CAPABILITY_EACH_WRITE,      "each-write",      "each single write" },
    { CAPABILITY_METADATA,        "metadata",        "mode, owner, times and attributes" },
    { CAPABILITY_READS,           "reads",           "reads" },
    { CAPABILITY_EXECUTIONS,      "executions",      "executions" },
    { CAPABILITY_MOUNTS,          "mounts",          "mounts over the files" },
    { CAPABILITY_REFUSED,         "refused",         "refused attempts" },
    { CAPABILITY_OLD_PROCESSES,   "old-processes",   "processes that were running before auditing was first enabled" },
    { CAPABILITY_OLD_DESCRIPTORS, "old-descriptors", "writes through descriptors opened before the watch" },
    { CAPABILITY_MAPPINGS,        "mappings",        "writes through shared mappings" },
    { CAPABILITY_IO_URING,        "io_uring",        "changes made through io_uring" },
    { CAPABILITY_ANY_ALIAS,       "any-alias",       "changes through other links and mounts of the same file" },
    { CAPABILITY_CREDENTIALS,     "credentials",     "credentials at the moment of the change" },
    { CAPABILITY_ACTOR_EXITED,    "actor-exited",    "full names of processes that exit at once" },
    { CAPABILITY_BEFORE_AFTER,    "before-after",    "values before and after" },
    { CAPABILITY_RESTART,         "restart",         "the first moments of a container's mount" },
    { CAPABILITY_FLAGS,           "flags",           "flags of files (chattr)" },
    { CAPABILITY_ROUTE,           "route",           "the system call behind a change" },
};
/* clang-format on */

const struct capability_info *capability_info(unsigned index)
{
    return index < sizeof(capabilities) / sizeof(capabilities[0]) ? &capabilities[index] : NULL;
}
