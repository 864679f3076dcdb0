/* SPDX-License-Identifier: MIT */
/* A watched path: marks on the way to it and below it, and the index of what is there. */
#include "sensor/fanotify/object.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/layer.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/writes.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define PLACE_TRIES 10
#define FIRST_FILES 2000 /* directories of a small tree are looked at as a whole before the watch is ready */

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

/* ---- file systems ---- */

/* Is the directory behind `fd` the root of its file system, so that nothing on it is not watched? */
static bool is_whole(int fd)
{
    char path[48], *line = NULL;
    _cleanup_fclose_ FILE *f = NULL;
    struct statx stx;
    size_t size = 0;
    bool whole = false;

    /* the number of the mount: Linux 5.8 */
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0 || !(stx.stx_mask & STATX_MNT_ID) ||
        !(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
        return false;
    snprintf(path, sizeof(path), "/proc/self/mountinfo");
    f = fopen(path, "re");
    while (f && getline(&line, &size, f) > 0) {
        unsigned long long id;
        int at = 0;

        if (sscanf(line, "%llu %*u %*u:%*u %n", &id, &at) != 1 || id != stx.stx_mnt_id || !at)
            continue;
        whole = strncmp(line + at, "/ ", 2) == 0;
        break;
    }
    free(line);
    return whole;
}

static struct fanotify_device *device_of(struct sensor *s, uint64_t device, int fd, bool *ret_new)
{
    struct fanotify_device *d;

    *ret_new = false;
    for (unsigned i = 0; i < s->device_count; i++)
        if (s->devices[i].device == device)
            return &s->devices[i];
    if (s->device_count == FANOTIFY_DEVICES_MAX) {
        log_warn(s->options.log, "fanotify: more than %d file systems: moves on one more are seen by one name only", FANOTIFY_DEVICES_MAX);
        return NULL;
    }
    *ret_new = true;
    d = &s->devices[s->device_count++];
    *d = (struct fanotify_device){ .device = device };
    /* Renames anywhere on the file system: that is how both names are told of what leaves or enters
     * the watch. */
    if (s->features.rename)
        d->renames = mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FANOTIFY_RENAME | FAN_ONDIR) == 0;
    /* Names, too: what is done in a new directory before its own mark is placed would be found by listing it only,
     * without what came and went. Contents elsewhere stay unmarked, and cost nothing. */
    if (d->renames && s->features.target)
        d->names = mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR) == 0;
    if (d->renames && s->features.errors)
        (void)mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FANOTIFY_FS_ERROR);
    return d;
}

/* ---- marking ---- */

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
static int on_directory(void *data, int fd, uint32_t directory)
{
    struct fanotify_object *o = data;
    struct sensor *s = o->sensor;
    struct fanotify_device *device;
    struct file_state state;
    bool first;
    int r;

    if (o->unmarked || fanotify_handles_has(s->handles, &(struct fanotify_user){ o, directory, false }))
        return 0;
    r = use(o, fd, directory, false);
    if (r == 0) {
        tree_state(o->tree, directory, &state);
        device = device_of(s, state.device, fd, &first);
        /* the root of a file system is where it is entered */
        first = first || directory == tree_object_of(o->tree, fanotify_object_top(o));
        if (device && !device->whole && first && is_whole(fd))
            device->whole = mark(s, fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
                                 names_mask(s) | children_mask(o)) == 0;
        if (!device || !device->whole)
            r = mark(s, fd, FAN_MARK_ADD, names_mask(s) | children_mask(o));
        if (o->telling && !(device && (device->whole || device->names)))
            fanotify_marked_note(o, directory);
    }
    if (r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) {
        /* no file handles here: overlay before Linux 6.6, some network file systems */
        if (o->wanted.view == VIEW_MERGED)
            o->unmarked = true;
        else
            s->lost_paths++;
        r = 0;
    }
    return r;
}

static void on_forget(void *data, uint32_t directory)
{
    struct fanotify_object *o = data;

    if (o->directory == directory)
        o->directory = 0;
    (void)fanotify_handles_remove(o->sensor->handles, &(struct fanotify_user){ o, directory, false });
}

/* ---- life ---- */

int fanotify_object_new(struct sensor *s, const struct watch_object *wanted,
                        struct fanotify_object **ret, struct err *err)
{
    struct fanotify_object *o = calloc(1, sizeof(*o));

