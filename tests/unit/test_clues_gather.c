/* SPDX-License-Identifier: MIT */
/* What sources of clues gather from a file system: nothing is left out, nothing is taken twice, and what cannot be read is not known. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clues/original.h"
#include "clues/source.h"
#include "engine/flat.h"
#include "util/cleanup.h"

static char base[] = "/tmp/culprit-clues.XXXXXX";

static int make_base(void **state)
{
    (void)state;
    return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

static void make_directory(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", base, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* The names were made for it. */
static void gathered_free(struct gathered *g)
{
    for (size_t i = 0; i < g->count; i++) {
        free((char *)(uintptr_t)g->files[i].name);
        free((char *)(uintptr_t)g->files[i].content.data);
    }
    free(g->files);
}

/* ---- scripts ---- */

#define PARTS_MAX 4

static const struct scripts_row {
    const char *name;
    const char *commands[PARTS_MAX]; /* each below the directory of the test: '@' stands for it */
    unsigned found;                  /* lines that remove something there */
} scripts[] = {
    { "one script", { "@/daily/a" }, 1 },
    { "a directory that run-parts is given", { "run-parts --report @/daily" }, 3 },
    { "a script, and then its directory", { "@/daily/a", "run-parts --report @/daily" }, 4 },
    { "a directory, and then a script of it", { "run-parts @/daily", "@/daily/b" }, 4 },
    { "the directory twice", { "run-parts @/daily", "test -x /usr/sbin/anacron || run-parts @/daily" }, 6 },
    { "a directory that is not given to run-parts", { "ls @/daily" }, 0 },
};

static void test_scripts(void **state)
{
    const struct scripts_row *row = *state;
    _cleanup_sbuf_ struct sbuf extra = SBUF_INIT, request = SBUF_INIT, answer = SBUF_INIT;
    struct clue_question q = { .path = bytes_of("/srv/data"), .now_ns = NS_PER_S };
    struct gathered g = { .max = 1024 * 1024, .lent = -EBADF };
    unsigned found = 0;
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;
    int part;

    for (size_t i = 0; i < PARTS_MAX && row->commands[i]; i++) {
        _cleanup_sbuf_ struct sbuf command = SBUF_INIT;

        for (const char *c = row->commands[i]; *c; c++)
            if (*c == '@')
                sbuf_add_str(&command, base);
            else
                sbuf_add_char(&command, *c);
        flat_put_bytes(&extra, sbuf_bytes(&command));
        flat_put_bytes(&extra, bytes_of("cron job"));
        flat_put_u64(&extra, 0);
        flat_put_u64(&extra, 0);
    }
    q.extra = sbuf_bytes(&extra);
    clue_question_put(&request, &q);
    assert_int_equal(clue_job_scripts.gather(sbuf_bytes(&request), &g), row->found ? 0 : -ENOENT);
    assert_int_equal(clue_job_scripts.parse(sbuf_bytes(&request), &g, &answer), 0);
    for (rest = sbuf_bytes(&answer); (part = clue_take(&rest, &f, &cover)) > 0;)
        found += part == CLUE_PART_FACT && (f.marks & CLUE_REMOVES);
    assert_int_equal(part, CLUE_PART_END);
    assert_int_equal(found, row->found);
    gathered_free(&g);
}

/* ---- digests ---- */

#define MD5_OF_X "9dd4e461268c8034f5c8564e155c67a6" /* "x", without an end of line */

