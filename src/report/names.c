/* SPDX-License-Identifier: MIT */
#include "report/names.h"

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
        sbuf_add_str(out, " -m ");
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
        escape_terminal(out, run->interpreter.len ? run->interpreter : bytes_of("make"));
        sbuf_add_char(out, ' ');
        escape_terminal(out, run->name);
        add_directory(out, run);
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
    if (cause->run.kind == RUN_UNKNOWN || !cause->run.name.len)
        add_actor(out, actor, capital);
    else
        add_run(out, &cause->run);
}

/* ---- what started it ---- */

/* In a row: words before the name in a sentence ("%" is the engine), after it, and the short form of the `who` line. */
struct launcher_words {
    const char *before, *after, *who;
    bool headline; /* it is named first, then what it ran */
    bool by_person; /* whoever asked for it is named in the sentence */
    const char *detail; /* words before the detail, where the sentence has the detail as well */
};

#define CI_SAYS "says its environment: " /* a job may write there what it likes */

/* clang-format off */
static const struct launcher_words launchers[LAUNCHER_KIND_COUNT] = {
    [LAUNCHER_PRODUCT]       = { "", "", "", true, false },
    [LAUNCHER_PACKAGE]       = { "", "", "package manager ", true, true },
    [LAUNCHER_CONFIGURATION] = { "", "", "configuration management ", true, true },
    [LAUNCHER_EXEC]          = { "run by %exec in container ", "", "exec in container ", false, true },
    [LAUNCHER_COPY]          = { "for docker cp", "", "docker cp", false, true },
    [LAUNCHER_COMPOSE]       = { "run by compose exec of project ", "", "compose project ", false, true },
    [LAUNCHER_HEALTH_CHECK]  = { "The health check of container ", "", "health check of container ", true, false },
    [LAUNCHER_ENTRY_POINT]   = { "run by the entry point of container ", "", "entry point of container ", false, false, "" },
    [LAUNCHER_KUBECTL_EXEC]  = { "run by kubectl exec in ", "", "kubectl exec in ", false, true },
    [LAUNCHER_ENGINE]        = { NULL, NULL, "container engine ", false, false },
    [LAUNCHER_CRON]          = { "a cron job of ", "", "cron of ", false, false },
    [LAUNCHER_ANACRON]       = { "an anacron job of ", "", "anacron ", false, false },
    [LAUNCHER_AT]            = { "an at job of ", "", "at, of ", false, false },
    [LAUNCHER_TIMER]         = { "service ", ", started by its timer", "timer of ", false, false },
    [LAUNCHER_SERVICE]       = { "service ", "", "service ", false, false },
    [LAUNCHER_CI]            = { "a job of the CI runner ", "", "CI runner ", false, false, CI_SAYS },
    [LAUNCHER_SSH]           = { "a command given to ssh by ", "", "ssh command of ", false, true },
    [LAUNCHER_SFTP]          = { "", " by sftp", "sftp of ", true, true },
    [LAUNCHER_PERSON]        = { NULL, NULL, "", false, false },
    [LAUNCHER_COMMAND]       = { NULL, NULL, "", false, false },
    [LAUNCHER_POD_EXEC]      = { "run by kubectl exec, a probe or a hook in ", "", "kubectl exec, a probe or a hook in ", false, true },
};
/* clang-format on */

static const struct launcher_words *words_of(const struct cause_launcher *l)
{
    static const struct launcher_words none = { NULL, NULL, NULL, false, false };

    return (unsigned)l->kind < LAUNCHER_KIND_COUNT ? &launchers[l->kind] : &none;
}

/* A text, or the arguments of an engine's client; those of `ansible -a` may be a file's whole content. */
static void add_detail(struct sbuf *out, const struct cause_launcher *l)
{
    struct bytes detail = l->detail;

    if (l->kind == LAUNCHER_CONFIGURATION)
        name_command_line(out, detail, 2 * COMMAND_COLUMNS);
    else if (memchr(detail.data ? detail.data : "", '\0', detail.len))
        name_command_line(out, detail, COMMAND_COLUMNS);
    else
        escape_terminal(out, detail);
}

void name_launcher(struct sbuf *out, const struct cause_launcher *l)
{
    const struct launcher_words *w = words_of(l);

    if (!w->who || !w->who[0] || (!l->name.len && !l->detail.len && l->kind != LAUNCHER_ANACRON))
        return;
    sbuf_add_str(out, w->who);
    if (!l->name.len && !l->detail.len) /* anacron's */
        sbuf_truncate(out, out->len - 1);
    if (l->kind != LAUNCHER_COPY)
        escape_terminal(out, l->name);
    if (l->detail.len) {
        sbuf_add_str(out, l->name.len ? " (" : "(");
        sbuf_add_str(out, w->detail ? w->detail : "");
        add_detail(out, l);
        sbuf_add_char(out, ')');
    }
    if (l->unit.len && !bytes_equal(l->unit, l->name)) {
        sbuf_add_str(out, ", unit ");
        escape_terminal(out, l->unit);
    }
}

