/* SPDX-License-Identifier: MIT */
#include "engine/first_process.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/oci_mount.h"
#include "util/cleanup.h"

#define PROC "/proc"
#define CGROUPS "/sys/fs/cgroup"
#define PIDS_MAX 4096 /* of one cgroup: its first process is among the first */
#define DEPTH_MAX 3

static bool is_first(pid_t pid)
{
    char path[64], line[512];
    _cleanup_fclose_ FILE *f = NULL;

    snprintf(path, sizeof(path), PROC "/%d/status", pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        const char *last;

        if (strncmp(line, "NSpid:", 6) != 0)
            continue;
        last = strrchr(line, '\t');
        return last && strcmp(last, "\t1\n") == 0 && strchr(line, '\t') != last;
    }
    return false;
}

/* Also below it: a machine's init moves itself into a scope. */
static pid_t find(const char *directory, unsigned depth)
{
    char path[PATH_MAX];
    _cleanup_fclose_ FILE *f = NULL;
    _cleanup_closedir_ DIR *dir = NULL;
    const struct dirent *entry;
    int pid;

    snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
    f = fopen(path, "re");
    for (unsigned i = 0; f && i < PIDS_MAX && fscanf(f, "%d", &pid) == 1; i++)
        if (is_first(pid))
            return pid;
    dir = depth < DEPTH_MAX ? opendir(directory) : NULL;
    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || entry->d_type != DT_DIR ||
            (size_t)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= sizeof(path))
            continue;
        pid = find(path, depth + 1);
        if (pid)
            return pid;
    }
    return 0;
}

pid_t first_process_in(const char *directory)
{
    return find(directory, 0);
}

/* The path up to the component that has the id; what is below was made by the container itself. */
static bool cut_at_id(char *path, struct bytes id)
{
    char *found = id.len ? memmem(path, strlen(path), id.data, id.len) : NULL;
    char *slash = found ? strchr(found + id.len, '/') : NULL;

    if (slash)
        *slash = '\0';
    return found != NULL;
}

char *first_process_place(pid_t pid, struct bytes id)
{
    char path[64], line[PATH_MAX], place[PATH_MAX + 32], file[PATH_MAX + 64];
    _cleanup_fclose_ FILE *f = NULL;

    snprintf(path, sizeof(path), PROC "/%d/cgroup", pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) { /* HIERARCHY:CONTROLLERS:PATH */
        char *controllers = strchr(line, ':'), *cgroup = controllers ? strchr(controllers + 1, ':') : NULL;
        const char *below;

        if (!cgroup)
            continue;
        *cgroup++ = '\0';
        cgroup[strcspn(cgroup, "\n")] = '\0';
        controllers++;
        if (!cut_at_id(cgroup, id))
            continue;
        /* version 2 lies beside the controllers of version 1 where a machine has both */
        below = *controllers ? controllers : access(CGROUPS "/unified", F_OK) == 0 ? "unified" : ".";
        if (strncmp(below, "name=", 5) == 0)
            below += 5;
        snprintf(place, sizeof(place), CGROUPS "/%s%s", below, cgroup);
        snprintf(file, sizeof(file), "%s/cgroup.procs", place);
        if (access(file, R_OK) == 0)
            return strdup(place);
    }
    return NULL;
}

static bool runs_on(pid_t pid, struct bytes upper)
{
    struct container_view view = { .container = container_new() };
    bool same = view.container && oci_overlay(PROC, pid, &view) == 0 && bytes_equal(view.upper, upper);

    container_view_done(&view);
    return same;
}

pid_t first_process_now(const char *place, struct bytes upper)
{
    pid_t pid = first_process_in(place);

    return pid > 0 && upper.len && runs_on(pid, upper) ? pid : 0;
}
