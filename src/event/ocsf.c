/* SPDX-License-Identifier: MIT */
#include "event/ocsf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/macro.h"

static const char *const activities[] = {
    [0] = "Unknown", [1] = "Create", [2] = "Read",           [3] = "Update",        [4] = "Delete",
    [5] = "Rename",  [6] = "Set Attributes", [7] = "Set Security", [12] = "Mount", [13] = "Unmount",
    [14] = "Open",
};

unsigned ocsf_activity(enum operation operation)
{
    static const uint8_t ids[OPERATION_COUNT] = {
        [OPERATION_READ] = 2,      [OPERATION_OPEN_WRITE] = 14, [OPERATION_WRITE] = 3,
        [OPERATION_TRUNCATE] = 3,  [OPERATION_CREATE] = 1,      [OPERATION_MKDIR] = 1,
        [OPERATION_MKNOD] = 1,     [OPERATION_SYMLINK] = 1,     [OPERATION_LINK] = 1,
        [OPERATION_UNLINK] = 4,    [OPERATION_RMDIR] = 4,       [OPERATION_RENAME] = 5,
        [OPERATION_REPLACE] = 4,   [OPERATION_CHMOD] = 7,       [OPERATION_CHOWN] = 7,
        [OPERATION_UTIME] = 6,     [OPERATION_SETXATTR] = 6,    [OPERATION_REMOVEXATTR] = 6,
        [OPERATION_SETACL] = 7,    [OPERATION_SETFLAGS] = 6,    [OPERATION_EXEC] = 99,
        [OPERATION_MOUNT] = 12,    [OPERATION_UNMOUNT] = 13,    [OPERATION_ATTRIBUTES] = 6,
    };

    return (unsigned)operation < OPERATION_COUNT ? ids[operation] : 0;
}

/* A member "name":"text", if there is a text; `first` is cleared. */
static void text(struct sbuf *out, bool *first, const char *name, struct bytes value)
{
    if (!value.data || value.len == 0)
        return;
    sbuf_addf(out, "%s\"%s\":", *first ? "" : ",", name);
    escape_json(out, value);
    *first = false;
}

static void number(struct sbuf *out, bool *first, const char *name, int64_t value)
{
    sbuf_addf(out, "%s\"%s\":%" PRId64, *first ? "" : ",", name, value);
    *first = false;
}

static void id_text(struct sbuf *out, bool *first, const char *name, uint32_t value)
{
    sbuf_addf(out, "%s\"%s\":\"%" PRIu32 "\"", *first ? "" : ",", name, value);
    *first = false;
}

static unsigned file_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return 1;
    case S_IFDIR: return 2;
    case S_IFCHR: return 3;
    case S_IFBLK: return 4;
    case S_IFSOCK: return 5;
    case S_IFIFO: return 6;
    case S_IFLNK: return 7;
    default: return 0;
    }
}

static void user(struct sbuf *out, const char *member, uint32_t uid, struct bytes name)
{
    bool first = true;

    sbuf_addf(out, ",\"%s\":{", member);
    id_text(out, &first, "uid", uid);
    text(out, &first, "name", name);
    sbuf_add_char(out, '}');
}

/* "member":{...} of the file by that path, in that state. */
static void file(struct sbuf *out, const char *member, struct bytes path, const struct file_state *base,
                 const struct file_state *changed)
{
    struct file_state s = *base;
    bool first = true;

    if (changed) {
        if (changed->known & FILE_MODE)
            s.mode = (changed->mode & ~(uint32_t)S_IFMT) | (s.mode & S_IFMT);
        if (changed->known & FILE_UID)
            s.uid = changed->uid;
        if (changed->known & FILE_GID)
            s.gid = changed->gid;
        if (changed->known & FILE_SIZE)
            s.size = changed->size;
        s.known |= changed->known & (FILE_MODE | FILE_UID | FILE_GID | FILE_SIZE);
    }
    sbuf_addf(out, ",\"%s\":{", member);
    text(out, &first, "name", bytes_basename(path).len ? bytes_basename(path) : path);
    if (first) /* the schema needs one */
        text(out, &first, "name", bytes_of("unknown"));
    text(out, &first, "path", path);
    if (bytes_dirname(path).len)
        text(out, &first, "parent_folder", bytes_dirname(path));
    number(out, &first, "type_id", s.known & FILE_MODE ? file_type(s.mode) : 0);
    if (s.known & FILE_SIZE)
        number(out, &first, "size", (int64_t)s.size);
    if (s.known & FILE_INODE)
        sbuf_addf(out, ",\"uid\":\"%" PRIu64 "\"", s.inode);
    if (s.known & FILE_UID)
        user(out, "owner", s.uid, s.owner);
    if (s.known & FILE_MODE)
        sbuf_addf(out, ",\"unmapped\":{\"mode\":\"%04o\"}", s.mode & 07777);
    sbuf_add_char(out, '}');
}

