/* SPDX-License-Identifier: MIT */
#include "search/format_text.h"

#include <string.h>

#include "sensor/audit/record.h"

/* ausearch's output is defined by %x, which some locales write with two digits of the year. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
const char *format_when(const char *format, const struct tm *tm, char *buffer, size_t size)
{
    if (!tm || strftime(buffer, size, format, tm) == 0)
        buffer[0] = '\0';
    return buffer;
}
#pragma GCC diagnostic pop

void format_raw_record(const struct search_event *event, const struct search_record *record,
                       struct sbuf *out)
{
    static const char separator = AUDIT_ENRICHED_SEPARATOR;

    sbuf_add_bytes(out, record->text);
    /* ausearch ends each record of an enriched event so, also those without names of their own */
    if (event->enriched)
        sbuf_add(out, &separator, 1);
    sbuf_add_bytes(out, record->enriched);
    sbuf_add_char(out, '\n');
}

static const char *special(enum search_escape mode)
{
    return mode == SEARCH_ESCAPE_SHELL ? "\"'`$\\!()| " : "\"'`$\\!()| ;#&*?[]<>{}";
}

/* Bytes from `i` on that no mode escapes for being control characters: eight at a time. */
static size_t skip_printable(struct bytes text, size_t i)
{
    static const uint64_t ones = 0x0101010101010101;
    uint64_t word;

    for (; i + sizeof(word) <= text.len; i += sizeof(word)) {
        memcpy(&word, text.data + i, sizeof(word));
        if ((word - ones * 32) & ~word & ones * 128) /* one of them is less than 32 */
            break;
    }
    return i;
}

void format_escaped(enum search_escape mode, struct bytes text, struct sbuf *out)
{
    const char *set = mode == SEARCH_ESCAPE_SHELL || mode == SEARCH_ESCAPE_SHELL_QUOTE ? special(mode) : "";
    size_t done = 0;

    for (size_t i = 0; i < text.len && mode != SEARCH_ESCAPE_RAW; i++) {
        unsigned char c;

        if (!*set && i % 8 == 0 && (i = skip_printable(text, i)) == text.len)
            break;
        c = (unsigned char)text.data[i];
        if (c >= 32 && (!*set || !strchr(set, c)))
            continue;
        sbuf_add(out, text.data + done, i - done);
        done = i + 1;
        if (c < 32)
            sbuf_add(out, (char[4]){ '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7)) }, 4);
        else
            sbuf_add(out, (char[2]){ '\\', (char)c }, 2);
    }
    sbuf_add(out, text.data + done, text.len - done);
}
