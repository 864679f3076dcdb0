/* SPDX-License-Identifier: MIT */
#include "engine/engine_events.h"

#include <poll.h>

#include "engine/engine_table.h"
#include "util/clock.h"
#include "util/macro.h"

#define OOM_AGAIN_NS (2 * NS_PER_S)

static unsigned group_of(const struct engines *e, struct bytes runtime)
{
    for (unsigned i = 0; i < ENGINES; i++)
        if (bytes_equal_str(runtime, e->slots[i].ops->name))
            return i;
    return ENGINES;
}

/* A runtime knows the id only; the name that Podman gave it is in Podman's storage, which does not hang. */
static struct container *complete(struct engines *e, struct container *c)
{
    struct container_view view = { 0 };

    for (unsigned i = 0; i < ENGINES; i++)
        if (e->slots[i].ops == &podman_engine_ops && bytes_equal_str(c->runtime, "podman") &&
            engine_row_view(e, i, c->id, &view, NULL) == 0)
            return view.container; /* the reference goes over */
    return container_ref(c);
}

/* An engine may report one kill more than once: Docker 20.10 was seen to report it up to three times. */
static bool is_repeated_oom(struct known_container *k, uint64_t time_ns)
{
    bool again = k->oom_ns && time_ns >= k->oom_ns && time_ns - k->oom_ns < OOM_AGAIN_NS;

    if (!again)
        k->oom_ns = time_ns;
    return again;
}

/* It stays the same for as long as the container is there. The reference goes over. */
static struct container *with_health_check(struct container *c, const struct known_container *before)
{
    struct container *copy;

    if (!before || c->health_check.len || !before->container->health_check.len || !(copy = container_copy(c)))
        return c;
    container_set(copy, &copy->health_check, before->container->health_check);
    container_unref(c);
    return copy;
}

static void pass_on(struct engines *e, unsigned group, const struct lifecycle_event *life)
{
    struct lifecycle_event emitted = *life;
    struct known_container *k = known_find(e, group, life->container->id);
    struct container *c = NULL;

    for (unsigned i = 0; i < ENGINES; i++)
        if (e->slots[i].asker && e->slots[i].group == group)
            asker_forget(e->slots[i].asker, life->kind == LIFECYCLE_RENAME ? NULL : life->container);
    if (life->kind == LIFECYCLE_OOM && k && is_repeated_oom(k, life->time_ns))
        return;
    switch (life->kind) {
    case LIFECYCLE_CREATE:
    case LIFECYCLE_START:
    case LIFECYCLE_RENAME:
        c = complete(e, life->container);
        if (life->kind == LIFECYCLE_START && c != life->container)
            c->started_ns = life->time_ns; /* a record of our own, just made */
        c = with_health_check(c, k);
        /* the entry of a list has less than what is known */
        if (!k || life->kind != LIFECYCLE_CREATE)
            known_remember(e, group, c);
        break;
    case LIFECYCLE_DIE:
        c = k ? container_copy(k->container) : container_ref(life->container);
        if (c && k) {
            c->pid = 0; /* may be anybody's from now on */
            known_remember(e, group, c);
        }
        break;
    default:
        c = container_ref(k ? k->container : life->container);
        break;
    }
    emitted.container = c ? c : life->container;
    if (e->options.life)
        e->options.life(e->options.data, &emitted);
    container_unref(c);
    if (life->kind == LIFECYCLE_DESTROY)
        known_gone(e, group, life->container->id);
}

static void on_life(void *data, const struct lifecycle_event *life)
{
    struct engines *e = data;

    pass_on(e, e->slots[e->current].group, life);
}

static void on_oci_life(void *data, const struct lifecycle_event *life)
{
    struct engines *e = data;
    unsigned group = group_of(e, life->container->runtime);

    /* Docker reports its own; Podman's are made and removed in its storage */
    if (group == ENGINES || bytes_equal_str(life->container->runtime, "docker") ||
        (bytes_equal_str(life->container->runtime, "podman") && life->kind == LIFECYCLE_CREATE))
        return;
    pass_on(e, group, life);
}

static void follow_fds(struct engines *e)
{
    for (unsigned i = 0; i < ENGINES; i++) {
        struct engine_slot *s = &e->slots[i];
        int fd = s->ops->fd ? s->ops->fd(s->context) : -1;

        if (fd == s->fd)
            continue;
        engine_follow_fd(e, fd, i); /* a closed descriptor has left the set by itself */
        s->fd = fd;
    }
}

int engines_fd(const struct engines *e)
{
    return e->epoll_fd;
}

int engines_dispatch(struct engines *e, struct err *err)
{
    int first_error = 0;
    bool late = false;

    oci_dispatch(e->oci, on_oci_life, e);
    for (unsigned i = 0; i < ENGINES; i++) {
        struct engine_slot *s = &e->slots[i];
        int r;

        if (s->asker && asker_late(s->asker)) {
            late = true;
            s->retry_ns = 0;
        }
        if (!s->ops->dispatch)
            continue;
        e->current = i;
        r = s->ops->dispatch(s->context, on_life, e, first_error ? NULL : err);
        if (r < 0 && first_error == 0)
            first_error = r;
    }
    follow_fds(e);
    return first_error ? first_error : late;
}

int engines_sync(struct engines *e, unsigned timeout_ms, struct err *err)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;

    for (;;) {
        struct pollfd p = { .fd = e->epoll_fd, .events = POLLIN };
        uint64_t now = clock_ns(CLOCK_MONOTONIC);
        int r = engines_dispatch(e, err);

        if (r < 0)
            return r;
        /* quiet for 20 ms: what was said has been read */
        if (now >= until || poll(&p, 1, (int)MIN((until - now) / NS_PER_MS, (uint64_t)20)) <= 0)
            return 0;
    }
}