static void process(struct sbuf *out, const struct event *e)
{
    const struct actor *a = &e->actor;
    const struct process *p = a->process;
    const struct credentials *cred = actor_credentials(a);
    uint32_t session = actor_session(a);
    struct bytes executable = event_actor_executable(e), args = p && p->args.len ? p->args : a->args;
    bool first = true;

    sbuf_add_str(out, ",\"actor\":{\"process\":{");
    if (a->pid)
        number(out, &first, "pid", a->pid);
    text(out, &first, "name", event_actor_name(e));
    if (args.len) {
        struct sbuf line = SBUF_INIT;

        for (size_t i = 0; i < args.len; i++)
            sbuf_add_char(&line, args.data[i] ? args.data[i] : i + 1 < args.len ? ' ' : '\0');
        while (line.len > 0 && line.data[line.len - 1] == '\0')
            sbuf_truncate(&line, line.len - 1);
        text(out, &first, "cmd_line", sbuf_bytes(&line));
        sbuf_done(&line);
    }
    text(out, &first, "working_directory", p && p->working_directory.len ? p->working_directory : a->working_directory);
    if (executable.len) {
        bool inner = true;

        sbuf_addf(out, "%s\"file\":{", first ? "" : ",");
        text(out, &inner, "name", bytes_basename(executable));
        text(out, &inner, "path", executable);
        number(out, &inner, "type_id", 1);
        sbuf_add_char(out, '}');
        first = false;
    }
    if (a->parent_pid) {
        sbuf_addf(out, "%s\"parent_process\":{\"pid\":%d}", first ? "" : ",", a->parent_pid);
        first = false;
    }
    sbuf_add_char(out, '}');
    if (cred->known)
        user(out, "user", cred->euid, p && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
    if (session != SESSION_UNKNOWN && (cred->known || session))
        sbuf_addf(out, ",\"session\":{\"uid\":\"%" PRIu32 "\"}", session);
    sbuf_add_char(out, '}');
}

/* What the schema has no place for. */
static void unmapped(struct sbuf *out, const struct event *e)
{
    const struct process *p = e->actor.process;
    uint32_t login = actor_login_uid(&e->actor);
    size_t at = out->len;
    bool first = true;

    sbuf_add_str(out, ",\"unmapped\":{");
    text(out, &first, "rule", e->key);
    if (login != UID_UNKNOWN && actor_credentials(&e->actor)->known) {
        id_text(out, &first, "auid", login);
        text(out, &first, "login_name", p && p->login_uid == login ? p->login_name : BYTES_NULL);
    }
    if (first)
        sbuf_truncate(out, at);
    else
        sbuf_add_char(out, '}');
}

void ocsf_write_event(struct sbuf *out, const struct event *e, struct bytes host)
{
    unsigned activity = ocsf_activity(e->operation);
    const char *name = activity == 99 ? operation_info(e->operation)->name : activities[activity];
    const char *code = e->error > 0 ? errno_name(e->error) : NULL;
    unsigned status = e->error == 0 ? 1 : e->error > 0 ? 2 : 0;
    bool rename = e->operation == OPERATION_RENAME;
    const struct file_state *before = &e->before, *after = &e->after;

    sbuf_addf(out, "{\"activity_id\":%u,\"activity_name\":\"%s\",\"category_uid\":1,\"category_name\":\"System Activity\""
                   ",\"class_uid\":1001,\"class_name\":\"File System Activity\",\"type_uid\":%u"
                   ",\"type_name\":\"File System Activity: %s\",\"severity_id\":1,\"severity\":\"Informational\""
                   ",\"time\":%" PRIu64 ",\"status_id\":%u,\"status\":\"%s\"",
              activity, name, 100100 + activity, name, (uint64_t)(e->time_ns / NS_PER_MS), status,
              status == 1 ? "Success" : status == 2 ? "Failure" : "Unknown");
    if (code)
        sbuf_addf(out, ",\"status_code\":\"%s\"", code);
    sbuf_add_str(out, ",\"metadata\":{\"version\":\"" OCSF_VERSION "\",\"product\":{\"name\":\"culprit\",\"vendor_name\":\"culprit\""
                      ",\"version\":\"" CULPRIT_VERSION "\"},\"uid\":\"");
    escape_hex(out, (struct bytes){ (const char *)e->id, sizeof(e->id) });
    sbuf_add_str(out, "\"}");
    sbuf_add_str(out, ",\"device\":{\"type_id\":0");
    if (host.len) {
        sbuf_add_str(out, ",\"hostname\":");
        escape_json(out, host);
    }
    sbuf_add_char(out, '}');
    process(out, e);
    file(out, "file", rename && e->previous_path.len ? e->previous_path : e->path, &e->file, before);
    if (e->error == 0 && (rename || after->known))
        file(out, "file_result", e->path, &e->file, after);
    unmapped(out, e);
    sbuf_add_str(out, "}\n");
}
