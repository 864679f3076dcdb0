/* SPDX-License-Identifier: MIT */
#include "engine/oci_json.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "engine/docker_json.h"
#include "engine/json.h"
#include "engine/labels.h"
#include "util/limits.h"
#include "util/sbuf.h"

void oci_facts_done(struct oci_facts *facts)
{
    container_view_done(&facts->view);
    *facts = (struct oci_facts){ 0 };
}

static struct bytes copy(struct oci_facts *f, struct bytes b)
{
    return b.len ? arena_copy(&f->view.container->arena, b) : BYTES_NULL;
}

static struct bytes absolute(struct bytes path)
{
    return path.len && path.data[0] == '/' && path.len < LIMIT_PATH &&
                   !memchr(path.data, '\0', path.len)
               ? path
               : BYTES_NULL;
}

/* ".../volumes/NAME/_data" -> NAME: how Docker, Podman and nerdctl lay out their volumes. */
static struct bytes volume_name(struct bytes source)
{
    struct bytes dir = bytes_dirname(source);

    if (!bytes_equal_str(bytes_basename(source), "_data") ||
        !memmem(dir.data, dir.len, "/volumes/", 9))
        return BYTES_NULL;
    return bytes_basename(dir);
}

/* The kernel's own file systems hold nobody's files. */
static bool is_kernels(struct bytes type)
{
    static const char *const types[] = { "proc",   "sysfs",  "devpts",     "mqueue", "cgroup",
                                         "cgroup2", "devtmpfs", "securityfs", "debugfs" };

    return BYTES_AMONG(type, types);
}

static bool is_bind(const json_t *mount)
{
    struct bytes type = json_text_at(mount, "type");
    const json_t *options = json_object_get(mount, "options"), *v;
    size_t i;

    if (bytes_equal_str(json_text_at(mount, "device"), "bind") || bytes_equal_str(type, "bind"))
        return true;
    json_array_foreach((json_t *)(uintptr_t)options, i, v)
        if (bytes_equal_str(json_text(v), "bind") || bytes_equal_str(json_text(v), "rbind"))
            return true;
    return false;
}

static bool is_read_only(const json_t *mount)
{
    const json_t *options = json_object_get(mount, "options"), *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)options, i, v)
        if (bytes_equal_str(json_text(v), "ro"))
            return true;
    return json_number_at(mount, "flags", INT64_MAX) & 1; /* MS_RDONLY */
}

/* runc's state names the type "device"; the specification names it "type". */
static int take_mounts(struct oci_facts *f, const json_t *mounts)
{
    size_t n = json_array_size(mounts), i;
    const json_t *v;

    if (!n || f->view.mount_count)
        return 0;
    f->view.mounts = arena_alloc(&f->view.container->arena, n * sizeof(*f->view.mounts));
    if (!f->view.mounts)
        return -ENOMEM;
    json_array_foreach((json_t *)(uintptr_t)mounts, i, v) {
        struct bytes destination = absolute(json_text_at(v, "destination"));
        struct bytes type = json_text_at(v, "device"), source = absolute(json_text_at(v, "source"));
        struct container_mount m = { 0 };

        if (!type.len)
            type = json_text_at(v, "type");
        if (!destination.len || is_kernels(type))
            continue;
        if (is_bind(v)) {
            if (!source.len)
                continue;
            m.name = copy(f, volume_name(source));
            m.type = bytes_of(m.name.len ? "volume" : "bind");
            m.source = copy(f, source);
        } else if (bytes_equal_str(type, "tmpfs")) {
            m.type = bytes_of("tmpfs");
        } else {
            continue;
        }
        m.destination = copy(f, destination);
        m.read_only = is_read_only(v);
        if (m.destination.len)
            f->view.mounts[f->view.mount_count++] = m;
    }
    return 0;
}

static void take_pid(struct oci_facts *f, const json_t *root, const char *pid, const char *start)
{
    f->view.container->pid = (pid_t)json_number_at(root, pid, INT_MAX);
    f->pid_ticks = json_number_at(root, start, INT64_MAX);
    f->view.running = f->view.container->pid > 0;
}

