/* SPDX-License-Identifier: MIT */
#include "event/ecs.h"

#include <sys/stat.h>
#include <time.h>

#include <libaudit.h>

#include "event/ecs_cause.h"
#include "event/operation.h"
#include "event/syscall_name.h"
#include "util/clock.h"
#include "util/digits.h"
#include "util/escape.h"
#include "util/err.h"
#include "util/json_writer.h"
#include "util/limits.h"

#define ECS_VERSION "8.17.0"
#define DAY_S 86400
#define EXACT_S (1ull << 22) /* up to here a double of seconds is nearer than half a nanosecond */

/* ---- small parts ---- */

#define USER(name) JSON_LITERAL(",\"" name "\":{\"id\":\"")

/* Where the exact bytes of fields that were not UTF-8 are collected, as members. */
struct raw {
    struct sbuf members;
};

static void add_raw(struct raw *raw, const char *full_key, struct bytes value)
{
    json_key_of(&raw->members, full_key);
    sbuf_add_char(&raw->members, '"');
    escape_hex(&raw->members, value);
    sbuf_add_char(&raw->members, '"');
}

static void add_bytes_raw(struct sbuf *out, struct bytes key, struct bytes value, struct raw *raw,
                          const char *full_key)
{
    if (!value.len)
        return;
    json_key(out, key);
    if (escape_json(out, value) && raw)
        add_raw(raw, full_key, value);
}

static void add_text(struct sbuf *out, struct bytes key, const char *value)
{
    json_bytes(out, key, bytes_of(value));
}

/* key: a JSON_MEMBER */
static void add_only(struct sbuf *out, struct bytes key, struct bytes value)
{
    if (!value.len)
        return;
    json_bytes(out, key, value);
    sbuf_add_char(out, '}');
}

/* key: a JSON_TEXT_KEY */
static void add_number_text(struct sbuf *out, struct bytes key, uint64_t value)
{
    json_number(out, key, value);
    sbuf_add_char(out, '"');
}

static void put_six_digits(char *to, uint32_t value)
{
    put_two_digits(to, value / 10000);
    put_two_digits(to + 2, value / 100 % 100);
    put_two_digits(to + 4, value % 100);
}

static void put_hex(char *to, unsigned count, uint64_t value)
{
    while (count-- > 0) {
        to[count] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    }
}

/*
 * The date of a day since 1970, as 2026-11-16. Years are counted from March, so that a leap day is a year's last and
 * the months before it have lengths that repeat: 153 days for each five. 400 years have 146097 days.
 */
static void put_date(char *to, uint32_t day)
{
    uint32_t since_0000 = day + 719468, era = since_0000 / 146097, of_era = since_0000 % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* 0: March */

    year += era * 400 + (month >= 10);
    put_two_digits(to, year / 100);
    put_two_digits(to + 2, year % 100);
    put_two_digits(to + 5, month < 10 ? month + 3 : month - 9);
    put_two_digits(to + 8, of_year - (153 * month + 2) / 5 + 1);
}

void ecs_write_time(struct sbuf *out, uint64_t time_ns)
{
    uint64_t s = time_ns / NS_PER_S;
    uint32_t of_day = (uint32_t)(s % DAY_S), ns = (uint32_t)(time_ns % NS_PER_S);
    char text[] = "\"0000-00-00T00:00:00.000000000Z\"";

    put_date(text + 1, (uint32_t)(s / DAY_S));
    put_two_digits(text + 12, of_day / 3600);
    put_two_digits(text + 15, of_day / 60 % 60);
    put_two_digits(text + 18, of_day % 60);
    text[21] = (char)('0' + ns / 100000000);
    put_two_digits(text + 22, ns / 1000000 % 100);
    put_six_digits(text + 24, ns % 1000000);
    sbuf_add(out, text, sizeof(text) - 1);
}

static void add_time(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    if (!time_ns)
        return;
    json_key(out, key);
    ecs_write_time(out, time_ns);
}

