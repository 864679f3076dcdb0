/* SPDX-License-Identifier: MIT */
#include "event/share.h"

#include "util/macro.h"

static bool is_made_by(enum operation operation, struct bytes tool)
{
    static const struct {
        enum operation operation;
        const char *tool;
    } rows[] = { { OPERATION_CHMOD, "chmod" }, { OPERATION_CHOWN, "chown" }, { OPERATION_CHOWN, "chgrp" },
                 { OPERATION_UTIME, "touch" }, { OPERATION_SETFLAGS, "chattr" } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].operation == operation && bytes_equal_str(tool, rows[i].tool))
            return true;
    return false;
}

unsigned event_share_choose(const struct event_share *s, const struct bytes tools[SHARE_MAX])
{
    unsigned of[SHARE_MAX];
    bool has[SHARE_MAX] = { false }, taken[SHARE_MAX] = { false };

    for (unsigned i = 0; i < s->count; i++)
        for (unsigned j = 0; j < s->count && !has[i]; j++)
            if (!taken[j] && is_made_by(s->changes[j].operation, tools[i])) {
                of[i] = j;
                has[i] = taken[j] = true;
            }
    for (unsigned i = 0; i < s->count; i++)
        for (unsigned j = 0; j < s->count && !has[i]; j++)
            if (!taken[j]) {
                of[i] = j;
                has[i] = taken[j] = true;
            }
    return of[s->own];
}

void event_share_settle(struct event *e, unsigned change)
{
    unsigned which = e->share->changes[change].which;

    e->operation = e->share->changes[change].operation;
    e->before.known &= which;
    e->after.known &= which;
    e->operation_presumed = false;
    event_set(e, &e->note, bytes_of(EVENT_NOTE_ONE_OF));
    e->share = NULL;
}
