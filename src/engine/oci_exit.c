/* SPDX-License-Identifier: MIT */
#include "engine/oci_exit.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"

#define WAITS 20 /* a millisecond each: conmon writes the file as soon as it has reaped */
#define CODE_MAX 64 /* bytes: conmon writes a number */

/* linux/pidfd.h of Linux 6.15; older headers do not have it. */
struct kernel_pidfd_info {
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};
#define KERNEL_PIDFD_GET_INFO _IOWR(0xff, 11, struct kernel_pidfd_info)
#define KERNEL_PIDFD_INFO_EXIT (1ull << 3)

static int by_pidfd(int pidfd)
{
    struct kernel_pidfd_info info = { .mask = KERNEL_PIDFD_INFO_EXIT };

    if (pidfd < 0 || ioctl(pidfd, KERNEL_PIDFD_GET_INFO, &info) < 0 ||
        !(info.mask & KERNEL_PIDFD_INFO_EXIT))
        return -1;
    return WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code) : 128 + WTERMSIG(info.exit_code);
}

/* A user's directory: what is there may be a fifo, or a link. */
static int by_file(const char *directory, struct bytes id)
{
    _cleanup_close_ int dir = beneath_open_host(bytes_of(directory), 0, O_PATH | O_DIRECTORY);
    _cleanup_free_ char *text = NULL;
    size_t len;
    int code;

    if (dir < 0 || !id.len || memchr(id.data, '/', id.len) || beneath_read_file(dir, id, CODE_MAX, &text, &len) < 0)
        return -1;
    return sscanf(text, "%d", &code) == 1 && code >= 0 && code < 256 ? code : -1;
}

int oci_exit_code(const char *state_dir, const struct container *c, int pidfd)
{
    const char *places[] = { "/run/libpod/exits", "/var/run/crio/exits", NULL };
    char user[PATH_MAX] = "";
    bool kept = bytes_equal_str(c->runtime, "podman") || bytes_equal_str(c->runtime, "cri-o");
    struct bytes above = bytes_dirname(bytes_dirname(bytes_of(state_dir)));

    if (!bytes_equal_str(above, "/run")) { /* a user's: beside his runtime's directory */
        snprintf(user, sizeof(user), "%.*s/libpod/tmp/exits", (int)above.len, above.data);
        places[2] = user;
    }
    for (unsigned i = 0; i <= WAITS; i++) {
        int code = by_pidfd(pidfd);

        for (size_t k = 0; k < ARRAY_SIZE(places) && kept && code < 0; k++)
            if (places[k])
                code = by_file(places[k], c->id);
        if (code >= 0)
            return code;
        usleep(1000);
    }
    return -1;
}

static uint64_t count_of(const char *path, const char *name)
{
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    char key[64];
    unsigned long long n;

    while (f && fscanf(f, "%63s %llu", key, &n) == 2)
        if (strcmp(key, name) == 0)
            return n;
    return 0;
}

uint64_t oci_oom_kills(struct bytes cgroups)
{
    static const char *const files[][2] = {
        { "/sys/fs/cgroup", "memory.events" },
        { "/sys/fs/cgroup/unified", "memory.events" },
        { "/sys/fs/cgroup/memory", "memory.oom_control" },
    };
    uint64_t kills = 0;
    char path[PATH_MAX];

    while (cgroups.len) {
        size_t n = strnlen(cgroups.data, cgroups.len);

        for (size_t i = 0; i < ARRAY_SIZE(files) && n < PATH_MAX / 2; i++) {
            snprintf(path, sizeof(path), "%s%.*s/%s", files[i][0], (int)n, cgroups.data, files[i][1]);
            kills = MAX(kills, count_of(path, "oom_kill"));
        }
        n += n < cgroups.len;
        cgroups = (struct bytes){ cgroups.data + n, cgroups.len - n };
    }
    return kills;
}