    if (!o)
        return err_set(err, -ENOMEM, "watch");
    o->sensor = s;
    o->pidfd = o->root_fd = o->directory_fd = -EBADF;
    o->wanted = *wanted;
    o->path = strndup(wanted->path.data, wanted->path.len);
    o->host_path = strndup(wanted->host_path.data, wanted->host_path.len);
    if (!o->path || !o->host_path) {
        fanotify_object_free(o);
        return err_set(err, -ENOMEM, "watch");
    }
    o->wanted.path = bytes_of(o->path);
    o->wanted.host_path = bytes_of(o->host_path);
    o->base = bytes_basename(o->wanted.path);
    o->parent = bytes_dirname(o->wanted.path);
    if (wanted->ns_pid) {
        o->pidfd = (int)syscall(SYS_pidfd_open, wanted->ns_pid, 0); /* Linux 5.3 */
        if (o->pidfd < 0 && errno == ESRCH)
            o->gone = true;
    }
    *ret = o;
    return 0;
}

static void drop_ancestors(struct fanotify_object *o)
{
    while (o->ancestors) /* their marks stay: they tell of moves only, and nobody listens */
        (void)fanotify_handles_remove(o->sensor->handles,
                                      &(struct fanotify_user){ o, --o->ancestors, true });
}

void fanotify_object_free(struct fanotify_object *o)
{
    if (!o)
        return;
    fanotify_object_close(o);
    drop_ancestors(o);
    tree_free(o->tree);
    if (o->pidfd >= 0)
        close(o->pidfd);
    free(o->path);
    free(o->host_path);
    free(o);
}

bool fanotify_object_gone(struct fanotify_object *o)
{
    struct pollfd pollfd = { .fd = o->pidfd, .events = POLLIN };

    if (!o->gone && o->pidfd >= 0 && poll(&pollfd, 1, 0) > 0)
        o->gone = true;
    return o->gone;
}

/* ---- descriptors of one batch ---- */

/* The directory that the path stands in, from our own namespace. */
static int open_parent(const struct fanotify_object *o)
{
    size_t prefix = o->wanted.host_path.len - o->wanted.path.len; /* "/proc/PID/root" */
    size_t trusted = o->wanted.root_len;
    char path[PATH_MAX];
    int n;

    if (o->wanted.host_path.len < o->wanted.path.len || prefix + o->parent.len >= sizeof(path))
        return -ENAMETOOLONG;
    n = snprintf(path, sizeof(path), "%.*s%.*s", (int)prefix, o->host_path, (int)o->parent.len,
                 o->parent.data);
    /* the folder that a root stands in is outside of it, and nobody's in the container */
    return beneath_open_host((struct bytes){ path, (size_t)n }, trusted <= (size_t)n ? trusted : 0,
                             O_PATH | O_DIRECTORY);
}

void fanotify_object_close(struct fanotify_object *o)
{
    closep(&o->root_fd);
    closep(&o->directory_fd);
    o->root_fd = o->directory_fd = -EBADF;
    o->directory = 0;
    fanotify_layer_free(o->layer);
    o->layer = NULL;
    o->layer_sought = false;
}

const struct fanotify_layer *fanotify_object_layer(struct fanotify_object *o, int mount)
{
    char table[48] = "/proc/self/mountinfo";

    if (o->layer_sought)
        return o->layer;
    o->layer_sought = true;
    if (o->wanted.ns_pid)
        snprintf(table, sizeof(table), "/proc/%d/mountinfo", o->wanted.ns_pid);
    (void)fanotify_layer_find(mount, table, (struct bytes){ o->host_path, o->wanted.host_path.len - o->wanted.path.len }, &o->layer);
    return o->layer;
}

/* The first `len` bytes of the directory that the path stands in. */
static int open_above(const struct fanotify_object *o, size_t len)
{
    size_t prefix = o->wanted.host_path.len - o->wanted.path.len, trusted = o->wanted.root_len;
    char path[PATH_MAX];
    int n;

    if (o->wanted.host_path.len < o->wanted.path.len || prefix + len + 2 > sizeof(path))
        return -ENAMETOOLONG;
    n = snprintf(path, sizeof(path), "%.*s%.*s", (int)prefix, o->host_path, len ? (int)len : 1,
                 len ? o->parent.data : "/");
    return beneath_open_host((struct bytes){ path, (size_t)n }, trusted <= (size_t)n ? trusted : 0,
                             O_RDONLY | O_DIRECTORY | O_NOATIME);
}

