/* SPDX-License-Identifier: MIT */
#include "event/ecs.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <libaudit.h>

#include "event/operation.h"
#include "util/escape.h"
#include "util/err.h"
#include "util/limits.h"

#define ECS_VERSION "8.17.0"

/* ---- small parts: a member is written with a comma before it unless it is the first ---- */

static void open_object(struct sbuf *out, const char *key)
{
    if (out->len && sbuf_str(out)[out->len - 1] != '{' && sbuf_str(out)[out->len - 1] != '[')
        sbuf_add_char(out, ',');
    sbuf_addf(out, "\"%s\":{", key);
}

/* Close an object; one that stayed empty is taken away with its key. */
static void close_object(struct sbuf *out)
{
    size_t at = out->len;

    if (at == 0 || sbuf_str(out)[at - 1] != '{') {
        sbuf_add_char(out, '}');
        return;
    }
    at -= 3; /* {:" */
    while (at > 0 && sbuf_str(out)[at - 1] != '"')
        at--;
    at--;
    if (at > 0 && sbuf_str(out)[at - 1] == ',')
        at--;
    sbuf_truncate(out, at);
}

static void add_key(struct sbuf *out, const char *key)
{
    char last = out->len ? sbuf_str(out)[out->len - 1] : '{';

    if (last != '{' && last != '[')
        sbuf_add_char(out, ',');
    sbuf_add_char(out, '"');
    sbuf_add_str(out, key);
    sbuf_add_str(out, "\":");
}

static void add_text(struct sbuf *out, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    add_key(out, key);
    escape_json(out, bytes_of(value));
}

/* Where the exact bytes of fields that were not UTF-8 are collected, as members. */
struct raw {
    struct sbuf members;
};

static void add_bytes_raw(struct sbuf *out, const char *key, struct bytes value, struct raw *raw,
                          const char *full_key)
{
    if (!value.len)
        return;
    add_key(out, key);
    if (escape_json(out, value) && raw) {
        sbuf_addf(&raw->members, "%s\"%s\":\"", raw->members.len ? "," : "", full_key);
        escape_hex(&raw->members, value);
        sbuf_add_char(&raw->members, '"');
    }
}

static void add_bytes(struct sbuf *out, const char *key, struct bytes value)
{
    add_bytes_raw(out, key, value, NULL, NULL);
}

static void add_number(struct sbuf *out, const char *key, uint64_t value)
{
    add_key(out, key);
    sbuf_addf(out, "%llu", (unsigned long long)value);
}

static void add_number_text(struct sbuf *out, const char *key, uint64_t value)
{
    add_key(out, key);
    sbuf_addf(out, "\"%llu\"", (unsigned long long)value);
}

void ecs_write_time(struct sbuf *out, uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S);
    struct tm tm = { 0 };

    gmtime_r(&s, &tm);
    sbuf_addf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%09lluZ\"", tm.tm_year + 1900, tm.tm_mon + 1,
              tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
              (unsigned long long)(time_ns % NS_PER_S));
}

static void add_time(struct sbuf *out, const char *key, uint64_t time_ns)
{
    if (!time_ns)
        return;
    add_key(out, key);
    ecs_write_time(out, time_ns);
}

/* Processes are dated by the clock that counts from the boot; ECS wants a date. */
static uint64_t boot_to_real(uint64_t boot_ns)
{
    struct timespec real, boot;

    if (!boot_ns)
        return 0;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (uint64_t)real.tv_sec * NS_PER_S + (uint64_t)real.tv_nsec -
           ((uint64_t)boot.tv_sec * NS_PER_S + (uint64_t)boot.tv_nsec) + boot_ns;
}

void ecs_write_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns)
{
    /* ticks of 10 ms: the same process has the same id whichever source dated it */
    sbuf_addf(out, "%08x%014llx", (unsigned)pid, (unsigned long long)(start_ns / 10000000ull));
}

static void add_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns)
{
    if (!start_ns)
        return;
    add_key(out, "entity_id");
    sbuf_add_char(out, '"');
    ecs_write_entity_id(out, pid, start_ns);
    sbuf_add_char(out, '"');
}

static void add_args(struct sbuf *out, struct bytes args, struct raw *raw, const char *full_key)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    struct bytes rest = args;
    bool first = true;

    if (!args.len)
        return;
    add_key(out, "args");
    sbuf_add_char(out, '[');
    while (rest.len) {
        const char *end = memchr(rest.data, '\0', rest.len);
        struct bytes arg = { rest.data, end ? (size_t)(end - rest.data) : rest.len };
        size_t step = arg.len + (end ? 1 : 0);

        if (!first)
            sbuf_add_char(out, ',');
        escape_json(out, arg);
        if (!first)
            sbuf_add_char(&line, ' ');
        sbuf_add_bytes(&line, arg);
        first = false;
        rest = (struct bytes){ rest.data + step, rest.len - step };
    }
    sbuf_add_char(out, ']');
    add_bytes_raw(out, "command_line", sbuf_bytes(&line), raw, full_key);
}

