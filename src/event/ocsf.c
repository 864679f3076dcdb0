/* SPDX-License-Identifier: MIT */
#include "event/ocsf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/json_writer.h"
#include "util/macro.h"

static const char *const activities[] = {
    [0] = "Unknown", [1] = "Create", [2] = "Read",           [3] = "Update",        [4] = "Delete",
    [5] = "Rename",  [6] = "Set Attributes", [7] = "Set Security", [12] = "Mount", [13] = "Unmount",
    [14] = "Open",
};

/* The schema's activity_id of an operation: 1 Create, 4 Delete ... 99 Other. */
static unsigned ocsf_activity(enum operation operation)
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

static void id_text(struct sbuf *out, struct bytes key, uint64_t value) /* key: a JSON_TEXT_KEY */
{
    json_number(out, key, value);
    sbuf_add_char(out, '"');
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

/* key: a JSON_OBJECT */
static void user(struct sbuf *out, struct bytes key, uint32_t uid, struct bytes name)
{
    (void)json_open(out, key);
    id_text(out, JSON_TEXT_KEY("uid"), uid);
    json_bytes(out, JSON_KEY("name"), name);
    sbuf_add_char(out, '}');
}

/* The file by that path, in that state. key: a JSON_OBJECT */
static void file(struct sbuf *out, struct bytes key, struct bytes path, const struct file_state *base,
                 const struct file_state *changed)
{
    struct file_state s = *base;

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
    (void)json_open(out, key);
    json_bytes(out, JSON_KEY("name"), bytes_basename(path).len ? bytes_basename(path) : path);
    if (json_is_first(out)) /* the schema needs one */
        json_bytes(out, JSON_KEY("name"), bytes_of("unknown"));
    json_bytes(out, JSON_KEY("path"), path);
    if (bytes_dirname(path).len)
        json_bytes(out, JSON_KEY("parent_folder"), bytes_dirname(path));
    json_signed(out, JSON_KEY("type_id"), s.known & FILE_MODE ? file_type(s.mode) : 0);
    if (s.known & FILE_SIZE)
        json_signed(out, JSON_KEY("size"), (int64_t)s.size);
    if (s.known & FILE_INODE)
        id_text(out, JSON_TEXT_KEY("uid"), s.inode);
    if (s.known & FILE_UID)
        user(out, JSON_OBJECT("owner"), s.uid, s.owner);
    if (s.known & FILE_MODE) {
        json_key(out, JSON_MEMBER("unmapped", "mode"));
        sbuf_addf(out, "\"%04o\"}", s.mode & 07777);
    }
    sbuf_add_char(out, '}');
}

static void process(struct sbuf *out, const struct event *e)
{
    const struct actor *a = &e->actor;
    const struct process *p = a->process;
    const struct credentials *cred = actor_credentials(a);
    uint32_t session = actor_session(a);
    struct bytes executable = event_actor_executable(e), args = p && p->args.len ? p->args : a->args;

    json_key(out, JSON_LITERAL(",\"actor\":{\"process\":{"));
    if (a->pid)
        json_signed(out, JSON_KEY("pid"), a->pid);
    json_bytes(out, JSON_KEY("name"), event_actor_name(e));
    if (args.len) {
        struct sbuf line = SBUF_INIT;

        for (size_t i = 0; i < args.len; i++)
            sbuf_add_char(&line, args.data[i] ? args.data[i] : i + 1 < args.len ? ' ' : '\0');
        while (line.len > 0 && line.data[line.len - 1] == '\0')
            sbuf_truncate(&line, line.len - 1);
        json_bytes(out, JSON_KEY("cmd_line"), sbuf_bytes(&line));
        sbuf_done(&line);
    }
    json_bytes(out, JSON_KEY("working_directory"), p && p->working_directory.len ? p->working_directory : a->working_directory);
    if (executable.len) {
        (void)json_open(out, JSON_OBJECT("file"));
        json_bytes(out, JSON_KEY("name"), bytes_basename(executable));
        json_bytes(out, JSON_KEY("path"), executable);
        json_signed(out, JSON_KEY("type_id"), 1);
        json_close(out);
    }
    if (a->parent_pid) {
        json_signed(out, JSON_MEMBER("parent_process", "pid"), a->parent_pid);
        json_close(out);
    }
    sbuf_add_char(out, '}');
    if (cred->known)
        user(out, JSON_OBJECT("user"), cred->euid, p && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
    if (session != SESSION_UNKNOWN && (cred->known || session)) {
        id_text(out, JSON_LITERAL(",\"session\":{\"uid\":\""), session);
        json_close(out);
    }
    sbuf_add_char(out, '}');
}

/* What the schema has no place for. */
static void unmapped(struct sbuf *out, const struct event *e)
{
    const struct process *p = e->actor.process;
    uint32_t login = actor_login_uid(&e->actor);
    size_t at = json_open(out, JSON_OBJECT("unmapped"));

    json_bytes(out, JSON_KEY("rule"), e->key);
    if (login != UID_UNKNOWN && actor_credentials(&e->actor)->known) {
        id_text(out, JSON_TEXT_KEY("auid"), login);
        json_bytes(out, JSON_KEY("login_name"), p && p->login_uid == login ? p->login_name : BYTES_NULL);
    }
    json_close_filled(out, at);
}

void ocsf_write_event(struct sbuf *out, const struct event *e, struct bytes host)
{
    unsigned activity = ocsf_activity(e->operation);
    const char *name = activity == 99 ? operation_info(e->operation)->name : activities[activity];
    const char *code = e->error > 0 ? errno_name(e->error) : NULL;
    unsigned status = e->error == 0 ? 1 : e->error > 0 ? 2 : 0;
    bool rename = e->operation == OPERATION_RENAME;
    const struct file_state *before = &e->before, *after = &e->after;

    sbuf_add_char(out, '{');
    json_number(out, JSON_KEY("activity_id"), activity);
    json_string(out, JSON_KEY("activity_name"), bytes_of(name));
    json_key(out, JSON_LITERAL(",\"category_uid\":1,\"category_name\":\"System Activity\""));
    json_key(out, JSON_LITERAL(",\"class_uid\":1001,\"class_name\":\"File System Activity\""));
    json_number(out, JSON_KEY("type_uid"), 100100 + activity);
    json_key(out, JSON_TEXT_KEY("type_name"));
    sbuf_addf(out, "File System Activity: %s\"", name);
    json_key(out, JSON_LITERAL(",\"severity_id\":1,\"severity\":\"Informational\""));
    json_number(out, JSON_KEY("time"), e->time_ns / NS_PER_MS);
    json_number(out, JSON_KEY("status_id"), status);
    json_string(out, JSON_KEY("status"), bytes_of(status == 1 ? "Success" : status == 2 ? "Failure" : "Unknown"));
    json_bytes(out, JSON_KEY("status_code"), bytes_of(code));
    json_key(out, JSON_LITERAL(",\"metadata\":{\"version\":\"" OCSF_VERSION "\",\"product\":{\"name\":\"culprit\","
                               "\"vendor_name\":\"culprit\",\"version\":\"" CULPRIT_VERSION "\"}"));
    json_hex(out, JSON_KEY("uid"), (struct bytes){ (const char *)e->id, sizeof(e->id) });
    json_close(out);
    json_number(out, JSON_MEMBER("device", "type_id"), 0);
    json_bytes(out, JSON_KEY("hostname"), host);
    json_close(out);
    process(out, e);
    file(out, JSON_OBJECT("file"), rename && e->previous_path.len ? e->previous_path : e->path, &e->file, before);
    if (e->error == 0 && (rename || after->known))
        file(out, JSON_OBJECT("file_result"), e->path, &e->file, after);
    unmapped(out, e);
    sbuf_add_str(out, "}\n");
}
