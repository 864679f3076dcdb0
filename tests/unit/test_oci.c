/* SPDX-License-Identifier: MIT */
/* What runtimes and engines leave in their state directories, read and followed. */
#include "engine/oci_mount.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/bolt.h"
#include "engine/oci.h"
#include "engine/podman_db.h"
#include "util/cleanup.h"
#include "util/sbuf.h"

#define ID "ef031746cec8b784db037b6eb8e3bd10ed943b06c5d1a0984bfc03a3f111498c"
#define STORAGE "/var/lib/containers/storage"

static void load(const char *name, struct sbuf *out)
{
    char path[512], buffer[4096];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "%s/../fuzz/corpus/oci/%s", FIXTURES, name);
    f = fopen(path, "re");
    assert_non_null(f);
    while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
        sbuf_add(out, buffer, n);
    fclose(f);
}

static const struct container_mount *mount_at(const struct container_view *v, const char *destination)
{
    for (size_t i = 0; i < v->mount_count; i++)
        if (bytes_equal_str(v->mounts[i].destination, destination))
            return &v->mounts[i];
    return NULL;
}

static struct bytes first_cgroup(const struct oci_facts *f)
{
    return bytes_of(f->view.container->cgroup.data); /* ended by a NUL */
}

/* ---- parsing ---- */

static void reads_the_state_of_podmans_runc(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct oci_facts f;

    (void)state;
    load("state-podman", &text);
    assert_int_equal(oci_parse_state(sbuf_bytes(&text), &f, NULL), 0);
    oci_name(&f, bytes_of(ID), "runc");
    assert_bytes(f.view.container->id, ID);
    assert_bytes(f.view.container->runtime, "podman");
    assert_bytes(first_cgroup(&f), "/libpod_parent/libpod-" ID);
    assert_int_equal(f.view.container->pid, 31674);
    assert_int_equal(f.pid_ticks, 66348);
    assert_true(f.view.container->created_ns == 1795529191504435632ull);
    assert_bytes(f.bundle, STORAGE "/overlay-containers/" ID "/userdata");
    assert_non_null(mount_at(&f.view, "/v"));
    assert_bytes(mount_at(&f.view, "/v")->name, "vol");
    assert_bytes(mount_at(&f.view, "/v")->source, STORAGE "/volumes/vol/_data");
    assert_null(mount_at(&f.view, "/proc")); /* nobody's files */
    oci_facts_done(&f);
}

static void reads_the_state_of_containerds_runc(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct oci_facts f;

    (void)state;
    load("state-containerd", &text);
    assert_int_equal(oci_parse_state(sbuf_bytes(&text), &f, NULL), 0);
    oci_name(&f, bytes_of("cweb"), "runc");
    assert_bytes(f.view.container->name, "cweb");
    assert_bytes(f.view.container->runtime, "containerd");
    assert_bytes(first_cgroup(&f), "/default/cweb");
    assert_bytes(f.view.root, "/srv/crootfs");
    assert_true(f.view.container->labels.len == 4 && memcmp(f.view.container->labels.data, "a=b", 4) == 0);
    oci_facts_done(&f);
}

static void reads_cgroups_that_differ_by_controller(void **state)
{
    static const char text[] = "{\"id\":\"a\",\"cgroup_paths\":{\"memory\":\"/sys/fs/cgroup/memory/user/a\","
                               "\"pids\":\"/sys/fs/cgroup/pids/a\",\"\":\"/sys/fs/cgroup/unified/a\",\"cpu\":\"/sys/fs/cgroup/cpu\"}}";
    struct oci_facts f;

    (void)state;
    assert_int_equal(oci_parse_state(bytes_of(text), &f, NULL), 0);
    assert_int_equal(f.view.container->cgroup.len, sizeof("/user/a") + sizeof("/a"));
    assert_memory_equal(f.view.container->cgroup.data, "/user/a\0/a\0", sizeof("/user/a") + sizeof("/a"));
    oci_facts_done(&f);
}

