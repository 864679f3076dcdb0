/* SPDX-License-Identifier: MIT */
/* Whatever somebody does to the directory of `doctor TARGET`: nothing outside is changed, nothing stays. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/changes.h"
#include "daemon/scratch.h"
#include "util/cleanup.h"

static char base[] = "/tmp/culprit-test-scratch-XXXXXX";

/* What happens between the preparation and the changes; cwd is the parent, `name` the directory. */
static void nothing(const char *name)
{
    (void)name;
}

static void moved(const char *name)
{
    assert_int_equal(rename(name, "away"), 0);
}

static void swapped(const char *name)
{
    moved(name);
    assert_int_equal(mkdir(name, 0777), 0);
}

static void put(const char *name, const char *file, const char *target)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", name, file);
    (void)unlink(path);
    assert_int_equal(target ? symlink(target, path) : mkfifo(path, 0600), 0);
}

static void linked(const char *name)
{
    put(name, "chmod", "../../outside");
}

static void fifo(const char *name)
{
    put(name, "open-write", NULL);
}

static void taken_out(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/utime", name);
    assert_int_equal(link(path, "kept"), 0);
}

static const struct row {
    const char *name;
    void (*attack)(const char *name);
    bool in_place;
    const char *replaced; /* the change that finds it out */
    const char *left;
} rows[] = {
    { "nothing happens", nothing, true, NULL, NULL },
    { "moved away", moved, false, NULL, NULL },
    { "another in its place", swapped, false, NULL, NULL },
    { "a link in the place of a file", linked, true, "chmod", NULL },
    { "a fifo in the place of a file", fifo, true, "open-write", NULL },
    { "a second name of a file elsewhere", taken_out, true, NULL, "utime" },
};

/* In a child, whose working directory becomes another one. */
static void make(const struct scratch_directory *s, const struct change_files *files, int *errors)
{
    int pipes[2], status;
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    pid = fork_child();
    assert_true(pid >= 0);
    if (pid == 0) {
        int own = open("/proc/self/fd", O_PATH | O_DIRECTORY);

        if (own < 0 || changes_make(s->dir, own, files, true, errors) < 0)
            _exit(1);
        _exit(write(pipes[1], errors, sizeof(int) * CHANGES) < 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], errors, sizeof(int) * CHANGES), sizeof(int) * CHANGES);
    close(pipes[0]);
    close(pipes[1]);
}

static void run(void **state)
{
    const struct row *row = *state;
    struct scratch_directory s;
    struct change_files files;
    struct err err = ERR_INIT;
    struct stat before, after;
    int errors[CHANGES] = { 0 };
    const char *replaced = NULL, *left;
    char name[64];

    change_files_init(&files);
    assert_int_equal(stat("../outside", &before), 0);
    assert_int_equal(scratch_name(name, sizeof(name)), 0);
    assert_int_equal(scratch_make(open(".", O_PATH | O_DIRECTORY), name, &s, &err), 0);
    assert_int_equal(s.st.st_mode & 07777, 0700);
    assert_int_equal(changes_prepare(s.dir, &files), 0);
    row->attack(name);
    make(&s, &files, errors);
    for (size_t i = 0; i < CHANGES; i++)
        if (errors[i] == CHANGE_REPLACED)
            replaced = operation_info(changes[i].operation)->name;
    assert_int_equal(!replaced, !row->replaced);
    if (replaced)
        assert_string_equal(replaced, row->replaced);
    else
        assert_null(changes_hold(s.dir, errors, &files));
    assert_int_equal(scratch_in_place(&s), row->in_place);
    assert_int_equal(scratch_remove(&s, &err), 0);
    left = changes_left(&files);
    assert_int_equal(!left, !row->left);
    if (left)
        assert_string_equal(left, row->left);
    assert_int_equal(access("away", F_OK), -1);
    if (strcmp(row->name, "another in its place") != 0)
        assert_int_equal(access(name, F_OK), -1);
    assert_int_equal(stat("../outside", &after), 0);
    assert_memory_equal(&before, &after, sizeof(before));
    change_files_done(&files);
    scratch_done(&s);
}

/* What cannot be removed is said. */
static void is_left(void **state)
{
    struct scratch_directory s;
    struct err err = ERR_INIT;
    char inside[200];

    (void)state;
    assert_int_equal(scratch_make(open(".", O_PATH | O_DIRECTORY), "mine", &s, &err), 0);
    assert_int_equal(mkdirat(s.dir, "theirs", 0755), 0);
    assert_int_equal(mkdirat(s.dir, "theirs/full", 0755), 0);
    assert_int_equal(rename("mine", "theirs-now"), 0);
    assert_int_equal(scratch_remove(&s, &err), -ENOTEMPTY);
    snprintf(inside, sizeof(inside), "%s/in/theirs-now", base);
    assert_non_null(strstr(err.text, inside));
    scratch_done(&s);
}

int main(void)
{
    int failed;

    assert_non_null(mkdtemp(base));
    assert_int_equal(chdir(base), 0);
    assert_true(open("outside", O_WRONLY | O_CREAT, 0600) >= 0);
    assert_int_equal(mkdir("in", 0755), 0);
    assert_int_equal(chdir("in"), 0);
    failed = RUN_ROWS(rows, run);
    {
        const struct CMUnitTest others[] = { cmocka_unit_test(is_left) };

        failed += cmocka_run_group_tests(others, NULL, NULL);
    }
    if (chdir("/") == 0) {
        _cleanup_free_ char *command = NULL;

        if (asprintf(&command, "rm -rf %s", base) > 0)
            failed += system(command) != 0;
    }
    return failed;
}
