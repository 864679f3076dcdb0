/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/record_meaning.h"

#include <stddef.h>

#define S_IMMUTABLE_FLAG 8
#define S_APPEND_FLAG 4

static const char *flags_note(const struct wire_change *c)
{
    uint32_t was = c->file.flags, is = c->after.flags;

    if (c->error || !(c->after.known & WIRE_STATE_KNOWN))
        return NULL;
    if ((is & ~was) & S_IMMUTABLE_FLAG)
        return "made immutable";
    if ((was & ~is) & S_IMMUTABLE_FLAG)
        return "no longer immutable";
    if ((is & ~was) & S_APPEND_FLAG)
        return "made append-only";
    if ((was & ~is) & S_APPEND_FLAG)
        return "no longer append-only";
    return NULL;
}

unsigned bpf_record_meanings(const struct bpf_record *r, const struct record_target *at, struct record_meaning *ret)
{
    const struct wire_change *c = r->change;
    unsigned n = 0;

    switch (c->operation) {
    case OPERATION_OPEN_WRITE:
        if (c->flags & WIRE_CREATED)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_CREATE };
        if (n && !(c->flags & WIRE_TMPFILE))
            break; /* one call, one change: that it is open for writing goes without saying */
        ret[n++] = (struct record_meaning){
            .operation = OPERATION_OPEN_WRITE,
            .note = r->type == WIRE_ALREADY_OPEN && (c->flags & WIRE_MAPPED) ? "already mapped for writing when the watch began"
                    : r->type == WIRE_ALREADY_OPEN    ? "already open for writing when the watch began"
                    : c->flags & WIRE_MAPPED    ? "mapped for writing, shared: what is stored leaves no trace of its own"
                    : c->flags & WIRE_TMPFILE ? "a file without a name yet"
                                              : NULL
        };
        break;
    case OPERATION_RENAME:
        if (at->has[0] || (at->has[1] && (at->places[1].by_name || at->depths[1])))
            ret[n++] = (struct record_meaning){ .operation = OPERATION_RENAME, .now = 0, .old = 1, .has_old = true };
        if ((c->flags & WIRE_EXCHANGE) && n)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_RENAME, .now = 1, .old = 0, .has_old = true, .victim = true };
        else if ((c->flags & WIRE_REPLACED) && at->has[0] && !at->on_the_way[0])
            ret[n++] = (struct record_meaning){ .operation = OPERATION_REPLACE, .victim = true };
        break;
    case OPERATION_LINK:
        if (at->has[0])
            ret[n++] = (struct record_meaning){ .operation = OPERATION_LINK };
        else if (c->flags & WIRE_DENIED)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_LINK, .now = 1, .note = "to a name outside" };
        break;
    case OPERATION_UNLINK:
    case OPERATION_RMDIR:
        /* another name of the same file goes: this one stays */
        if (at->places[0].by_name || at->depths[0])
            ret[n++] = (struct record_meaning){ .operation = (enum operation)c->operation };
        break;
    case OPERATION_CHMOD:
    case OPERATION_CHOWN:
    case OPERATION_TRUNCATE:
        if (c->operation == OPERATION_TRUNCATE)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_TRUNCATE };
        if (c->valid & 1)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_CHMOD };
        if (c->valid & 6)
            ret[n++] = (struct record_meaning){ .operation = OPERATION_CHOWN };
        break;
    case OPERATION_SETXATTR:
    case OPERATION_REMOVEXATTR:
        ret[n++] = (struct record_meaning){ .operation = bytes_starts_with(r->text, bytes_of("system.posix_acl_"))
                                                    ? OPERATION_SETACL
                                                    : (enum operation)c->operation };
        break;
    case OPERATION_SETFLAGS:
        ret[n++] = (struct record_meaning){ .operation = OPERATION_SETFLAGS, .note = flags_note(c) };
        break;
    default:
        ret[n++] = (struct record_meaning){ .operation = (enum operation)c->operation };
        break;
    }
    return n;
}