/* "/sys/fs/cgroup/memory/default/web" below the hierarchy of that controller -> "/default/web". */
static struct bytes below_hierarchy(struct bytes path, const char *controller)
{
    struct bytes root = bytes_of("/sys/fs/cgroup/"), rest, name = bytes_of(controller);

    if (!bytes_starts_with(path, root))
        return BYTES_NULL;
    rest = (struct bytes){ path.data + root.len, path.len - root.len };
    if (!controller[0]) { /* version 2: mounted there, or beside version 1 */
        struct bytes unified = bytes_of("unified/");

        if (bytes_starts_with(rest, unified))
            return (struct bytes){ rest.data + unified.len - 1, rest.len - unified.len + 1 };
        return (struct bytes){ rest.data - 1, rest.len + 1 };
    }
    if (bytes_starts_with(name, bytes_of("name=")))
        name = (struct bytes){ name.data + 5, name.len - 5 };
    /* "cpu" may be mounted as "cpu,cpuacct": the first component, whatever it is called */
    {
        const char *slash = memchr(rest.data, '/', rest.len);

        return slash ? (struct bytes){ slash, rest.len - (size_t)(slash - rest.data) } : BYTES_NULL;
    }
}

static bool holds_line(struct bytes lines, struct bytes line)
{
    while (lines.len) {
        size_t n = strnlen(lines.data, lines.len);

        if (bytes_equal((struct bytes){ lines.data, n }, line))
            return true;
        n += n < lines.len;
        lines = (struct bytes){ lines.data + n, lines.len - n };
    }
    return false;
}

/* runc puts a container below its own cgroup in some hierarchies of version 1, and not in others. */
static void take_cgroup(struct oci_facts *f, const json_t *paths)
{
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)paths, key, v) {
        struct bytes found = below_hierarchy(json_text(v), key);

        if (found.len < 2 || memchr(found.data, '\0', found.len) || all.len > LIMIT_LABELS ||
            holds_line(sbuf_bytes(&all), found))
            continue;
        sbuf_add_bytes(&all, found);
        sbuf_add(&all, "", 1);
    }
    if (all.len)
        container_set(f->view.container, &f->view.container->cgroup, sbuf_bytes(&all));
}

static void set_cgroup(struct container *c, struct bytes path)
{
    if (path.len > 1 && path.data[0] == '/' && !memchr(path.data, '\0', path.len)) {
        container_set(c, &c->cgroup, path);
        if (c->cgroup.len)
            c->cgroup.len++; /* the NUL behind it, which arena_copy() promises */
    }
}

/* runc keeps annotations as a list of "key=value", and the bundle among them. */
static void take_label_list(struct oci_facts *f, const json_t *list)
{
    struct labels labels = LABELS_INIT;
    const json_t *v;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, v) {
        struct bytes text = json_text(v), key, value;
        const char *equals = text.len ? memchr(text.data, '=', text.len) : NULL;

        if (!equals)
            continue;
        key = (struct bytes){ text.data, (size_t)(equals - text.data) };
        value = (struct bytes){ equals + 1, text.len - key.len - 1 };
        if (bytes_equal_str(key, "bundle"))
            f->bundle = copy(f, absolute(value));
        else
            labels_add(&labels, f->view.container, key, value);
    }
    labels_done(&labels, f->view.container);
}

static int finish(struct oci_facts *f, int r, struct oci_facts *ret, struct err *err)
{
    if (r < 0) {
        oci_facts_done(f);
        return err_set(err, r, "a container's state");
    }
    *ret = *f;
    return 0;
}

