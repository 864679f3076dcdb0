/* SPDX-License-Identifier: MIT */
#include "daemon/declared.h"

#include <errno.h>
#include <stdlib.h>

#include "event/operation.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "util/limits.h"

#define LABEL "culprit.watch"

struct declared_seen {
    struct fingerprint key;
    UT_hash_handle hh;
};

/* ---- one container ---- */

/* What is the kernel's, and the whole of it, is not the application's. */
static bool is_refused(struct bytes path)
{
    static const char *const kernels[] = { "/proc", "/sys", "/dev" };

    for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
        if (bytes_path_covers(bytes_of(kernels[i]), path))
            return true;
    return path.len == 1;
}

static int add_path(struct declaration *d, struct bytes path, struct err *err)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT, text = SBUF_INIT;
    struct target target;
    int r;

    escape_terminal_path(&shown, path, 100);
    if (path.data[0] != '/' || bytes_char(path, ':'))
        return err_say(err, -EINVAL, "\"%s\" is no path of the container: it begins with / and has no colon", sbuf_str(&shown));
    if (d->count == DECLARED_PATHS)
        return err_say(err, -EINVAL, "more than %d paths", DECLARED_PATHS);
    sbuf_add_bytes(&text, path);
    r = target_parse(sbuf_bytes(&text), bytes_of("/"), &target, err);
    if (r < 0)
        return r;
    if (is_refused(target.path))
        r = err_say(err, -EINVAL, "\"%s\": /, /proc, /sys and /dev are not watched", sbuf_str(&shown));
    target_done(&target);
    if (r == 0)
        d->paths[d->count++] = path;
    return r;
}

int declaration_read(const struct container *c, struct declaration *ret, struct err *err)
{
    struct declaration d = { .value = container_label(c, LABEL), .permissions = PERMISSION_WRITE | PERMISSION_ATTR };
    struct bytes rest = d.value, letters = container_label(c, LABEL ".permissions"), word;
    char unknown;
    int r = 0;

    d.key = container_label(c, LABEL ".key");
    if (letters.len && permissions_parse(letters, &d.permissions, &unknown) < 0)
        return err_say(err, -EINVAL, LABEL ".permissions is letters of r, w, x, a");
    if (d.key.len > LIMIT_NAME)
        return err_say(err, -EINVAL, LABEL ".key is longer than %d bytes", LIMIT_NAME);
    while (r == 0 && (word = bytes_next_word(&rest)).len)
        r = add_path(&d, word, err);
    if (r == 0 && bytes_known(d.value) && !d.count)
        r = err_say(err, -EINVAL, "it names no path");
    if (r == 0)
        *ret = d;
    return r;
}

/* ---- all of them ---- */

static bool is_new(struct declared *d, const struct container *c, struct bytes value)
{
    const struct bytes texts[] = { c->name, value, container_label(c, LABEL ".permissions"), container_label(c, LABEL ".key") };
    struct fingerprint_maker of;
    struct declared_seen *seen;
    struct fingerprint key;

    fingerprint_begin(&of);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        fingerprint_add(&of, texts[i]);
    key = fingerprint_end(&of);
    HASH_FIND(hh, d->seen, &key, sizeof(key), seen);
    if (seen)
        return false;
    seen = d->count < LIMIT_CONTAINERS ? calloc(1, sizeof(*seen)) : NULL;
    if (seen) {
        seen->key = key;
        HASH_ADD(hh, d->seen, key, sizeof(seen->key), seen);
        HASH_FREE_IF_OUT(hh, seen);
        d->count += seen != NULL;
    }
    return seen != NULL;
}

static void warn(struct declared *d, const struct container *c, const char *why)
{
    _cleanup_sbuf_ struct sbuf name = SBUF_INIT;

    escape_terminal(&name, c->name.len ? c->name : c->id);
    log_warn(d->log, "container %.100s: label " LABEL ": %s; it is not followed", sbuf_str(&name), why);
}

/* By the label itself, so that every container that has it is watched from its start on, also one that is made anew. */
static int take(struct declared *d, const struct declaration *of, struct bytes path, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes known = BYTES_NULL;
    struct transient *t;

    sbuf_add_str(&text, "label:" LABEL "=");
    sbuf_add_bytes(&text, of->value);
    sbuf_add_char(&text, ':');
    sbuf_add_bytes(&text, path);
    for (t = d->transients->first; t; t = t->next)
        if (t->declared && bytes_equal(t->target.text, sbuf_bytes(&text)) && t->target.permissions == of->permissions)
            known = t->target.text;
    if (known.data)
        return 0;
    if (transient_take(d->transients, sbuf_bytes(&text), of->permissions, of->key, false, &t, err) < 0)
        return -EINVAL;
    t->declared = true;
    d->stale = true;
    return 0;
}

void declared_container(struct declared *d, const struct container *c)
{
    struct bytes value = container_label(c, LABEL);
    struct declaration declaration;
    struct err err = ERR_INIT;
    int r;

    if (!bytes_known(value) || !is_new(d, c, value))
        return;
    r = declaration_read(c, &declaration, &err);
    for (size_t i = 0; r == 0 && i < declaration.count; i++)
        r = take(d, &declaration, declaration.paths[i], &err);
    if (r < 0)
        warn(d, c, err_text(&err, r));
}

void declared_done(struct declared *d)
{
    struct declared_seen *seen, *next;

    HASH_ITER(hh, d->seen, seen, next) {
        HASH_DEL(d->seen, seen);
        free(seen);
    }
}
