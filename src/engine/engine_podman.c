/* SPDX-License-Identifier: MIT */
/*
 * Podman without its API: names, images and layers by its storage on the disk, labels by its
 * database, processes by the runtime's state. Root's storage, that of each user with a home, and
 * whichever else a running container's bundle lies in.
 */
#include "engine/engine_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "engine/flat.h"
#include "engine/podman_files.h"
#include "engine/podman_find.h"
#include "engine/podman_state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/inotify.h"
#include "util/macro.h"

#define WORKER_MS 2000              /* a worker's deadline: 10,000 containers take half a second */
#define OWN_WAIT_MS 5000            /* root's own storage: nobody can make it hang, only a busy machine is slow */
#define OWN_WORKER_MS 10000
#define FIRST_WAIT_MS 3000          /* what is there at the start is looked for before anything is observed */
#define DISTRUST_NS (60 * NS_PER_S)

static int podman_open(const struct engines_options *options, struct oci *oci, void **ret,
                       struct err *err)
{
    struct podman *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, -ENOMEM, "podman");
    p->oci = oci;
    p->log = options->log;
    p->looking = FOREIGN_PENDING_NONE;
    p->inotify = inotify_open(err);
    p->epoll = p->inotify < 0 ? -EBADF : epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0 || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->inotify, &(struct epoll_event){ .events = EPOLLIN }) < 0) {
        int r = p->inotify < 0 ? p->inotify : err_set(err, -errno, "epoll");

        closep(&p->inotify);
        closep(&p->epoll);
        free(p);
        return r;
    }
    podman_find_storages(p, FIRST_WAIT_MS);
    *ret = p;
    return 0;
}

static void forget_record(struct storage *s, struct storage_record *r)
{
    HASH_DEL(s->records, r);
    container_unref(r->container);
    free(r);
}

static void podman_close(void *engine)
{
    struct podman *p = engine;
    struct storage_record *r, *next;

    for (size_t i = 0; i < p->count; i++) {
        HASH_ITER(hh, p->storages[i].records, r, next)
            forget_record(&p->storages[i], r);
        foreign_pending_done(&p->storages[i].reading);
        foreign_pending_done(&p->storages[i].asked);
    }
    foreign_pending_done(&p->looking);
    close(p->inotify);
    close(p->epoll);
    free(p);
}

/* ---- records ---- */

static void request_records(struct sbuf *out, const struct storage *s, const char *mode, struct bytes word)
{
    podman_add_word(out, bytes_of(s->path));
    podman_add_word(out, bytes_of(s->driver->containers));
    podman_add_word(out, bytes_of(mode));
    podman_add_word(out, word);
}

/* A user's storage that does not answer, or takes for ever, costs its own names. */
static void distrust(const struct podman *p, struct storage *s, const struct foreign_job *job, int r)
{
    _cleanup_sbuf_ struct sbuf where = SBUF_INIT;
    struct err err = ERR_INIT;

    s->next_ns = clock_ns(CLOCK_MONOTONIC) + (s->own ? 0 : DISTRUST_NS);
    if (s->said)
        return;
    s->said = true;
    escape_terminal(&where, bytes_of(s->path));
    (void)foreign_say(job, r == -EAGAIN ? -ETIMEDOUT : r, &err);
    log_warn(p->log, "%s: %s; its containers are not named", sbuf_str(&where), err_text(&err, r));
}

/* Waits for one storage's answer: *ret is valid until the next question to it. */
static int ask(struct podman *p, struct storage *s, const struct foreign_job *job, struct bytes request,
               struct bytes *ret)
{
    int r;

    if (clock_ns(CLOCK_MONOTONIC) < s->next_ns)
        return -ETIMEDOUT;
    foreign_pending_done(&s->asked); /* another question's, whose answer came too late */
    s->asked = FOREIGN_PENDING_NONE;
    r = foreign_wait(&s->asked, job, request, s->own ? OWN_WORKER_MS : WORKER_MS, s->own ? OWN_WAIT_MS : WAIT_MS, ret);
    if (r == -EAGAIN || r == -EBADMSG)
        distrust(p, s, job, r);
    return r;
}