int oci_parse_state(struct bytes body, struct oci_facts *ret, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "a container's state", err);
    struct oci_facts f = { 0 };
    const json_t *config;
    struct bytes id = json_text_at(root, "id");
    int r;

    if (!root)
        return -EBADMSG;
    if (!id.len)
        return err_say(err, -EBADMSG, "a container's state names no container");
    f.view.container = container_new();
    if (!f.view.container)
        return err_set(err, -ENOMEM, "a container's state");
    config = json_object_get(root, "config");
    container_set(f.view.container, &f.view.container->id, id);
    f.view.container->created_ns = docker_parse_time(json_text_at(root, "created"));
    take_pid(&f, root, "init_process_pid", "init_process_start");
    take_cgroup(&f, json_object_get(root, "cgroup_paths"));
    take_label_list(&f, json_object_get(config, "labels"));
    f.view.root = copy(&f, absolute(json_text_at(config, "rootfs")));
    r = take_mounts(&f, json_object_get(config, "mounts"));
    return finish(&f, r, ret, err);
}

int oci_parse_status(struct bytes body, struct bytes id, struct oci_facts *ret, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "a container's status", err);
    struct oci_facts f = { 0 };
    struct bytes cgroup;

    if (!root)
        return -EBADMSG;
    if (!json_is_object(root))
        return err_say(err, -EBADMSG, "a container's status is no object");
    f.view.container = container_new();
    if (!f.view.container)
        return err_set(err, -ENOMEM, "a container's status");
    container_set(f.view.container, &f.view.container->id, id);
    f.view.container->created_ns = docker_parse_time(json_text_at(root, "created"));
    take_pid(&f, root, "pid", "process-start-time");
    cgroup = json_text_at(root, "cgroup-path");
    set_cgroup(f.view.container, cgroup);
    f.bundle = copy(&f, absolute(json_text_at(root, "bundle")));
    f.view.root = copy(&f, absolute(json_text_at(root, "rootfs")));
    return finish(&f, 0, ret, err);
}

int oci_parse_config(struct bytes body, struct oci_facts *facts, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "config.json", err);
    struct container *c = facts->view.container;
    const json_t *linux_part;
    struct bytes path, cgroup;
    int r;

    if (!root)
        return -EBADMSG;
    if (!c->labels.len)
        json_take_labels(c, json_object_get(root, "annotations"));
    path = json_text_at(json_object_get(root, "root"), "path");
    if (!facts->view.root.len && path.len && !memchr(path.data, '\0', path.len) &&
        path.len < LIMIT_PATH)
        facts->view.root = path.data[0] == '/' ? copy(facts, path)
                           : facts->bundle.len ? arena_join_path(&c->arena, facts->bundle, path)
                                               : BYTES_NULL;
    linux_part = json_object_get(root, "linux");
    cgroup = json_text_at(linux_part, "cgroupsPath");
    if (!c->cgroup.len)
        set_cgroup(c, cgroup);
    r = take_mounts(facts, json_object_get(root, "mounts"));
    return r < 0 ? err_set(err, r, "config.json") : 0;
}

/* The value of a label that is kept; BYTES_NULL: none. */
static struct bytes label(const struct container *c, const char *key)
{
    struct bytes rest = c->labels, name = bytes_of(key);

    while (rest.len) {
        size_t n = strnlen(rest.data, rest.len);

        if (n > name.len && rest.data[name.len] == '=' && bytes_starts_with(rest, name))
            return (struct bytes){ rest.data + name.len + 1, n - name.len - 1 };
        n += n < rest.len;
        rest = (struct bytes){ rest.data + n, rest.len - n };
    }
    return BYTES_NULL;
}

static bool holds(struct bytes text, const char *part)
{
    return text.len && memmem(text.data, text.len, part, strlen(part));
}

/* The namespace in ".../io.containerd.runtime.v2.task/NAMESPACE/ID". */
static struct bytes containerd_namespace(struct bytes bundle)
{
    return bytes_basename(bytes_dirname(bundle));
}