static void add_user(struct sbuf *out, const char *key, bool known, uint32_t id, struct bytes name)
{
    if (!known)
        return;
    open_object(out, key);
    add_number_text(out, "id", id);
    add_bytes(out, "name", name);
    close_object(out);
}

/* ---- process ---- */

/* raw: for the parent, whose fields are named here; NULL for others */
static void add_process_facts(struct sbuf *out, const struct process *p, struct raw *raw)
{
    add_number(out, "pid", (uint64_t)p->pid);
    add_time(out, "start", boot_to_real(p->start_ns));
    add_entity_id(out, p->pid, p->start_ns);
    add_bytes_raw(out, "executable", p->executable, raw, "process.parent.executable");
    add_bytes_raw(out, "name", process_display_name(p), raw, "process.parent.name");
    add_args(out, p->args, raw, "process.parent.command_line");
    add_bytes_raw(out, "working_directory", p->working_directory, raw,
                  "process.parent.working_directory");
    add_user(out, "user", p->cred.known, p->cred.euid, p->user_name);
}

/*
 * How the session began: the outermost process below what starts sessions. A container's first
 * process is told by its child of a host process; a unit's by its parent pid 1.
 */
static const char *entry_type(const struct process *p)
{
    struct bytes parent = p->parent ? process_display_name(p->parent) : BYTES_NULL;

    if (p->origin == ORIGIN_CONTAINER && (!p->parent || p->parent->origin != ORIGIN_CONTAINER))
        return "container";
    if (bytes_starts_with(parent, bytes_of("sshd")))
        return "sshd";
    if (bytes_equal_str(parent, "login"))
        return "console";
    if (bytes_equal_str(parent, "kubelet"))
        return "kubelet";
    if (p->parent_pid == 1)
        return "init";
    return NULL;
}

static void add_entry_leader(struct sbuf *out, const struct process *process)
{
    unsigned depth = 0;

    for (const struct process *p = process; p && depth < LIMIT_LINEAGE; p = p->parent, depth++) {
        const char *type = entry_type(p);

        if (!type)
            continue;
        open_object(out, "entry_leader");
        add_process_facts(out, p, NULL);
        open_object(out, "entry_meta");
        add_text(out, "type", strcmp(type, "init") == 0 && p->tty.len ? "terminal" : type);
        close_object(out);
        close_object(out);
        return;
    }
}

