/* SPDX-License-Identifier: MIT */
/* What all sensors' watched objects have in common: placing them, the way to their path, mounts, what waits for a container. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/object/gap.h"
#include "sensor/object/mounts.h"
#include "sensor/object/startup_buffer.h"
#include "sensor/object/watched.h"
#include "sensor/object/way.h"

/* ---- placing ---- */

struct armed {
    struct watched_object watched;
    unsigned tries, armed, disarmed;
    int answers[16];
};

static int arm(struct watched_object *w, void *data, struct err *err)
{
    struct armed *a = (struct armed *)w;

    (void)err;
    assert_ptr_equal(data, &a->armed);
    a->armed++;
    return a->answers[a->tries < 15 ? a->tries++ : 15];
}

static void disarm(struct watched_object *w, void *data)
{
    struct armed *a = (struct armed *)w;

    (void)data;
    a->disarmed++;
}

static const struct watched_ops ops = { .arm = arm, .disarm = disarm };

static void begin(struct armed *a, pid_t ns_pid)
{
    struct watch_object wanted = { .path = bytes_of("/a/b"), .host_path = bytes_of("/r/a/b"), .root_len = 2, .ns_pid = ns_pid };

    *a = (struct armed){ 0 };
    assert_int_equal(watched_init(&a->watched, &wanted, NULL), 0);
}

static void tries_again_what_changed(void **state)
{
    struct armed a;

    (void)state;
    begin(&a, 0);
    assert_true(bytes_equal_str(a.watched.base, "b"));
    assert_true(bytes_equal_str(a.watched.parent, "/a"));
    a.watched.needs_recheck = true;
    assert_true(watched_is_stale(&a.watched, &ops));
    a.answers[0] = a.answers[1] = -EAGAIN;
    assert_int_equal(watched_place(&a.watched, &ops, &a.armed, NULL), 0);
    assert_int_equal(a.armed, 3);
    assert_false(watched_is_stale(&a.watched, &ops));
    a.answers[3] = -EACCES; /* no reason to try again */
    assert_int_equal(watched_place(&a.watched, &ops, &a.armed, NULL), -EACCES);
    assert_int_equal(a.armed, 4);
    watched_done(&a.watched);
}

static void leaves_in_doubt_what_keeps_changing(void **state)
{
    struct armed a;

    (void)state;
    begin(&a, 0);
    for (size_t i = 0; i < ARRAY_SIZE(a.answers); i++)
        a.answers[i] = -EAGAIN;
    assert_int_equal(watched_place(&a.watched, &ops, &a.armed, NULL), 0);
    assert_true(watched_is_stale(&a.watched, &ops));
    watched_bury(&a.watched, &ops, NULL, 1000);
    assert_int_equal(a.disarmed, 1);
    assert_false(watched_is_stale(&a.watched, &ops));
    assert_false(watched_is_over(&a.watched, 999));
    assert_true(watched_is_over(&a.watched, 1000));
    watched_done(&a.watched);
}

