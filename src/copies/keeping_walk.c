/* SPDX-License-Identifier: MIT */
#include "copies/keeping_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copies/keeping_held.h"
#include "copies/look.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/macro.h"
#include "util/sbuf.h"

#define RETRY_MS 5000     /* after the disk was full */
#define WRITTEN_MS 1000   /* after it was being written */
#define MEASURE_MS 60000  /* after there was more than the limit has room for: whether it has now */

/* ---- folders to be walked through ---- */

void keeping_push(struct copies_keeping *k, struct bytes path)
{
    char *text;

    if (k->folder_count == k->folder_size) {
        size_t size = k->folder_size ? k->folder_size * 2 : 64;
        char **more = reallocarray(k->folders, size, sizeof(*more));

        if (!more) {
            k->report.unreadable++;
            return;
        }
        k->folders = more;
        k->folder_size = size;
    }
    text = strndup(path.data, path.len);
    if (text)
        k->folders[k->folder_count++] = text;
    else
        k->report.unreadable++;
}

void keeping_walk_all(struct copies_keeping *k)
{
    k->report.too_large = k->report.unreadable = k->report.unwatched = 0;
    pack_new_round(k->pack);
    for (size_t i = 0; i < k->roots.count; i++) {
        if (!k->roots.items[i].keep)
            continue;
        k->roots.items[i].walked = true;
        keeping_push(k, bytes_of(k->roots.items[i].path));
    }
}

void keeping_stop_walking(struct copies_keeping *k)
{
    while (k->folder_count)
        free(k->folders[--k->folder_count]);
}

/* ---- one file ---- */

void keeping_note_state(struct copies_keeping *k)
{
    spans_are(k->spans, clock_ns(CLOCK_REALTIME), k->unasked ? -EPIPE : k->report.error);
}

/* What is there now is kept anew. */
int keeping_turn(struct copies_keeping *k)
{
    int r = pack_turn(k->pack);

    keeping_stop_walking(k);
    k->begin = false;
    if (r == 0)
        keeping_walk_all(k);
    return r;
}

void keeping_on_error(struct copies_keeping *k, int r)
{
    keeping_stop_walking(k);
    k->report.walks = k->asked;
    if (r == -EFBIG && !k->turned) {
        k->turned = true;
        r = keeping_turn(k);
    }
    if (r == 0)
        return;
    keeping_stop_walking(k);
    k->report.error = r;
    k->retry_ms = clock_ms(CLOCK_MONOTONIC) + (r == -EFBIG ? MEASURE_MS : RETRY_MS);
    keeping_note_state(k);
}

void keeping_add(struct copies_keeping *k, struct copy_record *record, struct bytes path, struct bytes link, struct bytes xattrs, const struct bytes *content)
{
    int r = k->report.error ? 0 : pack_add(k->pack, record, path, link, xattrs, content);

    if (r < 0)
        keeping_on_error(k, r);
}

/* Its content, if it has one that is kept. False: not now. */
static bool take_content(struct copies_keeping *k, int fd, const struct stat *st, struct copy_record *record, struct bytes *content)
{
    int r;

    if (!S_ISREG(st->st_mode))
        return true;
    r = look_content(fd, st, k->content, content);
    if (r < 0) {
        k->report.unreadable++;
        record->flags |= COPY_NO_CONTENT;
    }
    return r <= 0;
}

static void keep_later(struct copies_keeping *k, struct bytes path, uint64_t wait_ms)
{
    struct changed_file *later = changed_of(&k->changed, path, true);

    if (later)
        later->due_ms = clock_ms(CLOCK_MONOTONIC) + wait_ms;
}

void keeping_note_busy(struct copies_keeping *k, struct changed_file *c, bool busy)
{
    if (!c || c->busy == busy)
        return;
    c->busy = busy;
    if (busy)
        k->report.busy++;
    else
        k->report.busy--;
}

static bool is_without_room(int r)
{
    return r == -E2BIG || r == -EMFILE || r == -ENOSPC || r == -EDQUOT;
}

