/* SPDX-License-Identifier: MIT */
#include "sensor/audit/meaning.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "sensor/audit/meaning_rename.h"
#include "sensor/audit/meaning_work.h"

/* The same commands from a 32-bit program have another size in them (include/uapi/linux/fs.h). */
#define SETFLAGS_COMPAT _IOW('f', 2, int)

/* PowerPC numbers the directions of an ioctl differently (arch/powerpc/include/uapi/asm/ioctl.h). */
#define SETFLAGS_POWERPC 0x80086602u
#define SETFLAGS_POWERPC_COMPAT 0x80046602u
#define FSSETXATTR_POWERPC 0x801c5820u
/* O_TMPFILE without O_DIRECTORY, whose bit differs between architectures. */
#define TMPFILE_BIT 020000000u

/* ---- changes ---- */

/* A name that came or went: parent and child by their types. */
static void add_named(struct meaning_work *w, enum operation operation, enum audit_nametype type)
{
    const struct audit_path *object = audit_meaning_path(w->f, type, 0), *parent = audit_meaning_path(w->f, AUDIT_NAME_PARENT, 0);
    struct audit_change *c;

    if (!object && !parent)
        return;
    c = audit_meaning_add(w, operation);
    c->object = object;
    c->parent = parent;
    /* without a child record the name was not recorded: a refusal before it was looked up */
    c->name = object ? audit_last_component(object->name) : BYTES_NULL;
}

/* A file that was only looked up. */
static struct audit_change *add_object(struct meaning_work *w, enum operation operation,
                                       const struct audit_path *object)
{
    struct audit_change *c;

    if (!object)
        return NULL;
    c = audit_meaning_add(w, operation);
    c->object = object;
    c->name = object->name;
    return c;
}

/* The last NORMAL record is the file: those before it can be links followed or, for execve, none. */
static const struct audit_path *looked_up(const struct audit_facts *f)
{
    return audit_meaning_path(f, AUDIT_NAME_NORMAL, 0);
}

static bool has_args(const struct audit_facts *f, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        if (!(f->args_known & (1u << i)))
            return false;
    return true;
}

/* ---- names ---- */

static void meaning_unlink(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *object = audit_meaning_path(f, AUDIT_NAME_DELETE, 0);
    bool directory = f->call == AUDIT_CALL_rmdir;

    if (f->call == AUDIT_CALL_unlinkat && has_args(f, 2, 2))
        directory = f->args[2] & AT_REMOVEDIR;
    else if (f->call != AUDIT_CALL_unlink && object && (object->file.known & FILE_MODE))
        directory = S_ISDIR(object->file.mode);
    add_named(w, directory ? OPERATION_RMDIR : OPERATION_UNLINK, AUDIT_NAME_DELETE);
}

static void meaning_link(struct meaning_work *w)
{
    const struct audit_path *old = looked_up(w->f);

    add_named(w, OPERATION_LINK, AUDIT_NAME_CREATE);
    if (w->count > 0 && old) {
        w->ret[0].target = old->name;
        w->ret[0].target_is_name = true;
        if (!w->ret[0].object)
            w->ret[0].object = old;
    }
}

static void meaning_symlink(struct meaning_work *w)
{
    const struct audit_path *target = audit_meaning_path(w->f, AUDIT_NAME_UNKNOWN, 0);

    add_named(w, OPERATION_SYMLINK, AUDIT_NAME_CREATE);
    if (w->count > 0 && target)
        w->ret[0].target = target->name;
}

static void meaning_bind(struct meaning_work *w)
{
    /* a socket that has a name; every other bind() leaves no PATH record with CREATE */
    if (audit_meaning_path(w->f, AUDIT_NAME_CREATE, 0))
        add_named(w, OPERATION_MKNOD, AUDIT_NAME_CREATE);
}

