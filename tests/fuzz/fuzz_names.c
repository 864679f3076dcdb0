/* SPDX-License-Identifier: MIT */
/* The input is a container's passwd or group file, and the map of its user namespace. */
#include <stdlib.h>

#include "attribution/passwd.h"
#include "attribution/users.h"
#include "fuzz.h"

/* What was picked is read again as the same: nothing in a name makes another line or field of it. */
static void pick_again(struct bytes picked)
{
    struct sbuf again = SBUF_INIT;

    passwd_pick(picked, &again);
    if (!bytes_equal(sbuf_bytes(&again), picked))
        abort();
    sbuf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = { (const char *)data, size };
    struct sbuf picked = SBUF_INIT;

    passwd_pick(text, &picked);
    if (picked.len > 16 * size)
        abort();
    pick_again(sbuf_bytes(&picked));
    sbuf_done(&picked);
    (void)users_map(text, 0);
    (void)users_map(text, 101000);
    (void)users_map(text, UINT32_MAX);
    return 0;
}
