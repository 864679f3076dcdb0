/* SPDX-License-Identifier: MIT */
/* One file put back: all that belongs to it, beside and then linked in; directories that lead nowhere else. */
#include "test.h"
#include "older_kernel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "restore/copy.h"
#include "restore/item.h"
#include "restore/place.h"
#include "restore/put.h"
#include "restore/still_open.h"
#include "util/beneath.h"
#include "util/cleanup.h"

static char base[] = "/tmp/culprit-restore.XXXXXX";

static void shell(const char *script)
{
    char command[2048];

    snprintf(command, sizeof(command), "cd %s && { %s; }", base, script);
    assert_int_equal(system(command), 0);
}

static bool holds(const char *script)
{
    char command[2048];

    snprintf(command, sizeof(command), "cd %s && { %s; } > /dev/null 2>&1", base, script);
    return system(command) == 0;
}

static int open_in(const char *name, int flags)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", base, name);
    fd = open(path, flags | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static struct put_source source_of(const char *name)
{
    struct put_source s = { .fd = open_in(name, O_PATH | O_NOFOLLOW) };

    s.content = s.fd;
    assert_int_equal(fstat(s.fd, &s.st), 0);
    return s;
}

/* ---- directories ---- */

static const struct place_row {
    const char *name, *make, *path;
    int r;
} place_rows[] = {
    { "the root itself", ":", "/", 0 },
    { "below", "mkdir -p in/a/b", "/a/b", 0 },
    { "a link to a directory beside", "mkdir -p in/a; ln -s a in/l", "/l", -ELOOP },
    { "a link on the way", "mkdir -p in/a/b; ln -s a in/l", "/l/b", -ELOOP },
    { "a link out", "ln -s /etc in/l", "/l", -ELOOP },
    { "up", "mkdir -p in/a out", "/a/../../out", -1 },
    { "a file", "echo > in/f", "/f", -ENOTDIR },
    { "nothing", ":", "/none", -ENOENT },
};

static void places(void **state)
{
    const struct place_row *row = *state;
    int root;

    shell("rm -rf in out; mkdir in");
    shell(row->make);
    root = open_in("in", O_PATH | O_DIRECTORY);
    for (size_t i = 0; i < ARRAY_SIZE(openat2_errnos); i++) {
        int fd;

        openat2_fails = openat2_errnos[i];
        fd = place_open_directory(root, bytes_of(row->path));
        if (row->r == 0 || row->r == -1)
            assert_true(row->r == 0 ? fd >= 0 : fd < 0);
        else
            assert_true(fd == row->r || (fd == -ENOTDIR && row->r == -ELOOP)); /* O_DIRECTORY of a link */
        closep(&fd);
    }
    openat2_fails = 0;
    close(root);
}

/* ---- putting ---- */

static const char same[] = "test \"$(stat -c '%f %u %g %Y %s' from)\" = \"$(stat -c '%f %u %g %Y %s' in/to)\"";

static const struct put_row {
    const char *name, *make;
    bool replace;
    int r;
    const char *then; /* what must hold afterwards */
} put_rows[] = {
    { "a file", "echo x > from; chmod 4751 from; touch -d 2001-02-03 from", false, 0, "cmp from in/to" },
    { "an empty file", ": > from; chmod 0 from", false, 0, "test -e in/to" },
    { "a sparse file", "truncate -s 64M from; echo x >> from", false, 0, "cmp from in/to && test $(stat -c %b in/to) -lt 1000" },
    { "only a hole", "truncate -s 1G from", false, 0, "test $(stat -c %b in/to) -lt 1000" },
    { "a link", "ln -s /nowhere from; touch -hd 2001-02-03 from", false, 0, "test \"$(readlink in/to)\" = /nowhere" },
    { "a directory", "mkdir from; chmod 2750 from; touch -d 2001-02-03 from", false, 0, "test -d in/to" },
    { "a fifo", "mkfifo -m 620 from; touch -d 2001-02-03 from", false, 0, "test -p in/to" },
    { "something is there", "echo x > from; echo new > in/to", false, -EEXIST, "grep -q new in/to" },
    { "a link is there", "echo x > from; ln -s ../canary in/to", false, -EEXIST, "grep -q safe canary" },
    { "a directory for a link", "mkdir from; ln -s .. in/to", false, -EEXIST, "test -L in/to" },
    { "replaced", "echo x > from; echo new > in/to", true, 0, "cmp from in/to" },
    { "a link is replaced, not followed", "echo x > from; ln -s ../canary in/to", true, 0, "grep -q safe canary && cmp from in/to" },
    { "a directory is not", "echo x > from; mkdir in/to", true, -EISDIR, "test -d in/to" },
    { "a directory in a file's place", "mkdir from; echo new > in/to", true, 0, "test -d in/to" },
};

static void puts_back(void **state)
{
    const struct put_row *row = *state;
    struct put_source from;
    unsigned given = 0;
    int directory, r;

    shell("rm -rf in from canary; mkdir in; echo safe > canary");
    shell(row->make);
    from = source_of("from");
    directory = open_in("in", O_PATH | O_DIRECTORY);
    r = put_new(directory, "to", &from, row->replace, &given, NULL);
    assert_int_equal(r, row->r);
    assert_true(holds(row->then));
    if (r == 0)
        assert_true(holds(S_ISDIR(from.st.st_mode) ? "test \"$(stat -c '%f %u %g %Y' from)\" = \"$(stat -c '%f %u %g %Y' in/to)\"" : same));
    assert_true(holds("test -z \"$(ls -A in | grep -v '^to$')\"")); /* nothing is left beside it */
    close(directory);
    close(from.fd);
}

/* ---- a file system that can do less ---- */

static struct {
    bool no_flags, no_links, no_unnamed; /* of rename(), second names, files without a name */
} lacks;

int __real_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __real_linkat(int from, const char *old, int to, const char *new, int flags);
int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags);
int __wrap_linkat(int from, const char *old, int to, const char *new, int flags);
int __wrap_openat64(int dir, const char *name, int flags, mode_t mode);

