/* SPDX-License-Identifier: MIT */
/* The verdicts for people (ux.md): the answer last and biggest, every number true. */
#include "report/case.h"

#include <sys/stat.h>
#include <time.h>

#include "event/agent.h"
#include "event/ecs.h"
#include "event/operation.h"
#include "event/sentence.h"
#include "report/coverage.h"
#include "util/escape.h"
#include "util/limits.h"

#define LABEL 10
#define CHAIN_SHOWN 8

struct page {
    struct sbuf *out;
    bool colour;
    unsigned columns;
    const char *label; /* of the line that is being written; told once */
};

static long utc_offset(uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S);
    struct tm tm;

    localtime_r(&s, &tm);
    return tm.tm_gmtoff;
}

static void add_time(struct sbuf *out, uint64_t time_ns)
{
    sentence_time(out, time_ns, utc_offset(time_ns));
}

/* With the day, where it is not today. */
static void add_date_time(struct sbuf *out, uint64_t time_ns)
{
    time_t s = (time_t)(time_ns / NS_PER_S), now = time(NULL);
    struct tm tm, today;

    localtime_r(&s, &tm);
    localtime_r(&now, &today);
    if (tm.tm_year != today.tm_year || tm.tm_yday != today.tm_yday)
        sbuf_addf(out, "%04d-%02d-%02d ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    add_time(out, time_ns);
}

static void begin_line(struct page *p, const char *label)
{
    sbuf_addf(p->out, "  %s%-*s%s", p->colour ? "\x1b[2m" : "", LABEL, label, p->colour ? "\x1b[0m" : "");
}

static void end_line(struct page *p)
{
    sbuf_add_char(p->out, '\n');
}

/* ---- one suspect ---- */

static void write_who(struct page *p, const struct suspect *s)
{
    const struct process *process = s->actor.process;
    const struct credentials *cred = s->actor.cred.known || !process ? &s->actor.cred : &process->cred;
    struct bytes executable = s->actor.executable.len || !process ? s->actor.executable
                                                                  : process->executable;
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;

    begin_line(p, "who");
    if (executable.len) {
        escape_terminal(p->out, executable);
        if (process && process->executable_memfd)
            sbuf_add_str(p->out, " (a file in memory only)");
        else if (process && process->executable_deleted)
            sbuf_add_str(p->out, " (deleted since it started)");
    } else if (case_actor_name(s).len) {
        sbuf_add_str(p->out, "calls itself ");
        escape_terminal(p->out, case_actor_name(s));
    } else {
        sbuf_add_str(p->out, "not known");
    }
    if (s->actor.pid > 0 && s->processes == 1)
        sbuf_addf(p->out, " · pid %d", s->actor.pid);
    else if (s->processes > 1)
        sbuf_addf(p->out, " · %llu processes, the first pid %d", (unsigned long long)s->processes,
                  s->actor.pid);
    if (cred->known) {
        sbuf_add_str(p->out, " · ");
        if (process && process->user_name.len && process->cred.euid == cred->euid)
            escape_terminal(p->out, process->user_name);
        else if (cred->euid == 0)
            sbuf_add_str(p->out, "root");
        else
            sbuf_addf(p->out, "uid %u", cred->euid);
        if (cred->uid != cred->euid)
            sbuf_addf(p->out, " (started by uid %u)", cred->uid);
    }
    case_where(s, &where);
    if (where.len) {
        sbuf_add_str(p->out, " · ");
        sbuf_add_bytes(p->out, sbuf_bytes(&where));
        if (process && process->origin == ORIGIN_HOST)
            sbuf_add_str(p->out, ", not in a container");
    }
    end_line(p);
    if (process && process->script.len) {
        begin_line(p, "script");
        escape_terminal(p->out, process->script);
        end_line(p);
    }
}

static void add_link(struct sbuf *out, const struct process *process)
{
    struct bytes name = process_display_name(process);

    if (name.len)
        escape_terminal(out, name);
    else
        sbuf_add_char(out, '?');
    sbuf_addf(out, "(%d%s)", process->pid, process->exited_ns ? ", exited" : "");
}

static void write_chain(struct page *p, const struct suspect *s)
{
    const struct process *chain[LIMIT_LINEAGE], *process = s->actor.process;
    size_t n = 0;

    for (; process && n < ARRAY_SIZE(chain); process = process->parent)
        chain[n++] = process;
    if (n < 2)
        return;
    begin_line(p, "chain");
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
    end_line(p);
}

static void write_owner(struct page *p, const struct suspect *s)
{
    const struct process *process = s->actor.process;
    const struct owner *o = process ? &process->owner : NULL;
    const char *dot = "";

    if (!o || (!o->unit.len && !o->package.len && !o->product.len))
        return;
    begin_line(p, "owner");
    if (o->unit.len) {
        sbuf_add_str(p->out, "unit ");
        escape_terminal(p->out, o->unit);
        dot = " · ";
    }
    if (o->package.len) {
        sbuf_addf(p->out, "%spackage ", dot);
        escape_terminal(p->out, o->package);
        if (o->package_version.len) {
            sbuf_add_char(p->out, ' ');
            escape_terminal(p->out, o->package_version);
        }
        dot = " · ";
    }
    if (o->product.len) {
        sbuf_addf(p->out, "%s%s ", dot, o->looks_like ? "looks like" : "product");
        escape_terminal(p->out, o->product);
        if (o->product_kind.len) {
            sbuf_add_str(p->out, " (");
            escape_terminal(p->out, o->product_kind);
            sbuf_add_str(p->out, o->looks_like ? "), by its name only" : ")");
        }
    }
    end_line(p);
}

static void write_what(struct page *p, const struct suspect *s)
{
    bool first = true;

    begin_line(p, "what");
    for (const struct tally *t = s->tallies; t; t = t->next) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;

        case_what(t, &text);
        if (!text.len)
            continue;
        sbuf_add_str(p->out, first ? "" : " · ");
        sbuf_add_bytes(p->out, sbuf_bytes(&text));
        first = false;
    }
    end_line(p);
}

