/* SPDX-License-Identifier: MIT */
/* What a guard holds, written down and read again: whole, cut off at each byte, held and left. */
#include "test.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/flat.h"
#include "guard/holder.h"
#include "guard/keeper.h"
#include "guard/mounted.h"
#include "guard/undo.h"
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
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(guard_list_add(&list, "/many", 7, i, false), 0);
    assert_int_equal(guard_list_add(&list, "/another/name/of/a", 1, 2, true), 0); /* far from the first one */
    assert_int_equal(guard_list_add(&list, "/another/device", 2, 2, true), 0);
    assert_int_equal(list.count, 1003);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(guard_set_has(&list.set, 7, i) && !guard_set_has(&list.set, 8, i));
    guard_list_done(&list);
    assert_non_null(guard_method_by_name("immutable"));
    assert_null(guard_method_by_name("other"));
}

/* What is not found is gone only while its file system is mounted. */
static void knows_mounts(void **state)
{
    static const char all[] = "20 1 8:1 / / rw - ext4 /dev/a rw\n21 20 8:2 / /srv/a\\040b rw - xfs /dev/b rw\n";
    static const char one[] = "20 1 8:1 / / rw - ext4 /dev/a rw\n";
    struct guard_list list = { 0 };

    (void)state;
    assert_true(guard_list_is_mounted(&list, bytes_of(one), "/srv/a b/x")); /* nothing was written down of it */
    assert_int_equal(guard_list_add_mount(&list, bytes_of("/")), 0);
    assert_int_equal(guard_list_add_mount(&list, bytes_of("/srv/a b")), 0);
    assert_int_equal(guard_list_add_mount(&list, bytes_of("/")), 0);
    assert_int_equal(list.mount_count, 2);
    assert_true(guard_list_is_mounted(&list, bytes_of(all), "/srv/a b/x"));
    assert_true(guard_list_is_mounted(&list, bytes_of(all), "/srv/x"));
    assert_false(guard_list_is_mounted(&list, bytes_of(one), "/srv/a b/x"));
    assert_true(guard_list_is_mounted(&list, bytes_of(one), "/srv/x"));
    guard_list_done(&list);
}

struct seen {
    size_t states, entries, mounts;
    pid_t keeper;
};

static int count(void *data, const char *name, const struct guard_state *state)
{
    struct seen *seen = data;

    (void)name;
    assert_bytes(state->target, "web:/prd");
    seen->states++;
    seen->entries += state->list.count;
    seen->mounts += state->list.mount_count;
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
            guard_list_add_mount(&list, bytes_of("/")) < 0 ||
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
    assert_int_equal(seen.mounts, 1);
    assert_int_equal(seen.keeper, pid);
    assert_int_equal(guard_take_back(base, &said, NULL), 0); /* it is held */
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
    assert_int_equal(guard_take_back(base, &said, NULL), 1); /* its files are gone: nothing to undo, and it is over */
    assert_non_null(strstr(sbuf_str(&said), "the guard of web:/prd (0 files)"));
    assert_int_equal(guard_take_back(base, &said, NULL), 0);
    assert_int_equal(access(base, F_OK), -1); /* the directory goes with the last one */
    close(pipes[0]);
    close(pipes[1]);
}

/* What waits to be confirmed: in its own word of the file, and in none of version 1. */
static int note_confirm(void *data, const char *name, const struct guard_state *state)
{
    (void)name;
    assert_bytes(state->target, "web:/prd");
    assert_int_equal(state->since_ns, 5);
    assert_int_equal(state->until_ns, 6);
    assert_int_equal(state->asker, 7);
    *(uint64_t *)data = state->confirm_ns + state->list.count;
    return 0;
}

/* ---- what is mounted below ---- */