static int refuse(int error)
{
    errno = error;
    return -1;
}

int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    return lacks.no_flags && flags ? refuse(EINVAL) : __real_renameat2(from, old, to, new, flags);
}

int __wrap_linkat(int from, const char *old, int to, const char *new, int flags)
{
    return lacks.no_links ? refuse(EPERM) : __real_linkat(from, old, to, new, flags);
}

int __wrap_openat64(int dir, const char *name, int flags, mode_t mode)
{
    return lacks.no_unnamed && (flags & O_TMPFILE) == O_TMPFILE ? refuse(EOPNOTSUPP) : __real_openat64(dir, name, flags, mode);
}

static const struct poor_row {
    const char *name, *make;
    bool links;
    int r;
    const char *then;
} poor_rows[] = {
    { "a file", "echo x > from", true, 0, "cmp from in/to" },
    { "a file, something is there", "echo x > from; echo new > in/to", true, -EEXIST, "grep -q new in/to" },
    { "a directory", "mkdir from", true, 0, "test -d in/to" },
    { "a directory, a file is there", "mkdir from; echo new > in/to", true, -EEXIST, "grep -q new in/to" },
    { "a directory, a full one is there", "mkdir from; mkdir in/to; echo new > in/to/x", true, -EEXIST, "grep -q new in/to/x" },
    { "no links: a file", "echo x > from", false, -EOPNOTSUPP, "test ! -e in/to" },
    { "no links: a file, something is there", "echo x > from; echo new > in/to", false, -EOPNOTSUPP, "grep -q new in/to" },
    { "no links: a link, something is there", "ln -s /nowhere from; echo new > in/to", false, -EOPNOTSUPP, "grep -q new in/to" },
    { "no links: a directory", "mkdir from", false, 0, "test -d in/to" },
};

/* Nothing is replaced unasked, whatever the file system lacks; what cannot be promised is not done. */
static void replaces_nothing(void **state)
{
    const struct poor_row *row = *state;
    struct put_source from;
    struct err err = ERR_INIT;
    unsigned given = 0;
    int directory, r;

    shell("rm -rf in from; mkdir in");
    shell(row->make);
    from = source_of("from");
    directory = open_in("in", O_PATH | O_DIRECTORY);
    lacks.no_flags = lacks.no_unnamed = true;
    lacks.no_links = !row->links;
    r = put_new(directory, "to", &from, false, &given, &err);
    memset(&lacks, 0, sizeof(lacks));
    assert_int_equal(r, row->r);
    assert_true(r != -EOPNOTSUPP || strstr(err.text, "second name"));
    assert_true(holds(row->then));
    assert_true(holds("test -z \"$(ls -A in | grep -v '^to$')\""));
    close(directory);
    close(from.fd);
}

