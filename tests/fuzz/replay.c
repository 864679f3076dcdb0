/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over each file of a directory: corpus and old findings, without a fuzzer. One that takes more than ten
 * seconds of the processor is a failure as well: whoever makes such a file stops us.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz.h"

#define SECONDS_MAX 10

static void too_slow(int number)
{
    static const char text[] = "the last input named takes too long\n";

    (void)number;
    _exit(write(STDERR_FILENO, text, sizeof(text) - 1) > 0 ? 1 : 2);
}

static void arm(void)
{
    const struct itimerval at = { .it_value = { .tv_sec = SECONDS_MAX } };

    (void)signal(SIGPROF, too_slow);
    (void)setitimer(ITIMER_PROF, &at, NULL);
}

static int replay(const char *dir, const char *name)
{
    char path[4096];
    uint8_t *data = NULL;
    size_t size = 0, got;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "re");
    if (!f) {
        perror(path);
        return -1;
    }
    do {
        uint8_t *more = realloc(data, size + 65536);

        if (!more)
            abort();
        data = more;
        got = fread(data + size, 1, 65536, f);
        size += got;
    } while (got > 0);
    fclose(f);
    fprintf(stderr, "%s\n", name);
    arm();
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    struct dirent *entry;
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;

    if (!d) {
        fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay(argv[1], entry->d_name) < 0)
            return 1;
        count++;
    }
    closedir(d);
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
