/* SPDX-License-Identifier: MIT */
#include "config/reading.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/watch_block.h"

const char *config_source_text(const struct config_source *from, char *buffer, size_t size)
{
    if (from->line)
        snprintf(buffer, size, "%.300s:%u", from->file, from->line);
    else
        snprintf(buffer, size, "%.300s", from->file);
    return buffer;
}

/* -EEXIST: one of them is elsewhere already; it was said. */
static int know_targets(struct reading *reading, const struct config_block *w)
{
    const struct config_value *targets = &w->values[CONFIG_WATCH_TARGETS];

    for (size_t k = 0; k < targets->count; k++) {
        const struct config_source *found;
        char first[320];
        int r = config_know(&reading->config->known, targets->items[k], &w->from, &found);

        if (r == -EEXIST)
            config_problem(reading->report, w->from.file, targets->from.line, false, "%.200s is watched already: in %s",
                           targets->items[k].data, config_source_text(found, first, sizeof(first)));
        if (r < 0)
            return r;
    }
    return 0;
}

int config_add_block(struct config *c, enum config_section section, const struct config_block *block)
{
    struct config_blocks *b = &c->blocks[section];

    if (b->count == b->size) {
        size_t size = b->size ? b->size * 2 : 16;
        struct config_block *grown = arena_alloc(&c->arena, size * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        if (b->count)
            memcpy(grown, b->items, b->count * sizeof(*grown));
        b->items = grown;
        b->size = size;
    }
    b->items[b->count++] = *block;
    return 0;
}

int config_add_watch(struct reading *reading, const struct config_block *w, unsigned line)
{
    struct config *c = reading->config;
    size_t count = w->values[CONFIG_WATCH_TARGETS].count;
    struct err err = ERR_INIT;
    int r;

    if (count > LIMIT_CONFIG_TARGETS - c->target_count) {
        config_problem(reading->report, reading->file, line, false, "more than %d targets in all", LIMIT_CONFIG_TARGETS);
        return -E2BIG;
    }
    r = check_watch(w, &err);
    if (r < 0)
        config_problem(reading->report, reading->file, line, false, "%s", err.text);
    else
        r = know_targets(reading, w);
    if (r == 0)
        r = config_add_block(c, CONFIG_WATCH, w);
    if (r == -ENOMEM)
        reading->error = r;
    if (r == 0)
        c->target_count += count;
    return r;
}