static void write_process(struct sbuf *out, const struct actor *a, struct raw *raw)
{
    const struct process *p = a->process;
    const struct credentials *cred = a->cred.known || !p ? &a->cred : &p->cred;
    struct bytes executable = a->executable.len || !p ? a->executable : p->executable;
    struct bytes name = executable.len ? bytes_basename(executable)
                        : a->name.len  ? a->name
                        : p            ? p->name
                                       : BYTES_NULL;
    uint64_t start = p && p->start_ns ? p->start_ns : a->start_ns;
    bool same_user = p && p->cred.known && cred->known;

    open_object(out, "process");
    if (a->pid > 0) {
        add_number(out, "pid", (uint64_t)a->pid);
        add_time(out, "start", boot_to_real(start));
        add_entity_id(out, a->pid, start);
    }
    if (a->tid > 0) {
        open_object(out, "thread");
        add_number(out, "id", (uint64_t)a->tid);
        close_object(out);
    }
    add_bytes_raw(out, "executable", executable, raw, "process.executable");
    add_bytes_raw(out, "name", name, raw, "process.name");
    add_args(out, a->args.len || !p ? a->args : p->args, raw, "process.command_line");
    add_bytes_raw(out, "working_directory",
                  a->working_directory.len || !p ? a->working_directory : p->working_directory, raw,
                  "process.working_directory");
    if (a->tty.len || (p && p->tty.len)) {
        open_object(out, "tty");
        add_bytes(out, "name", a->tty.len ? a->tty : p->tty);
        close_object(out);
    }
    add_user(out, "user", cred->known, cred->euid,
             same_user && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
    add_user(out, "real_user", cred->known, cred->uid,
             same_user && p->cred.uid == cred->uid ? p->real_user_name : BYTES_NULL);
    add_user(out, "group", cred->known, cred->egid,
             same_user && p->cred.egid == cred->egid ? p->group_name : BYTES_NULL);
    if (p && p->parent) {
        open_object(out, "parent");
        add_process_facts(out, p->parent, raw);
        close_object(out);
    } else if (a->parent_pid > 0 || (p && p->parent_pid > 0)) {
        open_object(out, "parent");
        add_number(out, "pid", (uint64_t)(a->parent_pid > 0 ? a->parent_pid : p->parent_pid));
        close_object(out);
    }
    add_entry_leader(out, p);
    close_object(out);
}

void ecs_write_process(struct sbuf *out, const struct actor *actor)
{
    write_process(out, actor, NULL);
}

static void add_lineage(struct sbuf *out, const struct process *p)
{
    unsigned depth = 0;

    if (!p || !p->parent)
        return;
    add_key(out, "lineage");
    sbuf_add_char(out, '[');
    for (p = p->parent; p && depth < LIMIT_LINEAGE; p = p->parent, depth++) {
        _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

        sbuf_add_str(out, depth ? ",{" : "{");
        add_number(out, "pid", (uint64_t)p->pid);
        add_time(out, "start", boot_to_real(p->start_ns));
        add_bytes(out, "executable", p->executable);
        add_bytes(out, "name", process_display_name(p));
        for (size_t i = 0; i < p->args.len; i++)
            sbuf_add_char(&line, p->args.data[i] ? p->args.data[i] : ' ');
        while (line.len && line.data[line.len - 1] == ' ')
            sbuf_truncate(&line, line.len - 1);
        add_bytes(out, "command_line", sbuf_bytes(&line));
        add_key(out, "exited");
        sbuf_add_str(out, p->exited_ns ? "true}" : "false}");
    }
    sbuf_add_char(out, ']');
}

/* ---- containers, owner ---- */

static void add_container_members(struct sbuf *out, const struct container *c)
{
    add_bytes(out, "id", c->id);
    add_bytes(out, "name", c->name);
    add_bytes(out, "runtime", c->runtime);
    if (c->image_name.len) {
        open_object(out, "image");
        add_bytes(out, "name", c->image_name);
        close_object(out);
    }
}

static void add_owner(struct sbuf *out, const struct owner *owner)
{
    open_object(out, "owner");
    add_bytes(out, "package", owner->package);
    add_bytes(out, "package_version", owner->package_version);
    add_bytes(out, "unit", owner->unit);
    /* a product by its name alone is no fact */
    if (!owner->looks_like) {
        add_bytes(out, "product", owner->product);
        add_bytes(out, "product_kind", owner->product_kind);
    } else {
        add_bytes(out, "looks_like", owner->product);
    }
    close_object(out);
}

static void write_actor_culprit(struct sbuf *out, const struct actor *a, struct raw *raw)
{
    const struct process *p = a->process;
    uint32_t login = a->login_uid != UID_UNKNOWN || !p ? a->login_uid : p->login_uid;
    uint32_t session = a->session != SESSION_UNKNOWN || !p ? a->session : p->session;

    if (login != UID_UNKNOWN || session != SESSION_UNKNOWN) {
        open_object(out, "login");
        add_user(out, "user", login != UID_UNKNOWN, login, BYTES_NULL);
        if (session != SESSION_UNKNOWN) {
            open_object(out, "session");
            add_number_text(out, "id", session);
            close_object(out);
        }
        close_object(out);
    }
    if (!p)
        return;
    add_lineage(out, p);
    if (p->origin != ORIGIN_UNKNOWN)
        add_text(out, "origin", p->origin == ORIGIN_HOST ? "host" : "container");
    add_owner(out, &p->owner);
    add_bytes_raw(out, "script", a->script.len ? a->script : p->script, raw, "culprit.script");
}

void ecs_write_actor_culprit(struct sbuf *out, const struct actor *a)
{
    write_actor_culprit(out, a, NULL);
}

/* Names, each ended by a NUL, as an array. */
static void add_sharers(struct sbuf *out, struct bytes names)
{
    bool first = true;

    if (!names.len)
        return;
    sbuf_add_str(out, out->len && out->data[out->len - 1] == '{' ? "\"shared_with\":[" : ",\"shared_with\":[");
    while (names.len) {
        struct bytes name = { names.data, strnlen(names.data, names.len) };

        sbuf_add_str(out, first ? "" : ",");
        escape_json(out, name);
        first = false;
        names = (struct bytes){ names.data + name.len, names.len - name.len };
        if (names.len)
            names = (struct bytes){ names.data + 1, names.len - 1 };
    }
    sbuf_add_char(out, ']');
}

void ecs_write_victim(struct sbuf *out, enum victim_kind kind, const struct container *victim,
                      struct bytes sharers)
{
    static const char *const kinds[] = { [VICTIM_HOST] = "host",
                                         [VICTIM_CONTAINER] = "container",
                                         [VICTIM_VOLUME] = "volume" };

    if (!kind)
        return;
    open_object(out, "victim");
    if ((unsigned)kind < ARRAY_SIZE(kinds))
        add_text(out, "kind", kinds[kind]);
    if (victim) {
        open_object(out, "container");
        add_container_members(out, victim);
        close_object(out);
    }
    add_sharers(out, sharers);
    close_object(out);
}

void ecs_write_container(struct sbuf *out, const struct container *c)
{
    open_object(out, "container");
    add_container_members(out, c);
    close_object(out);
}

void ecs_write_host(struct sbuf *out, const struct ecs_host *host)
{
    if (!host)
        return;
    open_object(out, "host");
    add_bytes(out, "name", host->name);
    add_bytes(out, "id", host->id);
    if (host->boot_id.len) {
        open_object(out, "boot");
        add_bytes(out, "id", host->boot_id);
        close_object(out);
    }
    close_object(out);
}

void ecs_write_version(struct sbuf *out)
{
    add_key(out, "ecs");
    sbuf_add_str(out, "{\"version\":\"" ECS_VERSION "\"}");
}

void ecs_write_sensors(struct sbuf *out, unsigned bits)
{
    static const char *const names[] = { "audit", "fanotify", "bpf", "audit-log" };
    bool first = true;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (bits & (1u << i)) {
            sbuf_addf(out, "%s%s", first ? "" : ",", names[i]);
            first = false;
        }
}

/* ---- file ---- */

static const char *file_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "dir";
    case S_IFLNK:
        return "symlink";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    case S_IFCHR:
        return "character_device";
    case S_IFBLK:
        return "block_device";
    default:
        return NULL;
    }
}

