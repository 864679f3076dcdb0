/* SPDX-License-Identifier: MIT */
/* What a guard holds, written down and read again: whole, cut off at each byte, held and left. */
#include "test.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/state.h"
#include "util/cleanup.h"

static char base[] = "/tmp/culprit-guard.XXXXXX";

static void lists(void **state)
{
    struct guard_list list = { 0 };

    (void)state;
    assert_int_equal(guard_list_add(&list, "/a", 1, 2, true), 0);
    assert_int_equal(guard_list_add(&list, "/a", 1, 2, true), 0); /* the same once more */
    assert_int_equal(guard_list_add(&list, "/b", 1, 3, false), 0);
    assert_int_equal(list.count, 2);
    guard_list_done(&list);
    assert_non_null(guard_method_by_name("immutable"));
    assert_null(guard_method_by_name("other"));
}

struct seen {
    size_t states, entries;
    pid_t keeper;
};

static int count(void *data, const char *name, const struct guard_state *state)
{
    struct seen *seen = data;

    (void)name;
    assert_bytes(state->target, "web:/prd");
    seen->states++;
    seen->entries += state->list.count;
    seen->keeper = state->keeper;
    return 0;
}

static struct seen look(void)
{
    struct seen seen = { 0 };

    assert_int_equal(guard_state_each(base, count, &seen), 0);
    return seen;
}

static off_t size_of(const char *name)
{
    char path[256];
    struct stat st;

    snprintf(path, sizeof(path), "%s/%s", base, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* A child holds it, as a keeper does; it ends when the pipe is closed. */
static pid_t hold(int pipes[2], char name[64])
{
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    pid = fork_child();
    if (pid == 0) {
        struct guard_state state = { .method = bytes_of("immutable"), .target = bytes_of("web:/prd"), .since_ns = 5, .asker = 7 };
        struct guard_list list = { 0 };
        char *file = NULL;
        int fd = -EBADF;

        if (guard_list_add(&list, "/nowhere/at/all", 1, 2, true) < 0 || guard_list_add(&list, "/nowhere/else", 1, 3, false) < 0 ||
            guard_state_create(base, &state, &fd, &file, NULL) < 0 || guard_state_append(fd, &list, 0, NULL) < 0 ||
            write(pipes[1], file, strlen(file)) < 0)
            _exit(1);
        pause();
        _exit(0);
    }
    memset(name, 0, 64);
    assert_true(read(pipes[0], name, 63) > 0);
    return pid;
}

static void states(void **state)
{
    _cleanup_sbuf_ struct sbuf said = SBUF_INIT;
    char name[64], path[256];
    struct seen seen;
    int pipes[2];
    off_t size;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid = hold(pipes, name);
    seen = look();
    assert_int_equal(seen.states, 1);
    assert_int_equal(seen.entries, 2);
    assert_int_equal(seen.keeper, pid);
    assert_int_equal(guard_take_back(base, &said), 0); /* it is held */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(look().keeper, 0);
    size = size_of(name);
    snprintf(path, sizeof(path), "%s/%s", base, name);
    for (off_t cut = size - 1; cut > 0; cut--) { /* the machine went down while it was written */
        assert_int_equal(truncate(path, cut), 0);
        assert_true(look().entries < 2);
    }
    close(pipes[0]);
    close(pipes[1]);
    assert_int_equal(unlink(path), 0);
    pid = hold(pipes, name);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(guard_take_back(base, &said), 1); /* its files are gone: nothing to undo, and it is over */
    assert_non_null(strstr(sbuf_str(&said), "the guard of web:/prd (0 files)"));
    assert_int_equal(guard_take_back(base, &said), 0);
    assert_int_equal(access(base, F_OK), -1); /* the directory goes with the last one */
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(states) };
    int failed;

    assert(mkdtemp(base));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(base);
    return failed;
}
