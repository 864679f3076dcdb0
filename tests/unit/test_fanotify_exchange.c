/* SPDX-License-Identifier: MIT */
/* Two names that change places: two events, emitted as two renames and no replacement, however late they are read. */
#include "sensor/fanotify/decode.h"
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/found.h"
#include "sensor/fanotify/gone.h"
#include "sensor/fanotify/handles.h"
#include "sensor/fanotify/made.h"
#include "sensor/fanotify/moved.h"
#include "sensor/fanotify/queue.h"
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/unexplained.h"
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "event/operation.h"
#include "sensor/fanotify/rename.h"

/* FAN_RENAME with both names and the file's own handle; every name is in the directory "HHHHHHHH" */
#define FSID "\x01\x02\x03\x04\x05\x06\x07\x08"
#define META(pid) "\x74\0\0\0" "\x03" "\0" "\x18\0" "\0\0\0\x10\0\0\0\0" "\xff\xff\xff\xff" pid "\0\0\0"
#define NAMED(type, name) type "\0" "\x20\0" FSID "\x08\0\0\0" "\x01\0\0\0" "HHHHHHHH" name "\0\0"
#define FILE_OF(file) "\x01\0" "\x1c\0" FSID "\x08\0\0\0" "\x01\0\0\0" "FFFFFFF" file
#define MOVE(pid, from, to, file) META(pid) NAMED("\x0a", from) NAMED("\x0c", to) FILE_OF(file)

static const struct row {
    const char *name;
    struct bytes in;
    const char *files; /* of these names, which the index knows; all are gone from the disk. "1=2": two names of one file */
    const char *emitted;  /* operations and names, one after the other */
} rows[] = {
    { "both known", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "2")), "12", "rename f1 f2, rename f2 f1, " },
    { "neither known", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "2")), "", "rename f1 f2, rename f2 f1, " },
    { "one known", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "2")), "1", "rename f1 f2, rename f2 f1, " },
    { "the other known", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "2")), "2", "rename f1 f2, rename f2 f1, " },
    { "what others do elsewhere stands between them, both known",
      BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\6", "f8", "f9", "8") MOVE("\7", "f2", "f1", "2")), "128",
      "rename f1 f2, rename f8 f9, rename f2 f1, " },
    { "the same, neither known", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\6", "f8", "f9", "8") MOVE("\7", "f2", "f1", "2")), "8",
      "rename f1 f2, rename f8 f9, rename f2 f1, " },
    { "what others do with these names stands between them: no exchange",
      BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\6", "f2", "f9", "1") MOVE("\7", "f2", "f1", "2")), "12",
      "rename f1 f2, replace f2, rename f2 f9, rename f2 f1, " },
    { "over another, and back again", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "1")), "12",
      "rename f1 f2, replace f2, rename f2 f1, " },
    { "the way back is another process's", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\6", "f2", "f1", "2")), "12",
      "rename f1 f2, replace f2, rename f2 f1, " },
    { "there again over another, which is one event with the first time, and back again: it does not replace itself",
      BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f2", "f1", "1") MOVE("\7", "f3", "f2", "3") MOVE("\7", "f2", "f1", "1")), "13",
      "rename f1 f2, rename f2 f1, rename f3 f2, rename f2 f1, " },
    { "over another, which stays there", BYTES(MOVE("\7", "f1", "f2", "1") MOVE("\7", "f3", "f1", "3") MOVE("\7", "f2", "f1", "1")), "13",
      "rename f1 f2, rename f3 f1, rename f2 f1, replace f1, " },
    { "what was looked at under both names, since the move before was one event with an earlier one: it does not replace itself",
      BYTES(MOVE("\7", "f2", "f1", "1")), "1=2", "rename f2 f1, " },
    { "over another", BYTES(MOVE("\7", "f1", "f2", "1")), "12", "rename f1 f2, replace f2, " },
};

static char emitted[256];

static void keep(void *data, struct event *e)
{
    struct bytes from = bytes_basename(e->previous_path), to = bytes_basename(e->path);
    size_t n = strlen(emitted);

    (void)data;
    snprintf(emitted + n, sizeof(emitted) - n, "%s %.*s%s%.*s, ", operation_info(e->operation)->name, (int)from.len, from.len ? from.data : "",
             from.len ? " " : "", (int)to.len, to.data);
    event_free(e);
}

static void fill(struct fanotify_object *o, const char *files)
{
    char folder[] = "/tmp/culprit-exchange.XXXXXX", path[64], other[64];

    assert_non_null(mkdtemp(folder));
    for (const char *f = files; *f; f++) {
        snprintf(path, sizeof(path), "%s/f%c", folder, *f);
        if (*f != '=' && f > files && f[-1] == '=') {
            snprintf(other, sizeof(other), "%s/f%c", folder, f[-2]);
            assert_int_equal(link(other, path), 0);
        } else if (*f != '=') {
            close(open(path, O_WRONLY | O_CREAT, 0644));
        }
    }
    o->root_fd = open(folder, O_RDONLY | O_DIRECTORY);
    assert_int_equal(tree_new(&(struct tree_options){ 0 }, &o->tree, NULL), 0);
    assert_int_equal(tree_set_root(o->tree, o->root_fd, NULL), 0);
    assert_int_equal(tree_walk(o->tree, 0, NULL, NULL, NULL), 0);
    for (const char *f = files; *f; f++) {
        snprintf(path, sizeof(path), "%s/f%c", folder, *f);
        assert_int_equal(*f == '=' ? 0 : unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void handle_all(struct sensor *s, struct bytes rest)
{
    struct fanotify_event e;

    while (rest.len) {
        assert_int_equal(fanotify_decode(rest, &e, NULL), 0);
        rest = (struct bytes){ rest.data + e.len, rest.len - e.len };
        fanotify_queue_begin(s, &e, rest);
        fanotify_rename(s, &e, &(struct fanotify_cause){ .pid = e.pid });
    }
}

static void once(void **state)
{
    const struct row *row = *state;
    struct sensor *s = calloc(1, sizeof(*s));
    struct fanotify_object o = { .sensor = s, .wanted = { .id = 1, .path = bytes_of("/w") }, .parent = bytes_of("/w"), .directory_fd = -1, .pidfd = -1 };
    struct fanotify_handle directory = { .fsid = 0x0807060504030201ull, .type = 1, .data = bytes_of("HHHHHHHH") };

    assert_non_null(s);
    fill(&o, row->files);
    s->objects = &o;
    s->options.sink.event = keep;
    s->handles = fanotify_handles_new();
    s->fold = fanotify_fold_new();
    s->found = fanotify_found_new();
    s->gone = fanotify_gone_new();
    s->queue = fanotify_queue_new();
    s->made = fanotify_made_new();
    s->restless = fanotify_restless_new();
    s->unexplained = fanotify_unexplained_new();
    assert_int_equal(fanotify_handles_add(s->handles, &directory, &(struct fanotify_user){ &o, tree_root(o.tree), false }), 0);
    emitted[0] = '\0';
    handle_all(s, row->in);
    fanotify_fold_flush(s, true);
    assert_string_equal(emitted, row->emitted);
    fanotify_made_free(s->made);
    fanotify_restless_free(s->restless);
    fanotify_unexplained_free(s->unexplained);
    fanotify_gone_free(s->gone);
    fanotify_queue_free(s->queue);
    fanotify_found_free(s->found);
    fanotify_fold_free(s->fold);
    fanotify_handles_free(s->handles);
    tree_free(o.tree);
    close(o.root_fd);
    free(s);
}

int main(void)
{
    return RUN_ROWS(rows, once);
}
