/* SPDX-License-Identifier: MIT */
/* The input is whatever a runtime, an engine or a user has left in a state directory. */
#include <stdlib.h>

#include "engine/bolt.h"
#include "engine/oci.h"
#include "engine/oci_mount.h"
#include "fuzz.h"

static volatile char sink;

static void read_bytes(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        sink ^= b.data[i];
}

static void read_path(struct bytes b)
{
    read_bytes(b);
    if (b.data && b.data[b.len] != '\0')
        abort(); /* it is handed to the kernel */
}

static void read_view(const struct container_view *v)
{
    read_bytes(v->container->id);
    read_bytes(v->container->name);
    read_bytes(v->container->labels);
    read_bytes(v->container->cgroup);
    if (v->container->labels.len && v->container->labels.data[v->container->labels.len - 1] != '\0')
        abort();
    if (v->container->pid < 0 || (v->running && !v->container->pid))
        abort();
    read_path(v->root);
    read_path(v->upper);
    for (size_t i = 0; i < v->lower_count; i++)
        read_path(v->lower[i]);
    for (size_t i = 0; i < v->mount_count; i++) {
        read_path(v->mounts[i].destination);
        read_path(v->mounts[i].source);
        read_bytes(v->mounts[i].name);
        if (!v->mounts[i].destination.len || v->mounts[i].destination.data[0] != '/')
            abort();
    }
}

static void read_facts(struct oci_facts *f)
{
    oci_name(f, bytes_of("id"), "runc");
    if (!f->view.container->id.len || !f->view.container->name.len || !f->view.container->runtime.len)
        abort();
    read_path(f->bundle);
    read_view(&f->view);
    oci_facts_done(f);
}

static void read_storage(struct bytes body)
{
    struct bytes object;

    while (storage_next(&body, &object)) {
        struct container *c = NULL;
        struct bytes layer = BYTES_NULL;

        read_bytes(object);
        if (object.len < 2)
            abort();
        if (storage_parse(object, &c, &layer, NULL) < 0)
            continue;
        read_bytes(layer);
        if (memchr(layer.len ? layer.data : "", '/', layer.len))
            abort(); /* it becomes a part of a path */
        container_unref(c);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes body = { (const char *)data, size }, value;
    const struct bytes path[] = { bytes_of("ctr"), bytes_of("id"), bytes_of("config") };
    struct oci_facts f = { 0 };
    struct container_view view = { 0 };
    struct err err = ERR_INIT;

    if (oci_parse_state(body, &f, &err) == 0)
        read_facts(&f);
    else if (!err.text[0])
        abort(); /* a refusal says why */
    if (oci_parse_status(body, bytes_of("id"), &f, NULL) == 0) {
        (void)oci_parse_config(body, &f, NULL);
        read_facts(&f);
    }
    read_storage(body);
    view.container = container_new();
    if (!view.container)
        return 0;
    (void)podman_parse_config(body, view.container, NULL);
    if (oci_parse_overlay(body, bytes_of("/"), &view) == 0)
        read_view(&view);
    container_view_done(&view);
    if (bolt_get(body, path, 3, &value) == 0)
        read_bytes(value);
    return 0;
}