int fanotify_object_near(struct fanotify_object *o, uint64_t fsid)
{
    size_t len = o->parent.len;
    int top = o->tree ? fanotify_object_directory(o, tree_root(o->tree)) : -ESTALE, fd;

    if (top >= 0) {
        fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
        return fd < 0 ? -errno : fd;
    }
    /* it went with a directory above, which another stands in */
    for (;; len = len > 1 ? bytes_dirname((struct bytes){ o->parent.data, len }).len : 0) {
        struct statfs fs;
        uint64_t found = 0;

        fd = open_above(o, len > 1 ? len : 0);
        if (fd >= 0 && fstatfs(fd, &fs) == 0)
            memcpy(&found, &fs.f_fsid, sizeof(found));
        if (fd >= 0 && found == fsid)
            return fd;
        closep(&fd);
        if (len <= 1)
            return -ESTALE;
    }
}

int fanotify_object_directory(struct fanotify_object *o, uint32_t directory)
{
    int fd;

    if (o->gone || !o->tree)
        return -ESTALE;
    if (o->directory == directory && o->directory_fd >= 0)
        return o->directory_fd;
    if (o->root_fd < 0)
        o->root_fd = open_parent(o);
    if (o->root_fd < 0)
        return -ESTALE;
    if (directory == tree_root(o->tree))
        return o->root_fd;
    fd = tree_open_directory(o->tree, o->root_fd, directory, NULL);
    if (fd < 0)
        return fd;
    closep(&o->directory_fd);
    o->directory_fd = fd;
    o->directory = directory;
    return fd;
}

/* ---- what is covered ---- */

bool fanotify_object_covers(const struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    return !o->base.len || directory != tree_root(o->tree) || bytes_equal(name, o->base);
}

uint32_t fanotify_object_top(const struct fanotify_object *o)
{
    return o->tree && o->base.len ? tree_child(o->tree, tree_root(o->tree), o->base) : 0;
}

/* ---- placing ---- */

static void on_found(void *data, uint32_t name)
{
    struct fanotify_object *o = data;

    if (o->telling)
        fanotify_found_add(o, name);
}

static int walked(const struct fanotify_object *o, int r)
{
    if (r == -EMFILE) /* ours to repair: what is not marked is not seen */
        log_warn(o->sensor->options.log, "fanotify: too many open files; raise the limit (ulimit -n)");
    return r;
}

static int walk(struct fanotify_object *o, unsigned directories, struct err *err)
{
    return walked(o, tree_walk(o->tree, directories, on_found, o, err));
}

void fanotify_object_walk(struct fanotify_object *o, uint32_t name, const struct fanotify_cause *cause)
{
    uint32_t object = tree_object_of(o->tree, name);
    int fd = tree_is_directory(o->tree, object) ? fanotify_object_directory(o, object) : -1;

    if (fd >= 0)
        fanotify_object_walk_at(o, fd, name, cause);
}

void fanotify_object_walk_at(struct fanotify_object *o, int fd, uint32_t name, const struct fanotify_cause *cause)
{
    uint32_t object = tree_object_of(o->tree, name);

    if (!tree_is_directory(o->tree, object) || tree_queue(o->tree, fd, object, NULL) < 0)
        return;
    o->telling = cause != NULL;
    if (cause)
        o->cause = *cause;
    /* only this: what the first listing has still to find was there before, and nobody's deed */
    (void)walked(o, tree_walk_queued(o->tree, on_found, o, NULL));
    o->telling = false;
}

bool fanotify_object_list(struct fanotify_object *o, unsigned directories)
{
    int r;

    if (!o->listing || !o->tree)
        return false;
    r = walk(o, directories, NULL);
    o->listing = r > 0;
    return o->listing;
}

