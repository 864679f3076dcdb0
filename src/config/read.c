/* SPDX-License-Identifier: MIT */
/* One text becomes configuration: libconfuse takes it apart, the table of keys says what is right. */
#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/expect.h"
#include "config/config.h"
#include "config/keys_sink.h"
#include "config/reading.h"
#include "config/scan.h"
#include "config/sink_block.h"
#include "util/cleanup.h"
#include "util/sbuf.h"
#include "util/suggest.h"

#define SYNTAX "KEY = VALUE, KEY = { VALUE, VALUE }, or watch, expect, sink NAME { ... }"

/* libconfuse's callbacks carry nothing of the caller's, and its lexer is one for the whole process; set while it runs. */
static _Thread_local struct reading *current;

static enum config_section section_of(const cfg_t *cfg)
{
    unsigned section = CONFIG_SECTION_COUNT;

    while (--section > CONFIG_TOP)
        if (strcmp(cfg->name, config_section_name((enum config_section)section)) == 0)
            break;
    return (enum config_section)section;
}

static const char *named(enum config_section section)
{
    return section == CONFIG_WATCH ? "a watch" : section == CONFIG_EXPECT ? "an expect block" : "a sink";
}

_printf_(2, 3) static void problem(const cfg_t *cfg, const char *format, ...)
{
    char text[2 * LIMIT_ERR];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    config_problem(current->report, current->file, cfg->line > 0 ? (unsigned)cfg->line : 0, false, "%s", text);
}

/* ---- what libconfuse refuses ---- */

static void unknown_key(const cfg_t *cfg, const char *name)
{
    struct suggestion suggestion = { .typed = bytes_of(name) };
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;
    enum config_section section = section_of(cfg), other = CONFIG_SECTION_COUNT;

    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key_info *key = config_key_info((enum config_key)i);

        if (key->section != section) {
            if (bytes_equal_str(bytes_of(name), key->name))
                other = key->section;
            continue;
        }
        sbuf_addf(&all, "%s%s", all.len ? ", " : "", key->name);
        suggest_offer(&suggestion, bytes_of(key->name));
    }
    for (unsigned s = CONFIG_TOP + 1; section == CONFIG_TOP && s < CONFIG_SECTION_COUNT; s++) {
        sbuf_addf(&all, ", %s NAME { ... }", config_section_name((enum config_section)s));
        suggest_offer(&suggestion, bytes_of(config_section_name((enum config_section)s)));
    }
    if (other == CONFIG_TOP)
        problem(cfg, "%.80s has no place in %s: it stands outside of it (%s)", name, named(section), sbuf_str(&all));
    else if (other != CONFIG_SECTION_COUNT)
        problem(cfg, "%.80s has no place here: it belongs into %s (%s)", name, named(other), sbuf_str(&all));
    else if (suggestion.best.data)
        problem(cfg, "no key \"%.80s\"; did you mean %s? (%s)", name, suggestion.best.data, sbuf_str(&all));
    else
        problem(cfg, "no key \"%.80s\"%s%s (%s)", name, section ? " in " : "", section ? named(section) : "", sbuf_str(&all));
}

_printf_(2, 0) static void on_error(cfg_t *cfg, const char *format, va_list ap)
{
    static const struct {
        const char *theirs; /* as 3.3 has it */
        const char *ours;   /* %s: its argument */
    } words[] = {
        { "premature end of file", "the file ends in the middle of something: " SYNTAX },
        { "missing equal sign after option '%s'", "\"=\" is missing behind \"%.80s\": " SYNTAX },
        { "missing title for section '%s'", "it has a name: %.80s NAME { ... }" },
        { "missing opening brace for section '%s'", "\"{\" is missing behind the name: %.80s NAME { ... }" },
        { "found duplicate title '%s'", "\"%.80s\" stands twice in this file" },
        { "unexpected token '%s'", "\"%.80s\" has no place here: " SYNTAX },
        { "unexpected closing brace", "\"}\" closes nothing" },
    };
    _cleanup_free_ char *text = NULL;

    if (strcmp(format, "no such option '%s'") == 0) {
        unknown_key(cfg, va_arg(ap, const char *));
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(format, words[i].theirs) == 0) {
            const char *argument = strstr(words[i].theirs, "%s") ? va_arg(ap, const char *) : NULL;
            const char *at = argument ? strstr(words[i].ours, "%.80s") : NULL;

            if (argument && strcmp(argument, "{") == 0)
                problem(cfg, "\"{\" has no place here, where one value is wanted: " SYNTAX);
            else if (at)
                problem(cfg, "%.*s%.80s%s", (int)(at - words[i].ours), words[i].ours, argument, at + strlen("%.80s"));
            else
                problem(cfg, "%s", words[i].ours);
            return;
        }
    if (vasprintf(&text, format, ap) < 0) {
        current->error = -ENOMEM;
        return;
    }
    problem(cfg, "%s", text); /* a libconfuse of other words, or a translated one */
}

