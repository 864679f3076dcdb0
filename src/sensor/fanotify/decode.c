/* SPDX-License-Identifier: MIT */
#include "sensor/fanotify/decode.h"

#include <errno.h>
#include <string.h>

#include "util/load.h"

#define VERSION 3 /* FANOTIFY_METADATA_VERSION, the same since Linux 2.6.39 */

/* linux/fanotify.h's structures, byte by byte: a fuzzer does not align as the kernel does. */
enum { META_SIZE = 24, META_LEN = 0, META_VERSION = 4, META_HEADER = 6, META_MASK = 8, META_PID = 20 };
enum { INFO_SIZE = 4, INFO_TYPE = 0, INFO_LEN = 2 };
enum { FID_FSID = 4, FID_BYTES = 12, FID_TYPE = 16, FID_HANDLE = 20 };

enum info_type {
    INFO_FID = 1,
    INFO_DFID_NAME = 2,
    INFO_DFID = 3,
    INFO_PIDFD = 4,
    INFO_ERROR = 5,
    INFO_OLD_DFID_NAME = 10,
    INFO_NEW_DFID_NAME = 12,
};

#define PIDFD_NONE (-1) /* FAN_NOPIDFD: it has exited */

/* A handle and the name behind it. False if the lengths do not fit. */
static bool read_fid(const char *p, size_t len, struct fanotify_handle *handle, struct bytes *name)
{
    uint32_t bytes;
    const char *rest;
    size_t rest_len;

    if (len < FID_HANDLE)
        return false;
    bytes = load_u32(p + FID_BYTES);
    if (bytes > len - FID_HANDLE)
        return false;
    *handle = (struct fanotify_handle){ .fsid = load_u64(p + FID_FSID),
                                        .type = (int32_t)load_u32(p + FID_TYPE),
                                        .data = { p + FID_HANDLE, bytes } };
    rest = p + FID_HANDLE + bytes;
    rest_len = len - FID_HANDLE - bytes;
    if (name) {
        if (!memchr(rest, '\0', rest_len))
            return false;
        *name = bytes_of(rest);
    }
    return true;
}

static bool read_info(const char *p, size_t len, struct fanotify_event *e)
{
    switch ((unsigned char)p[INFO_TYPE]) {
    case INFO_FID:
        return read_fid(p, len, &e->object, NULL);
    case INFO_DFID_NAME:
        return read_fid(p, len, &e->at.directory, &e->at.name);
    case INFO_DFID:
        return read_fid(p, len, &e->at.directory, NULL);
    case INFO_OLD_DFID_NAME:
        return read_fid(p, len, &e->from.directory, &e->from.name);
    case INFO_NEW_DFID_NAME:
        return read_fid(p, len, &e->to.directory, &e->to.name);
    case INFO_PIDFD:
        if (len < INFO_SIZE + 4)
            return false;
        e->pidfd = (int32_t)load_u32(p + INFO_SIZE);
        e->gone = e->pidfd == PIDFD_NONE;
        if (e->pidfd < 0)
            e->pidfd = -1;
        return true;
    case INFO_ERROR:
        if (len < INFO_SIZE + 8)
            return false;
        e->error = (int32_t)load_u32(p + INFO_SIZE);
        e->error_count = load_u32(p + INFO_SIZE + 4);
        return true;
    default:
        return true;
    }
}

int fanotify_decode(struct bytes buffer, struct fanotify_event *ret, struct err *err)
{
    struct fanotify_event e = { .pidfd = -1, .bytes = buffer.data };
    size_t at;

    if (buffer.len < META_SIZE)
        return err_set(err, -EBADMSG, "%zu bytes, an event has %d at least", buffer.len, META_SIZE);
    e.len = load_u32(buffer.data + META_LEN);
    at = load_u16(buffer.data + META_HEADER);
    if (buffer.data[META_VERSION] != VERSION)
        return err_set(err, -EBADMSG, "version %d", buffer.data[META_VERSION]);
    if (e.len < META_SIZE || e.len > buffer.len || at < META_SIZE || at > e.len)
        return err_set(err, -EBADMSG, "an event of %zu bytes with a head of %zu in a buffer of %zu",
                       e.len, at, buffer.len);
    e.mask = load_u64(buffer.data + META_MASK);
    e.from_layer = (e.mask & FANOTIFY_FROM_LAYER) != 0;
    e.mask &= ~FANOTIFY_FROM_LAYER;
    e.pid = (int32_t)load_u32(buffer.data + META_PID);
    while (at < e.len) {
        size_t len = e.len - at >= INFO_SIZE ? load_u16(buffer.data + at + INFO_LEN) : 0;

        if (len < INFO_SIZE || len > e.len - at || !read_info(buffer.data + at, len, &e))
            return err_set(err, -EBADMSG, "record at %zu of an event of %zu bytes", at, e.len);
        at += len;
    }
    *ret = e;
    return 0;
}
