/* SPDX-License-Identifier: MIT */
/* The index of a tree: names of any kind, renames, links, what differs from before. */
#include "sensor/tree/storage.h"
#include "test.h"
#include "tree_scratch.h"

#include <errno.h>
#include <sys/xattr.h>

static void walks_hostile_names(void **state)
{
    static const char *const names[] = { "new\nline", "\x1b[2J", "\xff\xfe", "-rf", "%s%n", " ", "a'b\"c\\" };
    _cleanup_close_ int fd = open_scratch();
    struct tree *t;
    char longest[256];

    (void)state;
    memset(longest, 'x', 255);
    longest[255] = '\0';
    touch(fd, longest, "");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        touch(fd, names[i], "");
    assert_int_equal(symlinkat("/", fd, "link"), 0);
    t = walked(fd, &(struct tree_options){ .cross_mounts = true });
    assert_int_equal(counted(t).names, ARRAY_SIZE(names) + 2);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_path(t, tree_child(t, tree_root(t), bytes_of(names[i])), names[i]);
    assert_path(t, tree_child(t, tree_root(t), bytes_of(longest)), longest);
    tree_free(t);
}

/* Deeper than descriptors allow, longer than PATH_MAX. */
static void walks_and_opens_deep(void **state)
{
    _cleanup_close_ int root = open_scratch();
    struct sbuf path = SBUF_INIT;
    struct stat st, found;
    struct tree *t;
    char name[64];
    int fd = dup(root);

    (void)state;
    for (int i = 0; i < 300; i++) {
        int below;

        snprintf(name, sizeof(name), "level-%03d-%.40s", i, "0123456789012345678901234567890123456789");
        assert_int_equal(mkdirat(fd, name, 0755), 0);
        assert_int_equal(mkdirat(fd, "sibling", 0755), 0);
        below = openat(fd, name, O_RDONLY | O_DIRECTORY);
        assert_true(below >= 0);
        close(fd);
        fd = below;
    }
    fstat(fd, &st);
    t = walked(root, &(struct tree_options){ .cross_mounts = true });
    assert_int_equal(counted(t).directories, 601);
    assert_int_equal(counted(t).unreadable, 0);
    close(fd);
    assert_int_not_equal(tree_find(t, st.st_dev, st.st_ino), 0);
    assert_int_equal(tree_directory_path(t, tree_find(t, st.st_dev, st.st_ino), &path), 0);
    assert_int_equal(path.len, 300 * 50 + 299);
    fd = tree_open_directory(t, root, tree_find(t, st.st_dev, st.st_ino), NULL);
    assert_true(fd >= 0);
    fstat(fd, &found);
    assert_int_equal(found.st_ino, st.st_ino);
    close(fd);
    sbuf_done(&path);
    tree_free(t);
}

static void moves_a_subtree_at_once(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct tree_change change;
    struct tree *t;

    (void)state;
    mkdirat(fd, "a", 0755);
    mkdirat(fd, "a/b", 0755);
    mkdirat(fd, "c", 0755);
    touch(fd, "a/b/file", "12345");
    t = walked(fd, &(struct tree_options){ 0 });
    uint32_t file = at(t, "a/b/file"), b = at(t, "a/b"), c = tree_object_of(t, at(t, "c"));

    assert_int_equal(renameat(fd, "a/b", fd, "c/moved"), 0);
    /* the index still says a/b: what is not there is not opened */
    assert_int_equal(tree_open_directory(t, fd, tree_object_of(t, b), NULL), -ESTALE);
    assert_int_equal(tree_rename(t, b, c, bytes_of("moved"), &change), 0);
    assert_int_equal(change.before.known, 0);
    assert_path(t, file, "c/moved/file");
    assert_int_equal(at(t, "a/b"), 0);
    assert_int_equal(tree_rename(t, at(t, "c"), tree_object_of(t, b), bytes_of("x"), &change), -EINVAL);
    int opened = tree_open_directory(t, fd, tree_object_of(t, b), NULL);

    assert_true(opened >= 0);
    close(opened);
    tree_remove(t, at(t, "c"), &change);
    assert_int_equal(counted(t).names, 1);
    assert_int_equal(counted(t).directories, 2);
    tree_free(t);
}

static void rename_reports_the_victim(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct tree_change change;
    struct tree *t;

    (void)state;
    touch(fd, "new", "1234567");
    touch(fd, "old", "123");
    t = walked(fd, &(struct tree_options){ 0 });
    assert_int_equal(tree_rename(t, at(t, "new"), tree_root(t), bytes_of("old"), &change), 0);
    assert_int_equal(change.before.size, 3);
    assert_true(change.replaced_gone);
    assert_int_equal(change.after.size, 7);
    assert_int_equal(counted(t).names, 1);
    tree_free(t);

    /* looked at before the notification of the rename came: nobody was replaced */
    t = walked(fd, &(struct tree_options){ 0 });
    assert_int_equal(renameat(fd, "new", fd, "elsewhere"), 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("elsewhere"), &change, NULL), 0);
    assert_int_equal(tree_rename(t, at(t, "new"), tree_root(t), bytes_of("elsewhere"), &change), 0);
    assert_int_equal(change.before.known, 0);
    assert_int_equal(at(t, "new"), 0);
    tree_state(t, tree_object_of(t, at(t, "elsewhere")), &change.after);
    assert_int_equal(change.after.size, 7);
    tree_free(t);
}

