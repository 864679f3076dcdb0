/* SPDX-License-Identifier: MIT */
#include "store/fields.h"

#include <errno.h>
#include <string.h>

#include "event/container.h"
#include "event/process.h"
#include "store/event_fields.h"
#include "store/sqlite.h"

/* clang-format off */
#define E(column, member, type) { #column, offsetof(struct event, member), type },
const struct field event_fields[] = { EVENT_FIELDS(E) { 0 } };
#undef E

#define P(column, member, type) { column, offsetof(struct process, member), type }
const struct field process_fields[] = {
    P("pid", pid, FIELD_I32),
    P("start_ns", start_ns, FIELD_U64),
    P("exited_ns", exited_ns, FIELD_U64),
    P("parent_pid", parent_pid, FIELD_I32),
    P("executable", executable, FIELD_BYTES),
    P("executable_inode", executable_inode, FIELD_U64),
    P("executable_device", executable_device, FIELD_U64),
    P("executable_deleted", executable_deleted, FIELD_BOOL),
    P("executable_memfd", executable_memfd, FIELD_BOOL),
    P("script", script, FIELD_BYTES),
    P("comm", name, FIELD_BYTES),
    P("args", args, FIELD_BYTES),
    P("args_truncated", args_truncated, FIELD_BOOL),
    P("working_directory", working_directory, FIELD_BYTES),
    P("tty", tty, FIELD_BYTES),
    P("cred_known", cred.known, FIELD_BOOL),
    P("uid", cred.uid, FIELD_U32),
    P("euid", cred.euid, FIELD_U32),
    P("suid", cred.suid, FIELD_U32),
    P("fsuid", cred.fsuid, FIELD_U32),
    P("gid", cred.gid, FIELD_U32),
    P("egid", cred.egid, FIELD_U32),
    P("sgid", cred.sgid, FIELD_U32),
    P("fsgid", cred.fsgid, FIELD_U32),
    P("user_name", user_name, FIELD_BYTES),
    P("real_user_name", real_user_name, FIELD_BYTES),
    P("group_name", group_name, FIELD_BYTES),
    P("login_uid", login_uid, FIELD_U32),
    P("session", session, FIELD_U32),
    P("cgroup", cgroup, FIELD_BYTES),
    P("mnt_ns", mnt_ns, FIELD_U64),
    P("attributed", attributed, FIELD_BOOL),
    P("origin", origin, FIELD_I32),
    P("package", owner.package, FIELD_BYTES),
    P("package_version", owner.package_version, FIELD_BYTES),
    P("unit", owner.unit, FIELD_BYTES),
    P("product", owner.product, FIELD_BYTES),
    P("product_kind", owner.product_kind, FIELD_BYTES),
    P("looks_like", owner.looks_like, FIELD_BOOL),
    P("booted_ns", booted_ns, FIELD_U64),
    P("login_name", login_name, FIELD_BYTES),
    P("remote", remote, FIELD_BYTES),
    P("launch", launch.kind, FIELD_I32),
    P("launch_text", launch.text, FIELD_BYTES),
    P("launch_place", launch.place, FIELD_BYTES),
    P("launch_user", launch.user, FIELD_BYTES),
    P("input", input, FIELD_BYTES),
    { 0 },
};
#undef P

#define C(column, member, type) { column, offsetof(struct container, member), type }
const struct field container_fields[] = {
    C("cid", id, FIELD_BYTES),
    C("name", name, FIELD_BYTES),
    C("runtime", runtime, FIELD_BYTES),
    C("image_name", image_name, FIELD_BYTES),
    C("compose_project", compose_project, FIELD_BYTES),
    C("compose_service", compose_service, FIELD_BYTES),
    C("pod_namespace", pod_namespace, FIELD_BYTES),
    C("pod_name", pod_name, FIELD_BYTES),
    C("pod_container", pod_container, FIELD_BYTES),
    C("labels", labels, FIELD_BYTES),
    C("cgroup", cgroup, FIELD_BYTES),
    C("pid", pid, FIELD_I32),
    C("created_ns", created_ns, FIELD_U64),
    C("started_ns", started_ns, FIELD_U64),
    C("health_check", health_check, FIELD_BYTES),
    { 0 },
};
#undef C
/* clang-format on */

unsigned fields_count(const struct field *fields)
{
    unsigned n = 0;

    while (fields[n].column)
        n++;
    return n;
}

void fields_columns(const struct field *fields, const char *prefix, struct sbuf *out)
{
    for (unsigned i = 0; fields[i].column; i++)
        sbuf_addf(out, "%s%s%s", i ? ", " : "", prefix, fields[i].column);
}

