/* SPDX-License-Identifier: MIT */
#include "util/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/parse.h"

#define TEXT_MAX (4 * 1024 * 1024)

int mountinfo_read(const char *path, struct sbuf *out)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t before = out->len;
    char buffer[16384];
    ssize_t n = 0;

    if (fd < 0)
        return -errno;
    while (out->len - before < TEXT_MAX && (n = read(fd, buffer, sizeof(buffer))) > 0)
        sbuf_add(out, buffer, (size_t)n);
    return n < 0 ? -errno : sbuf_error(out);
}

static uint64_t device_of(struct bytes text)
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    uint32_t hi = 0, lo = 0;

    if (!colon || parse_u32((struct bytes){ text.data, (size_t)(colon - text.data) }, 10, &hi) < 0 ||
        parse_u32((struct bytes){ colon + 1, text.len - (size_t)(colon - text.data) - 1 }, 10, &lo) < 0)
        return 0;
    return makedev(hi, lo);
}

bool mountinfo_next(struct bytes *text, struct mountinfo *ret)
{
    while (text->len) {
        const char *newline = memchr(text->data, '\n', text->len);
        struct bytes line = { text->data, newline ? (size_t)(newline - text->data) : text->len };
        size_t step = line.len + (newline ? 1 : 0);

        *text = (struct bytes){ text->data + step, text->len - step };
        *ret = (struct mountinfo){ 0 };
        if (parse_u64(bytes_next_field(&line, ' '), 10, &ret->id) < 0)
            ret->id = 0;
        (void)bytes_next_field(&line, ' '); /* the parent's id */
        ret->device = device_of(bytes_next_field(&line, ' '));
        ret->root = bytes_next_field(&line, ' ');
        ret->point = bytes_next_field(&line, ' ');
        ret->rest = line;
        if (ret->point.len)
            return true;
    }
    return false;
}

size_t mountinfo_unescape(struct bytes text, char *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        const char *c = text.data + i;

        if (text.len - i > 3 && c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] >= '0' && c[2] <= '7' &&
            c[3] >= '0' && c[3] <= '7') {
            ret[n++] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
            i += 3;
        } else {
            ret[n++] = *c;
        }
    }
    return n;
}

bool mountinfo_covers(const struct mountinfo *mount, struct bytes path)
{
    char point[PATH_MAX];

    return mount->point.len <= sizeof(point) &&
           bytes_path_covers((struct bytes){ point, mountinfo_unescape(mount->point, point) }, path);
}

/* The part after the "-", which cannot be an option or tag. */
struct bytes mountinfo_type(const struct mountinfo *mount)
{
    struct bytes rest = mount->rest;
    const char *dash = rest.len ? memmem(rest.data, rest.len, " - ", 3) : NULL;
    struct bytes type;

    if (rest.len > 1 && rest.data[0] == '-' && rest.data[1] == ' ')
        dash = rest.data - 1;
    if (!dash)
        return BYTES_NULL;
    type = (struct bytes){ dash + 3, rest.len - (size_t)(dash + 3 - rest.data) };
    return bytes_next_field(&type, ' ');
}

bool mountinfo_may_hang(const struct mountinfo *mount)
{
    static const char *const types[] = { "fuse", "fuseblk", "virtiofs", "nfs", "nfs4", "cifs", "smb3", "smbfs",
                                         "9p", "ceph", "afs", "lustre", "orangefs", "ocfs2", "gfs2", "gpfs",
                                         "beegfs", "pvfs2", "coda", "ncpfs", "vboxsf", "vmhgfs", "prl_fs",
                                         "autofs" };
    struct bytes type = mountinfo_type(mount);

    if (bytes_equal_str(mount->point, "/proc/sys/fs/binfmt_misc")) /* systemd's own, on most hosts: each of them would count as one with such mounts */
        return false;
    return BYTES_AMONG(type, types) || (type.len > 5 && memcmp(type.data, "fuse.", 5) == 0);
}

struct bytes mountinfo_plain(struct bytes octal, char ret[PATH_MAX])
{
    return octal.len < PATH_MAX ? (struct bytes){ ret, mountinfo_unescape(octal, ret) } : BYTES_NULL;
}

bool mountinfo_by_id(struct bytes table, uint64_t id, struct mountinfo *ret)
{
    while (mountinfo_next(&table, ret))
        if (ret->id == id)
            return true;
    return false;
}