/* Its last process ends while it is placed: no error, and never again. */
static void ends_with_its_namespace(void **state)
{
    pid_t child = fork_child();
    struct armed a;

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    begin(&a, child);
    assert_int_equal(watched_place(&a.watched, &ops, &a.armed, NULL), 0);
    assert_int_equal(a.armed, 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    a.watched.needs_recheck = true;
    assert_false(watched_is_stale(&a.watched, &ops));
    assert_int_equal(watched_place(&a.watched, &ops, &a.armed, NULL), 0);
    assert_int_equal(a.armed, 1);
    watched_done(&a.watched);
}

/* ---- the way ---- */

struct steps {
    unsigned seen, missing;
    const char *appears; /* it comes when it is found missing; NULL: it does not */
    const char *silent;  /* of that name, what does not answer; NULL: nothing */
};

static void on_step(void *data, int fd, bool missing)
{
    struct steps *s = data;

    s->seen += !missing;
    s->missing += missing;
    if (missing && s->appears)
        assert_int_equal(mkdirat(fd, s->appears, 0755), 0);
}

static bool may_enter(void *data, int fd, const char *name)
{
    const struct steps *s = data;

    (void)fd;
    return !s->silent || strcmp(s->silent, name) != 0;
}

static char folder[] = "/tmp/culprit-test-way.XXXXXX";

static const struct way_row {
    const char *name, *path, *missing, *appears;
    int flags;
    unsigned steps, looked_again;
    const char *silent;
} ways[] = {
    { "all of it", "/a/b", "", NULL, O_DIRECTORY, 2, 0 },
    { "nothing to go", "", "", NULL, O_DIRECTORY, 0, 0 },
    { "a part", "a/x/y", "x/y", NULL, O_DIRECTORY, 2, 1 },
    { "it comes meanwhile", "/a/new/y", "y", "new", O_DIRECTORY, 3, 2 },
    { "a file on the way", "/a/f/y", "f/y", NULL, O_DIRECTORY, 2, 1 },
    { "a file at its end", "/a/f", "", NULL, 0, 2, 0 },
    { "a link is not followed", "/a/link/b", "link/b", NULL, O_DIRECTORY, 2, 1 },
    { "what does not answer is not entered", "/a/b", "b", NULL, O_DIRECTORY, 2, 1, "b" },
};

static void goes(void **state)
{
    const struct way_row *row = *state;
    struct steps steps = { .appears = row->appears, .silent = row->silent };
    struct way_options options = { row->flags, on_step, &steps, may_enter };
    struct bytes rest = bytes_of(row->path);
    int fd = way_open(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), &rest, &options);

    assert_true(fd >= 0);
    assert_true(bytes_equal_str(rest, row->missing));
    assert_int_equal(steps.seen, row->steps);
    assert_int_equal(steps.missing, row->looked_again);
    close(fd);
}

static void refuses_a_long_name(void **state)
{
    char name[400];
    struct bytes rest = { name, sizeof(name) };

    (void)state;
    memset(name, 'n', sizeof(name));
    assert_int_equal(way_open(open("/", O_PATH | O_CLOEXEC), &rest, &(struct way_options){ 0 }), -ENAMETOOLONG);
}

/* ---- mounts ---- */

#define LINE(id, point) #id " 1 8:1 / " point " rw - ext4 /dev/sda1 rw\n"

static const struct mounts_row {
    const char *name, *path, *seen;
} mounts[] = {
    { "above, at and below", "/a/b", "1^/ 2^/a 3=/a/b 4=/a/b 5./a/b/c 8./a/b/c d " },
    { "the root", "/", "1=/ 2./a 3./a/b 4./a/b 5./a/b/c 6./ab 7./x 8./a/b/c d " },
    { "beside", "/x/y", "1^/ 7^/x " },
};

static void sees_mounts(void **state)
{
    const struct mounts_row *row = *state;
    static const char table[] = LINE(1, "/") LINE(2, "/a") LINE(3, "/a/b") LINE(4, "/a/b") LINE(5, "/a/b/c") LINE(6, "/ab") LINE(7, "/x")
        LINE(8, "/a/b/c\\040d");
    _cleanup_sbuf_ struct sbuf room = SBUF_INIT, out = SBUF_INIT;
    struct bytes text = bytes_of(table);
    struct mount_seen seen;

    while (mounts_next(&text, bytes_of(row->path), &room, &seen))
        sbuf_addf(&out, "%u%c%.*s ", (unsigned)seen.mount.id, "^=."[seen.where], (int)seen.point.len, seen.point.data);
    assert_string_equal(sbuf_str(&out), row->seen);
}

/* ---- what waits ---- */

#define LIMIT 1000

static bool is_odd(void *data, const void *entry)
{
    unsigned n;

    memcpy(&n, entry, sizeof(n));
    *(unsigned *)data = *(unsigned *)data * 10 + n;
    return n % 2;
}

static void keeps_the_newest(void **state)
{
    struct startup_buffer *b = startup_buffer_new(LIMIT);
    unsigned all = 0, rest = 0, none = 0;

    (void)state;
    assert_non_null(b);
    for (unsigned i = 1; i <= 9; i++) {
        unsigned *entry = startup_buffer_add(b, 200, 100000 + i);

        assert_non_null(entry);
        *entry = i;
    }
    assert_null(startup_buffer_add(b, LIMIT, 100010));
    assert_int_equal(startup_buffer_take_lost(b, 100010), 6); /* of ten, one of which is too large */
    assert_int_equal(startup_buffer_take_lost(b, 100010), 0);
    startup_buffer_replay(b, is_odd, &all);
    assert_int_equal(all, 6789);
    startup_buffer_replay(b, is_odd, &rest); /* those that nobody claimed */
    assert_int_equal(rest, 68);
    startup_buffer_clear(b);
    startup_buffer_replay(b, is_odd, &none);
    assert_int_equal(none, 0);
    startup_buffer_free(b);
}

