/* SPDX-License-Identifier: MIT */
/*
 * churn DIRECTORY CHANGES FORKS SECONDS: so many changes of files and so many programs a second, evenly, of which
 * nothing is left: what a watch remembers of it must not grow. Prints how many it came to.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Five of them make a file, change it in every way, and take it away. */
static int change(long i)
{
    char made[64], moved[64];
    long k = i / 5;
    int fd;

    snprintf(made, sizeof(made), "d%ld/made-%ld", k % 50, k);
    snprintf(moved, sizeof(moved), "d%ld/moved-%ld", (k + 1) % 50, k);
    switch (i % 5) {
    case 0:
        fd = open(made, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        return fd < 0 ? -1 : close(fd);
    case 1:
        return chmod(made, 0640);
    case 2:
        return rename(made, moved);
    case 3:
        return truncate(moved, 10);
    default:
        return unlink(moved);
    }
}

/* Every eighth program makes a directory, and as many remove one that was made a moment ago; the others do nothing. */
static int program(long i)
{
    char name[64], *nothing[] = { (char *)"true", NULL };
    char *make[] = { (char *)"mkdir", name, NULL }, *remove[] = { (char *)"rmdir", name, NULL };
    char **args = i % 8 == 0 ? make : i % 8 == 4 && i >= 40 ? remove : nothing;
    long k = args == remove ? i / 8 - 4 : i / 8;
    pid_t pid;

    snprintf(name, sizeof(name), "d%ld/t%ld", k % 50, k);
    errno = posix_spawnp(&pid, args[0], NULL, NULL, args, environ);
    return errno ? -1 : 0;
}

int main(int argc, char **argv)
{
    long changes = argc > 4 ? atol(argv[2]) : 0, programs = argc > 4 ? atol(argv[3]) : 0, i = 0, n = 0;
    double begin = seconds(), end = argc > 4 ? atof(argv[4]) : 0, now;

    if (argc < 5 || chdir(argv[1]) < 0) {
        fprintf(stderr, "usage: churn DIRECTORY CHANGES FORKS SECONDS\n");
        return 2;
    }
    for (int d = 0; d < 50; d++) {
        char name[16];

        snprintf(name, sizeof(name), "d%d", d);
        if (mkdir(name, 0755) < 0 && errno != EEXIST)
            return 1;
    }
    while ((now = seconds() - begin) < end) {
        for (; i < (long)(now * (double)changes); i++)
            if (change(i) < 0)
                return perror("churn"), 1;
        for (; n < (long)(now * (double)programs); n++)
            if (program(n) < 0)
                return perror("churn"), 1;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        usleep(2000);
    }
    while (wait(NULL) > 0)
        ;
    printf("%ld changes, %ld programs\n", i, n);
    return 0;
}
