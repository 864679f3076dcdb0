/* SPDX-License-Identifier: MIT */
/*
 * Manifests of Compose and Kubernetes that lie on this host: what the place is that is asked for (the writable layer, a tmpfs, a volume, an
 * emptyDir ...), and so what is gone when the container is made anew. A manifest may have been changed since the container was made of it:
 * of the writable layer it is believed only where the engine has nothing mounted there either.
 */
#include "clues/manifests.h"

#include <errno.h>

#include "clues/manifest.h"
#include "clues/source.h"
#include "foreign/foreign.h"
#include "util/cleanup.h"

#define FILE_MAX (256 * 1024)
#define PODS "/etc/kubernetes/manifests"
#define KUBELET "/var/lib/kubelet/config.yaml"
#define ASK_MS 500

/* ---- files ---- */

/* "staticPodPath: /x" of kubelet's configuration: no more of it is looked at before everything is given away. */
static struct bytes static_pods(struct bytes text)
{
    static const char key[] = "staticPodPath: ";
    struct bytes line;

    while (text.len)
        if (bytes_starts_with(line = bytes_next_line(&text), bytes_of(key)) && line.len > sizeof(key) && line.data[sizeof(key) - 1] == '/')
            return (struct bytes){ line.data + sizeof(key) - 1, line.len - sizeof(key) + 1 };
    return bytes_of(PODS);
}

static int gather_pods(struct gathered *g, int root)
{
    static const char *const endings[] = { ".yaml", ".yml", ".manifest", NULL };
    char directory[256];
    int r = clue_gather_file(g, root, KUBELET, FILE_MAX, false);
    struct bytes path = static_pods(gathered_get(g, KUBELET));

    if (path.len >= sizeof(directory))
        path = bytes_of(PODS);
    snprintf(directory, sizeof(directory), "%.*s", (int)path.len, path.data);
    return r == 0 ? clue_gather_directory(g, root, directory, endings, 100, FILE_MAX) : r;
}

/* Compose has them as they were given: some from where it was run. */
static int gather_compose(struct gathered *g, int root, const struct manifest_container *c)
{
    struct bytes rest = c->files;
    int r = 0;

    while (rest.len && r == 0 && g->count < MANIFEST_FILES_MAX) {
        struct bytes file = bytes_next_field(&rest, ',');
        char path[CLUE_PATH_MAX];
        int len = file.len && file.data[0] == '/'
                      ? snprintf(path, sizeof(path), "%.*s", (int)MIN(file.len, sizeof(path)), file.data)
                      : snprintf(path, sizeof(path), "%.*s/%.*s", (int)MIN(c->directory.len, sizeof(path)), c->directory.data ? c->directory.data : "",
                                 (int)MIN(file.len, sizeof(path)), file.data ? file.data : "");

        if (file.len && len > 0 && (size_t)len < sizeof(path) && path[0] == '/')
            r = clue_gather_file(g, root, path, FILE_MAX, false);
    }
    return r;
}

static int gather(struct bytes request, struct gathered *g)
{
    _cleanup_close_ int root = clue_root();
    struct manifest_container c;
    struct clue_question q;
    int r;

    if (root < 0 || clue_question_get(request, &q) < 0 || manifest_container_get(q.extra, &c) < 0)
        return -EBADMSG;
    r = c.files.len ? gather_compose(g, root, &c) : gather_pods(g, root);
    return r == 0 && !g->count ? -ENOENT : r;
}

static int parse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    struct bytes names[MANIFEST_FILES_MAX], texts[MANIFEST_FILES_MAX];
    struct manifest_container c;
    struct clue_question q;
    size_t n = 0;

    if (clue_question_get(request, &q) < 0 || manifest_container_get(q.extra, &c) < 0)
        return -EBADMSG;
    clue_put_cover(answer, 0, 0);
    for (size_t i = 0; i < g->count; i++) {
        if (!c.files.len && strcmp(g->files[i].name, KUBELET) != 0)
            manifest_pods(answer, &q, &c, bytes_of(g->files[i].name), g->files[i].content);
        if (n < MANIFEST_FILES_MAX) {
            names[n] = bytes_of(g->files[i].name);
            texts[n++] = g->files[i].content;
        }
    }
    if (c.files.len)
        manifest_compose(answer, &q, &c, names, texts, n);
    return 0;
}

