/* SPDX-License-Identifier: MIT */
/*
 * Streams of events as the kernel writes them, read after everything is done: what is emitted of them, by an index that is as it was
 * before. Folders and files have handles of eight letters: folder 'a' is "aaaaaaaa".
 */
#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/handle.h"
#include "sensor/fanotify/handles.h"
#include "sensor/fanotify/late.h"
#include "sensor/fanotify/layer.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "sensor/fanotify/writes.h"
#include "sensor/fanotify/young.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/operation.h"

#define FSID 7
#define DIR FAN_ONDIR
#define RENAME FANOTIFY_RENAME
#define ENTRIES 12

/* in: of a folder's letter, '/' the watched one, '^' the one above it, where the watched one's name is "^". to, into: of a rename, the new name and the folder that it is in. object: the
 * file's own letter; 0: not emitted */
struct stream_event {
    uint64_t mask;
    char in;
    const char *name;
    char object;
    const char *to;
    char into;
};

static const struct row {
    const char *name;
    const char *before; /* in the index: folders end with '/', and have their first letter for a handle */
    const char *after;  /* on the disk, when it is read */
    struct stream_event events[ENTRIES];
    const char *emitted;   /* "?": by a name that is said not to be certain; "~": of an operation that is */
} rows[] = {
    { "a file comes and goes", "", "", { { FAN_CREATE | FAN_DELETE, '/', "f", 'f' } }, "~create f, unlink f" },
    { "a file comes and stays", "", "f", { { FAN_CREATE | FAN_CLOSE_WRITE, '/', "f" } }, "create f" },
    { "a folder comes with a file and both go", "", "",
      { { FAN_CREATE | FAN_DELETE | DIR, '/', "d", 'd' }, { FAN_CREATE | FAN_DELETE, 'd', "f", 'f' } },
      "mkdir d, ~create d/f, unlink d/f, rmdir d" },
    { "its folder is renamed between", "a/", "b/",
      { { FAN_CREATE | FAN_DELETE, 'a', "f", 'f' }, { RENAME | DIR, '/', "a", 'a', "b", '/' } },
      "~create a/f, ?unlink a/f, rename a b" },
    { "the same, by a folder further up", "a/ a/x/", "b/ b/x/",
      { { FAN_CREATE | FAN_DELETE, 'x', "f", 'f' }, { RENAME | DIR, '/', "a", 'a', "b", '/' } },
      "~create a/x/f, ?unlink a/x/f, rename a b" },
    { "another folder is renamed", "a/ c/", "a/ b/",
      { { FAN_CREATE | FAN_DELETE, 'a', "f", 'f' }, { RENAME | DIR, '/', "c", 'c', "b", '/' } },
      "~create a/f, unlink a/f, rename c b" },
    { "one deletion is where it is told, also if the folder is renamed afterwards", "a/ a/f", "b/",
      { { FAN_DELETE, 'a', "f", 'f' }, { RENAME | DIR, '/', "a", 'a', "b", '/' } }, "unlink a/f, rename a b" },
    { "renamed before: it is there then", "a/ a/f", "b/",
      { { RENAME | DIR, '/', "a", 'a', "b", '/' }, { FAN_DELETE, 'a', "f", 'f' } }, "rename a b, unlink b/f" },
    { "to and fro: where the folder was is not known from then on", "a/ a/f", "a/",
      { { RENAME | DIR, '/', "a", 'a', "b", '/' }, { RENAME | DIR, '/', "b", 'a', "a", '/' }, { FAN_DELETE, 'a', "f", 'f' } },
      "rename a b, rename b a, ?unlink a/f" },
    { "what is told of a folder that was not seen at its place", "a/", "b/",
      { { FAN_ATTRIB | DIR, 'a', "." }, { RENAME | DIR, '/', "a", 'a', "b", '/' } }, "?~attributes a, rename a b" },
    { "the watched folder goes elsewhere: what is done there is not done here", "a/ a/f", "",
      { { RENAME | DIR, '^', "^", 'w', "x", '^' }, { FAN_DELETE, 'a', "f", 'f' }, { RENAME | DIR, '/', "a", 'a', "b", '/' } },
      "rename . elsewhere" },
    { "it comes back", "a/ a/f", "a/",
      { { RENAME | DIR, '^', "^", 'w', "x", '^' }, { RENAME | DIR, '^', "x", 'w', "^", '^' }, { FAN_DELETE, 'a', "f", 'f' } },
      "rename . elsewhere, rename elsewhere ., unlink a/f" },
    { "another one comes", "a/ a/f", "",
      { { RENAME | DIR, '^', "^", 'w', "x", '^' }, { RENAME | DIR, '^', "y", 'v', "^", '^' }, { FAN_DELETE, 'a', "f", 'f' } },
      "rename . elsewhere, rename elsewhere ." },
};

