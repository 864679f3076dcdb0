/* SPDX-License-Identifier: MIT */
/* Layers made by hand: what overlay would show of them, and how it differs from the image. Whiteouts are
 * written as fuse-overlayfs writes them where devices may not be made; the kernel's too, as root. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/layers.h"
#include "compare/apart.h"
#include "compare/event_copy.h"
#include "compare/record.h"
#include "make.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/sbuf.h"

static char base[] = "/tmp/culprit-test-compare-XXXXXX";
static char upper[256], top[256], bottom[256], volume[256];

static const struct row {
    const char *name;
    const char *make; /* shell, in the folder with upper, top and bottom */
    const char *path, *expected;
} rows[] = {
    { "nothing", ":", "/", "" },
    { "added", "mkdir upper/d; echo x > upper/d/new", "/", "added /d/new\n" },
    { "added directory and what is in it", "mkdir -p upper/n/m; echo > upper/n/m/f", "/",
      "added /n\nadded /n/m\nadded /n/m/f\n" },
    { "missing", "mkdir upper/d; touch upper/d/.wh.a", "/", "missing /d/a\n" },
    { "missing with all below", "touch upper/.wh.d", "/", "missing /d\nmissing /d/a\nmissing /d/b\nmissing /d/s\nmissing /d/s/x\n" },
    { "copied up and equal", "mkdir upper/d; cp -p bottom/d/a upper/d/a", "/", "" },
    { "copied up, other time only", "mkdir upper/d; cp bottom/d/a upper/d/a; touch -d 2001-01-01 upper/d/a", "/", "" },
    { "content of the same size", "mkdir upper/d; cp -p bottom/d/a upper/d/a; printf Q > upper/d/a; truncate -s 2 upper/d/a", "/",
      "content /d/a\n" },
    { "longer", "mkdir upper/d; cp -p bottom/d/a upper/d/a; echo more >> upper/d/a", "/", "content /d/a\n" },
    { "mode", "mkdir upper/d; cp -p bottom/d/a upper/d/a; chmod 711 upper/d/a", "/", "mode /d/a\n" },
    { "mode of a directory", "mkdir -m 700 upper/d", "/", "mode /d\n" },
    { "mode and content", "mkdir upper/d; echo 2 > upper/d/a; echo 3 >> upper/d/a; chmod 600 upper/d/a", "/",
      "content /d/a\nmode /d/a\n" },
    { "type: file to directory", "mkdir -p upper/d/a; echo > upper/d/a/in", "/", "type /d/a\nadded /d/a/in\n" },
    { "type: directory to link", "mkdir upper/d; ln -s /etc upper/d/s", "/", "type /d/s\nmissing /d/s/x\n" },
    { "link leads elsewhere", "ln -s other upper/link", "/", "content /link\n" },
    { "opaque directory", "mkdir -p upper/d; touch upper/d/.wh..wh..opq; cp -p bottom/d/a upper/d/a", "/",
      "missing /d/b\nmissing /d/s\nmissing /d/s/x\n" },
    { "hidden by the upper image layer", "mkdir upper/d; touch upper/d/.wh.t", "/d", "missing /d/t\n" },
    { "a path below", "mkdir upper/d upper/e; touch upper/d/.wh.a; echo > upper/e/x", "/e", "added /e/x\n" },
    { "one file", "mkdir upper/d; touch upper/d/.wh.a upper/d/.wh.b", "/d/b", "missing /d/b\n" },
    { "by a link in the image", "mkdir upper/d; touch upper/d/.wh.a", "/link/a", "missing /d/a\n" },
    { "a link out of the container", "ln -s ../../../../../../../etc upper/out; mkdir upper/d; touch upper/d/.wh.a", "/out", NULL },
    { "nothing there", ":", "/none", NULL },
    { "mount points are no difference", "mkdir -p upper/vol/x upper/bound", "/", "" },
    { "in a volume", "echo > volume/f; rm -f volume/v1", "/vol", "added /vol/f\nmissing /vol/v1\n" },
    { "a volume below", "rm -f volume/v2; echo > upper/new", "/", "added /new\nmissing /vol/v2\n" },
    { "names of any bytes", "printf x > \"upper/$(printf 'a\\nb\\033[2J')\"", "/", "added /a\nb\033[2J\n" },
    { "a fifo, a device that is none", "mkdir upper/d; mkfifo upper/d/a upper/pipe", "/", "added /pipe\ntype /d/a\n" },
    { "a hole of terabytes, twice", "truncate -s 8T upper/hole bottom/hole", "/", "" },
    { "a hole of terabytes that was longer", "truncate -s 8T bottom/hole; truncate -s 7T upper/hole", "/", "content /hole\n" },
    { "the last byte behind a hole", "truncate -s 4T bottom/hole upper/hole; printf x | dd of=upper/hole bs=1 seek=4398046511103 conv=notrunc status=none", "/",
      "content /hole\n" },
    { "deep", "p=upper; for i in $(seq 100); do p=$p/dddddddddd; done; mkdir -p $p; touch $p/f", "/", "*" },
};

