/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>

#include "engine/cgroup.h"
#include "engine/engine_table.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/limits.h"

/* In this order they are asked. Podman's service answers before its storage is read. */
static const struct engine_ops *const engine_table[ENGINES] = {
    &docker_engine_ops, &podman_api_engine_ops, &podman_engine_ops,
    &containerd_engine_ops, &crio_engine_ops, &runc_engine_ops, &crun_engine_ops,
    &lxc_engine_ops, &nspawn_engine_ops,
};

#define PATIENCE_MS 2500        /* longer than a question's own time-out, whose words are better */
#define OOM_AGAIN_NS (2 * NS_PER_S)
#define SILENCE_NS (2 * NS_PER_S) /* how long an engine may be silent before the user is warned */
#define HANGS_NS (10 * NS_PER_S) /* an engine that hangs is left alone so long */
#define UNKNOWN_NS NS_PER_S     /* an unknown id is asked for so often: a storm of unknown containers
                                 * must not become a storm of questions */
#define SHARING_NS (2 * NS_PER_S) /* once in ten seconds (watch/watchset.c); a busy machine's daemon needs some of it */
#define SHARING_MS 1000 /* for one answer */
#define SHARING_VIEWS 256

static void follow_fd(struct engines *e, int fd, uint32_t row)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = row };

    if (fd >= 0 && epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EEXIST)
        (void)epoll_ctl(e->epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static int open_slot(struct engines *e, unsigned i, struct err *err)
{
    struct engine_slot *s = &e->slots[i];
    int r;

    s->ops = engine_table[i];
    s->fd = -1;
    s->group = i;
    for (unsigned k = 0; k < i; k++)
        if (strcmp(engine_table[k]->name, s->ops->name) == 0) {
            s->group = k;
            break;
        }
    r = s->ops->open(&e->options, e->oci, &s->context, err);
    if (r == 0 && s->ops->remote) {
        r = asker_new(s->ops, s->context, &s->asker, err);
        if (r == 0)
            follow_fd(e, asker_fd(s->asker), i);
    }
    return r;
}

static int list_row(struct engines *e, unsigned i, struct err *err);

int engines_new(const struct engines_options *options, struct engines **ret, struct err *err)
{
    struct engines *e = calloc(1, sizeof(*e));
    int r;

    if (!e)
        return err_set(err, -ENOMEM, "container engines");
    (void)foreign_start(); /* before the threads that ask daemons */
    e->options = *options;
    e->patience_ms = PATIENCE_MS;
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < ENGINES; i++)
        e->slots[i].fd = -1;
    r = e->epoll_fd < 0 ? err_set(err, -errno, "container engines") : oci_new("", options->log, &e->oci, err);
    for (unsigned i = 0; i < ENGINES && r == 0; i++)
        r = open_slot(e, i, err);
    if (r < 0) {
        engines_free(e);
        return r;
    }
    follow_fd(e, oci_fd(e->oci), ENGINES);
    /* whose cgroups those are that have no id in their names */
    for (unsigned i = 0; i < ENGINES; i++)
        if (!e->slots[i].ops->remote && e->slots[i].ops != &podman_engine_ops)
            (void)list_row(e, i, NULL);
    (void)engines_dispatch(e, NULL);
    *ret = e;
    return 0;
}

void engines_free(struct engines *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < ENGINES; i++) {
        asker_free(e->slots[i].asker);
        if (e->slots[i].context)
            e->slots[i].ops->close(e->slots[i].context);
    }
    oci_free(e->oci);
    known_forget_all(e);
    if (e->epoll_fd >= 0)
        close(e->epoll_fd);
    free(e);
}

void engines_set_patience(struct engines *e, unsigned ms)
{
    e->patience_ms = ms;
}

/* ---- asking one row ---- */

/* An engine that hangs costs its time-out and this line, once. A daemon that is starting a container may be
 * silent for longer than events are kept waiting: that alone is not worth a line. */
static void note_silence(struct engines *e, struct engine_slot *s, const char *why)
{
    if (s->silence_said || clock_ns(CLOCK_MONOTONIC) - s->silent_since_ns < SILENCE_NS)
        return;
    s->silence_said = true;
    log_warn(e->options.log, "%s; going on without it", why);
}

static void note_state(struct engines *e, struct engine_slot *s, uint64_t asked_ns, const char *why)
{
    if (asked_ns) {
        s->retry_ns = clock_ns(CLOCK_MONOTONIC) + HANGS_NS;
        if (!s->hangs)
            s->silent_since_ns = asked_ns;
        note_silence(e, s, why);
    } else if (s->silence_said) {
        s->silence_said = false;
        log_warn(e->options.log, "%s answers again", s->ops->name);
    }
    s->hangs = asked_ns != 0;
}

