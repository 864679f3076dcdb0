/* SPDX-License-Identifier: MIT */
/* The pack of kept copies: generations, clocks that were wrong, large contents. */
#include "test.h"
#include "copies_place.h"

#include <errno.h>

#include "copies/lives.h"

static void add_folder(struct pack *p, const char *path, unsigned seconds)
{
    struct copy_record record = { .time_ns = T(seconds), .mode = S_IFDIR | 0700 };

    assert_int_equal(pack_add(p, &record, bytes_of(path), BYTES_NULL, BYTES_NULL, NULL), 0);
}

static void on_unseen(void *data, struct bytes path)
{
    sbuf_addf(data, "%.*s ", BYTES_SHOWN(path));
}

static void rounds_and_generations(void **state)
{
    char *directory = make_directory();
    _cleanup_sbuf_ struct sbuf unseen = SBUF_INIT;
    struct err err = ERR_INIT;
    struct pack *p;
    char path[100];
    struct stat st;

    (void)state;
    snprintf(path, sizeof(path), "%s/index.old", directory);
    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    assert_int_equal(pack_first_ns(p), 0);
    add(p, "/a", 100, "x");
    add(p, "/b", 101, "y");
    add(p, "/c", 102, "y");
    pack_new_round(p);
    add(p, "/a", 103, "x");
    add(p, "/c", 104, NULL);
    pack_each_unseen(p, &unseen, on_unseen);
    assert_string_equal(sbuf_str(&unseen), "/b ");
    assert_int_equal(pack_first_ns(p), T(100));
    pack_close(p);
    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    assert_int_equal(pack_first_ns(p), T(100));
    assert_int_equal(pack_count(p), 2);
    assert_int_equal(pack_turn(p), 0);
    assert_int_equal(pack_first_ns(p), 0);
    assert_true(pack_disk_bytes(p) > 0);
    pack_forget_old(p, T(100));
    assert_int_equal(stat(path, &st), 0);
    pack_forget_old(p, (uint64_t)(st.st_mtim.tv_sec + 1) * NS_PER_S);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(pack_disk_bytes(p), 0);
    assert_int_equal(pack_probe(p), 0);
    pack_close(p);
    remove_directory(directory);
}

/* What is there by the pack, and by its records. */
static void assert_there(struct pack *p, const char *directory, const char *path, bool there)
{
    struct kept_path *paths, *found;
    struct copies c;

    assert_int_equal(pack_has(p, bytes_of(path)), there);
    assert_int_equal(copies_read(directory, bytes_of("/"), &c, NULL), 0);
    assert_int_equal(copies_replay(&c, 0, &paths), 0);
    found = kept_path_find(paths, bytes_of(path));
    assert_int_equal(found && !found->gone_ns, there);
    kept_paths_free(paths);
    copies_done(&c);
}

static void with_a_folder_goes_what_is_in_it(void **state)
{
    char *directory = make_directory();
    struct err err = ERR_INIT;
    struct pack *p;

    (void)state;
    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    add(p, "/a/b/c/deep", 100, "x"); /* before the folder, of which nothing is between */
    add_folder(p, "/a", 101);
    add(p, "/a/f", 102, "y");
    add(p, "/ab", 102, "y");
    add(p, "/a/f", 103, NULL);
    add(p, "/a", 104, NULL);
    assert_there(p, directory, "/a/b/c/deep", false);
    assert_there(p, directory, "/ab", true);
    add_folder(p, "/a", 105); /* each went before it */
    add(p, "/a/f", 106, "y");
    add(p, "/a/f", 107, NULL);
    add(p, "/a", 108, NULL);
    assert_there(p, directory, "/a", false);
    add_folder(p, "/a", 109);
    add(p, "/a/f", 110, "z");
    pack_close(p);
    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    assert_there(p, directory, "/a/f", true);
    add(p, "/a", 111, NULL);
    assert_there(p, directory, "/a/f", false);
    assert_int_equal(pack_count(p), 1);
    pack_close(p);
    remove_directory(directory);
}

static void assert_content(const char *directory, const char *path, uint64_t at_ns, const char *content)
{
    struct kept_path *paths, *found;
    struct copies c;
    char *text;

    assert_int_equal(copies_read(directory, bytes_of("/"), &c, NULL), 0);
    assert_int_equal(copies_replay(&c, at_ns, &paths), 0);
    found = kept_path_find(paths, bytes_of(path));
    if (content) {
        assert_true(found && !found->gone_ns);
        assert_int_equal(copies_content(&c, found->newest, &text), 0);
        assert_string_equal(text, content);
        free(text);
    } else {
        assert_true(!found || found->gone_ns);
    }
    kept_paths_free(paths);
    copies_done(&c);
}

static void add_folder_of(struct pack *p, const char *path, unsigned seconds, uint32_t mode)
{
    struct copy_record record = { .time_ns = T(seconds), .mode = S_IFDIR | mode };

    assert_int_equal(pack_add(p, &record, bytes_of(path), BYTES_NULL, BYTES_NULL, NULL), 0);
}

