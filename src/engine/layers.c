/* SPDX-License-Identifier: MIT */
#include "engine/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/overlay_marks.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/limits.h"

#define LINKS_MAX 40      /* MAXSYMLINKS of the kernel */
#define REDIRECTS_MAX 64  /* renamed directories on one path: a layer is anybody's work, and could have circles */

void layers_done(struct layers *l)
{
    for (size_t i = 0; i < l->count; i++)
        closep(&l->roots[i]);
    free(l->roots);
    *l = (struct layers){ 0 };
}

int layers_open(const struct bytes *directories, size_t count, struct layers *ret, struct err *err)
{
    struct layers l = { .roots = calloc(count + 1, sizeof(*l.roots)) };

    if (!l.roots)
        return err_set(err, -ENOMEM, "layers");
    for (size_t i = 0; i < count; i++) {
        int fd = beneath_open_host(directories[i], 0, O_PATH | O_DIRECTORY);

        if (fd < 0 && fd != -ENOENT) {
            layers_done(&l);
            return err_set(err, fd, "opening a layer of the container");
        }
        if (fd >= 0)
            l.roots[l.count++] = fd;
    }
    if (!l.count) {
        layers_done(&l);
        return err_say(err, -ENOENT, "the container's layers are not on this machine");
    }
    *ret = l;
    return 0;
}

int layers_of_image(const struct container_view *view, struct layers *ret, struct err *err)
{
    if (!view->lower_count)
        return err_say(err, -ENOENT, "%.*s does not say of which layers the container's image consists",
                       (int)view->container->runtime.len,
                       view->container->runtime.data ? view->container->runtime.data : "");
    return layers_open(view->lower, view->lower_count, ret, err);
}

int layers_of_container(const struct container_view *view, struct layers *ret, struct err *err)
{
    _cleanup_free_ struct bytes *all = calloc(view->lower_count + 2, sizeof(*all));
    size_t n = 0;

    if (!all)
        return err_set(err, -ENOMEM, "layers");
    if (view->upper.len)
        all[n++] = view->upper;
    for (size_t i = 0; i < view->lower_count; i++)
        all[n++] = view->lower[i];
    if (!n && view->root.len)
        all[n++] = view->root;
    return layers_open(all, n, ret, err);
}

void layer_entry_done(struct layer_entry *e)
{
    closep(&e->fd);
    closep(&e->data_fd);
    merged_done(&e->merged);
    *e = LAYER_ENTRY_NONE;
}

/* ---- one name in one layer ---- */

static int open_name(int fd, const char *name, struct stat *st)
{
    int opened = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (opened < 0)
        return -errno;
    if (fstat(opened, st) < 0) {
        int r = -errno;

        close(opened);
        return r;
    }
    return opened;
}

enum layer_mark layers_mark(const struct merged *directory, const char *name, int *ret_fd)
{
    const struct merged_part *top = directory->parts;
    char text[NAME_MAX + 16];
    struct stat st;
    int fd = directory->count ? open_name(top->fd, name, &st) : -ENOENT;

    if (fd >= 0 && !overlay_is_whiteout(fd, &st)) {
        close(fd);
        return LAYER_MARK_NONE;
    }
    if (fd < 0 && directory->count && snprintf(text, sizeof(text), ".wh.%s", name) < (int)sizeof(text))
        fd = open_name(top->fd, text, &st);
    if (fd >= 0) {
        *ret_fd = fd;
        return LAYER_MARK_WHITEOUT;
    }
    fd = directory->count && overlay_is_opaque(top->fd) ? fcntl(top->fd, F_DUPFD_CLOEXEC, 0) : -EBADF;
    if (fd < 0)
        return LAYER_MARK_NONE;
    *ret_fd = fd;
    return LAYER_MARK_OPAQUE;
}

/* ---- looking up ---- */

static int look_up(const struct layers *l, size_t first, struct bytes path, unsigned *redirects,
                   struct layer_entry *ret);

/* A redirect that is not a path names something in the same directory; overlay writes nothing else, but a layer
 * is anybody's work. */
static bool is_plain_name(const char *redirect, size_t len)
{
    return len <= NAME_MAX && strlen(redirect) == len && !memchr(redirect, '/', len) &&
           strcmp(redirect, ".") != 0 && strcmp(redirect, "..") != 0;
}

