/* SPDX-License-Identifier: MIT */
#include "attribution/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "foreign/script.h"
#include "cause/applet.h"
#include "cause/interpreter.h"
#include "util/cleanup.h"
#include "util/limits.h"
#include "util/parse.h"
#include "util/proc_stat.h"

static int open_process(const char *proc, pid_t pid)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%d", proc, pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Up to `size` bytes; -errno or the length. *ret_more: there is more than fits. */
static ssize_t read_at(int dir, const char *name, char *buffer, size_t size, bool *ret_more)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;

    if (fd < 0)
        return -errno;
    while (len < size) {
        ssize_t n = read(fd, buffer + len, size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    if (ret_more) {
        char c;

        *ret_more = len == size && read(fd, &c, 1) == 1;
    }
    return (ssize_t)len;
}

struct bytes procfs_variable(struct bytes text, const char *name, char end)
{
    size_t len = strlen(name);

    while (text.len) {
        struct bytes one = bytes_next_field(&text, end);

        if (one.len > len && one.data[len] == '=' && memcmp(one.data, name, len) == 0)
            return (struct bytes){ one.data + len + 1, one.len - len - 1 };
    }
    return BYTES_NULL;
}

#define ENVIRONMENT_MAX 65536 /* sshd puts its own first, and has some kB of others */

int procfs_read_environment(const char *proc, pid_t pid, uint64_t start_ns, char **ret, size_t *ret_len)
{
    _cleanup_close_ int dir = open_process(proc, pid);
    _cleanup_free_ char *text = malloc(ENVIRONMENT_MAX + 1);
    const struct process now = { .pid = pid, .start_ns = proc_stat_start_ns(proc, pid) };
    ssize_t n;

    if (!text)
        return -ENOMEM;
    if (dir < 0 || !process_is(&now, pid, start_ns))
        return -ESRCH;
    n = read_at(dir, "environ", text, ENVIRONMENT_MAX, NULL);
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    *ret = TAKE_PTR(text);
    *ret_len = (size_t)n;
    return 0;
}

struct bytes procfs_parse_cgroup(struct bytes text)
{
    struct bytes best = BYTES_NULL, unified = BYTES_NULL;

    while (text.len) {
        const char *newline = memchr(text.data, '\n', text.len), *colon;
        struct bytes line = { text.data, newline ? (size_t)(newline - text.data) : text.len };
        struct bytes path;

        text = (struct bytes){ line.data + line.len + (newline ? 1 : 0),
                               text.len - line.len - (newline ? 1 : 0) };
        colon = memchr(line.data, ':', line.len);
        if (!colon)
            continue;
        colon = memchr(colon + 1, ':', line.len - (size_t)(colon + 1 - line.data));
        if (!colon)
            continue;
        path = (struct bytes){ colon + 1, line.len - (size_t)(colon + 1 - line.data) };
        if (bytes_starts_with(line, bytes_of("0::")))
            unified = path;
        else if (path.len > best.len)
            best = path;
    }
    /* hybrid hosts: the unified hierarchy may be unused ("/") while v1 has the container */
    return unified.len > 1 && unified.len >= best.len ? unified : best.len ? best : unified;
}

/* The line "NAME:\tvalue" of a status text. */
static struct bytes status_field(struct bytes text, const char *name)
{
    size_t len = strlen(name);
    const char *at = text.data, *end = text.data + text.len;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;

        if ((size_t)(stop - at) > len && at[len] == ':' && memcmp(at, name, len) == 0)
            return (struct bytes){ at + len + 1, (size_t)(stop - at) - len - 1 };
        at = stop + 1;
    }
    return BYTES_NULL;
}

pid_t procfs_tgid(const char *proc, pid_t tid)
{
    _cleanup_close_ int dir = open_process(proc, tid);
    char text[4096];
    struct bytes field;
    uint32_t tgid = 0;
    ssize_t n;

    if (dir < 0)
        return 0;
    n = read_at(dir, "status", text, sizeof(text), NULL);
    if (n <= 0)
        return 0;
    field = status_field((struct bytes){ text, (size_t)n }, "Tgid");
    return parse_u32(bytes_next_word(&field), 10, &tgid) == 0 ? (pid_t)tgid : 0;
}

static bool parse_ids(struct bytes field, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    uint32_t *ids[] = { a, b, c, d };

    for (unsigned i = 0; i < 4; i++)
        if (parse_u32(bytes_next_word(&field), 10, ids[i]) < 0)
            return false;
    return true;
}

