/* SPDX-License-Identifier: MIT */
#include "engine/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine/oci_dirs.h"
#include "engine/oci_exit.h"
#include "engine/oci_files.h"
#include "engine/oci_mount.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fingerprint.h"
#include "util/hash_table.h"
#include "util/limits.h"
#include "util/proc_stat.h"
#include "util/sbuf.h"

#define PROC "/proc"
#define UNFOLLOWED_NS (2 * NS_PER_S)
#define DISTRUST_NS (60 * NS_PER_S)

struct oci_entry {
    char *path;          /* its state directory: the key */
    const char *runtime; /* as the place says */
    bool trusted;
    struct oci_facts facts; /* container NULL: nothing readable yet */
    int pidfd;           /* of the first process while it lives, -1 */
    bool started;        /* its program runs: "created" is over */
    uint64_t oom_kills;  /* of its cgroup when it started */
    UT_hash_handle hh;
};

struct oci {
    const struct log *log;
    struct oci_dirs *dirs;
    struct oci_entry *entries;
    int epoll_fd;
    uint64_t next_unfollowed_ns;
    unsigned beyond_said;
    uint64_t distrusted_until_ns;
    struct fingerprint distrusted; /* whose files did not answer, or took for ever to parse */
    /* during oci_dispatch(): who receives lifecycle events; NULL while the first scan runs */
    void (*life)(void *data, const struct lifecycle_event *life);
    void *data;
};

bool oci_is_running(const struct oci_facts *f)
{
    pid_t pid = f->view.container ? f->view.container->pid : 0;
    uint64_t ticks = pid > 0 ? proc_stat_start_ticks(PROC, pid) : 0;

    return ticks && (!f->pid_ticks || ticks == f->pid_ticks);
}

/* A user's state files may claim anything: believe them only about processes of the same user. */
static bool may_speak_for(const char *dir, pid_t pid)
{
    char path[64];
    _cleanup_close_ int fd = -EBADF;
    struct stat writer, process;
    uid_t owner = 0;

    if (stat(dir, &writer) < 0)
        return false;
    if (writer.st_uid == 0)
        return true;
    snprintf(path, sizeof(path), PROC "/%d", pid);
    if (stat(path, &process) == 0 && process.st_uid == writer.st_uid)
        return true;
    snprintf(path, sizeof(path), PROC "/%d/ns/user", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && ioctl(fd, NS_GET_OWNER_UID, &owner) == 0 && owner == writer.st_uid;
}

/* ---- reading one ---- */

/* The texts of a state directory, in their own process where a user may have written them. */
static int read_texts(struct oci *o, const struct oci_entry *e, struct oci_facts *ret, struct err *err)
{
    struct fingerprint whose = fingerprint_of(bytes_dirname(bytes_of(e->path)));
    int r;

    if (e->trusted)
        return oci_files_read(e->path, ret, err);
    if (clock_ns(CLOCK_MONOTONIC) < o->distrusted_until_ns && fingerprint_equal(o->distrusted, whose))
        return -ETIMEDOUT;
    r = oci_files_ask(e->path, ret, err);
    if (r == -ETIMEDOUT || r == -EBADMSG) { /* ignore this user's state directories for a minute */
        o->distrusted = whose;
        o->distrusted_until_ns = clock_ns(CLOCK_MONOTONIC) + DISTRUST_NS;
    }
    return r;
}

/* 0 and the facts; -EAGAIN: not written yet, or not for us. */
static int read_state(struct oci *o, struct oci_entry *e, struct oci_facts *ret)
{
    struct bytes id = bytes_basename(bytes_of(e->path));
    struct oci_facts f = { 0 };
    struct err err = ERR_INIT;
    int r = read_texts(o, e, &f, &err);

    /* a bundle of containerd: its runtime's own state says more, if there is one */
    if (r == 0 && f.only_bundle && (!f.view.container->pid || oci_find(o, id)))
        r = -EAGAIN;
    if (r < 0) {
        oci_facts_done(&f);
        if (r != -EAGAIN && r != -ENOENT)
            log_debug(o->log, "a runtime's state: %s", err_text(&err, r));
        return -EAGAIN; /* half written: inotify reports it again */
    }
    if (f.only_bundle) {
        f.pid_ticks = proc_stat_start_ticks(PROC, f.view.container->pid);
        f.view.running = true;
    }
    oci_name(&f, id, e->runtime);
    if (!oci_is_running(&f) || (!e->trusted && !may_speak_for(e->path, f.view.container->pid))) {
        f.view.running = false;
        f.view.container->pid = 0;
    }
    *ret = f;
    return 0;
}

/* ---- what happens to one ---- */

static void emit(struct oci *o, const struct oci_entry *e, enum lifecycle_kind kind, uint64_t time_ns, int exit_code)
{
    struct lifecycle_event life = { .kind = kind, .time_ns = time_ns, .exit_code = exit_code,
                         .container = e->facts.view.container };

    if (o->life)
        o->life(o->data, &life);
}

static void close_pidfd(struct oci_entry *e)
{
    if (e->pidfd >= 0)
        close(e->pidfd);
    e->pidfd = -1;
}

static void on_death(struct oci *o, struct oci_entry *e)
{
    struct container *c, *old = e->facts.view.container;
    uint64_t kills = oci_oom_kills(old->cgroup);
    int code = oci_exit_code(e->path, old, e->pidfd);

    close_pidfd(e);
    c = container_copy(old);
    if (!c)
        return;
    c->pid = 0; /* the kernel may give the pid to another process from now on */
    e->facts.view.running = false;
    if (kills > e->oom_kills)
        emit(o, e, LIFECYCLE_OOM, clock_ns(CLOCK_REALTIME), -1);
    e->started = false;
    if (o->life)
        o->life(o->data, &(struct lifecycle_event){ .kind = LIFECYCLE_DIE, .time_ns = clock_ns(CLOCK_REALTIME),
                                         .exit_code = code, .container = c });
    container_unref(c);
}

static void follow_process(struct oci *o, struct oci_entry *e)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = e };

    if (e->pidfd >= 0 || !e->facts.view.running)
        return;
    e->pidfd = (int)syscall(SYS_pidfd_open, e->facts.view.container->pid, 0);
    if (e->pidfd < 0)
        return;
    /* the pid may have been given to another between its check and here */
    if (!oci_is_running(&e->facts) || epoll_ctl(o->epoll_fd, EPOLL_CTL_ADD, e->pidfd, &event) < 0)
        close_pidfd(e);
}