static void names_what_is_mounted_below(void **state)
{
    static const char table[] = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:5 / /proc rw - proc proc rw\n3 2 0:6 / /proc/acpi ro - tmpfs none ro\n"
                                "4 1 8:2 / /prd rw - ext4 /dev/b rw\n5 4 8:3 / /prd/a\\040b rw shared:1 - xfs /dev/c rw\n6 5 0:7 / /prd/a\\040b rw - tmpfs none rw\n"
                                "7 1 8:4 / /prdx rw - ext4 /dev/d rw\n8 4 8:5 /vol /prd/vol rw - ext4 /dev/e rw\n9 8 0:8 / /prd/vol/deep rw - cgroup2 none rw\n"
                                "10 8 0:9 / /prd/vol/own rw - overlay none rw\n";
    const struct container_mount known = { .destination = bytes_of("/prd/vol") };
    struct guard_mounted all = { 0 }, fewer = { 0 }, root = { 0 }, many = { 0 };
    _cleanup_sbuf_ struct sbuf long_table = SBUF_INIT;
    struct arena arena = { 0 };

    (void)state;
    guard_mounted_parse(bytes_of(table), bytes_of("/prd"), NULL, 0, &arena, &all);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.named, 3);
    assert_bytes(all.paths[0], "/prd/a b");
    assert_bytes(all.paths[1], "/prd/vol");
    assert_bytes(all.paths[2], "/prd/vol/own");
    guard_mounted_parse(bytes_of(table), bytes_of("/prd"), &known, 1, &arena, &fewer);
    assert_int_equal(fewer.count, 2);
    assert_bytes(fewer.paths[1], "/prd/vol/own");
    guard_mounted_parse(bytes_of(table), bytes_of("/"), NULL, 0, &arena, &root);
    assert_int_equal(root.count, 5);
    for (unsigned i = 0; i < GUARD_MOUNTED_MAX + 3; i++)
        sbuf_addf(&long_table, "1 0 8:1 / /prd/%u rw - ext4 /dev/a rw\n", i);
    guard_mounted_parse(sbuf_bytes(&long_table), bytes_of("/prd"), NULL, 0, &arena, &many);
    assert_int_equal(many.count, GUARD_MOUNTED_MAX + 3);
    assert_int_equal(many.named, GUARD_MOUNTED_MAX);
    arena_done(&arena);
}

static int note_writers(void *data, const char *name, const struct guard_state *state)
{
    (void)name;
    *(uint64_t *)data = state->older_writers;
    assert_int_equal(state->mounted_below, state->older_writers == GUARD_WRITERS_NOT_KNOWN ? 0 : 5);
    return 0;
}

static void confirms(void **state)
{
    struct guard_state waits = { .method = bytes_of("immutable"), .target = bytes_of("web:/prd"), .since_ns = 5, .until_ns = 6,
                                 .confirm_ns = 1000, .asker = 7, .older_writers = 3, .mounted_below = 5 };
    struct guard_list list = { 0 };
    _cleanup_free_ char *name = NULL;
    _cleanup_sbuf_ struct sbuf old = SBUF_INIT;
    uint64_t seen = 0, version = 1;
    size_t failed = 0;
    int fd = -EBADF;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(guard_list_add(&list, "/nowhere", 1, 2, false), 0);
    assert_int_equal(guard_state_create(base, &waits, &fd, &name, NULL), 0);
    assert_int_equal(guard_state_append(fd, &list, 0, NULL), 0);
    assert_int_equal(guard_state_each(base, note_confirm, &seen), 0);
    assert_int_equal(seen, 1001);
    assert_int_equal(guard_state_confirm(fd), 0);
    assert_int_equal(guard_state_each(base, note_confirm, &seen), 0);
    assert_int_equal(seen, 1); /* the list is what it was */
    assert_int_equal(guard_state_confirm(fd), 0); /* once more */
    assert_int_equal(guard_state_each(base, note_writers, &seen), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(guard_state_set_older_writers(fd, 1), 0);
    assert_int_equal(guard_state_each(base, note_writers, &seen), 0);
    assert_int_equal(seen, 1);
    assert_int_equal(guard_state_each(base, note_confirm, &seen), 0);
    assert_int_equal(seen, 1); /* and so is all else */
    assert_int_equal(guard_confirm(base, NULL, &failed), 0);
    assert_int_equal(failed, 0);
    /* as a culprit before wrote it */
    flat_put_u64(&old, version);
    flat_put_bytes(&old, waits.method);
    flat_put_bytes(&old, waits.target);
    flat_put_u64(&old, 5);
    flat_put_u64(&old, 6);
    flat_put_u64(&old, 7);
    flat_put_bytes(&old, bytes_of("/nowhere"));
    flat_put_u64(&old, 1);
    flat_put_u64(&old, 2);
    flat_put_u64(&old, 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, old.data, old.len, 0), old.len);
    assert_int_equal(guard_state_confirm(fd), 0); /* nothing of it is overwritten */
    assert_int_equal(guard_state_each(base, note_writers, &seen), 0);
    assert_true(seen == GUARD_WRITERS_NOT_KNOWN);
    assert_int_equal(guard_state_each(base, note_confirm, &seen), 0);
    assert_int_equal(seen, 1);
    guard_state_remove(base, name);
    close(fd);
    guard_list_done(&list);
}

/* ---- two that hold the same ---- */

static size_t refused; /* so many that cannot be released */

static struct guard_released release(const struct guard_list *list, const struct guard_set *others)
{
    struct guard_released r = { .failed = refused };

    for (size_t i = 0; i < list->count; i++)
        r.shared += guard_set_has(others, list->entries[i].device, list->entries[i].inode);
    return r;
}

static const struct guard_method counting = { .name = "immutable", .release = release };

