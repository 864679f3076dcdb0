/* SPDX-License-Identifier: MIT */
/* The host's sources one after the other: the first one that has a file gives it. */
#include <errno.h>
#include <stdio.h>

#include "restore/restore.h"
#include "util/macro.h"

static int from_copies(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                       struct err *err)
{
    return restore_copies(NULL, path, options, ret, ret_summary, err);
}

static int from_open(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                     struct err *err)
{
    return restore_still_open(NULL, path, options, ret, ret_summary, err);
}

static int from_package(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                        struct err *err)
{
    return restore_package(path, false, options, ret, ret_summary, err);
}

static int from_git(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                    struct err *err)
{
    return restore_git(path, false, options, ret, ret_summary, err);
}

/* In the order in which they are asked; those without a function only where they are named. */
static const struct {
    enum restore_source source;
    const char *words;
    int (*restore)(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                   struct err *err);
} sources[] = {
    { RESTORE_FROM_COPIES, "kept copies", from_copies },
    { RESTORE_FROM_OPEN, "what processes hold open", from_open },
    { RESTORE_FROM_PACKAGE, "packages", from_package },
    { RESTORE_FROM_GIT, "git's index", from_git },
    { RESTORE_FROM_QUARANTINE, "what a quarantine has", NULL },
};

int restore_host(struct bytes path, const struct restore_options *options, struct restore_items *ret, struct restore_summary *ret_summary,
                 struct sbuf *ret_from, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        struct err own = ERR_INIT;
        int r = !sources[i].restore ? 0 : sources[i].restore(path, options, ret, ret_summary, &own);
        char text[400];

        if (r == -ENOMEM || r == -E2BIG) {
            *err = own;
            return r;
        }
        if (r < 0 && own.text[0]) {
            snprintf(text, sizeof(text), "%s: left out: %.300s", sources[i].words, own.text);
            options->notice(options->data, text);
        }
    }
    restore_name_sources(ret, RESTORE_FROM_ANY, ret_from);
    return 0;
}

/* ---- their words ---- */

static bool same_origin(const struct restore_items *items, enum restore_source source, struct bytes *ret)
{
    *ret = BYTES_NULL;
    for (size_t i = 0; i < items->count; i++) {
        const struct restore_item *item = &items->all[i];

        if (item->source != source)
            continue;
        if (ret->len && !bytes_equal(*ret, item->origin))
            return false;
        *ret = item->origin;
    }
    return ret->len > 0;
}

static bool has_source(const struct restore_items *items, enum restore_source source)
{
    for (size_t i = 0; i < items->count; i++)
        if (items->all[i].source == source)
            return true;
    return false;
}

void restore_name_sources(const struct restore_items *items, enum restore_source asked, struct sbuf *out)
{
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
        struct bytes origin;

        if (items->count ? !has_source(items, sources[i].source) : asked != RESTORE_FROM_ANY ? asked != sources[i].source : !sources[i].restore)
            continue;
        sbuf_add_str(out, separator);
        if (same_origin(items, sources[i].source, &origin)) {
            sbuf_addf(out, "%s ", restore_source_word(sources[i].source));
            sbuf_add_bytes(out, origin);
        } else {
            sbuf_add_str(out, sources[i].words);
        }
        separator = items->count ? " and " : ", ";
    }
}
