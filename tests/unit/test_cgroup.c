/* SPDX-License-Identifier: MIT */
/* Cgroup paths of every engine, driver and version; and paths that only look like one. */
#include "test.h"

#include <stdlib.h>

#include "engine/cgroup.h"

#define A "4d1c0f3ab2e95d7786a1b0c4d9e8f7061524334251607f8e9dacbbcad9e8f706"
#define B "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UPPER "4D1C0F3AB2E95D7786A1B0C4D9E8F7061524334251607F8E9DACBBCAD9E8F706"
#define POD "pod3c2a9f3e-8d1b-4a55-9c1e-000000000001"
#define SLICE "pod3c2a9f3e_8d1b_4a55_9c1e_000000000001.slice"

static const struct row {
    const char *name, *path;
    const char *id, *runtime; /* id NULL: no container. runtime NULL: the path does not say */
    const char *unit;         /* NULL: none */
} rows[] = {
    { "docker, cgroupfs", "/docker/" A, A, "docker", NULL },
    { "docker, systemd", "/system.slice/docker-" A ".scope", A, "docker", NULL },
    { "docker, rootless", "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A ".scope", A,
      "docker", "user@1000.service" },
    { "docker with its own parent", "/batch/" A, A, NULL, NULL },
    { "a unit in a container that runs systemd", "/docker/" A "/system.slice/nginx.service", A, "docker",
      "nginx.service" },
    { "a scope in a container", "/system.slice/docker-" A ".scope/init.scope", A, "docker", "init.scope" },
    { "podman, systemd", "/machine.slice/libpod-" A ".scope", A, "podman", NULL },
    { "podman, cgroup below the scope", "/machine.slice/libpod-" A ".scope/container", A, "podman", NULL },
    { "podman, cgroupfs", "/libpod_parent/libpod-" A, A, "podman", NULL },
    { "podman, split below a unit", "/system.slice/web.service/libpod-payload-" A, A, "podman", "web.service" },
    { "podman, rootless",
      "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" A ".scope", A, "podman",
      "user@1000.service" },
    { "conmon is beside the container", "/machine.slice/libpod-conmon-" A ".scope", NULL, NULL, NULL },
    { "conmon of cri-o", "/system.slice/crio-conmon-" A ".scope", NULL, NULL, NULL },
    { "containerd, systemd", "/system.slice/cri-containerd-" A ".scope", A, "containerd", NULL },
    { "nerdctl", "/system.slice/nerdctl-" A ".scope", A, "containerd", NULL },
    { "containerd, cgroupfs: the namespace stands above", "/default/" A, A, NULL, NULL },
    { "kubernetes, cgroupfs", "/kubepods/besteffort/" POD "/" A, A, "kubernetes", NULL },
    { "kubernetes, guaranteed", "/kubepods/" POD "/" A, A, "kubernetes", NULL },
    { "kubernetes, containerd, systemd",
      "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" SLICE "/cri-containerd-" A ".scope", A,
      "containerd", NULL },
    { "kubernetes, cri-o",
      "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" SLICE "/crio-" A ".scope", A, "cri-o",
      NULL },
    { "kubernetes, docker",
      "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" SLICE "/docker-" A ".scope", A, "docker",
      NULL },
    { "containerd that was told cgroupfs on a systemd host",
      "/system.slice/containerd.service/kubepods-burstable-" SLICE ":cri-containerd:" A, A, NULL,
      "containerd.service" },
    { "the pod itself is no container", "/kubepods/besteffort/" POD, NULL, NULL, NULL },
    { "the pod's slice", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" SLICE, NULL, NULL, NULL },
    { "docker in docker: the innermost", "/docker/" A "/docker/" B, B, "docker", NULL },
    { "kubernetes in docker (kind)", "/docker/" A "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" B ".scope",
      B, "containerd", NULL },
    { "conmon in a container: still that container", "/docker/" A "/libpod-conmon-" B ".scope", A, "docker", NULL },
    { "lxc", "/lxc/web", "web", "lxc", NULL },
    { "lxc, below it", "/lxc/web/system.slice/cron.service", "web", "lxc", "cron.service" },
    { "lxc 4", "/lxc.payload.web", "web", "lxc", NULL },
    { "lxc's monitor is outside", "/lxc.monitor.web", NULL, NULL, NULL },
    { "lxc, nothing behind it", "/lxc/", NULL, NULL, NULL },
    { "lxc, no name", "/lxc.payload.", NULL, NULL, NULL },
    { "nspawn as a unit", "/machine.slice/systemd-nspawn@web.service", "web", "nspawn",
      "systemd-nspawn@web.service" },
    { "nspawn as a scope", "/machine.slice/machine-web.scope", "web", "nspawn", NULL },
    { "nspawn, a unit in it", "/machine.slice/machine-web.scope/system.slice/cron.service", "web", "nspawn",
      "cron.service" },
    { "a virtual machine", "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", NULL, NULL,
      "machine-qemu\\x2d1\\x2dvm.scope" },
    { "a scope that begins like a machine's", "/user.slice/machine-web.scope", NULL, NULL, "machine-web.scope" },
    { "the root", "/", NULL, NULL, NULL },
    { "nothing", "", NULL, NULL, NULL },
    { "slashes only", "////", NULL, NULL, NULL },
    { "a service", "/system.slice/nginx.service", NULL, NULL, "nginx.service" },
    { "docker's own service", "/system.slice/docker.service", NULL, NULL, "docker.service" },
    { "a template's instance", "/system.slice/system-getty.slice/getty@tty1.service", NULL, NULL,
      "getty@tty1.service" },
    { "a session", "/user.slice/user-1000.slice/session-4.scope", NULL, NULL, "session-4.scope" },
    { "below a user's manager", "/user.slice/user-1000.slice/user@1000.service/app.slice/app-vim.scope", NULL, NULL,
      "app-vim.scope" },
    { "a slice is no unit", "/system.slice", NULL, NULL, NULL },
    { "a sub-cgroup of a service", "/system.slice/nginx.service/workers", NULL, NULL, "nginx.service" },
    { "only the suffix", "/system.slice/.service", NULL, NULL, NULL },
    { "63 digits", "/docker/1c0f3ab2e95d7786a1b0c4d9e8f7061524334251607f8e9dacbbcad9e8f7060", NULL, NULL, NULL },
    { "65 digits", "/docker/" A "0", NULL, NULL, NULL },
    { "128 digits", "/docker/" A B, NULL, NULL, NULL },
    { "upper case", "/docker/" UPPER, NULL, NULL, NULL },
    { "not hexadecimal", "/docker/g" A, A, "docker", NULL }, /* a prefix ends at the digit before */
    { "a name in place of the id", "/docker/web", NULL, NULL, NULL },
    { "buildkit", "/docker/buildkit/x0abcdefghijklmnopqrstuvw", NULL, NULL, NULL },
    /* podman runs its health checks as units named after the container: podman is on the host */
    { "podman's health check", "/system.slice/" A ".service", NULL, NULL, A ".service" },
    { "podman's health check since 4.9", "/system.slice/" A "-5e0c1f2a3b4c5d6e.service", NULL, NULL,
      A "-5e0c1f2a3b4c5d6e.service" },
    { "a service named by a digest", "/system.slice/backup-" A ".service", NULL, NULL, "backup-" A ".service" },
    { "a mount unit named by a container", "/system.slice/var-lib-docker-" A ".mount", NULL, NULL, NULL },
    { "a slice named by a digest", "/x-" A ".slice", NULL, NULL, NULL },
};

static void reads(void **state)
{
    const struct row *row = *state;
    size_t len = strlen(row->path);
    char *path = malloc(len + 1); /* without a NUL, and nothing behind it */
    struct cgroup_container found = { { "x", 1 }, "x" };

    assert_non_null(path);
    path = realloc(path, len ? len : 1);
    memcpy(path, row->path, len);
    assert_int_equal(cgroup_container((struct bytes){ path, len }, &found), row->id != NULL);
    if (row->id) {
        assert_bytes(found.id, row->id);
        if (row->runtime)
            assert_string_equal(found.runtime, row->runtime);
        else
            assert_null(found.runtime);
    } else {
        assert_bytes(found.id, "x"); /* written only when found */
    }
    assert_bytes(cgroup_unit((struct bytes){ path, len }), row->unit ? row->unit : "");
    free(path);
}

/* The name of a cgroup is the choice of whoever may make one. */
static void bears_any_bytes(void **state)
{
    struct cgroup_container found;

    (void)state;
    assert_false(cgroup_container(BYTES_NULL, &found));
    assert_false(bytes_known(cgroup_unit(BYTES_NULL)));
    assert_true(cgroup_container(BYTES("/lxc/\x1b[2J\n\xff\0x"), &found));
    assert_int_equal(found.id.len, 8);
    assert_false(cgroup_container(BYTES("/docker/\0" A "\0"), &found) && found.id.len != 64);
    for (unsigned c = 0; c < 256; c++) {
        char path[80] = "/docker/" A;

        path[8] = (char)c; /* the first digit */
        assert_int_equal(cgroup_container((struct bytes){ path, 8 + 64 }, &found),
                         (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(bears_any_bytes) };

    return RUN_ROWS(rows, reads) + cmocka_run_group_tests(more, NULL, NULL);
}