static void reads_crun(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT, config = SBUF_INIT;
    struct oci_facts f;

    (void)state;
    load("status-crun", &text);
    load("config", &config);
    assert_int_equal(oci_parse_status(sbuf_bytes(&text), bytes_of(ID), &f, NULL), 0);
    assert_int_equal(oci_parse_config(sbuf_bytes(&config), &f, NULL), 0);
    oci_name(&f, bytes_of(ID), "crun");
    assert_bytes(f.view.container->runtime, "podman");
    assert_int_equal(f.view.container->pid, 4711);
    assert_bytes(first_cgroup(&f), "/libpod_parent/libpod-" ID);
    assert_bytes(f.view.root, STORAGE "/overlay/abc/merged"); /* the runtime's word before the bundle's */
    assert_non_null(mount_at(&f.view, "/v"));
    oci_facts_done(&f);
}

#define KUBERNETES                                                                                     \
    "\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\",\"io.kubernetes.cri.container-name\":\"app\"," \
    "\"io.kubernetes.cri.sandbox-name\":\"shop-7d\",\"io.kubernetes.cri.sandbox-namespace\":\"prod\","  \
    "\"io.kubernetes.cri.image-name\":\"docker.io/library/shop:1.4\"}"

static void kubernetes_names_by_annotations(void **state)
{
    static const char config[] = "{\"root\":{\"path\":\"rootfs\"}," KUBERNETES "}";
    struct oci_facts f = { .view.container = container_new() };

    (void)state;
    f.bundle = bytes_of("/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc");
    assert_int_equal(oci_parse_config(bytes_of(config), &f, NULL), 0);
    oci_name(&f, bytes_of("abc"), "containerd");
    assert_bytes(f.view.container->id, "abc");
    assert_bytes(f.view.container->name, "app");
    assert_bytes(f.view.container->pod_namespace, "prod");
    assert_bytes(f.view.container->pod_name, "shop-7d");
    assert_bytes(f.view.container->pod_container, "app");
    assert_bytes(f.view.container->image_name, "docker.io/library/shop:1.4");
    assert_bytes(f.view.root, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/rootfs");
    oci_facts_done(&f);
}

static const struct owner_row {
    const char *name, *state, *runtime, *container;
} owners[] = {
    { "by hand", "{\"id\":\"a\",\"config\":{\"labels\":[\"bundle=/srv/b\"]}}", "runc", "a" },
    { "by hand, an annotation that pretends", "{\"id\":\"a\",\"config\":{\"labels\":[\"nerdctl/name=web\",\"bundle=/srv/b\"]}}",
      "runc", "a" },
    { "CRI-O", "{\"id\":\"a\",\"config\":{\"labels\":[\"io.container.manager=cri-o\",\"io.kubernetes.cri-o.Name=k8s_app\"]}}",
      "cri-o", "k8s_app" },
    { "nerdctl", "{\"id\":\"a\",\"config\":{\"labels\":[\"nerdctl/name=web\",\"bundle=/run/containerd/io.containerd.runtime.v2.task/default/a\"]}}",
      "containerd", "web" },
    { "Docker by the system's containerd",
      "{\"id\":\"a\",\"config\":{\"labels\":[\"bundle=/run/containerd/io.containerd.runtime.v2.task/moby/a\"]}}", "docker", "a" },
    { "a private Docker", "{\"id\":\"a\",\"config\":{\"labels\":[\"bundle=/run/docker/containerd/daemon/x/moby/a\"]}}", "docker", "a" },
};

static void reports_who_made_it(void **state)
{
    const struct owner_row *row = *state;
    struct oci_facts f;

    assert_int_equal(oci_parse_state(bytes_of(row->state), &f, NULL), 0);
    oci_name(&f, bytes_of("a"), "runc");
    assert_bytes(f.view.container->runtime, row->runtime);
    assert_bytes(f.view.container->name, row->container);
    oci_facts_done(&f);
}

static const struct bad_row {
    const char *name, *state;
} bad[] = {
    { "nothing", "" },
    { "cut", "{\"id\":\"a\",\"init_process_pid\":1" },
    { "no id", "{\"init_process_pid\":1}" },
    { "a list", "[]" },
};

static void refuses(void **state)
{
    const struct bad_row *row = *state;
    struct err err = ERR_INIT;
    struct oci_facts f;

    assert_int_equal(oci_parse_state(bytes_of(row->state), &f, &err), -EBADMSG);
    assert_true(err.text[0] != '\0');
}

static void reads_the_storages_list_object_by_object(void **state)
{
    static const char list[] =
        "[{\"id\":\"a\",\"names\":[\"web\\\"}{\"],\"layer\":\"l1\",\"metadata\":\"{\\\"image-name\\\":\\\"shop:1.4\\\"}\"},"
        "{\"id\":\"../x\",\"names\":[\"evil\"],\"layer\":\"l\"},{\"id\":\"c\",\"names\":[\"db\"],\"layer\":\"../../etc\"},"
        "{\"id\":\"d\",\"names\":[\"last\"],\"layer\":\"l4\"}";
    struct bytes at = bytes_of(list), object, layer;
    struct container *c;

    (void)state;
    assert_true(storage_next(&at, &object));
    assert_int_equal(storage_parse(object, &c, &layer, NULL), 0);
    assert_bytes(c->name, "web\"}{");
    assert_bytes(c->image_name, "shop:1.4");
    assert_bytes(layer, "l1");
    container_unref(c);
    for (int i = 0; i < 2; i++) { /* what would lead out of the storage is no container */
        assert_true(storage_next(&at, &object));
        assert_int_equal(storage_parse(object, &c, &layer, NULL), -EBADMSG);
    }
    assert_true(storage_next(&at, &object)); /* half of the list is better than none */
    assert_int_equal(storage_parse(object, &c, &layer, NULL), 0);
    assert_bytes(c->name, "last");
    container_unref(c);
    assert_false(storage_next(&at, &object));
}

static void reads_an_overlay(void **state)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct container_view v = { .container = container_new() };

    (void)state;
    load("mountinfo", &text);
    assert_int_equal(oci_parse_overlay(sbuf_bytes(&text), bytes_of("/proc"), &v), -ENOENT);
    assert_int_equal(oci_parse_overlay(sbuf_bytes(&text), bytes_of("/"), &v), 0);
    assert_bytes(v.upper, STORAGE "/overlay/abc/diff");
    assert_int_equal(v.lower_count, 2);
    assert_bytes(v.lower[0], STORAGE "/overlay/l/A"); /* relative: to the storage */
    assert_bytes(v.lower[1], STORAGE "/overlay/l/B C");
    container_view_done(&v);
}