static void a_folder_as_it_was_in_its_last_life(void **state)
{
    static const struct {
        unsigned seconds;
        uint32_t mode;
    } rows[] = { { 1, 0555 }, { 104, 0555 }, { 105, 0555 }, { 159, 0555 }, { 160, 0775 }, { 169, 0775 }, { 170, 0700 }, { 999, 0700 } };
    char *directory = make_directory();
    struct kept_path *paths;
    struct err err = ERR_INIT;
    struct copies c;
    struct pack *p;

    (void)state;
    assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
    add_folder_of(p, "/a", 100, 0711);
    add(p, "/a", 104, NULL);
    add_folder_of(p, "/a", 105, 0555);
    add_folder_of(p, "/a/b", 106, 0500);
    assert_int_equal(pack_turn(p), 0); /* goes on in the next generation */
    add_folder_of(p, "/a", 110, 0555);
    add_folder_of(p, "/a", 160, 0775);
    add_folder_of(p, "/a", 170, 0700);
    pack_close(p);
    assert_int_equal(copies_read(directory, bytes_of("/a"), &c, &err), 0);
    assert_int_equal(copies_replay(&c, 0, &paths), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(kept_path_at(kept_path_find(paths, bytes_of("/a")), T(rows[i].seconds))->record.mode, S_IFDIR | rows[i].mode);
    kept_paths_free(paths);
    copies_done(&c);
    remove_directory(directory);
}

static void add_at(struct pack *p, const char *path, uint64_t time_ns, const char *text)
{
    struct copy_record record = { .time_ns = time_ns, .mode = text ? S_IFREG | 0600 : 0, .flags = text ? 0 : COPY_GONE };
    struct bytes content = bytes_of(text ? text : "");

    assert_int_equal(pack_add(p, &record, bytes_of(path), BYTES_NULL, BYTES_NULL, text ? &content : NULL), 0);
}

/* What was kept by a clock that was ahead is older than what is kept now, by whatever generation. */
static void what_a_clock_that_was_ahead_kept_is_older(void **state)
{
    for (unsigned turn = 0; turn < 2; turn++) {
        char *directory = make_directory();
        uint64_t now = clock_ns(CLOCK_REALTIME), ahead = now + 3600 * NS_PER_S;
        struct err err = ERR_INIT;
        struct pack *p;

        (void)state;
        assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
        add_at(p, "/old", now - 10 * NS_PER_S, "before");
        add_at(p, "/f", ahead, "first");
        add_at(p, "/g", ahead + 1, "went");
        add_at(p, "/old", ahead + 2, NULL);
        pack_close(p);
        assert_int_equal(pack_open(directory, 1 << 20, &p, &err), 0);
        add_at(p, "/f", now - 3 * NS_PER_S, "second");
        if (turn)
            assert_int_equal(pack_turn(p), 0);
        add_at(p, "/f", now - 2 * NS_PER_S, "second");
        add_at(p, "/g", now - NS_PER_S, turn ? "anew" : NULL);
        assert_content(directory, "/f", 0, "second");
        assert_content(directory, "/g", 0, turn ? "anew" : NULL);
        assert_content(directory, "/old", 0, NULL);
        assert_content(directory, "/f", now - 2 * NS_PER_S, "second");
        assert_content(directory, "/old", now - 5 * NS_PER_S, "before");
        pack_close(p);
        remove_directory(directory);
    }
}

static void a_clock_is_looked_at(void **state)
{
    struct copies_clock c = { .newest_ns = T(1000) };

    (void)state;
    assert_true(copies_clock_is_back(&c, T(900), T(50)));
    assert_false(copies_clock_is_back(&c, T(910), T(60)));
    assert_false(copies_clock_is_back(&c, T(920), T(70) + NS_PER_S / 2)); /* slewed */
    assert_false(copies_clock_is_back(&c, T(5000), T(80)));               /* set forward */
    assert_true(copies_clock_is_back(&c, T(940), T(90)));
    assert_false(copies_clock_is_back(&c, T(950), T(100)));
    c = (struct copies_clock){ 0 };
    assert_false(copies_clock_is_back(&c, T(900), T(50)));
}

/* ---- large contents ---- */

#define PIECE (300 * 1024)

static int add_large(struct pack *p, const char *directory, const char *path, char filling, size_t size)
{
    struct copy_record record = { .time_ns = T(100), .mode = S_IFREG | 0600 };
    struct stat st;
    int fd = make_file(directory, filling, size, &st), r = pack_add_large(p, &record, bytes_of(path), BYTES_NULL, fd, &st);

    close(fd);
    return r;
}

static int open_large(const char *directory, const char *path)
{
    struct copies c;
    struct kept_path *paths;
    int fd;

    assert_int_equal(copies_read(directory, bytes_of(path), &c, NULL), 0);
    assert_int_equal(copies_replay(&c, 0, &paths), 0);
    fd = copies_open_large(&c, kept_path_find(paths, bytes_of(path))->newest);
    kept_paths_free(paths);
    copies_done(&c);
    return fd;
}

static bool has_large(const char *directory, const char *path, char filling)
{
    int fd = open_large(directory, path);
    char c = 0;

    if (fd < 0)
        return false;
    assert_int_equal(pread(fd, &c, 1, PIECE - 1), 1);
    close(fd);
    return c == filling;
}

static void large_contents_give_way(void **state)
{
    char *directory = make_directory();
    struct err err = ERR_INIT;
    struct pack *p;
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(pack_open(directory, 4 << 20, &p, &err), 0);
    assert_int_equal(add_large(p, directory, "/big", 'b', 270 * 1024), -E2BIG); /* more than a sixteenth */
    pack_close(p);
    assert_int_equal(pack_open(directory, 5 << 20, &p, &err), 0);
    assert_int_equal(add_large(p, directory, "/a", 'a', PIECE), 0);
    assert_int_equal(add_large(p, directory, "/twin", 'a', PIECE), 0);
    assert_int_equal(add_large(p, directory, "/b", 'b', PIECE), 0);
    assert_int_equal(add_large(p, directory, "/c", 'c', PIECE), 0);
    assert_int_equal(add_large(p, directory, "/d", 'd', PIECE), 0);
    assert_int_equal(add_large(p, directory, "/e", 'e', PIECE), -E2BIG); /* all that is kept is had by a file */
    assert_true(has_large(directory, "/b", 'b'));
    add(p, "/b", 101, NULL);
    add(p, "/a", 101, NULL);
    pack_close(p);
    assert_int_equal(pack_open(directory, 5 << 20, &p, &err), 0);
    assert_int_equal(add_large(p, directory, "/e", 'e', PIECE), 0); /* in place of b's: the twin has a's */
    assert_int_equal(open_large(directory, "/b"), -ENODATA);
    assert_true(has_large(directory, "/twin", 'a') && has_large(directory, "/c", 'c') && has_large(directory, "/d", 'd') && has_large(directory, "/e", 'e'));
    fd = make_file(directory, 'x', PIECE, &st);
    st.st_size--; /* it was changed meanwhile */
    assert_int_equal(pack_add_large(p, &(struct copy_record){ .time_ns = T(1) }, bytes_of("/x"), BYTES_NULL, fd, &st), -ESTALE);
    close(fd);
    pack_close(p);
    remove_directory(directory);
}

static void a_smaller_limit_has_room(void **state)
{
    struct copy_record record = { .time_ns = T(100), .mode = S_IFREG | 0600 };
    const struct bytes content = bytes_of("x");
    char *directory = make_directory();
    FILE *file = tmpfile();
    struct err err = ERR_INIT;
    struct pack *p;
    struct stat st;

    (void)state;
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 10 << 20), 0);
    assert_int_equal(fstat(fileno(file), &st), 0);
    assert_int_equal(pack_open(directory, 256 << 20, &p, &err), 0);
    assert_int_equal(pack_add_large(p, &record, bytes_of("/large"), BYTES_NULL, fileno(file), &st), 0);
    pack_close(p);
    assert_int_equal(pack_open(directory, 4 << 20, &p, &err), 0);
    record = (struct copy_record){ .time_ns = T(101), .mode = S_IFREG | 0600 };
    assert_int_equal(pack_add(p, &record, bytes_of("/small"), BYTES_NULL, BYTES_NULL, &content), -EFBIG);
    assert_int_equal(pack_turn(p), 0);
    assert_int_equal(pack_add(p, &record, bytes_of("/small"), BYTES_NULL, BYTES_NULL, &content), 0);
    pack_close(p);
    fclose(file);
    remove_directory(directory);
}