static void write_when(struct page *p, const struct case_ *c, const struct suspect *s)
{
    _cleanup_sbuf_ struct sbuf pattern = SBUF_INIT;
    uint64_t start = 0;
    const struct container *victim = NULL;

    for (const struct tally *t = s->tallies; t && !start; t = t->next)
        if (t->since_start_known && t->victim) {
            start = t->first_ns - (uint64_t)t->since_start_ns;
            victim = t->victim;
        }
    begin_line(p, "when");
    add_date_time(p->out, s->first_ns);
    if (s->last_ns > s->first_ns) {
        sbuf_add_str(p->out, " to ");
        add_date_time(p->out, s->last_ns);
    }
    if (victim) {
        sbuf_add_str(p->out, ", ");
        escape_terminal(p->out, victim->name);
        sbuf_add_str(p->out, " started at ");
        add_time(p->out, start);
    }
    case_pattern(c, s, &pattern);
    if (pattern.len) {
        sbuf_add_str(p->out, " · ");
        sbuf_add_bytes(p->out, sbuf_bytes(&pattern));
    }
    end_line(p);
}

static void write_next(struct page *p, const struct suspect *s)
{
    const struct process *process = s->actor.process;
    const struct agent *a = process ? process->owner.agent : NULL;
    const char *label = "next";

    if (a) {
        if (process->owner.looks_like)
            return; /* advice for a product that may not be there would mislead */
        if (a->quarantine.len) {
            begin_line(p, label);
            sbuf_add_str(p->out, "what it removed: ");
            escape_terminal(p->out, a->quarantine);
            end_line(p);
            label = "";
        }
        if (a->exclude.len) {
            begin_line(p, label);
            sbuf_add_str(p->out, "exclude the path: ");
            escape_terminal(p->out, a->exclude);
            end_line(p);
            label = "";
        }
        if (a->does.len) {
            begin_line(p, "known");
            escape_terminal(p->out, a->does);
            end_line(p);
        }
        return;
    }
    for (; process; process = process->parent) {
        const struct process *above = process->parent;

        if (!above || !above->owner.product.len || above->owner.looks_like || !above->owner.agent ||
            !above->owner.agent->exclude.len)
            continue;
        begin_line(p, label);
        sbuf_add_str(p->out, "launched by ");
        escape_terminal(p->out, above->owner.product);
        sbuf_add_str(p->out, ": ");
        escape_terminal(p->out, above->owner.agent->exclude);
        end_line(p);
        return;
    }
}

/* ---- the case ---- */

