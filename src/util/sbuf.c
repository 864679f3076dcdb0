/* SPDX-License-Identifier: MIT */
#include "util/sbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void sbuf_done(struct sbuf *s)
{
    free(s->data);
    *s = SBUF_INIT;
}

void sbuf_clear(struct sbuf *s)
{
    s->len = 0;
    s->error = 0;
    if (s->data)
        s->data[0] = '\0';
}

int sbuf_error(const struct sbuf *s)
{
    return s->error;
}

const char *sbuf_str(const struct sbuf *s)
{
    return s->data ? s->data : "";
}

struct bytes sbuf_bytes(const struct sbuf *s)
{
    return (struct bytes){ sbuf_str(s), s->len };
}

char *sbuf_steal(struct sbuf *s)
{
    char *data = NULL;

    if (!s->error) {
        if (!s->data)
            sbuf_add(s, "", 0);
        data = TAKE_PTR(s->data);
    }
    sbuf_done(s);
    return data;
}

static bool fail(struct sbuf *s)
{
    s->error = -ENOMEM;
    s->size = s->len;
    return false;
}

static bool sbuf_reserve(struct sbuf *s, size_t more)
{
    size_t need, size = s->size ? s->size : 128;
    char *data;

    if (s->error)
        return false;
    if (__builtin_add_overflow(s->len, more, &need) || __builtin_add_overflow(need, 1, &need))
        return fail(s);
    if (need <= s->size)
        return true;
    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    data = realloc(s->data, size);
    if (!data)
        return fail(s);
    s->data = data;
    s->size = size;
    return true;
}

void sbuf_add_slowly(struct sbuf *s, const char *data, size_t len)
{
    if (!sbuf_reserve(s, len))
        return;
    if (len)
        memcpy(s->data + s->len, data, len);
    s->len += len;
    s->data[s->len] = '\0';
}

void sbuf_add_text(struct sbuf *s, const char *text)
{
    sbuf_add(s, text, strlen(text));
}

void sbuf_fill(struct sbuf *s, char c, size_t count)
{
    if (!sbuf_reserve(s, count))
        return;
    memset(s->data + s->len, c, count);
    s->len += count;
    s->data[s->len] = '\0';
}

void sbuf_add_decimal(struct sbuf *s, uint64_t value)
{
    static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    char text[20]; /* digits of UINT64_MAX */
    size_t at = sizeof(text);

    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(text + at, pairs + value % 100 * 2, 2);
    }
    if (value >= 10)
        text[--at] = pairs[value * 2 + 1];
    text[--at] = value >= 10 ? pairs[value * 2] : (char)('0' + value);
    sbuf_add(s, text + at, sizeof(text) - at);
}

void sbuf_addf(struct sbuf *s, const char *format, ...)
{
    char text[256];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n < sizeof(text)) {
        sbuf_add(s, text, (size_t)n);
        return;
    }
    if (!sbuf_reserve(s, (size_t)n))
        return;
    va_start(ap, format);
    vsnprintf(s->data + s->len, (size_t)n + 1, format, ap);
    va_end(ap);
    s->len += (size_t)n;
}

char *sbuf_room(struct sbuf *s, size_t len)
{
    return sbuf_reserve(s, len) ? s->data + s->len : NULL;
}

void sbuf_added(struct sbuf *s, size_t len)
{
    s->len += len;
    s->data[s->len] = '\0';
}

int sbuf_add_file(struct sbuf *s, int fd, size_t max)
{
    char buffer[16384];
    ssize_t n;

    while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (s->len + (size_t)n > max)
            return -EFBIG;
        sbuf_add(s, buffer, (size_t)n);
    }
    return sbuf_error(s);
}

void sbuf_truncate(struct sbuf *s, size_t len)
{
    if (len < s->len) {
        s->len = len;
        s->data[len] = '\0';
        if (s->error)
            s->size = len;
    }
}
