/* SPDX-License-Identifier: MIT */
/* The input is culprit.conf, or a file of watches.d if it begins with '-'. What is right prints, reads again without a
 * mistake, and prints to the same bytes but for the sources; a mistake says what it is. */
#include <stdlib.h>

#include "config/config.h"
#include "fuzz.h"

static void on_problem(void *data, const char *file, unsigned line, const char *text, bool warning)
{
    (void)data, (void)line, (void)warning;
    if (!file[0] || !text[0])
        abort();
}

static bool same(const struct config_value *a, const struct config_value *b)
{
    bool equal = a->count == b->count;

    for (size_t i = 0; equal && i < a->count; i++)
        equal = bytes_equal(a->items[i], b->items[i]);
    return equal;
}

static void check_round_trip(const struct config *c)
{
    struct config_report report = { .problem = on_problem };
    struct sbuf text = SBUF_INIT;
    struct config again;

    config_print(c, &text);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 && text.data[i] != '\n')
            abort();
    if (config_init(&again) < 0)
        abort();
    if (config_read(&again, "printed", sbuf_bytes(&text), &report) < 0 || report.errors)
        abort();
    for (unsigned key = 0; key < CONFIG_TOP_COUNT; key++)
        if (!same(&c->values[key], &again.values[key]))
            abort();
    if (again.blocks[CONFIG_WATCH].count != c->blocks[CONFIG_WATCH].count)
        abort();
    for (size_t i = 0; i < c->blocks[CONFIG_WATCH].count; i++)
        if (!same(&c->blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_TARGETS], &again.blocks[CONFIG_WATCH].items[i].values[CONFIG_WATCH_TARGETS]) ||
            config_permissions(c, &c->blocks[CONFIG_WATCH].items[i]) != config_permissions(&again, &again.blocks[CONFIG_WATCH].items[i]))
            abort();
    config_done(&again);
    sbuf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_report report = { .problem = on_problem };
    struct bytes text = { (const char *)data, size };
    struct config c;

    if (config_init(&c) < 0)
        return 0;
    if (size && data[0] == '-')
        (void)config_read_rules(&c, "fuzz", text, &report);
    else
        (void)config_read(&c, "fuzz", text, &report);
    if (!report.errors && size && data[0] != '-')
        check_round_trip(&c);
    config_done(&c);
    return 0;
}