static enum operation creation_of(const struct audit_path *p)
{
    if (!(p->file.known & FILE_MODE))
        return OPERATION_CREATE;
    switch (p->file.mode & S_IFMT) {
    case S_IFDIR:
        return OPERATION_MKDIR;
    case S_IFLNK:
        return OPERATION_SYMLINK;
    case S_IFREG:
        return OPERATION_CREATE;
    default:
        return OPERATION_MKNOD;
    }
}

/* It makes regular files too. A refused one leaves no file: then its own argument says which kind was wanted. */
static void meaning_mknod(struct meaning_work *w)
{
    const struct audit_path *created = audit_meaning_path(w->f, AUDIT_NAME_CREATE, 0);
    uint64_t wanted = w->f->args[w->f->call == AUDIT_CALL_mknodat ? 2 : 1] & S_IFMT;
    bool known = created && (created->file.known & FILE_MODE);
    bool regular = known ? creation_of(created) == OPERATION_CREATE : !wanted || S_ISREG(wanted);

    add_named(w, regular ? OPERATION_CREATE : OPERATION_MKNOD, AUDIT_NAME_CREATE);
}

/* ---- contents ---- */

static bool open_flags(const struct audit_facts *f, uint64_t *ret)
{
    switch (f->call) {
    case AUDIT_CALL_open:
        *ret = f->args[1];
        return has_args(f, 1, 1);
    case AUDIT_CALL_openat:
    case AUDIT_CALL_open_by_handle_at:
        *ret = f->args[2];
        return has_args(f, 2, 2);
    case AUDIT_CALL_openat2:
        *ret = f->openat2_flags;
        return f->openat2;
    case AUDIT_CALL_creat:
        *ret = O_CREAT | O_WRONLY | O_TRUNC;
        return true;
    default:
        return false; /* io_uring: no arguments are recorded */
    }
}

static void meaning_open(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *object = looked_up(f);
    struct audit_change *c;
    uint64_t flags = 0;
    bool known = open_flags(f, &flags), writes;

    if (audit_meaning_path(f, AUDIT_NAME_CREATE, 0)) {
        add_named(w, OPERATION_CREATE, AUDIT_NAME_CREATE);
        return;
    }
    if (!object) {
        /* refused in the directory, before the name was looked up: the name is not recorded */
        if (known && (flags & O_CREAT) && !f->success)
            add_named(w, OPERATION_CREATE, AUDIT_NAME_CREATE);
        return;
    }
    if (!known)
        return; /* io_uring: the flags are not recorded, most opens are for reading */
    if ((flags & TMPFILE_BIT) || (flags & O_PATH))
        return; /* a file without a name; a descriptor that cannot change anything */
    writes = (flags & O_ACCMODE) != O_RDONLY;
    if (object->file.known & FILE_MODE) {
        uint32_t type = object->file.mode & S_IFMT;

        /* contents that go elsewhere: not a change of this file */
        if ((writes || (flags & O_TRUNC)) && (type == S_IFIFO || type == S_IFSOCK || type == S_IFCHR))
            return;
        if (type != S_IFREG)
            flags &= ~(uint64_t)O_TRUNC;
    }
    if (flags & O_TRUNC) {
        c = add_object(w, OPERATION_TRUNCATE, object);
        c->after.size = 0;
        c->after.known |= FILE_SIZE;
    } else {
        add_object(w, writes ? OPERATION_OPEN_WRITE : OPERATION_READ, object);
    }
}

static void meaning_truncate(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    struct audit_change *c = add_object(w, OPERATION_TRUNCATE, looked_up(f));

    if (!c || !has_args(f, 1, 2))
        return;
    c->after.size = f->args[1];
    if (f->call == AUDIT_CALL_truncate64) /* two 32-bit halves */
        c->after.size = (f->args[1] & UINT32_MAX) | f->args[2] << 32;
    c->after.known |= FILE_SIZE;
}

