/* SPDX-License-Identifier: MIT */
#include "guard/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/flat.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/sbuf.h"
#include "util/write.h"

#define VERSION 4 /* 1 had no time by which it is to be confirmed, 2 no older writers, 3 no mounts below */
#define STATE_MAX (512 * 1024 * 1024)
#define HEAD_MAX (512 * 1024) /* all targets of a command, with room to spare */
#define IS_MOUNT 2 /* in the place of "it is a directory": the path is a mount point of those that follow */
#define LOCK_MS 10000
#define LOOK_MS 20

static int open_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

static int write_to_disk(int fd, struct bytes b)
{
    int r = write_all(fd, b);

    return r == 0 && fsync(fd) < 0 ? -errno : r;
}

static int lock(int fd)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_SETLK, &l) < 0 ? -errno : 0;
}

/* Who holds the file; 0: nobody. */
static pid_t holder_of(int fd)
{
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK ? l.l_pid : 0;
}

static int make_directory(const char *directory)
{
    char parent[256];
    const char *slash = strrchr(directory, '/');

    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - directory), directory);
    (void)mkdir(parent, 0755);
    return mkdir(directory, 0700) < 0 && errno != EEXIST ? -errno : open_directory(directory);
}

/* The last guard's end removes the directory: a lock on one that is no longer there is none. */
static bool is_there(const char *directory, int fd)
{
    struct stat st, now;

    return fstat(fd, &st) == 0 && stat(directory, &now) == 0 && st.st_ino == now.st_ino && st.st_dev == now.st_dev;
}

int guard_state_lock(const char *directory, bool make)
{
    for (unsigned waited = 0; waited < LOCK_MS; waited += LOOK_MS) {
        _cleanup_close_ int fd = make ? make_directory(directory) : open_directory(directory);

        if (fd < 0)
            return fd;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (is_there(directory, fd))
                return TAKE_FD(fd);
        } else if (errno != EWOULDBLOCK && errno != EINTR) {
            return -errno;
        }
        (void)nanosleep(&(struct timespec){ 0, LOOK_MS * 1000 * 1000 }, NULL);
    }
    return -EBUSY;
}