static bool is_waiting_to_start(const struct oci_entry *e)
{
    char path[PATH_MAX];

    return (size_t)snprintf(path, sizeof(path), "%s/exec.fifo", e->path) < sizeof(path) &&
           access(path, F_OK) == 0;
}

/* The start time: when the fifo that the container's program waits for was removed, which is the directory's mtime. */
static uint64_t start_time(const struct oci_entry *e)
{
    uint64_t t = clock_ns(CLOCK_REALTIME), written;
    struct stat st;

    if (stat(e->path, &st) < 0)
        return t;
    written = clock_of(st.st_mtim);
    return written < t && t - written < 2 * NS_PER_S ? written : t;
}

static void read_entry(struct oci *o, struct oci_entry *e)
{
    bool known = e->facts.view.container != NULL, first_scan = o->life == NULL;
    struct oci_facts f = { 0 };
    uint64_t started_ns = known ? e->facts.view.container->started_ns : 0;
    bool waits;

    if (read_state(o, e, &f) < 0)
        return;
    if (known && e->pidfd >= 0 && f.view.container->pid != e->facts.view.container->pid)
        on_death(o, e); /* a new first process in the same directory */
    oci_facts_done(&e->facts);
    e->facts = f;
    if (!known)
        emit(o, e, LIFECYCLE_CREATE, clock_ns(CLOCK_REALTIME), -1);
    follow_process(o, e);
    if (e->started && f.view.running) /* read again: an update, a pause */
        (void)oci_overlay(PROC, f.view.container->pid, &e->facts.view);
    waits = is_waiting_to_start(e);
    if (f.view.running && !waits && !e->started) {
        e->started = true;
        started_ns = first_scan ? f.view.container->created_ns : start_time(e);
        f.view.container->started_ns = started_ns;
        (void)oci_overlay(PROC, f.view.container->pid, &e->facts.view);
        e->oom_kills = oci_oom_kills(f.view.container->cgroup);
        emit(o, e, LIFECYCLE_START, started_ns, -1);
    }
    f.view.container->started_ns = started_ns;
}

static void on_appeared(void *data, const char *path, const char *runtime, bool trusted)
{
    struct oci *o = data;
    struct oci_entry *e;

    HASH_FIND_STR(o->entries, path, e);
    if (!e) {
        if (HASH_COUNT(o->entries) >= LIMIT_RUNTIME_DIRS || !(e = calloc(1, sizeof(*e))))
            return;
        e->path = strdup(path);
        e->runtime = runtime;
        e->trusted = trusted;
        e->pidfd = -1;
        if (!e->path) {
            free(e);
            return;
        }
        HASH_ADD_KEYPTR(hh, o->entries, e->path, strlen(e->path), e);
        if (!HASH_IS_IN(hh, e)) {
            free(e->path);
            free(e);
            return;
        }
    }
    read_entry(o, e);
}