static const struct digest_row {
    const char *name, *file, *digest;
    int flags, r;
} digests[] = {
    { "the same", "x", MD5_OF_X, O_RDONLY, 1 },
    { "the same, SHA-1", "x", "11f6ad8ec52a2984abaafd7c3b516503785c2072", O_RDONLY, 1 },
    { "the same, SHA-256", "x", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", O_RDONLY, 1 },
    { "another", "y", MD5_OF_X, O_RDONLY, 0 },
    { "an empty one", "empty", MD5_OF_X, O_RDONLY, 0 },
    { "one that cannot be read is not known", "x", MD5_OF_X, O_WRONLY, -EIO },
    { "nor a directory", "daily", MD5_OF_X, O_RDONLY | O_DIRECTORY, -EIO },
    { "nor by a digest of no known kind", "x", "9dd4e461", O_RDONLY, -EIO },
};

static void test_digest(void **state)
{
    const struct digest_row *row = *state;
    _cleanup_close_ int fd = -EBADF;
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", base, row->file);
    fd = open(path, row->flags | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(original_has_digest(fd, bytes_of(row->digest)), row->r);
}

/* ---- the nearest directory above, and logs ---- */

static const struct above_row {
    const char *name, *path, *content; /* path: below the directory of the test; content: NULL = it has none */
    bool tail;
} aboves[] = {
    { "of the path itself", "tree", "outer", false },
    { "of a directory above", "tree/a/b", "outer", false },
    { "the nearest one", "tree/inner/a", "inner", false },
    { "also where nothing is", "tree/inner/a/b/c/d", "inner", false },
    { "nowhere", "daily/a", NULL, false },
    { "too long", "long/a", NULL, false },
    { "too long, its end", "long/a", "0123456789", true },
};

static void test_above(void **state)
{
    const struct above_row *row = *state;
    struct gathered g = { .max = 1024 * 1024, .lent = -EBADF };
    _cleanup_close_ int root = clue_root();
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", base, row->path);
    assert_int_equal(clue_gather_above(&g, root, bytes_of(path), "/.git/index", 10, row->tail), row->content ? 0 : -ENOENT);
    assert_int_equal(g.count, row->content ? 1 : 0);
    if (row->content)
        assert_bytes(g.files[0].content, row->content);
    gathered_free(&g);
}

/* A line is its time, in seconds. */
static uint64_t line_time(struct sbuf *answer, const struct clue_question *q, struct bytes name, struct bytes text)
{
    struct clue_fact f = { .kind = CLUE_HAPPENED, .text = text, .place = name };

    (void)q;
    clue_put(answer, &f);
    return text.len ? (uint64_t)(text.data[0] - '0') * NS_PER_S : 0;
}

static void test_logs(void **state)
{
    struct gathered g = { .max = 1024 * 1024, .lent = -EBADF };
    struct clue_question q = { .path = bytes_of("/srv/data"), .now_ns = NS_PER_S };
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT, answer = SBUF_INIT;
    char one[64], two[64];
    const char *const paths[] = { one, two };
    struct clue_logs logs = { paths, ARRAY_SIZE(paths), 100, line_time };
    struct clue_span cover = { 0 };
    struct clue_fact f;
    struct bytes rest;
    unsigned facts = 0;
    int part;

    (void)state;
    snprintf(one, sizeof(one), "%s/logs/one", base);
    snprintf(two, sizeof(two), "%s/logs/two", base);
    clue_question_put(&request, &q);
    assert_int_equal(clue_gather_logs(sbuf_bytes(&request), &g, &logs), -ENOENT); /* no moment: nothing is new enough */
    q.spans[q.span_count++] = (struct clue_span){ NS_PER_S, NS_PER_S };
    sbuf_clear(&request);
    clue_question_put(&request, &q);
    assert_int_equal(clue_gather_logs(sbuf_bytes(&request), &g, &logs), 0);
    assert_int_equal(clue_parse_logs(sbuf_bytes(&request), &g, &answer, &logs), 0);
    for (rest = sbuf_bytes(&answer); (part = clue_take(&rest, &f, &cover)) > 0;)
        facts += part == CLUE_PART_FACT;
    assert_int_equal(part, CLUE_PART_END);
    assert_int_equal(facts, 4);                         /* one, one.1, one-20261129, two: not one.old, two.txt */
    assert_int_equal(cover.from_ns, 3 * NS_PER_S); /* of the one whose time is known and the earliest */
    gathered_free(&g);
}

/* Of a log that is too long its end, from a whole record on. */
static void test_end_of_records(void **state)
{
    struct gathered g = { .max = 1024 * 1024, .lent = -EBADF };
    struct clue_question q = { .path = bytes_of("/srv/data"), .now_ns = NS_PER_S, .spans = { { NS_PER_S, NS_PER_S } }, .span_count = 1 };
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    char path[64];
    const char *const paths[] = { path };
    struct clue_logs logs = { paths, 1, 20, line_time, 8 };

    (void)state;
    snprintf(path, sizeof(path), "%s/records", base);
    clue_question_put(&request, &q);
    assert_int_equal(clue_gather_logs(sbuf_bytes(&request), &g, &logs), 0);
    assert_int_equal(g.count, 1);
    assert_bytes(g.files[0].content, "record9.recordA.");
    gathered_free(&g);
}

/* ---- links ---- */

static const struct link_row {
    const char *name, *path, *link, *says; /* link: NULL = there is none on the way */
} links[] = {
    { "a link on the way", "current/data", "current", "is a link to releases/42; it was made, or got this name" },
    { "the path is one", "current", "current", "is a link to releases/42; it was made, or got this name" },
    { "one that leads nowhere", "gone/data", "gone", "is a link to releases/9, which is not there; it was made, or got this name" },
    { "of a file that is not there", "current/none/such", "current", "is a link to releases/42; it was made, or got this name" },
    { "none", "releases/42/data", NULL, NULL },
    { "in a circle", "circle/x", "circle", "is a link to circle, which is not there; it was made, or got this name" },
};

static void test_links(void **state)
{
    const struct link_row *row = *state;
    _cleanup_sbuf_ struct sbuf request = SBUF_INIT;
    struct gathered g = { .max = 1024 * 1024, .lent = -EBADF };
    struct clue_question q = { .path = bytes_of("/resolved") };
    char path[128], link[128];
    struct clue_span cover;
    struct clue_fact f;
    struct bytes rest;

    snprintf(path, sizeof(path), "%s/%s", base, row->path);
    snprintf(link, sizeof(link), "%s/%s", base, row->link ? row->link : "");
    q.written = bytes_of(path);
    clue_question_put(&request, &q);
    assert_int_equal(clue_job_links.gather(sbuf_bytes(&request), &g), row->link ? 0 : -ENOENT);
    if (row->link) {
        rest = g.files[0].content;
        assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_FACT);
        assert_bytes(f.path, link);
        assert_bytes(f.text, row->says);
        assert_true(f.from_ns > 0);
        assert_int_equal(clue_take(&rest, &f, &cover), CLUE_PART_END);
        free((char *)(uintptr_t)g.files[0].content.data);
        free(g.files);
    }
}

static void make_link(const char *to, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", base, name);
    assert_int_equal(symlink(to, path), 0);
}

/* ---- configuration of packages ---- */

#define MD5(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static void test_conffiles(void **state)
{
    static const char status[] = "Package: b\nStatus: install ok installed\nConffiles:\n /etc/b/z " MD5("1") "\n /etc/b/a " MD5("2")
        "\n /etc/b/old " MD5("3") " obsolete\n /etc/b/new newconffile\n relative " MD5("4") "\n\nDescription: x\n /etc/none " MD5("5")
        "\n\nPackage: c\nConffiles:\n /etc/c " MD5("6");
    static const struct {
        const char *path, *digest; /* NULL: none, and no configuration */
    } cases[] = { { "/etc/b/a", MD5("2") }, { "/etc/b/z", MD5("1") }, { "/etc/b/old", NULL }, { "/etc/b/new", NULL },
                  { "/etc/none", NULL },    { "/etc/c", MD5("6") },    { "/etc/b", NULL },     { "/etc/b/a2", NULL } };
    struct original_conffiles all, none;

    (void)state;
    assert_int_equal(original_conffiles_read(bytes_of(status), &all), 0);
    assert_int_equal(all.count, 3);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct clue_question q = { .path = bytes_of(cases[i].path) };
        _cleanup_sbuf_ struct sbuf rows = SBUF_INIT;
        struct bytes rest;
        struct original o;

        original_dpkg(&rows, &q, bytes_of("package b"), bytes_of(cases[i].path), BYTES_NULL, &all);
        rest = sbuf_bytes(&rows);
        assert_int_equal(original_get(&rest, &o), 0);
        assert_int_equal(o.configuration, cases[i].digest != NULL);
        assert_bytes(o.digest, cases[i].digest ? cases[i].digest : "");
    }
    free(all.all);
    for (size_t len = 0; len < sizeof(status); len += 7) { /* cut anywhere */
        assert_int_equal(original_conffiles_read((struct bytes){ status, len }, &none), 0);
        free(none.all);
    }
}

