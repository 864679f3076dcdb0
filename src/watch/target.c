/* SPDX-License-Identifier: MIT */
#include "watch/target.h"

#include <errno.h>
#include <string.h>

#include "util/escape.h"
#include "util/limits.h"
#include "util/path.h"
#include "util/sbuf.h"

static int refuse(struct err *err, struct bytes text, const char *why)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    escape_terminal_path(&shown, text, 100);
    return err_say(err, -EINVAL, "target \"%s\": %s", sbuf_str(&shown), why);
}

/* Lexical: symbolic links are looked at later, where the file system is known. */
static struct bytes normalise(struct arena *arena, struct bytes dir, struct bytes path)
{
    size_t size = dir.len + path.len + 2;
    char *out = arena_alloc(arena, size + 1);
    struct bytes joined;

    if (!out)
        return BYTES_NULL;
    joined = path_join(path.len && path.data[0] == '/' ? BYTES_NULL : dir, path, out, size);
    out[joined.len] = '\0';
    return joined;
}

int target_parse(struct bytes text, struct bytes cwd, struct target *ret, struct err *err)
{
    struct target t = { 0 };
    struct selector selector;
    struct bytes path;
    int r;

    if (text.len == 0)
        return err_say(err, -EINVAL, "an empty target: write [CONTAINER:]PATH");
    if (text.len > LIMIT_PATH)
        return err_say(err, -ENAMETOOLONG, "a target of %zu bytes, the limit is %d", text.len,
                       LIMIT_PATH);
    if (memchr(text.data, '\0', text.len))
        return refuse(err, text, "holds a NUL byte");
    r = selector_parse(text, &selector, &path, err);
    if (r < 0)
        return r;
    t.text = arena_copy(&t.arena, text);
    t.selector.kind = selector.kind;
    t.selector.runtime = arena_copy(&t.arena, selector.runtime);
    t.selector.text = arena_copy(&t.arena, selector.text);
    t.path = normalise(&t.arena, cwd, path);
    if (!t.text.data || !t.path.data || (selector.text.data && !t.selector.text.data)) {
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
