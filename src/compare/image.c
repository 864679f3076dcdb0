/* SPDX-License-Identifier: MIT */
#include "compare/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/layers.h"
#include "compare/entry.h"
#include "util/array.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/mountinfo.h"

/* One of the two trees. Its root is at the container's path `at`. */
struct compared_tree {
    struct layers layers;
    struct bytes at;
};

struct pending_directory {
    char *path; /* in the container's view; owned */
    size_t len;
    struct deletion gone; /* when it is: of the highest directory that is gone with it */
};

struct comparison {
    const struct compare_options *options;
    const struct container_view *view;
    struct compared_tree was, is;
    bool own_layer;        /* `is` lies on the layers of `was`: what neither copied up is equal */
    struct bytes host_root; /* where the host finds the root of `is` */
    char **mount_points;   /* of the running container */
    size_t mount_point_count;
    struct pending_directory *stack;
    size_t count, size;
    struct err *err;
};

static int look_up(const struct compared_tree *s, struct bytes path, struct layer_entry *ret)
{
    return layers_lookup(&s->layers, bytes_path_below(s->at, path), ret);
}

/* ---- mount points ---- */

#define MOUNT_POINTS_MAX 4096

static void read_mount_points(struct comparison *w)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct mountinfo mount;
    struct bytes rest;
    char path[64];

    if (!w->view->running || w->view->container->pid <= 0)
        return;
    snprintf(path, sizeof(path), "/proc/%d/mountinfo", w->view->container->pid);
    if (mountinfo_read(path, &text) < 0)
        return;
    rest = sbuf_bytes(&text);
    while (mountinfo_next(&rest, &mount) && w->mount_point_count < MOUNT_POINTS_MAX) {
        char **more = reallocarray(w->mount_points, w->mount_point_count + 1, sizeof(*more));
        char *point = more ? malloc(mount.point.len + 1) : NULL;

        if (more)
            w->mount_points = more;
        if (!point)
            break;
        point[mountinfo_unescape(mount.point, point)] = '\0';
        w->mount_points[w->mount_point_count++] = point;
    }
}

/* The container does not see what a mount covers; the engine often made it as a place to mount on. */
static bool is_mount_point(const struct comparison *w, struct bytes path)
{
    for (size_t i = 0; i < w->view->mount_count; i++)
        if (bytes_equal(w->view->mounts[i].destination, path))
            return true;
    for (size_t i = 0; i < w->mount_point_count; i++)
        if (bytes_equal_str(path, w->mount_points[i]))
            return true;
    return false;
}

/* ---- the walk ---- */

static int push(struct comparison *w, struct bytes path, const struct deletion *gone)
{
    if (ARRAY_ROOM(w->stack, w->count, w->size, 64) < 0)
        return err_set(w->err, -ENOMEM, "comparing");
    w->stack[w->count] = (struct pending_directory){ malloc(path.len + 1), path.len, *gone };
    if (!w->stack[w->count].path)
        return err_set(w->err, -ENOMEM, "comparing");
    memcpy(w->stack[w->count].path, path.data, path.len);
    w->stack[w->count++].path[path.len] = '\0';
    return 0;
}

