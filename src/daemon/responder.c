/* SPDX-License-Identifier: MIT */
#include "daemon/responder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/privileges.h"
#include "daemon/response_judge.h"
#include "sink/sink.h"
#include "util/cgroup.h"
#include "util/child.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/escape.h"
#include "util/parse.h"
#include "util/proc_stat.h"

#define EXEC_MS 10000
#define SOCKET_BYTES (1024 * 1024)
#define DEPTH_MAX 16
#define PROCS_MAX (1024 * 1024) /* bytes of cgroup.procs */
#define BIT(capability) (UINT64_C(1) << (capability))
/* ending others' processes and looking at them, freezing others' cgroups, and becoming the user of a program */
#define KEPT (BIT(CAP_KILL) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_SETUID) | BIT(CAP_SETGID))

struct responder {
    int socket;
    ino_t pids;          /* its namespace of pids; 0: not known */
    const char *unified; /* where the hierarchy of version 2 is; NULL: nowhere */
    struct response_own own;
    char own_executable[PATH_MAX], own_cgroup[PATH_MAX];
};

/* ---- who it is ---- */

struct looked_up {
    struct response_process process;
    char executable[PATH_MAX], cgroup[PATH_MAX];
};

static int read_text(pid_t pid, const char *name, struct sbuf *out)
{
    _cleanup_close_ int fd = -EBADF;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : sbuf_add_file(out, fd, PATH_MAX * 16);
}

static struct bytes read_executable(pid_t pid, char *text, size_t size)
{
    char path[64];
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    n = readlink(path, text, size);
    return n > 0 && (size_t)n < size ? (struct bytes){ text, (size_t)n } : BYTES_NULL;
}

static struct bytes read_cgroup(pid_t pid, char *text, size_t size)
{
    _cleanup_sbuf_ struct sbuf all = SBUF_INIT;
    struct bytes rest;

    if (read_text(pid, "cgroup", &all) < 0)
        return BYTES_NULL;
    rest = sbuf_bytes(&all);
    while (rest.len) {
        struct bytes line = bytes_next_field(&rest, '\n');

        if (bytes_starts_with(line, bytes_of("0::/")) && line.len - 3 < size) {
            memcpy(text, line.data + 3, line.len - 3);
            return (struct bytes){ text, line.len - 3 };
        }
    }
    return BYTES_NULL;
}

/* 0: not known. */
static ino_t read_pids(const char *name)
{
    struct stat st;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%s/ns/pid", name);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool is_contained(const struct responder *r, pid_t pid)
{
    char name[16];
    ino_t pids;

    snprintf(name, sizeof(name), "%d", pid);
    pids = read_pids(name);
    return pids && r->pids && pids != r->pids;
}

/* As it is known: a file system that somebody serves himself is not asked, it may never answer. */
static bool is_of_others(pid_t pid)
{
    const unsigned asked = STATX_UID | STATX_MODE;
    struct statx st;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, asked, &st) == 0 && (st.stx_mask & asked) == asked &&
           (st.stx_uid != 0 || (st.stx_mode & (S_IWGRP | S_IWOTH)));
}

static int look_up(const struct responder *of, pid_t pid, struct looked_up *ret, uint64_t *ret_start_ticks)
{
    _cleanup_sbuf_ struct sbuf stat = SBUF_INIT;
    int r = read_text(pid, "stat", &stat);

    *ret = (struct looked_up){ .process = { .pid = pid } };
    if (r == 0)
        r = proc_stat_parse(sbuf_bytes(&stat), &ret->process.parent, ret_start_ticks);
    if (r < 0)
        return r;
    ret->process.executable = read_executable(pid, ret->executable, sizeof(ret->executable));
    ret->process.cgroup = read_cgroup(pid, ret->cgroup, sizeof(ret->cgroup));
    ret->process.contained = is_contained(of, pid);
    ret->process.others = is_of_others(pid);
    return 0;
}

/* The clock of /proc is coarser than the sensor's. */
static bool is_same_start(uint64_t ticks, uint64_t start_ns)
{
    return proc_stat_ticks_to_ns(ticks) <= start_ns && start_ns < proc_stat_ticks_to_ns(ticks + 1);
}

/* ---- freezing ---- */

