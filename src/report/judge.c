/* SPDX-License-Identifier: MIT */
/* Judging: how much harm, what is mere noise, and the sentence. It never says more than the events. */
#include "report/case.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "event/operation.h"
#include "event/sentence.h"
#include "report/case_internal.h"
#include "util/err.h"
#include "util/escape.h"

uint64_t tally_net(const struct tally *t)
{
    uint64_t off = t->temporary + t->followed;

    return t->count > off ? t->count - off : 0;
}

static bool counts_each_time(const struct tally *t)
{
    switch (t->operation) {
    case OPERATION_CREATE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK:
    case OPERATION_LINK:
    case OPERATION_RENAME:
        return t->error == 0;
    default:
        return t->error == 0 && operation_removes(t->operation);
    }
}

uint64_t tally_files(const struct tally *t)
{
    if (counts_each_time(t))
        return tally_net(t);
    return t->files_beyond ? 0 : t->files;
}

static bool is_permission_change(enum operation op)
{
    return op == OPERATION_CHMOD || op == OPERATION_CHOWN || op == OPERATION_SETACL ||
           op == OPERATION_SETFLAGS;
}

static unsigned harm_of(const struct tally *t)
{
    uint64_t net = tally_net(t);

    if (t->error > 0 || !net) /* an outcome that is not known may be harm */
        return 0;
    if (operation_removes(t->operation) || t->operation == OPERATION_MOUNT ||
        (t->operation == OPERATION_RENAME && t->moved_out))
        return 3;
    if (t->operation == OPERATION_TRUNCATE)
        return net > t->own_files ? 3 : 0;
    if (is_permission_change(t->operation))
        return net > t->own_files ? 2 : 0;
    if (t->operation == OPERATION_CREATE || t->operation == OPERATION_MKDIR ||
        t->operation == OPERATION_MKNOD || t->operation == OPERATION_SYMLINK ||
        t->operation == OPERATION_LINK || t->operation == OPERATION_READ ||
        t->operation == OPERATION_EXEC)
        return 0;
    return net > t->own_files ? 1 : 0;
}

static bool lives_in_victim(const struct suspect *s)
{
    const struct process *p = s->actor.process;

    for (const struct tally *t = s->tallies; t; t = t->next)
        if (p && p->container && t->victim && case_victim_same(p->container, t->victim))
            return true;
    return false;
}

static bool is_runtime(const struct suspect *s)
{
    const struct process *p = s->actor.process;

    return p && bytes_equal_str(p->owner.product_kind, "container runtime") && !p->owner.looks_like;
}

static bool is_explained(const struct case_ *c, enum explanation kind)
{
    for (size_t i = 0; i < c->explained_count; i++)
        if (c->explained[i].kind == kind)
            return true;
    return false;
}

static bool was_recreated(const struct case_ *c)
{
    return is_explained(c, EXPLANATION_RECREATED) || is_explained(c, EXPLANATION_REMOVED);
}

/* What was recorded says that it was removed, and that its engine deleted files: those of its layer. */
static void explain_removal(struct case_ *c)
{
    bool deleted = false;

    for (const struct suspect *s = c->suspects; s; s = s->next)
        deleted |= is_runtime(s) && s->harm >= 3;
    if (c->removed.len && deleted && !was_recreated(c))
        (void)case_add_explanation(c, EXPLANATION_REMOVED, 0, 0, c->removed);
}

/*
 * Noise is only what does not destroy or re-permission things that were there before: a container's
 * own start-up writes, the runtime's set-up, the user's own command. A runtime that drops the layer
 * of a container that was created anew is told by that explanation, not as a culprit.
 */
static bool is_noise(const struct case_ *c, const struct suspect *s)
{
    if (is_runtime(s))
        return s->harm < 3 || was_recreated(c);
    if (s->harm >= 2)
        return false;
    return lives_in_victim(s) || s->own_command;
}

