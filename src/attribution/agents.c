/* SPDX-License-Identifier: MIT */
#include "attribution/agents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "util/arena.h"
#include "util/cleanup.h"

#define FILE_MAX (1024 * 1024)

struct product_rule {
    struct bytes *items;
    size_t count;
};

struct product_row {
    struct agent agent;
    struct product_rule paths, units, packages, names;
};

struct agents {
    struct arena arena;
    struct product_row *rows;
    size_t count;
};

static struct bytes take_string(struct agents *a, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_string(v))
        return BYTES_NULL;
    return arena_copy(&a->arena, (struct bytes){ json_string_value(v), json_string_length(v) });
}

static int take_rule(struct agents *a, const json_t *match, const char *key, struct product_rule *ret)
{
    const json_t *list = json_object_get(match, key);
    size_t n = json_array_size(list);

    if (list && !json_is_array(list))
        return -EBADMSG;
    if (!n)
        return 0;
    ret->items = arena_alloc(&a->arena, n * sizeof(*ret->items));
    if (!ret->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);

        if (!json_is_string(v) || !json_string_length(v))
            return -EBADMSG;
        ret->items[ret->count++] =
            arena_copy(&a->arena, (struct bytes){ json_string_value(v), json_string_length(v) });
    }
    return 0;
}

static int take_row(struct agents *a, const json_t *object, struct product_row *row, struct err *err)
{
    const json_t *match = json_object_get(object, "match");
    int r = 0;

    row->agent.id = take_string(a, object, "id");
    row->agent.product = take_string(a, object, "product");
    row->agent.kind = take_string(a, object, "kind");
    row->agent.does = take_string(a, object, "does");
    row->agent.quarantine = take_string(a, object, "quarantine");
    row->agent.moves_by = take_string(a, object, "moves_by");
    row->agent.exclude = take_string(a, object, "exclude");
    if (!row->agent.id.len || !row->agent.product.len || !row->agent.kind.len)
        return err_say(err, -EBADMSG, "id, product and kind are needed");
    if (!json_is_object(match))
        return err_say(err, -EBADMSG, "\"match\" is missing in %s", row->agent.id.data);
    if (r == 0)
        r = take_rule(a, match, "path", &row->paths);
    if (r == 0)
        r = take_rule(a, match, "unit", &row->units);
    if (r == 0)
        r = take_rule(a, match, "package", &row->packages);
    if (r == 0)
        r = take_rule(a, match, "name", &row->names);
    if (r < 0)
        return err_say(err, r, "\"match\" of %s wants lists of texts", row->agent.id.data);
    if (!row->paths.count && !row->units.count && !row->packages.count && !row->names.count)
        return err_say(err, -EBADMSG, "%s could never be recognised", row->agent.id.data);
    return 0;
}

int agents_parse(struct bytes text, struct agents **ret, struct err *err)
{
    struct agents *a = calloc(1, sizeof(*a));
    json_error_t where;
    json_t *root, *list;
    int r = 0;

    if (!a)
        return err_set(err, -ENOMEM, "known products");
    root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &where);
    if (!root) {
        agents_free(a);
        return err_say(err, -EBADMSG, "line %d: %s", where.line, where.text);
    }
    list = json_object_get(root, "agents");
    if (!json_is_array(list))
        r = err_say(err, -EBADMSG, "no list \"agents\"");
    else
        a->rows = calloc(json_array_size(list) + 1, sizeof(*a->rows));
    if (r == 0 && !a->rows)
        r = -ENOMEM;
    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        r = take_row(a, json_array_get(list, i), &a->rows[i], err);
        a->count = i + 1;
    }
    json_decref(root);
    if (r < 0) {
        agents_free(a);
        return r;
    }
    *ret = a;
    return 0;
}

int agents_load(const char *path, struct agents **ret, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    _cleanup_free_ char *text = malloc(FILE_MAX);
    size_t len = 0;
    int r;

    if (fd < 0)
        return err_set(err, -errno, "%s", path);
    if (!text)
        return err_set(err, -ENOMEM, "%s", path);
    for (;;) {
        ssize_t n = read(fd, text + len, FILE_MAX - len);

        if (n < 0)
            return err_set(err, -errno, "%s", path);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    r = agents_parse((struct bytes){ text, len }, ret, err);
    return r < 0 ? err_prefix(err, r, "%s", path) : 0;
}

void agents_free(struct agents *a)
{
    if (!a)
        return;
    arena_done(&a->arena);
    free(a->rows);
    free(a);
}

void agents_each_path(const struct agents *a, void (*each)(void *data, const struct agent *agent, struct bytes path), void *data)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < a->rows[i].paths.count; j++)
            each(data, &a->rows[i].agent, a->rows[i].paths.items[j]);
}

const struct agent *agents_by_product(const struct agents *a, struct bytes product)
{
    for (size_t i = 0; i < a->count; i++)
        if (bytes_equal(a->rows[i].agent.product, product))
            return &a->rows[i].agent;
    return NULL;
}

void agents_name_products(const struct agents *a, struct event *e)
{
    for (struct process *p = a ? e->actor.process : NULL; p && !p->owner.agent; p = p->parent)
        if (p->owner.product.len)
            p->owner.agent = agents_by_product(a, p->owner.product);
}

/* A rule that ends in '/' or '*' is a prefix, any other is the whole. */
static bool fits(struct bytes rule, struct bytes fact)
{
    if (rule.data[rule.len - 1] == '*')
        return bytes_starts_with(fact, (struct bytes){ rule.data, rule.len - 1 });
    if (rule.data[rule.len - 1] == '/')
        return bytes_starts_with(fact, rule);
    return bytes_equal(rule, fact);
}

static const struct agent *match(const struct agents *a, size_t offset, struct bytes fact)
{
    const struct agent *best = NULL;
    size_t best_len = 0;

    if (!fact.len)
        return NULL;
    for (size_t i = 0; i < a->count; i++) {
        const struct product_rule *rule = (const void *)((const char *)&a->rows[i] + offset);

        for (size_t j = 0; j < rule->count; j++)
            if (rule->items[j].len > best_len && fits(rule->items[j], fact)) {
                best = &a->rows[i].agent;
                best_len = rule->items[j].len;
            }
    }
    return best;
}

const struct agent *agents_match(const struct agents *a, const struct agent_facts *facts,
                                 bool *ret_looks_like)
{
    const struct agent *found = match(a, offsetof(struct product_row, paths), facts->executable);

    *ret_looks_like = false;
    if (!found)
        found = match(a, offsetof(struct product_row, units), facts->unit);
    if (!found)
        found = match(a, offsetof(struct product_row, packages), facts->package);
    if (!found && (found = match(a, offsetof(struct product_row, names), facts->name)))
        *ret_looks_like = true;
    return found;
}
