/* SPDX-License-Identifier: MIT */
#include "attribution/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>

#include <uthash.h>

#include "attribution/cgroup.h"
#include "attribution/engine_ops.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/limits.h"

static const struct engine_ops *const engine_table[] = {
    &docker_engine_ops,
};
#define ENGINES ARRAY_SIZE(engine_table)

/* An unknown id is asked for at most so often: a storm of unknown containers must not become a storm
 * of questions. */
#define REFRESH_NS NS_PER_S

struct known {
    struct container *container; /* owned reference */
    unsigned engine;
    UT_hash_handle by_id;
};

struct engines {
    struct engines_options options;
    void *contexts[ENGINES];
    struct known *known;
    uint64_t next_refresh_ns;
    int epoll_fd;
    int fds[ENGINES];
    struct engine_state states[ENGINES];
    unsigned current; /* whose stream is being read */
};

void container_view_done(struct container_view *view)
{
    container_unref(view->container);
    *view = (struct container_view){ 0 };
}

int engines_new(const struct engines_options *options, struct engines **ret, struct err *err)
{
    struct engines *e = calloc(1, sizeof(*e));
    int r = 0;

    if (!e)
        return err_set(err, -ENOMEM, "container engines");
    e->options = *options;
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < ENGINES && r == 0; i++) {
        e->fds[i] = -1;
        r = engine_table[i]->open(options, &e->contexts[i], err);
    }
    if (r == 0 && e->epoll_fd < 0)
        r = err_set(err, -errno, "container engines");
    if (r < 0) {
        engines_free(e);
        return r;
    }
    (void)engines_dispatch(e, NULL);
    *ret = e;
    return 0;
}

void engines_free(struct engines *e)
{
    struct known *k, *next;

    if (!e)
        return;
    for (size_t i = 0; i < ENGINES; i++)
        if (e->contexts[i])
            engine_table[i]->close(e->contexts[i]);
    HASH_ITER(by_id, e->known, k, next) {
        HASH_DELETE(by_id, e->known, k);
        container_unref(k->container);
        free(k);
    }
    if (e->epoll_fd >= 0)
        close(e->epoll_fd);
    free(e);
}

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct known *find_known(struct engines *e, struct bytes id)
{
    struct known *k;

    HASH_FIND(by_id, e->known, id.data, id.len, k);
    return k;
}

/* Remember `c`, in place of what was known of the same id. */
static void remember(struct engines *e, unsigned engine, struct container *c)
{
    struct known *k = find_known(e, c->id);

    if (k) {
        HASH_DELETE(by_id, e->known, k);
        container_unref(k->container);
    } else if (HASH_CNT(by_id, e->known) >= LIMIT_CONTAINERS || !(k = calloc(1, sizeof(*k)))) {
        return;
    }
    k->container = container_ref(c);
    k->engine = engine;
    HASH_ADD_KEYPTR(by_id, e->known, c->id.data, c->id.len, k);
}

struct listing {
    struct engines *e;
    unsigned engine;
    unsigned count;
};

static int remember_one(void *data, struct container *c)
{
    struct listing *l = data;

    l->count++;
    if (!c->runtime.len)
        container_set(c, &c->runtime, bytes_of(engine_table[l->engine]->name));
    /* a record with more facts (first process, start) is not replaced by a line of a list, unless
     * the name has changed */
    struct known *k = find_known(l->e, c->id);
    if (!k || !bytes_equal(k->container->name, c->name))
        remember(l->e, l->engine, c);
    return 0;
}

static int refresh(struct engines *e, unsigned engine, struct err *err)
{
    struct listing listing = { e, engine, 0 };
    int r = engine_table[engine]->list(e->contexts[engine], remember_one, &listing, err);

    e->states[engine].containers = listing.count;
    return r;
}

static int view_of(struct engines *e, unsigned engine, struct bytes id, struct container_view *ret,
                   struct err *err)
{
    int r = engine_table[engine]->view(e->contexts[engine], id, ret, err);

    if (r < 0)
        return r;
    if (!ret->container->runtime.len)
        container_set(ret->container, &ret->container->runtime,
                      bytes_of(engine_table[engine]->name));
    remember(e, engine, ret->container);
    return 0;
}

/* Edit distance up to 3: is it a slip of the pen? */
static unsigned distance(struct bytes a, struct bytes b)
{
    unsigned row[64], previous, above;

    if (a.len >= 64 || b.len >= 64)
        return 99;
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        previous = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            above = row[j];
            row[j] = MIN(MIN(row[j] + 1, row[j - 1] + 1),
                         previous + (a.data[i - 1] != b.data[j - 1]));
            previous = above;
        }
    }
    return row[b.len];
}

