/* SPDX-License-Identifier: MIT */
#include "sensor/audit/way_change.h"

#include <limits.h>

#include "event/operation.h"
#include "sensor/audit/object.h"
#include "sensor/audit/written.h"

static bool is_step(const struct audit_object *o, const struct audit_step *step, const struct audit_path *p)
{
    return p && (p->file.known & FILE_INODE) && (p->file.known & FILE_DEVICE) && (step->state.known & FILE_INODE) &&
           step->state.inode == p->file.inode && step->state.device == audit_object_device(o, p->file.device);
}

/* The name of the step below the one that `parent` is: what would come into the way by that name. */
static const struct audit_step *step_of_name(const struct audit_object *o, const struct audit_path *parent, struct bytes name)
{
    for (unsigned i = 0; i + 1 < o->way.count; i++)
        if (is_step(o, &o->way.steps[i + 1], parent) && bytes_equal(name, bytes_basename(audit_way_path(&o->wanted, &o->way.steps[i]))))
            return &o->way.steps[i];
    return NULL;
}

static struct event *new_event(const struct audit_object *o, const struct audit_change *c)
{
    struct event *e = event_new();

    if (!e)
        return NULL;
    e->operation = c->operation;
    e->error = c->error;
    e->object = o->wanted.id;
    if (c->object) {
        e->file = c->object->file;
        e->file.device = audit_object_device(o, e->file.device);
    }
    return e;
}

/* In an exchange the records say of each name that it was both ends. */
static void set_other_end(const struct audit_facts *f, enum audit_nametype type, enum audit_nametype exchanged,
                          struct event *e, struct bytes *field, struct bytes known)
{
    audit_written_outside(f, type, e, field);
    if (bytes_equal(*field, known))
        audit_written_outside(f, exchanged, e, field);
}

/* Which steps a rename takes from their place, or brings there; NULL: none. */
static void find_ends(const struct audit_object *o, const struct audit_change *c, const struct audit_step **from,
                      const struct audit_step **to)
{
    *from = step_of_name(o, c->previous_parent, c->previous_name);
    if (!*from && c->parents_unsure)
        *from = step_of_name(o, c->parent, c->previous_name);
    *to = step_of_name(o, c->parent, c->name);
    if (!*to && c->parents_unsure)
        *to = step_of_name(o, c->previous_parent, c->name);
}

static struct event *move_event(const struct audit_object *o, const struct audit_facts *f, const struct audit_change *c, bool *ret_here)
{
    const struct audit_step *from, *to;
    struct event *e;

    find_ends(o, c, &from, &to);
    *ret_here = from || to;
    if (!*ret_here)
        return NULL;
    e = new_event(o, c);
    if (!e)
        return NULL;
    if (from)
        event_set(e, &e->previous_path, audit_way_path(&o->wanted, from));
    if (to)
        event_set(e, &e->path, audit_way_path(&o->wanted, to));
    if (!from)
        set_other_end(f, AUDIT_NAME_DELETE, AUDIT_NAME_CREATE, e, &e->previous_path, e->path);
    if (!to)
        set_other_end(f, AUDIT_NAME_CREATE, AUDIT_NAME_DELETE, e, &e->path, e->previous_path);
    return e;
}

/* A mount point is a path: of another namespace it may read the same, and be another directory. */
static struct event *mount_event(const struct audit_object *o, const struct audit_facts *f, const struct audit_change *c, bool *ret_here)
{
    char path[PATH_MAX];
    struct event *e;

    *ret_here = false;
    if (!c->object || !audit_written_from_cwd(f, c->object->name, path))
        return NULL;
    for (unsigned i = 0; i < o->way.count; i++) {
        const struct audit_step *step = &o->way.steps[i];

        if (step->len <= 1 || !bytes_equal_str(audit_way_path(&o->wanted, step), path))
            continue;
        if (c->operation == OPERATION_MOUNT ? !is_step(o, step, c->object)
                                            : !audit_mounts_at(&o->way.mounts, audit_way_path(&o->wanted, step), 0))
            return NULL;
        *ret_here = true;
        e = new_event(o, c);
        if (e)
            event_set(e, &e->path, bytes_of(path));
        if (e && c->target.len)
            event_set(e, &e->target_path, c->target);
        return e;
    }
    return NULL;
}

struct event *audit_way_event(const struct audit_object *o, const struct audit_facts *f, const struct audit_change *c, bool *ret_here)
{
    *ret_here = false;
    if (c->operation == OPERATION_RENAME)
        return move_event(o, f, c, ret_here);
    return c->operation == OPERATION_MOUNT || c->operation == OPERATION_UNMOUNT ? mount_event(o, f, c, ret_here) : NULL;
}

/* ---- keeping up ---- */

static void leave(struct audit_object *o, const struct audit_step *step)
{
    for (struct audit_step *at = o->way.steps; at <= step; at++)
        at->state = (struct file_state){ 0 };
}

static void arrive(struct audit_object *o, const struct audit_step *step, const struct audit_change *c)
{
    struct audit_step *at = &o->way.steps[step - o->way.steps];

    leave(o, step);
    if (c->object && (c->object->file.known & FILE_INODE)) {
        at->state = c->object->file;
        at->state.device = at[1].state.device; /* an overlay's record may have that of the layer */
        at->state.known |= FILE_DEVICE;
    }
    while (c->operation == OPERATION_RENAME && !o->gone && at-- > o->way.steps)
        audit_way_look(&o->watched, at); /* it came with what is in it */
}

/* Which directories the way leads through, by the records and in their order: who looks later sees what became of
 * them since. */
static void learn(struct audit_object *o, const struct audit_change *c)
{
    const struct audit_step *from = NULL, *to = NULL;

    if (c->operation == OPERATION_RENAME)
        find_ends(o, c, &from, &to);
    else if (c->operation == OPERATION_RMDIR)
        from = step_of_name(o, c->parent, c->name);
    else if (c->operation == OPERATION_MKDIR)
        to = step_of_name(o, c->parent, c->name);
    if (from)
        leave(o, from);
    if (to)
        arrive(o, to, c);
}

bool audit_way_is_parent(const struct audit_object *o, const struct audit_path *p)
{
    return o->way.count && is_step(o, &o->way.steps[0], p);
}

void audit_way_apply(struct audit_object *o, const struct audit_facts *f, const struct audit_change *c)
{
    bool here;
    struct event *e = audit_way_event(o, f, c, &here);

    learn(o, c);
    if (!e)
        return;
    o->needs_recheck = true;
    if (c->operation == OPERATION_MOUNT)
        audit_mounts_add(&o->way.mounts, e->path);
    else if (c->operation == OPERATION_UNMOUNT)
        audit_mounts_remove(&o->way.mounts, e->path);
    event_free(e);
}
