/* SPDX-License-Identifier: MIT */
#include "util/json_writer.h"

#include <inttypes.h>
#include <time.h>

#include "util/escape.h"
#include "util/macro.h"

void json_key_slowly(struct sbuf *out, struct bytes key)
{
    size_t comma = json_is_first(out);

    sbuf_add(out, key.data + comma, key.len - comma);
}

void json_key_of(struct sbuf *out, const char *name)
{
    sbuf_addf(out, "%s\"%s\":", json_is_first(out) ? "" : ",", name);
}

bool json_string(struct sbuf *out, struct bytes key, struct bytes value)
{
    json_key(out, key);
    return escape_json(out, value);
}

void json_bytes(struct sbuf *out, struct bytes key, struct bytes value)
{
    if (value.len)
        (void)json_string(out, key, value);
}

void json_second(struct sbuf *out, struct bytes key, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_S);
    char text[40];
    struct tm tm;

    if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        (void)json_string(out, key, bytes_of(text));
}

void json_number(struct sbuf *out, struct bytes key, uint64_t value)
{
    json_key(out, key);
    if (value < 10) /* most users are root */
        sbuf_add_char(out, (char)('0' + value));
    else
        sbuf_add_decimal(out, value);
}

void json_signed(struct sbuf *out, struct bytes key, int64_t value)
{
    json_key(out, key);
    sbuf_addf(out, "%" PRId64, value);
}

void json_bool(struct sbuf *out, struct bytes key, bool value)
{
    json_key(out, key);
    sbuf_add_str(out, value ? "true" : "false");
}

void json_flag(struct sbuf *out, struct bytes key, bool set)
{
    if (set)
        json_bool(out, key, true);
}

void json_fraction(struct sbuf *out, struct bytes key, double value, int digits)
{
    json_key(out, key);
    sbuf_addf(out, "%.*f", digits, value);
}

void json_hex(struct sbuf *out, struct bytes key, struct bytes value)
{
    json_key(out, key);
    sbuf_add_char(out, '"');
    escape_hex(out, value);
    sbuf_add_char(out, '"');
}

void json_element(struct sbuf *out, struct bytes value)
{
    if (!json_is_first(out))
        sbuf_add_char(out, ',');
    (void)escape_json(out, value);
}
