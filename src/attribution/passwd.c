/* SPDX-License-Identifier: MIT */
#include "attribution/passwd.h"

#include "util/limits.h"
#include "util/parse.h"

/* name:password:id:...; the first of an id counts. */
struct bytes passwd_find(struct bytes text, uint32_t id)
{
    while (text.len) {
        struct bytes line = bytes_next_line(&text), name = bytes_next_field(&line, ':');
        uint32_t this_id;

        (void)bytes_next_field(&line, ':');
        if (name.len && name.len <= LIMIT_NAME && parse_u32(bytes_next_field(&line, ':'), 10, &this_id) == 0 &&
            this_id == id)
            return name;
    }
    return BYTES_NULL;
}

void passwd_pick(struct bytes text, struct sbuf *out)
{
    while (text.len) {
        struct bytes line = bytes_next_line(&text), name = bytes_next_field(&line, ':');
        uint32_t id;

        (void)bytes_next_field(&line, ':');
        if (!name.len || name.len > LIMIT_NAME || parse_u32(bytes_next_field(&line, ':'), 10, &id) < 0)
            continue;
        sbuf_add_bytes(out, name);
        sbuf_addf(out, ":x:%u\n", id);
    }
}
