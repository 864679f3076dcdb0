/* SPDX-License-Identifier: MIT */
/* The input is a log file, compressed or not: it is read to its end, or refused. */
#include <stdlib.h>

#include "fuzz.h"
#include "sensor/audit/log/source.h"

#define ENOUGH (64 << 20) /* a few bytes may unpack to terabytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_log_source *source;
    struct err err = ERR_INIT;
    char buffer[5000];
    int64_t n, total = 0;

    if (audit_log_source_open_memory((struct bytes){ (const char *)data, size }, &source, &err) < 0)
        return 0;
    while ((n = audit_log_source_read(source, buffer, sizeof(buffer), &err)) > 0 && total < ENOUGH)
        total += n;
    if (n < 0 && !err.text[0])
        abort();
    audit_log_source_close(source);
    return 0;
}
