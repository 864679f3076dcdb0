/* SPDX-License-Identifier: MIT */
/* Podman's storages as they are kept, for the files of its engine. One thread. */
#pragma once

#include <limits.h>
#include <sys/epoll.h>

#include "engine/oci.h"
#include "foreign/foreign.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "util/log.h"
#include "util/sbuf.h"

#define STORAGES_MAX 64
#define WAIT_MS 500 /* for what somebody waits for; what hangs is not asked again for a minute */

/* What is remembered between two readings of containers.json, to see what has changed. */
struct storage_record {
    struct container *container; /* owned reference */
    bool seen;
    UT_hash_handle hh;
};

/* containers-storage.conf(5): what lays a storage's files out. Rootless ones without fuse-overlayfs are of vfs. */
struct driver {
    const char *containers; /* the directory of their records */
    const char *roots;      /* each layer a whole tree; NULL: an overlay of layers */
};

struct storage {
    char path[PATH_MAX]; /* ".../containers/storage" */
    const struct driver *driver;
    int wd;
    struct storage_record *records;
    bool own;     /* below a directory that only root can change */
    bool read;    /* at least once: changes can be found */
    bool changed; /* and is to be read */
    struct foreign_pending reading, asked; /* to find changes; for a caller who waits for an answer */
    uint64_t next_ns;                      /* CLOCK_MONOTONIC: it did not answer, and is not read before that */
    bool said;
};

struct podman {
    struct oci *oci;
    const struct log *log;
    int inotify, epoll; /* the epoll has what is being read, too */
    struct storage storages[STORAGES_MAX];
    size_t count;
    struct foreign_pending looking; /* which storages are there */
    uint64_t looked_ns;
    struct fingerprint bundles;        /* of the unknown storages that running containers are of */
};

/* Requests to workers are words, each ended by NUL (podman_files.h). */
static inline void podman_add_word(struct sbuf *request, struct bytes word)
{
    sbuf_add_bytes(request, word);
    sbuf_add_char(request, '\0');
}

/* The engine's descriptor becomes readable with the answer that comes by fd. */
static inline void podman_await(struct podman *p, int fd)
{
    (void)epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN });
}
