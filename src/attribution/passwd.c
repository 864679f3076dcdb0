/* SPDX-License-Identifier: MIT */
#include "attribution/passwd.h"

#include "util/limits.h"
#include "util/parse.h"

/* The next line name:password:id:... that has both; false: there is none. */
static bool next_name(struct bytes *text, struct bytes *ret_name, uint32_t *ret_id)
{
    while (text->len) {
        struct bytes line = bytes_next_line(text);

        *ret_name = bytes_next_field(&line, ':');
        (void)bytes_next_field(&line, ':');
        if (ret_name->len && ret_name->len <= LIMIT_NAME && parse_u32(bytes_next_field(&line, ':'), 10, ret_id) == 0)
            return true;
    }
    return false;
}

struct bytes passwd_find(struct bytes text, uint32_t id)
{
    struct bytes name;
    uint32_t this_id;

    while (next_name(&text, &name, &this_id))
        if (this_id == id)
            return name;
    return BYTES_NULL;
}

void passwd_pick(struct bytes text, struct sbuf *out)
{
    struct bytes name;
    uint32_t id;

    while (next_name(&text, &name, &id)) {
        sbuf_add_bytes(out, name);
        sbuf_addf(out, ":x:%u\n", id);
    }
}