/* One that has no place in the pack. No other is left for it: what is there for which there is no room is noted without its content. */
static void keep_large(struct copies_keeping *k, int fd, struct bytes path, struct copy_record *record, struct bytes xattrs, const struct stat *st)
{
    _cleanup_close_ int file = k->report.error ? -EBADF : beneath_reopen_file(fd);
    int r = file < 0 ? file : pack_add_large(k->pack, record, path, xattrs, file, st);
    struct changed_file *c;
    bool was_busy;

    if (r == 0)
        keeping_let_go(k, path);
    else if (r == -E2BIG)
        r = keeping_hold(k, fd, path, record, xattrs, st);
    if (!k->report.error && r == -EFBIG)
        keeping_on_error(k, r);
    if (k->report.error || r == -EFBIG)
        return;
    c = changed_of(&k->changed, path, r < 0);
    if (c)
        c->large = true;
    was_busy = c && c->busy;
    keeping_note_busy(k, c, r == -EAGAIN);
    if (r == -ESTALE || r == -ENOSPC || r == -EDQUOT)
        keep_later(k, path, COPIES_LARGE_AGAIN_MS);
    if (r == -EAGAIN) /* one that might be copied is read for that each time */
        keep_later(k, path, (uint64_t)st->st_size > pack_large_share(k->pack) / 4 ? COPIES_AGAIN_MS : COPIES_LARGE_AGAIN_MS);
    if (r == 0 || r == -ESTALE || (r == -EAGAIN && was_busy))
        return;
    k->report.too_large += is_without_room(r);
    k->report.unreadable += r != -EAGAIN && !is_without_room(r);
    record->flags |= COPY_NO_CONTENT;
    record->size = (uint64_t)st->st_size;
    keeping_add(k, record, path, BYTES_NULL, xattrs, NULL);
}

/* Its status changed last so long ago: it did not come just now. */
static bool is_older(const struct stat *st, uint64_t now)
{
    uint64_t changed = (uint64_t)st->st_ctim.tv_sec * NS_PER_S + (uint64_t)st->st_ctim.tv_nsec;

    return changed < now && now - changed >= COPY_MOMENT_NS;
}

/* flags: enum copy_flag, of what is known already. */
static void keep_at(struct copies_keeping *k, int fd, struct bytes path, uint32_t flags)
{
    _cleanup_sbuf_ struct sbuf xattrs = SBUF_INIT;
    struct copy_record record = { .time_ns = clock_ns(CLOCK_REALTIME), .flags = flags | (k->begin ? COPY_AT_BEGIN : 0) };
    struct bytes content = BYTES_NULL;
    char link[PATH_MAX];
    struct stat st;
    ssize_t n = 0;

    if (fstat(fd, &st) < 0)
        return;
    keeping_held_look(k, path, &st);
    if (k->measuring) {
        k->measured += sizeof(record) + path.len + (S_ISREG(st.st_mode) && st.st_size <= COPIES_FILE_MAX ? (uint64_t)st.st_size : 0);
        return;
    }
    record.flags |= is_older(&st, record.time_ns) ? COPY_AT_BEGIN : 0;
    record.mode = st.st_mode;
    record.uid = st.st_uid;
    record.gid = st.st_gid;
    record.mtime_ns = st.st_mtim.tv_sec * (int64_t)NS_PER_S + st.st_mtim.tv_nsec;
    if (S_ISLNK(st.st_mode))
        n = readlinkat(fd, "", link, sizeof(link));
    if (S_ISDIR(st.st_mode))
        record.mtime_ns = 0; /* it changes with all that is done in it */
    if (!S_ISLNK(st.st_mode))
        look_xattrs(fd, &xattrs);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        record.file_flags = look_flags(fd);
    if (S_ISREG(st.st_mode) && st.st_size > COPIES_FILE_MAX) {
        keep_large(k, fd, path, &record, sbuf_bytes(&xattrs), &st);
        return;
    }
    if (!take_content(k, fd, &st, &record, &content)) {
        keep_later(k, path, WRITTEN_MS);
        return;
    }
    keeping_add(k, &record, path, (struct bytes){ link, n > 0 ? (size_t)n : 0 }, sbuf_bytes(&xattrs),
        S_ISREG(st.st_mode) && !(record.flags & COPY_NO_CONTENT) ? &content : NULL);
}

void keeping_keep_path(struct copies_keeping *k, struct bytes path, bool below_too)
{
    _cleanup_close_ int fd = look_open(path);
    bool had = pack_has(k->pack, path);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return; /* it has gone meanwhile */
    keep_at(k, fd, path, 0);
    if (below_too && S_ISDIR(st.st_mode) && !had)
        keeping_push(k, path);
}

/* ---- walking ---- */

/* Neither gone nor somebody else's matter: it is there, and is not kept. */
static bool is_unreadable(int r)
{
    return r < 0 && r != -ENOENT && r != -ENOTDIR && r != -ELOOP && r != -EXDEV;
}