static void meaning_descriptor(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    struct audit_change *c;

    if (!has_args(f, 0, 2))
        return;
    c = audit_meaning_add(w, f->call == AUDIT_CALL_fallocate ? OPERATION_WRITE : OPERATION_TRUNCATE);
    c->fd = (int)f->args[0];
    c->object = looked_up(f);
    if (f->call == AUDIT_CALL_fallocate) {
        if (f->args[1] & FALLOC_FL_PUNCH_HOLE)
            c->note = EVENT_NOTE_HOLE;
        return;
    }
    c->after.size = f->args[1];
    if (f->call == AUDIT_CALL_ftruncate64)
        c->after.size = (f->args[1] & UINT32_MAX) | f->args[2] << 32;
    c->after.known |= FILE_SIZE;
}

/* ---- metadata ---- */

static void meaning_chmod(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *object = looked_up(f);
    struct audit_change *c = add_object(w, OPERATION_CHMOD, object);
    unsigned at = f->call == AUDIT_CALL_chmod || f->call == AUDIT_CALL_fchmod ? 1 : 2;
    uint32_t mode;

    if (!c || !(object->file.known & FILE_MODE))
        return;
    c->before.mode = object->file.mode;
    c->before.known |= FILE_MODE;
    if (!has_args(f, at, at))
        return;
    mode = (object->file.mode & S_IFMT) | ((uint32_t)f->args[at] & 07777);
    /* the kernel drops setgid for a caller that is neither in the group nor privileged: not recorded */
    if ((mode & S_ISGID) && f->cred.fsuid != 0)
        return;
    c->after.mode = mode;
    c->after.known |= FILE_MODE;
}

/* Where chown() has a younger brother chown32(). */
static bool has_16_bit_ids(uint32_t arch)
{
    return audit_call_number(arch, AUDIT_CALL_chown32) >= 0;
}

static void meaning_chown(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *object = looked_up(f);
    struct audit_change *c = add_object(w, OPERATION_CHOWN, object);
    unsigned at = f->call == AUDIT_CALL_fchownat ? 2 : 1;
    const unsigned both = FILE_UID | FILE_GID;
    uint32_t uid, gid;

    if (!c || (object->file.known & both) != both)
        return;
    c->before.uid = object->file.uid;
    c->before.gid = object->file.gid;
    c->before.known |= both;
    if (!has_args(f, at, at + 1))
        return;
    uid = (uint32_t)f->args[at];
    gid = (uint32_t)f->args[at + 1];
    if (has_16_bit_ids(f->arch) &&
        (f->call == AUDIT_CALL_chown || f->call == AUDIT_CALL_fchown ||
         f->call == AUDIT_CALL_lchown)) { /* 16-bit ids */
        uid = (uint16_t)uid == UINT16_MAX ? UINT32_MAX : (uint16_t)uid;
        gid = (uint16_t)gid == UINT16_MAX ? UINT32_MAX : (uint16_t)gid;
    }
    c->after.uid = uid == UINT32_MAX ? object->file.uid : uid;
    c->after.gid = gid == UINT32_MAX ? object->file.gid : gid;
    c->after.known |= both;
}

static bool sets_flags(uint32_t command)
{
    switch (command) {
    case FS_IOC_SETFLAGS:
    case SETFLAGS_COMPAT:
    case FS_IOC_FSSETXATTR:
    case SETFLAGS_POWERPC:
    case SETFLAGS_POWERPC_COMPAT:
    case FSSETXATTR_POWERPC:
        return true;
    default:
        return false;
    }
}

static void meaning_flags(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    struct audit_change *c;

    if (f->call == AUDIT_CALL_file_setattr && !(f->items_known && !f->items)) {
        add_object(w, OPERATION_SETFLAGS, looked_up(f));
        return;
    }
    /* file_setattr() with AT_EMPTY_PATH, which is no argument that is recorded, names no file either */
    if (!has_args(f, 0, 1) || (f->call != AUDIT_CALL_file_setattr && !sets_flags((uint32_t)f->args[1])))
        return;
    c = audit_meaning_add(w, OPERATION_SETFLAGS);
    c->fd = (int)f->args[0];
}

/* ---- mounts, execution ---- */