static void gives_attributes(void **state)
{
    struct put_source from;
    struct file_state seen;
    unsigned given = 0;
    struct stat st;
    int directory;

    (void)state;
    shell("rm -rf in from; mkdir in; echo x > from; chmod 640 from; echo x > in/to; chmod 777 in/to; ln in/to in/second");
    from = source_of("from");
    directory = open_in("in", O_PATH | O_DIRECTORY);
    assert_int_equal(fstatat(directory, "to", &st, 0), 0);
    seen = (struct file_state){ .mode = st.st_mode, .uid = st.st_uid, .gid = st.st_gid };
    assert_int_equal(put_attributes(directory, "to", &from, &seen, &given, NULL), -EMLINK);
    shell("rm in/second; echo y > in/to");
    assert_int_equal(put_attributes(directory, "to", &from, &seen, &given, NULL), -ESTALE);
    shell("echo x > in/to; chmod 770 in/to");
    assert_int_equal(put_attributes(directory, "to", &from, &seen, &given, NULL), -ESTALE);
    shell("rm in/to; ln -s ../from in/to");
    assert_int_equal(put_attributes(directory, "to", &from, &seen, &given, NULL), -ESTALE);
    shell("rm in/to; echo x > in/to; chmod 777 in/to");
    assert_int_equal(put_attributes(directory, "to", &from, &seen, &given, NULL), 0);
    assert_true(holds(same));
    close(directory);
    close(from.fd);
}

/* As copies have them written down. */
static struct bytes saved_of(char *text, const char *name, const char *value)
{
    uint32_t len = (uint32_t)strlen(value);
    size_t head = strlen(name) + 1;

    memcpy(text, name, head);
    memcpy(text + head, &len, sizeof(len));
    memcpy(text + head + sizeof(len), value, len);
    return (struct bytes){ text, head + sizeof(len) + len };
}

static void gives_what_was_written_down(void **state)
{
    char text[100], name[ATTRIBUTES_NAME_SIZE];
    struct put_source from = { .fd = -EBADF, .content = -EBADF, .bare = true, .st.st_mode = S_IFDIR | 0555, .xattrs = saved_of(text, "user.note", "kept") };
    struct bytes cut = { text, from.xattrs.len - 1 };
    struct file_state seen;
    unsigned given = 0;
    struct stat st;
    int above, fd;

    (void)state;
    shell("rm -rf in; mkdir -p in/folder; chmod 775 in/folder; chown 5001:5002 in/folder");
    above = open_in("in", O_PATH | O_DIRECTORY);
    fd = open_in("in/folder", O_RDONLY | O_DIRECTORY);
    if (fsetxattr(fd, "user.added", "x", 1, 0) < 0) {
        assert_int_equal(errno, EOPNOTSUPP); /* tmpfs before 6.6 */
        skip();
    }
    assert_int_equal(attributes_differ(from.xattrs, fd, name), 0);
    assert_string_equal(name, "user.note");
    assert_int_equal(attributes_differ(cut, fd, name), -EBADMSG);
    assert_int_equal(fstat(fd, &st), 0);
    seen = (struct file_state){ .mode = st.st_mode, .uid = 5001, .gid = 5001 };
    assert_int_equal(put_attributes(above, "folder", &from, &seen, &given, NULL), -ESTALE);
    seen.gid = 5002;
    assert_int_equal(put_attributes(above, "folder", &from, &seen, &given, NULL), 0);
    assert_int_equal(given, GIVEN_MODE | GIVEN_OWNER | GIVEN_XATTR);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(st.st_mode == (S_IFDIR | 0555) && st.st_uid == 0 && st.st_gid == 0);
    assert_int_equal(fgetxattr(fd, "user.added", name, sizeof(name)), -1);
    assert_int_equal(fgetxattr(fd, "user.note", name, sizeof(name)), 4);
    assert_int_equal(attributes_differ(from.xattrs, fd, name), 0);
    assert_string_equal(name, "");
    assert_int_equal(fsetxattr(fd, "user.added", "x", 1, 0), 0);
    assert_int_equal(attributes_differ(from.xattrs, fd, name), 0);
    assert_string_equal(name, "user.added");
    close(fd);
    close(above);
}

static void compares_content(void **state)
{
    int a, b;

    (void)state;
    shell("rm -f a b; truncate -s 1T a b");
    a = open_in("a", O_RDWR);
    b = open_in("b", O_RDWR);
    assert_int_equal(content_is_equal(a, b), 1);
    assert_int_equal(pwrite(b, "x", 1, 1 << 30), 1);
    assert_int_equal(content_is_equal(a, b), 0);
    close(a);
    close(b);
}

/* ---- where a deleted file was ---- */

#define OURS \
    "20 1 8:1 / / rw - ext4 /dev/a rw\n21 20 8:2 / /srv rw - xfs /dev/b rw\n22 20 8:1 /var/data /mnt/again rw - ext4 /dev/a rw\n" \
    "23 20 0:40 / /var/lib/e/merged rw - overlay overlay rw\n24 20 8:2 /sub /mnt/a\\040b rw - xfs /dev/b rw\n"
#define SERVICE "80 79 8:1 / / rw - ext4 /dev/a rw\n81 80 8:1 /tmp/private /tmp rw - ext4 /dev/a rw\n"
#define CONTAINER "90 89 0:40 / / rw - overlay overlay rw\n91 90 8:2 /vol /data rw - xfs /dev/b rw\n" \
                  "92 90 8:1 /home/gone//deleted /gone rw - ext4 /dev/a rw\n"

