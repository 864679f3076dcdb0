/* SPDX-License-Identifier: MIT */
#include "daemon/faults.h"

#include <stdio.h>
#include <string.h>

#include "util/macro.h"

static void write_gap(const struct fault *fault, uint64_t to_ns, struct gap *ret)
{
    *ret = (struct gap){ .reason = fault->reason, .from_ns = fault->from_ns, .to_ns = MAX(fault->from_ns, to_ns), .sensor = fault->sensor };
    snprintf(ret->text, sizeof(ret->text), "%s: %s", fault->name, fault->text);
}

bool faults_note(struct faults *f, enum lost reason, const char *name, unsigned sensor, const char *text, uint64_t now_ns, struct gap *ret)
{
    struct fault *fault = f->list;

    while (fault < f->list + f->count && (fault->reason != reason || strcmp(fault->name, name) != 0))
        fault++;
    if (fault < f->list + f->count) {
        fault->now = true;
        return false;
    }
    if (f->count == FAULTS_MAX)
        return false;
    f->count++;
    *fault = (struct fault){ .reason = reason, .name = name, .from_ns = now_ns, .now = true, .sensor = sensor };
    snprintf(fault->text, sizeof(fault->text), "%.119s", text);
    write_gap(fault, now_ns, ret);
    return true;
}

bool faults_end(struct faults *f, bool all, uint64_t now_ns, struct gap *ret, const char **ret_name)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].now && !all)
            continue;
        write_gap(&f->list[i], now_ns, ret);
        *ret_name = f->list[i].name;
        f->list[i] = f->list[--f->count];
        return true;
    }
    for (size_t i = 0; i < f->count; i++)
        f->list[i].now = false;
    return false;
}