static void meaning_mount(struct meaning_work *w)
{
    const struct audit_facts *f = w->f;
    const struct audit_path *source = audit_meaning_path(f, AUDIT_NAME_NORMAL, 1);
    const uint64_t no_mount = MS_REMOUNT | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
    struct audit_change *c;

    if (f->call == AUDIT_CALL_mount && has_args(f, 3, 3) && (f->args[3] & no_mount) &&
        !(f->args[3] & MS_BIND))
        return;
    if (f->call == AUDIT_CALL_mount && has_args(f, 3, 3) && (f->args[3] & MS_REMOUNT))
        return;
    /* the target is looked up first, the source of a bind after it */
    c = add_object(w, OPERATION_MOUNT, looked_up(f));
    if (c && source) {
        c->target = source->name;
        c->target_is_name = true;
    }
}

/* ---- the table ---- */

#define AT(call) [AUDIT_CALL_##call]
static const struct {
    void (*meaning)(struct meaning_work *w);
    enum operation named; /* without a function: a name that came into being */
} rows[AUDIT_CALL_COUNT] = {
    AT(open) = { meaning_open },
    AT(openat) = { meaning_open },
    AT(openat2) = { meaning_open },
    AT(open_by_handle_at) = { meaning_open },
    AT(creat) = { meaning_open },
    AT(truncate) = { meaning_truncate },
    AT(truncate64) = { meaning_truncate },
    AT(ftruncate) = { meaning_descriptor },
    AT(ftruncate64) = { meaning_descriptor },
    AT(fallocate) = { meaning_descriptor },
    AT(unlink) = { meaning_unlink },
    AT(unlinkat) = { meaning_unlink },
    AT(rmdir) = { meaning_unlink },
    AT(rename) = { audit_meaning_rename },
    AT(renameat) = { audit_meaning_rename },
    AT(renameat2) = { audit_meaning_rename },
    AT(link) = { meaning_link },
    AT(linkat) = { meaning_link },
    AT(symlink) = { meaning_symlink },
    AT(symlinkat) = { meaning_symlink },
    AT(mkdir) = { .named = OPERATION_MKDIR },
    AT(mkdirat) = { .named = OPERATION_MKDIR },
    AT(mknod) = { meaning_mknod },
    AT(mknodat) = { meaning_mknod },
    AT(bind) = { meaning_bind },
    AT(socketcall) = { meaning_bind },
    AT(chmod) = { meaning_chmod },
    AT(fchmod) = { meaning_chmod },
    AT(fchmodat) = { meaning_chmod },
    AT(fchmodat2) = { meaning_chmod },
    AT(chown) = { meaning_chown },
    AT(fchown) = { meaning_chown },
    AT(lchown) = { meaning_chown },
    AT(fchownat) = { meaning_chown },
    AT(chown32) = { meaning_chown },
    AT(fchown32) = { meaning_chown },
    AT(lchown32) = { meaning_chown },
    AT(utime) = { .named = OPERATION_UTIME },
    AT(utimes) = { .named = OPERATION_UTIME },
    AT(futimesat) = { .named = OPERATION_UTIME },
    AT(utimensat) = { .named = OPERATION_UTIME },
    AT(utimensat_time64) = { .named = OPERATION_UTIME },
    /* the attribute's name is in the caller's memory: no record has it */
    AT(setxattr) = { .named = OPERATION_SETXATTR },
    AT(lsetxattr) = { .named = OPERATION_SETXATTR },
    AT(fsetxattr) = { .named = OPERATION_SETXATTR },
    AT(setxattrat) = { .named = OPERATION_SETXATTR },
    AT(removexattr) = { .named = OPERATION_REMOVEXATTR },
    AT(lremovexattr) = { .named = OPERATION_REMOVEXATTR },
    AT(fremovexattr) = { .named = OPERATION_REMOVEXATTR },
    AT(removexattrat) = { .named = OPERATION_REMOVEXATTR },
    AT(file_setattr) = { meaning_flags },
    AT(ioctl) = { meaning_flags },
    AT(execve) = { .named = OPERATION_EXEC },
    AT(execveat) = { .named = OPERATION_EXEC },
    AT(mount) = { meaning_mount },
    AT(umount) = { .named = OPERATION_UNMOUNT },
    AT(umount2) = { .named = OPERATION_UNMOUNT },
    AT(move_mount) = { meaning_mount },
};

