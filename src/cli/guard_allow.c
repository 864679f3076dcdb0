/* SPDX-License-Identifier: MIT */
#include "cli/guard_allow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cause/interpreter.h"
#include "cli/cli.h"
#include "sensor/bpf/guarding.h"
#include "util/beneath.h"
#include "util/cgroup.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define UNIT_DEPTH 6 /* slices within slices */

/* ---- executables ---- */

/* Whoever allows it allows whatever anybody has it run. */
static int refuse_interpreter(const char *path, int fd, struct err *err)
{
    struct bytes name = bytes_basename(bytes_of(path));
    char first[2] = "";

    if (pread(fd, first, sizeof(first), 0) == 2 && memcmp(first, "#!", 2) == 0)
        return err_say(err, -EINVAL, "%s is a script: its interpreter runs it, and that may run anything; allow its unit, container or user",
                       path);
    if (interpreter_find(name) || bytes_equal_str(name, "busybox") || bytes_starts_with(name, bytes_of("ld-linux")))
        return err_say(err, -EINVAL, "%s runs whatever it is given: to allow it is to allow everybody; allow a unit, container or user", path);
    return 0;
}

static int find_executable(const char *who, struct guard_allowance *ret, struct arena *arena, struct err *err)
{
    _cleanup_close_ int fd = -EBADF, opened = -EBADF;
    char real[PATH_MAX];
    struct stat st;
    int r;

    if (!realpath(who, real))
        return err_say(err, -EINVAL, "%s: %s", who, strerror(errno));
    fd = beneath_open_host(bytes_of(real), 0, O_PATH);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_say(err, -EINVAL, "%s: %s", real, strerror(fd < 0 ? -fd : errno));
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return err_say(err, -EINVAL, "%s is no executable", real);
    opened = beneath_reopen_file(fd);
    r = refuse_interpreter(real, opened, err);
    if (r < 0)
        return r;
    *ret = (struct guard_allowance){ .kind = ALLOW_EXECUTABLE, .fd = TAKE_FD(fd), .path = arena_copy(arena, bytes_of(real)) };
    return 0;
}

/* ---- units and containers ---- */

static int take_cgroup(const char *path, struct guard_allowance *ret, struct arena *arena)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    *ret = (struct guard_allowance){ .kind = ALLOW_CGROUP, .fd = -EBADF, .path = arena_copy(arena, bytes_of(path)), .value = st.st_ino };
    return ret->path.data ? 0 : -ENOMEM;
}

static int find_below(const char *folder, const char *unit, unsigned depth, struct guard_allowance *ret, struct arena *arena)
{
    _cleanup_closedir_ DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[PATH_MAX];
    int r = -ENOENT;

    while (dir && r == -ENOENT && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path))
            continue;
        if (strcmp(entry->d_name, unit) == 0)
            r = take_cgroup(path, ret, arena);
        else if (depth < UNIT_DEPTH)
            r = find_below(path, unit, depth + 1, ret, arena);
    }
    return r;
}

static int find_unit(const char *who, struct guard_allowance *ret, struct arena *arena, struct err *err)
{
    const char *root = cgroup_unified();
    int r = root ? find_below(root, who, 0, ret, arena) : -ENODEV;

    if (r == -ENODEV)
        return err_say(err, -EINVAL, "a unit is known by its cgroup of version 2, and this machine has none");
    return r < 0 ? err_say(err, -EINVAL, "no unit %s is running", who) : 0;
}

static int cgroup_of(pid_t pid, char *ret, size_t size)
{
    _cleanup_fclose_ FILE *f = NULL;
    char path[64], line[PATH_MAX + 16];

    snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, "0::/", 4) == 0) {
            snprintf(ret, size, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
            return 0;
        }
    return -ENOENT;
}

static int find_container(const char *who, struct engines **engines, struct guard_allowance *ret, struct arena *arena, struct err *err)
{
    struct engines_options options = { .log = &cli_log, .docker_socket = cli_docker_socket() };
    struct container_view view = { 0 };
    const char *root = cgroup_unified();
    char cgroup[PATH_MAX], path[PATH_MAX + 32];
    pid_t pid;
    int r = *engines ? 0 : engines_new(&options, engines, err);

    if (r == 0)
        r = engines_find(*engines, BYTES_NULL, bytes_of(who), &view, err);
    if (r < 0)
        return r;
    pid = view.container->pid;
    container_view_done(&view);
    if (!pid)
        return err_say(err, -EINVAL, "the container %s is not running: whose processes are meant is known by its cgroup then", who);
    if (!root || cgroup_of(pid, cgroup, sizeof(cgroup)) < 0 || strcmp(cgroup, "/") == 0)
        return err_say(err, -EINVAL, "the container %s has no cgroup of version 2 of its own, by which it would be known", who);
    snprintf(path, sizeof(path), "%s%s", root, cgroup);
    r = take_cgroup(path, ret, arena);
    return r < 0 ? err_set(err, r, "the cgroup of %s", who) : 0;
}

/* ---- users ---- */

