/* SPDX-License-Identifier: MIT */
#include "event/sentence_change.h"

#include <sys/stat.h>

#include "event/operation.h"
#include "event/sentence_parts.h"
#include "util/digits.h"
#include "util/escape.h"

static void add_owner(struct sbuf *out, bool known, uint32_t id, struct bytes name)
{
    if (name.len)
        escape_terminal(out, name);
    else if (known)
        sbuf_add_decimal(out, id);
    else
        sbuf_add_char(out, '?');
}

static void add_permissions(struct sbuf *out, uint32_t mode)
{
    char text[4];

    for (size_t i = sizeof(text); i-- > 0; mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    sbuf_add(out, text, sizeof(text));
}

static void change_of_mode(struct sbuf *out, const struct event *e)
{
    if (e->before.known & FILE_MODE) {
        add_permissions(out, e->before.mode);
        if (e->after.known & FILE_MODE)
            sbuf_add_str(out, " → ");
    }
    if (e->after.known & FILE_MODE)
        add_permissions(out, e->after.mode);
}

static void change_of_owner(struct sbuf *out, const struct event *e)
{
    bool uid = (e->after.known & FILE_UID) &&
               (!(e->before.known & FILE_UID) || e->before.uid != e->after.uid);
    bool gid = (e->after.known & FILE_GID) &&
               (!(e->before.known & FILE_GID) || e->before.gid != e->after.gid);

    if (!uid && !gid) { /* it was set to what it was */
        if (e->after.known & FILE_UID)
            uid = true;
        else
            gid = (e->after.known & FILE_GID) != 0;
    }
    if (uid) {
        add_owner(out, e->before.known & FILE_UID, e->before.uid, e->before.owner);
        sbuf_add_str(out, " → ");
        add_owner(out, true, e->after.uid, e->after.owner);
    }
    if (gid) {
        sbuf_add_str(out, uid ? ", group " : "group ");
        add_owner(out, e->before.known & FILE_GID, e->before.gid, e->before.group);
        sbuf_add_str(out, " → ");
        add_owner(out, true, e->after.gid, e->after.group);
    }
}

/* What was written, where the sensor knows that; else what is known of the size. */
static void change_of_contents(struct sbuf *out, const struct event *e)
{
    bool before = e->before.known & FILE_SIZE, after = e->after.known & FILE_SIZE;

    if (e->bytes_known) {
        sentence_size(out, e->bytes);
        sbuf_add_str(out, " written");
    } else if (e->operation == OPERATION_CREATE && after && e->after.size) {
        sentence_size(out, e->after.size);
    } else if (e->operation == OPERATION_WRITE && before && after && e->before.size != e->after.size) {
        bool grew = e->after.size > e->before.size;

        sbuf_add_str(out, grew ? "grew by " : "shrank by ");
        sentence_size(out, grew ? e->after.size - e->before.size : e->before.size - e->after.size);
    }
}

void sentence_change(struct sbuf *out, const struct event *e)
{
    switch (e->operation) {
    case OPERATION_CHMOD:
        change_of_mode(out, e);
        break;
    case OPERATION_CHOWN:
        change_of_owner(out, e);
        break;
    case OPERATION_TRUNCATE:
        if (e->before.known & FILE_SIZE) {
            sentence_size(out, e->before.size);
            sbuf_add_str(out, " → ");
            sentence_size(out, e->after.known & FILE_SIZE ? e->after.size : 0);
        }
        break;
    case OPERATION_CREATE:
    case OPERATION_WRITE:
        change_of_contents(out, e);
        break;
    case OPERATION_SETXATTR:
    case OPERATION_REMOVEXATTR:
        escape_terminal(out, e->xattr);
        break;
    case OPERATION_SETFLAGS:
        if ((e->before.known & FILE_FLAGS) && (e->after.known & FILE_FLAGS))
            sbuf_addf(out, "%#x → %#x", e->before.flags, e->after.flags);
        break;
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
    case OPERATION_MOUNT:
        if (e->target_path.len) {
            sbuf_add_str(out, e->operation == OPERATION_MOUNT ? "from " : "→ ");
            escape_terminal(out, e->target_path);
        }
        break;
    case OPERATION_UNLINK:
    case OPERATION_REPLACE:
        if ((e->file.known & FILE_SIZE) && (!(e->file.known & FILE_MODE) || S_ISREG(e->file.mode)))
            sentence_size(out, e->file.size);
        break;
    default:
        break;
    }
}

void sentence_carried(struct sbuf *out, const struct event *e)
{
    const char *what = "went with it";

    if (!e->carried.len)
        return;
    if (e->operation == OPERATION_RENAME && !bytes_path_covers(e->previous_path, e->carried))
        what = (e->file.known & FILE_MODE) && S_ISLNK(e->file.mode) ? "is reached by it" : "came with it";
    else if (e->operation == OPERATION_UNLINK)
        what = "is not reached any more";
    else if (e->operation == OPERATION_MOUNT)
        what = "is hidden by it";
    else if (e->operation == OPERATION_UNMOUNT)
        what = "is what it was before the mount";
    else if (e->operation == OPERATION_SYMLINK)
        what = "is reached by it";
    escape_terminal(out, e->carried);
    sbuf_addf(out, " %s", what);
}

static void add_some_path(struct sbuf *out, const char *before, struct bytes path)
{
    if (!path.len)
        return;
    sbuf_add_str(out, before);
    escape_terminal(out, path);
}

void sentence_above(struct sbuf *out, const struct event *e)
{
    if (e->operation == OPERATION_RENAME) {
        add_some_path(out, "moved ", e->previous_path);
        sbuf_add_str(out, e->previous_path.len ? "" : "moved something from where it is not known");
        add_some_path(out, " to ", e->path);
    } else {
        sbuf_add_str(out, operation_info(e->operation)->past);
        add_some_path(out, " ", e->path);
        add_some_path(out, e->operation == OPERATION_MOUNT ? " from " : " to ", e->target_path);
    }
}
