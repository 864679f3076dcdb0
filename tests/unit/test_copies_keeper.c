/* SPDX-License-Identifier: MIT */
/* The process that keeps copies: its pauses, and that it is begun anew. */
#include "test.h"
#include "copies_place.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "copies/keeping.h"
#include "copies/keeping_again.h"
#include "copies/report.h"

/* ---- who keeps them ---- */

/* Whose report it is; 0: there comes none any more. */
static pid_t next_report(int fd, struct copies_report *ret)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec to = { ret, sizeof(*ret) };
    struct msghdr m = { .msg_iov = &to, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct ucred peer = { .pid = -1 };
    ssize_t n = recvmsg(fd, &m, 0);

    if (n == 0)
        return 0;
    assert_int_equal(n, sizeof(*ret));
    assert_non_null(CMSG_FIRSTHDR(&m));
    memcpy(&peer, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(peer));
    return peer.pid;
}

/* The process that begins it, and at the other end of *ret_fd whoever it has begun: *ret_keeper. */
static pid_t begin_keeper(const char *directory, int *ret_fd, pid_t *ret_keeper)
{
    struct copies_report report;
    int ends[2], on = 1;
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
    pid = fork_child();
    if (pid == 0) {
        close(ends[0]);
        keeping_run_again(ends[1], directory, 16 << 20);
    }
    close(ends[1]);
    *ret_fd = ends[0];
    *ret_keeper = next_report(ends[0], &report);
    assert_true(*ret_keeper > 0 && *ret_keeper != pid);
    assert_int_equal(report.error, 0);
    return pid;
}

static void await_end(pid_t pid, int fd)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    close(fd);
}

/* Nobody is begun anew for whoever has ended meanwhile, and nothing is left behind. */
static void a_pause_ends_with_whoever_asked(void **state)
{
    char *directory = make_directory();
    struct copies_report report;
    pid_t pid, keeper;
    int fd;

    (void)state;
    pid = begin_keeper(directory, &fd, &keeper);
    assert_int_equal(kill(keeper, SIGSTOP), 0); /* it does not see the end */
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(kill(keeper, SIGKILL), 0);
    while (next_report(fd, &report))
        assert_int_equal(report.killed, 0);
    await_end(pid, fd);
    remove_directory(directory);
}

static void ask(int fd, enum keeper_word word, const char *path)
{
    struct {
        struct keeper_ask head;
        char path[200];
    } message = { .head = { .time_ns = word == KEEPER_AGE ? 0 : clock_ns(CLOCK_REALTIME), .word = word } };

    assert_true(strlen(path) < sizeof(message.path));
    memcpy(message.path, path, strlen(path));
    assert_int_equal(send(fd, &message, sizeof(message.head) + strlen(path), MSG_NOSIGNAL), sizeof(message.head) + strlen(path));
}

static void await_walk(int fd, uint32_t killed)
{
    struct copies_report report;

    do
        assert_true(next_report(fd, &report) > 0);
    while (report.walks < 1 || report.killed != killed);
}

#define A_TURN 1000 /* more asks than are taken before it works on what they said */

static void choose(int fd, const char *path)
{
    ask(fd, KEEPER_FORGET, "");
    ask(fd, KEEPER_WATCH, path);
}

static bool has_copy(const char *directory, const char *path)
{
    struct copies c;
    bool has;

    assert_int_equal(copies_read(directory, bytes_of(path), &c, NULL), 0);
    has = c.count > 0;
    copies_done(&c);
    return has;
}

/* What changed before the new one knows what is chosen waits for that: another watch's files are not kept, and none of its own is left out. */
static void begun_anew_it_keeps_only_what_is_chosen(void **state)
{
    char *directory = make_directory(), *files = make_directory(), chosen[100], within[120], other[100];
    pid_t pid, keeper;
    struct stat st;
    int fd;

    (void)state;
    snprintf(chosen, sizeof(chosen), "%s/chosen", files);
    snprintf(within, sizeof(within), "%s/file", chosen);
    snprintf(other, sizeof(other), "%s/file", files);
    assert_int_equal(mkdir(chosen, 0700), 0);
    close(make_file(files, 'x', 1024, &st));
    pid = begin_keeper(directory, &fd, &keeper);
    choose(fd, chosen);
    await_walk(fd, 0);
    assert_int_equal(kill(keeper, SIGKILL), 0);
    close(make_file(chosen, 'y', 1024, &st));
    ask(fd, KEEPER_CHANGED, other);
    ask(fd, KEEPER_CHANGED, within);
    for (unsigned i = 0; i < A_TURN; i++)
        ask(fd, KEEPER_AGE, "");
    choose(fd, chosen);
    ask(fd, KEEPER_ASKED, "");
    await_walk(fd, 1);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    await_end(pid, fd);
    assert_true(has_copy(directory, within));
    assert_false(has_copy(directory, other));
    remove_directory(directory);
    remove_directory(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_ends_with_whoever_asked),
        cmocka_unit_test(begun_anew_it_keeps_only_what_is_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
