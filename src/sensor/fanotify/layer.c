/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/macro.h"
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

uint64_t fanotify_layer_mount(int fd)
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

int fanotify_layer_find(uint64_t mount, const char *mountinfo, struct bytes root, struct fanotify_layer **ret)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT;
    struct mountinfo line;

    if (!mount || mountinfo_read(mountinfo, &table) < 0 || !mountinfo_by_id(sbuf_bytes(&table), mount, &line))
        return -ENOENT;
    return use(&line, root, ret);
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

    return fanotify_handle_of(fd, buffer, &wanted->fsid, &found) == 0 && fanotify_handle_equal(&found, wanted);
}

/* The layer's own file. */
static int open_behind(const struct fanotify_layer *l, const struct fanotify_handle *handle)
{
    union {
        struct file_handle head;
        char space[sizeof(struct file_handle) + FANOTIFY_HANDLE_MAX];
    } u;
    struct fanotify_handle real;

    if (!fanotify_layer_decode(handle, &real) || real.data.len > FANOTIFY_HANDLE_MAX)
        return -ESTALE;
    u.head.handle_bytes = (unsigned)real.data.len;
    u.head.handle_type = real.type;
    memcpy(u.head.f_handle, real.data.data, real.data.len);
    return open_by_handle_at(l->fd, &u.head, O_PATH | O_CLOEXEC | O_NOFOLLOW);
}

int fanotify_layer_open(const struct fanotify_layer *l, const struct fanotify_handle *handle)
{
    _cleanup_close_ int behind = -EBADF, fd = -EBADF;
    _cleanup_sbuf_ struct sbuf path = SBUF_INIT;
    char now[PATH_MAX];
    ssize_t n;

    behind = open_behind(l, handle);
    n = behind < 0 ? -ESTALE : path_of(behind, now);
    if (n <= (ssize_t)l->upper_len || memcmp(now, l->upper, l->upper_len) != 0 || now[l->upper_len] != '/')
        return -ESTALE;
    sbuf_add_bytes(&path, bytes_of(l->point));
    sbuf_add(&path, now + l->upper_len, (size_t)n - l->upper_len);
    fd = sbuf_error(&path) ? -ENOMEM : beneath_open_host(sbuf_bytes(&path), l->root_len, O_PATH | O_NOFOLLOW);
    /* it may have moved on since */
    return fd >= 0 && is_that(fd, handle) ? TAKE_FD(fd) : -ESTALE;
}

int fanotify_layer_fd(const struct fanotify_layer *l)
{
    return l->fd;
}

int fanotify_layer_from_below(const struct fanotify_layer *l, const struct fanotify_handle *handle)
{
    /* what overlayfs keeps of where it came from, for itself and for a mount by a user */
    static const char *const names[] = { "trusted.overlay.origin", "user.overlay.origin", "trusted.overlay.redirect", "user.overlay.redirect" };
    _cleanup_close_ int fd = open_behind(l, handle);
    char link[48];

    if (fd < 0)
        return -ESTALE;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (getxattr(link, names[i], NULL, 0) >= 0 || (errno != ENODATA && errno != EOPNOTSUPP))
            return 1;
    return 0;
}

int fanotify_layer_key(const struct fanotify_layer *l, struct fanotify_layer_key *ret)
{
    _cleanup_close_ int top = beneath_open_host(bytes_of(l->point[0] ? l->point : "/"), l->root_len, O_PATH | O_NOFOLLOW);
    char buffer[FANOTIFY_HANDLE_MAX], behind[FANOTIFY_HANDLE_MAX];
    struct fanotify_handle overlay, upper, inside;

    /* the top of an overlay has the handle of its upper layer always */
    if (top < 0 || fanotify_handle_of(top, buffer, NULL, &overlay) < 0 || fanotify_handle_of(l->fd, behind, NULL, &upper) < 0 ||
        !fanotify_layer_decode(&overlay, &inside) || inside.type != upper.type || !bytes_equal(inside.data, upper.data))
        return -ENOENT;
    *ret = (struct fanotify_layer_key){ .layer_fsid = upper.fsid, .fsid = overlay.fsid };
    memcpy(ret->head, overlay.data.data, sizeof(ret->head));
    return 0;
}

static size_t padded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* A record of a handle, and of a name if there is one. */
static size_t write_fid(const struct fanotify_layer_key *key, uint8_t type, const struct fanotify_handle *handle, struct bytes name, char *out, size_t size)
{
    size_t handle_len = padded(sizeof(key->head) + handle->data.len, 4), len = padded(20 + handle_len + (name.data ? name.len + 1 : 0), 4);
    uint32_t bytes = (uint32_t)handle_len, kind = OVERLAY_TYPE;
    uint16_t record = (uint16_t)len;

    if (len > size || PADDING + HEAD + handle->data.len > 3 + UINT8_MAX)
        return 0;
    memset(out, 0, len);
    out[0] = (char)type;
    memcpy(out + 2, &record, sizeof(record));
    memcpy(out + 4, &key->fsid, sizeof(key->fsid));
    memcpy(out + 12, &bytes, sizeof(bytes));
    memcpy(out + 16, &kind, sizeof(kind));
    memcpy(out + 20, key->head, sizeof(key->head));
    out[20 + PADDING + 2] = (char)(HEAD + handle->data.len);
    out[20 + PADDING + 4] = (char)handle->type;
    memcpy(out + 20 + sizeof(key->head), handle->data.data, handle->data.len);
    if (name.data)
        memcpy(out + 20 + handle_len, name.data, name.len);
    return len;
}

size_t fanotify_layer_translate(const struct fanotify_layer_key *key, const struct fanotify_event *e, char *out, size_t size)
{
    const struct { uint8_t type; const struct fanotify_handle *handle; struct bytes name; } records[] = {
        { FAN_EVENT_INFO_TYPE_DFID_NAME, &e->at.directory, e->at.name },
        { FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, &e->from.directory, e->from.name },
        { FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, &e->to.directory, e->to.name },
        { FAN_EVENT_INFO_TYPE_FID, &e->object, BYTES_NULL },
    };
    struct fanotify_event_metadata head = { .vers = FANOTIFY_METADATA_VERSION, .metadata_len = sizeof(head), .fd = FAN_NOFD, .pid = e->pid };
    size_t len = sizeof(head);

    if (size < len)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        size_t n;

        if (!records[i].handle->data.data)
            continue;
        /* an overlay that has no UUID of its own has the fsid of its layer */
        n = records[i].handle->fsid == key->layer_fsid && records[i].handle->type != OVERLAY_TYPE ? write_fid(key, records[i].type, records[i].handle, records[i].name, out + len, size - len) : 0;
        if (!n)
            return 0;
        len += n;
    }
    if (e->gone && len + 8 <= size) {
        memcpy(out + len, (const char[8]){ FAN_EVENT_INFO_TYPE_PIDFD, 0, 8, 0, -1, -1, -1, -1 }, 8);
        len += 8;
    }
    if (len == sizeof(head))
        return 0;
    head.event_len = (uint32_t)len;
    head.mask = e->mask | FANOTIFY_FROM_LAYER;
    memcpy(out, &head, sizeof(head));
    return len;
}
