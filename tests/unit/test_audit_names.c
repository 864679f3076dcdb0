/* SPDX-License-Identifier: MIT */
/* Which of a file's names a change is reported by: the index of a real folder, and records made for it. */
#include "sensor/audit/apply.h"
#include "sensor/audit/change_event.h"
#include "sensor/audit/complete.h"
#include "sensor/audit/flags.h"
#include "sensor/audit/handle.h"
#include "sensor/tree/statx.h"
#include "test.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/event.h"
#include "file_flags.h"
#include "util/clock.h"

struct scene {
    char folder[32];
    int fd;
    struct audit_object object;
    struct audit_facts facts;
    struct audit_path directory, file;
};

static struct audit_path seen(const char *path, enum audit_nametype type)
{
    struct audit_path p = { .type = type };
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    p.file = (struct file_state){ .known = FILE_INODE | FILE_DEVICE | FILE_MODE, .inode = st.st_ino, .device = st.st_dev, .mode = st.st_mode };
    return p;
}

static void begin(struct scene *s)
{
    char path[64];
    int fd;

    *s = (struct scene){ .folder = "/tmp/culprit-names.XXXXXX", .facts = { .success = true, .pid = 1 } };
    assert_non_null(mkdtemp(s->folder));
    snprintf(path, sizeof(path), "%s/first", s->folder);
    fd = open(path, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    close(fd);
    s->file = seen(path, AUDIT_NAME_NORMAL);
    s->directory = seen(s->folder, AUDIT_NAME_PARENT);
    s->fd = open(s->folder, O_RDONLY | O_DIRECTORY);
    s->facts.time_ms = clock_ns(CLOCK_REALTIME) / 1000000 + 1000;
    s->object.wanted.path = bytes_of("/w");
    s->object.pidfd = -1;
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &s->object.tree, NULL), 0);
    assert_int_equal(tree_set_root(s->object.tree, s->fd, NULL), 0);
    assert_int_equal(tree_walk(s->object.tree, 0, NULL, NULL, NULL), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(s->folder), 0);
}

static void end(struct scene *s)
{
    tree_free(s->object.tree);
    close(s->fd);
}

static void apply(struct scene *s, enum operation operation, const char *name)
{
    struct audit_change c = { .operation = operation, .parent = &s->directory, .object = &s->file, .name = bytes_of(name), .fd = -1 };

    audit_apply(&s->object, &s->facts, &c, 1);
}

/* Somebody changes its mode by this name; NULL: by a descriptor. */
static void reported(struct scene *s, const char *name, const char *path, bool note)
{
    struct audit_change c = { .operation = OPERATION_CHMOD, .object = &s->file, .name = name ? bytes_of(name) : BYTES_NULL, .fd = -1 };
    bool here = false;
    struct event *e = audit_change_event(&s->object, &s->facts, &c, &here);

    assert_non_null(e);
    assert_true(here);
    if (path)
        assert_true(bytes_equal_str(e->path, path));
    assert_int_equal(e->note.len != 0, note);
    event_free(e);
}

static void a_second_name_is_no_new_file(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    reported(&s, "first", "/w/first", false);
    apply(&s, OPERATION_LINK, "second");
    reported(&s, "first", "/w/first", false);
    reported(&s, "second", "/w/second", false);
    reported(&s, NULL, NULL, true); /* one of them */
    reported(&s, "link-to-it", NULL, true);
    apply(&s, OPERATION_LINK, "third");
    reported(&s, "second", "/w/second", false);
    apply(&s, OPERATION_UNLINK, "first");
    apply(&s, OPERATION_UNLINK, "third");
    reported(&s, NULL, "/w/second", false);
    end(&s);
}

/* Two names with one last component: the rest of what was written decides, as far as it goes. */
static void reported_by_the_whole_name(void **state)
{
    struct scene s;
    struct audit_path other;
    struct audit_change c = { .operation = OPERATION_MKDIR, .name = bytes_of("d"), .fd = -1 };

    (void)state;
    begin(&s);
    other = s.directory;
    other.file.inode += 1000000;
    other.file.mode = S_IFDIR | 0755;
    c.parent = &s.directory;
    c.object = &other;
    audit_apply(&s.object, &s.facts, &c, 1);
    c = (struct audit_change){ .operation = OPERATION_LINK, .parent = &other, .object = &s.file, .name = bytes_of("first"), .fd = -1 };
    audit_apply(&s.object, &s.facts, &c, 1);
    reported(&s, "d/first", "/w/d/first", false);
    reported(&s, "/w/d/first", "/w/d/first", false);
    reported(&s, "/w/first", "/w/first", false);
    reported(&s, "w/first", "/w/first", false);
    reported(&s, "first", NULL, true); /* in which of the two directories is not known */
    reported(&s, "/elsewhere/first", NULL, true);
    end(&s);
}

/* The index is ahead of the records: a folder that they are about is not the file that has its number now. */
static void a_number_is_no_file_of_another_type(void **state)
{
    struct scene s;
    struct audit_path former;
    struct audit_change c = { .operation = OPERATION_CHMOD, .object = &former, .fd = -1 };
    struct event *e;
    bool here = false;

    (void)state;
    begin(&s);
    former = s.file;
    former.file.mode = S_IFDIR | 0755;
    e = audit_change_event(&s.object, &s.facts, &c, &here);
    assert_null(e); /* by a descriptor: no name is known */
    former.file.mode = s.file.file.mode;
    e = audit_change_event(&s.object, &s.facts, &c, &here);
    assert_non_null(e);
    assert_bytes(e->path, "/w/first");
    event_free(e);
    end(&s);
}

