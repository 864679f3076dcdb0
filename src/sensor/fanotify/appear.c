/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/appear.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/resolve.h"
#include "util/cleanup.h"
#include "util/limits.h"

/* Of what has just been looked at it is known. */
static uint64_t birth_of_new(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    return o->sensor->born_real_ns ? o->sensor->born_real_ns : fanotify_born(o, directory, name);
}

/* A file with two names that was born while these events waited was made here, and linked before we looked:
 * the event of the second name follows. */
static bool born_now(struct fanotify_object *o, uint32_t directory, struct bytes name,
                     const struct fanotify_cause *cause)
{
    uint64_t born = birth_of_new(o, directory, name);

    /* its handle would be known if it had been made before this event and since we watch */
    return born && born + (uint64_t)FANOTIFY_STAMP_NS >= (o->sensor->features.target ? o->sensor->watch_real_ns : cause->from_real_ns);
}

/* A name of a file that is older than the watch is a second one, also where the first is gone by now. The clock may have been
 * set back meanwhile: a link changes its file, so that such a file is older than its last change too. */
static bool born_before(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct file_state *state)
{
    uint64_t born = (state->known & FILE_CTIME) ? birth_of_new(o, directory, name) : 0;

    return born && born + (uint64_t)FANOTIFY_STAMP_NS < o->sensor->watch_real_ns && born + (uint64_t)FANOTIFY_STAMP_NS < (uint64_t)state->ctime_ns;
}

/* The file is older than its directory's mark: made there before anybody saw it, and now linked; or made in that moment. */
static bool may_be_linked(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    uint64_t marked = fanotify_marked_at(o, directory);

    return marked && birth_of_new(o, directory, name) <= marked + (uint64_t)FANOTIFY_STAMP_NS;
}

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

void fanotify_tell_new(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause)
{
    uint32_t object = tree_object_of(o->tree, name), other;
    uint32_t directory = tree_parent_of(o->tree, name);
    enum operation operation = OPERATION_CREATE;
    struct file_state state;
    char text[LIMIT_NAME + 1];
    struct bytes base = tree_name(o->tree, name);
    struct fanotify_cause how;
    struct event *e;

    if (!object || base.len > LIMIT_NAME)
        return;
    memcpy(text, base.data, base.len);
    base.data = text;
    tree_state(o->tree, object, &state);
    other = tree_first_name(o->tree, object);
    while (other && (other == name || fanotify_found_has(o, other))) /* found, and not told yet: comes later */
        other = tree_next_name(o->tree, other);
    if (S_ISDIR(state.mode))
        operation = OPERATION_MKDIR;
    else if (other || (state.links > 1 && !born_now(o, directory, base, cause)) || o->sensor->linked ||
             born_before(o, directory, base, &state))
        operation = OPERATION_LINK;
    else if (S_ISLNK(state.mode))
        operation = OPERATION_SYMLINK;
    else if (!S_ISREG(state.mode))
        operation = OPERATION_MKNOD;
    how = *cause;
    if (operation == OPERATION_CREATE && !cause->found && may_be_linked(o, directory, base)) {
        how.found = true;
        how.note = "found in a new folder: made or linked there, which of both is not known";
    }
    e = fanotify_event_new(o, operation, directory, base, &state, &how);
    if (!e)
        return;
    e->operation_presumed = how.found;
    if (operation == OPERATION_SYMLINK)
        read_link(o, directory, base, e);
    if (operation == OPERATION_LINK && other) {
        _cleanup_sbuf_ struct sbuf path = SBUF_INIT;

        if (fanotify_path(o, tree_parent_of(o->tree, other), tree_name(o->tree, other), &path) == 0)
            event_set(e, &e->target_path, sbuf_bytes(&path));
    }
    fanotify_send(o, e);
}
