/* SPDX-License-Identifier: MIT */
#include "engine/oci_dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "foreign/mounts.h"
#include "util/cleanup.h"
#include "util/hash_table.h"
#include "util/inotify.h"
#include "util/limits.h"
#include "util/macro.h"

#define ABOVE (IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR | IN_EXCL_UNLINK)
#define INSIDE (ABOVE | IN_CLOSE_WRITE)

/* Each directory in one that matches is a container's. A row's place says who wrote it, unless the
 * state itself names an engine above. */
/* clang-format off */
static const struct {
    const char *pattern, *runtime;
    bool trusted;
} places[] = {
    { "/run/runc",                                                  "runc",       true },
    { "/run/crun",                                                  "crun",       true },
    { "/run/youki",                                                 "youki",      true },
    { "/run/containerd/runc/*",                                     "containerd", true },
    { "/run/containerd/crun/*",                                     "containerd", true },
    { "/run/containerd/io.containerd.runtime.v2.task/*",            "containerd", true },
    { "/run/k3s/containerd/io.containerd.runtime.v2.task/*",        "containerd", true },
    { "/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/*", "containerd", true },
    { "/run/user/*/runc",                                           "runc",       false },
    { "/run/user/*/crun",                                           "crun",       false },
    { "/tmp/podman-run-*/runc",                                     "runc",       false },
    { "/tmp/podman-run-*/crun",                                     "crun",       false },
};
/* clang-format on */

enum relation { RELATION_NONE, RELATION_ABOVE, RELATION_BASE, RELATION_CONTAINER };

struct followed_directory {
    int wd;
    enum relation relation;
    char *path;
    UT_hash_handle hh;
};

struct oci_dirs {
    struct oci_dirs_options options;
    int fd;
    struct followed_directory *nodes;
    unsigned beyond;
    size_t prefix_len;
    struct foreign_mounts *mounts; /* a user may mount in a directory of his; NULL: no memory for it */
};

int oci_dirs_new(const struct oci_dirs_options *options, struct oci_dirs **ret, struct err *err)
{
    struct oci_dirs *d = calloc(1, sizeof(*d));

    if (!d)
        return err_set(err, -ENOMEM, "state directories");
    d->options = *options;
    d->prefix_len = strlen(options->prefix);
    d->fd = inotify_open(err);
    if (d->fd < 0) {
        int r = d->fd;

        free(d);
        return r;
    }
    d->mounts = foreign_mounts_new(0);
    *ret = d;
    return 0;
}

static void node_free(struct oci_dirs *d, struct followed_directory *n)
{
    HASH_DEL(d->nodes, n);
    free(n->path);
    free(n);
}

void oci_dirs_free(struct oci_dirs *d)
{
    struct followed_directory *n, *next;

    if (!d)
        return;
    HASH_ITER(hh, d->nodes, n, next)
        node_free(d, n);
    close(d->fd);
    foreign_mounts_free(d->mounts);
    free(d);
}

int oci_dirs_fd(const struct oci_dirs *d)
{
    return d->fd;
}

unsigned oci_dirs_beyond(const struct oci_dirs *d)
{
    return d->beyond;
}

