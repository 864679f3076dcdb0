/* SPDX-License-Identifier: MIT */
#include "sensor/tree/storage.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sensor/tree/tree.h"
#include "util/cleanup.h"

static char scratch[64];

static int make_scratch(void **state)
{
    (void)state;
    snprintf(scratch, sizeof(scratch), "/tmp/test_tree.XXXXXX");
    assert_non_null(mkdtemp(scratch));
    return 0;
}

/* nftw() gives up at PATH_MAX: remove level by level. */
static void remove_all(int fd)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;

    while ((e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) == 0)
            continue;
        int below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

        if (below >= 0)
            remove_all(below);
        unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

static int remove_scratch(void **state)
{
    int fd = open(scratch, O_RDONLY | O_DIRECTORY);

    (void)state;
    if (fd >= 0)
        remove_all(fd);
    rmdir(scratch);
    return 0;
}

static int open_scratch(void)
{
    int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static void touch(int fd, const char *name, const char *text)
{
    int f = openat(fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(f >= 0);
    assert_int_equal(write(f, text, strlen(text)), strlen(text));
    close(f);
}

static void touch_in(int fd, const char *directory, const char *name)
{
    _cleanup_close_ int below = openat(fd, directory, O_RDONLY | O_DIRECTORY);

    assert_true(below >= 0);
    touch(below, name, "x");
}

static struct tree *walked(int fd, const struct tree_options *options)
{
    struct tree *t = NULL;

    assert_int_equal(tree_new(options, &t, NULL), 0);
    assert_int_equal(tree_set_root(t, fd, NULL), 0);
    assert_int_equal(tree_walk(t, 0, NULL, NULL, NULL), 0);
    return t;
}

static struct tree_counts counted(const struct tree *t)
{
    struct tree_counts counts;

    tree_count(t, &counts);
    return counts;
}

static int put_statx(struct tree *t, uint32_t directory, struct bytes name, const struct statx *stx, struct tree_change *ret)
{
    struct file_state state;

    tree_state_of_statx(stx, &state);
    return tree_put_state(t, directory, name, &state, ret);
}

static uint32_t at(const struct tree *t, const char *path)
{
    return tree_find_path(t, bytes_of(path));
}

static void assert_path(const struct tree *t, uint32_t name, const char *expected)
{
    struct sbuf path = SBUF_INIT;

    assert_int_equal(tree_directory_path(t, tree_parent_of(t, name), &path), 0);
    if (path.len)
        sbuf_add_char(&path, '/');
    sbuf_add(&path, tree_name(t, name).data, tree_name(t, name).len);
    assert_bytes(sbuf_bytes(&path), expected);
    sbuf_done(&path);
}

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

struct calls {
    unsigned marked, forgotten, found;
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
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &t, NULL), 0);
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

static void memory_is_as_promised(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct tree *t = walked(fd, &(struct tree_options){ 0 });
    struct statx stx = { .stx_mode = S_IFREG | 0644, .stx_nlink = 1, .stx_size = 5 };
    struct tree_change change;
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        stx.stx_ino = 1000 + i;
        snprintf(name, sizeof(name), "file-%08u", i);
        assert_int_equal(put_statx(t, tree_root(t), bytes_of(name), &stx, &change), 0);
    }
    print_message("%zu bytes a file\n", (size_t)counted(t).memory / 200000);
    assert_true(counted(t).memory / 200000 <= 45);
    size_t most = counted(t).memory + counted(t).memory / 10; /* a table may grow once more, by a quarter */

    /* a storm of names that come and go does not grow it, however often */
    for (unsigned i = 0; i < 1000000; i++) {
        snprintf(name, sizeof(name), "%u", i);
        stx.stx_ino = 500000 + i;
        stx.stx_mtime.tv_sec = i;
        assert_int_equal(put_statx(t, tree_root(t), bytes_of(name), &stx, &change), 0);
        tree_remove(t, change.name, &change);
        if (i % 200000 == 199999)
            assert_true(counted(t).memory <= most);
    }
    /* what is gone takes nothing */
    for (uint32_t n; (n = tree_first_child(t, tree_root(t)));)
        tree_remove(t, n, &change);
    assert_int_equal(tree_objects(t), 1);
    assert_true(counted(t).memory < most / 20 + 200000 * 5);
    tree_free(t);
}

/* ---- the index against a plain model, many random changes ---- */

#define NODES 60

struct node {
    bool used, directory;
    int parent; /* -1: the root */
    char name[8];
    uint64_t inode;
};

static uint64_t random_state;

static unsigned pick(unsigned n)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(random_state >> 33) % n;
}

static bool model_below(const struct node *nodes, int node, int above)
{
    for (; node >= 0; node = nodes[node].parent)
        if (node == above)
            return true;
    return false;
}

