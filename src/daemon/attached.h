/* SPDX-License-Identifier: MIT */
/*
 * An observation that the daemon makes for us: no sensor of our own, its events by its socket. The case, the filters and what
 * is handed out are as the pipeline has them (daemon/pipeline.h), and so are these calls. One thread.
 */
#pragma once

#include "daemon/pipeline.h"

struct attached;

struct attached_target {
    struct bytes text;    /* as the user wrote it, or absolute: a path of the host begins with / */
    struct bytes shown;   /* as the user wrote it */
    unsigned permissions; /* enum permission */
    struct bytes key;     /* empty: none */
};

/*
 * -ENOENT, -ECONNREFUSED, -EACCES: no daemon can be asked. -EXDEV: it says that we have to look ourselves. -EPERM: it may not do that
 * for us. Other errors: it could not. The options' texts and the targets are borrowed for the whole life.
 */
int attached_open(const struct pipeline_options *options, const char *socket, const struct attached_target *targets, size_t count,
                  struct attached **ret, struct err *err);
void attached_ready(const struct attached *a, struct sbuf *ret_text); /* the text after "culprit: ready " */
struct bytes attached_not_seen(const struct attached *a); /* what the daemon's sensors do not see, as capability_info() names it, separated by commas */
int attached_watch_fd(struct attached *a, int fd, void (*ready)(void *data, int fd), void *data);
int attached_run(struct attached *a, uint64_t until_ns, struct err *err);
void attached_stop(struct attached *a);
void attached_finish(struct attached *a);
struct case_ *attached_case(struct attached *a);
void attached_close(struct attached *a); /* NULL is fine */