static int check_below(const struct responder *r, int dir, unsigned depth, const char **ret_why);

static int check_children(const struct responder *r, int dir, unsigned depth, const char **ret_why)
{
    int opened = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    _cleanup_closedir_ DIR *list = opened >= 0 ? fdopendir(opened) : NULL;
    const struct dirent *entry;

    if (!list) {
        closep(&opened);
        return -EIO;
    }
    while (result == 0 && (entry = readdir(list))) {
        _cleanup_close_ int below = -EBADF;

        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        below = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (below >= 0)
            result = check_below(r, below, depth + 1, ret_why);
    }
    return result;
}

/* Each process of it is one to which something may be done. */
static int check_below(const struct responder *r, int dir, unsigned depth, const char **ret_why)
{
    _cleanup_close_ int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct bytes rest;

    if (fd < 0 || depth > DEPTH_MAX || sbuf_add_file(&text, fd, PROCS_MAX) < 0)
        return -EIO;
    rest = sbuf_bytes(&text);
    while (rest.len) {
        struct bytes line = bytes_next_field(&rest, '\n');
        struct looked_up l;
        uint64_t pid, ticks;

        if (parse_u64(line, 10, &pid) < 0 || look_up(r, (pid_t)pid, &l, &ticks) < 0)
            continue; /* gone */
        *ret_why = response_never(&l.process, &r->own);
        if (*ret_why)
            return -EPERM;
    }
    return check_children(r, dir, depth, ret_why);
}

static bool freeze(const struct responder *r, const struct looked_up *l, struct sbuf *out)
{
    const char *why = response_never_cgroup(l->process.cgroup, &r->own);
    _cleanup_close_ int dir = -EBADF, fd = -EBADF;
    char path[PATH_MAX];

    if (!why && !r->unified)
        why = "this machine has no cgroups of version 2";
    if (why) {
        sbuf_addf(out, "not frozen: %s", why);
        return false;
    }
    snprintf(path, sizeof(path), "%s%.*s", r->unified, (int)l->process.cgroup.len, l->process.cgroup.data);
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (dir < 0 || check_below(r, dir, 0, &why) < 0) {
        sbuf_addf(out, "not frozen: in its cgroup, of a process: %s", why ? why : "it cannot be looked at");
        return false;
    }
    fd = openat(dir, "cgroup.freeze", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) != 1) {
        sbuf_addf(out, "not frozen: %s", strerror(errno));
        return false;
    }
    sbuf_add_str(out, "froze its cgroup; echo 0 > ");
    escape_terminal(out, bytes_of(path));
    sbuf_add_str(out, "/cgroup.freeze has it go on");
    return true;
}

/* ---- acting ---- */

static bool act(const struct responder *r, const struct response_order *o, struct sbuf *out)
{
    _cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, o->pid, 0);
    struct pollfd over = { .fd = fd, .events = POLLIN };
    const char *why = NULL;
    struct looked_up l;
    uint64_t ticks = 0;

    if (fd < 0 || look_up(r, o->pid, &l, &ticks) < 0 || !is_same_start(ticks, o->start_ns) || poll(&over, 1, 0) != 0) {
        sbuf_addf(out, "nothing was done to process %d: it had ended", o->pid);
        return false;
    }
    sbuf_addf(out, "process %d, ", o->pid);
    escape_terminal(out, bytes_cut(l.process.executable, 128));
    sbuf_add_str(out, ": ");
    why = response_never(&l.process, &r->own);
    if (why) {
        sbuf_addf(out, "nothing was done: %s", why);
        return false;
    }
    if (o->kind == RESPONSE_FREEZE)
        return freeze(r, &l, out);
    if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0) {
        sbuf_addf(out, "not killed: %s", strerror(errno));
        return false;
    }
    sbuf_add_str(out, "killed");
    return true;
}

static void report(const struct responder *r, const struct response_order *o, bool done, const char *text)
{
    struct response_report answer = { .row = o->row, .done = done };

    memcpy(answer.id, o->id, sizeof(answer.id));
    snprintf(answer.text, sizeof(answer.text), "%s", text);
    (void)send(r->socket, &answer, sizeof(answer), MSG_NOSIGNAL);
}

/* ---- a program ---- */