static int make_all(void **state)
{
    static char text[64];

    if (make_base(state) < 0)
        return -1;
    make_directory("daily");
    make_file("daily/a", "rm -rf /srv/data\n");
    make_file("daily/b", "rm -rf /srv/data\n");
    make_file("daily/c", "rm -rf /srv/data\n");
    make_file("x", "x");
    make_file("y", "y");
    make_file("empty", "");
    make_directory("tree");
    make_directory("tree/.git");
    make_file("tree/.git/index", "outer");
    make_directory("tree/inner");
    make_directory("tree/inner/.git");
    make_file("tree/inner/.git/index", "inner");
    make_directory("long");
    make_directory("long/.git");
    memset(text, 'x', sizeof(text));
    memcpy(text + sizeof(text) - 11, "0123456789", 11);
    make_file("long/.git/index", text);
    make_directory("releases");
    make_directory("releases/42");
    make_file("releases/42/data", "x");
    make_link("releases/42", "current");
    make_link("releases/9", "gone");
    make_link("circle", "circle");
    make_directory("logs");
    make_file("records", "record1.record2.record3.record4.record5.record6.record7.record8.record9.recordA.");
    make_file("logs/one", "7");
    make_file("logs/one.1", "3");
    make_file("logs/one-20261129", "5");
    make_file("logs/two", "");
    make_file("logs/one.old", "1");
    make_file("logs/two.txt", "1");
    return 0;
}

int main(void)
{
    static struct CMUnitTest tests[64];
    size_t n = 0;

#define ADD_ROWS(rows, function) \
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) \
    tests[n++] = (struct CMUnitTest){ .name = rows[i].name, .test_func = function, .initial_state = (void *)(uintptr_t)&rows[i] }
    ADD_ROWS(scripts, test_scripts);
    ADD_ROWS(digests, test_digest);
    ADD_ROWS(aboves, test_above);
    ADD_ROWS(links, test_links);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_logs);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_end_of_records);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_conffiles);
    return _cmocka_run_group_tests("clues_gather", tests, n, make_all, remove_base);
}