static bool same_file(int a, int b)
{
    struct stat x, y;

    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The directories that `is` is made of, from part `from` on, are those of `was`. */
static bool same_parts(const struct merged *is, size_t from, const struct merged *was)
{
    if (is->count < from || is->count - from != was->count)
        return false;
    for (size_t i = 0; i < was->count; i++)
        if (!same_file(is->parts[from + i].fd, was->parts[i].fd))
            return false;
    return true;
}

/* When a name can have gone: at the latest when its directory changed last, or its whiteout, whose inode several names may share; at the
 * earliest when that inode was made. An opaque directory was made when what had been there was gone. */
static struct deletion gone_from(const struct comparison *w, const struct merged *directory, const char *name)
{
    _cleanup_close_ int mark = -EBADF;
    struct deletion gone = { 0 };
    struct statx st;
    struct stat top;
    enum layer_mark says;
    uint64_t born;

    if (!directory->count || (w->own_layer && directory->parts[0].layer != 0))
        return gone;
    if (fstat(directory->parts[0].fd, &top) == 0)
        gone.not_after_ns = clock_of(top.st_mtim);
    says = w->own_layer ? layers_mark(directory, name, &mark) : LAYER_MARK_NONE;
    if (says == LAYER_MARK_NONE)
        return gone;
    gone.by = says == LAYER_MARK_WHITEOUT ? DELETED_WHITEOUT : DELETED_OPAQUE;
    if (statx(mark, "", AT_EMPTY_PATH, STATX_CTIME | STATX_BTIME, &st) < 0)
        return gone;
    born = st.stx_mask & STATX_BTIME ? clock_of(st.stx_btime) : 0;
    if (says == LAYER_MARK_OPAQUE) {
        gone.not_after_ns = born ? MIN(gone.not_after_ns, born) : gone.not_after_ns;
        return gone;
    }
    gone.not_after_ns = MIN(gone.not_after_ns, clock_of(st.stx_ctime));
    gone.not_before_ns = born <= gone.not_after_ns ? born : 0; /* a layer that was copied has new inodes, and its old times */
    return gone;
}

static struct bytes host_path_of(const struct comparison *w, struct bytes path, struct arena *arena)
{
    return w->host_root.len ? arena_join_path(arena, w->host_root, bytes_path_below(w->is.at, path)) : BYTES_NULL;
}

/* One name of two directories that are open. */
static int compare_name(struct comparison *w, struct bytes path, struct layer_entry *was,
                        struct layer_entry *is, const struct deletion *gone)
{
    bool was_dir = was && S_ISDIR(was->st.st_mode), is_dir = is && S_ISDIR(is->st.st_mode);
    struct arena arena = { 0 };
    int r;

    if (was && is && w->own_layer && same_file(was->fd, is->fd) &&
        (!is_dir || same_parts(&is->merged, 0, &was->merged)))
        return 0;
    r = compare_entries(w->options, path, host_path_of(w, path, &arena), was, is, gone, w->err);
    arena_done(&arena);
    return r == 0 && (was_dir || is_dir) ? push(w, path, gone) : r;
}

static int names_of(const struct comparison *w, const struct layer_entry *was, const struct layer_entry *is,
                    struct sbuf *names, size_t *count)
{
    bool is_dir = S_ISDIR(is->st.st_mode), was_dir = S_ISDIR(was->st.st_mode);
    struct merged both = { 0 };
    int r;

    if (w->own_layer && is_dir && was_dir && is->merged.count && is->merged.parts[0].layer == 0 &&
        same_parts(&is->merged, 1, &was->merged))
        return merged_names(&is->merged, true, names, count);
    both.parts = calloc(is->merged.count + was->merged.count + 1, sizeof(*both.parts));
    if (!both.parts)
        return -ENOMEM;
    for (size_t i = 0; i < is->merged.count; i++)
        both.parts[both.count++] = is->merged.parts[i];
    for (size_t i = 0; i < was->merged.count; i++)
        both.parts[both.count++] = was->merged.parts[i];
    r = merged_names(&both, false, names, count);
    free(both.parts); /* the descriptors are the entries' */
    return r;
}

static int compare_directory(struct comparison *w, struct bytes path, const struct deletion *above)
{
    struct layer_entry was = LAYER_ENTRY_NONE, is = LAYER_ENTRY_NONE;
    _cleanup_sbuf_ struct sbuf names = SBUF_INIT;
    size_t n = 0, first = w->count;
    struct arena arena = { 0 };
    int r = look_up(&w->was, path, &was);

    if (r == -ENOENT)
        r = 0;
    if (r == 0)
        r = look_up(&w->is, path, &is);
    if (r == -ENOENT)
        r = 0;
    if (r == 0)
        r = names_of(w, &was, &is, &names, &n);
    if (r < 0)
        err_set(w->err, r, "comparing a directory");
    for (size_t i = 0, at = 0; i < n && r == 0; i++, at += strlen(names.data + at) + 1) {
        const char *name = names.data + at;
        struct layer_entry a = LAYER_ENTRY_NONE, b = LAYER_ENTRY_NONE;
        struct bytes full = arena_join_path(&arena, path, bytes_of(name));
        struct deletion gone = *above;
        int x, y;

        if (w->options->alive)
            w->options->alive(w->options->data);
        if (!full.data)
            r = -ENOMEM;
        if (r < 0 || is_mount_point(w, full))
            continue;
        x = layers_lookup_in(&w->was.layers, &was.merged, name, &a);
        y = layers_lookup_in(&w->is.layers, &is.merged, name, &b);
        if ((x < 0 && x != -ENOENT) || (y < 0 && y != -ENOENT))
            r = err_set(w->err, x < 0 && x != -ENOENT ? x : y, "comparing a file");
        if (y == -ENOENT && !gone.not_after_ns)
            gone = gone_from(w, &is.merged, name);
        else if (y == 0)
            gone = (struct deletion){ 0 };
        if (r == 0 && (x == 0 || y == 0))
            r = compare_name(w, full, x == 0 ? &a : NULL, y == 0 ? &b : NULL, &gone);
        layer_entry_done(&a);
        layer_entry_done(&b);
    }
    /* the last on the stack comes first */
    for (size_t i = first, j = w->count; i < j && i < --j; i++) {
        struct pending_directory swap = w->stack[i];

        w->stack[i] = w->stack[j];
        w->stack[j] = swap;
    }
    layer_entry_done(&was);
    layer_entry_done(&is);
    arena_done(&arena);
    return r;
}

/* The same of a path, which may be gone with a directory above it: the nearest one that is there says when. */
static struct deletion gone_with(const struct comparison *w, struct bytes path)
{
    struct layer_entry above = LAYER_ENTRY_NONE;
    struct deletion gone = { 0 };
    char name[NAME_MAX + 1];

    while (path.len > MAX(w->is.at.len, (size_t)1)) {
        struct bytes base = bytes_basename(path);

        path = bytes_dirname(path);
        if (base.len >= sizeof(name) || look_up(&w->is, path, &above) < 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)base.len, base.data);
        if (S_ISDIR(above.st.st_mode))
            gone = gone_from(w, &above.merged, name);
        break;
    }
    layer_entry_done(&above);
    return gone;
}