static void keeps_hard_links_together(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct tree_change change;
    struct file_state s;
    struct tree *t;

    (void)state;
    touch(fd, "one", "x");
    assert_int_equal(linkat(fd, "one", fd, "two", 0), 0);
    t = walked(fd, &(struct tree_options){ 0 });
    assert_int_equal(tree_objects(t), 2);
    assert_int_equal(tree_object_of(t, at(t, "one")), tree_object_of(t, at(t, "two")));
    tree_remove(t, at(t, "one"), &change);
    assert_false(change.replaced_gone);
    assert_int_equal(change.before.links, 2);
    tree_state(t, tree_object_of(t, at(t, "two")), &s);
    assert_int_equal(s.links, 1);
    tree_remove(t, at(t, "two"), &change);
    assert_true(change.replaced_gone);
    assert_int_equal(tree_objects(t), 1);
    tree_free(t);
}

/* ext4 gives the number of a deleted file to the next one at once. */
static void distinguishes_a_recycled_inode(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct statx stx = { .stx_mode = S_IFREG | 0600, .stx_nlink = 1, .stx_ino = 77, .stx_size = 5 };
    struct tree_change change;
    struct tree *t = walked(fd, &(struct tree_options){ 0 });

    (void)state;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("gone"), &stx, &change), 0);
    stx.stx_mode = S_IFREG | 0755;
    stx.stx_size = 9;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("new"), &stx, &change), 0);
    tree_remove(t, at(t, "gone"), &change);
    assert_int_equal(change.before.size, 5);
    assert_int_equal(change.before.mode, S_IFREG | 0600);
    assert_int_equal(tree_object_of(t, at(t, "new")), tree_find(t, 0, 77));
    tree_free(t);
}

static void reports_before_and_after(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct tree_change change;
    struct tree *t;

    (void)state;
    touch(fd, "file", "x");
    t = walked(fd, &(struct tree_options){ .xattrs = true });
    assert_int_equal(fchmodat(fd, "file", 0600, 0), 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_true(change.same_object);
    assert_int_equal(change.before.mode & 07777, 0644);
    assert_int_equal(change.after.mode & 07777, 0600);
    assert_false(change.xattr_changed);
    unlinkat(fd, "file", 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_int_equal(change.name, 0);
    assert_int_equal(change.before.mode & 07777, 0600);
    assert_int_equal(change.after.known, 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("never"), &change, NULL), 0);
    assert_int_equal(change.before.known, 0);
    tree_free(t);
}

static void reports_a_number_given_again(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct statx stx = { .stx_mask = STATX_BASIC_STATS | STATX_BTIME, .stx_mode = S_IFREG | 0600, .stx_nlink = 1, .stx_ino = 77,
                         .stx_dev_major = 8, .stx_btime = { .tv_sec = 1000, .tv_nsec = 4000000 } };
    struct tree *t = walked(fd, &(struct tree_options){ 0 });
    struct tree_change change;

    (void)state;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("file"), &stx, &change), 0);
    stx.stx_size = 1;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("file"), &stx, &change), 0);
    assert_true(change.same_object);
    stx.stx_btime.tv_nsec += 4000000;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("file"), &stx, &change), 0);
    assert_false(change.same_object);
    assert_true(change.replaced_gone);
    assert_int_equal(change.before.size, 1);
    stx.stx_mask &= ~STATX_BTIME; /* not known: the number decides */
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("file"), &stx, &change), 0);
    assert_true(change.same_object);
    stx.stx_mask |= STATX_BTIME;
    stx.stx_dev_major = 0; /* an overlay's file is born again by being copied */
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("copied"), &stx, &change), 0);
    stx.stx_btime.tv_sec++;
    assert_int_equal(put_statx(t, tree_root(t), bytes_of("copied"), &stx, &change), 0);
    assert_true(change.same_object);
    tree_free(t);
}

static void names_the_attribute(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    char path[128];
    struct tree_change change;
    struct tree *t;

    (void)state;
    touch(fd, "file", "x");
    snprintf(path, sizeof(path), "%s/file", scratch);
    if (setxattr(path, "user.first", "1", 1, 0) < 0)
        skip(); /* the file system of /tmp has none */
    t = walked(fd, &(struct tree_options){ .xattrs = true });
    setxattr(path, "user.second", "1", 1, 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_true(change.xattr_changed && !change.xattr_removed);
    assert_string_equal(change.xattr, "user.second");
    setxattr(path, "user.first", "2", 1, 0);
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_string_equal(change.xattr, "user.first");
    removexattr(path, "user.second");
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_true(change.xattr_changed && change.xattr_removed);
    assert_string_equal(change.xattr, "user.second");
    assert_int_equal(tree_refresh(t, fd, tree_root(t), bytes_of("file"), &change, NULL), 0);
    assert_false(change.xattr_changed);
    tree_free(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_scratch, remove_scratch)
    const struct CMUnitTest tests[] = {
        TEST(walks_hostile_names),
        TEST(walks_and_opens_deep),
        TEST(moves_a_subtree_at_once),
        TEST(rename_reports_the_victim),
        TEST(keeps_hard_links_together),
        TEST(distinguishes_a_recycled_inode),
        TEST(reports_before_and_after),
        TEST(reports_a_number_given_again),
        TEST(names_the_attribute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