/* Where the rest of a renamed directory lies: below the layers under `layer`. */
static int follow_redirect(const struct layers *l, size_t layer, const char *redirect,
                           unsigned *redirects, struct merged *m)
{
    struct layer_entry below = LAYER_ENTRY_NONE;
    int r;

    if (++*redirects > REDIRECTS_MAX)
        return -ELOOP;
    r = look_up(l, layer + 1, bytes_of(redirect), redirects, &below);
    if (r == -ENOENT)
        return 0;
    for (size_t i = 0; r == 0 && i < below.merged.count; i++) {
        r = merged_add(m, below.merged.parts[i].fd, below.merged.parts[i].layer);
        if (r == 0)
            below.merged.parts[i].fd = -EBADF; /* handed over */
    }
    layer_entry_done(&below);
    return r;
}

/* The file's content, where only its attributes were copied up. */
static void find_data(const struct layers *l, const struct merged *directory, size_t from,
                      const char *name, unsigned *redirects, struct layer_entry *e)
{
    char redirect[PATH_MAX];
    ssize_t n = overlay_xattr(e->fd, "redirect", redirect, sizeof(redirect) - 1);

    if (overlay_xattr(e->fd, "metacopy", NULL, 0) < 0)
        return;
    if (n > 0 && redirect[0] == '/') {
        struct layer_entry below = LAYER_ENTRY_NONE;

        redirect[n] = '\0';
        if (++*redirects <= REDIRECTS_MAX &&
            look_up(l, e->layer + 1, bytes_of(redirect), redirects, &below) == 0)
            e->data_fd = TAKE_FD(*(below.data_fd >= 0 ? &below.data_fd : &below.fd));
        layer_entry_done(&below);
        return;
    }
    if (n > 0) {
        redirect[n] = '\0';
        if (!is_plain_name(redirect, (size_t)n))
            return;
        name = redirect;
    }
    for (size_t i = from; i < directory->count; i++) {
        struct stat st;
        int fd = open_name(directory->parts[i].fd, name, &st);

        if (fd < 0)
            continue;
        if (S_ISREG(st.st_mode) && overlay_xattr(fd, "metacopy", NULL, 0) < 0) {
            e->data_fd = fd;
            return;
        }
        close(fd);
    }
}

static int look_up_in(const struct layers *l, const struct merged *directory, const char *name,
                      unsigned *redirects, struct layer_entry *ret)
{
    struct layer_entry e = LAYER_ENTRY_NONE;
    char redirect[PATH_MAX];
    int r = 0;

    for (size_t i = 0; r == 0 && i < directory->count; i++) {
        const struct merged_part *part = &directory->parts[i];
        struct stat st;
        ssize_t n;
        int fd = open_name(part->fd, name, &st);

        if (fd == -ENOENT) {
            if (overlay_has_whiteout_file(part->fd, name)) /* fuse-overlayfs where it may not make devices */
                break;
            continue;
        }
        if (fd < 0) {
            r = fd;
            break;
        }
        if (overlay_is_whiteout(fd, &st) || (e.fd >= 0 && !S_ISDIR(st.st_mode))) {
            close(fd);
            break;
        }
        if (e.fd < 0) {
            e.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
            e.st = st;
            e.layer = part->layer;
            r = e.fd < 0 ? -errno : 0;
        }
        if (r < 0 || !S_ISDIR(st.st_mode)) {
            close(fd);
            if (r == 0 && S_ISREG(st.st_mode))
                find_data(l, directory, i + 1, name, redirects, &e);
            break;
        }
        r = merged_add(&e.merged, fd, part->layer);
        if (r < 0) {
            close(fd);
            break;
        }
        if (overlay_is_opaque(fd))
            break;
        n = overlay_xattr(fd, "redirect", redirect, sizeof(redirect) - 1);
        if (n > 0) {
            redirect[n] = '\0';
            if (redirect[0] == '/') {
                r = follow_redirect(l, part->layer, redirect, redirects, &e.merged);
                break;
            }
            if (!is_plain_name(redirect, (size_t)n))
                break;
            name = redirect;
        }
    }
    if (r == 0 && e.fd < 0)
        r = -ENOENT;
    if (r < 0) {
        layer_entry_done(&e);
        return r;
    }
    *ret = e;
    return 0;
}

