/* SPDX-License-Identifier: MIT */
#include "engine/podman_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/oci_json.h"
#include "engine/flat.h"
#include "engine/podman_db.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/limits.h"

#define DATABASE_MAX (128 * 1024 * 1024) /* bbolt never shrinks: some 10 MB after years */
#define LOWER_MAX (64 * 1024)
#define PLACES_MAX 256
#define PLACE_MS 600 /* one that hangs costs so long; a busy machine needs some of it */

static int open_storage(struct bytes path)
{
    return beneath_open_host(path, 0, O_PATH | O_DIRECTORY);
}

/* A file of the storage as it was at one moment: a database is read again where it was written meanwhile. */
static int gather_file(int storage, const char *path, const char *name, size_t max, struct gathered *g)
{
    _cleanup_close_ int fd = beneath_open_file(storage, bytes_of(path));
    struct stat before, after;
    char *data = NULL;
    size_t len = 0;
    int r = fd;

    for (unsigned attempt = 0; attempt < 3 && fd >= 0; attempt++) {
        free(data);
        data = NULL;
        if (fstat(fd, &before) < 0 || lseek(fd, 0, SEEK_SET) < 0)
            return -errno;
        r = beneath_read_fd(fd, max, &data, &len);
        if (r < 0)
            return r;
        if (fstat(fd, &after) == 0 && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
            before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
            break;
    }
    return r < 0 ? r : gathered_add(g, name, data, len);
}

/* ---- which storages are there ---- */

static struct storage_place {
    char path[PATH_MAX];
    int inotify;
    bool own;      /* written before wd */
    atomic_int wd; /* INT_MIN: not answered yet */
} places[PLACES_MAX];

/* Nobody but root can put another file system, or another directory, in its place. */
static bool is_roots(const char *path)
{
    for (const char *at = path + 1;; at++) {
        char above[PATH_MAX];
        struct stat st;

        if (*at != '/' && *at)
            continue;
        snprintf(above, sizeof(above), "%.*s", (int)(at - path), path);
        if (lstat(above, &st) < 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH) && !(st.st_mode & S_ISVTX)))
            return false;
        if (!*at)
            return true;
    }
}

static void *look_at(void *data)
{
    struct storage_place *p = data;
    int wd = inotify_add_watch(p->inotify, p->path, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);

    p->own = is_roots(p->path);
    /* it is there all the same where no more watches are to be had */
    atomic_store(&p->wd, wd >= 0 ? wd : errno == ENOSPC ? -1 : -2);
    return NULL;
}

static int gather_storages(struct bytes request, struct gathered *g)
{
    struct sbuf out = SBUF_INIT;
    size_t count = 0, len;

    for (; request.len && count < PLACES_MAX; count++) {
        struct storage_place *p = &places[count];
        struct bytes word = bytes_next_field(&request, '\0');
        pthread_t thread;

        snprintf(p->path, sizeof(p->path), "%.*s", (int)MIN(word.len, sizeof(p->path)), word.data);
        p->inotify = g->lent;
        atomic_store(&p->wd, INT_MIN);
        if (pthread_create(&thread, NULL, look_at, p) == 0)
            (void)pthread_detach(thread);
    }
    for (unsigned ms = 0; ms < PLACE_MS; ms++) {
        bool all = true;

        for (size_t i = 0; i < count; i++)
            all &= atomic_load(&places[i].wd) != INT_MIN;
        if (all)
            break;
        (void)nanosleep(&(struct timespec){ .tv_nsec = (long)NS_PER_MS }, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        int wd = atomic_load(&places[i].wd);

        if (wd < -1)
            continue;
        flat_put_bytes(&out, bytes_of(places[i].path));
        flat_put_u64(&out, (uint64_t)(int64_t)wd);
        flat_put_u64(&out, places[i].own);
    }
    len = out.len;
    return len ? gathered_add(g, "storages", sbuf_steal(&out), len) : -ENOENT;
}

/* No content is read: what is answered are the paths that were asked for. */
const struct foreign_job podman_storages_job = { "Podman's storages", 1024 * 1024, gather_storages, NULL, false };

/* ---- records ---- */

static int gather_records(struct bytes request, struct gathered *g)
{
    struct bytes storage = bytes_next_field(&request, '\0'), directory = bytes_next_field(&request, '\0');
    struct bytes mode = bytes_next_field(&request, '\0');
    _cleanup_close_ int fd = open_storage(storage);
    char path[PATH_MAX];
    int r, second;

    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "%.*s/containers.json", (int)directory.len, directory.data);
    r = gather_file(fd, path, "containers", LIMIT_API_BODY, g);
    snprintf(path, sizeof(path), "%.*s/volatile-containers.json", (int)directory.len, directory.data);
    second = gather_file(fd, path, "volatile", LIMIT_API_BODY, g);
    if (r == -ENOENT && second == -ENOENT)
        return 0; /* a storage in which nothing was made yet */
    if (r < 0 && second < 0)
        return r;
    if (bytes_equal_str(mode, "names"))
        return 0;
    /* below: as Podman lays it out; above: where its static directory is the storage's parent */
    if (gather_file(fd, "db.sql", "sqlite", DATABASE_MAX, g) < 0 &&
        gather_file(fd, "libpod/db.sql", "sqlite", DATABASE_MAX, g) < 0)
        (void)gather_file(fd, "libpod/bolt_state.db", "bolt", DATABASE_MAX, g);
    return 0;
}

