/* SPDX-License-Identifier: MIT */
#include "sensor/audit/facts_read.h"

#include <errno.h>
#include <libaudit.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "sensor/audit/infer.h"
#include "sensor/audit/record.h"
#include "util/macro.h"

#ifndef AUDIT_OPENAT2
#define AUDIT_OPENAT2 1337
#endif

struct reader {
    struct audit_facts *f;
    char *buffer; /* the rest of the scratch */
    size_t left;
};

void audit_scratch_done(struct audit_scratch *scratch)
{
    free(scratch->data);
    *scratch = (struct audit_scratch){ 0 };
}

/* ---- fields into members ---- */

static struct bytes text(struct reader *r, const struct audit_field *field)
{
    struct bytes b = BYTES_NULL;

    if (field->encoding == AUDIT_ENCODING_PLAIN && field->value.len && field->value.data[0] == '"') {
        r->f->cut = true; /* inside the quotes */
        return BYTES_NULL;
    }
    if (audit_field_text(field, r->buffer, r->left, &b) < 0) {
        r->f->damaged = true;
        r->f->cut |= field->encoding == AUDIT_ENCODING_HEX && field->value.len % 2;
        return BYTES_NULL;
    }
    if (field->encoding == AUDIT_ENCODING_HEX) {
        r->buffer += b.len;
        r->left -= b.len;
    }
    return b;
}

static uint64_t number(struct reader *r, const struct audit_field *field, unsigned base)
{
    uint64_t v = 0;

    if (!audit_field_number(field, base, &v))
        r->f->damaged = true;
    return v;
}

static uint32_t id(struct reader *r, const struct audit_field *field)
{
    return (uint32_t)number(r, field, 10); /* -1 and "unset" become UINT32_MAX */
}

/* "cwd" and "exe" of a path that the kernel could not print are "<too_long>" or "<no_memory>". */
static struct bytes kernel_path(struct bytes b)
{
    return b.len > 0 && b.data[0] == '<' ? BYTES_NULL : b;
}

/* Field names are distinguished by length and bytes; a table looked up for each of forty fields of a
 * record would cost more than all the rest of decoding. */
#define IS(s) (name.len == sizeof(s) - 1 && memcmp(name.data, s, sizeof(s) - 1) == 0)

static void read_exit(struct reader *r, const struct audit_field *field)
{
    struct bytes v = field->value;
    int64_t value = 0;
    bool negative = v.len > 0 && v.data[0] == '-';
    struct audit_field digits = { .value = { v.data + negative, v.len - negative } };
    uint64_t magnitude;

    if (!audit_field_number(&digits, 10, &magnitude) || magnitude > INT64_MAX)
        r->f->damaged = true;
    else
        value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    r->f->exit = value;
}

static void read_syscall_field(struct reader *r, const struct audit_field *field)
{
    struct audit_facts *f = r->f;
    struct bytes name = field->name;

    switch (name.len) {
    case 2:
        if (name.data[0] == 'a' && name.data[1] >= '0' && name.data[1] <= '3') {
            unsigned i = (unsigned)(name.data[1] - '0');

            f->args[i] = number(r, field, 16);
            f->args_known |= 1u << i;
        }
        break;
    case 3:
        if (IS("pid"))
            f->pid = (pid_t)number(r, field, 10);
        else if (IS("uid"))
            f->cred.uid = id(r, field);
        else if (IS("gid"))
            f->cred.gid = id(r, field);
        else if (IS("tty"))
            f->tty = text(r, field);
        else if (IS("ses"))
            f->session = id(r, field);
        else if (IS("exe"))
            f->executable = kernel_path(text(r, field));
        else if (IS("key"))
            f->key = text(r, field);
        break;
    case 4:
        if (IS("arch"))
            f->arch = (uint32_t)number(r, field, 16);
        else if (IS("exit"))
            read_exit(r, field);
        else if (IS("ppid"))
            f->parent_pid = (pid_t)number(r, field, 10);
        else if (IS("auid"))
            f->login_uid = id(r, field);
        else if (IS("euid"))
            f->cred.euid = id(r, field);
        else if (IS("suid"))
            f->cred.suid = id(r, field);
        else if (IS("egid"))
            f->cred.egid = id(r, field);
        else if (IS("sgid"))
            f->cred.sgid = id(r, field);
        else if (IS("comm"))
            f->name = text(r, field);
        break;
    case 5:
        if (IS("fsuid")) {
            f->cred.fsuid = id(r, field);
            f->cred.known = true;
        } else if (IS("fsgid")) {
            f->cred.fsgid = id(r, field);
        } else if (IS("items")) {
            f->items = (unsigned)number(r, field, 10);
            f->items_known = true;
        }
        break;
    case 7:
        if (IS("syscall"))
            f->number = (int)number(r, field, 10);
        else if (IS("success"))
            f->success = bytes_equal_str(field->value, "yes");
        break;
    case 8:
        if (IS("uring_op"))
            f->number = (int)number(r, field, 10);
        break;
    default:
        break;
    }
}

