/* SPDX-License-Identifier: MIT */
/* The times that the file system keeps: of the target, of what it lies in, of what is below it. Nothing is read but attributes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "clues/source.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define DEPTH_MAX 6
#define ENTRIES_MAX 60000
#define WALK_NS (900 * NS_PER_MS)
#define NEWEST 3 /* directories, and files, that are shown */

struct timed {
    char path[1024];
    uint64_t ns;
};

struct walk {
    struct timed directories[NEWEST], files[NEWEST];
    unsigned entries;
    uint64_t until_ns, now_ns;
    const struct clue_question *q;
    dev_t device;
    bool cut;
};

static int look_at(int fd, const char *name, struct statx *ret)
{
    return statx(fd, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, ret) < 0 ? -errno : 0;
}

static void put_time(struct sbuf *out, unsigned marks, uint64_t ns, struct bytes path, const char *text)
{
    struct clue_fact f = { .kind = CLUE_TIME, .marks = marks, .from_ns = ns, .text = bytes_of(text), .path = path };

    if (ns)
        clue_put(out, &f);
}

static void keep_newest(const struct walk *w, struct timed *list, const char *path, uint64_t ns)
{
    if ((w->q->since_ns && ns < w->q->since_ns) || (w->q->until_ns && ns > w->q->until_ns) || ns > w->now_ns)
        return;
    for (unsigned i = 0; i < NEWEST; i++)
        if (ns > list[i].ns) {
            memmove(list + i + 1, list + i, (NEWEST - 1 - i) * sizeof(*list));
            list[i].ns = ns;
            snprintf(list[i].path, sizeof(list[i].path), "%s", path);
            return;
        }
}

static void walk_below(struct walk *w, int fd, const char *path, unsigned depth)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        close(fd);
        return;
    }
    while ((entry = readdir(dir))) {
        char full[1024];
        struct statx st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (++w->entries > ENTRIES_MAX || ((w->entries & 63) == 0 && clock_ns(CLOCK_MONOTONIC) > w->until_ns)) {
            w->cut = true;
            break;
        }
        if ((size_t)snprintf(full, sizeof(full), "%s/%s", path, entry->d_name) >= sizeof(full) ||
            look_at(dirfd(dir), entry->d_name, &st) < 0 || makedev(st.stx_dev_major, st.stx_dev_minor) != w->device)
            continue;
        if (!S_ISDIR(st.stx_mode)) {
            keep_newest(w, w->files, full, clock_of(st.stx_ctime));
            continue;
        }
        keep_newest(w, w->directories, full, clock_of(st.stx_mtime));
        if (depth < DEPTH_MAX) {
            int below = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

            if (below >= 0)
                walk_below(w, below, full, depth + 1);
        }
    }
    closedir(dir);
}

static void put_below(struct sbuf *out, int fd, const struct clue_question *q, const struct statx *st)
{
    static struct walk w; /* too large for a stack; a worker has one thread */
    int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    w = (struct walk){ .until_ns = clock_ns(CLOCK_MONOTONIC) + clue_patience(q, WALK_NS), .now_ns = q->now_ns, .q = q,
                       .device = makedev(st->stx_dev_major, st->stx_dev_minor) };
    if (dir >= 0) {
        char path[1024];

        snprintf(path, sizeof(path), "%.*s", (int)MIN(q->path.len, sizeof(path) - 1), q->path.data);
        walk_below(&w, dir, strcmp(path, "/") == 0 ? "" : path, 0);
    }
    for (unsigned i = 0; i < NEWEST; i++)
        put_time(out, CLUE_LATEST, w.directories[i].ns, bytes_of(w.directories[i].path),
                 "names were made, removed or renamed in it for the last time");
    for (unsigned i = 0; i < NEWEST; i++)
        put_time(out, CLUE_LATEST, w.files[i].ns, bytes_of(w.files[i].path), "was changed for the last time, or got its name");
    if (w.cut)
        clue_put_note(out, "below it only %u files were looked at", w.entries);
}

/* The target is there. */
static void put_target(struct sbuf *out, int fd, const struct clue_question *q, const struct statx *st)
{
    uint64_t made = st->stx_mask & STATX_BTIME ? clock_of(st->stx_btime) : 0, changed = clock_of(st->stx_ctime),
             modified = clock_of(st->stx_mtime);

    if (S_ISDIR(st->stx_mode))
        put_time(out, CLUE_LATEST, modified, q->path, "names were made, removed or renamed in it for the last time");
    else
        put_time(out, CLUE_LATEST, modified, q->path, "its content was written for the last time");
    if (changed > modified + NS_PER_S)
        put_time(out, CLUE_LATEST, changed, q->path, "its mode, owner, links or name were changed for the last time");
    put_time(out, 0, made, q->path, "was made");
    if (S_ISDIR(st->stx_mode))
        put_below(out, fd, q, st);
}

/* It is not there: the nearest directory above that is. A container's that has not changed since its beginning is as it came, and says nothing
 * of what an earlier one had. */
static void put_above(struct sbuf *out, int root, const struct clue_question *q)
{
    struct bytes above = q->path, there = q->host_path.len ? q->host_path : q->path;
    struct statx st;

    while (above.len > 1) {
        _cleanup_close_ int fd = -EBADF;

        above = bytes_dirname(above);
        there = bytes_dirname(there);
        fd = beneath_open(root, there, O_PATH | O_DIRECTORY);
        if (fd < 0 || look_at(fd, "", &st) < 0)
            continue;
        if (clock_of(st.stx_mtime) < q->anew_ns)
            return;
        put_time(out, CLUE_LATEST, clock_of(st.stx_mtime), above,
                 "names were made, removed or renamed in it for the last time: what is asked for is not there now");
        /* where a time is asked for it would be taken for the moment */
        if ((st.stx_mask & STATX_BTIME) && !q->since_ns && !q->until_ns)
            put_time(out, 0, clock_of(st.stx_btime), above, "was made");
        return;
    }
}

static int gather(struct bytes request, struct gathered *g)
{
    struct clue_question q;
    _cleanup_close_ int root = clue_begin(request, &q), fd = -EBADF;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct bytes path;
    struct statx st;

    if (root < 0)
        return root;
    path = q.host_path.len ? q.host_path : q.path;
    fd = beneath_open(root, path, O_PATH | O_NOFOLLOW);
    if (fd >= 0 && look_at(fd, "", &st) == 0)
        put_target(&out, fd, &q, &st);
    else
        put_above(&out, root, &q);
    return clue_gather_text(g, CLUE_ANSWER, &out);
}

const struct foreign_job clue_job_directory = { "the times of files", 1024 * 1024, gather, NULL, false };
