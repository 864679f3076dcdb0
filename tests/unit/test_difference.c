/* SPDX-License-Identifier: MIT */
/* The page of differences: its lines, in columns whatever the path is made of, and its end. */
#include "test.h"

#include <sys/stat.h>

#include "report/difference.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/sbuf.h"

#define MODE(m) { .known = FILE_MODE, .mode = (m) }

static const struct line_row {
    const char *name, *path;
    enum difference_kind kind;
    struct file_state before, after;
    const char *says; /* behind the path */
} line_rows[] = {
    { "a type", "/a", DIFFERENCE_TYPE, MODE(S_IFDIR), MODE(S_IFREG), "directory → file" },
    { "other types", "/a", DIFFERENCE_TYPE, MODE(S_IFBLK), MODE(S_IFLNK), "device → symlink" },
    { "rare types", "/a", DIFFERENCE_TYPE, MODE(S_IFCHR), MODE(S_IFSOCK), "device → socket" },
    { "a type that is not known", "/a", DIFFERENCE_TYPE, MODE(0), MODE(S_IFIFO), "? → fifo" },
    { "a directory", "/a", DIFFERENCE_MISSING, MODE(S_IFDIR | 0750), { 0 }, "directory 0750" },
    { "a mode", "/a", DIFFERENCE_MODE, MODE(S_IFREG | 0644), MODE(S_IFREG | 04755), "0644 → 4755" },
    { "a wide name", "/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", DIFFERENCE_MODE, MODE(0600), MODE(0640), "0600 → 0640" },
    { "a name with a mark of no width", "/e\xcc\x81", DIFFERENCE_MODE, MODE(0600), MODE(0640), "0600 → 0640" },
};

static void line(void **state)
{
    const struct line_row *row = *state;
    const struct difference_page_options options = { .target = bytes_of("/x"), .against = bytes_of("before") };
    struct difference_page *page = difference_page_new(&options);
    struct difference *d = difference_new();
    struct sbuf out = SBUF_INIT;
    const char *at, *who;

    assert_non_null(page);
    assert_non_null(d);
    d->kind = row->kind;
    d->path = bytes_of(row->path);
    d->before = row->before;
    d->after = row->after;
    d->unrecorded = UNRECORDED_NEVER;
    assert_int_equal(difference_page_add(page, d, &out), 0);
    at = strstr(sbuf_str(&out), row->path);
    assert_non_null(at);
    at += strlen(row->path) + 2;
    assert_int_equal(strncmp(at, row->says, strlen(row->says)), 0);
    who = strstr(at, "never watched\n");
    assert_non_null(who);
    assert_int_equal(escape_columns((struct bytes){ sbuf_str(&out), (size_t)(who - sbuf_str(&out)) }), 10 + 44 + 2);
    assert_int_equal(difference_page_count(page), 1);
    sbuf_done(&out);
    difference_free(d);
    difference_page_free(page);
}

int main(void)
{
    return RUN_ROWS(line_rows, line);
}
