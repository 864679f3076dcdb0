/* SPDX-License-Identifier: MIT */
#include "sensor/audit/infer.h"

#include <fcntl.h>
#include <sys/stat.h>

static unsigned count_typed(const struct audit_facts *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->path_count; i++)
        n += f->paths[i].typed;
    return n;
}

static bool may_be_parent(const struct audit_path *p)
{
    return !(p->file.known & FILE_MODE) || S_ISDIR(p->file.mode);
}

/* Everything before the last `children` records that can be a directory holds them. */
static void set_parents(struct audit_facts *f, unsigned children)
{
    for (unsigned i = 0; i + children < f->path_count; i++)
        f->paths[i].type = may_be_parent(&f->paths[i]) ? AUDIT_NAME_PARENT : AUDIT_NAME_NORMAL;
}

static void infer_child(struct audit_facts *f, enum audit_nametype type)
{
    if (f->path_count == 1) { /* refused in the directory, before the name was looked up */
        f->paths[0].type = may_be_parent(&f->paths[0]) ? AUDIT_NAME_PARENT : type;
        return;
    }
    set_parents(f, 1);
    f->paths[f->path_count - 1].type = type;
}

/* Two directories, the old name, what lay under the new one before (if anything did), the new name. */
static void infer_rename(struct audit_facts *f)
{
    unsigned children = f->path_count >= 5 ? 3 : f->path_count == 4 ? 2 : 0;

    set_parents(f, children);
    for (unsigned i = f->path_count - children; i < f->path_count; i++)
        f->paths[i].type = i + 1 < f->path_count ? AUDIT_NAME_DELETE : AUDIT_NAME_CREATE;
}

/* The file that gets another name is looked up first. */
static void infer_link(struct audit_facts *f)
{
    infer_child(f, AUDIT_NAME_CREATE);
    if (f->path_count > 2)
        f->paths[0].type = AUDIT_NAME_NORMAL;
}

static void infer_symlink(struct audit_facts *f)
{
    infer_child(f, AUDIT_NAME_CREATE);
    for (unsigned i = 0; i + 1 < f->path_count; i++) /* the text of the link: it leads to no file */
        if (!(f->paths[i].file.known & FILE_INODE))
            f->paths[i].type = AUDIT_NAME_UNKNOWN;
}

/* Only O_EXCL proves that the file was not there before. */
static bool creates(const struct audit_facts *f)
{
    unsigned at = f->call == AUDIT_CALL_open ? 1 : 2;
    const uint64_t both = O_CREAT | O_EXCL;

    return f->call != AUDIT_CALL_creat && (f->args_known & 1u << at) && (f->args[at] & both) == both;
}

static void infer_open(struct audit_facts *f)
{
    if (f->path_count > 1 && creates(f)) {
        infer_child(f, AUDIT_NAME_CREATE);
        return;
    }
    set_parents(f, 1);
    f->paths[f->path_count - 1].type = AUDIT_NAME_NORMAL;
}

static void infer_all(struct audit_facts *f)
{
    switch (f->call) {
    case AUDIT_CALL_unlink:
    case AUDIT_CALL_unlinkat:
    case AUDIT_CALL_rmdir:
        infer_child(f, AUDIT_NAME_DELETE);
        break;
    case AUDIT_CALL_rename:
    case AUDIT_CALL_renameat:
    case AUDIT_CALL_renameat2:
        infer_rename(f);
        break;
    case AUDIT_CALL_mkdir:
    case AUDIT_CALL_mkdirat:
    case AUDIT_CALL_mknod:
    case AUDIT_CALL_mknodat:
        infer_child(f, AUDIT_NAME_CREATE);
        break;
    case AUDIT_CALL_link:
    case AUDIT_CALL_linkat:
        infer_link(f);
        break;
    case AUDIT_CALL_symlink:
    case AUDIT_CALL_symlinkat:
        infer_symlink(f);
        break;
    case AUDIT_CALL_open:
    case AUDIT_CALL_openat:
    case AUDIT_CALL_openat2:
    case AUDIT_CALL_creat:
        infer_open(f);
        break;
    default:
        for (unsigned i = 0; i < f->path_count; i++)
            f->paths[i].type = AUDIT_NAME_NORMAL;
    }
}

void audit_infer_types(struct audit_facts *f)
{
    enum audit_nametype types[AUDIT_PATHS_MAX];
    unsigned typed = count_typed(f);

    if (typed == f->path_count || !f->has_syscall || (typed && f->path_count != f->items))
        return;
    for (unsigned i = 0; i < f->path_count; i++)
        types[i] = f->paths[i].type;
    infer_all(f);
    for (unsigned i = 0; i < f->path_count; i++)
        if (f->paths[i].typed)
            f->paths[i].type = types[i];
}
