/* SPDX-License-Identifier: MIT */
/*
 * While a container is awaited, its layer is not known yet: names are asked for on every real file
 * system, and what concerns nobody is kept until the objects are there that it may belong to.
 */
#include "sensor/fanotify/window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/sysmacros.h>

#include "foreign/mounts.h"
#include "sensor/fanotify/state.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/limits.h"
#include "util/mountinfo.h"

struct fanotify_window {
    struct startup_buffer *startup; /* of struct fanotify_startup_entry */
    struct sbuf mounts;          /* marked for the window: paths, each ended by NUL */
};

struct fanotify_window *fanotify_window_new(void)
{
    struct fanotify_window *w = calloc(1, sizeof(*w));

    if (w && !(w->startup = startup_buffer_new(LIMIT_FANOTIFY_STARTUP))) {
        free(w);
        return NULL;
    }
    return w;
}

void fanotify_window_free(struct fanotify_window *w)
{
    if (!w)
        return;
    startup_buffer_free(w->startup);
    sbuf_done(&w->mounts);
    free(w);
}

struct startup_buffer *fanotify_window_startup(struct fanotify_window *w)
{
    return w->startup;
}

static uint64_t mask(const struct sensor *s)
{
    return FAN_CREATE | FAN_DELETE | FAN_ATTRIB | FAN_ONDIR |
           (s->features.rename ? 0 : FAN_MOVED_FROM | FAN_MOVED_TO);
}

/* Where an engine may keep layers and volumes. */
static bool is_real(const char *type)
{
    static const char *const types[] = { "ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "f2fs", "zfs", "bcachefs" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i], type) == 0)
            return true;
    return false;
}

static bool is_whole(const struct sensor *s, unsigned hi, unsigned lo)
{
    for (unsigned i = 0; i < s->device_count; i++)
        if (s->devices[i].whole && major(s->devices[i].device) == hi && minor(s->devices[i].device) == lo)
            return true;
    return false;
}

/* "ext4" of what is behind a mount point; empty: it cannot be read. */
static void type_of(struct bytes rest, char *ret, size_t size)
{
    const char *dash = rest.len ? memmem(rest.data, rest.len, " - ", 3) : NULL;
    size_t n = 0;

    for (dash = dash ? dash + 3 : NULL; dash && dash + n < rest.data + rest.len && dash[n] != ' ' && n + 1 < size; n++)
        ret[n] = dash[n];
    ret[n] = '\0';
}

/* False: it is marked already, or cannot be. */
static bool mark_file_system(struct sensor *s, const char *point)
{
    if (fanotify_mark(s->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask(s), AT_FDCWD, point) < 0)
        return false;
    if (s->features.rename)
        (void)fanotify_mark(s->group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FANOTIFY_RENAME | FAN_ONDIR, AT_FDCWD, point);
    return true;
}

static bool is_known(struct bytes devices, uint64_t device)
{
    for (size_t at = 0; at + sizeof(device) <= devices.len; at += sizeof(device))
        if (memcmp(devices.data + at, &device, sizeof(device)) == 0)
            return true;
    return false;
}

void fanotify_window_open(struct sensor *s)
{
    _cleanup_sbuf_ struct sbuf table = SBUF_INIT, devices = SBUF_INIT;
    struct fanotify_window *w = s->window;
    struct mountinfo mount;
    struct bytes text;

    sbuf_clear(&w->mounts);
    if (mountinfo_read("/proc/self/mountinfo", &table) < 0)
        return;
    text = sbuf_bytes(&table);
    while (mountinfo_next(&text, &mount)) {
        char *point = (char *)(uintptr_t)mount.point.data; /* in `table`, which is ours: a NUL takes the blank's place */
        char type[64];

        type_of(mount.rest, type, sizeof(type));
        if (!is_real(type) || is_whole(s, major(mount.device), minor(mount.device)) ||
            is_known(sbuf_bytes(&devices), mount.device))
            continue;
        point[mountinfo_unescape(mount.point, point)] = '\0';
        if (!foreign_way_answers(bytes_of(point)) || !mark_file_system(s, point))
            continue;
        sbuf_add(&devices, (const char *)&mount.device, sizeof(mount.device));
        sbuf_add(&w->mounts, point, strlen(point) + 1);
    }
}

void fanotify_window_close(struct sensor *s)
{
    struct fanotify_window *w = s->window;

    /* renames stay asked for: the layers that came are on one of them */
    for (size_t at = 0; at < w->mounts.len; at += strlen(w->mounts.data + at) + 1)
        (void)fanotify_mark(s->group, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM, mask(s) & ~(uint64_t)FAN_ONDIR,
                            AT_FDCWD, w->mounts.data + at);
    sbuf_clear(&w->mounts);
}

void fanotify_window_hold(struct sensor *s, const struct fanotify_event *e, const struct fanotify_cause *now)
{
    uint64_t now_ms = clock_ms(CLOCK_MONOTONIC);
    struct fanotify_startup_entry *startup = e->bytes ? startup_buffer_add(s->window->startup, sizeof(*startup) + e->len, now_ms) : NULL;

    if (!startup)
        return;
    startup->cause = *now;
    startup->cause.silent = false;
    startup->cause.note = NULL;
    startup->len = e->len;
    memcpy(startup->bytes, e->bytes, e->len);
}