static void add_records(struct bytes text, struct bytes word, struct podman_db *db, struct sbuf *answer)
{
    struct bytes object;

    while (storage_next(&text, &object)) {
        struct container *c = NULL;
        struct bytes layer;

        /* is that name or id in it at all? It is looked at closely only then */
        if ((word.len && !memmem(object.data, object.len, word.data, word.len)) ||
            storage_parse(object, &c, &layer, NULL) < 0)
            continue;
        container_set(c, &c->runtime, bytes_of("podman"));
        if (db) {
            (void)podman_db_read(db, c);
            (void)podman_db_start(db, c->id, &c->started_ns);
        }
        flat_put_container(answer, c);
        flat_put_bytes(answer, layer);
        container_unref(c);
    }
}

static int parse_records(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct podman_db *db = NULL;
    struct bytes word;

    for (unsigned i = 0; i < 3; i++)
        (void)bytes_next_field(&request, '\0');
    word = bytes_next_field(&request, '\0');
    /* one that is damaged, or made for us: the records are used without it */
    (void)podman_db_open(gathered_get(g, "sqlite"), gathered_get(g, "bolt"), &db);
    add_records(gathered_get(g, "containers"), word, db, answer);
    add_records(gathered_get(g, "volatile"), word, db, answer);
    podman_db_close(db);
    return sbuf_error(answer);
}

const struct foreign_job podman_records_job = { "Podman's records", 2 * (size_t)DATABASE_MAX, gather_records,
                                                parse_records, false };

/* ---- one container's files ---- */

/* The file "lower" of a layer: "l/SHORT:l/SHORT", links to the layers' directories, beneath the storage. */
static int gather_lower(int storage, struct bytes layer, struct gathered *g)
{
    _cleanup_free_ char *text = NULL;
    struct sbuf out = SBUF_INIT;
    struct bytes rest;
    char path[PATH_MAX];
    size_t len;

    snprintf(path, sizeof(path), "overlay/%.*s/lower", (int)layer.len, layer.data);
    if (beneath_read_file(storage, bytes_of(path), LOWER_MAX, &text, &len) < 0)
        return 0;
    rest = (struct bytes){ text, len };
    while (rest.len) {
        const char *colon = memchr(rest.data, ':', rest.len);
        struct bytes part = { rest.data, colon ? (size_t)(colon - rest.data) : rest.len };
        size_t step = part.len + (colon ? 1 : 0);
        char link[64], real[PATH_MAX];
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        rest = (struct bytes){ rest.data + step, rest.len - step };
        if (!part.len || snprintf(path, sizeof(path), "overlay/%.*s", (int)part.len, part.data) >= (int)sizeof(path))
            continue;
        fd = beneath_open(storage, bytes_of(path), O_PATH | O_DIRECTORY);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = fd >= 0 ? readlink(link, real, sizeof(real)) : -1;
        if (n > 0 && (size_t)n < sizeof(real))
            flat_put_bytes(&out, (struct bytes){ real, (size_t)n });
    }
    len = out.len;
    return len ? gathered_add(g, "lower", sbuf_steal(&out), len) : 0;
}

static int gather_container(struct bytes request, struct gathered *g)
{
    struct bytes storage = bytes_next_field(&request, '\0'), directory = bytes_next_field(&request, '\0');
    struct bytes id = bytes_next_field(&request, '\0'), layer = bytes_next_field(&request, '\0');
    _cleanup_close_ int fd = open_storage(storage);
    char path[PATH_MAX];

    if (fd < 0)
        return fd;
    snprintf(path, sizeof(path), "%.*s/%.*s/userdata/config.json", (int)directory.len, directory.data, (int)id.len,
             id.data);
    (void)gather_file(fd, path, "config", LIMIT_STATE_FILE, g);
    return layer.len ? gather_lower(fd, layer, g) : 0;
}

static int parse_container(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct oci_facts facts = { .view = { .container = container_new() } };
    struct bytes lower = gathered_get(g, "lower"), part;

    (void)request;
    if (!facts.view.container)
        return -ENOMEM;
    (void)oci_parse_config(gathered_get(g, "config"), &facts, NULL);
    facts.view.lower_count = 0;
    facts.view.lower = lower.len ? calloc(lower.len, sizeof(part)) : NULL;
    while (facts.view.lower && flat_get_bytes(&lower, &part) == 0)
        facts.view.lower[facts.view.lower_count++] = part;
    flat_put_view(answer, &facts.view);
    return sbuf_error(answer);
}

const struct foreign_job podman_container_job = { "Podman's record of a container", 16 * 1024 * 1024, gather_container,
                                                  parse_container, false };

/* ---- volumes ---- */

static int gather_volume(struct bytes request, struct gathered *g)
{
    struct bytes storage = bytes_next_field(&request, '\0'), name = bytes_next_field(&request, '\0');
    char path[PATH_MAX], *full;
    _cleanup_close_ int at = open_storage(storage), fd = -EBADF;

    snprintf(path, sizeof(path), "volumes/%.*s/_data", (int)name.len, name.data);
    fd = at < 0 ? at : beneath_open(at, bytes_of(path), O_PATH);
    if (fd < 0)
        return -ENOENT;
    if (asprintf(&full, "%.*s/%s", (int)storage.len, storage.data, path) < 0)
        return -ENOMEM;
    return gathered_add(g, "path", full, strlen(full));
}

const struct foreign_job podman_volume_job = { "Podman's volumes", PATH_MAX * 2, gather_volume, NULL, false };
