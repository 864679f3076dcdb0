/* SPDX-License-Identifier: MIT */
/* Facts by whom they point at, ranked by the rules that apply to them. */
#include <stdlib.h>

#include "clues/judge.h"

static int weight_of(unsigned rules)
{
    int weight = 0;

    for (unsigned i = 0; i < clue_rule_count; i++)
        weight += rules & 1u << i ? clue_rules[i].weight : 0;
    return weight;
}

/* A rule counts once, however many facts it applies to. */
static void add_fact(const struct clue_circumstances *c, struct clue_suspect *s, const struct clue_fact *f, unsigned rules)
{
    int weight = weight_of(rules);

    s->rules |= rules;
    s->weight = weight_of(s->rules);
    if (!s->shown || weight > s->shown_weight) {
        s->shown = f;
        s->shown_weight = weight;
    }
    s->distance_ns = MIN(s->distance_ns, clue_distance(c->question, f));
}

static int by_weight(const void *a, const void *b)
{
    const struct clue_suspect *x = a, *y = b;

    if (x->weight != y->weight)
        return y->weight - x->weight;
    if (x->distance_ns != y->distance_ns)
        return x->distance_ns < y->distance_ns ? -1 : 1;
    return x->shown < y->shown ? -1 : x->shown > y->shown;
}

size_t clues_judge(const struct clue_circumstances *c, struct clue_suspect *ret)
{
    size_t n = 0, listed = 0;

    for (size_t i = 0; i < c->count; i++) {
        struct bytes name = clue_name_of(c->facts[i].suspect);
        unsigned rules = name.len ? clue_rules_of(c, &c->facts[i]) : 0;
        size_t at = 0;

        if (!rules)
            continue;
        while (at < n && !bytes_equal(ret[at].name, name))
            at++;
        if (at == CLUE_SUSPECTS_MAX)
            continue;
        if (at == n)
            ret[n++] = (struct clue_suspect){ .name = name, .distance_ns = UINT64_MAX };
        add_fact(c, &ret[at], &c->facts[i], rules);
    }
    for (size_t i = 0; i < n; i++)
        if (ret[i].weight >= CLUE_LISTED)
            ret[listed++] = ret[i];
    qsort(ret, listed, sizeof(*ret), by_weight);
    return listed;
}