static void keep_entry(struct copies_keeping *k, int directory, struct bytes folder, const char *name)
{
    _cleanup_close_ int fd = -EBADF;
    char text[PATH_MAX];
    struct bytes path = { text, 0 };
    struct stat st;
    int len = snprintf(text, sizeof(text), "%.*s%s%s", (int)folder.len, folder.data, folder.len > 1 ? "/" : "", name);

    if (len <= 0 || (size_t)len >= sizeof(text))
        return;
    path.len = (size_t)len;
    if (k->roots.left && !roots_keep(&k->roots, path))
        return;
    fd = beneath_open_here(directory, name, O_PATH);
    k->report.unwatched += fd == -EXDEV;
    k->report.unreadable += is_unreadable(fd);
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    keep_at(k, fd, path, 0);
    if (S_ISDIR(st.st_mode) && (!k->report.error || k->measuring))
        keeping_push(k, path);
}

/* That not all of it is known is kept with the folder. */
static void note_unread(struct copies_keeping *k, struct bytes path)
{
    _cleanup_close_ int fd = look_open(path);

    k->report.unreadable++;
    if (fd >= 0)
        keep_at(k, fd, path, COPY_NO_CONTENT);
}

static void walk_folder(struct copies_keeping *k, const char *path)
{
    int fd = beneath_open_plain(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        if (is_unreadable(fd))
            note_unread(k, bytes_of(path));
        closep(&fd);
        return; /* else a file, or it has gone */
    }
    errno = 0;
    while ((!k->report.error || k->measuring) && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            keep_entry(k, dirfd(dir), bytes_of(path), entry->d_name);
        errno = 0;
    }
    if (errno)
        note_unread(k, bytes_of(path));
}

/* ---- what has gone unseen: while nobody watched, or nothing could be kept ---- */

struct unseen {
    struct copies_keeping *k;
    char **paths; /* owned */
    size_t count, size;
};

static void on_unseen(void *data, struct bytes path)
{
    struct unseen *u = data;

    if (!roots_walked(&u->k->roots, path))
        return;
    if (u->count == u->size) {
        size_t size = u->size ? u->size * 2 : 64;
        char **more = reallocarray(u->paths, size, sizeof(*more));

        if (!more)
            return;
        u->paths = more;
        u->size = size;
    }
    u->paths[u->count] = strndup(path.data, path.len);
    u->count += u->paths[u->count] != NULL;
}

/* Where a container's root is not mounted any more nothing of it has gone. */
static void leave_unmounted(struct copies_keeping *k)
{
    for (size_t i = 0; i < k->roots.count; i++) {
        struct copies_root *r = &k->roots.items[i];

        if (r->point_len && !look_is_mounted((struct bytes){ r->path, r->point_len }))
            r->walked = false;
    }
}

static void note_gone(struct copies_keeping *k)
{
    struct unseen u = { .k = k };

    leave_unmounted(k);
    pack_each_unseen(k->pack, &u, on_unseen);
    for (size_t i = 0; i < u.count; i++) {
        struct copy_record record = { .time_ns = clock_ns(CLOCK_REALTIME), .flags = COPY_GONE };
        struct bytes path = bytes_of(u.paths[i]);
        _cleanup_close_ int fd = pack_has(k->pack, path) ? look_open(path) : -EBADF;

        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
            keeping_add(k, &record, path, BYTES_NULL, BYTES_NULL, NULL);
        free(u.paths[i]);
    }
    free(u.paths);
}

static void end_measuring(struct copies_keeping *k)
{
    int r;

    k->measuring = false;
    roots_end_walk(&k->roots);
    if (k->measured > k->limit / 2) {
        k->retry_ms = clock_ms(CLOCK_MONOTONIC) + MEASURE_MS;
        return;
    }
    k->report.error = 0;
    keeping_note_state(k);
    k->turned = true;
    r = keeping_turn(k);
    if (r < 0)
        keeping_on_error(k, r);
}

void keeping_walk_one(struct copies_keeping *k)
{
    char *path = k->folders[--k->folder_count];

    walk_folder(k, path);
    free(path);
    if (k->folder_count)
        return;
    if (k->measuring)
        end_measuring(k);
    if (k->folder_count || k->report.error)
        return;
    note_gone(k);
    if (k->report.error)
        return;
    roots_end_walk(&k->roots);
    k->report.walks = k->asked;
    k->begin = k->turned = k->catching_up = false;
}
