/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

int pipeline_add_source(struct pipeline *p, enum source_kind kind, int fd,
                      void (*ready)(void *, int), void *data, struct err *err)
{
    struct epoll_event event = { .events = EPOLLIN };
    struct source *s;

    if (fd < 0)
        return 0;
    if (p->source_count == EPOLL_MAX)
        return err_set(err, -E2BIG, "event sources");
    s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, -ENOMEM, "event sources");
    *s = (struct source){ kind, fd, ready, data };
    event.data.ptr = s;
    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int r = -errno;

        free(s);
        return err_set(err, r, "epoll");
    }
    p->sources[p->source_count++] = s;
    return 0;
}

/* A descriptor comes and goes with the connection to the daemon, or with the owner of audit's stream. */
void pipeline_follow_fd(struct pipeline *p, enum source_kind kind, void *data, int *known, int fd)
{
    if (fd == *known)
        return;
    for (size_t i = 0; i < p->source_count; i++) {
        if (p->sources[i]->kind != kind || p->sources[i]->data != data)
            continue;
        (void)epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, p->sources[i]->fd, NULL);
        free(p->sources[i]);
        p->sources[i] = p->sources[--p->source_count];
        break;
    }
    *known = fd;
    (void)pipeline_add_source(p, kind, fd, NULL, data, NULL);
}
