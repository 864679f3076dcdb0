/* SPDX-License-Identifier: MIT */
#include "engine/flat.h"

#include <errno.h>
#include <stddef.h>

#include "util/macro.h"

#define MANY 65536 /* layers or mounts of one container: overlay allows 500 */

void flat_put_u64(struct sbuf *out, uint64_t value)
{
    sbuf_add(out, (const char *)&value, sizeof(value));
}

void flat_put_bytes(struct sbuf *out, struct bytes b)
{
    flat_put_u64(out, b.len);
    sbuf_add_bytes(out, b);
}

int flat_get_u64(struct bytes *in, uint64_t *ret)
{
    if (in->len < sizeof(*ret))
        return -EBADMSG;
    memcpy(ret, in->data, sizeof(*ret));
    *in = (struct bytes){ in->data + sizeof(*ret), in->len - sizeof(*ret) };
    return 0;
}

int flat_get_bytes(struct bytes *in, struct bytes *ret)
{
    uint64_t len;

    if (flat_get_u64(in, &len) < 0 || len > in->len)
        return -EBADMSG;
    *ret = len ? (struct bytes){ in->data, (size_t)len } : BYTES_NULL;
    *in = (struct bytes){ in->data + len, in->len - (size_t)len };
    return 0;
}

static const size_t texts[] = {
    offsetof(struct container, id),
    offsetof(struct container, name),
    offsetof(struct container, runtime),
    offsetof(struct container, image_name),
    offsetof(struct container, compose_project),
    offsetof(struct container, compose_service),
    offsetof(struct container, pod_namespace),
    offsetof(struct container, pod_name),
    offsetof(struct container, pod_container),
    offsetof(struct container, labels),
    offsetof(struct container, cgroup),
    offsetof(struct container, health_check),
};

void flat_put_container(struct sbuf *out, const struct container *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        flat_put_bytes(out, *(const struct bytes *)((const char *)c + texts[i]));
    flat_put_u64(out, (uint64_t)c->pid);
    flat_put_u64(out, c->created_ns);
    flat_put_u64(out, c->started_ns);
}

int flat_get_container(struct bytes *in, struct container **ret)
{
    _cleanup_(container_unrefp) struct container *c = container_new();
    uint64_t pid;

    if (!c)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct bytes text;

        if (flat_get_bytes(in, &text) < 0)
            return -EBADMSG;
        container_set(c, (struct bytes *)((char *)c + texts[i]), text);
    }
    if (flat_get_u64(in, &pid) < 0 || flat_get_u64(in, &c->created_ns) < 0 || flat_get_u64(in, &c->started_ns) < 0)
        return -EBADMSG;
    c->pid = pid <= INT32_MAX ? (pid_t)pid : 0;
    *ret = TAKE_PTR(c);
    return 0;
}

void flat_put_view(struct sbuf *out, const struct container_view *view)
{
    flat_put_bytes(out, view->merged);
    flat_put_bytes(out, view->upper);
    flat_put_bytes(out, view->root);
    flat_put_u64(out, view->lower_count);
    for (size_t i = 0; i < view->lower_count; i++)
        flat_put_bytes(out, view->lower[i]);
    flat_put_u64(out, view->mount_count);
    for (size_t i = 0; i < view->mount_count; i++) {
        const struct container_mount *m = &view->mounts[i];

        flat_put_bytes(out, m->destination);
        flat_put_bytes(out, m->source);
        flat_put_bytes(out, m->type);
        flat_put_bytes(out, m->name);
        flat_put_u64(out, m->read_only);
    }
}

static int flat_get_text(struct bytes *in, struct arena *arena, struct bytes *ret)
{
    struct bytes text;
    int r = flat_get_bytes(in, &text);

    if (r == 0)
        *ret = arena_copy(arena, text);
    return r;
}

static int flat_get_mounts(struct bytes *in, struct container_view *view)
{
    struct arena *arena = &view->container->arena;
    uint64_t count, read_only;

    if (flat_get_u64(in, &count) < 0 || count > MANY)
        return -EBADMSG;
    view->mounts = count ? arena_alloc(arena, (size_t)count * sizeof(*view->mounts)) : NULL;
    for (uint64_t i = 0; view->mounts && i < count; i++) {
        struct container_mount *m = &view->mounts[i];

        if (flat_get_text(in, arena, &m->destination) < 0 || flat_get_text(in, arena, &m->source) < 0 ||
            flat_get_text(in, arena, &m->type) < 0 || flat_get_text(in, arena, &m->name) < 0 ||
            flat_get_u64(in, &read_only) < 0)
            return -EBADMSG;
        m->read_only = read_only;
        view->mount_count++;
    }
    return 0;
}

int flat_get_view(struct bytes *in, struct container_view *view)
{
    struct arena *arena = &view->container->arena;
    uint64_t count;

    view->lower_count = view->mount_count = 0;
    if (flat_get_text(in, arena, &view->merged) < 0 || flat_get_text(in, arena, &view->upper) < 0 ||
        flat_get_text(in, arena, &view->root) < 0 || flat_get_u64(in, &count) < 0 || count > MANY)
        return -EBADMSG;
    view->lower = count ? arena_alloc(arena, (size_t)count * sizeof(*view->lower)) : NULL;
    for (uint64_t i = 0; view->lower && i < count; i++, view->lower_count++)
        if (flat_get_text(in, arena, &view->lower[i]) < 0)
            return -EBADMSG;
    return flat_get_mounts(in, view);
}
