/* SPDX-License-Identifier: MIT */
/* A question costs its answer at worst: whatever the worker meets, who asked goes on, and in time. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "foreign/foreign.h"
#include "foreign/mounts.h"
#include "foreign/pipe.h"
#include "foreign/program.h"
#include "foreign/script.h"
#include "util/cleanup.h"

static int gather_request(struct bytes request, struct gathered *g)
{
    return gathered_add(g, "file", strndup(request.data, request.len), request.len);
}

static int echo(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)request;
    sbuf_add_str(answer, "got ");
    sbuf_add_bytes(answer, gathered_get(g, "file"));
    return 0;
}

static int refuse(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)request, (void)g, (void)answer;
    return -ENOENT;
}

static int crash(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)request, (void)g, (void)answer;
    raise(SIGSEGV);
    _exit(1);
}

static int spin(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    volatile bool on = true;

    (void)request, (void)g, (void)answer;
    while (on)
        ;
    return 0;
}

static int hang(struct bytes request, struct gathered *g)
{
    (void)request, (void)g;
    sleep(60);
    return 0;
}

static int too_much(struct bytes request, struct gathered *g)
{
    (void)request;
    return gathered_add(g, "file", calloc(1, 1001), 1001);
}

#ifndef __SANITIZE_ADDRESS__ /* its shadow memory is larger than any limit */
static int devour(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    _cleanup_free_ char *all = malloc(1024ul * 1024 * 1024);

    (void)request, (void)g;
    sbuf_add_str(answer, all ? "all of it" : "");
    return all ? 0 : -ENOMEM;
}
#endif

/* What somebody would try who has taken over the parser; each letter is something that worked. */
static int escape(struct bytes request, const struct gathered *g, struct sbuf *answer)
{
    (void)request, (void)g;
    if (open("/etc/passwd", O_RDONLY) >= 0)
        sbuf_add_char(answer, 'o');
    if (open("/", O_RDONLY | O_DIRECTORY) >= 0)
        sbuf_add_char(answer, 'd');
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
        sbuf_add_char(answer, 's');
    if (fork() >= 0)
        sbuf_add_char(answer, 'f');
    if (kill(getppid(), 0) == 0)
        sbuf_add_char(answer, 'k');
    if (execl("/bin/true", "true", NULL) == 0)
        sbuf_add_char(answer, 'x');
    if (write(2, "", 1) >= 0)
        sbuf_add_char(answer, 'w');
    return 0;
}

static const struct row {
    const char *name;
    struct foreign_job job;
    int r;
    const char *answer;
} rows[] = {
    { "answers", { "it", 1000, gather_request, echo, false }, 0, "got words" },
    { "without a parser", { "it", 1000, gather_request, NULL, false }, 0, "words" },
    { "nothing there", { "it", 1000, gather_request, refuse, false }, -ENOENT, "" },
    { "crashes", { "it", 1000, gather_request, crash, false }, -EBADMSG, "" },
    { "never ends", { "it", 1000, gather_request, spin, false }, -ETIMEDOUT, "" },
    { "a file that never answers", { "it", 1000, hang, echo, false }, -ETIMEDOUT, "" },
    { "too much to read", { "it", 1000, too_much, echo, false }, -EFBIG, "" },
#ifndef __SANITIZE_ADDRESS__
    { "eats memory", { "it", 1000, gather_request, devour, false }, -ENOMEM, "" },
#endif
    { "tries to get out", { "it", 1000, gather_request, escape, false }, 0, "" },
    { "after all that", { "it", 1000, gather_request, echo, false }, 0, "got words" },
};

#define ANSWER_MS 60000

static void ask(void **state)
{
    const struct row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct err err = ERR_INIT;
    /* what ends by itself has the time of a slow machine */
    unsigned timeout_ms = row->r == -ETIMEDOUT ? 1000 : ANSWER_MS;

    assert_int_equal(foreign_ask(&row->job, bytes_of("words"), timeout_ms, &out, &err), row->r);
    assert_string_equal(sbuf_str(&out), row->answer);
    if (row->r < 0 && row->r != -ENOENT)
        assert_non_null(strstr(err.text, "it could not be read"));
}

/* How many of 32 questions are refused, each of which hangs for so long. */
static int refused_of_many(unsigned hang_ms)
{
    static const struct foreign_job job = { "it", 1000, hang, echo, false };
    struct foreign_pending pending[32];
    struct bytes answer;
    int refused = 0;

    for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
        pending[i] = FOREIGN_PENDING_NONE;
        refused += foreign_wait(&pending[i], &job, BYTES_NULL, hang_ms, 0, &answer) == -EBUSY;
    }
    for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
        refused += pending[i].fd >= 0 && foreign_wait(&pending[i], &job, BYTES_NULL, hang_ms, 100, &answer) == -EBUSY;
        foreign_pending_done(&pending[i]);
    }
    return refused;
}