static void write_coverage_line(void *data, const char *label, struct bytes text)
{
    struct page *p = data;

    begin_line(p, label);
    sbuf_add_bytes(p->out, text);
    end_line(p);
}

static void write_unwatched_line(void *data, struct bytes text)
{
    write_coverage_line(data, "besides", text);
}

/* What was seen and is not told, because the user asked for something else. */
static void write_left_out(struct page *p, const struct case_ *c)
{
    if (c->filtered) {
        begin_line(p, "filter");
        case_filtered(c, p->out);
        end_line(p);
    }
    if (c->allowed) {
        begin_line(p, "allowed");
        sbuf_addf(p->out, "%llu change%s to what --allow permits", (unsigned long long)c->allowed,
                  c->allowed == 1 ? "" : "s");
        end_line(p);
    }
}

static void write_coverage(struct page *p, const struct case_ *c)
{
    coverage_each_line(c, write_coverage_line, p);
    for (size_t i = 0; i < c->gap_count; i++) {
        struct sentence_style style = { .utc_offset_s = utc_offset(c->gaps[i].from_ns) };

        begin_line(p, i ? "" : "gap");
        sentence_gap(p->out, &c->gaps[i], &style);
        end_line(p);
    }
}

static void write_noise(struct page *p, const struct case_ *c)
{
    uint64_t changes = 0, deletions = 0, refused = 0;
    bool any = false;

    for (const struct suspect *s = c->suspects; s; s = s->next) {
        if (!s->noise)
            continue;
        for (const struct tally *t = s->tallies; t; t = t->next) {
            if (t->error > 0)
                refused += t->count;
            else
                changes += t->count;
            if (operation_removes(t->operation) && t->error <= 0)
                deletions += tally_net(t);
        }
    }
    if (!changes && !refused)
        return;
    begin_line(p, "noise");
    for (const struct suspect *s = c->suspects; s; s = s->next) {
        struct bytes name = case_actor_name(s);

        if (!s->noise || !s->tallies)
            continue;
        if (any)
            sbuf_add_str(p->out, ", ");
        if (name.len)
            escape_terminal(p->out, name);
        else
            sbuf_add_str(p->out, "unknown");
        any = true;
    }
    sbuf_addf(p->out, ": %llu change%s of their own set-up", (unsigned long long)changes,
              changes == 1 ? "" : "s");
    if (deletions)
        sbuf_addf(p->out, ", %llu of them deletions", (unsigned long long)deletions);
    else
        sbuf_add_str(p->out, ", none of them a deletion");
    if (refused)
        sbuf_addf(p->out, "; %llu more attempt%s refused", (unsigned long long)refused,
                  refused == 1 ? " was" : "s were");
    end_line(p);
}

static void write_command(const struct case_ *c, struct sbuf *out)
{
    if (!c->options.command.len)
        return;
    escape_terminal(out, c->options.command);
    if (c->options.command_status >= 0)
        sbuf_addf(out, ": exit %d after %.1f s", c->options.command_status,
                  (double)c->options.command_ns / 1e9);
    else
        sbuf_add_str(out, ": did not end");
    sbuf_addf(out, "; %.1f s more for late changes", (double)c->options.settle_ns / 1e9);
    if (c->own_status >= 0 && c->options.command_status > 0)
        sbuf_addf(out, "; culprit's own exit status: %d", c->own_status);
    sbuf_add_char(out, '\n');
}

static void write_question(struct page *p, const struct case_ *c, const char *options)
{
    sbuf_addf(p->out, "culprit who %s", options);
    if (c->options.store.len) {
        sbuf_add_str(p->out, "--store ");
        escape_shell(p->out, c->options.store);
        sbuf_add_char(p->out, ' ');
    }
    escape_terminal(p->out, c->options.target);
}

static void write_later(struct page *p, const struct case_ *c)
{
    if (c->options.stored || c->options.not_recorded)
        return;
    begin_line(p, "later");
    write_question(p, c, "");
    end_line(p);
}

static void write_answer(void *data, struct bytes text)
{
    struct page *p = data;

    sbuf_addf(p->out, "%sculprit: %s", p->colour ? "\x1b[1m" : "", p->colour ? "\x1b[0m" : "");
    sbuf_add_bytes(p->out, text);
    end_line(p);
}

