/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"
#include "util/sbuf.h"

/* fs/overlayfs/overlayfs.h: struct ovl_fh, since Linux 5.5 */
#define OVERLAY_TYPE 0xf8
#define PADDING 3u
#define MAGIC 0xfb
#define OF_UPPER 0x04 /* flags */
#define HEAD 21u      /* version, magic, length of all but the padding, flags, type, 16 bytes of UUID */

struct fanotify_layer {
    int fd;               /* of the upper directory */
    char upper[PATH_MAX]; /* its path, as we see it */
    size_t upper_len, root_len;
    char point[PATH_MAX]; /* the overlay's, `root` before it */
};

bool fanotify_layer_decode(const struct fanotify_handle *handle, struct fanotify_handle *ret)
{
    const uint8_t *fb = (const uint8_t *)handle->data.data + PADDING;

    if (handle->type != OVERLAY_TYPE || handle->data.len <= PADDING + HEAD || fb[0] != 0 || fb[1] != MAGIC || !(fb[3] & OF_UPPER) ||
        fb[2] <= HEAD || fb[2] > handle->data.len - PADDING)
        return false;
    *ret = (struct fanotify_handle){ .type = fb[4], .data = { (const char *)fb + HEAD, fb[2] - HEAD } };
    return true;
}

static uint64_t mount_of(int fd)
{
    struct statx stx;

    /* Linux 5.8 */
    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) == 0 && (stx.stx_mask & STATX_MNT_ID) ? stx.stx_mnt_id : 0;
}

/* The value of that option, in what mountinfo has behind the mount point; unescaped, with NUL. */
static bool option(struct bytes rest, const char *name, char ret[PATH_MAX])
{
    size_t len = strlen(name);
    const char *at = memmem(rest.data, rest.len, name, len);
    struct bytes value;
    size_t n = 0;

    if (!at || at == rest.data || (at[-1] != ',' && at[-1] != ' '))
        return false;
    value = (struct bytes){ at + len, (size_t)(rest.data + rest.len - at) - len };
    while (n < value.len && value.data[n] != ',' && value.data[n] != ' ')
        n += value.data[n] == '\\' && n + 1 < value.len ? 2 : 1;
    value.len = n;
    if (!n || n >= PATH_MAX)
        return false;
    ret[mountinfo_unescape(value, ret)] = '\0';
    return ret[0] == '/';
}

/* The path behind a descriptor. */
static ssize_t path_of(int fd, char ret[PATH_MAX])
{
    char link[48];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, ret, PATH_MAX);
    return n > 0 && n < PATH_MAX && ret[0] == '/' ? n : -ENOENT;
}

static int use(const struct mountinfo *mount, struct bytes root, struct fanotify_layer **ret)
{
    struct fanotify_layer *l;
    char upper[PATH_MAX];
    ssize_t n;

    if (!memmem(mount->rest.data, mount->rest.len, " - overlay ", 11) || !option(mount->rest, "upperdir=", upper) ||
        root.len + mount->point.len >= PATH_MAX)
        return -ENOENT;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->fd = beneath_open_host(bytes_of(upper), 0, O_RDONLY | O_DIRECTORY);
    n = l->fd < 0 ? l->fd : path_of(l->fd, l->upper);
    if (n < 0) {
        fanotify_layer_free(l);
        return -ENOENT;
    }
    l->upper_len = (size_t)n;
    if (root.len)
        memcpy(l->point, root.data, root.len);
    l->root_len = root.len;
    n = (ssize_t)(root.len + mountinfo_unescape(mount->point, l->point + root.len));
    l->point[n > 1 && l->point[n - 1] == '/' ? n - 1 : n] = '\0';
    *ret = l;
    return 0;
}

int fanotify_layer_find(int mount, const char *mountinfo, struct bytes root, struct fanotify_layer **ret)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    uint64_t id = mount_of(mount);
    struct mountinfo line;
    struct bytes text;

    if (!id || mountinfo_read(mountinfo, &table) < 0)
        return -ENOENT;
    text = sbuf_bytes(&table);
    while (mountinfo_next(&text, &line))
        if (line.id == id)
            return use(&line, root, ret);
    return -ENOENT;
}

void fanotify_layer_free(struct fanotify_layer *l)
{
    if (l && l->fd >= 0)
        close(l->fd);
    free(l);
}

static bool is_that(int fd, const struct fanotify_handle *wanted)
{
    char buffer[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle found;

    return fanotify_handle_of(fd, buffer, &wanted->fsid, &found) == 0 && found.type == wanted->type && bytes_equal(found.data, wanted->data);
}

int fanotify_layer_open(const struct fanotify_layer *l, const struct fanotify_handle *handle)
{
    union {
        struct file_handle head;
        char space[sizeof(struct file_handle) + FANOTIFY_HANDLE_MAX];
    } u;
    _cleanup_close_ int behind = -EBADF, fd = -EBADF;
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    struct fanotify_handle real;
    char now[PATH_MAX];
    ssize_t n;

    if (!fanotify_layer_decode(handle, &real) || real.data.len > FANOTIFY_HANDLE_MAX)
        return -ESTALE;
    u.head.handle_bytes = (unsigned)real.data.len;
    u.head.handle_type = real.type;
    memcpy(u.head.f_handle, real.data.data, real.data.len);
    behind = open_by_handle_at(l->fd, &u.head, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    n = behind < 0 ? -ESTALE : path_of(behind, now);
    if (n <= (ssize_t)l->upper_len || memcmp(now, l->upper, l->upper_len) != 0 || now[l->upper_len] != '/')
        return -ESTALE;
    sbuf_add_bytes(&path, bytes_of(l->point));
    sbuf_add(&path, now + l->upper_len, (size_t)n - l->upper_len);
    fd = sbuf_error(&path) ? -ENOMEM : beneath_open_host(sbuf_bytes(&path), l->root_len, O_PATH | O_NOFOLLOW);
    /* it may have moved on since */
    return fd >= 0 && is_that(fd, handle) ? TAKE_FD(fd) : -ESTALE;
}