/* Processes are dated by the clock that counts from the boot; ECS wants a date. When that boot was is kept with the
 * process: reckoned anew, it would differ by what passes between two clocks, and in a store by boots. Only for records
 * of before, asked once for all that are written together. */
static uint64_t booted_ns(const struct actor *a)
{
    uint64_t now_ns;

    if (a->process && a->process->booted_ns)
        return a->process->booted_ns;
    if (!a->process && !a->start_ns)
        return 0; /* nobody to date */
    now_ns = clock_ns(CLOCK_REALTIME);
    return now_ns - clock_ns(CLOCK_BOOTTIME);
}

static void add_start(struct sbuf *out, uint64_t start_ns, uint64_t booted)
{
    if (start_ns)
        add_time(out, JSON_KEY("start"), booted + start_ns);
}

void ecs_write_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns)
{
    char text[22];

    put_hex(text, 8, (uint32_t)pid);
    /* ticks of 10 ms: the same process has the same id whichever source dated it */
    put_hex(text + 8, 14, start_ns / 10000000);
    sbuf_add(out, text, sizeof(text));
}

static void add_entity_id(struct sbuf *out, pid_t pid, uint64_t start_ns)
{
    if (!start_ns)
        return;
    json_key(out, JSON_TEXT_KEY("entity_id"));
    ecs_write_entity_id(out, pid, start_ns);
    sbuf_add_char(out, '"');
}

/* Words as one line, with spaces between. */
static void add_line(struct sbuf *out, struct bytes key, struct bytes words, struct raw *raw, const char *full_key)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    if (!words.len)
        return;
    json_key(out, key);
    if (!escape_json_words(out, words, " ") || !raw)
        return;
    for (size_t i = 0; i < words.len; i++)
        sbuf_add_char(&line, words.data[i] ? words.data[i] : ' ');
    add_raw(raw, full_key, sbuf_bytes(&line));
}

/* Words, each ended by a NUL, as an array. */
static void add_words(struct sbuf *out, struct bytes key, struct bytes words)
{
    json_key(out, key);
    sbuf_add_char(out, '[');
    escape_json_words(out, words, "\",\"");
    sbuf_add_char(out, ']');
}

static struct bytes without_last_nul(struct bytes words)
{
    if (words.len && !words.data[words.len - 1])
        words.len--;
    return words;
}

static void add_args(struct sbuf *out, struct bytes args, struct raw *raw, const char *full_key)
{
    if (!args.len)
        return;
    add_words(out, JSON_KEY("args"), without_last_nul(args));
    add_line(out, JSON_KEY("command_line"), without_last_nul(args), raw, full_key);
}

/* Those of others than the actor are cut, that a line stays small, and said to be. */
static struct bytes cut_args(struct bytes args, bool *ret_cut)
{
    while (args.len && !args.data[args.len - 1])
        args.len--;
    *ret_cut = args.len > ECS_ARGS_MAX;
    return (struct bytes){ args.data, MIN(args.len, (size_t)ECS_ARGS_MAX) };
}

static void say_cut(struct sbuf *out, bool cut)
{
    if (cut)
        json_key(out, JSON_LITERAL(",\"command_line_truncated\":true"));
}

/* key: a USER */
static void add_user(struct sbuf *out, struct bytes key, bool known, uint32_t id, struct bytes name)
{
    if (!known)
        return;
    add_number_text(out, key, id);
    json_bytes(out, JSON_KEY("name"), name);
    sbuf_add_char(out, '}');
}

/* ---- process ---- */

/* What identifies a process. raw: for the parent, whose fields are named here; NULL for others. */
static void add_identity(struct sbuf *out, const struct process *p, uint64_t booted, struct raw *raw)
{
    json_number(out, JSON_KEY("pid"), (uint64_t)p->pid);
    add_start(out, p->start_ns, booted);
    add_entity_id(out, p->pid, p->start_ns);
    add_bytes_raw(out, JSON_KEY("executable"), p->executable, raw, "process.parent.executable");
    add_bytes_raw(out, JSON_KEY("name"), process_display_name(p), raw, "process.parent.name");
}

