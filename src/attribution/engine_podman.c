/* SPDX-License-Identifier: MIT */
/*
 * Podman without its API: names, images and layers by its storage on the disk, labels by its
 * database, processes by the runtime's state. Root's storage, that of each user with a home, and
 * whichever else a running container's bundle lies in.
 */
#include "attribution/engine_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <uthash.h>

#include "attribution/podman_db.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/sbuf.h"

#define STORAGES_MAX 64

/* What is remembered between two readings of containers.json, to tell what has changed. */
struct record {
    struct container *container; /* owned reference */
    bool seen;
    UT_hash_handle hh;
};

/* containers-storage.conf(5): what lays a storage's files out. Rootless ones without fuse-overlayfs are of vfs. */
static const struct driver {
    const char *containers; /* the directory of their records */
    const char *roots;      /* each layer a whole tree; NULL: an overlay of layers */
} drivers[] = {
    { "overlay-containers", NULL },
    { "vfs-containers", "vfs/dir" },
    { "btrfs-containers", "btrfs/subvolumes" },
};

struct storage {
    char path[PATH_MAX]; /* ".../containers/storage" */
    const struct driver *driver;
    int wd;
    struct record *records;
    bool read; /* at least once: changes can be told */
};

struct podman {
    struct oci *oci;
    const struct log *log;
    int inotify;
    struct storage storages[STORAGES_MAX];
    size_t count;
};

/* ---- where ---- */

static void add_driver(struct podman *p, const char *path, const struct driver *driver)
{
    char containers[PATH_MAX + 32];
    struct storage *s;

    for (size_t i = 0; i < p->count; i++)
        if (p->storages[i].driver == driver && strcmp(p->storages[i].path, path) == 0)
            return;
    snprintf(containers, sizeof(containers), "%s/%s", path, driver->containers);
    if (p->count == STORAGES_MAX || strlen(path) >= sizeof(s->path) || access(containers, F_OK) < 0)
        return;
    s = &p->storages[p->count++];
    *s = (struct storage){ .wd = -1, .driver = driver };
    snprintf(s->path, sizeof(s->path), "%s", path);
    s->wd = inotify_add_watch(p->inotify, containers, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

static void add_storage(struct podman *p, const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        add_driver(p, path, &drivers[i]);
}

/* graphroot = "/srv/containers" of storage.conf(5): the one line of it that matters here. */
static void add_configured(struct podman *p, const char *file)
{
    _cleanup_fclose_ FILE *f = fopen(file, "re");
    char line[PATH_MAX], path[PATH_MAX];

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, " graphroot = \"%4000[^\"]\"", path) == 1 && path[0] == '/')
            add_storage(p, path);
}

static void add_users(struct podman *p)
{
    _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re"); /* not NSS: a directory service may hang */
    const struct passwd *user;
    char path[PATH_MAX];

    while (f && (user = fgetpwent(f)))
        if (user->pw_dir && user->pw_dir[0] == '/' &&
            (size_t)snprintf(path, sizeof(path), "%s/.local/share/containers/storage",
                             user->pw_dir) < sizeof(path))
            add_storage(p, path);
}

static int add_by_bundle(void *data, const struct oci_facts *f)
{
    /* PATH/overlay-containers/ID/userdata */
    struct bytes containers = bytes_dirname(bytes_dirname(f->bundle)), storage = bytes_dirname(containers);
    char path[PATH_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (bytes_equal_str(bytes_basename(containers), drivers[i].containers) && storage.len > 1 &&
            (size_t)snprintf(path, sizeof(path), "%.*s", (int)storage.len, storage.data) < sizeof(path))
            add_driver(data, path, &drivers[i]);
    return 0;
}

static void find_storages(struct podman *p)
{
    add_storage(p, "/var/lib/containers/storage");
    add_configured(p, "/etc/containers/storage.conf");
    add_configured(p, "/usr/share/containers/storage.conf");
    add_users(p);
    (void)oci_each(p->oci, "podman", add_by_bundle, p);
}

static int podman_open(const struct engines_options *options, struct oci *oci, void **ret,
                       struct err *err)
{
    struct podman *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, -ENOMEM, "podman");
    p->oci = oci;
    p->log = options->log;
    p->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (p->inotify < 0) {
        int r = err_set(err, -errno, "inotify");

        free(p);
        return r;
    }
    find_storages(p);
    *ret = p;
    return 0;
}