/* Directories first, all of them marked; of a large tree the files are looked at later, in pieces. */
static int fill(struct fanotify_object *o, struct err *err)
{
    uint32_t top = fanotify_object_top(o);
    uint32_t object = o->base.len ? tree_object_of(o->tree, top) : tree_root(o->tree);
    int fd, r;

    if (!tree_is_directory(o->tree, object))
        return 0;
    fd = fanotify_object_directory(o, object);
    if (fd < 0)
        return fd;
    tree_set_names_only(o->tree, !o->telling);
    r = tree_queue(o->tree, fd, object, err);
    if (r == 0)
        r = walk(o, 0, err);
    tree_set_names_only(o->tree, false);
    if (r < 0 || o->telling)
        return r;
    fd = fanotify_object_directory(o, object);
    if (fd < 0 || tree_queue(o->tree, fd, object, NULL) < 0)
        return 0;
    o->listing = walk(o, FIRST_FILES, NULL) > 0;
    return 0;
}

/* The way to the path, each directory marked for moves; the descriptor of the one that the path stands
 * in, or -ENOENT with o->waiting for the first component that is not there. */
static int go(struct fanotify_object *o)
{
    size_t prefix = o->wanted.host_path.len - o->wanted.path.len;
    struct sensor *s = o->sensor;
    struct bytes rest = o->parent;
    _cleanup_close_ int fd = -EBADF;
    char path[PATH_MAX];

    if (o->wanted.host_path.len < o->wanted.path.len || prefix + 2 > sizeof(path))
        return -ENAMETOOLONG;
    drop_ancestors(o);
    snprintf(path, sizeof(path), "%.*s/", (int)prefix, o->host_path);
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        char name[LIMIT_NAME + 1];
        struct bytes part = bytes_next_component(&rest);
        int next;

        if (!part.len)
            return TAKE_FD(fd);
        if (part.len > LIMIT_NAME)
            return -ENAMETOOLONG;
        memcpy(name, part.data, part.len);
        name[part.len] = '\0';
        if (!o->unmarked) {
            /* an overlay or a pseudo file system on the way may take none: then a tick looks */
            (void)mark(s, fd, FAN_MARK_ADD, moves_mask(s));
            if (use(o, fd, o->ancestors, true) == 0)
                o->ancestors++;
        }
        next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
            (void)mark(s, fd, FAN_MARK_ADD, names_mask(s));
            next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (next < 0)
                o->waiting = part;
        }
        if (next < 0)
            return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
        close(fd);
        fd = next;
    }
}

static int mark_parent(struct fanotify_object *o, int fd)
{
    struct sensor *s = o->sensor;
    uint32_t root = tree_root(o->tree);
    struct fanotify_device *device;
    struct file_state state;
    bool first;
    int r = use(o, fd, root, false);

    if (r < 0)
        return r;
    tree_state(o->tree, root, &state);
    device = device_of(s, state.device, fd, &first);
    if (device && device->whole)
        return 0;
    return mark(s, fd, FAN_MARK_ADD, names_mask(s) | FAN_DELETE_SELF);
}

/* A file is seen through the directory that it stands in: so is what may become one. */
static void mark_children(struct fanotify_object *o, int fd)
{
    uint32_t top = fanotify_object_top(o);

    if (!tree_is_directory(o->tree, tree_object_of(o->tree, top)))
        (void)mark(o->sensor, fd, FAN_MARK_ADD, children_mask(o));
}

static bool is_marked(const struct fanotify_object *o)
{
    uint32_t top = tree_object_of(o->tree, fanotify_object_top(o));

    return top && fanotify_handles_has(o->sensor->handles, &(struct fanotify_user){ (struct fanotify_object *)(uintptr_t)o, top, false });
}

