/* SPDX-License-Identifier: MIT */
#include "daemon/transient.h"

#include <errno.h>
#include <stdlib.h>

#include "util/limits.h"

static void free_transient(struct transients *list, struct transient *t)
{
    for (struct transient **at = &list->first; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            break;
        }
    list->count--;
    target_done(&t->target);
    free(t);
}

static struct transient *find(const struct transients *list, struct bytes text, unsigned permissions, struct bytes key)
{
    for (struct transient *t = list->first; t; t = t->next)
        if (!t->declared && bytes_equal(t->target.text, text) && t->target.permissions == permissions && bytes_equal(t->target.key, key))
            return t;
    return NULL;
}

static int add(struct transients *list, struct bytes text, unsigned permissions, struct bytes key, struct transient **ret,
               struct err *err)
{
    struct transient *t, **end = &list->first;
    int r;

    if (list->count >= LIMIT_CONFIG_TARGETS)
        return err_say(err, -E2BIG, "more than %d targets beside the configuration", LIMIT_CONFIG_TARGETS);
    t = calloc(1, sizeof(*t));
    if (!t)
        return err_set(err, -ENOMEM, "watches");
    r = target_parse(text, bytes_of("/"), &t->target, err);
    if (r == 0 && t->target.selector.kind == SELECTOR_NONE && (!text.len || text.data[0] != '/'))
        r = err_say(err, -EINVAL, "a path for the daemon begins with /");
    if (r == 0) {
        t->target.permissions = permissions;
        t->target.key = key.len ? arena_copy(&t->target.arena, key) : BYTES_NULL;
    }
    if (r < 0) {
        target_done(&t->target);
        free(t);
        return r;
    }
    while (*end)
        end = &(*end)->next;
    *end = t;
    list->count++;
    *ret = t;
    return 0;
}

int transient_take(struct transients *list, struct bytes text, unsigned permissions, struct bytes key, bool viewer,
                   struct transient **ret, struct err *err)
{
    struct transient *t = find(list, text, permissions, key);
    int r = t ? 0 : add(list, text, permissions, key, &t, err);

    if (r < 0)
        return r;
    t->viewers += viewer;
    t->added += !viewer;
    *ret = t;
    return 0;
}

bool transient_leave(struct transients *list, struct transient *t, bool viewer)
{
    t->viewers -= viewer;
    t->added -= !viewer;
    if (t->viewers || t->added)
        return false;
    free_transient(list, t);
    return true;
}

struct transient *transient_find_added(const struct transients *list, struct bytes text)
{
    for (struct transient *t = list->first; t; t = t->next)
        if (t->added && !t->declared && bytes_equal(t->target.text, text))
            return t;
    return NULL;
}

void transients_done(struct transients *list)
{
    while (list->first)
        free_transient(list, list->first);
}