static void write_down(struct guard_list *list, uint64_t since, int *ret_fd, char **ret_name)
{
    struct guard_state state = { .method = bytes_of("immutable"), .target = bytes_of("web:/prd"), .since_ns = since, .asker = 7 };

    assert_int_equal(guard_state_create(base, &state, ret_fd, ret_name, NULL), 0);
    assert_int_equal(guard_state_append(*ret_fd, list, 0, NULL), 0);
}

static void the_last_releases(void **state)
{
    struct guard_list one = { 0 }, two = { 0 };
    _cleanup_free_ char *first = NULL, *second = NULL;
    struct guard_released released;
    int fds[2];

    (void)state;
    if (geteuid() != 0)
        skip();
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(guard_list_add(&one, "/nowhere", 1, i, false), 0);
        assert_int_equal(guard_list_add(&two, "/nowhere", 1, i + 7, false), 0);
    }
    write_down(&one, 1, &fds[0], &first);
    write_down(&two, 2, &fds[1], &second);
    refused = 2;
    guard_undo(base, first, &counting, &one, &released);
    assert_int_equal(released.shared, 3);
    assert_int_equal(look().states, 2); /* what is still held stays written down */
    refused = 0;
    guard_undo(base, first, &counting, &one, &released);
    assert_int_equal(released.shared, 3);
    assert_int_equal(look().states, 1);
    guard_undo(base, second, &counting, &two, &released);
    assert_int_equal(released.shared, 0);
    assert_int_equal(look().states, 0);
    assert_int_equal(access(base, F_OK), -1);
    guard_undo(base, "none", &counting, &two, &released); /* somebody removed the directory: it is released all the same */
    assert_int_equal(released.failed, 0);
    close(fds[0]);
    close(fds[1]);
    guard_list_done(&one);
    guard_list_done(&two);
}

/* ---- what is in use when it begins ---- */

static unsigned looks, busy_looks; /* so many of them find a file that does not deny */

static int collect_one(const struct guard_target *target, const struct guard_set *others, struct guard_list *list, struct err *err)
{
    (void)target;
    (void)others;
    (void)err;
    return guard_list_add(list, "/nowhere", 1, 1, false);
}

static int hold_nothing(const struct guard_list *list, size_t from, struct err *err)
{
    (void)list;
    (void)from;
    (void)err;
    return 0;
}

static int find_busy(const struct guard_target *target, size_t *ret_denied, size_t *ret_all, struct err *err)
{
    (void)target;
    (void)err;
    *ret_all = 2;
    *ret_denied = ++looks > busy_looks ? 2 : 1;
    return 0;
}

/* Whoever just looked at a file in the container is soon done with it; who stays there is no reason to say "guarded". */
static void waits_for_what_is_in_use(void **state)
{
    static const struct guard_method method = { "immutable", NULL, collect_one, hold_nothing, release, find_busy };
    const struct guard_target target = { .text = bytes_of("/nowhere"), .path = bytes_of("/nowhere") };
    const struct guard_ask ask = { .method = &method, .targets = &target, .count = 1, .text = bytes_of("/nowhere"), .directory = base };
    struct guard_released released;
    struct guard_keeper keeper;
    struct err err = ERR_INIT;

    (void)state;
    if (geteuid() != 0)
        skip();
    busy_looks = 2;
    assert_int_equal(guard_keeper_start(&ask, &keeper, &err), 0);
    assert_int_equal(keeper.denied, 2);
    assert_int_equal(keeper.all, 2);
    assert_int_equal(guard_keeper_end(&keeper, &released), 0);
    busy_looks = 1000000;
    assert_int_equal(guard_keeper_start(&ask, &keeper, &err), -EBUSY);
    assert_non_null(strstr(err.text, "not guarded: 1 of 2 files and folders do not deny a change"));
    assert_int_equal(look().states, 0);
}

/* It waits for whoever has the states, and is not misled by a directory that was removed meanwhile. */
static void locks(void **state)
{
    int pipes[2], lock, status;
    char byte;
    pid_t pid;

    (void)state;
    assert_int_equal(guard_state_lock("/nowhere/at/all", false), -ENOENT);
    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    if (pid == 0) {
        int fd = guard_state_lock(base, true);

        if (fd < 0 || write(pipes[1], "x", 1) != 1 || usleep(200000) < 0 || rmdir(base) < 0)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    lock = guard_state_lock(base, true);
    assert_true(lock >= 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0); /* it had removed the directory meanwhile */
    assert_int_equal(rmdir(base), 0); /* it is the new one */
    close(lock);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(knows_mounts), cmocka_unit_test(states),
                                        cmocka_unit_test(confirms), cmocka_unit_test(names_what_is_mounted_below), cmocka_unit_test(the_last_releases),
                                        cmocka_unit_test(waits_for_what_is_in_use), cmocka_unit_test(locks) };
    int failed;

    assert(mkdtemp(base));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(base);
    return failed;
}