/* Behind the numbers the kernel writes what the process is: what ends before that was cut, and so was the last number, perhaps. Without
 * the process, or what became of the call, it is as if there were none. */
static void read_syscall(struct reader *r, const struct audit_record *record)
{
    struct audit_facts *f = r->f;
    struct bytes rest = record->body, last = BYTES_NULL;
    bool judged = false, whole = record->type == AUDIT_URINGOP;
    struct audit_field field;

    f->has_syscall = true;
    f->route = record->type == AUDIT_SYSCALL ? ROUTE_SYSCALL : ROUTE_IO_URING;
    while (audit_field_next(record->type, &rest, &field)) {
        struct bytes name = field.name;

        read_syscall_field(r, &field);
        judged |= IS("success");
        whole |= IS("comm") || IS("exe") || IS("key");
        last = name;
    }
    if (whole)
        return;
    f->cut = true;
    f->has_syscall = judged && f->pid > 0 && !bytes_equal_str(last, "pid");
    if (!f->has_syscall)
        f->pid = f->parent_pid = 0;
}

static enum audit_nametype nametype(struct bytes v)
{
    switch (v.len > 0 ? v.data[0] : '\0') {
    case 'N':
        return AUDIT_NAME_NORMAL;
    case 'P':
        return AUDIT_NAME_PARENT;
    case 'D':
        return AUDIT_NAME_DELETE;
    case 'C':
        return AUDIT_NAME_CREATE;
    default:
        return AUDIT_NAME_UNKNOWN;
    }
}

static uint64_t device(struct reader *r, const struct audit_field *field)
{
    struct bytes v = field->value;
    const char *colon = v.len ? memchr(v.data, ':', v.len) : NULL;
    struct audit_field major_part, minor_part;
    uint64_t hi, lo;

    if (!colon) {
        r->f->damaged = true;
        return 0;
    }
    major_part = (struct audit_field){ .value = { v.data, (size_t)(colon - v.data) } };
    minor_part = (struct audit_field){ .value = { colon + 1, v.len - (size_t)(colon - v.data) - 1 } };
    hi = number(r, &major_part, 16);
    lo = number(r, &minor_part, 16);
    return makedev((unsigned)hi, (unsigned)lo);
}

