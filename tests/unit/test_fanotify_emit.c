/* SPDX-License-Identifier: MIT */
/* From what happened to a name to the event: its path, its time, its actor, and who gets it. The index is of a real directory. */
#include "sensor/fanotify/attributes.h"
#include "sensor/fanotify/emit.h"
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/tree/statx.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/tree/tree.h"
#include "util/cleanup.h"
#include "util/macro.h"

static char scratch[] = "/tmp/culprit-test-emit-XXXXXX";
static struct sensor *sensor;
static struct fanotify_object object;
static uint32_t below; /* the directory "d" of the index */
static unsigned events, gaps;
static struct gap last_gap;
static struct emitted_event { /* the first ones */
    enum operation operation;
    pid_t pid;
    bool presumed;
    uint64_t from_ns;
} emitted[4];

static void on_event(void *data, struct event *e)
{
    (void)data;
    if (events < ARRAY_SIZE(emitted))
        emitted[events] = (struct emitted_event){ e->operation, e->actor.pid, e->actor_presumed, e->boot_from_ns };
    events++;
    event_free(e);
}

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    gaps++;
    last_gap = *gap;
}

static int begin(void **state)
{
    _cleanup_close_ int fd = -EBADF;
    struct tree_options options = { 0 };

    (void)state;
    strcpy(scratch + sizeof(scratch) - 7, "XXXXXX");
    assert_non_null(mkdtemp(scratch));
    fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(fd, "d", 0755), 0);
    sensor = calloc(1, sizeof(*sensor));
    sensor->options.sink.event = on_event;
    sensor->options.sink.gap = on_gap;
    sensor->fold = fanotify_fold_new();
    sensor->group = -1;
    sensor->queue = fanotify_queue_new();
    sensor->unexplained = fanotify_unexplained_new();
    sensor->gone = fanotify_gone_new();
    sensor->made = fanotify_made_new();
    object = (struct fanotify_object){ .sensor = sensor, .wanted = { .id = 5, .view = VIEW_HOST, .path = bytes_of("/srv/prd") } };
    object.parent = bytes_of("/srv/prd");
    sensor->objects = &object;
    assert_int_equal(tree_new(&options, &object.tree, NULL), 0);
    assert_int_equal(tree_set_root(object.tree, fd, NULL), 0);
    while (tree_is_walking(object.tree))
        assert_true(tree_walk(object.tree, 0, NULL, NULL, NULL) >= 0);
    below = tree_object_of(object.tree, tree_find_path(object.tree, bytes_of("d")));
    assert_int_not_equal(below, 0);
    events = gaps = 0;
    return 0;
}

static int end(void **state)
{
    char path[64];

    (void)state;
    fanotify_fold_free(sensor->fold);
    fanotify_queue_free(sensor->queue);
    fanotify_unexplained_free(sensor->unexplained);
    fanotify_gone_free(sensor->gone);
    fanotify_made_free(sensor->made);
    tree_free(object.tree);
    free(sensor);
    snprintf(path, sizeof(path), "%s/d", scratch);
    rmdir(path);
    rmdir(scratch);
    return 0;
}

static const struct path_row {
    const char *name, *parent;
    bool in_d;
    const char *entry, *expected;
} path_rows[] = {
    { "beside", "/srv", false, "f", "/srv/f" },
    { "below", "/srv", true, "f", "/srv/d/f" },
    { "a parent that ends in a slash", "/srv/", true, "f", "/srv/d/f" },
    { "the root of everything", "", false, "f", "/f" },
    { "below the root of everything", "", true, "f", "/d/f" },
    { "the root itself", "", false, "", "/" },
    { "the directory itself", "/srv", false, "", "/srv" },
    { "bytes that are no text", "/srv", false, "\xff\n\x1b", "/srv/\xff\n\x1b" },
};

static void paths(void **state)
{
    const struct path_row *row = *state;
    struct sbuf out = SBUF_INIT;

    begin(NULL);
    sbuf_add_str(&out, "what was there before");
    object.parent = bytes_of(row->parent);
    assert_int_equal(fanotify_path(&object, row->in_d ? below : tree_root(object.tree), bytes_of(row->entry), &out), 0);
    assert_bytes(sbuf_bytes(&out), row->expected);
    sbuf_done(&out);
    end(NULL);
}

