/* SPDX-License-Identifier: MIT */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_message(const struct log *log, enum log_level level, const char *format, ...)
{
    char text[2048];
    va_list ap;

    if (!log || !log->message || level < log->level)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    log->message(log->data, level, text);
}