static void add_state(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MODE) {
        add_key(out, "mode");
        sbuf_addf(out, "\"%04o\"", s->mode & 07777);
    }
    if (s->known & FILE_UID)
        add_number_text(out, "uid", s->uid);
    if (s->known & FILE_GID)
        add_number_text(out, "gid", s->gid);
    add_bytes(out, "owner", s->owner);
    add_bytes(out, "group", s->group);
    if (s->known & FILE_SIZE)
        add_number(out, "size", s->size);
}

static void add_times(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MTIME)
        add_time(out, "mtime", (uint64_t)MAX(s->mtime_ns, (int64_t)0));
    if (s->known & FILE_ATIME)
        add_time(out, "accessed", (uint64_t)MAX(s->atime_ns, (int64_t)0));
    if (s->known & FILE_FLAGS)
        add_number(out, "flags", s->flags);
}

static void write_file(struct sbuf *out, const struct event *e, struct raw *raw)
{
    struct bytes dir = bytes_dirname(e->path);

    open_object(out, "file");
    add_bytes_raw(out, "path", e->path, raw, "file.path");
    add_bytes_raw(out, "name", bytes_basename(e->path), raw, "file.name");
    add_bytes_raw(out, "directory", dir, raw, "file.directory");
    if (e->file.known & FILE_MODE)
        add_text(out, "type", file_type(e->file.mode));
    if (e->file.known & FILE_INODE)
        add_number_text(out, "inode", e->file.inode);
    if (e->file.known & FILE_DEVICE)
        add_number_text(out, "device", e->file.device);
    add_state(out, &e->file);
    add_bytes_raw(out, "target_path", e->target_path, raw, "file.target_path");
    close_object(out);
}

static void add_change(struct sbuf *out, const char *key, const struct file_state *s,
                       struct bytes xattr)
{
    open_object(out, key);
    add_state(out, s);
    add_times(out, s);
    add_bytes(out, "xattr", xattr);
    close_object(out);
}

/* ---- event ---- */

static void write_event_object(struct sbuf *out, const struct event *e)
{
    const struct operation_info *info = operation_info(e->operation);

    open_object(out, "event");
    sbuf_add_str(out, "\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\"");
    sbuf_addf(out, "%s\"],\"action\":\"%s\"", info->ecs_type, info->name);
    add_text(out, "outcome", e->error == 0 ? "success" : e->error > 0 ? "failure" : "unknown");
    add_key(out, "id");
    sbuf_add_char(out, '"');
    escape_hex(out, (struct bytes){ (const char *)e->id, sizeof(e->id) });
    sbuf_add_char(out, '"');
    if (e->sequence)
        add_number(out, "sequence", e->sequence);
    sbuf_add_str(out, ",\"module\":\"culprit\",\"dataset\":\"culprit.file\"");
    close_object(out);
}