static size_t take_words(const struct response_order *o, struct bytes words[SINK_TO_MAX])
{
    size_t count = 0;

    for (size_t at = 0; at < o->words && count < SINK_TO_MAX; at += words[count++].len + 1)
        words[count] = bytes_of(o->data + at);
    return count;
}

static _Noreturn void deliver(const struct response_order *o, size_t len, int out)
{
    struct bytes words[SINK_TO_MAX];
    const struct sink_settings settings = { .ops = &sink_exec, .to = words, .to_count = take_words(o, words) };
    struct sink_message m = { .state = ALERT_BEGINS, .severity = (enum severity)o->severity, .line = { o->data + o->words, len - o->words } };
    struct err err = ERR_INIT;
    int r;

    (void)setpgid(0, 0); /* what it starts ends with it */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    memcpy(m.id, o->id, sizeof(m.id));
    r = settings.to_count ? sink_exec.deliver(&settings, &m, &err) : -EINVAL;
    if (r < 0)
        (void)!write(out, err_text(&err, r), strlen(err_text(&err, r)));
    _exit(r < 0);
}

/* In a process of its own, which waits for it. */
static _Noreturn void run_program(const struct responder *r, const struct response_order *o, size_t len)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    char why[256] = "";
    int ends[2], status = 0, n;
    struct pollfd fd;
    pid_t pid;

    (void)signal(SIGCHLD, SIG_DFL);
    if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        _exit(1);
    if (pid == 0)
        deliver(o, len, ends[1]);
    close(ends[1]);
    fd = (struct pollfd){ .fd = ends[0], .events = POLLIN };
    n = poll(&fd, 1, EXEC_MS);
    if (n && read(ends[0], why, sizeof(why) - 1) < 0)
        why[0] = '\0';
    (void)kill(-pid, SIGKILL); /* a program that it has started, should it live still */
    (void)waitpid(pid, &status, 0);
    sbuf_addf(&text, "ran ");
    escape_terminal(&text, bytes_cut(bytes_of(o->data), 128));
    if (!n)
        sbuf_add_str(&text, ", which was ended after 10 seconds");
    else if (why[0]) {
        sbuf_add_str(&text, ", which failed: ");
        escape_terminal(&text, bytes_of(why));
    }
    report(r, o, true, sbuf_str(&text));
    _exit(0);
}

static void take(const struct responder *r, const struct response_order *o, size_t len)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    bool done;

    if (o->kind == RESPONSE_EXEC) {
        pid_t pid = len > o->words && o->words && o->data[o->words - 1] == '\0' ? fork() : -1;

        if (pid == 0)
            run_program(r, o, len);
        if (pid < 0)
            report(r, o, false, "the program was not run: no process");
        return;
    }
    done = act(r, o, &text);
    report(r, o, done, sbuf_str(&text));
}

static _Noreturn void work(int socket, pid_t daemon)
{
    static struct responder r; /* too large for a stack, and this process has one */
    static struct response_order order;
    const ssize_t head = offsetof(struct response_order, data);
    ssize_t n;

    child_begin(socket, "culprit-respond");
    (void)privileges_drop(KEPT, false); /* a program that it runs gains nothing (sink_become_user) */
    (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
    r.socket = socket;
    r.pids = read_pids("self");
    r.unified = cgroup_unified();
    r.own = (struct response_own){ .pid = daemon };
    r.own.executable = read_executable(getpid(), r.own_executable, sizeof(r.own_executable));
    r.own.cgroup = read_cgroup(getpid(), r.own_cgroup, sizeof(r.own_cgroup));
    for (;;) {
        n = recv(socket, &order, sizeof(order), 0);
        if (n >= head)
            take(&r, &order, (size_t)(n - head));
        else if (n >= 0 || errno != EINTR)
            _exit(0); /* the daemon has ended */
    }
}

int responder_start(int *ret_socket, struct err *err)
{
    const int bytes = SOCKET_BYTES;
    pid_t pid, daemon = getpid();
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_set(err, -errno, "a socket for responses");
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        work(ends[1], daemon);
    }
    close(ends[1]);
    if (pid < 0) {
        int r = -errno;

        close(ends[0]);
        return err_set(err, r, "a process for responses");
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_socket = ends[0];
    return 0;
}
