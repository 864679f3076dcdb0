/* SPDX-License-Identifier: MIT */
#include "restore/host_text.h"

#include <fcntl.h>

#include "util/beneath.h"
#include "util/cleanup.h"

struct bytes host_text(struct arena *arena, const char *path, size_t max)
{
    _cleanup_close_ int at = beneath_open_host(bytes_of(path), 0, O_PATH), fd = at < 0 ? at : beneath_reopen_file(at);
    _cleanup_free_ char *data = NULL;
    size_t len = 0;

    if (fd < 0 || beneath_read_fd(fd, max, &data, &len) < 0 || !len)
        return BYTES_NULL;
    return arena_copy(arena, (struct bytes){ data, len });
}
