/* SPDX-License-Identifier: MIT */
/* fanotify: what is remembered of files that are written to does not grow with those that have gone. */
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/writes.h"
#include "sensor/tree/tree.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM_LEAST 1000

static unsigned emitted;

static void on_event(void *data, struct event *e)
{
    (void)data;
    assert_int_equal(e->operation, OPERATION_WRITE);
    emitted++;
    event_free(e);
}

/* Longer by ten bytes, and not closed: as truncate() does it, or who keeps the file open. */
static void write_to(struct fanotify_object *o, uint64_t device, uint64_t inode)
{
    struct fanotify_cause cause = { .pid = 7 };
    struct tree_change change = { .same_object = true };

    change.before = (struct file_state){
        .known = FILE_SIZE | FILE_MODE, .mode = S_IFREG | 0644, .device = device, .inode = inode
    };
    change.after = change.before;
    change.after.size = 10;
    fanotify_written(o, tree_root(o->tree), bytes_of("f"), FAN_MODIFY, false, &change, &cause);
}

/* How many more files can be written to until one is emitted at once, because there is no room to remember it; those files have no
 * name. */
static unsigned room(struct fanotify_object *o, uint64_t device)
{
    static uint64_t inode = 1ull << 40;
    unsigned n = 0, before = emitted;

    for (;; n++) {
        write_to(o, device, inode++);
        fanotify_fold_flush(o->sensor, true);
        if (emitted > before)
            break;
        assert_true(n < 1u << 20);
    }
    return n;
}

/* They are never closed, and have no name by which they could be emitted. */
static void forgets_what_has_gone(void **state)
{
    char path[] = "/tmp/culprit-test-writes.XXXXXX";
    struct sensor *s = calloc(1, sizeof(*s)); /* 64 kB of devices */
    struct fanotify_object o = { .sensor = s, .gone = true, .root_fd = -1, .directory_fd = -1 };
    int fd, file;
    unsigned all;
    struct stat st;

    (void)state;
    assert_non_null(s);
    assert_non_null(mkdtemp(path));
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    file = openat(fd, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_return_code(fstat(file, &st), 0);
    close(file);
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &o.tree, NULL), 0);
    assert_int_equal(tree_set_root(o.tree, fd, NULL), 0);
    assert_int_equal(tree_walk(o.tree, 0, NULL, NULL, NULL), 0);
    s->writes = fanotify_writes_new();
    assert_non_null(s->writes);
    s->fold = fanotify_fold_new();
    assert_non_null(s->fold);
    s->options.sink.event = on_event;

    write_to(&o, st.st_dev, st.st_ino);
    all = room(&o, st.st_dev);
    assert_true(all >= ROOM_LEAST);
    fanotify_writes_tick(s, clock_ms(CLOCK_MONOTONIC), false); /* they may be closed yet */
    assert_int_equal(room(&o, st.st_dev), 0);
    fanotify_writes_tick(s, clock_ms(CLOCK_MONOTONIC) + 3600 * 1000, false);
    assert_int_equal(room(&o, st.st_dev), all); /* but for the one that is still there, still to be emitted */
    fanotify_writes_forget(&o);
    assert_int_equal(room(&o, st.st_dev), all + 1); /* and that is all there was */

    fanotify_fold_free(s->fold);
    fanotify_writes_free(s->writes);
    tree_free(o.tree);
    unlinkat(fd, "f", 0);
    close(fd);
    unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_what_has_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
