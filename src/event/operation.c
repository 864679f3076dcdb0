/* SPDX-License-Identifier: MIT */
#include "event/operation.h"

#include <errno.h>

#include "util/macro.h"
#include "util/suggest.h"

static const struct operation_info unknown = { "unknown", 0, "info", "did something to" };

/* clang-format off */
static const struct operation_info operations[OPERATION_COUNT] = {
    [OPERATION_READ]        = { "read",        PERMISSION_READ,  "access",   "read" },
    [OPERATION_OPEN_WRITE]  = { "open-write",  PERMISSION_WRITE, "change",   "opened for writing" },
    [OPERATION_WRITE]       = { "write",       PERMISSION_WRITE, "change",   "wrote" },
    [OPERATION_TRUNCATE]    = { "truncate",    PERMISSION_WRITE, "change",   "truncated" },
    [OPERATION_CREATE]      = { "create",      PERMISSION_WRITE, "creation", "created" },
    [OPERATION_MKDIR]       = { "mkdir",       PERMISSION_WRITE, "creation", "created directory" },
    [OPERATION_MKNOD]       = { "mknod",       PERMISSION_WRITE, "creation", "created node" },
    [OPERATION_SYMLINK]     = { "symlink",     PERMISSION_WRITE, "creation", "created symlink" },
    [OPERATION_LINK]        = { "link",        PERMISSION_WRITE, "creation", "linked" },
    [OPERATION_UNLINK]      = { "unlink",      PERMISSION_WRITE, "deletion", "deleted" },
    [OPERATION_RMDIR]       = { "rmdir",       PERMISSION_WRITE, "deletion", "removed directory" },
    [OPERATION_RENAME]      = { "rename",      PERMISSION_WRITE, "change",   "renamed" },
    [OPERATION_REPLACE]     = { "replace",     PERMISSION_WRITE, "deletion", "replaced" },
    [OPERATION_CHMOD]       = { "chmod",       PERMISSION_ATTR,  "change",   "changed the mode of" },
    [OPERATION_CHOWN]       = { "chown",       PERMISSION_ATTR,  "change",   "changed the owner of" },
    [OPERATION_UTIME]       = { "utime",       PERMISSION_ATTR,  "change",   "changed the times of" },
    [OPERATION_SETXATTR]    = { "setxattr",    PERMISSION_ATTR,  "change",   "set an attribute of" },
    [OPERATION_REMOVEXATTR] = { "removexattr", PERMISSION_ATTR,  "change",   "removed an attribute of" },
    [OPERATION_SETACL]      = { "setacl",      PERMISSION_ATTR,  "change",   "changed the ACL of" },
    [OPERATION_SETFLAGS]    = { "setflags",    PERMISSION_ATTR,  "change",   "changed the flags of" },
    [OPERATION_EXEC]        = { "exec",        PERMISSION_EXEC,  "access",   "executed" },
    [OPERATION_MOUNT]       = { "mount",       PERMISSION_WRITE, "change",   "mounted over" },
    [OPERATION_UNMOUNT]     = { "unmount",     PERMISSION_WRITE, "change",   "unmounted" },
    [OPERATION_ATTRIBUTES]  = { "attributes",  PERMISSION_ATTR,  "change",   "changed attributes of" },
};
/* clang-format on */

#define BIT(operation) (1ull << OPERATION_##operation)
#define ATTRIBUTES (BIT(CHMOD) | BIT(CHOWN) | BIT(UTIME) | BIT(SETXATTR) | BIT(REMOVEXATTR) | BIT(SETACL) | BIT(SETFLAGS) | BIT(ATTRIBUTES))

/* What is written anew and renamed over the old one is modified to people, and is gone to the kernel. */
static const struct operation_group groups[] = {
    { "delete",     BIT(UNLINK) | BIT(RMDIR) | BIT(REPLACE) },
    { "remove",     BIT(UNLINK) | BIT(RMDIR) | BIT(REPLACE) },
    { "create",     BIT(CREATE) | BIT(MKDIR) | BIT(MKNOD) | BIT(SYMLINK) | BIT(LINK) },
    { "modify",     BIT(OPEN_WRITE) | BIT(WRITE) | BIT(TRUNCATE) | BIT(REPLACE) },
    { "move",       BIT(RENAME) },
    { "permission", BIT(CHMOD) | BIT(SETACL) },
    { "mode",       BIT(CHMOD) },
    { "acl",        BIT(SETACL) },
    { "owner",      BIT(CHOWN) },
    { "time",       BIT(UTIME) },
    { "xattr",      BIT(SETXATTR) | BIT(REMOVEXATTR) },
    { "flags",      BIT(SETFLAGS) },
    { "attribute",  ATTRIBUTES },
    { "access",     BIT(READ) },
    { "execute",    BIT(EXEC) },
    { "umount",     BIT(UNMOUNT) },
};