static void add_parent(struct sbuf *out, const struct process *p, uint64_t booted, struct raw *raw)
{
    bool cut;
    struct bytes args = cut_args(p->args, &cut);

    add_identity(out, p, booted, raw);
    add_line(out, JSON_KEY("command_line"), args, raw, "process.parent.command_line");
    say_cut(out, cut);
    add_bytes_raw(out, JSON_KEY("working_directory"), p->working_directory, raw,
                  "process.parent.working_directory");
    add_user(out, USER("user"), p->cred.known, p->cred.euid, p->user_name);
}

/*
 * How the session began: the outermost process below what starts sessions. A container's first
 * process is found as the child of a host process; a unit's by its parent pid 1.
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

/* Its arguments are written with the lineage. */
static void add_entry_leader(struct sbuf *out, const struct process *process, uint64_t booted)
{
    unsigned depth = 0;
    size_t at;

    for (const struct process *p = process; p && depth < LIMIT_LINEAGE; p = p->parent, depth++) {
        const char *type = entry_type(p);

        if (!type)
            continue;
        at = json_open(out, JSON_OBJECT("entry_leader"));
        add_identity(out, p, booted, NULL);
        add_user(out, USER("user"), p->cred.known, p->cred.euid, p->user_name);
        add_only(out, JSON_MEMBER("entry_meta", "type"),
                 bytes_of(strcmp(type, "init") == 0 && p->tty.len ? "terminal" : type));
        json_close_filled(out, at);
        return;
    }
}