static void write_nobody(struct page *p, const struct case_ *c)
{
    if (!c->explained_count) {
        coverage_each_answer(c, write_answer, p);
        return;
    }
    sbuf_addf(p->out, "%sVERDICT  ", p->colour ? "\x1b[1m" : "");
    case_sentence_nobody(c, p->out);
    sbuf_addf(p->out, "%s\n", p->colour ? "\x1b[0m" : "");
}

static void write_suspect(struct page *p, const struct case_ *c, const struct suspect *s, bool is_last)
{
    sbuf_addf(p->out, "%sVERDICT  ", p->colour ? "\x1b[1m" : "");
    case_sentence(c, s, p->out);
    sbuf_addf(p->out, "%s\n", p->colour ? "\x1b[0m" : "");
    if (c->options.quiet)
        return;
    write_who(p, s);
    write_chain(p, s);
    write_owner(p, s);
    write_what(p, s);
    write_when(p, c, s);
    if (is_last)
        write_noise(p, c);
    write_next(p, s);
}

/* How many verdicts are written in whole; the others are summed. */
static unsigned count_shown(const struct case_ *c)
{
    unsigned count = 0;

    for (const struct suspect *s = c->suspects; s; s = s->next)
        count += !s->noise;
    return MIN(count, c->options.limit ? c->options.limit : CASE_LIMIT);
}

static void write_more(struct page *p, const struct case_ *c, unsigned shown)
{
    unsigned long long changes = 0;
    unsigned causes = 0, at = 0;

    for (const struct suspect *s = c->suspects; s; s = s->next) {
        if (s->noise || at++ < shown)
            continue;
        causes++;
        for (const struct tally *t = s->tallies; t; t = t->next)
            changes += t->count;
    }
    if (!causes)
        return;
    sbuf_addf(p->out, "\nand %u more cause%s with %llu change%s: ", causes, causes == 1 ? "" : "s", changes,
              changes == 1 ? "" : "s");
    if (c->options.stored)
        sbuf_add_str(p->out, "--limit 0 shows all");
    else if (c->options.not_recorded)
        sbuf_add_str(p->out, "--limit 0 would have shown all");
    else
        write_question(p, c, "--limit 0 ");
    sbuf_add_char(p->out, '\n');
}

static void write_suspects(struct page *p, const struct case_ *c, unsigned shown)
{
    unsigned at = 0;

    for (const struct suspect *s = c->suspects; s && at < shown; s = s->next) {
        if (s->noise)
            continue;
        if (at++ && !c->options.quiet)
            sbuf_add_char(p->out, '\n');
        write_suspect(p, c, s, at == shown);
    }
    write_more(p, c, shown);
}

/* A verdict that may be incomplete says so, however little is asked for. */
static void write_quiet_end(struct page *p, const struct case_ *c)
{
    if (!case_lost(c))
        return;
    sbuf_add_str(p->out, "culprit: ");
    coverage_write_loss(c, p->out);
    sbuf_add_char(p->out, '\n');
}

void case_write_text(struct case_ *c, bool colour, unsigned columns, struct sbuf *out)
{
    struct page p = { .out = out, .colour = colour, .columns = columns };
    unsigned shown;

    case_judge(c);
    if (!c->options.quiet)
        write_command(c, out);
    if (c->options.command.len && !c->options.quiet)
        sbuf_add_char(out, '\n');
    shown = count_shown(c);
    write_suspects(&p, c, shown);
    if (c->options.quiet) {
        if (!shown)
            write_nobody(&p, c);
        write_quiet_end(&p, c);
        return;
    }
    if (!shown) {
        write_nobody(&p, c);
        write_noise(&p, c);
    } else if (c->explained_count) {
        begin_line(&p, "also");
        case_sentence_nobody(c, out);
        end_line(&p);
    }
    if (c->beyond) {
        begin_line(&p, "beyond");
        sbuf_addf(out, "%llu changes by more programs than a case can hold; all are in the store",
                  (unsigned long long)c->beyond);
        end_line(&p);
    }
    if (shown)
        write_left_out(&p, c);
    if (shown || c->explained_count || c->gap_count)
        write_coverage(&p, c);
    if (shown)
        coverage_each_unwatched(c, write_unwatched_line, &p);
    if (shown)
        write_later(&p, c);
}