static void model_remove(struct node *nodes, int node)
{
    nodes[node].used = false;
    for (int i = 0; i < NODES; i++)
        if (nodes[i].used && nodes[i].parent == node)
            model_remove(nodes, i);
}

static int model_child(const struct node *nodes, int parent, const char *name)
{
    for (int i = 0; i < NODES; i++)
        if (nodes[i].used && nodes[i].parent == parent && strcmp(nodes[i].name, name) == 0)
            return i;
    return -1;
}

static void model_path(const struct node *nodes, int node, struct sbuf *out)
{
    if (nodes[node].parent >= 0) {
        model_path(nodes, nodes[node].parent, out);
        sbuf_add_char(out, '/');
    }
    sbuf_add_str(out, nodes[node].name);
}

static uint32_t number_of(const struct tree *t, const struct node *nodes, int node)
{
    return node < 0 ? tree_root(t) : tree_find(t, 0, nodes[node].inode);
}

static void assert_equal_to_model(const struct tree *t, const struct node *nodes)
{
    unsigned count = 0;

    for (int i = 0; i < NODES; i++) {
        struct sbuf path = SBUF_INIT;
        uint32_t n;

        if (!nodes[i].used)
            continue;
        count++;
        model_path(nodes, i, &path);
        n = tree_find_path(t, sbuf_bytes(&path));
        assert_int_not_equal(n, 0);
        assert_int_equal(tree_object_of(t, n), tree_find(t, 0, nodes[i].inode));
        assert_path(t, n, sbuf_str(&path));
        sbuf_done(&path);
    }
    assert_int_equal(counted(t).names, count);
    assert_int_equal(tree_objects(t), count + 1);
}

static void agrees_with_a_model(void **state)
{
    _cleanup_close_ int fd = open_scratch();
    struct node nodes[NODES] = { 0 };
    struct tree *t = walked(fd, &(struct tree_options){ 0 });
    uint64_t inode = 1000;

    (void)state;
    random_state = 42;
    for (unsigned step = 0; step < 40000; step++) {
        int a = (int)pick(NODES), parent = (int)pick(NODES + 1) - 1, there;
        struct tree_change change;
        char name[8];

        snprintf(name, sizeof(name), "n%u", pick(20));
        if (parent >= 0 && !(nodes[parent].used && nodes[parent].directory))
            parent = -1;
        there = model_child(nodes, parent, name);
        switch (pick(4)) {
        case 0:
            if (nodes[a].used || parent == a)
                break;
            if (there >= 0)
                model_remove(nodes, there);
            nodes[a] = (struct node){ true, pick(2), parent, "", ++inode };
            strcpy(nodes[a].name, name);
            struct statx stx = { .stx_mode = nodes[a].directory ? S_IFDIR : S_IFREG,
                                 .stx_nlink = 1,
                                 .stx_ino = inode };

            assert_int_equal(put_statx(t, number_of(t, nodes, parent), bytes_of(name), &stx, &change), 0);
            break;
        case 1:
            if (!nodes[a].used || pick(3))
                break;
            tree_remove(t, tree_first_name(t, number_of(t, nodes, a)), &change);
            model_remove(nodes, a);
            break;
        case 2:
            if (!nodes[a].used || model_below(nodes, parent, a) || there == a ||
                (there >= 0 && (model_below(nodes, a, there) || model_below(nodes, parent, there))))
                break;
            assert_int_equal(tree_rename(t, tree_first_name(t, number_of(t, nodes, a)),
                                         number_of(t, nodes, parent), bytes_of(name), &change), 0);
            if (there >= 0)
                model_remove(nodes, there);
            nodes[a].parent = parent;
            strcpy(nodes[a].name, name);
            break;
        case 3:
            there = (int)pick(NODES);
            if (!nodes[a].used || !nodes[there].used || model_below(nodes, a, there) ||
                model_below(nodes, there, a))
                break;
            assert_int_equal(tree_exchange(t, tree_first_name(t, number_of(t, nodes, a)),
                                           tree_first_name(t, number_of(t, nodes, there))), 0);
            struct node was = nodes[a];

            nodes[a].parent = nodes[there].parent;
            memcpy(nodes[a].name, nodes[there].name, sizeof(was.name));
            nodes[there].parent = was.parent;
            memcpy(nodes[there].name, was.name, sizeof(was.name));
            break;
        }
        if (step % 50 == 0)
            assert_equal_to_model(t, nodes);
    }
    assert_equal_to_model(t, nodes);
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
        TEST(marks_each_directory_once),
        TEST(lists_what_is_new_by_itself),
        TEST(memory_is_as_promised),
        TEST(agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