static void write_process(struct sbuf *out, const struct actor *a, uint64_t booted, struct raw *raw)
{
    const struct process *p = a->process;
    const struct credentials *cred = actor_credentials(a);
    struct bytes executable = a->executable.len || !p ? a->executable : p->executable;
    struct bytes name = executable.len ? bytes_basename(executable)
                        : a->name.len  ? a->name
                        : p            ? p->name
                                       : BYTES_NULL;
    uint64_t start = p && p->start_ns ? p->start_ns : a->start_ns;
    bool same_user = p && p->cred.known && cred->known;
    size_t at = json_open(out, JSON_OBJECT("process")), parent_at;

    if (a->pid > 0) {
        json_number(out, JSON_KEY("pid"), (uint64_t)a->pid);
        add_start(out, start, booted);
        add_entity_id(out, a->pid, start);
    }
    if (a->tid > 0) {
        json_number(out, JSON_MEMBER("thread", "id"), (uint64_t)a->tid);
        sbuf_add_char(out, '}');
    }
    add_bytes_raw(out, JSON_KEY("executable"), executable, raw, "process.executable");
    add_bytes_raw(out, JSON_KEY("name"), name, raw, "process.name");
    add_args(out, a->args.len || !p ? a->args : p->args, raw, "process.command_line");
    add_bytes_raw(out, JSON_KEY("working_directory"),
                  a->working_directory.len || !p ? a->working_directory : p->working_directory, raw,
                  "process.working_directory");
    add_only(out, JSON_MEMBER("tty", "name"), a->tty.len || !p ? a->tty : p->tty);
    add_user(out, USER("user"), cred->known, cred->euid,
             same_user && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
    add_user(out, USER("real_user"), cred->known, cred->uid,
             same_user && p->cred.uid == cred->uid ? p->real_user_name : BYTES_NULL);
    add_user(out, USER("group"), cred->known, cred->egid,
             same_user && p->cred.egid == cred->egid ? p->group_name : BYTES_NULL);
    if (p && p->parent) {
        parent_at = json_open(out, JSON_OBJECT("parent"));
        add_parent(out, p->parent, booted, raw);
        json_close_filled(out, parent_at);
    } else if (a->parent_pid > 0 || (p && p->parent_pid > 0)) {
        json_number(out, JSON_MEMBER("parent", "pid"), (uint64_t)(a->parent_pid > 0 ? a->parent_pid : p->parent_pid));
        sbuf_add_char(out, '}');
    }
    add_entry_leader(out, p, booted);
    json_close_filled(out, at);
}

void ecs_write_process(struct sbuf *out, const struct actor *actor)
{
    write_process(out, actor, booted_ns(actor), NULL);
}

static void add_lineage(struct sbuf *out, const struct process *p, uint64_t booted)
{
    unsigned depth = 0;

    if (!p || !p->parent)
        return;
    json_key(out, JSON_KEY("lineage"));
    sbuf_add_char(out, '[');
    for (p = p->parent; p && depth < LIMIT_LINEAGE; p = p->parent, depth++) {
        bool cut;
        struct bytes args = cut_args(p->args, &cut);

        sbuf_add_str(out, depth ? ",{" : "{");
        json_number(out, JSON_KEY("pid"), (uint64_t)p->pid);
        add_start(out, p->start_ns, booted);
        json_bytes(out, JSON_KEY("executable"), p->executable);
        json_bytes(out, JSON_KEY("name"), process_display_name(p));
        add_line(out, JSON_KEY("command_line"), args, NULL, NULL);
        say_cut(out, cut);
        json_key(out, p->exited_ns ? JSON_LITERAL(",\"exited\":true}") : JSON_LITERAL(",\"exited\":false}"));
    }
    sbuf_add_char(out, ']');
}

/* ---- containers, owner ---- */

static void add_container_members(struct sbuf *out, const struct container *c)
{
    json_bytes(out, JSON_KEY("id"), c->id);
    json_bytes(out, JSON_KEY("name"), c->name);
    json_bytes(out, JSON_KEY("runtime"), c->runtime);
    add_only(out, JSON_MEMBER("image", "name"), c->image_name);
}

static void add_owner(struct sbuf *out, const struct owner *owner)
{
    size_t at = json_open(out, JSON_OBJECT("owner"));

    json_bytes(out, JSON_KEY("package"), owner->package);
    json_bytes(out, JSON_KEY("package_version"), owner->package_version);
    json_bytes(out, JSON_KEY("unit"), owner->unit);
    /* a product by its name alone is no fact */
    if (!owner->looks_like) {
        json_bytes(out, JSON_KEY("product"), owner->product);
        json_bytes(out, JSON_KEY("product_kind"), owner->product_kind);
    } else {
        json_bytes(out, JSON_KEY("looks_like"), owner->product);
    }
    json_close_filled(out, at);
}

static void write_actor_culprit(struct sbuf *out, const struct actor *a, uint64_t booted, struct raw *raw)
{
    const struct process *p = a->process;
    uint32_t login = actor_login_uid(a), session = actor_session(a);

    if (login != UID_UNKNOWN || session != SESSION_UNKNOWN) {
        size_t at = json_open(out, JSON_OBJECT("login"));

        add_user(out, USER("user"), login != UID_UNKNOWN, login,
                 p && p->login_uid == login ? p->login_name : BYTES_NULL);
        add_user(out, USER("session"), session != SESSION_UNKNOWN, session, BYTES_NULL);
        json_close_filled(out, at);
    }
    if (!p)
        return;
    add_lineage(out, p, booted);
    if (p->origin != ORIGIN_UNKNOWN)
        add_text(out, JSON_KEY("origin"), p->origin == ORIGIN_HOST ? "host" : "container");
    add_owner(out, &p->owner);
    add_bytes_raw(out, JSON_KEY("script"), a->script.len ? a->script : p->script, raw, "culprit.script");
}

void ecs_write_actor_culprit(struct sbuf *out, const struct actor *a)
{
    write_actor_culprit(out, a, booted_ns(a), NULL);
}

void ecs_write_victim(struct sbuf *out, enum victim_kind kind, const struct container *victim,
                      struct bytes sharers)
{
    static const char *const kinds[] = { [VICTIM_HOST] = "host",
                                         [VICTIM_CONTAINER] = "container",
                                         [VICTIM_VOLUME] = "volume" };

    size_t at, container_at;

    if (!kind)
        return;
    at = json_open(out, JSON_OBJECT("victim"));
    if ((unsigned)kind < ARRAY_SIZE(kinds))
        add_text(out, JSON_KEY("kind"), kinds[kind]);
    if (victim) {
        container_at = json_open(out, JSON_OBJECT("container"));
        add_container_members(out, victim);
        json_close_filled(out, container_at);
    }
    if (sharers.len)
        add_words(out, JSON_KEY("shared_with"), without_last_nul(sharers));
    json_close_filled(out, at);
}

void ecs_write_container(struct sbuf *out, const struct container *c)
{
    size_t at = json_open(out, JSON_OBJECT("container"));

    add_container_members(out, c);
    json_close_filled(out, at);
}

void ecs_write_host(struct sbuf *out, const struct ecs_host *host)
{
    size_t at;

    if (!host)
        return;
    at = json_open(out, JSON_OBJECT("host"));
    json_bytes(out, JSON_KEY("name"), host->name);
    json_bytes(out, JSON_KEY("id"), host->id);
    add_only(out, JSON_MEMBER("boot", "id"), host->boot_id);
    json_close_filled(out, at);
}

void ecs_write_version(struct sbuf *out)
{
    json_key(out, JSON_LITERAL(",\"ecs\":{\"version\":\"" ECS_VERSION "\"}"));
}

void ecs_write_sensors(struct sbuf *out, unsigned bits)
{
    static const char *const names[] = { "audit", "fanotify", "bpf", "audit-log" };
    bool first = true;

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (bits & (1u << i)) {
            if (!first)
                sbuf_add_char(out, ',');
            sbuf_add_str(out, names[i]);
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

static void add_permissions(struct sbuf *out, uint32_t mode)
{
    char text[] = { '0', '0', '0', '0', '"' };

    for (size_t i = 4; i-- > 0; mode >>= 3)
        text[i] = (char)('0' + (mode & 7));
    json_key(out, JSON_TEXT_KEY("mode"));
    sbuf_add(out, text, sizeof(text));
}

static void add_state(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MODE)
        add_permissions(out, s->mode);
    if (s->known & FILE_UID)
        add_number_text(out, JSON_TEXT_KEY("uid"), s->uid);
    if (s->known & FILE_GID)
        add_number_text(out, JSON_TEXT_KEY("gid"), s->gid);
    json_bytes(out, JSON_KEY("owner"), s->owner);
    json_bytes(out, JSON_KEY("group"), s->group);
    if (s->known & FILE_SIZE)
        json_number(out, JSON_KEY("size"), s->size);
}

static void add_times(struct sbuf *out, const struct file_state *s)
{
    if (s->known & FILE_MTIME)
        add_time(out, JSON_KEY("mtime"), (uint64_t)MAX(s->mtime_ns, (int64_t)0));
    if (s->known & FILE_ATIME)
        add_time(out, JSON_KEY("accessed"), (uint64_t)MAX(s->atime_ns, (int64_t)0));
    if (s->known & FILE_FLAGS)
        json_number(out, JSON_KEY("flags"), s->flags);
}

static void write_file(struct sbuf *out, const struct event *e, struct raw *raw)
{
    struct bytes dir = bytes_dirname(e->path);
    size_t at = json_open(out, JSON_OBJECT("file"));

    add_bytes_raw(out, JSON_KEY("path"), e->path, raw, "file.path");
    add_bytes_raw(out, JSON_KEY("name"), bytes_basename(e->path), raw, "file.name");
    add_bytes_raw(out, JSON_KEY("directory"), dir, raw, "file.directory");
    if (e->file.known & FILE_MODE)
        add_text(out, JSON_KEY("type"), file_type(e->file.mode));
    if (e->file.known & FILE_INODE)
        add_number_text(out, JSON_TEXT_KEY("inode"), e->file.inode);
    if (e->file.known & FILE_DEVICE)
        add_number_text(out, JSON_TEXT_KEY("device"), e->file.device);
    add_state(out, &e->file);
    add_bytes_raw(out, JSON_KEY("target_path"), e->target_path, raw, "file.target_path");
    json_close_filled(out, at);
}

static void add_change(struct sbuf *out, struct bytes key, const struct file_state *s,
                       struct bytes xattr)
{
    size_t at = json_open(out, key);

    add_state(out, s);
    add_times(out, s);
    json_bytes(out, JSON_KEY("xattr"), xattr);
    json_close_filled(out, at);
}

/* ---- event ---- */

static void write_event_object(struct sbuf *out, const struct event *e)
{
    const struct operation_info *info = operation_info(e->operation);

    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"event\",\"category\":[\"file\"],\"type\":[\""));
    sbuf_add_str(out, info->ecs_type);
    sbuf_add_str(out, "\"]");
    json_key(out, JSON_TEXT_KEY("action"));
    sbuf_add_str(out, info->name);
    sbuf_add_char(out, '"');
    json_key(out, JSON_TEXT_KEY("outcome"));
    sbuf_add_str(out, e->error == 0 ? "success" : e->error > 0 ? "failure" : "unknown");
    sbuf_add_char(out, '"');
    json_hex(out, JSON_KEY("id"), (struct bytes){ (const char *)e->id, sizeof(e->id) });
    if (e->sequence)
        json_number(out, JSON_KEY("sequence"), e->sequence);
    json_key(out, JSON_LITERAL(",\"module\":\"culprit\",\"dataset\":\"culprit.file\"}"));
}