static void read_path_fields(struct reader *r, const struct audit_record *record, struct audit_path *p)
{
    struct bytes rest = record->body;
    bool name_is_last = false, last = false; /* behind the inode the kernel writes a device number of its own */
    struct audit_field field;

    while (audit_field_next(record->type, &rest, &field)) {
        struct bytes name = field.name;

        name_is_last = IS("name") && field.encoding == AUDIT_ENCODING_HEX;
        last |= IS("rdev");
        switch (name.len) {
        case 3:
            if (IS("dev")) {
                p->file.device = device(r, &field);
                p->file.known |= FILE_DEVICE;
            }
            break;
        case 4:
            if (IS("item")) {
                p->item = (unsigned)MIN(number(r, &field, 10), (uint64_t)UINT32_MAX);
            } else if (IS("name")) {
                p->name = text(r, &field);
            } else if (IS("mode")) {
                p->file.mode = (uint32_t)number(r, &field, 8);
                p->file.known |= FILE_MODE;
            } else if (IS("ouid")) {
                p->file.uid = id(r, &field);
                p->file.known |= FILE_UID;
            } else if (IS("ogid")) {
                p->file.gid = id(r, &field);
                p->file.known |= FILE_GID;
            }
            break;
        case 5:
            if (IS("inode")) {
                p->file.inode = number(r, &field, 10);
                p->file.known |= FILE_INODE;
            }
            break;
        case 7: /* RHEL 7's kernels */
        case 8:
            if (IS("nametype") || IS("objtype")) {
                p->type = nametype(field.value);
                p->typed = field.value.len > 0; /* else it was cut there */
                return; /* capabilities follow: not ours */
            }
            break;
        default:
            break;
        }
    }
    r->f->cut |= !p->typed && (p->file.known & FILE_INODE) && !last;
    p->name_is_last = name_is_last;
}

/* Kernels that write types write one into each record. A name that is the last that is there may be a part of one. */
static void find_cut_paths(struct audit_facts *f)
{
    unsigned typed = 0;

    for (unsigned i = 0; i < f->path_count; i++)
        typed += f->paths[i].typed;
    for (unsigned i = 0; typed && i < f->path_count; i++)
        if (!f->paths[i].typed) {
            f->cut = true;
            if (f->paths[i].name_is_last)
                f->paths[i].name = BYTES_NULL;
        }
}

/* ausearch prints an event's last record first: the kernel's order is what item= says. */
static void put_in_order(struct audit_facts *f)
{
    for (unsigned i = f->path_count - 1; i > 0 && f->paths[i - 1].item > f->paths[i].item; i--) {
        struct audit_path p = f->paths[i];

        f->paths[i] = f->paths[i - 1];
        f->paths[i - 1] = p;
    }
}

static void read_path(struct reader *r, const struct audit_record *record)
{
    struct audit_facts *f = r->f;
    struct audit_field field;
    struct audit_path *p;

    if (f->path_count == AUDIT_PATHS_MAX) {
        if (audit_record_find(record, "name", &field) && field.encoding != AUDIT_ENCODING_NULL)
            f->damaged = true;
        return;
    }
    p = &f->paths[f->path_count++];
    *p = (struct audit_path){ .item = f->path_count > 1 ? p[-1].item : 0 };
    read_path_fields(r, record, p);
    put_in_order(f);
}

/* argc=2 a0="rm" a1=2D66, long ones in pieces: a1_len=9000 a1[0]=... a1[1]=..., over several
 * records. All decoded bytes are adjacent in the scratch, so that a piece that
 * continues an argument needs only its end mark taken back. */
static void read_execve(struct reader *r, const struct audit_record *record)
{
    struct audit_facts *f = r->f;
    struct bytes rest = record->body;
    struct audit_field field;

    while (audit_field_next(record->type, &rest, &field)) {
        struct bytes name = field.name, piece = BYTES_NULL;
        bool continues = name.len > 2 && name.data[name.len - 1] == ']' &&
                         !(name.data[name.len - 2] == '0' && name.data[name.len - 3] == '[');

        if (name.len < 2 || name.data[0] != 'a' || name.data[1] < '0' || name.data[1] > '9' ||
            memchr(name.data, '_', name.len))
            continue;
        if (!bytes_known(f->argv))
            f->argv = (struct bytes){ r->buffer, 0 };
        if (continues && f->argv.len > 0) {
            f->argv.len--;
            r->buffer--;
            r->left++;
        }
        if (audit_field_text(&field, r->buffer, r->left, &piece) < 0 || piece.len + 1 > r->left) {
            f->damaged = true;
            return;
        }
        if (piece.data != r->buffer && piece.len > 0)
            memmove(r->buffer, piece.data, piece.len);
        r->buffer += piece.len;
        *r->buffer++ = '\0';
        r->left -= piece.len + 1;
        f->argv.len += piece.len + 1;
    }
}