/* -ENOENT: neither has anything there. */
static int compare_from(struct comparison *w, struct bytes path)
{
    struct layer_entry was = LAYER_ENTRY_NONE, is = LAYER_ENTRY_NONE;
    int x = look_up(&w->was, path, &was), y = look_up(&w->is, path, &is), r;
    struct deletion gone = y == -ENOENT ? gone_with(w, path) : (struct deletion){ 0 };

    if ((x < 0 && x != -ENOENT) || (y < 0 && y != -ENOENT))
        r = err_set(w->err, x < 0 && x != -ENOENT ? x : y, "comparing");
    else if (x < 0 && y < 0)
        r = -ENOENT;
    else if (x < 0 && !w->own_layer) /* the place of a volume that the image has nothing at */
        r = S_ISDIR(is.st.st_mode) ? push(w, path, &gone) : 0;
    else
        r = compare_name(w, path, x == 0 ? &was : NULL, y == 0 ? &is : NULL, &gone);
    layer_entry_done(&was);
    layer_entry_done(&is);
    while (r == 0 && w->count) {
        struct pending_directory p = w->stack[--w->count];

        r = compare_directory(w, (struct bytes){ p.path, p.len }, &p.gone);
        free(p.path);
    }
    return r;
}

static void walk_done(struct comparison *w)
{
    layers_done(&w->was.layers);
    layers_done(&w->is.layers);
    while (w->count)
        free(w->stack[--w->count].path);
    free(w->stack);
    for (size_t i = 0; i < w->mount_point_count; i++)
        free(w->mount_points[i]);
    free(w->mount_points);
}

