/* SPDX-License-Identifier: MIT */
#include "sensor/object/way.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/limits.h"

static bool is_missing(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP; /* or it is no directory: something else took its name */
}

static int open_one(int at, const char *name, const struct way_options *o)
{
    int next;

    if (o->may_enter && !o->may_enter(o->data, at, name))
        return -ENOENT;
    next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | o->flags);
    return next < 0 ? -errno : next;
}

static int open_next(int at, const char *name, const struct way_options *o)
{
    int next;

    if (o->step)
        o->step(o->data, at, false);
    next = open_one(at, name, o);
    if (is_missing(-next) && o->step) {
        o->step(o->data, at, true);
        next = open_one(at, name, o);
    }
    return next;
}

int way_open(int at, struct bytes *rest, const struct way_options *options)
{
    _cleanup_close_ int fd = at;

    for (;;) {
        struct bytes part = bytes_next_component(rest);
        char name[LIMIT_NAME + 1];
        int next;

        if (!part.len)
            return TAKE_FD(fd);
        if (part.len > LIMIT_NAME)
            return -ENAMETOOLONG;
        memcpy(name, part.data, part.len);
        name[part.len] = '\0';
        next = open_next(fd, name, options);
        if (is_missing(-next)) {
            *rest = (struct bytes){ part.data, part.len + rest->len };
            return TAKE_FD(fd);
        }
        if (next < 0)
            return next;
        close(fd);
        fd = next;
    }
}
