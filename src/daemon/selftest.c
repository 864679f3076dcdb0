/* SPDX-License-Identifier: MIT */
#include "daemon/privileges.h"
#include "daemon/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "attribution/engine.h"
#include "daemon/choose.h"
#include "event/operation.h"
#include "util/beneath.h"
#include "util/cleanup.h"

#define EVENTS_MAX 4096
#define SETTLE_NS (300 * NS_PER_MS)
#define CHILD_FAILED 99

/* ---- the changes: each makes one, on a file of its own in the working directory ---- */

static int change_create(const char *name)
{
    _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : 0;
}

static int change_open_write(const char *name)
{
    _cleanup_close_ int fd = open(name, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, "y", 1) != 1 ? -errno : 0;
}

static int change_truncate(const char *name)
{
    return truncate(name, 0) < 0 ? -errno : 0;
}

static int change_mkdir(const char *name)
{
    return mkdir(name, 0700) < 0 ? -errno : 0;
}

static int change_rmdir(const char *name)
{
    return rmdir(name) < 0 ? -errno : 0;
}

static int change_mknod(const char *name)
{
    return mkfifo(name, 0600) < 0 ? -errno : 0;
}

static int change_symlink(const char *name)
{
    return symlink("nowhere", name) < 0 ? -errno : 0;
}

static int change_link(const char *name)
{
    char to[300];

    snprintf(to, sizeof(to), "%s.to", name);
    return link(name, to) < 0 ? -errno : 0;
}

static int change_rename(const char *name)
{
    char to[300];

    snprintf(to, sizeof(to), "%s.to", name);
    return rename(name, to) < 0 ? -errno : 0;
}

static int change_unlink(const char *name)
{
    return unlink(name) < 0 ? -errno : 0;
}

static int change_chmod(const char *name)
{
    return chmod(name, 0640) < 0 ? -errno : 0;
}

static int change_chown(const char *name)
{
    return chown(name, 12345, 12345) < 0 ? -errno : 0;
}

static int change_utime(const char *name)
{
    struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };

    return utimensat(AT_FDCWD, name, times, 0) < 0 ? -errno : 0;
}

static int change_setxattr(const char *name)
{
    return setxattr(name, "user.culprit", "1", 1, 0) < 0 ? -errno : 0;
}

static int change_removexattr(const char *name)
{
    return removexattr(name, "user.culprit") < 0 ? -errno : 0;
}

enum prepared { PREPARED_NOTHING, PREPARED_FILE, PREPARED_DIRECTORY, PREPARED_XATTR };

struct change {
    enum operation operation;
    int (*make)(const char *name);
    enum prepared prepared;
    const char *suffix; /* of the name that the event must tell, where it is another one */
    uint64_t needs;     /* enum capability */
};

/* clang-format off */
static const struct change changes[] = {
    { OPERATION_CREATE,      change_create,      PREPARED_NOTHING,   "",    CAPABILITY_NAMES },
    { OPERATION_OPEN_WRITE,  change_open_write,  PREPARED_FILE,      "",    CAPABILITY_CONTENTS },
    { OPERATION_TRUNCATE,    change_truncate,    PREPARED_FILE,      "",    CAPABILITY_CONTENTS },
    { OPERATION_MKDIR,       change_mkdir,       PREPARED_NOTHING,   "",    CAPABILITY_NAMES },
    { OPERATION_RMDIR,       change_rmdir,       PREPARED_DIRECTORY, "",    CAPABILITY_NAMES },
    { OPERATION_MKNOD,       change_mknod,       PREPARED_NOTHING,   "",    CAPABILITY_NAMES },
    { OPERATION_SYMLINK,     change_symlink,     PREPARED_NOTHING,   "",    CAPABILITY_NAMES },
    { OPERATION_LINK,        change_link,        PREPARED_FILE,      ".to", CAPABILITY_NAMES },
    { OPERATION_RENAME,      change_rename,      PREPARED_FILE,      ".to", CAPABILITY_NAMES },
    { OPERATION_UNLINK,      change_unlink,      PREPARED_FILE,      "",    CAPABILITY_NAMES },
    { OPERATION_CHMOD,       change_chmod,       PREPARED_FILE,      "",    CAPABILITY_METADATA },
    { OPERATION_CHOWN,       change_chown,       PREPARED_FILE,      "",    CAPABILITY_METADATA },
    { OPERATION_UTIME,       change_utime,       PREPARED_FILE,      "",    CAPABILITY_METADATA },
    { OPERATION_SETXATTR,    change_setxattr,    PREPARED_FILE,      "",    CAPABILITY_METADATA },
    { OPERATION_REMOVEXATTR, change_removexattr, PREPARED_XATTR,     "",    CAPABILITY_METADATA },
};
/* clang-format on */