static int collect(void *data, struct difference *d)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%s ", difference_kind_name(d->kind));
    sbuf_add_bytes(out, d->path);
    sbuf_add_char(out, '\n');
    if (d->kind == DIFFERENCE_CONTENT && S_ISREG(d->after.mode) && d->after.size < 1 << 20)
        assert_false(bytes_equal(d->before_hash, d->after_hash));
    difference_free(d);
    return 0;
}

static void no_notice(void *data, const char *text)
{
    (void)data;
    (void)text;
}

static void shell(const char *script)
{
    char command[2048];

    snprintf(command, sizeof(command), "cd %s && umask 022 && { %s; }", base, script);
    assert_int_equal(system(command), 0);
}

static struct difference *kept; /* the first one, of those that are missing */

static int keep_missing(void *data, struct difference *d)
{
    (void)data;
    if (!kept && d->kind == DIFFERENCE_MISSING)
        kept = d;
    else
        difference_free(d);
    return 0;
}

static void compare_by(const char *path, int r, int (*each)(void *, struct difference *), struct sbuf *out)
{
    struct bytes lowers[] = { bytes_of(top), bytes_of(bottom) };
    struct container_mount mounts[] = {
        { .destination = bytes_of("/vol"), .source = bytes_of(volume), .type = bytes_of("volume") },
        { .destination = bytes_of("/bound"), .source = bytes_of("/etc"), .type = bytes_of("bind") },
    };
    struct container_view view = { .container = container_new(), .upper = bytes_of(upper), .lower = lowers,
                                   .lower_count = 2, .mounts = mounts, .mount_count = 2 };
    struct compare_options options = { .each = each, .notice = no_notice, .data = out };
    struct arena arena = { 0 };
    struct bytes real;
    _cleanup_sbuf_ struct sbuf apart = SBUF_INIT;
    struct err err = ERR_INIT;

    if (each == collect)
        assert_int_equal(compare_image(&view, bytes_of(path), &options, &arena, &real, &err), r);
    options.data = &apart; /* the same by a process of its own */
    assert_int_equal(compare_image_apart(&view, bytes_of(path), &options, &arena, &real, &err), r);
    assert_true(bytes_equal(sbuf_bytes(out), sbuf_bytes(&apart)));
    arena_done(&arena);
    container_unref(view.container);
}

static void compare(const char *path, int r, struct sbuf *out)
{
    compare_by(path, r, collect, out);
}

