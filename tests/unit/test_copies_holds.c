/* SPDX-License-Identifier: MIT */
/* Files that are held until they are copied: whoever changes one waits for its copy, and no longer than for that. */
#include "test.h"
#include "copies_place.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "copies/holds.h"

#define SIZE (96 * 1024)

struct place {
    char *directory, *copies; /* owned */
    int copies_fd;
    char path[128];
    struct stat st;
    struct holds holds;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    p->directory = make_directory();
    p->copies = make_directory();
    p->copies_fd = open(p->copies, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    snprintf(p->path, sizeof(p->path), "%s/file", p->directory);
    close(make_file(p->directory, 'x', SIZE, &p->st));
    assert_int_equal(holds_begin(&p->holds, p->copies_fd), 0);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    holds_end(&p->holds);
    close(p->copies_fd);
    remove_directory(p->copies);
    remove_directory(p->directory);
    free(p);
    return 0;
}

static void hold(struct place *p, bool copy)
{
    struct copy_record record = { .time_ns = clock_ns(CLOCK_REALTIME), .mode = p->st.st_mode, .size = SIZE };
    int fd = open(p->path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(holds_add(&p->holds, fd, bytes_of(p->path), &record, BYTES_NULL, &p->st, copy), 0);
    close(fd);
}

/* how: "LEASE"; "BREAKING": somebody waits */
static bool has_lease(const struct place *p, const char *how)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[200], inode[40];
    bool has = false;

    assert_non_null(locks);
    snprintf(inode, sizeof(inode), ":%llu ", (unsigned long long)p->st.st_ino);
    while (fgets(line, sizeof(line), locks))
        has |= strstr(line, how) && strstr(line, inode);
    fclose(locks);
    return has;
}

/* What was asked before has been done. */
static void await_held(const struct place *p)
{
    while (!has_lease(p, "LEASE"))
        usleep(1000);
}

static struct hold *await_reply(struct place *p, struct holding_reply *ret)
{
    struct hold *hold;

    while (!holds_next(&p->holds, &hold, ret)) {
        struct pollfd ready = { .fd = p->holds.socket, .events = POLLIN };

        (void)poll(&ready, 1, -1);
    }
    return hold;
}

static void assert_is_copied(const struct place *p, const struct hold *hold, char filling)
{
    char name[HOLDING_NAME_SIZE], *content = malloc(SIZE + 1);
    int fd;

    holding_name(hold->id, name);
    fd = openat(p->copies_fd, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, content, SIZE + 1), SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(content[i], filling);
    close(fd);
    free(content);
}

static void assert_ends(struct place *p, int error)
{
    struct holding_reply reply;
    struct hold *hold = await_reply(p, &reply);

    assert_int_equal(reply.word, HOLDING_ENDED);
    assert_int_equal(reply.error, error);
    if (!error)
        assert_is_copied(p, hold, 'x');
    assert_string_equal(p->path, hold->path);
    hold_free(hold);
    assert_int_equal(p->holds.count, 0);
}

/* ---- whoever changes it ---- */

static int overwrite(const char *path)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    return fd < 0 || write(fd, "new", 3) != 3 || close(fd) < 0 ? -errno : 0;
}

static int append(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    return fd < 0 || write(fd, "new", 3) != 3 || close(fd) < 0 ? -errno : 0;
}

static int change_in_place(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    return fd < 0 || pwrite(fd, "new", 3, 5) != 3 || close(fd) < 0 ? -errno : 0;
}

static int shorten(const char *path)
{
    return truncate(path, 1) < 0 ? -errno : 0;
}

/* The only one that notices. */
static int without_waiting(const char *path)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0 || errno != EAGAIN)
        return -EEXIST;
    while ((fd = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC)) < 0 && errno == EAGAIN)
        usleep(1000);
    return fd < 0 || close(fd) < 0 ? -errno : 0;
}

static void whoever_writes_waits_for_the_copy(void **state)
{
    static int (*const ways[])(const char *path) = { overwrite, append, change_in_place, shorten, without_waiting };
    struct place *p = *state;

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        close(make_file(p->directory, 'x', SIZE, &p->st));
        hold(p, false);
        await_held(p);
        assert_int_equal(ways[i](p->path), 0);
        assert_ends(p, 0);
        assert_false(has_lease(p, "LEASE"));
    }
}

static void what_is_unlinked_is_still_held(void **state)
{
    struct place *p = *state;

    hold(p, false);
    assert_int_equal(unlink(p->path), 0);
    holds_take(&p->holds, bytes_of(p->directory));
    assert_ends(p, 0);
}