static int prepare(int dir_fd, const struct change *c, const char *name)
{
    _cleanup_close_ int fd = -EBADF;

    if (c->prepared == PREPARED_NOTHING)
        return 0;
    if (c->prepared == PREPARED_DIRECTORY)
        return mkdirat(dir_fd, name, 0755) < 0 ? -errno : 0;
    fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || fchmod(fd, 0644) < 0 || write(fd, "xxx", 3) != 3)
        return -errno;
    if (c->prepared == PREPARED_XATTR && fsetxattr(fd, "user.culprit", "1", 1, 0) < 0)
        return 0; /* not every file system has them: then the change fails the same way */
    return 0;
}

/* ---- the roads: each puts the child into the scratch directory ---- */

struct road {
    const char *name;
    char scratch[PATH_MAX]; /* as the child opens it */
    size_t root_len;        /* its first bytes are a root that the container's links do not lead out of; 0: all */
    pid_t ns_pid;           /* enter this mount namespace first; 0 = stay */
};

static int walk_road(const struct road *road)
{
    _cleanup_close_ int dir = -EBADF;

    if (road->ns_pid) {
        char path[64];
        _cleanup_close_ int ns = -EBADF;

        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", road->ns_pid);
        ns = open(path, O_RDONLY | O_CLOEXEC);
        if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
            return -errno;
    }
    dir = beneath_open_host(bytes_of(road->scratch), road->root_len, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (dir < 0)
        return dir;
    return fchdir(dir) < 0 ? -errno : 0;
}

#define RESULT_SIZE (sizeof(int) * ARRAY_SIZE(changes))

/* A child goes the road, makes every change and tells for each, through the pipe, whether the
 * system let it happen (0) or why not (errno). */
static pid_t make_changes(const struct road *road, int write_fd)
{
    int errors[ARRAY_SIZE(changes)];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    umask(0);
    if (walk_road(road) < 0)
        _exit(CHILD_FAILED);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
        errors[i] = -changes[i].make(operation_info(changes[i].operation)->name);
    _exit(write(write_fd, errors, RESULT_SIZE) == (ssize_t)RESULT_SIZE ? 0 : CHILD_FAILED);
}

/* ---- what comes out ---- */

struct seen {
    struct event **events;
    size_t count;
};

/* Keep the facts that are compared; the event itself is gone after the call. */
static void on_event(void *data, const struct event *event)
{
    struct seen *seen = data;
    struct event *copy;

    if (seen->count == EVENTS_MAX || !(copy = event_new()))
        return;
    copy->operation = event->operation;
    copy->error = event->error;
    copy->actor.pid = event->actor.pid;
    copy->before = event->before;
    copy->after = event->after;
    event_set(copy, &copy->path, event->path);
    event_set(copy, &copy->previous_path, event->previous_path);
    event_set(copy, &copy->actor.executable, event_actor_executable(event));
    seen->events[seen->count++] = copy;
}

static const struct event *find(const struct seen *seen, const struct change *c, pid_t pid,
                                const char *name, unsigned *ret_times)
{
    const struct event *found = NULL;

    *ret_times = 0;
    for (size_t i = 0; i < seen->count; i++) {
        const struct event *e = seen->events[i];

        if (e->operation != c->operation || !bytes_equal_str(bytes_basename(e->path), name))
            continue;
        (*ret_times)++;
        if (!found || e->actor.pid == pid)
            found = e;
    }
    return found;
}

/* "" if the event tells what was done, else what it tells wrong. */
static const char *judge(const struct event *e, const struct change *c, const struct road *road,
                         pid_t pid, int error, const char *self, uint64_t has, unsigned times)
{
    struct bytes name = bytes_of(operation_info(c->operation)->name);

    if (e->actor.pid != pid)
        return "the wrong process is named";
    if (!bytes_equal_str(e->actor.executable, self))
        return "the wrong executable is named";
    if (e->error != error)
        return "the outcome is wrong";
    if (times != 1)
        return "it is told more than once";
    if (!strstr(road->scratch, ".culprit-doctor") ||
        !memmem(e->path.data, e->path.len, "/.culprit-doctor", 16))
        return "the path is wrong";
    if (c->operation == OPERATION_RENAME &&
        !bytes_equal(bytes_basename(e->previous_path), name))
        return "the old name is wrong";
    if (!error && c->operation == OPERATION_CHMOD && (has & CAPABILITY_BEFORE_AFTER) &&
        (!(e->before.known & FILE_MODE) || (e->before.mode & 07777) != 0644 ||
         !(e->after.known & FILE_MODE) || (e->after.mode & 07777) != 0640))
        return "the mode before or after is wrong";
    if (!error && c->operation == OPERATION_CHOWN && (has & CAPABILITY_BEFORE_AFTER) &&
        (!(e->before.known & FILE_UID) || e->before.uid != 0 || !(e->after.known & FILE_UID) ||
         e->after.uid != 12345))
        return "the owner before or after is wrong";
    return "";
}

static void compare(const struct seen *seen, const struct road *road, pid_t pid, const int *errors,
                    uint64_t has, const struct selftest_report *report, struct selftest_result *ret)
{
    char self[PATH_MAX] = "";
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[MAX(n, 0)] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        const struct change *c = &changes[i];
        const char *what = operation_info(c->operation)->name, *text;
        enum selftest_outcome outcome = SELFTEST_WRONG;
        const struct event *e;
        unsigned times;
        char name[256];

        snprintf(name, sizeof(name), "%s%s", what, c->suffix);
        e = find(seen, c, pid, name, &times);
        if (e) {
            text = judge(e, c, road, pid, errors[i], self, has, times);
            outcome = *text ? SELFTEST_WRONG : SELFTEST_RIGHT;
        } else if ((c->needs & ~has) || (errors[i] && !(has & CAPABILITY_REFUSED))) {
            outcome = SELFTEST_DECLARED;
            text = "these sensors cannot tell it";
        } else {
            text = "it is not told";
        }
        ret->right += outcome == SELFTEST_RIGHT;
        ret->declared += outcome == SELFTEST_DECLARED;
        ret->wrong += outcome == SELFTEST_WRONG;
        report->line(report->data, road->name, what, outcome, text);
    }
}