static void reads_podmans_health_check(void **state)
{
    struct container *c = container_new();

    (void)state;
    assert_int_equal(podman_parse_config(bytes_of("{\"name\":\"web\",\"healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl x\"],"
                                                  "\"Interval\":30000000000}}"),
                                         c, NULL),
                     0);
    assert_true(bytes_equal(c->health_check, BYTES("/bin/sh\0-c\0curl x\0")));
    container_unref(c);
}

static void reads_podmans_database(void **state)
{
    const struct bytes path[] = { bytes_of("ctr"), bytes_of("id"), bytes_of("config") };
    const struct bytes nobody[] = { bytes_of("ctr"), bytes_of("other"), bytes_of("config") };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct container *c = container_new();
    struct bytes value;

    (void)state;
    load("bolt", &text);
    assert_int_equal(bolt_get(sbuf_bytes(&text), path, 3, &value), 0);
    assert_int_equal(podman_parse_config(value, c, NULL), 0);
    assert_bytes(c->name, "web");
    assert_true(c->labels.len == 4 && memcmp(c->labels.data, "a=b", 4) == 0);
    container_unref(c);
    assert_int_equal(bolt_get(sbuf_bytes(&text), nobody, 3, &value), -ENOENT);
    assert_int_equal(bolt_get(sbuf_bytes(&text), path, 2, &value), -ENOENT); /* a bucket is no value */
    text.data[4096 + 16 + 40] ^= 1; /* the newer meta page is damaged: the older one counts */
    assert_int_equal(bolt_get(sbuf_bytes(&text), path, 3, &value), 0);
    text.data[16 + 40] ^= 1;
    assert_int_equal(bolt_get(sbuf_bytes(&text), path, 3, &value), -EBADMSG);
}

