/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "config/config.h"
#include "config/groups.h"
#include "util/escape.h"

#define SOURCE_COLUMN 40

void config_quote(struct sbuf *out, struct bytes text)
{
    sbuf_add_char(out, '"');
    while (text.len) {
        uint32_t point;
        unsigned n = utf8_decode(text, &point);
        _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

        if (n > 1)
            escape_terminal(&shown, (struct bytes){ text.data, n });
        if (n > 1 && shown.len == n && memcmp(shown.data, text.data, n) == 0)
            sbuf_add(out, text.data, n);
        else if (n == 1 && isprint((unsigned char)text.data[0]) && !strchr("\"\\$", text.data[0]))
            sbuf_add_char(out, text.data[0]);
        else if (n == 1 && strchr("\"\\$", text.data[0]))
            sbuf_addf(out, "\\%c", text.data[0]);
        else
            for (unsigned i = 0; i < MAX(n, 1u); i++)
                sbuf_addf(out, "\\x%02x", (unsigned char)text.data[i]);
        n = MAX(n, 1u);
        text = (struct bytes){ text.data + n, text.len - n };
    }
    sbuf_add_char(out, '"');
}

static void add_source(struct sbuf *out, size_t begin, const struct config_source *from, const char *or_else)
{
    size_t used = out->len - begin;

    sbuf_fill(out, ' ', used < SOURCE_COLUMN ? SOURCE_COLUMN - used : 1);
    sbuf_add_str(out, "# ");
    if (!from || !from->file) {
        sbuf_add_str(out, or_else);
    } else {
        escape_terminal(out, bytes_of(from->file));
        if (from->line)
            sbuf_addf(out, ":%u", from->line);
    }
    sbuf_add_char(out, '\n');
}

static void add_value(struct sbuf *out, const char *indent, enum config_key key, const struct config_value *v)
{
    const struct config_key_info *info = config_key_info(key);
    size_t begin = out->len;

    sbuf_addf(out, "%s%s = ", indent, info->name);
    if (info->list)
        sbuf_add_str(out, "{");
    for (size_t i = 0; i < v->count; i++) {
        if (info->list)
            sbuf_add_str(out, i ? ", " : " ");
        config_quote(out, v->items[i]);
    }
    if (info->list)
        sbuf_add_str(out, v->count ? " }" : "}");
    add_source(out, begin, v->given ? &v->from : NULL, "default");
}

/* A rule has no name: what its line says of it is one. */
static void add_watch(struct sbuf *out, const struct config *c, size_t index)
{
    const struct config_block *w = &c->blocks[CONFIG_WATCH].items[index];
    struct bytes permissions = config_text(c, CONFIG_PERMISSIONS), key = config_watch_key(w);
    struct bytes age = config_text(c, CONFIG_RETENTION_AGE), off = bytes_of("off");
    const struct config_value kept = { .items = &age, .count = 1 };
    const struct config_value none = { .items = &off, .count = 1 };
    const struct config_value inherited = { .items = &permissions, .count = 1 };
    const struct config_value named = { .items = &key, .count = 1 };
    size_t begin = out->len;

    sbuf_add_str(out, "\nwatch ");
    if (w->name.data)
        config_quote(out, w->name);
    else
        sbuf_addf(out, "\"rule-%zu\"", index + 1);
    sbuf_add_str(out, " {");
    add_source(out, begin + 1, &w->from, "");
    add_value(out, "    ", CONFIG_WATCH_TARGETS, &w->values[CONFIG_WATCH_TARGETS]);
    add_value(out, "    ", CONFIG_WATCH_PERMISSIONS,
              w->values[CONFIG_WATCH_PERMISSIONS].count ? &w->values[CONFIG_WATCH_PERMISSIONS] : &inherited);
    if (!key.data)
        key = bytes_of("");
    add_value(out, "    ", CONFIG_WATCH_KEY, w->values[CONFIG_WATCH_KEY].count ? &w->values[CONFIG_WATCH_KEY] : &named);
    add_value(out, "    ", CONFIG_WATCH_RETENTION_AGE,
              w->values[CONFIG_WATCH_RETENTION_AGE].count ? &w->values[CONFIG_WATCH_RETENTION_AGE] : &kept);
    add_value(out, "    ", CONFIG_WATCH_KEEP_COPIES,
              w->values[CONFIG_WATCH_KEEP_COPIES].count ? &w->values[CONFIG_WATCH_KEEP_COPIES] : &none);
    for (unsigned i = CONFIG_WATCH_GUARD; i <= CONFIG_WATCH_ON_VERDICT_RUN; i++)
        if (w->values[i].count)
            add_value(out, "    ", (enum config_key)i, &w->values[i]);
    sbuf_add_str(out, "}\n");
}

static void add_group_help(struct sbuf *out)
{
    const struct config_group *g;

    for (unsigned i = 0; (g = config_group(i)) != NULL; i++) {
        sbuf_addf(out, "#   %-10s %s:", g->name, g->help);
        for (const struct config_group_path *p = g->paths; p->path; p++)
            sbuf_addf(out, " %s", p->path);
        sbuf_add_char(out, '\n');
    }
}

/* What it says, and nothing else. */
static void add_other(struct sbuf *out, enum config_section section, const struct config_block *block)
{
    size_t begin = out->len;

    sbuf_addf(out, "\n%s ", config_section_name(section));
    config_quote(out, block->name);
    sbuf_add_str(out, " {");
    add_source(out, begin + 1, &block->from, "");
    for (unsigned key = CONFIG_TOP_COUNT; key < CONFIG_KEY_COUNT; key++)
        if (block->values[key].count)
            add_value(out, "    ", (enum config_key)key, &block->values[key]);
    sbuf_add_str(out, "}\n");
}

void config_print(const struct config *c, struct sbuf *out)
{
    for (unsigned i = 0; i < CONFIG_TOP_COUNT; i++) {
        sbuf_addf(out, "%s# %s\n", i ? "\n" : "", config_key_info((enum config_key)i)->help);
        if (i == CONFIG_GROUPS)
            add_group_help(out);
        add_value(out, "", (enum config_key)i, &c->values[i]);
    }
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        add_watch(out, c, i);
    for (unsigned s = CONFIG_EXPECT; s < CONFIG_SECTION_COUNT; s++)
        for (size_t i = 0; i < c->blocks[s].count; i++)
            add_other(out, (enum config_section)s, &c->blocks[s].items[i]);
}
