/* SPDX-License-Identifier: MIT */
#include "clues/manifest.h"
#include "clues/source.h"
#include "clues/yaml_lines.h"
#include "util/cleanup.h"

#define CONTAINERS_MAX 64
#define VOLUMES_MAX 128
#define OWNER_MAX 128

struct pod_volume {
    struct bytes name, path; /* path: of the host */
    enum manifest_kind kind;
    bool in_memory;
    unsigned line;
};

struct pod_container {
    struct bytes name;
    bool read_only;
    unsigned line;
};

struct pod_reading {
    struct sbuf *answer;
    const struct clue_question *question;
    const struct manifest_container *container;
    struct bytes file;
    struct bytes kind, name;
    struct pod_volume volumes[VOLUMES_MAX];
    struct pod_container containers[CONTAINERS_MAX];
    struct manifest_mount mounts[MANIFEST_MOUNTS_MAX]; /* source: the volume's name; file: the container */
    size_t volume_count, container_count, mount_count;
    unsigned volume_item, container_item, mount_item; /* those that are being read; 0: none */
    struct bytes container_list;                      /* "containers", "initContainers" */
    bool unclear;
};

static void not_understood(struct pod_reading *r, const struct yaml_node *n, const char *what)
{
    if (!r->unclear)
        clue_put_note(r->answer, "%.*s:%u is not understood: %s", BYTES_SHOWN(r->file), n->line, what);
    r->unclear = true;
}

/* ---- a pod that was read ---- */

static const struct pod_volume *volume_of(const struct pod_reading *r, struct bytes name)
{
    for (size_t i = 0; i < r->volume_count; i++)
        if (bytes_equal(r->volumes[i].name, name))
            return &r->volumes[i];
    return NULL;
}

/* Whatever writes on the host there: its containers may. */
static void put_host_paths(const struct pod_reading *r)
{
    const struct clue_question *q = r->question;
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT, text = SBUF_INIT;

    for (size_t i = 0; i < r->volume_count; i++) {
        struct clue_fact f = { .kind = CLUE_RULE };

        if (r->volumes[i].kind != MANIFEST_BIND || !manifest_covers(r->volumes[i].path, q->path))
            continue;
        sbuf_clear(&text);
        sbuf_addf(&text, "pod %.*s has %.*s of the host: what its containers change there is changed here", BYTES_SHOWN(r->name),
                  BYTES_SHOWN(r->volumes[i].path));
        f.marks = bytes_equal(r->volumes[i].path, q->path) ? CLUE_NAMES_PATH : CLUE_NAMES_ABOVE;
        f.text = sbuf_bytes(&text);
        f.place = clue_place(&place, r->file, r->volumes[i].line);
        clue_put(r->answer, &f);
    }
}

/* kubelet calls a static pod by its manifest and the node: "web-node7". */
static bool is_pod(const struct pod_reading *r)
{
    struct bytes pod = r->container->pod;

    return r->name.len && bytes_starts_with(pod, r->name) && (pod.len == r->name.len || pod.data[r->name.len] == '-');
}

static void put_place(const struct pod_reading *r, unsigned number)
{
    const struct pod_container *of = &r->containers[number];
    struct manifest_mount own[MANIFEST_MOUNTS_MAX], nothing = { .kind = MANIFEST_NOTHING, .read_only = of->read_only, .line = of->line };
    _cleanup_sbuf_ struct sbuf place = SBUF_INIT;
    const struct manifest_mount *m;
    char owner[OWNER_MAX];
    size_t n = 0;

    for (size_t i = 0; i < r->mount_count; i++) {
        const struct pod_volume *v = volume_of(r, r->mounts[i].source);

        if (r->mounts[i].file != number)
            continue;
        own[n] = r->mounts[i];
        own[n].kind = v ? v->kind : MANIFEST_CLAIM;
        own[n].source = v && v->kind == MANIFEST_BIND ? v->path : own[n].source;
        n++;
    }
    m = manifest_covering(own, n, r->question->path);
    if (!m && (r->unclear || !r->container->is_layer))
        return;
    m = m ? m : &nothing;
    snprintf(owner, sizeof(owner), "pod %.*s", BYTES_SHOWN(r->name));
    manifest_put(r->answer, r->question, r->container, owner, m, clue_place(&place, r->file, m->line));
}

static void end_pod(struct pod_reading *r)
{
    if (!r->container->pod_container.len)
        put_host_paths(r);
    else if (is_pod(r))
        for (unsigned i = 0; i < r->container_count; i++)
            if (bytes_equal(r->containers[i].name, r->container->pod_container))
                put_place(r, i);
    r->volume_count = r->container_count = r->mount_count = 0;
    r->volume_item = r->container_item = r->mount_item = 0;
    r->kind = r->name = r->container_list = BYTES_NULL;
    r->unclear = false;
}

/* ---- reading ---- */

