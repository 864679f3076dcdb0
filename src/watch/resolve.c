/* SPDX-License-Identifier: MIT */
#include "watch/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/layers.h"
#include "foreign/mounts.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/limits.h"

#define LINKS_MAX 40 /* MAXSYMLINKS of the kernel */
#define LINKS_WATCHED 8

/* The links that were followed; more than fit are not reported. */
struct links {
    struct bytes at[LINKS_WATCHED];
    size_t count;
};

static struct bytes resolve(int root_fd, struct bytes path, bool follow_last, struct links *followed, struct arena *arena)
{
    struct bytes done = bytes_of(""), rest = path;
    unsigned links = 0;

    for (;;) {
        struct bytes name = bytes_next_component(&rest), next;
        char target[PATH_MAX];
        ssize_t n = -1;

        if (!name.len)
            break;
        if (bytes_equal_str(name, "."))
            continue;
        if (bytes_equal_str(name, "..")) {
            done = bytes_dirname(done);
            continue;
        }
        next = arena_join_path(arena, done, name);
        if (!next.data)
            return BYTES_NULL;
        if ((rest.len || follow_last) && links < LINKS_MAX) {
            _cleanup_close_ int fd = beneath_open(root_fd, next, O_PATH | O_NOFOLLOW);

            if (fd >= 0)
                n = readlinkat(fd, "", target, sizeof(target));
        }
        if (n <= 0 || (size_t)n >= sizeof(target)) {
            done = next;
            continue;
        }
        links++;
        if (followed && followed->count < LINKS_WATCHED)
            followed->at[followed->count++] = next;
        if (target[0] == '/')
            done = bytes_of("");
        rest = arena_join_path(arena, (struct bytes){ target, (size_t)n }, rest);
        if (!rest.data || rest.len > LIMIT_PATH)
            return BYTES_NULL;
    }
    if (links == LINKS_MAX)
        return arena_copy(arena, path); /* a loop leads nowhere: the name as it was given may come to be something */
    return done.len ? done : arena_copy(arena, bytes_of("/"));
}

struct bytes resolve_links(int root_fd, struct bytes path, bool follow_last, struct arena *arena)
{
    return resolve(root_fd, path, follow_last, NULL, arena);
}

static struct place host_place(struct bytes path)
{
    return (struct place){
        .object = { .view = VIEW_HOST, .path = path, .host_path = path },
        .victim_path = path,
        .shown_host_path = path,
        .victim_kind = VICTIM_HOST,
    };
}

int resolve_host(struct bytes path, struct arena *arena, struct place *places, size_t size)
{
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct links links = { .count = 0 };
    struct bytes target;
    size_t n = 0;

    if (root < 0)
        return -errno;
    target = resolve(root, path, true, &links, arena);
    if (!target.data)
        return -ENOMEM;
    places[n++] = host_place(target);
    for (size_t i = 0; i < links.count && n < size; i++) {
        if (bytes_equal(links.at[i], target)) /* a loop */
            continue;
        places[n] = host_place(links.at[i]);
        places[n++].link = true;
    }
    return (int)n;
}

static bool covers(struct bytes dir, struct bytes path)
{
    return bytes_path_covers(dir, path);
}

static size_t proc_root_len(pid_t pid)
{
    char root[64];

    return (size_t)snprintf(root, sizeof(root), "/proc/%d/root", pid);
}

static struct bytes proc_root_path(pid_t pid, struct bytes path, struct arena *arena)
{
    char root[64];

    snprintf(root, sizeof(root), "/proc/%d/root", pid);
    return arena_join_path(arena, bytes_of(root), path);
}

