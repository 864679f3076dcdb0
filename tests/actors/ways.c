/* SPDX-License-Identifier: MIT */
/*
 * ways FOLDER OUTSIDE [-t TREE]... [-k WORD]: everything that can be done to the files of FOLDER, one after the other. Opens first
 * what is to be older than a guard, says "prepared" and waits for a line. Then for each way a line: "NAME denied" (EPERM, and the
 * digest of FOLDER and each TREE is what it was), "NAME passed", "NAME changed", "NAME none" (not on this kernel or file system),
 * "NAME failed ERRNO"; and of uses that must go on: "NAME works" or "NAME kept out". -m: makes FOLDER's files first. -l: a hard link
 * of one is made outside.
 */
#include "ways.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TREES_MAX 8
#define WAY_SECONDS 60

const char *G, *O;
int old_write = -1, old_read = -1, old_folder = -1;
char *old_map, *old_read_map;
static const char *trees[TREES_MAX];
static unsigned tree_count;

static const char *below(const char *folder, const char *name)
{
    static char paths[8][4096];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

const char *in(const char *name)
{
    return below(G, name);
}

const char *out(const char *name)
{
    return below(O, name);
}

int put(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644), r;

    if (fd < 0)
        return -errno;
    r = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* ---- what must go on ---- */

static int use_read(void)
{
    char bytes[8];
    int fd = open(in("f"), O_RDONLY);

    return fd < 0 || read(fd, bytes, sizeof(bytes)) <= 0 ? -errno : 0;
}

static int use_exec(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execl(in("x"), "x", (char *)NULL);
        _exit(errno);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static int use_private_map(void)
{
    int fd = open(in("f"), O_RDONLY);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    if (p == MAP_FAILED)
        return -errno;
    p[0] = 'x';
    return 0;
}

static int use_outside(void)
{
    return put(out("free"), "x");
}

static int use_list(void)
{
    DIR *dir = opendir(G);
    unsigned count = 0;

    while (dir && readdir(dir))
        count++;
    return count ? closedir(dir) : -errno;
}

static int use_lock(void)
{
    struct flock lock = { .l_type = F_RDLCK };
    int fd = open(in("f"), O_RDONLY);

    return fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

static const struct way uses[] = {
    { "use_read", use_read },       { "use_exec", use_exec }, { "use_private_map", use_private_map },
    { "use_outside", use_outside }, { "use_list", use_list }, { "use_lock", use_lock },
    { NULL, NULL },
};

/* ---- one after the other ---- */

static uint64_t digest(void)
{
    uint64_t d = tree_digest(0, G);

    for (unsigned i = 0; i < tree_count; i++)
        d = tree_digest(d, trees[i]);
    return d;
}

static int run(const struct way *w)
{
    int pipes[2], r = -ECHILD;
    pid_t pid;

    if (pipe(pipes) < 0)
        return -errno;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        alarm(WAY_SECONDS);
        r = w->try();
        _exit(write(pipes[1], &r, sizeof(r)) != (ssize_t)sizeof(r));
    }
    close(pipes[1]);
    if (pid < 0 || read(pipes[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
        r = -ECHILD;
    close(pipes[0]);
    (void)waitpid(pid, NULL, 0);
    return r;
}

/* What a way that passed had mounted hides the tree from those that follow. */
static void unmount_all(void)
{
    char parent[4096];
    const char *slash = strrchr(G, '/');

    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - G), G);
    (void)umount2(in("f"), MNT_DETACH);
    (void)umount2(G, MNT_DETACH);
    (void)umount2(parent, MNT_DETACH);
}

static void try_way(const struct way *w)
{
    uint64_t before, after;
    int r;

    (void)put(out("v"), "victim");
    before = digest();
    r = run(w);
    if (r == 0 && strstr(w->name, "over"))
        unmount_all();
    after = digest();
    if (before != after)
        printf("%s changed (%s)\n", w->name, strerror(-r));
    else if (r == 0)
        printf("%s passed\n", w->name);
    else if (r == -ENOTSUP || r == -EOPNOTSUPP || r == -ENOTTY || r == -ENOSYS)
        printf("%s none\n", w->name);
    else if (r == -EPERM || r == -EACCES)
        printf("%s denied\n", w->name);
    else
        printf("%s failed %s\n", w->name, strerror(-r));
}

static void try_use(const struct way *w)
{
    int r = run(w);

    printf("%s %s\n", w->name, r == 0 ? "works" : "kept out");
}

static void prepare(void)
{
    old_write = open(in("f"), O_RDWR);
    old_read = open(in("f"), O_RDONLY);
    old_folder = open(G, O_RDONLY | O_DIRECTORY);
    old_map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, old_write, 0);
    old_read_map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, old_write, 0);
    old_map = old_map == MAP_FAILED ? NULL : old_map;
    old_read_map = old_read_map == MAP_FAILED ? NULL : old_read_map;
    tree_handle(in("sub/deep/f"));
}

static void each(const struct way *rows, const char *word, void (*what)(const struct way *w))
{
    for (; rows->name; rows++)
        if (!word || strstr(rows->name, word))
            what(rows);
}

int main(int argc, char **argv)
{
    const char *word = NULL;
    bool make = false, hard = false;
    char line[16];
    int c;

    while ((c = getopt(argc, argv, "t:k:ml")) != -1)
        switch (c) {
        case 't':
            if (tree_count < TREES_MAX)
                trees[tree_count++] = optarg;
            break;
        case 'k':
            word = optarg;
            break;
        case 'm':
            make = true;
            break;
        case 'l':
            hard = true;
            break;
        default:
            return 2;
        }
    if (argc - optind != 2)
        return 2;
    G = argv[optind];
    O = argv[optind + 1];
    if (make && tree_make(G) < 0) {
        perror(G);
        return 1;
    }
    if (hard && link(in("f"), out("hl")) < 0 && errno != EEXIST)
        perror(out("hl"));
    prepare();
    printf("prepared\n");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 1;
    each(ways_names, word, try_way);
    each(ways_contents, word, try_way);
    each(uses, word, try_use);
    return 0;
}
