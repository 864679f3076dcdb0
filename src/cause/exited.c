/* SPDX-License-Identifier: MIT */
#include "cause/exited.h"

#include "util/macro.h"

#define SURE_NS NS_PER_S /* fanotify's events have no time of their own, and a store keeps when they were read */

bool cause_has_exited(const struct cause *cause, const struct event *e)
{
    const struct process *p = cause->run.process;
    uint64_t from_ns = e->boot_from_ns ? e->boot_from_ns : e->boot_ns;
    uint64_t sure_ns = !e->boot_from_ns && e->sensors == SENSOR_FANOTIFY ? SURE_NS : 0;

    return p && p->exited_ns && p->exited_ns + sure_ns <= from_ns && p->pid != e->actor.pid;
}