/* A file that is mounted by itself stays the one that it was, also when another file takes its path on the host. */
static bool is_single_file(const struct watch_object *o)
{
    _cleanup_close_ int fd = foreign_way_answers(o->host_path) ? beneath_open_host(o->host_path, o->root_len, O_PATH | O_NOFOLLOW) : -EBADF;
    struct stat st;

    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* A mount of the container, or the part of it that `path` names. */
static struct place mount_place(const struct container_view *view, const struct container_mount *m,
                                struct bytes path, struct arena *arena)
{
    struct place p = { .victim_kind = VICTIM_VOLUME };

    p.object.view = VIEW_VOLUME;
    p.victim_path = arena_copy(arena, path);
    if (m->source.len && !bytes_equal_str(m->type, "tmpfs")) {
        /* by its place on the host: the same files whether the container runs or not */
        p.object.path = arena_join_path(arena, m->source, bytes_path_below(m->destination, path));
        p.object.host_path = p.object.path;
        p.object.root_len = m->source.len;
        p.shown_host_path = p.object.path;
        p.single_file = bytes_equal(m->destination, path) && is_single_file(&p.object);
    } else {
        p.object.ns_pid = view->container->pid;
        p.object.path = p.victim_path;
        p.object.host_path = proc_root_path(view->container->pid, path, arena);
        p.object.root_len = proc_root_len(view->container->pid);
        p.shown_host_path = p.object.host_path;
    }
    return p;
}

static bool exists(const struct watch_object *o)
{
    _cleanup_close_ int fd = beneath_open_host(o->host_path, o->root_len, O_PATH | O_NOFOLLOW);

    return fd >= 0;
}

/* As it will be when the container is started. */
static struct bytes resolve_by_layers(const struct container_view *view, struct bytes path, struct arena *arena)
{
    struct bytes real = BYTES_NULL;
    struct layers layers = { 0 };

    if (layers_of_container(view, &layers, NULL) == 0)
        real = layers_resolve(&layers, path, true, arena);
    layers_done(&layers);
    return real.data ? real : path;
}

struct bytes resolve_inside(const struct container_view *view, struct bytes path, struct arena *arena)
{
    _cleanup_close_ int fd = -EBADF;
    struct bytes real = BYTES_NULL;
    char root[64];

    if (!view->running || view->container->pid <= 0)
        return resolve_by_layers(view, path, arena);
    snprintf(root, sizeof(root), "/proc/%d/root", view->container->pid);
    fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        real = resolve_links(fd, path, true, arena);
    return real.data ? real : path;
}

int resolve_container(const struct container_view *view, struct bytes path, struct arena *arena,
                      struct place *places, size_t size)
{
    const struct container_mount *cover = NULL;
    bool running = view->running && view->container->pid > 0;
    size_t n = 0;

    path = resolve_inside(view, path, arena);
    for (size_t i = 0; i < view->mount_count; i++) {
        const struct container_mount *m = &view->mounts[i];

        if (covers(m->destination, path) && (!cover || m->destination.len > cover->destination.len))
            cover = m;
        else if (covers(path, m->destination) && !bytes_equal(path, m->destination) && n < size &&
                 (m->source.len || running))
            places[n++] = mount_place(view, m, m->destination, arena);
    }
    if (cover) {
        if (n < size && (cover->source.len || running))
            places[n++] = mount_place(view, cover, path, arena);
        return (int)n;
    }
    if (running && n < size) {
        struct place p = { .victim_kind = VICTIM_CONTAINER };

        p.object.view = VIEW_MERGED;
        p.object.ns_pid = view->container->pid;
        p.object.path = arena_copy(arena, path);
        p.object.host_path = proc_root_path(view->container->pid, path, arena);
        p.object.root_len = proc_root_len(view->container->pid);
        p.victim_path = p.object.path;
        p.shown_host_path = view->merged.len ? arena_join_path(arena, view->merged, path)
                            : view->root.len ? arena_join_path(arena, view->root, path)
                                             : p.object.host_path;
        places[n++] = p;
    }
    if (view->root.len && !view->upper.len && n < size) {
        struct place p = { .victim_kind = VICTIM_CONTAINER };

        p.object.view = VIEW_UPPER; /* what is seen from inside comes first, as with a layer */
        p.object.path = arena_join_path(arena, view->root, path);
        p.object.host_path = p.shown_host_path = p.object.path;
        p.object.root_len = view->root.len;
        p.victim_path = arena_copy(arena, path);
        places[n++] = p;
    }
    for (size_t i = 0; i <= view->lower_count && n < size; i++) {
        struct bytes layer = i == 0 ? view->upper : view->lower[i - 1];
        struct place p = { .victim_kind = VICTIM_CONTAINER };

        if (!layer.len)
            continue;
        p.object.view = i == 0 ? VIEW_UPPER : VIEW_LOWER;
        p.object.path = arena_join_path(arena, layer, path);
        if (!p.object.path.data)
            return -ENOMEM;
        /* a layer that has nothing there cannot lose anything; the upper one can come to have it */
        p.object.host_path = p.shown_host_path = p.object.path;
        p.object.root_len = layer.len;
        if (i > 0 && !exists(&p.object))
            continue;
        p.victim_path = arena_copy(arena, path);
        places[n++] = p;
    }
    return (int)n;
}
