/* SPDX-License-Identifier: MIT */
#include "sensor/bpf/below.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define MOUNT_POINT 4 /* the field's index, from 0 */

/* Blanks, tabs, newlines and backslashes are written in octal. */
static void add_unescaped(struct sbuf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *c = text.data + i;

        if (text.len - i > 3 && c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] >= '0' && c[2] <= '7' &&
            c[3] >= '0' && c[3] <= '7') {
            sbuf_add_char(out, (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0')));
            i += 3;
        } else {
            sbuf_add_char(out, *c);
        }
    }
}

static struct bytes field(struct bytes line, unsigned index)
{
    for (;; index--) {
        const char *blank = line.len ? memchr(line.data, ' ', line.len) : NULL;
        size_t len = blank ? (size_t)(blank - line.data) : line.len;

        if (index == 0)
            return (struct bytes){ line.data, len };
        if (!blank)
            return BYTES_NULL;
        line = (struct bytes){ blank + 1, line.len - len - 1 };
    }
}

int bpf_mounts_parse(struct bytes mountinfo, struct bytes path, struct sbuf *out)
{
    int count = 0;

    while (mountinfo.len) {
        const char *newline = memchr(mountinfo.data, '\n', mountinfo.len);
        size_t len = newline ? (size_t)(newline - mountinfo.data) : mountinfo.len;
        struct bytes at = field((struct bytes){ mountinfo.data, len }, MOUNT_POINT), point;
        size_t before = out->len;

        mountinfo = (struct bytes){ mountinfo.data + len + (newline != NULL), mountinfo.len - len - (newline != NULL) };
        add_unescaped(out, at);
        point = (struct bytes){ sbuf_bytes(out).data + before, out->len - before };
        if (point.len > path.len && bytes_path_covers(path, point)) {
            sbuf_add_char(out, '\0');
            count++;
        } else {
            sbuf_truncate(out, before);
        }
    }
    return sbuf_error(out) ? -ENOMEM : count;
}

int bpf_mounts_below(struct bytes path, struct sbuf *out)
{
    _cleanup_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char buffer[16384];
    ssize_t n;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        sbuf_add(&text, buffer, (size_t)n);
    if (n < 0)
        return -errno;
    return sbuf_error(&text) ? -ENOMEM : bpf_mounts_parse(sbuf_bytes(&text), path, out);
}