/* A descriptor's number leads to this file now; whether it is the one whose flags were changed, they say. */
static void flags_say_whether_it_is_that_file(void **state)
{
    struct scene s;
    struct audit_change c = { .operation = OPERATION_SETFLAGS, .fd = -1 };
    struct file_state known;

    (void)state;
    begin(&s);
    tree_state(s.object.tree, tree_find(s.object.tree, s.file.file.device, s.file.file.inode), &known);
    assert_true(known.known & FILE_INODE);
    assert_false(audit_flags_are_as_known(&s.object, &c)); /* no file is known */
    c.object = &s.file;
    assert_false(audit_flags_are_as_known(&s.object, &c)); /* nor its flags */
    s.file.file.flags = known.flags;
    s.file.file.known |= FILE_FLAGS;
    assert_int_equal(audit_flags_are_as_known(&s.object, &c), (known.known & FILE_FLAGS) != 0);
    s.file.file.flags ^= FS_NODUMP_FL;
    assert_false(audit_flags_are_as_known(&s.object, &c));
    end(&s);
}

struct changing {
    char path[64];
    unsigned events, changes;
};

/* Somebody changes them again at once. */
static void on_flags(void *data, struct event *e)
{
    struct changing *c = data;

    assert_int_equal(e->operation, OPERATION_SETFLAGS);
    assert_int_equal(e->actor.pid, 0);
    event_free(e);
    c->events++;
    if (c->changes && c->changes--)
        assert_true(change_flags(c->path));
}

/* Whoever goes on changing flags does not keep the end of observing waiting. */
static void changed_flags_are_looked_for_until_then(void **state)
{
    struct scene s;
    struct changing c = { .changes = 100 };
    struct file_state before, after = { 0 };
    struct sensor *sensor = calloc(1, sizeof(*sensor));
    bool has_flags;

    (void)state;
    assert_non_null(sensor);
    begin(&s);
    assert_int_equal(mkdir(s.folder, 0755), 0);
    snprintf(c.path, sizeof(c.path), "%s/f", s.folder);
    close(open(c.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    close(s.fd);
    s.fd = open(s.folder, O_RDONLY | O_DIRECTORY);
    s.object.wanted = (struct watch_object){ .path = bytes_of(s.folder), .host_path = bytes_of(s.folder), .permissions = ~0u };
    assert_int_equal(tree_set_root(s.object.tree, s.fd, NULL), 0);
    while (tree_is_walking(s.object.tree))
        assert_true(tree_walk(s.object.tree, 0, NULL, NULL, NULL) >= 0);
    sensor->objects = &s.object;
    sensor->options.sink.event = on_flags;
    sensor->options.sink.data = &c;
    assert_true(audit_handle_flags_until(sensor, UINT64_MAX)); /* none is awaited */
    assert_int_equal(tree_stat(s.fd, "f", &before), 0);
    has_flags = change_flags(c.path) && tree_stat(s.fd, "f", &after) == 0 && (after.known & FILE_FLAGS) && after.flags != before.flags;
    if (has_flags) {
        sensor->flags.due_ms = UINT64_MAX;
        s.object.flags_left = 100;
        assert_false(audit_handle_flags_until(sensor, 0));
        assert_int_equal(c.events, 1);
        c.changes = 0;
        assert_true(audit_handle_flags_until(sensor, UINT64_MAX));
        assert_int_equal(c.events, 2);
    }
    assert_int_equal(unlink(c.path), 0);
    assert_int_equal(rmdir(s.folder), 0);
    end(&s);
    audit_flags_done(sensor);
    free(sensor);
    if (!has_flags)
        skip(); /* this file system has none */
}

/* A file was renamed, and the records of that still wait: those before it mean it by its former name. */
static void a_look_is_not_ahead_of_the_records(void **state)
{
    struct scene s;
    char before[64], after[64];
    int fd;

    (void)state;
    begin(&s);
    assert_int_equal(mkdir(s.folder, 0755), 0);
    snprintf(before, sizeof(before), "%s/before", s.folder);
    snprintf(after, sizeof(after), "%s/after", s.folder);
    fd = open(before, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    close(fd);
    close(s.fd);
    s.fd = open(s.folder, O_RDONLY | O_DIRECTORY);
    s.file = seen(before, AUDIT_NAME_NORMAL);
    s.object.wanted.path = s.object.wanted.host_path = bytes_of(s.folder);
    assert_int_equal(tree_set_root(s.object.tree, s.fd, NULL), 0);
    while (tree_is_walking(s.object.tree))
        assert_true(tree_walk(s.object.tree, 0, NULL, NULL, NULL) >= 0);
    audit_object_touch(&s.object, tree_find(s.object.tree, s.file.file.device, s.file.file.inode));
    assert_int_equal(rename(before, after), 0);
    audit_object_refresh(&s.object);
    reported(&s, NULL, before, false);
    /* listed again, for whatever reason: what it was called at the record's time is not known any more */
    s.facts.time_ms = clock_ns(CLOCK_REALTIME) / NS_PER_MS;
    audit_object_walk(&s.object, tree_root(s.object.tree));
    reported(&s, NULL, after, true);
    s.facts.time_ms += 60000;
    reported(&s, NULL, after, false);
    assert_int_equal(unlink(after), 0);
    assert_int_equal(rmdir(s.folder), 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_name_is_no_new_file),
        cmocka_unit_test(reported_by_the_whole_name),
        cmocka_unit_test(a_number_is_no_file_of_another_type),
        cmocka_unit_test(a_look_is_not_ahead_of_the_records),
        cmocka_unit_test(flags_say_whether_it_is_that_file),
        cmocka_unit_test(changed_flags_are_looked_for_until_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
