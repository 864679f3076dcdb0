/* SPDX-License-Identifier: MIT */
#include "restore/item.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/array.h"
#include "util/limits.h"
#include "util/macro.h"

static const char *const outcomes[RESTORE_OUTCOMES] = {
    [RESTORE_OPEN] = "open",   [RESTORE_DONE] = "restored",  [RESTORE_PLANNED] = "planned",
    [RESTORE_NEWER] = "newer", [RESTORE_EARLIER] = "earlier", [RESTORE_FAILED] = "failed",
};

static const char *const sources[] = { [RESTORE_FROM_ANY] = "any", [RESTORE_FROM_IMAGE] = "image", [RESTORE_FROM_COPIES] = "copies", [RESTORE_FROM_OPEN] = "open",
                                       [RESTORE_FROM_PACKAGE] = "package",   [RESTORE_FROM_GIT] = "git",         [RESTORE_FROM_QUARANTINE] = "quarantine" };

const char *restore_outcome_name(enum restore_outcome outcome)
{
    return outcomes[outcome];
}

const char *restore_source_name(enum restore_source source)
{
    return sources[source];
}

const char *restore_source_word(enum restore_source source)
{
    return source == RESTORE_FROM_COPIES ? "copy" : sources[source];
}

int restore_source_parse(const char *name, enum restore_source *ret)
{
    for (size_t i = RESTORE_FROM_IMAGE; i < ARRAY_SIZE(sources); i++) {
        if (strcmp(sources[i], name) != 0)
            continue;
        *ret = (enum restore_source)i;
        return 0;
    }
    return -EINVAL;
}

bool restore_item_is_whole(const struct restore_item *item)
{
    return item->kinds & (RESTORE_BIT(DIFFERENCE_MISSING) | RESTORE_BIT(DIFFERENCE_TYPE) | RESTORE_BIT(DIFFERENCE_CONTENT));
}

void restore_item_fail(struct restore_item *item, int r, const struct err *err)
{
    const char *why = r == -ELOOP    ? "a symbolic link is on its way by now: not followed"
                      : r == -EXDEV  ? "something is mounted on its way by now: not entered"
                      : r == -EEXIST ? "something new has its name by now"
                      : r == -EISDIR ? "a folder has its name by now: that is not replaced"
                                     : err_text(err, r);

    item->outcome = RESTORE_FAILED;
    snprintf(item->reason, sizeof(item->reason), "%s", why);
}

void restore_items_done(struct restore_items *items)
{
    for (size_t i = 0; i < items->count; i++)
        difference_free(items->all[i].difference);
    for (size_t i = 0; i < items->grown_count; i++)
        free(items->grown[i]);
    for (size_t i = 0; i < items->stale_count; i++)
        free(items->stale[i]);
    free(items->all);
    free(items->grown);
    free(items->stale);
    *items = (struct restore_items){ 0 };
}

static int add_text(char ***all, size_t *count, size_t *size, struct bytes text)
{
    if (*count == *size && *count >= LIMIT_RESTORE_ITEMS)
        return -E2BIG;
    if (ARRAY_ROOM(*all, *count, *size, 64) < 0)
        return -ENOMEM;
    if (*count && bytes_equal_str(text, (*all)[*count - 1]))
        return 0;
    (*all)[*count] = strndup(text.data, text.len);
    return (*all)[*count] ? (++*count, 0) : -ENOMEM;
}

int restore_items_add_stale(struct restore_items *items, struct bytes directory)
{
    return add_text(&items->stale, &items->stale_count, &items->stale_size, directory);
}

static struct restore_item *last_of(struct restore_items *items, struct bytes path)
{
    struct restore_item *last = items->count ? &items->all[items->count - 1] : NULL;

    return last && bytes_equal(last->path, path) ? last : NULL;
}

static int add(struct restore_items *items, struct difference *d)
{
    struct restore_item *item = last_of(items, d->path);

    if (d->kind == DIFFERENCE_ADDED)
        return add_text(&items->grown, &items->grown_count, &items->grown_size, bytes_dirname(d->path));
    if (item) {
        item->kinds |= RESTORE_BIT(d->kind);
        if (!item->difference->event && d->event) { /* somebody is named rather than nobody */
            item->difference->event = TAKE_PTR(d->event);
            item->difference->unrecorded = d->unrecorded;
        }
        return 0;
    }
    if (items->count == items->size && items->count >= LIMIT_RESTORE_ITEMS)
        return -E2BIG;
    if (ARRAY_ROOM(items->all, items->count, items->size, 64) < 0)
        return -ENOMEM;
    items->all[items->count++] = (struct restore_item){ .path = d->path, .kinds = RESTORE_BIT(d->kind), .difference = d };
    return 1;
}

int restore_items_add(struct restore_items *items, struct difference *d)
{
    int r = add(items, d);

    if (r != 1)
        difference_free(d);
    return r < 0 ? r : 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void restore_items_sort(struct restore_items *items)
{
    if (items->grown_count)
        qsort(items->grown, items->grown_count, sizeof(*items->grown), by_text);
}

bool restore_items_has_grown(const struct restore_items *items, struct bytes directory)
{
    size_t low = 0, high = items->grown_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *at = items->grown[middle];
        int order = strncmp(at, directory.data, directory.len);

        if (order == 0)
            order = at[directory.len] != '\0';
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