static const struct found_row {
    const char *name, *path;
    uint64_t id;
    const char *theirs, *wanted, *found;
    uint64_t mount;
} found_rows[] = {
    { "where it was", "/etc/x", 20, OURS, "/etc/x", "/etc/x", 20 },
    { "below the target", "/etc/a/x", 20, OURS, "/etc", "/etc/a/x", 20 },
    { "all of it", "/etc/a/x", 20, OURS, "/", "/etc/a/x", 20 },
    { "beside the target", "/etcetera/x", 20, OURS, "/etc", NULL, 0 },
    { "another mount shows it too", "/var/data/x", 20, OURS, "/mnt/again", "/mnt/again/x", 22 },
    { "asked by another mount", "/mnt/again/x", 22, OURS, "/var", "/var/data/x", 20 },
    { "hidden by a mount", "/srv/x", 20, OURS, "/srv", NULL, 0 },
    { "a blank in a mount point", "/mnt/a b/x", 24, OURS, "/mnt/a b", "/mnt/a b/x", 24 },
    { "a service's private /tmp", "/tmp/x", 81, SERVICE, "/", "/tmp/private/x", 20 },
    { "its private /tmp is not the host's", "/tmp/x", 81, SERVICE, "/tmp/x", NULL, 0 },
    { "a container's file", "/etc/x", 90, CONTAINER, "/", "/var/lib/e/merged/etc/x", 23 },
    { "is not the host's of that name", "/etc/x", 90, CONTAINER, "/etc", NULL, 0 },
    { "a container's volume", "/data/x", 91, CONTAINER, "/srv", "/srv/vol/x", 21 },
    { "a mounted directory that was removed", "/gone/x", 92, CONTAINER, "/home", "/home/gone/x", 20 },
    { "a mount that is gone", "/etc/x", 99, OURS, "/etc", NULL, 0 },
    { "another root directory", "/x", 91, CONTAINER, "/", NULL, 0 },
};

static void finds_the_place(void **state)
{
    const struct found_row *row = *state;
    char found[PATH_MAX];
    uint64_t mount = 0;
    size_t len = still_open_place(bytes_of(row->path), row->id, bytes_of(row->theirs), bytes_of(OURS), bytes_of(row->wanted), found,
                                  sizeof(found), &mount);

    assert_int_equal(len, row->found ? strlen(row->found) : 0);
    if (len)
        assert_bytes(((struct bytes){ found, len }), row->found);
    assert_int_equal(mount, row->mount);
}

/* ---- items ---- */

static int add(struct restore_items *items, const char *path, enum difference_kind kind)
{
    struct difference *d = difference_new();

    assert_non_null(d);
    d->path = arena_copy(&d->arena, bytes_of(path));
    d->kind = kind;
    return restore_items_add(items, d);
}

static void collects(void **state)
{
    struct restore_items items = { 0 };

    (void)state;
    assert_int_equal(add(&items, "/a", DIFFERENCE_MODE), 0);
    assert_int_equal(add(&items, "/a", DIFFERENCE_OWNER), 0);
    assert_int_equal(add(&items, "/a/new", DIFFERENCE_ADDED), 0);
    assert_int_equal(add(&items, "/a/new2", DIFFERENCE_ADDED), 0);
    assert_int_equal(add(&items, "/b", DIFFERENCE_MISSING), 0);
    assert_int_equal(add(&items, "/ab/new", DIFFERENCE_ADDED), 0);
    restore_items_sort(&items);
    assert_int_equal(items.count, 2);
    assert_int_equal(items.all[0].kinds, RESTORE_BIT(DIFFERENCE_MODE) | RESTORE_BIT(DIFFERENCE_OWNER));
    assert_true(restore_items_has_grown(&items, bytes_of("/a")));
    assert_true(restore_items_has_grown(&items, bytes_of("/ab")));
    assert_false(restore_items_has_grown(&items, bytes_of("/b")));
    assert_false(restore_items_has_grown(&items, bytes_of("/")));
    restore_items_done(&items);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gives_attributes), cmocka_unit_test(gives_what_was_written_down), cmocka_unit_test(compares_content),
                                        cmocka_unit_test(collects) };
    int failed;

    assert(mkdtemp(base));
    failed = RUN_ROWS(place_rows, places) + RUN_ROWS(put_rows, puts_back) + RUN_ROWS(poor_rows, replaces_nothing) + RUN_ROWS(found_rows, finds_the_place) + cmocka_run_group_tests(tests, NULL, NULL);
    shell("cd / && rm -rf \"$OLDPWD\"");
    return failed;
}
