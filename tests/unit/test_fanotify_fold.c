/* SPDX-License-Identifier: MIT */
/* Observations of a change by an overlay and by the layer behind it, in every order that a kernel and a busy machine bring
 * them in: each change comes out once, and two changes come out twice. */
#include "sensor/fanotify/fold.h"
#include "sensor/fanotify/state.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "event/operation.h"

#define UPPER "/var/layer/diff/prd"
#define STEPS 8

enum { NOTHING, MERGED, LAYER, EMITTED, EMPTY }; /* EMITTED: all that waits goes out. EMPTY: the kernel's queue is */

static const struct row {
    const char *name;
    struct step {
        int what;
        enum operation operation;
        const char *path, *previous; /* below the watched folder; "=/x": outside, as this view writes it */
        int64_t ctime;
        pid_t pid;
    } steps[STEPS];
    const char *emitted; /* views of what came out: M, U */
} rows[] = {
    { "the layer's waits for the overlay's", { { LAYER, OPERATION_UNLINK, "/f" }, { MERGED, OPERATION_UNLINK, "/f" } }, "M" },
    { "the layer's was told before the overlay's came",
      { { LAYER, OPERATION_UNLINK, "/f" }, { EMITTED }, { MERGED, OPERATION_UNLINK, "/f" } }, "U" },
    { "the same, after the queue was empty",
      { { LAYER, OPERATION_UNLINK, "/f" }, { EMITTED }, { EMPTY }, { MERGED, OPERATION_UNLINK, "/f" } }, "U" },
    { "the kernel joined the overlay's with an earlier one",
      { { MERGED, OPERATION_UNLINK, "/f" }, { LAYER, OPERATION_UNLINK, "/f" } }, "M" },
    { "the same, told in between", { { MERGED, OPERATION_UNLINK, "/f" }, { EMITTED }, { LAYER, OPERATION_UNLINK, "/f" } }, "M" },
    { "after the overlay's, the queue empty: somebody did it to the layer",
      { { MERGED, OPERATION_UNLINK, "/f" }, { EMITTED }, { EMPTY }, { LAYER, OPERATION_UNLINK, "/f" } }, "MU" },
    { "made and deleted, made and deleted, all late",
      { { LAYER, OPERATION_CREATE, "/f" }, { LAYER, OPERATION_UNLINK, "/f" }, { EMITTED }, { MERGED, OPERATION_CREATE, "/f" },
        { MERGED, OPERATION_UNLINK, "/f" }, { LAYER, OPERATION_CREATE, "/f" }, { EMITTED }, { MERGED, OPERATION_CREATE, "/f" } }, "UUU" },
    { "to the layer directly, then through the overlay",
      { { LAYER, OPERATION_CHMOD, "/f" }, { EMITTED }, { LAYER, OPERATION_CHMOD, "/f" }, { MERGED, OPERATION_CHMOD, "/f" } }, "UM" },
    { "another process", { { LAYER, OPERATION_UNLINK, "/f" }, { EMITTED }, { MERGED, OPERATION_UNLINK, "/f", .pid = 8 } }, "UM" },
    { "another file", { { LAYER, OPERATION_UNLINK, "/f" }, { EMITTED }, { MERGED, OPERATION_UNLINK, "/g" } }, "UM" },
    { "another change", { { LAYER, OPERATION_CHMOD, "/f" }, { EMITTED }, { MERGED, OPERATION_UNLINK, "/f" } }, "UM" },
    { "closed: the overlay says so first", { { MERGED, OPERATION_WRITE, "/f", .ctime = 5 }, { EMITTED }, { EMPTY }, { LAYER, OPERATION_WRITE, "/f", .ctime = 5 } }, "M" },
    { "written through the overlay, then to the layer directly",
      { { MERGED, OPERATION_WRITE, "/f", .ctime = 5 }, { EMITTED }, { LAYER, OPERATION_WRITE, "/f", .ctime = 6 } }, "MU" },
    { "renamed, told late", { { LAYER, OPERATION_RENAME, "/b", "/a" }, { EMITTED }, { MERGED, OPERATION_RENAME, "/b", "/a" } }, "U" },
    { "renamed out of it, told late",
      { { LAYER, OPERATION_RENAME, "=/var/layer/diff/o", "/a" }, { EMITTED }, { MERGED, OPERATION_RENAME, "=/o", "/a" } }, "U" },
    { "renamed twice, told late",
      { { LAYER, OPERATION_RENAME, "/b", "/a" }, { EMITTED }, { MERGED, OPERATION_RENAME, "/b", "/a" },
        { LAYER, OPERATION_RENAME, "/c", "/b" }, { EMITTED }, { MERGED, OPERATION_RENAME, "/c", "/b" } }, "UU" },
};

static char emitted[STEPS + 1];

static void keep(void *data, struct event *e)
{
    size_t n = strlen(emitted);

    (void)data;
    emitted[n] = e->object == 1 ? 'M' : 'U';
    event_free(e);
}

static void set_path(struct event *e, struct bytes *field, const struct fanotify_object *o, const char *below)
{
    char path[128];

    if (!below)
        return;
    snprintf(path, sizeof(path), "%.*s%s", (int)o->wanted.path.len, o->wanted.path.data, below);
    event_set(e, field, bytes_of(*below == '=' ? below + 1 : path));
}

static void add(struct fanotify_object *o, const struct step *step)
{
    struct event *e = event_new();

    e->operation = step->operation;
    e->object = o->wanted.id;
    e->actor.pid = step->pid ? step->pid : 7;
    set_path(e, &e->path, o, step->path);
    set_path(e, &e->previous_path, o, step->previous);
    if (step->ctime) {
        e->file.known = FILE_CTIME;
        e->file.ctime_ns = step->ctime;
    }
    fanotify_fold_add(o, e, &(struct fanotify_cause){ .in_turn = true });
}

static void once(void **state)
{
    const struct row *row = *state;
    struct sensor *s = calloc(1, sizeof(*s));
    struct fanotify_object upper = { .sensor = s, .wanted = { .id = 2, .view = VIEW_UPPER, .group = 1, .path = bytes_of(UPPER) } };
    struct fanotify_object merged = { .next = &upper, .sensor = s,
                                      .wanted = { .id = 1, .view = VIEW_MERGED, .group = 1, .path = bytes_of("/prd") } };

    s->objects = &merged;
    s->options.sink.event = keep;
    s->fold = fanotify_fold_new();
    memset(emitted, 0, sizeof(emitted));
    for (unsigned i = 0; i < STEPS && row->steps[i].what != NOTHING; i++) {
        const struct step *step = &row->steps[i];

        if (step->what == EMITTED)
            fanotify_fold_flush(s, true);
        else if (step->what == EMPTY)
            fanotify_fold_emptied(s);
        else
            add(step->what == MERGED ? &merged : &upper, step);
    }
    fanotify_fold_flush(s, true);
    assert_string_equal(emitted, row->emitted);
    fanotify_fold_free(s->fold);
    free(s);
}

int main(void)
{
    return RUN_ROWS(rows, once);
}
