/* SPDX-License-Identifier: MIT */
/* The input is the beginning of a log in any form: what comes out is lines, each a record's or passed on whole. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sensor/audit/log/form.h"

static size_t lines(const struct sbuf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < out->len; i++)
        n += out->data[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct audit_form form = { .now = 1795480000 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    size_t before;
    unsigned count;

    (void)audit_form_is_foreign(text, form.now);
    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len);
        struct bytes line = { text.data, newline ? (size_t)(newline - text.data) : text.len };

        before = lines(&out);
        count = audit_form_line(&form, line, &out);
        if (lines(&out) > before + count + 2)
            abort(); /* a value became records: the end of an event, or a title that was kept, may come beside those */
        text = newline ? (struct bytes){ newline + 1, text.len - line.len - 1 } : BYTES_NULL;
    }
    audit_form_end(&form, &out);
    if (out.len && out.data[out.len - 1] != '\n')
        abort(); /* what comes next would be joined to it */
    audit_form_done(&form);
    return 0;
}
