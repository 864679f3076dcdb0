/* SPDX-License-Identifier: MIT */
/* The input is what a socket that should be Docker's answers: to every question, all the same. */
#include <stdlib.h>

#include "engine/docker_json.h"
#include "fuzz.h"

static volatile char sink;

/* Every byte is read: a view that points out of its memory is found here. */
static void read_bytes(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        sink ^= b.data[i];
    if (b.data && b.data[b.len] != '\0')
        abort(); /* arena_copy() promises the NUL behind it */
}

static void read_container(const struct container *c)
{
    read_bytes(c->id);
    read_bytes(c->name);
    read_bytes(c->runtime);
    read_bytes(c->image_name);
    read_bytes(c->compose_project);
    read_bytes(c->compose_service);
    read_bytes(c->pod_namespace);
    read_bytes(c->pod_name);
    read_bytes(c->pod_container);
    if (!c->id.len || c->pid < 0 || c->refs == 0)
        abort();
}

static int each(void *data, struct container *c)
{
    unsigned *count = data;

    read_container(c);
    return ++*count == 1000 ? 1 : 0;
}

static void read_view(struct container_view *v)
{
    read_container(v->container);
    read_bytes(v->merged);
    read_bytes(v->upper);
    read_bytes(v->root);
    for (size_t i = 0; i < v->lower_count; i++) {
        read_bytes(v->lower[i]);
        if (v->lower[i].len == 0 || v->lower[i].data[0] != '/')
            abort();
    }
    for (size_t i = 0; i < v->mount_count; i++) {
        read_bytes(v->mounts[i].destination);
        read_bytes(v->mounts[i].source);
        read_bytes(v->mounts[i].name);
        if (v->mounts[i].destination.len == 0 || v->mounts[i].destination.data[0] != '/')
            abort();
    }
    if (!v->running && v->container->pid)
        abort();
    container_view_done(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes body = { (const char *)data, size };
    struct container_view view;
    struct err err = ERR_INIT;
    unsigned count = 0;
    struct lifecycle_event life;
    char version[16];

    if (docker_parse_inspect(body, &view, &err) == 0)
        read_view(&view);
    else if (!err.text[0])
        abort(); /* a refusal says why */
    (void)docker_parse_list(body, each, &count, NULL);
    if (docker_parse_event(body, &life, NULL) == 1) {
        read_container(life.container);
        read_bytes(life.previous_name);
        if (!life.kind || life.kind >= LIFECYCLE_COUNT || life.exit_code < -1 || life.exit_code > 255)
            abort();
        container_unref(life.container);
    }
    if (docker_parse_version(body, version, sizeof(version)) == 0 && strlen(version) >= sizeof(version))
        abort();
    if (docker_parse_time(body) > INT64_MAX)
        abort();
    return 0;
}
