/* SPDX-License-Identifier: MIT */
#include "daemon/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "daemon/changes.h"
#include "daemon/choose.h"
#include "daemon/privileges.h"
#include "daemon/proof.h"
#include "daemon/scratch.h"
#include "event/operation.h"
#include "util/beneath.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define SETTLE_NS (300 * NS_PER_MS)
#define CHILD_MS 5000
#define CHILD_FAILED 99

/* ---- access paths: each puts the child into the scratch directory ---- */

struct access_path {
    const char *name;
    char scratch[PATH_MAX]; /* as the child opens it */
    size_t root_len;        /* its first bytes are a root that the container's links do not lead out of; 0: all */
    pid_t ns_pid;           /* enter this mount namespace first; 0 = stay */
    bool host;              /* the directory is the one that we made: nothing is looked up again */
};

/* Opens the scratch directory by this access path, and nothing else. A descriptor or -errno. */
static int walk_access_path(const struct access_path *access, const struct scratch_directory *s)
{
    _cleanup_close_ int root = -EBADF, dir = -EBADF;

    if (access->host)
        return dup(s->dir);
    if (access->ns_pid) {
        char path[64];
        _cleanup_close_ int ns = -EBADF;

        snprintf(path, sizeof(path), "/proc/%d/ns/mnt", access->ns_pid);
        ns = open(path, O_RDONLY | O_CLOEXEC);
        if (ns < 0 || setns(ns, CLONE_NEWNS) < 0)
            return -errno;
        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
            return -errno;
        dir = beneath_open(root, bytes_of(access->scratch), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    } else {
        dir = beneath_open_host(bytes_of(access->scratch), access->root_len, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    }
    if (dir < 0)
        return dir == -ENOENT || dir == -ENOTDIR || dir == -ELOOP ? -CHANGE_REPLACED : dir;
    return scratch_is(s, dir) ? TAKE_FD(dir) : -CHANGE_REPLACED;
}

struct outcome {
    int r; /* of the child: 0 or -errno */
    int errors[CHANGES];
};

static int go(const struct access_path *access, const struct scratch_directory *s, const struct change_files *files,
              int *ret_errors)
{
    _cleanup_close_ int self_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int dir = self_fds < 0 ? -errno : walk_access_path(access, s);
    struct stat st;

    if (dir < 0 || fstat(dir, &st) < 0)
        return dir < 0 ? dir : -errno;
    return changes_make(dir, self_fds, files, st.st_dev == s->st.st_dev, ret_errors);
}

/* A child takes the access path, makes every change and says for each, through the pipe, whether the
 * system let it happen (0) or why not (errno). */
static pid_t make_changes(const struct access_path *access, const struct scratch_directory *s, const struct change_files *files,
                          int write_fd)
{
    struct outcome outcome = { 0 };
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    umask(0);
    outcome.r = go(access, s, files, outcome.errors);
    _exit(write(write_fd, &outcome, sizeof(outcome)) == (ssize_t)sizeof(outcome) ? 0 : CHILD_FAILED);
}

/* A file system of somebody else may never answer: the child is not waited for longer than this. */
static int take_outcome(pid_t pid, int read_fd, struct outcome *ret)
{
    struct pollfd ready = { .fd = read_fd, .events = POLLIN };
    ssize_t n = poll(&ready, 1, CHILD_MS) > 0 ? read(read_fd, ret, sizeof(*ret)) : -1;

    if (n != (ssize_t)sizeof(*ret))
        (void)kill(pid, SIGKILL);
    return n == (ssize_t)sizeof(*ret) ? ret->r : -ETIMEDOUT;
}

/* ---- what comes out ---- */

static void on_event(void *data, const struct event *event)
{
    proof_add(data, event);
}

static void compare(const struct proof_seen *seen, const struct access_path *access, pid_t pid, const int *errors,
                    uint64_t has, const struct selftest_report *report, struct selftest_result *ret)
{
    const struct proof_made made = { .place = access->scratch, .pid = pid, .errors = errors, .has = has };

    for (size_t i = 0; i < CHANGES; i++) {
        enum proof_outcome outcome;
        const char *text = proof_judge(seen, &made, i, &outcome);

        ret->right += outcome == PROOF_RIGHT;
        ret->declared += outcome == PROOF_DECLARED;
        ret->wrong += outcome == PROOF_WRONG;
        report->line(report->data, access->name, operation_info(changes[i].operation)->name, outcome, text);
    }
}

/* ---- one access path ---- */

/* The folder that the scratch directory is in, never outside of its container; -errno. */
static int open_parent(const struct access_path *place)
{
    return beneath_open_host(bytes_dirname(bytes_of(place->scratch)), place->root_len, O_PATH | O_DIRECTORY);
}

static int replaced(const struct access_path *access, struct err *err)
{
    return err_say(err, -ESTALE, "somebody moves or replaces what the test makes beside the target, it was ended "
                                 "(road \"%s\")", access->name);
}

/* Is all where it was made? Then what the events of this access path say can be compared. */
static int check_place(const struct access_path *access, const struct access_path *place, const struct scratch_directory *s,
                       const struct outcome *outcome, struct change_files *files, struct err *err)
{
    _cleanup_close_ int parent = open_parent(place);
    struct stat now, then;
    const char *missing = changes_hold(s->dir, outcome->errors, files);

    for (size_t i = 0; i < CHANGES; i++)
        if (outcome->errors[i] == CHANGE_REPLACED)
            return replaced(access, err);
    if (missing || !scratch_in_place(s) || parent < 0 || fstat(parent, &now) < 0 || fstat(s->parent, &then) < 0 ||
        now.st_dev != then.st_dev || now.st_ino != then.st_ino)
        return replaced(access, err);
    return 0;
}

/* One run of the pipeline while the changes are made. */
static int observe(struct pipeline *pipeline, const struct access_path *access, const struct access_path *place,
                   const struct scratch_directory *s, struct change_files *files, pid_t *ret_pid, struct outcome *ret,
                   struct err *err)
{
    int pipes[2] = { -1, -1 }, r;

    if (pipe2(pipes, O_CLOEXEC) < 0)
        return err_set(err, -errno, "pipe");
    *ret_pid = make_changes(access, s, files, pipes[1]);
    r = *ret_pid < 0 ? err_set(err, -errno, "fork") : pipeline_run(pipeline, clock_ns(CLOCK_MONOTONIC) + SETTLE_NS, err);
    if (*ret_pid >= 0) {
        int outcome = take_outcome(*ret_pid, pipes[0], ret);

        (void)waitpid(*ret_pid, NULL, 0);
        if (r == 0 && outcome == -CHANGE_REPLACED)
            r = replaced(access, err);
        else if (r == 0 && outcome < 0)
            r = err_set(err, outcome, "the changes could not be made by the road \"%s\"", access->name);
        else if (r == 0)
            r = check_place(access, place, s, ret, files, err);
    }
    closep(&pipes[0]);
    closep(&pipes[1]);
    return r;
}

static int open_pipeline(const struct pipeline_options *base, const char *watched, struct proof_seen *seen,
                         struct choice *ret_choice, struct pipeline **ret, struct err *err)
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
        .data = seen,
    };
    struct target target = { 0 };
    const struct choice_wish wish = { options.sensors, options.permissions, 1 };
    int r = choose_sensors(&wish, tracker_probe(), ret_choice, err);

    if (r == 0)
        r = pipeline_open(&options, ret, err);
    if (r == 0)
        r = target_parse(bytes_of(watched), bytes_of("/"), &target, err);
    if (r == 0)
        r = pipeline_add(*ret, &target, err);
    return r;
}

