/* SPDX-License-Identifier: MIT */
#include "report/who.h"

/* Who: the lines of a verdict about the process, its tools, its launchers, the person, the owner. */
#include "report/case_state.h"
#include "report/name_launcher.h"
#include "report/names.h"
#include "report/page.h"
#include "report/sentence.h"
#include "util/escape.h"
#include "util/limits.h"

#define CHAIN_SHOWN 8
#define COMMAND_COLUMNS 120

static void add_dot(struct sbuf *out, bool *first)
{
    if (!*first)
        sbuf_add_str(out, " · ");
    *first = false;
}

static struct bytes args_of(const struct culprit *s)
{
    if (s->cause.run.args.len)
        return s->cause.run.args;
    if (s->actor.args.len)
        return s->actor.args;
    return s->actor.process ? s->actor.process->args : BYTES_NULL;
}

/* The command line of what was run, and what started it. */
static bool write_command(struct page *p, const struct culprit *s)
{
    _cleanup_sbuf_ struct sbuf launcher = SBUF_INIT;
    struct bytes args = args_of(s), given = name_given_line(&s->cause), directory = s->cause.run.directory;
    bool first = true;

    name_launcher(&launcher, &s->cause.launcher);
    if (!args.len && !launcher.len)
        return false;
    page_begin(p, "who");
    if (s->cause.run.kind == RUN_COMMAND && s->cause.run.text.len) {
        add_dot(p->out, &first);
        name_command_line(p->out, s->cause.run.text, COMMAND_COLUMNS);
    } else if (given.len) {
        add_dot(p->out, &first);
        name_command_line(p->out, given, COMMAND_COLUMNS);
    } else if (args.len) {
        add_dot(p->out, &first);
        name_run_line(p->out, &s->cause.run, args, COMMAND_COLUMNS);
    }
    if (!first && s->cause.run.process && s->rhythm.run_count > 1 && !s->rhythm.unknown)
        sbuf_addf(p->out, " (the first of %llu runs)", (unsigned long long)s->rhythm.run_count);
    if (launcher.len) {
        add_dot(p->out, &first);
        sbuf_add_bytes(p->out, sbuf_bytes(&launcher));
    }
    if (directory.len) {
        add_dot(p->out, &first);
        sbuf_add_str(p->out, "in ");
        escape_terminal(p->out, directory);
    }
    page_end(p, PAGE_INDENT);
    return true;
}

static void add_executable(struct sbuf *out, const struct culprit *s)
{
    const struct process *process = s->actor.process;
    struct bytes executable = s->actor.executable.len || !process ? s->actor.executable : process->executable;
    struct bytes name = s->actor.name.len || !process ? s->actor.name : process->name;

    if (executable.len) {
        escape_terminal(out, executable);
        if (process && process->executable_memfd)
            sbuf_add_str(out, " (a file in memory only)");
        else if (process && process->executable_deleted)
            sbuf_add_str(out, " (deleted since it started)");
    } else if (name.len) {
        sbuf_add_str(out, "calls itself ");
        escape_terminal(out, name);
    } else {
        sbuf_add_str(out, "not known");
    }
}

static void add_credentials(struct sbuf *out, const struct culprit *s)
{
    const struct process *process = s->actor.process;
    const struct credentials *cred = s->actor.cred.known || !process ? &s->actor.cred : &process->cred;

    if (!cred->known)
        return;
    sbuf_add_str(out, " · ");
    if (process && process->user_name.len && process->cred.euid == cred->euid)
        escape_terminal(out, process->user_name);
    else if (cred->euid == 0)
        sbuf_add_str(out, "root");
    else
        sbuf_addf(out, "uid %u", cred->euid);
    if (cred->uid != cred->euid)
        sbuf_addf(out, " (started by uid %u)", cred->uid);
}

/* The process that made the change; with tools, the first of them. */
static void write_process(struct page *p, const struct culprit *s, const char *label)
{
    const struct process *process = s->actor.process;
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;

    page_begin(p, label);
    add_executable(p->out, s);
    if (s->actor.pid > 0 && s->processes == 1)
        sbuf_addf(p->out, " · pid %d", s->actor.pid);
    else if (s->processes > 1)
        sbuf_addf(p->out, " · %llu processes, the first pid %d", (unsigned long long)s->processes, s->actor.pid);
    add_credentials(p->out, s);
    case_where(s, &where);
    if (where.len) {
        sbuf_add_str(p->out, " · ");
        sbuf_add_bytes(p->out, sbuf_bytes(&where));
        if (process && process->origin == ORIGIN_HOST)
            sbuf_add_str(p->out, ", not in a container");
    }
    page_end(p, PAGE_INDENT);
    if (process && process->script.len && s->cause.run.kind == RUN_UNKNOWN) {
        page_begin(p, "script");
        escape_terminal(p->out, process->script);
        page_end(p, PAGE_INDENT);
    }
}

