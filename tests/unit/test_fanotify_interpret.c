/* SPDX-License-Identifier: MIT */
/* fanotify: what was done, from how a file was known and how it is now. The rows are what kernels brought. */
#include "sensor/fanotify/interpret.h"
#include "test.h"

#include <stdio.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include "event/operation.h"

/* ---- a name that appeared ---- */

#define WATCH (100 * NS_PER_S)
#define EVENT (200 * NS_PER_S)

static const struct new_row {
    const char *name;
    struct fanotify_new_name n;
    enum operation operation;
} new_rows[] = {
    { "a file", { { .mode = S_IFREG, .links = 1 }, .born_real_ns = EVENT }, OPERATION_CREATE },
    { "a folder, whatever else", { { .mode = S_IFDIR, .links = 2 }, .has_other = true, .linked = true }, OPERATION_MKDIR },
    { "a symlink", { { .mode = S_IFLNK, .links = 1 } }, OPERATION_SYMLINK },
    { "a fifo", { { .mode = S_IFIFO, .links = 1 } }, OPERATION_MKNOD },
    { "a second name", { { .mode = S_IFREG, .links = 2 }, .has_other = true, .born_real_ns = EVENT }, OPERATION_LINK },
    { "a second name of a symlink", { { .mode = S_IFLNK, .links = 2 }, .has_other = true }, OPERATION_LINK },
    { "the first name is gone already", { { .mode = S_IFREG, .links = 1 }, .linked = true, .born_real_ns = EVENT }, OPERATION_LINK },
    { "the other name is outside, its birth not known", { { .mode = S_IFREG, .links = 2 } }, OPERATION_LINK },
    { "made now and linked before we looked", { { .mode = S_IFREG, .links = 2 }, .born_real_ns = EVENT }, OPERATION_CREATE },
    { "the same, in the tick before", { { .mode = S_IFREG, .links = 2 }, .born_real_ns = EVENT - FANOTIFY_STAMP_NS }, OPERATION_CREATE },
    { "two names, made since the watch but before the event", { { .mode = S_IFREG, .links = 2 }, .born_real_ns = EVENT - NS_PER_S }, OPERATION_LINK },
    { "the same, where its handle would be known", { { .mode = S_IFREG, .links = 2 }, .by_handle = true, .born_real_ns = EVENT - NS_PER_S }, OPERATION_CREATE },
    { "older than the watch: a second name, also where the first is gone",
      { { .known = FILE_CTIME, .mode = S_IFREG, .links = 1, .ctime_ns = EVENT }, .born_real_ns = WATCH - NS_PER_S }, OPERATION_LINK },
    { "the clock was set back: it seems older, and was made by its last change",
      { { .known = FILE_CTIME, .mode = S_IFREG, .links = 1, .ctime_ns = WATCH - NS_PER_S }, .born_real_ns = WATCH - NS_PER_S }, OPERATION_CREATE },
};

static void new_names(void **state)
{
    const struct new_row *row = *state;
    struct fanotify_new_name n = row->n;

    n.watch_real_ns = WATCH;
    n.from_real_ns = EVENT;
    assert_string_equal(operation_info(fanotify_interpret_new(&n))->name, operation_info(row->operation)->name);
}

static const struct linked_row {
    const char *name;
    uint64_t marked, born;
    bool may;
} linked[] = {
    { "all was seen there", 0, EVENT, false },
    { "made after the mark", EVENT, EVENT + NS_PER_S, false },
    { "in the tick of the mark", EVENT, EVENT + FANOTIFY_STAMP_NS, true },
    { "older than the mark", EVENT, EVENT - NS_PER_S, true },
    { "its birth is not known", EVENT, 0, true },
};

static void linked_names(void **state)
{
    const struct linked_row *row = *state;
    struct fanotify_new_name n = { .marked_real_ns = row->marked, .born_real_ns = row->born };

    assert_int_equal(fanotify_may_be_linked(&n), row->may);
}

/* ---- contents ---- */

#define KNOWN (FILE_SIZE | FILE_MODE | FILE_MTIME)
#define SIZE(s, m) { .known = KNOWN, .mode = S_IFREG, .size = s, .mtime_ns = m }
#define GONE { 0 }

