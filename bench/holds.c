/* SPDX-License-Identifier: MIT */
/*
 * holds DIRECTORY [FILES] [KIB]: what it costs others that a file is held until it is copied: FILES (2,000) of KIB (64) are held in DIRECTORY, then each is opened
 * for reading, and for writing, which waits for its copy. Prints how soon all were held, what an open for reading takes beside one of a
 * file that is not held, and how long writers waited: also without the time in which both had no processor, which a busy machine makes long: that
 * counts. Exit status 1: more than is promised.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copies/holds.h"
#include "util/clock.h"

#define WAIT_MAX_MS 5 /* 99 of 100 writers, of files of at most WAIT_MAX_KIB */
#define WAIT_MAX_KIB 64
#define READ_MAX 1.10 /* the kernel looks at the lease, and asks nobody */
#define ROUNDS 15

static struct holds holds;
static unsigned long files = 2000, kib = 64;
static char directory[200];
static unsigned long kept, lost;

static void name_of(unsigned long i, const char *kind, char ret[300])
{
    snprintf(ret, 300, "%s/%s%lu", directory, kind, i);
}

static bool make(const char *path)
{
    static char block[1024];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    memset(block, 'x', sizeof(block));
    for (unsigned long i = 0; i < kib && fd >= 0; i++)
        if (write(fd, block, sizeof(block)) != sizeof(block))
            return false;
    return fd >= 0 && close(fd) == 0;
}

static bool hold(const char *path)
{
    struct copy_record record = { .time_ns = clock_ns(CLOCK_REALTIME) };
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return false;
    while ((r = holds_add(&holds, fd, bytes_of(path), &record, BYTES_NULL, &st, false)) == -EAGAIN)
        usleep(100);
    close(fd);
    return r == 0;
}

static void take_replies(void)
{
    struct holding_reply reply;
    struct hold *hold;

    while (holds_next(&holds, &hold, &reply)) {
        char path[400], name[HOLDING_NAME_SIZE];

        kept += reply.error == 0;
        lost += reply.error != 0;
        holding_name(hold->id, name);
        snprintf(path, sizeof(path), "%s/copies/%s", directory, name);
        (void)unlink(path);
        hold_free(hold);
    }
}

static void await_reached(uint64_t mark)
{
    (void)holds_reach(&holds, mark);
    while (holds.reached != mark) {
        struct pollfd ready = { .fd = holds.socket, .events = POLLIN };

        (void)poll(&ready, 1, 1000);
        take_replies();
    }
}

static double open_ns(const char *path)
{
    uint64_t begin = clock_ns(CLOCK_MONOTONIC);

    close(open(path, O_RDONLY | O_CLOEXEC));
    return (double)(clock_ns(CLOCK_MONOTONIC) - begin);
}

static int by_size(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

/* Medians of what both took in turn. */
static bool readers_pay_little(void)
{
    unsigned long count = files * ROUNDS;
    double *held = calloc(count, sizeof(*held)), *plain = calloc(count, sizeof(*plain)), ratio;
    char path[300];

    for (unsigned long i = 0; i < count && held && plain; i++) {
        name_of(i % files, "held", path);
        held[i] = open_ns(path);
        name_of(i % files, "plain", path);
        plain[i] = open_ns(path);
    }
    if (!held || !plain)
        return false;
    qsort(held, count, sizeof(*held), by_size);
    qsort(plain, count, sizeof(*plain), by_size);
    ratio = held[count / 2] / plain[count / 2];
    printf("%-52s %9.0f ns, %.3f of one that is not held%s\n", "open for reading", held[count / 2], ratio, ratio <= READ_MAX ? "" : "   TOO MUCH");
    free(held);
    free(plain);
    return ratio <= READ_MAX;
}

/* For so long it was ready to run, and had no processor. */
static double starved_ns(pid_t pid)
{
    unsigned long long ran, waited = 0;
    char path[64];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
    f = fopen(path, "re");
    if (f && fscanf(f, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    if (f)
        fclose(f);
    return (double)waited;
}

static void print_waits(const char *what, double *waits, const char *remark)
{
    qsort(waits, files, sizeof(*waits), by_size);
    printf("%-52s %9.3f ms, 99 of 100 %.3f, longest %.3f%s\n", what, waits[files / 2], waits[files - 1 - files / 100], waits[files - 1], remark);
}

static bool writers_wait_briefly(void)
{
    double *waits = calloc(files, sizeof(*waits)), *all = calloc(files, sizeof(*all));
    char path[300];
    bool brief;

    if (!waits || !all)
        return false;
    for (unsigned long i = 0; i < files; i++) {
        double starved = starved_ns(getpid()) + starved_ns(holds.pid);
        uint64_t begin = clock_ns(CLOCK_MONOTONIC);
        int fd;

        name_of(i, "held", path);
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        all[i] = (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6;
        starved = starved_ns(getpid()) + starved_ns(holds.pid) - starved;
        waits[i] = all[i] > starved / 1e6 ? all[i] - starved / 1e6 : 0;
        close(fd);
        take_replies();
    }
    print_waits("open for writing waits for the copy, median", all, "");
    qsort(waits, files, sizeof(*waits), by_size);
    brief = kib > WAIT_MAX_KIB || waits[files - 1 - files / 100] <= WAIT_MAX_MS;
    print_waits("the same with a processor", waits, brief ? "" : "   TOO MUCH");
    free(waits);
    free(all);
    return brief;
}

int main(int argc, char **argv)
{
    char path[300];
    uint64_t begin;
    bool good = true;
    int copies;

    files = argc > 2 ? strtoul(argv[2], NULL, 10) : files;
    kib = argc > 3 ? strtoul(argv[3], NULL, 10) : kib;
    if (argc < 2 || !files || snprintf(directory, sizeof(directory), "%s", argv[1]) >= (int)sizeof(directory)) {
        fprintf(stderr, "holds DIRECTORY [FILES] [KIB]\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/copies", directory);
    (void)mkdir(path, 0700);
    copies = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned long i = 0; i < files && good; i++) {
        name_of(i, "held", path);
        good = make(path);
        name_of(i, "plain", path);
        good = good && make(path);
    }
    if (!good || copies < 0 || holds_begin(&holds, copies) < 0) {
        fprintf(stderr, "%s: cannot be used\n", directory);
        return 2;
    }
    begin = clock_ns(CLOCK_MONOTONIC);
    for (unsigned long i = 0; i < files && good; i++) {
        name_of(i, "held", path);
        good = hold(path);
    }
    await_reached(1);
    printf("%-52s %9.1f ms, %.1f us a file; %lu of %lu KiB\n", "all are held", (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6,
        (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e3 / (double)files, files, kib);
    good = readers_pay_little() && good;
    good = writers_wait_briefly() && good;
    await_reached(2);
    printf("%-52s %9lu of %lu\n", "contents from before", kept, files);
    holds_end(&holds);
    return good && kept == files && !lost ? 0 : 1;
}
