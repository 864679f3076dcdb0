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
#define UNKNOWN_NS NS_PER_S     /* an unknown id is asked for so often: a storm of unknown containers
                                 * must not become a storm of questions */
#define SHARING_NS (2 * NS_PER_S) /* once in ten seconds (watch/watchset.c); a busy machine's daemon needs some of it */
#define SHARING_MS 1000 /* for one answer */
#define SHARING_VIEWS 256

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
            engine_follow_fd(e, asker_fd(s->asker), i);
    }
    return r;
}

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
    engine_follow_fd(e, oci_fd(e->oci), ENGINES);
    /* whose cgroups those are that have no id in their names */
    for (unsigned i = 0; i < ENGINES; i++)
        if (!e->slots[i].ops->remote && e->slots[i].ops != &podman_engine_ops)
            (void)engine_row_list(e, i, NULL);
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

/* Those that are gone are forgotten by name, so that the name can mean a new one. Did all that are there answer? */
static bool list_all(struct engines *e)
{
    bool all = true;

    for (unsigned i = 0; i < ENGINES; i++)
        all &= !engine_row_is_silent(engine_row_list(e, i, NULL));
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
        r = engine_row_view(e, i, name, &view, &own);
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
            r = engine_row_ask(e, s, ASK_VOLUME, name, &answer, NULL);
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

int engines_recent(struct engines *e, const struct container *c, struct sbuf *ret, struct err *err)
{
    for (unsigned i = 0; i < ENGINES; i++) {
        struct engine_slot *s = &e->slots[i];
        struct answer answer;
        int r;

        if (!s->ops->recent || !s->asker || !bytes_equal_str(c->runtime, s->ops->name))
            continue;
        r = engine_row_ask(e, s, ASK_RECENT, c->id, &answer, err);
        if (r == 0)
            sbuf_add_bytes(ret, sbuf_bytes(&answer.lines));
        answer_done(&answer);
        return r < 0 ? r : sbuf_error(ret);
    }
    return -ENOENT;
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
            r = engine_row_view(e, i, id, &view, NULL);
            if (r == 0 && view_holds(&view, path))
                ret[n++] = container_ref(view.container);
            if (r == 0)
                container_view_done(&view);
        }
        *ret_all &= !engine_row_is_silent(r);
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
        r = engine_row_view(e, i, id, &view, NULL);
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
            int r = engine_row_ask(e, slot, ASK_PRESENT, BYTES_NULL, &answer, &err);

            present = r > 0;
            snprintf(text, sizeof(text), "%s", r < 0 ? err_text(&err, r) : answer.text);
            answer_done(&answer);
        } else {
            present = slot->ops->present(slot->context, text, sizeof(text));
        }
        if (present)
            (void)engine_row_list(e, i, NULL);
        if (!s->present)
            snprintf(s->text, sizeof(s->text), "%s", text);
        s->present |= present;
    }
    HASH_ITER(by_id, e->known, k, next)
        s->containers += k->group == group && !k->gone;
    return s;
}

void engines_each_silent(const struct engines *e, void (*each)(void *data, const char *name), void *data)
{
    for (unsigned i = 0; i < ENGINES; i++)
        if (e->slots[i].ops && e->slots[i].hangs)
            each(data, e->slots[i].ops->name);
}