int guard_state_create(const char *directory, const struct guard_state *state, int *ret_fd, char **ret_name, struct err *err)
{
    _cleanup_close_ int dir = make_directory(directory), fd = -EBADF;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    char hidden[64];
    int r;

    if (dir < 0)
        return err_set(err, dir, "%s", directory);
    /* nobody looks at it before it is locked */
    snprintf(hidden, sizeof(hidden), ".%d-%llu", (int)getpid(), (unsigned long long)state->since_ns);
    fd = openat(dir, hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, -errno, "%s", directory);
    flat_put_u64(&out, VERSION);
    flat_put_bytes(&out, state->method);
    flat_put_bytes(&out, state->target);
    flat_put_u64(&out, state->since_ns);
    flat_put_u64(&out, state->until_ns);
    flat_put_u64(&out, (uint64_t)state->asker);
    flat_put_u64(&out, state->mounted_below);
    flat_put_u64(&out, state->older_writers);
    flat_put_u64(&out, state->confirm_ns);
    r = sbuf_error(&out);
    if (r == 0)
        r = lock(fd);
    if (r == 0)
        r = write_to_disk(fd, sbuf_bytes(&out));
    if (r == 0 && renameat(dir, hidden, dir, hidden + 1) < 0)
        r = -errno;
    if (r == 0 && fsync(dir) < 0)
        r = -errno;
    *ret_name = r == 0 ? strdup(hidden + 1) : NULL;
    if (r < 0 || !*ret_name) {
        (void)unlinkat(dir, hidden, 0);
        return err_set(err, r < 0 ? r : -ENOMEM, "%s", directory);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static void put_entry(struct sbuf *out, const char *path, uint64_t device, uint64_t inode, uint64_t kind)
{
    flat_put_bytes(out, bytes_of(path));
    flat_put_u64(out, device);
    flat_put_u64(out, inode);
    flat_put_u64(out, kind);
}

int guard_state_append(int fd, struct guard_list *list, size_t from, struct err *err)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    int r;

    for (; list->mounts_written < list->mount_count; list->mounts_written++)
        put_entry(&out, list->mounts[list->mounts_written], 0, 0, IS_MOUNT);
    for (size_t i = from; i < list->count; i++)
        put_entry(&out, list->entries[i].path, list->entries[i].device, list->entries[i].inode, list->entries[i].directory);
    r = sbuf_error(&out);
    if (r == 0)
        r = write_to_disk(fd, sbuf_bytes(&out));
    return r < 0 ? err_set(err, r, "writing down what is held") : 0;
}

void guard_state_remove(const char *directory, const char *name)
{
    _cleanup_close_ int dir = open_directory(directory);

    if (dir >= 0)
        (void)unlinkat(dir, name, 0);
    (void)rmdir(directory); /* the last one's */
}

/* An entry that was cut off by the end of the machine was not held yet. */
static int take_entries(struct bytes in, struct guard_list *list)
{
    while (in.len) {
        uint64_t device, inode, directory;
        struct bytes path;
        _cleanup_free_ char *text = NULL;
        int r;

        if (flat_get_bytes(&in, &path) < 0 || flat_get_u64(&in, &device) < 0 || flat_get_u64(&in, &inode) < 0 ||
            flat_get_u64(&in, &directory) < 0)
            return 0;
        text = strndup(path.data, path.len);
        r = !text                   ? -ENOMEM
            : directory == IS_MOUNT ? guard_list_add_mount(list, path)
                                    : guard_list_add(list, text, device, inode, directory);
        if (r < 0)
            return r;
    }
    return 0;
}

static int take_head(struct bytes *in, struct guard_state *ret)
{
    uint64_t version = 0, asker = 0;
    int r = flat_get_u64(in, &version);

    if (r == 0)
        r = version >= 1 && version <= VERSION ? flat_get_bytes(in, &ret->method) : -EPROTO;
    if (r == 0)
        r = flat_get_bytes(in, &ret->target);
    if (r == 0)
        r = flat_get_u64(in, &ret->since_ns);
    if (r == 0)
        r = flat_get_u64(in, &ret->until_ns);
    if (r == 0)
        r = flat_get_u64(in, &asker);
    ret->older_writers = GUARD_WRITERS_NOT_KNOWN;
    if (r == 0 && version >= 4)
        r = flat_get_u64(in, &ret->mounted_below);
    if (r == 0 && version >= 3)
        r = flat_get_u64(in, &ret->older_writers);
    if (r == 0 && version >= 2)
        r = flat_get_u64(in, &ret->confirm_ns);
    ret->asker = (pid_t)asker;
    return r;
}

/* The head, and where it ends. */
static int read_head(int fd, struct guard_state *ret, off_t *ret_end)
{
    _cleanup_free_ char *text = NULL;
    struct bytes in;
    size_t len = 0;
    int r = beneath_read_part(fd, 0, HEAD_MAX, &text, &len);

    in = (struct bytes){ text, len };
    if (r == 0)
        r = take_head(&in, ret);
    *ret_end = (off_t)(len - in.len);
    ret->method = ret->target = BYTES_NULL; /* they go with the text */
    return r;
}

static int write_word(int fd, off_t at, uint64_t word)
{
    return pwrite(fd, &word, sizeof(word), at) == (ssize_t)sizeof(word) ? 0 : -EIO;
}

int guard_state_confirm(int fd)
{
    struct guard_state state = { 0 };
    off_t end;
    int r = read_head(fd, &state, &end);

    if (r < 0 || !state.confirm_ns)
        return r;
    r = write_word(fd, end - (off_t)sizeof(uint64_t), 0); /* the head's last word */
    return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int guard_state_set_older_writers(int fd, uint64_t count)
{
    struct guard_state state = { 0 };
    off_t end;
    int r = read_head(fd, &state, &end);

    return r < 0 ? r : write_word(fd, end - 2 * (off_t)sizeof(uint64_t), count); /* the one before */
}

struct look {
    const char *except; /* a name; NULL: none */
    bool lists, left;
    guard_state_fn *each;
    void *data;
};

static int read_text(int fd, bool all, char **ret, size_t *ret_len)
{
    return all ? beneath_read_fd(fd, STATE_MAX, ret, ret_len) : beneath_read_part(fd, 0, HEAD_MAX, ret, ret_len);
}

static int with_state(int dir, const char *name, const struct look *look)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct guard_state state = { 0 };
    _cleanup_free_ char *text = NULL;
    struct bytes in;
    struct stat st;
    size_t len = 0;
    int r = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0)
        return 0;
    if (look->left && lock(fd) < 0)
        return 0;
    if (!look->left)
        state.keeper = holder_of(fd);
    /* its descriptor stays the only one: closing another would give the lock away */
    if (fstat(fd, &st) < 0 || st.st_nlink != 1 || read_text(fd, look->lists, &text, &len) < 0)
        return 0;
    in = (struct bytes){ text, len };
    if (take_head(&in, &state) == 0 && (!look->lists || take_entries(in, &state.list) == 0))
        r = look->each(look->data, name, &state);
    guard_list_done(&state.list);
    return r;
}