static int compare_suspects(const void *a, const void *b)
{
    const struct suspect *x = *(const struct suspect *const *)a;
    const struct suspect *y = *(const struct suspect *const *)b;

    if (x->noise != y->noise)
        return x->noise ? 1 : -1;
    if (x->harm != y->harm)
        return x->harm < y->harm ? 1 : -1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void sort_suspects(struct case_ *c)
{
    struct suspect **list = calloc(c->suspect_count + 1, sizeof(struct suspect *));
    struct suspect **last = &c->suspects;
    size_t n = 0;

    if (!list)
        return;
    for (struct suspect *s = c->suspects; s; s = s->next)
        list[n++] = s;
    qsort(list, n, sizeof(*list), compare_suspects);
    for (size_t i = 0; i < n; i++) {
        *last = list[i];
        last = &list[i]->next;
    }
    *last = NULL;
    free(list);
}

static int compare_tallies(const void *a, const void *b)
{
    const struct tally *x = *(const struct tally *const *)a;
    const struct tally *y = *(const struct tally *const *)b;
    unsigned harm_x = harm_of(x), harm_y = harm_of(y);

    if (harm_x != harm_y)
        return harm_x < harm_y ? 1 : -1;
    if ((x->error != 0) != (y->error != 0))
        return x->error != 0 ? 1 : -1;
    if (x->first_ns != y->first_ns)
        return x->first_ns < y->first_ns ? -1 : 1;
    return (int)x->operation - (int)y->operation;
}

static void sort_tallies(struct suspect *s)
{
    struct tally *list[64], **last = &s->tallies;
    size_t n = 0;

    for (struct tally *t = s->tallies; t && n < ARRAY_SIZE(list); t = t->next)
        list[n++] = t;
    if (n == ARRAY_SIZE(list))
        return; /* so many kinds of things by one program: in order of time is good enough */
    qsort(list, n, sizeof(list[0]), compare_tallies);
    for (size_t i = 0; i < n; i++) {
        *last = list[i];
        last = &list[i]->next;
    }
    *last = NULL;
}

void case_judge(struct case_ *c)
{
    bool somebody = false;

    if (c->judged)
        return;
    for (struct suspect *s = c->suspects; s; s = s->next) {
        s->harm = 0;
        for (const struct tally *t = s->tallies; t; t = t->next)
            s->harm = MAX(s->harm, harm_of(t));
    }
    explain_removal(c);
    for (struct suspect *s = c->suspects; s; s = s->next) {
        s->noise = !s->tallies || is_noise(c, s); /* no tallies: beyond the limits, told there */
        somebody |= !s->noise;
    }
    /* if noise is all there is, it is what happened: the runtime's stays noise all the same, where
     * something else explains the loss */
    if (!somebody && !was_recreated(c))
        for (struct suspect *s = c->suspects; s; s = s->next)
            s->noise = !s->tallies;
    for (struct suspect *s = c->suspects; s; s = s->next)
        sort_tallies(s);
    sort_suspects(c);
    c->judged = true;
}

/* ---- words ---- */

struct bytes case_actor_name(const struct suspect *s)
{
    const struct process *p = s->actor.process;

    if (s->actor.executable.len)
        return bytes_basename(s->actor.executable);
    if (p && p->executable.len)
        return bytes_basename(p->executable);
    if (s->actor.name.len)
        return s->actor.name;
    return p ? p->name : BYTES_NULL;
}

static bool knows_executable(const struct suspect *s)
{
    return s->actor.executable.len || (s->actor.process && s->actor.process->executable.len);
}

void case_where(const struct suspect *s, struct sbuf *out)
{
    const struct process *p = s->actor.process;

    if (!p || p->origin == ORIGIN_UNKNOWN)
        return;
    if (p->origin == ORIGIN_HOST) {
        sbuf_add_str(out, "on the host");
        return;
    }
    sbuf_add_str(out, "in container ");
    if (p->container && p->container->name.len)
        escape_terminal(out, p->container->name);
    else if (p->container)
        escape_terminal(out, (struct bytes){ p->container->id.data, MIN(p->container->id.len, (size_t)12) });
    else
        sbuf_add_str(out, "(not known which)");
    if (lives_in_victim(s))
        sbuf_add_str(out, " itself");
}

static void subject(const struct suspect *s, struct sbuf *out)
{
    const struct process *p = s->actor.process;
    const struct owner *owner = p ? &p->owner : NULL;
    struct bytes name = case_actor_name(s);

    if (owner && owner->product.len && !owner->looks_like) {
        escape_terminal(out, owner->product);
        if (bytes_equal_str(owner->product_kind, "EDR") ||
            bytes_equal_str(owner->product_kind, "antivirus"))
            sbuf_add_str(out, "'s agent");
        else if (name.len && !bytes_equal(name, owner->product)) {
            sbuf_add_str(out, " (");
            escape_terminal(out, name);
            sbuf_add_char(out, ')');
        }
    } else if (!name.len) {
        sbuf_add_str(out, "A process that is not known");
    } else if (!knows_executable(s)) {
        sbuf_add_str(out, "A process that looks like \"");
        escape_terminal(out, name);
        sbuf_add_str(out, "\" (name only; its executable is not known)");
    } else if (s->own_command) {
        sbuf_add_str(out, "Your own command's ");
        escape_terminal(out, name);
    } else {
        escape_terminal(out, name);
        if (p && p->script.len) {
            sbuf_add_str(out, " running ");
            escape_terminal(out, p->script);
        }
    }
}

static void count_files(struct sbuf *out, uint64_t n, const struct tally *t)
{
    const char *word = t->operation == OPERATION_RMDIR || t->operation == OPERATION_MKDIR ? "director"
                                                                                          : "file";
    bool dir = word[0] == 'd';

    sbuf_addf(out, "%llu %s%s", (unsigned long long)n, word, dir ? (n == 1 ? "y" : "ies") : n == 1 ? "" : "s");
}

/* One path by its name; several by their number and the directory that holds them. */
static void object(const struct tally *t, bool with_directory, struct sbuf *out)
{
    uint64_t n = tally_files(t);

    if (t->sample_count == 1 && n == 1) {
        escape_terminal_path(out, t->samples[0], 80);
        return;
    }
    if (n)
        count_files(out, n, t);
    else
        sbuf_add_str(out, "files");
    if (with_directory && t->directory.len) {
        sbuf_add_str(out, t->directory.len == 1 ? " below " : " in ");
        escape_terminal_path(out, t->directory, 60);
    }
    if (!n)
        sbuf_addf(out, " (%llu times)", (unsigned long long)t->count);
}

static const char *verb(const struct tally *t)
{
    switch (t->operation) {
    case OPERATION_RENAME:
        return t->moved_out == t->count ? "moved away" : "renamed";
    case OPERATION_RMDIR:
        return "removed";
    case OPERATION_CREATE:
    case OPERATION_MKDIR:
    case OPERATION_MKNOD:
    case OPERATION_SYMLINK:
        return "created";
    case OPERATION_WRITE:
    case OPERATION_OPEN_WRITE:
        return t->operation == OPERATION_WRITE ? "wrote" : "opened for writing";
    default:
        return operation_info(t->operation)->past;
    }
}

/* "deleted 21 files of container web": one part of the sentence. */
static void predicate(const struct tally *t, bool with_victim, struct sbuf *out)
{
    if (t->error != 0) {
        sbuf_addf(out, "tried to %s ", operation_info(t->operation)->name);
        object(t, !t->victim, out);
        if (t->error > 0)
            sbuf_addf(out, " and was refused (%s)", errno_name(t->error) ? errno_name(t->error) : "?");
        else
            sbuf_add_str(out, " (whether it did is not known)");
        return;
    }
    if (t->gains_write && t->sample_count == 1) {
        sbuf_add_str(out, "made ");
        object(t, true, out);
        sbuf_add_str(out, " writable");
    } else {
        sbuf_add_str(out, verb(t));
        sbuf_add_char(out, ' ');
        object(t, !t->victim, out);
    }
    if (with_victim && t->victim) {
        sbuf_add_str(out, " of container ");
        escape_terminal(out, t->victim->name.len
                                 ? t->victim->name
                                 : (struct bytes){ t->victim->id.data, MIN(t->victim->id.len, (size_t)12) });
        if (t->sharers.len) {
            sbuf_add_str(out, " (also of ");
            sentence_names(out, t->sharers, 5);
            sbuf_add_char(out, ')');
        }
    }
    /* `who` reads a long run by samples: what the rest was, nobody has looked at */
    if (t->temporary && t->count > t->seen)
        sbuf_addf(out, " (%llu of the first %llu were its own temporary files)",
                  (unsigned long long)t->temporary, (unsigned long long)t->seen);
    if (t->moved_first)
        sbuf_add_str(out, t->moved_first == t->count ? " (moved away first)" : " (some moved away first)");
}

/* What the sentence names: the worst, and the next kinds of the same or the next grade. */
static bool worth_a_word(const struct suspect *s, const struct tally *t)
{
    unsigned harm = harm_of(t);

    if (!tally_net(t))
        return false;
    if (t->error > 0)
        return s->harm == 0;
    if (s->harm >= 2)
        return harm >= 2;
    return harm == s->harm;
}

static void add_when(const struct suspect *s, struct sbuf *out)
{
    const struct tally *first = NULL;

    for (const struct tally *t = s->tallies; t; t = t->next)
        if (worth_a_word(s, t) && (!first || t->first_ns < first->first_ns))
            first = t;
    if (!first)
        return;
    if (first->since_start_known && first->victim && first->since_start_ns >= 0) {
        double since = (double)first->since_start_ns / 1e9;

        if (since >= 3600)
            sbuf_addf(out, ", %.1f h after ", since / 3600);
        else if (since >= 120)
            sbuf_addf(out, ", %.0f min after ", since / 60);
        else
            sbuf_addf(out, ", %.1f s after ", since);
        escape_terminal(out, first->victim->name);
        sbuf_add_str(out, " started");
    } else {
        time_t seconds = (time_t)(first->first_ns / NS_PER_S);
        struct tm tm;

        localtime_r(&seconds, &tm);
        sbuf_addf(out, ", at %02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
    }
}

void case_sentence(const struct case_ *c, const struct suspect *s, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;
    const struct tally *said[4];
    size_t n = 0;

    (void)c;
    subject(s, out);
    case_where(s, &where);
    if (where.len) {
        sbuf_add_str(out, ", ");
        sbuf_add_bytes(out, sbuf_bytes(&where));
        sbuf_add_char(out, ',');
    }
    sbuf_add_char(out, ' ');
    for (const struct tally *t = s->tallies; t && n < ARRAY_SIZE(said); t = t->next)
        if (worth_a_word(s, t))
            said[n++] = t;
    for (size_t i = 0; i < n; i++) {
        if (i)
            sbuf_add_str(out, i + 1 == n ? " and " : ", ");
        predicate(said[i], i == 0, out);
    }
    if (n == 0)
        sbuf_add_str(out, "made and removed files of its own");
    add_when(s, out);
    sbuf_add_char(out, '.');
}

void case_what(const struct tally *t, struct sbuf *out)
{
    _cleanup_sbuf_ struct sbuf change = SBUF_INIT;
    uint64_t net = tally_net(t), n = tally_files(t);

    if (t->error != 0) {
        sbuf_addf(out, "%s of ", operation_info(t->operation)->name);
        object(t, true, out);
        if (t->error > 0)
            sbuf_addf(out, " refused (%s)", errno_name(t->error) ? errno_name(t->error) : "?");
        else
            sbuf_add_str(out, ", outcome not known");
        return;
    }
    if (is_permission_change(t->operation) && t->sample_count == 1 && n == 1) {
        struct event e = { .operation = t->operation, .before = t->before, .after = t->after };

        sentence_change(&change, &e);
        escape_terminal_path(out, t->samples[0], 80);
        if (change.len) {
            sbuf_add_char(out, ' ');
            sbuf_add_bytes(out, sbuf_bytes(&change));
        } else {
            sbuf_addf(out, " %s", operation_info(t->operation)->name);
        }
        return;
    }
    if (net) {
        if (n)
            count_files(out, n, t);
        else
            sbuf_add_str(out, "files");
        sbuf_addf(out, " %s", t->operation == OPERATION_RENAME && t->moved_out == t->count
                                  ? "moved away"
                              : t->operation == OPERATION_WRITE ? "written"
                              : t->operation == OPERATION_CHMOD || t->operation == OPERATION_CHOWN ||
                                      t->operation == OPERATION_SETXATTR ||
                                      t->operation == OPERATION_REMOVEXATTR ||
                                      t->operation == OPERATION_SETACL ||
                                      t->operation == OPERATION_SETFLAGS ||
                                      t->operation == OPERATION_UTIME
                                  ? operation_info(t->operation)->name
                                  : verb(t));
        if (t->sample_count == 1 && n == 1) {
            sbuf_add_str(out, ": ");
            escape_terminal_path(out, t->samples[0], 80);
        } else if (t->directory.len) {
            sbuf_add_str(out, t->directory.len == 1 ? " below " : " in ");
            escape_terminal_path(out, t->directory, 80);
        }
        if (!n)
            sbuf_addf(out, " (%llu times)", (unsigned long long)t->count);
    }
    if (t->temporary)
        sbuf_addf(out, "%s%llu of its own temporary files %s", net ? ", " : "",
                  (unsigned long long)t->temporary, verb(t));
}

static int compare_starts(const void *a, const void *b)
{
    const struct start *x = a, *y = b;

    return x->start_ns < y->start_ns ? -1 : x->start_ns > y->start_ns;
}

void case_pattern(const struct case_ *c, const struct suspect *s, struct sbuf *out)
{
    struct start starts[STARTS_MAX];
    int64_t low = INT64_MAX, high = INT64_MIN;

    if (s->start_count < 2)
        return;
    memcpy(starts, s->starts, sizeof(starts));
    qsort(starts, s->start_count, sizeof(starts[0]), compare_starts);
    for (size_t i = 0; i < s->start_count; i++) {
        low = MIN(low, starts[i].since_ns);
        high = MAX(high, starts[i].since_ns);
    }
    if (c->starts > s->start_count)
        sbuf_addf(out, "after %zu of the last %llu starts", s->start_count,
                  (unsigned long long)c->starts);
    else
        sbuf_addf(out, "after each of the last %zu starts", s->start_count);
    sbuf_addf(out, ", %.1f to %.1f s after the start", (double)low / 1e9, (double)high / 1e9);
}

static void say_removed(struct bytes name, uint64_t files, struct sbuf *out)
{
    sbuf_add_str(out, "Nobody deleted these files by themselves: container ");
    escape_terminal(out, name);
    sbuf_add_str(out, " was removed, and its writable layer");
    if (files)
        sbuf_addf(out, " with %llu file%s", (unsigned long long)files, files == 1 ? "" : "s");
    sbuf_add_str(out, " was dropped with it.");
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
            if (is_explained(c, EXPLANATION_RECREATED))
                continue; /* that says it too, and what came after */
            say_removed(e->detail, e->files, out);
            return;
        case EXPLANATION_RECREATED:
            sbuf_add_str(out, "Nobody deleted these files: container ");
            escape_terminal(out, e->detail);
            sbuf_add_str(out, " was created anew, and its writable layer");
            if (e->files)
                sbuf_addf(out, " with %llu file%s", (unsigned long long)e->files,
                          e->files == 1 ? "" : "s");
            sbuf_add_str(out, " was dropped with the old container.");
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
        case EXPLANATION_BEFORE:
            escape_terminal(out, c->options.target);
            sbuf_add_str(out, " was not there when the observation began: what happened to it happened "
                              "before.");
            return;
        }
    }
}