/* ---- one road ---- */

/* The folder that the scratch directory stands in, never outside of its container; -errno. */
static int open_parent(const struct road *place)
{
    return beneath_open_host(bytes_dirname(bytes_of(place->scratch)), place->root_len, O_PATH | O_DIRECTORY);
}

static const char *scratch_name(const struct road *place)
{
    return bytes_basename(bytes_of(place->scratch)).data; /* to the end of the string */
}

static int make_scratch(int parent, const char *name)
{
    int fd;

    if (mkdirat(parent, name, 0755) < 0)
        return -errno;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void remove_scratch(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (fd < 0)
        return;
    if (!dir)
        close(fd);

    while (dir && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(dirfd(dir), entry->d_name, 0) < 0)
            (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

static uint64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* place: the scratch directory as we open it; watched: how the user would write it. */
static int run_road(const struct pipeline_options *base, const struct road *road,
                    const struct road *place, const char *watched,
                    const struct selftest_report *report, struct selftest_result *ret,
                    struct err *err)
{
    struct pipeline_options options = {
        .log = base->log,
        .sensors = base->sensors,
        .docker_socket = base->docker_socket,
        .state_dir = base->state_dir,
        .no_store = true,
        .permissions = PERMISSION_WRITE | PERMISSION_ATTR,
        .keep = PRIVILEGES_ALL, /* it makes the changes too, as other users as well */
        .event = on_event,
    };
    struct seen seen = { .events = calloc(EVENTS_MAX, sizeof(struct event *)) };
    int status = 0, r = 0;
    _cleanup_sbuf_ struct sbuf ready = SBUF_INIT;
    struct pipeline *pipeline = NULL;
    struct choice choice = { 0 };
    struct target target = { 0 };
    int errors[ARRAY_SIZE(changes)] = { 0 }, pipes[2] = { -1, -1 };
    _cleanup_close_ int parent = open_parent(place), dir = -EBADF;
    pid_t pid = -1;

    if (!seen.events)
        return -ENOMEM;
    options.data = &seen;
    dir = parent < 0 ? parent : make_scratch(parent, scratch_name(place));
    if (dir < 0)
        r = err_set(err, dir, "making a scratch directory beside the target");
    if (r == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(changes) && r == 0; i++)
            r = prepare(dir, &changes[i], operation_info(changes[i].operation)->name);
        if (r < 0)
            err_set(err, r, "preparing the scratch directory");
    }
    if (r == 0)
        r = choose_sensors(options.sensors, options.permissions, tracker_probe(), &choice, err);
    if (r == 0)
        r = pipeline_open(&options, &pipeline, err);
    if (r == 0)
        r = target_parse(bytes_of(watched), bytes_of("/"), &target, err);
    if (r == 0)
        r = pipeline_add(pipeline, &target, err);
    if (r == 0 && pipe2(pipes, O_CLOEXEC) < 0)
        r = err_set(err, -errno, "pipe");
    if (r == 0) {
        pipeline_ready(pipeline, &ready);
        pid = make_changes(road, pipes[1]);
        if (pid < 0)
            r = err_set(err, -errno, "fork");
    }
    if (r == 0) {
        r = pipeline_run(pipeline, monotonic() + SETTLE_NS, err);
        (void)waitpid(pid, &status, 0);
        if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
                       read(pipes[0], errors, RESULT_SIZE) != (ssize_t)RESULT_SIZE))
            r = err_say(err, -EIO, "the changes could not be made by the road \"%s\"", road->name);
    }
    if (r == 0) {
        pipeline_finish(pipeline);
        compare(&seen, road, pid, errors, choice.has, report, ret);
    }
    pipeline_close(pipeline);
    if (parent >= 0)
        remove_scratch(parent, scratch_name(place));
    closep(&pipes[0]);
    closep(&pipes[1]);
    for (size_t i = 0; i < seen.count; i++)
        event_free(seen.events[i]);
    free(seen.events);
    return r;
}

