/* SPDX-License-Identifier: MIT */
/* The process that acts on culprits, against real ones: copies of this program, which wait. Needs root, as it does. */
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "daemon/responder.h"
#include "util/cleanup.h"
#include "util/proc_stat.h"

#define ANSWER_MS 300000 /* a machine may have much else to do */
#define TRIES 30
#define NOBODY 65534

static int responder = -EBADF; /* none: it cannot be tested here */
static char cgroup[128]; /* of the culprits, where the test is in one itself; empty: there is none */

static bool is_in_a_cgroup(void)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_close_ int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);

    return fd < 0 || sbuf_add_file(&text, fd, 65536) < 0 || (strstr(sbuf_str(&text), "0::/") && !strstr(sbuf_str(&text), "0::/\n"));
}

/* What is in the daemon's cgroup is let be whatever it is. */
static bool leave_cgroup(void)
{
    static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
    struct stat st;

    if (!is_in_a_cgroup())
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        char procs[160];

        snprintf(procs, sizeof(procs), "%s/cgroup.procs", places[i]);
        snprintf(cgroup, sizeof(cgroup), "%s/culprit-unit-%d", places[i], getpid());
        if (stat(procs, &st) == 0 && mkdir(cgroup, 0755) == 0)
            return true;
    }
    cgroup[0] = '\0';
    return false;
}

static void copy_self(const char *to, uid_t owner, mode_t mode)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

    assert_true(from >= 0 && out >= 0);
    assert_int_equal(sbuf_add_file(&text, from, 64 * 1024 * 1024), 0);
    assert_int_equal(write(out, text.data, text.len), text.len);
    assert_int_equal(fchown(out, owner, owner), 0);
    assert_int_equal(fchmod(out, mode), 0);
    close(from);
    close(out);
}

static void enter_cgroup(void)
{
    char path[160];
    int fd;

    snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
    fd = cgroup[0] ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (cgroup[0] && (fd < 0 || write(fd, "0", 1) != 1))
        _exit(1);
}

/* What it runs is the copy when this returns. Its pid; -1: no namespace is to be had here. */
static pid_t start(const char *program, uid_t user, bool contained)
{
    char *const argv[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)"wait", NULL };
    int ends[2];
    char failed;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = (pid_t)syscall(SYS_clone, SIGCHLD | (contained ? CLONE_NEWPID : 0), 0, 0, 0, 0);
    if (pid == 0) {
        enter_cgroup();
        if (setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)execv(program, argv);
        }
        (void)!write(ends[1], "x", 1);
        _exit(1);
    }
    close(ends[1]);
    if (pid > 0)
        assert_int_equal(read(ends[0], &failed, 1), 0);
    close(ends[0]);
    return pid;
}

static void order(const struct response_order *o, size_t len, struct response_report *ret)
{
    struct pollfd ready = { .fd = responder, .events = POLLIN };

    assert_int_equal(send(responder, o, offsetof(struct response_order, data) + len, MSG_NOSIGNAL), offsetof(struct response_order, data) + len);
    assert_int_equal(poll(&ready, 1, ANSWER_MS), 1);
    assert_int_equal(recv(responder, ret, sizeof(*ret), MSG_DONTWAIT), sizeof(*ret));
}

/* ---- whom a name protects ---- */

static const struct killed_row {
    const char *name, *directory, *program;
    uid_t owner, user;
    mode_t mode;
    bool contained, is;
} killed_rows[] = {
    { "anybody", "/var/lib", "agent", 0, 0, 0755, false, true },
    { "of another user", "/var/lib", "agent", 0, NOBODY, 0755, false, true },
    { "root's sshd", "/var/lib", "sshd", 0, 0, 0755, false, false },
    { "root's sshd, of another user", "/var/lib", "sshd", 0, NOBODY, 0755, false, false },
    { "another's sshd", "/var/lib", "sshd", NOBODY, 0, 0755, false, true },
    { "a sshd that a group may write", "/var/lib", "sshd", 0, 0, 0775, false, true },
    { "a sshd that all may write", "/var/lib", "sshd", 0, 0, 0757, false, true },
    { "a sshd where anybody may put one", "/var/tmp", "sshd", 0, 0, 0755, false, true },
    { "a container's sshd", "/var/lib", "sshd", 0, 0, 0755, true, true },
};

