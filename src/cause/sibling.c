/* SPDX-License-Identifier: MIT */
/* A script that calls rm a thousand times, or is called a thousand times: what was found for one of them holds for the others. */
#include "cause/argv.h"
#include "cause/cause.h"
#include "cause/exited.h"
#include "cause/link.h"
#include "cause/wrapper.h"

/* A launcher explains the change: of the process itself only the tool's name is shown. */
static bool is_led(const struct cause *c, const struct process *p)
{
    if (c->run.kind == RUN_ANSIBLE && c->run.text.len)
        return false; /* its arguments are part of the task that it runs */
    return c->run.process && c->run.process != p && c->launcher.process != p;
}

static bool has_terminal_and_program_of(const struct event *e, const struct process *p)
{
    return !e->node.len && (!e->actor.tty.len || bytes_equal(e->actor.tty, p->tty)) &&
           bytes_equal(event_actor_executable(e), p->executable);
}

/* The same program, called by the same name: "busybox rm" and "-sh" are other ones than "busybox mv" and "rm". */
static bool is_called_alike(struct bytes a, struct bytes b)
{
    size_t len = a.len ? strnlen(a.data, a.len) : 0;

    return a.len && b.len > len && a.len > len && memcmp(a.data, b.data, len + 1) == 0;
}

static bool is_same_user(const struct process *a, const struct process *b)
{
    return a->cred.known == b->cred.known && a->cred.uid == b->cred.uid && a->cred.euid == b->cred.euid &&
           a->login_uid == b->login_uid && a->session == b->session && bytes_equal(a->tty, b->tty) &&
           bytes_equal(a->remote, b->remote) && bytes_equal(a->user_name, b->user_name);
}

static bool is_at_same_place(const struct process *a, const struct process *b)
{
    return a->origin == b->origin && a->container == b->container && a->mnt_ns == b->mnt_ns &&
           bytes_equal(a->cgroup, b->cgroup) && bytes_equal(a->owner.unit, b->owner.unit);
}

/* Same container as its parent, and it executed nothing else before: then its launchers alone decide the cause. */
static bool is_plain(const struct process *p)
{
    return p->parent && p->parent->container == p->container && !p->earlier && p->executable.len && !p->launch.kind &&
           !p->owner.product.len;
}

/* The script in its arguments explains the change, and all that led to it is in its launchers. */
static bool is_script(const struct cause *c, const struct process *p)
{
    return c->run.kind == RUN_SCRIPT && c->run.process == p && c->launcher.process != p && !c->tool.len && p->cred.known;
}

bool cause_suits_siblings(const struct event *event)
{
    struct process *p = event->actor.process;
    const struct cause_link *link = p ? p->cause_link : NULL;

    if (!link || link->launcher || !is_plain(p) || !has_terminal_and_program_of(event, p))
        return false;
    return link->plain ? !p->script.len && is_led(&event->cause, p) : link->script_args_len && is_script(&event->cause, p);
}

bool cause_suits_tools(const struct event *event)
{
    struct process *p = event->actor.process;

    /* a process that was not classified itself is such a sibling */
    return p && is_plain(p) && has_terminal_and_program_of(event, p) && is_script(&event->cause, p) &&
           (!p->cause_link || (p->cause_link->role == ROLE_SCRIPT && !p->cause_link->launcher));
}

/* They run the same script, in the same place. The arguments behind it are the script's own. */
static bool runs_same_script(const struct process *a, const struct process *b, size_t script_args_len)
{
    return a->args.len > script_args_len && b->args.len > script_args_len && !a->args.data[script_args_len] &&
           !b->args.data[script_args_len] &&
           memcmp(a->args.data, b->args.data, script_args_len) == 0 && bytes_equal(a->script, b->script) &&
           bytes_equal(a->working_directory, b->working_directory) && a->executable_memfd == b->executable_memfd;
}

static bool is_sibling(const struct process *p, struct process *sibling)
{
    const struct cause_link *link = sibling->cause_link;

    if (p->parent != sibling->parent || !bytes_equal(p->executable, sibling->executable) || !is_plain(p) ||
        !is_same_user(p, sibling) || !is_at_same_place(p, sibling))
        return false;
    return link && link->script_args_len ? runs_same_script(p, sibling, link->script_args_len)
                                 : !p->script.len && is_called_alike(p->args, sibling->args);
}

/* The tool that the sibling is, in the memory of this one: a program's name, or that of a script in the same arguments. */
static struct bytes tool_of(const struct process *p, struct bytes sibling_tool, const struct cause_link *link)
{
    struct bytes program = bytes_basename(p->executable), script = bytes_basename(p->script);
    size_t end = link ? link->script_args_len : 0;

    if (bytes_equal(sibling_tool, program))
        return program;
    if (bytes_equal(sibling_tool, script))
        return script;
    return end >= sibling_tool.len && end <= p->args.len ? (struct bytes){ p->args.data + end - sibling_tool.len, sibling_tool.len }
                                                        : program;
}

bool cause_of_sibling(struct event *event, struct process *sibling, const struct cause *known)
{
    struct process *p = event->actor.process;

    if (!has_terminal_and_program_of(event, p) || !is_sibling(p, sibling))
        return false;
    cause_copy(&event->cause, known);
    if (!event->cause.sibling)
        event->cause.sibling = process_ref(sibling);
    if (event->cause.tool.len) /* points into its own memory: the referenced process may be the script's sibling */
        event->cause.tool = tool_of(p, known->tool, sibling->cause_link);
    if (known->run.process == sibling) {
        process_unref(event->cause.run.process);
        event->cause.run.process = process_ref(p);
        event->cause.run.args = p->args;
    }
    event->cause.run.exited = cause_has_exited(&event->cause, event);
    return true;
}

/* A plain tool such as rm: its name alone says what it is, its arguments do not matter. */
static bool is_tool(const struct process *p)
{
    struct bytes name = bytes_basename(p->executable);

    return !p->script.len && tool_is_plain(name) && bytes_equal(bytes_basename(argv_at(p->args, 0)), name);
}

bool cause_of_launcher(struct event *event, const struct cause *known)
{
    struct process *p = event->actor.process, *script = p->parent;

    if (!is_plain(p) || !has_terminal_and_program_of(event, p) || !is_tool(p) || !is_same_user(p, script) ||
        !is_at_same_place(p, script) ||
        bytes_equal(bytes_basename(p->executable), known->run.name))
        return false;
    cause_copy(&event->cause, known); /* whose memory is the script's, which run.process is, or its sibling's */
    event->cause.tool = bytes_basename(p->executable);
    event->cause.run.exited = cause_has_exited(&event->cause, event);
    return true;
}
