/* SPDX-License-Identifier: MIT */
/*
 * Which file systems are marked while a container is awaited: also one whose mount point the kernel writes with escapes. As
 * root, in a mount namespace of its own.
 */
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/fanotify/features.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/window.h"

static char dir[] = "/tmp/culprit-window-XXXXXX";

static const struct row {
    const char *name, *point;
} rows[] = {
    { "a plain name", "disk" },
    { "a blank", "My Disk" },
    { "a tab, a newline and a backslash", "a\tb\nc\\040d" },
};

/* As /proc/PID/fdinfo has it: "fanotify sdev:2d mflags:0 ...". */
static bool is_marked(int group, dev_t device)
{
    char path[64], line[256], wanted[32];
    bool found = false;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", group);
    snprintf(wanted, sizeof(wanted), "sdev:%llx ", (unsigned long long)device);
    f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        found |= strstr(line, wanted) != NULL;
    fclose(f);
    return found;
}

static void marks_it(void **state)
{
    const struct row *row = *state;
    struct sensor s = { .group = -1 };
    char point[128];
    struct stat st;

    if (geteuid() != 0 || fanotify_probe(&s.features, NULL) < 0)
        skip();
    s.group = fanotify_group_open(&s.features, true, NULL);
    s.window = fanotify_window_new();
    assert_true(s.group >= 0);
    assert_non_null(s.window);
    snprintf(point, sizeof(point), "%s/%s", dir, row->point);
    assert_int_equal(mkdir(point, 0700), 0);
    assert_int_equal(mount("tmpfs", point, "tmpfs", 0, "size=64k"), 0);
    assert_int_equal(stat(point, &st), 0);
    assert_false(is_marked(s.group, st.st_dev));
    fanotify_window_open(&s);
    assert_true(is_marked(s.group, st.st_dev));
    fanotify_window_close(&s);
    if (!s.features.rename) /* else renames stay asked for */
        assert_false(is_marked(s.group, st.st_dev));
    fanotify_window_free(s.window);
    close(s.group);
    assert_int_equal(umount2(point, MNT_DETACH), 0);
    assert_int_equal(rmdir(point), 0);
}

int main(void)
{
    int failed;

    if (!mkdtemp(dir))
        return 1;
    if (geteuid() == 0 && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
        return errno == EPERM ? 77 : 1; /* a container's root: meson counts it as skipped */
    failed = RUN_ROWS(rows, marks_it);
    rmdir(dir);
    return failed;
}
