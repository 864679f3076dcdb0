/* SPDX-License-Identifier: MIT */
/* Contents that are held until somebody changes them. */
#include "test.h"
#include "copies_place.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "copies/held.h"
#include "copies/large.h"
#include "util/read.h"

#define SIZE (64 * 1024)
#define ROOM (1 << 20)

struct place {
    char *files, *copies;
    int directory;
    struct held_all *h;
};

static struct place begin(void)
{
    struct place p = { .files = make_directory(), .copies = make_directory() };

    p.directory = open(p.copies, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(p.directory >= 0);
    assert_int_equal(held_begin(p.directory, &p.h), 0);
    held_room(p.h, ROOM);
    return p;
}

static void end(struct place *p)
{
    held_stop(p->h);
    close(p->directory);
    remove_directory(p->files);
    remove_directory(p->copies);
}

static const char *path_of(const struct place *p, const char *name)
{
    static char path[200];

    snprintf(path, sizeof(path), "%s/%s", p->files, name);
    return path;
}

static int hold(struct place *p, const char *name, char filling, unsigned char sum[32])
{
    char from[200];
    struct stat st;
    int fd = make_file(p->files, filling, SIZE, &st), r;

    close(fd);
    snprintf(from, sizeof(from), "%s/file", p->files);
    assert_int_equal(rename(from, path_of(p, name)), 0);
    fd = open(path_of(p, name), O_PATH | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    r = held_hold(p->h, fd, bytes_of(path_of(p, name)), &st, sum);
    close(fd);
    return r;
}

static struct held_end *await_end(struct place *p)
{
    struct pollfd ready = { .fd = held_fd(p->h), .events = POLLIN };
    struct held_end *e = held_next(p->h);

    while (!e) {
        assert_int_equal(poll(&ready, 1, 60000), 1);
        e = held_next(p->h);
    }
    return e;
}

static void assert_copied(struct place *p, const char *name, char filling, const unsigned char sum[32], bool written)
{
    struct held_end *e = await_end(p);
    char path[200], text[65], c;
    int fd;

    assert_int_equal(e->error, 0);
    assert_string_equal(e->path, path_of(p, name));
    assert_memory_equal(e->sha256, sum, 32);
    assert_int_equal(e->written, written);
    assert_int_equal(e->size, SIZE);
    for (unsigned i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
    snprintf(path, sizeof(path), "%s/%s", p->copies, text);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read_at(fd, &c, 1, SIZE - 1), 1);
    assert_int_equal(c, filling);
    close(fd);
    free(e);
    assert_int_equal(held_count(p->h), 0);
}

static void whoever_writes_waits_for_the_copy(void **state)
{
    struct place p = begin();
    unsigned char sum[32], again[32];
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(hold(&p, "a", 'a', sum), 0);
    assert_int_equal(stat(path_of(&p, "a"), &st), 0);
    assert_true(held_is(p.h, bytes_of(path_of(&p, "a")), &st, again));
    assert_memory_equal(sum, again, 32);
    fd = open(path_of(&p, "a"), O_RDONLY | O_CLOEXEC); /* nobody waits for whoever reads */
    assert_null(held_next(p.h));
    close(fd);
    fd = open(path_of(&p, "a"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_copied(&p, "a", 'a', sum, true);
    assert_int_equal(hold(&p, "b", 'b', sum), 0);
    assert_int_equal(open(path_of(&p, "b"), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_copied(&p, "b", 'b', sum, true);
    assert_int_equal(hold(&p, "c", 'c', sum), 0);
    assert_int_equal(truncate(path_of(&p, "c"), 1), 0);
    assert_copied(&p, "c", 'c', sum, true);
    close(fd);
    end(&p);
}

static void what_has_gone_is_copied(void **state)
{
    struct place p = begin();
    unsigned char sum[32], ignored[32];
    struct stat st;

    (void)state;
    assert_int_equal(hold(&p, "a", 'a', sum), 0);
    assert_int_equal(unlink(path_of(&p, "a")), 0);
    held_gone(p.h, bytes_of(p.files));
    assert_copied(&p, "a", 'a', sum, false);
    assert_int_equal(hold(&p, "b", 'b', sum), 0);
    assert_int_equal(unlink(path_of(&p, "b")), 0); /* nobody says so */
    assert_copied(&p, "b", 'b', sum, false);
    assert_int_equal(hold(&p, "c", 'c', sum), 0);
    close(make_file(p.files, 'd', SIZE, &st));
    assert_false(held_is(p.h, bytes_of(path_of(&p, "c")), &st, ignored)); /* another one is there */
    assert_copied(&p, "c", 'c', sum, false);
    assert_int_equal(hold(&p, "d", 'd', sum), 0);
    held_let_go(p.h, bytes_of(path_of(&p, "d")));
    assert_int_equal(held_count(p.h), 0);
    assert_null(held_next(p.h));
    end(&p);
}

static void assert_lost(struct place *p, int error)
{
    struct held_end *e = await_end(p);

    assert_int_equal(e->error, error);
    free(e);
    assert_int_equal(held_count(p->h), 0);
}

static void what_cannot_be_copied_is_said(void **state)
{
    struct place p = begin();
    unsigned char sum[32];
    struct stat st;
    int fd;

    (void)state;
    held_room(p.h, SIZE - 1);
    assert_int_equal(hold(&p, "a", 'a', sum), 0);
    assert_int_equal(truncate(path_of(&p, "a"), 0), 0); /* goes on */
    assert_lost(&p, -EFBIG);
    held_room(p.h, ROOM);
    assert_int_equal(hold(&p, "b", 'b', sum), 0);
    fd = open(path_of(&p, "b"), O_RDONLY | O_TRUNC | O_CLOEXEC); /* of that nobody is asked */
    assert_true(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0);
    assert_false(held_is(p.h, bytes_of(path_of(&p, "b")), &st, sum));
    assert_lost(&p, -ESTALE);
    close(fd);
    fd = make_file(p.files, 'c', SIZE, &st); /* open for writing */
    close(open(path_of(&p, "file"), O_RDONLY | O_CLOEXEC));
    {
        int at = open(path_of(&p, "file"), O_PATH | O_CLOEXEC);

        assert_int_equal(held_hold(p.h, at, bytes_of(path_of(&p, "file")), &st, sum), -EAGAIN);
        close(fd);
        assert_int_equal(held_hold(p.h, at, bytes_of(path_of(&p, "file")), &st, sum), 0);
        st.st_size--; /* it is another one by now */
        assert_int_equal(held_hold(p.h, at, bytes_of(path_of(&p, "file")), &st, sum), -ESTALE);
        close(at);
    }
    assert_int_equal(held_count(p.h), 0);
    end(&p);
}

/* Names of one file, and a folder that was moved with more in it than has room: none of that is lost. */
static void what_has_another_name_is_not_lost(void **state)
{
    struct place p = begin();
    unsigned char sum[32], again[32];
    char other[200];
    struct stat st;
    struct held_end *e;
    int fd;

    (void)state;
    held_room(p.h, SIZE);
    assert_int_equal(hold(&p, "a", 'a', sum), 0);
    snprintf(other, sizeof(other), "%s/b", p.files);
    assert_int_equal(link(path_of(&p, "a"), other), 0);
    fd = open(other, O_PATH | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(held_hold(p.h, fd, bytes_of(other), &st, again), 0);
    assert_memory_equal(sum, again, 32);
    close(fd);
    assert_int_equal(truncate(other, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        e = await_end(&p);
        assert_int_equal(e->error, 0);
        free(e);
    }
    held_room(p.h, 0);
    assert_int_equal(hold(&p, "c", 'c', sum), 0);
    snprintf(other, sizeof(other), "%s/moved", p.files);
    assert_int_equal(rename(path_of(&p, "c"), other), 0);
    held_gone(p.h, bytes_of(path_of(&p, "c")));
    assert_int_equal(hold(&p, "d", 'd', again), 0);
    assert_int_equal(unlink(path_of(&p, "d")), 0);
    held_gone(p.h, bytes_of(path_of(&p, "d"))); /* its end comes behind that of the other one, if that came */
    e = await_end(&p);
    assert_int_equal(e->error, -EFBIG);
    assert_string_equal(e->path, path_of(&p, "d"));
    free(e);
    held_room(p.h, SIZE);
    assert_int_equal(truncate(other, 0), 0);
    assert_copied(&p, "c", 'c', sum, true);
    end(&p);
}

/* Their signals come in whatever order, also more than are read at once. */
static void many_writers(void **state)
{
    struct place p = begin();
    unsigned char sum[32];
    unsigned copied = 0;
    char name[20];

    (void)state;
    held_room(p.h, 400ull * SIZE);
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        assert_int_equal(hold(&p, name, (char)('a' + i % 26), sum), 0);
    }
    assert_int_equal(held_count(p.h), 200);
    for (unsigned w = 0; w < 4; w++) {
        pid_t pid = fork();

        if (pid == 0) {
            for (unsigned i = w; i < 200; i += 4) {
                snprintf(name, sizeof(name), "f%u", i);
                if (truncate(path_of(&p, name), 0) < 0)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (unsigned w = 0; w < 4; w++) {
        int status = 0;

        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    while (copied < 200) {
        struct held_end *e = await_end(&p);

        assert_int_equal(e->error, 0);
        free(e);
        copied++;
    }
    assert_int_equal(held_count(p.h), 0);
    end(&p);
}

/* What is in the way of nobody: its end lets all writers go on. */
static void its_end_lets_writers_go_on(void **state)
{
    struct place p = begin();
    unsigned char sum[32];

    (void)state;
    assert_int_equal(hold(&p, "a", 'a', sum), 0);
    held_finish(p.h);
    held_stop(p.h);
    assert_int_equal(truncate(path_of(&p, "a"), 0), 0);
    p.h = NULL;
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_writes_waits_for_the_copy),
        cmocka_unit_test(what_has_gone_is_copied),
        cmocka_unit_test(what_cannot_be_copied_is_said),
        cmocka_unit_test(what_has_another_name_is_not_lost),
        cmocka_unit_test(many_writers),
        cmocka_unit_test(its_end_lets_writers_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
