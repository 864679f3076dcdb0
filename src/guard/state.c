/* SPDX-License-Identifier: MIT */
#include "guard/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/flat.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/escape.h"
#include "util/sbuf.h"
#include "util/write.h"

#define VERSION 1
#define STATE_MAX (512 * 1024 * 1024)
#define PATIENCE_MS 15000 /* of a keeper that is asked to end */

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

int guard_state_append(int fd, const struct guard_list *list, size_t from, struct err *err)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    int r;

    for (size_t i = from; i < list->count; i++) {
        const struct guard_entry *e = &list->entries[i];

        flat_put_bytes(&out, bytes_of(e->path));
        flat_put_u64(&out, e->device);
        flat_put_u64(&out, e->inode);
        flat_put_u64(&out, e->directory);
    }
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
        r = text ? guard_list_add(list, text, device, inode, directory) : -ENOMEM;
        if (r < 0)
            return r;
    }
    return 0;
}

static int take(struct bytes in, struct guard_state *ret)
{
    uint64_t version = 0, asker = 0;
    int r = flat_get_u64(&in, &version);

    if (r == 0)
        r = version == VERSION ? flat_get_bytes(&in, &ret->method) : -EPROTO;
    if (r == 0)
        r = flat_get_bytes(&in, &ret->target);
    if (r == 0)
        r = flat_get_u64(&in, &ret->since_ns);
    if (r == 0)
        r = flat_get_u64(&in, &ret->until_ns);
    if (r == 0)
        r = flat_get_u64(&in, &asker);
    ret->asker = (pid_t)asker;
    return r < 0 ? r : take_entries(in, &ret->list);
}

/* wanted: it is locked for us first, so that of two commands one undoes it. */
static int with_state(int dir, const char *name, bool wanted, int (*each)(void *data, const char *name, const struct guard_state *state),
                      void *data)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct guard_state state = { 0 };
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    struct stat st;
    int r = 0;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0)
        return 0;
    if (wanted && lock(fd) < 0)
        return 0;
    if (!wanted)
        state.keeper = holder_of(fd);
    /* its descriptor stays the only one: closing another would give the lock away */
    if (fstat(fd, &st) == 0 && st.st_nlink == 1 && beneath_read_fd(fd, STATE_MAX, &text, &len) == 0 &&
        take((struct bytes){ text, len }, &state) == 0)
        r = each(data, name, &state);
    guard_list_done(&state.list);
    return r;
}

static int each_file(const char *directory, bool wanted, int (*each)(void *data, const char *name, const struct guard_state *state),
                     void *data)
{
    int fd = open_directory(directory), r = 0;
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    if (!dir) {
        closep(&fd);
        return 0;
    }
    while (r == 0 && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            r = with_state(dirfd(dir), entry->d_name, wanted, each, data);
    return r;
}

int guard_state_each(const char *directory, int (*each)(void *data, const char *name, const struct guard_state *state), void *data)
{
    return each_file(directory, false, each, data);
}

struct state_taking {
    const char *directory;
    struct sbuf *said;
    size_t count;
};

static int undo(void *data, const char *name, const struct guard_state *state)
{
    const struct guard_method *method;
    struct state_taking *t = data;
    char word[32];
    size_t other;

    snprintf(word, sizeof(word), "%.*s", (int)state->method.len, state->method.data);
    method = guard_method_by_name(word);
    if (!method)
        return 0; /* a newer culprit's */
    other = method->release(&state->list);
    guard_state_remove(t->directory, name);
    sbuf_addf(t->said, "%sthe guard of ", t->count ? "; " : "");
    escape_terminal(t->said, state->target);
    sbuf_addf(t->said, " (%zu files)", state->list.count - other);
    t->count++;
    return 0;
}

size_t guard_take_back(const char *directory, struct sbuf *said)
{
    struct state_taking t = { directory, said, 0 };

    (void)each_file(directory, true, undo, &t);
    return t.count;
}

/* ---- ending those that are held ---- */

struct ending {
    const char *target;
    struct sbuf *said;
    size_t count;
    pid_t pids[64];
    size_t pid_count;
};

static int note_keeper(void *data, const char *name, const struct guard_state *state)
{
    struct ending *e = data;

    (void)name;
    if (state->keeper > 0 && e->pid_count < ARRAY_SIZE(e->pids) && (!e->target || bytes_equal_str(state->target, e->target)))
        e->pids[e->pid_count++] = state->keeper;
    return 0;
}

static int is_held(void *data, const char *name, const struct guard_state *state)
{
    (void)name;
    return state->keeper == *(const pid_t *)data;
}

static bool wait_for_end(const char *directory, pid_t *pid)
{
    for (unsigned waited = 0; waited < PATIENCE_MS; waited += 20) {
        if (!each_file(directory, false, is_held, pid))
            return true;
        (void)nanosleep(&(struct timespec){ 0, 20 * 1000 * 1000 }, NULL);
    }
    return false;
}

/* A pid that is another's by now holds no lock of ours: it is asked for once more, when its descriptor is open. */
static bool signal_keeper(const char *directory, pid_t *pid, int number)
{
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, *pid, 0);

    if (!each_file(directory, false, is_held, pid))
        return false;
    return fd >= 0 ? syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0 : kill(*pid, number) == 0;
}

size_t guard_end(const char *directory, const char *target, struct sbuf *said)
{
    struct ending e = { .target = target, .said = said };

    (void)each_file(directory, false, note_keeper, &e);
    for (size_t i = 0; i < e.pid_count; i++) {
        if (!signal_keeper(directory, &e.pids[i], SIGTERM) || wait_for_end(directory, &e.pids[i])) {
            e.count++;
            continue;
        }
        e.count += signal_keeper(directory, &e.pids[i], SIGKILL) && wait_for_end(directory, &e.pids[i]);
    }
    (void)guard_take_back(directory, said);
    return e.count;
}