static struct bytes top;

static const char *name_of(const char *name)
{
    return name && strcmp(name, "^") == 0 ? bytes_basename(top).data : name;
}

struct wire {
    char bytes[512];
    size_t len;
};

static void add(struct wire *w, const void *bytes, size_t len)
{
    assert_true(w->len + len <= sizeof(w->bytes));
    if (len)
        memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
}

/* A handle, and the name in it. */
static void add_record(struct wire *w, uint8_t type, char letter, const char *name)
{
    struct {
        uint8_t type, pad;
        uint16_t len;
        uint64_t fsid;
        uint32_t handle_bytes;
        int32_t handle_type;
        char handle[8];
    } __attribute__((packed)) r = { .type = type, .fsid = FSID, .handle_bytes = 8, .handle_type = 1 };
    size_t n = name ? strlen(name) + 1 : 0;

    memset(r.handle, letter, sizeof(r.handle));
    r.len = (uint16_t)((sizeof(r) + n + 3) / 4 * 4);
    add(w, &r, sizeof(r));
    add(w, name, n);
    add(w, "\0\0\0", (size_t)r.len - sizeof(r) - n);
}

static void write_event(struct wire *w, const struct stream_event *e)
{
    struct {
        uint32_t len;
        uint8_t version, reserved;
        uint16_t head;
        uint64_t mask;
        int32_t fd, pid;
    } __attribute__((packed)) head = { .version = 3, .head = sizeof(head), .mask = e->mask, .fd = -1, .pid = 5 };
    size_t at = w->len;

    add(w, &head, sizeof(head));
    if (e->to) {
        add_record(w, 10, e->in, name_of(e->name));
        add_record(w, 12, e->into, name_of(e->to));
    } else {
        add_record(w, 2, e->in, e->name);
    }
    if (e->object)
        add_record(w, 1, e->object, NULL);
    head.len = (uint32_t)(w->len - at);
    memcpy(w->bytes + at, &head, sizeof(head));
}

/* ---- what is emitted ---- */

static char emitted[512];

static void say(struct bytes path)
{
    size_t n = strlen(emitted);

    if (bytes_equal(path, top) || !bytes_path_covers(top, path)) {
        snprintf(emitted + n, sizeof(emitted) - n, " %s", bytes_equal(path, top) ? "." : "elsewhere");
        return;
    }
    path = (struct bytes){ path.data + top.len, path.len - top.len };
    snprintf(emitted + n, sizeof(emitted) - n, " %.*s", (int)path.len - 1, path.data + 1);
}

static void keep(void *data, struct event *e)
{
    size_t n = strlen(emitted);

    (void)data;
    snprintf(emitted + n, sizeof(emitted) - n, "%s%s%s%s", n ? ", " : "", e->path_presumed ? "?" : "", e->operation_presumed ? "~" : "",
             operation_info(e->operation)->name);
    assert_int_equal(e->path_presumed, bytes_starts_with(e->note, bytes_of("one of the file's names")));
    if (e->previous_path.len)
        say(e->previous_path);
    say(e->path);
    event_free(e);
}

/* ---- the disk and the index ---- */

static void make(int folder, const char *names)
{
    char name[64];
    int n;

    for (; sscanf(names, "%63s%n", name, &n) == 1; names += n) {
        size_t len = strlen(name);

        if (name[len - 1] == '/')
            assert_int_equal(mkdirat(folder, name, 0755), 0);
        else
            close(openat(folder, name, O_WRONLY | O_CREAT, 0644));
    }
}