static const struct foreign_job job = { "the manifests of Compose and Kubernetes", 32 * 1024 * 1024, gather, parse, false };

/* ---- who asks ---- */

static struct bytes label(const struct container *c, const char *key)
{
    for (struct bytes rest = c->labels; rest.len;) {
        struct bytes value = bytes_next_field(&rest, '\0'), name = bytes_next_field(&value, '=');

        if (bytes_equal_str(name, key))
            return value;
    }
    return BYTES_NULL;
}

/* A pod whose manifest is not on this host: kubelet's directories say what is mounted. */
static void put_by_mount(struct sbuf *answer, const struct clue_question *q, const struct manifest_container *c, const struct container_mount *m)
{
    static const struct {
        const char *part;
        enum manifest_kind kind;
    } rows[] = { { "/kubernetes.io~empty-dir/", MANIFEST_EMPTY_DIR }, { "/kubernetes.io~configmap/", MANIFEST_KUBELET },
                 { "/kubernetes.io~secret/", MANIFEST_KUBELET },      { "/kubernetes.io~projected/", MANIFEST_KUBELET },
                 { "/kubernetes.io~downward-api/", MANIFEST_KUBELET }, { "/volume-subpaths/", MANIFEST_CLAIM } };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct manifest_mount mount = { .kind = rows[i].kind, .source = bytes_basename(m->source), .target = m->destination, .read_only = m->read_only };
        char owner[128];

        if (!bytes_has(m->source, rows[i].part))
            continue;
        /* .../volume-subpaths/VOLUME/CONTAINER/NUMBER */
        if (mount.kind == MANIFEST_CLAIM) {
            mount.source = bytes_basename(bytes_dirname(bytes_dirname(m->source)));
            mount.sub_path = bytes_of("that its manifest names");
        }
        snprintf(owner, sizeof(owner), "pod %.*s", BYTES_SHOWN(c->pod));
        manifest_put(answer, q, c, owner, &mount, m->source);
        return;
    }
}

static bool has_fact(struct bytes answer)
{
    struct clue_span cover;
    struct clue_fact f;
    int part;

    while ((part = clue_take(&answer, &f, &cover)) > 0)
        if (part == CLUE_PART_FACT)
            return true;
    return false;
}

int manifests_ask(struct clues *c, unsigned source, struct err *err)
{
    const struct container_view *view = clues_options(c)->view;
    _cleanup_sbuf_ struct sbuf extra = SBUF_INIT, request = SBUF_INIT, answer = SBUF_INIT;
    const struct container_mount *mount = view ? container_view_mount(view, clues_question(c)->path) : NULL;
    struct clue_question q = *clues_question(c);
    struct manifest_container of = { 0 };
    struct err own = ERR_INIT;
    int r;

    (void)err;
    if (view) {
        const struct container *k = view->container;

        of = (struct manifest_container){ .name = k->name, .service = k->compose_service, .pod = k->pod_name, .pod_container = k->pod_container,
                                          .created_ns = k->created_ns, .started_ns = k->started_ns, .is_layer = !mount };
        of.files = label(k, "com.docker.compose.project.config_files");
        of.directory = label(k, "com.docker.compose.project.working_dir");
        if (!of.files.len && !of.pod_container.len)
            return 0; /* it was made of none */
    }
    manifest_container_put(&extra, &of);
    q.extra = sbuf_bytes(&extra);
    clue_question_put(&request, &q);
    r = foreign_ask(&job, sbuf_bytes(&request), clues_time_left(c, ASK_MS), &answer, &own);
    if (mount && of.pod_container.len && (r == -ENOENT || (r == 0 && !has_fact(sbuf_bytes(&answer))))) {
        put_by_mount(&answer, &q, &of, mount);
        r = answer.len ? 0 : r;
    }
    if (r == 0)
        return clues_take(c, source, sbuf_bytes(&answer));
    clues_set_report(c, source, r == -ENOENT ? CLUE_STATE_ABSENT : CLUE_STATE_FAILED, r == -ENOENT ? BYTES_NULL : bytes_of(err_text(&own, r)));
    return r == -ENOMEM ? r : 0;
}