/* ---- the parts of a path ---- */

static bool is_volume(const struct container_mount *m)
{
    return bytes_equal_str(m->type, "volume") && m->source.len;
}

static void say_not_compared(const struct compare_options *options, const struct container_mount *m)
{
    _cleanup_sbuf_ struct sbuf s = SBUF_INIT;

    escape_terminal(&s, m->destination);
    if (m->source.len) {
        sbuf_add_str(&s, " is ");
        escape_terminal(&s, m->source);
        sbuf_add_str(&s, " of the host, not the image's: not compared (culprit diff --since T)");
    } else {
        sbuf_add_str(&s, " is a tmpfs, not the image's: not compared (culprit diff --since T)");
    }
    options->notice(options->data, sbuf_str(&s));
}

static int compare_volume(const struct container_view *view, const struct container_mount *m,
                          struct bytes path, const struct compare_options *options, struct err *err)
{
    struct comparison w = { .options = options, .view = view, .host_root = m->source, .err = err };
    int r = layers_of_image(view, &w.was.layers, err);

    w.was.at = bytes_of("");
    w.is.at = m->destination;
    if (r == 0)
        r = layers_open(&m->source, 1, &w.is.layers, err);
    if (r == 0)
        r = compare_from(&w, path);
    walk_done(&w);
    return r;
}

static int compare_layers(const struct container_view *view, struct bytes path,
                          const struct compare_options *options, struct err *err)
{
    struct comparison w = { .options = options, .view = view, .own_layer = true, .err = err };
    int r = layers_of_image(view, &w.was.layers, err);

    w.was.at = w.is.at = bytes_of("");
    w.host_root = view->running && view->merged.len ? view->merged : view->upper;
    if (r == 0)
        r = layers_of_container(view, &w.is.layers, err);
    if (r == 0) {
        read_mount_points(&w);
        r = compare_from(&w, path);
    }
    walk_done(&w);
    return r;
}

static struct bytes resolve(const struct container_view *view, struct bytes path, struct arena *arena,
                            struct err *err)
{
    struct layers layers = { 0 };
    struct bytes real = BYTES_NULL;

    if (layers_of_container(view, &layers, err) == 0) {
        real = layers_resolve(&layers, path, true, arena);
        layers_done(&layers);
    }
    return real;
}

int compare_image(const struct container_view *view, struct bytes path,
                  const struct compare_options *options, struct arena *arena, struct bytes *ret_path,
                  struct err *err)
{
    const struct container_mount *cover = NULL;
    struct bytes real;
    int r, found = -ENOENT;

    if (!view->lower_count || !view->upper.len)
        return err_say(err, -EOPNOTSUPP,
                       "%.*s does not say which layers the container's image has here: only two moments of "
                       "the record can be compared (--since T)",
                       (int)view->container->runtime.len,
                       view->container->runtime.data ? view->container->runtime.data : "");
    real = resolve(view, path, arena, err);
    if (!real.data)
        return -ENOENT;
    *ret_path = real;
    for (size_t i = 0; i < view->mount_count; i++) {
        const struct container_mount *m = &view->mounts[i];

        if (bytes_path_covers(m->destination, real) &&
            (!cover || m->destination.len > cover->destination.len))
            cover = m;
    }
    if (cover && !is_volume(cover)) {
        say_not_compared(options, cover);
        return err_say(err, -EOPNOTSUPP, "there is no image to compare it with");
    }
    r = cover ? compare_volume(view, cover, real, options, err) : compare_layers(view, real, options, err);
    if (r == 0)
        found = 0;
    for (size_t i = 0; i < view->mount_count && (r == 0 || r == -ENOENT); i++) {
        const struct container_mount *m = &view->mounts[i];

        if (m == cover || !bytes_path_covers(real, m->destination))
            continue;
        if (is_volume(m))
            r = compare_volume(view, m, m->destination, options, err);
        else
            say_not_compared(options, m);
        if (r == 0)
            found = 0;
    }
    return r == -ENOENT ? found : r;
}