static void write_culprit(struct sbuf *out, const struct event *e, struct raw *raw)
{
    open_object(out, "culprit");
    write_actor_culprit(out, &e->actor, raw);
    if (e->previous_path.len || e->host_path.len || e->previous_host_path.len) {
        open_object(out, "file");
        add_bytes_raw(out, "previous_path", e->previous_path, raw, "culprit.file.previous_path");
        add_bytes_raw(out, "host_path", e->host_path, raw, "culprit.file.host_path");
        add_bytes_raw(out, "previous_host_path", e->previous_host_path, raw,
                      "culprit.file.previous_host_path");
        close_object(out);
    }
    add_change(out, "before", &e->before,
               e->operation == OPERATION_REMOVEXATTR ? e->xattr : BYTES_NULL);
    add_change(out, "after", &e->after,
               e->operation == OPERATION_SETXATTR || e->operation == OPERATION_SETACL ? e->xattr
                                                                                     : BYTES_NULL);
    ecs_write_victim(out, e->victim_kind, e->victim, e->sharers);
    if (e->since_start_known) {
        add_key(out, "since_start");
        sbuf_addf(out, "%.6f", (double)e->since_start_ns / 1e9);
    }
    if (e->route != ROUTE_UNKNOWN)
        add_text(out, "route", e->route == ROUTE_SYSCALL ? "syscall" : "io_uring");
    if (e->syscall >= 0) {
        int machine = e->syscall_arch ? audit_elf_to_machine(e->syscall_arch) : -1;

        add_text(out, "syscall", machine >= 0 ? audit_syscall_to_name(e->syscall, machine) : NULL);
    }
    add_bytes_raw(out, "watch", e->watch_text, raw, "culprit.watch");
    if (e->bytes_known)
        add_number(out, "bytes", e->bytes);
    add_bytes(out, "note", e->note);
    if (e->sensors) {
        add_key(out, "sensor");
        sbuf_add_char(out, '"');
        ecs_write_sensors(out, e->sensors);
        sbuf_add_char(out, '"');
    }
    if (raw->members.len) {
        open_object(out, "raw");
        sbuf_add_bytes(out, sbuf_bytes(&raw->members));
        close_object(out);
    }
    close_object(out);
}

void ecs_write_event(struct sbuf *out, const struct event *e, const struct ecs_host *host)
{
    struct raw raw = { SBUF_INIT };
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    sbuf_add_char(&line, '{');
    add_time(&line, "@timestamp", e->time_ns);
    ecs_write_version(&line);
    write_event_object(&line, e);
    if (e->error > 0) {
        open_object(&line, "error");
        add_text(&line, "code", errno_name(e->error));
        close_object(&line);
    }
    write_file(&line, e, &raw);
    write_process(&line, &e->actor, &raw);
    if (e->actor.process && e->actor.process->container)
        ecs_write_container(&line, e->actor.process->container);
    if (e->key.len) {
        open_object(&line, "rule");
        add_bytes_raw(&line, "name", e->key, &raw, "rule.name");
        close_object(&line);
    }
    ecs_write_host(&line, host);
    write_culprit(&line, e, &raw);
    sbuf_add_str(&line, "}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
    sbuf_done(&raw.members);
}

void ecs_write_gap(struct sbuf *out, const struct gap *gap, const struct ecs_host *host)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    sbuf_add_char(&line, '{');
    add_time(&line, "@timestamp", gap->to_ns);
    ecs_write_version(&line);
    open_object(&line, "event");
    add_text(&line, "kind", "pipeline_error");
    add_time(&line, "start", gap->from_ns);
    add_time(&line, "end", gap->to_ns);
    close_object(&line);
    add_text(&line, "message", gap->text);
    ecs_write_host(&line, host);
    open_object(&line, "culprit");
    open_object(&line, "gap");
    if (gap->count) /* 0: how many is not known */
        add_number(&line, "lost", gap->count);
    add_time(&line, "from", gap->from_ns);
    add_time(&line, "to", gap->to_ns);
    close_object(&line);
    if (gap->sensor) {
        add_key(&line, "sensor");
        sbuf_add_char(&line, '"');
        ecs_write_sensors(&line, gap->sensor);
        sbuf_add_char(&line, '"');
    }
    close_object(&line);
    sbuf_add_str(&line, "}\n");
    sbuf_add_bytes(out, sbuf_bytes(&line));
}
