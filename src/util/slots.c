/* SPDX-License-Identifier: MIT */
#include "util/slots.h"

#include <errno.h>
#include <stdlib.h>

#define BITS_MAX 31u
#define MANY 4096u   /* elements: so many do not fit into the processor's nearest memory */
#define SIZE_KEPT 64u /* slots: a table of fewer is not made smaller */
#define AT_ONCE 16u  /* elements whose slots are fetched from memory at the same time */

void slots_done(struct slots *s)
{
    free(s->at);
    *s = (struct slots){ 0 };
}

/* How many slots may be in use, dead ones included: at least one stays empty, so that every search ends. */
static uint32_t limit(uint32_t size)
{
    return size <= SLOTS_FEW ? size : size - size / 8;
}

/* Few: what fits into the blocks that malloc() has. */
static uint32_t size_for(uint32_t count)
{
    uint64_t size = (uint64_t)count + count / 7 + 2;

    if (count <= SLOTS_FEW)
        return count <= 6 ? 6 : count <= 10 ? 10 : SLOTS_FEW;
    return size > UINT32_MAX ? 0 : (uint32_t)size;
}

static uint8_t bits_for(uint32_t number)
{
    unsigned bits = 12;

    /* numbers that are given later are greater: not each of them shall be a reason to begin anew */
    while (bits < BITS_MAX && number >> (bits - 1))
        bits++;
    return (uint8_t)bits;
}

static void put(struct slots *s, uint32_t hash, uint32_t number)
{
    uint32_t i = slots_home(s, hash);

    while (s->at[i] && s->at[i] != SLOTS_DEAD)
        i = i + 1 == s->size ? 0 : i + 1;
    if (s->at[i] == SLOTS_DEAD)
        s->dead--;
    s->at[i] = slots_value(s, hash, number);
    s->used++;
    if (i < s->first)
        s->first = i;
}

struct some {
    uint32_t hash[AT_ONCE], number[AT_ONCE];
    unsigned count;
};

static void put_many(struct slots *s, struct some *some)
{
    for (unsigned i = 0; i < some->count; i++)
        put(s, some->hash[i], some->number[i]);
    some->count = 0;
}

/* In ascending order, for which neighbours lie in memory: the hash of each element has to be asked for. -ENOMEM */
static int move_in_order(struct slots *to, const struct slots *from, slots_hash *hash, const void *data)
{
    uint32_t mask = (1u << from->bits) - 1, words = (mask >> 6) + 1;
    struct some some = { .count = 0 };
    uint64_t *there = from->used >= MANY && from->used > mask / 64 ? calloc(words, sizeof(*there)) : NULL;

    if (!there)
        return -ENOMEM;
    for (uint32_t i = 0; i < from->size; i++)
        if (from->at[i] && from->at[i] != SLOTS_DEAD)
            there[(from->at[i] & mask) >> 6] |= 1ull << (from->at[i] & 63);
    for (uint32_t i = 0; i < words; i++)
        for (uint64_t rest = there[i]; rest; rest &= rest - 1) {
            uint32_t n = i << 6 | (uint32_t)__builtin_ctzll(rest);

            some.hash[some.count] = hash(data, n);
            some.number[some.count] = n;
            __builtin_prefetch(&to->at[slots_home(to, some.hash[some.count])], 1);
            if (++some.count == AT_ONCE)
                put_many(to, &some);
        }
    put_many(to, &some);
    free(there);
    return 0;
}

static void move(struct slots *to, const struct slots *from, slots_hash *hash, const void *data)
{
    if (move_in_order(to, from, hash, data) == 0)
        return;
    for (uint32_t i = 0; i < from->size; i++)
        if (from->at[i] && from->at[i] != SLOTS_DEAD) {
            uint32_t n = from->at[i] & ((1u << from->bits) - 1);

            put(to, hash(data, n), n);
        }
}

static bool fits(const struct slots *s, uint32_t number)
{
    return s->bits && number < (1u << s->bits) - 1;
}

