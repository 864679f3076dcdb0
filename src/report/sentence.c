/* SPDX-License-Identifier: MIT */
#include "report/sentence.h"

/* The one sentence of a verdict: who, where, what, with which tools, when. It never says more than the events show. */
#include "event/sentence.h"

#include "event/operation.h"
#include "report/case_state.h"
#include "report/judge.h"
#include "report/name_launcher.h"
#include "report/name_parts.h"
#include "report/names.h"
#include "report/phrase.h"
#include "report/tally.h"
#include "report/when.h"
#include "util/escape.h"

#define SAID_MAX 4
#define TOOLS_SAID 3
#define COMMAND_COLUMNS 100

void case_where(const struct culprit *s, struct sbuf *out)
{
    const struct process *p = s->actor.process;
    bool contained = p && p->origin == ORIGIN_CONTAINER;

    if (s->node.len) { /* of a log of several machines: which one is what counts */
        sbuf_add_str(out, "on ");
        escape_terminal(out, s->node);
        sbuf_add_str(out, contained ? " " : "");
    } else if (p && p->origin == ORIGIN_HOST) {
        sbuf_add_str(out, "on the host");
    }
    if (!contained)
        return;
    sbuf_add_str(out, "in container ");
    if (p->container)
        name_container(out, p->container);
    else
        sbuf_add_str(out, "(not known which)");
    if (case_lives_in_victim(s))
        sbuf_add_str(out, " itself");
}

static bool is_of_a_container(const struct culprit *s)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->victim)
            return true;
    return false;
}

/* Of a person, a service, a playbook nobody asks on which side, unless there are two. */
static bool is_worth_a_place(const struct culprit *s)
{
    enum launcher_kind kind = s->cause.launcher.kind;
    const struct container *c = s->actor.process ? s->actor.process->container : NULL;

    if (c && (kind == LAUNCHER_EXEC || kind == LAUNCHER_COPY || kind == LAUNCHER_KUBECTL_EXEC || kind == LAUNCHER_POD_EXEC ||
              kind == LAUNCHER_HEALTH_CHECK || kind == LAUNCHER_ENTRY_POINT) &&
        bytes_equal(c->name, s->cause.launcher.name))
        return false; /* said with what started it */
    if (s->node.len || is_of_a_container(s) || !s->actor.process || s->actor.process->origin != ORIGIN_HOST)
        return true;
    return kind != LAUNCHER_PERSON && kind != LAUNCHER_CONFIGURATION && kind != LAUNCHER_SERVICE && kind != LAUNCHER_TIMER &&
           kind != LAUNCHER_COMMAND && !s->own_command;
}

/* Opening for writing is worth a word only where nothing followed. */
static bool is_beginning(const struct culprit *s, const struct tally *opened)
{
    if (opened->operation != OPERATION_OPEN_WRITE || opened->error)
        return false;
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->reported && !t->error && t->files >= opened->files &&
            (t->operation == OPERATION_WRITE || t->operation == OPERATION_TRUNCATE || t->operation == OPERATION_UTIME ||
             t->operation == OPERATION_ATTRIBUTES))
            return true;
    return false;
}

/* The times of a folder, which whoever copies or unpacks sets at last: worth a word where there is nothing else. */
static bool is_aside(const struct tally *t)
{
    return (t->operation == OPERATION_UTIME || t->operation == OPERATION_ATTRIBUTES) && t->directory;
}

static bool has_other(const struct culprit *s, unsigned harm)
{
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->reported && t->error == 0 && !is_aside(t) && !is_beginning(s, t) && tally_harm(t) == harm)
            return true;
    return false;
}

/* What it did to files of its own is worth a word only where it did nothing as grave besides. */
static bool is_only_of_its_own(const struct culprit *s, const struct tally *own)
{
    if (own->variant != VARIANT_OWN)
        return false;
    for (const struct tally *t = s->tallies; t; t = t->next)
        if (t->reported && !t->error && t->variant != VARIANT_OWN && tally_harm(t) >= tally_harm(own))
            return true;
    return false;
}

