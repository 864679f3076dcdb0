/* SPDX-License-Identifier: MIT */
#include "event/ecs_actor.h"

#include "event/ecs_cause.h"
#include "event/ecs_parts.h"
#include "util/clock.h"
#include "util/limits.h"

#define USER(name) JSON_LITERAL(",\"" name "\":{\"id\":\"")

uint64_t ecs_booted_ns(const struct actor *a)
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
        ecs_add_time(out, JSON_KEY("start"), booted + start_ns);
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
static void add_line(struct sbuf *out, struct bytes key, struct bytes words, struct ecs_raw *raw, const char *full_key)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;

    if (!words.len)
        return;
    json_key(out, key);
    if (!escape_json_words(out, words, " ") || !raw)
        return;
    for (size_t i = 0; i < words.len; i++)
        sbuf_add_char(&line, words.data[i] ? words.data[i] : ' ');
    ecs_add_raw(raw, full_key, sbuf_bytes(&line));
}

static void add_args(struct sbuf *out, struct bytes args, struct ecs_raw *raw, const char *full_key)
{
    if (!args.len)
        return;
    ecs_add_words(out, JSON_KEY("args"), ecs_without_last_nul(args));
    add_line(out, JSON_KEY("command_line"), ecs_without_last_nul(args), raw, full_key);
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
    ecs_add_number_text(out, key, id);
    json_bytes(out, JSON_KEY("name"), name);
    sbuf_add_char(out, '}');
}

/* ---- process ---- */

/* What identifies a process. raw: for the parent, whose fields are named here; NULL for others. */
static void add_identity(struct sbuf *out, const struct process *p, uint64_t booted, struct ecs_raw *raw)
{
    json_number(out, JSON_KEY("pid"), (uint64_t)p->pid);
    add_start(out, p->start_ns, booted);
    add_entity_id(out, p->pid, p->start_ns);
    ecs_add_bytes_raw(out, JSON_KEY("executable"), p->executable, raw, "process.parent.executable");
    ecs_add_bytes_raw(out, JSON_KEY("name"), process_display_name(p), raw, "process.parent.name");
}

static void add_parent(struct sbuf *out, const struct process *p, uint64_t booted, struct ecs_raw *raw)
{
    bool cut;
    struct bytes args = cut_args(p->args, &cut);

    add_identity(out, p, booted, raw);
    add_line(out, JSON_KEY("command_line"), args, raw, "process.parent.command_line");
    say_cut(out, cut);
    ecs_add_bytes_raw(out, JSON_KEY("working_directory"), p->working_directory, raw,
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
        ecs_add_only(out, JSON_MEMBER("entry_meta", "type"),
                     bytes_of(strcmp(type, "init") == 0 && p->tty.len ? "terminal" : type));
        json_close_filled(out, at);
        return;
    }
}

void ecs_write_process_of(struct sbuf *out, const struct actor *a, uint64_t booted, struct ecs_raw *raw)
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
    ecs_add_bytes_raw(out, JSON_KEY("executable"), executable, raw, "process.executable");
    ecs_add_bytes_raw(out, JSON_KEY("name"), name, raw, "process.name");
    add_args(out, a->args.len || !p ? a->args : p->args, raw, "process.command_line");
    ecs_add_bytes_raw(out, JSON_KEY("working_directory"),
                      a->working_directory.len || !p ? a->working_directory : p->working_directory, raw,
                      "process.working_directory");
    ecs_add_only(out, JSON_MEMBER("tty", "name"), a->tty.len || !p ? a->tty : p->tty);
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
    ecs_write_process_of(out, actor, ecs_booted_ns(actor), NULL);
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

/* ---- owner, login, lineage ---- */

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

void ecs_write_actor_culprit_of(struct sbuf *out, const struct actor *a, uint64_t booted, struct ecs_raw *raw)
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
        ecs_add_text(out, JSON_KEY("origin"), p->origin == ORIGIN_HOST ? "host" : "container");
    add_owner(out, &p->owner);
    ecs_add_bytes_raw(out, JSON_KEY("script"), a->script.len ? a->script : p->script, raw, "culprit.script");
}

void ecs_write_actor_culprit(struct sbuf *out, const struct actor *a)
{
    ecs_write_actor_culprit_of(out, a, ecs_booted_ns(a), NULL);
}
