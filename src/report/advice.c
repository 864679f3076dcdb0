/* SPDX-License-Identifier: MIT */
#include "report/advice.h"

/* What to do next: where the cause can be looked at, or be kept from doing it again. */
#include "cause/wrapper.h"
#include "event/agent.h"
#include "report/case_state.h"
#include "report/names.h"
#include "report/page.h"
#include "report/sentence.h"
#include "util/escape.h"

static void add_line(struct page *p, const char **label, const char *before, struct bytes text)
{
    if (!text.len)
        return;
    page_begin(p, *label);
    sbuf_add_str(p->out, before);
    escape_terminal(p->out, text);
    page_end(p, PAGE_INDENT);
    *label = "";
}

static bool all_refused(const struct culprit *s)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->error <= 0)
            return false;
    return s->tallies;
}

static void write_agent(struct page *p, const struct culprit *s, const struct agent *a)
{
    const char *label = "next";

    if (!all_refused(s))
        add_line(p, &label, "what it removed: ", a->quarantine);
    add_line(p, &label, "exclude the path: ", a->exclude);
    label = "known";
    add_line(p, &label, "", a->does);
}

/* Who runs containers launches all that is in them: that says nothing of who changed a file. */
static bool runs_containers(const struct agent *a)
{
    return bytes_equal_str(a->kind, "container runtime") || bytes_equal_str(a->kind, "orchestrator");
}

static bool write_launching_agent(struct page *p, const struct process *process)
{
    for (; process; process = process->parent) {
        const struct process *above = process->parent;

        if (!above || !above->owner.product.len || above->owner.looks_like || !above->owner.agent ||
            !above->owner.agent->exclude.len || runs_containers(above->owner.agent) ||
            wrapper_is(bytes_basename(above->executable))) /* start-stop-daemon is dpkg's, and what it begins is not */
            continue;
        page_begin(p, "next");
        sbuf_add_str(p->out, "launched by ");
        escape_terminal(p->out, above->owner.product);
        sbuf_add_str(p->out, ": ");
        escape_terminal(p->out, above->owner.agent->exclude);
        page_end(p, PAGE_INDENT);
        return true;
    }
    return false;
}

/* A volume keeps what the engine drops with a container, and nothing else: not what is on one, nor the engine's own files. */
static bool is_of_own_layer(const struct culprit *s)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->reported && (!t->victim || t->victim_kind != VICTIM_CONTAINER))
            return false;
    return s->cause.launcher.kind == LAUNCHER_ENGINE || s->cause.launcher.kind == LAUNCHER_UNKNOWN ||
           s->cause.launcher.kind == LAUNCHER_SERVICE;
}

/* The commands that show what started it; the name is a word of a shell. */
struct hint {
    enum launcher_kind kind;
    const char *before, *after;
    bool detail; /* a word of the same shell */
};

static const struct hint hints[] = {
    { LAUNCHER_ANACRON, "its job: cat /etc/anacrontab; ls /etc/cron.*", NULL, false },
    { LAUNCHER_AT, "at runs a job once; those that still wait: atq", NULL, false },
    { LAUNCHER_CRON, "its job: crontab -l -u ", " · grep -r . /etc/crontab /etc/cron.d", false },
    { LAUNCHER_TIMER, "its service and timer: systemctl cat ", "", true },
    { LAUNCHER_SERVICE, "its service: systemctl cat ", "", false },
};

/* The place of a cron job: its crontab was found while it ran. */
static bool write_crontab(struct page *p, const struct culprit *s, const char **label)
{
    const struct process *job = s->actor.process;
    struct bytes base;

    while (job && job->launch.kind != LAUNCH_CRONTAB)
        job = job->parent;
    if (!job || !job->launch.place.len)
        return false;
    base = bytes_basename(job->launch.place);
    page_begin(p, *label);
    sbuf_add_str(p->out, "its line in ");
    escape_terminal(p->out, job->launch.place);
    if (bytes_starts_with(job->launch.place, bytes_of("/var/spool/cron/")) && bytes_equal(base, s->cause.launcher.name)) {
        sbuf_add_str(p->out, " (crontab -e -u ");
        escape_shell(p->out, base);
        sbuf_add_char(p->out, ')');
    }
    sbuf_add_str(p->out, ": ");
    escape_terminal(p->out, job->launch.text);
    page_end(p, PAGE_INDENT);
    *label = "";
    return true;
}

static void write_hint(struct page *p, const struct culprit *s, const char **label)
{
    const struct cause_launcher *l = &s->cause.launcher;

    if (l->kind == LAUNCHER_CRON && write_crontab(p, s, label))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        if (hints[i].kind != l->kind || (hints[i].after && !l->name.len))
            continue;
        page_begin(p, *label);
        if (s->actor.process && s->actor.process->container) { /* the host has others */
            sbuf_add_str(p->out, "in container ");
            escape_terminal(p->out, s->actor.process->container->name);
            sbuf_add_str(p->out, ", ");
        }
        sbuf_add_str(p->out, hints[i].before);
        if (hints[i].after)
            escape_shell(p->out, l->name);
        if (hints[i].detail && l->detail.len) {
            sbuf_add_char(p->out, ' ');
            escape_shell(p->out, l->detail);
        }
        sbuf_add_str(p->out, hints[i].after ? hints[i].after : "");
        page_end(p, PAGE_INDENT);
        *label = "";
        return;
    }
}

/* "/opt/jobs/purge:3: rm -f /srv/logs/old": where one line of the script alone comes into question. */
static void write_script_line(struct page *p, const struct case_ *c, const struct culprit *s, const char **label)
{
    _cleanup_sbuf_ struct sbuf line = SBUF_INIT;
    const struct cause_run *run = &s->cause.run;
    const struct tally *said[1];

    if (!c->options.script_line || (run->kind != RUN_SCRIPT && run->kind != RUN_GIT_HOOK) || run->claimed || s->node.len ||
        !run->process || !sentence_tallies(s, said, 1) || !said[0]->sample_count)
        return;
    if (c->options.script_line(run->process, run->name, said[0]->tool_count == 1 ? said[0]->tools[0] : BYTES_NULL,
                               said[0]->samples[0].path, s->last_ns, &line) < 0)
        return;
    page_begin(p, *label);
    sbuf_add_str(p->out, "its line: ");
    escape_terminal(p->out, run->name);
    sbuf_add_char(p->out, ':');
    escape_terminal(p->out, sbuf_bytes(&line));
    page_end(p, PAGE_INDENT);
    *label = "";
}

void advice_write(struct page *p, const struct case_ *c, const struct culprit *s)
{
    const struct process *process = s->actor.process;
    const struct agent *agent = process && !process->owner.looks_like ? process->owner.agent : NULL;
    const char *label = "next";

    if (process && process->owner.agent && !agent)
        return; /* advice for a product that may not be there would mislead */
    if (agent && (!runs_containers(agent) || is_of_own_layer(s))) {
        write_agent(p, s, agent);
        return;
    }
    write_hint(p, s, &label);
    if (*label && write_launching_agent(p, process)) /* nothing more is known of what launched it than its product */
        return;
    write_script_line(p, c, s, &label);
}