#define HANG_MS 5000 /* until 32 questions have been put, at first: a machine may need longer for that */
#define HANG_MAX_MS 50000 /* what hangs ends after a minute */

static void refuses_when_many_hang(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    int refused = 0, r = -EBUSY;

    (void)state;
    for (unsigned ms = HANG_MS; refused < 8 && ms <= HANG_MAX_MS; ms += 3 * HANG_MS)
        refused = refused_of_many(ms);
    assert_true(refused >= 8);
    for (unsigned i = 0; i < 3000 && r == -EBUSY; i++) { /* the others end by their own clock, and are counted until then */
        usleep(100 * 1000);
        r = foreign_ask(&rows[0].job, bytes_of("words"), ANSWER_MS, &out, NULL);
    }
    assert_int_equal(r, 0);
    assert_string_equal(sbuf_str(&out), "got words");
}

static void *ask_again(void *data)
{
    for (unsigned i = 0; i < 50; i++) {
        _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
        int r = foreign_ask(&rows[0].job, bytes_of("words"), ANSWER_MS, &out, NULL);

        if ((r != 0 && r != -EBUSY) || (r == 0 && strcmp(sbuf_str(&out), "got words") != 0))
            *(bool *)data = true;
    }
    return NULL;
}

static void answers_threads(void **state)
{
    pthread_t threads[4];
    bool wrong = false;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again, &wrong), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_false(wrong);
}

static bool becomes_script(int root, const char *name) /* a busy machine may take its time */
{
    for (unsigned i = 0; i < 600; i++) {
        if (foreign_is_script(root, bytes_of(name), 1))
            return true;
        usleep(100 * 1000);
    }
    return false;
}

static void finds_scripts(void **state)
{
    char dir[] = "/tmp/culprit-test-foreign-XXXXXX", path[100];
    int root;
    FILE *f;

    (void)state;
    assert_non_null(mkdtemp(dir));
    root = open(dir, O_PATH | O_DIRECTORY);
    snprintf(path, sizeof(path), "%s/job", dir);
    assert_non_null(f = fopen(path, "we"));
    fputs("#!/bin/sh\n", f);
    fclose(f);
    snprintf(path, sizeof(path), "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(path, sizeof(path), "%s/out", dir);
    assert_int_equal(symlink("/bin/ldd", path), 0);
    assert_true(becomes_script(root, "/job"));
    assert_true(becomes_script(root, "job"));
    assert_false(foreign_is_script(root, bytes_of("/none"), 1));
    assert_false(foreign_is_script(root, bytes_of("/fifo"), 1));
    assert_false(foreign_is_script(root, bytes_of("/out"), 1));
    assert_false(foreign_is_script(root, bytes_of(""), 1));
    close(root);
    snprintf(path, sizeof(path), "rm -r %s", dir);
    assert_int_equal(system(path), 0);
}

#define AS 200 /* as that descriptor of our own it is asked for */

static int asked_for(int fd, pid_t pid, const char *cgroup)
{
    int r;

    if (fd >= 0)
        assert_int_equal(dup2(fd, AS), AS);
    r = foreign_pipe_open(pid, AS, bytes_of(cgroup), NULL);
    (void)close(AS);
    return r;
}

enum { PIDS = 4 * 1024 * 1024 }; /* the kernel has no greater numbers */

/* In a process of its own: who its reader is. */
static pid_t own_reader(void)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    pid_t pid = 2;

    if (foreign_ask(&rows[0].job, bytes_of("words"), ANSWER_MS, &out, NULL) < 0) /* it is under way: what is stopped before is not meant */
        return 0;
    while (foreign_start() == 0 && pid < PIDS && !foreign_is_ours(pid, 0))
        pid++;
    return pid;
}

/* It reads nothing while it is stopped, also not the end of its socket. */
static void ends_though_stopped(void **state)
{
    _cleanup_close_ int ready = -EBADF;
    pid_t starter, reader = 0, ended = 0;
    int ends[2];

    (void)state;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* whom nobody waits for is left to us */
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    starter = fork();
    if (starter == 0) {
        reader = own_reader();
        (void)!write(ends[1], &reader, sizeof(reader));
        pause();
        _exit(0);
    }
    close(ends[1]);
    ready = ends[0];
    assert_int_equal(read(ready, &reader, sizeof(reader)), sizeof(reader));
    assert_true(reader > 0);
    assert_int_equal(kill(reader, SIGSTOP), 0);
    assert_int_equal(kill(starter, SIGKILL), 0);
    assert_int_equal(waitpid(starter, NULL, 0), starter);
    for (unsigned i = 0; i < 6000 && !ended; i++) {
        ended = waitpid(reader, NULL, WNOHANG);
        (void)poll(NULL, 0, 10);
    }
    (void)kill(reader, SIGKILL);
    assert_int_equal(ended, reader);
}