/* ---- all roads of a target ---- */

static int run_host(const struct pipeline_options *options, const struct target *target,
                    const char *name, const struct selftest_report *report,
                    struct selftest_result *ret, struct err *err)
{
    struct road road = { .name = "host" };
    struct stat st;
    struct bytes dir = target->path;

    if (stat(dir.data, &st) < 0)
        return err_set(err, -errno, "the target");
    if (!S_ISDIR(st.st_mode))
        dir = bytes_dirname(dir);
    if (snprintf(road.scratch, sizeof(road.scratch), "%.*s/%s", (int)dir.len, dir.data, name) >=
        (int)sizeof(road.scratch))
        return err_say(err, -ENAMETOOLONG, "the target's path is too long");
    return run_road(options, &road, &road, road.scratch, report, ret, err);
}

static int run_container(const struct pipeline_options *options, const struct target *target,
                         const char *name, const struct selftest_report *report,
                         struct selftest_result *ret, struct err *err)
{
    struct engines_options engines_options = { .log = options->log,
                                               .docker_socket = options->docker_socket };
    struct container_view view = { 0 };
    struct engines *engines = NULL;
    char root[PATH_MAX], watched[PATH_MAX];
    struct road roads[4];
    size_t count = 0, root_len;
    int r = engines_new(&engines_options, &engines, err);