static int next_record(struct bytes *answer, struct container **ret, struct bytes *ret_layer)
{
    _cleanup_(container_unrefp) struct container *c = NULL;
    struct bytes layer;

    if (!answer->len)
        return -ENOENT;
    if (flat_get_container(answer, &c) < 0 || flat_get_bytes(answer, &layer) < 0)
        return -EBADMSG;
    *ret_layer = arena_copy(&c->arena, layer);
    *ret = TAKE_PTR(c);
    return 0;
}

struct storage_match {
    struct container *container; /* owned */
    struct bytes layer;
    struct storage *storage;
};

/* Names before ids, whole ids before their beginnings. Root and each user may have one of the same name. */
static int find(struct podman *p, struct bytes word, struct storage_match *ret)
{
    struct storage_match best = { 0 };
    unsigned exacts = 0, prefixes = 0;

    for (size_t i = 0; i < p->count; i++) {
        _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
        struct container *c;
        struct bytes at, layer;

        request_records(&request, &p->storages[i], "word", word);
        if (ask(p, &p->storages[i], &podman_records_job, sbuf_bytes(&request), &at) < 0)
            continue;
        while (next_record(&at, &c, &layer) == 0) {
            bool exact, whole;

            whole = bytes_equal(c->id, word);
            exact = whole || bytes_equal(c->name, word);
            if (!exact && (exacts || word.len < 2 || !bytes_starts_with(c->id, word))) {
                container_unref(c);
                continue;
            }
            container_unref(best.container);
            best = (struct storage_match){ c, layer, &p->storages[i] };
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

/* Configuration and lower layers. */
static void take_files(struct podman *p, struct container_view *view, struct storage *s, struct bytes layer)
{
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    struct bytes answer;

    podman_add_word(&request, bytes_of(s->path));
    podman_add_word(&request, bytes_of(s->driver->containers));
    podman_add_word(&request, view->container->id);
    podman_add_word(&request, s->driver->roots ? BYTES_NULL : layer);
    if (ask(p, s, &podman_container_job, sbuf_bytes(&request), &answer) == 0 && flat_get_view(&answer, view) < 0)
        view->lower_count = view->mount_count = 0;
}

static int podman_view(void *engine, struct bytes word, struct container_view *ret, struct err *err)
{
    struct podman *p = engine;
    struct container_view view = { 0 };
    const struct oci_facts *facts;
    struct storage_match found;
    int r;

    if (!word.len)
        return -ENOENT;
    podman_find_storages(p, WAIT_MS);
    r = find(p, word, &found);
    if (r < 0)
        return r;
    view.container = found.container;
    take_files(p, &view, found.storage, found.layer);
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
    podman_find_storages(p, WAIT_MS);
    for (size_t i = 0; i < p->count && r == 0; i++) {
        _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
        struct container *c;
        struct bytes at, layer;

        request_records(&request, &p->storages[i], "all", BYTES_NULL);
        if (ask(p, &p->storages[i], &podman_records_job, sbuf_bytes(&request), &at) < 0)
            continue;
        while (r == 0 && next_record(&at, &c, &layer) == 0) {
            r = each(data, c);
            container_unref(c);
        }
    }
    return r;
}

static bool podman_present(void *engine, char *text, size_t size)
{
    struct podman *p = engine;
    bool installed = access("/usr/bin/podman", X_OK) == 0 || access("/usr/local/bin/podman", X_OK) == 0;

    podman_find_storages(p, WAIT_MS);
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
    podman_find_storages(p, WAIT_MS);
    for (size_t i = 0; i < p->count; i++) {
        _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
        struct bytes answer;

        podman_add_word(&request, bytes_of(p->storages[i].path));
        podman_add_word(&request, name);
        if (ask(p, &p->storages[i], &podman_volume_job, sbuf_bytes(&request), &answer) == 0) {
            *ret = arena_copy(arena, answer);
            return ret->data ? 0 : -ENOMEM;
        }
    }
    return -ENOENT;
}

/* ---- what happens to them, as far as the runtime does not say: made, renamed, removed ---- */

static int podman_fd(void *engine)
{
    return ((const struct podman *)engine)->epoll;
}

static void compare(struct storage *s, struct bytes at, void (*life)(void *data, const struct lifecycle_event *life), void *data)
{
    struct storage_record *r, *next;
    struct container *c;
    struct bytes layer;

    HASH_ITER(hh, s->records, r, next)
        r->seen = false;
    while (next_record(&at, &c, &layer) == 0) {
        HASH_FIND(hh, s->records, c->id.data, c->id.len, r);
        if (r && !bytes_equal(r->container->name, c->name) && s->read) {
            struct lifecycle_event renamed = { .kind = LIFECYCLE_RENAME, .time_ns = clock_ns(CLOCK_REALTIME), .exit_code = -1,
                                    .container = c,
                                    .previous_name = arena_copy(&c->arena, r->container->name) };

            life(data, &renamed);
        }
        if (r) {
            HASH_DEL(s->records, r);
            container_unref(r->container);
        } else if ((r = calloc(1, sizeof(*r))) && s->read) {
            life(data, &(struct lifecycle_event){ .kind = LIFECYCLE_CREATE, .time_ns = clock_ns(CLOCK_REALTIME), .exit_code = -1,
                                       .container = c });
        }
        if (!r) {
            container_unref(c);
            continue;
        }
        r->container = c;
        r->seen = true;
        HASH_ADD_KEYPTR(hh, s->records, c->id.data, c->id.len, r);
        if (!HASH_IS_IN(hh, r)) {
            container_unref(c);
            free(r);
        }
    }
    HASH_ITER(hh, s->records, r, next)
        if (!r->seen) {
            life(data, &(struct lifecycle_event){ .kind = LIFECYCLE_DESTROY, .time_ns = clock_ns(CLOCK_REALTIME), .exit_code = -1,
                                       .container = r->container });
            forget_record(s, r);
        }
    s->read = true;
}

static void read_changes(struct podman *p)
{
    _Alignas(struct inotify_event) char buffer[16 * 1024];
    ssize_t n;

    for (unsigned rounds = 0; rounds < 16 && (n = read(p->inotify, buffer, sizeof(buffer))) > 0; rounds++)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(buffer + at);

            for (size_t i = 0; i < p->count; i++)
                p->storages[i].changed |= (event->mask & IN_Q_OVERFLOW) ||
                                          (event->wd == p->storages[i].wd && event->len &&
                                           strstr(event->name, "containers.json"));
            at += (ssize_t)(sizeof(*event) + event->len);
        }
}

/* Nobody waits here: the answer is taken when it is there, and what changed meanwhile is asked for again. */
static void follow(struct podman *p, struct storage *s, void (*life)(void *data, const struct lifecycle_event *life), void *data)
{
    bool asked = s->reading.fd >= 0;
    struct bytes answer;
    int r;

    if (!asked && (!s->changed || clock_ns(CLOCK_MONOTONIC) < s->next_ns))
        return;
    if (!asked)
        s->changed = false;
    {
        _cleanup_sbuf_ struct sbuf request = SBUF_INIT;

        request_records(&request, s, "names", BYTES_NULL);
        r = foreign_wait(&s->reading, &podman_records_job, sbuf_bytes(&request), s->own ? OWN_WORKER_MS : WORKER_MS, 0, &answer);
    }
    if (r == -EAGAIN && !asked)
        podman_await(p, s->reading.fd);
    if (r == 0) {
        s->said = false;
        compare(s, answer, life, data);
    } else if (r != -EAGAIN) {
        s->changed = true;
        if (r != -EBUSY)
            distrust(p, s, &podman_records_job, r);
    }
}

static int podman_dispatch(void *engine, void (*life)(void *data, const struct lifecycle_event *life), void *data,
                           struct err *err)
{
    struct podman *p = engine;

    (void)err;
    podman_find_storages(p, 0);
    read_changes(p);
    for (size_t i = 0; i < p->count; i++)
        follow(p, &p->storages[i], life, data);
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