/* "no container "wbe"; did you mean web? (docker: web, db)" */
static int no_such(struct engines *e, struct bytes name, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, names = SBUF_INIT;
    const struct container *near = NULL;
    unsigned best = 3, shown = 0;
    struct known *k, *next;

    HASH_ITER(by_id, e->known, k, next) {
        unsigned d = distance(name, k->container->name);

        if (d < best) {
            best = d;
            near = k->container;
        }
        if (shown++ < 8) {
            sbuf_add_str(&names, shown > 1 ? ", " : "");
            escape_terminal(&names, k->container->name);
        }
    }
    if (shown > 8)
        sbuf_addf(&names, " and %u more", shown - 8);
    sbuf_add_str(&text, "no container \"");
    escape_terminal(&text, name);
    sbuf_add_char(&text, '"');
    if (near) {
        sbuf_add_str(&text, "; did you mean ");
        escape_terminal(&text, near->name);
        sbuf_add_char(&text, '?');
    }
    if (names.len)
        sbuf_addf(&text, " (%s)", sbuf_str(&names));
    return err_say(err, -ENOENT, "%s", sbuf_str(&text));
}

static int ambiguous(struct engines *e, struct bytes name, struct err *err)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    unsigned shown = 0;
    struct known *k, *next;

    sbuf_add_char(&text, '"');
    escape_terminal(&text, name);
    sbuf_add_str(&text, "\" means several containers: ");
    HASH_ITER(by_id, e->known, k, next) {
        if (!bytes_starts_with(k->container->id, name) || shown++ >= 8)
            continue;
        sbuf_add_str(&text, shown > 1 ? ", " : "");
        escape_terminal(&text, k->container->name);
        sbuf_addf(&text, " (%.12s)", k->container->id.data);
    }
    return err_say(err, -EEXIST, "%s", sbuf_str(&text));
}

/* By name first, then by whole id, then by a prefix that only one has. */
static int find_in(struct engines *e, unsigned engine, struct bytes name, struct known **ret)
{
    struct known *k, *next, *prefix = NULL;
    unsigned prefixes = 0;

    HASH_ITER(by_id, e->known, k, next) {
        if (k->engine != engine)
            continue;
        if (bytes_equal(k->container->name, name) || bytes_equal(k->container->id, name)) {
            *ret = k;
            return 0;
        }
        if (name.len >= 2 && bytes_starts_with(k->container->id, name)) {
            prefix = k;
            prefixes++;
        }
    }
    *ret = prefix;
    return prefixes == 1 ? 0 : prefixes ? -EEXIST : -ENOENT;
}

/* Those that are gone are forgotten by name, so that the name can mean a new one. */
static void forget_engine(struct engines *e, unsigned engine)
{
    struct known *k, *next;

    HASH_ITER(by_id, e->known, k, next) {
        if (k->engine != engine)
            continue;
        HASH_DELETE(by_id, e->known, k);
        container_unref(k->container);
        free(k);
    }
}

int engines_find(struct engines *e, struct bytes name, struct container_view *ret, struct err *err)
{
    struct err why = ERR_INIT;
    unsigned answered = 0;
    int failure = 0;

    for (unsigned i = 0; i < ENGINES; i++) {
        struct err own = ERR_INIT;
        struct known *k = NULL;
        int r = view_of(e, i, name, ret, &own);

        if (r == 0)
            return 0;
        if (r != -ENOENT && r != -EPROTO) {
            if (failure == 0) {
                failure = r;
                why = own;
            }
            continue;
        }
        /* not by that word alone: a prefix, perhaps of several; and the names for the message */
        forget_engine(e, i);
        r = refresh(e, i, &own);
        if (r < 0) {
            if (failure == 0) {
                failure = r;
                why = own;
            }
            continue;
        }
        answered++;
        r = find_in(e, i, name, &k);
        if (r == -EEXIST)
            return ambiguous(e, name, err);
        if (r == 0)
            return view_of(e, i, k->container->id, ret, err);
    }
    if (answered || failure == 0)
        return no_such(e, name, err);
    return err_say(err, failure, "%s", err_text(&why, failure));
}

struct container *engines_by_id(struct engines *e, struct bytes id)
{
    struct container_view view;
    struct known *k = find_known(e, id);

