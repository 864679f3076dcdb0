/* SPDX-License-Identifier: MIT */
/* Whose event it is, and what is known of whom. */
#include "report/culprit.h"

#include <stdlib.h>

#include "report/case_state.h"
#include "report/names.h"
#include "report/tally.h"
#include "util/limits.h"

#define CULPRITS_MAX (LIMIT_CASE_GROUPS / 8)
#define PAUSE_NS (10 * NS_PER_S) /* after so long one process begins anew */

static void keep(struct case_ *c, struct bytes *b)
{
    *b = arena_copy(&c->arena, *b);
}

static void keep_actor(struct case_ *c, struct actor *a)
{
    a->process = process_ref(a->process);
    keep(c, &a->executable);
    keep(c, &a->name);
    keep(c, &a->args);
    keep(c, &a->working_directory);
    keep(c, &a->tty);
    keep(c, &a->script);
    a->cgroup = BYTES_NULL; /* of the event's memory */
}

/* References to its processes are taken; what points into the event's memory is copied. */
static void keep_cause(struct case_ *c, struct cause *cause, const struct cause *from)
{
    struct bytes *const all[] = {
        &cause->run.name,        &cause->run.interpreter, &cause->run.args,        &cause->run.text,
        &cause->run.directory,   &cause->run.file,        &cause->run.package,     &cause->run.environment, &cause->launcher.name,
        &cause->launcher.detail, &cause->launcher.unit,   &cause->person.name,     &cause->person.as_name,
        &cause->person.by,       &cause->person.terminal, &cause->person.remote,   &cause->tool,
        &cause->image,
    };

    cause_copy(cause, from);
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        keep(c, all[i]);
}

static void forget(struct culprit *s)
{
    process_unref(s->actor.process);
    cause_done(&s->cause);
}

/* What is said of it is said of this event's actor. */
static void describe(struct case_ *c, struct culprit *s, const struct event *e)
{
    forget(s);
    s->actor = e->actor;
    keep_actor(c, &s->actor);
    keep_cause(c, &s->cause, &e->cause);
    s->node = arena_copy(&c->arena, e->node);
    s->first_ns = e->time_ns;
    s->own_command = c->options.command_pid > 0 && e->actor.process &&
                     process_descends_from(e->actor.process, c->options.command_pid, c->options.command_start_ns);
}

/* `sort x > y`: the shell's child makes y, and becomes sort then. Both are one command. */
static struct culprit *of_one_command(struct case_ *c, const struct event *e, struct fingerprint key)
{
    bool builtin = e->cause.run.kind == RUN_BUILTIN;

    for (struct culprit *s = c->culprits; s; s = s->next) {
        bool same = s->actor.process && e->actor.process && process_same(s->actor.process, e->actor.process) && s->processes <= 1;

        if (!same || s->cause.launcher.kind != LAUNCHER_PERSON || (s->cause.run.kind == RUN_BUILTIN) == builtin)
            continue;
        if (!builtin) {
            uint64_t first_ns = s->first_ns;

            describe(c, s, e);
            s->first_ns = first_ns;
            s->key = key;
        }
        return s;
    }
    return NULL;
}

struct culprit *case_culprit(struct case_ *c, const struct event *e)
{
    struct fingerprint key = name_cause_key(e);
    struct culprit *s = c->last_culprit, **last = &c->culprits;

    if (s && fingerprint_equal(s->key, key))
        return s;
    for (s = c->culprits; s; last = &s->next, s = s->next)
        if (fingerprint_equal(s->key, key))
            return c->last_culprit = s;
    if (e->cause.launcher.kind == LAUNCHER_PERSON && (s = of_one_command(c, e, key)))
        return c->last_culprit = s;
    if (c->culprit_count >= CULPRITS_MAX || !(s = calloc(1, sizeof(*s))))
        return NULL;
    s->key = key;
    s->order = c->culprit_count++;
    describe(c, s, e);
    *last = s;
    return c->last_culprit = s;
}

static void free_tallies(struct culprit *s)
{
    while (s->tallies) {
        struct tally *t = s->tallies;

        s->tallies = t->next;
        container_unref(t->victim);
        free(t->samples);
        free(t);
    }
}

void culprit_free(struct culprit *s)
{
    free_tallies(s);
    sbuf_done(&s->renamed_to);
    forget(s);
    free(s);
}

/* ---- what counts for each event ---- */

static bool is_new_process(struct case_ *c, const void *owner, pid_t pid)
{
    bool beyond = false;

    return case_see(c, owner, (struct bytes){ (const char *)&pid, sizeof(pid) }, &beyond);
}

