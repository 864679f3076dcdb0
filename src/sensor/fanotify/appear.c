/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/appear.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/interpret.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/resolve.h"
#include "util/cleanup.h"
#include "util/limits.h"

static void read_link(struct fanotify_object *o, uint32_t directory, struct bytes name, struct event *e)
{
    char target[PATH_MAX], text[LIMIT_NAME + 1];
    int fd = fanotify_object_directory(o, directory);
    ssize_t n;

    if (fd < 0 || name.len > LIMIT_NAME)
        return;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    n = readlinkat(fd, text, target, sizeof(target));
    if (n > 0)
        event_set(e, &e->target_path, (struct bytes){ target, (size_t)n });
}

void fanotify_emit_new(struct fanotify_object *o, uint32_t name, const struct fanotify_birth *birth, const struct fanotify_cause *cause)
{
    struct fanotify_new_name n = { .linked = birth && birth->linked,
                                   .by_handle = o->sensor->features.target,
                                   .born_real_ns = birth ? birth->born_real_ns : 0,
                                   .watch_real_ns = o->sensor->watch_real_ns,
                                   .from_real_ns = cause->from_real_ns,
                                   .marked_real_ns = fanotify_marked_at(o, tree_parent_of(o->tree, name)) };
    uint32_t object = tree_object_of(o->tree, name), other;
    uint32_t directory = tree_parent_of(o->tree, name);
    enum operation operation;
    char text[LIMIT_NAME + 1];
    struct bytes base = tree_name(o->tree, name, text);
    struct fanotify_cause how;
    struct event *e;

    if (!object)
        return;
    tree_state(o->tree, object, &n.state);
    other = tree_first_name(o->tree, object);
    while (other && (other == name || fanotify_found_has(o, other))) /* found, and not emitted yet: comes later */
        other = tree_next_name(o->tree, other);
    n.has_other = other != 0;
    if (!n.born_real_ns && !n.has_other && !n.linked && !S_ISDIR(n.state.mode)) /* else it does not matter */
        n.born_real_ns = fanotify_born(o, directory, base);
    operation = fanotify_interpret_new(&n);
    how = *cause;
    if (operation == OPERATION_CREATE && !cause->found && fanotify_may_be_linked(&n)) {
        how.found = true;
        how.note = "found in a new folder: made or linked there, which of both is not known";
    }
    e = fanotify_event_new(o, operation, directory, base, &n.state, &how);
    if (!e)
        return;
    e->operation_presumed = how.found;
    if (operation == OPERATION_SYMLINK)
        read_link(o, directory, base, e);
    if (operation == OPERATION_LINK && other) {
        _cleanup_sbuf_ struct sbuf path = SBUF_INIT;

        if (fanotify_path(o, tree_parent_of(o->tree, other), tree_name(o->tree, other, text), &path) == 0)
            event_set(e, &e->target_path, sbuf_bytes(&path));
    }
    fanotify_send(o, e, &how);
}
