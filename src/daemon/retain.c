/* SPDX-License-Identifier: MIT */
#include "daemon/retain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/groups.h"
#include "daemon/pipeline.h"

struct ages {
    struct store_watch_retention *watches;
    size_t count;
};

static int add_age(struct ages *ages, struct bytes text, uint64_t age_ns)
{
    struct store_watch_retention *grown;

    for (size_t i = 0; i < ages->count; i++)
        if (bytes_equal(ages->watches[i].watch, text)) {
            ages->watches[i].age_ns = age_ns;
            return 0;
        }
    grown = reallocarray(ages->watches, ages->count + 1, sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    ages->watches = grown;
    grown[ages->count++] = (struct store_watch_retention){ text, age_ns };
    return 0;
}

/* Every target with its age. A watch that names the path of a group comes later, and counts. */
static int add_ages(const struct config *c, uint64_t general_ns, struct ages *ages)
{
    const struct config_value *groups = &c->values[CONFIG_GROUPS];
    const struct config_group *g;
    int r = 0;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++)
        for (size_t k = 0; k < groups->count; k++)
            for (const struct config_group_path *p = g->paths; r == 0 && bytes_equal_str(groups->items[k], g->name) && p->path; p++)
                r = add_age(ages, bytes_of(p->path), general_ns);
    for (size_t i = 0; r == 0 && i < c->blocks[CONFIG_WATCH].count; i++) {
        const struct config_value *targets = &c->blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_TARGETS];
        const struct config_value *own = &c->blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_RETENTION_AGE];
        uint64_t age_ns = general_ns;

        if (own->count)
            (void)config_parse_age(own->items[0], &age_ns, NULL); /* it was checked */
        for (size_t k = 0; r == 0 && k < targets->count; k++)
            r = add_age(ages, targets->items[k], age_ns);
    }
    return r;
}

/* What is kept longest decides what is removed of all; what is kept for less is removed by its watch. */
void retain_configured(struct pipeline *pipeline, const struct config *c, const struct log *log)
{
    struct store_retention retention = { .compact_ns = RETENTION_COMPACT_NS };
    struct ages ages = { 0 };
    uint64_t general_ns = 0;
    int r;

    (void)config_parse_age(config_text(c, CONFIG_RETENTION_AGE), &general_ns, NULL);
    (void)config_parse_retention_size(config_text(c, CONFIG_RETENTION_SIZE), &retention.size, NULL);
    (void)config_parse_when_full(config_text(c, CONFIG_WHEN_FULL), &retention.give_up_oldest, NULL);
    r = add_ages(c, general_ns, &ages);
    retention.age_ns = general_ns;
    for (size_t i = 0; i < ages.count && retention.age_ns; i++)
        retention.age_ns = ages.watches[i].age_ns ? MAX(retention.age_ns, ages.watches[i].age_ns) : 0;
    retention.watches = ages.watches;
    retention.watch_count = ages.count;
    if (r == 0)
        r = pipeline_retain(pipeline, &retention);
    if (r < 0)
        log_warn(log, "retention: %s; nothing is removed", strerror(-r));
    free(ages.watches);
}
