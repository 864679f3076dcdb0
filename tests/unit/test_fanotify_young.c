/* SPDX-License-Identifier: MIT */
/* Of an overlay's events and its layer's: which are taken, by the age of the directories that they are in. */
#include "sensor/fanotify/state.h"
#include "sensor/fanotify/young.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>

#define LAYER 5
#define OVERLAY 9

static const struct fanotify_layer_key key = { .layer_fsid = LAYER, .fsid = OVERLAY, .head = "\0\0\0" "\0\xfb\0\x04\0" "UUUUUUUUUUUUUUUU" };

/* in, into: the directories, 'y' and 'z' are young, 'o' is not, 'e' is not watched */
static const struct row {
    const char *name;
    uint64_t mask;
    char in, into;
    uint64_t of_layer, of_overlay; /* what is taken of both; 0: nothing */
} rows[] = {
    { "made in a young one", FAN_CREATE, 'y', 0, FAN_CREATE, 0 },
    { "a folder made there", FAN_CREATE | FAN_ONDIR, 'y', 0, FAN_CREATE | FAN_ONDIR, 0 },
    { "made and written there", FAN_CREATE | FAN_MODIFY, 'y', 0, FAN_CREATE | FAN_MODIFY, FAN_MODIFY },
    { "written there", FAN_MODIFY, 'y', 0, 0, FAN_MODIFY },
    { "made in an older one", FAN_CREATE, 'o', 0, 0, FAN_CREATE },
    { "made elsewhere", FAN_CREATE, 'e', 0, 0, FAN_CREATE },
    { "attributes in a young one", FAN_ATTRIB, 'y', 0, FAN_ATTRIB, 0 },
    { "of a young one itself: the overlay has marks of its own there", FAN_ATTRIB | FAN_ONDIR, '.', 0, 0, FAN_ATTRIB | FAN_ONDIR },
    { "renamed from a young one to another", FANOTIFY_RENAME, 'y', 'z', FANOTIFY_RENAME, 0 },
    { "within one", FANOTIFY_RENAME, 'z', 'z', FANOTIFY_RENAME, 0 },
    { "from a young one to an older one", FANOTIFY_RENAME, 'y', 'o', 0, FANOTIFY_RENAME },
    { "from an older one to a young one", FANOTIFY_RENAME, 'o', 'y', 0, FANOTIFY_RENAME },
    { "from a young one to one that was copied up: the layer's handle of it is not the overlay's", FANOTIFY_RENAME, 'y', 'e', 0, FANOTIFY_RENAME },
    { "from elsewhere", FANOTIFY_RENAME, 'e', 'y', 0, FANOTIFY_RENAME },
};

static struct fanotify_event event_of(const struct row *row, const char *from, const char *to)
{
    struct fanotify_handle in = { .fsid = LAYER, .type = 1, .data = { from, 8 } };
    struct fanotify_event e = { .mask = row->mask, .pid = 5, .pidfd = -1 };

    if (!row->into) {
        e.at = (struct fanotify_place){ in, bytes_of(row->in == '.' ? "." : "f") };
        return e;
    }
    e.from = (struct fanotify_place){ in, bytes_of("f") };
    in.data.data = to;
    e.to = (struct fanotify_place){ in, bytes_of("g") };
    return e;
}

/* The overlay's handle of that directory. */
static struct fanotify_handle handle_of(char letter, char out[512])
{
    char letters[8];
    struct fanotify_event e = { .at = { { .fsid = LAYER, .type = 1, .data = { letters, 8 } }, bytes_of("f") } };

    memset(letters, letter, sizeof(letters));
    assert_int_equal(fanotify_decode((struct bytes){ out, fanotify_layer_translate(&key, &e, out, 512) }, &e, NULL), 0);
    return e.at.directory;
}

/* What the overlay does not say of a rename into a directory without a mark. */
static void completes(struct sensor *s, const struct row *row, struct fanotify_event *overlay)
{
    bool out = row->in == 'y';
    struct fanotify_place whole = out ? overlay->from : overlay->to, *missing = out ? &overlay->from : &overlay->to;

    *missing = (struct fanotify_place){ 0 };
    overlay->pid++; /* of another process it says nothing */
    assert_true(fanotify_young_take(s, overlay, NULL));
    assert_null(missing->name.data);
    overlay->pid--;
    assert_true(fanotify_young_take(s, overlay, NULL));
    assert_true(bytes_equal(missing->name, whole.name) && bytes_equal(missing->directory.data, whole.directory.data));
}