/* ---- following directories ---- */

static char root[] = "/tmp/culprit-test-oci-XXXXXX";
static char emitted[4096];
static struct oci *oci;

static void on_life(void *data, const struct lifecycle_event *life)
{
    static const char *const kinds[LIFECYCLE_COUNT] = { [LIFECYCLE_CREATE] = "create", [LIFECYCLE_START] = "start",
                                                        [LIFECYCLE_DIE] = "die", [LIFECYCLE_DESTROY] = "destroy",
                                                        [LIFECYCLE_RENAME] = "rename", [LIFECYCLE_PAUSE] = "pause",
                                                        [LIFECYCLE_UNPAUSE] = "unpause", [LIFECYCLE_OOM] = "oom" };
    size_t at = strlen(emitted);

    (void)data;
    snprintf(emitted + at, sizeof(emitted) - at, "%s %.*s%s;", kinds[life->kind], (int)life->container->name.len,
             life->container->name.data, life->kind == LIFECYCLE_START && life->container->pid ? " runs" : "");
}

static void put(const char *path, const char *text)
{
    char full[600], temporary[640];
    FILE *f;

    snprintf(full, sizeof(full), "%s%s", root, path);
    snprintf(temporary, sizeof(temporary), "%s.tmp", full);
    f = fopen(temporary, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(temporary, full), 0);
}

static void make_dir(const char *path)
{
    char full[600];

    snprintf(full, sizeof(full), "%s%s", root, path);
    assert_int_equal(mkdir(full, 0755), 0);
}

static void drop(const char *path)
{
    char full[600];

    snprintf(full, sizeof(full), "%s%s", root, path);
    assert_int_equal(remove(full), 0);
}

static const char *happened(void)
{
    emitted[0] = '\0';
    oci_dispatch(oci, on_life, NULL);
    return emitted;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/culprit-test-oci-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    return oci_new(root, NULL, &oci, NULL);
}

static int tear_down(void **state)
{
    char command[300];

    (void)state;
    oci_free(oci);
    snprintf(command, sizeof(command), "rm -rf '%s'", root);
    return system(command);
}

static pid_t start_process(void)
{
    pid_t pid = fork_child();

    if (pid == 0) {
        pause();
        _exit(0);
    }
    return pid;
}

static unsigned long long ticks(pid_t pid)
{
    char path[64], text[1024] = "";
    unsigned long long n = 0;
    const char *at;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    at = strrchr(text, ')') + 2;
    for (int field = 3; field < 22; field++)
        at = strchr(at, ' ') + 1;
    n = strtoull(at, NULL, 10);
    return n;
}