static int ask(struct engines *e, struct engine_slot *s, enum ask_kind kind, struct bytes word,
               struct answer *ret, struct err *err)
{
    uint64_t asked_ns = clock_ns(CLOCK_MONOTONIC);
    char text[128];
    int r;

    *ret = (struct answer){ 0 };
    if (!s->ops->there(s->context))
        return err_say(err, -ENODEV, "not running");
    snprintf(text, sizeof(text), "%s does not answer", s->ops->name);
    if (s->hangs && asked_ns < s->retry_ns) {
        note_silence(e, s, text);
        return err_say(err, -ETIMEDOUT, "%s", text);
    }
    r = asker_ask(s->asker, kind, word, s->hangs ? MIN(e->patience_ms, 200u) : e->patience_ms, ret);
    if (r < 0 || ret->r == -ETIMEDOUT) {
        note_state(e, s, asked_ns, r == 0 ? err_text(&ret->err, -ETIMEDOUT) : text);
        err_say(err, -ETIMEDOUT, "%s", r == 0 ? err_text(&ret->err, -ETIMEDOUT) : text);
        answer_done(ret);
        return -ETIMEDOUT;
    }
    note_state(e, s, 0, NULL);
    if (ret->r < 0)
        err_say(err, ret->r, "%s", err_text(&ret->err, ret->r));
    return ret->r;
}

struct engine_listing {
    struct engines *e;
    unsigned row;
};

static void mark_inspected(struct known_container *k, bool inspected)
{
    if (k)
        k->inspected = inspected;
}

/* A record with more facts (first process, start) is not replaced by a line of a list, unless the
 * name has changed. */
static int remember_one(void *data, struct container *c)
{
    const struct engine_listing *l = data;
    unsigned group = l->e->slots[l->row].group;
    const struct known_container *k;

    if (!c->runtime.len)
        container_set(c, &c->runtime, bytes_of(l->e->slots[l->row].ops->name));
    k = known_find(l->e, group, c->id);
    if (!k || !bytes_equal(k->container->name, c->name) || c->pid) {
        known_remember(l->e, group, c);
        mark_inspected(known_find(l->e, group, c->id), false);
    }
    return 0;
}

static int list_row(struct engines *e, unsigned i, struct err *err)
{
    struct engine_slot *s = &e->slots[i];
    struct engine_listing listing = { e, i };
    struct answer answer;
    int r;

    if (!s->asker)
        return s->ops->list(s->context, remember_one, &listing, err);
    r = ask(e, s, ASK_LIST, BYTES_NULL, &answer, err);
    for (size_t k = 0; k < answer.count; k++)
        (void)remember_one(&listing, answer.list[k]);
    answer_done(&answer);
    return r;
}

static int view_of(struct engines *e, unsigned i, struct bytes word, struct container_view *ret,
                   struct err *err)
{
    struct engine_slot *s = &e->slots[i];
    struct answer answer;
    int r;

    if (s->asker) {
        r = ask(e, s, ASK_VIEW, word, &answer, err);
        if (r == 0) {
            *ret = answer.view;
            answer.view = (struct container_view){ 0 };
        }
        answer_done(&answer);
    } else {
        r = s->ops->view(s->context, word, ret, err);
    }
    if (r < 0)
        return r;
    if (!ret->container->runtime.len)
        container_set(ret->container, &ret->container->runtime, bytes_of(s->ops->name));
    known_remember(e, s->group, ret->container);
    mark_inspected(known_find(e, s->group, ret->container->id), true);
    return 0;
}

/* An engine that is there and does not answer may have more. */
static bool is_silent(int r)
{
    return r < 0 && r != -ENOENT && r != -ENODEV;
}

/* Those that are gone are forgotten by name, so that the name can mean a new one. Did all that are there answer? */
static bool list_all(struct engines *e)
{
    bool all = true;

    for (unsigned i = 0; i < ENGINES; i++)
        all &= !is_silent(list_row(e, i, NULL));
    return all;
}

/* ---- by name ---- */

static bool is_exact(const struct container *c, struct bytes name)
{
    return bytes_equal(c->name, name) || bytes_equal(c->id, name);
}

int engines_find(struct engines *e, struct bytes runtime, struct bytes name,
                 struct container_view *ret, struct err *err)
{
    struct container_view best = { 0 };
    struct err why = ERR_INIT;
    bool exact = false, ambiguous = false;
    int failure = 0;

