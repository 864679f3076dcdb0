/* SPDX-License-Identifier: MIT */
#include "watch/plan.h"

#include <errno.h>
#include <stdlib.h>

#include "util/macro.h"

struct plan_target {
    struct target target;
    struct bytes key;
    unsigned permissions;
    size_t index;
};

bool plan_same_place(const struct target *a, const struct target *b)
{
    return a->selector.kind == b->selector.kind && bytes_equal(a->selector.runtime, b->selector.runtime) &&
           bytes_equal(a->selector.text, b->selector.text);
}

static bool covers(const struct target *outer, const struct target *inner)
{
    return plan_same_place(outer, inner) && bytes_path_covers(outer->path, inner->path);
}

void watch_labels_free(struct watch_labels *labels)
{
    if (!labels)
        return;
    arena_done(&labels->arena);
    free(labels->labels);
    free(labels);
}

const struct watch_label *watch_labels_find(const struct watch_labels *labels, struct bytes path, unsigned permission)
{
    const struct watch_label *found = NULL;

    for (size_t i = 0; labels && i < labels->count; i++) {
        const struct watch_label *l = &labels->labels[i];

        if (l->permissions & permission && bytes_path_covers(l->path, path) && (!found || l->path.len >= found->path.len))
            found = l;
    }
    return found;
}

void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        target_done(&plan->entries[i].target);
        watch_labels_free(plan->entries[i].labels);
    }
    free(plan->entries);
    *plan = (struct plan){ 0 };
}

/* Outermost first; of one path in the order in which they were asked. */
static int by_depth(const void *a, const void *b)
{
    const struct plan_target *x = a, *y = b;

    if (x->target.path.len != y->target.path.len)
        return x->target.path.len < y->target.path.len ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool add_label(struct watch_labels *labels, const struct plan_target *of, unsigned permissions)
{
    struct watch_label *grown = reallocarray(labels->labels, labels->count + 1, sizeof(*grown));
    struct watch_label *l;

    if (!grown)
        return false;
    labels->labels = grown;
    l = &grown[labels->count];
    *l = (struct watch_label){ .path = arena_copy(&labels->arena, of->target.path),
                               .text = arena_copy(&labels->arena, of->target.text),
                               .key = of->key.len ? arena_copy(&labels->arena, of->key) : BYTES_NULL,
                               .permissions = permissions };
    if (!l->path.data || !l->text.data || (of->key.len && !l->key.data))
        return false;
    labels->count++;
    return true;
}

static struct watch_labels *make_labels(const struct plan_target *asked, size_t count, const struct target *armed)
{
    struct watch_labels *labels = calloc(1, sizeof(*labels));

    for (size_t i = 0; labels && i < count; i++)
        if (asked[i].permissions & armed->permissions && covers(armed, &asked[i].target) &&
            !add_label(labels, &asked[i], asked[i].permissions & armed->permissions)) {
            watch_labels_free(labels);
            labels = NULL;
        }
    return labels;
}

static int arm(struct plan *plan, const struct plan_target *of, unsigned permissions, struct err *err)
{
    struct plan_entry *e = &plan->entries[plan->count];
    int r = target_parse(of->target.text, bytes_of("/"), &e->target, err);

    if (r < 0)
        return r;
    plan->count++;
    e->target.permissions = permissions;
    e->ask = of->index;
    return 0;
}

static int make(const struct plan_target *asked, size_t count, struct plan *plan, struct err *err)
{
    int r = 0;

    plan->entries = calloc(MAX(count, (size_t)1), sizeof(*plan->entries));
    if (!plan->entries)
        return err_set(err, -ENOMEM, "watches");
    for (size_t i = 0; r == 0 && i < count; i++) {
        unsigned wanted = asked[i].permissions;

        for (size_t k = 0; k < plan->count; k++)
            if (covers(&plan->entries[k].target, &asked[i].target))
                wanted &= ~plan->entries[k].target.permissions;
        if (wanted)
            r = arm(plan, &asked[i], wanted, err);
    }
    for (size_t k = 0; r == 0 && k < plan->count; k++) {
        plan->entries[k].labels = make_labels(asked, count, &plan->entries[k].target);
        if (!plan->entries[k].labels)
            r = err_set(err, -ENOMEM, "watches");
    }
    return r;
}

int plan_make(const struct plan_ask *asks, size_t count, struct plan *ret, struct err *err)
{
    struct plan_target *asked = calloc(MAX(count, (size_t)1), sizeof(*asked));
    struct plan plan = { 0 };
    size_t n = 0;
    int r = asked ? 0 : err_set(err, -ENOMEM, "watches");

    for (; r == 0 && n < count; n += r == 0) {
        r = target_parse(asks[n].text, bytes_of("/"), &asked[n].target, err);
        asked[n].key = asks[n].key;
        asked[n].permissions = asks[n].permissions;
        asked[n].index = n;
    }
    if (r == 0) {
        qsort(asked, n, sizeof(*asked), by_depth);
        r = make(asked, n, &plan, err);
    }
    for (size_t i = 0; i < n; i++)
        target_done(&asked[i].target);
    free(asked);
    if (r < 0)
        plan_done(&plan);
    else
        *ret = plan;
    return r;
}
