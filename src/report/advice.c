/* SPDX-License-Identifier: MIT */
/* What to do next: where the cause can be looked at, or be kept from doing it again. */
#include "event/agent.h"
#include "report/case_internal.h"
#include "report/names.h"
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

static void write_agent(struct page *p, const struct agent *a)
{
    const char *label = "next";

    add_line(p, &label, "what it removed: ", a->quarantine);
    add_line(p, &label, "exclude the path: ", a->exclude);
    label = "known";
    add_line(p, &label, "", a->does);
}

static bool write_launching_agent(struct page *p, const struct process *process)
{
    for (; process; process = process->parent) {
        const struct process *above = process->parent;

        if (!above || !above->owner.product.len || above->owner.looks_like || !above->owner.agent ||
            !above->owner.agent->exclude.len)
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

/* The commands that show what started it; the name is a word of a shell. */
struct hint {
    enum launcher_kind kind;
    const char *before, *after;
};

static const struct hint hints[] = {
    { LAUNCHER_CRON, "its job: crontab -l -u ", " · grep -r . /etc/crontab /etc/cron.d" },
    { LAUNCHER_AT, "its jobs: atq · as ", "" },
    { LAUNCHER_TIMER, "its service and timer: systemctl cat ", "" },
    { LAUNCHER_SERVICE, "its service: systemctl cat ", "" },
};

static bool write_hint(struct page *p, const struct cause *cause)
{
    struct bytes name = cause->launcher.name;

    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        if (hints[i].kind != cause->launcher.kind || !name.len)
            continue;
        page_begin(p, "next");
        sbuf_add_str(p->out, hints[i].before);
        escape_shell(p->out, name);
        if (hints[i].kind == LAUNCHER_TIMER && cause->launcher.detail.len) {
            sbuf_add_char(p->out, ' ');
            escape_shell(p->out, cause->launcher.detail);
        }
        sbuf_add_str(p->out, hints[i].after);
        page_end(p, PAGE_INDENT);
        return true;
    }
    return false;
}

void advice_write(struct page *p, const struct culprit *s)
{
    const struct process *process = s->actor.process;

    if (process && process->owner.agent) {
        if (!process->owner.looks_like) /* advice for a product that may not be there would mislead */
            write_agent(p, process->owner.agent);
        return;
    }
    if (write_launching_agent(p, process))
        return;
    (void)write_hint(p, &s->cause);
}