static void write_tools(struct page *p, const struct culprit *s)
{
    bool first = true;

    if (!s->tool_count)
        return;
    page_begin(p, "tools");
    for (size_t i = 0; i < s->tool_count; i++) {
        add_dot(p->out, &first);
        escape_terminal(p->out, s->tools[i].name);
        sbuf_addf(p->out, " (%llu process%s)", (unsigned long long)s->tools[i].processes,
                  s->tools[i].processes == 1 ? "" : "es");
    }
    if (s->tools_beyond)
        sbuf_addf(p->out, " · others, of %llu changes", (unsigned long long)s->tools_beyond);
    page_end(p, PAGE_INDENT);
}

/* ---- chain ---- */

static bool is_interpreter(struct bytes name)
{
    static const char *const names[] = { "sh", "bash", "dash", "ash", "zsh", "ksh", "perl", "ruby", "node", "php" };

    return BYTES_AMONG(name, names) || bytes_starts_with(name, bytes_of("python"));
}

/* What an interpreter runs: known by the kernel, else its first argument if that is no option. */
static struct bytes script_of(const struct process *p)
{
    size_t first;
    struct bytes word;

    if (p->script.len)
        return p->script;
    if (!is_interpreter(process_display_name(p)) || !p->args.len)
        return BYTES_NULL;
    first = strnlen(p->args.data, p->args.len) + 1;
    if (first >= p->args.len)
        return BYTES_NULL;
    word = (struct bytes){ p->args.data + first, strnlen(p->args.data + first, p->args.len - first) };
    /* "bash /dev/fd/3": no name of anything */
    if (bytes_starts_with(word, bytes_of("/dev/")) || bytes_starts_with(word, bytes_of("/proc/")))
        return BYTES_NULL;
    return word.len && word.data[0] != '-' ? word : BYTES_NULL;
}

static void add_link(struct sbuf *out, const struct process *process)
{
    struct bytes name = process_display_name(process), script = script_of(process);

    if (name.len)
        escape_terminal(out, name);
    else
        sbuf_add_char(out, '?');
    if (script.len) {
        sbuf_add_char(out, ' ');
        escape_terminal(out, bytes_basename(script));
    }
    sbuf_addf(out, "(%d%s)", process->pid, process->exited_ns ? ", exited" : "");
}

static void write_chain(struct page *p, const struct culprit *s)
{
    const struct process *chain[LIMIT_LINEAGE], *process = s->actor.process;
    size_t n = 0;

    for (; process && n < ARRAY_SIZE(chain); process = process->parent)
        chain[n++] = process;
    if (n < 2)
        return;
    page_begin(p, "chain");
    for (size_t i = n; i-- > 0;) {
        if (n > CHAIN_SHOWN && i < n - 2 && i >= CHAIN_SHOWN - 3) {
            if (i == n - 3)
                sbuf_addf(p->out, "… %zu more … → ", n - CHAIN_SHOWN + 1);
            continue;
        }
        add_link(p->out, chain[i]);
        if (i)
            sbuf_add_str(p->out, " → ");
    }
    page_end(p, PAGE_INDENT);
}

/* ---- person and owner ---- */

static void write_person(struct page *p, const struct culprit *s)
{
    const struct person *person = &s->cause.person;

    if (!person->known)
        return;
    page_begin(p, "person");
    name_person(p->out, person);
    if (person->id != UID_UNKNOWN && person->name.len)
        sbuf_addf(p->out, actor_login_uid(&s->actor) == person->id ? " (login uid %u)" : " (uid %u)", person->id);
    if (!person->terminal.len)
        sbuf_add_str(p->out, " · no terminal");
    page_end(p, PAGE_INDENT);
}

static void write_owner(struct page *p, const struct culprit *s)
{
    const struct process *process = s->actor.process;
    const struct owner *o = process ? &process->owner : NULL;
    bool first = true;

    if (!o || (!o->unit.len && !o->package.len && !o->product.len))
        return;
    page_begin(p, "owner");
    if (o->unit.len) {
        add_dot(p->out, &first);
        sbuf_add_str(p->out, "unit ");
        escape_terminal(p->out, o->unit);
    }
    if (o->package.len) {
        add_dot(p->out, &first);
        sbuf_add_str(p->out, "package ");
        escape_terminal(p->out, o->package);
        if (o->package_version.len) {
            sbuf_add_char(p->out, ' ');
            escape_terminal(p->out, o->package_version);
        }
    }
    if (o->product.len) {
        add_dot(p->out, &first);
        sbuf_add_str(p->out, o->looks_like ? "looks like " : "product ");
        escape_terminal(p->out, o->product);
        if (o->product_kind.len) {
            sbuf_add_str(p->out, " (");
            escape_terminal(p->out, o->product_kind);
            sbuf_add_str(p->out, o->looks_like ? "), by its name only" : ")");
        }
    }
    page_end(p, PAGE_INDENT);
}

void who_write(struct page *p, const struct culprit *s)
{
    bool commanded = write_command(p, s);

    write_process(p, s, commanded ? "process" : "who");
    write_tools(p, s);
    write_chain(p, s);
    write_person(p, s);
    write_owner(p, s);
}