/* Another table of that size, for numbers up to `number`. -ENOMEM: it is as it was. */
static int make_anew(struct slots *s, uint32_t size, uint32_t number, slots_hash *hash, const void *data)
{
    struct slots other = { .bits = fits(s, number) ? s->bits : bits_for(number), .expects = s->expects, .size = size, .first = size };

    if (!size || number >= (1u << other.bits) - 1)
        return -ENOMEM;
    other.at = calloc(size, sizeof(*other.at));
    if (!other.at)
        return -ENOMEM;
    move(&other, s, hash, data);
    free(s->at);
    *s = other;
    return 0;
}

int slots_reserve(struct slots *s, uint32_t number, slots_hash *hash, const void *data)
{
    uint32_t most = limit(s->size);

    if (fits(s, number) && s->used + s->dead < most && (s->size < SIZE_KEPT || s->expects || s->used > s->size / 8))
        return 0;
    /* the dead are swept out, and if that does not make enough room, or too much, the size changes */
    if ((s->used > most / 2 || s->expects) && s->used < most - most / 16)
        return make_anew(s, s->size, number, hash, data);
    return make_anew(s, size_for(s->used + s->used / 4 + 1), number, hash, data);
}

void slots_expect(struct slots *s, uint32_t more, uint32_t last, slots_hash *hash, const void *data)
{
    uint32_t count;

    if (__builtin_add_overflow(s->used + s->dead, more, &count))
        return;
    if ((fits(s, last) && limit(s->size) > count) || make_anew(s, size_for(s->used + more), last, hash, data) == 0)
        s->expects = true;
}

void slots_settle(struct slots *s, slots_hash *hash, const void *data)
{
    if (s->expects && s->size >= SIZE_KEPT && s->used < s->size / 2)
        (void)make_anew(s, size_for(s->used + s->used / 4 + 1), 0, hash, data);
    s->expects = false;
}

void slots_add(struct slots *s, uint32_t hash, uint32_t number)
{
    put(s, hash, number);
}

/* Its slot; s->size: it is in none. */
static uint32_t place_of(const struct slots *s, uint32_t hash, uint32_t number)
{
    uint32_t i = slots_home(s, hash), value = slots_value(s, hash, number);

    if (!s->size || number >= (1u << s->bits) - 1)
        return s->size;
    for (uint32_t left = s->size; left && s->at[i]; left--) {
        if (s->at[i] == value)
            return i;
        i = i + 1 == s->size ? 0 : i + 1;
    }
    return s->size;
}

void slots_remove(struct slots *s, uint32_t hash, uint32_t number)
{
    uint32_t i = place_of(s, hash, number), next;

    if (i == s->size)
        return;
    s->used--;
    s->dead++;
    s->at[i] = SLOTS_DEAD;
    next = i + 1 == s->size ? 0 : i + 1;
    if (s->size <= SLOTS_FEW ? i + 1 < s->size && s->at[next] : s->at[next] != 0)
        return;
    /* no search goes past here: the dead before it are of no use either */
    while (s->at[i] == SLOTS_DEAD) {
        s->at[i] = 0;
        s->dead--;
        if (s->size <= SLOTS_FEW && i == 0)
            break;
        i = i ? i - 1 : s->size - 1;
    }
}

static uint32_t number_from(const struct slots *s, uint32_t *i)
{
    while (*i < s->size && (!s->at[*i] || s->at[*i] == SLOTS_DEAD))
        ++*i;
    return *i < s->size ? s->at[*i] & ((1u << s->bits) - 1) : 0;
}

uint32_t slots_first(struct slots *s)
{
    return number_from(s, &s->first);
}

uint32_t slots_after(const struct slots *s, uint32_t hash, uint32_t number)
{
    uint32_t i = place_of(s, hash, number);

    if (i == s->size)
        return 0;
    i++;
    return number_from(s, &i);
}
