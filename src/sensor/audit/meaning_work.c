/* SPDX-License-Identifier: MIT */
#include "sensor/audit/meaning_work.h"

#include <errno.h>

const struct audit_path *audit_meaning_path(const struct audit_facts *f, enum audit_nametype type, unsigned n)
{
    for (unsigned i = 0; i < f->path_count; i++)
        if (f->paths[i].type == type && !f->paths[i].nested && n-- == 0)
            return &f->paths[i];
    return NULL;
}

struct bytes audit_last_component(struct bytes name)
{
    while (name.len > 1 && name.data[name.len - 1] == '/')
        name.len--;
    return bytes_basename(name);
}

int audit_meaning_refusal(const struct audit_facts *f)
{
    return f->exit < 0 ? (int)-f->exit : EIO;
}

struct audit_change *audit_meaning_add(struct meaning_work *w, enum operation operation)
{
    struct audit_change *c;

    if (w->count == AUDIT_CHANGES_MAX)
        return NULL;
    c = &w->ret[w->count++];
    *c = (struct audit_change){ .operation = operation, .fd = -1 };
    if (!w->f->success)
        c->error = audit_meaning_refusal(w->f);
    return c;
}