static void give_handles(struct sensor *s, struct fanotify_object *o, const char *names)
{
    struct fanotify_handle handle = { .fsid = FSID, .type = 1 };
    struct fanotify_user user = { o, tree_root(o->tree), false }, above = { o, 0, true };
    char name[64], letters[8];
    int n;

    handle.data = (struct bytes){ letters, sizeof(letters) };
    memset(letters, '/', sizeof(letters));
    assert_int_equal(fanotify_handles_add(s->handles, &handle, &user), 0);
    memset(letters, '^', sizeof(letters));
    for (size_t i = 1; i < top.len; i++)
        above.directory += top.data[i] == '/';
    assert_int_equal(fanotify_handles_add(s->handles, &handle, &above), 0);
    for (; sscanf(names, "%63s%n", name, &n) == 1; names += n) {
        size_t len = strlen(name);

        if (name[len - 1] != '/')
            continue;
        user.directory = tree_object_of(o->tree, tree_find_path(o->tree, (struct bytes){ name, len - 1 }));
        assert_true(user.directory);
        memset(letters, name[len - 2], sizeof(letters));
        assert_int_equal(fanotify_handles_add(s->handles, &handle, &user), 0);
    }
}

static void empty(const char *folder)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s/*", folder);
    assert_int_equal(system(command), 0);
}

struct scene {
    struct sensor s;
    struct fanotify_object o;
    char folder[40];
    int in;
};

static void begin(struct scene *x, const struct row *row)
{
    struct sensor *s = &x->s;
    int ends[2];

    strcpy(x->folder, "/tmp/culprit-stream.XXXXXX");
    assert_non_null(mkdtemp(x->folder));
    top = bytes_of(x->folder);
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC | O_DIRECT), 0); /* packets: one read, one buffer */
    s->group = ends[0];
    x->in = ends[1];
    s->features.target = s->features.rename = true;
    s->options.sink.event = keep;
    s->handles = fanotify_handles_new();
    s->fold = fanotify_fold_new();
    s->found = fanotify_found_new();
    s->gone = fanotify_gone_new();
    s->queue = fanotify_queue_new();
    s->made = fanotify_made_new();
    s->young = fanotify_young_new();
    s->restless = fanotify_restless_new();
    s->writes = fanotify_writes_new();
    s->unexplained = fanotify_unexplained_new();
    s->objects = &x->o;
    x->o = (struct fanotify_object){ .sensor = s, .wanted = { .id = 1, .path = top, .host_path = top }, .parent = top, .directory_fd = -1, .pidfd = -1 };
    x->o.root_fd = open(x->folder, O_RDONLY | O_DIRECTORY);
    make(x->o.root_fd, row->before);
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &x->o.tree, NULL), 0);
    assert_int_equal(tree_set_root(x->o.tree, x->o.root_fd, NULL), 0);
    while (tree_is_walking(x->o.tree))
        assert_true(tree_walk(x->o.tree, 0, NULL, NULL, NULL) >= 0);
    give_handles(s, &x->o, row->before);
    empty(x->folder);
    make(x->o.root_fd, row->after);
}

static void end(struct scene *x)
{
    struct sensor *s = &x->s;

    fanotify_unexplained_free(s->unexplained);
    fanotify_writes_free(s->writes);
    fanotify_restless_free(s->restless);
    fanotify_young_free(s->young);
    fanotify_made_free(s->made);
    fanotify_queue_free(s->queue);
    fanotify_gone_free(s->gone);
    fanotify_found_free(s->found);
    fanotify_fold_free(s->fold);
    fanotify_handles_free(s->handles);
    tree_free(x->o.tree);
    close(x->o.root_fd);
    if (x->o.directory_fd >= 0)
        close(x->o.directory_fd);
    close(s->group);
    close(x->in);
    empty(x->folder);
    assert_int_equal(rmdir(x->folder), 0);
}

static void handle_all(struct sensor *s)
{
    struct fanotify_cause when;
    struct fanotify_event e;
    struct bytes rest;

    while (fanotify_queue_next(s, &rest, &when) > 0) {
        while (rest.len) {
            assert_int_equal(fanotify_decode(rest, &e, NULL), 0);
            rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
            when.pid = e.pid;
            when.in_turn = true;
            fanotify_queue_begin(s, &e, rest);
            fanotify_handle_event(s, &e, &when);
            fanotify_queue_end(s, &e);
        }
        fanotify_queue_done(s);
    }
    fanotify_late_gone(s);
    fanotify_fold_flush(s, true);
}

