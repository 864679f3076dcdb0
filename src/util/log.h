/* SPDX-License-Identifier: MIT */
/*
 * Libraries do not print: a log is a callback that cli/ or daemon/ hands down.
 * A failure is returned or logged, never both; a warning ends in what is done now.
 */
#pragma once

#include "util/macro.h"

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
};

struct log {
    enum log_level level; /* less urgent messages are not formatted */
    void (*message)(void *data, enum log_level level, const char *text);
    void *data;
};

/* log == NULL is fine. The text is one line without a newline; foreign bytes in it must have been
 * escaped by the caller (util/escape.h). */
void log_message(const struct log *log, enum log_level level, const char *format, ...)
    _printf_(3, 4);

#define log_debug(log, ...) log_message(log, LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(log, ...) log_message(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(log, ...) log_message(log, LOG_LEVEL_WARNING, __VA_ARGS__)
