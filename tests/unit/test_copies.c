/* SPDX-License-Identifier: MIT */
/* Kept copies: below which paths, and when they were kept and when not. */
#include "test.h"
#include "copies_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "copies/below.h"
#include "copies/roots.h"
#include "copies/spans.h"

/* ---- which root decides ---- */

static const struct root_row {
    const char *name, *path;
    bool keep, below;
} root_rows[] = {
    { "a root", "/srv", true, true },
    { "within", "/srv/data/x", true, false },
    { "a root that is left", "/srv/cache", false, true },
    { "within that", "/srv/cache/x", false, false },
    { "kept again", "/srv/cache/kept/x", true, false },
    { "a name that begins the same", "/srv/cachet", true, false },
    { "above", "/", false, true },
    { "elsewhere", "/var", false, false },
};

static void innermost_decides(void **state)
{
    const struct root_row *row = *state;
    struct copies_roots roots = { 0 };

    assert_non_null(roots_set(&roots, bytes_of("/srv/cache/kept"), true));
    assert_non_null(roots_set(&roots, bytes_of("/srv/cache"), true));
    assert_non_null(roots_set(&roots, bytes_of("/srv/cache"), false));
    assert_non_null(roots_set(&roots, bytes_of("/srv"), true));
    assert_int_equal(roots.count, 3);
    assert_int_equal(roots_keep(&roots, bytes_of(row->path)), row->keep);
    assert_int_equal(roots_below(&roots, bytes_of(row->path)), row->below);
    roots_forget(&roots);
    assert_false(roots_keep(&roots, bytes_of("/srv")));
}

/* ---- which folders have names below them ---- */

static const struct below_row {
    const char *name, *add, *remove, *folder;
    bool has;
} below_rows[] = {
    { "a file in it", "/a/f", "", "/a", true },
    { "it went", "/a/f", "/a/f", "/a", false },
    { "one of two went", "/a/f /a/g", "/a/g", "/a", true },
    { "itself is not below it", "/a", "", "/a", false },
    { "a name that begins the same", "/ab/f", "", "/a", false },
    { "deep below, nothing between", "/a/b/c/f", "", "/a", true },
    { "deep below, it went", "/a/b/c/f", "/a/b/c/f", "/a", false },
    { "between, the deep one is left", "/a/b /a/b/c/f", "/a/b", "/a", true },
    { "the folder after what is in it", "/a/b/f /a/b /a", "", "/a", true },
    { "the same, of which a part went", "/a/b/f /a/b /a", "/a /a/b", "/a", true },
    { "the same, of which all went", "/a/b/f /a/b /a", "/a/b/f /a/b", "/a", false },
    { "again", "/a/f", "/a/f /none/x", "/a", false },
    { "the root is never sure", "/a", "/a", "/", true },
};

static void each_word(struct names_below *b, const char *words, void (*each)(struct names_below *b, struct bytes path))
{
    struct bytes rest = bytes_of(words);

    while (rest.len)
        each(b, bytes_next_word(&rest));
}

static void below(void **state)
{
    const struct below_row *row = *state;
    struct names_below b = { 0 };

    each_word(&b, row->add, below_add);
    each_word(&b, row->remove, below_remove);
    assert_int_equal(below_has(&b, bytes_of(row->folder)), row->has);
    each_word(&b, row->remove, below_add);
    each_word(&b, row->add, below_remove);
    below_forget(&b);
    assert_null(b.folders);
    assert_false(below_has(&b, bytes_of(row->folder)) && row->folder[1]);
}

static const struct span_row {
    const char *name;
    struct {
        unsigned at;
        int error;
    } says[6];
    unsigned end;
    const char *is; /* FROM-TO ERROR of each */
} span_rows[] = {
    { "all the time", { { 110, 0 }, { 111, 0 } }, 200, "100-200 0\n" },
    { "full", { { 110, -ENOSPC }, { 120, -ENOSPC }, { 130, 0 } }, 200, "100-110 0\n110-130 28\n130-200 0\n" },
    { "full to the end", { { 110, -ENOSPC } }, 200, "100-110 0\n110-200 28\n" },
    { "full again at once", { { 110, -ENOSPC }, { 130, 0 }, { 131, -ENOSPC }, { 150, 0 } }, 200, "100-110 0\n110-150 28\n150-200 0\n" },
    { "full again later", { { 110, -ENOSPC }, { 130, 0 }, { 180, -ENOSPC } }, 200, "100-110 0\n110-130 28\n130-180 0\n180-200 28\n" },
    { "another reason", { { 110, -ENOSPC }, { 130, -EIO } }, 200, "100-110 0\n110-130 28\n130-200 5\n" },
    { "said late", { { 120, 0 }, { 110, -EOVERFLOW }, { 121, 0 } }, 200, "100-110 0\n110-121 75\n121-200 0\n" },
};

