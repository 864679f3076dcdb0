/* SPDX-License-Identifier: MIT */
#include "report/names.h"

#include "cause/argv.h"
#include "cause/engine_client.h"
#include "cause/wrapper.h"
#include "report/name_launcher.h"
#include "util/escape.h"

#define COMMAND_COLUMNS 60 /* of a command line in a sentence */
#define PATH_COLUMNS 60

/* ---- what was run ---- */

static bool is_shell(struct bytes name)
{
    static const char *const shells[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "busybox" };

    return BYTES_AMONG(name, shells);
}

static void add_directory(struct sbuf *out, const struct cause_run *run)
{
    if (!run->directory.len)
        return;
    sbuf_add_str(out, " in ");
    escape_terminal_path(out, run->directory, PATH_COLUMNS);
}

static void add_environment(struct sbuf *out, const struct cause_run *run)
{
    if (!run->environment.len)
        return;
    sbuf_add_str(out, ", in the virtual environment ");
    escape_terminal_path(out, run->environment, PATH_COLUMNS);
}

/* "make -f fix.mk perms in /srv"; without a target: what is made then */
static void add_target(struct sbuf *out, const struct cause_run *run)
{
    escape_terminal(out, run->interpreter.len ? run->interpreter : bytes_of("make"));
    if (run->file.len) {
        sbuf_add_str(out, " -f ");
        escape_terminal_path(out, run->file, PATH_COLUMNS);
    }
    if (run->name.len) {
        sbuf_add_char(out, ' ');
        escape_terminal(out, run->name);
    }
    add_directory(out, run);
}

/* How each kind of run is written: words before the name, and what follows. */
static void add_run(struct sbuf *out, const struct cause_run *run)
{
    switch (run->kind) {
    case RUN_SCRIPT:
        if (run->claimed) {
            escape_terminal(out, run->interpreter);
            sbuf_add_str(out, ", which says it runs ");
        }
        escape_terminal_path(out, run->name, PATH_COLUMNS);
        if (!run->claimed && run->interpreter.len && !is_shell(run->interpreter)) {
            sbuf_add_str(out, " (");
            escape_terminal(out, run->interpreter);
            add_environment(out, run);
            sbuf_add_char(out, ')');
        }
        return;
    case RUN_MODULE:
        escape_terminal(out, run->interpreter.len ? run->interpreter : bytes_of("python"));
        sbuf_add_str(out, bytes_equal_str(run->interpreter, "java") ? " " : " -m "); /* its class */
        escape_terminal(out, run->name);
        return;
    case RUN_TEXT:
        if (run->args.len)
            name_command_line(out, run->args, COMMAND_COLUMNS);
        else
            escape_terminal(out, run->name);
        return;
    case RUN_INPUT:
        sbuf_add_str(out, "a script on the standard input of ");
        escape_terminal(out, run->name);
        return;
    case RUN_ARCHIVE:
        escape_terminal_path(out, run->name, PATH_COLUMNS);
        sbuf_add_str(out, " (java)");
        return;
    case RUN_TARGET:
        add_target(out, run);
        return;
    case RUN_NPM:
        escape_terminal(out, run->interpreter.len ? run->interpreter : bytes_of("npm"));
        sbuf_add_str(out, " run ");
        escape_terminal(out, run->name);
        add_directory(out, run);
        return;
    case RUN_GIT:
        sbuf_add_str(out, "git ");
        escape_terminal(out, run->name);
        add_directory(out, run);
        return;
    case RUN_GIT_HOOK:
        sbuf_add_str(out, "the git hook ");
        escape_terminal_path(out, run->name, PATH_COLUMNS);
        return;
    case RUN_ANSIBLE:
        sbuf_add_str(out, "the ansible module ");
        escape_terminal(out, run->name);
        return;
    case RUN_MAINTAINER:
        sbuf_add_str(out, "the ");
        escape_terminal(out, run->name);
        return;
    case RUN_BUILTIN:
        (void)name_typed(out, run);
        return;
    default:
        if (run->kind == RUN_COMMAND && engine_client_acts(run->args)) /* podman does by itself what it is asked for */
            name_command_line(out, run->args, COMMAND_COLUMNS);
        else
            escape_terminal(out, bytes_basename(run->name));
    }
}

/* Nothing better is known than the process that made the change. */
static void add_actor(struct sbuf *out, const struct actor *actor, bool capital)
{
    const struct process *p = actor->process;
    struct bytes executable = actor->executable.len || !p ? actor->executable : p->executable;
    struct bytes name = executable.len ? bytes_basename(executable) : actor->name.len || !p ? actor->name : p->name;

    if (!name.len) {
        sbuf_add_str(out, capital ? "A process that is not known" : "a process that is not known");
    } else if (!executable.len) {
        sbuf_add_str(out, capital ? "A process that looks like \"" : "a process that looks like \"");
        escape_terminal(out, name);
        sbuf_add_str(out, "\" (name only; its executable is not known)");
    } else {
        escape_terminal(out, name);
        if (p && p->script.len) {
            sbuf_add_str(out, " running ");
            escape_terminal(out, p->script);
        }
    }
}