    /* a line of a list has no first process: ask once for the whole */
    if (k && (k->container->pid || k->container->started_ns))
        return k->container;
    if (monotonic() < e->next_refresh_ns)
        return k ? k->container : NULL;
    for (unsigned i = 0; i < ENGINES; i++)
        if (view_of(e, i, id, &view, NULL) == 0) {
            container_view_done(&view); /* it is remembered */
            k = find_known(e, id);
            return k ? k->container : NULL;
        }
    e->next_refresh_ns = monotonic() + REFRESH_NS;
    return k ? k->container : NULL;
}

struct container *engines_by_cgroup(struct engines *e, struct bytes cgroup)
{
    struct cgroup_container found;

    return cgroup_container(cgroup, &found) ? engines_by_id(e, found.id) : NULL;
}

struct container *engines_by_pid(struct engines *e, pid_t pid)
{
    struct known *k, *next;

    if (pid <= 1)
        return NULL;
    HASH_ITER(by_id, e->known, k, next)
        if (k->container->pid == pid)
            return k->container;
    return NULL;
}

/* ---- what happens to them ---- */

static void on_life(void *data, const struct life *life)
{
    struct engines *e = data;
    struct container_view view;
    struct life told = *life;

    if (life->kind == LIFE_START || life->kind == LIFE_CREATE || life->kind == LIFE_RENAME) {
        /* with all its facts: first process, start time */
        if (view_of(e, e->current, life->container->id, &view, NULL) == 0) {
            told.container = container_ref(view.container);
            container_view_done(&view);
            if (e->options.life)
                e->options.life(e->options.data, &told);
            container_unref(told.container);
            return;
        }
    }
    if (life->kind == LIFE_DIE) {
        struct known *k = find_known(e, life->container->id);

        /* its first process is gone: the pid may be anybody's now */
        if (k && k->container->pid) {
            struct container *c = container_new();

            if (c) {
                container_set(c, &c->id, k->container->id);
                container_set(c, &c->name, k->container->name);
                container_set(c, &c->runtime, k->container->runtime);
                container_set(c, &c->image_name, k->container->image_name);
                container_set(c, &c->compose_project, k->container->compose_project);
                container_set(c, &c->compose_service, k->container->compose_service);
                c->created_ns = k->container->created_ns;
                c->started_ns = k->container->started_ns;
                remember(e, k->engine, c);
                container_unref(c);
            }
        }
    }
    if (e->options.life)
        e->options.life(e->options.data, &told);
}

static void follow_fds(struct engines *e)
{
    for (unsigned i = 0; i < ENGINES; i++) {
        int fd = engine_table[i]->fd ? engine_table[i]->fd(e->contexts[i]) : -1;
        struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

        if (fd == e->fds[i])
            continue;
        /* a closed descriptor has left the set by itself */
        if (fd >= 0 && epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EEXIST)
            (void)epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, fd, &event);
        e->fds[i] = fd;
    }
}

int engines_fd(const struct engines *e)
{
    return e->epoll_fd;
}

int engines_dispatch(struct engines *e, struct err *err)
{
    int first_error = 0;

    for (unsigned i = 0; i < ENGINES; i++) {
        int r;

        if (!engine_table[i]->dispatch)
            continue;
        e->current = i;
        r = engine_table[i]->dispatch(e->contexts[i], on_life, e, first_error ? NULL : err);
        if (r < 0 && first_error == 0)
            first_error = r;
    }
    follow_fds(e);
    return first_error;
}

int engines_sync(struct engines *e, unsigned timeout_ms, struct err *err)
{
    uint64_t until = monotonic() + timeout_ms * NS_PER_MS;

    for (;;) {
        struct pollfd p = { .fd = e->epoll_fd, .events = POLLIN };
        uint64_t now = monotonic();
        int r = engines_dispatch(e, err);

        if (r < 0)
            return r;
        /* quiet for 20 ms: what was said has been read */
        if (now >= until || poll(&p, 1, (int)MIN((until - now) / NS_PER_MS, (uint64_t)20)) <= 0)
            return 0;
    }
}

const struct engine_state *engines_state(struct engines *e, unsigned index)
{
    struct engine_state *s;

    if (index >= ENGINES)
        return NULL;
    s = &e->states[index];
    s->name = engine_table[index]->name;
    s->present = engine_table[index]->present(e->contexts[index], s->text, sizeof(s->text));
    if (s->present)
        (void)refresh(e, index, NULL);
    return s;
}