static size_t components(const char *path)
{
    size_t n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* The first `count` components of the pattern. */
static bool begins_like(const char *pattern, size_t count, const char *path)
{
    char part[PATH_MAX];
    size_t i = 0, n = 0;

    for (; pattern[i] && i + 1 < sizeof(part); i++) {
        if (pattern[i] == '/' && n++ == count)
            break;
        part[i] = pattern[i];
    }
    part[i] = '\0';
    return fnmatch(part, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

static enum relation relate(const struct oci_dirs *d, const char *full, size_t *ret_place)
{
    const char *path = full + d->prefix_len;
    size_t depth = components(path);
    enum relation best = RELATION_NONE;

    if (!*path)
        return RELATION_ABOVE;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        size_t wanted = components(places[i].pattern);
        enum relation r = RELATION_NONE;

        if (depth < wanted && begins_like(places[i].pattern, depth, path)) {
            r = RELATION_ABOVE;
        } else if (depth == wanted && begins_like(places[i].pattern, wanted, path)) {
            r = RELATION_BASE;
        } else if (depth == wanted + 1) {
            const char *slash = strrchr(path, '/');
            char parent[PATH_MAX];

            snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
            if (begins_like(places[i].pattern, wanted, parent))
                r = RELATION_CONTAINER;
        }
        if (r > best) {
            best = r;
            *ret_place = i;
        }
    }
    return best;
}

/* Watched before it is read: what comes in between is seen twice, not missed. */
static void follow(struct oci_dirs *d, const char *path, enum relation relation)
{
    struct followed_directory *n;
    int wd;

    /* everybody makes files there: looked at now and then instead */
    if (strcmp(path + d->prefix_len, "/tmp") == 0)
        return;
    if (HASH_COUNT(d->nodes) >= LIMIT_RUNTIME_DIRS) {
        d->beyond++;
        return;
    }
    wd = inotify_add_watch(d->fd, path, relation == RELATION_CONTAINER ? INSIDE : ABOVE);
    if (wd < 0) {
        d->beyond += errno == ENOSPC || errno == ENOMEM;
        return;
    }
    HASH_FIND_INT(d->nodes, &wd, n);
    if (!n && (n = calloc(1, sizeof(*n)))) {
        n->wd = wd;
        HASH_ADD_INT(d->nodes, wd, n);
        HASH_FREE_IF_OUT(hh, n);
    }
    if (!n)
        return;
    free(n->path);
    n->path = strdup(path);
    n->relation = relation;
}

static void visit(struct oci_dirs *d, const char *path)
{
    _cleanup_closedir_ DIR *dir = NULL;
    size_t place = 0;
    enum relation relation = relate(d, path, &place);
    const struct dirent *entry;

    if (relation == RELATION_NONE)
        return;
    follow(d, *path ? path : "/", relation);
    if (relation == RELATION_CONTAINER) {
        d->options.appeared(d->options.data, path, places[place].runtime, places[place].trusted);
        return;
    }
    dir = opendir(*path ? path : "/");
    while (dir && (entry = readdir(dir))) {
        char below[PATH_MAX];
        size_t unused;

        if (entry->d_name[0] == '.' || (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
            continue;
        if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= sizeof(below))
            continue;
        /* not deeper than the longest pattern: the recursion ends by itself */
        if (relate(d, below, &unused) != RELATION_NONE && foreign_mounts_answer(d->mounts, dirfd(dir), entry->d_name))
            visit(d, below);
    }
}

void oci_dirs_scan(struct oci_dirs *d)
{
    visit(d, d->options.prefix);
}

void oci_dirs_scan_unfollowed(struct oci_dirs *d)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/tmp", d->options.prefix);
    visit(d, path);
}

static void on_event(struct oci_dirs *d, const struct inotify_event *event)
{
    char path[PATH_MAX];
    enum relation relation;
    struct followed_directory *n;
    bool removed = event->mask & (IN_DELETE | IN_MOVED_FROM);

    if (event->mask & IN_Q_OVERFLOW) {
        oci_dirs_scan(d);
        return;
    }
    HASH_FIND_INT(d->nodes, &event->wd, n);
    if (!n)
        return;
    if (event->mask & IN_IGNORED) {
        node_free(d, n);
        return;
    }
    if (!event->len || !n->path)
        return;
    if (n->relation == RELATION_CONTAINER) {
        d->options.changed(d->options.data, n->path, event->name, removed);
        return;
    }
    if (!(event->mask & IN_ISDIR))
        return;
    if ((size_t)snprintf(path, sizeof(path), "%s/%s", strcmp(n->path, "/") ? n->path : "",
                         event->name) >= sizeof(path))
        return;
    relation = n->relation;
    if (!removed)
        visit(d, path);
    else if (relation == RELATION_BASE)
        d->options.vanished(d->options.data, path);
}

void oci_dirs_dispatch(struct oci_dirs *d)
{
    /* bounded by what is there now: whoever churns must not keep us here */
    for (unsigned rounds = 0; rounds < 64; rounds++) {
        _Alignas(struct inotify_event) char buffer[16 * 1024];
        ssize_t n = read(d->fd, buffer, sizeof(buffer));

        if (n <= 0)
            return;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);

            on_event(d, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}
