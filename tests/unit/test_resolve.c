/* SPDX-License-Identifier: MIT */
/* Symbolic links are followed below the root and never out of it; a container's path finds its views. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "watch/resolve.h"

static char base[] = "/tmp/culprit-test-resolve-XXXXXX";

static const struct row {
    const char *name, *path;
    bool follow;
    const char *result;
} rows[] = {
    { "plain", "/d/file", true, "/d/file" },
    { "root", "/", true, "/" },
    { "relative link", "/d/rel", true, "/d/file" },
    { "absolute link stays in the root", "/d/abs", true, "/d/file" },
    { "link in the middle", "/way/file", true, "/d/file" },
    { "last link kept", "/d/rel", false, "/d/rel" },
    { "middle link followed all the same", "/way/rel", false, "/d/rel" },
    { "escape by dots", "/d/out", true, "/etc/passwd" },
    { "loop", "/d/loop", true, "/d/loop" },
    { "loop of three on the way", "/d/one/x", true, "/d/one/x" },
    { "missing", "/d/none/x/y", true, "/d/none/x/y" },
    { "dots", "/d/../d/./file", true, "/d/file" },
};

static void resolves(void **state)
{
    const struct row *row = *state;
    _cleanup_close_ int root = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct arena arena = { 0 };

    assert_true(root >= 0);
    assert_bytes(resolve_links(root, bytes_of(row->path), row->follow, &arena), row->result);
    arena_done(&arena);
}

/* What the path leads to, and each link on the way: one that is replaced leads elsewhere. */
static void watches_the_links_on_the_way(void **state)
{
    char path[256], expected[3][256];
    struct place places[8];
    struct arena arena = { 0 };

    (void)state;
    snprintf(path, sizeof(path), "%s/way/rel", base);
    snprintf(expected[0], sizeof(expected[0]), "%s/d/file", base);
    snprintf(expected[1], sizeof(expected[1]), "%s/way", base);
    snprintf(expected[2], sizeof(expected[2]), "%s/d/rel", base);
    assert_int_equal(resolve_host(bytes_of(path), &arena, places, 8), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_bytes(places[i].object.path, expected[i]);
        assert_int_equal(places[i].link, i > 0);
    }
    snprintf(path, sizeof(path), "%s/d/file", base);
    assert_int_equal(resolve_host(bytes_of(path), &arena, places, 8), 1);
    arena_done(&arena);
}

static void makes_places_of_a_stopped_container(void **state)
{
    struct bytes lowers[] = { bytes_of("/nonexistent/lower") };
    struct container_mount mounts[] = {
        { .destination = bytes_of("/prd/data"), .source = bytes_of("/srv/data"), .type = bytes_of("bind") },
        { .destination = bytes_of("/tmp"), .type = bytes_of("tmpfs") },
        { .destination = bytes_of("/prdx"), .source = bytes_of("/srv/x"), .type = bytes_of("bind") },
    };
    struct container_view view = { .container = container_new(),
                                   .upper = bytes_of("/layers/upper"),
                                   .lower = lowers,
                                   .lower_count = 1,
                                   .mounts = mounts,
                                   .mount_count = ARRAY_SIZE(mounts) };
    struct place places[8];
    struct arena arena = { 0 };

    (void)state;
    assert_int_equal(resolve_container(&view, bytes_of("/prd"), &arena, places, 8), 2);
    assert_int_equal(places[0].object.view, VIEW_VOLUME);
    assert_bytes(places[0].object.path, "/srv/data");
    assert_bytes(places[0].victim_path, "/prd/data");
    assert_int_equal(places[1].object.view, VIEW_UPPER);
    assert_bytes(places[1].object.path, "/layers/upper/prd");
    assert_bytes(places[1].victim_path, "/prd");
    assert_int_equal(resolve_container(&view, bytes_of("/prd/data/a"), &arena, places, 8), 1);
    assert_bytes(places[0].object.path, "/srv/data/a");
    assert_bytes(places[0].victim_path, "/prd/data/a");
    /* a tmpfs of a container that does not run has nothing to watch yet */
    assert_int_equal(resolve_container(&view, bytes_of("/tmp/x"), &arena, places, 8), 0);
    container_unref(view.container);
    arena_done(&arena);
}

static void a_file_may_be_mounted_by_itself(void **state)
{
    char file[64], dir[64];
    struct container_mount mounts[] = {
        { .destination = bytes_of("/etc/one"), .type = bytes_of("bind") },
        { .destination = bytes_of("/etc/all"), .type = bytes_of("bind") },
    };
    struct container_view view = { .container = container_new(), .mounts = mounts, .mount_count = ARRAY_SIZE(mounts) };
    static const struct { const char *path; bool single; } asked[] = { { "/etc/one", true }, { "/etc/all", false }, { "/etc/all/file", false } };
    struct place places[8];
    struct arena arena = { 0 };

    (void)state;
    snprintf(dir, sizeof(dir), "%s/d", base);
    snprintf(file, sizeof(file), "%s/d/file", base);
    mounts[0].source = bytes_of(file);
    mounts[1].source = bytes_of(dir);
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        assert_int_equal(resolve_container(&view, bytes_of(asked[i].path), &arena, places, 8), 1);
        assert_int_equal(places[0].single_file, asked[i].single);
    }
    container_unref(view.container);
    arena_done(&arena);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(base) && chdir(base) == 0 && mkdir("d", 0755) == 0 &&
                   close(creat("d/file", 0644)) == 0 && symlink("file", "d/rel") == 0 &&
                   symlink("/d/file", "d/abs") == 0 && symlink("d", "way") == 0 &&
                   symlink("../../../../etc/passwd", "d/out") == 0 && symlink("loop", "d/loop") == 0 &&
                   symlink("two", "d/one") == 0 && symlink("three", "d/two") == 0 && symlink("one", "d/three") == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink("d/file");
    (void)unlink("d/rel");
    (void)unlink("d/abs");
    (void)unlink("d/out");
    (void)unlink("d/loop");
    (void)unlink("d/one");
    (void)unlink("d/two");
    (void)unlink("d/three");
    (void)rmdir("d");
    (void)unlink("way");
    return rmdir(base);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(makes_places_of_a_stopped_container),
        cmocka_unit_test(a_file_may_be_mounted_by_itself),
                                       cmocka_unit_test(watches_the_links_on_the_way) };
    int failed;

    if (set_up(NULL) < 0)
        return 99;
    failed = RUN_ROWS(rows, resolves) + cmocka_run_group_tests(more, NULL, NULL);
    (void)tear_down(NULL);
    return failed;
}
