/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "config/groups.h"
#include "event/operation.h"

void config_problem(struct config_report *report, const char *file, unsigned line, bool warning, const char *format, ...)
{
    char text[2 * LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (warning)
        report->warnings++;
    else
        report->errors++;
    if (report->problem)
        report->problem(report->data, file, line, text, warning);
}

static int set_default(struct config *c, enum config_key key)
{
    struct bytes rest = bytes_of(config_key_info(key)->fallback);
    struct config_value *v = &c->values[key];
    size_t n = 1;

    for (size_t i = 0; i < rest.len; i++)
        n += rest.data[i] == ' ';
    v->items = arena_alloc(&c->arena, n * sizeof(*v->items));
    if (!v->items)
        return -ENOMEM;
    if (config_key_info(key)->list && !rest.len)
        n = 0;
    for (v->count = 0; v->count < n; v->count++) {
        v->items[v->count] = arena_copy(&c->arena, bytes_next_field(&rest, ' '));
        if (!v->items[v->count].data)
            return -ENOMEM;
    }
    return 0;
}

int config_init(struct config *c)
{
    int r = 0;

    *c = (struct config){ 0 };
    for (unsigned key = 0; r == 0 && key < CONFIG_TOP_COUNT; key++)
        r = set_default(c, (enum config_key)key);
    if (r < 0)
        config_done(c);
    return r;
}

void config_done(struct config *c)
{
    config_forget(&c->known);
    arena_done(&c->arena);
    *c = (struct config){ 0 };
}

struct bytes config_text(const struct config *c, enum config_key key)
{
    return c->values[key].count ? c->values[key].items[0] : BYTES_NULL;
}

bool config_switch(const struct config *c, enum config_key key)
{
    bool on = false;

    (void)config_parse_switch(config_text(c, key), &on);
    return on;
}

unsigned config_permissions(const struct config *c, const struct config_block *watch)
{
    struct bytes text = config_text(c, CONFIG_PERMISSIONS);
    unsigned permissions = 0;
    char unknown;

    if (watch && watch->values[CONFIG_WATCH_PERMISSIONS].count)
        text = watch->values[CONFIG_WATCH_PERMISSIONS].items[0];
    (void)permissions_parse(text, &permissions, &unknown);
    return permissions;
}

struct bytes config_watch_key(const struct config_block *watch)
{
    const struct config_value *key = &watch->values[CONFIG_WATCH_KEY];

    return key->count ? key->items[0] : watch->name;
}

bool config_keeps_copies(const struct config_block *watch)
{
    const struct config_value *value = &watch->values[CONFIG_WATCH_KEEP_COPIES];
    bool on = false;

    if (value->count)
        (void)config_parse_switch(value->items[0], &on);
    return on;
}

unsigned config_all_permissions(const struct config *c)
{
    unsigned permissions = config_permissions(c, NULL);

    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        permissions |= config_permissions(c, &c->blocks[CONFIG_WATCH].items[i]);
    return permissions;
}

size_t config_count_targets(const struct config *c)
{
    const struct config_value *names = &c->values[CONFIG_GROUPS];
    const struct config_group *g;
    size_t n = c->target_count;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++)
        for (size_t k = 0; k < names->count; k++)
            for (const struct config_group_path *p = g->paths; bytes_equal_str(names->items[k], g->name) && p->path; p++)
                n++;
    return n;
}
