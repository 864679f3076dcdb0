/* SPDX-License-Identifier: MIT */
#include "sensor/audit/meaning_rename.h"

#include "sensor/audit/meaning_work.h"

/* The directory part as the kernel prints it in a PARENT record: with its slash, or the working
 * directory for a name without one. */
static struct bytes parent_text(const struct audit_facts *f, struct bytes name)
{
    struct bytes base = audit_last_component(name);

    if (!bytes_known(name))
        return BYTES_NULL;
    if (base.data == name.data)
        return f->cwd;
    return (struct bytes){ name.data, (size_t)(base.data - name.data) };
}

static bool same_file(const struct audit_path *a, const struct audit_path *b)
{
    return (a->file.known & FILE_INODE) && (b->file.known & FILE_INODE) &&
           a->file.inode == b->file.inode && a->file.device == b->file.device;
}

/* The new name of the file that was the i-th to be deleted. An overlay's records show the file by its
 * layer's identity under the old name and by its own under the new one: then order decides, for the
 * kernel looks at the old name first (vfs_rename, fs/namei.c). */
static const struct audit_path *renamed_to(const struct audit_facts *f, unsigned i)
{
    const struct audit_path *deleted = audit_meaning_path(f, AUDIT_NAME_DELETE, i), *other, *created;

    for (unsigned k = 0; (created = audit_meaning_path(f, AUDIT_NAME_CREATE, k)); k++)
        if (same_file(deleted, created))
            return created;
    created = audit_meaning_path(f, AUDIT_NAME_CREATE, i);
    if (!created || (i > 0 && !audit_meaning_path(f, AUDIT_NAME_CREATE, 1)))
        return NULL;
    for (unsigned k = 0; (other = audit_meaning_path(f, AUDIT_NAME_DELETE, k)); k++)
        if (same_file(other, created))
            return NULL;
    return created;
}

/* What lay under the new name before. False: there is no room for it. */
static bool add_replaced(struct meaning_work *w, const struct audit_path *deleted, const struct audit_path *const parents[2])
{
    const struct audit_path *created = audit_meaning_path(w->f, AUDIT_NAME_CREATE, 0);
    struct audit_change *c = audit_meaning_add(w, OPERATION_REPLACE);

    if (!c)
        return false;
    c->object = deleted;
    c->name = audit_last_component(deleted->name);
    c->parent = parents[0];
    c->previous_parent = parents[1]; /* for whoever distinguishes the two */
    if (parents[0] && parents[1] && !same_file(parents[0], parents[1])) {
        struct bytes text = parent_text(w->f, created->name);
        bool first = bytes_equal(text, parents[0]->name);
        bool second = bytes_equal(text, parents[1]->name);

        if (second && !first)
            c->parent = parents[1];
        c->parents_unsure = first == second;
    }
    return true;
}

void audit_meaning_rename(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *parents[2] = { audit_meaning_path(f, AUDIT_NAME_PARENT, 0),
                                            audit_meaning_path(f, AUDIT_NAME_PARENT, 1) };
    const struct audit_path *deleted;

    for (unsigned i = 0; (deleted = audit_meaning_path(f, AUDIT_NAME_DELETE, i)); i++) {
        const struct audit_path *to = renamed_to(f, i), *before = parents[1], *after = parents[0];
        bool unsure = false;
        struct audit_change *c;

        if (f->success && !to && audit_meaning_path(f, AUDIT_NAME_CREATE, 0)) {
            if (!add_replaced(w, deleted, parents))
                return;
            continue;
        }
        if (f->success && !to)
            continue; /* two links of one file: rename() does nothing and says success */
        if (!f->success && i > 0) { /* what is at the new name, which is looked at last (vfs_rename, fs/namei.c) */
            w->ret[0].name = audit_last_component(deleted->name);
            return;
        }
        if (!before)
            before = after;
        if (before && after && parents[0] && parents[1] && !same_file(before, after)) {
            struct bytes from_text = parent_text(f, deleted->name);
            bool first = bytes_equal(from_text, parents[0]->name);
            bool second = bytes_equal(from_text, parents[1]->name);

            if (first == second && to) {
                struct bytes to_text = parent_text(f, to->name);

                first = bytes_equal(to_text, parents[1]->name);
                second = bytes_equal(to_text, parents[0]->name);
            }
            unsure = first == second;
            if (first && !second) {
                before = parents[0];
                after = parents[1];
            }
        }
        /* an exchange: the second file goes where the first one came from */
        if (w->count > 0 && w->ret[0].operation == OPERATION_RENAME) {
            before = w->ret[0].parent;
            after = w->ret[0].previous_parent;
            unsure = w->ret[0].parents_unsure;
        }
        c = audit_meaning_add(w, OPERATION_RENAME);
        if (!c)
            return;
        c->object = to ? to : deleted;
        c->parent = after;
        c->previous_parent = before;
        c->previous_name = audit_last_component(deleted->name);
        c->name = to ? audit_last_component(to->name) : BYTES_NULL;
        c->parents_unsure = unsure;
    }
    if (!f->success && w->count == 0 && parents[0]) {
        struct audit_change *c = audit_meaning_add(w, OPERATION_RENAME);

        c->parent = parents[0];
        c->previous_parent = parents[1];
        c->parents_unsure = parents[1] && !same_file(parents[0], parents[1]);
    }
}
