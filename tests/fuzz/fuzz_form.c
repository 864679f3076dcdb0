/* SPDX-License-Identifier: MIT */
/* The input is the beginning of a log in any form: what comes out is lines, each a record's or passed on whole. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sensor/audit/log/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct audit_form form = { .now = 1795480000 };
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;

    (void)audit_form_is_foreign(text, form.now);
    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len);
        struct bytes line = { text.data, newline ? (size_t)(newline - text.data) : text.len };

        audit_form_line(&form, line, &out);
        text = newline ? (struct bytes){ newline + 1, text.len - line.len - 1 } : BYTES_NULL;
    }
    audit_form_end(&form, &out);
    if (out.len && out.data[out.len - 1] != '\n')
        abort(); /* what comes next would be joined to it */
    audit_form_done(&form);
    return 0;
}