/* The kernel's stamp is the time of the change only where it can be: between two empty queues, of a file that is still there. */
static const struct time_row {
    const char *name;
    enum operation operation;
    bool known;
    int64_t ctime;
    uint64_t expected;
} time_rows[] = {
    { "stamped meanwhile", OPERATION_CHMOD, true, 1500, 1500 },
    { "at the beginning", OPERATION_CHMOD, true, 1000, 1000 },
    { "at the end", OPERATION_CHMOD, true, 2000, 2000 },
    { "stamped before: by another change", OPERATION_CHMOD, true, 999, 2000 },
    { "stamped after: by another change", OPERATION_CHMOD, true, 2001, 2000 },
    { "not known", OPERATION_CHMOD, false, 1500, 2000 },
    { "a file that has gone was stamped by who knows what", OPERATION_UNLINK, true, 1500, 2000 },
    { "a directory that has gone", OPERATION_RMDIR, true, 1500, 2000 },
    { "a file that was replaced", OPERATION_REPLACE, true, 1500, 2000 },
    { "a rename stamps the file", OPERATION_RENAME, true, 1500, 1500 },
};

static const struct fanotify_cause cause = { .pid = 7, .from_boot_ns = 10, .to_boot_ns = 20, .from_real_ns = 1000, .to_real_ns = 2000,
                                             .note = "a note", .presumed = true };

static void times(void **state)
{
    const struct time_row *row = *state;
    struct file_state file = { .inode = 3, .known = row->known ? FILE_CTIME : 0, .ctime_ns = row->ctime };
    struct event *e;

    begin(NULL);
    e = fanotify_event_new(&object, row->operation, tree_root(object.tree), bytes_of("f"), &file, &cause);
    assert_non_null(e);
    assert_int_equal(e->time_ns, row->expected);
    assert_int_equal(e->file.inode, 3);
    event_free(e);
    end(NULL);
}

static void says_what_is_known(void **state)
{
    struct event *e = fanotify_event_new(&object, OPERATION_UNLINK, below, bytes_of("f"), NULL, &cause);

    (void)state;
    assert_non_null(e);
    assert_int_equal(e->operation, OPERATION_UNLINK);
    assert_int_equal(e->object, 5);
    assert_int_equal(e->sensors, SENSOR_FANOTIFY);
    assert_int_equal(e->syscall, -1); /* not known by this sensor */
    assert_int_equal(e->actor.pid, 7);
    assert_true(e->actor_presumed);
    assert_false(e->actor.gone);
    assert_int_equal(e->boot_from_ns, 10);
    assert_int_equal(e->boot_ns, 20);
    assert_bytes(e->note, "a note");
    assert_bytes(e->path, "/srv/prd/d/f");
    assert_int_equal(e->file.inode, 0);
    event_free(e);
}

/* Where the index has lost a directory there is no path: the event is emitted without, and that is counted. */
static void counts_lost_paths(void **state)
{
    struct tree_change change;
    struct event *e;

    (void)state;
    tree_remove(object.tree, tree_first_name(object.tree, below), &change);
    e = fanotify_event_new(&object, OPERATION_UNLINK, below, bytes_of("f"), NULL, &cause);
    assert_non_null(e);
    assert_int_equal(e->path.len, 0);
    assert_int_equal(sensor->lost_paths, 1);
    event_free(e);
}

/* What another object of the group emits is not emitted twice. */
static void sends_once(void **state)
{
    struct fanotify_cause silent = cause;
    struct event *e;

    (void)state;
    fanotify_send(&object, NULL, &cause); /* there was no memory for it: counted where it was made */
    e = fanotify_event_bare(&object, OPERATION_UNLINK, &cause);
    assert_null(arena_alloc(&e->arena, SIZE_MAX)); /* and for a part of it */
    fanotify_send(&object, e, &cause);
    assert_int_equal(sensor->lost_paths, 1);
    silent.silent = true;
    fanotify_send(&object, fanotify_event_bare(&object, OPERATION_UNLINK, &silent), &silent);
    fanotify_fold_flush(sensor, true);
    assert_int_equal(events, 0);
    fanotify_send(&object, fanotify_event_bare(&object, OPERATION_UNLINK, &cause), &cause);
    fanotify_fold_flush(sensor, true);
    assert_int_equal(events, 1);
}

/*
 * A process (7) changes the mode of a file whose flags are not as they were known, too. Where the kernel makes no event of flags another
 * process may have changed these, long before: the look at the mode found them.
 */
static const struct flags_row {
    const char *name;
    bool reported; /* the kernel makes events of flags */
    uint32_t mode, flags;
    unsigned events;
    struct emitted_event expected[2];
} flags_rows[] = {
    { "by nobody known", false, 0100600, 1, 2, { { OPERATION_SETFLAGS, 0, true, 6 }, { OPERATION_CHMOD, 7, false, 10 } } },
    { "its mode is as it was: something was set to what it is", false, 0100644, 1, 2,
      { { OPERATION_SETFLAGS, 0, true, 6 }, { OPERATION_ATTRIBUTES, 7, false, 10 } } },
    { "no flags", false, 0100600, 0, 1, { { OPERATION_CHMOD, 7, false, 10 } } },
    { "its own event says who", true, 0100600, 1, 2, { { OPERATION_CHMOD, 7, false, 10 }, { OPERATION_SETFLAGS, 7, false, 10 } } },
};

