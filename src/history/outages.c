/* SPDX-License-Identifier: MIT */
#include "history/outages.h"

#include <libaudit.h>
#include <string.h>

static struct outage *add(struct outages *o, enum outage_kind kind, uint64_t from_ms, uint64_t to_ms, uint64_t count)
{
    if (o->count == OUTAGES_MAX) {
        o->beyond++;
        return NULL;
    }
    o->rows[o->count] = (struct outage){ kind, count, from_ms, to_ms };
    return &o->rows[o->count++];
}

/* The one that is still going on ends. */
static void end(struct outages *o, enum outage_kind kind, uint64_t time_ms)
{
    for (unsigned i = 0; i < o->count; i++)
        if (o->rows[i].kind == kind && !o->rows[i].to_ms)
            o->rows[i].to_ms = time_ms;
}

static bool number_behind(struct bytes text, const char *name, uint64_t *ret)
{
    size_t n = strlen(name);
    const char *at = memmem(text.data, text.len, name, n), *stop = text.data + text.len;

    if (!at || at + n == stop || at[n] < '0' || at[n] > '9')
        return false;
    *ret = 0;
    for (at += n; at < stop && *at >= '0' && *at <= '9' && *ret < UINT64_MAX / 100; at++)
        *ret = *ret * 10 + (uint64_t)(*at - '0');
    return true;
}

static void lost(struct outages *o, uint64_t count, uint64_t time_ms)
{
    if (!count)
        return;
    o->lost += count;
    (void)add(o, OUTAGE_LOST, o->last_ms ? o->last_ms : time_ms, time_ms, count);
}

static void set_enabled(struct outages *o, uint64_t enabled, uint64_t time_ms)
{
    if (!enabled && !o->disabled)
        (void)add(o, OUTAGE_DISABLED, time_ms, 0, 0);
    else if (enabled && o->disabled)
        end(o, OUTAGE_DISABLED, time_ms);
    o->disabled = !enabled;
}

/* "op=set audit_enabled=0 old=1", "op=set lost=0 old=12" (auditctl --reset-lost) */
static void see_config(struct outages *o, uint64_t time_ms, struct bytes text)
{
    uint64_t value, old;

    if (number_behind(text, " audit_enabled=", &value)) {
        set_enabled(o, value, time_ms);
    } else if (number_behind(text, " lost=", &value) && number_behind(text, " old=", &old)) {
        lost(o, old > o->reported_lost ? old - o->reported_lost : 0, time_ms);
        o->reported_lost = value;
    }
}

void outages_see(struct outages *o, int type, uint64_t time_ms, struct bytes text)
{
    switch (type) {
    case AUDIT_DAEMON_START:
        if (o->stopped)
            end(o, OUTAGE_STOPPED, time_ms);
        else if (o->last_ms)
            (void)add(o, OUTAGE_KILLED, o->last_ms, time_ms, 0);
        o->stopped = false;
        break;
    case AUDIT_DAEMON_END:
    case AUDIT_DAEMON_ABORT:
        if (!o->stopped)
            (void)add(o, OUTAGE_STOPPED, time_ms, 0, 0);
        o->stopped = true;
        break;
    case AUDIT_CONFIG_CHANGE:
        see_config(o, time_ms, text);
        break;
    case AUDIT_KERNEL: /* "state=initialized audit_enabled=0": a boot. auditd switches it on right after */
        o->reported_lost = 0;
        break;
    default:
        break;
    }
}

bool outages_see_message(struct outages *o, struct bytes text)
{
    uint64_t count;

    if (number_behind(text, "audit_lost=", &count)) {
        lost(o, count > o->reported_lost ? count - o->reported_lost : 0, o->last_ms);
        o->reported_lost = count;
        return true;
    }
    /* the line before it says why */
    return memmem(text.data, text.len, "audit: backlog limit exceeded", 29) ||
           memmem(text.data, text.len, "audit: rate limit exceeded", 26);
}

void outages_forget(struct outages *o)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < o->count; i++)
        if (o->rows[i].kind != OUTAGE_LOST && !o->rows[i].to_ms)
            o->rows[kept++] = o->rows[i];
    o->count = kept;
    o->lost = o->beyond = 0;
}

const char *outage_text(enum outage_kind kind)
{
    static const char *const texts[] = {
        [OUTAGE_STOPPED] = "auditd was stopped",
        [OUTAGE_KILLED] = "auditd did not run: it ended without saying so",
        [OUTAGE_DISABLED] = "auditing was switched off",
        [OUTAGE_LOST] = "records that the kernel dropped",
    };

    return texts[kind];
}