static void prepare(void)
{
    shell("rm -rf upper top bottom volume; mkdir -p upper top/d bottom/d/s bottom/e volume bottom/vol; "
          "for f in a b s/x; do echo 1 > bottom/d/$f; done; echo t > top/d/t; echo t > bottom/d/t; touch top/d/.wh.t2; "
          "echo 2 > bottom/d/t2; touch bottom/vol/v1 bottom/vol/v2 volume/v1 volume/v2; ln -s d bottom/link; "
          "touch -r bottom/vol/v1 volume/v1; rm top/d/t; touch -d 2000-01-01 bottom/d/a; chmod 755 upper; "
          "touch -d 2000-01-01 bottom/d/b; echo t > top/d/t; touch top/d/.wh.t3; echo 3 > bottom/d/t3");
}

static void compares_with_the_record(void **state)
{
    const struct row *row = *state;
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct sbuf want = SBUF_INIT;

    prepare();
    shell(row->make);
    compare(row->path, row->expected ? 0 : -ENOENT, &out);
    if (row->expected && strcmp(row->expected, "*") == 0) {
        size_t lines = 0;

        for (size_t i = 0; i < out.len; i++)
            lines += out.data[i] == '\n';
        assert_int_equal(lines, 101);
        return;
    }
    sbuf_add_str(&want, row->expected ? row->expected : "");
    /* t of the top layer is part of "missing with all below" */
    if (row->expected && strcmp(row->name, "missing with all below") == 0) {
        sbuf_clear(&want);
        sbuf_add_str(&want, "missing /d\nmissing /d/a\nmissing /d/b\nmissing /d/s\nmissing /d/t\nmissing /d/s/x\n");
    }
    if (row->expected && strcmp(row->name, "opaque directory") == 0) {
        sbuf_clear(&want);
        sbuf_add_str(&want, "missing /d/b\nmissing /d/s\nmissing /d/t\nmissing /d/s/x\n");
    }
    assert_string_equal(sbuf_str(&out), sbuf_str(&want));
    sbuf_done(&want);
}

/* ---- how, and when ---- */

static const struct how_row {
    const char *name, *make, *path, *missing;
    enum deleted_by by;
    bool before, after; /* it is known when it was still there, when it was gone */
} hows[] = {
    { "a whiteout", "mkdir upper/d; touch upper/d/.wh.a", "/", "/d/a", DELETED_WHITEOUT, true, true },
    { "a whiteout, of one file that is asked for", "mkdir upper/d; touch upper/d/.wh.a", "/d/a", "/d/a", DELETED_WHITEOUT, true, true },
    { "a whiteout of a directory above it", "touch upper/.wh.d", "/d/s/x", "/d/s/x", DELETED_WHITEOUT, true, true },
    { "the same, seen from above", "touch upper/.wh.d", "/", "/d", DELETED_WHITEOUT, true, true },
    { "a whiteout of the kernel's", "mkdir upper/d; mknod upper/d/a c 0 0", "/", "/d/a", DELETED_WHITEOUT, true, true },
    { "its directory was changed since", "mkdir upper/d; touch upper/d/.wh.a; touch -d 2040-01-01 upper/d", "/", "/d/a", DELETED_WHITEOUT, true, true },
    { "a layer that was copied: new inodes, old times", "mkdir upper/d; touch upper/d/.wh.a; touch -d 2001-01-01 upper/d", "/", "/d/a", DELETED_WHITEOUT, false,
      true },
    { "a directory that was made anew", "mkdir -p upper/d/s; touch upper/d/s/.wh..wh..opq; touch -d 2040-01-01 upper/d/s", "/", "/d/s/x", DELETED_OPAQUE, false,
      true },
    { "of a volume nothing is said but when", "rm -f volume/v1", "/vol", "/vol/v1", DELETED_NOT_SAID, false, true },
    { "another type is no deletion", "mkdir upper/d; ln -s /etc upper/d/s", "/", "/d/s/x", DELETED_NOT_SAID, false, false },
};

static bool has_birth_times(void)
{
    struct statx st;

    return statx(AT_FDCWD, base, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME);
}

