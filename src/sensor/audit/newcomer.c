/* SPDX-License-Identifier: MIT */
#include "sensor/audit/newcomer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/macro.h"

#ifndef FAN_OPEN_EXEC
#define FAN_OPEN_EXEC 0x00001000 /* Linux 5.0 */
#endif

static bool mark(int fd)
{
    static const char *const paths[] = { "/usr/sbin/auditd", "/sbin/auditd", "/usr/bin/auditd" };
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        any |= fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC, AT_FDCWD, paths[i]) == 0;
    return any;
}

int audit_newcomer_open(void)
{
    int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    /* not installed yet: it may be before we end */
    if (!mark(fd) && errno != ENOENT) {
        int r = -errno;

        close(fd);
        return r;
    }
    return fd;
}

void audit_newcomer_look(int fd)
{
    if (fd >= 0)
        (void)mark(fd);
}

/* Anybody may execute it; only root's gets anywhere. */
static bool is_roots(pid_t pid)
{
    char path[32];
    struct stat st;

    snprintf(path, sizeof(path), "/proc/%d", pid);
    return stat(path, &st) == 0 && st.st_uid == 0;
}

bool audit_newcomer_seen(int fd)
{
    _Alignas(struct fanotify_event_metadata) char buffer[4096];
    bool seen = false;
    ssize_t n;

    while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0) {
        const struct fanotify_event_metadata *m = (const void *)buffer;

        for (; FAN_EVENT_OK(m, n); m = FAN_EVENT_NEXT(m, n)) {
            if (m->vers != FANOTIFY_METADATA_VERSION)
                return false;
            seen |= (m->mask & FAN_OPEN_EXEC) && is_roots(m->pid);
            if (m->fd >= 0)
                close(m->fd);
        }
    }
    return seen;
}