static void read_status(int dir, struct process *p)
{
    char text[8192];
    ssize_t n = read_at(dir, "status", text, sizeof(text), NULL);
    struct bytes status, uids, gids;
    struct credentials c = { .known = true };

    if (n <= 0)
        return;
    status = (struct bytes){ text, (size_t)n };
    uids = status_field(status, "Uid");
    gids = status_field(status, "Gid");
    /* all or nothing: a half-read line must not make anybody root */
    if (parse_ids(uids, &c.uid, &c.euid, &c.suid, &c.fsuid) &&
        parse_ids(gids, &c.gid, &c.egid, &c.sgid, &c.fsgid))
        p->cred = c;
}

static void read_link(int dir, const char *name, struct process *p, struct bytes *field)
{
    char path[LIMIT_PATH];
    ssize_t n = readlinkat(dir, name, path, sizeof(path));

    if (n > 0 && (size_t)n < sizeof(path))
        process_set(p, field, (struct bytes){ path, (size_t)n });
}

static void read_executable(int dir, struct process *p)
{
    static const char deleted[] = " (deleted)";
    size_t suffix = sizeof(deleted) - 1;
    struct statx st;

    read_link(dir, "exe", p, &p->executable);
    if (!p->executable.len)
        return;
    /* as it is known: a file system that somebody serves himself is not asked, it may never answer */
    if (statx(dir, "exe", AT_STATX_DONT_SYNC, STATX_INO | STATX_NLINK, &st) == 0) {
        p->executable_inode = st.stx_ino;
        p->executable_device = makedev(st.stx_dev_major, st.stx_dev_minor);
        p->executable_deleted = st.stx_nlink == 0;
    }
    if (p->executable_deleted && p->executable.len > suffix &&
        memcmp(p->executable.data + p->executable.len - suffix, deleted, suffix) == 0)
        p->executable.len -= suffix;
    p->executable_memfd = p->executable_deleted &&
                          bytes_starts_with(p->executable, bytes_of("/memfd:"));
}

static uint32_t read_number(int dir, const char *name)
{
    char text[32];
    ssize_t n = read_at(dir, name, text, sizeof(text), NULL);
    struct bytes rest = { text, n > 0 ? (size_t)n : 0 };
    uint32_t value;

    return n > 0 && parse_u32(bytes_next_word(&rest), 10, &value) == 0 ? value : UINT32_MAX;
}

static void read_strings(int dir, struct process *p)
{
    char comm[64], cgroup[8192], ns[64];
    _cleanup_free_ char *args = malloc(LIMIT_ARGS);
    ssize_t n = read_at(dir, "comm", comm, sizeof(comm), NULL);

    if (n > 0 && comm[n - 1] == '\n')
        n--;
    if (n > 0)
        process_set(p, &p->name, (struct bytes){ comm, (size_t)n });
    if (args) {
        n = read_at(dir, "cmdline", args, LIMIT_ARGS, &p->args_truncated);
        if (n > 0)
            process_set(p, &p->args, (struct bytes){ args, (size_t)n });
    }
    n = read_at(dir, "cgroup", cgroup, sizeof(cgroup), NULL);
    if (n > 0)
        process_set(p, &p->cgroup, procfs_parse_cgroup((struct bytes){ cgroup, (size_t)n }));
    n = readlinkat(dir, "ns/mnt", ns, sizeof(ns) - 1);
    if (n > 6) { /* mnt:[4026531841] */
        ns[n] = '\0';
        (void)parse_u64((struct bytes){ ns + 5, (size_t)n - 6 }, 10, &p->mnt_ns);
    }
}