/* What the sentence names: the worst, and the next kinds of the same or the next grade. */
static bool is_worth_a_word(const struct culprit *s, const struct tally *t)
{
    unsigned harm = tally_harm(t);

    if (!t->reported || is_beginning(s, t) || is_only_of_its_own(s, t))
        return false;
    if (t->error > 0)
        return s->harm == 0;
    if (s->harm <= 1 && (has_other(s, 1) || has_other(s, 0)))
        return !is_aside(t) && harm == (has_other(s, 1) ? 1 : 0);
    return s->harm >= 2 ? harm >= 2 : harm == s->harm;
}

size_t sentence_tallies(const struct culprit *s, const struct tally **said, size_t max)
{
    size_t n = 0;

    for (const struct tally *t = s->tallies; t && n < max; t = t->next)
        if (is_worth_a_word(s, t))
            said[n++] = t;
    for (const struct tally *t = s->tallies; t && n == 0 && max; t = t->next)
        if (t->reported) /* what is left is the story */
            said[n++] = t;
    return n;
}

static bool has_more(const struct culprit *s)
{
    const struct tally *said[SAID_MAX + 1];

    return sentence_tallies(s, said, SAID_MAX + 1) > SAID_MAX;
}

static bool holds(const struct bytes *tools, unsigned n, struct bytes name)
{
    for (unsigned i = 0; i < n; i++)
        if (bytes_equal(tools[i], name))
            return true;
    return false;
}

/* "git, with git" */
static bool is_headline(const struct culprit *s, struct bytes tool)
{
    return bytes_equal(tool, s->cause.launcher.name) || bytes_equal(tool, bytes_basename(s->cause.run.name)) ||
           bytes_equal(tool, s->cause.run.interpreter);
}

/* "with rm and cp": where what was run is not what made these changes. */
static void add_tools(const struct culprit *s, const struct tally *const *said, size_t count, struct sbuf *out)
{
    struct bytes tools[TOOLS_SAID];
    unsigned n = 0;
    bool more = false;

    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < said[i]->tool_count; k++) {
            bool named = k < TALLY_TOOLS_MAX &&
                         (holds(tools, n, said[i]->tools[k]) || is_headline(s, said[i]->tools[k]));

            if (!named && k < TALLY_TOOLS_MAX && n < TOOLS_SAID)
                tools[n++] = said[i]->tools[k];
            else
                more |= !named;
        }
    for (unsigned i = 0; i < n; i++) {
        sbuf_add_str(out, i == 0 ? " with " : i + 1 < n || more ? ", " : " and ");
        escape_terminal(out, tools[i]);
    }
    if (more)
        sbuf_add_str(out, " and others");
}

/* Is a tool to be named of it? */
static bool has_tool(const struct culprit *s, const struct tally *t)
{
    for (unsigned i = 0; i < t->tool_count; i++)
        if (i >= TALLY_TOOLS_MAX || !is_headline(s, t->tools[i]))
            return true;
    return false;
}

/* Tools did a part of it alone: "deleted /srv/a with rm and renamed /srv/b to /srv/c" */
static bool has_parts_without_tools(const struct culprit *s, const struct tally *const *said, size_t n)
{
    bool with = false, without = false;

    for (size_t i = 0; i < n; i++) {
        with |= has_tool(s, said[i]);
        without |= said[i]->by_itself || !has_tool(s, said[i]);
    }
    return with && without;
}

static void add_tools_of_deed(const struct culprit *s, const struct tally *t, struct sbuf *out)
{
    if (t->by_itself && has_tool(s, t))
        sbuf_add_str(out, " partly");
    add_tools(s, &t, 1, out);
}

static void add_deeds(const struct culprit *s, const struct tally *const *said, size_t n, struct sbuf *out)
{
    bool with_times = !when_has_rhythm(s), more = has_more(s), apart = has_parts_without_tools(s, said, n);

    if (n == 1 && phrase_above(said[0], out)) {
        add_tools(s, said, n, out);
        return; /* what it meant ends the sentence */
    }
    for (size_t i = 0; i < n; i++) {
        if (i)
            sbuf_add_str(out, i + 1 == n && !more ? " and " : ", ");
        phrase_did(said[i], with_times, i == 0, out);
        if (apart)
            add_tools_of_deed(s, said[i], out);
    }
    if (more)
        sbuf_add_str(out, " and more");
    if (n == 0)
        sbuf_add_str(out, "made and removed files of its own");
    if (!apart)
        add_tools(s, said, n, out);
}

