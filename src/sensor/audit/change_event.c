/* SPDX-License-Identifier: MIT */
#include "sensor/audit/change_event.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "sensor/audit/spot.h"
#include "sensor/audit/way_change.h"
#include "sensor/audit/written.h"
#include "util/sbuf.h"

/* What the kernel said first, then what the index remembers. */
static void describe(const struct audit_object *o, const struct audit_change *c,
                     const struct audit_spot *spot, struct event *e)
{
    struct file_state known = { 0 };

    if (spot->root)
        known = o->root;
    else if (spot->entry)
        tree_state(o->tree, tree_object_of(o->tree, spot->entry), &known);
    e->before = c->before;
    e->after = c->after;
    if (e->after.known) /* as it is after a success */
        file_state_add(&e->file, e->error == 0 ? &e->after : &e->before, FILE_MODE | FILE_UID | FILE_GID);
    if (c->object) {
        struct file_state said = c->object->file;

        said.device = audit_object_device(o, said.device);
        file_state_add(&e->file, &said, FILE_MODE | FILE_UID | FILE_GID);
        if (!known.known)
            file_state_add(&e->file, &said, FILE_INODE | FILE_DEVICE);
    }
    file_state_add(&e->file, &known, FILE_MODE | FILE_UID | FILE_GID | FILE_INODE | FILE_DEVICE);
    if (!audit_object_is_fresh(o, &known)) /* written to since we looked: how long it is now is not known */
        known.known &= ~(unsigned)FILE_SIZE;
    if (c->operation == OPERATION_TRUNCATE) {
        file_state_add(&e->before, &known, FILE_SIZE);
        file_state_add(&e->file, e->error == 0 ? &e->after : &known, FILE_SIZE);
    } else if ((known.known & FILE_MODE) && S_ISREG(known.mode)) {
        file_state_add(&e->file, &known, FILE_SIZE);
    }
    if (known.known & FILE_LINKS) {
        e->file.links = known.links;
        e->file.known |= FILE_LINKS;
    }
}

/* Did the caller write the path as the namespace has it? From another root it would lead elsewhere. */
static bool named_from_inside(const struct audit_facts *f, const struct event *e)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (!p->nested && p->name.len && p->name.data[0] == '/' && p->type != AUDIT_NAME_PARENT &&
            audit_written_path(BYTES_NULL, p->name, path, sizeof(path)) &&
            (bytes_equal_str(e->path, path) || bytes_equal_str(e->previous_path, path)))
            return true;
    }
    return false;
}

struct event *audit_change_event(const struct audit_object *o, const struct audit_facts *f,
                                 const struct audit_change *c, bool *ret_here)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct audit_spot now, old;
    struct event *e;
    bool rename = c->operation == OPERATION_RENAME;
    int r = 0, r_old = 0;

    audit_spots_find(o, f, c, &now, &old);
    *ret_here = now.here || old.here;
    if (!*ret_here) {
        e = audit_way_event(o, f, c, ret_here);
        if (e)
            e->actor.inside = o->wanted.ns_pid && named_from_inside(f, e);
        return e;
    }
    e = event_new();
    if (!e)
        return NULL;
    e->operation = c->operation;
    e->error = c->error;
    e->object = o->wanted.id;
    if (now.here && (r = audit_spot_path(o, &now, &path)) == 0)
        event_set(e, &e->path, sbuf_bytes(&path));
    else if (rename)
        audit_written_outside(f, AUDIT_NAME_CREATE, e, &e->path);
    if (old.here && (r_old = audit_spot_path(o, &old, &path)) == 0)
        event_set(e, &e->previous_path, sbuf_bytes(&path));
    else if (rename)
        audit_written_outside(f, AUDIT_NAME_DELETE, e, &e->previous_path);
    e->actor.inside = o->wanted.ns_pid && named_from_inside(f, e);
    describe(o, c, rename && old.here ? &old : &now, e);
    if (c->target.len && c->target_is_name) {
        char text[PATH_MAX];

        if (audit_written_path(f->cwd, c->target, text, sizeof(text)))
            event_set(e, &e->target_path, bytes_of(text));
    } else if (c->target.len) {
        event_set(e, &e->target_path, c->target);
    }
    if (c->note)
        e->note = bytes_of(c->note);
    else if (now.one_of_several)
        e->note = bytes_of("one of the file's names: not recorded is the one that the descriptor or link led by");
    if (r == -ENOMEM || r_old == -ENOMEM) {
        event_free(e);
        return NULL;
    }
    return e;
}

bool audit_mentions(const struct audit_object *o, const struct audit_facts *f)
{
    for (unsigned i = 0; i < f->path_count; i++)
        if (audit_path_is_state(o, &o->root, &f->paths[i]) || audit_path_object(o, &f->paths[i]))
            return true;
    return false;
}
