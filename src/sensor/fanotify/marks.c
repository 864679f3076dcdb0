/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "event/operation.h"
#include "sensor/fanotify/young.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/object.h"
#include "util/mountinfo.h"

static uint64_t names_mask(const struct sensor *s)
{
    return FAN_CREATE | FAN_DELETE | FAN_ONDIR |
           (s->features.rename ? FANOTIFY_RENAME : FAN_MOVED_FROM | FAN_MOVED_TO);
}

static uint64_t moves_mask(const struct sensor *s)
{
    return FAN_ONDIR | (s->features.rename ? FANOTIFY_RENAME : FAN_MOVED_FROM | FAN_MOVED_TO);
}

static uint64_t children_mask(const struct fanotify_object *o)
{
    unsigned p = o->wanted.permissions;

    /* attributes and the end of writing always: the index must know how a file last looked */
    return FAN_EVENT_ON_CHILD | FAN_ATTRIB | FAN_CLOSE_WRITE |
           (p & PERMISSION_WRITE ? FAN_MODIFY : 0) |
           (p & PERMISSION_READ ? FAN_ACCESS | FAN_CLOSE_NOWRITE : 0) |
           (p & PERMISSION_EXEC ? FAN_OPEN_EXEC : 0);
}

static int mark(const struct sensor *s, int fd, unsigned how, uint64_t mask)
{
    char path[32];

    if (fanotify_mark(s->group, how, mask, fd, NULL) == 0)
        return 0;
    if (errno != EBADF)
        return -errno;
    /* one of O_PATH, which fanotify_mark() does not take by itself */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fanotify_mark(s->group, how, mask, AT_FDCWD, path) < 0 ? -errno : 0;
}

/* Is the directory behind `fd` the root of its file system, so that nothing on it is not watched? */
static bool is_whole(int fd)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    struct mountinfo mount;
    struct statx stx;

    /* the number of the mount: Linux 5.8 */
    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == 0 && (stx.stx_mask & STATX_MNT_ID) &&
           (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) && mountinfo_read("/proc/self/mountinfo", &table) == 0 &&
           mountinfo_by_id(sbuf_bytes(&table), stx.stx_mnt_id, &mount) && bytes_equal_str(mount.root, "/");
}

static struct fanotify_device *device_of(struct sensor *s, uint64_t device)
{
    struct fanotify_device *d;

    for (unsigned i = 0; i < s->device_count; i++)
        if (s->devices[i].device == device)
            return &s->devices[i];
    if (s->device_count == FANOTIFY_DEVICES_MAX) {
        log_warn(s->options.log, "fanotify: more than %d file systems: moves on one more are seen by one name only", FANOTIFY_DEVICES_MAX);
        return NULL;
    }
    d = &s->devices[s->device_count++];
    *d = (struct fanotify_device){ .device = device };
    return d;
}

static bool mark_whole(const struct fanotify_object *o, int fd)
{
    return mark(o->sensor, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, names_mask(o->sensor) | children_mask(o)) == 0;
}

/* Wherever the file system is entered: another one may have the number of one that was unmounted, or the same one may have been
 * mounted again, and the marks of that are gone. Where they are still there this does nothing. */
static void mark_device(const struct fanotify_object *o, struct fanotify_device *d, int fd)
{
    const struct sensor *s = o->sensor;

    d->marked = true;
    d->renames = d->names = d->layer_sought = d->layered = false;
    /* Renames anywhere on the file system: that is how both names are known of what leaves or enters
     * the watch. */
    if (s->features.rename)
        d->renames = mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FANOTIFY_RENAME | FAN_ONDIR) == 0;
    /* Names, too: what is done in a new directory before its own mark is placed would be found by listing it only,
     * without what came and went. Contents elsewhere stay unmarked, and cost nothing. */
    if (d->renames && s->features.target)
        d->names = mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR) == 0;
    if (d->renames && s->features.errors)
        (void)mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FANOTIFY_FS_ERROR);
    if (d->whole)
        d->whole = mark_whole(o, fd);
}

/* Is the directory where its file system begins, as the index has it? */
static bool is_entrance(const struct fanotify_object *o, uint32_t directory, const struct file_state *state)
{
    uint32_t name = tree_first_name(o->tree, directory);
    struct file_state above = { 0 };

    if (!name || directory == tree_object_of(o->tree, fanotify_object_top(o)))
        return true;
    tree_state(o->tree, tree_parent_of(o->tree, name), &above);
    return above.device != state->device;
}