static bool is_script(int dir, const char *from, struct bytes path, uint64_t whose)
{
    _cleanup_close_ int at = openat(dir, from, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return at >= 0 && foreign_is_script(at, path, whose);
}

/* What it runs, if it is an interpreter: of `cp SCRIPT x` the script is no more than an argument. Where the executable is
 * not known, argv[0] says what it is. */
static struct bytes script_argument(const struct process *p, bool *ret_reads)
{
    bool claimed;
    const struct interpreter *row = interpreter_find(applet_name(p, &claimed));
    struct interpreted in;

    *ret_reads = false;
    if (!row)
        return BYTES_NULL;
    interpreter_parse(row, applet_args(p), &in);
    *ret_reads = in.kind == RUN_INPUT;
    return in.kind == RUN_SCRIPT ? in.value : BYTES_NULL;
}

/* `sh < FILE`: a pipe, a terminal, a device and what was removed have no name that would help. */
static void read_input(int dir, struct process *p)
{
    char path[PATH_MAX];
    ssize_t n = readlinkat(dir, "fd/0", path, sizeof(path));
    struct bytes name = { path, n > 0 ? (size_t)n : 0 };

    if (!name.len || name.len == sizeof(path) || path[0] != '/' || bytes_starts_with(name, bytes_of("/dev/")) ||
        bytes_starts_with(name, bytes_of("/proc/")) || bytes_ends_with(name, bytes_of(" (deleted)")))
        return;
    process_set(p, &p->input, name);
}

/*
 * The kernel starts `#!/bin/sh -e` scripts as [/bin/sh, -e, SCRIPT, ...]: the name in argv is the
 * kernel's work at exec, though a process may overwrite it later. It counts only if the file is
 * there and begins with #!.
 */
static void find_script(int dir, struct process *p)
{
    uint64_t whose = (uint64_t)p->cred.uid << 32 | (uint32_t)p->mnt_ns; /* the kernel's numbers of namespaces have 32 bits */
    bool reads, absolute;
    struct bytes name = script_argument(p, &reads), full;

    if (reads)
        read_input(dir, p);
    if (!name.len || name.len >= PATH_MAX)
        return;
    absolute = name.data[0] == '/';
    full = absolute || !p->working_directory.len ? arena_copy(&p->arena, name)
                                                 : arena_join_path(&p->arena, p->working_directory, name);
    /* below another root directory than ours (chroot) the link "cwd" says a path of ours */
    if (is_script(dir, "root", full, whose) || (!absolute && is_script(dir, "cwd", name, whose)))
        p->script = full;
}

/* tty_nr of /proc/PID/stat is a number; descriptor 0 of a terminal program has the name. */
static void read_tty(int dir, struct process *p)
{
    char path[64];

    for (unsigned fd = 0; fd < 3 && !p->tty.len; fd++) {
        char name[16];
        ssize_t n;

        snprintf(name, sizeof(name), "fd/%u", fd);
        n = readlinkat(dir, name, path, sizeof(path));
        if (n > 0 && (size_t)n < sizeof(path) &&
            (bytes_starts_with((struct bytes){ path, (size_t)n }, bytes_of("/dev/pts/")) ||
             bytes_starts_with((struct bytes){ path, (size_t)n }, bytes_of("/dev/tty"))))
            process_set(p, &p->tty, (struct bytes){ path + 5, (size_t)n - 5 });
    }
}

int procfs_read(const char *proc, pid_t pid, struct process **ret, struct err *err)
{
    _cleanup_close_ int dir = open_process(proc, pid);
    _cleanup_(process_unrefp) struct process *p = NULL;
    char text[1024];
    uint64_t ticks;
    pid_t parent;
    ssize_t n;

    if (dir < 0)
        return errno == ENOENT ? -ESRCH : err_set(err, -errno, "/proc/%d", pid);
    n = read_at(dir, "stat", text, sizeof(text), NULL);
    if (n <= 0 || proc_stat_parse((struct bytes){ text, (size_t)n }, &parent, &ticks) < 0)
        return -ESRCH;
    p = process_new(pid, proc_stat_ticks_to_ns(ticks));
    if (!p)
        return -ENOMEM;
    p->parent_pid = parent;
    read_status(dir, p);
    read_executable(dir, p);
    read_strings(dir, p);
    read_link(dir, "cwd", p, &p->working_directory);
    p->login_uid = read_number(dir, "loginuid");
    p->session = read_number(dir, "sessionid");
    read_tty(dir, p);
    if (p->args.len)
        find_script(dir, p);
    *ret = TAKE_PTR(p);
    return 0;
}

int procfs_each(const char *proc, int (*each)(void *data, pid_t pid), void *data)
{
    _cleanup_closedir_ DIR *dir = opendir(proc);
    struct dirent *entry;

    if (!dir)
        return -errno;
    while ((entry = readdir(dir))) {
        uint32_t pid;
        int r;

        if (parse_u32(bytes_of(entry->d_name), 10, &pid) < 0)
            continue;
        r = each(data, (pid_t)pid);
        if (r)
            return r;
    }
    return 0;
}