static void read_other(struct reader *r, const struct audit_record *record)
{
    struct audit_facts *f = r->f;
    struct bytes rest = record->body;
    struct audit_field field;

    while (audit_field_next(record->type, &rest, &field)) {
        struct bytes name = field.name;

        switch (record->type) {
        case AUDIT_CWD:
            if (IS("cwd"))
                f->cwd = kernel_path(text(r, &field));
            break;
        case AUDIT_PROCTITLE:
            if (IS("proctitle"))
                f->args_text = text(r, &field);
            break;
        case AUDIT_SOCKADDR:
            if (IS("saddr"))
                f->saddr = text(r, &field);
            break;
        case AUDIT_OPENAT2:
            if (IS("oflag")) {
                f->openat2_flags = number(r, &field, 8);
                f->openat2 = true;
            } else if (IS("mode")) {
                f->openat2_mode = number(r, &field, 8);
            }
            break;
        case AUDIT_CONFIG_CHANGE:
            if (IS("op"))
                f->config_op = text(r, &field);
            else if (IS("key"))
                f->config_key = text(r, &field);
            break;
        default:
            break;
        }
    }
}

#undef IS

static void mark_nested(struct audit_facts *f)
{
    bool named = false, child = false, nameless = false;

    for (unsigned i = 0; i < f->path_count; i++) {
        bool is_child = f->paths[i].type == AUDIT_NAME_DELETE || f->paths[i].type == AUDIT_NAME_CREATE;

        named |= bytes_known(f->paths[i].name);
        child |= f->paths[i].type != AUDIT_NAME_PARENT && bytes_known(f->paths[i].name);
        nameless |= is_child && !bytes_known(f->paths[i].name);
    }
    /* an overlay's own child has a name: where none has one, kernels of 3.x to 4.x forgot it (audit_inode_child) */
    f->nameless = nameless && !child;
    for (unsigned i = 0; i < f->path_count; i++)
        f->paths[i].nested = named && !f->nameless && !bytes_known(f->paths[i].name);
}

int audit_facts_read(const struct audit_group *group, struct audit_scratch *scratch,
                     struct audit_facts *ret)
{
    struct audit_facts *f = ret;
    struct reader r = { .f = f };
    size_t need = 64;

    /* A decoded string is never longer than its encoded form, an argument's NUL takes the place of
     * its name: one buffer of the records' size is enough for everything. */
    for (unsigned i = 0; i < group->count; i++)
        need += group->records[i].body.len;
    if (need > scratch->size) {
        char *data = realloc(scratch->data, need * 2);

        if (!data)
            return -ENOMEM;
        scratch->data = data;
        scratch->size = need * 2;
    }
    r.buffer = scratch->data;
    r.left = scratch->size;

    f->path_count = 0;
    memset(f, 0, offsetof(struct audit_facts, paths));
    f->time_ms = group->time_ms;
    f->serial = group->serial;
    f->complete = group->complete && !group->overflowed;
    f->damaged = group->overflowed;
    f->number = -1;
    f->login_uid = UID_UNKNOWN;
    f->session = SESSION_UNKNOWN;
    for (unsigned i = 0; i < group->count; i++) {
        const struct audit_record *record = &group->records[i];

        switch (record->type) {
        case AUDIT_SYSCALL:
        case AUDIT_URINGOP:
            read_syscall(&r, record);
            break;
        case AUDIT_PATH:
            read_path(&r, record);
            break;
        case AUDIT_EXECVE:
            read_execve(&r, record);
            break;
        case AUDIT_CONFIG_CHANGE:
            f->config_change = true;
            read_other(&r, record);
            break;
        default:
            read_other(&r, record);
            break;
        }
    }
    find_cut_paths(f);
    if (f->has_syscall && f->route == ROUTE_SYSCALL && f->number >= 0)
        f->call = audit_call_by_number(f->arch, (uint32_t)f->number);
    audit_infer_types(f);
    mark_nested(f);
    return 0;
}
