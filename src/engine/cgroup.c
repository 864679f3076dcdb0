/* SPDX-License-Identifier: MIT */
#include "engine/cgroup.h"

#include "util/macro.h"

#define ID_LEN 64

/* clang-format off */
static const struct {
    const char *prefix, *runtime;
} runtimes[] = {
    { "docker-",         "docker" },
    { "libpod-",         "podman" },
    { "cri-containerd-", "containerd" },
    { "crio-",           "cri-o" },
    { "nerdctl-",        "containerd" },
};
/* clang-format on */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* 64 hexadecimal digits, not a part of a longer run. */
static struct bytes find_id(struct bytes part)
{
    size_t run = 0;

    for (size_t i = 0; i <= part.len; i++) {
        if (i < part.len && is_hex(part.data[i])) {
            run++;
            continue;
        }
        if (run == ID_LEN)
            return (struct bytes){ part.data + i - ID_LEN, ID_LEN };
        run = 0;
    }
    return BYTES_NULL;
}

static struct bytes strip(struct bytes part, const char *prefix, const char *suffix)
{
    struct bytes p = bytes_of(prefix), s = bytes_of(suffix);

    if (!bytes_starts_with(part, p) || part.len <= p.len + s.len ||
        (s.len && memcmp(part.data + part.len - s.len, s.data, s.len) != 0))
        return BYTES_NULL;
    return (struct bytes){ part.data + p.len, part.len - p.len - s.len };
}

/* Engines make scopes and plain directories. Other units may be named after a container and hold
 * host processes: podman runs a health check as ID.service; a backup's unit may carry a digest. */
static bool is_other_unit(struct bytes part)
{
    static const char *const suffixes[] = { ".service", ".slice", ".mount", ".socket", ".swap" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (strip(part, "", suffixes[i]).len)
            return true;
    return false;
}

/* One component; `above` is the one before it. */
static bool read_part(struct bytes above, struct bytes part, struct cgroup_container *ret)
{
    struct bytes id = is_other_unit(part) ? BYTES_NULL : find_id(part), name;

    if (id.len) {
        const char *runtime = bytes_equal_str(above, "docker") ? "docker" : NULL;

        if (bytes_starts_with(above, bytes_of("kubepods")) || bytes_starts_with(above, bytes_of("pod")))
            runtime = "kubernetes";
        for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++)
            if (bytes_starts_with(part, bytes_of(runtimes[i].prefix)))
                runtime = runtimes[i].runtime;
        /* conmon and the like run beside the container, in a scope named after it */
        if (bytes_starts_with(part, bytes_of("libpod-conmon-")) ||
            bytes_starts_with(part, bytes_of("crio-conmon-")))
            return false;
        *ret = (struct cgroup_container){ id, runtime };
        return true;
    }
    if (bytes_equal_str(above, "lxc") && part.len) {
        *ret = (struct cgroup_container){ part, "lxc" };
        return true;
    }
    name = strip(part, "lxc.payload.", "");
    if (name.len) {
        *ret = (struct cgroup_container){ name, "lxc" };
        return true;
    }
    name = strip(part, "systemd-nspawn@", ".service");
    if (!name.len && bytes_equal_str(above, "machine.slice") &&
        !bytes_starts_with(part, bytes_of("machine-qemu")))
        name = strip(part, "machine-", ".scope");
    if (name.len) {
        *ret = (struct cgroup_container){ name, "nspawn" };
        return true;
    }
    return false;
}

bool cgroup_container(struct bytes cgroup, struct cgroup_container *ret)
{
    struct bytes above = BYTES_NULL;
    bool found = false;

    while (cgroup.len) {
        const char *slash = memchr(cgroup.data, '/', cgroup.len);
        struct bytes part = { cgroup.data, slash ? (size_t)(slash - cgroup.data) : cgroup.len };
        size_t step = part.len + (slash ? 1 : 0);

        found |= read_part(above, part, ret);
        above = part;
        cgroup = (struct bytes){ cgroup.data + step, cgroup.len - step };
    }
    return found;
}

struct bytes cgroup_unit(struct bytes cgroup)
{
    struct bytes unit = BYTES_NULL, above = BYTES_NULL;

    while (cgroup.len) {
        const char *slash = memchr(cgroup.data, '/', cgroup.len);
        struct bytes part = { cgroup.data, slash ? (size_t)(slash - cgroup.data) : cgroup.len };
        size_t step = part.len + (slash ? 1 : 0);
        struct cgroup_container c;

        if (strip(part, "", ".service").len ||
            (strip(part, "", ".scope").len && !find_id(part).len && !read_part(above, part, &c)))
            unit = part;
        above = part;
        cgroup = (struct bytes){ cgroup.data + step, cgroup.len - step };
    }
    return unit;
}
