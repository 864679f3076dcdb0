/* SPDX-License-Identifier: MIT */
#include "sensor/audit/written.h"

#include <fcntl.h>
#include <stddef.h>

#include "util/cleanup.h"
#include "util/path.h"
#include "util/sbuf.h"

bool audit_written_path(struct bytes dir, struct bytes name, char *ret, size_t size)
{
    struct bytes path;

    if (name.len && name.data[0] == '/')
        dir = BYTES_NULL;
    else if (!dir.len || dir.data[0] != '/')
        return false;
    path = path_join(dir, name, ret, size - 1);
    if (!path.len)
        return false;
    ret[path.len] = '\0';
    return true;
}

bool audit_written_from_cwd(const struct audit_facts *f, struct bytes name, char ret[PATH_MAX])
{
    return name.len && audit_written_path(f->cwd, name, ret, PATH_MAX);
}

/* Does a relative name begin at the working directory? */
static bool relative_to_cwd(const struct audit_facts *f, enum audit_nametype type)
{
    unsigned descriptor = type == AUDIT_NAME_CREATE ? 2 : 0; /* renameat(from, name, to, name) */

    return f->call == AUDIT_CALL_rename ||
           ((f->args_known & 1u << descriptor) && (int32_t)f->args[descriptor] == AT_FDCWD);
}

void audit_written_outside(const struct audit_facts *f, enum audit_nametype type, struct event *e, struct bytes *field)
{
    char path[PATH_MAX];

    for (unsigned i = 0; i < f->path_count; i++) {
        const struct audit_path *p = &f->paths[i];

        if (p->type != type || p->nested || !p->name.len)
            continue;
        if (p->name.data[0] != '/' && !relative_to_cwd(f, type))
            continue;
        if (audit_written_path(f->cwd, p->name, path, sizeof(path)))
            event_set(e, field, bytes_of(path));
        return;
    }
}

bool audit_written_begins_at_cwd(const struct audit_facts *f)
{
    switch (f->call) {
    case AUDIT_CALL_chmod:
    case AUDIT_CALL_chown:
    case AUDIT_CALL_lchown:
    case AUDIT_CALL_utime:
    case AUDIT_CALL_utimes:
    case AUDIT_CALL_truncate:
    case AUDIT_CALL_setxattr:
    case AUDIT_CALL_lsetxattr:
    case AUDIT_CALL_removexattr:
    case AUDIT_CALL_lremovexattr:
        return true;
    case AUDIT_CALL_fchmodat:
    case AUDIT_CALL_fchownat:
    case AUDIT_CALL_utimensat:
        return (f->args_known & 1) && (int32_t)f->args[0] == AT_FDCWD;
    default:
        return false;
    }
}

/* Does the entry's path end in what was written? */
static bool ends_in(const struct audit_object *o, uint32_t entry, struct bytes written)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    uint32_t directory = tree_parent_of(o->tree, entry);
    char name[LIMIT_NAME + 1];
    struct bytes end;

    while (written.len && written.data[0] == '/')
        written = (struct bytes){ written.data + 1, written.len - 1 };
    sbuf_add_bytes(&path, o->wanted.path);
    sbuf_add_char(&path, '/');
    if (directory != tree_root(o->tree)) {
        if (tree_directory_path(o->tree, directory, &path) < 0)
            return false;
        sbuf_add_char(&path, '/');
    }
    sbuf_add_bytes(&path, tree_name(o->tree, entry, name));
    if (sbuf_error(&path) < 0 || path.len <= written.len || path.data[path.len - written.len - 1] != '/')
        return false;
    end = (struct bytes){ path.data + path.len - written.len, written.len };
    return bytes_equal(end, written);
}

uint32_t audit_written_name(const struct audit_object *o, const struct audit_facts *f, uint32_t first, struct bytes written, bool *ret_several)
{
    char path[PATH_MAX], name[LIMIT_NAME + 1];
    struct bytes base = bytes_basename(written);
    uint32_t same = 0, whole = 0;
    unsigned bases = 0, wholes = 0;

    if (audit_written_begins_at_cwd(f) && audit_written_from_cwd(f, written, path))
        written = bytes_of(path);
    for (uint32_t n = first; n; n = tree_next_name(o->tree, n)) {
        if (!bytes_equal(tree_name(o->tree, n, name), base))
            continue;
        if (!bases++)
            same = n;
        if (ends_in(o, n, written) && !wholes++)
            whole = n;
    }
    *ret_several = bases > 1 && wholes != 1;
    return wholes == 1 ? whole : same;
}
