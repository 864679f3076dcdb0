/* SPDX-License-Identifier: MIT */
#include "event/ecs_cause.h"

#include "util/escape.h"
#include "util/json_writer.h"
#include "util/macro.h"

/* Arguments, each ended by a NUL, as one line; a longer one is cut and said to be. */
static void add_line(struct sbuf *out, struct bytes args)
{
    bool cut;

    while (args.len && !args.data[args.len - 1])
        args.len--;
    if (!args.len)
        return;
    cut = args.len > ECS_ARGS_MAX;
    args.len = MIN(args.len, (size_t)ECS_ARGS_MAX);
    json_key(out, JSON_KEY("command_line"));
    escape_json_words(out, args, " ");
    json_flag(out, JSON_KEY("command_line_truncated"), cut);
}

static void add_process(struct sbuf *out, const struct process *p)
{
    size_t at;

    if (!p)
        return;
    at = json_open(out, JSON_OBJECT("process"));
    if (p->pid > 0)
        json_number(out, JSON_KEY("pid"), (uint64_t)p->pid);
    json_bytes(out, JSON_KEY("executable"), p->executable);
    json_bytes(out, JSON_KEY("name"), process_display_name(p));
    json_close_filled(out, at);
}

/* Who asked an engine for it. */
static void add_client(struct sbuf *out, const struct cause_launcher *l)
{
    const struct launch *launch = l->process ? &l->process->launch : NULL;

    if (!launch || (launch->kind != LAUNCH_EXEC && launch->kind != LAUNCH_START && launch->kind != LAUNCH_REMOVE))
        return;
    if (launch->kind == LAUNCH_START)
        add_line(out, launch->text);
    json_bytes(out, JSON_KEY("caller"), launch->place);
}

static void add_launcher(struct sbuf *out, const struct cause_launcher *l)
{
    size_t at;

    if (!l->kind)
        return;
    at = json_open(out, JSON_OBJECT("launcher"));
    json_bytes(out, JSON_KEY("kind"), bytes_of(cause_launcher_name(l->kind)));
    json_bytes(out, JSON_KEY("name"), l->name);
    if (memchr(l->detail.data ? l->detail.data : "", '\0', l->detail.len)) /* a client's arguments */
        add_line(out, l->detail);
    else
        json_bytes(out, JSON_KEY("detail"), l->detail);
    json_flag(out, JSON_KEY("detail_claimed"), l->kind == LAUNCHER_CI && l->detail.len); /* by an environment */
    json_bytes(out, JSON_KEY("unit"), l->unit);
    add_client(out, l);
    add_process(out, l->process);
    json_close_filled(out, at);
}

static void add_cause(struct sbuf *out, const struct cause *cause)
{
    const struct cause_run *run = &cause->run;
    size_t at = json_open(out, JSON_OBJECT("cause"));

    if (run->kind) {
        json_bytes(out, JSON_KEY("kind"), bytes_of(cause_run_name(run->kind)));
        json_bytes(out, JSON_KEY("name"), run->name);
        add_line(out, run->text.len ? run->text : run->args);
        json_bytes(out, JSON_KEY("interpreter"), run->interpreter);
        json_bytes(out, JSON_KEY("directory"), run->directory);
        json_bytes(out, JSON_KEY("file"), run->file);
        json_bytes(out, JSON_KEY("package"), run->package);
        json_bytes(out, JSON_KEY("tool"), cause->tool);
        json_flag(out, JSON_KEY("claimed"), run->claimed);
        json_flag(out, JSON_KEY("exited"), run->exited);
        add_process(out, run->process);
    }
    add_launcher(out, &cause->launcher);
    json_close_filled(out, at);
}

/* Members of an object. */
static void add_user(struct sbuf *out, uint32_t id, struct bytes name)
{
    if (id != UID_UNKNOWN) {
        json_number(out, JSON_TEXT_KEY("id"), id);
        sbuf_add_char(out, '"');
    }
    json_bytes(out, JSON_KEY("name"), name);
}

static void add_other_user(struct sbuf *out, struct bytes key, uint32_t id, struct bytes name)
{
    size_t at = json_open(out, key);

    add_user(out, id, name);
    json_close_filled(out, at);
}

static void add_person(struct sbuf *out, const struct person *p)
{
    size_t at;

    if (!p->known)
        return;
    at = json_open(out, JSON_OBJECT("person"));
    add_user(out, p->id, p->name);
    if (p->as_id != p->id)
        add_other_user(out, JSON_OBJECT("as"), p->as_id, p->as_name);
    json_bytes(out, JSON_KEY("by"), p->by);
    json_bytes(out, JSON_KEY("terminal"), p->terminal);
    json_bytes(out, JSON_KEY("remote"), p->remote);
    json_flag(out, JSON_KEY("interactive"), p->interactive);
    json_close_filled(out, at);
}

void ecs_write_cause(struct sbuf *out, const struct cause *cause)
{
    add_cause(out, cause);
    add_person(out, &cause->person);
}

void ecs_write_user(struct sbuf *out, const struct actor *actor, const struct person *person)
{
    const struct credentials *cred = actor_credentials(actor);
    const struct process *p = actor->process;
    struct bytes name = p && p->cred.known && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL;
    size_t at = json_open(out, JSON_OBJECT("user"));

    if (person->known) {
        add_user(out, person->id, person->name);
        if (cred->known && person->id != cred->euid)
            add_other_user(out, JSON_OBJECT("effective"), cred->euid, name);
    } else if (cred->known) {
        add_user(out, cred->euid, name);
    }
    json_close_filled(out, at);
}