static void observe(const char *directory, const struct span_row *row)
{
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct copy_spans *s;

    assert_int_equal(spans_open(at, T(100), &s), 0);
    for (size_t i = 0; i < ARRAY_SIZE(row->says) && row->says[i].at; i++)
        spans_are(s, T(row->says[i].at), row->says[i].error);
    spans_close(s, T(row->end));
    close(at);
}

static void spans(void **state)
{
    const struct span_row *row = *state;
    char *directory = make_directory();
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct copy_span *read;
    size_t count;

    assert_int_equal(spans_read(directory, &read, &count), 0);
    assert_int_equal(count, 0);
    observe(directory, row);
    assert_int_equal(spans_read(directory, &read, &count), 0);
    for (size_t i = 0; i < count; i++)
        sbuf_addf(&text, "%u-%u %d\n", (unsigned)(read[i].from_ns / NS_PER_S), (unsigned)(read[i].to_ns / NS_PER_S), -read[i].error);
    assert_string_equal(sbuf_str(&text), row->is);
    free(read);
    remove_directory(directory);
}

static const struct observed_row {
    const char *name;
    unsigned from, to, is;
} observed_rows[] = {
    { "within one", 1100, 1900, 0 },
    { "soon after it", 1100, 2050, 0 },
    { "long after it", 1100, 2100, 2000 },
    { "after all of them", 3100, 9000, 4000 },
    { "from one into the next", 1100, 3500, 2000 },
    { "two that are close", 3100, 3900, 0 },
    { "before the first", 100, 300, 100 },
    { "a moment before the first", 990, 1500, 0 },
};

static void observed(void **state)
{
    static const struct copy_span spans[] = { { T(1000), T(2000) }, { T(3000), T(3300) }, { T(3310), T(4000) } };
    const struct observed_row *row = *state;

    assert_int_equal(spans_unobserved_since(spans, ARRAY_SIZE(spans), T(row->from), T(row->to)), T(row->is));
    assert_int_equal(spans_unobserved_since(NULL, 0, T(100), T(1000)), T(100));
}

static const struct open_row {
    const char *name;
    int errors[3]; /* at 110, 120, 130 */
    bool closed;
    unsigned now;
    const char *is; /* of the last one; NULL: it is no gap that goes on */
} open_rows[] = {
    { "kept", { 0, 0, 0 }, false, 131, NULL },
    { "full", { 0, 0, -ENOSPC }, false, 131, "no copies were kept from 00:02:10.000 until now, and none are kept yet: the disk was full" },
    { "some seconds behind", { -ENOSPC, -ENOSPC, -ENOSPC }, false, 160, "no copies were kept from 00:01:50.000 until now, and none are kept yet: the disk was full" },
    { "and its process was killed", { -ENOSPC, -ENOSPC, -ENOSPC }, false, 200, NULL },
    { "by a clock that was set back", { -ENOSPC, -ENOSPC, -ENOSPC }, false, 60, NULL },
    { "ended with the observation", { 0, 0, -ENOSPC }, true, 132, NULL },
    { "kept again", { -ENOSPC, -ENOSPC, 0 }, false, 131, NULL },
    { "full again at once", { -ENOSPC, 0, -ENOSPC }, false, 131, "no copies were kept from 00:01:50.000 until now, and none are kept yet: the disk was full" },
};

