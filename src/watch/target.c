/* SPDX-License-Identifier: MIT */
#include "watch/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/escape.h"
#include "util/limits.h"
#include "util/sbuf.h"

/* Written here are only forms with a '/' in the name part, which a container's name cannot hold. */
static const struct {
    const char *prefix;
    enum target_kind kind;
    unsigned min_parts, max_parts;
    const char *form;
} forms[] = {
    { "compose:", TARGET_COMPOSE, 2, 2, "compose:PROJECT/SERVICE:/PATH" },
    { "pod:", TARGET_POD, 2, 3, "pod:NAMESPACE/NAME[/CONTAINER]:/PATH" },
};

static int refuse(struct err *err, struct bytes text, const char *why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal_path(&shown, text, 100);
    return err_say(err, -EINVAL, "target \"%s\": %s", sbuf_str(&shown), why);
}

/* Lexical: symbolic links are looked at later, where the file system is known. */
static struct bytes normalise(struct arena *arena, struct bytes dir, struct bytes path)
{
    char *out = arena_alloc(arena, dir.len + path.len + 3);
    struct bytes parts[2] = { dir, path };
    size_t len = 0;

    if (!out)
        return BYTES_NULL;
    for (unsigned p = path.len && path.data[0] == '/' ? 1 : 0; p < 2; p++) {
        const char *at = parts[p].data, *end = at + parts[p].len;

        while (at < end) {
            const char *slash = memchr(at, '/', (size_t)(end - at));
            size_t n = slash ? (size_t)(slash - at) : (size_t)(end - at);

            if (n == 2 && at[0] == '.' && at[1] == '.') {
                while (len > 0 && out[--len] != '/')
                    ;
            } else if (n > 0 && !(n == 1 && at[0] == '.')) {
                out[len++] = '/';
                memcpy(out + len, at, n);
                len += n;
            }
            at += n + 1;
        }
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return (struct bytes){ out, len };
}

static unsigned count_parts(struct bytes name)
{
    unsigned parts = 1;

    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '/')
            continue;
        if (i == 0 || i + 1 == name.len || name.data[i - 1] == '/')
            return 0;
        parts++;
    }
    return name.len ? parts : 0;
}

int target_parse(struct bytes text, struct bytes cwd, struct target *ret, struct err *err)
{
    struct target t = { .kind = TARGET_HOST };
    struct bytes path = text, container = BYTES_NULL;
    const char *colon;

    if (text.len == 0)
        return err_say(err, -EINVAL, "an empty target: write [CONTAINER:]PATH");
    if (text.len > LIMIT_PATH)
        return err_say(err, -ENAMETOOLONG, "a target of %zu bytes, the limit is %d", text.len,
                       LIMIT_PATH);
    if (memchr(text.data, '\0', text.len))
        return refuse(err, text, "holds a NUL byte");
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        struct bytes rest = { text.data + strlen(forms[i].prefix),
                              text.len - strlen(forms[i].prefix) };
        unsigned parts;

        if (!bytes_starts_with(text, bytes_of(forms[i].prefix)))
            continue;
        colon = memchr(rest.data, ':', rest.len);
        if (!colon)
            continue; /* "pod:/x" is the container named pod */
        container = (struct bytes){ rest.data, (size_t)(colon - rest.data) };
        parts = count_parts(container);
        if (parts < forms[i].min_parts || parts > forms[i].max_parts) {
            char why[128];

            snprintf(why, sizeof(why), "write %s", forms[i].form);
            return refuse(err, text, why);
        }
        t.kind = forms[i].kind;
        path = (struct bytes){ colon + 1, rest.len - container.len - 1 };
        break;
    }
    if (t.kind == TARGET_HOST) {
        colon = memchr(text.data, ':', text.len);
        if (colon && !memchr(text.data, '/', (size_t)(colon - text.data))) {
            container = (struct bytes){ text.data, (size_t)(colon - text.data) };
            path = (struct bytes){ colon + 1, text.len - container.len - 1 };
            t.kind = TARGET_CONTAINER;
            if (container.len == 0)
                return refuse(err, text, "no container before the colon; write ./ before a host path");
        }
    }
    if (t.kind != TARGET_HOST && (path.len == 0 || path.data[0] != '/'))
        return refuse(err, text,
                      "the path in a container starts with /; a host path with a colon is written "
                      "with ./ or / in front");
    t.text = arena_copy(&t.arena, text);
    t.container = arena_copy(&t.arena, container);
    t.path = normalise(&t.arena, cwd, path);
    if (!t.text.data || !t.path.data || (container.data && !t.container.data)) {
        target_done(&t);
        return -ENOMEM;
    }
    *ret = t;
    return 0;
}

void target_done(struct target *target)
{
    arena_done(&target->arena);
    *target = (struct target){ 0 };
}