static int place_once(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err)
{
    struct tree_options options = { .cross_mounts = true, .xattrs = true, .ns_pid = o->wanted.ns_pid, .data = o,
                                    .directory = on_directory, .forget = on_forget };
    _cleanup_close_ int fd = -EBADF;
    struct tree_change change;
    int r, blind = 0;

    fanotify_gone_flush(o->sensor);
    fanotify_object_close(o);
    fanotify_found_forget(o);
    fanotify_writes_forget(o);
    fanotify_unexplained_forget(o);
    o->listing = false;
    o->waiting = BYTES_NULL;
    if (cause)
        o->cause = *cause;
    fd = go(o);
    if (fd == -ENOENT && o->waiting.len) {
        tree_free(TAKE_PTR(o->tree));
        return 0;
    }
    if (fd < 0)
        return err_set(err, fd, "opening the directory that the path stands in");
    if (!o->tree)
        r = tree_new(&options, &o->tree, err);
    else
        r = 0;
    if (r == 0)
        r = tree_start(o->tree, fd, err);
    if (r < 0)
        return r;
    o->root_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    r = o->base.len && !o->unmarked ? mark_parent(o, fd) : 0;
    if ((r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) && o->wanted.view == VIEW_MERGED) {
        o->unmarked = true;
        r = 0;
    }
    if (r == -EOPNOTSUPP || r == -ENODEV || r == -EXDEV) {
        blind = r; /* a volume in an overlay that takes no marks: what lies below may take them */
        r = 0;
    }
    if (r < 0)
        return err_set(err, r, "marking a directory");
    if (o->base.len) {
        r = tree_refresh(o->tree, fd, tree_root(o->tree), o->base, &change, err);
        if (r < 0)
            return r;
        if (!o->unmarked)
            mark_children(o, fd);
        if (change.name && cause)
            fanotify_found_add(o, change.name);
    }
    o->telling = cause != NULL;
    r = fill(o, err);
    o->telling = false;
    if (r == 0 && blind && !o->unmarked && !is_marked(o))
        return err_say(err, blind, "this file system has no file handles, fanotify cannot tell names on it; "
                                   "use --sensor audit");
    return r;
}

int fanotify_object_place(struct fanotify_object *o, const struct fanotify_cause *cause, struct err *err)
{
    int r = -EAGAIN;

    o->doubtful = false;
    o->placed_boot_ns = clock_ns(CLOCK_BOOTTIME);
    for (int i = 0; i < PLACE_TRIES && (r == -EAGAIN || r == -ESTALE || r == -ENOENT); i++) {
        if (fanotify_object_gone(o))
            return 0;
        r = place_once(o, cause, err);
    }
    if (r < 0 && fanotify_object_gone(o))
        return 0;
    if (r == -EAGAIN || r == -ESTALE || r == -ENOENT) {
        o->doubtful = true; /* it changes all the time: the next look is a tick away */
        r = 0;
    }
    return r;
}

/* Made anew with the inode number of the one that was there: its handle differs all the same. On an overlay
 * copying up changes the handle of the same directory. */
static bool is_another(const struct fanotify_object *o, int fd)
{
    const struct fanotify_user root = { (struct fanotify_object *)(uintptr_t)o, tree_root(o->tree), false };
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle handle;
    struct fanotify_user user;
    struct statfs fs;
    uint32_t at = 0;

    if (!fanotify_handles_has(o->sensor->handles, &root) || fstatfs(fd, &fs) < 0 ||
        fs.f_type == OVERLAYFS_SUPER_MAGIC || fanotify_handle_of(fd, buffer, NULL, &handle) < 0)
        return false;
    while (fanotify_handles_next(o->sensor->handles, &handle, &at, &user))
        if (user.object == o && user.directory == root.directory && !user.ancestor)
            return false;
    return true;
}

void fanotify_object_doubt(struct fanotify_object *o)
{
    o->doubtful = o->sensor->doubtful = true;
    if (!o->doubt_real_ns)
        o->doubt_real_ns = o->sensor->now.to_real_ns;
}

bool fanotify_object_is_stale(struct fanotify_object *o)
{
    struct file_state now = { 0 }, known = { 0 };
    _cleanup_close_ int fd = -EBADF;

    if (o->tombstone_until_ms || fanotify_object_gone(o))
        return false;
    if (o->doubtful)
        return true;
    fd = open_parent(o);
    if (fd < 0)
        return o->tree && !fanotify_object_gone(o);
    if (!o->tree)
        return true;
    (void)tree_stat(fd, NULL, &now);
    tree_state(o->tree, tree_root(o->tree), &known);
    return now.inode != known.inode || now.device != known.device || is_another(o, fd);
}

bool fanotify_object_is_other(struct fanotify_object *o)
{
    struct file_state now = { 0 }, known = { 0 };
    uint32_t top = fanotify_object_top(o);
    int fd;

    if (o->tombstone_until_ms || !o->tree || !o->base.len || fanotify_object_gone(o))
        return false;
    fd = fanotify_object_directory(o, tree_root(o->tree));
    if (fd < 0)
        return false;
    (void)tree_stat(fd, o->base.data, &now);
    tree_state(o->tree, tree_object_of(o->tree, top), &known);
    return now.inode != known.inode || now.device != known.device;
}
