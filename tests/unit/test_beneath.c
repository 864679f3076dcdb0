/* SPDX-License-Identifier: MIT */
/* Whatever a container makes of its tree, what is opened lies in it; with openat2() and without. */
#include "test.h"
#include "older_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/beneath.h"
#include "util/cleanup.h"

static char base[] = "/tmp/culprit-test-beneath-XXXXXX";

/* /tmp/X/in is the root; "secret" beside it must never be read. */
static const struct row {
    const char *name, *path, *content; /* NULL: refused */
    int r;
} rows[] = {
    { "plain", "/d/file", "inside", 0 },
    { "without a slash", "d/file", "inside", 0 },
    { "doubled slashes and dots", "//d/.//../d/file", "inside", 0 },
    { "relative link", "/d/rel", "inside", 0 },
    { "absolute link", "/d/abs", "inside", 0 },
    { "a link in the middle", "/way/file", "inside", 0 },
    { "absolute link in the middle", "/absway/file", "inside", 0 },
    { "dots above the root", "/../../../d/file", "inside", 0 },
    { "link out by dots ends in the root", "/d/out", NULL, -ENOENT },
    { "link out by its full path", "/d/full", NULL, -ENOENT },
    { "directory link out", "/outway/secret", NULL, -ENOENT },
    { "loop", "/d/loop", NULL, -ELOOP },
    { "fifo", "/d/fifo", NULL, -EBADF },
    { "directory", "/d", NULL, -EBADF },
    { "the root", "/", NULL, -EBADF },
    { "missing", "/d/none", NULL, -ENOENT },
    { "below a file", "/d/file/x", NULL, -ENOTDIR },
    { "too large", "/d/large", NULL, -EFBIG },
};

static void check(const struct row *row)
{
    _cleanup_close_ int root = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_free_ char *data = NULL;
    size_t len = 0;

    assert_true(root >= 0);
    assert_int_equal(beneath_read_file(root, bytes_of(row->path), 1000, &data, &len), row->r);
    if (row->content)
        assert_string_equal(data, row->content);
}

static void reads(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(openat2_errnos); i++) {
        openat2_fails = openat2_errnos[i];
        check(*state);
    }
    openat2_fails = 0;
}

static void opens_by_a_trusted_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(openat2_errnos); i++) {
        char path[256];
        int fd;

        openat2_fails = openat2_errnos[i];
        snprintf(path, sizeof(path), "%s/in/outway/secret", base);
        /* as a plain path it leads out, beneath its root it does not */
        fd = beneath_open_host(bytes_of(path), 0, O_PATH);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(beneath_open_host(bytes_of(path), strlen(base) + 3, O_PATH), -ENOENT);
        snprintf(path, sizeof(path), "%s/in/d/out", base);
        fd = beneath_open_host(bytes_of(path), strlen(base) + 3, O_PATH | O_NOFOLLOW);
        assert_true(fd >= 0); /* the link itself */
        close(fd);
        snprintf(path, sizeof(path), "%s/in", base);
        fd = beneath_open_host(bytes_of(path), strlen(path), O_PATH | O_NOFOLLOW);
        assert_true(fd >= 0);
        close(fd);
        snprintf(path, sizeof(path), "%s/in/d/file", base); /* a file can be mounted, and be the root */
        fd = beneath_open_host(bytes_of(path), strlen(path), O_PATH | O_NOFOLLOW);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(beneath_open_host(bytes_of("/proc/self/root/"), 15, O_PATH | O_NOFOLLOW | O_DIRECTORY) >= 0, 1);
    }
    openat2_fails = 0;
}

static void opens_no_device(void **state)
{
    _cleanup_close_ int root = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    if (mknod("in/d/zero", S_IFCHR | 0666, makedev(1, 5)) < 0)
        skip();
    assert_int_equal(beneath_open_file(root, bytes_of("/d/zero")), -EBADF);
    (void)unlink("in/d/zero");
}