/* in_one: all in one buffer; else each in its own, so that what follows must be read ahead. */
static void play(const struct row *row, bool in_one)
{
    struct scene *x = calloc(1, sizeof(*x));
    struct wire w = { 0 };

    assert_non_null(x);
    begin(x, row);
    emitted[0] = '\0';
    for (const struct stream_event *e = row->events; e->mask; e++) {
        write_event(&w, e);
        if (in_one && e[1].mask)
            continue;
        assert_int_equal(write(x->in, w.bytes, w.len), w.len);
        w.len = 0;
    }
    handle_all(&x->s);
    assert_string_equal(emitted, row->emitted);
    end(x);
    free(x);
}

static void emitted_as_known(void **state)
{
    play(*state, true);
    play(*state, false);
}

/* ---- a young directory: the layer's events first, then the overlay's of the same (young.h) ---- */

static const struct fanotify_layer_key key = { .layer_fsid = FSID, .fsid = FSID + 1, .head = "\0\0\0" "\0\xfb\0\x04\0" "UUUUUUUUUUUUUUUU" };

/* In the overlay's terms; its own, not one that was made of the layer's. */
static struct fanotify_event as_overlay(const struct wire *layer, struct wire *ret)
{
    struct fanotify_event e;
    uint64_t mask;

    assert_int_equal(fanotify_decode((struct bytes){ layer->bytes, layer->len }, &e, NULL), 0);
    mask = e.mask;
    ret->len = fanotify_layer_translate(&key, &e, ret->bytes, sizeof(ret->bytes));
    memcpy(ret->bytes + offsetof(struct fanotify_event_metadata, mask), &mask, sizeof(mask));
    assert_int_equal(fanotify_decode((struct bytes){ ret->bytes, ret->len }, &e, NULL), 0);
    return e;
}

static const struct row young[] = {
    { "exchanged", "a b", "a b", { { RENAME, 'Q', "a", 'x', "b", 'Q' }, { RENAME, 'Q', "b", 'y', "a", 'Q' } }, "rename a b, rename b a" },
    { "renamed over", "a b", "b", { { RENAME, 'Q', "a", 'x', "b", 'Q' } }, "rename a b, replace b" },
    { "comes and goes", "", "", { { FAN_CREATE | FAN_DELETE, 'Q', "f", 'f' } }, "~create f, unlink f" },
};

static void emitted_once(void **state)
{
    struct scene *x = calloc(1, sizeof(*x));
    const struct row *row = *state;
    struct wire w = { 0 }, overlay = { 0 };
    struct fanotify_event e;
    uint32_t root;

    assert_non_null(x);
    begin(x, row);
    root = tree_root(x->o.tree);
    write_event(&w, &row->events[0]);
    e = as_overlay(&w, &overlay);
    assert_true(fanotify_young_know(x->s.young, &key));
    assert_int_equal(fanotify_handles_add(x->s.handles, row->events[0].to ? &e.from.directory : &e.at.directory, &(struct fanotify_user){ &x->o, root, false }), 0);
    assert_true(fanotify_young_add(&x->o, root, row->events[0].to ? &e.from.directory : &e.at.directory, -1));
    emitted[0] = '\0';
    for (int of_overlay = 0; of_overlay < 2; of_overlay++)
        for (const struct stream_event *s = row->events; s->mask; s++) {
            w.len = 0;
            write_event(&w, s);
            if (of_overlay)
                (void)as_overlay(&w, &overlay);
            assert_true(write(x->in, of_overlay ? overlay.bytes : w.bytes, of_overlay ? overlay.len : w.len) > 0);
        }
    handle_all(&x->s);
    assert_string_equal(emitted, row->emitted);
    fanotify_young_remove(&x->o, root);
    end(x);
    free(x);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_SIZE(rows)];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = emitted_as_known, .initial_state = (void *)&rows[i] };
    return cmocka_run_group_tests(tests, NULL, NULL) + RUN_ROWS(young, emitted_once);
}
