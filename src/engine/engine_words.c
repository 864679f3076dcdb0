/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "engine/engine_table.h"
#include "util/escape.h"
#include "util/suggest.h"

#define SHOWN 8

/* "docker: web, db; podman: none" of the engines that have any, or answer. */
static void list_names(struct engines *e, struct sbuf *out)
{
    for (unsigned group = 0; group < ENGINES; group++) {
        _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
        struct known_container *k, *next;
        unsigned n = 0;

        if (e->slots[group].group != group)
            continue;
        HASH_ITER(by_id, e->known, k, next) {
            if (k->group != group || k->gone)
                continue;
            if (n++ >= SHOWN)
                continue;
            sbuf_add_str(&names, n > 1 ? ", " : "");
            escape_terminal(&names, k->container->name);
        }
        if (n > SHOWN)
            sbuf_addf(&names, " and %u more", n - SHOWN);
        if (e->slots[group].hangs)
            sbuf_add_str(&names, n ? "; does not answer" : "does not answer");
        if (names.len)
            sbuf_addf(out, "%s%s: %s", out->len ? "; " : "", e->slots[group].ops->name, sbuf_str(&names));
    }
}

int words_no_such(struct engines *e, struct bytes name, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, names = SBUF_INIT;
    struct suggestion near = { .typed = name };
    struct known_container *k, *next;

    HASH_ITER(by_id, e->known, k, next)
        if (!k->gone && !bytes_equal(k->container->name, name)) /* it has just come, or is another engine's */
            suggest_offer(&near, k->container->name);
    list_names(e, &names);
    sbuf_add_str(&text, "no container \"");
    escape_terminal(&text, name);
    sbuf_add_char(&text, '"');
    if (near.best.data) {
        sbuf_add_str(&text, "; did you mean ");
        escape_terminal(&text, near.best);
        sbuf_add_char(&text, '?');
    }
    if (names.len)
        sbuf_addf(&text, " (%s)", sbuf_str(&names));
    return err_say(err, -ENOENT, "%s", sbuf_str(&text));
}

int words_ambiguous(struct engines *e, struct bytes name, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    unsigned shown = 0;
    struct known_container *k, *next;

    sbuf_add_char(&text, '"');
    escape_terminal(&text, name);
    sbuf_add_str(&text, "\" means several containers: ");
    HASH_ITER(by_id, e->known, k, next) {
        const struct container *c = k->container;

        if (k->gone || (!bytes_starts_with(c->id, name) && !bytes_equal(c->name, name)))
            continue;
        if (shown++ >= SHOWN)
            continue;
        sbuf_add_str(&text, shown > 1 ? ", " : "");
        escape_terminal(&text, c->runtime);
        sbuf_add_char(&text, ':');
        escape_terminal(&text, c->name);
        sbuf_add_str(&text, " (");
        escape_terminal(&text, (struct bytes){ c->id.data, MIN(c->id.len, (size_t)12) });
        if (c->pod_name.len) {
            sbuf_add_str(&text, ", pod ");
            escape_terminal(&text, c->pod_namespace);
            sbuf_add_char(&text, '/');
            escape_terminal(&text, c->pod_name);
        }
        sbuf_add_char(&text, ')');
    }
    if (shown > SHOWN)
        sbuf_addf(&text, " and %u more", shown - SHOWN);
    sbuf_add_str(&text, "; write one of them, or its id");
    return err_say(err, -EEXIST, "%s", sbuf_str(&text));
}
