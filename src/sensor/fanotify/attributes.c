/* SPDX-License-Identifier: MIT */
/*
 * Attributes. The kernel says that a file has others now, not which: that is known from the index where
 * a difference shows, and where nobody else can have made it. Else it is emitted as "attributes, not known which".
 */
#include "sensor/fanotify/attributes.h"

#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/resolve.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "util/limits.h"
#include "util/macro.h"

#define FUTURE_NS (10 * (int64_t)NS_PER_S) /* a look comes that much later than the event, at most */
#define NOTE_GONE "an attribute was changed; the file was gone before it could be looked at"
#define NOTE_NEW "an attribute was changed; which one is not known, it had not been looked at since the change before"
#define NOTE_OTHERS "another process changed it in the same moment; which of them did what is not certain"
#define NOTE_FLAGS "found by looking, at another change of the file: this kernel does not say who changes flags"
#define NOTE_EARLIER "attributes were changed before they could be looked at: what it was is reported with an earlier change, or not known"

struct attribute_difference {
    enum operation operation;
    unsigned which; /* enum file_known: what it changes */
};

enum { DIFFERENCES_MAX = 8 };

bool fanotify_set_times(const struct tree_change *c, const struct fanotify_cause *cause)
{
    const struct file_state *a = &c->before, *b = &c->after;

    return (a->known & b->known & FILE_MTIME) && (a->known & b->known & FILE_CTIME) && b->mtime_ns != a->mtime_ns &&
           (b->mtime_ns < a->ctime_ns || b->mtime_ns > (int64_t)cause->to_real_ns + FUTURE_NS);
}

bool fanotify_touched(const struct tree_change *c)
{
    const struct file_state *a = &c->before, *b = &c->after;

    if (!(a->known & FILE_CTIME) || !(b->known & FILE_CTIME) || !(b->known & FILE_MTIME))
        return false;
    if ((b->known & FILE_BORN) && b->born_ns == b->atime_ns)
        return false; /* as its maker left it */
    if (S_ISDIR(b->mode))
        return false; /* names in it changed and were listed, and its mode was changed, all in one tick of the clock */
    return (b->known & FILE_ATIME) && b->atime_ns == b->mtime_ns && b->mtime_ns == b->ctime_ns && a->ctime_ns != b->ctime_ns;
}

static unsigned differences(const struct fanotify_object *o, const struct tree_change *c, struct attribute_difference ret[DIFFERENCES_MAX])
{
    const struct file_state *a = &c->before, *b = &c->after;
    bool overlay_own = o->wanted.view == VIEW_UPPER && (strncmp(c->xattr, "trusted.overlay.", 16) == 0 ||
                                                        strncmp(c->xattr, "user.overlay.", 13) == 0);
    bool xattr = c->xattr_changed && !overlay_own;
    bool acl = xattr && strncmp(c->xattr, "system.posix_acl_", 17) == 0;
    bool owner = a->uid != b->uid || a->gid != b->gid;
    uint32_t mode = a->mode ^ b->mode;
    unsigned n = 0;

    if (owner)
        ret[n++] = (struct attribute_difference){ OPERATION_CHOWN, FILE_UID | FILE_GID };
    if (acl) /* its mask is the mode's group */
        ret[n++] = (struct attribute_difference){ OPERATION_SETACL, FILE_MODE };
    /* a change of owner takes the s bits away by itself */
    if ((mode & 07777) && !acl && !(owner && !(mode & 01777)))
        ret[n++] = (struct attribute_difference){ OPERATION_CHMOD, FILE_MODE };
    if (xattr && !acl && !(owner && strcmp(c->xattr, "security.capability") == 0))
        ret[n++] = (struct attribute_difference){ c->xattr_removed ? OPERATION_REMOVEXATTR : OPERATION_SETXATTR, 0 };
    if ((a->known & b->known & FILE_FLAGS) && a->flags != b->flags)
        ret[n++] = (struct attribute_difference){ OPERATION_SETFLAGS, FILE_FLAGS };
    return n;
}

static void keep(struct file_state *to, const struct file_state *from, unsigned which)
{
    *to = *from;
    to->known &= which;
}

static void emit_one(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct tree_change *c,
                     const struct fanotify_cause *cause, struct attribute_difference d)
{
    struct event *e = fanotify_event_new(o, d.operation, directory, name, &c->after, cause);

    if (!e)
        return;
    keep(&e->before, &c->before, d.which);
    keep(&e->after, &c->after, d.which);
    if (d.operation == OPERATION_SETXATTR || d.operation == OPERATION_REMOVEXATTR || d.operation == OPERATION_SETACL)
        event_set(e, &e->xattr, bytes_of(c->xattr));
    fanotify_send(o, e, cause);
}

static void set_share(struct event *e, const struct event_share *share)
{
    struct event_share *own = arena_alloc(&e->arena, sizeof(*own));

    if (own)
        *own = *share;
    e->share = own;
}

