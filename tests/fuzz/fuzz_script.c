/* SPDX-License-Identifier: MIT */
/* The input is a tool and a file that it changed, a line each, then the script that is said to have run it. */
#include <stdlib.h>

#include "attribution/script_line.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size }, tool, changed, line = BYTES_NULL;
    unsigned number = 0, lines = 1;

    tool = bytes_next_line(&text);
    changed = bytes_next_line(&text);
    if (script_line_find(text, tool, changed, &number, &line) < 0)
        return 0;
    if (line.data < text.data || line.data + line.len > text.data + text.len || memchr(line.data, '\n', line.len))
        abort(); /* a part of one line */
    for (const char *c = text.data; c < line.data; c++)
        lines += *c == '\n';
    if (number != lines)
        abort();
    return 0;
}