static void kills(void **state)
{
    const struct killed_row *row = *state;
    static struct response_order o;
    struct response_report answer;
    char directory[64], path[96];
    int status = 0;
    bool lives;

    if (responder < 0)
        skip();
    snprintf(directory, sizeof(directory), "%s/culprit-unit.XXXXXX", row->directory);
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chmod(directory, 0755), 0);
    snprintf(path, sizeof(path), "%s/%s", directory, row->program);
    copy_self(path, row->owner, row->mode);
    o = (struct response_order){ .kind = RESPONSE_KILL, .pid = start(path, row->user, row->contained), .row = 5, .id = "alert" };
    unlink(path);
    rmdir(directory);
    if (o.pid < 0)
        skip();
    o.start_ns = proc_stat_start_ns("/proc", o.pid);
    order(&o, 0, &answer);
    assert_int_equal(answer.row, 5);
    lives = !answer.done && waitpid(o.pid, &status, WNOHANG) == 0;
    if (lives)
        (void)kill(o.pid, SIGKILL);
    if (answer.done || lives)
        assert_int_equal(waitpid(o.pid, &status, 0), o.pid);
    if (lives == row->is || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("%s (status %d)", answer.text, status);
    assert_non_null(strstr(answer.text, row->is ? ": killed" : "logins and engines are let be"));
}

/* ---- what it may do ---- */

static void a_program_is_run_as_nobody(void **state)
{
    static const char words[] = "/bin/sh\0-c\0read -r line && test \"$line\" = alert && test \"$(id -u)\" != 0", line[] = "alert\n";
    static struct response_order o = { .kind = RESPONSE_EXEC, .words = sizeof(words), .id = "alert" };
    struct response_report answer;

    (void)state;
    if (responder < 0)
        skip();
    memcpy(o.data, words, sizeof(words));
    memcpy(o.data + sizeof(words), line, strlen(line));
    for (unsigned i = 0; i == 0 || (i < TRIES && strstr(answer.text, "ended after 10 seconds")); i++) /* a machine may take longer to start it */
        order(&o, sizeof(words) + strlen(line), &answer);
    assert_int_equal(answer.done, 1);
    assert_string_equal(answer.text, "ran /bin/sh");
}

/* The text of /proc/PID/NAME. */
static bool read_proc(const char *pid, const char *name, struct sbuf *ret)
{
    char path[288];
    int fd;
    bool is;

    snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    sbuf_clear(ret);
    is = fd >= 0 && sbuf_add_file(ret, fd, 65536) == 0;
    closep(&fd);
    return is;
}

static bool is_responder(const char *pid, struct sbuf *text)
{
    uint64_t ticks;
    pid_t parent;

    return read_proc(pid, "comm", text) && strcmp(sbuf_str(text), "culprit-respond\n") == 0 && read_proc(pid, "stat", text) &&
           proc_stat_parse(sbuf_bytes(text), &parent, &ticks) == 0 && parent == getpid();
}

static uint64_t capabilities(const char *pid, const char *which)
{
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    const char *at;

    assert_true(read_proc(pid, "status", &text));
    at = strstr(sbuf_str(&text), which);
    assert_non_null(at);
    return strtoull(at + strlen(which), NULL, 16);
}

static void it_keeps_what_it_needs(void **state)
{
    static const char *const sets[] = { "CapPrm:", "CapEff:" };
    const uint64_t needed = UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_OVERRIDE |
                            UINT64_C(1) << CAP_DAC_READ_SEARCH | UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SETGID;
    static struct response_order o = { .kind = RESPONSE_KILL, .pid = 0, .id = "alert" };
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    _cleanup_closedir_ DIR *proc = opendir("/proc");
    struct response_report answer;
    const struct dirent *entry;
    unsigned found = 0;

    (void)state;
    if (responder < 0)
        skip();
    order(&o, 0, &answer); /* it has begun */
    assert_non_null(proc);
    while ((entry = readdir(proc))) {
        if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || !is_responder(entry->d_name, &text))
            continue;
        found++;
        for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
            assert_int_equal(capabilities(entry->d_name, sets[i]), capabilities("self", sets[i]) & needed);
    }
    assert_int_equal(found, 1);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(a_program_is_run_as_nobody), cmocka_unit_test(it_keeps_what_it_needs) };
    struct err err = ERR_INIT;
    int r;

    if (argc == 2 && strcmp(argv[1], "wait") == 0)
        for (;;)
            pause();
    if (geteuid() == 0 && leave_cgroup())
        assert_int_equal(responder_start(&responder, &err), 0);
    r = RUN_ROWS(killed_rows, kills) | cmocka_run_group_tests(tests, NULL, NULL);
    closep(&responder);
    if (cgroup[0])
        (void)rmdir(cgroup);
    return r;
}