static void count_process(struct case_ *c, struct culprit *s, const struct event *e)
{
    if (s->last_pid == e->actor.pid && s->last_pid)
        return;
    s->last_pid = e->actor.pid;
    s->processes += is_new_process(c, s, e->actor.pid);
}

static void count_tool(struct case_ *c, struct culprit *s, const struct event *e)
{
    struct bytes name = name_tool(e);
    struct tool *tool = s->tools;

    if (!name.len)
        return;
    for (; tool < s->tools + s->tool_count; tool++)
        if (bytes_equal(tool->name, name))
            break;
    if (tool == s->tools + TOOLS_MAX) {
        s->tools_beyond++;
        return;
    }
    if (tool == s->tools + s->tool_count) {
        *tool = (struct tool){ .name = arena_copy(&c->arena, name) };
        s->tool_count++;
    }
    if (tool->last_pid != e->actor.pid || !tool->last_pid)
        tool->processes += is_new_process(c, tool, e->actor.pid);
    tool->last_pid = e->actor.pid;
}

static bool is_new_run(struct rhythm *r, pid_t pid, uint64_t start_ns)
{
    for (size_t i = 0; i < RUNS_MAX; i++)
        if (r->runs[i].pid == pid && r->runs[i].start_ns == start_ns)
            return false;
    r->runs[r->next].pid = pid;
    r->runs[r->next].start_ns = start_ns;
    r->next = (r->next + 1) % RUNS_MAX;
    return true;
}

/* Of what is run by the same kind of line: a redirection has that of its shell. */
static bool has_another_line(const struct culprit *s, const struct event *e)
{
    const struct cause_run *first = &s->cause.run, *run = &e->cause.run;

    return first->kind == run->kind && run->kind != RUN_BUILTIN && !bytes_equal(first->args, run->args);
}

/* A run is a process of what was run, not of its tools. */
static void count_run(struct culprit *s, const struct event *e)
{
    const struct process *run = e->cause.run.process;
    struct rhythm *r = &s->rhythm;
    uint64_t apart;
    bool is_new;

    if (!run)
        run = e->actor.process;
    is_new = is_new_run(r, run ? run->pid : e->actor.pid, run ? run->start_ns : e->actor.start_ns);
    r->run_count += is_new;
    is_new |= e->time_ns > r->event_ns + PAUSE_NS;
    r->unknown |= e->time_ns + ONCE_NS < r->event_ns;
    r->event_ns = MAX(r->event_ns, e->time_ns);
    apart = e->time_ns > r->last_ns ? e->time_ns - r->last_ns : 0;
    if (!is_new || (r->occasions && apart < ONCE_NS))
        return;
    if (!r->occasions++) {
        r->first_ns = e->time_ns;
        r->low_ns = UINT64_MAX;
    } else {
        r->low_ns = MIN(r->low_ns, apart);
        r->high_ns = MAX(r->high_ns, apart);
    }
    r->last_ns = e->time_ns;
}

static void count_doubt(struct case_ *c, struct culprit *s, const struct event *e)
{
    size_t i = 0;

    s->presumed += e->actor_presumed;
    if (!event_note_is_doubt(e))
        return;
    while (i < s->note_count && !bytes_equal(s->notes[i].text, e->note))
        i++;
    if (i == NOTES_MAX) {
        s->notes_beyond++;
        return;
    }
    if (i == s->note_count)
        s->notes[s->note_count++].text = arena_copy(&c->arena, e->note);
    s->notes[i].count++;
}

static void add_start(struct culprit *s, const struct event *e)
{
    uint64_t start;

    if (!e->since_start_known || e->error != 0)
        return;
    start = e->time_ns - (uint64_t)e->since_start_ns;
    for (size_t i = 0; i < s->start_count; i++)
        if (s->starts[i].start_ns == start)
            return;
    if (s->start_count < STARTS_MAX)
        s->starts[s->start_count++] = (struct start){ start, e->since_start_ns };
}

void culprit_add(struct case_ *c, struct culprit *s, const struct event *e)
{
    if (!s->last_ns) /* what a filter left out came before: that was somebody else's doing */
        describe(c, s, e);
    count_process(c, s, e);
    count_tool(c, s, e);
    count_run(s, e);
    s->lines_differ |= has_another_line(s, e);
    count_doubt(c, s, e);
    add_start(s, e);
    s->first_ns = MIN(s->first_ns, e->time_ns);
    s->last_ns = MAX(s->last_ns, e->time_ns);
}

bool culprit_is_runtime(const struct culprit *s)
{
    const struct process *p = s->actor.process;

    return p && bytes_equal_str(p->owner.product_kind, "container runtime") && !p->owner.looks_like;
}