/* What cannot be removed is said also where something else went wrong before: it is the graver of the two. */
static int clean_up(struct scratch_directory *s, struct change_files *files, struct err *err)
{
    int r = scratch_remove(s, err);
    const char *left = r == 0 ? changes_left(files) : NULL;

    change_files_done(files); /* NFS keeps a file that is open: then it is gone at the second attempt */
    if (r < 0)
        r = scratch_remove(s, err);
    if (left)
        r = err_say(err, -ENOTEMPTY, "the file of the change \"%s\" was moved out of the scratch directory, it is left behind",
                    left);
    scratch_done(s);
    return r;
}

/* place: the scratch directory as we open it; watched: how the user would write it. */
static int run_access_path(const struct pipeline_options *base, const struct access_path *access,
                    const struct access_path *place, const char *watched,
                    const struct selftest_report *report, struct selftest_result *ret,
                    struct err *err)
{
    struct proof_seen seen = { 0 };
    _cleanup_sbuf_ struct sbuf ready = SBUF_INIT;
    struct pipeline *pipeline = NULL;
    struct scratch_directory scratch = SCRATCH_INIT;
    struct change_files files;
    struct choice choice = { 0 };
    struct outcome outcome = { 0 };
    struct err left = ERR_INIT;
    pid_t pid = -1;
    int r, cleaned;