static void add_what(struct sbuf *out, const struct cause *cause, const struct actor *actor, bool capital)
{
    struct bytes given = name_given_line(cause);

    if (given.len)
        name_command_line(out, given, COMMAND_COLUMNS);
    else if (cause->run.kind == RUN_UNKNOWN || (!cause->run.name.len && cause->run.kind != RUN_TARGET)) /* make may have no target */
        add_actor(out, actor, capital);
    else
        add_run(out, &cause->run);
}

/* ---- the subject ---- */

/* Nothing above it lives in the container but docker-init and its like. */
static bool is_first_inside(const struct process *p)
{
    for (const struct process *above = p->parent; above && process_lives_with(p, above); above = above->parent)
        if (!wrapper_is(process_display_name(above)))
            return false;
    return true;
}

/* What was run is the entry point itself, or another process of that program. */
static bool is_entry_point(const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    return l->kind == LAUNCHER_ENTRY_POINT && l->name.len &&
           (l->detail.len ? bytes_equal(l->detail, cause->run.name) : cause->run.process && is_first_inside(cause->run.process));
}

static void add_product_name(struct sbuf *out, struct bytes product, struct bytes kind, struct bytes program)
{
    escape_terminal(out, product);
    if (bytes_equal_str(kind, "EDR") || bytes_equal_str(kind, "antivirus")) {
        sbuf_add_str(out, "'s agent");
    } else if (program.len && !bytes_equal(program, product)) {
        sbuf_add_str(out, " (");
        escape_terminal(out, program);
        sbuf_add_char(out, ')');
    }
}

/* A product by the kernel's facts: of the process that made the change. */
static bool add_product(struct sbuf *out, const struct actor *actor)
{
    const struct process *p = actor->process;
    const struct owner *owner = p ? &p->owner : NULL;
    struct bytes executable = actor->executable.len || !p ? actor->executable : p->executable;

    if (!owner || !owner->product.len || owner->looks_like)
        return false;
    add_product_name(out, owner->product, owner->product_kind, bytes_basename(executable));
    return true;
}

/* Was it said with the launcher, by its command line or its name? A health check is often a script itself. */
static bool is_named_by(const struct cause *cause)
{
    struct bytes name = bytes_basename(cause->run.name), detail = cause->launcher.detail;

    if (cause->run.process && cause->run.process == cause->launcher.process)
        return true; /* what is a script, and is known by a better name: puppet */
    return cause->launcher.kind == LAUNCHER_HEALTH_CHECK &&
           (cause->run.kind == RUN_TEXT || (name.len && detail.len && memmem(detail.data, detail.len, name.data, name.len)));
}

/* True: a part that wants a comma behind it. "Ansible (module file, playbook site.yml)", "apt-get (nginx), running the postinst of nginx" */
static bool add_headline(struct sbuf *out, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;
    bool module = cause->run.kind == RUN_ANSIBLE && cause->run.name.len;

    sbuf_add_str(out, launcher_words_of(l)->before ? launcher_words_of(l)->before : "");
    escape_terminal(out, l->name);
    sbuf_add_str(out, launcher_words_of(l)->after);
    if (module || l->detail.len) {
        sbuf_add_str(out, " (");
        if (module) {
            sbuf_add_str(out, "module ");
            escape_terminal(out, cause->run.name);
            if (cause->run.text.len) {
                sbuf_add_str(out, ": ");
                name_command_line(out, cause->run.text, COMMAND_COLUMNS);
            }
        }
        if (l->detail.len && !(module && bytes_equal(argv_without_nuls(l->detail), argv_without_nuls(cause->run.text)))) { /* of `-m shell` both are what it was given */
            sbuf_add_str(out, module ? ", " : "");
            name_launcher_detail(out, l);
        }
        sbuf_add_char(out, ')');
    }
    if (module || (!cause->run.name.len && cause->run.kind != RUN_TARGET) || cause->run.kind == RUN_UNKNOWN || cause->run.kind == RUN_PROGRAM || cause->run.kind == RUN_COMMAND ||
        is_named_by(cause))
        return false;
    sbuf_add_str(out, ", running ");
    add_run(out, &cause->run);
    return true;
}

/* Nobody logged in, as far as the kernel knows: the terminal's user is named, who need not be the one who sits there. */
static bool add_terminal_user(struct sbuf *out, const struct cause *cause, const struct actor *actor, bool *ret_comma)
{
    const struct process *started_by = cause->launcher.process;

    if (!cause->launcher.name.len)
        return false;
    if (cause->person.interactive) {
        escape_terminal(out, cause->launcher.name);
        if (cause->person.terminal.len) {
            sbuf_add_str(out, ", at ");
            escape_terminal(out, cause->person.terminal);
        }
        *ret_comma = cause->person.terminal.len > 0;
        return true;
    }
    add_what(out, cause, actor, true);
    sbuf_add_str(out, ", in ");
    if (started_by && started_by->executable.len)
        escape_terminal(out, bytes_basename(started_by->executable));
    else
        sbuf_add_str(out, "a terminal");
    sbuf_add_str(out, " of ");
    escape_terminal(out, cause->launcher.name);
    *ret_comma = true;
    return true;
}