/* ---- values ---- */

static bool same_items(const struct config_value *v, cfg_opt_t *opt)
{
    if (v->count != opt->nvalues)
        return false;
    for (unsigned i = 0; i < opt->nvalues; i++)
        if (!bytes_equal_str(v->items[i], cfg_opt_getnstr(opt, i)))
            return false;
    return true;
}

/* libconfuse reports a list value by value, and once more at its end. */
static bool goes_on(const struct config_value *v, cfg_opt_t *opt)
{
    return opt->nvalues > v->count || same_items(v, opt);
}

static int take_items(struct config_value *v, cfg_opt_t *opt, struct config_source from)
{
    struct arena *arena = &current->config->arena;
    struct bytes *items = arena_alloc(arena, MAX(opt->nvalues, 1u) * sizeof(*items));

    if (!items)
        return -ENOMEM;
    for (unsigned i = 0; i < opt->nvalues; i++) {
        const char *text = cfg_opt_getnstr(opt, i);

        items[i] = i < v->count && bytes_equal_str(v->items[i], text) ? v->items[i] : arena_copy(arena, bytes_of(text));
        if (!items[i].data)
            return -ENOMEM;
    }
    *v = (struct config_value){ .items = items, .count = opt->nvalues, .given = true, .from = from };
    return 0;
}

static struct config_value *value_of(const cfg_t *cfg, enum config_key key)
{
    if (section_of(cfg) == CONFIG_TOP)
        return &current->config->values[key];
    if (current->section != cfg) {
        current->section = cfg;
        current->block = (struct config_block){ 0 };
        current->block.from = (struct config_source){ current->file, (unsigned)cfg->line };
    }
    return &current->block.values[key];
}

static bool begins_anew(const struct config_value *v)
{
    return !v->given || v->from.file != current->file;
}

static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    enum config_key key = config_key_by_name(section_of(cfg), bytes_of(opt->name));
    const struct config_key_info *info = config_key_info(key);
    struct config_value *v = value_of(cfg, key);
    struct config_source from = { current->file, (unsigned)cfg->line };
    const char *last = opt->nvalues ? cfg_opt_getnstr(opt, opt->nvalues - 1) : NULL;
    struct err err = ERR_INIT;
    char first[320];

    if (!last) /* {} */
        return 0;
    if (begins_anew(v)) {
        v->count = 0;
    } else if (!info->list || !goes_on(v, opt)) {
        problem(cfg, "%s stands twice: first in %s", info->name, config_source_text(&v->from, first, sizeof(first)));
        return -1;
    } else {
        from = v->from;
    }
    if (info->check(bytes_of(last), &err) < 0) {
        problem(cfg, "%s: %s", info->name, err.text);
        return -1;
    }
    if (opt->nvalues > LIMIT_CONFIG_ITEMS) {
        problem(cfg, "%s: more than %d values", info->name, LIMIT_CONFIG_ITEMS);
        return -1;
    }
    if (take_items(v, opt, from) < 0) {
        current->error = -ENOMEM;
        return -1;
    }
    return 0;
}

/* A list that was written as {}: libconfuse does not report it. */
static int take_empty(cfg_t *cfg, enum config_key key)
{
    cfg_opt_t *opt = cfg_getopt(cfg, config_key_info(key)->name);
    struct config_value *v = &current->config->values[key];
    char first[320];

    if (!opt || opt->nvalues || !(opt->flags & CFGF_MODIFIED))
        return 0;
    if (!begins_anew(v)) {
        config_problem(current->report, current->file, 0, false, "%s stands twice: first in %s", config_key_info(key)->name,
                       config_source_text(&v->from, first, sizeof(first)));
        return 0;
    }
    if (key != CONFIG_GROUPS && key != CONFIG_EXPECTED && key != CONFIG_REDACT) {
        config_problem(current->report, current->file, 0, false, "%s: no value (%s)", config_key_info(key)->name,
                       config_key_info(key)->takes);
        return 0;
    }
    v->count = 0;
    return take_items(v, opt, (struct config_source){ current->file, 0 });
}

/* ---- blocks ---- */

static bool says_something(const struct config_block *block)
{
    for (unsigned key = CONFIG_TOP_COUNT; key < CONFIG_KEY_COUNT; key++)
        if (block->values[key].count)
            return true;
    return false;
}

static int add_other(const cfg_t *cfg, enum config_section kind, const struct config_block *block)
{
    struct config *c = current->config;
    struct err err = ERR_INIT;

    if (kind == CONFIG_SINK && check_sink(block, &err) < 0) {
        problem(cfg, "sink \"%.80s\": %s", block->name.data, err.text);
        return -1;
    }
    if (kind == CONFIG_EXPECT && !says_something(block)) {
        problem(cfg, "expect \"%.80s\" says nothing of what is expected: program = borg, paths = { \"/srv/data\" }", block->name.data);
        return -1;
    }
    if (c->blocks[kind].count == (kind == CONFIG_SINK ? SINKS_MAX : EXPECT_BLOCKS_MAX)) {
        problem(cfg, "more than %d of %s", kind == CONFIG_SINK ? SINKS_MAX : EXPECT_BLOCKS_MAX, named(kind));
        return -1;
    }
    if (config_add_block(c, kind, block) < 0) {
        current->error = -ENOMEM;
        return -1;
    }
    return 0;
}

