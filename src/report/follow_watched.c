/* SPDX-License-Identifier: MIT */
#include "report/follow_watched.h"

#include <string.h>

#include "report/culprit.h"

/* The watched path as the victim sees it. BYTES_NULL: not known. */
static struct bytes watched_path(const struct event *e)
{
    struct bytes watched = e->watch_text;
    const char *colon = watched.len ? memmem(watched.data, watched.len, ":/", 2) : NULL;

    if (colon && watched.data[0] != '/' && watched.data[0] != '.')
        watched = (struct bytes){ colon + 1, watched.len - (size_t)(colon + 1 - watched.data) };
    while (watched.len > 1 && watched.data[watched.len - 1] == '/')
        watched.len--;
    return watched.len && watched.data[0] == '/' ? watched : BYTES_NULL;
}

bool watched_had(const struct event *e)
{
    struct bytes watched = e->previous_path.len ? watched_path(e) : BYTES_NULL;

    return watched.len && bytes_path_covers(watched, e->previous_path);
}

/* A rename out of what is watched: to the user that file is gone. */
bool watched_is_left(const struct event *e)
{
    return watched_had(e) && !bytes_path_covers(watched_path(e), e->path);
}

/* Neither the watched path nor what is above or below it, in the container's terms. */
static bool is_apart(struct bytes watched, struct bytes path)
{
    return watched.len && !bytes_path_covers(watched, path) && !bytes_path_covers(path, watched);
}

/* An engine that sets up a container: podman mounts its storage, runc the root, in mount namespaces of their own. */
bool watched_is_around(const struct event *e)
{
    return (e->operation == OPERATION_MOUNT || e->operation == OPERATION_UNMOUNT) && e->victim && is_apart(watched_path(e), e->path);
}

/* containerd renames a task's folder before it removes it, with the root that is mounted in it; no file of the container changes. */
bool watched_is_bundle(const struct culprit *s, const struct event *e)
{
    struct bytes watched = e->victim ? watched_path(e) : BYTES_NULL;

    return culprit_is_runtime(s) && bytes_equal(e->path, e->host_path) && bytes_equal(e->previous_path, e->previous_host_path) &&
           (watched.len == 1 || (is_apart(watched, e->path) && is_apart(watched, e->previous_path)));
}

/* fanotify saw it leave what is watched, to where it could not look any more. */
bool watched_is_left_unseen(const struct event *e)
{
    return e->operation == OPERATION_RENAME && e->error == 0 && !e->path.len && e->previous_path.len && e->sensors == SENSOR_FANOTIFY;
}