void name_subject(struct sbuf *out, const struct cause *cause, const struct actor *actor, bool own_command, bool *ret_comma)
{
    const struct cause_launcher *l = &cause->launcher;

    *ret_comma = false;
    if (l->kind == LAUNCHER_PERSON && cause->person.known) {
        name_person(out, &cause->person);
        *ret_comma = name_user_changed(&cause->person) || cause->person.terminal.len || cause->person.remote.len;
        return;
    }
    if (l->kind == LAUNCHER_PERSON && add_terminal_user(out, cause, actor, ret_comma))
        return;
    if (l->kind == LAUNCHER_PRODUCT && l->name.len) {
        add_product_name(out, l->name, l->detail, bytes_basename(cause->run.name));
        *ret_comma = name_asked_by(out, cause);
        return;
    }
    if ((l->kind == LAUNCHER_ENGINE || (l->kind == LAUNCHER_UNKNOWN && cause->run.kind <= RUN_PROGRAM)) &&
        add_product(out, actor))
        return;
    if (launcher_words_of(l)->headline && l->name.len) {
        *ret_comma = add_headline(out, cause);
        *ret_comma |= name_asked_by(out, cause);
        return;
    }
    if (is_entry_point(cause) && !own_command) {
        sbuf_add_str(out, "The entry point of ");
        name_home(out, cause);
        sbuf_add_str(out, " (");
        if (l->detail.len)
            name_launcher_detail(out, l);
        else
            add_what(out, cause, actor, false); /* a text has no name */
        sbuf_add_char(out, ')');
        *ret_comma = name_client(out, cause);
        return;
    }
    if (l->kind == LAUNCHER_AT && cause->run.kind == RUN_INPUT && l->name.len && !own_command) { /* which every job is: its shell reads it */
        sbuf_add_str(out, "An at job of ");
        escape_terminal(out, l->name);
        return;
    }
    if (l->kind == LAUNCHER_COMMAND) {
        sbuf_add_str(out, own_command ? "Your own command (" : "A command of culprit run (");
        add_what(out, cause, actor, false);
        sbuf_add_char(out, ')');
        return;
    }
    if ((l->kind == LAUNCHER_COPY || l->kind == LAUNCHER_REMOVAL) && l->detail.len) { /* the client's words: "docker cp a web:/prd" */
        name_launcher_detail(out, l);
        (void)name_client(out, cause);
        (void)name_asked_by(out, cause);
        *ret_comma = true;
        return;
    }
    if (own_command)
        sbuf_add_str(out, "Your own command's ");
    add_what(out, cause, actor, !own_command);
    *ret_comma = name_started_by(out, cause, actor);
    *ret_comma |= name_client(out, cause);
    *ret_comma |= name_asked_by(out, cause);
}

struct cause name_short(const struct cause *cause)
{
    struct cause all = *cause;

    if (all.run.kind == RUN_COMMAND && !engine_client_acts(all.run.args))
        all.run.args = all.run.text = BYTES_NULL;
    return all;
}

void name_cause(struct sbuf *out, const struct event *event)
{
    const struct cause cause = name_short(&event->cause); /* borrowed */
    bool comma;

    name_subject(out, &cause, &event->actor, false, &comma);
}

/* ---- of an event ---- */

struct fingerprint name_cause_key(const struct event *event)
{
    return event->cause.key.number ? event->cause.key : event_suspect(event);
}

struct bytes name_tool(const struct event *event)
{
    const struct process *p = event->actor.process;
    const struct cause *cause = &event->cause;

    if (p && p->owner.product.len && !p->owner.looks_like && bytes_equal(p->owner.product, cause->launcher.name))
        return BYTES_NULL;
    return cause->tool;
}

void name_program(struct sbuf *out, const struct event *event)
{
    struct bytes executable = event_actor_executable(event), name = event_actor_name(event);

    if (executable.len) {
        escape_terminal(out, executable);
    } else if (name.len) {
        escape_terminal(out, name);
        sbuf_add_str(out, " (name only)");
    } else {
        sbuf_add_str(out, "not known");
    }
}

void name_user(struct sbuf *out, const struct event *event)
{
    const struct process *p = event->actor.process;
    const struct credentials *cred = event->actor.cred.known || !p ? &event->actor.cred : &p->cred;
    const struct person *person = &event->cause.person;

    if (person->known) {
        name_uid(out, person->id, person->name);
        name_user_change(out, person);
    } else if (cred->known) {
        name_uid(out, cred->euid, p && p->cred.known && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL);
    } else {
        sbuf_add_str(out, "not known");
    }
}
