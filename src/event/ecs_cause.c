/* SPDX-License-Identifier: MIT */
#include "event/ecs_cause.h"

#include "util/escape.h"
#include "util/macro.h"

static void add_comma(struct sbuf *out)
{
    if (out->len && out->data[out->len - 1] != '{')
        sbuf_add_char(out, ',');
}

static void add_text(struct sbuf *out, const char *name, struct bytes value)
{
    if (!value.len)
        return;
    add_comma(out);
    sbuf_addf(out, "\"%s\":", name);
    escape_json(out, value);
}

static void add_flag(struct sbuf *out, const char *name, bool set)
{
    if (!set)
        return;
    add_comma(out);
    sbuf_addf(out, "\"%s\":true", name);
}

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
    add_comma(out);
    sbuf_add_str(out, "\"command_line\":");
    escape_json_words(out, args, " ");
    add_flag(out, "command_line_truncated", cut);
}

static size_t open_object(struct sbuf *out, const char *name)
{
    size_t at = out->len;

    add_comma(out);
    sbuf_addf(out, "\"%s\":{", name);
    return at;
}

static void close_object(struct sbuf *out, size_t at)
{
    if (out->len && out->data[out->len - 1] == '{')
        sbuf_truncate(out, at);
    else
        sbuf_add_char(out, '}');
}

static void add_process(struct sbuf *out, const struct process *p)
{
    size_t at;

    if (!p)
        return;
    at = open_object(out, "process");
    if (p->pid > 0)
        sbuf_addf(out, "\"pid\":%d", p->pid);
    add_text(out, "executable", p->executable);
    add_text(out, "name", process_display_name(p));
    close_object(out, at);
}

static void add_launcher(struct sbuf *out, const struct cause_launcher *l)
{
    size_t at;

    if (!l->kind)
        return;
    at = open_object(out, "launcher");
    add_text(out, "kind", bytes_of(cause_launcher_name(l->kind)));
    add_text(out, "name", l->name);
    if (memchr(l->detail.data ? l->detail.data : "", '\0', l->detail.len)) /* a client's arguments */
        add_line(out, l->detail);
    else
        add_text(out, "detail", l->detail);
    add_flag(out, "detail_claimed", l->kind == LAUNCHER_CI && l->detail.len); /* by an environment */
    add_text(out, "unit", l->unit);
    add_process(out, l->process);
    close_object(out, at);
}

static void add_cause(struct sbuf *out, const struct cause *cause)
{
    const struct cause_run *run = &cause->run;
    size_t at = open_object(out, "cause");

    if (run->kind) {
        add_text(out, "kind", bytes_of(cause_run_name(run->kind)));
        add_text(out, "name", run->name);
        add_line(out, run->text.len ? run->text : run->args);
        add_text(out, "interpreter", run->interpreter);
        add_text(out, "directory", run->directory);
        add_text(out, "package", run->package);
        add_text(out, "tool", cause->tool);
        add_flag(out, "claimed", run->claimed);
        add_flag(out, "exited", run->exited);
        add_process(out, run->process);
    }
    add_launcher(out, &cause->launcher);
    close_object(out, at);
}

/* Members of an object. */
static void add_user(struct sbuf *out, uint32_t id, struct bytes name)
{
    if (id != UID_UNKNOWN) {
        add_comma(out);
        sbuf_addf(out, "\"id\":\"%u\"", id);
    }
    add_text(out, "name", name);
}

static void add_other_user(struct sbuf *out, const char *key, uint32_t id, struct bytes name)
{
    size_t at = open_object(out, key);

    add_user(out, id, name);
    close_object(out, at);
}

static void add_person(struct sbuf *out, const struct person *p)
{
    size_t at;

    if (!p->known)
        return;
    at = open_object(out, "person");
    add_user(out, p->id, p->name);
    if (p->as_id != p->id)
        add_other_user(out, "as", p->as_id, p->as_name);
    add_text(out, "by", p->by);
    add_text(out, "terminal", p->terminal);
    add_text(out, "remote", p->remote);
    add_flag(out, "interactive", p->interactive);
    close_object(out, at);
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
    size_t at = open_object(out, "user");

    if (person->known) {
        add_user(out, person->id, person->name);
        if (cred->known && person->id != cred->euid)
            add_other_user(out, "effective", cred->euid, name);
    } else if (cred->known) {
        add_user(out, cred->euid, name);
    }
    close_object(out, at);
}