static int each_file(const char *directory, const struct look *look)
{
    int fd = open_directory(directory), r = 0;
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return 0;
    }
    while (r == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && (!look->except || strcmp(entry->d_name, look->except) != 0))
            r = with_state(dirfd(dir), entry->d_name, look);
    return r;
}

int guard_state_each(const char *directory, guard_state_fn *each, void *data)
{
    return each_file(directory, &(struct look){ .lists = true, .each = each, .data = data });
}

int guard_state_each_head(const char *directory, guard_state_fn *each, void *data)
{
    return each_file(directory, &(struct look){ .each = each, .data = data });
}

int guard_state_each_left(const char *directory, guard_state_fn *each, void *data)
{
    return each_file(directory, &(struct look){ .lists = true, .left = true, .each = each, .data = data });
}

static int add_held(void *data, const char *name, const struct guard_state *state)
{
    int r = 0;

    (void)name;
    for (size_t i = 0; i < state->list.count && r >= 0; i++)
        r = guard_set_add(data, state->list.entries[i].device, state->list.entries[i].inode);
    return r < 0 ? r : 0;
}

int guard_state_held(const char *directory, const char *except, struct guard_set *ret)
{
    return each_file(directory, &(struct look){ .except = except, .lists = true, .each = add_held, .data = ret });
}

pid_t guard_state_keeper(const char *directory, const char *name)
{
    _cleanup_close_ int dir = open_directory(directory), fd = -EBADF;
    struct stat st;

    if (dir >= 0)
        fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? holder_of(fd) : 0;
}

/* ---- notes ---- */

/* Begins with a dot: it is no guard's state. */
static void name_note(pid_t asker, char ret[32])
{
    snprintf(ret, 32, ".off-%d", (int)asker);
}

int guard_state_note(const char *directory, pid_t asker)
{
    _cleanup_close_ int dir = open_directory(directory), fd = -EBADF;
    char name[32];

    name_note(asker, name);
    fd = dir < 0 ? dir : openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : 0;
}

bool guard_state_is_noted(const char *directory, pid_t asker)
{
    _cleanup_close_ int dir = open_directory(directory);
    char name[32];

    name_note(asker, name);
    return dir >= 0 && faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

bool guard_state_take_note(const char *directory, pid_t asker)
{
    _cleanup_close_ int dir = open_directory(directory);
    char name[32];

    name_note(asker, name);
    if (dir < 0 || unlinkat(dir, name, 0) < 0)
        return false;
    (void)rmdir(directory); /* the last one's */
    return true;
}
