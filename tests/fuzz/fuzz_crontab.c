/* SPDX-License-Identifier: MIT */
/* The input is a command on the first line, then a crontab: a user's own, and one that names users. */
#include <stdlib.h>

#include "attribution/crontab.h"
#include "fuzz.h"

static void read_table(struct bytes table, bool with_user, struct bytes command)
{
    struct bytes rest = table, line;

    while ((line = crontab_next(&rest, with_user, bytes_of("root"), command)).len)
        if (line.data < table.data || line.data + line.len > rest.data || memchr(line.data, '\n', line.len))
            abort(); /* one whole line, before what is left */
    if (rest.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
    struct bytes command, table;

    if (!end)
        return 0;
    command = (struct bytes){ text, (size_t)(end - text) };
    table = (struct bytes){ end + 1, size - command.len - 1 };
    read_table(table, false, command);
    read_table(table, true, command);
    return 0;
}