int layers_lookup_in(const struct layers *l, const struct merged *directory, const char *name,
                     struct layer_entry *ret)
{
    unsigned redirects = 0;

    return look_up_in(l, directory, name, &redirects, ret);
}

/* The root, as layers from `first` on make it up. */
static int look_up_root(const struct layers *l, size_t first, struct layer_entry *ret)
{
    struct layer_entry e = LAYER_ENTRY_NONE;
    int r = 0;

    for (size_t i = first; i < l->count && r == 0; i++) {
        int fd = fcntl(l->roots[i], F_DUPFD_CLOEXEC, 0);

        r = fd < 0 ? -errno : merged_add(&e.merged, fd, i);
        if (r < 0)
            closep(&fd);
        else if (overlay_is_opaque(fd))
            break;
    }
    if (r == 0 && !e.merged.count)
        r = -ENOENT;
    if (r == 0) {
        e.fd = fcntl(e.merged.parts[0].fd, F_DUPFD_CLOEXEC, 0);
        e.layer = first;
        r = e.fd < 0 || fstat(e.fd, &e.st) < 0 ? -errno : 0;
    }
    if (r < 0) {
        layer_entry_done(&e);
        return r;
    }
    *ret = e;
    return 0;
}

static int look_up(const struct layers *l, size_t first, struct bytes path, unsigned *redirects,
                   struct layer_entry *ret)
{
    struct layer_entry at = LAYER_ENTRY_NONE;
    int r = look_up_root(l, first, &at);

    while (r == 0) {
        struct layer_entry next = LAYER_ENTRY_NONE;
        struct bytes part = bytes_next_component(&path);
        char name[NAME_MAX + 1];

        if (!part.len)
            break;
        if (part.len > NAME_MAX || bytes_char(part, '\0')) {
            r = -ENOENT;
            break;
        }
        memcpy(name, part.data, part.len);
        name[part.len] = '\0';
        if (strcmp(name, ".") == 0)
            continue;
        r = strcmp(name, "..") == 0 ? -ENOENT : look_up_in(l, &at.merged, name, redirects, &next);
        layer_entry_done(&at);
        at = next;
    }
    if (r < 0) {
        layer_entry_done(&at);
        return r == -ENOTDIR ? -ENOENT : r;
    }
    *ret = at;
    return 0;
}

int layers_lookup(const struct layers *l, struct bytes path, struct layer_entry *ret)
{
    unsigned redirects = 0;

    return look_up(l, 0, path, &redirects, ret);
}

/* ---- following links ---- */

struct bytes layers_resolve(const struct layers *l, struct bytes path, bool follow_last,
                            struct arena *arena)
{
    struct bytes done = bytes_of(""), rest = path;
    unsigned links = 0;

    for (;;) {
        struct layer_entry e = LAYER_ENTRY_NONE;
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
        next = arena_join_path(arena, done.len ? done : bytes_of("/"), name);
        if (!next.data)
            return BYTES_NULL;
        if ((rest.len || follow_last) && links < LINKS_MAX && layers_lookup(l, next, &e) == 0) {
            if (S_ISLNK(e.st.st_mode))
                n = readlinkat(e.fd, "", target, sizeof(target));
            layer_entry_done(&e);
        }
        if (n <= 0 || (size_t)n >= sizeof(target)) {
            done = next;
            continue;
        }
        links++;
        if (target[0] == '/')
            done = bytes_of("");
        rest = arena_join_path(arena, (struct bytes){ target, (size_t)n }, rest);
        if (!rest.data || rest.len > LIMIT_PATH)
            return BYTES_NULL;
    }
    return done.len ? done : arena_copy(arena, bytes_of("/"));
}

int layers_open_file(const struct layers *l, struct bytes path)
{
    struct layer_entry e = LAYER_ENTRY_NONE;
    struct arena arena = { 0 };
    struct bytes real = layers_resolve(l, path, true, &arena);
    int r = real.data ? layers_lookup(l, real, &e) : -ENOMEM;

    if (r == 0)
        r = beneath_reopen_file(e.data_fd >= 0 ? e.data_fd : e.fd);
    layer_entry_done(&e);
    arena_done(&arena);
    return r;
}
