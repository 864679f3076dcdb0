/* SPDX-License-Identifier: MIT */
/* The process that keeps copies: its pauses, and that it is begun anew. */
#include "test.h"
#include "copies_place.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include "copies/holding.h"
#include "copies/keeping.h"
#include "copies/keeping_again.h"
#include "copies/lives.h"
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

/* ---- what is held ---- */

#define LARGE (2 * 1024 * 1024) /* of the limit more than is copied beforehand */

struct held_place {
    char *directory, *files, path[100];
    pid_t pid;
    int fd;
    struct copies_report report;
};

static void begin_holding(struct held_place *p)
{
    struct stat st;
    pid_t keeper;

    p->directory = make_directory();
    p->files = make_directory();
    snprintf(p->path, sizeof(p->path), "%s/file", p->files);
    close(make_file(p->files, 'x', LARGE, &st));
    p->pid = begin_keeper(p->directory, &p->fd, &keeper);
    ask(p->fd, KEEPER_WATCH, p->files);
    do
        assert_true(next_report(p->fd, &p->report) > 0);
    while (p->report.walks < 1 || !p->report.held);
    assert_true(p->report.holding > 0);
    assert_int_equal(p->report.too_large, 0);
}

/* What is asked for is done, and what is held is copied where somebody waits for it or it has gone. */
static void end_holding(struct held_place *p)
{
    assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
    while (next_report(p->fd, &p->report) > 0)
        ;
    await_end(p->pid, p->fd);
}

/* What was asked for before was looked at: of a walk it says when it is over. */
static void await_turn(struct held_place *p)
{
    uint64_t walks = p->report.walks;

    ask(p->fd, KEEPER_WATCH, p->files);
    do
        assert_true(next_report(p->fd, &p->report) > 0);
    while (p->report.walks <= walks);
}

/* Its content in its last life that began before now: as it was held. */
static void assert_is_kept(struct held_place *p, uint64_t at_ns, bool gone)
{
    static char block[LARGE];
    const struct copy *copy;
    struct kept_path *paths, *path;
    struct copies c;
    int fd;

    assert_int_equal(copies_read(p->directory, bytes_of(p->path), &c, NULL), 0);
    assert_int_equal(copies_replay(&c, at_ns, &paths), 0);
    path = kept_path_find(paths, bytes_of(p->path));
    assert_non_null(path);
    assert_int_equal(path->gone_ns != 0, gone);
    copy = kept_path_at(path, at_ns);
    assert_non_null(copy);
    assert_true(copy->record.flags & COPY_LARGE);
    fd = copies_open_large(&c, copy);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, block, sizeof(block)), LARGE);
    assert_true(block[0] == 'x' && memcmp(block, block + 1, LARGE - 1) == 0);
    close(fd);
    kept_paths_free(paths);
    copies_done(&c);
    remove_directory(p->directory);
    remove_directory(p->files);
}

static void what_is_held_is_kept_when_it_is_overwritten(void **state)
{
    struct held_place p;
    struct stat st;
    uint64_t before;

    (void)state;
    begin_holding(&p);
    before = clock_ns(CLOCK_REALTIME);
    close(make_file(p.files, 'y', 1024, &st));
    ask(p.fd, KEEPER_CHANGED, p.path);
    end_holding(&p);
    assert_is_kept(&p, before, false);
}

static void what_is_held_is_kept_when_it_is_unlinked(void **state)
{
    struct held_place p;

    (void)state;
    begin_holding(&p);
    assert_int_equal(unlink(p.path), 0);
    ask(p.fd, KEEPER_GONE, p.path);
    end_holding(&p);
    assert_is_kept(&p, clock_ns(CLOCK_REALTIME), true);
}

static void what_is_held_is_kept_when_its_folder_goes(void **state)
{
    struct held_place p;
    char moved[120];

    (void)state;
    begin_holding(&p);
    snprintf(moved, sizeof(moved), "%s.moved", p.files);
    assert_int_equal(rename(p.files, moved), 0);
    ask(p.fd, KEEPER_GONE, p.files);
    end_holding(&p);
    assert_int_equal(rename(moved, p.files), 0);
    assert_is_kept(&p, clock_ns(CLOCK_REALTIME), true);
}

static void what_is_held_is_kept_when_it_is_replaced(void **state)
{
    struct held_place p;
    char other[120];
    struct stat st;
    uint64_t before;

    (void)state;
    begin_holding(&p);
    before = clock_ns(CLOCK_REALTIME);
    snprintf(other, sizeof(other), "%s.new", p.path);
    assert_int_equal(rename(p.path, other), 0);
    close(make_file(p.files, 'y', 1024, &st));
    assert_int_equal(unlink(other), 0);
    ask(p.fd, KEEPER_CHANGED, p.path);
    end_holding(&p);
    assert_is_kept(&p, before, false);
}

/* Only its mode: there is no other content. */
static void what_is_held_stays_so_when_its_mode_changes(void **state)
{
    struct held_place p;

    (void)state;
    begin_holding(&p);
    assert_int_equal(chmod(p.path, 0640), 0);
    ask(p.fd, KEEPER_CHANGED, p.path);
    await_turn(&p);
    assert_int_equal(unlink(p.path), 0);
    ask(p.fd, KEEPER_GONE, p.path);
    end_holding(&p);
    assert_int_equal(p.report.unheld, 0);
    assert_is_kept(&p, clock_ns(CLOCK_REALTIME), true);
}

static void after_a_kill_it_is_held_again(void **state)
{
    struct held_place p;
    struct stat st;
    uint64_t before;

    (void)state;
    begin_holding(&p);
    assert_int_equal(kill(p.report.holding, SIGKILL), 0);
    do
        assert_true(next_report(p.fd, &p.report) > 0);
    while (!p.report.holding_killed || !p.report.held);
    await_turn(&p);
    before = clock_ns(CLOCK_REALTIME);
    close(make_file(p.files, 'y', 1024, &st));
    end_holding(&p);
    assert_is_kept(&p, before, false);
}

/* The content as others write it is not of one moment; it is copied where it was not changed meanwhile. */
static void what_others_have_open_is_not_held(void **state)
{
    struct held_place p;
    pid_t keeper;
    struct stat st;
    int writer;

    (void)state;
    p.directory = make_directory();
    p.files = make_directory();
    writer = make_file(p.files, 'x', LARGE, &st);
    p.pid = begin_keeper(p.directory, &p.fd, &keeper);
    ask(p.fd, KEEPER_WATCH, p.files);
    do
        assert_true(next_report(p.fd, &p.report) > 0);
    while (!p.report.written);
    assert_int_equal(p.report.held, 0);
    end_holding(&p);
    close(writer);
    remove_directory(p.directory);
    remove_directory(p.files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_ends_with_whoever_asked),
        cmocka_unit_test(begun_anew_it_keeps_only_what_is_chosen),
        cmocka_unit_test(what_is_held_is_kept_when_it_is_overwritten),
        cmocka_unit_test(what_is_held_is_kept_when_it_is_unlinked),
        cmocka_unit_test(what_is_held_is_kept_when_its_folder_goes),
        cmocka_unit_test(what_is_held_is_kept_when_it_is_replaced),
        cmocka_unit_test(what_is_held_stays_so_when_its_mode_changes),
        cmocka_unit_test(after_a_kill_it_is_held_again),
        cmocka_unit_test(what_others_have_open_is_not_held),
    };

    holding_wait_ms = 60000; /* on a busy machine too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