static int find_user(const char *who, struct guard_allowance *ret, struct err *err)
{
    const struct passwd *p = getpwnam(who);
    uint64_t uid = 0;

    if (!p && parse_u64(bytes_of(who), 10, &uid) < 0)
        return err_say(err, -EINVAL, "there is no user %s", who);
    *ret = (struct guard_allowance){ .kind = ALLOW_USER, .fd = -EBADF, .value = p ? p->pw_uid : uid };
    if (ret->value == 0)
        return err_say(err, -EINVAL, "to allow root is to allow nearly everybody");
    return 0;
}

/* ---- all of them ---- */

static const char *after(const char *who, const char *word)
{
    size_t len = strlen(word);

    return strncmp(who, word, len) == 0 ? who + len : NULL;
}

static int find_any(const char *who, struct engines **engines, struct guard_allowance *ret, struct arena *arena, struct err *err)
{
    struct err ignored = ERR_INIT;

    if (find_unit(who, ret, arena, &ignored) == 0 || find_container(who, engines, ret, arena, &ignored) == 0)
        return 0;
    if (find_user(who, ret, err) == 0 || strcmp(who, "root") == 0)
        return ret->value ? 0 : -EINVAL;
    return err_say(err, -EINVAL, "no unit or container that runs, and no user, is called %s; an executable is given by its path", who);
}

int guard_allow_find(struct guard_allowances *a, const char *who, struct engines **engines, struct arena *arena, struct err *err)
{
    struct guard_allowance *one = &a->all[a->count];
    const char *name;
    int r;

    if (a->count == ALLOWED_MAX)
        return err_say(err, -EINVAL, "more than %d --allow", ALLOWED_MAX);
    if ((name = after(who, "exe:")) || (strchr(who, '/') && (name = who)))
        r = find_executable(name, one, arena, err);
    else if ((name = after(who, "unit:")))
        r = find_unit(name, one, arena, err);
    else if ((name = after(who, "container:")))
        r = find_container(name, engines, one, arena, err);
    else if ((name = after(who, "user:")))
        r = find_user(name, one, err);
    else
        r = find_any(who, engines, one, arena, err);
    a->count += r == 0;
    return r;
}

static int rule_of_executable(const char *name, struct arena *arena, struct guard_rule *rule, struct err *err)
{
    struct guard_allowance found;
    struct stat st;
    int r = find_executable(name, &found, arena, err);

    if (r < 0)
        return r;
    if (fstat(found.fd, &st) == 0) {
        rule->device = st.st_dev;
        rule->inode = st.st_ino;
    }
    rule->executable = found.path;
    closep(&found.fd);
    return 0;
}

static int rule_of_user(const char *name, struct guard_rule *rule, struct err *err)
{
    struct guard_allowance found;
    int r = find_user(name, &found, err);

    if (r == 0)
        rule->uid = (uint32_t)found.value;
    return r;
}

int guard_allow_rule(const char *who, struct arena *arena, struct guard_rule *ret, struct err *err)
{
    struct guard_rule rule = { .text = bytes_of(who), .uid = UID_UNKNOWN };
    const char *name;
    int r = 0;

    if ((name = after(who, "exe:")) || (strchr(who, '/') && (name = who))) {
        r = rule_of_executable(name, arena, &rule, err);
    } else if ((name = after(who, "unit:"))) {
        rule.unit = bytes_of(name);
    } else if ((name = after(who, "container:"))) {
        rule.container = bytes_of(name);
    } else if ((name = after(who, "user:"))) {
        r = rule_of_user(name, &rule, err);
    } else {
        rule.unit = rule.container = bytes_of(who);
        if (strcmp(who, "root") == 0)
            return rule_of_user(who, &rule, err);
        (void)rule_of_user(who, &rule, NULL);
    }
    if (r == 0 && name && !*name)
        r = err_say(err, -EINVAL, "--allow %s names nobody", who);
    if (r == 0)
        *ret = rule;
    return r;
}

int guard_allow_apply(const struct guard_allowances *a, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < a->count && r == 0; i++) {
        const struct guard_allowance *one = &a->all[i];

        r = one->kind == ALLOW_EXECUTABLE ? bpf_guard_allow_executable(one->fd, err)
            : one->kind == ALLOW_CGROUP   ? bpf_guard_allow(WIRE_GUARD_CGROUP, one->value, err)
                                          : bpf_guard_allow(WIRE_GUARD_USER, one->value, err);
    }
    return r;
}

void guard_allow_follow(struct guard_allowances *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct guard_allowance *one = &a->all[i];
        char path[PATH_MAX];
        struct stat st;

        snprintf(path, sizeof(path), "%.*s", (int)one->path.len, one->path.data);
        if (one->kind != ALLOW_CGROUP || stat(path, &st) < 0 || st.st_ino == one->value)
            continue;
        one->value = st.st_ino;
        (void)bpf_guard_allow(WIRE_GUARD_CGROUP, one->value, NULL);
    }
}

void guard_allow_done(struct guard_allowances *a)
{
    for (size_t i = 0; i < a->count; i++)
        closep(&a->all[i].fd);
    a->count = 0;
}
