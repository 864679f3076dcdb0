/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/interpret.h"

#include <sys/fanotify.h>
#include <sys/stat.h>

#include "event/operation.h"

/* ---- a name that appeared ---- */

/* A file with two names that was born while these events waited was made here, and linked before we looked:
 * the event of the second name follows. */
static bool was_born_now(const struct fanotify_new_name *n)
{
    /* its handle would be known if it had been made before this event and since we watch */
    return n->born_real_ns && n->born_real_ns + (uint64_t)FANOTIFY_STAMP_NS >= (n->by_handle ? n->watch_real_ns : n->from_real_ns);
}

/* A name of a file that is older than the watch is a second one, also where the first is gone by now. The clock may have been
 * set back meanwhile: a link changes its file, so that such a file is older than its last change too. */
static bool was_born_before(const struct fanotify_new_name *n)
{
    uint64_t born = n->born_real_ns + (uint64_t)FANOTIFY_STAMP_NS;

    return n->born_real_ns && (n->state.known & FILE_CTIME) && born < n->watch_real_ns && born < (uint64_t)n->state.ctime_ns;
}

enum operation fanotify_interpret_new(const struct fanotify_new_name *n)
{
    if (S_ISDIR(n->state.mode))
        return OPERATION_MKDIR;
    if (n->has_other || n->linked || (n->state.links > 1 && !was_born_now(n)) || was_born_before(n))
        return OPERATION_LINK;
    if (S_ISLNK(n->state.mode))
        return OPERATION_SYMLINK;
    return S_ISREG(n->state.mode) ? OPERATION_CREATE : OPERATION_MKNOD;
}

bool fanotify_may_be_linked(const struct fanotify_new_name *n)
{
    return n->marked_real_ns && n->born_real_ns <= n->marked_real_ns + (uint64_t)FANOTIFY_STAMP_NS;
}

/* ---- contents ---- */

static void add(struct fanotify_contents *c, enum operation operation, const struct file_state *before)
{
    c->changes[c->count++] = (struct fanotify_content_change){ .operation = operation, .before = *before };
}

void fanotify_interpret_contents(uint64_t mask, const struct tree_change *change, bool times_set, const struct fanotify_writer *w,
                                 struct fanotify_contents *ret)
{
    static const struct file_state unknown = { 0 };
    const struct file_state *before = &change->before, *after = &change->after;
    bool is_new = (mask & FAN_CREATE) != 0;
    bool created = is_new || (w->made && !w->emitted);
    bool sizes = !is_new && (before->known & after->known & FILE_SIZE) && change->same_object;
    bool truncated = sizes && (mask & FAN_MODIFY) && after->size < before->size;
    bool changed = w->written || (mask & FAN_MODIFY);
    bool presumed = false;

    *ret = (struct fanotify_contents){ 0 };
    if (after->known && !S_ISREG(after->mode))
        return;
    if (!before->known && !after->known) { /* it has no name here any more */
        if ((mask & (FAN_CREATE | FAN_MODIFY | FAN_CLOSE_WRITE)) == (FAN_CREATE | FAN_MODIFY | FAN_CLOSE_WRITE))
            add(ret, OPERATION_WRITE, &unknown); /* how much is not known */
        return;
    }
    /* a mapping's stores are not reported as modifications; utimensat() is reported as attributes */
    if (sizes && before->mtime_ns != after->mtime_ns &&
        (before->size != after->size || (mask & (FAN_ATTRIB | FAN_MODIFY)) != FAN_ATTRIB))
        changed = true;
    /* the kernel makes one event of a cut and of a write that follows */
    if (truncated || (w->cut && !changed))
        changed = presumed = (mask & FAN_CLOSE_WRITE) && after->known && after->size && !w->dirty;
    changed |= w->written;
    if ((mask & (FAN_MODIFY | FAN_CLOSE_WRITE)) == FAN_MODIFY && sizes && before->size == after->size && times_set) {
        add(ret, OPERATION_UTIME, &unknown); /* utimensat() of this one alone */
        return;
    }
    if (truncated)
        add(ret, OPERATION_TRUNCATE, before);
    ret->before = is_new ? (struct file_state){ .known = FILE_SIZE } : *before;
    if (mask & FAN_CLOSE_WRITE) {
        if (w->size_known)
            ret->before = (struct file_state){ .known = FILE_SIZE, .size = w->size };
        if (!created && !w->emitted)
            add(ret, OPERATION_OPEN_WRITE, &ret->before);
        if (changed && !(truncated && after->size == 0) && !(created && after->known && after->size == 0) &&
            !(w->emitted && !w->dirty && !presumed && !(mask & FAN_MODIFY))) {
            add(ret, OPERATION_WRITE, &ret->before);
            ret->changes[ret->count - 1].presumed = presumed;
        }
        if (times_set && sizes && !created && (mask & (FAN_MODIFY | FAN_ATTRIB)) == FAN_MODIFY)
            add(ret, OPERATION_UTIME, &unknown); /* after writing, which sets it too */
        ret->after = FANOTIFY_FORGET;
        return;
    }
    if (after->known && !(truncated && !after->size))
        ret->after = truncated ? FANOTIFY_CUT : FANOTIFY_REMEMBER;
}

/* ---- an upper layer ---- */

enum fanotify_layered fanotify_interpret_upper(const struct file_state *in_layer, const struct file_state *seen, bool whiteout,
                                               struct file_state *ret_before)
{
    bool was_absent = in_layer && in_layer->known && S_ISCHR(in_layer->mode); /* a whiteout */

    *ret_before = (struct file_state){ 0 };
    if (in_layer && in_layer->known && !was_absent)
        *ret_before = *in_layer;
    else if (seen && !was_absent)
        *ret_before = *seen;
    if (whiteout)
        return ret_before->known ? FANOTIFY_LAYER_GONE : FANOTIFY_LAYER_NOTHING;
    return ret_before->known ? FANOTIFY_LAYER_COPIED : FANOTIFY_LAYER_NEW;
}

/* ---- found by comparing ---- */

struct fanotify_compared fanotify_interpret_compared(const struct tree_change *c)
{
    struct fanotify_compared ret = { .operation = OPERATION_COUNT };

    if (!c->after.known) {
        ret.operation = S_ISDIR(c->before.mode) ? OPERATION_RMDIR : OPERATION_UNLINK;
    } else if (!c->same_object) {
        ret.operation = OPERATION_REPLACE;
        ret.appeared = true;
    } else if (c->before.ctime_ns != c->after.ctime_ns) {
        ret.attributes = true;
        ret.contents = S_ISREG(c->after.mode) && (c->before.mtime_ns != c->after.mtime_ns || c->before.size != c->after.size);
    }
    return ret;
}
