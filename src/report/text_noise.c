/* SPDX-License-Identifier: MIT */
#include "report/text_noise.h"

#include "event/operation.h"
#include "report/culprit.h"
#include "report/judge.h"
#include "report/names.h"
#include "report/phrase.h"
#include "report/tally.h"

void text_write_folded(struct page *p, const struct culprit *s)
{
    uint64_t counts[FOLD_COUNT] = { 0 };
    bool any = false;

    if (!culprit_folded(s))
        return;
    for (const struct tally *t = s->tallies; t; t = t->next)
        for (size_t i = 0; i < FOLD_COUNT; i++)
            counts[i] += t->folded[i];
    page_begin(p, "folded");
    for (size_t i = 0; i < FOLD_COUNT; i++) {
        if (!counts[i])
            continue;
        sbuf_addf(p->out, "%s%llu%s %s", any ? " · " : "", (unsigned long long)counts[i],
                  any           ? ""
                  : counts[i] == 1 ? " change"
                                   : " changes",
                  fold_words((enum fold)i));
        any = true;
    }
    page_end(p, PAGE_INDENT);
}

struct noise_sum {
    uint64_t changes, deletions, refused;
};

static struct noise_sum sum_noise(const struct culprit *s)
{
    struct noise_sum sum = { 0 };

    for (const struct tally *t = s->tallies; t; t = t->next) {
        uint64_t n = t->reported + tally_folded(t);

        if (tally_is_around(t))
            continue;
        if (t->error > 0)
            sum.refused += n;
        else
            sum.changes += n;
        if (operation_removes(t->operation) && t->error <= 0)
            sum.deletions += t->reported;
    }
    return sum;
}

static bool is_noise(const struct culprit *s)
{
    return s->noise != NOISE_NONE && s->noise != NOISE_EMPTY;
}

static void add_noise_sum(struct page *p, const struct noise_sum *sum)
{
    sbuf_addf(p->out, "%llu change%s of new files of their own", (unsigned long long)sum->changes,
              sum->changes == 1 ? "" : "s");
    if (sum->deletions)
        sbuf_addf(p->out, ", %llu of them deletions", (unsigned long long)sum->deletions);
    else
        sbuf_add_str(p->out, ", none of them a deletion");
    if (sum->refused)
        sbuf_addf(p->out, "; %llu more attempt%s refused", (unsigned long long)sum->refused,
                  sum->refused == 1 ? " was" : "s were");
}

static void add_name(struct page *p, const struct culprit *s)
{
    bool comma;

    name_subject(p->out, &s->cause, &s->actor, false, &comma);
}

static void write_noise_reasons(struct page *p, const struct case_ *c)
{
    for (enum noise reason = NOISE_NONE; reason < NOISE_COUNT; reason++)
        for (const struct culprit *s = c->culprits; s; s = s->next) {
            struct noise_sum sum = sum_noise(s);

            if (!is_noise(s) || s->noise != reason)
                continue;
            page_begin(p, "");
            add_name(p, s);
            sbuf_add_str(p->out, ": ");
            if (reason == NOISE_AROUND) {
                sbuf_add_str(p->out, noise_words(reason));
            } else {
                add_noise_sum(p, &sum);
                sbuf_addf(p->out, " (%s)", noise_words(reason));
            }
            page_end(p, PAGE_INDENT);
        }
}

void text_write_noise(struct page *p, const struct case_ *c)
{
    struct noise_sum sum = { 0 };
    bool any = false;

    if (c->options.quiet)
        return;
    for (const struct culprit *s = c->culprits; s; s = s->next) {
        struct noise_sum one = sum_noise(s);

        if (!is_noise(s))
            continue;
        sum.changes += one.changes;
        sum.deletions += one.deletions;
        sum.refused += one.refused;
    }
    if (!sum.changes && !sum.refused)
        return;
    page_begin(p, "noise");
    for (const struct culprit *s = c->culprits; s; s = s->next) {
        if (!is_noise(s) || s->noise == NOISE_AROUND)
            continue;
        sbuf_add_str(p->out, any ? ", " : "");
        add_name(p, s);
        any = true;
    }
    sbuf_add_str(p->out, ": ");
    add_noise_sum(p, &sum);
    page_end(p, PAGE_INDENT);
    if (c->options.verbose)
        write_noise_reasons(p, c);
}
