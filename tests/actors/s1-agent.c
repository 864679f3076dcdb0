/* SPDX-License-Identifier: MIT */
/*
 * The story's security agent. Runs as /opt/sentinelone/bin/s1-agent: scans /proc for a new process
 * whose root holds the marker file, and then makes the folder writable, gives it to another user and
 * deletes every file below it. Its standard output says "waiting", and at the end "deleted N".
 *
 *   s1-agent MARKER FOLDER UID GID DELAY_MS [BASE]
 *
 * MARKER: a path below a process's root that says "this is the container" (or "-": act at once)
 * FOLDER: below BASE; BASE is /proc/PID/root of the process found if it is not given
 * With S1_URING set the files are deleted through io_uring.
 * As sentineld (argv[0]) it starts s1-agent beside itself and waits for it.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uring.h"

static void sleep_ms(long ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);
}

#define PIDS 65536
static unsigned char seen[PIDS * 64];

/* A container's processes are in a pid namespace of their own. Who merely looks into a container, as culprit does by a
 * process in its mount namespace, is not: on a slow machine that may live for longer than the delay. */
static int is_contained(int pid)
{
    char path[PATH_MAX];
    struct stat own, its;

    snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
    return stat("/proc/self/ns/pid", &own) == 0 && stat(path, &its) == 0 && own.st_ino != its.st_ino;
}

/* The pid of a container's process not seen before whose root has the marker, in another root than ours. */
static int scan(const char *marker, int remember_only)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    while (proc && (entry = readdir(proc))) {
        int pid = atoi(entry->d_name);
        char path[PATH_MAX];
        struct stat own, root, st;

        if (pid <= 0 || (size_t)pid >= sizeof(seen) || seen[pid])
            continue;
        snprintf(path, sizeof(path), "/proc/%d/root/", pid);
        if (stat("/", &own) < 0 || stat(path, &root) < 0)
            continue;
        if (remember_only) {
            seen[pid] = 1;
            continue;
        }
        if (own.st_dev == root.st_dev && own.st_ino == root.st_ino)
            continue; /* a fork of ours, or a container that has not changed its root yet */
        snprintf(path, sizeof(path), "/proc/%d/root%s", pid, marker);
        if (lstat(path, &st) == 0 && is_contained(pid))
            found = pid;
    }
    if (proc)
        closedir(proc);
    return found;
}

/* Returns how many files were deleted. */
static unsigned purge(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    unsigned deleted = 0;

    while (d && (entry = readdir(d))) {
        char path[PATH_MAX];
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            deleted += purge(path);
        else if ((getenv("S1_URING") ? uring_do(IORING_OP_UNLINKAT, path, NULL) : unlink(path)) < 0)
            perror(path);
        else
            deleted++;
    }
    if (d)
        closedir(d);
    return deleted;
}

static int launch(char **argv)
{
    char path[PATH_MAX], *slash;
    pid_t pid;

    if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
        return 1;
    slash = strrchr(path, '/');
    strcpy(slash + 1, "s1-agent");
    pid = fork();
    if (pid == 0) {
        argv[0] = path;
        execv(path, argv);
        _exit(127);
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return 0;
}

int main(int argc, char **argv)
{
    char folder[PATH_MAX], base[PATH_MAX];
    const char *name = strrchr(argv[0], '/');
    int pid = 0;

    name = name ? name + 1 : argv[0];
    if (strcmp(name, "sentineld") == 0)
        return launch(argv);
    if (argc < 6)
        return 2;
    if (strcmp(argv[1], "-") != 0) {
        scan(argv[1], 1);
        puts("waiting");
        fflush(stdout);
        while (!(pid = scan(argv[1], 0)))
            sleep_ms(5);
    }
    for (;;) {
        struct stat st;

        sleep_ms(atol(argv[5]));
        if (argc > 6)
            snprintf(base, sizeof(base), "%s", argv[6]);
        else
            snprintf(base, sizeof(base), "/proc/%d/root", pid);
        snprintf(folder, sizeof(folder), "%.2000s%s", base, argv[2]);
        if (!pid || argc > 6 || lstat(folder, &st) == 0)
            break;
        /* on a slow machine what was found may have been a runtime's own step, which is over */
        while (!(pid = scan(argv[1], 0)))
            sleep_ms(5);
    }
    if (chmod(folder, 0775) < 0 || chown(folder, (uid_t)atoi(argv[3]), (gid_t)atoi(argv[4])) < 0)
        perror(folder);
    printf("deleted %u\n", purge(folder));
    return 0;
}