/* What differs, whoever it was. share: NULL, or count 0: nothing is known of it. */
static void emit_unknown(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct tree_change *c,
                         const struct fanotify_cause *cause, const struct event_share *share)
{
    struct event *e = fanotify_event_new(o, OPERATION_ATTRIBUTES, directory, name, c->after.known ? &c->after : &c->before, cause);
    struct attribute_difference d[DIFFERENCES_MAX];
    unsigned n = c->after.known && c->before.known && c->same_object ? differences(o, c, d) : 0, which = 0;

    if (!e)
        return;
    for (unsigned i = 0; i < n; i++)
        which |= d[i].which;
    keep(&e->before, &c->before, which);
    keep(&e->after, &c->after, which);
    e->operation_presumed = true;
    if (share && share->count)
        set_share(e, share);
    fanotify_send(o, e, cause);
}

unsigned fanotify_emit_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                  const struct tree_change *c, const struct fanotify_cause *cause)
{
    struct attribute_difference d[DIFFERENCES_MAX];
    unsigned n = differences(o, c, d);

    for (unsigned i = 0; i < n; i++)
        emit_one(o, directory, name, c, cause, d[i]);
    return n;
}

/* The maker of a new file gave it attributes before it could be looked at. */
void fanotify_made_with_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct tree_change *c,
                                  const struct fanotify_cause *now)
{
    struct fanotify_cause cause = *now;
    struct tree_change after = { .after = c->after, .name = c->name, .object = c->object };

    cause.note = c->after.known ? NULL : NOTE_GONE;
    if (o->wanted.view != VIEW_UPPER) /* there the overlay itself gives a copy what the lower file had */
        emit_unknown(o, directory, name, &after, &cause, NULL);
}

/* Of each process one change, and all of these known: by what waits. */
static void begin_share(const struct fanotify_object *o, const struct fanotify_event *e, const struct tree_change *c, bool times,
                        struct fanotify_shared *ret)
{
    struct attribute_difference d[DIFFERENCES_MAX];
    unsigned n = differences(o, c, d);

    ret->is = true;
    ret->state = c->after;
    if (times)
        d[n++] = (struct attribute_difference){ OPERATION_UTIME, 0 };
    if (!fanotify_queue_share(o->sensor, e, &ret->among) || ret->among.count != n) {
        ret->among.count = 0;
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        ret->among.changes[i].operation = d[i].operation;
        ret->among.changes[i].which = d[i].which;
        if (d[i].operation == OPERATION_SETACL || d[i].operation == OPERATION_SETXATTR || d[i].operation == OPERATION_REMOVEXATTR)
            ret->among.count = 0; /* one of several names may differ */
    }
}

static bool has_times(const struct event_share *share)
{
    for (unsigned i = 0; i < share->count; i++)
        if (share->changes[i].operation == OPERATION_UTIME)
            return true;
    return false;
}

/* Which of them that process is; share->count: none. */
static unsigned place_among(const struct event_share *share, pid_t pid)
{
    unsigned i = 0;

    while (i < share->count && share->actors[i].pid != pid)
        i++;
    return i;
}

static bool are_among(const struct event_share *share, const struct event_share *waiting)
{
    for (unsigned i = 0; i < waiting->count; i++)
        if (place_among(share, waiting->actors[i].pid) == share->count)
            return false;
    return true;
}

/* Nothing was done beside what was known when the first of them was emitted. */
static void go_on_sharing(const struct fanotify_object *o, const struct fanotify_event *e, const struct tree_change *c, bool others,
                          struct fanotify_shared *shared)
{
    const struct file_state *a = &shared->state, *b = &c->after;
    struct event_share *among = &shared->among, waiting;
    bool same = a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->flags == b->flags &&
                !(has_times(among) && a->mtime_ns != b->mtime_ns);

    among->own = place_among(among, e->pid);
    if (!same || among->own == among->count ||
        (others && !(fanotify_queue_share(o->sensor, e, &waiting) && are_among(among, &waiting))))
        among->count = 0;
}

/* The kernel makes no event of flags: whoever's event led to this look, they are not known to be his. Changed since the file was known. */
static void emit_flags_of_nobody(struct fanotify_object *o, uint32_t directory, struct bytes name, struct tree_change *c,
                                 const struct fanotify_cause *now)
{
    const struct attribute_difference flags = { OPERATION_SETFLAGS, FILE_FLAGS };
    struct fanotify_cause cause = *now;

    if (o->sensor->features.flags || !(c->before.known & c->after.known & FILE_FLAGS) || c->before.flags == c->after.flags)
        return;
    cause.pid = 0;
    cause.gone = false;
    cause.presumed = true;
    cause.note = NOTE_FLAGS;
    if ((c->before.known & FILE_CTIME) && c->before.ctime_ns > 0 && (uint64_t)c->before.ctime_ns < cause.from_real_ns) {
        uint64_t earlier = MIN(cause.from_real_ns - (uint64_t)c->before.ctime_ns, cause.from_boot_ns);

        cause.from_real_ns -= earlier;
        cause.from_boot_ns -= earlier;
    }
    emit_one(o, directory, name, c, &cause, flags);
    c->before.flags = c->after.flags; /* the rest is that event's */
}