/* A directory that came while it was watched: what was done in it before its mark? */
static void came(struct fanotify_object *o, int fd, uint32_t directory, const struct fanotify_device *device)
{
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle handle;

    if (device && (device->whole || device->names))
        return;
    if (device && device->layered && fanotify_handle_of(fd, buffer, NULL, &handle) == 0 &&
        fanotify_young_add(o, directory, &handle, fd))
        return;
    fanotify_marked_note(o, directory);
}

static int use(struct fanotify_object *o, int fd, uint32_t number, bool ancestor)
{
    struct fanotify_user user = { o, number, ancestor };
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle handle;
    struct file_state state = { 0 };
    struct sensor *s = o->sensor;
    int r;

    if (!ancestor && o->tree)
        tree_state(o->tree, number, &state);
    r = fanotify_handle_of(fd, buffer, state.device && state.device == s->last_device ? &s->last_fsid : NULL,
                           &handle);
    if (r == 0 && state.device) {
        s->last_device = state.device;
        s->last_fsid = handle.fsid;
    }

    return r < 0 ? r : fanotify_handles_add(o->sensor->handles, &handle, &user);
}

/* Called by the index for each directory, before it is listed. */
int fanotify_marks_directory(void *data, int fd, uint32_t directory)
{
    struct fanotify_object *o = data;
    struct sensor *s = o->sensor;
    struct fanotify_device *device;
    struct file_state state;
    bool entered = false, reported = false; /* what appears in it, by the mark of its file system */
    int r;

    if (o->unmarked || fanotify_handles_has(s->handles, &(struct fanotify_user){ o, directory, false }))
        return 0;
    r = use(o, fd, directory, false);
    if (r == 0) {
        tree_state(o->tree, directory, &state);
        device = device_of(s, state.device);
        entered = device && (!device->marked || is_entrance(o, directory, &state));
        reported = device && device->names && !entered;
        if (entered) {
            mark_device(o, device, fd);
            device->whole = device->whole || (is_whole(fd) && mark_whole(o, fd));
        }
        if (device && !device->names && !device->layer_sought && o->wanted.view == VIEW_HOST && !o->wanted.ns_pid) {
            device->layer_sought = true;
            device->layered = fanotify_young_begin(o, fd);
        }
        if (!device || !device->whole)
            r = mark(s, fd, FAN_MARK_ADD, names_mask(s) | children_mask(o));
        if (o->reports_found)
            came(o, fd, directory, device);
    }
    if (r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) {
        /* no file handles here: overlay before Linux 6.6, some network file systems */
        if (o->wanted.view == VIEW_MERGED)
            o->unmarked = true;
        else
            s->lost_paths++;
        return 0;
    }
    return r < 0 ? r : reported;
}

void fanotify_marks_forget(void *data, uint32_t directory)
{
    struct fanotify_object *o = data;

    if (o->directory == directory)
        o->directory = 0;
    fanotify_young_remove(o, directory);
    (void)fanotify_handles_remove(o->sensor->handles, &(struct fanotify_user){ o, directory, false });
}

int fanotify_marks_parent(struct fanotify_object *o, int fd)
{
    struct sensor *s = o->sensor;
    uint32_t root = tree_root(o->tree);
    struct fanotify_device *device;
    struct file_state state;
    int r = use(o, fd, root, false);

    if (r < 0)
        return r;
    tree_state(o->tree, root, &state);
    device = device_of(s, state.device);
    if (device)
        mark_device(o, device, fd);
    if (device && device->whole)
        return 0;
    return mark(s, fd, FAN_MARK_ADD, names_mask(s) | FAN_DELETE_SELF);
}

/* A file is seen through the directory that holds it: so is what may become one. */
void fanotify_marks_children(struct fanotify_object *o, int fd)
{
    uint32_t top = fanotify_object_top(o);

    if (!tree_is_directory(o->tree, tree_object_of(o->tree, top)))
        (void)mark(o->sensor, fd, FAN_MARK_ADD, children_mask(o));
}

void fanotify_marks_way(struct fanotify_object *o, int fd)
{
    /* an overlay or a pseudo file system on the way may take none: then a tick looks */
    (void)mark(o->sensor, fd, FAN_MARK_ADD, moves_mask(o->sensor));
    if (use(o, fd, o->ancestors, true) == 0)
        o->ancestors++;
}

void fanotify_marks_awaited(const struct fanotify_object *o, int fd)
{
    struct file_state state = { 0 };
    struct fanotify_device *device = NULL;

    /* what is done in what comes, before that has its own mark */
    if (tree_stat(fd, NULL, &state) == 0 && state.device)
        device = device_of(o->sensor, state.device);
    if (device && !device->marked)
        mark_device(o, device, fd);
    (void)mark(o->sensor, fd, FAN_MARK_ADD, names_mask(o->sensor));
}