static void forget_record(struct storage *s, struct record *r)
{
    HASH_DEL(s->records, r);
    container_unref(r->container);
    free(r);
}

static void podman_close(void *engine)
{
    struct podman *p = engine;
    struct record *r, *next;

    for (size_t i = 0; i < p->count; i++)
        HASH_ITER(hh, p->storages[i].records, r, next)
            forget_record(&p->storages[i], r);
    close(p->inotify);
    free(p);
}

/* ---- containers.json ---- */

static int read_list(const struct storage *s, struct sbuf *out)
{
    static const char *const files[] = { "containers.json", "volatile-containers.json" };
    char path[PATH_MAX + 64], buffer[64 * 1024];
    int first = 0;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        snprintf(path, sizeof(path), "%s/%s/%s", s->path, s->driver->containers, files[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) {
            first = i == 0 ? -errno : first;
            continue;
        }
        while ((n = read(fd, buffer, sizeof(buffer))) > 0 && out->len <= LIMIT_API_BODY)
            sbuf_add(out, buffer, (size_t)n);
    }
    return out->len ? sbuf_error(out) : first;
}

/* Does the object hold that name or id at all? It is looked at closely only then. */
static bool may_be(struct bytes object, struct bytes word)
{
    return memmem(object.data, object.len, word.data, word.len) != NULL;
}

struct found {
    struct container *container; /* owned */
    struct bytes layer;
    const struct storage *storage;
};

/* Names before ids, whole ids before their beginnings. Root and each user may have one of the same name. */
static int find(struct podman *p, struct bytes word, struct found *ret)
{
    struct found best = { 0 };
    unsigned exacts = 0, prefixes = 0;

    for (size_t i = 0; i < p->count; i++) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
        struct bytes at, object;

        if (read_list(&p->storages[i], &text) < 0)
            continue;
        at = sbuf_bytes(&text);
        while (storage_next(&at, &object)) {
            struct container *c = NULL;
            struct bytes layer;
            bool exact, whole;

            if (!may_be(object, word) || storage_parse(object, &c, &layer, NULL) < 0)
                continue;
            whole = bytes_equal(c->id, word);
            exact = whole || bytes_equal(c->name, word);
            if (!exact && (exacts || word.len < 2 || !bytes_starts_with(c->id, word))) {
                container_unref(c);
                continue;
            }
            container_unref(best.container);
            best = (struct found){ c, layer, &p->storages[i] };
            exacts += exact;
            prefixes += !exact;
            if (whole) {
                *ret = best;
                return 0;
            }
        }
    }
    if (!best.container)
        return -ENOENT;
    if (exacts > 1 || (!exacts && prefixes > 1)) {
        container_unref(best.container);
        return -EEXIST;
    }
    *ret = best;
    return 0;
}

/* ---- one container's files ---- */

static struct bytes layer_path(struct arena *arena, const struct storage *s, struct bytes layer,
                               const char *name)
{
    struct bytes dir = arena_join_path(arena, bytes_of(s->path), bytes_of("overlay"));

    return arena_join_path(arena, arena_join_path(arena, dir, layer), bytes_of(name));
}

