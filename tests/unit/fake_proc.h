/* SPDX-License-Identifier: MIT */
/* A directory of the shape of /proc, made and changed as a test says. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char fake_proc[] = "/tmp/culprit-test-proc-XXXXXX";

struct fake_process {
    int pid, parent;
    unsigned long long start_ticks;
    const char *comm, *executable, *cgroup;
    const char *args;
    size_t args_len; /* 0: strlen(args) */
    const char *ids; /* of Uid and Gid; NULL: "0\t0\t0\t0" */
};

static inline void fake_write(int pid, const char *name, const char *text, size_t len)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%d/%s", fake_proc, pid, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
}

static inline void fake_link(int pid, const char *name, const char *target)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%d/%s", fake_proc, pid, name);
    (void)unlink(path);
    assert_int_equal(symlink(target, path), 0);
}

static inline void fake_start(const struct fake_process *p)
{
    const char *comm = p->comm ? p->comm : "x", *ids = p->ids ? p->ids : "0\t0\t0\t0";
    char path[256], text[1024];
    int n;

    snprintf(path, sizeof(path), "%s/%d", fake_proc, p->pid);
    (void)mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/%d/ns", fake_proc, p->pid);
    (void)mkdir(path, 0755);
    n = snprintf(text, sizeof(text), "%d (%s) S %d 1 1 0 -1 4194560 1 1 0 0 1 1 0 0 20 0 1 0 %llu 99 9 1\n",
                 p->pid, comm, p->parent, p->start_ticks);
    fake_write(p->pid, "stat", text, (size_t)n);
    n = snprintf(text, sizeof(text), "Name:\t%s\nUmask:\t0022\nTgid:\t%d\nUid:\t%s\nGid:\t%s\n", comm, p->pid,
                 ids, ids);
    fake_write(p->pid, "status", text, (size_t)n);
    n = snprintf(text, sizeof(text), "%s\n", comm);
    fake_write(p->pid, "comm", text, (size_t)n);
    if (p->args)
        fake_write(p->pid, "cmdline", p->args, p->args_len ? p->args_len : strlen(p->args));
    if (p->cgroup)
        fake_write(p->pid, "cgroup", p->cgroup, strlen(p->cgroup));
    if (p->executable)
        fake_link(p->pid, "exe", p->executable);
}

/* Everything below `path`, two levels deep: that is all there is. */
static inline void fake_remove(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    char below[512];

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(below, sizeof(below), "%.200s/%.255s", path, entry->d_name);
        if (unlink(below) < 0)
            fake_remove(below);
    }
    if (dir)
        closedir(dir);
    (void)rmdir(path);
}

static inline void fake_end(int pid)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%d", fake_proc, pid);
    fake_remove(path);
}