/* What the layer removes from the young side before the call has come to its end. */
static void whiteout_is_nothing(struct sensor *s, const struct fanotify_event *rename)
{
    struct fanotify_event gone = *rename;

    gone.mask = FAN_DELETE;
    gone.at = fanotify_handles_next(s->handles, &rename->from.directory, &(uint32_t){ 0 }, &(struct fanotify_user){ 0 }) &&
              rename->from.directory.data.data[24] != 'o' ? rename->from : rename->to;
    assert_false(fanotify_young_take(s, &gone, NULL));
    gone = *rename;
    gone.mask = FAN_DELETE;
    gone.pid++;
    gone.at = (struct fanotify_place){ rename->from.directory.data.data[24] == 'y' ? rename->from.directory : rename->to.directory, bytes_of("another") };
    assert_true(fanotify_young_take(s, &gone, NULL));
}

static void takes(void **state)
{
    static struct sensor s;
    static struct fanotify_object o;
    const struct row *row = *state;
    struct fanotify_event raw, e;
    char from[8], to[8], bytes[512];
    struct bytes rest;

    memset(from, row->in == '.' ? 'y' : row->in, sizeof(from));
    memset(to, row->into, sizeof(to));
    s = (struct sensor){ .handles = fanotify_handles_new(), .young = fanotify_young_new() };
    o = (struct fanotify_object){ .sensor = &s };
    assert_true(fanotify_young_know(s.young, &key));
    assert_false(fanotify_young_know(s.young, &key));
    for (const char *letter = "yzo"; *letter; letter++) {
        struct fanotify_handle handle = handle_of(*letter, bytes);
        struct fanotify_user user = { &o, (uint32_t)*letter, false };

        assert_int_equal(fanotify_handles_add(s.handles, &handle, &user), 0);
        if (*letter != 'o')
            assert_true(fanotify_young_add(&o, user.directory, &handle, -1));
    }
    raw = event_of(row, from, to);
    rest = (struct bytes){ bytes, fanotify_layer_translate(&key, &raw, bytes, sizeof(bytes)) };
    assert_int_equal(fanotify_decode(rest, &e, NULL), 0);
    assert_true(e.from_layer);
    assert_int_equal(fanotify_young_take(&s, &e, NULL), row->of_layer != 0);
    if (row->of_layer)
        assert_int_equal(e.mask, row->of_layer);
    assert_int_equal(fanotify_decode(rest, &e, NULL), 0);
    e.from_layer = false; /* the overlay's own, of the same handles */
    assert_int_equal(fanotify_young_take(&s, &e, NULL), row->of_overlay != 0);
    if (row->of_overlay)
        assert_int_equal(e.mask, row->of_overlay);
    if (row->into && !row->of_layer) {
        assert_int_equal(fanotify_decode(rest, &e, NULL), 0);
        assert_false(fanotify_young_take(&s, &e, NULL)); /* the layer's comes first */
        whiteout_is_nothing(&s, &e);
        e.from_layer = false;
        completes(&s, row, &e);
    }
    fanotify_young_remove(&o, 'y');
    fanotify_young_remove(&o, 'y');
    fanotify_young_free(s.young);
    fanotify_handles_free(s.handles);
}

/* ---- one call after the other: what is reported of all their events ---- */

#define CALL 5