/*
 * As "%.6f" writes the quotient of doubles. That is nearer to the exact quotient than this is to one halfway between
 * two millionths as long as there are not too many seconds; if it is halfway itself, how doubles round it decides.
 */
static void add_since_start(struct sbuf *out, int64_t ns)
{
    uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, us = (size + 500) / 1000;
    char text[] = { '.', '0', '0', '0', '0', '0', '0' };

    json_key(out, JSON_KEY("since_start"));
    if (size % 1000 == 500 || size / NS_PER_S >= EXACT_S) {
        sbuf_addf(out, "%.6f", (double)ns / 1e9);
        return;
    }
    if (ns < 0)
        sbuf_add_char(out, '-');
    sbuf_add_decimal(out, us / 1000000);
    put_six_digits(text + 1, (uint32_t)(us % 1000000));
    sbuf_add(out, text, sizeof(text));
}

static void write_culprit(struct sbuf *out, const struct event *e, uint64_t booted, struct raw *raw)
{
    size_t at = json_open(out, JSON_OBJECT("culprit")), file_at;

    ecs_write_cause(out, &e->cause);
    write_actor_culprit(out, &e->actor, booted, raw);
    if (e->previous_path.len || e->host_path.len || e->previous_host_path.len || e->carried.len) {
        file_at = json_open(out, JSON_OBJECT("file"));
        add_bytes_raw(out, JSON_KEY("previous_path"), e->previous_path, raw, "culprit.file.previous_path");
        add_bytes_raw(out, JSON_KEY("host_path"), e->host_path, raw, "culprit.file.host_path");
        add_bytes_raw(out, JSON_KEY("previous_host_path"), e->previous_host_path, raw,
                      "culprit.file.previous_host_path");
        add_bytes_raw(out, JSON_KEY("carried"), e->carried, raw, "culprit.file.carried");
        json_close_filled(out, file_at);
    }
    add_change(out, JSON_OBJECT("before"), &e->before,
               e->operation == OPERATION_REMOVEXATTR ? e->xattr : BYTES_NULL);
    add_change(out, JSON_OBJECT("after"), &e->after,
               e->operation == OPERATION_SETXATTR || e->operation == OPERATION_SETACL ? e->xattr
                                                                                     : BYTES_NULL);
    ecs_write_victim(out, e->victim_kind, e->victim, e->sharers);
    if (e->since_start_known)
        add_since_start(out, e->since_start_ns);
    if (e->route != ROUTE_UNKNOWN)
        add_text(out, JSON_KEY("route"), e->route == ROUTE_SYSCALL ? "syscall" : "io_uring");
    if (e->syscall >= 0) {
        int machine = e->syscall_arch ? audit_elf_to_machine(e->syscall_arch) : -1;

        add_text(out, JSON_KEY("syscall"), machine >= 0 ? audit_call_name_by_number(e->syscall, machine) : NULL);
    }
    add_bytes_raw(out, JSON_KEY("watch"), e->watch_text, raw, "culprit.watch");
    if (e->bytes_known)
        json_number(out, JSON_KEY("bytes"), e->bytes);
    json_bytes(out, JSON_KEY("note"), e->note);
    if (e->sensors) {
        json_key(out, JSON_TEXT_KEY("sensor"));
        ecs_write_sensors(out, e->sensors);
        sbuf_add_char(out, '"');
    }
    if (raw->members.len) {
        json_key(out, JSON_OBJECT("raw"));
        sbuf_add_bytes(out, sbuf_bytes(&raw->members));
        sbuf_add_char(out, '}');
    }
    json_close_filled(out, at);
}