/* What a person typed. */
static void add_command(const struct culprit *s, struct sbuf *out)
{
    if (s->cause.launcher.kind != LAUNCHER_PERSON || !s->cause.run.args.len || !(s->cause.person.known || s->cause.person.interactive))
        return;
    sbuf_add_str(out, ": ");
    if (s->cause.run.text.len && s->cause.run.kind == RUN_COMMAND)
        name_command_line(out, s->cause.run.text, COMMAND_COLUMNS);
    else
        name_run_line(out, &s->cause.run, s->cause.run.args, COMMAND_COLUMNS);
    if (s->lines_differ && s->rhythm.run_count > 1 && !s->rhythm.unknown)
        sbuf_addf(out, " (the first of %llu runs)", (unsigned long long)s->rhythm.run_count);
    else if (s->lines_differ)
        sbuf_add_str(out, " (one of several runs)");
    if (s->cause.run.directory.len) {
        sbuf_add_str(out, ", in ");
        escape_terminal_path(out, s->cause.run.directory, 60);
    }
}

static void add_doubt(const struct culprit *s, struct sbuf *out)
{
    if (s->presumed && s->presumed >= culprit_reported(s))
        sbuf_add_str(out, " (it is not certain that it was this process)");
    else if (s->presumed)
        sbuf_addf(out, " (of %llu change%s it is not certain that it was this process)", (unsigned long long)s->presumed,
                  s->presumed == 1 ? "" : "s");
}

/* "a command given to ssh by ann, as bob by sudo"; "Puppet, run by ann", who a container may know by another name. */
static bool is_user_said(const struct culprit *s, uint32_t uid)
{
    const struct person *p = &s->cause.person;
    bool contained = s->actor.process && s->actor.process->container;

    return name_is_asked_by(&s->cause) && p->id != UID_UNKNOWN && p->as_id == uid && (name_user_changed(p) || !contained);
}

/* As whom, where that is not root and not said already: two users' runs of one script are two. */
static void add_user(const struct culprit *s, bool *comma, struct sbuf *out)
{
    const struct process *p = s->actor.process;
    const struct credentials *cred = actor_credentials(&s->actor);
    struct bytes name = p && p->cred.known && p->cred.euid == cred->euid ? p->user_name : BYTES_NULL;

    if (!cred->known || cred->euid == 0 || s->cause.launcher.kind == LAUNCHER_PERSON || is_user_said(s, cred->euid) ||
        (name.len && bytes_equal(name, s->cause.launcher.name)))
        return;
    sbuf_add_str(out, ", as ");
    name_uid(out, cred->euid, name);
    *comma = true;
}

/* Does it change one container, in which it lives? Then that is named. */
static bool is_at_home(const struct culprit *s)
{
    const struct container *home = s->actor.process ? s->actor.process->container : NULL;
    bool any = false;

    for (const struct tally *t = s->tallies; t; t = t->next) {
        if (!t->victim)
            continue;
        if (!home || !case_victim_same(home, t->victim))
            return false;
        any = true;
    }
    return any;
}

static void add_place(const struct culprit *s, const struct cause *cause, struct sbuf *out)
{
    if (!is_worth_a_place(s))
        return;
    if (!cause->image.len || s->node.len) {
        case_where(s, out);
        return;
    }
    sbuf_add_str(out, "in a container of image ");
    escape_terminal(out, cause->image);
}

void case_sentence(const struct case_ *c, const struct culprit *s, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;
    const struct tally *said[SAID_MAX];
    size_t n = sentence_tallies(s, said, SAID_MAX);
    struct cause cause = s->lines_differ ? name_short(&s->cause) : s->cause; /* borrowed */
    bool comma;

    if (cause.run.kind == RUN_ANSIBLE && s->rhythm.run_count > 1)
        cause.run.text = BYTES_NULL; /* what the first of them executed */
    if (is_at_home(s))
        cause.image = BYTES_NULL;
    name_subject(out, &cause, &s->actor, s->own_command, &comma);
    add_user(s, &comma, out);
    add_place(s, &cause, &where);
    if (where.len) {
        sbuf_add_str(out, ", ");
        sbuf_add_bytes(out, sbuf_bytes(&where));
        comma = true;
    }
    sbuf_add_str(out, comma ? ", " : " ");
    add_deeds(s, said, n, out);
    add_command(s, out);
    when_sentence(c, s, said, n, out);
    add_doubt(s, out);
    if (n == 1 && said[0]->above.len) {
        sbuf_add_str(out, ": ");
        sbuf_add_bytes(out, said[0]->carried);
    }
    sbuf_add_char(out, '.');
}

