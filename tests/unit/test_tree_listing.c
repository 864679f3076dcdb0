/* SPDX-License-Identifier: MIT */
/* The index and the directories: marks, what is new while it is being listed, large directories. */
#include "sensor/tree/storage.h"
#include "test.h"
#include "tree_scratch.h"

#include <errno.h>

static void touch_in(int fd, const char *directory, const char *name)
{
    _cleanup_close_ int below = openat(fd, directory, O_RDONLY | O_DIRECTORY);

    assert_true(below >= 0);
    touch(below, name, "x");
}

struct calls {
    unsigned marked, forgotten, found;
    int reported; /* what is said when a mark was placed */
};

static int count_mark(void *data, int fd, uint32_t object)
{
    struct calls *c = data;

    (void)fd;
    (void)object;
    c->marked++;
    return 0;
}

static void count_forget(void *data, uint32_t object)
{
    struct calls *c = data;

    (void)object;
    c->forgotten++;
}

static void count_found(void *data, uint32_t name)
{
    struct calls *c = data;

    (void)name;
    c->found++;
}

static void marks_each_directory_once(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct calls calls = { 0 };
    struct tree_options options = { .data = &calls, .directory = count_mark, .forget = count_forget };
    struct tree_change change;
    struct tree *t;
    int below, steps = 0;

    (void)state;
    mkdirat(fd, "a", 0755);
    mkdirat(fd, "a/b", 0755);
    mkdirat(fd, "a/c", 0755);
    touch(fd, "a/b/file", "");
    assert_int_equal(tree_new(&options, &t, NULL), 0);
    assert_int_equal(tree_set_root(t, fd, NULL), 0);
    while (tree_walk(t, 1, count_found, &calls, NULL) == 1)
        steps++;
    assert_in_range(steps, 3, 5);
    assert_int_equal(calls.marked, 4);
    assert_int_equal(calls.found, 4);

    /* a directory that came later */
    mkdirat(fd, "a/late", 0755);
    touch(fd, "a/late/x", "");
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("a"), &change, NULL), 0);
    below = openat(fd, "a", O_PATH);
    assert_int_equal(tree_refresh(t, below, tree_object_of(t, at(t, "a")), bytes_of("late"), &change, NULL), 0);
    close(below);
    below = openat(fd, "a/late", O_PATH);
    assert_int_equal(tree_queue(t, below, change.object, NULL), 0);
    close(below);
    assert_int_equal(tree_walk(t, 0, count_found, &calls, NULL), 0);
    assert_int_equal(calls.marked, 5);
    assert_int_equal(calls.found, 5);
    assert_int_not_equal(at(t, "a/late/x"), 0);
    tree_remove(t, at(t, "a"), &change);
    assert_int_equal(calls.forgotten, 4);
    tree_free(t);
    assert_int_equal(calls.forgotten, 5);
}

static void count_one(void *data, uint32_t name)
{
    (void)name;
    ++*(unsigned *)data;
}

/* A directory that appears while the tree is still being listed is new; what the listing finds later is not. */
static void lists_what_is_new_by_itself(void **state)
{
    _cleanup_close_ int fd = open_scratch(), below = -EBADF;
    struct tree_change change;
    struct tree *t = NULL;
    unsigned found = 0;

    (void)state;
    mkdirat(fd, "old", 0755);
    touch_in(fd, "old", "there-before");
    assert_int_equal(tree_new(&(struct tree_options){ .xattrs = true }, &t, NULL), 0);
    assert_int_equal(tree_set_root(t, fd, NULL), 0);
    assert_int_equal(tree_walk(t, 1, NULL, NULL, NULL), 1);
    mkdirat(fd, "new", 0755);
    touch_in(fd, "new", "first");
    below = openat(fd, "new", O_RDONLY | O_DIRECTORY);
    mkdirat(below, "deeper", 0755);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("new"), &change, NULL), 0);
    assert_int_equal(tree_queue(t, below, change.object, NULL), 0);
    assert_int_equal(tree_walk_queued(t, count_one, &found, NULL), 1); /* the rest waits */
    assert_int_equal(found, 2);
    assert_int_not_equal(at(t, "new/first"), 0);
    assert_int_equal(at(t, "old/there-before"), 0);
    found = 0;
    assert_int_equal(tree_walk(t, 0, count_one, &found, NULL), 0);
    assert_int_equal(found, 1);
    assert_int_not_equal(at(t, "old/there-before"), 0);
    tree_free(t);
}

/* A directory of any size holds nobody up: it is listed in pieces, each name of it once. */
static void lists_a_large_directory_in_pieces(void **state)
{
    enum { FILES = 7000, PIECE = 3000 }; /* names are read some 2,000 at a time */
    _cleanup_close_ int fd = open_scratch();
    struct tree_counts counts;
    unsigned found = 0, pieces = 0;
    struct tree *t = NULL;
    uint64_t before = 1;

    (void)state;
    for (unsigned i = 0; i < FILES; i++) {
        char name[32];

        snprintf(name, sizeof(name), "file-%08u-of-many", i);
        touch(fd, name, "");
    }
    mkdirat(fd, "below", 0755);
    touch_in(fd, "below", "last");
    assert_int_equal(tree_new(&(struct tree_options){ .xattrs = true }, &t, NULL), 0);
    assert_int_equal(tree_set_root(t, fd, NULL), 0);
    while (tree_walk(t, 1, count_one, &found, NULL) == 1) {
        assert_true(tree_objects(t) - before <= PIECE);
        before = tree_objects(t);
        pieces++;
    }
    assert_true(pieces >= 3);
    assert_int_equal(found, FILES + 2);
    assert_int_not_equal(at(t, "file-00000000-of-many"), 0);
    assert_int_not_equal(at(t, "below/last"), 0);
    tree_count(t, &counts);
    assert_true(counts.memory / FILES <= 60); /* also by the room that was made in advance */
    tree_free(t);
}

static int make_below(void *data, int fd, uint32_t object)
{
    struct calls *c = data;

    (void)object;
    if (c->marked++ == 1) /* the first below the root, in which there was nothing */
        mkdirat(fd, "made", 0755);
    return c->reported;
}

/* Where directories alone are sought, one without any is not listed: by its count of links after the mark was placed. */
static void finds_what_is_made_when_the_mark_is_placed(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct calls calls = { 0 };
    struct tree_options options = { .xattrs = true, .names_only = true, .data = &calls, .directory = make_below };
    struct tree *t;

    (void)state;
    mkdirat(fd, "empty", 0755);
    touch_in(fd, "empty", "file");
    t = walked(fd, &options);
    assert_int_not_equal(at(t, "empty/made"), 0);
    assert_int_equal(at(t, "empty/file"), 0);
    assert_int_equal(calls.marked, 3);
    tree_free(t);
}

/* What is reported anyway is left to its report. */
static void does_not_look_again_where_all_is_reported(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct calls calls = { .reported = 1 };
    struct tree_options options = { .xattrs = true, .names_only = true, .data = &calls, .directory = make_below };
    struct tree *t;

    (void)state;
    mkdirat(fd, "empty", 0755);
    t = walked(fd, &options);
    assert_int_equal(at(t, "empty/made"), 0);
    assert_int_equal(calls.marked, 2);
    tree_free(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        TEST(marks_each_directory_once),
        TEST(lists_what_is_new_by_itself),
        TEST(lists_a_large_directory_in_pieces),
        TEST(finds_what_is_made_when_the_mark_is_placed),
        TEST(does_not_look_again_where_all_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