static int make(void **state)
{
    char path[64];

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/a", folder);
    if (mkdir(path, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/a/b", folder);
    if (mkdir(path, 0755) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/a/link", folder);
    if (symlink(".", path) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/a/f", folder);
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    return 0;
}

/* ---- a gap of one object ---- */

#define LONG_NAME "a-name-that-is-rather-long-for-a-folder-of-this-kind"
#define LONG_TEXT LONG_NAME LONG_NAME LONG_NAME /* 156 */

static const struct object_gap {
    const char *name, *path, *text, *wanted, *container;
} object_gaps[] = {
    { "its path ends the text", "/srv/a", "it was replaced", "it was replaced (/srv/a)" },
    { "escaped", "/a\n\033b", "gone", "gone (/a\\n\\x1bb)" },
    { "a long one keeps its end", "/" LONG_NAME "/" LONG_NAME "/" LONG_NAME "/end", "gone", "/end)" },
    { "no room: the text as it is", "/srv/a", LONG_TEXT, LONG_TEXT },
    { "no path", NULL, "gone", "gone" },
    { "a container's", "/prd", "it was replaced", "it was replaced (web:/prd)", "web" },
    { "its name escaped", "/prd", "gone", "gone (a\\x1bb:/prd)", "a\033b" },
    { "a long path leaves the name", "/" LONG_NAME "/" LONG_NAME "/" LONG_NAME "/end", "gone", "/end)", "web" },
    { "a long name leaves the path", "/prd", "gone", ":/prd)", LONG_NAME LONG_NAME },
};

static struct gap object_gap_seen;

static void on_gap(void *data, const struct gap *gap)
{
    (void)data;
    object_gap_seen = *gap;
}

static void names_the_object(void **state)
{
    const struct object_gap *row = *state;
    const struct sensor_options options = { .sink.gap = on_gap };
    const struct watch_object object = { .path = bytes_of(row->path), .container = bytes_of(row->container) };
    size_t len, wanted = strlen(row->wanted);

    emit_object_gap(&options, SENSOR_AUDIT, LOST_WATCH_WINDOW, 7, &object, row->text);
    len = strlen(object_gap_seen.text);
    assert_true(len >= wanted);
    assert_string_equal(object_gap_seen.text + len - wanted, row->wanted);
    assert_memory_equal(object_gap_seen.text, row->text, strlen(row->text));
    assert_int_equal(object_gap_seen.from_ns, 7);
    assert_int_equal(object_gap_seen.sensor, SENSOR_AUDIT);
}

/* Of three bytes a column the text takes as many as it has room for, and is not cut within one. */
static void cuts_no_character(void **state)
{
    const struct sensor_options options = { .sink.gap = on_gap };
    char path[1 + 3 * 100 + 1] = "/";
    const struct watch_object object = { .path = { path, sizeof(path) - 1 } };

    (void)state;
    for (int i = 0; i < 100; i++)
        memcpy(path + 1 + 3 * i, "\xe2\x82\xac", 3);
    emit_object_gap(&options, SENSOR_AUDIT, LOST_WATCH_WINDOW, 7, &object, "gone");
    assert_true(strlen(object_gap_seen.text) > 50);
    assert_string_equal(object_gap_seen.text + strlen(object_gap_seen.text) - 4, "\xe2\x82\xac)");
}

static int clean(void **state)
{
    static const char *const names[] = { "a/f", "a/link", "a/new/new", "a/new", "a/b", "a", "." };
    char path[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    return rmdir(folder) < 0 && errno != ENOENT;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_again_what_changed),
        cmocka_unit_test(leaves_in_doubt_what_keeps_changing),
        cmocka_unit_test(ends_with_its_namespace),
        cmocka_unit_test(refuses_a_long_name),
        cmocka_unit_test(keeps_the_newest),
        cmocka_unit_test(cuts_no_character),
    };
    int failed = make(NULL) < 0;

    failed += RUN_ROWS(ways, goes);
    failed += clean(NULL);
    failed += RUN_ROWS(mounts, sees_mounts);
    failed += RUN_ROWS(object_gaps, names_the_object);
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