/* In a directory that others may write to nothing is kept, and what is kept there is not believed. */
static void others_directory_is_refused(void **state)
{
    char *directory = make_directory();
    struct copies copies;
    struct pack *p = NULL;

    (void)state;
    assert_int_equal(pack_open(directory, 1 << 20, &p, NULL), 0);
    pack_close(p);
    for (int i = 0; i < (geteuid() == 0 ? 2 : 1); i++) {
        if (i == 0)
            assert_int_equal(chmod(directory, 0770), 0);
        else
            assert_int_equal(chmod(directory, 0700) | chown(directory, 65534, 65534), 0);
        assert_int_equal(pack_open(directory, 1 << 20, &p, NULL), -EPERM);
        assert_int_equal(copies_read(directory, bytes_of("/srv/a"), &copies, NULL), -EPERM);
    }
    remove_directory(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_and_generations),
        cmocka_unit_test(with_a_folder_goes_what_is_in_it),
        cmocka_unit_test(a_folder_as_it_was_in_its_last_life),
        cmocka_unit_test(what_a_clock_that_was_ahead_kept_is_older),
        cmocka_unit_test(a_clock_is_looked_at),
        cmocka_unit_test(large_contents_give_way),
        cmocka_unit_test(a_smaller_limit_has_room),
        cmocka_unit_test(others_directory_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