static void flags(void **state)
{
    const struct flags_row *row = *state;
    const unsigned known = FILE_MODE | FILE_FLAGS | FILE_MTIME | FILE_CTIME | FILE_INODE;
    struct tree_change c = { .same_object = true,
                             .before = { .known = known, .mode = 0100644, .mtime_ns = 500, .ctime_ns = 996, .inode = 3 },
                             .after = { .known = known, .mode = row->mode, .flags = row->flags, .mtime_ns = 500, .ctime_ns = 1500, .inode = 3 } };
    const struct fanotify_event e = { .mask = FAN_ATTRIB, .pid = 7 };
    const struct fanotify_cause by = { .pid = 7, .from_boot_ns = 10, .to_boot_ns = 20, .from_real_ns = 1000, .to_real_ns = 2000 };

    begin(NULL);
    sensor->features.flags = row->reported;
    fanotify_attributes(&object, tree_root(object.tree), bytes_of("f"), &e, &c, &by);
    fanotify_fold_flush(sensor, true);
    assert_int_equal(events, row->events);
    for (unsigned i = 0; i < row->events; i++) {
        assert_int_equal(emitted[i].operation, row->expected[i].operation);
        assert_int_equal(emitted[i].pid, row->expected[i].pid);
        assert_int_equal(emitted[i].presumed, row->expected[i].presumed);
        assert_int_equal(emitted[i].from_ns, row->expected[i].from_ns);
    }
    end(NULL);
}

/* What was found by looking, and no event came to explain it: it is of the file that it was found at, and not of one that has its number now. */
static const struct number_row {
    const char *name;
    uint32_t mode;
    unsigned events;
} number_rows[] = {
    { "it is there", S_IFDIR, 1 },
    { "a file was, and now a folder is", S_IFREG, 0 },
};

static void numbers(void **state)
{
    const struct number_row *row = *state;
    struct tree_change c = { .same_object = true };
    _cleanup_close_ int fd = -EBADF;

    begin(NULL);
    fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(tree_stat(fd, "d", &c.after), 0);
    c.after.mode = (c.after.mode & ~(uint32_t)S_IFMT) | row->mode;
    c.after.known |= FILE_FLAGS;
    c.before = c.after;
    c.before.flags ^= 1;
    fanotify_emit_unexplained(&object, &c, &cause);
    fanotify_fold_flush(sensor, true);
    assert_int_equal(events, row->events);
    end(NULL);
}

/* A folder above was replaced: what was done below it until it was watched is not known, where it is the host's. */
static const struct gap_row {
    const char *name;
    enum view view;
    uint64_t from_ns;
    bool there; /* the path is */
    unsigned gaps;
} gap_rows[] = {
    { "the host's", VIEW_HOST, 1000, true, 1 },
    { "a volume's", VIEW_VOLUME, 1000, true, 1 },
    { "a container's was nobody's until now", VIEW_MERGED, 1000, true, 0 },
    { "nothing was replaced", VIEW_HOST, 0, true, 0 },
    { "nothing came", VIEW_HOST, 1000, false, 0 },
};

static void replaced(void **state)
{
    const struct gap_row *row = *state;
    struct tree *tree;

    begin(NULL);
    tree = object.tree;
    object.wanted.view = row->view;
    if (!row->there)
        object.tree = NULL;
    fanotify_replaced_gap(&object, row->from_ns);
    assert_int_equal(gaps, row->gaps);
    if (gaps) {
        assert_int_equal(last_gap.reason, LOST_WATCH_WINDOW);
        assert_int_equal(last_gap.sensor, SENSOR_FANOTIFY);
        assert_int_equal(last_gap.from_ns, 1000);
        assert_true(last_gap.to_ns > 1000);
        assert_int_equal(last_gap.count, 0); /* not known */
        assert_non_null(strstr(last_gap.text, object.wanted.path.data)); /* which of the watched ones */
    }
    object.tree = tree;
    end(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_what_is_known, begin, end),
        cmocka_unit_test_setup_teardown(counts_lost_paths, begin, end),
        cmocka_unit_test_setup_teardown(sends_once, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) | RUN_ROWS(path_rows, paths) | RUN_ROWS(time_rows, times) |
           RUN_ROWS(gap_rows, replaced) | RUN_ROWS(flags_rows, flags) | RUN_ROWS(number_rows, numbers);
}
