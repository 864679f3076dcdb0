/* SPDX-License-Identifier: MIT */
/* calls getppid|open N [FILE]: N system calls that change nothing; open: of /, or FILE, and closed again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    long n = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
    int opens = argc >= 3 && strcmp(argv[1], "open") == 0;

    if (n <= 0) {
        fprintf(stderr, "calls getppid|open N [FILE]\n");
        return 2;
    }
    for (long i = 0; i < n; i++) {
        int fd = opens ? open(argc > 3 ? argv[3] : "/", O_RDONLY | O_CLOEXEC) : (int)syscall(SYS_getppid);

        if (opens && (fd < 0 || close(fd) < 0))
            return 1;
    }
    return 0;
}