/* Whose command the engine dropped the layer for: " by docker rm -f web, run by ann". */
static bool add_remover(const struct case_ *c, struct sbuf *out)
{
    const struct culprit *found = NULL;
    bool comma;

    for (const struct culprit *s = c->culprits; s; s = s->next) {
        if (s->noise != NOISE_REMOVED || s->cause.launcher.kind != LAUNCHER_REMOVAL)
            continue;
        if (found)
            return false; /* it was removed more than once */
        found = s;
    }
    if (!found)
        return false;
    sbuf_add_str(out, " by ");
    name_subject(out, &found->cause, &found->actor, found->own_command, &comma);
    sbuf_add_char(out, ',');
    return true;
}

static uint64_t count_dropped(const struct case_ *c)
{
    uint64_t files = 0;

    for (const struct culprit *s = c->culprits; s; s = s->next)
        for (const struct tally *t = s->tallies; t && s->noise == NOISE_REMOVED; t = t->next)
            files += t->operation == OPERATION_UNLINK && !t->error && !t->directory && t->victim_kind == VICTIM_CONTAINER ? t->reported : 0;
    return files;
}

/* files: 0: not known before; those that were seen to go are */
static void say_layer(const struct case_ *c, uint64_t files, struct sbuf *out)
{
    if (!files)
        files = count_dropped(c);
    sbuf_add_str(out, " and its writable layer");
    if (files)
        sbuf_addf(out, " with %llu file%s", (unsigned long long)files, files == 1 ? "" : "s");
    sbuf_add_str(out, " was dropped with ");
}

static void say_removed(const struct case_ *c, struct bytes name, uint64_t files, struct sbuf *out)
{
    sbuf_add_str(out, "Nobody deleted these files by themselves: container ");
    escape_terminal(out, name);
    sbuf_add_str(out, " was removed");
    if (!add_remover(c, out))
        sbuf_add_char(out, ',');
    say_layer(c, files, out);
    sbuf_add_str(out, "it.");
}

void case_filtered(const struct case_ *c, struct sbuf *out)
{
    sbuf_addf(out, "%llu %sevent%s did not match the filters", (unsigned long long)c->filtered,
              c->events ? "more " : "", c->filtered == 1 ? "" : "s");
}

void case_sentence_nobody(const struct case_ *c, struct sbuf *out)
{
    for (size_t i = 0; i < c->explained_count; i++) {
        const struct explained *e = &c->explained[i];

        switch (e->kind) {
        case EXPLANATION_REMOVED:
            if (case_is_explained(c, EXPLANATION_RECREATED))
                continue; /* that says it too, and what came after */
            say_removed(c, e->detail, e->files, out);
            return;
        case EXPLANATION_RECREATED:
            sbuf_add_str(out, "Nobody deleted these files: container ");
            escape_terminal(out, e->detail);
            sbuf_add_str(out, " was created anew");
            if (!add_remover(c, out))
                sbuf_add_char(out, ',');
            say_layer(c, e->files, out);
            sbuf_add_str(out, "the old container.");
            return;
        case EXPLANATION_TMPFS:
            sbuf_add_str(out, "Nobody deleted these files: ");
            escape_terminal(out, e->detail);
            sbuf_add_str(out, " is a tmpfs, and the restart made it anew, empty.");
            return;
        case EXPLANATION_HIDDEN:
            sbuf_add_str(out, "Nobody deleted these files: a mount over ");
            escape_terminal(out, e->detail);
            sbuf_add_str(out, " hides them.");
            return;
        case EXPLANATION_MOUNTED:
            sbuf_add_str(out, "Nobody deleted these files: the container was created anew and has something else there; what it had is in ");
            escape_terminal(out, e->detail);
            sbuf_add_str(out, " on the host.");
            return;
        case EXPLANATION_ABSENT: /* said by coverage_each_answer() */
            continue;
        case EXPLANATION_BEFORE:
            escape_terminal(out, c->options.target);
            sbuf_add_str(out, " was not there when the observation began: what happened to it happened "
                              "before.");
            return;
        }
    }
}