static void says_how_it_went(void **state)
{
    const struct how_row *row = *state;
    uint64_t from = clock_ns(CLOCK_REALTIME) - NS_PER_S;
    _cleanup_sbuf_ struct sbuf none = SBUF_INIT;

    if (geteuid() && strstr(row->make, "mknod"))
        skip();
    prepare();
    shell(row->make);
    compare_by(row->path, 0, keep_missing, &none);
    assert_non_null(kept);
    assert_bytes(kept->path, row->missing);
    assert_int_equal(kept->deleted_by, row->by);
    assert_int_equal(kept->changed_ns != 0, row->after);
    assert_true(kept->changed_ns <= clock_ns(CLOCK_REALTIME) || !has_birth_times());
    assert_int_equal(kept->not_before_ns != 0, row->before && has_birth_times());
    if (kept->not_before_ns)
        assert_in_range(kept->not_before_ns, from, kept->changed_ns);
    difference_free(kept);
    kept = NULL;
}

static void knows_the_kernels_marks(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    char path[300];

    (void)state;
    prepare();
    shell("mkdir upper/d upper/moved upper/e; rmdir bottom/e; mkdir -p bottom/e/deep; echo > bottom/e/deep/f");
    snprintf(path, sizeof(path), "%s/d/a", upper);
    if (mknod(path, S_IFCHR, makedev(0, 0)) < 0)
        skip();
    snprintf(path, sizeof(path), "%s/e", upper);
    if (setxattr(path, "trusted.overlay.opaque", "y", 1, 0) < 0)
        skip();
    /* a directory that was renamed: its entries are those of the old place */
    snprintf(path, sizeof(path), "%s/moved", upper);
    assert_int_equal(setxattr(path, "trusted.overlay.redirect", "/d/s", 4, 0), 0);
    compare("/", 0, &out);
    assert_string_equal(sbuf_str(&out), "added /moved\nmissing /d/a\nmissing /e/deep\nmissing /e/deep/f\nadded /moved/x\n");
}

/* A layer is the container's work as much as the engine's: it may say anything. */
static void ends_with_circles(void **state)
{
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    char path[300];

    (void)state;
    prepare();
    shell("mkdir -p upper/loop top/loop bottom/loop");
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/loop", i == 0 ? upper : i == 1 ? top : bottom);
        if (setxattr(path, "trusted.overlay.redirect", "/loop/loop/../loop", 18, 0) < 0)
            skip();
    }
    compare("/loop", 0, &out);
}