/* The file "lower" of a layer: "l/SHORT:l/SHORT", links to the layers' directories. */
static void take_lower(struct container_view *view, const struct storage *s, struct bytes layer)
{
    struct arena *arena = &view->container->arena;
    struct bytes file = layer_path(arena, s, layer, "lower"), rest;
    struct bytes overlay = arena_join_path(arena, bytes_of(s->path), bytes_of("overlay"));
    _cleanup_close_ int fd = open(file.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char text[64 * 1024];
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    size_t count = 1;

    if (n <= 0)
        return;
    rest = (struct bytes){ text, (size_t)n };
    for (size_t i = 0; i < rest.len; i++)
        count += rest.data[i] == ':';
    view->lower = arena_alloc(arena, count * sizeof(*view->lower));
    while (view->lower && rest.len) {
        const char *colon = memchr(rest.data, ':', rest.len);
        struct bytes part = { rest.data, colon ? (size_t)(colon - rest.data) : rest.len };
        size_t step = part.len + (colon ? 1 : 0);
        _cleanup_free_ char *real = NULL;

        rest = (struct bytes){ rest.data + step, rest.len - step };
        part = part.len ? arena_join_path(arena, overlay, part) : BYTES_NULL;
        real = part.data ? realpath(part.data, NULL) : NULL;
        if (real)
            view->lower[view->lower_count++] = arena_copy(arena, bytes_of(real));
    }
}

static void take_config(struct container_view *view, const struct storage *s)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct oci_facts facts = { .view = { .container = view->container } };
    char path[PATH_MAX + 256], buffer[16 * 1024];
    _cleanup_close_ int fd = -EBADF;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/%s/%.*s/userdata/config.json", s->path, s->driver->containers,
             (int)view->container->id.len, view->container->id.data);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0 && text.len <= LIMIT_STATE_FILE)
        sbuf_add(&text, buffer, (size_t)n);
    if (text.len && oci_parse_config(sbuf_bytes(&text), &facts, NULL) == 0) {
        view->mounts = facts.view.mounts;
        view->mount_count = facts.view.mount_count;
        view->root = facts.view.root;
    }
}

static int podman_view(void *engine, struct bytes word, struct container_view *ret, struct err *err)
{
    struct podman *p = engine;
    struct container_view view = { 0 };
    const struct oci_facts *facts;
    struct podman_db *db = NULL;
    struct found found;
    int r;

    if (!word.len)
        return -ENOENT;
    find_storages(p);
    r = find(p, word, &found);
    if (r < 0)
        return r;
    view.container = found.container;
    container_set(view.container, &view.container->runtime, bytes_of("podman"));
    if (podman_db_open(found.storage->path, &db, NULL) == 0) {
        (void)podman_db_read(db, view.container);
        (void)podman_db_start(db, view.container->id, &view.container->started_ns);
    }
    podman_db_close(db);
    take_config(&view, found.storage);
    facts = oci_find(p->oci, view.container->id);
    if (facts && oci_is_running(facts)) {
        view.running = true;
        view.container->pid = facts->view.container->pid;
        view.container->started_ns = facts->view.container->started_ns;
        container_set(view.container, &view.container->cgroup, facts->view.container->cgroup);
    }
    if (found.layer.len && found.storage->driver->roots) {
        struct arena *arena = &view.container->arena;

        view.root = arena_join_path(arena, bytes_of(found.storage->path), bytes_of(found.storage->driver->roots));
        view.root = arena_join_path(arena, view.root, found.layer);
    } else if (found.layer.len) {
        struct arena *arena = &view.container->arena;

        view.upper = layer_path(arena, found.storage, found.layer, "diff");
        view.merged = layer_path(arena, found.storage, found.layer, "merged");
        take_lower(&view, found.storage, found.layer);
    }
    (void)err;
    *ret = view;
    return 0;
}

static int podman_list(void *engine, int (*each)(void *data, struct container *c), void *data,
                       struct err *err)
{
    struct podman *p = engine;
    int r = 0;

    (void)err;
    find_storages(p);
    for (size_t i = 0; i < p->count && r == 0; i++) {
        _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
        struct podman_db *db = NULL;
        struct bytes at, object;

        if (read_list(&p->storages[i], &text) < 0)
            continue;
        (void)podman_db_open(p->storages[i].path, &db, NULL);
        at = sbuf_bytes(&text);
        while (r == 0 && storage_next(&at, &object)) {
            struct container *c = NULL;
            struct bytes layer;

            if (storage_parse(object, &c, &layer, NULL) < 0)
                continue;
            container_set(c, &c->runtime, bytes_of("podman"));
            if (db)
                (void)podman_db_read(db, c);
            r = each(data, c);
            container_unref(c);
        }
        podman_db_close(db);
    }
    return r;
}

static bool podman_present(void *engine, char *text, size_t size)
{
    struct podman *p = engine;
    bool installed = access("/usr/bin/podman", X_OK) == 0 || access("/usr/local/bin/podman", X_OK) == 0;

    find_storages(p);
    if (p->count)
        snprintf(text, size, "by its storage (%s%s)", p->storages[0].path,
                 p->count > 1 ? " and others" : "");
    else
        snprintf(text, size, "%s", installed ? "installed, no storage yet" : "not here");
    return p->count > 0;
}