static const struct contents_row {
    const char *name;
    uint64_t mask;
    struct file_state before, after;
    struct fanotify_writer w;
    const char *changes; /* with the size before, ? = not known */
    enum fanotify_after then;
    bool times_set, another;
} contents[] = {
    { "opened and closed", FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(5, 1), { 0 }, "open-write 5, ", FANOTIFY_FORGET },
    { "written and closed, in one event", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(9, 2), { 0 }, "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "written", FAN_MODIFY, SIZE(5, 1), SIZE(9, 2), { 0 }, "", FANOTIFY_REMEMBER },
    { "then closed", FAN_CLOSE_WRITE, SIZE(9, 2), SIZE(9, 2), { .known = true, .written = true, .dirty = true, .size_known = true, .size = 5 },
      "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "told while it was open, then closed", FAN_CLOSE_WRITE, SIZE(9, 2), SIZE(9, 2), { .known = true, .written = true, .emitted = true, .size_known = true, .size = 9 },
      "", FANOTIFY_FORGET },
    { "the same, written in between", FAN_CLOSE_WRITE, SIZE(9, 2), SIZE(12, 3),
      { .known = true, .written = true, .dirty = true, .emitted = true, .size_known = true, .size = 9 }, "write 9, ", FANOTIFY_FORGET },
    { "stored through a mapping, which is not told", FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(5, 2), { 0 }, "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "its time set before it was closed", FAN_CLOSE_WRITE | FAN_ATTRIB, SIZE(5, 1), SIZE(5, 2), { 0 }, "open-write 5, ", FANOTIFY_FORGET },
    { "made and closed, empty", FAN_CREATE | FAN_CLOSE_WRITE, GONE, SIZE(0, 1), { 0 }, "", FANOTIFY_FORGET },
    { "made, written and closed", FAN_CREATE | FAN_MODIFY | FAN_CLOSE_WRITE, GONE, SIZE(7, 1), { 0 }, "write 0, ", FANOTIFY_FORGET },
    { "made, written and closed, in three events", FAN_CLOSE_WRITE, SIZE(7, 1), SIZE(7, 1),
      { .known = true, .made = true, .written = true, .dirty = true, .size_known = true }, "write 0, ", FANOTIFY_FORGET },
    { "made, and closed by its maker", FAN_CLOSE_WRITE, SIZE(0, 1), SIZE(0, 1), { .known = true, .made = true, .size_known = true }, "", FANOTIFY_FORGET },
    { "made and written, to a name that had another file", FAN_CREATE | FAN_MODIFY, SIZE(5, 1), SIZE(7, 2), { 0 }, "", FANOTIFY_REMEMBER, .another = true },
    { "made, written, closed and gone", FAN_CREATE | FAN_MODIFY | FAN_CLOSE_WRITE, GONE, GONE, { 0 }, "write ?, ", FANOTIFY_NOTHING },
    { "closed when its name was gone", FAN_CLOSE_WRITE, GONE, GONE, { 0 }, "", FANOTIFY_NOTHING },
    { "written and gone", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), GONE, { 0 }, "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "written, not closed, gone", FAN_MODIFY, SIZE(5, 1), GONE, { 0 }, "", FANOTIFY_NOTHING },
    { "truncated", FAN_MODIFY, SIZE(5, 1), SIZE(0, 2), { 0 }, "truncate 5, ", FANOTIFY_NOTHING },
    { "truncated to a size, or opened with O_TRUNC and written", FAN_MODIFY, SIZE(5, 1), SIZE(2, 2), { 0 }, "truncate 5, ", FANOTIFY_CUT },
    { "then closed, not written since it was looked at", FAN_CLOSE_WRITE, SIZE(2, 2), SIZE(2, 2), { .known = true, .cut = true, .size_known = true, .size = 5 },
      "open-write 5, write? 5, ", FANOTIFY_FORGET },
    { "then written", FAN_MODIFY, SIZE(2, 2), SIZE(3, 3), { .known = true, .cut = true, .size_known = true, .size = 5 }, "", FANOTIFY_REMEMBER },
    { "then written and closed", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(2, 2), SIZE(3, 3), { .known = true, .cut = true, .size_known = true, .size = 5 },
      "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "then emptied and closed", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(2, 2), SIZE(0, 3), { .known = true, .cut = true, .size_known = true, .size = 5 },
      "truncate 2, open-write 5, ", FANOTIFY_FORGET },
    { "then closed, and gone", FAN_CLOSE_WRITE, SIZE(2, 2), GONE, { .known = true, .cut = true, .size_known = true, .size = 5 }, "open-write 5, ", FANOTIFY_FORGET },
    { "written, cut, and then closed", FAN_CLOSE_WRITE, SIZE(2, 2), SIZE(2, 2),
      { .known = true, .written = true, .dirty = true, .cut = true, .size_known = true, .size = 5 }, "open-write 5, write 5, ", FANOTIFY_FORGET },
    { "emitted while it was open, then cut, and closed", FAN_CLOSE_WRITE, SIZE(2, 2), SIZE(2, 2),
      { .known = true, .written = true, .emitted = true, .cut = true, .size_known = true, .size = 5 }, "", FANOTIFY_FORGET },
    { "opened with O_TRUNC and closed", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(0, 2), { 0 }, "truncate 5, open-write 5, ", FANOTIFY_FORGET },
    { "opened with O_TRUNC, written less and closed", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(2, 2), { 0 },
      "truncate 5, open-write 5, write? 5, ", FANOTIFY_FORGET },
    { "written before, then cut and closed", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(2, 2),
      { .known = true, .written = true, .dirty = true, .size_known = true, .size = 5 }, "truncate 5, open-write 5, write 5, ", FANOTIFY_FORGET },
    { "a time was set, which some kernels tell as a modification", FAN_MODIFY, SIZE(5, 1), SIZE(5, 2), { 0 }, "utime ?, ", FANOTIFY_NOTHING, .times_set = true },
    { "written, and then a time was set", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(9, 2), { 0 }, "open-write 5, write 5, utime ?, ", FANOTIFY_FORGET, .times_set = true },
    { "made, written, and a time was set: as its maker left it", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(0, 1), SIZE(9, 2), { .known = true, .made = true, .size_known = true },
      "write 0, ", FANOTIFY_FORGET, .times_set = true },
    { "attributes were changed too, which are emitted by themselves", FAN_MODIFY | FAN_ATTRIB | FAN_CLOSE_WRITE, SIZE(5, 1), SIZE(9, 2), { 0 },
      "open-write 5, write 5, ", FANOTIFY_FORGET, .times_set = true },
    { "shorter, but another file", FAN_MODIFY, SIZE(5, 1), SIZE(2, 2), { 0 }, "", FANOTIFY_REMEMBER, .another = true },
    { "no regular file", FAN_MODIFY | FAN_CLOSE_WRITE, SIZE(5, 1), { .known = KNOWN, .mode = S_IFIFO }, { 0 }, "", FANOTIFY_NOTHING },
};

static void changed_contents(void **state)
{
    const struct contents_row *row = *state;
    struct tree_change change = { .same_object = !row->another, .before = row->before, .after = row->after };
    struct fanotify_contents c;
    char got[128] = "";

    fanotify_interpret_contents(row->mask, &change, row->times_set, &row->w, &c);
    for (unsigned i = 0; i < c.count; i++) {
        const struct file_state *before = &c.changes[i].before;
        size_t n = strlen(got);

        if (before->known & FILE_SIZE)
            snprintf(got + n, sizeof(got) - n, "%s%s %u, ", operation_info(c.changes[i].operation)->name, c.changes[i].presumed ? "?" : "",
                     (unsigned)before->size);
        else
            snprintf(got + n, sizeof(got) - n, "%s ?, ", operation_info(c.changes[i].operation)->name);
    }
    assert_string_equal(got, row->changes);
    assert_int_equal(c.after, row->then);
    if (c.after == FANOTIFY_REMEMBER)
        assert_int_equal(c.before.size, row->mask & FAN_CREATE ? 0 : row->before.size);
}

/* ---- an upper layer ---- */

enum { NONE, FILE_5, FILE_9, WHITEOUT }; /* what is somewhere */

static const struct file_state states[] = { [FILE_5] = SIZE(5, 1), [FILE_9] = SIZE(9, 2), [WHITEOUT] = { .known = KNOWN, .mode = S_IFCHR } };

static const struct layered_row {
    const char *name;
    int in_layer, seen;
    bool whiteout;
    enum fanotify_layered layered;
    uint64_t size; /* of what the container saw before */
} layered[] = {
    { "new", NONE, NONE, false, FANOTIFY_LAYER_NEW, 0 },
    { "copied up from a lower layer", NONE, FILE_5, false, FANOTIFY_LAYER_COPIED, 5 },
    { "replaced in the layer", FILE_9, FILE_5, false, FANOTIFY_LAYER_COPIED, 9 },
    { "deleted, of a lower layer", NONE, FILE_5, true, FANOTIFY_LAYER_GONE, 5 },
    { "deleted, of both", FILE_9, FILE_5, true, FANOTIFY_LAYER_GONE, 9 },
    { "a whiteout of what was not seen", NONE, NONE, true, FANOTIFY_LAYER_NOTHING, 0 },
    { "made again where it was deleted: not what lies below", WHITEOUT, FILE_5, false, FANOTIFY_LAYER_NEW, 0 },
    { "a whiteout on another one", WHITEOUT, FILE_5, true, FANOTIFY_LAYER_NOTHING, 0 },
};

static void layers(void **state)
{
    const struct layered_row *row = *state;
    struct file_state before;

    assert_int_equal(fanotify_interpret_upper(row->in_layer ? &states[row->in_layer] : NULL, row->seen ? &states[row->seen] : NULL,
                                              row->whiteout, &before), row->layered);
    assert_int_equal(before.known ? before.size : 0, row->size);
}

/* ---- found by comparing ---- */

#define AT(type, s, m, c) { .known = KNOWN | FILE_CTIME, .mode = type, .size = s, .mtime_ns = m, .ctime_ns = c }

static const struct compared_row {
    const char *name;
    struct file_state before, after;
    bool another;
    const char *found;
} compared[] = {
    { "nothing", AT(S_IFREG, 5, 1, 1), AT(S_IFREG, 5, 1, 1), false, "" },
    { "deleted", AT(S_IFREG, 5, 1, 1), GONE, false, "unlink " },
    { "a folder removed", AT(S_IFDIR, 5, 1, 1), GONE, false, "rmdir " },
    { "another one", AT(S_IFREG, 5, 1, 1), AT(S_IFREG, 5, 1, 1), true, "replace appeared " },
    { "attributes", AT(S_IFREG, 5, 1, 1), AT(S_IFREG, 5, 1, 2), false, "attributes " },
    { "written to", AT(S_IFREG, 5, 1, 1), AT(S_IFREG, 9, 2, 2), false, "attributes contents " },
    { "written to, and its time set back", AT(S_IFREG, 5, 1, 1), AT(S_IFREG, 9, 1, 2), false, "attributes contents " },
    { "names in a folder", AT(S_IFDIR, 5, 1, 1), AT(S_IFDIR, 9, 2, 2), false, "attributes " },
};

static void compares(void **state)
{
    const struct compared_row *row = *state;
    struct tree_change change = { .same_object = !row->another, .before = row->before, .after = row->after };
    struct fanotify_compared c = fanotify_interpret_compared(&change);
    char got[64];

    snprintf(got, sizeof(got), "%s%s%s%s%s", c.operation == OPERATION_COUNT ? "" : operation_info(c.operation)->name,
             c.operation == OPERATION_COUNT ? "" : " ", c.appeared ? "appeared " : "", c.attributes ? "attributes " : "",
             c.contents ? "contents " : "");
    assert_string_equal(got, row->found);
}

int main(void)
{
    return RUN_ROWS(new_rows, new_names) + RUN_ROWS(linked, linked_names) + RUN_ROWS(contents, changed_contents) + RUN_ROWS(layered, layers) + RUN_ROWS(compared, compares);
}