/* Its closing brace was read. */
static int on_block(cfg_t *cfg, cfg_opt_t *opt)
{
    const cfg_t *section = cfg_opt_getnsec(opt, opt->nvalues - 1);
    enum config_section kind = section_of(section);
    struct config_blocks *others = &current->config->blocks[kind];
    const char *word = config_section_name(kind);
    char first[320];

    if (current->section != section)
        current->block = (struct config_block){ .from = { current->file, (unsigned)cfg->line } };
    current->section = NULL;
    current->block.name = arena_copy(&current->config->arena, bytes_of(section->title));
    if (!current->block.name.data) {
        current->error = -ENOMEM;
        return -1;
    }
    if (!current->block.name.len || current->block.name.len > 255) {
        problem(cfg, "the name of %s is 1 to 255 bytes long", named(kind));
        return -1;
    }
    for (size_t i = 0; i < others->count; i++)
        if (others->items[i].name.data && bytes_equal(others->items[i].name, current->block.name)) {
            problem(cfg, "%s \"%.80s\" stands twice: first in %s", word, section->title,
                    config_source_text(&others->items[i].from, first, sizeof(first)));
            return -1;
        }
    if (kind != CONFIG_WATCH)
        return add_other(cfg, kind, &current->block);
    if (!current->block.values[CONFIG_WATCH_TARGETS].count) {
        problem(cfg, "watch \"%.80s\" has no target: targets = { \"/srv/data\" }", section->title);
        return -1;
    }
    return config_add_watch(current, &current->block, (unsigned)cfg->line) < 0 ? -1 : 0;
}

/* ---- one text ---- */

static size_t make_options(cfg_opt_t *options, enum config_section section)
{
    size_t n = 0;

    for (unsigned i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key_info *key = config_key_info((enum config_key)i);

        if (key->section != section)
            continue;
        if (key->list)
            options[n] = (cfg_opt_t)CFG_STR_LIST(key->name, "{}", CFGF_NONE);
        else
            options[n] = (cfg_opt_t)CFG_STR(key->name, 0, CFGF_NONE);
        options[n++].validcb = on_value;
    }
    options[n] = (cfg_opt_t)CFG_END();
    return n;
}

static void check_sensors(const struct config_value *v)
{
    for (size_t i = 0; v->count > 1 && i < v->count; i++)
        if (config_sensor_is_automatic(v->items[i]))
            config_problem(current->report, v->from.file, v->from.line, false, "sensor: %s stands alone, or others are named",
                           bytes_equal_str(v->items[i], "auto") ? "auto" : "cheap");
}

int config_read(struct config *c, const char *file, struct bytes text, struct config_report *report)
{
    struct reading reading = { .config = c, .report = report };
    cfg_opt_t of[CONFIG_SECTION_COUNT][CONFIG_KEY_COUNT + CONFIG_SECTION_COUNT + 1], *top = of[CONFIG_TOP];
    struct bytes copy = arena_copy(&c->arena, text);
    struct err err = ERR_INIT;
    unsigned line;
    size_t n = 0;
    cfg_t *cfg;

    reading.file = arena_copy(&c->arena, bytes_of(file)).data;
    if (!copy.data || !reading.file)
        return -ENOMEM;
    c->files++;
    if (config_scan(text, &line, &err) < 0) {
        config_problem(report, reading.file, line, false, "%s", err.text);
        return 0;
    }
    n = make_options(top, CONFIG_TOP);
    for (unsigned s = CONFIG_TOP + 1; s < CONFIG_SECTION_COUNT; s++) {
        (void)make_options(of[s], (enum config_section)s);
        top[n] = (cfg_opt_t)CFG_SEC(config_section_name((enum config_section)s), of[s], CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
        top[n++].validcb = on_block;
    }
    top[n] = (cfg_opt_t)CFG_END();
    cfg = cfg_init(top, CFGF_NONE);
    if (!cfg)
        return -ENOMEM;
    cfg_set_error_function(cfg, on_error);
    current = &reading;
    if (copy.len)
        (void)cfg_parse_buf(cfg, copy.data); /* whatever fails was reported */
    for (unsigned key = 0; !reading.error && key < CONFIG_TOP_COUNT; key++)
        if (config_key_info((enum config_key)key)->list)
            reading.error = take_empty(cfg, (enum config_key)key);
    check_sensors(&c->values[CONFIG_SENSOR]);
    current = NULL;
    cfg_free(cfg);
    return reading.error;
}