static void what_is_replaced_is_still_held(void **state)
{
    struct place *p = *state;
    struct stat other;
    char path[160];

    hold(p, false);
    await_held(p);
    assert_ptr_equal(holds_at(&p->holds, bytes_of(p->path), &p->st), p->holds.by_path);
    snprintf(path, sizeof(path), "%s.new", p->path);
    assert_int_equal(rename(p->path, path), 0);
    close(make_file(p->directory, 'y', SIZE, &other));
    assert_int_equal(unlink(path), 0);
    assert_null(holds_at(&p->holds, bytes_of(p->path), &other));
    assert_ends(p, 0);
}

static void it_is_copied_when_there_is_time(void **state)
{
    struct place *p = *state;

    hold(p, true);
    assert_true(holds_copy(&p->holds));
    assert_ends(p, 0);
    assert_false(holds_copy(&p->holds));
}

/* ---- what is not kept ---- */

static void a_file_with_writers_is_refused(void **state)
{
    struct place *p = *state;
    struct holding_reply reply;
    int fd = open(p->path, O_WRONLY | O_CLOEXEC);

    hold(p, false);
    hold_free(await_reply(p, &reply));
    assert_int_equal(reply.word, HOLDING_REFUSED);
    assert_int_equal(reply.error, -EAGAIN);
    close(fd);
}

static void a_file_that_was_changed_meanwhile_is_refused(void **state)
{
    struct place *p = *state;
    struct holding_reply reply;

    p->st.st_size--;
    hold(p, false);
    hold_free(await_reply(p, &reply));
    assert_int_equal(reply.word, HOLDING_REFUSED);
    assert_int_equal(reply.error, -ESTALE);
    assert_int_equal(overwrite(p->path), 0);
}

/* Nobody is asked by such an open. */
static void what_was_emptied_for_reading_is_known_to_be_lost(void **state)
{
    struct place *p = *state;
    int fd;

    hold(p, false);
    await_held(p);
    fd = open(p->path, O_RDONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    holds_take(&p->holds, bytes_of(p->path));
    assert_ends(p, -ESTALE);
    close(fd);
}

/* A limit of ours in place of a full disk: its write fails, and the writer goes on. */
static void without_room_the_writer_goes_on(void **state)
{
    struct place *p = *state;
    struct rlimit before, small;

    holds_end(&p->holds);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ SIZE / 2, before.rlim_max };
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(holds_begin(&p->holds, p->copies_fd), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    hold(p, true); /* it stays held, though it cannot be copied */
    while (holds_copy(&p->holds)) {
        struct holding_reply reply;
        struct hold *none;

        assert_false(holds_next(&p->holds, &none, &reply));
        usleep(1000);
    }
    assert_int_equal(p->holds.count, 1);
    assert_int_equal(overwrite(p->path), 0);
    assert_ends(p, -ENOSPC);
    assert_int_equal(rmdir(p->copies), 0); /* nothing half is left */
    assert_int_equal(mkdir(p->copies, 0700), 0);
}

static pid_t write_in_child(const char *path)
{
    pid_t pid = fork_child();

    if (pid == 0)
        _exit(overwrite(path) < 0);
    return pid;
}

static void assert_goes_on(pid_t writer)
{
    int status = 1;

    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
}

/* One that is stopped makes a writer wait, and no reader; once it is killed he goes on. */
static void when_the_holder_is_killed_the_writer_goes_on(void **state)
{
    struct place *p = *state;
    char byte;
    pid_t writer;
    struct hold *lost;
    int fd;

    hold(p, false);
    await_held(p);
    assert_int_equal(kill(p->holds.pid, SIGSTOP), 0);
    writer = write_in_child(p->path);
    while (!has_lease(p, "BREAKING"))
        usleep(1000);
    assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
    fd = open(p->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(fd);
    assert_null(holds_lost(&p->holds));
    assert_int_equal(kill(p->holds.pid, SIGKILL), 0);
    assert_goes_on(writer);
    while (!(lost = holds_lost(&p->holds)))
        usleep(1000);
    assert_string_equal(lost->path, p->path);
    assert_false(lost->taken);
    hold_free(lost);
    assert_null(holds_lost(&p->holds));
    assert_int_equal(holds_begin(&p->holds, p->copies_fd), 0);
}

static void what_is_dropped_is_let_go(void **state)
{
    struct place *p = *state;

    hold(p, false);
    await_held(p);
    holds_drop_all(&p->holds);
    assert_int_equal(p->holds.count, 0);
    while (has_lease(p, "LEASE"))
        usleep(1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_writes_waits_for_the_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_unlinked_is_still_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_replaced_is_still_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_copied_when_there_is_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_with_writers_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_changed_meanwhile_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_emptied_for_reading_is_known_to_be_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_room_the_writer_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(when_the_holder_is_killed_the_writer_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_dropped_is_let_go, set_up, tear_down),
    };

    holding_wait_ms = 60000; /* on a busy machine too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