/* Of another machine's log its name is known at most. */
static void write_event_host(struct sbuf *out, const struct event *e, const struct ecs_host *host)
{
    const struct ecs_host named = { .name = e->node };

    if (e->node.len)
        ecs_write_host(out, &named);
    else if (!e->elsewhere)
        ecs_write_host(out, host);
}

void ecs_write_event(struct sbuf *out, const struct event *e, const struct ecs_host *host)
{
    struct raw raw = { SBUF_INIT };
    uint64_t booted = booted_ns(&e->actor);

    sbuf_add_char(out, '{');
    add_time(out, JSON_KEY("@timestamp"), e->time_ns);
    ecs_write_version(out);
    write_event_object(out, e);
    if (e->error > 0)
        add_only(out, JSON_MEMBER("error", "code"), bytes_of(errno_name(e->error)));
    write_file(out, e, &raw);
    write_process(out, &e->actor, booted, &raw);
    ecs_write_user(out, &e->actor, &e->cause.person);
    if (e->actor.process && e->actor.process->container)
        ecs_write_container(out, e->actor.process->container);
    if (e->key.len) {
        add_bytes_raw(out, JSON_MEMBER("rule", "name"), e->key, &raw, "rule.name");
        sbuf_add_char(out, '}');
    }
    write_event_host(out, e, host);
    write_culprit(out, e, booted, &raw);
    sbuf_add_str(out, "}\n");
    sbuf_done(&raw.members);
}

