/* SPDX-License-Identifier: MIT */
/*
 * From a path to the kernel objects behind it: which views reach the files, and how a path that a
 * sensor reports in one view reads for the victim and for the host.
 */
#pragma once

#include "engine/engine.h"
#include "event/event.h"
#include "event/watch_object.h"
#include "util/arena.h"

struct place {
    struct watch_object object;  /* strings live in the arena that was handed in */
    struct bytes victim_path;    /* what object.path is for the victim */
    struct bytes shown_host_path; /* what object.path is for the host; BYTES_NULL = nowhere */
    enum victim_kind victim_kind;
    bool single_file;            /* a file that is mounted by itself, not a folder that holds it */
    bool link;                   /* a symbolic link on the way: if it is replaced, the path leads elsewhere */
};

#define PLACES_MAX 256 /* one overlay has at most 128 layers in docker, and few mounts below a path */

/*
 * Follow symbolic links of `path` below the directory `root_fd`, never out of it. Components that
 * do not exist are kept as they are. follow_last: whether a link in the last place is followed.
 * Returns a path in `arena`, BYTES_NULL when out of memory; after 40 links as the kernel stops.
 */
struct bytes resolve_links(int root_fd, struct bytes path, bool follow_last, struct arena *arena);

/*
 * The places of a host path. Fills `places`, returns how many: what it leads to, and each symbolic link on the way
 * to it. Numbers object.id and object.group are left 0.
 */
int resolve_host(struct bytes path, struct arena *arena, struct place *places, size_t size);

/* What a path in a container leads to, by the links that it has now, or of one that does not run by those of its
 * layers. Perhaps in `arena`. */
struct bytes resolve_inside(const struct container_view *view, struct bytes path, struct arena *arena);

/*
 * The places of a path in a container, running or not: overlay root, upper and lower layers,
 * volumes at or below the path.
 */
int resolve_container(const struct container_view *view, struct bytes path, struct arena *arena,
                      struct place *places, size_t size);
