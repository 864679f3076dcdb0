/* SPDX-License-Identifier: MIT */
/* The overlay that a container runs on, by its own table of mounts. */
#include "engine/oci_mount.h"

#include <errno.h>
#include <stdio.h>

#include "util/mountinfo.h"

static struct bytes unescape(struct arena *arena, struct bytes text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t n;

    if (!out)
        return BYTES_NULL;
    n = mountinfo_unescape(text, out);
    out[n] = '\0';
    return (struct bytes){ out, n };
}

/* The value of "name=" among options separated by commas. */
static struct bytes option(struct bytes options, const char *name)
{
    size_t len = strlen(name);

    while (options.len) {
        struct bytes one = bytes_next_field(&options, ',');

        if (one.len > len && memcmp(one.data, name, len) == 0)
            return (struct bytes){ one.data + len, one.len - len };
    }
    return BYTES_NULL;
}

/* Engines with many layers mount by paths relative to their storage: two above the layer's own. */
static struct bytes full_path(struct arena *arena, struct bytes path, struct bytes upper)
{
    if (path.len && path.data[0] == '/')
        return arena_copy(arena, path);
    if (!upper.len || upper.data[0] != '/')
        return BYTES_NULL;
    return arena_join_path(arena, bytes_dirname(bytes_dirname(upper)), path);
}

int oci_parse_overlay(struct bytes mountinfo, struct bytes mount_point, struct container_view *view)
{
    struct arena *arena = &view->container->arena;
    struct bytes found = BYTES_NULL, lower, upper;
    struct mountinfo mount;
    size_t n = 1;

    while (mountinfo_next(&mountinfo, &mount)) {
        struct bytes line = mount.rest;

        if (!bytes_equal(unescape(arena, mount.point), mount_point))
            continue;
        while (line.len && !bytes_equal_str(bytes_next_field(&line, ' '), "-"))
            ;
        /* the last one lies on top */
        found = bytes_equal_str(bytes_next_field(&line, ' '), "overlay") ? (bytes_next_field(&line, ' '), line) : BYTES_NULL;
    }
    if (!found.data)
        return -ENOENT;
    lower = unescape(arena, option(found, "lowerdir="));
    upper = unescape(arena, option(found, "upperdir="));
    if (upper.len && upper.data[0] != '/')
        upper = view->root.len ? arena_join_path(arena, bytes_dirname(bytes_dirname(view->root)), upper)
                               : BYTES_NULL;
    view->upper = upper;
    for (size_t i = 0; i < lower.len; i++)
        n += lower.data[i] == ':';
    view->lower = arena_alloc(arena, n * sizeof(*view->lower));
    view->lower_count = 0;
    while (view->lower && lower.len) {
        const char *colon = memchr(lower.data, ':', lower.len);
        struct bytes part = { lower.data, colon ? (size_t)(colon - lower.data) : lower.len };
        size_t step = part.len + (colon ? 1 : 0);

        lower = (struct bytes){ lower.data + step, lower.len - step };
        part = part.len ? full_path(arena, part, upper) : BYTES_NULL;
        if (part.len)
            view->lower[view->lower_count++] = part;
    }
    return 0;
}

int oci_overlay(const char *proc, pid_t pid, struct container_view *view)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char path[128];
    int r;

    snprintf(path, sizeof(path), "%s/%d/mountinfo", proc, pid);
    r = mountinfo_read(path, &text);
    if (r < 0)
        return r;
    r = oci_parse_overlay(sbuf_bytes(&text), bytes_of("/"), view);
    if (r == 0)
        view->merged = view->root;
    return r;
}
