/* SPDX-License-Identifier: MIT */
#include "util/base64.h"

#include <errno.h>
#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct sbuf *out, struct bytes data)
{
    size_t len = (data.len + 2) / 3 * 4;
    char *at = sbuf_room(out, len);

    if (!at)
        return;
    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        uint32_t three = (uint32_t)(uint8_t)data.data[i] << 16 | (left > 1 ? (uint32_t)(uint8_t)data.data[i + 1] << 8 : 0) |
                         (left > 2 ? (uint8_t)data.data[i + 2] : 0);

        *at++ = letters[three >> 18];
        *at++ = letters[three >> 12 & 63];
        *at++ = left > 1 ? letters[three >> 6 & 63] : '=';
        *at++ = left > 2 ? letters[three & 63] : '=';
    }
    sbuf_added(out, len);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int base64_read(struct bytes text, struct sbuf *out)
{
    char *at = sbuf_room(out, text.len / 4 * 3 + 1);
    size_t len = 0;

    if (!at)
        return -ENOMEM;
    if (text.len % 4)
        return -EBADMSG;
    for (size_t i = 0; i < text.len; i += 4) {
        const char *four = text.data + i;
        bool last = i + 4 == text.len;
        unsigned pads = last && four[3] == '=' ? (four[2] == '=' ? 2 : 1) : 0;
        uint32_t three = 0;

        for (unsigned k = 0; k < 4; k++) {
            int value = k >= 4 - pads ? 0 : value_of(four[k]);

            if (value < 0)
                return -EBADMSG;
            three = three << 6 | (uint32_t)value;
        }
        at[len++] = (char)(three >> 16);
        if (pads < 2)
            at[len++] = (char)(three >> 8);
        if (pads < 1)
            at[len++] = (char)three;
    }
    sbuf_added(out, len);
    return 0;
}
