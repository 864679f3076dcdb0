/* SPDX-License-Identifier: MIT */
#include "engine/docker_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/json.h"
#include "util/limits.h"
#include "util/parse.h"

static struct bytes without_slash(struct bytes name)
{
    return name.len && name.data[0] == '/' ? (struct bytes){ name.data + 1, name.len - 1 } : name;
}

uint64_t docker_parse_time(struct bytes text)
{
    char buffer[64];
    uint64_t ns;

    /* parse_time() knows words and dates for people too: only a whole RFC 3339 time may reach it */
    if (text.len <= 10 || text.len >= sizeof(buffer) || text.data[10] != 'T' ||
        memchr(text.data, '\0', text.len) || bytes_starts_with(text, bytes_of("0001-")))
        return 0;
    memcpy(buffer, text.data, text.len);
    buffer[text.len] = '\0';
    return parse_time(buffer, 0, &ns, NULL) == 0 ? ns : 0;
}

int docker_parse_list(struct bytes body, int (*each)(void *data, struct container *c), void *data,
                      struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "the engine's answer", err);
    size_t i;
    json_t *v;

    if (!root)
        return -EBADMSG;
    if (!json_is_array(root))
        return err_say(err, -EBADMSG, "the engine's list of containers is no list");
    json_array_foreach(root, i, v) {
        _cleanup_(container_unrefp) struct container *c = NULL;
        struct bytes id = json_text_at(v, "Id");
        const json_t *created = json_object_get(v, "Created");
        int r;

        if (!id.len)
            continue;
        c = container_new();
        if (!c)
            return -ENOMEM;
        json_take(c, &c->id, id);
        json_take(c, &c->name, without_slash(json_text(json_array_get(json_object_get(v, "Names"), 0))));
        json_take(c, &c->image_name, json_text_at(v, "Image"));
        json_take_labels(c, json_object_get(v, "Labels"));
        if (json_is_integer(created) && json_integer_value(created) > 0 &&
            json_integer_value(created) <= (json_int_t)(INT64_MAX / NS_PER_S))
            c->created_ns = (uint64_t)json_integer_value(created) * NS_PER_S;
        r = each(data, c);
        if (r)
            return r;
    }
    return 0;
}

/* "a:b:c" -> the list of paths. */
static int split_layers(struct container *c, struct bytes text, struct container_view *view)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.data[i] == ':';
    view->lower = arena_alloc(&c->arena, n * sizeof(*view->lower));
    if (!view->lower)
        return -ENOMEM;
    while (text.len) {
        const char *colon = memchr(text.data, ':', text.len);
        struct bytes part = { text.data, colon ? (size_t)(colon - text.data) : text.len };
        size_t step = part.len + (colon ? 1 : 0);

        if (part.len && part.data[0] == '/')
            view->lower[view->lower_count++] = arena_copy(&c->arena, part);
        text = (struct bytes){ text.data + step, text.len - step };
    }
    return 0;
}

static int take_mounts(struct container *c, const json_t *mounts, const json_t *tmpfs,
                       struct container_view *view)
{
    size_t n = json_array_size(mounts) + json_object_size(tmpfs), i;
    const char *key;
    json_t *v;

    if (!n)
        return 0;
    view->mounts = arena_alloc(&c->arena, n * sizeof(*view->mounts));
    if (!view->mounts)
        return -ENOMEM;
    json_array_foreach(mounts, i, v) {
        struct container_mount m = { 0 };

        m.destination = arena_copy(&c->arena, json_text_at(v, "Destination"));
        m.source = arena_copy(&c->arena, json_text_at(v, "Source"));
        m.type = arena_copy(&c->arena, json_text_at(v, "Type"));
        m.name = arena_copy(&c->arena, json_text_at(v, "Name"));
        m.read_only = json_is_false(json_object_get(v, "RW"));
        if (m.destination.len && m.destination.data[0] == '/')
            view->mounts[view->mount_count++] = m;
    }
    json_object_foreach((json_t *)(uintptr_t)tmpfs, key, v) {
        struct container_mount m = { .type = bytes_of("tmpfs") };

        m.destination = arena_copy(&c->arena, bytes_of(key));
        if (m.destination.len && m.destination.data[0] == '/')
            view->mounts[view->mount_count++] = m;
    }
    return 0;
}

