/* SPDX-License-Identifier: MIT */
/* Sizes of files that were opened for writing: looked up a moment later, and not known where there is nothing to look at any more. */
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sensor/audit/object.h"

static char folder[64], path[96];
static struct audit_object object;
static int fd = -1;

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/culprit-object.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/f", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    object = (struct audit_object){ .pidfd = -1 };
    object.wanted.path = object.wanted.host_path = bytes_of(folder);
    return fd < 0 || write(fd, "8 bytes\n", 8) != 8 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    close(fd);
    (void)unlink(path);
    tree_free(object.tree);
    return rmdir(folder);
}

/* The file's object in the index, as it was first listed: eight bytes. */
static uint32_t list(void)
{
    int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(root >= 0);
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &object.tree, NULL), 0);
    assert_int_equal(tree_set_root(object.tree, root, NULL), 0);
    while (tree_is_walking(object.tree))
        assert_true(tree_walk(object.tree, 0, NULL, NULL, NULL) >= 0);
    close(root);
    return tree_object_of(object.tree, tree_find_path(object.tree, bytes_of("f")));
}

static bool is_fresh(uint32_t number, struct file_state *ret)
{
    tree_state(object.tree, number, ret);
    return audit_object_is_fresh(&object, ret);
}

static void a_later_size_is_looked_up(void **state)
{
    struct file_state known;
    uint32_t number = list();

    (void)state;
    assert_true(is_fresh(number, &known));
    assert_int_equal(known.size, 8);
    audit_object_touch(&object, number);
    assert_false(is_fresh(number, &known));
    assert_int_equal(write(fd, "more\n", 5), 5);
    audit_object_refresh(&object);
    assert_true(is_fresh(number, &known));
    assert_int_equal(known.size, 13);
}

static void of_a_removed_file_none_is_known(void **state)
{
    struct file_state known;
    uint32_t number = list();

    (void)state;
    audit_object_touch(&object, number);
    assert_int_equal(write(fd, "more\n", 5), 5);
    assert_int_equal(unlink(path), 0);
    audit_object_refresh(&object); /* before the record of its removal was read */
    assert_false(is_fresh(number, &known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_later_size_is_looked_up, begin, end),
        cmocka_unit_test_setup_teardown(of_a_removed_file_none_is_known, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