static void opens_pipes_and_nothing_else(void **state)
{
    char directory[] = "/tmp/culprit-pipe.XXXXXX", path[64], text[8] = "";
    int ends[2], sockets[2], fifo, file, fd;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    (void)unlink(path);
    (void)rmdir(directory);
    file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(fifo >= 0 && file >= 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(asked_for(fifo, getpid(), "/"), -ENOTSUP);    /* it has a name: it may be anybody's */
    assert_int_equal(asked_for(file, getpid(), "/"), -ENOTSUP);
    assert_int_equal(asked_for(sockets[0], getpid(), "/"), -ENOTSUP);
    assert_int_equal(asked_for(-1, getpid(), "/"), -ENOTSUP);      /* it has none */
    assert_int_equal(asked_for(ends[1], getpid(), "/no-such-container"), -ESRCH);
    assert_int_equal(asked_for(ends[1], getpid(), ""), -ESRCH);
    assert_int_equal(asked_for(ends[1], 0x7ffffff0, "/"), -ESRCH); /* no process */
    fd = asked_for(ends[1], getpid(), "/");
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "line\n", 5), 5);
    assert_int_equal(read(ends[0], text, sizeof(text)), 5);
    for (ssize_t n = 1; n > 0;) /* full: nobody waits */
        n = write(fd, directory, sizeof(directory));
    assert_int_equal(errno, EAGAIN);
    close(fd);
    close(ends[0]);
    fd = asked_for(ends[1], getpid(), "/");
    assert_true(fd >= 0);
    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(errno, EPIPE); /* nobody reads */
    close(fd);
    close(ends[1]);
    close(sockets[0]);
    close(sockets[1]);
    close(fifo);
    close(file);
}

/* Beside a file system that a program answers for: the watched directory itself is asked for with no bytes, which is no pointer. */
static void finds_itself(void **state)
{
    char place[] = "/tmp/culprit-foreign.XXXXXX", options[64];
    struct foreign_mounts *m;
    int status, fuse;
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(place));
    pid = fork();
    if (pid == 0) {
        fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
        if (fuse < 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", place, "fuse", 0, options) < 0)
            _exit(77);
        m = foreign_mounts_new(0);
        _exit(m && foreign_mounts_any(m) && foreign_mounts_way_answers(m, open("/etc", O_PATH), BYTES_NULL, false) ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(rmdir(place), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip(); /* not root, or a kernel without FUSE */
    assert_int_equal(status, 0);
}

/* A program that waits for ever does not outlive whoever is killed while waiting for its answer. */
static void program_ends_with_its_parent(void **state)
{
    int ends[2], status;
    struct pollfd gone;
    pid_t parent, program;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    parent = fork();
    if (parent == 0) {
        pid_t self = getpid();

        program = fork();
        if (program == 0) {
            program = getpid();
            if (!program_end_with(self) || write(ends[1], &program, sizeof(program)) != sizeof(program))
                _exit(1);
            execlp("sleep", "sleep", "1000", NULL);
            _exit(1);
        }
        for (;;)
            (void)pause();
    }
    assert_true(parent > 0);
    assert_int_equal(read(ends[0], &program, sizeof(program)), sizeof(program));
    (void)kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    gone = (struct pollfd){ .fd = (int)syscall(SYS_pidfd_open, program, 0), .events = POLLIN };
    if (poll(&gone, 1, 60000) != 1) {
        (void)kill(program, SIGKILL);
        fail_msg("it is still there");
    }
    assert_int_equal(waitpid(program, &status, 0), program);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(gone.fd);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_itself),
        cmocka_unit_test(refuses_when_many_hang),
        cmocka_unit_test(answers_threads),
        cmocka_unit_test(finds_scripts),
        cmocka_unit_test(opens_pipes_and_nothing_else),
        cmocka_unit_test(program_ends_with_its_parent),
    };

    static const struct CMUnitTest before_all[] = { cmocka_unit_test(ends_though_stopped) }; /* with a reader of its own */
    int failed = cmocka_run_group_tests(before_all, NULL, NULL);

    return failed + RUN_ROWS(rows, ask) + cmocka_run_group_tests(tests, NULL, NULL);
}