int docker_parse_inspect(struct bytes body, struct container_view *ret, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "the engine's answer", err);
    struct container_view view = { 0 };
    const json_t *state, *config, *driver, *layers, *host, *pid;
    struct container *c;
    int r;

    if (!root)
        return -EBADMSG;
    if (!json_text_at(root, "Id").len)
        return err_say(err, -EBADMSG, "the engine's answer names no container");
    c = view.container = container_new();
    if (!c)
        return -ENOMEM;
    state = json_object_get(root, "State");
    config = json_object_get(root, "Config");
    host = json_object_get(root, "HostConfig");
    driver = json_object_get(root, "GraphDriver");
    layers = json_object_get(driver, "Data");
    json_take(c, &c->id, json_text_at(root, "Id"));
    json_take(c, &c->name, without_slash(json_text_at(root, "Name")));
    json_take(c, &c->image_name, json_text_at(config, "Image"));
    json_take_labels(c, json_object_get(config, "Labels"));
    json_take_health_check(c, json_object_get(config, "Healthcheck"), json_object_get(config, "Shell"));
    c->created_ns = docker_parse_time(json_text_at(root, "Created"));
    c->started_ns = docker_parse_time(json_text_at(state, "StartedAt"));
    view.running = json_is_true(json_object_get(state, "Running"));
    pid = json_object_get(state, "Pid");
    if (view.running && json_is_integer(pid) && json_integer_value(pid) > 0 &&
        json_integer_value(pid) < INT32_MAX)
        c->pid = (pid_t)json_integer_value(pid);
    if (!bytes_starts_with(json_text_at(driver, "Name"), bytes_of("overlay")) &&
        !bytes_equal_str(json_text_at(driver, "Name"), "vfs"))
        layers = NULL;
    view.merged = arena_copy(&c->arena, json_text_at(layers, "MergedDir"));
    view.upper = arena_copy(&c->arena, json_text_at(layers, "UpperDir"));
    r = split_layers(c, json_text_at(layers, "LowerDir"), &view);
    if (r == 0)
        r = take_mounts(c, json_object_get(root, "Mounts"), json_object_get(host, "Tmpfs"), &view);
    if (r < 0) {
        container_view_done(&view);
        return err_set(err, r, "container");
    }
    *ret = view;
    return 0;
}

/* clang-format off */
static const struct {
    const char *action;
    enum lifecycle_kind kind;
} actions[] = {
    { "create",  LIFECYCLE_CREATE },  { "start",   LIFECYCLE_START }, { "die",     LIFECYCLE_DIE },
    { "destroy", LIFECYCLE_DESTROY }, { "rename",  LIFECYCLE_RENAME }, { "pause",  LIFECYCLE_PAUSE },
    { "unpause", LIFECYCLE_UNPAUSE }, { "oom",     LIFECYCLE_OOM },
};
/* clang-format on */

int docker_parse_event(struct bytes body, struct lifecycle_event *ret, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "the engine's answer", err);
    const json_t *actor, *attributes, *nanos;
    struct bytes action, number;
    struct lifecycle_event life = { .exit_code = -1 };
    struct container *c;
    int64_t code;

    if (!root)
        return -EBADMSG;
    if (!bytes_equal_str(json_text_at(root, "Type"), "container"))
        return 0;
    action = json_text_at(root, "Action");
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (bytes_equal_str(action, actions[i].action))
            life.kind = actions[i].kind;
    actor = json_object_get(root, "Actor");
    attributes = json_object_get(actor, "Attributes");
    if (!life.kind || !json_text_at(actor, "ID").len)
        return 0;
    c = life.container = container_new();
    if (!c)
        return -ENOMEM;
    json_take(c, &c->id, json_text_at(actor, "ID"));
    json_take(c, &c->name, without_slash(json_text_at(attributes, "name")));
    json_take(c, &c->image_name, json_text_at(attributes, "image"));
    json_take_labels(c, attributes);
    nanos = json_object_get(root, "timeNano");
    if (json_is_integer(nanos) && json_integer_value(nanos) > 0)
        life.time_ns = (uint64_t)json_integer_value(nanos);
    number = json_text_at(attributes, "exitCode");
    if (life.kind == LIFECYCLE_DIE && parse_i64(number, &code) == 0 && code >= 0 && code < 256)
        life.exit_code = (int)code;
    if (life.kind == LIFECYCLE_RENAME)
        container_set(c, &life.previous_name, without_slash(json_text_at(attributes, "oldName")));
    if (life.kind == LIFECYCLE_START)
        c->started_ns = life.time_ns;
    *ret = life;
    return 1;
}

int docker_parse_volume(struct bytes body, struct arena *arena, struct bytes *ret, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "the engine's answer", err);
    struct bytes path = json_text_at(root, "Mountpoint");

    if (!root)
        return -EBADMSG;
    if (!path.len || path.data[0] != '/' || memchr(path.data, '\0', path.len))
        return err_say(err, -EBADMSG, "the volume has no directory on this host");
    *ret = arena_copy(arena, path);
    return ret->data ? 0 : -ENOMEM;
}

int docker_parse_version(struct bytes body, char *text, size_t size)
{
    _cleanup_json_ json_t *root = json_read(body, "the engine's answer", NULL);
    struct bytes version = json_text_at(root, "Version");

    if (!version.len)
        return -EBADMSG;
    snprintf(text, size, "%.*s", (int)MIN(version.len, (size_t)40), version.data);
    return 0;
}