    for (unsigned i = 0; i < ENGINES; i++) {
        struct container_view view = { 0 };
        struct err own = ERR_INIT;
        bool now_exact;
        int r;

        if (runtime.len && !bytes_equal_str(runtime, e->slots[i].ops->name))
            continue;
        r = view_of(e, i, name, &view, &own);
        if (r == -EEXIST || r == -EPROTO) /* Docker answers 400 to a prefix of several ids */
            ambiguous = true;
        if (r == -ENOENT || r == -EEXIST || r == -EPROTO || r == -ENODEV)
            continue;
        if (r < 0) {
            if (failure == 0) {
                failure = r;
                why = own;
            }
            continue;
        }
        now_exact = is_exact(view.container, name);
        if (now_exact && e->options.docker_socket && bytes_equal_str(bytes_of("docker"), e->slots[i].ops->name)) {
            /* who names a daemon, as DOCKER_HOST does, means that one's container */
            container_view_done(&best);
            *ret = view;
            return 0;
        }
        if (!best.container || (now_exact && !exact)) {
            container_view_done(&best);
            best = view;
            exact = now_exact;
            continue;
        }
        if (now_exact == exact && !bytes_equal(best.container->id, view.container->id))
            ambiguous = true;
        container_view_done(&view);
    }
    if (best.container && (!ambiguous || exact) &&
        !(exact && ambiguous && !bytes_equal(best.container->id, name))) {
        *ret = best;
        return 0;
    }
    container_view_done(&best);
    if (ambiguous) {
        if (err)
            (void)list_all(e);
        return words_ambiguous(e, name, err);
    }
    if (failure)
        return err_say(err, failure, "%s", err_text(&why, failure));
    if (!err)
        return -ENOENT;
    (void)list_all(e);
    return words_no_such(e, name, err);
}

int engines_each(struct engines *e, int (*each)(void *data, struct container *c), void *data)
{
    struct container **all;
    struct known_container *k, *next;
    size_t n = 0;
    int r = 0;

    (void)list_all(e);
    all = calloc(HASH_CNT(by_id, e->known) + 1, sizeof(struct container *));
    if (!all)
        return -ENOMEM;
    HASH_ITER(by_id, e->known, k, next) /* `each` may ask, which changes what is known */
        if (!k->gone)
            all[n++] = container_ref(k->container);
    for (size_t i = 0; i < n; i++) {
        if (r == 0)
            r = each(data, all[i]);
        container_unref(all[i]);
    }
    free(all);
    return r;
}

int engines_volume(struct engines *e, struct bytes name, struct arena *arena, struct bytes *ret,
                   struct err *err)
{
    _cleanup_sbuf_ struct sbuf shown = SBUF_INIT;

    for (unsigned i = 0; i < ENGINES; i++) {
        struct engine_slot *s = &e->slots[i];
        struct answer answer;
        int r;

        if (!s->ops->volume)
            continue;
        if (!s->asker) {
            r = s->ops->volume(s->context, name, arena, ret, NULL);
        } else {
            r = ask(e, s, ASK_VOLUME, name, &answer, NULL);
            if (r == 0)
                *ret = arena_copy(arena, answer.path);
            answer_done(&answer);
        }
        if (r == 0)
            return ret->data ? 0 : -ENOMEM;
    }
    escape_terminal(&shown, name);
    return err_say(err, -ENOENT, "no volume \"%s\"", sbuf_str(&shown));
}

/* ---- whose files ---- */

static bool view_holds(const struct container_view *v, struct bytes path)
{
    for (size_t i = 0; i < v->lower_count; i++) {
        _cleanup_free_ char *real = realpath(v->lower[i].data, NULL);

        if (bytes_path_covers(v->lower[i], path) || (real && bytes_path_covers(bytes_of(real), path)))
            return true;
    }
    for (size_t i = 0; i < v->mount_count; i++)
        if (v->mounts[i].source.len && bytes_path_covers(v->mounts[i].source, path))
            return true;
    return (v->upper.len && bytes_path_covers(v->upper, path)) ||
           (v->root.len && !v->upper.len && bytes_path_covers(v->root, path));
}

static size_t find_sharing(struct engines *e, struct bytes path, struct container **ret, size_t max, bool *ret_all)
{
    uint64_t until = clock_ns(CLOCK_MONOTONIC) + SHARING_NS;
    size_t n = 0, views = 0;
    struct known_container *k, *next;

    *ret_all = list_all(e);
    HASH_ITER(by_id, e->known, k, next) {
        struct bytes id = k->container->id;
        int r = -ENOENT;

        if (k->gone)
            continue;
        if (n == max || views++ == SHARING_VIEWS || clock_ns(CLOCK_MONOTONIC) > until) {
            *ret_all = false;
            break;
        }
        for (unsigned i = k->group; i < ENGINES && r < 0; i++) {
            struct container_view view = { 0 };

            if (e->slots[i].group != k->group)
                continue;
            /* the record may be exchanged by the answer, never removed: `k` stays */
            r = view_of(e, i, id, &view, NULL);
            if (r == 0 && view_holds(&view, path))
                ret[n++] = container_ref(view.container);
            if (r == 0)
                container_view_done(&view);
        }
        *ret_all &= !is_silent(r);
    }
    return n;
}

