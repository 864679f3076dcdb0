/* SPDX-License-Identifier: MIT */
#include "daemon/copies_configured.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/macro.h"

static bool keeps_any(const struct config *c)
{
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        if (config_keeps_copies(&c->blocks[CONFIG_WATCH].items[i]))
            return true;
    return false;
}

void copies_configured_options(const struct config *c, struct pipeline_options *options)
{
    options->choose_copies = true;
    if (keeps_any(c))
        (void)config_parse_copies_size(config_text(c, CONFIG_COPIES_SIZE), &options->keep_copies, NULL); /* it was checked */
}

/* As the store's: the longest of those that are kept; 0: for ever. */
static uint64_t age_of(const struct config *c)
{
    uint64_t general_ns = 0, longest_ns = 0;

    (void)config_parse_age(config_text(c, CONFIG_RETENTION_AGE), &general_ns, NULL);
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++) {
        const struct config_block *watch = &c->blocks[CONFIG_WATCH].items[i];
        const struct config_value *own = &watch->values[CONFIG_WATCH_RETENTION_AGE];
        uint64_t age_ns = general_ns;

        if (!config_keeps_copies(watch))
            continue;
        if (own->count)
            (void)config_parse_age(own->items[0], &age_ns, NULL);
        if (!age_ns)
            return 0;
        longest_ns = MAX(longest_ns, age_ns);
    }
    return longest_ns;
}

void copies_configure(struct pipeline *pipeline, const struct config *c, const struct log *log)
{
    struct pipeline_choice *choices = calloc(c->target_count + 1, sizeof(*choices));
    struct pipeline_condition now;
    size_t n = 0;
    int r = choices ? 0 : -ENOMEM;

    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count && choices; i++) {
        const struct config_block *watch = &c->blocks[CONFIG_WATCH].items[i];
        const struct config_value *targets = &watch->values[CONFIG_WATCH_TARGETS];

        for (size_t k = 0; k < targets->count && n < c->target_count; k++)
            choices[n++] = (struct pipeline_choice){ targets->items[k].data, config_keeps_copies(watch) };
    }
    pipeline_look(pipeline, &now);
    if (!now.keeps_copies && keeps_any(c))
        log_warn(log, "keep_copies: copies are kept from the next start of the daemon on");
    else if (r == 0)
        r = pipeline_choose_copies(pipeline, choices, n, age_of(c));
    if (r < 0)
        log_warn(log, "keep_copies: %s", strerror(-r));
    free(choices);
}