    if (r == 0)
        r = engines_find(engines, target->selector.runtime, target->selector.text, &view, err);
    if (r == 0 && !view.running)
        r = err_say(err, -EINVAL, "the container is not running");
    if (r == 0) {
        const char *path = target->path.data;

        _cleanup_close_ int dir = -EBADF;

        root_len = (size_t)snprintf(root, sizeof(root), "/proc/%d/root", view.container->pid);
        snprintf(root + root_len, sizeof(root) - root_len, "%s", path);
        dir = beneath_open_host(bytes_of(root), root_len, O_PATH | O_DIRECTORY);
        if (dir == -ENOTDIR)
            r = err_say(err, -EINVAL, "give a directory of the container");
        else if (dir < 0)
            r = err_set(err, dir, "the target");
        snprintf(watched, sizeof(watched), "%.*s:%.*s:%s/%s", (int)view.container->runtime.len,
                 view.container->runtime.data, (int)view.container->id.len,
                 view.container->id.data, path, name);
        roads[count] = (struct road){ .name = "inside", .ns_pid = view.container->pid };
        if (snprintf(roads[count++].scratch, PATH_MAX, "%s/%s", path, name) >= PATH_MAX)
            r = err_set(err, -ENAMETOOLONG, "the target");
        roads[count] = (struct road){ .name = "/proc/PID/root", .root_len = root_len };
        if (snprintf(roads[count++].scratch, PATH_MAX, "%s/%s", root, name) >= PATH_MAX)
            r = err_set(err, -ENAMETOOLONG, "the target");
        for (int i = 0; i < 2; i++) {
            struct bytes layer = i == 0 ? view.merged : view.upper;
            _cleanup_close_ int there = -EBADF;
            char scratch[PATH_MAX];

            snprintf(scratch, sizeof(scratch), "%.*s%s", (int)layer.len, layer.data, path);
            /* on a volume the layers hold nothing of it */
            there = layer.len ? beneath_open_host(bytes_of(scratch), layer.len, O_PATH | O_DIRECTORY) : -ENOENT;
            if (there < 0)
                continue;
            roads[count] = (struct road){ .name = i == 0 ? "merged" : "upper", .root_len = layer.len };
            snprintf(roads[count++].scratch, PATH_MAX, "%.3000s/%s", scratch, name);
        }
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        /* roads[1] is ours as well */
        r = run_road(options, &roads[i], &roads[1], watched, report, ret, err);
    }
    container_view_done(&view);
    engines_free(engines);
    return r;
}

int selftest_run(const struct pipeline_options *options, const struct target *target,
                 const struct selftest_report *report, struct selftest_result *ret,
                 struct err *err)
{
    char name[64];

    *ret = (struct selftest_result){ 0 };
    snprintf(name, sizeof(name), ".culprit-doctor-%d", (int)getpid());
    if (target->selector.kind != SELECTOR_NONE && target->selector.kind != SELECTOR_NAME)
        return err_say(err, -EINVAL, "one container at a time is checked: give its name");
    return target->selector.kind == SELECTOR_NONE
               ? run_host(options, target, name, report, ret, err)
               : run_container(options, target, name, report, ret, err);
}
