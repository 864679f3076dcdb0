/* SPDX-License-Identifier: MIT */
/* The input is a file of /proc/PID: mountinfo, stat (a process chooses its name), cgroup, environ; or net/tcp. */
#include <limits.h>
#include <stdlib.h>

#include "attribution/ci_job.h"
#include "attribution/peer.h"
#include "attribution/procfs.h"
#include "fuzz.h"
#include "util/mountinfo.h"
#include "util/proc_stat.h"

static void read_mounts(struct bytes text)
{
    struct mountinfo mount;
    struct bytes rest = text;

    while (mountinfo_next(&rest, &mount)) {
        char *point = malloc(mount.point.len);

        if (!point || mount.point.data < text.data || mount.rest.data + mount.rest.len > text.data + text.len)
            abort();
        if (mountinfo_unescape(mount.point, point) > mount.point.len)
            abort();
        (void)mountinfo_covers(&mount, bytes_of("/mnt/My Disk/file"));
        free(point);
    }
}

/* What is in a sentence stays short. */
static void read_job(struct bytes environment)
{
    struct sbuf job = SBUF_INIT;

    ci_job_describe(environment, &job);
    if (job.len > 512)
        abort();
    sbuf_done(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size }, part;
    uint64_t start = 0;
    pid_t parent = 0;
    static const char sockets[] = "socket:[77]\0socket:[4711]";
    char address[PEER_ADDRESS];

    read_mounts(text);
    read_job(text);
    (void)peer_find(text, (struct bytes){ sockets, sizeof(sockets) }, address);
    if (proc_stat_parse(text, &parent, &start) == 0 && parent < 0)
        abort();
    part = procfs_parse_cgroup(text);
    if (part.len && (part.data < text.data || part.data + part.len > text.data + text.len))
        abort();
    part = procfs_variable(text, "SSH_CONNECTION", '\0');
    if (part.len && (part.data < text.data || part.data + part.len > text.data + text.len))
        abort();
    return 0;
}
