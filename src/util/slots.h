/* SPDX-License-Identifier: MIT */
/*
 * Numbers found by hash: open addressing in slots of 32 bits. What a number does not need of its slot holds a part
 * of the hash, so that hardly ever another element has to be looked at than the one that is sought. Some 5 bytes an
 * element. The elements are the caller's; 0 is no number. A zeroed struct is empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_FEW 14u       /* so many are gone through one by one, and fill the table to the last slot */
#define SLOTS_DEAD UINT32_MAX /* something was here: a search goes on */

struct slots {
    uint32_t *at;
    uint32_t size, used, dead;
    uint32_t first; /* all slots before it are empty */
    uint8_t bits;   /* of a slot: the number */
    bool expects;   /* room for more was made: it is not made smaller until slots_settle() */
};

typedef uint32_t slots_hash(const void *data, uint32_t number);

void slots_done(struct slots *s); /* frees the table, not the elements */
/* Room for `number`: the table may be made anew, for which it asks the hash of every element. -ENOMEM. */
int slots_reserve(struct slots *s, uint32_t number, slots_hash *hash, const void *data);
/*
 * Room at once for `more` elements, up to a number of `last`, which come now: the table is then not made anew again and again
 * as it grows. It is a guess: without the memory for it all goes on as before. slots_settle() once they are there.
 */
void slots_expect(struct slots *s, uint32_t more, uint32_t last, slots_hash *hash, const void *data);
/* What was expected has come, or will not: of a table that is far too large a small one is made. */
void slots_settle(struct slots *s, slots_hash *hash, const void *data);
/* There is room, and it is not in the table. */
void slots_add(struct slots *s, uint32_t hash, uint32_t number);
/* Not being there is fine. */
void slots_remove(struct slots *s, uint32_t hash, uint32_t number);
/* In the order of slots: the first, the one behind `number`; 0: none. */
uint32_t slots_first(struct slots *s);
uint32_t slots_after(const struct slots *s, uint32_t hash, uint32_t number);

static inline uint32_t slots_home(const struct slots *s, uint32_t hash) /* the slot at which the search for a hash begins */
{
    return s->size <= SLOTS_FEW ? 0 : (uint32_t)(((uint64_t)hash * s->size) >> 32);
}

static inline uint32_t slots_value(const struct slots *s, uint32_t hash, uint32_t number) /* a slot: hash above, number below */
{
    return hash << s->bits | number;
}

/* A search: *at and *left as slots_start() left them; each call gives the next number whose hash may be this one. */
static inline void slots_start(const struct slots *s, uint32_t hash, uint32_t *at, uint32_t *left)
{
    *at = slots_home(s, hash);
    *left = s->size;
}

static inline uint32_t slots_next(const struct slots *s, uint32_t hash, uint32_t *at, uint32_t *left) /* 0: no more; look at the element */
{
    const uint32_t part = hash << s->bits, mask = (1u << s->bits) - 1;

    while (*left) {
        uint32_t value = s->at[*at];

        --*left;
        *at = *at + 1 == s->size ? 0 : *at + 1;
        if (!value)
            break;
        if ((value & ~mask) == part && value != SLOTS_DEAD)
            return value & mask;
    }
    *left = 0;
    return 0;
}