static void still_open(void **state)
{
    const struct open_row *row = *state;
    char *directory = make_directory();
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_sbuf_ struct sbuf text = SBUF_INIT;
    struct copy_span *read;
    struct copy_spans *s;
    size_t count;

    assert_int_equal(spans_open(at, T(100), &s), 0);
    for (unsigned i = 0; i < 3; i++)
        spans_are(s, T(110 + i * 10), row->errors[i]);
    if (row->closed)
        spans_close(s, T(131));
    assert_int_equal(spans_read(directory, &read, &count), 0);
    assert_int_equal(spans_gap_goes_on(read, count, T(row->now)), row->is != NULL);
    assert_int_equal(spans_find_gap(read, count, T(row->now), T(row->now)) != NULL, row->is != NULL);
    spans_write_gap(&read[count - 1], row->is != NULL, 0, &text);
    if (row->is)
        assert_string_equal(sbuf_str(&text), row->is);
    else
        assert_non_null(strstr(sbuf_str(&text), " to "));
    assert_false(spans_gap_goes_on(read, 0, T(row->now)));
    if (!row->closed)
        spans_close(s, T(131));
    free(read);
    close(at);
    remove_directory(directory);
}

static void oldest_rows_give_way(void **state)
{
    char *directory = make_directory();
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct copy_span *read;
    struct stat before, after;
    struct copy_spans *s;
    size_t count;

    (void)state;
    for (unsigned i = 1; i <= 600; i++) {
        assert_int_equal(spans_open(at, T(i * 10), &s), 0);
        if (i == 1)
            assert_int_equal(fstatat(at, "spans", &before, 0), 0);
        spans_close(s, T(i * 10 + 5));
    }
    assert_int_equal(fstatat(at, "spans", &after, 0), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(spans_read(directory, &read, &count), 0);
    assert_int_equal(count, 256);
    assert_int_equal(read[255].from_ns, T(6000));
    assert_int_equal(read[0].from_ns, T(3450));
    free(read);
    close(at);
    remove_directory(directory);
}

static void a_clock_that_was_set_back_loses_none(void **state)
{
    char *directory = make_directory();
    int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    static const unsigned begins[] = { 100000, 10000, 10400 };
    struct copy_spans *s = NULL;
    struct copy_span *read;
    size_t count;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
        assert_int_equal(spans_open(at, T(begins[i]), &s), 0);
        spans_are(s, T(begins[i] + 100), -ENOSPC);
        spans_close(s, T(begins[i] + 200));
    }
    assert_int_equal(spans_read(directory, &read, &count), 0);
    assert_int_equal(count, 6);
    for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
        assert_non_null(spans_find_gap(read, count, T(begins[i] + 150), T(begins[i] + 160)));
    free(read);
    close(at);
    remove_directory(directory);
}

/* Each life of a container may have another root: those that ended make room, but not the first few, and none that is there. */
static void forgets_roots_of_ended_containers(void **state)
{
    char there[] = "/tmp/culprit-roots.XXXXXX";
    struct copies_roots roots = { 0 };
    struct copies_root *r;

    (void)state;
    assert_non_null(mkdtemp(there));
    assert_non_null(roots_set(&roots, bytes_of("/no/such/host"), true));
    r = roots_set(&roots, bytes_of(there), true);
    r->point_len = strlen(there);
    r = roots_set(&roots, bytes_of("/proc/self"), true); /* mounted, and below it */
    r->point_len = strlen("/proc");
    for (unsigned i = 0; i < 5000; i++) {
        char path[64];

        roots_forget_ended(&roots);
        snprintf(path, sizeof(path), "/no/such/root-%u/merged/srv", i);
        r = roots_set(&roots, bytes_of(path), true);
        assert_non_null(r);
        r->point_len = strlen(path) - strlen("/srv");
        assert_true(roots.count < 100);
        assert_true(roots_keep(&roots, bytes_of(path)));
    }
    assert_true(roots_keep(&roots, bytes_of("/no/such/host")));
    assert_true(roots_keep(&roots, bytes_of(there)));
    assert_true(roots_keep(&roots, bytes_of("/proc/self")));
    roots_forget(&roots);
    (void)rmdir(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_roots_of_ended_containers),
        cmocka_unit_test(oldest_rows_give_way),
        cmocka_unit_test(a_clock_that_was_set_back_loses_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) +
           RUN_ROWS(root_rows, innermost_decides) +
           RUN_ROWS(below_rows, below) +
           RUN_ROWS(span_rows, spans) +
           RUN_ROWS(observed_rows, observed) +
           RUN_ROWS(open_rows, still_open);
}