static bool put(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* Of the same file system: by the device nothing is seen. */
static const struct here_row {
    const char *name, *entry;
    int flags, r;
} here_rows[] = {
    { "a file", "file", O_PATH, 0 },
    { "a directory", "sub", O_PATH, 0 },
    { "a directory, opened", "sub", O_RDONLY | O_DIRECTORY, 0 },
    { "a link itself", "link", O_PATH, 0 },
    { "a file is mounted", "file-mount", O_PATH, -EXDEV },
    { "a directory is mounted", "mount", O_PATH, -EXDEV },
    { "a directory is mounted, opened", "mount", O_RDONLY | O_DIRECTORY, -EXDEV },
    { "nothing", "none", O_PATH, -ENOENT },
};

static bool mount_below(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mkdir("in/here", 0755) == 0 &&
           mkdir("in/here/sub", 0755) == 0 && mkdir("in/here/mount", 0755) == 0 && put("in/here/file", "x", 1) &&
           put("in/here/file-mount", "x", 1) && symlink("file", "in/here/link") == 0 &&
           mount("in/d/file", "in/here/file-mount", NULL, MS_BIND, NULL) == 0 && mount("in/d", "in/here/mount", NULL, MS_BIND, NULL) == 0;
}

static void enters_no_mount(void **state)
{
    const struct here_row *row = *state;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        int dir, made = mount_below(), bad = 0;

        dir = open("in/here", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ARRAY_SIZE(openat2_errnos) && made; i++) {
            int fd;

            openat2_fails = openat2_errnos[i];
            fd = beneath_open_here(dir, row->entry, row->flags);
            bad += row->r ? fd != row->r : fd < 0;
        }
        _exit(made ? bad : 77);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(system("rm -rf in/here"), 0);
    if (WEXITSTATUS(status) == 77)
        skip(); /* not root */
    assert_int_equal(status, 0);
}

/* Absolute, below the base; no link is left on the way. */
static const struct plain_row {
    const char *name, *path;
    int flags, r;
} plain_rows[] = {
    { "a file", "/in/d/file", O_PATH, 0 },
    { "a directory", "/in/d", O_PATH | O_DIRECTORY, 0 },
    { "a link", "/in/d/rel", O_PATH | O_DIRECTORY, -ENOTDIR },
    { "a link on the way", "/in/way/file", O_PATH, -ELOOP },
    { "a link out on the way", "/in/outway/secret", O_PATH, -ELOOP },
    { "nothing", "/in/none", O_PATH, -ENOENT },
    { "nothing on the way", "/in/none/x", O_PATH, -ENOENT },
};

static void follows_no_link(void **state)
{
    const struct plain_row *row = *state;
    char path[256];

    snprintf(path, sizeof(path), "%s%s", base, row->path);
    for (size_t i = 0; i < ARRAY_SIZE(openat2_errnos); i++) {
        int fd;

        openat2_fails = openat2_errnos[i];
        for (int in_root = 0; in_root < 2; in_root++) {
            _cleanup_close_ int root = in_root ? open(base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;

            fd = beneath_open_plain(in_root ? root : AT_FDCWD, in_root ? row->path : path, row->flags);
            assert_true(row->r ? fd == row->r || (fd == -ELOOP && row->r == -ENOTDIR) : fd >= 0);
            if (fd >= 0) {
                assert_true(beneath_mount_of(fd) > 0);
                close(fd);
            }
        }
    }
    openat2_fails = 0;
}

static atomic_bool stop;

static void *swap(void *data)
{
    (void)data;
    while (!stop) {
        if (rename("in/flip", "in/flip.dir") == 0 && rename("in/flip.link", "in/flip") == 0) {
            (void)rename("in/flip", "in/flip.link");
            (void)rename("in/flip.dir", "in/flip");
        }
    }
    return NULL;
}

/* A directory that is a link to the outside every other moment: its real file or nothing. */
static void is_not_raced(void **state)
{
    _cleanup_close_ int root = open("in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned read = 0;
    pthread_t thread;

    (void)state;
    stop = false;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    for (int i = 0; i < 20000; i++) {
        _cleanup_free_ char *data = NULL;
        size_t len;

        openat2_fails = i & 1 ? ENOSYS : 0;
        if (beneath_read_file(root, bytes_of("/flip/secret"), 100, &data, &len) == 0) {
            assert_string_equal(data, "mine");
            read++;
        }
    }
    stop = true;
    pthread_join(thread, NULL);
    openat2_fails = 0;
    assert_true(read > 0);
}

static int set_up(void **state)
{
    char full[256], large[2000];

    (void)state;
    memset(large, 'x', sizeof(large));
    if (!mkdtemp(base) || chdir(base) < 0)
        return -1;
    snprintf(full, sizeof(full), "%s/secret", base);
    return put("secret", "secret", 6) && mkdir("in", 0755) == 0 && mkdir("in/d", 0755) == 0 &&
                   mkdir("in/flip", 0755) == 0 && put("in/flip/secret", "mine", 4) &&
                   put("in/d/file", "inside", 6) && put("in/d/large", large, sizeof(large)) &&
                   symlink("file", "in/d/rel") == 0 && symlink("/d/file", "in/d/abs") == 0 &&
                   symlink("d", "in/way") == 0 && symlink("/d", "in/absway") == 0 &&
                   symlink("../../secret", "in/d/out") == 0 && symlink(full, "in/d/full") == 0 &&
                   symlink(base, "in/outway") == 0 && symlink("loop", "in/d/loop") == 0 &&
                   symlink("..", "in/flip.link") == 0 && mkfifo("in/d/fifo", 0644) == 0
               ? 0
               : -1;
}

int main(void)
{
    const struct CMUnitTest more[] = {
        cmocka_unit_test(opens_by_a_trusted_prefix),
        cmocka_unit_test(opens_no_device),
        cmocka_unit_test(is_not_raced),
    };
    char command[128];
    int failed;

    if (set_up(NULL) < 0)
        return 99;
    failed = RUN_ROWS(rows, reads) + RUN_ROWS(here_rows, enters_no_mount) + RUN_ROWS(plain_rows, follows_no_link) + cmocka_run_group_tests(more, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command) ? 98 : failed;
}
