/* SPDX-License-Identifier: MIT */
/* From what happened to a name to the event that is told. */
#include "sensor/fanotify/emit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/layer.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/writes.h"
#include "util/cleanup.h"
#include "util/clock.h"


int fanotify_path(const struct fanotify_object *o, uint32_t directory, struct bytes name, struct sbuf *out)
{
    int r;

    sbuf_clear(out);
    sbuf_add_bytes(out, o->parent.len ? o->parent : bytes_of("/"));
    if (out->len == 0 || out->data[out->len - 1] != '/')
        sbuf_add_char(out, '/');
    if (directory != tree_root(o->tree)) {
        r = tree_directory_path(o->tree, directory, out);
        if (r < 0)
            return r;
        sbuf_add_char(out, '/');
    }
    sbuf_add_bytes(out, name);
    if (!name.len && out->len > 1) /* the root of everything */
        sbuf_truncate(out, out->len - 1);
    return sbuf_error(out);
}

struct event *fanotify_event_bare(struct fanotify_object *o, enum operation operation,
                                  const struct fanotify_cause *cause)
{
    struct sensor *s = o->sensor;
    struct event *e = event_new();

    if (!e) {
        s->lost_paths++;
        return NULL;
    }
    e->operation = operation;
    e->object = o->wanted.id;
    e->sensors = SENSOR_FANOTIFY;
    e->syscall = -1;
    e->boot_from_ns = cause->from_boot_ns;
    e->boot_ns = cause->to_boot_ns;
    e->time_ns = cause->to_real_ns;
    e->actor.pid = cause->pid;
    e->actor.gone = cause->gone;
    e->actor_presumed = cause->presumed;
    event_set(e, &e->note, bytes_of(cause->note));
    return e;
}

struct event *fanotify_event_new(struct fanotify_object *o, enum operation operation,
                                 uint32_t directory, struct bytes name, const struct file_state *file,
                                 const struct fanotify_cause *cause)
{
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct event *e = fanotify_event_bare(o, operation, cause);

    if (!e)
        return NULL;
    if (file && !fanotify_gone_is(file)) {
        int64_t changed = file->ctime_ns;

        e->file = *file;
        /* the kernel's own stamp, where it can be that of this change */
        if ((file->known & FILE_CTIME) && changed >= (int64_t)cause->from_real_ns &&
            changed <= (int64_t)cause->to_real_ns && operation != OPERATION_UNLINK &&
            operation != OPERATION_RMDIR && operation != OPERATION_REPLACE)
            e->time_ns = (uint64_t)changed;
    }
    if (fanotify_path(o, directory, name, &path) == 0)
        event_set(e, &e->path, sbuf_bytes(&path));
    else
        o->sensor->lost_paths++;
    return e;
}

void fanotify_send(struct fanotify_object *o, struct event *e)
{
    if (e && o->sensor->silent)
        event_free(e);
    else if (e)
        fanotify_fold_add(o, e);
}

/* ---- something new ---- */

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

/* ---- gaps, and paths outside ---- */

void fanotify_gap(struct sensor *s, enum lost reason, uint64_t count, uint64_t from_real_ns, const char *text)
{
    struct gap gap = { .reason = reason,
                       .count = count,
                       .from_ns = from_real_ns,
                       .to_ns = clock_ns(CLOCK_REALTIME),
                       .sensor = SENSOR_FANOTIFY };

    snprintf(gap.text, sizeof(gap.text), "%s", text);
    s->options.sink.gap(s->options.sink.data, &gap);
}

void fanotify_replaced_gap(struct fanotify_object *o, uint64_t from_real_ns)
{
    /* a container's path was nobody's until now */
    if (from_real_ns && o->tree && (o->wanted.view == VIEW_HOST || o->wanted.view == VIEW_VOLUME))
        fanotify_gap(o->sensor, LOST_WATCH_WINDOW, 0, from_real_ns,
                     "a folder above a watched path was replaced: what was done below it until it was watched");
}

int fanotify_open_handle(struct fanotify_object *o, const struct fanotify_handle *handle)
{
    union {
        struct file_handle head;
        char space[sizeof(struct file_handle) + FANOTIFY_HANDLE_MAX];
    } u;
    _cleanup_close_ int mount = -EBADF;
    const struct fanotify_layer *layer;
    struct fanotify_handle behind;
    int fd;

    if (!handle->data.data || handle->data.len > FANOTIFY_HANDLE_MAX)
        return -ESTALE;
    mount = fanotify_object_near(o, handle->fsid);
    if (mount < 0)
        return mount;
    if (fanotify_layer_decode(handle, &behind)) {
        layer = fanotify_object_layer(o, mount);
        return layer ? fanotify_layer_open(layer, handle) : -ESTALE;
    }
    u.head.handle_bytes = (unsigned)handle->data.len;
    u.head.handle_type = handle->type;
    memcpy(u.head.f_handle, handle->data.data, handle->data.len);
    fd = open_by_handle_at(mount, &u.head, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int fanotify_resolve(struct fanotify_object *o, const struct fanotify_handle *handle, struct sbuf *out)
{
    _cleanup_close_ int fd = -EBADF;
    char link[48], path[PATH_MAX];
    ssize_t n;

    sbuf_clear(out);
    if (o->wanted.ns_pid)
        return -ENOENT; /* a path of another mount namespace would say something else here */
    fd = fanotify_open_handle(o, handle);
    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    if (n <= 0 || path[0] != '/' || (size_t)n == sizeof(path))
        return -ENOENT;
    if (n > 10 && memcmp(path + n - 10, " (deleted)", 10) == 0)
        return -ENOENT;
    sbuf_add(out, path, (size_t)n);
    return sbuf_error(out);
}