/* Which call an io_uring operation stands for (enum io_uring_op); the numbers are stable. */
static const uint8_t uring[] = {
    [IORING_OP_FALLOCATE] = AUDIT_CALL_none, /* no file is recorded */
    [IORING_OP_OPENAT] = AUDIT_CALL_openat,
    [IORING_OP_OPENAT2] = AUDIT_CALL_openat2,
    [IORING_OP_RENAMEAT] = AUDIT_CALL_renameat,
    [IORING_OP_UNLINKAT] = AUDIT_CALL_unlinkat,
    [IORING_OP_MKDIRAT] = AUDIT_CALL_mkdirat,
    [IORING_OP_SYMLINKAT] = AUDIT_CALL_symlinkat,
    [IORING_OP_LINKAT] = AUDIT_CALL_linkat,
    [IORING_OP_SETXATTR] = AUDIT_CALL_setxattr,
    [IORING_OP_FSETXATTR] = AUDIT_CALL_fsetxattr,
};

static enum audit_call call_of(const struct audit_facts *f)
{
    if (f->route != ROUTE_IO_URING)
        return f->call;
    return f->number >= 0 && (size_t)f->number < sizeof(uring) ? (enum audit_call)uring[f->number]
                                                               : AUDIT_CALL_none;
}

/* ---- the system call's record is lost ---- */

/*
 * What the names alone say. A refused attempt leaves the same names, and a link or a rename over itself others: the note
 * says what this rests on.
 */
unsigned audit_meaning_of_names(const struct audit_facts *f, struct audit_change ret[AUDIT_CHANGES_MAX])
{
    struct meaning_work work = { .f = f, .ret = ret }, *w = &work;
    static const char lost[] = "the record of the system call is missing in the log: who, and whether it was refused, is not known";
    static const char foreign[] = "judged by the names alone: the system calls of this architecture are not known here";
    const struct audit_path *deleted = audit_meaning_path(f, AUDIT_NAME_DELETE, 0), *created = audit_meaning_path(f, AUDIT_NAME_CREATE, 0);

    if (deleted && created) {
        struct audit_facts assumed = *f;

        assumed.success = true;
        w->f = &assumed;
        audit_meaning_rename(w);
    } else if (deleted) {
        bool directory = (deleted->file.known & FILE_MODE) && S_ISDIR(deleted->file.mode);

        add_named(w, directory ? OPERATION_RMDIR : OPERATION_UNLINK, AUDIT_NAME_DELETE);
    } else if (created) {
        add_named(w, creation_of(created), AUDIT_NAME_CREATE);
    }
    for (unsigned i = 0; i < w->count; i++) {
        w->ret[i].error = f->has_syscall && !f->success ? audit_meaning_refusal(f) : 0;
        w->ret[i].note = f->has_syscall ? foreign : lost;
    }
    return w->count;
}

unsigned audit_meaning(const struct audit_facts *f, struct audit_change ret[AUDIT_CHANGES_MAX])
{
    struct meaning_work w = { .f = f, .ret = ret };
    enum audit_call call = call_of(f);

    if (!f->has_syscall || call == AUDIT_CALL_none)
        return 0;
    if (!f->success && !operation_error_is_refusal((int)-f->exit))
        return 0;
    if (rows[call].meaning)
        rows[call].meaning(&w);
    else if (rows[call].named == OPERATION_MKDIR)
        add_named(&w, rows[call].named, AUDIT_NAME_CREATE);
    else
        add_object(&w, rows[call].named, looked_up(f));
    return w.count;
}
