/* SPDX-License-Identifier: MIT */
/* Which line of a script made a change: the only one that comes into question, or none. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attribution/script_line.h"
#include "foreign/foreign.h"
#include "make.h"
#include "util/macro.h"

static const struct row {
    const char *name, *text, *tool, *changed;
    unsigned number; /* 0: none is named */
    const char *line;
} rows[] = {
    { "the only line with the tool", "#!/bin/sh\nset -e\n  rm -f \"$DIR\"/a\t\n", "rm", "/srv/a", 3, "rm -f \"$DIR\"/a\t" },
    { "the tool by its path", "#!/bin/sh\n/bin/rm -f a\n", "rm", "/srv/a", 2, "/bin/rm -f a" },
    { "no other word that holds it", "#!/bin/sh\nalarm; rmdir x; docker run --rm y\nrm a\n", "rm", "/srv/a", 3, "rm a" },
    { "a comment does nothing", "#!/bin/sh\n# rm -f all\nrm -f all\n", "rm", "/srv/all", 3, "rm -f all" },
    { "of several the one with the path", "rm -f /srv/b\nrm -f /srv/a\n", "rm", "/srv/a", 2, "rm -f /srv/a" },
    { "of several the one with the name", "cd /srv\nrm -f b\nrm -f a.log\n", "rm", "/srv/a.log", 3, "rm -f a.log" },
    { "of several the one with the folder", "rm -f /opt/*\nrm -f /srv/*\n", "rm", "/srv/a", 2, "rm -f /srv/*" },
    { "the path is nearer than the folder", "rm -f /srv/*.tmp\nrm -f /srv/a\n", "rm", "/srv/a", 2, "rm -f /srv/a" },
    { "two that are alike", "rm -f $1\nrm -f $2\n", "rm", "/srv/a" },
    { "two with the path", "rm -f /srv/a\n[ -e /srv/a ] || rm -f /srv/a\n", "rm", "/srv/a" },
    { "no such tool", "#!/bin/sh\nfind / -delete\n", "rm", "/srv/a" },
    { "a program of its own", "import os\nos.unlink(\"/srv/a\")\n", "", "/srv/a", 2, "os.unlink(\"/srv/a\")" },
    { "a program that does not name the file", "import os, sys\nos.unlink(sys.argv[1])\n", "", "/srv/a" },
    { "another file's longer name", "cp /srv/a.old x\n", "", "/srv/a" },
    { "no line's end", "rm a", "rm", "/srv/a", 1, "rm a" },
    { "another program's word", "docker rm web\n. ./more.sh\n", "rm", "/srv/a" },
    { "another program's word, beside the folder", "docker exec web ln -s /srv /app; docker rm web\nrm -f $U/a\nrm -f $V/a\n", "rm", "/srv/a" },
    { "one of two may be another's word", "docker rm web\nrm -f $U/*\n", "rm", "/srv/a" },
    { "behind a keyword", "if true; then rm -f $U; fi\n", "rm", "/srv/a", 1, "if true; then rm -f $U; fi" },
    { "behind what runs it", "sudo -u ann rm -f $U\n", "rm", "/srv/a", 1, "sudo -u ann rm -f $U" },
    { "behind a variable", "LC_ALL=C rm -f $U\n", "rm", "/srv/a", 1, "LC_ALL=C rm -f $U" },
    { "by find", "find . -name '*.o' -exec rm -f {} +\n", "rm", "/srv/a", 1, "find . -name '*.o' -exec rm -f {} +" },
    { "behind a pipe", "ls | xargs -r rm -f\n", "rm", "/srv/a", 1, "ls | xargs -r rm -f" },
    { "in a container", "docker exec web rm /srv/a\n", "rm", "/srv/a", 1, "docker exec web rm /srv/a" },
    { "in another language", "subprocess.run([\"rm\", \"-f\", path])\n", "rm", "/srv/a", 1, "subprocess.run([\"rm\", \"-f\", path])" },
    { "nothing", "", "rm", "/srv/a" },
};

static void finds(void **state)
{
    const struct row *row = *state;
    struct bytes line = BYTES_NULL;
    unsigned number = 0;
    int r = script_line_find(bytes_of(row->text), bytes_of(row->tool), bytes_of(row->changed), &number, &line);

    assert_int_equal(r, row->number ? 0 : -ENOENT);
    if (row->number) {
        assert_int_equal(number, row->number);
        assert_true(bytes_equal_str(line, row->line));
    }
}

static void a_binary_has_no_lines(void **state)
{
    struct bytes line;
    unsigned number;

    (void)state;
    assert_int_equal(script_line_find(BYTES("\x7f" "ELF\0rm a\n"), bytes_of("rm"), bytes_of("/a"), &number, &line), -ENOENT);
}

/* By a worker, as `who` asks; not of one that was written since. */
static void reads_the_file(void **state)
{
    char path[] = "/tmp/culprit-script.XXXXXX";
    struct process *p = make_process(7, "/bin/sh", NULL);
    struct sbuf answer = SBUF_INIT;
    struct stat st;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "#!/bin/sh\nrm -f /srv/a\n", 23), 23);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(script_line(p, bytes_of(path), bytes_of("rm"), bytes_of("/srv/a"), ((uint64_t)st.st_mtim.tv_sec + 1) * NS_PER_S, &answer), 0);
    assert_string_equal(sbuf_str(&answer), "2: rm -f /srv/a");
    sbuf_clear(&answer);
    assert_int_equal(script_line(p, bytes_of(path), bytes_of("rm"), bytes_of("/srv/a"), ((uint64_t)st.st_mtim.tv_sec - 1) * NS_PER_S, &answer), -ESTALE);
    assert_int_equal(script_line(p, bytes_of("purge"), bytes_of("rm"), bytes_of("/srv/a"), UINT64_MAX, &answer), -ENOENT);
    unlink(path);
    assert_int_equal(script_line(p, bytes_of(path), bytes_of("rm"), bytes_of("/srv/a"), UINT64_MAX, &answer), -ENOENT);
    close(fd);
    sbuf_done(&answer);
    process_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_binary_has_no_lines), cmocka_unit_test(reads_the_file) };

    if (foreign_start() < 0)
        return 1;
    return RUN_ROWS(rows, finds) + cmocka_run_group_tests(tests, NULL, NULL);
}
