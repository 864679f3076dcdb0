/* SPDX-License-Identifier: MIT */
#include "clues/moment.h"

#include "engine/flat.h"

#define TOGETHER_NS (2 * NS_PER_S)
#define COMMANDS_MAX 48
#define USERS_MAX 64
#define COMMANDS_SIZE (40 * 1024)

/* How much a time says of the moment that is asked for; 0: nothing. */
static unsigned rank_of(const struct clue_fact *f)
{
    if (!f->from_ns || (f->marks & CLUE_STILL))
        return 0;
    if (f->marks & (CLUE_EXACT | CLUE_DID))
        return 5;
    switch (f->kind) {
    case CLUE_MISSING:
        return 4;
    case CLUE_CHANGED:
        return 3;
    case CLUE_TIME: /* a birth explains no loss */
        return f->marks & CLUE_LATEST ? 2 : 1;
    case CLUE_ADDED:
        return 1;
    default:
        return 0;
    }
}

static bool is_asked_for(const struct clue_question *q, uint64_t from_ns, uint64_t to_ns)
{
    return (!q->since_ns || to_ns >= q->since_ns) && (!q->until_ns || from_ns <= q->until_ns);
}

struct moment {
    struct clue_span span;
    unsigned rank;
};

static bool joins(struct moment *m, const struct clue_fact *f, unsigned rank)
{
    if (f->from_ns > m->span.to_ns + TOGETHER_NS || f->to_ns + TOGETHER_NS < m->span.from_ns)
        return false;
    m->span.from_ns = MIN(m->span.from_ns, f->from_ns);
    m->span.to_ns = MAX(m->span.to_ns, f->to_ns);
    m->rank = MAX(m->rank, rank);
    return true;
}

static bool precedes(const struct moment *a, const struct moment *b)
{
    return a->rank != b->rank ? a->rank > b->rank : a->span.to_ns > b->span.to_ns;
}

void moments_find(const struct clue_fact *facts, size_t count, struct clue_question *q)
{
    struct moment found[CLUE_SPANS_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        const struct clue_fact *f = &facts[i];
        unsigned rank = rank_of(f);
        bool joined = false;
        struct moment m;

        if (!rank || !is_asked_for(q, f->from_ns, f->to_ns))
            continue;
        for (size_t j = 0; j < n && !joined; j++)
            joined = joins(&found[j], f, rank);
        if (!joined) {
            found[n] = (struct moment){ { f->from_ns, f->to_ns }, rank };
            n = MIN(n + 1, (size_t)CLUE_SPANS_MAX + 1);
        }
        for (size_t a = 1; a < n; a++)
            for (size_t b = a; b > 0 && precedes(&found[b], &found[b - 1]); b--) {
                m = found[b];
                found[b] = found[b - 1];
                found[b - 1] = m;
            }
        n = MIN(n, (size_t)CLUE_SPANS_MAX);
    }
    /* what is known of the act itself, or of a change, leaves no place for what merely has a time */
    while (n > 1 && found[n - 1].rank < MIN(found[0].rank, 3u))
        n--;
    q->span_count = n;
    for (size_t i = 0; i < n; i++)
        q->spans[i] = found[i].span;
    if (!n && q->since_ns && q->until_ns)
        q->spans[q->span_count++] = (struct clue_span){ q->since_ns, q->until_ns };
}

void moment_commands(const struct clue_fact *facts, size_t count, struct sbuf *ret)
{
    unsigned n = 0;

    for (size_t i = 0; i < count && n < COMMANDS_MAX && ret->len < COMMANDS_SIZE; i++) {
        const struct clue_fact *f = &facts[i];

        if (!(f->marks & CLUE_COMMAND) || !f->suspect.len)
            continue;
        flat_put_bytes(ret, f->text);
        flat_put_bytes(ret, f->suspect);
        flat_put_u64(ret, f->from_ns);
        flat_put_u64(ret, f->marks & (CLUE_STARTED | CLUE_DUE | CLUE_NOT_DUE));
        n++;
    }
}

void moment_users(const struct clue_fact *facts, size_t count, struct sbuf *ret)
{
    unsigned n = 0;

    for (size_t i = 0; i < count && n < USERS_MAX; i++) {
        bool known = !facts[i].user.len || !facts[i].suspect.len;

        for (size_t j = 0; j < i && !known; j++)
            known = facts[j].suspect.len && bytes_equal(facts[j].user, facts[i].user);
        if (known)
            continue;
        sbuf_add_bytes(ret, facts[i].user);
        sbuf_add_char(ret, '\0');
        n++;
    }
}
