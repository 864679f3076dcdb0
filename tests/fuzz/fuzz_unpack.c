/* SPDX-License-Identifier: MIT */
/* The input is a log file, compressed or not: it is read to its end, or refused. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "sensor/audit/log/source.h"

#define ENOUGH (64 << 20) /* a few bytes may unpack to terabytes */

/* A log as culprit meets it: by its descriptor, read from its beginning. */
static int log_of(const uint8_t *data, size_t size)
{
    int fd = memfd_create("log", MFD_CLOEXEC);

    if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_log_source *source;
    struct err err = ERR_INIT;
    char buffer[5000];
    int64_t n, total = 0;

    if (audit_log_source_open(log_of(data, size), &source, &err) < 0)
        return 0;
    while ((n = audit_log_source_read(source, buffer, sizeof(buffer), &err)) > 0 && total < ENOUGH)
        total += n;
    if (n < 0 && !err.text[0])
        abort();
    audit_log_source_close(source);
    return 0;
}
