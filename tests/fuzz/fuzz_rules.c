/* SPDX-License-Identifier: MIT */
/* The input is a rule file. What is a rule of the kernel's prints, parses again to the same rule, and prints to
 * the same bytes; a refusal says why; what is explained is text. */
#include <stdlib.h>

#include "fuzz.h"
#include "rules/warning.h"
#include "rules/explain.h"
#include "util/macro.h"

#define RULES_MAX 64

struct parsed {
    struct rule rules[RULES_MAX];
    size_t count;
};

/* A directory by its name, so that each reading of a path finds the same. */
static bool is_directory(void *data, const char *path)
{
    (void)data;
    return path[strlen(path) - 1] != 'f';
}

static void warned(void *data, unsigned line, const char *text)
{
    (void)data, (void)line;
    if (!text[0])
        abort();
}

static const struct rule_options options = { .is_directory = is_directory, .warn = warned };

static int bad(void *data, unsigned line, const char *error)
{
    (void)data;
    if (!line || !error[0])
        abort();
    return 0;
}

static int add(void *data, struct rule *rule)
{
    struct parsed *p = data;

    if (p->count == RULES_MAX)
        rule_done(rule);
    else
        p->rules[p->count++] = *rule;
    return 0;
}

/* Of a watch a line does not say whether its path is a directory: whoever reads it looks. */
static uint32_t field_of(const struct rule *rule, unsigned i)
{
    return rule_is_watch(rule->data) && rule->data->fields[i] == AUDIT_DIR ? AUDIT_WATCH : rule->data->fields[i];
}

/* The conditions are ANDed: their order is not part of a rule. */
static bool has_field(const struct rule *rule, const struct rule *of, unsigned i)
{
    struct bytes text = rule_text(of->data, of->len, i);

    for (unsigned k = 0; k < rule->data->field_count; k++)
        if (field_of(rule, k) == field_of(of, i) && rule->data->fieldflags[k] == of->data->fieldflags[i] &&
            rule->data->values[k] == of->data->values[i] && bytes_equal(rule_text(rule->data, rule->len, k), text))
            return true;
    return false;
}

static bool same(const struct rule *a, const struct rule *b)
{
    if (a->kind != b->kind || a->len != b->len || a->data->flags != b->data->flags ||
        a->data->action != b->data->action || a->data->field_count != b->data->field_count ||
        memcmp(a->data->mask, b->data->mask, sizeof(a->data->mask)) != 0)
        return false;
    for (unsigned i = 0; i < a->data->field_count; i++)
        if (!has_field(a, b, i) || !has_field(b, a, i))
            return false;
    return true;
}

static void check_round_trip(const struct rule *rule)
{
    struct sbuf first = SBUF_INIT, second = SBUF_INIT;
    struct err err = ERR_INIT;
    struct rule again;

    rule_print_any(rule, &first);
    if (rule_parse(sbuf_bytes(&first), 1, &options, &again, &err) != 1)
        abort();
    if (again.kind != rule->kind || again.value != rule->value)
        abort();
    if ((rule->kind == RULE_ADD || rule->kind == RULE_DELETE) && !same(rule, &again))
        abort();
    rule_print_any(&again, &second);
    if (!bytes_equal(sbuf_bytes(&first), sbuf_bytes(&second)))
        abort();
    rule_done(&again);
    sbuf_done(&first);
    sbuf_done(&second);
}

/* What a kernel sends is no text of ours, but it is as long as it says. */
static void print_raw(const uint8_t *data, size_t size)
{
    struct audit_rule_data *rule;
    struct sbuf out = SBUF_INIT;

    if (size < sizeof(*rule))
        return;
    rule = malloc(size);
    if (!rule)
        return;
    memcpy(rule, data, size);
    rule_print(rule, size, true, &out);
    free(rule);
    sbuf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parsed parsed;
    struct sbuf out = SBUF_INIT;
    struct rule_set set;

    print_raw(data, size);
    parsed.count = 0;
    (void)rules_parse((struct bytes){ (const char *)data, size }, &options, add, bad, &parsed);
    set = (struct rule_set){ parsed.rules, parsed.count };
    for (size_t i = 0; i < parsed.count; i++) {
        check_round_trip(&parsed.rules[i]);
        rule_explain(&set, i, &out);
    }
    rule_set_limits(&set, &out);
    rule_set_warnings(&set, warned, NULL);
    for (size_t i = 0; i < parsed.count; i++)
        rule_done(&parsed.rules[i]);
    sbuf_done(&out);
    return 0;
}