static void on_changed(void *data, const char *path, const char *name, bool removed)
{
    static const char *const state_files[] = { "state.json", "status", "config.json", "init.pid" };
    struct oci *o = data;
    struct oci_entry *e;

    HASH_FIND_STR(o->entries, path, e);
    if (!e)
        return;
    if (removed && strcmp(name, "exec.fifo") == 0) {
        read_entry(o, e);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(state_files) && !removed; i++)
        if (strcmp(name, state_files[i]) == 0) {
            read_entry(o, e);
            return;
        }
}

static void forget(struct oci *o, struct oci_entry *e)
{
    close_pidfd(e);
    oci_facts_done(&e->facts);
    HASH_DEL(o->entries, e);
    free(e->path);
    free(e);
}

static void on_vanished(void *data, const char *path)
{
    struct oci *o = data;
    struct oci_entry *e;

    HASH_FIND_STR(o->entries, path, e);
    if (!e)
        return;
    if (e->facts.view.container) {
        if (e->pidfd >= 0)
            on_death(o, e);
        /* Podman takes a stopped container's state away and keeps the container: its storage says
         * when that is removed */
        if (!bytes_equal_str(e->facts.view.container->runtime, "podman"))
            emit(o, e, LIFECYCLE_DESTROY, clock_ns(CLOCK_REALTIME), -1);
    }
    forget(o, e);
}

/* ---- all of them ---- */

int oci_new(const char *prefix, const struct log *log, struct oci **ret, struct err *err)
{
    struct oci *o = calloc(1, sizeof(*o));
    struct oci_dirs_options options = { .prefix = prefix, .data = o, .appeared = on_appeared,
                                        .changed = on_changed, .vanished = on_vanished };
    struct epoll_event event = { .events = EPOLLIN };
    int r;

    if (!o)
        return err_set(err, -ENOMEM, "state directories");
    o->log = log;
    o->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    r = o->epoll_fd < 0 ? err_set(err, -errno, "epoll") : oci_dirs_new(&options, &o->dirs, err);
    if (r == 0 && epoll_ctl(o->epoll_fd, EPOLL_CTL_ADD, oci_dirs_fd(o->dirs), &event) < 0)
        r = err_set(err, -errno, "epoll");
    if (r < 0) {
        oci_free(o);
        return r;
    }
    oci_dirs_scan(o->dirs);
    *ret = o;
    return 0;
}

void oci_free(struct oci *o)
{
    struct oci_entry *e, *next;

    if (!o)
        return;
    HASH_ITER(hh, o->entries, e, next)
        forget(o, e);
    oci_dirs_free(o->dirs);
    if (o->epoll_fd >= 0)
        close(o->epoll_fd);
    free(o);
}

int oci_fd(const struct oci *o)
{
    return o->epoll_fd;
}

static void dispatch_deaths(struct oci *o)
{
    struct epoll_event events[64];
    int n = epoll_wait(o->epoll_fd, events, 64, 0);

    for (int i = 0; i < n; i++)
        if (events[i].data.ptr)
            on_death(o, events[i].data.ptr);
}

void oci_dispatch(struct oci *o, void (*life)(void *data, const struct lifecycle_event *life), void *data)
{
    o->life = life;
    o->data = data;
    /* deaths first: a restart writes its new state after the old process is gone */
    dispatch_deaths(o);
    oci_dirs_dispatch(o->dirs);
    if (clock_ns(CLOCK_MONOTONIC) >= o->next_unfollowed_ns) {
        o->next_unfollowed_ns = clock_ns(CLOCK_MONOTONIC) + UNFOLLOWED_NS;
        oci_dirs_scan_unfollowed(o->dirs);
    }
    if (oci_dirs_beyond(o->dirs) && !o->beyond_said++)
        log_warn(o->log, "not all runtimes' state directories can be followed (raise "
                         "fs.inotify.max_user_watches); their containers are looked for when asked");
    o->life = NULL;
}

int oci_each(struct oci *o, const char *runtime, int (*each)(void *data, const struct oci_facts *f),
             void *data)
{
    struct oci_entry *e, *next;

    HASH_ITER(hh, o->entries, e, next) {
        int r;

        if (!e->facts.view.container ||
            (runtime && !bytes_equal_str(e->facts.view.container->runtime, runtime)))
            continue;
        r = each(data, &e->facts);
        if (r)
            return r;
    }
    return 0;
}

const struct oci_facts *oci_find(struct oci *o, struct bytes id)
{
    struct oci_entry *e, *next;
    const struct oci_facts *found = NULL;

    HASH_ITER(hh, o->entries, e, next)
        if (e->facts.view.container && bytes_equal(e->facts.view.container->id, id)) {
            if (e->facts.view.running)
                return &e->facts;
            found = &e->facts;
        }
    return found;
}