void oci_name(struct oci_facts *f, struct bytes id, const char *runtime)
{
    struct container *c = f->view.container;
    struct bytes manager = label(c, "io.container.manager");
    const char *engine = runtime;
    struct bytes said;

    if (bytes_equal_str(manager, "cri-o"))
        engine = "cri-o";
    else if (bytes_equal_str(manager, "libpod") || holds(f->bundle, "/overlay-containers/") ||
             holds(f->bundle, "/vfs-containers/") || holds(f->bundle, "/btrfs-containers/"))
        engine = "podman";
    else if (holds(f->bundle, "/io.containerd.runtime.")) {
        struct bytes ns = containerd_namespace(f->bundle);

        engine = bytes_equal_str(ns, "moby") || bytes_equal_str(ns, "plugins.moby") ? "docker"
                                                                                    : "containerd";
    } else if (holds(f->bundle, "/docker/"))
        engine = "docker";
    container_set(c, &c->runtime, bytes_of(engine));
    if (!c->id.len)
        container_set(c, &c->id, id);
    /* whoever starts a container by hand names it by its id, whatever its annotations say; the engines
     * above keep the name in an annotation */
    if (bytes_equal_str(c->runtime, "containerd") || bytes_equal_str(c->runtime, "cri-o")) {
        said = label(c, "io.kubernetes.cri.container-type");
        if (!said.len)
            said = label(c, "io.kubernetes.cri-o.ContainerType");
        if (bytes_equal_str(said, "sandbox") && !c->pod_container.len)
            container_set(c, &c->pod_container, bytes_of("POD"));
        if (!c->name.len && c->pod_container.len)
            container_set(c, &c->name, c->pod_container);
    } else {
        c->name = BYTES_NULL;
    }
    if (!c->name.len)
        container_set(c, &c->name, c->id);
}

/* ---- containers/storage ---- */

bool storage_next(struct bytes *at, struct bytes *ret_object)
{
    const char *p = at->data, *end = p + at->len, *start = NULL;
    unsigned depth = 0;
    bool quoted = false;

    for (; p < end; p++) {
        if (quoted) {
            if (*p == '\\' && p + 1 < end)
                p++;
            else if (*p == '"')
                quoted = false;
        } else if (*p == '"') {
            quoted = true;
        } else if (*p == '{') {
            if (depth++ == 0)
                start = p;
        } else if (*p == '}' && depth && --depth == 0) {
            *ret_object = (struct bytes){ start, (size_t)(p + 1 - start) };
            *at = (struct bytes){ p + 1, (size_t)(end - p - 1) };
            return true;
        }
    }
    *at = BYTES_NULL;
    return false;
}

int storage_parse(struct bytes object, struct container **ret, struct bytes *ret_layer,
                  struct err *err)
{
    _cleanup_json_ json_t *root = json_read(object, "containers.json", err);
    _cleanup_json_ json_t *metadata = NULL;
    _cleanup_(container_unrefp) struct container *c = NULL;
    struct bytes id = json_text_at(root, "id"), name, layer = json_text_at(root, "layer");

    if (!root)
        return -EBADMSG;
    if (!id.len || memchr(id.data, '/', id.len) || memchr(layer.len ? layer.data : "", '/', layer.len))
        return err_say(err, -EBADMSG, "containers.json names no container");
    c = container_new();
    if (!c)
        return err_set(err, -ENOMEM, "containers.json");
    container_set(c, &c->id, id);
    name = json_text(json_array_get(json_object_get(root, "names"), 0));
    metadata = json_read(json_text_at(root, "metadata"), "metadata", NULL);
    if (!name.len)
        name = json_text_at(metadata, "name");
    json_take(c, &c->name, name);
    json_take(c, &c->image_name, json_text_at(metadata, "image-name"));
    c->created_ns = docker_parse_time(json_text_at(root, "created"));
    *ret_layer = arena_copy(&c->arena, layer);
    *ret = TAKE_PTR(c);
    return 0;
}

int podman_parse_config(struct bytes body, struct container *c, struct err *err)
{
    _cleanup_json_ json_t *root = json_read(body, "Podman's record", err);

    if (!root)
        return -EBADMSG;
    json_take(c, &c->name, json_text_at(root, "name"));
    if (!c->image_name.len)
        json_take(c, &c->image_name, json_text_at(root, "rootfsImageName"));
    if (!c->labels.len)
        json_take_labels(c, json_object_get(root, "labels"));
    json_take_health_check(c, json_object_get(root, "healthcheck"), NULL);
    return 0;
}