static void a_life_is_followed(void **state)
{
    pid_t pid = start_process();
    char text[300];

    (void)state;
    /* nothing was there when it began: not even the directory of the runtime */
    make_dir("/run");
    make_dir("/run/runc");
    assert_string_equal(happened(), "");
    make_dir("/run/runc/web");
    put("/run/runc/web/exec.fifo", "");
    snprintf(text, sizeof(text), "{\"id\":\"web\",\"init_process_pid\":%d,\"init_process_start\":%llu}", pid, ticks(pid));
    put("/run/runc/web/state.json", text);
    assert_string_equal(happened(), "create web;");
    assert_non_null(oci_find(oci, bytes_of("web")));
    drop("/run/runc/web/exec.fifo");
    assert_string_equal(happened(), "start web runs;");
    put("/run/runc/web/state.json", text); /* runc writes it again: nothing new */
    assert_string_equal(happened(), "");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_string_equal(happened(), "die web;");
    drop("/run/runc/web/state.json");
    drop("/run/runc/web");
    assert_string_equal(happened(), "destroy web;");
    assert_null(oci_find(oci, bytes_of("web")));
}

static void a_pid_that_is_another_process_by_now_is_not_it(void **state)
{
    pid_t pid = start_process();
    char text[300];

    (void)state;
    make_dir("/run");
    make_dir("/run/runc");
    make_dir("/run/runc/web");
    snprintf(text, sizeof(text), "{\"id\":\"web\",\"init_process_pid\":%d,\"init_process_start\":%llu}", pid, ticks(pid) - 1);
    put("/run/runc/web/state.json", text);
    assert_string_equal(happened(), "create web;");
    assert_false(oci_find(oci, bytes_of("web"))->view.running);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void half_a_state_is_no_container(void **state)
{
    (void)state;
    make_dir("/run");
    make_dir("/run/crun");
    make_dir("/run/crun/x");
    put("/run/crun/x/status", "{\"pid\":");
    assert_string_equal(happened(), "");
    assert_null(oci_find(oci, bytes_of("x")));
    put("/run/crun/x/status", "{\"pid\":0}");
    assert_string_equal(happened(), "create x;");
}

static void a_name_that_is_used_again_is_another_life(void **state)
{
    pid_t one = start_process(), two = start_process();
    char text[300];

    (void)state;
    make_dir("/run");
    make_dir("/run/runc");
    make_dir("/run/runc/web");
    snprintf(text, sizeof(text), "{\"id\":\"web\",\"init_process_pid\":%d,\"init_process_start\":%llu}", one, ticks(one));
    put("/run/runc/web/state.json", text);
    (void)happened();
    /* all of it before we look again */
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    drop("/run/runc/web/state.json");
    drop("/run/runc/web");
    make_dir("/run/runc/web");
    snprintf(text, sizeof(text), "{\"id\":\"web\",\"init_process_pid\":%d,\"init_process_start\":%llu}", two, ticks(two));
    put("/run/runc/web/state.json", text);
    assert_string_equal(happened(), "die web;destroy web;create web;start web runs;");
    kill(two, SIGKILL);
    waitpid(two, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(reads_the_state_of_podmans_runc),
        cmocka_unit_test(reads_the_state_of_containerds_runc),
        cmocka_unit_test(reads_crun),
        cmocka_unit_test(reads_cgroups_that_differ_by_controller),
        cmocka_unit_test(kubernetes_names_by_annotations),
        cmocka_unit_test(reads_the_storages_list_object_by_object),
        cmocka_unit_test(reads_an_overlay),
        cmocka_unit_test(reads_podmans_health_check),
        cmocka_unit_test(reads_podmans_database),
        cmocka_unit_test_setup_teardown(a_life_is_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pid_that_is_another_process_by_now_is_not_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_state_is_no_container, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_is_used_again_is_another_life, set_up, tear_down),
    };
    struct CMUnitTest tests[ARRAY_SIZE(plain) + ARRAY_SIZE(owners) + ARRAY_SIZE(bad)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        tests[n++] = plain[i];
    for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
        tests[n++] = (struct CMUnitTest){ .name = owners[i].name, .test_func = reports_who_made_it,
                                          .initial_state = (void *)(uintptr_t)&owners[i] };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        tests[n++] = (struct CMUnitTest){ .name = bad[i].name, .test_func = refuses,
                                          .initial_state = (void *)(uintptr_t)&bad[i] };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
