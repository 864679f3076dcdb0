/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sensor/fanotify/layer.h"
#include "sensor/fanotify/object.h"
#include "sensor/fanotify/unexplained.h"
#include "util/cleanup.h"
#include "util/limits.h"

int fanotify_look(struct fanotify_object *o, uint32_t directory, struct bytes name, const struct fanotify_cause *cause, struct tree_change *ret)
{
    int fd = fanotify_object_directory(o, directory), r;

    *ret = (struct tree_change){ 0 };
    if (fd < 0)
        return fd;
    r = tree_refresh(o->tree, fd, directory, name, ret, NULL);
    if (r == 0 && !cause->silent)
        fanotify_unexplained_add(o, directory, name, ret);
    return r;
}

uint64_t fanotify_born(struct fanotify_object *o, uint32_t directory, struct bytes name)
{
    int fd = fanotify_object_directory(o, directory);
    char text[LIMIT_NAME + 1];

    if (fd < 0 || name.len > LIMIT_NAME)
        return 0;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return tree_answers(o->tree, fd, text) ? tree_birth(fd, text) : 0;
}

int fanotify_open_handle(struct fanotify_object *o, const struct fanotify_handle *handle)
{
    union {
        struct file_handle head;
        char space[sizeof(struct file_handle) + FANOTIFY_HANDLE_MAX];
    } u;
    _cleanup_close_ int mount = -EBADF;
    const struct fanotify_layer *layer;
    struct fanotify_handle behind;
    int fd;

    if (!handle->data.data || handle->data.len > FANOTIFY_HANDLE_MAX)
        return -ESTALE;
    mount = fanotify_object_near(o, handle->fsid);
    if (mount < 0)
        return mount;
    if (fanotify_layer_decode(handle, &behind)) {
        layer = fanotify_object_layer(o, mount);
        return layer ? fanotify_layer_open(layer, handle) : -ESTALE;
    }
    u.head.handle_bytes = (unsigned)handle->data.len;
    u.head.handle_type = handle->type;
    memcpy(u.head.f_handle, handle->data.data, handle->data.len);
    fd = open_by_handle_at(mount, &u.head, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

int fanotify_resolve(struct fanotify_object *o, const struct fanotify_handle *handle, struct sbuf *out)
{
    _cleanup_close_ int fd = -EBADF;
    char link[48], path[PATH_MAX];
    ssize_t n;

    sbuf_clear(out);
    if (o->wanted.ns_pid)
        return -ENOENT; /* a path of another mount namespace would say something else here */
    fd = fanotify_open_handle(o, handle);
    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path));
    if (n <= 0 || path[0] != '/' || (size_t)n == sizeof(path))
        return -ENOENT;
    if (n > 10 && memcmp(path + n - 10, " (deleted)", 10) == 0)
        return -ENOENT;
    sbuf_add(out, path, (size_t)n);
    return sbuf_error(out);
}