void fields_definition(const struct field *fields, struct sbuf *out)
{
    for (unsigned i = 0; fields[i].column; i++) {
        bool blob = fields[i].type == FIELD_BYTES || fields[i].type == FIELD_ID ||
                    fields[i].type == FIELD_STATE;

        sbuf_addf(out, "%s%s %s", i ? ", " : "", fields[i].column, blob ? "BLOB" : "INTEGER");
    }
}

/* ---- messages ---- */

void pack_u64(struct sbuf *out, uint64_t value)
{
    char text[VARINT_MAX];

    sbuf_add(out, text, (size_t)(put_u64(text, value) - text));
}

bool unpack_u64(struct bytes *message, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 10 && i < message->len; i++) {
        unsigned char c = (unsigned char)message->data[i];

        value |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c & 0x80)
            continue;
        *message = (struct bytes){ message->data + i + 1, message->len - i - 1 };
        *ret = value;
        return true;
    }
    return false;
}

void pack_bytes(struct sbuf *out, struct bytes value)
{
    pack_u64(out, bytes_known(value) ? value.len + 1 : 0);
    sbuf_add_bytes(out, value);
}

bool unpack_bytes(struct bytes *message, struct bytes *ret)
{
    uint64_t n;

    if (!unpack_u64(message, &n) || (n && n - 1 > message->len))
        return false;
    if (n == 0) {
        *ret = BYTES_NULL;
        return true;
    }
    *ret = (struct bytes){ message->data, (size_t)n - 1 };
    *message = (struct bytes){ message->data + n - 1, message->len - (size_t)n + 1 };
    return true;
}

void state_members(const struct file_state *s, uint64_t ret[STATE_MEMBERS])
{
    ret[0] = s->known;
    ret[1] = s->mode;
    ret[2] = s->uid;
    ret[3] = s->gid;
    ret[4] = s->links;
    ret[5] = s->flags;
    ret[6] = s->size;
    ret[7] = s->inode;
    ret[8] = s->device;
    ret[9] = (uint64_t)s->mtime_ns;
    ret[10] = (uint64_t)s->atime_ns;
    ret[11] = (uint64_t)s->ctime_ns;
}

void state_set(struct file_state *s, const uint64_t members[STATE_MEMBERS])
{
    s->known = (unsigned)members[0];
    s->mode = (uint32_t)members[1];
    s->uid = (uint32_t)members[2];
    s->gid = (uint32_t)members[3];
    s->links = (uint32_t)members[4];
    s->flags = (uint32_t)members[5];
    s->size = members[6];
    s->inode = members[7];
    s->device = members[8];
    s->mtime_ns = (int64_t)members[9];
    s->atime_ns = (int64_t)members[10];
    s->ctime_ns = (int64_t)members[11];
}

/* In `memory`; BYTES_NULL: nothing of it is known. */
static struct bytes packed_state(const struct file_state *s, char memory[STATE_MEMBERS * VARINT_MAX])
{
    uint64_t members[STATE_MEMBERS];
    char *at = memory;

    if (!s->known && !s->mode)
        return BYTES_NULL;
    state_members(s, members);
    for (unsigned i = 0; i < STATE_MEMBERS; i++)
        at = put_u64(at, members[i]);
    return (struct bytes){ memory, (size_t)(at - memory) };
}

static void unpack_state(struct bytes packed, struct file_state *s)
{
    uint64_t members[STATE_MEMBERS];

    for (unsigned i = 0; i < STATE_MEMBERS; i++)
        if (!unpack_u64(&packed, &members[i]))
            return;
    state_set(s, members);
}

void fields_pack(const struct field *fields, const void *record, struct sbuf *out)
{
    char memory[STATE_MEMBERS * VARINT_MAX];

    for (const struct field *f = fields; f->column; f++) {
        const void *at = (const char *)record + f->offset;

        switch (f->type) {
        case FIELD_BOOL:
            pack_u64(out, *(const bool *)at);
            break;
        case FIELD_I32:
            pack_u64(out, (uint64_t)(int64_t) * (const int *)at);
            break;
        case FIELD_U32:
            pack_u64(out, *(const uint32_t *)at);
            break;
        case FIELD_I64:
        case FIELD_U64:
            pack_u64(out, *(const uint64_t *)at);
            break;
        case FIELD_BYTES:
            pack_bytes(out, *(const struct bytes *)at);
            break;
        case FIELD_ID:
            pack_bytes(out, (struct bytes){ at, 16 });
            break;
        case FIELD_STATE:
            pack_bytes(out, packed_state(at, memory));
            break;
        }
    }
}