size_t engines_sharing(struct engines *e, struct bytes host_path, struct container **ret, size_t max,
                       bool *ret_all)
{
    _cleanup_free_ char *real = realpath(host_path.data, NULL);
    unsigned patience_ms = e->patience_ms;
    size_t n;

    e->patience_ms = MAX(patience_ms, SHARING_MS);
    n = find_sharing(e, real ? bytes_of(real) : host_path, ret, max, ret_all);
    e->patience_ms = patience_ms;
    return n;
}

/* ---- who ---- */

struct container *engines_known(struct engines *e, struct bytes id)
{
    for (unsigned g = 0; g < ENGINES; g++) {
        const struct known_container *k = e->slots[g].group == g ? known_find(e, g, id) : NULL;

        if (k)
            return k->container;
    }
    return NULL;
}

/* A line of a list has no first process, and what Docker says of a start has nothing of what its record says. */
static bool is_whole(const struct known_container *k)
{
    const struct container *c = k->container;
    bool has_checks = bytes_equal_str(c->runtime, "docker") || bytes_equal_str(c->runtime, "podman");

    return k->gone || ((c->pid || c->started_ns) && (k->inspected || !has_checks));
}

struct container *engines_by_id(struct engines *e, struct bytes id)
{
    struct known_container *found = NULL;
    bool silent = false;

    for (unsigned g = 0; g < ENGINES && !found; g++)
        if (e->slots[g].group == g)
            found = known_find(e, g, id);
    if (found && is_whole(found))
        return found->container;
    if (clock_ns(CLOCK_MONOTONIC) < e->next_unknown_ns)
        return found ? found->container : NULL;
    for (unsigned i = 0; i < ENGINES; i++) {
        struct container_view view = { 0 };
        int r;

        if (found && e->slots[i].group != found->group)
            continue;
        r = view_of(e, i, id, &view, NULL);
        if (r == 0) {
            struct known_container *k = known_find(e, e->slots[i].group, view.container->id);

            container_view_done(&view); /* it is remembered */
            return k ? k->container : NULL;
        }
        silent |= r != -ENOENT;
    }
    if (found && !silent)
        found->inspected = true; /* it is being removed: nobody knows more */
    if (!found || !is_whole(found))
        e->next_unknown_ns = clock_ns(CLOCK_MONOTONIC) + UNKNOWN_NS;
    return found ? found->container : NULL;
}

struct container *engines_by_cgroup(struct engines *e, struct bytes cgroup)
{
    struct cgroup_container found;

    if (cgroup_container(cgroup, &found))
        return engines_by_id(e, found.id);
    return known_by_cgroup(e, cgroup);
}

struct container *engines_by_pid(struct engines *e, pid_t pid)
{
    struct known_container *k, *next;

    if (pid <= 1)
        return NULL;
    HASH_ITER(by_id, e->known, k, next)
        if (k->container->pid == pid && !k->gone)
            return k->container;
    return NULL;
}

/* ---- what happens to them ---- */

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
            view_of(e, i, c->id, &view, NULL) == 0)
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
        follow_fd(e, fd, i); /* a closed descriptor has left the set by itself */
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

/* ---- doctor ---- */

const struct engine_state *engines_state(struct engines *e, unsigned index)
{
    struct engine_state *s = &e->states[MIN(index, (unsigned)ENGINES - 1)];
    unsigned group = 0;
    struct known_container *k, *next;

    for (; group < ENGINES; group++)
        if (e->slots[group].group == group && index-- == 0)
            break;
    if (group == ENGINES)
        return NULL;
    *s = (struct engine_state){ .name = e->slots[group].ops->name };
    for (unsigned i = group; i < ENGINES; i++) {
        struct engine_slot *slot = &e->slots[i];
        char text[sizeof(s->text)] = "";
        bool present;

        if (slot->group != group)
            continue;
        if (slot->asker) {
            struct answer answer;
            struct err err = ERR_INIT;
            int r = ask(e, slot, ASK_PRESENT, BYTES_NULL, &answer, &err);

            present = r > 0;
            snprintf(text, sizeof(text), "%s", r < 0 ? err_text(&err, r) : answer.text);
            answer_done(&answer);
        } else {
            present = slot->ops->present(slot->context, text, sizeof(text));
        }
        if (present)
            (void)list_row(e, i, NULL);
        if (!s->present)
            snprintf(s->text, sizeof(s->text), "%s", text);
        s->present |= present;
    }
    HASH_ITER(by_id, e->known, k, next)
        s->containers += k->group == group && !k->gone;
    return s;
}
