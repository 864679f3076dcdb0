/* SPDX-License-Identifier: MIT */
/* auditctl's rules as watches of the configuration. */
#include <errno.h>

#include "config/reading.h"
#include "event/operation.h"
#include "rules/as_watch.h"

static void on_rule_warning(void *data, unsigned line, const char *text)
{
    struct reading *reading = data;

    config_problem(reading->report, reading->file, line, true, "%s", text);
}

static int on_bad_rule(void *data, unsigned line, const char *error)
{
    struct reading *reading = data;

    config_problem(reading->report, reading->file, line, false, "%s", error);
    return 0;
}

static int set_one(struct config *c, struct config_value *v, struct bytes item, struct config_source from)
{
    v->items = arena_alloc(&c->arena, sizeof(*v->items));
    if (!v->items)
        return -ENOMEM;
    v->items[0] = arena_copy(&c->arena, item);
    v->count = 1;
    v->given = true;
    v->from = from;
    return v->items[0].data ? 0 : -ENOMEM;
}

static int add_rule(struct reading *reading, const struct rule *rule)
{
    struct config_block w = { .from = { reading->file, rule->line } };
    struct config *c = reading->config;
    struct err err = ERR_INIT;
    struct rule_watch watch;
    char letters[5];

    if (!rule_as_watch(rule, &watch)) {
        config_problem(reading->report, reading->file, rule->line, false,
                       "this is no watch (-w PATH -p wa -k KEY); culprit rules load gives other rules to the kernel");
        return 0;
    }
    if (config_key_info(CONFIG_WATCH_TARGETS)->check(watch.path, &err) < 0) {
        config_problem(reading->report, reading->file, rule->line, false, "%s", err.text);
        return 0;
    }
    if (set_one(c, &w.values[CONFIG_WATCH_TARGETS], watch.path, w.from) < 0 ||
        set_one(c, &w.values[CONFIG_WATCH_PERMISSIONS], bytes_of(permissions_text(watch.permissions, letters)), w.from) < 0 ||
        (watch.key.len && set_one(c, &w.values[CONFIG_WATCH_KEY], watch.key, w.from) < 0))
        return -ENOMEM;
    return config_add_watch(reading, &w, rule->line) == -ENOMEM ? -ENOMEM : 0;
}

static int on_rule(void *data, struct rule *rule)
{
    int r = add_rule(data, rule);

    rule_done(rule);
    return r;
}

int config_read_rules(struct config *c, const char *file, struct bytes text, struct config_report *report)
{
    struct reading reading = { .config = c, .report = report };
    struct rule_options options = { .data = &reading, .warn = on_rule_warning, .containers = true };

    reading.file = arena_copy(&c->arena, bytes_of(file)).data;
    if (!reading.file)
        return -ENOMEM;
    c->files++;
    return rules_parse(text, &options, on_rule, on_bad_rule, &reading);
}
