/* SPDX-License-Identifier: MIT */
#include "attribution/docker_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "util/cleanup.h"
#include "util/limits.h"
#include "util/parse.h"

static void decrefp(json_t **j)
{
    json_decref(*j);
}

#define _cleanup_json_ _cleanup_(decrefp)

static json_t *load(struct bytes body, struct err *err)
{
    json_error_t where;
    json_t *j = json_loadb(body.data ? body.data : "", body.len, JSON_ALLOW_NUL, &where);

    if (!j)
        err_say(err, -EBADMSG, "Docker's answer is not JSON (byte %d)", where.position);
    return j;
}

static struct bytes text_of(const json_t *v)
{
    if (!json_is_string(v))
        return BYTES_NULL;
    return (struct bytes){ json_string_value(v), json_string_length(v) };
}

static struct bytes text_at(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

static void take(struct container *c, struct bytes *field, struct bytes value)
{
    if (value.len)
        container_set(c, field, value);
}

static struct bytes without_slash(struct bytes name)
{
    return name.len && name.data[0] == '/' ? (struct bytes){ name.data + 1, name.len - 1 } : name;
}

static void take_labels(struct container *c, const json_t *labels)
{
    take(c, &c->compose_project, text_at(labels, "com.docker.compose.project"));
    take(c, &c->compose_service, text_at(labels, "com.docker.compose.service"));
    take(c, &c->pod_namespace, text_at(labels, "io.kubernetes.pod.namespace"));
    take(c, &c->pod_name, text_at(labels, "io.kubernetes.pod.name"));
    take(c, &c->pod_container, text_at(labels, "io.kubernetes.container.name"));
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
    _cleanup_json_ json_t *root = load(body, err);
    size_t i;
    json_t *v;

    if (!root)
        return -EBADMSG;
    if (!json_is_array(root))
        return err_say(err, -EBADMSG, "Docker's list of containers is no list");
    json_array_foreach(root, i, v) {
        _cleanup_(container_unrefp) struct container *c = NULL;
        struct bytes id = text_at(v, "Id");
        const json_t *created = json_object_get(v, "Created");
        int r;

        if (!id.len)
            continue;
        c = container_new();
        if (!c)
            return -ENOMEM;
        take(c, &c->id, id);
        take(c, &c->name, without_slash(text_of(json_array_get(json_object_get(v, "Names"), 0))));
        take(c, &c->image_name, text_at(v, "Image"));
        take_labels(c, json_object_get(v, "Labels"));
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

        m.destination = arena_copy(&c->arena, text_at(v, "Destination"));
        m.source = arena_copy(&c->arena, text_at(v, "Source"));
        m.type = arena_copy(&c->arena, text_at(v, "Type"));
        m.name = arena_copy(&c->arena, text_at(v, "Name"));
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
    _cleanup_json_ json_t *root = load(body, err);
    struct container_view view = { 0 };
    const json_t *state, *config, *driver, *layers, *host, *pid;
    struct container *c;
    int r;

    if (!root)
        return -EBADMSG;
    if (!text_at(root, "Id").len)
        return err_say(err, -EBADMSG, "Docker's answer names no container");
    c = view.container = container_new();
    if (!c)
        return -ENOMEM;
    state = json_object_get(root, "State");
    config = json_object_get(root, "Config");
    host = json_object_get(root, "HostConfig");
    driver = json_object_get(root, "GraphDriver");
    layers = json_object_get(driver, "Data");
    take(c, &c->id, text_at(root, "Id"));
    take(c, &c->name, without_slash(text_at(root, "Name")));
    take(c, &c->image_name, text_at(config, "Image"));
    take_labels(c, json_object_get(config, "Labels"));
    c->created_ns = docker_parse_time(text_at(root, "Created"));
    c->started_ns = docker_parse_time(text_at(state, "StartedAt"));
    view.running = json_is_true(json_object_get(state, "Running"));
    pid = json_object_get(state, "Pid");
    if (view.running && json_is_integer(pid) && json_integer_value(pid) > 0 &&
        json_integer_value(pid) < INT32_MAX)
        c->pid = (pid_t)json_integer_value(pid);
    if (!bytes_starts_with(text_at(driver, "Name"), bytes_of("overlay")) &&
        !bytes_equal_str(text_at(driver, "Name"), "vfs"))
        layers = NULL;
    view.merged = arena_copy(&c->arena, text_at(layers, "MergedDir"));
    view.upper = arena_copy(&c->arena, text_at(layers, "UpperDir"));
    r = split_layers(c, text_at(layers, "LowerDir"), &view);
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
    enum life_kind kind;
} actions[] = {
    { "create",  LIFE_CREATE },  { "start",   LIFE_START }, { "die",     LIFE_DIE },
    { "destroy", LIFE_DESTROY }, { "rename",  LIFE_RENAME }, { "pause",  LIFE_PAUSE },
    { "unpause", LIFE_UNPAUSE }, { "oom",     LIFE_OOM },
};
/* clang-format on */

int docker_parse_event(struct bytes body, struct life *ret, struct err *err)
{
    _cleanup_json_ json_t *root = load(body, err);
    const json_t *actor, *attributes, *nanos;
    struct bytes action, number;
    struct life life = { .exit_code = -1 };
    struct container *c;
    int64_t code;

    if (!root)
        return -EBADMSG;
    if (!bytes_equal_str(text_at(root, "Type"), "container"))
        return 0;
    action = text_at(root, "Action");
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (bytes_equal_str(action, actions[i].action))
            life.kind = actions[i].kind;
    actor = json_object_get(root, "Actor");
    attributes = json_object_get(actor, "Attributes");
    if (!life.kind || !text_at(actor, "ID").len)
        return 0;
    c = life.container = container_new();
    if (!c)
        return -ENOMEM;
    take(c, &c->id, text_at(actor, "ID"));
    take(c, &c->name, without_slash(text_at(attributes, "name")));
    take(c, &c->image_name, text_at(attributes, "image"));
    take_labels(c, attributes);
    nanos = json_object_get(root, "timeNano");
    if (json_is_integer(nanos) && json_integer_value(nanos) > 0)
        life.time_ns = (uint64_t)json_integer_value(nanos);
    number = text_at(attributes, "exitCode");
    if (life.kind == LIFE_DIE && parse_i64(number, &code) == 0 && code >= 0 && code < 256)
        life.exit_code = (int)code;
    if (life.kind == LIFE_RENAME)
        container_set(c, &life.previous_name, without_slash(text_at(attributes, "oldName")));
    if (life.kind == LIFE_START)
        c->started_ns = life.time_ns;
    *ret = life;
    return 1;
}

int docker_parse_version(struct bytes body, char *text, size_t size)
{
    _cleanup_json_ json_t *root = load(body, NULL);
    struct bytes version = text_at(root, "Version");

    if (!version.len)
        return -EBADMSG;
    snprintf(text, size, "%.*s", (int)MIN(version.len, (size_t)40), version.data);
    return 0;
}
