/* SPDX-License-Identifier: MIT */
#include "daemon/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "attribution/owner.h"
#include "daemon/pipeline_copies.h"
#include "daemon/pipeline_coverage.h"
#include "daemon/pipeline_sensors.h"
#include "daemon/pipeline_sources.h"
#include "daemon/pipeline_stages.h"
#include "daemon/seccomp.h"
#include "foreign/foreign.h"
#include "util/priority.h"
#include "util/sbuf.h"

static void open_follower(struct pipeline *p)
{
    struct follower_options options = { p->options.log, p, pipeline_on_process, pipeline_on_gap };
    struct err err = ERR_INIT;
    int r = follower_open(&options, &p->follower, &err);

    if (r < 0) {
        log_warn(p->options.log,
                 "processes cannot be followed (%s); reading /proc, short-lived actors may stay unnamed",
                 err_text(&err, r));
        return;
    }
    (void)pipeline_add_source(p, SOURCE_FOLLOWER, follower_fd(p->follower), NULL, NULL, NULL);
}

static int open_fuse(struct pipeline *p, struct err *err)
{
    struct fuse_options options = { .data = p, .event = pipeline_deliver, .expect = pipeline_expect };

    options.sensors = pipeline_open_sensor_bits(p);
    return p->sensor_count > 1 ? fuse_new(&options, &p->fuse, err) : 0;
}

/* One that cannot be used now is tried again: what to say of it, the store says (store_seen()). */
static void open_store(struct pipeline *p)
{
    struct store_options options = { .path = p->options.store_path,
                                     .spool_directory = p->options.state_dir ? p->options.state_dir : STORE_SPOOL_DIRECTORY,
                                     .retry = true,
                                     .log = p->options.log };
    struct err err = ERR_INIT;
    int r;

    if (p->options.no_store)
        return;
    r = store_open(&options, &p->store, &err);
    if (r < 0)
        log_warn(p->options.log, "%s; going on without the store, events are on the terminal only",
                 err_text(&err, r));
}

int pipeline_retain(struct pipeline *p, const struct store_retention *retention)
{
    return p->store ? store_retain(p->store, retention) : 0;
}

/* The lists are read while the sensors are opened: the first event waits for them. */
static struct packages *begin_packages(struct pipeline *p)
{
    struct packages *packages = NULL;
    struct err why = ERR_INIT;

    if (packages_new("/", &packages, &why) < 0)
        log_warn(p->options.log, "%s; packages are not named", err_text(&why, -ENOENT));
    return packages;
}

int pipeline_open(const struct pipeline_options *options, struct pipeline **ret, struct err *err)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    struct engines_options engines = { .log = options->log,
                                       .docker_socket = options->docker_socket,
                                       .life = pipeline_on_life,
                                       .data = p };
    struct attribution_options attribution = { .log = options->log };
    struct watchset_options watches = {
        .log = options->log,
        .permissions = options->permissions,
        .writes = options->writes,
        .key = bytes_of(options->key),
        .data = p,
        .add = pipeline_add_object,
        .remove = pipeline_remove_object,
        .window = pipeline_set_window,
        .gap = pipeline_on_unwatched,
        .notice = pipeline_on_notice,
        .explain = pipeline_on_explain,
    };
    int r;

    if (!p)
        return err_set(err, -ENOMEM, "pipeline");
    (void)foreign_start(); /* before there are threads, and before privileges are given away */
    p->options = *options;
    p->engines_fd = -1;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    p->case_ = options->no_case ? NULL : case_new(&options->case_options);
    r = p->epoll_fd < 0                  ? err_set(err, -errno, "epoll")
        : p->case_ || options->no_case ? 0
                                       : err_set(err, -ENOMEM, "case");
    if (r == 0)
        r = pipeline_open_copies(p, err);
    if (r == 0) {
        open_follower(p); /* its notifications wait until they are fetched; what it can see decides on the sensors */
        r = pipeline_choose_sensors(p, err);
    }
    if (r == 0) {
        attribution.packages = begin_packages(p);
        r = pipeline_open_sensors(p, err);
    }
    if (r == 0)
        r = open_fuse(p, err);
    if (r == 0)
        r = engines_new(&engines, &p->engines, err);
    if (r == 0) {
        attribution.engines = watches.engines = p->engines;
        r = attribution_new(&attribution, &p->attribution, err);
    } else {
        packages_free(attribution.packages);
    }
    if (r == 0)
        r = watchset_new(&watches, &p->watches, err);
    if (r < 0) {
        pipeline_close(p);
        return r;
    }
    r = attribution_seed(p->attribution, err);
    if (r < 0) {
        pipeline_close(p);
        return r;
    }
    open_store(p);
    if (p->raised) /* the threads that follow and write have it now; COMMAND and workers wait like all others */
        priority_keep_to_oneself();
    *ret = p;
    return 0;
}

int pipeline_add(struct pipeline *p, struct target *target, struct err *err)
{
    return watchset_add(p->watches, target, err);
}

void pipeline_confine(struct pipeline *p)
{
    int r = p->options.no_seccomp ? 0 : seccomp_confine(&p->choice);

    if (r == -EINVAL || r == -ENOSYS)
        log_debug(p->options.log, "this kernel has no seccomp filters");
    else if (r < 0)
        log_warn(p->options.log, "system calls that are not needed cannot be given up: %s; keeping them", strerror(-r));
}

struct case_ *pipeline_case(struct pipeline *p)
{
    return p->case_;
}

void pipeline_close(struct pipeline *p)
{
    if (!p)
        return;
    if (p->raised) /* where opening failed that was not done yet */
        priority_keep_to_oneself();
    for (size_t i = 0; i < p->sensor_count; i++)
        p->sensors[i].ops->close(p->sensors[i].sensor);
    follower_close(p->follower);
    fuse_free(p->fuse);
    watchset_free(p->watches);
    attribution_free(p->attribution);
    engines_free(p->engines);
    store_close(p->store);
    pipeline_close_copies(p);
    case_free(p->case_);
    for (size_t i = 0; i < p->source_count; i++)
        free(p->sources[i]);
    if (p->epoll_fd >= 0)
        close(p->epoll_fd);
    free(p);
}