/* who: 'L' the layer, 'o' the overlay; in, into: as above, 0: the overlay does not name it; file: 0: not known */
static const struct sequence {
    const char *name;
    struct part {
        char who;
        uint64_t mask;
        char in, into;
        const char *from, *to;
        char file;
        bool reported;
        bool known; /* the side that the overlay does not name, from the layer */
    } parts[5];
} sequences[] = {
    { "out of a young one to one that is not watched, under the same name", { { 'L', FANOTIFY_RENAME, 'y', 'e', "f", "f", 'f', false },
                                                                               { 'o', FANOTIFY_RENAME, 'y', 0, "f", "f", 'f', true } } },
    { "into a young one from one that is not watched, under the same name", { { 'L', FANOTIFY_RENAME, 'e', 'y', "f", "f", 'f', false },
                                                                               { 'o', FANOTIFY_RENAME, 0, 'y', "f", "f", 'f', true } } },
    { "from a young one without a mark to one with it", { { 'L', FANOTIFY_RENAME, 'z', 'y', "f", "g", 'f', true },
                                                          { 'o', FANOTIFY_RENAME, 0, 'y', "f", "g", 'f', false } } },
    { "from a young one with a mark to one without", { { 'L', FANOTIFY_RENAME, 'z', 'y', "f", "g", 'f', true },
                                                       { 'o', FANOTIFY_RENAME, 'z', 0, "f", "g", 'f', false } } },
    { "exchanged with a whiteout", { { 'L', FANOTIFY_RENAME, 'y', 'o', "f", "g", 'f', false },
                                     { 'L', FANOTIFY_RENAME, 'o', 'y', "g", "f", 'w', false },
                                     { 'L', FAN_DELETE, 'y', 0, "f", NULL, 'w', false },
                                     { 'o', FANOTIFY_RENAME, 0, 'o', "f", "g", 'f', true, .known = true } } },
    { "there and back under the same name", { { 'L', FANOTIFY_RENAME, 'y', 'e', "f", "f", 'f', false },
                                              { 'L', FANOTIFY_RENAME, 'e', 'y', "f", "f", 'f', false },
                                              { 'o', FANOTIFY_RENAME, 0, 'y', "f", "f", 'f', true } } },
    { "a name that was left, made again and removed", { { 'L', FANOTIFY_RENAME, 'y', 'e', "f", "g", 'f', false },
                                                        { 'L', FAN_CREATE, 'y', 0, "f", NULL, 'n', true },
                                                        { 'L', FAN_DELETE, 'y', 0, "f", NULL, 'n', true } } },
    { "attributes by both, then again", { { 'L', FAN_ATTRIB, 'y', 0, "f", NULL, 'f', true },
                                          { 'o', FAN_ATTRIB, 'y', 0, "f", NULL, 'f', false },
                                          { 'L', FAN_ATTRIB, 'y', 0, "f", NULL, 'f', true },
                                          { 'o', FAN_ATTRIB, 'y', 0, "f", NULL, 'f', false } } },
    { "of a second name; the layer has the first, which is not in a young one", { { 'L', FAN_ATTRIB, 'o', 0, "f", NULL, 'f', false },
                                                                                  { 'o', FAN_ATTRIB, 'y', 0, "g", NULL, 'f', true } } },
    { "of a second name; the layer has the first, in a young one too", { { 'L', FAN_ATTRIB, 'z', 0, "f", NULL, 'f', true },
                                                                         { 'o', FAN_ATTRIB, 'y', 0, "g", NULL, 'f', false } } },
    { "of a file that was copied up, by its name", { { 'L', FAN_ATTRIB, 'y', 0, "f", NULL, 0, true }, { 'o', FAN_ATTRIB, 'y', 0, "f", NULL, 'l', false } } },
    { "of another file", { { 'L', FAN_ATTRIB, 'y', 0, "f", NULL, 'f', true }, { 'o', FAN_ATTRIB, 'y', 0, "g", NULL, 'g', true } } },
    { "made and changed in one, then changed by the overlay", { { 'L', FAN_CREATE | FAN_ATTRIB, 'y', 0, "f", NULL, 'f', true },
                                                                { 'o', FAN_CREATE | FAN_ATTRIB, 'y', 0, "f", NULL, 'f', false } } },
};

static struct fanotify_place place_of(char letter, const char *name, char handle[8])
{
    if (!letter)
        return (struct fanotify_place){ 0 };
    memset(handle, letter, 8);
    return (struct fanotify_place){ { .fsid = LAYER, .type = 1, .data = { handle, 8 } }, bytes_of(name) };
}

static struct fanotify_event part_event(const struct part *p, char out[512])
{
    struct fanotify_event e = { .mask = p->mask, .pid = CALL, .pidfd = -1 };
    char from[8], to[8], file[8];
    size_t len;

