/* SPDX-License-Identifier: MIT */
#include "engine/labels.h"

#include <stddef.h>

#include "util/limits.h"
#include "util/macro.h"

/* What is known already stays: the engine's own answer comes first, a label counts only where there is none. */
/* clang-format off */
static const struct {
    const char *key;
    size_t member;
} meanings[] = {
    { "com.docker.compose.project",              offsetof(struct container, compose_project) },
    { "com.docker.compose.service",              offsetof(struct container, compose_service) },
    { "io.podman.compose.project",               offsetof(struct container, compose_project) },
    { "io.podman.compose.service",               offsetof(struct container, compose_service) },
    { "io.kubernetes.pod.namespace",             offsetof(struct container, pod_namespace) },
    { "io.kubernetes.pod.name",                  offsetof(struct container, pod_name) },
    { "io.kubernetes.container.name",            offsetof(struct container, pod_container) },
    { "io.kubernetes.cri.sandbox-namespace",     offsetof(struct container, pod_namespace) },
    { "io.kubernetes.cri.sandbox-name",          offsetof(struct container, pod_name) },
    { "io.kubernetes.cri.container-name",        offsetof(struct container, pod_container) },
    { "io.kubernetes.cri.image-name",            offsetof(struct container, image_name) },
    { "io.kubernetes.cri-o.Namespace",           offsetof(struct container, pod_namespace) },
    { "io.kubernetes.cri-o.KubeName",            offsetof(struct container, pod_name) },
    { "io.kubernetes.cri-o.Name",                offsetof(struct container, name) },
    { "io.kubernetes.cri-o.ImageName",           offsetof(struct container, image_name) },
    { "io.podman.annotations.container.name",    offsetof(struct container, name) },
    { "nerdctl/name",                            offsetof(struct container, name) },
    { "io.containerd.image.name",                offsetof(struct container, image_name) },
    { "org.opencontainers.image.ref.name",       offsetof(struct container, image_name) },
};
/* clang-format on */

void labels_add(struct labels *l, struct container *c, struct bytes key, struct bytes value)
{
    if (!key.len || !value.data || memchr(key.data, '\0', key.len) ||
        memchr(value.data, '\0', value.len))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
        struct bytes *field = (struct bytes *)(void *)((char *)c + meanings[i].member);

        if (value.len && bytes_equal_str(key, meanings[i].key) && !field->len)
            container_set(c, field, value);
    }
    /* Kubernetes keeps whole manifests in annotations: nobody selects by them */
    if (key.len + value.len > LIMIT_LABEL || l->text.len + key.len + value.len + 2 > LIMIT_LABELS) {
        l->truncated = true;
        return;
    }
    sbuf_add_bytes(&l->text, key);
    sbuf_add_char(&l->text, '=');
    sbuf_add_bytes(&l->text, value);
    sbuf_add(&l->text, "", 1);
}

void labels_done(struct labels *l, struct container *c)
{
    if (l->text.len)
        container_set(c, &c->labels, sbuf_bytes(&l->text));
    sbuf_done(&l->text);
}
