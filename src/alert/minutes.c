/* SPDX-License-Identifier: MIT */
#include "alert/minutes.h"

#include "event/operation.h"
#include "util/clock.h"
#include "util/macro.h"

#define SIZE (2 * MINUTES)
#define MINUTE_NS (60 * NS_PER_S)

bool minutes_is_change(const struct event *e)
{
    return e->error == 0 && e->operation != OPERATION_OPEN_WRITE &&
           operation_info(e->operation)->permission & (PERMISSION_WRITE | PERMISSION_ATTR);
}

static uint64_t sum(const struct minutes *m, unsigned from, unsigned to)
{
    uint64_t sum = 0;

    for (unsigned ago = from; ago < to && ago <= m->newest; ago++)
        sum += m->counts[(m->newest - ago) % SIZE];
    return sum;
}

bool minutes_step(struct minutes *m, uint64_t time_ns)
{
    uint64_t minute = time_ns / MINUTE_NS;

    if (minute <= m->newest)
        return false;
    m->newest = sum(m, 0, SIZE) ? m->newest + 1 : minute;
    m->counts[m->newest % SIZE] = 0;
    return true;
}

void minutes_add(struct minutes *m, uint64_t time_ns)
{
    uint64_t minute = time_ns / MINUTE_NS;

    while (minutes_step(m, time_ns))
        ;
    if (minute + SIZE > m->newest)
        m->counts[minute % SIZE]++;
}

uint64_t minutes_sum(const struct minutes *m)
{
    return sum(m, 0, MINUTES);
}

uint64_t minutes_sum_all(const struct minutes *m)
{
    return sum(m, 0, SIZE);
}

uint64_t minutes_sum_before(const struct minutes *m)
{
    return sum(m, MINUTES, SIZE);
}