    if (p->mask & FANOTIFY_RENAME) {
        e.from = place_of(p->in, p->from, from);
        e.to = place_of(p->into, p->to, to);
    } else {
        e.at = place_of(p->in, p->from, from);
    }
    e.object = place_of(p->file, "", file).directory;
    len = fanotify_layer_translate(&key, &e, out, 512);
    assert_int_equal(fanotify_decode((struct bytes){ out, len }, &e, NULL), 0);
    e.from_layer = p->who == 'L';
    return e;
}

static void reports(void **state)
{
    static struct sensor s;
    static struct fanotify_object o;
    const struct sequence *row = *state;
    char bytes[512];

    s = (struct sensor){ .handles = fanotify_handles_new(), .young = fanotify_young_new() };
    o = (struct fanotify_object){ .sensor = &s };
    assert_true(fanotify_young_know(s.young, &key));
    for (const char *letter = "yzo"; *letter; letter++) {
        struct fanotify_handle handle = handle_of(*letter, bytes);

        assert_int_equal(fanotify_handles_add(s.handles, &handle, &(struct fanotify_user){ &o, (uint32_t)*letter, false }), 0);
        if (*letter != 'o')
            assert_true(fanotify_young_add(&o, (uint32_t)*letter, &handle, -1));
    }
    for (const struct part *p = row->parts; p->who; p++) {
        struct fanotify_event e = part_event(p, bytes);

        assert_int_equal(fanotify_young_take(&s, &e, NULL), p->reported);
        if (p->reported)
            assert_int_equal(e.mask, p->mask);
        if (p->reported && p->who == 'o' && (p->mask & FANOTIFY_RENAME)) /* a side that is not known stays so */
            assert_true((p->into || p->known) == (e.to.directory.data.data != NULL) && (p->in || p->known) == (e.from.directory.data.data != NULL));
    }
    fanotify_young_remove(&o, 'y');
    fanotify_young_remove(&o, 'z');
    fanotify_young_free(s.young);
    fanotify_handles_free(s.handles);
}

static struct fanotify_event *waiting;

static bool waits(struct sensor *s, bool (*is_that)(void *data, const struct fanotify_event *e), void *data)
{
    (void)s;
    return waiting && is_that(data, waiting);
}

/* The overlay's event of the same change waits behind the layer's, and has the name that was used. */
static void takes_the_name_that_was_used(void **state)
{
    const struct part first = { 'L', FAN_ATTRIB, 'z', 0, "f", NULL, 'f', false }, second = { 'o', FAN_ATTRIB, 'y', 0, "g", NULL, 'f', true };
    struct fanotify_young *young = fanotify_young_new();
    static struct sensor s;
    static struct fanotify_object o;
    char bytes[512], behind[512];
    struct fanotify_event e, overlay;

    (void)state;
    s = (struct sensor){ .handles = fanotify_handles_new(), .young = young };
    o = (struct fanotify_object){ .sensor = &s };
    assert_true(fanotify_young_know(young, &key));
    for (const char *letter = "yz"; *letter; letter++) {
        struct fanotify_handle handle = handle_of(*letter, bytes);

        assert_int_equal(fanotify_handles_add(s.handles, &handle, &(struct fanotify_user){ &o, (uint32_t)*letter, false }), 0);
        assert_true(fanotify_young_add(&o, (uint32_t)*letter, &handle, -1));
    }
    e = part_event(&first, bytes);
    waiting = NULL;
    assert_true(fanotify_young_take(&s, &e, waits)); /* nothing waits: another name is not known */
    e = part_event(&first, bytes);
    overlay = part_event(&second, behind);
    waiting = &overlay;
    assert_false(fanotify_young_take(&s, &e, waits));
    assert_true(fanotify_young_take(&s, &overlay, waits));
    assert_int_equal(overlay.mask, FAN_ATTRIB);
    fanotify_young_remove(&o, 'y');
    fanotify_young_remove(&o, 'z');
    fanotify_young_free(young);
    fanotify_handles_free(s.handles);
}

int main(void)
{
    const struct CMUnitTest ahead[] = { cmocka_unit_test(takes_the_name_that_was_used) };

    return RUN_ROWS(rows, takes) + RUN_ROWS(sequences, reports) + cmocka_run_group_tests(ahead, NULL, NULL);
}