const struct operation_group *operation_group(unsigned index)
{
    static const struct operation_group none = { 0 };

    return index < ARRAY_SIZE(groups) ? &groups[index] : &none;
}

int operation_list_parse(struct bytes list, uint64_t *ret, struct bytes *ret_unknown)
{
    uint64_t bits = 0;

    *ret_unknown = BYTES_NULL;
    while (list.len) {
        const char *comma = memchr(list.data, ',', list.len);
        struct bytes word = { list.data, comma ? (size_t)(comma - list.data) : list.len };
        enum operation operation = operation_by_name(word);
        uint64_t found = operation == OPERATION_NONE ? 0 : 1ull << operation;

        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
            if (bytes_equal_str(word, groups[i].name))
                found = groups[i].operations;
        if (!found && word.len) {
            *ret_unknown = word;
            return -EINVAL;
        }
        bits |= found;
        list.data += word.len + (comma != NULL);
        list.len -= word.len + (comma != NULL);
    }
    if (!bits)
        return -EINVAL;
    if (bits & ATTRIBUTES) /* it may be one of those that are asked for, and no answer would say that there was none */
        bits |= BIT(ATTRIBUTES);
    *ret = bits;
    return 0;
}

void operation_list_refuse(struct bytes word, struct sbuf *out)
{
    struct suggestion suggestion = { .typed = word };
    const char *comma = "";

    if (word.len)
        sbuf_addf(out, "unknown operation \"%.*s\"", (int)MIN(word.len, 40u), word.data);
    else
        sbuf_add_str(out, "no operation in --op");
    for (unsigned i = 0; operation_group(i)->name; i++)
        suggest_offer(&suggestion, bytes_of(operation_group(i)->name));
    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if (operations[i].name)
            suggest_offer(&suggestion, bytes_of(operations[i].name));
    if (suggestion.best.data) {
        sbuf_addf(out, "; did you mean %s?", suggestion.best.data);
        return;
    }
    sbuf_add_str(out, "; there are ");
    for (unsigned i = 0; operation_group(i)->name; i++, comma = ", ")
        sbuf_addf(out, "%s%s", comma, operation_group(i)->name);
    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if (operations[i].name && i != OPERATION_CREATE)
            sbuf_addf(out, "%s%s", comma, operations[i].name);
}

static const struct {
    char letter;
    unsigned permission;
} letters[] = { { 'r', PERMISSION_READ }, { 'w', PERMISSION_WRITE }, { 'x', PERMISSION_EXEC }, { 'a', PERMISSION_ATTR } };

int permissions_parse(struct bytes text, unsigned *ret, char *ret_unknown)
{
    unsigned permissions = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned known = 0;

        for (size_t k = 0; k < ARRAY_SIZE(letters); k++)
            if (letters[k].letter == text.data[i])
                known = letters[k].permission;
        if (!known) {
            *ret_unknown = text.data[i];
            return -EINVAL;
        }
        permissions |= known;
    }
    if (!permissions) {
        *ret_unknown = '\0';
        return -EINVAL;
    }
    *ret = permissions;
    return 0;
}

const char *permissions_text(unsigned permissions, char ret[5])
{
    size_t n = 0;

    for (size_t k = 0; k < ARRAY_SIZE(letters); k++)
        if (permissions & letters[k].permission)
            ret[n++] = letters[k].letter;
    ret[n] = '\0';
    return ret;
}

const struct operation_info *operation_info(enum operation operation)
{
    if ((unsigned)operation >= OPERATION_COUNT || !operations[operation].name)
        return &unknown;
    return &operations[operation];
}

enum operation operation_by_name(struct bytes name)
{
    for (unsigned i = 0; i < OPERATION_COUNT; i++)
        if (operations[i].name && bytes_equal_str(name, operations[i].name))
            return (enum operation)i;
    return OPERATION_NONE;
}

bool operation_removes(enum operation operation)
{
    return operation == OPERATION_UNLINK || operation == OPERATION_RMDIR ||
           operation == OPERATION_REPLACE;
}

static const int no_refusal[] = {
    ENOENT, EEXIST, ENOTDIR, EISDIR,  ELOOP,      ENAMETOOLONG, EINVAL,  EFAULT, EINTR,
    EAGAIN, EBADF,  EXDEV,   ENOTSUP, ENODATA,    ENOSYS,       ENXIO,   ESRCH,  ENOTTY,
    ENODEV, ENOMEM, EMFILE,  ENFILE,  EADDRINUSE, ERANGE,       ENOEXEC, ENOTSOCK, E2BIG,
};

bool operation_error_is_refusal(int error)
{
    if (error <= 0 || error >= 512) /* 512 and more: the call is restarted (ERESTARTSYS) */
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(no_refusal); i++)
        if (no_refusal[i] == error)
            return false;
    return true;
}
