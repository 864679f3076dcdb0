/* SPDX-License-Identifier: MIT */
/* The index against a plain model, with many random changes; its memory. */
#include "sensor/tree/storage.h"
#include "test.h"
#include "tree_scratch.h"

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
    assert_true(counted(t).memory / 200000 <= 26);
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
        TEST(memory_is_as_promised),
        TEST(agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