void ecs_write_gap(struct sbuf *out, const struct gap *gap, const struct ecs_host *host)
{
    size_t at, gap_at;

    sbuf_add_char(out, '{');
    add_time(out, JSON_KEY("@timestamp"), gap->to_ns);
    ecs_write_version(out);
    json_key(out, JSON_LITERAL(",\"event\":{\"kind\":\"pipeline_error\""));
    add_time(out, JSON_KEY("start"), gap->from_ns);
    add_time(out, JSON_KEY("end"), gap->to_ns);
    sbuf_add_char(out, '}');
    add_text(out, JSON_KEY("message"), gap->text);
    ecs_write_host(out, host);
    at = json_open(out, JSON_OBJECT("culprit"));
    gap_at = json_open(out, JSON_OBJECT("gap"));
    if (gap->count) /* 0: how many is not known */
        json_number(out, JSON_KEY("lost"), gap->count);
    add_time(out, JSON_KEY("from"), gap->from_ns);
    add_time(out, JSON_KEY("to"), gap->to_ns);
    json_close_filled(out, gap_at);
    if (gap->sensor) {
        json_key(out, JSON_TEXT_KEY("sensor"));
        ecs_write_sensors(out, gap->sensor);
        sbuf_add_char(out, '"');
    }
    json_close_filled(out, at);
    sbuf_add_str(out, "}\n");
}
