/* SPDX-License-Identifier: MIT */
#include "config/expect_rules.h"

#include <errno.h>

static bool copy_values(struct arena *arena, const struct config_value *from, struct expect_values *to)
{
    struct bytes *items = from->count ? arena_alloc(arena, from->count * sizeof(*items)) : NULL;

    if (from->count && !items)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        items[i] = arena_copy(arena, from->items[i]);
        if (!items[i].data)
            return false;
    }
    *to = (struct expect_values){ items, from->count };
    return true;
}

static bool copy_block(struct arena *arena, const struct config_block *from, struct expect_block *to)
{
    *to = (struct expect_block){ .name = arena_copy(arena, from->name) };
    for (unsigned kind = 0; to->name.data && kind < EXPECT_KIND_COUNT; kind++)
        if (!copy_values(arena, &from->values[CONFIG_EXPECT_PROGRAM + kind], &to->values[kind]))
            return false;
    return to->name.data != NULL;
}
_Static_assert(CONFIG_EXPECT_PATHS - CONFIG_EXPECT_PROGRAM == EXPECT_PATHS - EXPECT_PROGRAM, "keys and kinds are in one order");

int config_expect_rules(const struct config *c, struct arena *arena, struct expect_rules *ret)
{
    const struct config_value *rows = &c->values[CONFIG_EXPECTED];
    const struct config_blocks *blocks = &c->blocks[CONFIG_EXPECT];
    struct expect_block *to = blocks->count ? arena_alloc(arena, blocks->count * sizeof(*to)) : NULL;
    uint64_t bits = 0;

    if (!copy_values(arena, &c->values[CONFIG_EDITORS], &ret->editors))
        return -ENOMEM;
    for (size_t i = 0; i < rows->count; i++)
        bits |= UINT64_C(1) << expected_by_name(rows->items[i]);
    for (size_t i = 0; i < blocks->count; i++)
        if (!to || !copy_block(arena, &blocks->items[i], &to[i]))
            return -ENOMEM;
    ret->rows = bits;
    ret->blocks = to;
    ret->block_count = blocks->count;
    return 0;
}

static bool has_word(const struct config_value *v, const char *word)
{
    for (size_t i = 0; i < v->count; i++)
        if (bytes_equal_str(v->items[i], word))
            return true;
    return false;
}

struct redact_rules config_redaction(const struct config *c)
{
    const struct config_value *v = &c->values[CONFIG_REDACT];

    return (struct redact_rules){ has_word(v, "users"), has_word(v, "arguments"), has_word(v, "homes") };
}
