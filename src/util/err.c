/* SPDX-License-Identifier: MIT */
#include "util/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *format, ...)
{
    va_list ap;
    int n;

    if (code >= 0)
        code = -EINVAL;
    if (!err)
        return code;
    va_start(ap, format);
    n = vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->text))
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", strerror(-code));
    return code;
}

int err_say(struct err *err, int code, const char *format, ...)
{
    va_list ap;

    if (code >= 0)
        code = -EINVAL;
    if (!err)
        return code;
    va_start(ap, format);
    vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
    return code;
}

int err_prefix(struct err *err, int code, const char *format, ...)
{
    char old[LIMIT_ERR];
    va_list ap;
    int n;

    if (!err)
        return code;
    snprintf(old, sizeof(old), "%s", err_text(err, code));
    va_start(ap, format);
    n = vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof(err->text))
        snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %.*s",
                 (int)(sizeof(err->text) - (size_t)n), old);
    return code;
}

const char *err_text(const struct err *err, int code)
{
    if (err && err->text[0])
        return err->text;
    return strerror(code < 0 ? -code : code);
}

const char *errno_name(int number)
{
    return number > 0 ? strerrorname_np(number) : NULL;
}