/* Where a file's data is said to lie elsewhere, it is in the same directory of a lower layer, and nowhere else. */
static void data_stays_in_its_directory(void **state)
{
    static const struct {
        const char *redirect;
        bool found;
    } redirects[] = { { "b", true }, { "../../outside", false }, { "..", false }, { "s/x", false } };
    struct bytes directories[2];
    struct layers layers;
    char path[300];

    (void)state;
    prepare();
    shell("echo secret > outside; mkdir -p upper/d; echo > upper/d/f");
    directories[0] = bytes_of(upper);
    directories[1] = bytes_of(bottom);
    snprintf(path, sizeof(path), "%s/d/f", upper);
    if (setxattr(path, "trusted.overlay.metacopy", "", 0, 0) < 0)
        skip();
    assert_int_equal(layers_open(directories, 2, &layers, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(redirects); i++) {
        struct layer_entry e = LAYER_ENTRY_NONE;

        assert_int_equal(setxattr(path, "trusted.overlay.redirect", redirects[i].redirect,
                                  strlen(redirects[i].redirect), 0), 0);
        assert_int_equal(layers_lookup(&layers, bytes_of("/d/f"), &e), 0);
        assert_int_equal(e.data_fd >= 0, redirects[i].found);
        layer_entry_done(&e);
    }
    layers_done(&layers);
}

static int count_difference(void *data, struct difference *d)
{
    ++*(unsigned *)data;
    difference_free(d);
    return 0;
}

/* A rename touches two paths, each with an event of its own: both know who did it, and hold him. */
static void reports_a_rename_from_the_record(void **state)
{
    struct store_options options = { .path = "record.db" };
    struct store_query query = { .path = bytes_of("/w"), .since_ns = 1, .until_ns = 1000 };
    struct process *init = make_process(1, "/sbin/init", NULL), *mv = make_process(7, "/bin/mv", init);
    unsigned differences = 0;
    struct compare_options compare_options = { .data = &differences, .each = count_difference };
    struct event *e = make_event(OPERATION_RENAME, "/w/new", mv, NULL, 500);
    struct record_summary summary;
    struct err err = ERR_INIT;
    struct store *store;

    (void)state;
    event_set(e, &e->previous_path, bytes_of("/w/old"));
    assert_int_equal(store_open(&options, &store, &err), 0);
    assert_int_equal(store_add_event(store, e), 0);
    event_free(e);
    process_unref(mv);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(compare_record(store, &query, &compare_options, &summary, &err), 0);
    assert_int_equal(summary.changes, 1);
    assert_int_equal(differences, 2);
    store_close(store);
}

/* ---- what was put in the place of a file ---- */

struct change {
    enum operation operation;
    const char *path, *previous;
    uint64_t ms;
    uint32_t mode, was; /* the file's; of a chmod: before; 0: not known */
};

static const struct change_row {
    const char *name;
    struct change changes[5];
    const char *says;
} change_rows[] = {
    { "renamed over it, the rename first",
      { { OPERATION_RENAME, "/w/a", "/out/n", 0, 0100600 }, { OPERATION_REPLACE, "/w/a", NULL, 0, 0100644 } }, "content /w/a\nmode /w/a 0644 0600\n" },
    { "as a sensor on a busy machine has it",
      { { OPERATION_RENAME, "/w/a", "/out/n", 0, 0100600 }, { OPERATION_REPLACE, "/w/a", NULL, 30, 0100644 } }, "content /w/a\nmode /w/a 0644 0600\n" },
    { "the replacement first",
      { { OPERATION_REPLACE, "/w/a", NULL, 0, 0100644 }, { OPERATION_RENAME, "/w/a", "/out/n", 30, 0100600 } }, "content /w/a\nmode /w/a 0644 0600\n" },
    { "the rename does not say how the file is",
      { { OPERATION_CREATE, "/w/n", NULL, 0, 0100644 }, { OPERATION_CHMOD, "/w/n", NULL, 1, 0100600, 0100644 }, { OPERATION_RENAME, "/w/a", "/w/n", 2, 0 },
        { OPERATION_REPLACE, "/w/a", NULL, 3, 0100644 } }, "content /w/a\nmode /w/a 0644 0600\n" },
    { "made, and replaced then: nothing was there before",
      { { OPERATION_CREATE, "/w/a", NULL, 0, 0100644 }, { OPERATION_RENAME, "/w/a", "/out/n", 5, 0100600 }, { OPERATION_REPLACE, "/w/a", NULL, 5, 0100644 } },
      "added /w/a\n" },
    { "moved to where nobody looked", { { OPERATION_RENAME, "", "/w/a", 0, 0100600 } }, "missing /w/a\n" },
    { "with what was made in it", { { OPERATION_CREATE, "/w/d/a", NULL, 0, 0100600 }, { OPERATION_RENAME, "", "/w/d", 5, 040755 } }, "missing /w/d\n" },
    { "made, and moved there", { { OPERATION_CREATE, "/w/a", NULL, 0, 0100600 }, { OPERATION_RENAME, "", "/w/a", 5, 0100600 } }, "" },
    { "moved to a name that was free", { { OPERATION_RENAME, "/w/a", "/out/n", 0, 0100600 } }, "added /w/a\n" },
};

static int write_difference(void *data, struct difference *d)
{
    struct sbuf *out = data;

    sbuf_addf(out, "%s %.*s", difference_kind_name(d->kind), (int)d->path.len, d->path.data);
    if (d->kind == DIFFERENCE_MODE)
        sbuf_addf(out, " %04o %04o", d->before.mode & 07777, d->after.mode & 07777);
    sbuf_add_char(out, '\n');
    difference_free(d);
    return 0;
}

static struct event *make_change(const struct change *c, struct process *mv)
{
    struct event *e = make_event(c->operation, c->path, mv, NULL, (1000 + c->ms) * NS_PER_MS);

    event_set(e, &e->previous_path, bytes_of(c->previous));
    if (c->mode)
        e->file = (struct file_state){ .known = FILE_MODE, .mode = c->mode };
    if (c->was) {
        e->before = (struct file_state){ .known = FILE_MODE, .mode = c->was };
        e->after = e->file;
    }
    return e;
}

static void reports_what_was_replaced(void **state)
{
    const struct change_row *row = *state;
    struct store_options options = { .path = "replaced.db" };
    struct store_query query = { .path = bytes_of("/w"), .since_ns = 1, .until_ns = NS_PER_S * 100 };
    struct process *init = make_process(1, "/sbin/init", NULL), *mv = make_process(7, "/bin/mv", init);
    _cleanup_sbuf_ struct sbuf out = SBUF_INIT;
    struct compare_options compare_options = { .data = &out, .each = write_difference };
    struct record_summary summary;
    struct err err = ERR_INIT;
    struct store *store;

    (void)unlink("replaced.db");
    assert_int_equal(store_open(&options, &store, &err), 0);
    for (unsigned i = 0; i < 5 && row->changes[i].path; i++) {
        struct event *e = make_change(&row->changes[i], mv);

        assert_int_equal(store_add_event(store, e), 0);
        event_free(e);
    }
    process_unref(mv);
    assert_int_equal(store_flush(store, &err), 0);
    assert_int_equal(compare_record(store, &query, &compare_options, &summary, &err), 0);
    assert_string_equal(sbuf_str(&out), row->says);
    store_close(store);
}

/* The event it was made of is freed before it: what it says of the machine, and of others that share the file, is read later. */
static void a_copy_has_its_own_memory(void **state)
{
    struct event *e = make_event(OPERATION_RENAME, "/w/a", NULL, NULL, 1), *copy;
    struct bytes *const texts[] = { &e->path, &e->sharers, &e->node, &e->carried, &e->actor.cgroup };

    (void)state;
    for (size_t i = 1; i < ARRAY_SIZE(texts); i++)
        event_set(e, texts[i], bytes_of("old"));
    copy = event_copy_for_track(e);
    assert_non_null(copy);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        memset((char *)(uintptr_t)texts[i]->data, 'x', texts[i]->len);
    event_free(e);
    assert_bytes(copy->path, "/w/a");
    assert_bytes(copy->sharers, "old");
    assert_bytes(copy->node, "old");
    assert_bytes(copy->carried, "old");
    assert_bytes(copy->actor.cgroup, "old");
    event_free(copy);
}

int main(void)
{
    const struct CMUnitTest more[] = { cmocka_unit_test(knows_the_kernels_marks), cmocka_unit_test(ends_with_circles),
                                       cmocka_unit_test(data_stays_in_its_directory),
                                       cmocka_unit_test(reports_a_rename_from_the_record),
                                       cmocka_unit_test(a_copy_has_its_own_memory) };
    char command[128];
    int failed;

    if (!mkdtemp(base) || chdir(base) < 0)
        return 99;
    snprintf(upper, sizeof(upper), "%s/upper", base);
    snprintf(top, sizeof(top), "%s/top", base);
    snprintf(bottom, sizeof(bottom), "%s/bottom", base);
    snprintf(volume, sizeof(volume), "%s/volume", base);
    failed = RUN_ROWS(rows, compares_with_the_record) + RUN_ROWS(change_rows, reports_what_was_replaced) + RUN_ROWS(hows, says_how_it_went) + cmocka_run_group_tests(more, NULL, NULL);
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command) ? 98 : failed;
}