/* "docker ", of the engine whose container the actor lives in. */
static void add_engine(struct sbuf *out, const struct actor *actor)
{
    const struct container *c = actor->process ? actor->process->container : NULL;

    if (!c || !c->runtime.len)
        return;
    escape_terminal(out, c->runtime);
    sbuf_add_char(out, ' ');
}

/* What was run is the entry point itself, or another process of that program. */
static bool is_entry_point(const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;
    const struct process *first = l->process, *p = cause->run.process;

    return l->kind == LAUNCHER_ENTRY_POINT && l->name.len &&
           ((p && first && process_same(p, first)) || (l->detail.len && bytes_equal(l->detail, cause->run.name)));
}

static bool add_launcher(struct sbuf *out, const struct cause_launcher *l, const struct actor *actor)
{
    const struct launcher_words *w = words_of(l);
    const char *engine;

    if (!w->before || !w->before[0] || (!l->name.len && l->kind != LAUNCHER_ANACRON))
        return false;
    sbuf_add_str(out, ", ");
    engine = strchr(w->before, '%');
    if (engine) {
        sbuf_add(out, w->before, (size_t)(engine - w->before));
        add_engine(out, actor);
    }
    if (!l->name.len) {
        sbuf_add_str(out, "an anacron job");
        return true;
    }
    sbuf_add_str(out, engine ? engine + 1 : w->before);
    if (l->kind != LAUNCHER_COPY) /* the phrase of what was done names the container */
        escape_terminal(out, l->name);
    sbuf_add_str(out, w->after);
    if (w->detail && l->detail.len) {
        sbuf_add_str(out, " (");
        sbuf_add_str(out, w->detail);
        add_detail(out, l);
        sbuf_add_char(out, ')');
    }
    return true;
}

static bool add_person(struct sbuf *out, const struct cause *cause)
{
    const struct cause_launcher *l = &cause->launcher;

    if (!words_of(l)->by_person || !cause->person.known)
        return false;
    if ((l->kind == LAUNCHER_SSH || l->kind == LAUNCHER_SFTP) && bytes_equal(l->name, cause->person.name) && !name_user_changed(&cause->person)) {
        if (cause->person.remote.len) {
            sbuf_add_str(out, ", from ");
            escape_terminal(out, cause->person.remote);
        }
        return true; /* named already */
    }
    sbuf_add_str(out, ", run by ");
    name_person(out, &cause->person);
    return true;
}

/* ---- the subject ---- */

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

    sbuf_add_str(out, words_of(l)->before ? words_of(l)->before : "");
    escape_terminal(out, l->name);
    sbuf_add_str(out, words_of(l)->after);
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
        if (l->detail.len) {
            sbuf_add_str(out, module ? ", " : "");
            add_detail(out, l);
        }
        sbuf_add_char(out, ')');
    }
    if (module || !cause->run.name.len || cause->run.kind == RUN_UNKNOWN || cause->run.kind == RUN_PROGRAM || cause->run.kind == RUN_COMMAND ||
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
        return;
    }
    if ((l->kind == LAUNCHER_ENGINE || (l->kind == LAUNCHER_UNKNOWN && cause->run.kind <= RUN_PROGRAM)) &&
        add_product(out, actor))
        return;
    if (words_of(l)->headline && l->name.len) {
        *ret_comma = add_headline(out, cause);
        *ret_comma |= add_person(out, cause);
        return;
    }
    if (is_entry_point(cause) && !own_command) {
        sbuf_add_str(out, "The entry point of container ");
        escape_terminal(out, l->name);
        if (l->detail.len) {
            sbuf_add_str(out, " (");
            add_detail(out, l);
            sbuf_add_char(out, ')');
        }
        return;
    }
    if (l->kind == LAUNCHER_COMMAND) {
        sbuf_add_str(out, own_command ? "Your own command (" : "A command of culprit run (");
        add_what(out, cause, actor, false);
        sbuf_add_char(out, ')');
        return;
    }
    if (l->kind == LAUNCHER_COPY && l->detail.len) { /* the client's words: "docker cp a web:/prd" */
        add_detail(out, l);
        (void)add_person(out, cause);
        *ret_comma = true;
        return;
    }
    if (own_command)
        sbuf_add_str(out, "Your own command's ");
    add_what(out, cause, actor, !own_command);
    *ret_comma = add_launcher(out, l, actor);
    *ret_comma |= add_person(out, cause);
}

void name_cause(struct sbuf *out, const struct event *event)
{
    bool comma;

    name_subject(out, &event->cause, &event->actor, false, &comma);
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