/* Seen before and after: emitted as what differs, if it is known whose it is. Returns how many. */
static unsigned known_changes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                              struct tree_change *c, struct fanotify_cause *cause, struct fanotify_shared *shared)
{
    struct tree_change kept;
    const struct tree_change seen = *c;
    bool others, times;
    unsigned n = 0;

    if (fanotify_unexplained_take(o, &c->after, &kept, shared)) {
        kept.after = c->after;
        *c = kept;
    }
    emit_flags_of_nobody(o, directory, name, c, cause);
    others = !cause->replayed && fanotify_queue_others(o->sensor, e);
    times = !(e->mask & FAN_MODIFY) &&
            (fanotify_set_times(&seen, cause) || (fanotify_touched(&seen) && !fanotify_queue_writes(o->sensor, e)));
    if (shared->is)
        go_on_sharing(o, e, c, others, shared);
    else if (others) /* the rest of it is theirs, perhaps */
        begin_share(o, e, c, times, shared);
    if (others)
        fanotify_unexplained_share(o, directory, name, c, shared);
    if (shared->is) {
        cause->note = NOTE_OTHERS;
        return 0;
    }
    n = fanotify_emit_attributes(o, directory, name, c, cause);
    if (times) {
        emit_one(o, directory, name, c, cause, (struct attribute_difference){ OPERATION_UTIME, 0 });
        n++;
    }
    return n;
}

void fanotify_attributes(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_event *e,
                         const struct tree_change *change, const struct fanotify_cause *now)
{
    struct fanotify_cause cause = *now;
    struct fanotify_shared shared = { 0 };
    struct tree_change c = *change;
    unsigned n;

    if (c.after.known && fanotify_unseen_take(o, c.object)) {
        c.before.known = 0; /* the difference may be of others, and of earlier */
        fanotify_unexplained_drop(o, &c.after);
    }
    if (!c.after.known && !c.before.known && !fanotify_tombstone_is(o, directory, name))
        return; /* it has no name here any more */
    if (!c.after.known && (e->mask & FAN_ONDIR) && fanotify_gone_is(&c.before) &&
        !fanotify_gone_ends(o, tree_object_of(o->tree, tree_child(o->tree, directory, name))))
        return; /* nobody removed it: another took its place, and with that its link, which is an attribute too */
    if (!c.after.known) {
        cause.note = NOTE_GONE;
    } else if (!c.before.known || !c.same_object) {
        cause.note = NOTE_NEW;
    } else {
        n = known_changes(o, directory, name, e, &c, &cause, &shared);
        if (n) {
            fanotify_queue_credit(o->sensor, e, n - 1);
            return;
        }
        if ((e->mask & FAN_MODIFY) && c.after.mtime_ns == c.after.ctime_ns && !cause.note)
            return; /* written to: that takes s bits and capabilities away, or nothing */
        if (o->wanted.view == VIEW_UPPER && S_ISDIR(c.after.mode))
            return; /* the overlay gives a directory its times back after each copy */
        if (!cause.note && fanotify_queue_owed(o->sensor, e))
            return; /* emitted with the one before, which the same process made */
        if (!cause.note && c.before.mtime_ns == c.after.mtime_ns)
            cause.note = c.before.ctime_ns != c.after.ctime_ns ? EVENT_NOTE_SAME : NOTE_EARLIER;
    }
    emit_unknown(o, directory, name, &c, &cause, &shared.among);
}

/* What was changed may be gone, with its last name, and have left its number to what is there now. */
static bool is_there(struct fanotify_object *o, uint32_t name, const struct file_state *changed)
{
    struct file_state now = { 0 };
    char text[LIMIT_NAME + 1];
    uint64_t born_ns;

    if (!name)
        return false;
    tree_state(o->tree, tree_object_of(o->tree, name), &now);
    if ((now.known & changed->known & FILE_MODE) && ((now.mode ^ changed->mode) & S_IFMT))
        return false;
    born_ns = changed->known & FILE_BORN ? fanotify_born(o, tree_parent_of(o->tree, name), tree_name(o->tree, name, text)) : 0;
    return !born_ns || born_ns == (uint64_t)changed->born_ns;
}

/* Found by looking, and no event says who: not every kernel reports chattr. */
void fanotify_emit_unexplained(struct fanotify_object *o, const struct tree_change *c, const struct fanotify_cause *cause)
{
    uint32_t name = tree_first_name(o->tree, tree_find(o->tree, c->after.device, c->after.inode));
    char text[LIMIT_NAME + 1];

    if (is_there(o, name, &c->after))
        (void)fanotify_emit_attributes(o, tree_parent_of(o->tree, name), tree_name(o->tree, name, text), c, cause);
}