static void take_volume(struct pod_reading *r, const struct yaml_node *n, size_t at)
{
    static const struct {
        const char *key;
        enum manifest_kind kind;
    } kinds[] = { { "emptyDir", MANIFEST_EMPTY_DIR },     { "hostPath", MANIFEST_BIND },       { "configMap", MANIFEST_KUBELET },
                  { "secret", MANIFEST_KUBELET },         { "projected", MANIFEST_KUBELET },   { "downwardAPI", MANIFEST_KUBELET } };
    struct bytes key = yaml_key(n, at + 1);
    struct pod_volume *v;

    if (n->depth <= at || !n->levels[at].item)
        return;
    if (r->volume_item != n->levels[at].item) {
        if (r->volume_count == VOLUMES_MAX) {
            not_understood(r, n, "more volumes than are looked at");
            return;
        }
        r->volume_item = n->levels[at].item;
        r->volumes[r->volume_count++] = (struct pod_volume){ .kind = MANIFEST_CLAIM, .line = n->line };
    }
    v = &r->volumes[r->volume_count - 1];
    if (bytes_equal_str(key, "name") && n->depth == at + 2)
        v->name = n->value;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (bytes_equal_str(key, kinds[i].key))
            v->kind = kinds[i].kind;
    if (v->kind == MANIFEST_BIND && bytes_equal_str(yaml_key(n, at + 2), "path")) {
        v->path = n->value;
        v->line = n->line;
    }
}

static void take_mount(struct pod_reading *r, const struct yaml_node *n, size_t at)
{
    struct bytes key = yaml_key(n, at + 1);
    struct manifest_mount *m;

    if (n->depth <= at || !n->levels[at].item)
        return;
    if (r->mount_item != n->levels[at].item) {
        if (r->mount_count == MANIFEST_MOUNTS_MAX) {
            not_understood(r, n, "more mounts than are looked at");
            return;
        }
        r->mount_item = n->levels[at].item;
        r->mounts[r->mount_count++] = (struct manifest_mount){ .file = (unsigned)r->container_count - 1, .line = n->line };
    }
    m = &r->mounts[r->mount_count - 1];
    if (bytes_equal_str(key, "mountPath"))
        m->target = n->value;
    else if (bytes_equal_str(key, "name"))
        m->source = n->value;
    else if (bytes_equal_str(key, "readOnly"))
        m->read_only = bytes_equal_str(n->value, "true");
    else if (bytes_equal_str(key, "subPath") || bytes_equal_str(key, "subPathExpr"))
        m->sub_path = n->value;
}

static void take_container(struct pod_reading *r, const struct yaml_node *n, size_t at)
{
    struct bytes key = yaml_key(n, at + 1), list = yaml_key(n, at - 1);
    struct pod_container *c;

    if (n->depth <= at || !n->levels[at].item)
        return;
    if (r->container_item != n->levels[at].item || !bytes_equal(r->container_list, list)) {
        if (r->container_count == CONTAINERS_MAX) {
            not_understood(r, n, "more containers than are looked at");
            return;
        }
        r->container_item = n->levels[at].item;
        r->container_list = list;
        r->mount_item = 0;
        r->containers[r->container_count++] = (struct pod_container){ .line = n->line };
    }
    c = &r->containers[r->container_count - 1];
    if (bytes_equal_str(key, "name") && n->depth == at + 2)
        c->name = n->value;
    else if (bytes_equal_str(key, "volumeMounts"))
        take_mount(r, n, at + 2);
    else if (bytes_equal_str(key, "securityContext") && bytes_equal_str(yaml_key(n, at + 2), "readOnlyRootFilesystem"))
        c->read_only = bytes_equal_str(n->value, "true");
}

/* Where in a manifest the parts of its pods are: a Pod's own, or those of a template. */
static void on_node(void *data, const struct yaml_node *n)
{
    static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
    struct pod_reading *r = data;
    struct bytes first = yaml_key(n, 0);
    size_t at = 1; /* below "spec" */

    if (!n->depth) {
        end_pod(r);
        return;
    }
    if (bytes_equal_str(first, "metadata") && bytes_equal_str(yaml_key(n, 1), "name") && n->depth == 2)
        r->name = n->value;
    if (!bytes_equal_str(first, "spec"))
        return;
    if (bytes_equal_str(yaml_key(n, 1), "template") && bytes_equal_str(yaml_key(n, 2), "spec"))
        at = 3;
    if (n->unclear) {
        not_understood(r, n, n->unclear);
        return;
    }
    if (bytes_equal_str(yaml_key(n, at), "volumes"))
        take_volume(r, n, at + 1);
    else if (BYTES_AMONG(yaml_key(n, at), lists))
        take_container(r, n, at + 1);
}

void manifest_pods(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *container, struct bytes name,
                   struct bytes text)
{
    static struct pod_reading r; /* too large for a stack; a worker has one thread */

    r = (struct pod_reading){ .answer = answer, .question = q, .container = container, .file = name };
    yaml_read(text, on_node, &r);
    end_pod(&r);
}