    change_files_init(&files);
    r = scratch_make(open_parent(place), bytes_basename(bytes_of(place->scratch)).data, &scratch, err);
    if (r == 0) {
        r = changes_prepare(scratch.dir, &files);
        if (r < 0)
            err_set(err, r, "preparing the scratch directory");
    }
    if (r == 0)
        r = open_pipeline(base, watched, &seen, &choice, &pipeline, err);
    if (r == 0) {
        pipeline_ready(pipeline, &ready);
        r = observe(pipeline, access, place, &scratch, &files, &pid, &outcome, err);
    }
    if (r == 0) {
        pipeline_finish(pipeline);
        compare(&seen, access, pid, outcome.errors, choice.has, report, ret);
    }
    pipeline_close(pipeline);
    cleaned = clean_up(&scratch, &files, &left);
    if (cleaned < 0)
        r = err_say(err, cleaned, "%s", err_text(&left, cleaned));
    proof_done(&seen);
    return r;
}

/* ---- all access paths of a target ---- */

static int run_host(const struct pipeline_options *options, const struct target *target,
                    const char *name, const struct selftest_report *report,
                    struct selftest_result *ret, struct err *err)
{
    struct access_path access = { .name = "host", .host = true };
    struct stat st;
    struct bytes dir = target->path;

    if (stat(dir.data, &st) < 0)
        return err_set(err, -errno, "%s", dir.data);
    if (!S_ISDIR(st.st_mode))
        dir = bytes_dirname(dir);
    if (snprintf(access.scratch, sizeof(access.scratch), "%.*s/%s", (int)dir.len, dir.data, name) >=
        (int)sizeof(access.scratch))
        return err_say(err, -ENAMETOOLONG, "the target's path is too long");
    return run_access_path(options, &access, &access, access.scratch, report, ret, err);
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
    struct access_path paths[4];
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
            r = err_set(err, dir, "%s in the container", path);
        snprintf(watched, sizeof(watched), "%.*s:%.*s:%s/%s", (int)view.container->runtime.len,
                 view.container->runtime.data, (int)view.container->id.len,
                 view.container->id.data, path, name);
        paths[count] = (struct access_path){ .name = "inside", .ns_pid = view.container->pid };
        if (snprintf(paths[count++].scratch, PATH_MAX, "%s/%s", path, name) >= PATH_MAX)
            r = err_set(err, -ENAMETOOLONG, "the target");
        paths[count] = (struct access_path){ .name = "/proc/PID/root", .root_len = root_len };
        if (snprintf(paths[count++].scratch, PATH_MAX, "%s/%s", root, name) >= PATH_MAX)
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
            paths[count] = (struct access_path){ .name = i == 0 ? "merged" : "upper", .root_len = layer.len };
            snprintf(paths[count++].scratch, PATH_MAX, "%.3000s/%s", scratch, name);
        }
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        /* paths[1] is the one that we look by ourselves */
        r = run_access_path(options, &paths[i], &paths[1], watched, report, ret, err);
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
    int r;

    *ret = (struct selftest_result){ 0 };
    r = scratch_name(name, sizeof(name));
    if (r < 0)
        return err_set(err, r, "random bytes for a name");
    if (target->selector.kind != SELECTOR_NONE && target->selector.kind != SELECTOR_NAME)
        return err_say(err, -EINVAL, "one container at a time is checked: give its name");
    return target->selector.kind == SELECTOR_NONE
               ? run_host(options, target, name, report, ret, err)
               : run_container(options, target, name, report, ret, err);
}
