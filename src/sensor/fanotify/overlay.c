/* SPDX-License-Identifier: MIT */
/*
 * An upper layer holds what an overlay changed: files that were copied up from below, and whiteouts for
 * names that are gone. What a name there means depends on what the container saw under it before: that
 * is known from the snapshot of the overlay (also of the one before a restart), else from the layers.
 */
#include "sensor/fanotify/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "sensor/fanotify/appear.h"
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/interpret.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/writes.h"
#include "util/limits.h"

static bool fanotify_is_whiteout(struct fanotify_object *o, uint32_t directory, struct bytes name,
                                 const struct file_state *state)
{
    int fd = fanotify_object_directory(o, directory);
    char text[LIMIT_NAME + 1];
    struct stat st;

    if (!(state->known & FILE_MODE) || !S_ISCHR(state->mode) || fd < 0 || name.len > LIMIT_NAME)
        return false;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return tree_answers(o->tree, fd, text) && fstatat(fd, text, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

/* The path below the watched thing: "" is itself. */
static int below(const struct fanotify_object *o, uint32_t directory, struct bytes name, struct sbuf *out)
{
    int r = 0;

    sbuf_clear(out);
    if (directory != tree_root(o->tree)) {
        r = tree_directory_path(o->tree, directory, out);
        sbuf_add_char(out, '/');
    }
    sbuf_add_bytes(out, name);
    if (r == 0 && o->base.len) { /* the first component is the watched thing's own name */
        char *slash = out->data ? memchr(out->data, '/', out->len) : NULL;
        size_t cut = slash ? (size_t)(slash + 1 - out->data) : out->len;

        memmove(out->data, out->data + cut, out->len - cut);
        sbuf_truncate(out, out->len - cut);
    }
    return r < 0 ? r : sbuf_error(out);
}

/* The name under that path in another object of the group. */
static uint32_t name_below(const struct fanotify_object *o, struct bytes path)
{
    struct sbuf full = SBUF_INIT;
    uint32_t name;

    if (!o->tree)
        return 0;
    if (!o->base.len)
        return path.len ? tree_find_path(o->tree, path) : 0;
    sbuf_add_bytes(&full, o->base);
    if (path.len)
        sbuf_add_char(&full, '/');
    sbuf_add_bytes(&full, path);
    name = tree_find_path(o->tree, sbuf_bytes(&full));
    sbuf_done(&full);
    return name;
}

static bool is_snapshot(const struct fanotify_object *o, uint32_t group)
{
    return o->wanted.group == group && o->tree && o->wanted.view == VIEW_MERGED;
}

/* What the container saw there before `from_boot_ns`: the oldest snapshot knows what was before a restart;
 * one that may be younger than the event knows nothing of it. */
static struct fanotify_object *seen_in(const struct fanotify_object *upper, struct bytes path,
                                       uint64_t from_boot_ns, uint32_t *ret)
{
    struct fanotify_object *found = NULL;
    bool snapshot = false;

    for (struct fanotify_object *o = upper->sensor->objects; o; o = o->next) {
        if (!is_snapshot(o, upper->wanted.group) || (!o->tombstone_until_ms && o->placed_boot_ns >= from_boot_ns))
            continue;
        if (!snapshot || o->tombstone_until_ms) {
            *ret = name_below(o, path);
            found = *ret ? o : NULL;
        }
        snapshot = true;
    }
    if (snapshot)
        return found;
    for (struct fanotify_object *o = upper->sensor->objects; o; o = o->next) {
        if (o->wanted.group != upper->wanted.group || o->wanted.view != VIEW_LOWER)
            continue;
        *ret = name_below(o, path);
        if (*ret)
            return o;
    }
    return NULL;
}

/* Keep the snapshot up where no marks do. */
static void note(struct fanotify_object *snapshot, struct fanotify_object *upper, uint32_t name,
                 const struct file_state *state)
{
    struct tree_change change;

    (void)upper;
    if (snapshot->wanted.view != VIEW_MERGED || (!snapshot->tombstone_until_ms && !snapshot->unmarked))
        return;
    if (!state) {
        tree_remove(snapshot->tree, name, &change);
    } else {
        struct file_state was, now = { .mode = state->mode, .uid = state->uid, .gid = state->gid, .size = state->size };
        char text[LIMIT_NAME + 1];
        struct bytes base = tree_name(snapshot->tree, name, text);

        tree_state(snapshot->tree, tree_object_of(snapshot->tree, name), &was);
        now.links = was.links;
        now.inode = was.inode;
        now.device = was.device;
        (void)tree_put_state(snapshot->tree, tree_parent_of(snapshot->tree, name), base, &now, &change);
    }
}

static void emit_gone(struct fanotify_object *o, uint32_t directory, struct bytes name,
                      const struct file_state *was, const struct fanotify_cause *cause)
{
    enum operation operation = S_ISDIR(was->mode) ? OPERATION_RMDIR : OPERATION_UNLINK;

    fanotify_send(o, fanotify_event_new(o, operation, directory, name, was, cause), cause);
}

void fanotify_upper_gone(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    struct sbuf path = SBUF_INIT;
    struct fanotify_object *snapshot = NULL;
    uint32_t seen = 0;

    if (below(o, directory, name, &path) == 0)
        snapshot = seen_in(o, sbuf_bytes(&path), UINT64_MAX, &seen);
    if (snapshot)
        note(snapshot, o, seen, NULL);
    sbuf_done(&path);
}

void fanotify_upper_appeared(struct fanotify_object *o, uint32_t directory, struct bytes name,
                             const struct file_state *before, const struct fanotify_birth *birth, const struct fanotify_cause *cause)
{
    uint32_t entry = tree_child(o->tree, directory, name), object = tree_object_of(o->tree, entry), seen = 0;
    struct fanotify_object *snapshot = NULL;
    struct tree_change change = { .same_object = true };
    struct file_state state = { 0 };
    struct sbuf path = SBUF_INIT;
    char text[LIMIT_NAME + 1];

    if (!object || name.len > LIMIT_NAME)
        return;
    memcpy(text, name.data, name.len); /* the index may move its names */
    name.data = text;
    tree_state(o->tree, object, &change.after);
    if (below(o, directory, name, &path) == 0)
        snapshot = seen_in(o, sbuf_bytes(&path), cause->from_boot_ns, &seen);
    sbuf_done(&path);
    if (snapshot)
        tree_state(snapshot->tree, tree_object_of(snapshot->tree, seen), &state);
    switch (fanotify_interpret_upper(before, &state, fanotify_is_whiteout(o, directory, name, &change.after), &change.before)) {
    case FANOTIFY_LAYER_GONE:
        emit_gone(o, directory, name, &change.before, cause);
        __attribute__((fallthrough));
    case FANOTIFY_LAYER_NOTHING:
        if (snapshot)
            note(snapshot, o, seen, NULL);
        return;
    case FANOTIFY_LAYER_NEW:
        fanotify_emit_new(o, entry, birth, cause);
        return;
    case FANOTIFY_LAYER_COPIED:
        break;
    }
    /* copied up: what differs from before is what was done */
    (void)fanotify_emit_attributes(o, directory, name, &change, cause);
    if (S_ISREG(change.after.mode) && (change.before.known & FILE_SIZE) &&
        change.after.size != change.before.size)
        fanotify_written(o, directory, name, FAN_MODIFY, false, &change, cause);
    if (snapshot)
        note(snapshot, o, seen, &change.after);
}