/* v: of a number; b: of what is bytes. */
static int set_member(const struct field *f, uint64_t v, struct bytes b, struct arena *arena, void *record)
{
    void *at = (char *)record + f->offset;

    switch (f->type) {
    case FIELD_BOOL:
        *(bool *)at = v != 0;
        break;
    case FIELD_I32:
        *(int *)at = (int)v;
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)v;
        break;
    case FIELD_I64:
    case FIELD_U64:
        *(uint64_t *)at = v;
        break;
    case FIELD_BYTES:
        *(struct bytes *)at = arena_copy(arena, b);
        break;
    case FIELD_ID:
        if (b.len != 16)
            return -EBADMSG;
        memcpy(at, b.data, 16);
        break;
    case FIELD_STATE:
        if (b.len)
            unpack_state(b, at);
        break;
    }
    return 0;
}

int fields_unpack(const struct field *fields, struct bytes *message, struct arena *arena, void *record)
{
    int r = 0;

    for (const struct field *f = fields; f->column && r == 0; f++) {
        struct bytes b = BYTES_NULL;
        uint64_t v = 0;
        bool is_bytes = f->type == FIELD_BYTES || f->type == FIELD_ID || f->type == FIELD_STATE;

        if (is_bytes ? !unpack_bytes(message, &b) : !unpack_u64(message, &v))
            return -EBADMSG;
        r = set_member(f, v, b, arena, record);
    }
    return r;
}

int fields_set(const struct field *fields, const uint64_t *numbers, const struct bytes *bytes, struct arena *arena, void *record)
{
    size_t room = 0;
    int r = 0;

    for (unsigned i = 0; fields[i].column; i++)
        room += bytes[i].data ? (bytes[i].len + 1 + 7) & ~(size_t)7 : 0; /* with its NUL */
    arena->first_size = room;
    for (unsigned i = 0; fields[i].column && r == 0; i++)
        r = set_member(&fields[i], numbers[i], bytes[i], arena, record);
    return r;
}

/* ---- rows ---- */

int fields_bind(const struct field *fields, struct bytes *message, sqlite3_stmt *statement,
                int first)
{
    for (const struct field *f = fields; f->column; f++, first++) {
        struct bytes b;
        uint64_t v;
        bool is_bytes = f->type == FIELD_BYTES || f->type == FIELD_ID || f->type == FIELD_STATE;

        if (is_bytes ? !unpack_bytes(message, &b) : !unpack_u64(message, &v))
            return -EBADMSG;
        if (!is_bytes)
            sqlite3_bind_int64(statement, first, (sqlite3_int64)v);
        else if (bytes_known(b))
            sqlite3_bind_blob64(statement, first, b.data, b.len, SQLITE_STATIC);
        else
            sqlite3_bind_null(statement, first);
    }
    return 0;
}

void fields_bind_state(const struct file_state *state, sqlite3_stmt *statement, int at)
{
    char memory[STATE_MEMBERS * VARINT_MAX];
    struct bytes packed = packed_state(state, memory);

    if (bytes_known(packed))
        sqlite3_bind_blob64(statement, at, packed.data, packed.len, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(statement, at);
}

void fields_read(const struct field *fields, sqlite3_stmt *statement, int first,
                 struct arena *arena, void *record)
{
    for (const struct field *f = fields; f->column; f++, first++) {
        void *at = (char *)record + f->offset;
        struct bytes b;

        switch (f->type) {
        case FIELD_BOOL:
            *(bool *)at = sqlite3_column_int64(statement, first) != 0;
            break;
        case FIELD_I32:
            *(int *)at = (int)sqlite3_column_int64(statement, first);
            break;
        case FIELD_U32:
            *(uint32_t *)at = (uint32_t)sqlite3_column_int64(statement, first);
            break;
        case FIELD_I64:
        case FIELD_U64:
            *(uint64_t *)at = (uint64_t)sqlite3_column_int64(statement, first);
            break;
        case FIELD_BYTES:
            *(struct bytes *)at = arena_copy(arena, db_column_bytes(statement, first));
            break;
        case FIELD_ID:
            b = db_column_bytes(statement, first);
            memcpy(at, b.data, b.len < 16 ? b.len : 16);
            break;
        case FIELD_STATE:
            b = db_column_bytes(statement, first);
            if (b.len)
                unpack_state(b, at);
            break;
        }
    }
}