static int podman_volume(void *engine, struct bytes name, struct arena *arena, struct bytes *ret,
                         struct err *err)
{
    struct podman *p = engine;

    (void)err;
    if (!name.len || memchr(name.data, '/', name.len) || name.data[0] == '.')
        return -ENOENT;
    find_storages(p);
    for (size_t i = 0; i < p->count; i++) {
        struct bytes path = arena_join_path(arena, bytes_of(p->storages[i].path), bytes_of("volumes"));

        path = arena_join_path(arena, arena_join_path(arena, path, name), bytes_of("_data"));
        if (path.data && access(path.data, F_OK) == 0) {
            *ret = path;
            return 0;
        }
    }
    return -ENOENT;
}

/* ---- what happens to them, as far as the runtime does not tell: made, renamed, removed ---- */

static int podman_fd(void *engine)
{
    return ((const struct podman *)engine)->inotify;
}

static uint64_t realtime(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void compare(struct storage *s, void (*life)(void *data, const struct life *life), void *data)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct record *r, *next;
    struct bytes at, object;

    if (read_list(s, &text) < 0)
        return;
    HASH_ITER(hh, s->records, r, next)
        r->seen = false;
    at = sbuf_bytes(&text);
    while (storage_next(&at, &object)) {
        struct container *c = NULL;
        struct bytes layer;

        if (storage_parse(object, &c, &layer, NULL) < 0)
            continue;
        container_set(c, &c->runtime, bytes_of("podman"));
        HASH_FIND(hh, s->records, c->id.data, c->id.len, r);
        if (r && !bytes_equal(r->container->name, c->name) && s->read) {
            struct life renamed = { .kind = LIFE_RENAME, .time_ns = realtime(), .exit_code = -1,
                                    .container = c,
                                    .previous_name = arena_copy(&c->arena, r->container->name) };

            life(data, &renamed);
        }
        if (r) {
            HASH_DEL(s->records, r);
            container_unref(r->container);
        } else if ((r = calloc(1, sizeof(*r))) && s->read) {
            life(data, &(struct life){ .kind = LIFE_CREATE, .time_ns = realtime(), .exit_code = -1,
                                       .container = c });
        }
        if (!r) {
            container_unref(c);
            continue;
        }
        r->container = c;
        r->seen = true;
        HASH_ADD_KEYPTR(hh, s->records, c->id.data, c->id.len, r);
    }
    HASH_ITER(hh, s->records, r, next)
        if (!r->seen) {
            life(data, &(struct life){ .kind = LIFE_DESTROY, .time_ns = realtime(), .exit_code = -1,
                                       .container = r->container });
            forget_record(s, r);
        }
    s->read = true;
}

static int podman_dispatch(void *engine, void (*life)(void *data, const struct life *life), void *data,
                           struct err *err)
{
    struct podman *p = engine;
    bool changed[STORAGES_MAX] = { 0 };
    _Alignas(struct inotify_event) char buffer[16 * 1024];
    ssize_t n;

    (void)err;
    (void)oci_each(p->oci, "podman", add_by_bundle, p);
    for (unsigned rounds = 0; rounds < 16 && (n = read(p->inotify, buffer, sizeof(buffer))) > 0; rounds++)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);

            for (size_t i = 0; i < p->count; i++)
                changed[i] |= (event->mask & IN_Q_OVERFLOW) ||
                              (event->wd == p->storages[i].wd && event->len &&
                               strstr(event->name, "containers.json"));
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    for (size_t i = 0; i < p->count; i++)
        if (changed[i] || !p->storages[i].read)
            compare(&p->storages[i], life, data);
    return 0;
}

const struct engine_ops podman_engine_ops = {
    .name = "podman",
    .open = podman_open,
    .close = podman_close,
    .present = podman_present,
    .list = podman_list,
    .view = podman_view,
    .volume = podman_volume,
    .fd = podman_fd,
    .dispatch = podman_dispatch,
};
